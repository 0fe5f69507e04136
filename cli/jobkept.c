/*  jobkept.c - jobs by their ids, as a pool with a ledger tells of them */

#include "cli/jobkept.h"

#include <stdlib.h>

#include "core/error.h"

struct kept {
    struct map_node node;
    uint64_t id;
    struct viewjob *job;
};

int
jobkept_init (struct jobkept *self)
{
    int rc = map_init (&self->jobs);
    self->ready = rc == 0;
    return rc;
}

void
jobkept_free (struct jobkept *self)
{
    for (size_t i = 0; self->ready && i <= self->jobs.mask; i++)
        for (struct map_node *node; (node = self->jobs.buckets[i]); ) {
            map_remove (&self->jobs, node);
            free (map_entry (node, struct kept, node));
        }
    if (self->ready)
        map_free (&self->jobs);
    self->ready = false;
}

static struct kept *
find (const struct jobkept *self, uint64_t id)
{
    for (struct map_node *node = map_first (&self->jobs, hash_number (id)); node; node = map_next (node))
        if (map_entry (node, struct kept, node)->id == id)
            return map_entry (node, struct kept, node);
    return NULL;
}

struct viewjob *
jobkept_job (struct jobkept *self, const weft_pool_event_t *event, struct jobout *line, struct viewjob **jobs, int *rc)
{
    struct kept *kept = find (self, event->job);
    *rc = 0;
    if (kept)
        return kept->job;
    kept = malloc (sizeof *kept);
    struct viewjob *job = kept ? viewjob_new (event->command ? event->command : "", NULL, NULL) : NULL;
    if (!job) {
        free (kept);
        *rc = error_set (WEFT_ENOMEM, "out of memory");
        return NULL;
    }
    kept->id = event->job;
    kept->job = job;
    map_add (&self->jobs, &kept->node, hash_number (kept->id));
    viewjob_link (job, jobs);
    jobview_begin (line, job, event->job, ++self->met);
    if (event->slot > 0)
        *rc = viewjob_slot (job, event->slot);
    return job;
}

void
jobkept_drop (struct jobkept *self, uint64_t id)
{
    struct kept *kept = find (self, id);
    if (!kept)
        return;
    map_remove (&self->jobs, &kept->node);
    free (kept);
}
