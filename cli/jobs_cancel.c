/*  jobs_cancel.c - weft jobs LEDGER cancel ID ... | --all: takes jobs back, for good */

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli/jobs_change.h"
#include "core/clock.h"
#include "core/error.h"

#define LOOK 50                     /*  ms between two looks                            */
#define STILL (TIME_S)              /*  nothing more is cancelled for so long: that is all */
#define STOPPING (20 * TIME_S)      /*  until a job that is stopped has ended           */

static int
add_line (const struct jobs *self, struct buffer *out, const struct change *change, const char *state)
{
    if (self->options.json)
        return buffer_addf (out, "{\"id\":%" PRIu64 ",\"state\":\"%s\"}\n", change->id, state);
    if (strcmp (change->outcome, "none") == 0)
        return buffer_addf (out, "%" PRIu64 ": there is no such job\n", change->id);
    if (strcmp (change->outcome, "running") == 0)
        return buffer_addf (out, "%" PRIu64 " is running: give --running to stop it, too\n", change->id);
    if (strcmp (change->outcome, "ended") == 0)
        return buffer_addf (out, "%" PRIu64 " had ended: %s\n", change->id, state);
    return buffer_addf (out, "%" PRIu64 " %s%s\n", change->id, strcmp (state, "cancelled") ? "ended meanwhile: " : "",
                        state);
}

static int
cancelled_line (const struct jobs *self, struct buffer *out, const struct change *change, const char *state)
{
    int rc = add_line (self, out, change, state);
    return rc < 0 ? rc : strcmp (state, "cancelled") != 0;
}

/*  Those that a head has taken end in its time. A job that has just come may not be on disk yet. */
static int
await_ends (const struct changes *changes)
{
    int64_t deadline = clock_deadline (clock_system (), STOPPING);
    int rc = 0;
    for (size_t i = 0; i < changes_count (changes) && rc >= 0; i++) {
        const struct change *change = changes_at (changes, i);
        char state[16];
        if (strcmp (change->outcome, "taken") != 0)
            continue;
        rc = changes_await (changes, change->id, true, LOOK, deadline, state);
        if (rc == WEFT_ETIMEOUT)
            return error_set (WEFT_ETIMEOUT, "job %" PRIu64 " is %s still; it ends when its worker has stopped it",
                              change->id, *state ? state : "not on disk");
    }
    return rc;
}

static size_t
taken (const struct changes *changes)
{
    size_t count = 0;
    for (size_t i = 0; i < changes_count (changes); i++)
        count += strcmp (changes_at (changes, i)->outcome, "taken") == 0;
    return count;
}

/* ------------------------------------------------------------------ some jobs */

/*  Without a head nothing runs; but what ran when the last one died may be at a worker that waits for the next. */
static int
leave_started (struct jobs *self, struct changes *changes, uint64_t *ids, size_t *count)
{
    size_t left = 0;
    int rc = 0;
    for (size_t i = 0; i < *count && rc >= 0; i++) {
        struct change change = { .id = ids[i], .outcome = "running" };
        char state[16] = "";
        rc = ledgerview_state (self->view, ids[i], state, sizeof state);
        rc = rc == WEFT_EINVAL ? 0 : rc;
        if (rc >= 0 && strcmp (state, "started") == 0)
            rc = buffer_add (&changes->said, &change, sizeof change);
        else
            ids[left++] = ids[i];
    }
    *count = left;
    return rc < 0 ? rc : 0;
}

static int
cancel_some (struct jobs *self, struct changes *changes, uint64_t *ids, size_t count)
{
    bool running = self->options.started, head;
    int rc = changes_begin (changes, &head);
    if (rc == 0 && !head && !running)
        rc = leave_started (self, changes, ids, &count);
    if (rc == 0 && count)
        rc = changes_ask (changes, running || !head ? "cancel running" : "cancel", ids, count);
    rc = rc ? rc : head ? await_ends (changes) : changes_end (changes, taken (changes));
    return rc;
}

/* ------------------------------------------------------------------- all jobs */

struct ids {
    uint64_t *ids;
    size_t count, room;
};

static int
add_id (void *arg, uint64_t id)
{
    struct ids *self = arg;
    if (self->count == self->room) {
        size_t room = self->room ? 2 * self->room : 1024;
        uint64_t *ids = realloc (self->ids, room * sizeof *ids);
        if (!ids)
            return error_plain (WEFT_ENOMEM);
        self->ids = ids;
        self->room = room;
    }
    self->ids[self->count++] = id;
    return 0;
}

/*  Until all that waits has ended, or nothing more comes of it. */
static int
await_all (struct jobs *self, const struct changes *changes)
{
    struct ledgerview_counts counts, before = { 0 };
    int64_t still = 0;
    int rc;
    while ((rc = ledgerview_count (self->view, &counts)) == 0) {
        bool open = counts.waiting || (self->options.started && counts.started);
        int64_t now = clock_now (clock_system ());
        if (!still || counts.cancelled != before.cancelled)
            still = now + (self->options.started && counts.started ? STOPPING : STILL);
        before = counts;
        if (!open || now >= still)
            return 0;
        rc = changes_pause (changes, LOOK);
        if (rc < 0)
            break;
    }
    return rc;
}

static int
tell_all (struct jobs *self, uint64_t before)
{
    struct ledgerview_counts counts;
    struct buffer out;
    buffer_init (&out, 0);
    int rc = ledgerview_count (self->view, &counts);
    uint64_t cancelled = rc ? 0 : counts.cancelled - before;
    if (rc == 0 && self->options.json)
        rc = buffer_addf (&out, "{\"cancelled\":%" PRIu64 ",\"started\":%" PRIu64 ",\"waiting\":%" PRIu64 "}\n",
                          cancelled, counts.started, counts.waiting);
    else if (rc == 0)
        rc = buffer_addf (&out, "%" PRIu64 " job%s cancelled; %" PRIu64 " running%s, %" PRIu64 " waiting\n", cancelled,
                          cancelled == 1 ? "" : "s", counts.started,
                          counts.started && !self->options.started ? " (--running stops them)" : "", counts.waiting);
    rc = rc ? rc : jobs_write (self, &out);
    buffer_free (&out);
    return rc;
}

static int
cancel_all (struct jobs *self, struct changes *changes)
{
    struct ledgerview_counts counts;
    struct ids ids = { 0 };
    bool running = self->options.started, head;
    int rc = ledgerview_count (self->view, &counts);
    rc = rc ? rc : changes_begin (changes, &head);
    if (rc == 0 && head) {
        rc = changes_ask (changes, running ? "cancel running all" : "cancel all", NULL, 0);
        rc = rc ? rc : await_all (self, changes);
    } else if (rc == 0) {
        rc = ledgerview_open_jobs (self->view, running, add_id, &ids);
        rc = rc || !ids.count ? rc : changes_ask (changes, "cancel running", ids.ids, ids.count);
        rc = rc ? rc : changes_end (changes, taken (changes));
    }
    free (ids.ids);
    return rc ? rc : tell_all (self, counts.cancelled);
}

int
jobs_cancel (struct jobs *self, char **words, int count)
{
    struct changes changes;
    uint64_t ids[count + 1];
    int rc = 0;
    if (self->options.all && count)
        return error_set (WEFT_EINVAL, "cancel: give numbers of jobs or --all, not both");
    for (int i = 0; i < count && rc == 0; i++)
        rc = jobs_id (words[i], &ids[i]);
    if (rc)
        return rc;
    if (!count && !self->options.all)
        return error_set (WEFT_EINVAL, "cancel: give the numbers of jobs, or --all");
    changes_init (&changes, self);
    rc = self->options.all ? cancel_all (self, &changes) : cancel_some (self, &changes, ids, (size_t) count);
    if (rc == 0 && !self->options.all)
        rc = changes_tell (&changes, cancelled_line);
    changes_free (&changes);
    return rc;
}
