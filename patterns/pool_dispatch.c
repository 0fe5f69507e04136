/*  pool_dispatch.c - which job goes to which worker, and what becomes of it */

#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "patterns/pool_dispatch.h"

#define job_of(entry) map_entry (entry, struct dispatch_job, link)
#define worker_of(entry) map_entry (entry, struct dispatch_worker, link)

/* -------------------------------------------------------------------- lists */

static void
list_init (struct dispatch_list *self)
{
    self->prev = self->next = self;
}

static bool
list_empty (const struct dispatch_list *self)
{
    return self->next == self;
}

static void
list_insert (struct dispatch_list *after, struct dispatch_list *entry)
{
    entry->prev = after;
    entry->next = after->next;
    after->next->prev = entry;
    after->next = entry;
}

static void
list_append (struct dispatch_list *self, struct dispatch_list *entry)
{
    list_insert (self->prev, entry);
}

static void
list_remove (struct dispatch_list *entry)
{
    entry->prev->next = entry->next;
    entry->next->prev = entry->prev;
    list_init (entry);
}

/* --------------------------------------------------------------------- jobs */

int
dispatch_init (struct dispatch *self, const struct dispatch_limits *limits)
{
    memset (self, 0, sizeof *self);
    self->limits = *limits;
    self->next_id = 1;
    list_init (&self->queue);
    list_init (&self->idle);
    list_init (&self->ahead);
    list_init (&self->full);
    return map_init (&self->jobs);
}

static void
job_free (struct dispatch *self, struct dispatch_job *job)
{
    map_remove (&self->jobs, &job->node);
    list_remove (&job->link);
    free (job);
}

static void
free_jobs (struct dispatch *self, struct dispatch_list *list)
{
    while (!list_empty (list))
        job_free (self, job_of (list->next));
}

static void
free_workers_jobs (struct dispatch *self, struct dispatch_list *list)
{
    for (struct dispatch_list *entry = list->next; entry != list; entry = entry->next)
        free_jobs (self, &worker_of (entry)->jobs);
}

void
dispatch_free (struct dispatch *self)
{
    if (!self->jobs.buckets)
        return;
    free_jobs (self, &self->queue);
    free_workers_jobs (self, &self->idle);
    free_workers_jobs (self, &self->ahead);
    free_workers_jobs (self, &self->full);
    free (self->ended);
    map_free (&self->jobs);
}

/*  Into the queue; one that was tried before goes to the front. */
static void
job_enqueue (struct dispatch *self, struct dispatch_job *job)
{
    job->state = JOB_WAITING;
    if (job->attempt)
        list_insert (&self->queue, &job->link);
    else
        list_append (&self->queue, &job->link);
    self->waiting++;
    self->waiting_bytes += job->size;
}

static void
job_dequeue (struct dispatch *self, struct dispatch_job *job)
{
    list_remove (&job->link);
    self->waiting--;
    self->waiting_bytes -= job->size;
}

bool
dispatch_has_room (const struct dispatch *self)
{
    return self->waiting < (uint64_t) self->limits.queue && self->waiting_bytes < (uint64_t) self->limits.queue_bytes;
}

int
dispatch_submit (struct dispatch *self, uint64_t tag, const void *spec, size_t size, size_t input_size, uint64_t *id)
{
    if (!dispatch_has_room (self))
        return error_set (WEFT_EAGAIN, "%llu jobs are waiting already: take events first",
            (unsigned long long) self->waiting);
    struct dispatch_job *job = malloc (sizeof *job + size);
    if (!job)
        return error_set (WEFT_ENOMEM, "out of memory for a job of %zu bytes", size);
    memset (job, 0, sizeof *job);
    job->id = self->next_id++;
    job->tag = tag;
    job->input_size = input_size;
    job->size = size;
    memcpy (job->spec, spec, size);
    map_add (&self->jobs, &job->node, hash_number (job->id));
    job_enqueue (self, job);
    *id = job->id;
    return 0;
}

/* ------------------------------------------------------------------ workers */

/*  Moves the worker to the end of the list that its credit says. */
static void
worker_place (struct dispatch *self, struct dispatch_worker *worker)
{
    struct dispatch_list *lists[] = { &self->idle, &self->ahead, &self->full };
    if (worker->held >= worker->window)
        worker->credit = WORKER_FULL;
    else
        worker->credit = worker->held < worker->slots ? WORKER_IDLE : WORKER_AHEAD;
    list_remove (&worker->link);
    list_append (lists[worker->credit], &worker->link);
}

void
dispatch_join (struct dispatch *self, struct dispatch_worker *worker, int slots, int window)
{
    list_init (&worker->link);
    list_init (&worker->jobs);
    worker->held = worker->began = 0;
    worker->slots = slots;
    worker->window = window;
    worker_place (self, worker);
}

void
dispatch_set_window (struct dispatch *self, struct dispatch_worker *worker, int window)
{
    if (worker->window == window)
        return;
    worker->window = window;
    worker_place (self, worker);
}

void
dispatch_leave (struct dispatch *self, struct dispatch_worker *worker)
{
    (void) self;
    list_remove (&worker->link);
}

struct dispatch_job *
dispatch_assign (struct dispatch *self)
{
    struct dispatch_list *workers = list_empty (&self->idle) ? &self->ahead : &self->idle;
    if (list_empty (&self->queue) || list_empty (workers))
        return NULL;
    struct dispatch_worker *worker = worker_of (workers->next);
    struct dispatch_job *job = job_of (self->queue.next);
    if (job->cancelled)
        return NULL;        /*  dispatch_cancel_next ends it first */
    job_dequeue (self, job);
    job->worker = worker;
    job->state = JOB_GIVEN;
    job->attempt++;
    list_append (&worker->jobs, &job->link);
    worker->held++;
    self->running++;
    worker_place (self, worker);
    return job;
}

struct dispatch_job *
dispatch_find (struct dispatch *self, const struct dispatch_worker *worker, uint64_t id, int64_t attempt)
{
    for (struct map_node *node = map_first (&self->jobs, hash_number (id)); node; node = map_next (node)) {
        struct dispatch_job *job = map_entry (node, struct dispatch_job, node);
        if (job->id == id)
            return job->worker == worker && job->attempt == attempt ? job : NULL;
    }
    return NULL;
}

/*  Takes the job from its worker. */
static void
job_release (struct dispatch *self, struct dispatch_job *job)
{
    struct dispatch_worker *worker = job->worker;
    list_remove (&job->link);
    job->worker = NULL;
    worker->held--;
    worker->began -= job->state == JOB_RUNNING;
    self->running--;
    worker_place (self, worker);
}

/* ------------------------------------------------------------------ verdicts */

static enum dispatch_verdict
job_end (struct dispatch *self, struct dispatch_job *job, bool failed)
{
    self->done++;
    self->failed += failed;
    map_remove (&self->jobs, &job->node);
    free (self->ended);
    self->ended = job;
    return DISPATCH_DONE;
}

bool
dispatch_began (struct dispatch *self, struct dispatch_worker *worker, uint64_t id, int64_t attempt)
{
    struct dispatch_job *job = dispatch_find (self, worker, id, attempt);
    if (!job || job->state != JOB_GIVEN)
        return false;
    job->state = JOB_RUNNING;
    worker->began++;
    return true;
}

enum dispatch_verdict
dispatch_returned (struct dispatch *self, struct dispatch_worker *worker, uint64_t id, int64_t attempt)
{
    struct dispatch_job *job = dispatch_find (self, worker, id, attempt);
    if (!job || job->state != JOB_GIVEN)
        return DISPATCH_STALE;
    job_release (self, job);
    job_enqueue (self, job);
    return DISPATCH_AGAIN;
}

enum dispatch_verdict
dispatch_ended (struct dispatch *self, struct dispatch_worker *worker, uint64_t id, int64_t attempt,
                const struct dispatch_end *end, const struct dispatch_job **which)
{
    struct dispatch_job *job = dispatch_find (self, worker, id, attempt);
    if (!job)
        return DISPATCH_STALE;
    *which = job;
    job_release (self, job);
    if (end->reason == WEFT_JOB_EXITED && !end->status && !end->signal)
        return job_end (self, job, false);
    if (end->reason == WEFT_JOB_CANCELLED || job->cancelled || ++job->failures > self->limits.retries)
        return job_end (self, job, true);
    self->retries++;
    job_enqueue (self, job);
    return DISPATCH_RETRY;
}

/*  Those that had begun are taken last, so that whether any had begun has the
 *  same answer for all; from the back, so that the queue's front keeps their order. */
static struct dispatch_job *
worker_last_job (struct dispatch_worker *worker)
{
    struct dispatch_list *entry = worker->jobs.prev;
    while (worker->held > worker->began && job_of (entry)->state != JOB_GIVEN)
        entry = entry->prev;
    return job_of (entry);
}

enum dispatch_verdict
dispatch_lose (struct dispatch *self, struct dispatch_worker *worker, const struct dispatch_job **which)
{
    if (list_empty (&worker->jobs))
        return DISPATCH_STALE;
    struct dispatch_job *job = worker_last_job (worker);
    bool began = job->state == JOB_RUNNING;
    bool counts = began || !worker->began;
    *which = job;
    worker->window = 0;
    job_release (self, job);
    job->losses += counts;
    if (job->cancelled || job->losses > self->limits.losses)
        return job_end (self, job, true);
    self->retries += began;
    job_enqueue (self, job);
    return began ? DISPATCH_RETRY : DISPATCH_AGAIN;
}

static void
cancel_workers_jobs (struct dispatch_list *list)
{
    for (struct dispatch_list *worker = list->next; worker != list; worker = worker->next) {
        struct dispatch_list *jobs = &worker_of (worker)->jobs;
        for (struct dispatch_list *entry = jobs->next; entry != jobs; entry = entry->next)
            job_of (entry)->cancelled = true;
    }
}

void
dispatch_cancel (struct dispatch *self)
{
    for (struct dispatch_list *entry = self->queue.next; entry != &self->queue; entry = entry->next)
        job_of (entry)->cancelled = true;
    cancel_workers_jobs (&self->idle);
    cancel_workers_jobs (&self->ahead);
    cancel_workers_jobs (&self->full);
}

bool
dispatch_has_cancelled (const struct dispatch *self)
{
    return !list_empty (&self->queue) && job_of (self->queue.next)->cancelled;
}

bool
dispatch_cancel_next (struct dispatch *self, const struct dispatch_job **which)
{
    if (!dispatch_has_cancelled (self))
        return false;
    struct dispatch_job *job = job_of (self->queue.next);
    *which = job;
    job_dequeue (self, job);
    job_end (self, job, true);
    return true;
}
