/*  pool_dispatch.c - which job goes to which worker, and what becomes of it */

#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "patterns/pool_dispatch_parts.h"

/* --------------------------------------------------------------------- jobs */

int
dispatch_init (struct dispatch *self, const struct dispatch_limits *limits)
{
    memset (self, 0, sizeof *self);
    self->limits = *limits;
    self->next_id = 1;
    self->limit = UINT64_MAX;
    list_init (&self->awaited);
    list_init (&self->held);
    list_init (&self->ending);
    list_init (&self->begun_jobs);
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
free_jobs (struct dispatch *self, struct list *list)
{
    while (!list_empty (list))
        job_free (self, job_of (list->next));
}

static void
free_workers_jobs (struct dispatch *self, struct list *list)
{
    for (struct list *entry = list->next; entry != list; entry = entry->next)
        free_jobs (self, &worker_of (entry)->jobs);
}

void
dispatch_free (struct dispatch *self)
{
    if (!self->jobs.buckets)
        return;
    for (struct dispatch_level *level = self->levels; level; level = level->next)
        for (struct dispatch_lane *lane = level->lanes; lane; lane = lane->next)
            free_jobs (self, &lane->queue);
    queue_free_levels (self);
    free_jobs (self, &self->awaited);
    free_jobs (self, &self->held);
    free_jobs (self, &self->ending);
    free_workers_jobs (self, &self->idle);
    free_workers_jobs (self, &self->ahead);
    free_workers_jobs (self, &self->full);
    free (self->ended);
    map_free (&self->jobs);
}

static struct dispatch_job *
job_new (struct dispatch *self, uint64_t id, uint64_t tag, const struct dispatch_wants *wants, const void *spec,
         size_t size)
{
    struct dispatch_job *job = malloc (sizeof *job + size);
    struct dispatch_lane *lane = job ? queue_add_lane (self, wants) : NULL;
    if (!lane) {
        free (job);
        error_set (WEFT_ENOMEM, "out of memory for a job of %zu bytes", size);
        return NULL;
    }
    memset (job, 0, sizeof *job);
    job->id = id;
    job->tag = tag;
    job->lane = lane;
    lane->jobs++;
    list_init (&job->order);
    job->size = (uint32_t) size;
    memcpy (job->spec, spec, size);
    map_add (&self->jobs, &job->node, hash_number (id));
    return job;
}

int
dispatch_submit (struct dispatch *self, uint64_t tag, const struct dispatch_wants *wants, const void *spec, size_t size,
                 uint64_t *id)
{
    if (!dispatch_has_room (self, wants->priority))
        return error_set (WEFT_EAGAIN, "%llu jobs are waiting already: take events first",
            (unsigned long long) self->waiting);
    struct dispatch_job *job = job_new (self, self->next_id, tag, wants, spec, size);
    if (!job)
        return WEFT_ENOMEM;
    self->next_id++;
    job_enqueue (self, job, false);
    *id = job->id;
    return 0;
}

int
dispatch_restore (struct dispatch *self, const struct dispatch_restored *restored)
{
    struct dispatch_job *job = job_new (self, restored->id, restored->tag, &restored->wants, restored->spec,
                                        restored->size);
    if (!job)
        return WEFT_ENOMEM;
    job->attempt = restored->attempt;
    job->failures = restored->failures;
    job->losses = restored->losses;
    job->cancelled = job->named = restored->cancelled;
    if (restored->awaited) {
        job->state = JOB_AWAITED;
        self->awaiting++;
        list_append (&self->awaited, &job->link);
    }
    else
        job_enqueue (self, job, false);
    return 0;
}

/*  They were accepted before all of their priority that waits: to the front, in their order. */
void
dispatch_await_no_more (struct dispatch *self)
{
    while (!list_empty (&self->awaited)) {
        struct dispatch_job *job = job_of (self->awaited.prev);
        list_remove (&job->link);
        self->awaiting--;
        job_enqueue (self, job, true);
    }
}

/* ------------------------------------------------------------------ dealing */

void
job_give (struct dispatch *self, struct dispatch_job *job, struct dispatch_worker *worker)
{
    job->worker = worker;
    job->state = JOB_GIVEN;
    job->doubted = false;
    job->stopped = 0;
    list_append (&worker->jobs, &job->link);
    self->running++;
    worker_take (self, worker, job);
}

struct dispatch_job *
dispatch_assign (struct dispatch *self)
{
    bool credit = !list_empty (&self->idle) || (!list_empty (&self->ahead) && !self->idle_only);
    struct dispatch_worker *worker;
    struct dispatch_job *job = credit ? queue_next (self, &worker) : NULL;
    if (!job)
        return NULL;
    job_dequeue (self, job);
    job->lane->level->given++;
    job->attempt = POOL_ATTEMPT (self->epoch, POOL_ATTEMPT_NUMBER (job->attempt) + 1);
    job_give (self, job, worker);
    return job;
}

struct dispatch_job *
job_find (const struct dispatch *self, uint64_t id)
{
    for (struct map_node *node = map_first (&self->jobs, hash_number (id)); node; node = map_next (node)) {
        struct dispatch_job *job = map_entry (node, struct dispatch_job, node);
        if (job->id == id)
            return job;
    }
    return NULL;
}

struct dispatch_job *
dispatch_find (struct dispatch *self, const struct dispatch_worker *worker, uint64_t id, int64_t attempt)
{
    struct dispatch_job *job = job_find (self, id);
    return job && job->worker == worker && job->attempt == attempt ? job : NULL;
}

bool
dispatch_has (const struct dispatch *self, uint64_t id)
{
    return job_find (self, id) != NULL;
}

struct dispatch_job *
dispatch_next_of (const struct dispatch_worker *worker, const struct dispatch_job *job)
{
    struct list *next = job ? job->link.next : worker->jobs.next;
    return next == &worker->jobs ? NULL : job_of (next);
}

void
job_unretract (struct dispatch *self, struct dispatch_job *job)
{
    self->retracting -= job->retracted;
    job->retracted = false;
}

/*  Takes the job from its worker. */
void
job_release (struct dispatch *self, struct dispatch_job *job)
{
    struct dispatch_worker *worker = job->worker;
    list_remove (&job->order);
    list_remove (&job->link);
    job_unretract (self, job);
    job->worker = NULL;
    worker->began -= job->state == JOB_RUNNING;
    self->begun -= job->state == JOB_RUNNING;
    self->running--;
    worker_drop (self, worker, job);
}
