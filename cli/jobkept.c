/*  jobkept.c - jobs by their ids, as a pool with a ledger tells of them */

#include "cli/jobkept.h"

#include <stdlib.h>
#include <string.h>

#include "cli/ledgerview.h"
#include "core/error.h"

struct kept {
    struct map_node node;
    uint64_t id;
    struct viewjob *job;
};

int
jobkept_init (struct jobkept *self, struct cli *cli)
{
    *self = (struct jobkept){ .cli = cli };
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
    free (self->ended);
    free (self->before);
    *self = (struct jobkept){ .ready = false };
}

static struct kept *
find (const struct jobkept *self, uint64_t id)
{
    for (struct map_node *node = map_first (&self->jobs, hash_number (id)); node; node = map_next (node))
        if (map_entry (node, struct kept, node)->id == id)
            return map_entry (node, struct kept, node);
    return NULL;
}

/* ------------------------------------------------------------------- order */

static int
note_ended (void *arg, uint64_t id)
{
    struct jobkept *self = arg;
    uint64_t word = id / 64;
    if (word >= self->words) {
        uint64_t words = self->words ? self->words : 1024;
        while (words <= word)
            words *= 2;
        uint64_t *ended = realloc (self->ended, words * sizeof *ended);
        if (!ended)
            return error_set (WEFT_ENOMEM, "out of memory for the ledger's jobs");
        memset (ended + self->words, 0, (words - self->words) * sizeof *ended);
        self->ended = ended;
        self->words = words;
    }
    self->ended[word] |= 1ull << id % 64;
    return 0;
}

int
jobkept_order (struct jobkept *self, const char *ledger)
{
    struct ledgerview *view;
    int rc = ledgerview_open (&view, ledger);
    if (rc == 0)
        rc = ledgerview_ended (view, note_ended, self);
    ledgerview_close (&view);
    if (rc < 0 || !self->words)
        return rc;
    self->before = calloc (self->words, sizeof *self->before);
    if (!self->before)
        return error_set (WEFT_ENOMEM, "out of memory for the ledger's jobs");
    for (uint64_t i = 0; i < self->words; i++) {
        self->before[i] = self->ended_count;
        self->ended_count += (unsigned) __builtin_popcountll (self->ended[i]);
    }
    return 0;
}

/*  The place of a job among those that come: its id, without those that had ended. */
static uint64_t
place_of (const struct jobkept *self, uint64_t id)
{
    uint64_t word = id / 64, below = (1ull << id % 64) - 1;
    if (word >= self->words)
        return id - self->ended_count;
    return id - self->before[word] - (unsigned) __builtin_popcountll (self->ended[word] & below);
}

/*  Jobs come from the ledger whether there is room for their output or not: the eldest gives up its turn. */
static int
make_room (struct jobkept *self, struct jobout *line, uint64_t place)
{
    int rc = 0;
    if (jobout_has_room (line, place))
        return 0;
    if (!self->told)
        cli_note (self->cli, "a job is so far behind the others that its output will not come in order");
    self->told = true;
    while (rc == 0 && !jobout_has_room (line, place))
        rc = jobout_pass (line);
    return rc;
}

/* -------------------------------------------------------------------- jobs */

struct viewjob *
jobkept_job (struct jobkept *self, const weft_pool_event_t *event, struct jobfeed *feed, struct jobout *line,
             struct viewjob **jobs, int *rc)
{
    struct kept *kept = find (self, event->job);
    *rc = 0;
    if (kept)
        return kept->job;
    uint64_t place = place_of (self, event->job);
    struct viewjob *job = jobfeed_kept (feed, event, rc);
    kept = job ? malloc (sizeof *kept) : NULL;
    if (!kept) {
        viewjob_free (job);
        *rc = *rc ? *rc : error_set (WEFT_ENOMEM, "out of memory");
        return NULL;
    }
    *kept = (struct kept){ .id = event->job, .job = job };
    map_add (&self->jobs, &kept->node, hash_number (kept->id));
    viewjob_link (job, jobs);
    *rc = make_room (self, line, place);
    jobview_begin (line, job, event->number, place);
    if (*rc == 0 && event->slot > 0)
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
