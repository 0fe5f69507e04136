/*  pool_worker.c - weft_worker_t: an agent with slots, on one connection to a head */

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include "core/error.h"
#include "core/security.h"
#include "patterns/pool.h"
#include "patterns/pool_line.h"
#include "patterns/pool_memory.h"
#include "patterns/pool_metrics.h"
#include "patterns/pool_slots.h"

#define TURN_MESSAGES 1000      /*  received before the slots have their turn   */
#define TURN_EVENTS 64
#define NOTE_AFTER TIME_S                /*  without a head, before we say so       */
#define EVENT_WIRE SLOTS_EVENTS
#define EVENT_STOP (SLOTS_EVENTS + 1)
#define EVENT_WARDEN (SLOTS_EVENTS + 2)

enum worker_state {
    WORKER_ACTIVE,      /*  `line` says where it stands with its head                       */
    WORKER_LEAVING,     /*  the head or the caller wants an end at once: jobs are stopped   */
    WORKER_GONE         /*  `result` says why                                               */
};

struct worker_config {
    int64_t slots, first_slot, prefetch, memory;
    char *name, *shell, *dir, *exec;
    int64_t heartbeat, connect_timeout, grace, linger, lifetime;
    struct security_config security;
};

#define FIELD(name) offsetof (struct worker_config, name)
const struct option worker_options[] = {
    { "slots", 'j', OPTION_INT, "N", "0", 0, POOL_SLOTS_MAX, .offset = FIELD (slots),
      .text = "jobs to run at once; 0 stands for the number of CPUs" },
    { "memory", 0, OPTION_SIZE, "SIZE", "0", 0, INT64_MAX, .offset = FIELD (memory),
      .text = "memory for jobs that ask for some; 0 stands for all of the machine, or of our part of it (cgroup)" },
    { "prefetch", 0, OPTION_INT, "N", "16", 0, 1000, .offset = FIELD (prefetch),
      .text = "short jobs that may wait here for each slot, so that none is without" },
    { "first-slot", 0, OPTION_INT, "N", "1", 1, POOL_SLOTS_MAX, .offset = FIELD (first_slot),
      .text = "number of the first slot, so that those of several workers differ" },
    { "name", 0, OPTION_TEXT, "NAME", .offset = FIELD (name),
      .text = "name in the pool; HOST:PID when it is not given" },
    { "shell", 0, OPTION_TEXT, "PATH", .offset = FIELD (shell),
      .text = "shell for all commands; without it /bin/sh, and none where none is needed" },
    { "exec", 0, OPTION_TEXT, "COMMAND", .offset = FIELD (exec),
      .text = "run COMMAND for each message, which is its standard input; what it writes is the reply" },
    { "dir", 0, OPTION_TEXT, "DIR", .offset = FIELD (dir), .text = "directory to run jobs in" },
    { "heartbeat", 0, OPTION_TIME, "TIME", "1s", 0, 3600 * TIME_S, .offset = FIELD (heartbeat),
      .text = "time between signs of life; a head gives a worker up after five" },
    { "connect-timeout", 0, OPTION_TIME, "TIME", "60s", TIME_FOREVER, INT64_MAX, .offset = FIELD (connect_timeout),
      .text = "how long to wait for a head, at first and when it has gone" },
    { "grace", 0, OPTION_TIME, "TIME", "1s", 0, 3600 * TIME_S, .offset = FIELD (grace),
      .text = "time that a job has to end after SIGTERM before it is killed" },
    { "linger", 0, OPTION_TIME, "TIME", "1s", TIME_FOREVER, INT64_MAX, .offset = FIELD (linger),
      .text = "how long the last results may take to be delivered" },
    { "lifetime", 0, OPTION_TIME, "TIME", "0", 0, INT64_MAX, .offset = FIELD (lifetime),
      .text = "end after so long, and before that begin no job which by the last ones would not; 0 for no limit" },
    OPTION_END
};

struct weft_worker {
    weft_t *weft;
    struct worker_config config;
    struct wire *wire;
    struct watch watch;         /*  what was said of refusals                       */
    int stop_fd;                /*  counts the calls of weft_worker_stop            */
    uint64_t stops;
    int epoll;
    enum worker_state state;
    bool running;               /*  inside weft_worker_run                          */
    int result;
    char reason[512];           /*  the words for it                                */
    weft_work_fn *fn;           /*  for messages; or NULL                           */
    void *arg;
    struct slots slots;
    struct warden warden;       /*  of the jobs, should we be killed                */
    struct line line;
    struct buffer body, held;   /*  of the message that is being made               */
    uint64_t instance;
    int window;                 /*  as last told                                    */
    bool unheard;               /*  LEAVING: nobody waits for our GOODBYE           */
    bool stirred;               /*  the wire may have something, see turn           */
    int64_t deadline;           /*  without a head: when one must have come         */
    int64_t expires;            /*  with a lifetime: when we end at the latest      */
    int64_t note_at;            /*  at first: when to say that we wait; TIME_FOREVER: not (any more) */
    char endpoint[ENDPOINT_MAX];
    int64_t greeted;            /*  when HELLO was said                             */
    int64_t sent;               /*  last message                                    */
    struct pool_counts *counts; /*  NULL: nobody asks                               */
    struct worker_values shown; /*  then, by core/counter.h                         */
    char name[POOL_NAME_MAX + 1], host[POOL_NAME_MAX + 1];
};

weft_worker_t *
weft_worker_new (weft_t *weft)
{
    struct weft_worker *self = calloc (1, sizeof *self);
    if (!self || option_init (worker_options, &self->config)) {
        free (self);
        error_plain (WEFT_ENOMEM);
        return NULL;
    }
    self->weft = weft;
    self->stop_fd = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (self->stop_fd < 0) {
        error_errno ("cannot make a worker");
        weft_worker_destroy (&self);
        return NULL;
    }
    self->instance = random_seed ();
    return self;
}

void
weft_worker_destroy (weft_worker_t **handle)
{
    struct weft_worker *self = *handle;
    if (!self)
        return;
    context_close (self->weft, &self->wire);
    if (self->stop_fd >= 0)
        close (self->stop_fd);
    option_free (worker_options, &self->config);
    option_free (security_options, &self->config.security);
    free (self);
    *handle = NULL;
}

int
weft_worker_set (weft_worker_t *self, const char *name, const char *value)
{
    const struct option_group groups[] = { { .table = worker_options, .target = &self->config },
                                           { .table = security_options, .target = &self->config.security }, { 0 } };
    return option_set_in (groups, name, value, "a worker", self->wire ? "the worker connects" : NULL);
}

int
weft_worker_on_message (weft_worker_t *self, weft_work_fn *fn, void *arg)
{
    if (self->running)
        return error_set (WEFT_ESTATE, "what a worker does with messages must be said before it runs");
    self->fn = fn;
    self->arg = arg;
    return 0;
}

int
weft_worker_connect (weft_worker_t *self, const char *text)
{
    struct endpoint endpoint;
    struct wire_options options;
    if (self->wire)
        return error_set (WEFT_ESTATE, "a worker has one head, and this one is connected already");
    int rc = endpoint_parse (&endpoint, text, ENDPOINT_CONNECT);
    rc = rc ? rc : security_check (&self->config.security, &endpoint);
    if (rc)
        return rc;
    pool_wire_options (&options, self->config.linger);
    pool_identity (options.identity, sizeof options.identity, self->instance);
    rc = pool_open_wire (self->weft, WIRE_DEALER, &self->config.security, NULL, &options, &self->wire);
    if (rc)
        return rc;
    memcpy (self->endpoint, endpoint.text, sizeof self->endpoint);
    rc = wire_attach (self->wire, &endpoint);
    if (rc)
        context_close (self->weft, &self->wire);
    return rc;
}

void
weft_worker_stop (weft_worker_t *self)
{
    int saved = errno;
    eventfd_write (self->stop_fd, 1);
    errno = saved;
}

/* -------------------------------------------------------------------- speaking */

static int64_t
now_of (const struct weft_worker *self)
{
    return clock_now (self->weft->clock);
}

/*  Sends what was put into `body`. A wire that is full or has lost its peer is no
 *  error here: what must not be lost is said again. */
static int
say (struct weft_worker *self)
{
    int rc = pool_send (self->wire, NULL, &self->body, now_of (self));
    self->stirred = true;
    if (rc == 0)
        self->sent = now_of (self);
    return rc == WEFT_EAGAIN || rc == WEFT_ENOPEER ? 0 : rc;
}

static struct pool_bytes
text_bytes (const char *text)
{
    return (struct pool_bytes) { text, strlen (text) };
}

/*  Who we are and what we have. */
static int
say_hello (struct weft_worker *self)
{
    struct pool_hello hello = {
        .name = text_bytes (self->name), .host = text_bytes (self->host), .pid = getpid (),
        .slots = self->slots.config.count, .heartbeat = self->config.heartbeat / TIME_MS,
        .memory = self->slots.config.memory
    };
    self->window = slots_window (&self->slots);
    self->greeted = now_of (self);
    buffer_clear (&self->held);
    /*  First, since what ends after that is told in a later report than HELLO's last. */
    int rc = slots_put_held (&self->slots, &self->held, &hello.held);
    rc = rc ? rc : line_hello (&self->line, &hello, self->window);
    rc = rc ? rc : pool_put_hello (&self->body, &hello);
    rc = rc ? rc : buffer_add (&self->body, buffer_data (&self->held), buffer_size (&self->held));
    rc = rc ? rc : pool_put_hello_end (&self->body, &hello);
    return rc ? rc : say (self);
}

/*  Looks for a head, from now on for as long as is allowed. */
static void
seek (struct weft_worker *self, bool member)
{
    if (member) {
        self->deadline = clock_deadline (self->weft->clock, self->config.connect_timeout);
        log_warning (&self->weft->log, "worker %s: the head has gone; waiting for it to come back", self->name);
    }
    line_break (&self->line);
}

static int
say_goodbye (struct weft_worker *self)
{
    int rc = pool_put_plain (&self->body, POOL_GOODBYE, self->line.session);
    return rc ? rc : say (self);
}

static void
leave (struct weft_worker *self, int result)
{
    self->result = result;
    snprintf (self->reason, sizeof self->reason, "%s", result ? weft_error () : "");
    self->state = WORKER_LEAVING;
    slots_stop (&self->slots);
    slots_drop (&self->slots);
}

/* ------------------------------------------------------------------- listening */

static void
on_welcome (struct weft_worker *self, const struct pool_welcome *welcome)
{
    uint64_t records;
    int jobs;
    switch (line_welcomed (&self->line, welcome, &records)) {
    case LINE_OTHER:
        jobs = slots_drop (&self->slots);
        if (jobs || records)
            log_warning (&self->weft->log, "worker %s: joined another pool; %d jobs stopped and %llu records dropped, "
                         "which were the old one's", self->name, jobs, (unsigned long long) records);
        break;
    case LINE_SAME:
        log_info (&self->weft->log, "worker %s: the head is back", self->name);
        break;
    case LINE_FIRST:
    case LINE_NOT_OURS:
        break;
    }
}

static int
on_jobs (struct weft_worker *self, struct pool_message *message)
{
    uint64_t id;
    int64_t attempt;
    struct pool_bytes spec;
    int rc = 0;
    while (rc == 0 && (rc = pool_next_job (message, &id, &attempt, &spec)) == 1)
        rc = slots_add (&self->slots, id, attempt, spec);
    if (rc == 0 && self->stops)
        slots_stop (&self->slots);      /*  they crossed our last report */
    return rc;
}

static int
on_cancel (struct weft_worker *self, struct pool_message *message)
{
    uint64_t id;
    int64_t attempt;
    int rc;
    if (!message->left)
        slots_cancel (&self->slots, 0, 0, message->running);
    while ((rc = pool_next_cancelled (message, &id, &attempt)) == 1)
        slots_cancel (&self->slots, id, attempt, message->running);
    return rc;
}

static int
on_refused (struct weft_worker *self, struct pool_bytes text)
{
    leave (self, error_set (WEFT_EPEER, "the head refused this worker: %.*s", (int) text.size, text.data));
    return 0;
}

static int
on_member_message (struct weft_worker *self, struct pool_message *message)
{
    int rc = line_take (&self->line, message);
    if (rc == LINE_BROKEN) {
        self->deadline = clock_deadline (self->weft->clock, self->config.connect_timeout);
        log_warning (&self->weft->log, "worker %s: a message is missing, or the head does not know us: joining anew",
                     self->name);
        return 0;
    }
    if (rc != LINE_TAKE)
        return rc;
    return message->verb == POOL_JOBS ? on_jobs (self, message) : on_cancel (self, message);
}

static int
on_message (struct weft_worker *self, const weft_msg_t *msg)
{
    struct pool_message message;
    int rc = pool_decode (&message, weft_msg_data (msg, 0), weft_msg_size (msg, 0));
    if (rc == 0 && message.verb == POOL_END) {
        self->unheard = !message.answer;
        if (self->state != WORKER_LEAVING)
            leave (self, 0);
    }
    else if (rc == 0 && message.verb == POOL_REFUSED && self->state != WORKER_LEAVING)
        on_refused (self, message.text);
    else if (rc == 0 && message.verb == POOL_WELCOME)
        on_welcome (self, &message.welcome);
    else if (rc == 0 && self->state == WORKER_ACTIVE)
        rc = on_member_message (self, &message);
    if (rc == WEFT_ENOTSUP && self->line.state == LINE_GREETING)
        return rc;
    if (rc == WEFT_EPROTO || rc == WEFT_ENOTSUP) {
        log_warning (&self->weft->log, "worker %s: from the head: %s", self->name, weft_error ());
        rc = 0;
    }
    return rc;
}

static int
take_wire_events (struct weft_worker *self)
{
    struct wire_event event;
    int rc;
    while ((rc = wire_next_event (self->wire, &event)) == 1) {
        if (event.kind == WIRE_DISCONNECTED && self->state < WORKER_LEAVING)
            seek (self, self->line.state == LINE_MEMBER);
        if (event.kind == WIRE_REJECTED && event.denied)
            return error_set (WEFT_EACCES, "the pool at that address is not ours to join: %s", event.text);
        if (event.kind == WIRE_REJECTED && event.incompatible)
            return error_set (WEFT_EPEER, "there is no pool at that address: %s", event.text);
        watch_refusal (&self->watch, &event, &self->weft->log, "worker");
    }
    return rc;
}

static int
take_messages (struct weft_worker *self)
{
    weft_msg_t msg;
    weft_msg_init (&msg);
    int rc = 0;
    for (int i = 0; rc == 0 && i < TURN_MESSAGES; i++) {
        rc = wire_recv (self->wire, &msg, 0);
        rc = rc ? rc : on_message (self, &msg);
    }
    weft_msg_clear (&msg);
    return rc == WEFT_EAGAIN ? 0 : rc;
}

/* ----------------------------------------------------------------------- turns */

/*  Seals and sends what is due: at once when a slot has nothing to do, else in
 *  company, so that short jobs cost few messages. */
static int
flush (struct weft_worker *self)
{
    int64_t deadline = outbox_deadline (&self->line.outbox);
    int window = slots_window (&self->slots);
    bool due = deadline != TIME_FOREVER && (deadline <= now_of (self)
        || (self->line.outbox.urgent && slots_hungry (&self->slots))
        || self->line.outbox.count >= slots_batch (&self->slots));
    if (due || (window != self->window && (!window || !self->window))) {
        int rc = outbox_seal (&self->line.outbox, window);
        if (rc)
            return rc;
        self->window = window;
    }
    if (!self->line.outbox.unsent)
        return 0;
    int rc = outbox_send (&self->line.outbox, self->wire);
    self->stirred = true;
    if (rc > 0)
        self->sent = now_of (self);
    return rc < 0 && rc != WEFT_ENOPEER ? rc : 0;
}

static int
beat (struct weft_worker *self)
{
    if (!self->config.heartbeat || now_of (self) - self->sent < self->config.heartbeat)
        return 0;
    int rc = pool_put_heartbeat (&self->body, self->line.session, outbox_sent (&self->line.outbox), 0);
    return rc ? rc : say (self);
}

static void
note_waiting (struct weft_worker *self)
{
    char limit[48] = "waiting for one";
    if (self->deadline != TIME_FOREVER)
        snprintf (limit, sizeof limit, "waiting up to %g s", (double) self->config.connect_timeout / TIME_S);
    log_warning (&self->weft->log, "worker %s: no head at %s yet; %s", self->name, self->endpoint, limit);
    self->note_at = TIME_FOREVER;
}

static int
look_for_head (struct weft_worker *self)
{
    int64_t now = now_of (self);
    if (self->line.state == LINE_GREETING && now - self->greeted > POOL_MISSED * TIME_S)
        self->line.state = LINE_SEEKING;    /*  the HELLO or its answer was lost: say it again */
    if (self->line.state == LINE_SEEKING && self->wire->peers)
        return say_hello (self);
    if (self->note_at != TIME_FOREVER && now >= self->note_at)
        note_waiting (self);
    if (self->deadline == TIME_FOREVER || now < self->deadline)
        return 0;
    return error_set (WEFT_ENOPEER, "no head has answered for %g s",
        (double) self->config.connect_timeout / TIME_S);
}

/*  The end that weft_worker_stop asked for, as far as it has come. */
static int
drain (struct weft_worker *self)
{
    if (slots_busy (&self->slots) || (self->line.state == LINE_MEMBER && !outbox_empty (&self->line.outbox)))
        return 0;
    leave (self, error_plain (WEFT_ETERM));
    return 0;
}

/*  When the next thing is due that a lifetime asks for: the drain, then the end. */
static int64_t
expiry (const struct weft_worker *self)
{
    if (self->expires == TIME_FOREVER || self->stops || self->slots.average < 0)
        return self->expires;
    int64_t begin = self->expires - self->slots.average - self->slots.average / 4;
    return begin > 0 ? begin : 0;
}

static void
expire (struct weft_worker *self)
{
    int64_t now = now_of (self);
    if (self->expires == TIME_FOREVER || now < expiry (self))
        return;
    if (!self->stops) {
        log_info (&self->weft->log, "worker %s: the rest of its lifetime is too short for more jobs", self->name);
        self->stops = 1;
        slots_stop (&self->slots);
    }
    if (now >= self->expires && self->state < WORKER_LEAVING) {
        log_warning (&self->weft->log, "worker %s: its lifetime is over; %d jobs are stopped", self->name,
                     slots_busy (&self->slots));
        leave (self, error_plain (WEFT_ETERM));
    }
}

static int
act (struct weft_worker *self)
{
    int rc = 0;
    expire (self);
    switch (self->state) {
    case WORKER_ACTIVE:
        if (self->line.state != LINE_MEMBER) {
            rc = look_for_head (self);
            break;
        }
        self->note_at = TIME_FOREVER;
        rc = flush (self);
        rc = rc ? rc : beat (self);
        break;
    case WORKER_LEAVING:
        if (!slots_busy (&self->slots)) {
            rc = self->unheard || !self->wire->peers ? 0 : say_goodbye (self);
            self->state = WORKER_GONE;
        }
        break;
    case WORKER_GONE:
        break;
    }
    if (rc == 0 && self->stops && self->state < WORKER_LEAVING)
        rc = drain (self);
    return rc;
}

static void
take_stop (struct weft_worker *self)
{
    eventfd_t count;
    if (eventfd_read (self->stop_fd, &count))
        return;
    self->stops += count;
    slots_stop (&self->slots);
    if (self->stops > 1 && self->state < WORKER_LEAVING)
        leave (self, error_plain (WEFT_ETERM));
}

static int64_t
next_deadline (const struct weft_worker *self)
{
    int64_t deadline = slots_deadline (&self->slots);
    if (self->state != WORKER_ACTIVE)
        return deadline;
    deadline = clock_earlier (deadline, expiry (self));
    if (self->line.state == LINE_MEMBER) {
        if (!self->line.outbox.unsent)
            deadline = clock_earlier (deadline, outbox_deadline (&self->line.outbox));
        if (self->config.heartbeat)
            deadline = clock_earlier (deadline, self->sent + self->config.heartbeat);
    }
    else
        deadline = clock_earlier (clock_earlier (deadline, self->deadline), self->note_at);
    if (self->line.state == LINE_GREETING)
        deadline = clock_earlier (deadline, self->greeted + POOL_MISSED * TIME_S + 1);
    return deadline;
}

static int
watch (struct weft_worker *self, int fd, uint64_t data)
{
    struct epoll_event event = { .events = EPOLLIN, .data.u64 = data };
    return epoll_ctl (self->epoll, EPOLL_CTL_ADD, fd, &event) ? error_errno ("epoll") : 0;
}

/*  At first, and when somebody has killed it. Without one jobs are run all the same. */
static void
start_guardian (struct weft_worker *self)
{
    bool again = self->warden.pid != 0;
    int rc = warden_start (&self->warden);
    if (rc == 0 && again)
        log_info (&self->weft->log, "worker %s: its guardian was killed, and another started", self->name);
    rc = rc ? rc : watch (self, self->warden.pidfd, EVENT_WARDEN);
    if (rc)
        log_warning (&self->weft->log, "worker %s: %s; jobs would outlive it", self->name, weft_error ());
}

static int
wait (struct weft_worker *self)
{
    struct epoll_event events[TURN_EVENTS];
    int64_t left = clock_left (self->weft->clock, next_deadline (self));
    int count = epoll_wait (self->epoll, events, TURN_EVENTS, clock_poll_ms (left));
    if (count < 0)
        return errno == EINTR ? 0 : error_errno ("epoll");
    for (int i = 0; i < count; i++) {
        if (events[i].data.u64 == EVENT_WARDEN)
            start_guardian (self);
        else if (events[i].data.u64 == EVENT_STOP)
            take_stop (self);
        else if (events[i].data.u64 == EVENT_WIRE)
            self->stirred = true;
        else
            slots_on_event (&self->slots, events[i].data.u64);
    }
    return 0;
}

void
worker_begin_show (weft_worker_t *self, struct pool_counts *counts)
{
    self->counts = counts;
}

void
worker_read (void *arg, void *values)
{
    const struct weft_worker *self = arg;
    counters_read (values, &self->shown.slots, sizeof self->shown / sizeof (uint64_t));
}

static void
show (struct weft_worker *self)
{
    const struct slots *slots = &self->slots;
    int waits = slots->tasks ? tasks_waiting (slots->tasks) : 0, held = slots->tasks ? tasks_held (slots->tasks) : 0;
    struct worker_values now = {
        .slots = (uint64_t) slots->config.count, .waiting = (uint64_t) (slots->waiting + waits),
        .running = (uint64_t) (slots->busy + held - waits), .connected = self->line.state == LINE_MEMBER,
        .breaks = self->line.session - 1
    };
    counters_show (&self->shown.slots, &now.slots, sizeof now / sizeof (uint64_t));
}

/*  One round. The wire signals edges: it is asked again after every use, and only when
 *  it has nothing do we wait. Asking costs system calls, so while neither side
 *  has used it, it is left alone. */
static int
turn (struct weft_worker *self)
{
    int rc = self->stirred ? take_wire_events (self) : 0;
    if (rc == 0 && self->stirred)
        rc = take_messages (self);
    if (rc)
        return rc;
    slots_turn (&self->slots);
    rc = act (self);
    if (self->counts)
        show (self);
    if (rc || self->state == WORKER_GONE || (self->state == WORKER_LEAVING && !slots_busy (&self->slots)))
        return rc;                      /*  nothing is waited for */
    if (self->stirred) {
        if (pool_wire_stirs (self->wire))
            return 0;
        self->stirred = false;
    }
    return wait (self);
}

static int
count_slots (const struct weft_worker *self)
{
    cpu_set_t set;
    if (self->config.slots)
        return (int) self->config.slots;
    if (sched_getaffinity (0, sizeof set, &set) == 0)
        return CPU_COUNT (&set);
    return 1;
}

/*  Three descriptors a job, as many again for what a function for messages may have, and some for the rest of the
 *  process. */
static int
check_limit (int slots, bool messages)
{
    struct rlimit limit;
    rlim_t needed = (rlim_t) slots * (messages ? 6 : 3) + 64;
    if (getrlimit (RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < needed)
        return error_set (WEFT_ELIMIT,
                          "%d slots need %llu file descriptors, and the limit is %llu: raise it (ulimit -n)", slots,
                          (unsigned long long) needed, (unsigned long long) limit.rlim_cur);
    return 0;
}

static int
begin (struct weft_worker *self)
{
    struct slots_config config = {
        .count = count_slots (self), .first = (int) self->config.first_slot, .prefetch = self->config.prefetch,
        .memory = self->config.memory ? (uint64_t) self->config.memory : memory_available (""),
        .grace = self->config.grace, .shell = self->config.shell, .dir = self->config.dir,
        .exec = self->config.exec, .warden = &self->warden, .fn = self->fn, .arg = self->arg,
        .counts = self->counts
    };
    if (gethostname (self->host, sizeof self->host - 1))
        strcpy (self->host, "localhost");
    if (self->config.name)
        snprintf (self->name, sizeof self->name, "%s", self->config.name);
    else
        snprintf (self->name, sizeof self->name, "%.200s:%d", self->host, (int) getpid ());
    self->deadline = clock_deadline (self->weft->clock, self->config.connect_timeout);
    self->note_at = clock_deadline (self->weft->clock, NOTE_AFTER);
    self->expires = self->config.lifetime ? clock_deadline (self->weft->clock, self->config.lifetime) : TIME_FOREVER;
    int rc = check_limit (config.count, config.fn != NULL);
    if (rc == 0 && config.dir && access (config.dir, X_OK))
        rc = error_errno ("cannot run jobs in %s", config.dir);
    self->epoll = epoll_create1 (EPOLL_CLOEXEC);
    if (rc == 0 && self->epoll < 0)
        rc = error_errno ("epoll");
    rc = rc ? rc : warden_open (&self->warden, config.count, config.grace);
    rc = rc ? rc : slots_init (&self->slots, &config, self->weft->clock, &self->line.outbox, self->epoll);
    rc = rc ? rc : watch (self, wire_fd (self->wire), EVENT_WIRE);
    rc = rc ? rc : watch (self, self->stop_fd, EVENT_STOP);
    if (rc == 0 && !self->fn)
        start_guardian (self);
    return rc;
}

int
weft_worker_run (weft_worker_t *self)
{
    if (!self->wire)
        return error_set (WEFT_ESTATE, "connect the worker to a head first");
    if (self->fn && self->config.exec)
        return error_set (WEFT_EINVAL, "a worker has one thing that it does with messages: a function, or the option "
                          "exec");
    self->running = true;
    self->state = WORKER_ACTIVE;
    self->unheard = false;
    self->stirred = true;
    self->result = 0;
    self->stops = 0;
    line_init (&self->line, self->instance, self->line.session + 1);
    buffer_init (&self->body, 0);
    buffer_init (&self->held, 0);
    memset (&self->slots, 0, sizeof self->slots);
    self->warden = (struct warden) { .pidfd = -1 };
    int rc = begin (self);
    while (rc == 0 && self->state != WORKER_GONE)
        rc = turn (self);
    if (rc == 0 && self->result)
        rc = error_set (self->result, "%s", self->reason);
    slots_free (&self->slots);
    warden_close (&self->warden);
    self->running = false;
    line_free (&self->line);
    buffer_free (&self->body);
    buffer_free (&self->held);
    if (self->epoll >= 0)
        close (self->epoll);
    return rc;
}
