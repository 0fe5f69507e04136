/*  pool.c - weft_pool_t: the head, which deals jobs to workers and tells what became of them
 *
 *  Everything happens inside the caller's calls; there is no thread. Events are not
 *  queued: a report of a worker is kept as it came and read record by record, and
 *  is acknowledged when the caller has seen all of it. */

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "core/error.h"
#include "patterns/pool.h"
#include "patterns/pool_dispatch.h"
#include "patterns/pool_forward.h"

#define TURN_MESSAGES 1000              /*  received before timers have their turn      */
#define PINGS 3                         /*  after a connection was lost, see ping       */

enum pool_state {
    POOL_OPEN,          /*  takes jobs                                                  */
    POOL_FINISHING,     /*  takes no more; those it has are still run                   */
    POOL_ENDING,        /*  all have ended; workers were told to go                     */
    POOL_ENDED          /*  they have gone, or took too long                            */
};

struct pool_config {
    int64_t retries, retry_lost;
    int64_t timeout;
    int64_t queue, queue_size;
    int64_t heartbeat, linger;
    bool stream;
    char *sink;
    int64_t sink_timeout;
};

#define FIELD(name) offsetof (struct pool_config, name)
const struct option pool_options[] = {
    { "retries", 0, OPTION_INT, "N", "0", 0, 1000000, .offset = FIELD (retries),
      .text = "how often a job that failed is run again" },
    { "retry-lost", 0, OPTION_INT, "N", "3", 0, 1000000, .offset = FIELD (retry_lost),
      .text = "how often a job whose worker went away is run again" },
    { "timeout", 0, OPTION_TIME, "TIME", "0", 0, 24 * 24 * 3600 * TIME_S, .offset = FIELD (timeout),
      .text = "time that a job may run; 0 for no limit" },
    { "queue", 0, OPTION_INT, "N", "10000", 1, 100000000, .offset = FIELD (queue),
      .text = "jobs that may wait to be run" },
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
    OPTION_END
};

enum worker_state {
    WORKER_NEW,         /*  its JOINED is still to be told                              */
    WORKER_MEMBER,
    WORKER_LEAVING,     /*  heard no more: its jobs and its LEFT are still to be told   */
    WORKER_LEFT         /*  told: to be freed at the next call                          */
};

struct worker {
    struct pool_peer peer;              /*  first */
    struct dispatch_worker credit;
    enum worker_state state;
    struct worker *prev, *next;         /*  all workers                                 */
    struct worker *next_news;           /*  those with something to tell                */
    struct worker *next_due;            /*  those with something to be sent             */
    bool due, news;
    struct buffer batch;                /*  jobs to be sent                             */
    uint32_t batched;
    int slots;
};

struct weft_pool {
    struct pollable pollable;           /*  first */
    weft_t *weft;
    struct pool_config config;
    struct wire *wire;
    struct forward *forward;            /*  to the sink; NULL: none                     */
    int poll_fd;                        /*  both wires, when there is a sink; else -1   */
    enum pool_state state;
    bool ready;                         /*  dispatch and maps are there; options are fixed */
    struct dispatch dispatch;
    struct map peers;                   /*  struct worker, by routing id                */
    struct worker *workers;             /*  list                                        */
    struct worker *news, **last_news;
    struct worker *due;
    const struct dispatch_job *job;     /*  of the last event that was about one        */
    struct worker *left;                /*  of whom the last event was                  */
    weft_msg_t msg;                     /*  the report that is being read ...           */
    struct pool_message report;
    struct worker *reporter;            /*  ... and who sent it; NULL: none             */
    struct buffer body, spec;
    uint64_t instance;
    int64_t beat_at, ping_at, end_at;   /*  TIME_FOREVER: not                           */
    int pings;
    int64_t pumped;                     /*  when the pool last ran                      */
    weft_pool_stats_t stats;
    bool told_refused;
    bool silent_end;                    /*  ENDING: there will be no more events         */
};

static const struct pollable_ops pool_ops;

/* ------------------------------------------------------------- coming and going */

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
    self->weft = weft;
    self->last_news = &self->news;
    self->instance = random_seed ();
    self->poll_fd = -1;
    self->beat_at = self->ping_at = self->end_at = TIME_FOREVER;
    weft_msg_init (&self->msg);
    buffer_init (&self->body, 0);
    buffer_init (&self->spec, 0);
    return self;
}

/*  What depends on options, once they are fixed. */
static int
make_ready (struct weft_pool *self)
{
    struct dispatch_limits limits = {
        .retries = self->config.retries, .losses = self->config.retry_lost,
        .queue = self->config.queue, .queue_bytes = self->config.queue_size
    };
    if (self->ready)
        return 0;
    int rc = map_init (&self->peers);
    rc = rc ? rc : dispatch_init (&self->dispatch, &limits);
    if (rc) {
        map_free (&self->peers);
        return rc;
    }
    self->ready = true;
    self->pumped = clock_now (self->weft->clock);
    return 0;
}

int
weft_pool_set (weft_pool_t *self, const char *name, const char *value)
{
    const struct option *option = option_find (pool_options, name);
    if (!option)
        return error_set (WEFT_EINVAL, "a pool has no option '%s'", name);
    if (self->ready)
        return error_set (WEFT_ESTATE, "%s must be set before the pool binds or takes a job", name);
    return option_set (option, &self->config, value);
}

/*  One descriptor for both wires. */
static int
open_forward (struct weft_pool *self)
{
    struct forward_config config = {
        .endpoint = self->config.sink, .instance = self->instance, .heartbeat = self->config.heartbeat,
        .linger = self->config.linger, .timeout = self->config.sink_timeout
    };
    int rc = forward_open (&self->forward, self->weft, &config);
    if (rc)
        return rc;
    self->poll_fd = epoll_create1 (EPOLL_CLOEXEC);
    struct epoll_event event = { .events = EPOLLIN };
    if (self->poll_fd < 0 || epoll_ctl (self->poll_fd, EPOLL_CTL_ADD, wire_fd (self->wire), &event)
        || epoll_ctl (self->poll_fd, EPOLL_CTL_ADD, wire_fd (self->forward->wire), &event))
        return error_errno ("epoll");
    return 0;
}

static int
open_wire (struct weft_pool *self)
{
    struct wire_options options;
    if (self->wire)
        return 0;
    pool_wire_options (&options, self->config.linger);
    int rc = context_open (self->weft, WIRE_ROUTER, &options, &self->wire);
    return rc || !self->config.sink ? rc : open_forward (self);
}

int
weft_pool_bind (weft_pool_t *self, const char *text)
{
    struct endpoint endpoint;
    int rc = endpoint_parse (&endpoint, text, ENDPOINT_BIND);
    rc = rc ? rc : make_ready (self);
    rc = rc ? rc : open_wire (self);
    return rc ? rc : wire_attach (self->wire, &endpoint);
}

const char *
weft_pool_endpoint (const weft_pool_t *self)
{
    return self->wire ? self->wire->bound : "";
}

static int64_t
now_of (const struct weft_pool *self)
{
    return clock_now (self->weft->clock);
}

static void
worker_unlink (struct weft_pool *self, struct worker *worker)
{
    map_remove (&self->peers, &worker->peer.node);
    if (worker->prev)
        worker->prev->next = worker->next;
    else
        self->workers = worker->next;
    if (worker->next)
        worker->next->prev = worker->prev;
    self->stats.workers--;
    self->stats.slots -= (uint64_t) worker->slots;
}

static void
worker_free (struct weft_pool *self, struct worker *worker)
{
    dispatch_leave (&self->dispatch, &worker->credit);
    buffer_free (&worker->batch);
    pool_peer_free (&worker->peer);
    free (worker);
}

/*  Something about the worker is to be told to the caller. */
static void
add_news (struct weft_pool *self, struct worker *worker)
{
    if (worker->news)
        return;
    worker->news = true;
    worker->next_news = NULL;
    *self->last_news = worker;
    self->last_news = &worker->next_news;
}

static void
drop_news (struct weft_pool *self)
{
    struct worker *worker = self->news;
    worker->news = false;
    self->news = worker->next_news;
    if (!self->news)
        self->last_news = &self->news;
}

/*  Something is to be sent to the worker. */
static void
add_due (struct weft_pool *self, struct worker *worker)
{
    if (worker->due)
        return;
    worker->due = true;
    worker->next_due = self->due;
    self->due = worker;
}

static void
drop_due (struct weft_pool *self, struct worker *worker)
{
    for (struct worker **link = &self->due; *link; link = &(*link)->next_due)
        if (*link == worker) {
            *link = worker->next_due;
            break;
        }
    worker->due = false;
}

/*  The worker will be heard no more. */
static void
lose (struct weft_pool *self, struct worker *worker, const char *why)
{
    if (worker->state >= WORKER_LEAVING)
        return;
    if (why) {
        self->stats.lost_workers++;
        log_warning (&self->weft->log, "pool: worker %s is lost: %s", worker->peer.name, why);
    }
    worker->state = WORKER_LEAVING;
    worker_unlink (self, worker);
    drop_due (self, worker);
    dispatch_set_window (&self->dispatch, &worker->credit, 0);
    add_news (self, worker);
}

static int
say (struct weft_pool *self, struct worker *worker)
{
    int rc = pool_send (self->wire, &worker->peer, &self->body, now_of (self));
    if (rc == WEFT_ENOPEER)
        lose (self, worker, "its connection is gone");
    return rc == WEFT_ENOPEER || rc == WEFT_EAGAIN ? 0 : rc;
}

/*  HEARTBEAT, or END and whether we shall wait for the answers. */
static int
say_to_all (struct weft_pool *self, enum pool_verb verb, bool answer)
{
    int rc = 0;
    for (struct worker *worker = self->workers, *next; rc == 0 && worker; worker = next) {
        next = worker->next;
        rc = verb == POOL_END ? pool_put_end (&self->body, answer) : pool_put_plain (&self->body, verb);
        rc = rc ? rc : say (self, worker);
    }
    return rc;
}

/* ---------------------------------------------------------------------- dealing */

/*  Sends a worker its jobs, or at least what is acknowledged. A wire that is full is
 *  tried again at the next turn. */
static int
send_due (struct weft_pool *self, struct worker *worker)
{
    int rc;
    if (worker->batched) {
        rc = pool_put_jobs (&self->body, worker->peer.have, worker->batched);
        rc = rc ? rc : buffer_add (&self->body, buffer_data (&worker->batch), buffer_size (&worker->batch));
    }
    else
        rc = pool_put_ack (&self->body, worker->peer.have);
    rc = rc ? rc : pool_send (self->wire, &worker->peer, &self->body, now_of (self));
    if (rc)
        return rc;
    worker->peer.acked = worker->peer.have;
    worker->batched = 0;
    buffer_clear (&worker->batch);
    return 0;
}

static int
send_all_due (struct weft_pool *self)
{
    struct worker *worker, *later = NULL;
    while ((worker = self->due)) {
        self->due = worker->next_due;
        worker->due = false;
        int rc = send_due (self, worker);
        if (rc == WEFT_ENOPEER)
            lose (self, worker, "its connection is gone");
        else if (rc == WEFT_EAGAIN) {
            worker->next_due = later;
            worker->due = true;
            later = worker;
        }
        else if (rc)
            return rc;
    }
    self->due = later;
    return 0;
}

/*  Gives waiting jobs to workers with credit. */
static int
deal (struct weft_pool *self)
{
    struct dispatch_job *job;
    while ((job = dispatch_assign (&self->dispatch))) {
        struct worker *worker = map_entry (job->worker, struct worker, credit);
        int rc = pool_put_job (&worker->batch, job->id, job->attempt, job->spec, job->size);
        if (rc)
            return rc;
        worker->batched++;
        add_due (self, worker);
        if (buffer_size (&worker->batch) >= POOL_BATCH && (rc = send_all_due (self)))
            return rc;
    }
    return send_all_due (self);
}

/* -------------------------------------------------------------------- listening */

static void
count_refused (struct weft_pool *self)
{
    self->stats.refused++;
    if (!self->told_refused)
        log_warning (&self->weft->log, "pool: refused a message: %s (further ones are only counted)", weft_error ());
    self->told_refused = true;
}

static void
refuse (struct weft_pool *self, struct pool_bytes route, const char *why)
{
    self->stats.refused++;
    log_warning (&self->weft->log, "pool: refused a worker: %s", why);
    if (pool_put_refused (&self->body, why) == 0)
        pool_answer (self->wire, route, &self->body);
}

static void
welcome (struct weft_pool *self, struct worker *worker)
{
    struct pool_welcome answer = {
        .version = POOL_VERSION, .instance = self->instance, .session = worker->peer.session,
        .have = worker->peer.have, .heartbeat = self->config.heartbeat / TIME_MS
    };
    if (pool_put_welcome (&self->body, &answer) == 0)
        say (self, worker);
}

static int
join (struct weft_pool *self, struct pool_bytes route, const struct pool_hello *hello)
{
    struct worker *worker = calloc (1, sizeof *worker);
    if (!worker)
        return error_plain (WEFT_ENOMEM);
    int rc = pool_peer_init (&worker->peer, &self->peers, route, hello, now_of (self));
    if (rc) {
        free (worker);
        return rc;
    }
    buffer_init (&worker->batch, 0);
    worker->slots = (int) hello->slots;
    worker->next = self->workers;
    if (worker->next)
        worker->next->prev = worker;
    self->workers = worker;
    self->stats.workers++;
    self->stats.slots += (uint64_t) worker->slots;
    dispatch_join (&self->dispatch, &worker->credit, worker->slots, (int) hello->window);
    add_news (self, worker);
    welcome (self, worker);
    return 0;
}

static int
on_hello (struct weft_pool *self, struct worker *worker, struct pool_bytes route, const struct pool_hello *hello)
{
    if (hello->role != POOL_ROLE_WORKER || hello->slots < 1)
        refuse (self, route, "this is the head of a pool, which takes workers with at least one slot");
    else if (self->state >= POOL_ENDING) {
        if (pool_put_end (&self->body, false) == 0)
            pool_answer (self->wire, route, &self->body);
    }
    else if (worker && worker->peer.instance == hello->instance && worker->peer.session == hello->session)
        welcome (self, worker);
    else {
        if (worker)
            lose (self, worker, "it has begun anew");
        if (self->peers.count < POOL_PEERS_MAX)
            return join (self, route, hello);
        refuse (self, route, "there are too many workers");
    }
    return 0;
}

static int
on_report (struct weft_pool *self, struct worker *worker, const struct pool_message *message)
{
    int rc = pool_peer_report (&worker->peer, message->number);
    if (rc == WEFT_EPROTO)
        return rc;
    add_due (self, worker);
    if (rc)
        return 0;                       /*  a repetition: only acknowledge it again */
    dispatch_set_window (&self->dispatch, &worker->credit, (int) message->window);
    if (message->left) {
        self->report = *message;
        self->reporter = worker;
    }
    return 0;
}

static int
on_worker_message (struct weft_pool *self, struct worker *worker, const struct pool_message *message)
{
    switch (message->verb) {
    case POOL_REPORT:
        return on_report (self, worker, message);
    case POOL_GOODBYE:
        lose (self, worker, worker->credit.held ? "it was stopped" : NULL);
        return 0;
    case POOL_HEARTBEAT:
        return 0;
    default:
        return error_set (WEFT_EPROTO, "a worker sent verb %d, which is the head's", (int) message->verb);
    }
}

/*  self->msg has come. */
static int
on_message (struct weft_pool *self)
{
    struct pool_bytes route;
    struct pool_message message;
    int rc = pool_receive (&self->msg, &route, &message);
    struct worker *worker = (struct worker *) pool_peer_find (&self->peers, route);
    if (worker)
        worker->peer.heard = now_of (self);
    if (rc == 0 && message.verb == POOL_HELLO)
        rc = on_hello (self, worker, route, &message.hello);
    else if (rc == 0 && worker)
        rc = on_worker_message (self, worker, &message);
    else if (rc == 0 && message.verb != POOL_GOODBYE && pool_put_plain (&self->body, POOL_UNKNOWN) == 0)
        pool_answer (self->wire, route, &self->body);
    if (rc == WEFT_ENOTSUP) {
        refuse (self, route, weft_error ());
        return 0;
    }
    if (rc == WEFT_EPROTO) {
        count_refused (self);
        if (worker) {
            if (pool_put_refused (&self->body, weft_error ()) == 0)
                pool_answer (self->wire, route, &self->body);
            lose (self, worker, weft_error ());
        }
        return 0;
    }
    return rc;
}

/* ------------------------------------------------------------------------ turns */

/*  A lost connection is not named. Who cannot be sent to any more has lost it; libzmq
 *  may take a moment to know, so we ask more than once. */
static int
ping (struct weft_pool *self, int64_t now)
{
    if (self->ping_at == TIME_FOREVER || now < self->ping_at)
        return 0;
    wire_events (self->wire);
    self->ping_at = --self->pings > 0 ? now + (PINGS - self->pings) * 10 * TIME_MS : TIME_FOREVER;
    return say_to_all (self, POOL_HEARTBEAT, false);
}

static int64_t
beat_interval (const struct weft_pool *self)
{
    return self->config.heartbeat ? self->config.heartbeat : TIME_S;
}

static int
beat (struct weft_pool *self, int64_t now, bool heard)
{
    int rc = 0;
    if (self->beat_at != TIME_FOREVER && now < self->beat_at)
        return 0;
    self->beat_at = now + beat_interval (self);
    for (struct worker *worker = self->workers, *next; rc == 0 && worker; worker = next) {
        next = worker->next;
        if (heard && pool_peer_silent (&worker->peer, now))
            lose (self, worker, "it was silent for too long");
        else if (self->config.heartbeat && now - worker->peer.sent >= self->config.heartbeat) {
            rc = pool_put_plain (&self->body, POOL_HEARTBEAT);
            rc = rc ? rc : say (self, worker);
        }
    }
    return rc;
}

/*  While the caller did not run the pool nobody could be heard: that is no silence. */
static void
excuse_gap (struct weft_pool *self, int64_t now)
{
    int64_t gap = now - self->pumped;
    self->pumped = now;
    if (gap < 2 * beat_interval (self))
        return;
    for (struct worker *worker = self->workers; worker; worker = worker->next)
        worker->peer.heard += gap;
}

static bool
has_event (const struct weft_pool *self)
{
    return self->reporter || self->news;
}

static int
take_messages (struct weft_pool *self)
{
    int rc = 0;
    for (int i = 0; rc == 0 && i < TURN_MESSAGES && !has_event (self); i++) {
        rc = wire_recv (self->wire, &self->msg, 0);
        rc = rc ? rc : on_message (self);
    }
    return rc;
}

static int
take_wire_events (struct weft_pool *self, int64_t now)
{
    struct wire_event event;
    int rc;
    while ((rc = wire_next_event (self->wire, &event)) == 1)
        if (event.kind == WIRE_DISCONNECTED) {
            self->ping_at = now;
            self->pings = PINGS;
        }
    return rc;
}

/*  All has ended and is told: let the workers go, then the sink. */
static int
end (struct weft_pool *self, int64_t now)
{
    if (self->state == POOL_FINISHING && !self->dispatch.jobs.count && !has_event (self)) {
        self->state = POOL_ENDING;
        self->end_at = clock_deadline (self->weft->clock, self->config.linger);
        int rc = self->wire ? say_to_all (self, POOL_END, true) : 0;
        if (rc)
            return rc;
    }
    if (self->state == POOL_ENDING && !has_event (self) && !self->silent_end
        && (!self->workers || (self->end_at != TIME_FOREVER && now >= self->end_at)))
        self->silent_end = true;
    int rc = self->forward ? forward_turn (self->forward, self->silent_end) : 0;
    if (self->silent_end && (!self->forward || self->forward->state == FORWARD_GONE))
        self->state = POOL_ENDED;
    return rc;
}

/*  One round, until there is an event or nothing more to do now. */
static int
pump (struct weft_pool *self)
{
    int64_t now = now_of (self);
    int rc = make_ready (self);
    if (rc || !self->wire)
        return rc ? rc : end (self, now);
    excuse_gap (self, now);
    rc = take_wire_events (self, now);
    rc = rc ? rc : take_messages (self);
    bool heard = rc == WEFT_EAGAIN;     /*  all that has come */
    rc = rc && !heard ? rc : ping (self, now);
    rc = rc ? rc : beat (self, now, heard);
    rc = rc ? rc : deal (self);
    return rc ? rc : end (self, now);
}

static int64_t
next_deadline (const struct weft_pool *self)
{
    int64_t deadline = clock_earlier (self->workers ? self->beat_at : TIME_FOREVER, self->ping_at);
    if (self->state == POOL_ENDING)
        deadline = clock_earlier (deadline, self->end_at);
    if (self->due)
        deadline = clock_earlier (deadline, now_of (self) + 10 * TIME_MS);
    if (self->forward)
        deadline = clock_earlier (deadline, forward_deadline (self->forward));
    return deadline;
}

/* ------------------------------------------------------------------------- end */

/*  Nobody waits for what workers do now: those that are there, and those whose HELLO is
 *  still to be read, are told to stop. */
static void
dismiss (struct weft_pool *self)
{
    if (self->state < POOL_ENDING)
        say_to_all (self, POOL_END, false);
    self->state = POOL_ENDING;
    for (int i = 0; i < TURN_MESSAGES && wire_recv (self->wire, &self->msg, 0) == 0; i++)
        on_message (self);
}

void
weft_pool_destroy (weft_pool_t **handle)
{
    struct weft_pool *self = *handle;
    if (!self)
        return;
    if (self->wire)
        dismiss (self);
    while (self->workers)
        lose (self, self->workers, NULL);
    if (self->left)
        worker_free (self, self->left);
    for (struct worker *worker; (worker = self->news); ) {
        const struct dispatch_job *job;
        while (dispatch_lose (&self->dispatch, &worker->credit, &job) != DISPATCH_STALE)
            ;
        drop_news (self);
        worker_free (self, worker);
    }
    forward_close (&self->forward);
    if (self->poll_fd >= 0)
        close (self->poll_fd);
    context_close (self->weft, &self->wire);
    if (self->ready) {
        dispatch_free (&self->dispatch);
        map_free (&self->peers);
    }
    weft_msg_clear (&self->msg);
    buffer_free (&self->body);
    buffer_free (&self->spec);
    option_free (pool_options, &self->config);
    free (self);
    *handle = NULL;
}

/* ----------------------------------------------------------------------- events */

static void
fill_event (weft_pool_event_t *event, int kind, const struct worker *worker)
{
    memset (event, 0, sizeof *event);
    event->kind = kind;
    if (worker) {
        event->worker = worker->peer.name;
        event->host = worker->peer.host;
        event->slots = worker->slots;
    }
}

static void
fill_job (struct weft_pool *self, weft_pool_event_t *event, const struct dispatch_job *job)
{
    self->job = job;
    event->job = job->id;
    event->tag = job->tag;
    event->attempt = job->attempt;
}

static void
fill_record (weft_pool_event_t *event, const struct pool_record *record)
{
    event->job = record->job;
    event->attempt = (int) record->attempt;
    event->slot = (int) record->slot;
    event->stream = (int) record->stream;
    event->data = record->data.size ? record->data.data : NULL;
    event->size = record->data.size;
    event->reason = (int) record->reason;
    event->status = (int) record->status;
    event->signal = (int) record->signal;
    event->started = record->started;
    event->runtime = record->runtime;
    event->received_bytes = record->received;
    event->sent_bytes = record->sent;
}

/*  A record that says that a job has ended: 1 when there is an event. */
static int
take_end (struct weft_pool *self, const struct pool_record *record, weft_pool_event_t *event)
{
    struct worker *worker = self->reporter;
    const struct dispatch_job *job;
    struct dispatch_end how = {
        .reason = (int) record->reason, .status = (int) record->status, .signal = (int) record->signal
    };
    enum dispatch_verdict verdict = dispatch_ended (&self->dispatch, &worker->credit, record->job, record->attempt, &how,
        &job);
    if (verdict == DISPATCH_STALE)
        return 0;
    fill_event (event, verdict == DISPATCH_DONE ? WEFT_POOL_DONE : WEFT_POOL_RETRY, worker);
    fill_record (event, record);
    fill_job (self, event, job);
    return 1;
}

/*  1 when the record makes an event, 0 when it does not (any more), or WEFT_EPROTO. */
static int
take_record (struct weft_pool *self, const struct pool_record *record, weft_pool_event_t *event)
{
    struct dispatch_worker *credit = &self->reporter->credit;
    struct dispatch_job *job = dispatch_find (&self->dispatch, credit, record->job, record->attempt);
    switch (record->kind) {
    case WEFT_POOL_DONE:
        return take_end (self, record, event);
    case WEFT_POOL_STARTED:
        if (!dispatch_began (&self->dispatch, credit, record->job, record->attempt))
            return 0;
        break;
    case WEFT_POOL_OUTPUT:
        if (!job)
            return 0;
        break;
    case POOL_RECORD_RETURNED:
        dispatch_returned (&self->dispatch, credit, record->job, record->attempt);
        return 0;
    default:
        return error_set (WEFT_EPROTO, "a worker sent a record of kind %d, which is the head's", record->kind);
    }
    fill_event (event, record->kind, self->reporter);
    fill_record (event, record);
    fill_job (self, event, job);
    return 1;
}

static int
take_from_report (struct weft_pool *self, weft_pool_event_t *event)
{
    struct pool_record record;
    int rc;
    while ((rc = pool_next_record (&self->report, &record)) == 1) {
        rc = take_record (self, &record, event);
        if (rc)
            break;
    }
    if (rc == WEFT_EPROTO) {
        count_refused (self);
        lose (self, self->reporter, weft_error ());
    }
    if (rc != 1)
        self->reporter = NULL;
    return rc == 1;
}

/*  A worker that came, went, or lost a job by going. */
static int
take_news (struct weft_pool *self, weft_pool_event_t *event)
{
    struct worker *worker = self->news;
    const struct dispatch_job *job;
    enum dispatch_verdict verdict = DISPATCH_AGAIN;
    if (worker->state == WORKER_NEW) {
        worker->state = WORKER_MEMBER;
        drop_news (self);
        fill_event (event, WEFT_POOL_JOINED, worker);
        return 1;
    }
    while (verdict == DISPATCH_AGAIN)
        verdict = dispatch_lose (&self->dispatch, &worker->credit, &job);
    if (verdict == DISPATCH_STALE) {
        worker->state = WORKER_LEFT;
        drop_news (self);
        self->left = worker;
        fill_event (event, WEFT_POOL_LEFT, worker);
        return 1;
    }
    fill_event (event, verdict == DISPATCH_DONE ? WEFT_POOL_DONE : WEFT_POOL_RETRY, worker);
    fill_job (self, event, job);
    event->reason = WEFT_JOB_LOST;
    return 1;
}

static int
take_cancelled (struct weft_pool *self, weft_pool_event_t *event)
{
    const struct dispatch_job *job;
    if (!dispatch_cancel_next (&self->dispatch, &job))
        return 0;
    fill_event (event, WEFT_POOL_DONE, NULL);
    fill_job (self, event, job);
    event->reason = WEFT_JOB_CANCELLED;
    return 1;
}

/*  The last event has been used. */
static void
release (struct weft_pool *self)
{
    if (self->left)
        worker_free (self, self->left);
    self->left = NULL;
}

static int
take_event (struct weft_pool *self, weft_pool_event_t *event)
{
    int rc = self->reporter ? take_from_report (self, event) : 0;
    if (rc == 0 && self->news)
        rc = take_news (self, event);
    return rc ? rc : take_cancelled (self, event);
}

/*  The sink has not taken enough to be given more. */
static bool
is_blocked (const struct weft_pool *self)
{
    return self->forward && forward_full (self->forward);
}

static int
pass_on (struct weft_pool *self, const weft_pool_event_t *event)
{
    bool commanded = event->kind == WEFT_POOL_STARTED || event->kind == WEFT_POOL_DONE;
    struct pool_bytes spec = { NULL, 0 };
    if (commanded)
        spec = (struct pool_bytes) { self->job->spec, self->job->size };
    return forward_event (self->forward, event, commanded ? &spec : NULL);
}

static int
wait_until (struct weft_pool *self, int64_t until)
{
    int64_t left = clock_left (self->weft->clock, until);
    if (!self->forward) {
        int rc = wire_wait (self->wire, WEFT_IN, left);
        return rc < 0 ? rc : 0;
    }
    if (pool_wire_stirs (self->forward->wire) || (!has_event (self) && pool_wire_stirs (self->wire)))
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
    int rc = make_ready (self);
    release (self);
    while (rc == 0) {
        if (!is_blocked (self) && take_event (self, event))
            return self->forward ? pass_on (self, event) : 0;
        rc = pump (self);
        if (rc || (has_event (self) && !is_blocked (self)))
            continue;
        if (self->state == POOL_ENDED)
            return error_set (WEFT_EEND, "the pool has finished");
        if (!self->wire)
            return error_set (WEFT_ESTATE, "bind the pool to an endpoint first");
        int64_t left = clock_left (self->weft->clock, end_at);
        if (left == 0)
            return error_plain (timeout ? WEFT_ETIMEOUT : WEFT_EAGAIN);
        int64_t until = clock_earlier (end_at, next_deadline (self));
        rc = wait_until (self, until);
    }
    return rc;
}

/* ------------------------------------------------------------------------- jobs */

static int
check_job (const weft_job_t *job)
{
    size_t size = job->input_size + (job->command ? strlen (job->command) : 0);
    if (!job->argc && !job->command)
        return error_set (WEFT_EINVAL, "a job needs a command or arguments");
    if (job->argc > POOL_ARGS_MAX)
        return error_set (WEFT_ETOOBIG, "a job of %zu arguments is over the limit of %d", job->argc, POOL_ARGS_MAX);
    for (size_t i = 0; i < job->argc; i++)
        size += strlen (job->argv[i]) + 5;
    if (size > POOL_JOB_MAX)
        return error_set (WEFT_ETOOBIG, "a job of %zu bytes is over the limit of %d", size, POOL_JOB_MAX);
    if (job->slot_mark && strlen (job->slot_mark) > POOL_NAME_MAX)
        return error_set (WEFT_ETOOBIG, "the mark for the slot is longer than %d bytes", POOL_NAME_MAX);
    if (job->timeout < 0)
        return error_set (WEFT_EINVAL, "the timeout of a job cannot be negative");
    return 0;
}

int
weft_pool_submit (weft_pool_t *self, const weft_job_t *job, uint64_t *id)
{
    uint64_t number;
    if (self->state != POOL_OPEN)
        return error_set (WEFT_ESTATE, "the pool was finished and takes no more jobs");
    int rc = make_ready (self);
    if (rc == 0 && !dispatch_has_room (&self->dispatch))
        rc = error_set (WEFT_EAGAIN, "the queue is full: take events first");
    rc = rc ? rc : check_job (job);
    if (rc)
        return rc;
    int64_t timeout = job->timeout ? job->timeout : clock_poll_ms (self->config.timeout);
    buffer_clear (&self->spec);
    rc = pool_put_spec (&self->spec, job, timeout, self->config.stream);
    rc = rc ? rc : dispatch_submit (&self->dispatch, job->tag, buffer_data (&self->spec), buffer_size (&self->spec),
        job->input_size, &number);
    if (rc)
        return rc;
    self->stats.submitted++;
    if (id)
        *id = number;
    return 0;
}

void
weft_pool_finish (weft_pool_t *self)
{
    if (self->state == POOL_OPEN)
        self->state = POOL_FINISHING;
}

int
weft_pool_cancel (weft_pool_t *self, bool running)
{
    int rc = make_ready (self);
    if (rc)
        return rc;
    dispatch_cancel (&self->dispatch);
    for (struct worker *worker = self->workers, *next; rc == 0 && worker; worker = next) {
        next = worker->next;
        rc = pool_put_cancel (&self->body, running, 0);
        rc = rc ? rc : say (self, worker);
    }
    return rc;
}

void
weft_pool_stats (const weft_pool_t *self, weft_pool_stats_t *stats)
{
    *stats = self->stats;
    stats->waiting = self->dispatch.waiting;
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
    if (self->forward)
        return self->poll_fd;
    return self->wire ? wire_fd (self->wire) : error_set (WEFT_ESTATE, "bind the pool to an endpoint first");
}

static int
pool_events (struct pollable *pollable)
{
    struct weft_pool *self = (struct weft_pool *) pollable;
    int rc = 0;
    do {
        if (!has_event (self))
            rc = pump (self);
    } while (rc == 0 && !has_event (self) && self->wire && pool_wire_stirs (self->wire));
    if (rc)
        return rc;
    bool told = (has_event (self) && !is_blocked (self)) || self->state == POOL_ENDED || dispatch_has_cancelled (&self->dispatch);
    return (told ? WEFT_IN : 0) | (self->state == POOL_OPEN && dispatch_has_room (&self->dispatch) ? WEFT_OUT : 0);
}

static int64_t
pool_deadline (struct pollable *pollable)
{
    return next_deadline ((struct weft_pool *) pollable);
}

static const struct pollable_ops pool_ops = {
    .fd = pool_fd,
    .events = pool_events,
    .deadline = pool_deadline,
};
