/*  jobs_change.c - having jobs of a ledger changed: by its head, or as its head when it has none */

#include "cli/jobs_change.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/jobasked.h"
#include "cli/ledgerask.h"
#include "core/clock.h"
#include "core/error.h"

#define PATIENCE (10 * TIME_S)      /*  for a head that begins, or ends, or another who is the head for a moment */
#define PAUSE 50                    /*  ms                                                                     */
#define AT_ONCE 1000                /*  jobs in a request                                                      */

void
changes_init (struct changes *self, struct jobs *jobs)
{
    *self = (struct changes){ .jobs = jobs };
    buffer_init (&self->said, 0);
}

void
changes_free (struct changes *self)
{
    weft_pool_destroy (&self->pool);
    buffer_free (&self->said);
}

size_t
changes_count (const struct changes *self)
{
    return buffer_size (&self->said) / sizeof (struct change);
}

struct change *
changes_at (const struct changes *self, size_t index)
{
    return (struct change *) (void *) buffer_data (&self->said) + index;
}

int
changes_pause (const struct changes *self, int ms)
{
    struct cli *cli = self->jobs->cli;
    weft_pollitem_t item = { .fd = cli->stop_fd, .events = WEFT_IN };
    int rc = weft_poll (&item, 1, ms);
    if (cli->stopped (cli))
        return error_set (WEFT_EINTR, "stopped: what was asked of the head is done still");
    return rc < 0 && rc != WEFT_EINTR ? rc : 0;
}

int
changes_await (const struct changes *self, uint64_t job, bool ended, int ms, int64_t deadline, char state[16])
{
    while (true) {
        *state = '\0';
        int rc = ledgerview_state (self->jobs->view, job, state, 16);
        if (rc == 1 || (rc == 0 && !ended))
            return 0;
        if (rc < 0 && rc != WEFT_EINVAL)
            return rc;
        if (clock_left (clock_system (), deadline) == 0)
            return error_plain (WEFT_ETIMEOUT);
        rc = changes_pause (self, ms);
        if (rc < 0)
            return rc;
    }
}

/* -------------------------------------------------------------- who does it */

/*  Nobody else is: then for as long as this takes. What may be running still at a worker is the caller's to ask. */
static int
become_head (struct changes *self)
{
    char endpoint[64];
    static const char *const settings[][2] = { { "resume", "yes" }, { "reattach", "0" }, { "queue", "100000000" },
                                               { "queue-size", "1T" } };
    snprintf (endpoint, sizeof endpoint, "inproc://weft-jobs-%p", (void *) self);
    self->pool = weft_pool_new (self->jobs->cli->weft);
    int rc = self->pool ? weft_pool_set (self->pool, "ledger", self->jobs->path) : WEFT_ENOMEM;
    for (size_t i = 0; i < sizeof settings / sizeof *settings && rc == 0; i++)
        rc = weft_pool_set (self->pool, settings[i][0], settings[i][1]);
    rc = rc ? rc : weft_pool_bind (self->pool, endpoint);
    if (rc)
        weft_pool_destroy (&self->pool);
    return rc;
}

/*  0 when somebody has answered, or we are the head. Between a head that was killed and the next one, or while that
 *  opens the ledger, nobody listens and yet it is somebody's. */
static int
find_head (struct changes *self, const struct buffer *request, struct buffer *reply)
{
    struct jobs *jobs = self->jobs;
    int64_t deadline = clock_deadline (clock_system (), PATIENCE);
    while (true) {
        int rc = ledgerask (jobs->cli, jobs->path, request, reply);
        if (rc == WEFT_ENOPEER)
            rc = become_head (self);
        if (rc != WEFT_EADDRINUSE)
            return rc;
        if (clock_left (clock_system (), deadline) == 0)
            return error_set (WEFT_ETIMEOUT, "%s has a head that cannot be asked (one of an earlier weft, on another "
                              "machine, or of a program that does not listen): end it first", jobs->path);
        rc = changes_pause (self, PAUSE);
        if (rc)
            return rc;
    }
}

/* ------------------------------------------------------------------- asking */

/*  The word that a line begins with as a number; the line goes on after it. */
static bool
take_number (char **line, uint64_t *number)
{
    char *word = strsep (line, " "), *end = word;
    bool digits = word && *word >= '0' && *word <= '9';
    errno = 0;
    *number = digits ? strtoull (word, &end, 10) : 0;
    return digits && !*end && !errno;
}

/*  "ID OUTCOME [NUMBER]", or with "all" or "some" as ID, and then a NUMBER with some. */
static bool
parse_line (char *line, struct change *self)
{
    bool all = strncmp (line, "all ", 4) == 0;
    self->some = strncmp (line, "some ", 5) == 0;
    if (all || self->some)
        strsep (&line, " ");
    else if (!take_number (&line, &self->id))
        return false;
    const char *outcome = strsep (&line, " ");
    if (!outcome || strlen (outcome) >= sizeof self->outcome)
        return false;
    strcpy (self->outcome, outcome);
    return line ? take_number (&line, &self->by) : !self->some;
}

static int
take_line (struct changes *self, const char *line)
{
    struct change change = { 0 };
    char copy[64];
    snprintf (copy, sizeof copy, "%s", line);
    char *outcome = strchr (copy, ' ');
    if (outcome && strncmp (outcome, " error ", 7) == 0)
        return error_set (WEFT_EIO, "job %.300s", line);
    if (!parse_line (copy, &change))
        return error_set (WEFT_EIO, "%s: its head says: %.300s", self->jobs->path, line);
    return buffer_add (&self->said, &change, sizeof change);
}

static int
take_reply (struct changes *self, struct buffer *reply)
{
    int rc = buffer_terminate (reply);
    char *rest = rc ? NULL : buffer_data (reply);
    for (char *line; rc == 0 && (line = strsep (&rest, "\n")) && *line; )
        rc = take_line (self, line);
    return rc;
}

static int
ask (struct changes *self, const struct buffer *request)
{
    struct buffer reply;
    buffer_init (&reply, 0);
    int rc = self->pool ? 0 : find_head (self, request, &reply);
    if (rc == 0 && self->pool)
        rc = jobasked_do (self->pool, false, buffer_data (request), buffer_size (request), &reply);
    rc = rc ? rc : take_reply (self, &reply);
    buffer_free (&reply);
    return rc;
}

int
changes_begin (struct changes *self, bool *head)
{
    struct buffer nothing;
    buffer_init (&nothing, 0);
    int rc = buffer_add_str (&nothing, "cancel");
    rc = rc ? rc : ask (self, &nothing);
    *head = !self->pool;
    buffer_free (&nothing);
    return rc;
}

int
changes_ask (struct changes *self, const char *verb, const uint64_t *ids, size_t count)
{
    struct buffer request;
    buffer_init (&request, 0);
    int rc = 0;
    for (size_t done = 0, end; rc == 0 && (done < count || !ids); done = end) {
        end = !ids || count - done < AT_ONCE ? count : done + AT_ONCE;
        buffer_clear (&request);
        rc = buffer_add_str (&request, verb);
        for (size_t i = done; ids && rc == 0 && i < end; i++)
            rc = buffer_addf (&request, " %" PRIu64, ids[i]);
        rc = rc ? rc : ask (self, &request);
        if (!ids)
            break;
    }
    buffer_free (&request);
    return rc;
}

int
changes_turn (struct changes *self, int ms)
{
    weft_pool_event_t event;
    int rc = self->pool ? weft_pool_next (self->pool, &event, ms) : changes_pause (self, ms);
    return rc == WEFT_ETIMEOUT || rc == WEFT_EINTR ? changes_pause (self, 0) : rc;
}

int
changes_end (struct changes *self, size_t ended)
{
    weft_pool_event_t event;
    int rc = 0;
    while (self->pool && ended && rc == 0) {
        rc = weft_pool_next (self->pool, &event, PAUSE);
        ended -= rc == 0 && event.kind == WEFT_POOL_DONE;
        if (rc == WEFT_ETIMEOUT || rc == WEFT_EINTR)
            rc = changes_pause (self, 0);
    }
    weft_pool_destroy (&self->pool);
    return rc;
}

int
changes_tell (const struct changes *self, change_line_fn *line)
{
    struct buffer out;
    int rc = 0, status = 0;
    buffer_init (&out, 0);
    for (size_t i = 0; i < changes_count (self) && rc >= 0; i++) {
        const struct change *change = changes_at (self, i);
        char state[16] = "none";
        if (strcmp (change->outcome, "none") != 0)
            rc = ledgerview_state (self->jobs->view, change->by ? change->by : change->id, state, sizeof state);
        rc = rc < 0 ? rc : line (self->jobs, &out, change, state);
        status |= rc == 1;
    }
    rc = rc < 0 ? rc : jobs_write (self->jobs, &out);
    buffer_free (&out);
    return rc < 0 ? rc : status;
}
