/*  pool_dispatch_queue.c - the jobs that wait for a worker, in the order in which they are dealt
 *
 *  Each priority is a level, and in it those that ask for the same are a lane, in the order of their coming. The
 *  first of a lane stands for all of it: where that does not fit, none of them does. */

#include <stdlib.h>

#include "patterns/pool_dispatch_parts.h"

#define LEVELS 16               /*  as many times `queue` may wait, of all priorities   */
#define LOOK 64                 /*  lanes that are asked of a priority                 */
#define first_of(lane) job_of ((lane)->queue.next)

struct dispatch_level *
dispatch_level (const struct dispatch *self, int priority)
{
    struct dispatch_level *level = self->levels;
    while (level && level->priority > priority)
        level = level->next;
    return level && level->priority == priority ? level : NULL;
}

static struct dispatch_level *
add_level (struct dispatch *self, int priority)
{
    struct dispatch_level *level = dispatch_level (self, priority), **link = &self->levels;
    if (level || !(level = calloc (1, sizeof *level)))
        return level;
    while (*link && (*link)->priority > priority)
        link = &(*link)->next;
    level->priority = priority;
    level->limit = self->limit;
    level->next = *link;
    *link = level;
    return level;
}

struct dispatch_lane *
queue_add_lane (struct dispatch *self, const struct dispatch_wants *wants)
{
    struct dispatch_level *level = add_level (self, wants->priority);
    struct dispatch_lane *lane = level ? level->lanes : NULL;
    int cores = wants->cores > 1 ? wants->cores : 1;
    while (lane && (lane->cores != cores || lane->memory != wants->memory))
        lane = lane->next;
    if (lane || !level || !(lane = calloc (1, sizeof *lane)))
        return lane;
    lane->level = level;
    lane->cores = cores;
    lane->memory = wants->memory;
    lane->full_at = UINT64_MAX;
    self->room += cores > 1 || lane->memory;
    list_init (&lane->queue);
    lane->next = level->lanes;
    level->lanes = lane;
    return lane;
}

void
queue_free_levels (struct dispatch *self)
{
    for (struct dispatch_level *level; (level = self->levels); ) {
        for (struct dispatch_lane *lane; (lane = level->lanes); ) {
            level->lanes = lane->next;
            free (lane);
        }
        self->levels = level->next;
        free (level);
    }
}

void
queue_drop (struct dispatch *self, struct dispatch_lane *lane)
{
    if (--lane->jobs)
        return;
    for (struct dispatch_lane **link = &lane->level->lanes; *link; link = &(*link)->next)
        if (*link == lane) {
            *link = lane->next;
            break;
        }
    if (self->urgent == lane)
        queue_keep_free (self, NULL, NULL);
    free (lane);
}

/*  Those that are cancelled leave their lane for good. */
void
job_enqueue (struct dispatch *self, struct dispatch_job *job, bool front)
{
    struct list *list = job->cancelled ? &self->ending : job->owed ? &self->held : &job->lane->queue;
    job->state = job->cancelled ? JOB_ENDING : job->owed ? JOB_HELD : JOB_WAITING;
    if (front)
        list_insert (list, &job->link);
    else
        list_append (list, &job->link);
    job->queued = self->now;
    job->lane->level->waiting += job->state == JOB_WAITING;
    self->queued_plain += job->state == JOB_WAITING && lane_is_plain (job->lane);
    self->queued += job->state == JOB_WAITING;
    self->waiting++;
    self->waiting_bytes += job->size;
}

void
job_dequeue (struct dispatch *self, struct dispatch_job *job)
{
    bool first = job->state == JOB_WAITING && first_of (job->lane) == job;
    list_remove (&job->link);
    job->lane->level->waiting -= job->state == JOB_WAITING;
    self->queued -= job->state == JOB_WAITING;
    self->queued_plain -= job->state == JOB_WAITING && lane_is_plain (job->lane);
    self->waiting--;
    self->waiting_bytes -= job->size;
    if (!first)
        return;
    job->lane->passed = 0;
    if (self->urgent == job->lane)
        queue_keep_free (self, NULL, NULL);
}

/*  A level that is full does not hold up those of other priorities; all together are bounded, too. */
bool
dispatch_has_room (const struct dispatch *self, int priority)
{
    const struct dispatch_level *level = dispatch_level (self, priority);
    uint64_t most = (uint64_t) self->limits.queue;
    return (!level || level->waiting < most) && self->waiting / LEVELS < most
        && self->waiting_bytes < (uint64_t) self->limits.queue_bytes;
}

/* ------------------------------------------------------------------ in order */

/*  The lane whose first job comes next in the level, after that with the id `after`; NULL past the last. */
static struct dispatch_lane *
next_lane (const struct dispatch_level *level, uint64_t after)
{
    struct dispatch_lane *next = NULL;
    for (struct dispatch_lane *lane = level->lanes; lane; lane = lane->next)
        if (!list_empty (&lane->queue) && first_of (lane)->id > after
            && (!next || first_of (lane)->id < first_of (next)->id))
            next = lane;
    return next;
}

/*  What does not fit now is passed by jobs after it that do, as many as there are slots. Then a worker is kept free
 *  for it. */
struct dispatch_job *
queue_next (struct dispatch *self, struct dispatch_worker **worker)
{
    struct dispatch_lane *passed = NULL;
    for (const struct dispatch_level *level = self->levels; level && self->queued; level = level->next) {
        if (!level->waiting)
            continue;
        uint64_t after = 0;
        struct dispatch_lane *lane;
        for (int look = 0; look < LOOK && (lane = next_lane (level, after)); look++) {
            struct dispatch_job *job = first_of (lane);
            after = job->id;
            if (job->id > level->limit && job->id <= self->accepted)
                return NULL;            /*  only its mark is missing: in a moment */
            if (job->id > level->limit)
                break;                  /*  it, and all after it, are not accepted yet: in nobody's way */
            if ((*worker = worker_for (self, lane))) {
                if (passed)
                    passed->passed++;
                return job;
            }
            if (passed || !worker_ever (self, lane))
                continue;
            passed = lane;
            if (lane->passed >= self->slots && self->urgent != lane)
                queue_keep_free (self, lane, worker_suiting (self, lane));
        }
    }
    return NULL;
}

void
queue_keep_free (struct dispatch *self, struct dispatch_lane *lane, struct dispatch_worker *worker)
{
    self->urgent = lane;
    self->kept_free = worker;
    self->room++;
}

bool
dispatch_is_held (const struct dispatch *self)
{
    bool credit = !list_empty (&self->idle) || !list_empty (&self->ahead);
    for (const struct dispatch_level *level = self->levels; credit && level; level = level->next)
        for (const struct dispatch_lane *lane = level->lanes; lane; lane = lane->next)
            if (!list_empty (&lane->queue) && first_of (lane)->id > level->limit)
                return true;
    return false;
}

uint64_t
dispatch_reach (const struct dispatch_level *level, uint64_t count, uint64_t *covered)
{
    uint64_t highest = 0;
    *covered = 0;
    for (const struct dispatch_lane *lane = level->lanes; lane; lane = lane->next) {
        uint64_t left = count;
        for (struct list *entry = lane->queue.next; entry != &lane->queue && left; entry = entry->next) {
            highest = job_of (entry)->id > highest ? job_of (entry)->id : highest;
            left--;
            ++*covered;
        }
    }
    return highest;
}
