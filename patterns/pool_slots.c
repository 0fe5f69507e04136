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

#define YOUNG (2 * TIME_MS)         /*  a job's output is not looked at before, see watch_output */
#define RETURN_AFTER (250 * TIME_MS)    /*  a job that waits so long here is given back         */
#define DOUBT (500 * TIME_MS)       /*  about a job that SIGTERM ended, see in_doubt            */
#define LOOK_AHEAD (20 * TIME_MS)   /*  of work that may wait at a slot                         */
#define MESSAGES 64                 /*  that may wait where one job for a process may           */
#define MESSAGE_BYTES (16 << 20)    /*  of them that should wait                                */
#define BATCH 256                   /*  records; fewer go in company                            */

enum slot_state {
    SLOT_IDLE,
    SLOT_RUNNING,
    SLOT_STOPPING,      /*  was told to end, and will be killed at `deadline`   */
    SLOT_KILLED,        /*  was killed; the end is near                         */
    SLOT_ENDED          /*  has exited; what it wrote is still to be read       */
};

#define EVENT_TASKS (SLOTS_EVENTS - 1)

struct slot {
    enum slot_state state;
    struct process process;
    uint64_t job;
    int64_t attempt;
    int reason;                     /*  WEFT_JOB_... that it will end with      */
    int status, signal;
    int64_t begun, ended;           /*  by the clock                            */
    int64_t started;                /*  us since 1970                           */
    int64_t deadline;               /*  of the state; TIME_FOREVER. SLOT_ENDED: of the doubt */
    bool stream;                    /*  a line is sent when it is whole         */
    bool watched;                   /*  its pipes are in the epoll              */
    bool silent;                    /*  nobody wants to know                    */
    int cores;                      /*  that the job takes                      */
    uint64_t memory;
    struct buffer out[2];           /*  read and not passed on                  */
    size_t pending[2];              /*  SLOT_ENDED: bytes to be read            */
    uint64_t received, sent;
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
    self->last = &self->first;
    self->average = -1;
    int rc = spawn_init (&self->spawn, config->shell, config->dir, config->exec);
    if (rc)
        return rc;
    self->slots = calloc ((size_t) config->count, sizeof *self->slots);
    self->scratch = malloc (POOL_CHUNK);
    if (!self->slots || !self->scratch)
        return error_plain (WEFT_ENOMEM);
    for (int i = 0; i < config->count; i++) {
        self->slots[i].process = (struct process) { .pidfd = -1, .out = { -1, -1 } };
        buffer_init (&self->slots[i].out[0], 0);
        buffer_init (&self->slots[i].out[1], 0);
    }
    return config->fn ? open_tasks (self) : 0;
}

static void
slot_free (struct slot *self)
{
    struct process *process = &self->process;
    process_end (process);
    for (int i = 0; i < 2; i++) {
        process_close (process, i);
        buffer_free (&self->out[i]);
    }
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
    for (int i = 0; self->slots && i < self->config.count; i++)
        slot_free (&self->slots[i]);
    while (self->first)
        free_first (self);
    spawn_free (&self->spawn);
    free (self->scratch);
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

/* ---------------------------------------------------------------------- output */

static struct pool_record
slot_record (const struct slots *self, const struct slot *slot, int kind)
{
    return (struct pool_record) {
        .kind = kind, .job = slot->job, .attempt = slot->attempt, .slot = slot - self->slots + self->config.first
    };
}

static int
report (struct slots *self, const struct slot *slot, const struct pool_record *record)
{
    return slot->silent ? 0 : outbox_add (self->outbox, record, clock_now (self->clock));
}

static void slot_stop (struct slots *self, struct slot *slot, int reason);

/*  A part of what the job wrote is lost, and so the rest is worth nothing. */
static void
lose_output (struct slots *self, struct slot *slot)
{
    slot_stop (self, slot, WEFT_JOB_OUTPUT_LOST);
    if (slot->reason == WEFT_JOB_EXITED)
        slot->reason = WEFT_JOB_OUTPUT_LOST;
    buffer_free (&slot->out[0]);
    buffer_free (&slot->out[1]);
}

/*  Passes on `size` bytes from the front of what was read. */
static void
pass_on (struct slots *self, struct slot *slot, int stream, size_t size)
{
    struct pool_record record = slot_record (self, slot, WEFT_POOL_OUTPUT);
    struct buffer *out = &slot->out[stream];
    while (size) {
        size_t chunk = size < POOL_CHUNK ? size : POOL_CHUNK;
        record.stream = stream + 1;
        record.data = (struct pool_bytes) { buffer_data (out), chunk };
        if (report (self, slot, &record)) {
            lose_output (self, slot);
            return;
        }
        buffer_consume (out, chunk);
        size -= chunk;
    }
}

static void
take_output (struct slots *self, struct slot *slot, int stream, size_t size)
{
    struct buffer *out = &slot->out[stream];
    slot->received += size;
    if (slot->reason == WEFT_JOB_OUTPUT_LOST)
        return;
    if (buffer_add (out, self->scratch, size)) {
        lose_output (self, slot);
        return;
    }
    size_t whole = 0;
    if (slot->stream) {
        const char *newline = memrchr (buffer_data (out), '\n', buffer_size (out));
        whole = newline ? (size_t) (newline + 1 - buffer_data (out)) : 0;
    }
    if (buffer_size (out) - whole >= POOL_CHUNK)
        whole += (buffer_size (out) - whole) / POOL_CHUNK * POOL_CHUNK;
    pass_on (self, slot, stream, whole);
}

/*  Reads at most `size` bytes; how many. */
static size_t
read_output (struct slots *self, struct slot *slot, int stream, size_t size)
{
    ssize_t bytes = process_read (&slot->process, stream, self->scratch, size < POOL_CHUNK ? size : POOL_CHUNK);
    if (bytes == 0) {
        if (slot->watched)
            epoll_ctl (self->epoll, EPOLL_CTL_DEL, slot->process.out[stream], NULL);
        process_close (&slot->process, stream);
    }
    if (bytes <= 0)
        return 0;
    take_output (self, slot, stream, (size_t) bytes);
    return (size_t) bytes;
}

static uint64_t
event_data (const struct slots *self, const struct slot *slot, int what)
{
    return (uint64_t) (slot - self->slots) << 2 | (uint64_t) what;
}

/*  A child that was spawned a moment ago still holds copies of our descriptors, though
 *  its exec has let us go on. So closing one does not take it out of the epoll yet:
 *  pipes are taken out before, and a pidfd tells only once. */
static int
watch (struct slots *self, const struct slot *slot, int fd, int what)
{
    struct epoll_event event = { .events = EPOLLIN | (what ? 0 : EPOLLONESHOT),
                                 .data.u64 = event_data (self, slot, what) };
    return epoll_ctl (self->epoll, EPOLL_CTL_ADD, fd, &event);
}

/*  Most jobs are over before their output is worth a look of its own: their pipes
 *  are watched only when they are older than YOUNG. While the outbox is full no pipe
 *  is (it cannot be left in with no events wanted: a hang-up is always told). */
static void
watch_output (struct slots *self, struct slot *slot, bool wanted)
{
    slot->watched = wanted;
    for (int i = 0; i < 2; i++)
        if (slot->process.out[i] >= 0) {
            if (wanted)
                watch (self, slot, slot->process.out[i], 1 + i);
            else
                epoll_ctl (self->epoll, EPOLL_CTL_DEL, slot->process.out[i], NULL);
        }
}

/* ------------------------------------------------------------------------ ends */

static void
slot_close (struct slots *self, struct slot *slot)
{
    process_close (&slot->process, 0);
    process_close (&slot->process, 1);
    buffer_clear (&slot->out[0]);
    buffer_clear (&slot->out[1]);
    slot->state = SLOT_IDLE;
    self->busy--;
    self->cores -= slot->cores;
    self->memory -= slot->memory;
    if (self->tasks)
        tasks_release (self->tasks, (int) (slot - self->slots));
}

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

static int
slot_report_end (struct slots *self, struct slot *slot)
{
    static const char why[] = "the worker is out of memory";
    struct pool_record record = slot_record (self, slot, WEFT_POOL_DONE);
    record.reason = slot->reason;
    record.status = slot->status;
    record.signal = slot->signal;
    record.started = slot->started;
    record.runtime = (slot->ended - slot->begun) / TIME_US;
    record.received = slot->received;
    record.sent = slot->sent;
    if (slot->reason == WEFT_JOB_OUTPUT_LOST)
        record.data = (struct pool_bytes) { why, sizeof why - 1 };
    int rc = report (self, slot, &record);
    if (rc == 0)
        pool_count_end (self->config.counts, slot->reason, slot->status || slot->signal, false, record.runtime);
    return rc;
}

/*  Who ends a worker (Slurm, systemd, a container) often sends SIGTERM to its jobs as well, and then their end is
 *  none of their own. So we wait whether we are to stop: if so nothing is said, and they run elsewhere. Time in which
 *  we did not run ourselves, as on an overloaded machine, does not count: who takes our signal did not either. */
static bool
in_doubt (struct slots *self, struct slot *slot)
{
    int64_t now = clock_now (self->clock);
    if (slot->deadline == TIME_FOREVER)
        return false;
    if (self->stopped)
        slot->silent = true;
    else if (now < slot->deadline)
        return true;
    else if (now - slot->deadline > DOUBT / 5) {
        slot->deadline = now + DOUBT;
        return true;
    }
    slot->deadline = TIME_FOREVER;
    return false;
}

/*  The job has exited and its group is dead: what is in its pipes now is all that
 *  counts, even if a process that left the group still holds them open. */
static void
drain (struct slots *self, struct slot *slot)
{
    if (in_doubt (self, slot))
        return;
    for (int i = 0; i < 2; i++) {
        while (slot->pending[i] && !outbox_full (self->outbox)) {
            size_t bytes = read_output (self, slot, i, slot->pending[i]);
            slot->pending[i] = bytes ? slot->pending[i] - bytes : 0;
        }
        if (slot->pending[i])
            return;
    }
    pass_on (self, slot, 0, buffer_size (&slot->out[0]));
    pass_on (self, slot, 1, buffer_size (&slot->out[1]));
    if (slot_report_end (self, slot))
        return;                         /*  for lack of memory: again in the next turn */
    slot_close (self, slot);
}

static void
slot_exited (struct slots *self, struct slot *slot)
{
    if (process_reap (&slot->process, &slot->status, &slot->signal)) {
        struct epoll_event event = { .events = EPOLLIN | EPOLLONESHOT, .data.u64 = event_data (self, slot, 0) };
        epoll_ctl (self->epoll, EPOLL_CTL_MOD, slot->process.pidfd, &event);
        return;
    }
    slot->ended = clock_now (self->clock);
    if (slot->reason == WEFT_JOB_EXITED)
        learn_runtime (self, slot->ended - slot->begun);
    if (slot->watched)
        watch_output (self, slot, false);
    bool terminated = slot->signal == SIGTERM || slot->status == 128 + SIGTERM;
    slot->state = SLOT_ENDED;
    slot->deadline = terminated && slot->reason == WEFT_JOB_EXITED ? slot->ended + DOUBT : TIME_FOREVER;
    slot->pending[0] = process_pending (&slot->process, 0);
    slot->pending[1] = process_pending (&slot->process, 1);
    drain (self, slot);
}

static void
slot_stop (struct slots *self, struct slot *slot, int reason)
{
    if (slot->state != SLOT_RUNNING)
        return;
    slot->reason = reason;
    slot->state = SLOT_STOPPING;
    slot->deadline = clock_now (self->clock) + self->config.grace;
    process_signal (&slot->process, SIGTERM);
    process_signal (&slot->process, SIGCONT);
}

/* ---------------------------------------------------------------------- starts */

static int
spawn (struct slots *self, struct slot *slot, const struct tasks_job *job, int *failure)
{
    struct pool_spec spec;
    const struct warden *warden = self->config.warden;
    struct spawn_job what = { .id = job->id, .attempt = job->attempt, .spec = { job->spec, job->size },
                              .slot = (int) (slot - self->slots) + self->config.first,
                              .group = warden ? warden_place (warden, (int) (slot - self->slots)) : NULL };
    int rc = spawn_job (&self->spawn, &what, &slot->process, &spec, failure);
    slot->stream = spec.stream;
    slot->sent = spec.input.size;
    slot->deadline = spec.timeout ? slot->begun + spec.timeout * TIME_MS : TIME_FOREVER;
    return rc;
}

/*  A job that could not be started ends at once, with the status a shell would give. */
static void
report_not_started (struct slots *self, struct slot *slot, int failure)
{
    struct pool_record record = slot_record (self, slot, WEFT_POOL_DONE);
    record.reason = WEFT_JOB_NOT_STARTED;
    record.status = failure == ENOENT ? 127 : 126;
    record.started = slot->started;
    record.data = (struct pool_bytes) { weft_error (), strlen (weft_error ()) };
    report (self, slot, &record);
    pool_count_end (self->config.counts, WEFT_JOB_NOT_STARTED, true, false, 0);
}

static void
start (struct slots *self, struct slot *slot)
{
    int failure = 0;
    struct tasks_job *job = self->first;
    slot->job = job->id;
    slot->attempt = job->attempt;
    slot->reason = WEFT_JOB_EXITED;
    slot->watched = slot->silent = false;
    slot->received = 0;
    slot->begun = clock_now (self->clock);
    slot->started = clock_wall (self->clock) / TIME_US;
    int rc = spawn (self, slot, job, &failure);
    if (rc == 0 && watch (self, slot, slot->process.pidfd, 0)) {
        rc = error_errno ("cannot watch a job");
        slot_free (slot);
    }
    if (rc) {
        report_not_started (self, slot, failure);
        if (self->tasks)
            tasks_release (self->tasks, (int) (slot - self->slots));
    }
    else {
        struct pool_record record = slot_record (self, slot, WEFT_POOL_STARTED);
        report (self, slot, &record);
        slot->state = SLOT_RUNNING;
        slot->cores = job->cores;
        slot->memory = job->memory;
        self->busy++;
        self->cores += job->cores;
        self->memory += job->memory;
    }
    free_first (self);
}

/* ----------------------------------------------------------------------- turns */

void
slots_on_event (struct slots *self, uint64_t data)
{
    if (data == EVENT_TASKS)
        return;                     /*  slots_turn looks at them anyway */
    struct slot *slot = &self->slots[data >> 2];
    int what = data & 3;
    if (slot->state == SLOT_IDLE || slot->state == SLOT_ENDED)
        return;
    if (what == 0)
        slot_exited (self, slot);
    else if (slot->watched && slot->process.out[what - 1] >= 0)
        read_output (self, slot, what - 1, POOL_CHUNK);
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
slot_turn (struct slots *self, struct slot *slot, int64_t now)
{
    if (slot->state == SLOT_ENDED) {
        drain (self, slot);
        return;
    }
    if (!slot->watched && !self->paused && now - slot->begun >= YOUNG)
        watch_output (self, slot, true);
    if (slot->deadline == TIME_FOREVER || now < slot->deadline)
        return;
    if (slot->state == SLOT_RUNNING)
        slot_stop (self, slot, WEFT_JOB_TIMEOUT);
    else {
        slot->state = SLOT_KILLED;
        slot->deadline = TIME_FOREVER;
        process_signal (&slot->process, SIGKILL);
    }
}

static void
pause_output (struct slots *self, bool paused)
{
    self->paused = paused;
    for (int i = 0; paused && i < self->config.count; i++)
        if (self->slots[i].state != SLOT_IDLE && self->slots[i].watched)
            watch_output (self, &self->slots[i], false);
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

static void
start_jobs (struct slots *self)
{
    if (self->tasks && !self->stopped)
        give_messages (self);
    for (int i = 0; i < self->config.count && self->first && !self->stopped && !outbox_full (self->outbox); i++)
        while (self->slots[i].state == SLOT_IDLE && self->first && fits (self, self->first)
               && !outbox_full (self->outbox)
               && (!self->tasks || (!self->first->message && tasks_claim (self->tasks, i))))
            start (self, &self->slots[i]);      /*  again, when that could not be started */
    if (self->tasks) {
        if (!self->stopped)
            give_messages (self);
        tasks_turn (self->tasks);
        learn_from_tasks (self);
        tasks_set_batch (self->tasks, (int) slots_batch (self));
    }
}

void
slots_turn (struct slots *self)
{
    int64_t now = clock_now (self->clock);
    if (self->paused != outbox_full (self->outbox))
        pause_output (self, !self->paused);
    for (int i = 0; i < self->config.count && self->busy; i++)
        if (self->slots[i].state != SLOT_IDLE)
            slot_turn (self, &self->slots[i], now);
    start_jobs (self);
    while (self->first && now - self->first->since >= RETURN_AFTER)
        give_back (self);
}

static int64_t
slot_deadline (const struct slots *self, const struct slot *slot)
{
    if (slot->state == SLOT_IDLE)
        return TIME_FOREVER;
    int64_t look = slot->watched || self->paused || slot->state == SLOT_ENDED ? TIME_FOREVER : slot->begun + YOUNG;
    return clock_earlier (slot->deadline, look);
}

int64_t
slots_deadline (const struct slots *self)
{
    int64_t deadline = self->first ? self->first->since + RETURN_AFTER : TIME_FOREVER;
    for (int i = 0; i < self->config.count && self->busy; i++)
        deadline = clock_earlier (deadline, slot_deadline (self, &self->slots[i]));
    if (self->tasks)
        deadline = clock_earlier (deadline, tasks_deadline (self->tasks));
    return deadline;
}

int
slots_window (const struct slots *self)
{
    if (self->stopped)
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
    return self->busy + (self->tasks ? tasks_held (self->tasks) : 0);
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
    self->stopped = true;
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
        struct slot *slot = &self->slots[i];
        if (slot->state == SLOT_RUNNING && is_meant (id, attempt, slot->job, slot->attempt))
            slot_stop (self, slot, WEFT_JOB_CANCELLED);
    }
}

int
slots_put_held (struct slots *self, struct buffer *out, uint32_t *count)
{
    int rc = 0;
    *count = 0;
    for (const struct tasks_job *job = self->first; rc == 0 && job; job = job->next, ++*count)
        rc = pool_put_held (out, job->id, job->attempt, false);
    for (int i = 0; rc == 0 && i < self->config.count; i++) {
        const struct slot *slot = &self->slots[i];
        if (slot->state == SLOT_IDLE || slot->silent)
            continue;
        rc = pool_put_held (out, slot->job, slot->attempt, true);
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
    for (int i = 0; i < self->config.count; i++) {
        struct slot *slot = &self->slots[i];
        if (slot->state == SLOT_IDLE || slot->silent)
            continue;
        slot->silent = true;
        dropped++;
        slot_stop (self, slot, WEFT_JOB_CANCELLED);
    }
    return dropped;
}
