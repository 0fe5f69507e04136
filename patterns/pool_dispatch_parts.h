/*  pool_dispatch_parts.h - what the files of the dispatch have in common, and nobody else sees */

#ifndef WEFT_PATTERNS_POOL_DISPATCH_PARTS_H
#define WEFT_PATTERNS_POOL_DISPATCH_PARTS_H

#include "patterns/pool_dispatch.h"

#define job_of(entry) map_entry (entry, struct dispatch_job, link)
#define worker_of(entry) map_entry (entry, struct dispatch_worker, link)

/*  Of jobs that ask for no more than a slot. */
static inline bool
lane_is_plain (const struct dispatch_lane *lane)
{
    return lane->cores == 1 && !lane->memory;
}

/*  NULL for lack of memory. */
struct dispatch_lane *queue_add_lane (struct dispatch *self, const struct dispatch_wants *wants);
void queue_free_levels (struct dispatch *self);

/*  A job of the lane has ended. */
void queue_drop (struct dispatch *self, struct dispatch_lane *lane);

/*  The next job to be dealt, and for whom; or NULL. */
struct dispatch_job *queue_next (struct dispatch *self, struct dispatch_worker **worker);

/*  From now on the worker is kept for that lane. */
void queue_keep_free (struct dispatch *self, struct dispatch_lane *lane, struct dispatch_worker *worker);

/*  One that has room for the first of the lane now; NULL. One that would have it if it had no job; is there any? */
struct dispatch_worker *worker_for (const struct dispatch *self, struct dispatch_lane *lane);
struct dispatch_worker *worker_suiting (const struct dispatch *self, const struct dispatch_lane *lane);
bool worker_ever (const struct dispatch *self, struct dispatch_lane *lane);

/*  Counts the job in, or out. */
void worker_take (struct dispatch *self, struct dispatch_worker *worker, const struct dispatch_job *job);
void worker_drop (struct dispatch *self, struct dispatch_worker *worker, const struct dispatch_job *job);

/*  Into the queue of its lane, or when it is cancelled among those that end, or aside while an attempt is owed; out of
 *  these, or of wherever it is. */
void job_enqueue (struct dispatch *self, struct dispatch_job *job, bool front);
void job_dequeue (struct dispatch *self, struct dispatch_job *job);
void job_withdraw (struct dispatch *self, struct dispatch_job *job);

struct dispatch_job *job_find (const struct dispatch *self, uint64_t id);

/*  To a worker, and from it. */
void job_give (struct dispatch *self, struct dispatch_job *job, struct dispatch_worker *worker);
void job_release (struct dispatch *self, struct dispatch_job *job);

/*  It begins, or is with the worker no more: it is not waited for any longer. */
void job_unretract (struct dispatch *self, struct dispatch_job *job);

/*  It is `ended` now, and in no list any more. */
enum dispatch_verdict job_end (struct dispatch *self, struct dispatch_job *job, bool failed);

#endif
