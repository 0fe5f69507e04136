/*  pool_ledger_jobs.c - the jobs that a head's ledger has: known by content, accepted, and which may be dealt */

#include "patterns/pool_ledger_jobs.h"

#include <stdlib.h>

#include "core/error.h"

/*  Jobs whose tickets and ids go up together. */
struct book_range {
    struct book_range *next;
    uint64_t ticket, id, count;         /*  of the first; how many                      */
};

/* ---------------------------------------------------------------- jobs by content */

static int
know (void *arg, uint64_t id, const unsigned char *hash)
{
    return known_add (arg, id, hash);
}

static int
learn_content (struct book *self)
{
    int rc = known_init (&self->known, self->found.jobs);
    rc = rc ? rc : ledger_hashes (self->ledger, know, &self->known);
    return rc < 0 ? rc : 0;
}

int
book_find (struct book *self, const unsigned char *hash, uint64_t *id)
{
    return known_take (&self->known, hash, id);
}

void
book_stop_finding (struct book *self)
{
    known_free (&self->known);
}

/* -------------------------------------------------------------------- priorities */

struct book_level *
book_level (struct book *self, int priority)
{
    struct book_level **link = &self->levels, *level;
    while (*link && (*link)->priority > priority)
        link = &(*link)->next;
    if (*link && (*link)->priority == priority)
        return *link;
    level = calloc (1, sizeof *level);
    if (!level) {
        error_set (WEFT_ENOMEM, "out of memory for jobs of priority %d", priority);
        return NULL;
    }
    level->priority = priority;
    level->next = *link;
    return *link = level;
}

static int
learn_level (void *arg, uint64_t id, int priority, bool dealt)
{
    struct book *self = arg;
    struct book_level *level = book_level (self, priority);
    if (!level)
        return WEFT_ENOMEM;
    if (!dealt)
        book_count (self, level, 1);
    else if (id > level->mark)
        level->found = level->mark = level->dealt = id;
    return 0;
}

void
book_count (struct book *self, struct book_level *level, int unloaded)
{
    level->unloaded += (uint64_t) unloaded;
    self->unloaded += (uint64_t) unloaded;
}

void
book_pass_over (struct book *self)
{
    self->unloaded = 0;
    for (struct book_level *level = self->levels; level; level = level->next) {
        level->loaded = self->last_id;
        level->unloaded = 0;
    }
}

/* ---------------------------------------------------------------- accepting jobs */

bool
book_has_room (const struct book *self)
{
    return self->last - self->durable < BOOK_WAITING && self->refused_at != self->durable;
}

static int
add_range (struct book *self, uint64_t ticket, uint64_t id)
{
    struct book_range *last = self->accepted ? map_entry (self->last_accepted, struct book_range, next) : NULL;
    if (last && last->ticket + last->count == ticket) {
        last->count++;
        return 0;
    }
    struct book_range *range = malloc (sizeof *range);
    if (!range)
        return error_plain (WEFT_ENOMEM);
    *range = (struct book_range) { .ticket = ticket, .id = id, .count = 1 };
    *self->last_accepted = range;
    self->last_accepted = &range->next;
    return 0;
}

int
book_submit (struct book *self, const struct ledger_job *job)
{
    uint64_t ticket;
    if (!book_has_room (self))
        return error_set (WEFT_EAGAIN, "too much waits for the ledger: take events first");
    int rc = ledger_add_job (self->ledger, job, &ticket);
    if (rc == WEFT_EAGAIN)
        self->refused_at = self->durable;
    if (rc)
        return rc;
    self->last = ticket;
    self->last_id = job->id;
    return add_range (self, ticket, job->id);
}

/*  What is durable of the jobs that were accepted. */
static void
take_accepted (struct book *self)
{
    struct book_range *range;
    while ((range = self->accepted) && range->ticket <= self->durable) {
        uint64_t count = self->durable - range->ticket + 1;
        count = count < range->count ? count : range->count;
        self->safe_id = range->id + count - 1;
        range->ticket += count;
        range->id += count;
        range->count -= count;
        if (range->count)
            break;
        self->accepted = range->next;
        if (!self->accepted)
            self->last_accepted = &self->accepted;
        free (range);
    }
}

void
book_settle_jobs (struct book *self)
{
    take_accepted (self);
    for (struct book_level *level = self->levels; level; level = level->next)
        if (level->mark_ticket <= self->durable)
            level->dealt = level->mark;
}

/*  Marks well ahead, so that dealing need not wait, but not so far that many jobs which nobody has would be
 *  waited for after a crash. */
static int
move_mark (struct book *self, struct book_level *level, const struct dispatch_level *jobs, uint64_t ahead)
{
    uint64_t covered, wanted = dispatch_reach (jobs, ahead, &covered);
    if (wanted > level->mark) {
        int rc = ledger_add_dealt (self->ledger, wanted, &level->mark_ticket);
        if (rc)
            return rc == WEFT_EAGAIN || rc == WEFT_ELIMIT ? 0 : rc;
        level->mark = wanted;
        self->last = level->mark_ticket;
    }
    level->reach = jobs->given + covered;
    return 0;
}

int
book_limit (struct book *self, struct dispatch_level *jobs, uint64_t ahead)
{
    struct book_level *level = book_level (self, jobs->priority);
    if (!level)
        return WEFT_ENOMEM;
    /*  Of the jobs that were reached, some may have been taken back: the first says whether any is left. */
    uint64_t one, left = level->reach > jobs->given ? level->reach - jobs->given : 0;
    bool low = (left <= ahead / 2 && jobs->waiting > left) || dispatch_reach (jobs, 1, &one) > level->mark;
    int rc = low ? move_mark (self, level, jobs, ahead) : 0;
    jobs->limit = self->safe_id < level->dealt ? self->safe_id : level->dealt;
    return rc;
}

/* ------------------------------------------------------------- coming and going */

int
book_learn_jobs (struct book *self)
{
    int rc = learn_content (self);
    rc = rc ? rc : ledger_levels (self->ledger, learn_level, self);
    return rc < 0 ? rc : 0;
}

void
book_free_jobs (struct book *self)
{
    for (struct book_range *range; (range = self->accepted); ) {
        self->accepted = range->next;
        free (range);
    }
    for (struct book_level *level; (level = self->levels); ) {
        self->levels = level->next;
        free (level);
    }
    book_stop_finding (self);
}
