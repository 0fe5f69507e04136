/*  pool_task.c - a thread that calls a worker's function for messages, and the call that is under way on it */

#include "patterns/pool_task.h"

#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "core/error.h"

static bool
is_stopped (const struct weft_task *self)
{
    return __atomic_load_n (&self->reason, __ATOMIC_ACQUIRE) != WEFT_JOB_EXITED;
}

void
task_stop (struct weft_task *self, int reason)
{
    if (is_stopped (self))
        return;
    __atomic_store_n (&self->reason, reason, __ATOMIC_SEQ_CST);
    int fd = __atomic_load_n (&self->stop_fd, __ATOMIC_SEQ_CST);
    if (fd >= 0)
        eventfd_write (fd, 1);
    pthread_cond_broadcast (&self->tasks->room);    /*  it may wait in weft_task_write */
}

/* ------------------------------------------------------------------ handing in */

/*  With the lock: gives the records to the worker's thread. Waits for room, but not when everything ends, nor with
 *  `stoppable` when the call is to; then they are dropped: WEFT_ETERM. */
static int
hand_in (struct weft_task *self, bool stoppable)
{
    struct tasks *tasks = self->tasks;
    int rc = WEFT_EAGAIN;
    while (!self->silent && !tasks->closing && !(stoppable && is_stopped (self))) {
        if (buffer_size (&tasks->done) < TASKS_BYTES)
            rc = buffer_add (&tasks->done, buffer_data (&self->records), buffer_size (&self->records));
        if (rc == 0) {
            tasks->done_count += self->count;
            break;
        }
        task_wake_owner (tasks);
        pthread_cond_wait (&tasks->room, &tasks->lock);
    }
    buffer_clear (&self->records);
    self->count = 0;
    return rc ? WEFT_ETERM : 0;
}

static int
add_record (struct weft_task *self, const struct pool_record *record)
{
    size_t before = buffer_size (&self->records);
    int rc = pool_put_record (&self->records, record);
    if (rc)
        buffer_cut (&self->records, before);
    else
        self->count++;
    return rc;
}

static struct pool_record
record_of (const struct weft_task *self, int kind)
{
    return (struct pool_record) {
        .kind = kind, .job = self->job->id, .attempt = self->job->attempt,
        .slot = self->slot + self->tasks->config.first
    };
}

/*  Encodes how the call has ended. */
static int
add_end (struct weft_task *self, int result, int64_t ended)
{
    static const char no_memory[] = "the worker is out of memory";
    struct pool_record record = record_of (self, WEFT_POOL_DONE);
    record.reason = __atomic_load_n (&self->reason, __ATOMIC_ACQUIRE);
    record.status = result < 0 ? 126 : result < 256 ? result : 255;
    record.started = self->started / TIME_US;
    record.runtime = (ended - self->begun) / TIME_US;
    record.received = self->received;
    record.sent = self->job->input.size;
    if (record.reason == WEFT_JOB_EXITED && self->lost) {
        record.reason = WEFT_JOB_OUTPUT_LOST;
        record.data = (struct pool_bytes) { no_memory, sizeof no_memory - 1 };
    }
    else if (record.reason == WEFT_JOB_EXITED && result < 0) {
        record.reason = WEFT_JOB_NOT_STARTED;
        record.data = (struct pool_bytes) { weft_error (), strlen (weft_error ()) };
    }
    int rc = add_record (self, &record);
    if (rc == 0)
        pool_count_end (self->tasks->config.counts, (int) record.reason, record.status != 0, false, record.runtime);
    return rc;
}

/* -------------------------------------------------------------------- the thread */

static struct tasks_job *
next_job (struct tasks *self)
{
    if (self->ready.first)
        return task_list_take (&self->ready);
    return self->free > self->reserved ? task_list_take (&self->queue) : NULL;
}

/*  With the lock: waits for a job and takes it. False when there will be no more. */
static bool
take_job (struct weft_task *self)
{
    struct tasks *tasks = self->tasks;
    struct tasks_job *job = NULL;
    while (!tasks->closing && !(job = next_job (tasks))) {
        task_wake_owner (tasks);        /*  which has something to tell, or nothing for us */
        tasks->idle++;
        pthread_cond_wait (&tasks->more, &tasks->lock);
        tasks->idle--;
    }
    if (!job)
        return false;
    self->slot = job->slot >= 0 ? job->slot : task_take_slot (tasks, self->index);
    self->job = job;
    self->told = job->slot >= 0;
    self->silent = false;
    __atomic_store_n (&self->reason, WEFT_JOB_EXITED, __ATOMIC_RELEASE);
    tasks->running++;
    return true;
}

/*  With the lock: the call has returned. */
static void
end_job (struct weft_task *self, int64_t ended)
{
    struct tasks *tasks = self->tasks;
    uint64_t count;
    hand_in (self, false);
    tasks->ended.runtime += ended - self->begun;
    tasks->ended.size += (int64_t) self->job->size;
    tasks->ended.jobs++;
    tasks->running--;
    tasks->taken[self->slot] = false;
    tasks->free++;
    if (self->stop_fd >= 0 && is_stopped (self) && read (self->stop_fd, &count, sizeof count) < 0) {
        /*  It was not written to: somebody asked for it later. */
    }
    if (self->job->slot >= 0 || tasks->done_count >= (uint32_t) tasks->batch)
        task_wake_owner (tasks);        /*  which may announce the next, or send */
    free (self->job);
    self->job = NULL;
}

/*  Between the lock: the call. Returns when it ended. */
static int64_t
call (struct weft_task *self)
{
    const struct tasks_config *config = &self->tasks->config;
    self->received = 0;
    self->lost = 0;
    int result = config->fn (config->arg, self);
    int64_t ended = clock_now (config->clock);
    while (add_end (self, result, ended)) {
        /*  Memory that was had for the last one is had again when that is handed in. */
        pthread_mutex_lock (&self->tasks->lock);
        hand_in (self, false);
        pthread_mutex_unlock (&self->tasks->lock);
    }
    return ended;
}

void *
task_thread (void *task)
{
    struct weft_task *self = task;
    struct tasks *tasks = self->tasks;
    pthread_mutex_lock (&tasks->lock);
    while (take_job (self)) {
        self->begun = clock_now (tasks->config.clock);
        self->started = self->begun + tasks->wall;
        pthread_mutex_unlock (&tasks->lock);
        int64_t ended = call (self);
        pthread_mutex_lock (&tasks->lock);
        end_job (self, ended);
    }
    pthread_mutex_unlock (&tasks->lock);
    return NULL;
}

/* --------------------------------------------------------------- inside the call */

const void *
weft_task_data (const weft_task_t *self)
{
    return self->job->input.data;
}

size_t
weft_task_size (const weft_task_t *self)
{
    return self->job->input.size;
}

uint64_t
weft_task_job (const weft_task_t *self)
{
    return self->job->id;
}

uint64_t
weft_task_number (const weft_task_t *self)
{
    return self->job->number ? self->job->number : self->job->id;
}

int
weft_task_attempt (const weft_task_t *self)
{
    return POOL_ATTEMPT_NUMBER (self->job->attempt);
}

int
weft_task_slot (const weft_task_t *self)
{
    return self->slot + self->tasks->config.first;
}

bool
weft_task_stopped (const weft_task_t *self)
{
    return is_stopped (self);
}

int
weft_task_fd (weft_task_t *self)
{
    if (self->stop_fd < 0) {
        int fd = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (fd < 0)
            return error_errno ("cannot make a descriptor");
        __atomic_store_n (&self->stop_fd, fd, __ATOMIC_SEQ_CST);
    }
    /*  Who stopped it before may not have seen the descriptor. */
    if (__atomic_load_n (&self->reason, __ATOMIC_SEQ_CST) != WEFT_JOB_EXITED)
        eventfd_write (self->stop_fd, 1);
    return self->stop_fd;
}

/*  With `now`, or when it is much: what was written goes to the worker's thread before the call ends. */
static int
pass_on (struct weft_task *self, bool now)
{
    struct tasks *tasks = self->tasks;
    if (!now && buffer_size (&self->records) < POOL_CHUNK)
        return 0;
    pthread_mutex_lock (&tasks->lock);
    int rc = hand_in (self, true);
    if (rc == 0)
        task_wake_owner (tasks);
    pthread_mutex_unlock (&tasks->lock);
    return rc ? error_plain (WEFT_ETERM) : 0;
}

int
weft_task_write (weft_task_t *self, int stream, const void *data, size_t size)
{
    struct pool_record record = record_of (self, WEFT_POOL_OUTPUT);
    const char *at = data;
    int rc = 0;
    if (stream != 1 && stream != 2)
        return error_set (WEFT_EINVAL, "a job writes to stream 1 or 2, and not %d", stream);
    if (is_stopped (self))
        return error_plain (WEFT_ETERM);
    record.stream = stream;
    while (rc == 0 && size) {
        size_t chunk = size < POOL_CHUNK ? size : POOL_CHUNK;
        record.data = (struct pool_bytes) { at, chunk };
        rc = add_record (self, &record);
        self->lost = rc;
        self->received += rc ? 0 : chunk;
        at += chunk;
        size -= chunk;
        rc = rc ? rc : pass_on (self, self->job->stream && !size);
    }
    return rc;
}
