/*  pool_cancel.c - jobs that the caller takes back: all for now, or by name for good */

#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "patterns/pool_head.h"

#define EARLY_MAX 65536         /*  jobs that may be taken from the ledger before their turn    */

int
weft_pool_cancel (weft_pool_t *self, bool running)
{
    int rc = head_make_ready (self);
    if (rc)
        return rc;
    dispatch_cancel (&self->dispatch);
    self->hurried |= running;
    if (self->book)
        book_pass_over (self->book);    /*  it stays in the ledger, as all that is cancelled */
    self->passed_over = true;
    if (running)
        dispatch_await_no_more (&self->dispatch);
    head_cancel_all (self, running);
    return self->wire ? head_deal (self, head_now (self)) : 0;
}

/* ------------------------------------------------------------------ by name */

struct early_job {
    uint64_t id;
    int priority;
};

/*  The place of the first of them that is not below it. */
static size_t
place_of (const struct weft_pool *self, uint64_t id)
{
    size_t low = 0, high = self->early_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (self->early[middle].id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

bool
head_was_early (const struct weft_pool *self, uint64_t id)
{
    size_t place = place_of (self, id);
    return place < self->early_count && self->early[place].id == id;
}

/*  Those whose turn has come. */
static void
forget_early (struct weft_pool *self)
{
    size_t kept = 0;
    for (size_t i = 0; i < self->early_count; i++) {
        const struct book_level *level = book_level (self->book, self->early[i].priority);
        if (!level || self->early[i].id > level->loaded)
            self->early[kept++] = self->early[i];
    }
    self->early_count = kept;
}

/*  Room for one more. */
static int
make_room (struct weft_pool *self)
{
    if (self->early_count == self->early_room)
        forget_early (self);
    if (self->early_count < self->early_room)
        return 0;
    if (self->early_count == EARLY_MAX)
        return error_set (WEFT_EAGAIN, "%d jobs that are in the ledger alone were cancelled: take events first",
                          EARLY_MAX);
    size_t room = self->early_room ? 2 * self->early_room : 64;
    struct early_job *early = realloc (self->early, room * sizeof *early);
    if (!early)
        return error_plain (WEFT_ENOMEM);
    self->early = early;
    self->early_room = room;
    return 0;
}

struct taking {
    struct weft_pool *pool;
    uint64_t id;
};

static int
take_early (void *arg, const struct ledger_open_job *open)
{
    struct taking *taking = arg;
    struct weft_pool *self = taking->pool;
    const struct book_level *level = book_level (self->book, open->job.priority);
    if (open->job.id != taking->id || !level || open->job.id <= level->loaded)
        return error_set (WEFT_EEND, "job %llu has ended", (unsigned long long) taking->id);
    int rc = head_restore (self, open, false, true);
    if (rc)
        return rc;
    size_t place = place_of (self, taking->id);
    memmove (self->early + place + 1, self->early + place, (self->early_count - place) * sizeof *self->early);
    self->early[place] = (struct early_job) { taking->id, open->job.priority };
    self->early_count++;
    return 0;
}

/*  One that is not in memory: it has ended, or waits in the ledger. */
static int
cancel_kept (struct weft_pool *self, uint64_t id)
{
    struct taking taking = { .pool = self, .id = id };
    if (!self->book || !self->book->unloaded || head_was_early (self, id))
        return error_set (WEFT_EEND, "job %llu has ended", (unsigned long long) id);
    if (id <= self->cancelled_to)
        return 0;
    int rc = make_room (self);
    rc = rc ? rc : ledger_load (self->book->ledger, LEDGER_ANY, id - 1, 1, take_early, &taking);
    return rc < 0 ? rc : rc == 0 ? error_set (WEFT_EEND, "job %llu has ended", (unsigned long long) id) : 0;
}

/*  Each by itself: a CANCEL of all that a worker has could be sent late, and meet jobs that came after it. */
static int
cancel_every (struct weft_pool *self, bool running)
{
    int rc = 0;
    dispatch_cancel_every (&self->dispatch, running);
    if (self->book)
        self->cancelled_to = self->book->last_id;
    for (struct worker *worker = self->workers; worker && rc == 0; worker = worker->next)
        for (struct dispatch_job *job = NULL; rc == 0 && (job = dispatch_next_of (&worker->credit, job)); )
            if (job->cancelled)
                rc = head_cancel_job (self, worker, job->id, job->attempt, job->stopped);
    return rc;
}

int
weft_pool_cancel_job (weft_pool_t *self, uint64_t id, bool running)
{
    struct dispatch_job *job;
    int rc = head_make_ready (self);
    if (rc)
        return rc;
    if (id >= self->dispatch.next_id)
        return error_set (WEFT_EINVAL, "there is no job %llu", (unsigned long long) id);
    if (id == 0)
        rc = cancel_every (self, running);
    else {
        rc = dispatch_cancel_job (&self->dispatch, id, running, &job);
        if (rc == WEFT_EEND)
            rc = cancel_kept (self, id);
        else if (rc == 0 && job->worker)
            rc = head_cancel_job (self, map_entry (job->worker, struct worker, credit), id, job->attempt, running);
    }
    return rc || !self->wire ? rc : head_deal (self, head_now (self));
}
