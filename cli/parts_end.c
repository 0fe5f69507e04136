/*  parts_end.c - the ends of parts: who is told to stop when, and what follows from a failure */

#include "cli/parts_inside.h"

#include <signal.h>

#include "core/clock.h"

#define REST_MIN (100 * TIME_MS)            /*  before a part is started again  */
#define REST_MAX (30 * TIME_S)
#define WELL_AFTER (60 * TIME_S)            /*  a failure after so long is the first one again  */

/* ---------------------------------------------------------------- being told to */

static void
rank_all (struct parts *self)
{
    struct fabric_part *configs[self->count + 1];
    unsigned ranks[self->count + 1];
    for (size_t i = 0; i < self->count; i++)
        configs[i] = self->list[i]->config;
    fabric_end_ranks (configs, self->count, ranks);
    for (size_t i = 0; i < self->count; i++)
        self->list[i]->rank = ranks[i];
}

/*  A worker whose heads are all parts that have ended would wait for them in vain. */
static bool
is_left (const struct parts *self, const struct part *part)
{
    if (!fabric_works_inside (part->config))
        return false;
    for (size_t i = 0; i < self->count; i++)
        if (self->list[i]->state != PART_OVER && fabric_works_for (part->config, self->list[i]->config))
            return false;
    return true;
}

bool
parts_is_to_end (const struct parts *self, const struct part *part)
{
    return part_is_alive (part) && (self->ending || part->old || is_left (self, part));
}

void
parts_stop_next (struct parts *self)
{
    unsigned lowest = UINT32_MAX;
    int number = self->cli->signal ? self->cli->signal (self->cli) : 0;
    rank_all (self);
    for (size_t i = 0; i < self->count; i++)
        if (parts_is_to_end (self, self->list[i]) && self->list[i]->rank < lowest)
            lowest = self->list[i]->rank;
    for (size_t i = 0; i < self->count; i++) {
        struct part *part = self->list[i];
        if (!parts_is_to_end (self, part))
            continue;
        int told = atomic_load (&part->stops);
        if (self->stops > 1 ? told < 2 : told == 0 && part->rank == lowest)
            part_stop (part, number ? number : SIGTERM);
        else if (told)
            part_nudge (part);
    }
}

void
parts_end_all (struct parts *self)
{
    self->ending = true;
    for (size_t i = 0; i < self->count; i++)
        if (!part_is_alive (self->list[i]))
            self->list[i]->state = PART_OVER;
}

bool
parts_stopping (const struct parts *self)
{
    return self->ending;
}

/* ---------------------------------------------------------------- failures */

static void
rest (struct parts *self, struct part *part)
{
    int64_t now = clock_now (clock_system ()), pause = REST_MIN;
    part->failures = now - part->began > WELL_AFTER ? 1 : part->failures + 1;
    for (unsigned i = 1; i < part->failures && pause < REST_MAX; i++)
        pause *= 2;
    pause = pause < REST_MAX ? pause : REST_MAX;
    part->due = now + pause;
    part->state = PART_RESTING;
    cli_error (self->cli, "%s failed with status %d: it is started again in %lld ms", part->config->name, part->status,
               (long long) (pause / TIME_MS));
}

static void
has_failed (struct parts *self, struct part *part)
{
    const char *name = part->config->name;
    part->failed++;
    if (self->ending || part->old)
        self->status = self->status ? self->status : part->status;
    else if (part->config->restart == FABRIC_ON_FAILURE)
        rest (self, part);
    else if (part->config->restart == FABRIC_NEVER) {
        self->status = self->status ? self->status : part->status;
        cli_error (self->cli, "%s failed with status %d: the others go on without it", name, part->status);
    } else {
        self->status = part->status;
        cli_error (self->cli, "%s failed with status %d, and so all end (restart = on-failure starts it again, never "
                   "goes on without it)", name, part->status);
        parts_end_all (self);
    }
}

void
parts_has_ended (struct parts *self, struct part *part)
{
    cli_detail (self->cli, "%s has ended with status %d", part->config->name, part->status);
    if (part->status != EXIT_OK)
        has_failed (self, part);
}
