/*  pool_dispatch_queue.c - the jobs that wait for a worker, in the order in which they are dealt */

#include <stdlib.h>

#include "patterns/pool_dispatch_parts.h"

#define LEVELS 16               /*  as many times `queue` may wait, of all priorities   */

struct dispatch_level *
dispatch_level (const struct dispatch *self, int priority)
{
    struct dispatch_level *level = self->levels;
    while (level && level->priority > priority)
        level = level->next;
    return level && level->priority == priority ? level : NULL;
}

struct dispatch_level *
queue_add_level (struct dispatch *self, int priority)
{
    struct dispatch_level *level = dispatch_level (self, priority), **link = &self->levels;
    if (level || !(level = calloc (1, sizeof *level)))
        return level;
    while (*link && (*link)->priority > priority)
        link = &(*link)->next;
    level->priority = priority;
    level->limit = self->limit;
    list_init (&level->queue);
    level->next = *link;
    *link = level;
    return level;
}

void
queue_free_levels (struct dispatch *self)
{
    for (struct dispatch_level *level; (level = self->levels); ) {
        self->levels = level->next;
        free (level);
    }
}

/*  Those that are cancelled leave their level for good. */
void
job_enqueue (struct dispatch *self, struct dispatch_job *job, bool front)
{
    struct dispatch_list *list = job->cancelled ? &self->ending : &job->level->queue;
    job->state = job->cancelled ? JOB_ENDING : JOB_WAITING;
    if (front)
        list_insert (list, &job->link);
    else
        list_append (list, &job->link);
    job->level->waiting += !job->cancelled;
    self->queued += !job->cancelled;
    self->waiting++;
    self->waiting_bytes += job->size;
}

void
job_dequeue (struct dispatch *self, struct dispatch_job *job)
{
    list_remove (&job->link);
    job->level->waiting -= job->state == JOB_WAITING;
    self->queued -= job->state == JOB_WAITING;
    self->waiting--;
    self->waiting_bytes -= job->size;
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

/*  What is not accepted yet is in nobody's way; what only waits for its mark will be dealt in a moment. */
struct dispatch_job *
queue_first (const struct dispatch *self)
{
    for (const struct dispatch_level *level = self->levels; level && self->queued; level = level->next)
        if (level->waiting) {
            struct dispatch_job *job = job_of (level->queue.next);
            if (job->id <= level->limit)
                return job;
            if (job->id <= self->accepted)
                break;
        }
    return NULL;
}

bool
dispatch_is_held (const struct dispatch *self)
{
    bool credit = !list_empty (&self->idle) || !list_empty (&self->ahead);
    for (const struct dispatch_level *level = self->levels; credit && level; level = level->next)
        if (level->waiting && job_of (level->queue.next)->id > level->limit)
            return true;
    return false;
}

uint64_t
dispatch_reach (const struct dispatch_level *level, uint64_t count, uint64_t *covered)
{
    uint64_t highest = 0;
    *covered = 0;
    for (struct dispatch_list *entry = level->queue.next; entry != &level->queue && *covered < count;
         entry = entry->next, ++*covered)
        if (job_of (entry)->id > highest)
            highest = job_of (entry)->id;
    return highest;
}
