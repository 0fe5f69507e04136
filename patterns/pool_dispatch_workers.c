/*  pool_dispatch_workers.c - workers by the room that they have, and which of them a job fits */

#include "patterns/pool_dispatch_parts.h"

static void
worker_place (struct dispatch *self, struct dispatch_worker *worker)
{
    struct list *lists[] = { &self->idle, &self->ahead, &self->full };
    if (worker->used >= worker->window)
        worker->credit = WORKER_FULL;
    else
        worker->credit = worker->used < worker->slots ? WORKER_IDLE : WORKER_AHEAD;
    list_remove (&worker->link);
    list_append (lists[worker->credit], &worker->link);
}

/*  There may be room where there was none: lanes look again. */
static void
worker_changed (struct dispatch *self, struct dispatch_worker *worker)
{
    self->room++;
    self->members++;
    if (worker == self->kept_free && !worker->window)
        queue_keep_free (self, NULL, NULL);
}

void
dispatch_join (struct dispatch *self, struct dispatch_worker *worker, int slots, int window)
{
    list_init (&worker->link);
    list_init (&worker->jobs);
    worker->held = worker->began = worker->used = 0;
    worker->memory = worker->memory_used = 0;
    worker->able = false;
    worker->slots = slots;
    worker->window = window;
    self->slots += (uint64_t) slots;
    worker_place (self, worker);
    worker_changed (self, worker);
}

void
dispatch_equip (struct dispatch *self, struct dispatch_worker *worker, uint64_t memory)
{
    worker->able = true;
    worker->memory = memory;
    worker_changed (self, worker);
}

void
dispatch_set_window (struct dispatch *self, struct dispatch_worker *worker, int window)
{
    if (worker->window == window)
        return;
    worker->window = window;
    worker_place (self, worker);
    worker_changed (self, worker);
}

void
dispatch_leave (struct dispatch *self, struct dispatch_worker *worker)
{
    list_remove (&worker->link);
    worker->window = 0;
    self->slots -= (uint64_t) worker->slots;
    worker_changed (self, worker);
}

void
worker_take (struct dispatch *self, struct dispatch_worker *worker, const struct dispatch_job *job)
{
    worker->held++;
    worker->used += job->lane->cores;
    worker->memory_used += job->lane->memory;
    worker_place (self, worker);
}

void
worker_drop (struct dispatch *self, struct dispatch_worker *worker, const struct dispatch_job *job)
{
    worker->held--;
    worker->used -= job->lane->cores;
    worker->memory_used -= job->lane->memory;
    self->room++;
    worker_place (self, worker);
}

/* ------------------------------------------------------------------- fitting */

/*  Could it hold such a job, if it had no other? */
static bool
worker_suits (const struct dispatch_worker *worker, const struct dispatch_lane *lane)
{
    return worker->window && (lane_is_plain (lane) || (worker->able && worker->slots >= lane->cores
                                                  && worker->memory >= lane->memory));
}

/*  Such jobs are not sent ahead: they begin at once. */
static bool
worker_fits (const struct dispatch_worker *worker, const struct dispatch_lane *lane)
{
    int least = worker->slots < worker->window ? worker->slots : worker->window;
    return worker_suits (worker, lane) && worker->used + lane->cores <= least
        && worker->memory_used <= worker->memory && worker->memory - worker->memory_used >= lane->memory;
}

static bool
is_kept (const struct dispatch *self, const struct dispatch_worker *worker, const struct dispatch_lane *lane)
{
    return worker == self->kept_free && lane != self->urgent;
}

/*  The nearer the end, the less is sent ahead, so that little is with one worker when another has nothing to do: no
 *  more than half of its share in what is left. One that has no other beside it may have all. */
static bool
may_have_more (const struct dispatch *self, const struct dispatch_worker *worker)
{
    uint64_t slots = (uint64_t) worker->slots, ahead = (uint64_t) (worker->used - worker->slots);
    return worker->used < worker->slots || slots >= self->slots
        || (ahead + 1) * 2 * self->slots <= (self->queued + self->beyond) * slots;
}

/*  Each in its turn. */
static struct dispatch_worker *
first_but_kept (const struct dispatch *self, const struct list *workers, const struct dispatch_lane *lane)
{
    for (struct list *entry = workers->next; entry != workers; entry = entry->next)
        if (!is_kept (self, worker_of (entry), lane) && may_have_more (self, worker_of (entry)))
            return worker_of (entry);
    return NULL;
}

/*  That which has least to spare, so that what is larger finds room, too. */
static struct dispatch_worker *
tightest (const struct dispatch *self, const struct dispatch_lane *lane)
{
    struct dispatch_worker *best = NULL;
    for (struct list *entry = self->idle.next; entry != &self->idle; entry = entry->next) {
        struct dispatch_worker *worker = worker_of (entry);
        if (!is_kept (self, worker, lane) && worker_fits (worker, lane)
            && (!best || worker->slots - worker->used < best->slots - best->used))
            best = worker;
    }
    return best;
}

struct dispatch_worker *
worker_for (const struct dispatch *self, struct dispatch_lane *lane)
{
    struct dispatch_worker *worker = NULL;
    if (lane->full_at == self->room && !lane_is_plain (lane))
        return NULL;
    if (!lane_is_plain (lane))
        worker = tightest (self, lane);
    else if (!(worker = first_but_kept (self, &self->idle, lane)) && !self->idle_only)
        worker = first_but_kept (self, &self->ahead, lane);
    if (!worker)
        lane->full_at = self->room;
    return worker;
}

static struct dispatch_worker *
roomiest (const struct list *workers, const struct dispatch_lane *lane, struct dispatch_worker *best)
{
    for (struct list *entry = workers->next; entry != workers; entry = entry->next) {
        struct dispatch_worker *worker = worker_of (entry);
        if (worker_suits (worker, lane) && (!best || worker->slots - worker->used > best->slots - best->used))
            best = worker;
    }
    return best;
}

struct dispatch_worker *
worker_suiting (const struct dispatch *self, const struct dispatch_lane *lane)
{
    struct dispatch_worker *best = roomiest (&self->idle, lane, NULL);
    best = roomiest (&self->ahead, lane, best);
    return roomiest (&self->full, lane, best);
}

bool
worker_ever (const struct dispatch *self, struct dispatch_lane *lane)
{
    if (lane->members != self->members) {
        lane->members = self->members;
        lane->hopeless = !worker_suiting (self, lane);
        lane->told &= lane->hopeless;
    }
    return !lane->hopeless;
}

struct dispatch_job *
dispatch_hopeless (struct dispatch *self, struct dispatch_wants *wants)
{
    if (self->looked_at == self->room)
        return NULL;
    self->looked_at = self->room;
    for (struct dispatch_level *level = self->slots ? self->levels : NULL; level; level = level->next)
        for (struct dispatch_lane *lane = level->lanes; lane; lane = lane->next) {
            if (lane_is_plain (lane) || worker_ever (self, lane) || lane->told || list_empty (&lane->queue))
                continue;
            lane->told = true;
            self->looked_at = UINT64_MAX;           /*  there may be another */
            *wants = (struct dispatch_wants) { level->priority, lane->cores, lane->memory };
            return job_of (lane->queue.next);
        }
    return NULL;
}
