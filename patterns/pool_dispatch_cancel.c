/*  pool_dispatch_cancel.c - jobs that are taken back, and attempts that are stopped */

#include "core/error.h"
#include "patterns/pool_dispatch_parts.h"

bool
dispatch_stop (struct dispatch_job *job, int reason)
{
    if (!job->worker)
        return false;
    job->stopped = (uint8_t) reason;
    list_remove (&job->order);
    return true;
}

struct dispatch_job *
dispatch_oldest (const struct dispatch *self)
{
    return list_empty (&self->begun_jobs) ? NULL : map_entry (self->begun_jobs.next, struct dispatch_job, order);
}

/*  Without `running`, one that is, or may be, with a worker that has begun it is left alone: false. */
static bool
cancel_named (struct dispatch *self, struct dispatch_job *job, bool running)
{
    if (!running && (job->state == JOB_RUNNING || job->state == JOB_AWAITED))
        return false;
    job->cancelled = job->named = true;
    if (running)
        dispatch_stop (job, WEFT_JOB_CANCELLED);
    if (!job->worker) {
        job_withdraw (self, job);
        job_enqueue (self, job, false);
    }
    return true;
}

int
dispatch_cancel_job (struct dispatch *self, uint64_t id, bool running, struct dispatch_job **which)
{
    struct dispatch_job *job = *which = job_find (self, id);
    if (!job)
        return error_set (WEFT_EEND, "job %llu has ended", (unsigned long long) id);
    if (!cancel_named (self, job, running))
        return error_set (WEFT_ESTATE, "job %llu %s", (unsigned long long) id, job->state == JOB_RUNNING
                          ? "is running" : "may be running still, at a worker that has not come back yet");
    return 0;
}

/*  Those that have no worker go to another list; nothing is added to this one meanwhile. */
static void
cancel_list (struct dispatch *self, struct list *list, bool running)
{
    for (struct list *entry = list->next, *next; entry != list; entry = next) {
        next = entry->next;
        cancel_named (self, job_of (entry), running);
    }
}

static void
cancel_lists_of (struct dispatch *self, struct list *workers, bool running)
{
    for (struct list *entry = workers->next; entry != workers; entry = entry->next)
        cancel_list (self, &worker_of (entry)->jobs, running);
}

void
dispatch_cancel_every (struct dispatch *self, bool running)
{
    for (struct dispatch_level *level = self->levels; level; level = level->next)
        for (struct dispatch_lane *lane = level->lanes; lane; lane = lane->next)
            cancel_list (self, &lane->queue, running);
    cancel_list (self, &self->awaited, running);
    cancel_list (self, &self->held, running);
    cancel_lists_of (self, &self->idle, running);
    cancel_lists_of (self, &self->ahead, running);
    cancel_lists_of (self, &self->full, running);
    for (struct list *entry = self->ending.next; entry != &self->ending; entry = entry->next)
        job_of (entry)->named = true;
}

static void
cancel_workers_jobs (struct list *list)
{
    for (struct list *worker = list->next; worker != list; worker = worker->next) {
        struct list *jobs = &worker_of (worker)->jobs;
        for (struct list *entry = jobs->next; entry != jobs; entry = entry->next)
            job_of (entry)->cancelled = true;
    }
}

static void
end_waiting (struct dispatch *self, struct list *queue)
{
    while (!list_empty (queue)) {
        struct dispatch_job *job = job_of (queue->next);
        job_dequeue (self, job);
        job->cancelled = true;
        job_enqueue (self, job, false);
    }
}

void
dispatch_cancel (struct dispatch *self)
{
    for (struct dispatch_level *level = self->levels; level; level = level->next)
        for (struct dispatch_lane *lane = level->lanes; lane; lane = lane->next)
            end_waiting (self, &lane->queue);
    end_waiting (self, &self->held);
    for (struct list *entry = self->awaited.next; entry != &self->awaited; entry = entry->next)
        job_of (entry)->cancelled = true;
    cancel_workers_jobs (&self->idle);
    cancel_workers_jobs (&self->ahead);
    cancel_workers_jobs (&self->full);
}

const struct dispatch_job *
dispatch_cancelled (const struct dispatch *self)
{
    return list_empty (&self->ending) ? NULL : job_of (self->ending.next);
}

bool
dispatch_cancel_next (struct dispatch *self, const struct dispatch_job **which)
{
    if (list_empty (&self->ending))
        return false;
    struct dispatch_job *job = job_of (self->ending.next);
    *which = job;
    job_dequeue (self, job);
    job_end (self, job, true);
    return true;
}
