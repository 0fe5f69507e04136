/*  pool_deal.c - what a head sends to its workers: jobs, what is to be stopped or given back, acknowledgements */

#include <stdio.h>

#include "core/error.h"
#include "patterns/pool_head.h"

#define RETRACT_AFTER TIME_MS   /*  that a slot is idle while jobs wait at a worker elsewhere, not only on their way  */
#define RETRACT_AGAIN (5 * TIME_MS)

void
head_add_due (struct weft_pool *self, struct worker *worker)
{
    if (worker->due || worker->state >= WORKER_LEAVING)
        return;
    worker->due = true;
    worker->next_due = self->due;
    self->due = worker;
}

void
head_drop_due (struct weft_pool *self, struct worker *worker)
{
    for (struct worker **link = &self->due; *link; link = &(*link)->next_due)
        if (*link == worker) {
            *link = worker->next_due;
            break;
        }
    worker->due = false;
}

/* -------------------------------------------------------------------- cancelling */

int
head_cancel_job (struct weft_pool *self, struct worker *worker, uint64_t id, int64_t attempt, bool running)
{
    int rc = pool_put_cancelled (&worker->cancels[running], id, attempt);
    if (rc)
        return rc;
    worker->cancelled[running]++;
    head_add_due (self, worker);
    return 0;
}

int
head_stop_attempt (struct weft_pool *self, struct dispatch_job *job, int reason)
{
    if (!dispatch_stop (job, reason))
        return 0;
    return head_cancel_job (self, map_entry (job->worker, struct worker, credit), job->id, job->attempt, true);
}

void
head_cancel_all (struct weft_pool *self, bool running)
{
    for (struct worker *worker = self->workers; worker; worker = worker->next) {
        worker->cancel_all[running] = true;
        head_add_due (self, worker);
    }
}

/*  0: sent; else as pool_send. */
static int
send_cancel (struct weft_pool *self, struct worker *worker, bool running, bool all)
{
    struct buffer *list = &worker->cancels[running];
    int rc = pool_put_cancel (&self->body, worker->peer.session, worker->number + 1, running,
                              all ? 0 : worker->cancelled[running]);
    if (rc == 0 && !all)
        rc = buffer_add (&self->body, buffer_data (list), buffer_size (list));
    rc = rc ? rc : pool_send (self->wire, &worker->peer, &self->body, head_now (self));
    if (rc)
        return rc;
    worker->number++;
    if (all)
        worker->cancel_all[running] = false;
    else {
        worker->cancelled[running] = 0;
        buffer_clear (list);
    }
    return 0;
}

static int
send_cancels (struct weft_pool *self, struct worker *worker)
{
    int rc = 0;
    for (int running = 0; rc == 0 && running < 2; running++) {
        if (worker->cancelled[running])
            rc = send_cancel (self, worker, running, false);
        if (rc == 0 && worker->cancel_all[running])
            rc = send_cancel (self, worker, running, true);
    }
    return rc;
}

/* ------------------------------------------------------------------------ dealing */

static int
send_jobs (struct weft_pool *self, struct worker *worker)
{
    struct pool_peer *peer = &worker->peer;
    int rc = pool_put_jobs (&self->body, peer->session, worker->number + 1, peer->safe, worker->batched);
    rc = rc ? rc : buffer_add (&self->body, buffer_data (&worker->batch), buffer_size (&worker->batch));
    rc = rc ? rc : pool_send (self->wire, peer, &self->body, head_now (self));
    if (rc)
        return rc;
    worker->number++;
    worker->batched = 0;
    buffer_clear (&worker->batch);
    return 0;
}

/*  Sends a worker its jobs, or at least what is acknowledged, and then what it is to stop, which may be one of these
 *  jobs. A wire that is full is tried again at the next turn. */
static int
send_due (struct weft_pool *self, struct worker *worker)
{
    int rc;
    if (worker->batched)
        rc = send_jobs (self, worker);
    else {
        rc = pool_put_ack (&self->body, worker->peer.session, worker->peer.safe);
        rc = rc ? rc : pool_send (self->wire, &worker->peer, &self->body, head_now (self));
    }
    return rc ? rc : send_cancels (self, worker);
}

static int
send_all_due (struct weft_pool *self)
{
    struct worker *worker, *later = NULL;
    while ((worker = self->due)) {
        self->due = worker->next_due;
        worker->due = false;
        int rc = worker->away ? 0 : send_due (self, worker);
        if (rc == WEFT_ENOPEER)
            head_miss (self, worker, "its connection is gone");
        else if (rc == WEFT_EAGAIN) {
            worker->next_due = later;
            worker->due = true;
            later = worker;
        }
        else if (rc)
            return rc;
    }
    self->due = later;
    return 0;
}

/*  What waits at a busy worker while another has nothing to do: the tail of a run, or a slow worker. */
static int
retract (struct weft_pool *self, int64_t now)
{
    struct dispatch_job *job;
    int rc = 0;
    if (!dispatch_may_retract (&self->dispatch)) {
        self->retract_at = TIME_FOREVER;
        return 0;
    }
    if (self->retract_at != TIME_FOREVER && now < self->retract_at)
        return 0;
    bool first = self->retract_at == TIME_FOREVER;
    self->retract_at = now + (first ? RETRACT_AFTER : RETRACT_AGAIN);
    while (!first && rc == 0 && (job = dispatch_retract (&self->dispatch))) {
        self->retract_at = now + RETRACT_AFTER;
        rc = head_cancel_job (self, map_entry (job->worker, struct worker, credit), job->id, job->attempt, false);
    }
    return rc;
}

void
head_delay (struct weft_pool *self)
{
    if (self->config.delay)
        self->start_at = clock_deadline (self->weft->clock, self->config.delay);
}

/*  With a delay one job at a time is on its way to its start, so that it is the start that is delayed. */
static bool
may_start (struct weft_pool *self, int64_t now)
{
    if (self->paused || !self->config.delay)
        return !self->paused;
    if (self->start_at != TIME_FOREVER && now >= self->start_at)
        self->start_at = TIME_FOREVER;
    return self->start_at == TIME_FOREVER && self->dispatch.running == self->dispatch.begun;
}

/*  A job that has to wait for another worker: said once for all that ask for the same. */
static void
tell_hopeless (struct weft_pool *self)
{
    struct dispatch_wants wants;
    struct dispatch_job *job;
    while ((job = dispatch_hopeless (&self->dispatch, &wants))) {
        char memory[48] = "";
        if (wants.memory)
            snprintf (memory, sizeof memory, " and %llu MiB of memory", (unsigned long long) (wants.memory >> 20));
        log_warning (&self->weft->log, "pool: job %llu asks for %d core%s%s, more than any worker has: such jobs wait "
                     "for one that has it; start it (its slots are its cores), or ask for less",
                     (unsigned long long) job->id, wants.cores, wants.cores == 1 ? "" : "s", memory);
    }
}

int
head_deal (struct weft_pool *self, int64_t now)
{
    struct dispatch_job *job;
    int rc;
    while (may_start (self, now) && (job = dispatch_assign (&self->dispatch))) {
        struct worker *worker = map_entry (job->worker, struct worker, credit);
        rc = pool_put_job (&worker->batch, job->id, job->attempt, job->spec, job->size);
        if (rc)
            return rc;
        worker->batched++;
        head_add_due (self, worker);
        if (buffer_size (&worker->batch) >= POOL_BATCH && (rc = send_all_due (self)))
            return rc;
    }
    tell_hopeless (self);
    rc = retract (self, now);
    return rc ? rc : send_all_due (self);
}
