/*  jobs_retry.c - weft jobs LEDGER retry ID ... | --failed: does jobs again that ended badly */

#include <inttypes.h>
#include <string.h>

#include "cli/jobs_change.h"
#include "core/clock.h"
#include "core/error.h"

#define LOOK 20                     /*  ms between two looks                    */
#define PATIENCE (20 * TIME_S)      /*  until a new job is in the ledger        */
#define ALL_PATIENCE TIME_S         /*  the same where others may fail meanwhile */

/*  How many are done again. */
static uint64_t
retried (const struct changes *changes)
{
    uint64_t count = 0;
    for (size_t i = 0; i < changes_count (changes); i++) {
        const struct change *change = changes_at (changes, i);
        if (strcmp (change->outcome, "retried") == 0)
            count += change->id ? 1 : change->by;
    }
    return count;
}

static int
add_line (const struct jobs *self, struct buffer *out, const struct change *change, const char *state)
{
    bool done = strcmp (change->outcome, "retried") == 0;
    if (self->options.json && done)
        return buffer_addf (out, "{\"id\":%" PRIu64 ",\"retry\":%" PRIu64 "}\n", change->id, change->by);
    if (self->options.json)
        return buffer_addf (out, "{\"id\":%" PRIu64 ",\"retry\":null,\"state\":\"%s\"}\n", change->id, state);
    if (done)
        return buffer_addf (out, "%" PRIu64 " is retried as %" PRIu64 "\n", change->id, change->by);
    if (strcmp (change->outcome, "none") == 0)
        return buffer_addf (out, "%" PRIu64 ": there is no such job\n", change->id);
    if (change->by != change->id)
        return buffer_addf (out, "%" PRIu64 " was retried as %" PRIu64 ", which is %s\n", change->id, change->by,
                            state);
    return buffer_addf (out, "%" PRIu64 " is not retried: it is %s\n", change->id, state);
}

static int
retry_line (const struct jobs *self, struct buffer *out, const struct change *change, const char *state)
{
    int rc = add_line (self, out, change, state);
    return rc < 0 ? rc : strcmp (change->outcome, "retried") != 0;
}

static int
tell_all (struct jobs *self, const struct changes *changes)
{
    struct buffer out;
    uint64_t count = retried (changes);
    buffer_init (&out, 0);
    int rc = buffer_addf (&out, self->options.json ? "{\"retried\":%" PRIu64 "}\n" : "%" PRIu64 " job%s retried\n",
                          count, count == 1 ? " is" : "s are");
    rc = rc ? rc : jobs_write (self, &out);
    buffer_free (&out);
    return rc;
}

/*  Others may fail meanwhile. */
static int
await_all (struct jobs *self, const struct changes *changes, int64_t deadline)
{
    struct ledgerview_counts counts;
    int rc;
    while ((rc = ledgerview_count (self->view, &counts)) == 0 && counts.failed > counts.cancelled
           && clock_left (clock_system (), deadline) > 0 && (rc = changes_pause (changes, LOOK)) == 0)
        ;
    return rc;
}

/*  A head says so before that is on disk. Of all that has failed nothing is left then. */
static int
await_jobs (struct jobs *self, const struct changes *changes)
{
    int64_t deadline = clock_deadline (clock_system (), PATIENCE);
    int rc = 0;
    for (size_t i = 0; i < changes_count (changes) && rc >= 0; i++) {
        const struct change *change = changes_at (changes, i);
        char state[16];
        if (!change->id && rc == 0)
            rc = await_all (self, changes, clock_deadline (clock_system (), ALL_PATIENCE));
        if (!change->id || strcmp (change->outcome, "retried") != 0)
            continue;
        rc = changes_await (changes, change->by, false, LOOK, deadline, state);
        if (rc == WEFT_ETIMEOUT)
            return error_set (WEFT_ETIMEOUT, "the head has job %" PRIu64 " again, but it is not in the ledger yet",
                              change->id);
    }
    return rc;
}

/*  A head with much to write takes some, and the others when it is asked again. */
static int
ask_all (struct changes *changes)
{
    int rc;
    do {
        rc = changes_ask (changes, "retry failed", NULL, 0);
        size_t count = changes_count (changes);
        if (rc || !count || !changes_at (changes, count - 1)->some)
            break;
        rc = changes_turn (changes, LOOK);
    } while (rc == 0);
    return rc;
}

int
jobs_retry (struct jobs *self, char **words, int count)
{
    struct changes changes;
    uint64_t ids[count + 1];
    bool all = self->options.failed, head = true;
    int rc = 0;
    if (!count == !all)
        return error_set (WEFT_EINVAL, "retry: give the numbers of jobs, or --failed");
    for (int i = 0; i < count && rc == 0; i++)
        rc = jobs_id (words[i], &ids[i]);
    if (rc)
        return rc;
    changes_init (&changes, self);
    rc = changes_begin (&changes, &head);
    rc = rc ? rc : all ? ask_all (&changes) : changes_ask (&changes, "retry", ids, (size_t) count);
    rc = rc ? rc : changes_end (&changes, 0);
    rc = rc ? rc : await_jobs (self, &changes);
    if (rc == 0 && !head && retried (&changes))
        cli_note (self->cli, "nobody runs that ledger now: 'weft run --ledger %s --resume' does", self->path);
    rc = rc ? rc : all ? tell_all (self, &changes) : changes_tell (&changes, retry_line);
    changes_free (&changes);
    return rc;
}
