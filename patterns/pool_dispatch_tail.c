/*  pool_dispatch_tail.c - what waits at one worker while another has nothing to do */

#include "patterns/pool_dispatch_parts.h"

/*  The last job of the worker that has not begun, beyond those that its slots will take next. What asks for more than
 *  a slot was not sent ahead. */
static struct dispatch_job *
worker_spare_job (struct dispatch_worker *worker)
{
    if (!worker->window || worker->used <= worker->slots)
        return NULL;
    for (struct list *entry = worker->jobs.prev; entry != &worker->jobs; entry = entry->prev) {
        struct dispatch_job *job = job_of (entry);
        if (job->state == JOB_GIVEN && !job->retracted && !job->cancelled)
            return job;
    }
    return NULL;
}

static struct dispatch_job *
spare_job_among (struct list *workers)
{
    struct dispatch_job *job = NULL;
    for (struct list *entry = workers->next; !job && entry != workers; entry = entry->next)
        job = worker_spare_job (worker_of (entry));
    return job;
}

bool
dispatch_may_retract (const struct dispatch *self)
{
    return !self->queued_plain && !list_empty (&self->idle) && self->running > self->begun + self->retracting;
}

struct dispatch_job *
dispatch_retract (struct dispatch *self)
{
    uint64_t idle = 0;
    for (struct list *entry = self->idle.next; entry != &self->idle; entry = entry->next)
        idle += (uint64_t) (worker_of (entry)->slots - worker_of (entry)->used);
    if (self->queued_plain || self->retracting >= idle)
        return NULL;
    struct dispatch_job *job = spare_job_among (&self->full);
    job = job ? job : spare_job_among (&self->ahead);
    if (job) {
        job->retracted = true;
        self->retracting++;
    }
    return job;
}
