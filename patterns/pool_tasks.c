/*  pool_tasks.c - messages as jobs of a worker's function: the worker's own thread's side of it */

#include "patterns/pool_tasks.h"

#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "core/error.h"
#include "core/thread.h"
#include "patterns/pool_task.h"

#define LOOK_EVERY (5 * TIME_MS)        /*  while something is under way that was not told of       */
#define TELL_AFTER (5 * TIME_MS)        /*  a call that takes longer is said to have begun          */
#define RETURN_AFTER (250 * TIME_MS)    /*  a job that waits so long here is given back             */

/* ----------------------------------------------------------------------- lists */

void
task_list_init (struct task_list *self)
{
    *self = (struct task_list) { .last = &self->first };
}

void
task_list_add (struct task_list *self, struct tasks_job *job)
{
    job->next = NULL;
    *self->last = job;
    self->last = &job->next;
    self->count++;
}

struct tasks_job *
task_list_take (struct task_list *self)
{
    struct tasks_job *job = self->first;
    if (!job)
        return NULL;
    self->first = job->next;
    if (!self->first)
        self->last = &self->first;
    self->count--;
    return job;
}

static void
list_free (struct task_list *self)
{
    struct tasks_job *job;
    while ((job = task_list_take (self)))
        free (job);
}

/* ------------------------------------------------------------- coming and going */

static int
start_threads (struct tasks *self)
{
    int rc = 0;
    while (rc == 0 && self->started < self->config.count) {
        struct weft_task *task = &self->threads[self->started];
        *task = (struct weft_task) { .tasks = self, .index = self->started, .stop_fd = -1 };
        buffer_init (&task->records, 0);
        rc = thread_start (&task->thread, 0, task_thread, task);
        self->started += rc == 0;
    }
    return rc;
}

int
tasks_open (struct tasks **handle, const struct tasks_config *config)
{
    struct tasks *self = calloc (1, sizeof *self);
    if (!self)
        return error_plain (WEFT_ENOMEM);
    self->config = *config;
    self->free = config->count;
    self->batch = config->count;
    self->deadline = TIME_FOREVER;
    self->wall = clock_wall (config->clock) - clock_now (config->clock);
    struct task_list *lists[] = { &self->queue, &self->ready, &self->suspects, &self->announced };
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        task_list_init (lists[i]);
    buffer_init (&self->done, 0);
    buffer_init (&self->taken_in, 0);
    pthread_mutex_init (&self->lock, NULL);
    pthread_cond_init (&self->more, NULL);
    pthread_cond_init (&self->room, NULL);
    self->threads = calloc ((size_t) config->count, sizeof *self->threads);
    self->taken = calloc ((size_t) config->count, sizeof *self->taken);
    self->wake_fd = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
    int rc = !self->threads || !self->taken ? error_plain (WEFT_ENOMEM) : 0;
    if (rc == 0 && self->wake_fd < 0)
        rc = error_errno ("cannot make a descriptor");
    rc = rc ? rc : start_threads (self);
    *handle = self;
    if (rc)
        tasks_close (handle);
    return rc;
}

void
tasks_close (struct tasks **handle)
{
    struct tasks *self = *handle;
    if (!self)
        return;
    pthread_mutex_lock (&self->lock);
    self->closing = true;
    for (int i = 0; i < self->started; i++)
        if (self->threads[i].job)
            task_stop (&self->threads[i], WEFT_JOB_CANCELLED);
    pthread_cond_broadcast (&self->more);
    pthread_cond_broadcast (&self->room);
    pthread_mutex_unlock (&self->lock);
    for (int i = 0; i < self->started; i++) {
        pthread_join (self->threads[i].thread, NULL);
        buffer_free (&self->threads[i].records);
        if (self->threads[i].stop_fd >= 0)
            close (self->threads[i].stop_fd);
    }
    struct task_list *lists[] = { &self->queue, &self->ready, &self->suspects, &self->announced };
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        list_free (lists[i]);
    pthread_mutex_destroy (&self->lock);
    pthread_cond_destroy (&self->more);
    pthread_cond_destroy (&self->room);
    buffer_free (&self->done);
    buffer_free (&self->taken_in);
    if (self->wake_fd >= 0)
        close (self->wake_fd);
    free (self->threads);
    free (self->taken);
    free (self);
    *handle = NULL;
}

int
tasks_fd (const struct tasks *self)
{
    return self->wake_fd;
}

void
task_wake_owner (struct tasks *self)
{
    if (!self->woken)
        eventfd_write (self->wake_fd, 1);
    self->woken = true;
}

/* ----------------------------------------------------------------------- slots */

int
task_take_slot (struct tasks *self, int wanted)
{
    int slot = wanted;
    if (self->taken[slot])
        for (slot = 0; self->taken[slot]; slot++)
            ;
    self->taken[slot] = true;
    self->free--;
    return slot;
}

bool
tasks_claim (struct tasks *self, int slot)
{
    pthread_mutex_lock (&self->lock);
    bool had = !self->taken[slot];
    if (had)
        task_take_slot (self, slot);
    pthread_mutex_unlock (&self->lock);
    return had;
}

void
task_release_slot (struct tasks *self, int slot)
{
    self->taken[slot] = false;
    self->free++;
    if (self->idle && self->queue.count && self->free > self->reserved)
        pthread_cond_signal (&self->more);
}

void
tasks_release (struct tasks *self, int slot)
{
    pthread_mutex_lock (&self->lock);
    task_release_slot (self, slot);
    pthread_mutex_unlock (&self->lock);
}

/* ------------------------------------------------------------------- jobs come in */

void
tasks_add (struct tasks *self, struct tasks_job *first, int count)
{
    struct tasks_job *job;
    pthread_mutex_lock (&self->lock);
    for (; count && (job = first); count--) {
        first = job->next;
        job->slot = -1;
        task_list_add (POOL_ATTEMPT_NUMBER (job->attempt) > 1 ? &self->suspects : &self->queue, job);
    }
    for (int i = 0; i < self->idle && i < self->queue.count; i++)
        pthread_cond_signal (&self->more);
    pthread_mutex_unlock (&self->lock);
}

void
task_put (struct tasks *self, const struct tasks_job *job, int kind, int slot, int reason)
{
    struct pool_record record = { .kind = kind, .job = job->id, .attempt = job->attempt, .reason = reason,
                                  .slot = slot < 0 ? 0 : slot + self->config.first };
    outbox_add (self->config.outbox, &record, clock_now (self->config.clock));
}

/*  Says of jobs that were tried before that they begin: one, and the next when that has ended or has run for a while,
 *  so that of those that bring a worker down at once it is known which it was. While others wait they are kept half of
 *  the slots: a thread that has ended a job takes the next one before anybody else could. */
static void
announce (struct tasks *self)
{
    if (self->suspects.first && self->free && !self->announced.count && !self->ready.count && !self->fresh
        && !outbox_full (self->config.outbox)) {
        struct tasks_job *job = task_list_take (&self->suspects);
        job->slot = task_take_slot (self, 0);
        task_put (self, job, WEFT_POOL_STARTED, job->slot, 0);
        job->report = self->config.outbox->next;
        self->config.outbox->urgent = true;
        task_list_add (&self->announced, job);
    }
    int reserved = self->suspects.count ? (self->config.count + 1) / 2 : 0;
    if (reserved < self->reserved)
        pthread_cond_broadcast (&self->more);
    self->reserved = reserved;
}

/*  The head knows of those: they may. */
static void
admit (struct tasks *self)
{
    uint64_t acked = outbox_acked (self->config.outbox);
    while (self->announced.first && self->announced.first->report <= acked) {
        task_list_add (&self->ready, task_list_take (&self->announced));
        pthread_cond_signal (&self->more);
    }
}

/* ------------------------------------------------------------------- what goes out */

/*  Those that have waited for too long; of those that were tried before it is known that they will. */
static void
give_back_late (struct tasks *self, int64_t now)
{
    while (self->queue.first && now - self->queue.first->since >= RETURN_AFTER)
        task_give_back (self, &self->queue);
}

void
task_take_in (struct tasks *self)
{
    struct buffer full = self->done;
    if (self->taken_count || !self->done_count)
        return;
    self->done = self->taken_in;
    self->taken_in = full;
    self->taken_count = self->done_count;
    self->done_count = 0;
    pthread_cond_broadcast (&self->room);
}

int
task_pass_on (struct tasks *self)
{
    if (!self->taken_count)
        return 0;
    int rc = outbox_add_records (self->config.outbox, buffer_data (&self->taken_in), buffer_size (&self->taken_in),
                                 self->taken_count, clock_now (self->config.clock));
    if (rc)
        return rc;
    buffer_clear (&self->taken_in);
    self->taken_count = 0;
    return 0;
}

/*  Stops what has run for too long, says what has begun a while ago. */
static int
look_at_threads (struct tasks *self, int64_t now, bool full)
{
    int untold = 0;
    self->fresh = false;
    for (int i = 0; i < self->started && self->running; i++) {
        struct weft_task *task = &self->threads[i];
        if (!task->job || task->silent)
            continue;
        if (task->job->timeout && now - task->begun >= task->job->timeout)
            task_stop (task, WEFT_JOB_TIMEOUT);
        else if (task->job->timeout)
            self->deadline = clock_earlier (self->deadline, task->begun + task->job->timeout);
        if (!task->told && !full && now - task->begun >= TELL_AFTER) {
            task_put (self, task->job, WEFT_POOL_STARTED, task->slot, 0);
            task->told = true;
        }
        untold += !task->told;
        self->fresh |= task->job->slot >= 0 && now - task->begun < TELL_AFTER;
    }
    return untold;
}

void
tasks_turn (struct tasks *self)
{
    bool full = outbox_full (self->config.outbox);
    int64_t now = clock_now (self->config.clock), wall = clock_wall (self->config.clock) - now;
    pthread_mutex_lock (&self->lock);
    self->woken = false;
    self->wall = wall;
    self->learned = self->ended;
    self->ended = (struct tasks_learned) { 0 };
    self->deadline = TIME_FOREVER;
    if (!full)
        task_take_in (self);
    give_back_late (self, now);
    int untold = look_at_threads (self, now, full);
    announce (self);
    admit (self);
    self->waiting = self->queue.count + self->suspects.count;
    self->held = self->waiting + self->ready.count + self->announced.count + self->running;
    self->hungry = self->announced.count || (!self->waiting && self->idle && self->free);
    if (self->queue.count || self->ready.count || self->fresh || untold || self->done_count)
        self->deadline = clock_earlier (self->deadline, now + LOOK_EVERY);
    self->held += self->done_count != 0;
    pthread_mutex_unlock (&self->lock);
    task_pass_on (self);
    self->held += self->taken_count != 0;
}

int64_t
tasks_deadline (const struct tasks *self)
{
    return self->deadline;
}

int
tasks_held (const struct tasks *self)
{
    return self->held;
}

int
tasks_waiting (const struct tasks *self)
{
    return self->waiting;
}

bool
tasks_hungry (const struct tasks *self)
{
    return self->hungry;
}

void
tasks_set_batch (struct tasks *self, int batch)
{
    if (batch == self->batch)
        return;
    pthread_mutex_lock (&self->lock);
    self->batch = batch;
    pthread_mutex_unlock (&self->lock);
}

struct tasks_learned
tasks_learn (const struct tasks *self)
{
    return self->learned;
}
