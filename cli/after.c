/*  after.c - batches that a run waits for: ledgers whose jobs must have ended before any of its own begins */

#include "cli/after.h"

#include <stdlib.h>
#include <sys/stat.h>

#include "cli/ledgerview.h"
#include "core/clock.h"
#include "core/error.h"
#include "patterns/ledger.h"

#define PAUSE (250 * TIME_MS)   /*  between two looks                               */
#define MORE 20                 /*  ... or so many times what one takes             */

struct after_batch {
    const char *path;           /*  the caller's                                    */
    struct ledgerview *view;
    bool any;                   /*  it may have ended in any way                    */
    bool ended;
    bool told_head, told_open;  /*  why it is waited for                            */
};

static int
batch_init (struct after_batch *self, const char *path, const char *own)
{
    struct stat here, there;
    self->path = path;
    if (own && stat (own, &here) == 0 && stat (path, &there) == 0 && here.st_dev == there.st_dev
        && here.st_ino == there.st_ino)
        return error_set (WEFT_EINVAL, "a run cannot wait for itself: %s is its own ledger", path);
    return ledgerview_open (&self->view, path);
}

int
after_init (struct after *self, struct cli *cli, const struct option_list *ended, const struct option_list *any,
            const char *own)
{
    size_t count = ended->count + any->count;
    int rc = 0;
    *self = (struct after){ .cli = cli };
    if (!count)
        return 0;
    self->batches = calloc (count, sizeof *self->batches);
    if (!self->batches)
        return error_set (WEFT_ENOMEM, "out of memory for the batches to wait for");
    for (; self->count < count && rc == 0; self->count++) {
        struct after_batch *batch = &self->batches[self->count];
        batch->any = self->count >= ended->count;
        rc = batch_init (batch, batch->any ? any->items[self->count - ended->count] : ended->items[self->count], own);
    }
    return rc;
}

void
after_free (struct after *self)
{
    for (size_t i = 0; i < self->count; i++)
        ledgerview_close (&self->batches[i].view);
    free (self->batches);
    self->batches = NULL;
    self->count = 0;
}

static void
tell (struct after *self, const struct after_batch *batch, bool *told, const char *what)
{
    if (!*told)
        cli_note (self->cli, "waiting for %s%s", batch->path, what);
    *told = true;
}

/*  It is counted when no head has it: a head that lives may accept more. 1, 0 or an error. */
static int
batch_look (struct after *self, struct after_batch *batch)
{
    struct ledgerview_counts counts;
    struct stat there;
    if (stat (batch->path, &there) < 0)
        return error_errno ("cannot wait for %s", batch->path);
    int rc = ledger_is_held (batch->path);
    if (rc == 1)
        tell (self, batch, &batch->told_head, ", which is being run");
    rc = rc ? rc : ledgerview_count (batch->view, &counts);
    if (rc)
        return rc == 1 ? 0 : rc;
    if (counts.started + counts.waiting) {
        tell (self, batch, &batch->told_open, ": it has jobs without a result, and nobody runs them; the command that "
              "made it goes on with --resume");
        return 0;
    }
    if (counts.failed && !batch->any)
        return error_set (WEFT_ESTATE, "%llu of the %llu jobs of %s failed, so nothing is run after it (--after-any "
                          "would)", (unsigned long long) counts.failed, (unsigned long long) counts.jobs, batch->path);
    return 1;
}

int
after_look (struct after *self)
{
    int64_t now = clock_now (clock_system ());
    bool all = true;
    if (self->look_at && now < self->look_at)
        return 0;
    for (size_t i = 0; i < self->count; i++) {
        struct after_batch *batch = &self->batches[i];
        int rc = batch->ended ? 1 : batch_look (self, batch);
        if (rc < 0)
            return rc;
        batch->ended = rc == 1;
        all &= batch->ended;
    }
    int64_t end = clock_now (clock_system ()), pause = MORE * (end - now);
    self->look_at = end + (pause > PAUSE ? pause : PAUSE);
    return all;
}

int64_t
after_wait (const struct after *self)
{
    return self->look_at ? clock_left (clock_system (), self->look_at) : 0;
}
