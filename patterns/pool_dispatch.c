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
    self->limit = UINT64_MAX;
    list_init (&self->queue);
    list_init (&self->awaited);
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
    free_jobs (self, &self->awaited);
    free_workers_jobs (self, &self->idle);
    free_workers_jobs (self, &self->ahead);
    free_workers_jobs (self, &self->full);
    free (self->ended);
    map_free (&self->jobs);
}

static void
job_enqueue (struct dispatch *self, struct dispatch_job *job, bool front)
{
    job->state = JOB_WAITING;
    if (front)
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

static struct dispatch_job *
job_new (struct dispatch *self, uint64_t id, uint64_t tag, const void *spec, size_t size)
{
    struct dispatch_job *job = malloc (sizeof *job + size);
    if (!job) {
        error_set (WEFT_ENOMEM, "out of memory for a job of %zu bytes", size);
        return NULL;
    }
    memset (job, 0, sizeof *job);
    job->id = id;
    job->tag = tag;
    job->size = (uint32_t) size;
    memcpy (job->spec, spec, size);
    map_add (&self->jobs, &job->node, hash_number (id));
    return job;
}

int
dispatch_submit (struct dispatch *self, uint64_t tag, const void *spec, size_t size, uint64_t *id)
{
    if (!dispatch_has_room (self))
        return error_set (WEFT_EAGAIN, "%llu jobs are waiting already: take events first",
            (unsigned long long) self->waiting);
    struct dispatch_job *job = job_new (self, self->next_id, tag, spec, size);
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
    struct dispatch_job *job = job_new (self, restored->id, restored->tag, restored->spec, restored->size);
    if (!job)
        return WEFT_ENOMEM;
    job->attempt = restored->attempt;
    job->failures = restored->failures;
    job->losses = restored->losses;
    if (restored->awaited) {
        job->state = JOB_AWAITED;
        self->awaiting++;
        list_append (&self->awaited, &job->link);
    }
    else
        job_enqueue (self, job, false);
    return 0;
}

/*  They were accepted before all that waits: to the front, in their order. */
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

static void
job_give (struct dispatch *self, struct dispatch_job *job, struct dispatch_worker *worker)
{
    job->worker = worker;
    job->state = JOB_GIVEN;
    job->doubted = false;
    list_append (&worker->jobs, &job->link);
    worker->held++;
    self->running++;
    worker_place (self, worker);
}

struct dispatch_job *
dispatch_assign (struct dispatch *self)
{
    struct dispatch_list *workers = list_empty (&self->idle) ? &self->ahead : &self->idle;
    if (list_empty (&self->queue) || list_empty (workers))
        return NULL;
    struct dispatch_worker *worker = worker_of (workers->next);
    struct dispatch_job *job = job_of (self->queue.next);
    if (job->cancelled || job->id > self->limit)
        return NULL;        /*  dispatch_cancel_next ends it first; or it is not durable yet */
    job_dequeue (self, job);
    if (job->id > self->highest)
        self->highest = job->id;
    job->attempt = POOL_ATTEMPT (self->epoch, POOL_ATTEMPT_NUMBER (job->attempt) + 1);
    job_give (self, job, worker);
    return job;
}

bool
dispatch_is_held (const struct dispatch *self)
{
    return !list_empty (&self->queue) && (!list_empty (&self->idle) || !list_empty (&self->ahead))
        && job_of (self->queue.next)->id > self->limit;
}

static struct dispatch_job *
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

/*  It begins, or is with the worker no more: it is not waited for any longer. */
static void
job_unretract (struct dispatch *self, struct dispatch_job *job)
{
    self->retracting -= job->retracted;
    job->retracted = false;
}

/*  Takes the job from its worker. */
static void
job_release (struct dispatch *self, struct dispatch_job *job)
{
    struct dispatch_worker *worker = job->worker;
    list_remove (&job->link);
    job_unretract (self, job);
    job->worker = NULL;
    worker->held--;
    worker->began -= job->state == JOB_RUNNING;
    self->begun -= job->state == JOB_RUNNING;
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
    job->failures += end->reason != WEFT_JOB_CANCELLED;
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
    struct dispatch_list *entry = worker->jobs.prev;
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

/* ------------------------------------------------------------------- reattaching */

void
dispatch_doubt (struct dispatch *self, struct dispatch_worker *worker)
{
    (void) self;
    for (struct dispatch_list *entry = worker->jobs.next; entry != &worker->jobs; entry = entry->next)
        job_of (entry)->doubted = true;
}

/*  Is that an attempt of an earlier head, and newer than all that we know of? */
static bool
is_older_heads (const struct dispatch *self, const struct dispatch_job *job, int64_t attempt)
{
    return POOL_ATTEMPT_EPOCH (attempt) < self->epoch && POOL_ATTEMPT_EPOCH (job->attempt) < self->epoch
        && attempt > job->attempt && POOL_ATTEMPT_NUMBER (attempt) > POOL_ATTEMPT_NUMBER (job->attempt);
}

/*  Takes the job from wherever it is. */
static void
job_withdraw (struct dispatch *self, struct dispatch_job *job)
{
    if (job->worker)
        job_release (self, job);
    else if (job->state == JOB_WAITING)
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
    if (!job || (job->cancelled && job->state == JOB_WAITING) || !is_older_heads (self, job, attempt))
        return false;
    *robbed = job->worker == worker ? NULL : job->worker;
    *robbed_attempt = job->attempt;
    job_withdraw (self, job);
    job->attempt = attempt;
    job_give (self, job, worker);
    if (begun)
        dispatch_began (self, worker, id, attempt);
    return true;
}

enum dispatch_verdict
dispatch_settle (struct dispatch *self, struct dispatch_worker *worker, const struct dispatch_job **which)
{
    for (struct dispatch_list *entry = worker->jobs.prev; entry != &worker->jobs; entry = entry->prev)
        if (job_of (entry)->doubted) {
            *which = job_of (entry);
            return job_lose (self, job_of (entry), (*which)->state == JOB_RUNNING);
        }
    return DISPATCH_STALE;
}

/* -------------------------------------------------------------------- retracting */

/*  The last job of the worker that has not begun, beyond those that its slots will take next. */
static struct dispatch_job *
worker_spare_job (struct dispatch_worker *worker)
{
    if (!worker->window || worker->held <= worker->slots)
        return NULL;
    for (struct dispatch_list *entry = worker->jobs.prev; entry != &worker->jobs; entry = entry->prev) {
        struct dispatch_job *job = job_of (entry);
        if (job->state == JOB_GIVEN && !job->retracted && !job->cancelled)
            return job;
    }
    return NULL;
}

static struct dispatch_job *
spare_job_among (struct dispatch_list *workers)
{
    struct dispatch_job *job = NULL;
    for (struct dispatch_list *entry = workers->next; !job && entry != workers; entry = entry->next)
        job = worker_spare_job (worker_of (entry));
    return job;
}

bool
dispatch_may_retract (const struct dispatch *self)
{
    return list_empty (&self->queue) && !list_empty (&self->idle) && self->running > self->begun + self->retracting;
}

struct dispatch_job *
dispatch_retract (struct dispatch *self)
{
    uint64_t idle = 0;
    for (struct dispatch_list *entry = self->idle.next; entry != &self->idle; entry = entry->next)
        idle += (uint64_t) (worker_of (entry)->slots - worker_of (entry)->held);
    if (!list_empty (&self->queue) || self->retracting >= idle)
        return NULL;
    struct dispatch_job *job = spare_job_among (&self->full);
    job = job ? job : spare_job_among (&self->ahead);
    if (job) {
        job->retracted = true;
        self->retracting++;
    }
    return job;
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
    for (struct dispatch_list *entry = self->awaited.next; entry != &self->awaited; entry = entry->next)
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
