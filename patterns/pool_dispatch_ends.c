/*  pool_dispatch_ends.c - how attempts and jobs end, and what a worker that is back has still */

#include <stdlib.h>

#include "patterns/pool_dispatch_parts.h"

/* ------------------------------------------------------------------ verdicts */

enum dispatch_verdict
job_end (struct dispatch *self, struct dispatch_job *job, bool failed)
{
    self->done++;
    self->failed += failed;
    map_remove (&self->jobs, &job->node);
    queue_drop (self, job->lane);
    job->lane = NULL;
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
    job->since = self->now;
    if (!job->stopped)
        list_append (&self->begun_jobs, &job->order);
    job_unretract (self, job);
    worker->began++;
    self->begun++;
    return true;
}

enum dispatch_verdict
dispatch_returned (struct dispatch *self, struct dispatch_worker *worker, uint64_t id, int64_t attempt)
{
    struct dispatch_job *job = dispatch_find (self, worker, id, attempt);
    if (!job || job->state != JOB_GIVEN)
        return DISPATCH_STALE;
    job_release (self, job);
    job_enqueue (self, job, true);
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
    /*  An attempt that we had stopped, as one too many, is no failure of the job. */
    job->failures += end->reason != WEFT_JOB_CANCELLED || (job->stopped && job->stopped != WEFT_JOB_CANCELLED);
    if (job->cancelled || job->failures > self->limits.retries)
        return job_end (self, job, true);
    self->retries++;
    job_enqueue (self, job, true);
    return DISPATCH_RETRY;
}

/*  Those that had begun are taken last, so that whether any had begun has the
 *  same answer for all; from the back, so that the queue's front keeps their order. */
static struct dispatch_job *
worker_last_job (struct dispatch_worker *worker)
{
    struct list *entry = worker->jobs.prev;
    while (worker->held > worker->began && job_of (entry)->state != JOB_GIVEN)
        entry = entry->prev;
    return job_of (entry);
}

static enum dispatch_verdict
job_lose (struct dispatch *self, struct dispatch_job *job, bool counts)
{
    bool began = job->state == JOB_RUNNING;
    job_release (self, job);
    job->losses += counts;
    if (job->cancelled || job->losses > self->limits.losses)
        return job_end (self, job, true);
    self->retries += began;
    job_enqueue (self, job, true);
    return began ? DISPATCH_RETRY : DISPATCH_AGAIN;
}

enum dispatch_verdict
dispatch_lose (struct dispatch *self, struct dispatch_worker *worker, const struct dispatch_job **which)
{
    if (list_empty (&worker->jobs))
        return DISPATCH_STALE;
    struct dispatch_job *job = worker_last_job (worker);
    *which = job;
    worker->window = 0;
    return job_lose (self, job, job->state == JOB_RUNNING || !worker->began);
}

struct dispatch_job *
dispatch_keep_ended (struct dispatch *self)
{
    struct dispatch_job *job = self->ended;
    self->ended = NULL;
    return job;
}

void
dispatch_hold (struct dispatch *self, uint64_t id)
{
    struct dispatch_job *job = job_find (self, id);
    if (!job)
        return;
    job->owed = POOL_ATTEMPT_NUMBER (job->attempt);
    if (job->state != JOB_WAITING)
        return;
    job_dequeue (self, job);
    job_enqueue (self, job, false);
}

void
dispatch_let_go (struct dispatch *self, uint64_t id, int attempt)
{
    struct dispatch_job *job = job_find (self, id);
    if (!job || attempt < job->owed)
        return;
    job->owed = 0;
    if (job->state != JOB_HELD)
        return;
    job_dequeue (self, job);
    job_enqueue (self, job, true);
}

/* ------------------------------------------------------------------- reattaching */

void
dispatch_doubt (struct dispatch *self, struct dispatch_worker *worker)
{
    (void) self;
    for (struct list *entry = worker->jobs.next; entry != &worker->jobs; entry = entry->next)
        job_of (entry)->doubted = true;
}

/*  Is that an attempt of an earlier head, and newer than all that we know of? */
static bool
is_older_heads (const struct dispatch *self, const struct dispatch_job *job, int64_t attempt)
{
    return POOL_ATTEMPT_EPOCH (attempt) < self->epoch && POOL_ATTEMPT_EPOCH (job->attempt) < self->epoch
        && attempt > job->attempt && POOL_ATTEMPT_NUMBER (attempt) > POOL_ATTEMPT_NUMBER (job->attempt);
}

void
job_withdraw (struct dispatch *self, struct dispatch_job *job)
{
    if (job->worker)
        job_release (self, job);
    else if (job->state != JOB_AWAITED)
        job_dequeue (self, job);
    else {
        list_remove (&job->link);
        self->awaiting--;
    }
}

bool
dispatch_claim (struct dispatch *self, struct dispatch_worker *worker, uint64_t id, int64_t attempt, bool begun,
                struct dispatch_worker **robbed, int64_t *robbed_attempt)
{
    struct dispatch_job *job = job_find (self, id);
    *robbed = NULL;
    if (job && job->worker == worker && job->attempt == attempt) {
        job->doubted = false;
        return true;
    }
    if (!job || job->state == JOB_ENDING || !is_older_heads (self, job, attempt))
        return false;
    *robbed = job->worker == worker ? NULL : job->worker;
    *robbed_attempt = job->attempt;
    bool stopped = job->stopped == WEFT_JOB_CANCELLED;      /*  that is about the job, not the attempt */
    job_withdraw (self, job);
    job->attempt = attempt;
    job_give (self, job, worker);
    if (stopped)
        dispatch_stop (job, WEFT_JOB_CANCELLED);
    if (begun)
        dispatch_began (self, worker, id, attempt);
    return true;
}

void
dispatch_await_again (struct dispatch *self, uint64_t id)
{
    struct dispatch_job *job = job_find (self, id);
    if (!job || job->state != JOB_WAITING)
        return;
    job_withdraw (self, job);
    job->state = JOB_AWAITED;
    list_append (&self->awaited, &job->link);
    self->awaiting++;
}

enum dispatch_verdict
dispatch_settle (struct dispatch *self, struct dispatch_worker *worker, const struct dispatch_job **which)
{
    for (struct list *entry = worker->jobs.prev; entry != &worker->jobs; entry = entry->prev)
        if (job_of (entry)->doubted) {
            *which = job_of (entry);
            return job_lose (self, job_of (entry), (*which)->state == JOB_RUNNING);
        }
    return DISPATCH_STALE;
}
