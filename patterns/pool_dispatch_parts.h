/*  pool_dispatch_parts.h - what the files of the dispatch have in common, and nobody else sees */

#ifndef WEFT_PATTERNS_POOL_DISPATCH_PARTS_H
#define WEFT_PATTERNS_POOL_DISPATCH_PARTS_H

#include "patterns/pool_dispatch.h"

#define job_of(entry) map_entry (entry, struct dispatch_job, link)
#define worker_of(entry) map_entry (entry, struct dispatch_worker, link)

static inline void
list_init (struct dispatch_list *self)
{
    self->prev = self->next = self;
}

static inline bool
list_empty (const struct dispatch_list *self)
{
    return self->next == self;
}

static inline void
list_insert (struct dispatch_list *after, struct dispatch_list *entry)
{
    entry->prev = after;
    entry->next = after->next;
    after->next->prev = entry;
    after->next = entry;
}

static inline void
list_append (struct dispatch_list *self, struct dispatch_list *entry)
{
    list_insert (self->prev, entry);
}

static inline void
list_remove (struct dispatch_list *entry)
{
    entry->prev->next = entry->next;
    entry->next->prev = entry->prev;
    list_init (entry);
}

/*  NULL for lack of memory. */
struct dispatch_level *queue_add_level (struct dispatch *self, int priority);
void queue_free_levels (struct dispatch *self);

/*  The next to be dealt; or NULL. */
struct dispatch_job *queue_first (const struct dispatch *self);

/*  Into the queue of its level, or when it is cancelled among those that end; out of either, or of wherever it is. */
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
