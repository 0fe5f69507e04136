/*  pool.c - weft_pool_t: the head, which deals jobs to workers and tells what became of them
 *
 *  Everything happens inside the caller's calls; there is no thread. Events are not
 *  queued: a report of a worker is kept as it came and read record by record, and
 *  the next is only taken in when the caller has seen all of it. */

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "core/error.h"
#include "patterns/pool_head.h"

#define FIELD(name) offsetof (struct pool_config, name)
const struct option pool_options[] = {
    { "retries", 0, OPTION_INT, "N", "0", 0, 1000000, .offset = FIELD (retries),
      .text = "how often a job that failed is run again" },
    { "crash-limit", 0, OPTION_INT, "N", "3", 0, 1000000, .offset = FIELD (crash_limit),
      .text = "how often a job whose worker went away is run again" },
    { "retry-lost", 0, OPTION_INT, "N", "3", 0, 1000000, .flags = OPTION_HIDDEN, .offset = FIELD (crash_limit),
      .text = "the same as crash-limit" },
    { "ledger", 0, OPTION_TEXT, "FILE", .offset = FIELD (ledger),
      .text = "keep jobs and results in FILE, from which a pool that is started again goes on" },
    { "durability", 0, OPTION_CHOICE, "HOW", "group", .choices = "sync|group|none", .offset = FIELD (durability),
      .text = "when FILE is written to disk: at once, in groups within 2 ms, or when the system likes (a crash of the "
              "system then loses the last seconds)" },
    { "outputs", 0, OPTION_TEXT, "DIR", .offset = FIELD (outputs),
      .text = "keep what jobs write in few files in DIR, where the ledger says which part is whose" },
    { "results", 0, OPTION_TEXT, "PATH", .offset = FIELD (results),
      .text = "where the caller keeps what jobs write: stands in the ledger, with the folder, for who looks for it" },
    { "resume", 0, OPTION_FLAG, .offset = FIELD (resume),
      .text = "go on with the jobs of a ledger; those that are given again are known by their content" },
    { "reattach", 0, OPTION_TIME, "TIME", "10s", TIME_FOREVER, INT64_MAX, .offset = FIELD (reattach),
      .text = "how long the jobs of a worker that cannot be heard wait for it, before others get them" },
    { "timeout", 0, OPTION_TIME, "TIME", "0", 0, 24 * 24 * 3600 * TIME_S, .offset = FIELD (timeout),
      .text = "time that a job may run; 0 for no limit" },
    { "timeout-percent", 0, OPTION_INT, "N", "0", 0, 1000000, .offset = FIELD (timeout_percent),
      .text = "let a job run as long as so many percent of the median of the last 1000 that ended well, when three "
              "have, but 0.1 s at least; 0 for no limit" },
    { "delay", 0, OPTION_TIME, "TIME", "0", 0, 24 * 24 * 3600 * TIME_S, .offset = FIELD (delay),
      .text = "time that passes at least between one job's start and the next one's" },
    { "queue", 0, OPTION_INT, "N", "10000", 1, 100000000, .offset = FIELD (queue),
      .text = "jobs of one priority that may wait to be run" },
    { "queue-size", 0, OPTION_SIZE, "BYTES", "256M", 1024, INT64_MAX, .offset = FIELD (queue_size),
      .text = "bytes of commands and input that may wait" },
    { "heartbeat", 0, OPTION_TIME, "TIME", "1s", 0, 3600 * TIME_S, .offset = FIELD (heartbeat),
      .text = "time between signs of life to workers" },
    { "linger", 0, OPTION_TIME, "TIME", "1s", TIME_FOREVER, INT64_MAX, .offset = FIELD (linger),
      .text = "how long workers may take to say goodbye at the end" },
    { "stream", 0, OPTION_FLAG, .offset = FIELD (stream),
      .text = "send a job's output line by line, not only when it ends" },
    { "sink", 0, OPTION_TEXT, "ENDPOINT", .offset = FIELD (sink),
      .text = "a sink that gets every event too, and acknowledges it" },
    { "sink-timeout", 0, OPTION_TIME, "TIME", "60s", TIME_FOREVER, INT64_MAX, .offset = FIELD (sink_timeout),
      .text = "how long to wait for the sink, at first and when it has gone" },
    POOL_MAX_PEERS (FIELD (max_peers)),
    OPTION_END
};

static const struct pollable_ops pool_ops;

/* ------------------------------------------------------------- coming and going */

/*  Its own, for as long as it lives; a ledger has another. */
static void
make_id (struct weft_pool *self)
{
    for (size_t i = 0; i < POOL_ID; i += sizeof (uint64_t)) {
        uint64_t part = random_seed ();
        memcpy (self->id + i, &part, sizeof part);
    }
}

weft_pool_t *
weft_pool_new (weft_t *weft)
{
    struct weft_pool *self = calloc (1, sizeof *self);
    if (!self || option_init (pool_options, &self->config)) {
        free (self);
        error_plain (WEFT_ENOMEM);
        return NULL;
    }
    self->pollable.ops = &pool_ops;
    self->overdue_at = TIME_FOREVER;
    self->weft = weft;
    self->last_news = &self->news;
    self->instance = random_seed ();
    self->poll_fd = -1;
    self->beat_at = self->ping_at = self->end_at = self->retract_at = self->awaited_until = TIME_FOREVER;
    self->start_at = self->outputs_at = self->pieces_at = TIME_FOREVER;
    make_id (self);
    weft_msg_init (&self->msg);
    buffer_init (&self->body, 0);
    buffer_init (&self->spec, 0);
    buffer_init (&self->text, 0);
    return self;
}

int
head_make_ready (struct weft_pool *self)
{
    struct dispatch_limits limits = {
        .retries = self->config.retries, .losses = self->config.crash_limit,
        .queue = self->config.queue, .queue_bytes = self->config.queue_size
    };
    if (self->ready)
        return 0;
    int rc = pool_peers_init (&self->peers);
    rc = rc ? rc : dispatch_init (&self->dispatch, &limits);
    self->dispatch.now = head_now (self);
    self->dispatch.idle_only = self->config.delay > 0;
    rc = rc ? rc : head_open_book (self);
    if (rc) {
        book_close (&self->book);
        outputs_destroy (&self->outputs);
        dispatch_free (&self->dispatch);
        pool_peers_free (&self->peers);
        return rc;
    }
    self->ready = true;
    self->pumped = clock_now (self->weft->clock);
    return 0;
}

int
weft_pool_set (weft_pool_t *self, const char *name, const char *value)
{
    const struct option_group groups[] = { { .table = pool_options, .target = &self->config },
                                           { .table = security_options, .target = &self->config.security }, { 0 } };
    return option_set_in (groups, name, value, "a pool", self->ready ? "the pool binds or takes a job" : NULL);
}

static int
open_forward (struct weft_pool *self)
{
    struct forward_config config = {
        .endpoint = self->config.sink, .instance = self->instance, .heartbeat = self->config.heartbeat,
        .linger = self->config.linger, .timeout = self->config.sink_timeout, .security = &self->config.security
    };
    return forward_open (&self->forward, self->weft, &config);
}

/*  One descriptor for both wires and the ledger. */
static int
watch_all (struct weft_pool *self)
{
    int fds[] = { wire_fd (self->wire), self->forward ? wire_fd (self->forward->wire) : -1,
                  self->book ? ledger_fd (self->book->ledger) : -1 };
    struct epoll_event event = { .events = EPOLLIN };
    self->poll_fd = epoll_create1 (EPOLL_CLOEXEC);
    for (size_t i = 0; self->poll_fd >= 0 && i < sizeof fds / sizeof *fds; i++)
        if (fds[i] >= 0 && epoll_ctl (self->poll_fd, EPOLL_CTL_ADD, fds[i], &event))
            return error_errno ("epoll");
    return self->poll_fd < 0 ? error_errno ("epoll") : 0;
}

static int
open_wire (struct weft_pool *self)
{
    struct wire_options options;
    if (self->wire)
        return 0;
    pool_wire_options (&options, self->config.linger);
    options.max_peers = self->config.max_peers;
    int rc = pool_open_wire (self->weft, WIRE_ROUTER, &self->config.security, "worker", &options, &self->wire);
    if (rc == 0 && self->config.sink)
        rc = open_forward (self);
    return rc || (!self->forward && !self->book) ? rc : watch_all (self);
}

int
weft_pool_bind (weft_pool_t *self, const char *text)
{
    struct endpoint endpoint;
    int rc = endpoint_parse (&endpoint, text, ENDPOINT_BIND);
    rc = rc ? rc : security_check (&self->config.security, &endpoint);
    rc = rc ? rc : head_make_ready (self);
    rc = rc ? rc : open_wire (self);
    rc = rc ? rc : wire_attach (self->wire, &endpoint);
    if (rc == 0)
        security_listens (&self->config.security, &endpoint, &self->weft->log);
    return rc;
}

const char *
weft_pool_endpoint (const weft_pool_t *self)
{
    return self->wire ? self->wire->bound : "";
}

/* ------------------------------------------------------------------------- end */

/*  Nobody waits for what workers do now: those that are there, and those whose HELLO is
 *  still to be read, are told to stop. */
static void
dismiss (struct weft_pool *self)
{
    if (self->state < POOL_ENDING)
        head_say_to_all (self, POOL_END, false);
    self->state = POOL_ENDING;
    for (int i = 0; i < HEAD_TURN && wire_recv (self->wire, &self->msg, 0) == 0; i++)
        head_take_message (self);
}

void
weft_pool_destroy (weft_pool_t **handle)
{
    struct weft_pool *self = *handle;
    if (!self)
        return;
    /*  With a ledger there is more to come when this head has not ended: the workers wait for the next one. */
    if (self->wire && (!self->book || self->state >= POOL_ENDING))
        dismiss (self);
    while (self->workers)
        head_lose (self, self->workers, NULL);
    if (self->left)
        head_free_worker (self, self->left);
    for (struct worker *worker; (worker = self->news); ) {
        const struct dispatch_job *job;
        while (dispatch_lose (&self->dispatch, &worker->credit, &job) != DISPATCH_STALE)
            ;
        head_drop_news (self);
        head_free_worker (self, worker);
    }
    forward_close (&self->forward);
    if (self->poll_fd >= 0)
        close (self->poll_fd);
    context_close (self->weft, &self->wire);
    if (self->ready) {
        book_close (&self->book);
        outputs_destroy (&self->outputs);
        dispatch_free (&self->dispatch);
        pool_peers_free (&self->peers);
    }
    weft_msg_clear (&self->msg);
    buffer_free (&self->body);
    buffer_free (&self->spec);
    buffer_free (&self->text);
    free (self->early);
    pool_end_show (self);
    option_free (pool_options, &self->config);
    option_free (security_options, &self->config.security);
    free (self);
    *handle = NULL;
}

/* ---------------------------------------------------------------------- waiting */

/*  The sink has not taken enough to be given more. */
static bool
is_blocked (const struct weft_pool *self)
{
    return self->forward && forward_full (self->forward);
}

/*  A sink learns what the job is before it hears what it wrote. */
static int
pass_on (struct weft_pool *self, const weft_pool_event_t *event)
{
    bool commanded = event->kind == WEFT_POOL_STARTED || event->kind == WEFT_POOL_DONE;
    struct pool_bytes spec = { NULL, 0 };
    int rc = 0;
    if (commanded || self->untold)
        spec = (struct pool_bytes) { self->job->spec, self->job->size };
    if (self->untold) {
        weft_pool_event_t started = *event;
        started.kind = WEFT_POOL_STARTED;
        started.data = NULL;
        started.size = 0;
        rc = forward_event (self->forward, &started, &spec);
    }
    self->untold = false;
    if (rc || event->kind == WEFT_POOL_ACCEPTED)
        return rc;
    return forward_event (self->forward, event, commanded ? &spec : NULL);
}

/*  Has the wire something for the next turn? Nothing is taken from it while a report is being read, which a full disk
 *  may hold up; it is asked all the same, so that it does not signal what is known. */
static bool
may_go_on (const struct weft_pool *self)
{
    return pool_wire_stirs (self->wire) && !self->reporter;
}

static int
wait_until (struct weft_pool *self, int64_t until)
{
    int64_t left = clock_left (self->weft->clock, until);
    if (self->poll_fd < 0) {
        int rc = wire_wait (self->wire, WEFT_IN, left);
        return rc < 0 ? rc : 0;
    }
    if (self->forward && pool_wire_stirs (self->forward->wire))
        return 0;
    if (!head_has_event (self) && may_go_on (self))
        return 0;
    struct pollfd fd = { .fd = self->poll_fd, .events = POLLIN };
    if (poll (&fd, 1, clock_poll_ms (left)) < 0)
        return errno == EINTR ? error_plain (WEFT_EINTR) : error_errno ("poll");
    return 0;
}

int
weft_pool_next (weft_pool_t *self, weft_pool_event_t *event, int timeout)
{
    int64_t end_at = clock_deadline (self->weft->clock, timeout < 0 ? TIME_FOREVER : timeout * TIME_MS);
    int rc = head_make_ready (self);
    head_release (self);
    while (rc == 0) {
        if (!is_blocked (self) && head_take_event (self, event))
            return self->forward ? pass_on (self, event) : 0;
        rc = head_turn (self);
        if (rc || (head_has_event (self) && !is_blocked (self)))
            continue;
        if (self->state == POOL_ENDED)
            return error_set (WEFT_EEND, "the pool has finished");
        if (!self->wire)
            return error_set (WEFT_ESTATE, "bind the pool to an endpoint first");
        int64_t left = clock_left (self->weft->clock, end_at);
        if (left == 0)
            return error_plain (timeout ? WEFT_ETIMEOUT : WEFT_EAGAIN);
        int64_t until = clock_earlier (end_at, head_deadline (self));
        rc = wait_until (self, until);
    }
    return rc;
}

/* ------------------------------------------------------------------------- jobs */

void
weft_pool_finish (weft_pool_t *self)
{
    if (self->state == POOL_OPEN)
        self->state = POOL_FINISHING;
    if (self->book)
        book_stop_finding (self->book);
}

int
weft_pool_pause (weft_pool_t *self, bool paused)
{
    self->paused = paused;
    return paused || !self->wire ? 0 : head_deal (self, head_now (self));
}

void
weft_pool_stats (const weft_pool_t *self, weft_pool_stats_t *stats)
{
    *stats = self->stats;
    stats->waiting = self->dispatch.waiting + self->dispatch.awaiting + (self->book ? self->book->unloaded : 0);
    stats->running = self->dispatch.running;
    stats->done = self->dispatch.done;
    stats->failed = self->dispatch.failed;
    stats->retries = self->dispatch.retries;
}

/* ---------------------------------------------------------------------- polling */

static int
pool_fd (struct pollable *pollable)
{
    struct weft_pool *self = (struct weft_pool *) pollable;
    if (self->poll_fd >= 0)
        return self->poll_fd;
    return self->wire ? wire_fd (self->wire) : error_set (WEFT_ESTATE, "bind the pool to an endpoint first");
}

static int
pool_events (struct pollable *pollable)
{
    struct weft_pool *self = (struct weft_pool *) pollable;
    int rc = 0;
    do {
        if (!head_has_event (self))
            rc = head_turn (self);
    } while (rc == 0 && !head_has_event (self) && self->wire && may_go_on (self));
    if (rc)
        return rc;
    bool told = (head_has_event (self) && !is_blocked (self)) || self->state == POOL_ENDED ||
                head_has_cancelled (self);
    return (told ? WEFT_IN : 0) | (self->state == POOL_OPEN && head_has_room (self) ? WEFT_OUT : 0);
}

static int64_t
pool_deadline (struct pollable *pollable)
{
    return head_deadline ((struct weft_pool *) pollable);
}

static const struct pollable_ops pool_ops = {
    .fd = pool_fd,
    .events = pool_events,
    .deadline = pool_deadline,
};
