/*  pool_slots.c - the slots of a worker: jobs that wait, jobs that run, what they write */

#include "patterns/pool_slots.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/error.h"

#define RETURN_AFTER (250 * TIME_MS)    /*  a job that waits so long here is given back         */
#define LOOK_AHEAD (60 * TIME_MS)   /*  of work that may wait at a slot                         */
#define MESSAGES 64                 /*  that may wait where one job for a process may           */
#define MESSAGE_BYTES (16 << 20)    /*  of them that should wait                                */
#define BATCH 256                   /*  records; fewer go in company                            */

#define EVENT_TASKS (SLOTS_EVENTS - 1)

/*  Two, so that the next job is started before all is said of the last. */
struct slot {
    struct run runs[2];
    int now;                        /*  which of them holds the slot, or did last */
};

/* ------------------------------------------------------------ coming and going */

static int
open_tasks (struct slots *self)
{
    const struct slots_config *config = &self->config;
    struct tasks_config what = { .fn = config->fn, .arg = config->arg, .count = config->count, .first = config->first,
                                 .clock = self->clock, .outbox = self->outbox, .counts = config->counts };
    struct epoll_event event = { .events = EPOLLIN | EPOLLET, .data.u64 = EVENT_TASKS };
    int rc = tasks_open (&self->tasks, &what);
    if (rc == 0 && epoll_ctl (self->epoll, EPOLL_CTL_ADD, tasks_fd (self->tasks), &event))
        rc = error_errno ("epoll");
    return rc;
}

int
slots_init (struct slots *self, const struct slots_config *config, struct clock *clock, struct outbox *outbox,
            int epoll)
{
    memset (self, 0, sizeof *self);
    self->config = *config;
    self->clock = clock;
    self->outbox = outbox;
    self->epoll = epoll;
    self->host = (struct run_host) { .clock = clock, .outbox = outbox, .epoll = epoll, .grace = config->grace,
                                     .counts = config->counts };
    self->last = &self->first;
    self->average = -1;
    int rc = spawn_init (&self->host.spawn, config->shell, config->dir, config->exec);
    if (rc)
        return rc;
    self->slots = calloc ((size_t) config->count, sizeof *self->slots);
    self->host.scratch = malloc (POOL_CHUNK);
    if (!self->slots || !self->host.scratch)
        return error_plain (WEFT_ENOMEM);
    for (int i = 0; i < 2 * config->count; i++)
        run_init (&self->slots[i / 2].runs[i % 2], (uint64_t) i << 2);
    return config->fn ? open_tasks (self) : 0;
}

static void
free_first (struct slots *self)
{
    struct tasks_job *job = self->first;
    self->first = job->next;
    if (!self->first)
        self->last = &self->first;
    self->waiting--;
    free (job);
}

void
slots_free (struct slots *self)
{
    tasks_close (&self->tasks);
    for (int i = 0; self->slots && i < 2 * self->config.count; i++)
        run_free (&self->slots[i / 2].runs[i % 2]);
    while (self->first)
        free_first (self);
    spawn_free (&self->host.spawn);
    free (self->host.scratch);
    free (self->slots);
}

/*  Is it a message? What is malformed is none, and will not start. */
static void
look_at_spec (struct tasks_job *job)
{
    struct pool_spec spec;
    struct pool_reader arguments;
    if (pool_get_spec (&spec, (struct pool_bytes) { job->spec, job->size }, &arguments))
        return;
    job->message = spec.message;
    job->input = spec.input;
    job->stream = spec.stream;
    job->number = spec.number;
    job->cores = spec.cores > 1 ? (int) spec.cores : 1;
    job->memory = spec.memory;
    job->timeout = spec.timeout * TIME_MS;
}

int
slots_add (struct slots *self, uint64_t id, int64_t attempt, struct pool_bytes spec)
{
    struct tasks_job *job = malloc (sizeof *job + spec.size);
    if (!job)
        return error_plain (WEFT_ENOMEM);
    *job = (struct tasks_job) { .id = id, .attempt = attempt, .since = clock_now (self->clock), .size = spec.size,
                                .cores = 1 };
    memcpy (job->spec, spec.data, spec.size);
    look_at_spec (job);
    *self->last = job;
    self->last = &job->next;
    self->waiting++;
    return 0;
}

/* ---------------------------------------------------------------------- learning */

static void
learn_runtime (struct slots *self, int64_t runtime)
{
    self->average = self->average < 0 ? runtime : self->average + (runtime - self->average) / 8;
    self->swift = false;
}

static void
learn_from_tasks (struct slots *self)
{
    struct tasks_learned learned = tasks_learn (self->tasks);
    if (!learned.jobs)
        return;
    int64_t runtime = learned.runtime / learned.jobs, size = learned.size / learned.jobs;
    int weight = self->average < 0 || learned.jobs > 8 ? 8 : learned.jobs;
    self->average = self->average < 0 ? runtime : self->average + (runtime - self->average) * weight / 8;
    self->average_size += (size - self->average_size) * weight / 8;
    self->swift = true;
}

/* ------------------------------------------------------------- starts and ends */

/*  Its run has ended, and the next may begin. */
static void
let_go (struct slots *self, const struct slot *slot, const struct run *run)
{
    self->busy--;
    self->cores -= run->cores;
    self->memory -= run->memory;
    if (self->tasks)
        tasks_release (self->tasks, (int) (slot - self->slots));
}

/*  Starts the first that waits in a slot that is free. */
static void
start (struct slots *self, struct slot *slot)
{
    int place = (int) (slot - self->slots);
    const struct warden *warden = self->config.warden;
    struct tasks_job *job = self->first;
    slot->now ^= slot->runs[slot->now].state != RUN_NONE;
    int rc = run_start (&slot->runs[slot->now], &self->host, job, place + self->config.first,
                        warden ? warden_place (warden, place) : NULL);
    if (rc == 0) {
        self->busy++;
        self->runs++;
        self->cores += job->cores;
        self->memory += job->memory;
    }
    else if (self->tasks)
        tasks_release (self->tasks, place);
    free_first (self);
}

/* ----------------------------------------------------------------------- turns */

void
slots_on_event (struct slots *self, uint64_t data)
{
    if (data == EVENT_TASKS)
        return;                     /*  slots_turn looks at them anyway */
    struct slot *slot = &self->slots[data >> 3];
    struct run *run = &slot->runs[data >> 2 & 1];
    bool ran = run->state != RUN_NONE && run->state != RUN_ENDED;
    run_on_event (run, &self->host, data & 3);
    if (!ran || run->state != RUN_ENDED)
        return;
    if (run->reason == WEFT_JOB_EXITED)
        learn_runtime (self, run->ended - run->begun);
    if (!run_holds (run))
        let_go (self, slot, run);
}

static void
give_back (struct slots *self)
{
    struct pool_record record = {
        .kind = POOL_RECORD_RETURNED, .job = self->first->id, .attempt = self->first->attempt
    };
    outbox_add (self->outbox, &record, clock_now (self->clock));
    free_first (self);
}

static void
turn_run (struct slots *self, const struct slot *slot, struct run *run, int64_t now)
{
    bool held = run_holds (run);
    if (run->state == RUN_NONE)
        return;
    run_turn (run, &self->host, now);
    self->runs -= run->state == RUN_NONE;
    if (held && !run_holds (run))
        let_go (self, slot, run);
}

static void
pause_output (struct slots *self, bool paused)
{
    self->host.paused = paused;
    for (int i = 0; paused && i < self->config.count; i++)
        run_watch (&self->slots[i].runs[self->slots[i].now], &self->host, false);
}

/*  Messages at the front go to their threads. */
static void
give_messages (struct slots *self)
{
    struct tasks_job *first = self->first;
    int count = 0;
    while (self->first && self->first->message) {
        self->first = self->first->next;
        count++;
    }
    if (!self->first)
        self->last = &self->first;
    self->waiting -= count;
    if (count)
        tasks_add (self->tasks, first, count);
}

/*  A head gives no more than fits; but what it gave up, and had us stop, may take a moment to end. */
static bool
fits (const struct slots *self, const struct tasks_job *job)
{
    return !self->busy || (self->cores + job->cores <= self->config.count
                           && self->memory <= self->config.memory && self->config.memory - self->memory >= job->memory);
}

static bool
may_start (struct slots *self, const struct slot *slot)
{
    return self->first && !self->host.stopped && !run_holds (&slot->runs[slot->now])
           && slot->runs[!slot->now].state == RUN_NONE && fits (self, self->first) && !outbox_full (self->outbox)
           && (!self->tasks
               || (!self->first->message && tasks_claim (self->tasks, (int) (slot - self->slots))));
}

/*  First what was left of the run before, then what may begin, then the run that has ended, if it has. */
static void
slot_turn (struct slots *self, struct slot *slot, int64_t now)
{
    turn_run (self, slot, &slot->runs[!slot->now], now);
    while (may_start (self, slot))
        start (self, slot);             /*  again, when that could not be started */
    turn_run (self, slot, &slot->runs[!slot->now], now);
    turn_run (self, slot, &slot->runs[slot->now], now);
}

static void
turn_tasks (struct slots *self)
{
    if (!self->host.stopped)
        give_messages (self);
    tasks_turn (self->tasks);
    learn_from_tasks (self);
    tasks_set_batch (self->tasks, (int) slots_batch (self));
}

void
slots_turn (struct slots *self)
{
    int64_t now = clock_now (self->clock);
    if (self->host.paused != outbox_full (self->outbox))
        pause_output (self, !self->host.paused);
    if (self->tasks && !self->host.stopped)
        give_messages (self);
    for (int i = 0; i < self->config.count && (self->runs || self->first); i++)
        slot_turn (self, &self->slots[i], now);
    if (self->tasks)
        turn_tasks (self);
    while (self->first && now - self->first->since >= RETURN_AFTER)
        give_back (self);
    if (self->runs)
        spawn_prepare (&self->host.spawn);
}

int64_t
slots_deadline (const struct slots *self)
{
    int64_t deadline = self->first ? self->first->since + RETURN_AFTER : TIME_FOREVER;
    for (int i = 0; i < 2 * self->config.count && self->runs; i++)
        deadline = clock_earlier (deadline, run_deadline (&self->slots[i / 2].runs[i % 2], &self->host));
    if (self->tasks)
        deadline = clock_earlier (deadline, tasks_deadline (self->tasks));
    return deadline;
}

int
slots_window (const struct slots *self)
{
    if (self->host.stopped)
        return 0;
    int64_t ahead = 0, most = self->config.prefetch * (self->swift ? MESSAGES : 1);
    if (self->average >= 0)
        ahead = self->average ? LOOK_AHEAD / self->average : most;
    ahead = ahead < most ? ahead : most;
    if (self->swift && ahead * self->config.count > MESSAGE_BYTES / (self->average_size + 1))
        ahead = MESSAGE_BYTES / (self->average_size + 1) / self->config.count;
    int64_t window = self->config.count * (1 + ahead);
    return (int) (window < POOL_WINDOW_MAX ? window : POOL_WINDOW_MAX);
}

bool
slots_hungry (const struct slots *self)
{
    if (self->tasks && tasks_hungry (self->tasks))
        return true;
    return !self->first && self->cores < self->config.count && !self->tasks;
}

int
slots_busy (const struct slots *self)
{
    return self->runs + (self->tasks ? tasks_held (self->tasks) : 0);
}

uint32_t
slots_batch (const struct slots *self)
{
    int window = slots_window (self);
    return window > 4 * BATCH ? (uint32_t) window / 4 : BATCH;
}

void
slots_stop (struct slots *self)
{
    self->host.stopped = true;
    while (self->first)
        give_back (self);
    if (self->tasks)
        tasks_stop (self->tasks);
}

static bool
is_meant (uint64_t id, int64_t attempt, uint64_t job, int64_t jobs_attempt)
{
    return id == 0 || (id == job && attempt == jobs_attempt);
}

static void
cancel_waiting (struct slots *self, uint64_t id, int64_t attempt)
{
    struct tasks_job *job = self->first;
    self->first = NULL;
    self->last = &self->first;
    while (job) {
        struct tasks_job *next = job->next;
        job->next = NULL;
        *self->last = job;
        if (is_meant (id, attempt, job->id, job->attempt)) {
            struct pool_record record = { .kind = POOL_RECORD_RETURNED, .job = job->id, .attempt = job->attempt };
            outbox_add (self->outbox, &record, clock_now (self->clock));
            *self->last = NULL;
            self->waiting--;
            free (job);
        }
        else
            self->last = &job->next;
        job = next;
    }
}

void
slots_cancel (struct slots *self, uint64_t id, int64_t attempt, bool running)
{
    cancel_waiting (self, id, attempt);
    if (self->tasks)
        tasks_cancel (self->tasks, id, attempt, running);
    for (int i = 0; running && i < self->config.count; i++) {
        struct run *run = &self->slots[i].runs[self->slots[i].now];
        if (is_meant (id, attempt, run->job, run->attempt))
            run_stop (run, &self->host, WEFT_JOB_CANCELLED);
    }
}

int
slots_put_held (struct slots *self, struct buffer *out, uint32_t *count)
{
    int rc = 0;
    *count = 0;
    for (const struct tasks_job *job = self->first; rc == 0 && job; job = job->next, ++*count)
        rc = pool_put_held (out, job->id, job->attempt, false);
    for (int i = 0; rc == 0 && i < 2 * self->config.count; i++) {
        const struct run *run = &self->slots[i / 2].runs[i % 2];
        if (run->state == RUN_NONE || run->silent)
            continue;
        rc = pool_put_held (out, run->job, run->attempt, true);
        ++*count;
    }
    return rc || !self->tasks ? rc : tasks_put_held (self->tasks, out, count);
}

int
slots_drop (struct slots *self)
{
    int dropped = self->waiting + (self->tasks ? tasks_drop (self->tasks) : 0);
    while (self->first)
        free_first (self);
    for (int i = 0; i < 2 * self->config.count; i++) {
        struct run *run = &self->slots[i / 2].runs[i % 2];
        if (run->state == RUN_NONE || run->silent)
            continue;
        run->silent = true;
        dropped++;
        run_stop (run, &self->host, WEFT_JOB_CANCELLED);
    }
    return dropped;
}
