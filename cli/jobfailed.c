/*  jobfailed.c - which jobs of a ledger have failed: a bit for each number */

#include "cli/jobfailed.h"

#include <stdlib.h>
#include <string.h>

#include "cli/ledgerview.h"
#include "core/error.h"

#define WORDS_LEAST 1024

void
jobfailed_free (struct jobfailed *self)
{
    free (self->bits);
    *self = (struct jobfailed){ .words = 0 };
}

int
jobfailed_add (struct jobfailed *self, uint64_t id)
{
    uint64_t words = self->words ? self->words : WORDS_LEAST;
    while (words <= id / 64)
        words *= 2;
    if (words != self->words) {
        uint64_t *bits = realloc (self->bits, words * sizeof *bits);
        if (!bits)
            return error_set (WEFT_ENOMEM, "out of memory for the ledger's jobs");
        memset (bits + self->words, 0, (words - self->words) * sizeof *bits);
        self->bits = bits;
        self->words = words;
    }
    self->bits[id / 64] |= UINT64_C (1) << id % 64;
    return 0;
}

bool
jobfailed_has (const struct jobfailed *self, uint64_t id)
{
    return id / 64 < self->words && (self->bits[id / 64] >> id % 64 & 1);
}

static int
add (void *arg, uint64_t id)
{
    return jobfailed_add (arg, id);
}

int
jobfailed_read (struct jobfailed *self, const char *ledger, uint64_t *left)
{
    struct ledgerview *view;
    struct ledgerview_counts counts = { .jobs = 0 };
    int rc = ledgerview_open (&view, ledger);
    rc = rc ? rc : ledgerview_failed (view, add, self);
    rc = rc ? rc : ledgerview_count (view, &counts);
    ledgerview_close (&view);
    *left = counts.failed - counts.cancelled;
    return rc;
}

int
jobfailed_count (const struct jobfailed *self, const char *ledger, uint64_t *count)
{
    struct ledgerview *view;
    int rc = ledgerview_open (&view, ledger);
    *count = 0;
    for (uint64_t id = 0; rc >= 0 && id < 64 * self->words; id++) {
        char state[16];
        if (!jobfailed_has (self, id))
            continue;
        rc = ledgerview_state (view, id, state, sizeof state);
        *count += rc >= 0 && strcmp (state, "retried") != 0;
    }
    ledgerview_close (&view);
    return rc < 0 ? rc : 0;
}
