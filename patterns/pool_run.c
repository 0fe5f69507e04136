/*  pool_run.c - one attempt of a job that is a command: its process, what it writes, its end */

#include "patterns/pool_run.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>

#include "core/error.h"
#include "patterns/pool_tasks.h"

#define YOUNG (2 * TIME_MS)         /*  nothing is said of a job before, and its output is not looked at    */
#define DOUBT (500 * TIME_MS)       /*  about a job that SIGTERM ended, see in_doubt                        */

void
run_init (struct run *self, uint64_t event)
{
    *self = (struct run) { .event = event, .process = { .pidfd = -1, .out = { -1, -1 } } };
    buffer_init (&self->out[0], 0);
    buffer_init (&self->out[1], 0);
}

void
run_free (struct run *self)
{
    process_end (&self->process);
    for (int i = 0; i < 2; i++) {
        process_close (&self->process, i);
        buffer_free (&self->out[i]);
    }
}

static struct pool_record
record_of (const struct run *self, int kind)
{
    return (struct pool_record) { .kind = kind, .job = self->job, .attempt = self->attempt, .slot = self->slot };
}

static int
report (const struct run *self, struct run_host *host, const struct pool_record *record)
{
    return self->silent ? 0 : outbox_add (host->outbox, record, clock_now (host->clock));
}

/* ---------------------------------------------------------------------- output */

/*  A part of what the job wrote is lost, and so the rest is worth nothing. */
static void
lose_output (struct run *self, struct run_host *host)
{
    run_stop (self, host, WEFT_JOB_OUTPUT_LOST);
    if (self->reason == WEFT_JOB_EXITED)
        self->reason = WEFT_JOB_OUTPUT_LOST;
    buffer_free (&self->out[0]);
    buffer_free (&self->out[1]);
}

/*  Passes on `size` bytes from the front of what was read. */
static void
pass_on (struct run *self, struct run_host *host, int stream, size_t size)
{
    struct pool_record record = record_of (self, WEFT_POOL_OUTPUT);
    struct buffer *out = &self->out[stream];
    while (size) {
        size_t chunk = size < POOL_CHUNK ? size : POOL_CHUNK;
        record.stream = stream + 1;
        record.data = (struct pool_bytes) { buffer_data (out), chunk };
        if (report (self, host, &record)) {
            lose_output (self, host);
            return;
        }
        buffer_consume (out, chunk);
        size -= chunk;
    }
}

static void
take_output (struct run *self, struct run_host *host, int stream, size_t size)
{
    struct buffer *out = &self->out[stream];
    self->received += size;
    if (self->reason == WEFT_JOB_OUTPUT_LOST)
        return;
    if (buffer_add (out, host->scratch, size)) {
        lose_output (self, host);
        return;
    }
    size_t whole = 0;
    if (self->stream) {
        const char *newline = memrchr (buffer_data (out), '\n', buffer_size (out));
        whole = newline ? (size_t) (newline + 1 - buffer_data (out)) : 0;
    }
    if (buffer_size (out) - whole >= POOL_CHUNK)
        whole += (buffer_size (out) - whole) / POOL_CHUNK * POOL_CHUNK;
    pass_on (self, host, stream, whole);
}

/*  Reads at most `size` bytes; how many. */
static size_t
read_output (struct run *self, struct run_host *host, int stream, size_t size)
{
    ssize_t bytes = process_read (&self->process, stream, host->scratch, size < POOL_CHUNK ? size : POOL_CHUNK);
    if (bytes == 0) {
        if (self->watched)
            epoll_ctl (host->epoll, EPOLL_CTL_DEL, self->process.out[stream], NULL);
        process_close (&self->process, stream);
    }
    if (bytes <= 0)
        return 0;
    take_output (self, host, stream, (size_t) bytes);
    return (size_t) bytes;
}

/*  A child that was spawned a moment ago still holds copies of our descriptors, though
 *  its exec has let us go on. So closing one does not take it out of the epoll yet:
 *  pipes are taken out before, and a pidfd tells only once. */
static int
watch (const struct run *self, const struct run_host *host, int fd, int what)
{
    struct epoll_event event = { .events = EPOLLIN | (what ? 0 : EPOLLONESHOT),
                                 .data.u64 = self->event | (uint64_t) what };
    return epoll_ctl (host->epoll, EPOLL_CTL_ADD, fd, &event);
}

void
run_watch (struct run *self, struct run_host *host, bool wanted)
{
    if (self->watched == wanted)
        return;
    self->watched = wanted;
    for (int i = 0; i < 2; i++)
        if (self->process.out[i] >= 0) {
            if (wanted)
                watch (self, host, self->process.out[i], 1 + i);
            else
                epoll_ctl (host->epoll, EPOLL_CTL_DEL, self->process.out[i], NULL);
        }
}

/* ---------------------------------------------------------------------- starts */

/*  A job that could not be started ends at once, with the status a shell would give. */
static void
report_not_started (const struct run *self, struct run_host *host, int failure)
{
    struct pool_record record = record_of (self, WEFT_POOL_DONE);
    record.reason = WEFT_JOB_NOT_STARTED;
    record.status = failure == ENOENT ? 127 : 126;
    record.started = self->started;
    record.data = (struct pool_bytes) { weft_error (), strlen (weft_error ()) };
    report (self, host, &record);
    pool_count_end (host->counts, WEFT_JOB_NOT_STARTED, true, false, 0);
}

/*  Most jobs are over in a moment, and then their end says it all. One that was tried before may be what brought its
 *  worker down, so that is said at once. */
static void
tell (struct run *self, struct run_host *host)
{
    struct pool_record record = record_of (self, WEFT_POOL_STARTED);
    self->told = true;
    if (report (self, host, &record) == 0)
        host->outbox->urgent = true;
}

static int
spawn (struct run *self, struct run_host *host, const struct tasks_job *job, pid_t *group, int *failure)
{
    struct pool_spec spec;
    struct spawn_job what = { .id = job->id, .attempt = job->attempt, .spec = { job->spec, job->size },
                              .slot = self->slot, .group = group };
    int rc = spawn_job (&host->spawn, &what, &self->process, &spec, failure);
    self->stream = spec.stream;
    self->sent = spec.input.size;
    self->deadline = spec.timeout ? self->begun + spec.timeout * TIME_MS : TIME_FOREVER;
    if (rc == 0 && watch (self, host, self->process.pidfd, 0)) {
        rc = error_errno ("cannot watch a job");
        run_free (self);
    }
    return rc;
}

int
run_start (struct run *self, struct run_host *host, const struct tasks_job *job, int slot, pid_t *group)
{
    int failure = 0;
    self->job = job->id;
    self->attempt = job->attempt;
    self->slot = slot;
    self->reason = WEFT_JOB_EXITED;
    self->watched = self->silent = self->told = self->counted = false;
    self->received = 0;
    self->begun = clock_now (host->clock);
    self->started = clock_wall (host->clock) / TIME_US;
    int rc = spawn (self, host, job, group, &failure);
    if (rc) {
        report_not_started (self, host, failure);
        return rc;
    }
    self->state = RUN_RUNNING;
    self->cores = job->cores;
    self->memory = job->memory;
    if (POOL_ATTEMPT_NUMBER (job->attempt) > 1)
        tell (self, host);
    return 0;
}

/* ------------------------------------------------------------------------ ends */

static int
report_end (struct run *self, struct run_host *host)
{
    static const char why[] = "the worker is out of memory";
    struct pool_record record = record_of (self, WEFT_POOL_DONE);
    record.reason = self->reason;
    record.status = self->status;
    record.signal = self->signal;
    record.started = self->started;
    record.runtime = (self->ended - self->begun) / TIME_US;
    record.received = self->received;
    record.sent = self->sent;
    if (self->reason == WEFT_JOB_OUTPUT_LOST)
        record.data = (struct pool_bytes) { why, sizeof why - 1 };
    int rc = report (self, host, &record);
    if (rc == 0)
        pool_count_end (host->counts, self->reason, self->status || self->signal, false, record.runtime);
    return rc;
}

/*  Who ends a worker (Slurm, systemd, a container) often sends SIGTERM to its jobs as well, and then their end is
 *  none of their own. So we wait whether we are to stop: if so nothing is said, and they run elsewhere. Time in which
 *  we did not run ourselves, as on an overloaded machine, does not count: who takes our signal did not either. */
static bool
in_doubt (struct run *self, const struct run_host *host, int64_t now)
{
    if (self->deadline == TIME_FOREVER)
        return false;
    if (host->stopped)
        self->silent = true;
    else if (now < self->deadline)
        return true;
    else if (now - self->deadline > DOUBT / 5) {
        self->deadline = now + DOUBT;
        return true;
    }
    self->deadline = TIME_FOREVER;
    return false;
}

/*  The job has exited and its group is dead: what is in its pipes now is all that
 *  counts, even if a process that left the group still holds them open. */
static void
count_output (struct run *self, struct run_host *host)
{
    run_watch (self, host, false);
    for (int i = 0; i < 2; i++)
        self->pending[i] = process_pending (&self->process, i);
    process_bury (&self->process);
    self->counted = true;
}

static void
drain (struct run *self, struct run_host *host, int64_t now)
{
    if (!self->counted)
        count_output (self, host);
    if (in_doubt (self, host, now))
        return;
    for (int i = 0; i < 2; i++) {
        while (self->pending[i] && !outbox_full (host->outbox)) {
            size_t bytes = read_output (self, host, i, self->pending[i]);
            self->pending[i] = bytes ? self->pending[i] - bytes : 0;
        }
        if (self->pending[i])
            return;
    }
    pass_on (self, host, 0, buffer_size (&self->out[0]));
    pass_on (self, host, 1, buffer_size (&self->out[1]));
    if (report_end (self, host))
        return;                         /*  for lack of memory: again in the next turn */
    for (int i = 0; i < 2; i++) {
        process_close (&self->process, i);
        buffer_clear (&self->out[i]);
    }
    self->state = RUN_NONE;
}

static void
exited (struct run *self, struct run_host *host)
{
    if (process_ended (&self->process, &self->status, &self->signal)) {
        struct epoll_event event = { .events = EPOLLIN | EPOLLONESHOT, .data.u64 = self->event };
        epoll_ctl (host->epoll, EPOLL_CTL_MOD, self->process.pidfd, &event);
        return;
    }
    bool terminated = self->signal == SIGTERM || self->status == 128 + SIGTERM;
    self->ended = clock_now (host->clock);
    self->state = RUN_ENDED;
    self->deadline = terminated && self->reason == WEFT_JOB_EXITED ? self->ended + DOUBT : TIME_FOREVER;
}

void
run_stop (struct run *self, struct run_host *host, int reason)
{
    if (self->state != RUN_RUNNING)
        return;
    self->reason = reason;
    self->state = RUN_STOPPING;
    self->deadline = clock_now (host->clock) + host->grace;
    process_signal (&self->process, SIGTERM);
    process_signal (&self->process, SIGCONT);
}

/* ----------------------------------------------------------------------- turns */

void
run_on_event (struct run *self, struct run_host *host, int what)
{
    if (self->state == RUN_NONE || self->state == RUN_ENDED)
        return;
    if (what == 0)
        exited (self, host);
    else if (self->watched && self->process.out[what - 1] >= 0)
        read_output (self, host, what - 1, POOL_CHUNK);
}

/*  While the outbox is full no pipe is watched (it cannot be left in with no events wanted: a hang-up is always
 *  told). */
void
run_turn (struct run *self, struct run_host *host, int64_t now)
{
    if (self->state == RUN_ENDED) {
        drain (self, host, now);
        return;
    }
    if (now - self->begun >= YOUNG) {
        if (!self->told)
            tell (self, host);
        if (!host->paused)
            run_watch (self, host, true);
    }
    if (self->deadline == TIME_FOREVER || now < self->deadline)
        return;
    if (self->state == RUN_RUNNING)
        run_stop (self, host, WEFT_JOB_TIMEOUT);
    else {
        self->state = RUN_KILLED;
        self->deadline = TIME_FOREVER;
        process_signal (&self->process, SIGKILL);
    }
}

int64_t
run_deadline (const struct run *self, const struct run_host *host)
{
    if (self->state == RUN_NONE)
        return TIME_FOREVER;
    bool looked_at = (self->watched || host->paused) && self->told;
    return clock_earlier (self->deadline, looked_at || self->state == RUN_ENDED ? TIME_FOREVER : self->begun + YOUNG);
}

bool
run_holds (const struct run *self)
{
    return self->state != RUN_NONE && (self->state != RUN_ENDED || self->deadline != TIME_FOREVER);
}
