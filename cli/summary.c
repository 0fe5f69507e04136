/*  summary.c - what a run did: jobs, rate, overhead, and each worker's share */

#include "cli/summary.h"

#include <stdlib.h>
#include <string.h>

#include "core/clock.h"

#define WORKERS_SHOWN 20

void
summary_free (struct summary *self)
{
    for (size_t i = 0; i < self->count; i++)
        free (self->workers[i].name);
    free (self->workers);
    *self = (struct summary){ .count = 0 };
}

/*  The entry of that name; a new one unless there are too many, or no memory: then
 *  what it does counts only in the whole. */
static struct summary_worker *
summary_worker (struct summary *self, const char *name)
{
    for (size_t i = self->count; i-- > 0;)
        if (strcmp (self->workers[i].name, name) == 0)
            return &self->workers[i];
    if (self->count == SUMMARY_WORKERS_MAX)
        return NULL;
    struct summary_worker *workers = realloc (self->workers, (self->count + 1) * sizeof *workers);
    char *copy = strdup (name);
    if (workers)
        self->workers = workers;
    if (!workers || !copy) {
        free (copy);
        return NULL;
    }
    workers[self->count] = (struct summary_worker){ .name = copy };
    return &workers[self->count++];
}

static void
summary_done (struct summary *self, const weft_pool_event_t *event, bool failed, int64_t now)
{
    self->jobs++;
    self->failed += failed;
    self->busy += event->runtime;
    self->last = now;
    int64_t began = now - event->runtime * TIME_US;     /*  its STARTED may have come with it */
    if (!self->first || began < self->first)
        self->first = began;
    struct summary_worker *worker = event->worker ? summary_worker (self, event->worker) : NULL;
    if (!worker)
        return;
    worker->jobs++;
    worker->busy += event->runtime;
}

void
summary_event (struct summary *self, const weft_pool_event_t *event, bool failed, int64_t now)
{
    struct summary_worker *worker = NULL;
    switch (event->kind) {
    case WEFT_POOL_STARTED:
        if (!self->first)
            self->first = now;
        break;
    case WEFT_POOL_RETRY:
        self->retries++;
        break;
    case WEFT_POOL_DONE:
        summary_done (self, event, failed, now);
        break;
    case WEFT_POOL_JOINED:
        worker = summary_worker (self, event->worker);
        if (worker)
            worker->slots = (uint64_t) event->slots;
        self->slots += (uint64_t) event->slots;
        self->slots_most = self->slots > self->slots_most ? self->slots : self->slots_most;
        break;
    case WEFT_POOL_LEFT:
        worker = summary_worker (self, event->worker);
        self->slots -= worker && worker->slots < self->slots ? worker->slots : 0;
        break;
    default:
        break;
    }
}

static const char *
plural (uint64_t count)
{
    return count == 1 ? "" : "s";
}

void
summary_write (const struct summary *self, const char *name, FILE *out)
{
    double wall = (double) (self->last - self->first) / (double) TIME_S;
    double jobs = (double) self->jobs;
    fprintf (out, "weft %s: %llu job%s, %llu failed", name, (unsigned long long) self->jobs, plural (self->jobs),
             (unsigned long long) self->failed);
    if (self->retries)
        fprintf (out, ", %llu retried", (unsigned long long) self->retries);
    if (self->jobs && wall > 0) {
        double busy = (double) self->busy / 1e6, overhead = (wall * (double) self->slots_most - busy) / jobs;
        fprintf (out, " in %.2f s: %.1f jobs/s, overhead %.0f us a job", wall, jobs / wall,
                 overhead > 0 ? overhead * 1e6 : 0);
    }
    fputc ('\n', out);
    for (size_t i = 0; i < self->count && i < WORKERS_SHOWN; i++) {
        const struct summary_worker *worker = &self->workers[i];
        double part = jobs > 0 ? (double) worker->jobs / jobs * 100 : 0;
        double slots = (double) worker->slots;
        double busy = wall > 0 && slots > 0 ? (double) worker->busy / 1e6 / wall / slots * 100 : 0;
        fprintf (out, "weft %s:   %s: %llu slot%s, %llu job%s (%.0f%%), busy %.0f%%\n", name, worker->name,
                 (unsigned long long) worker->slots, plural (worker->slots), (unsigned long long) worker->jobs,
                 plural (worker->jobs), part, busy < 100 ? busy : 100);
    }
    if (self->count > WORKERS_SHOWN)
        fprintf (out, "weft %s:   and %zu more\n", name, self->count - WORKERS_SHOWN);
    fflush (out);
}
