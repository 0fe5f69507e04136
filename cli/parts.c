/*  parts.c - the running parts of a fabric: started in order, started again, stopped */

#include "cli/parts.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "cli/part.h"
#include "cli/parts_output.h"
#include "core/clock.h"
#include "core/error.h"

#define NUDGE_EVERY (100 * TIME_MS)         /*  while something is to end       */
#define REST_MIN (100 * TIME_MS)            /*  before a part is started again  */
#define REST_MAX (30 * TIME_S)
#define WELL_AFTER (60 * TIME_S)            /*  a failure after so long is the first one again  */

struct parts {
    struct cli *cli;
    struct part **list;         /*  in the order of their start                 */
    size_t count;
    int done_fd;                /*  an eventfd: a part has something to tell    */
    struct parts_output output;
    int stops;                  /*  signals that came                           */
    bool ending;                /*  all are to end                              */
    bool told_ready;
    int status;                 /*  of the first that failed, or EXIT_OK        */
};

/* ----------------------------------------------------------------- the list */

int
parts_new (struct parts **handle, struct cli *cli)
{
    struct parts *self = calloc (1, sizeof *self);
    if (!self)
        return error_set (WEFT_ENOMEM, "not enough memory");
    *self = (struct parts){ .cli = cli, .done_fd = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK) };
    if (self->done_fd < 0) {
        free (self);
        return error_errno ("cannot start");
    }
    parts_output_init (&self->output, cli->out);
    part_init_signal ();
    *handle = self;
    return 0;
}

void
parts_destroy (struct parts **handle)
{
    struct parts *self = *handle;
    if (!self)
        return;
    for (size_t i = 0; i < self->count; i++)
        part_destroy (&self->list[i]);
    parts_output_free (&self->output);
    close (self->done_fd);
    free (self->list);
    free (self);
    *handle = NULL;
}

/*  The part of that name that is not to go; or NULL. */
static struct part *
find (const struct parts *self, const char *name)
{
    for (size_t i = 0; i < self->count; i++)
        if (!self->list[i]->old && strcmp (self->list[i]->config->name, name) == 0)
            return self->list[i];
    return NULL;
}

/*  Those that are to go, and live. */
static bool
has_old (const struct parts *self)
{
    for (size_t i = 0; i < self->count; i++)
        if (self->list[i]->old && part_is_alive (self->list[i]))
            return true;
    return false;
}

static void
drop_old (struct parts *self)
{
    size_t kept = 0;
    for (size_t i = 0; i < self->count; i++)
        if (self->list[i]->old && !part_is_alive (self->list[i]))
            part_destroy (&self->list[i]);
        else
            self->list[kept++] = self->list[i];
    self->count = kept;
}

/* ------------------------------------------------------------------ changes */

/*  New parts for all that is not there in the same way, at the end of the list. */
static int
add_new (struct parts *self, struct fabric *fabric, struct part **list, size_t *count)
{
    size_t order[fabric->count + 1];
    fabric_start_order (fabric->parts, fabric->count, order);
    for (size_t i = 0; i < fabric->count; i++) {
        struct fabric_part *config = fabric->parts[order[i]];
        struct part *now = find (self, config->name);
        if (now && fabric_part_same (now->config, config))
            continue;
        int rc = part_new (&list[*count], config, self->done_fd);
        if (rc)
            return rc;
        ++*count;
    }
    return 0;
}

/*  What is no part of it any more, or another one. */
static size_t
mark_old (struct parts *self, const struct fabric *fabric)
{
    size_t marked = 0;
    for (size_t i = 0; i < self->count; i++) {
        struct part *part = self->list[i];
        const struct fabric_part *config = fabric_find (fabric, part->config->name);
        if (part->old || (config && fabric_part_same (part->config, config)))
            continue;
        part->old = true;
        marked++;
    }
    return marked;
}

/*  Part by part they are the list's now. */
static void
take_configs (struct fabric *fabric, struct part **list, size_t from, size_t count)
{
    for (size_t i = from; i < count; i++)
        for (size_t j = 0; j < fabric->count; j++)
            if (fabric->parts[j] == list[i]->config)
                fabric->parts[j] = NULL;
}

int
parts_change (struct parts *self, struct fabric *fabric)
{
    size_t count = self->count, had = 0, kept;
    struct part **list = calloc (self->count + fabric->count + 1, sizeof *list);
    int rc = list ? 0 : error_set (WEFT_ENOMEM, "not enough memory");
    if (rc == 0 && self->count)
        memcpy (list, self->list, self->count * sizeof *list);
    rc = rc ? rc : add_new (self, fabric, list, &count);
    if (rc) {
        for (size_t i = self->count; list && i < count; i++) {
            list[i]->config = NULL;
            part_destroy (&list[i]);
        }
        free (list);
        return rc;
    }
    for (size_t i = 0; i < self->count; i++)
        had += !self->list[i]->old;
    kept = had - mark_old (self, fabric);
    take_configs (fabric, list, self->count, count);
    if (self->told_ready)
        cli_note (self->cli, "%zu part%s to stop, %zu to start, %zu untouched", had - kept, had - kept == 1 ? "" : "s",
                  count - self->count, kept);
    free (self->list);
    self->list = list;
    self->count = count;
    self->told_ready = false;
    drop_old (self);
    return 0;
}

/* -------------------------------------------------------------------- ends */

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

static bool
is_to_end (const struct parts *self, const struct part *part)
{
    return part_is_alive (part) && (self->ending || part->old);
}

/*  Those of the lowest rank among the ones that are to end, which have not been told yet. */
static void
stop_next (struct parts *self)
{
    unsigned lowest = UINT32_MAX;
    int number = self->cli->signal ? self->cli->signal (self->cli) : 0;
    rank_all (self);
    for (size_t i = 0; i < self->count; i++)
        if (is_to_end (self, self->list[i]) && self->list[i]->rank < lowest)
            lowest = self->list[i]->rank;
    for (size_t i = 0; i < self->count; i++) {
        struct part *part = self->list[i];
        if (!is_to_end (self, part))
            continue;
        int told = atomic_load (&part->stops);
        if (self->stops > 1 ? told < 2 : told == 0 && part->rank == lowest)
            part_stop (part, number ? number : SIGTERM);
        else if (told)
            part_nudge (part);
    }
}

static void
end_all (struct parts *self)
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
        end_all (self);
    }
}

static void
has_ended (struct parts *self, struct part *part)
{
    cli_detail (self->cli, "%s has ended with status %d", part->config->name, part->status);
    if (part->status != EXIT_OK)
        has_failed (self, part);
}

/* -------------------------------------------------------------------- turns */

static void
collect (struct parts *self)
{
    eventfd_t count;
    eventfd_read (self->done_fd, &count);
    for (size_t i = 0; i < self->count; i++) {
        struct part *part = self->list[i];
        if (part->state == PART_STARTING && atomic_load (&part->ready))
            part->state = PART_RUNNING;
        if (part_is_alive (part) && atomic_load (&part->ended)) {
            part_join (part);
            parts_output_take (&self->output, part, true);
            has_ended (self, part);
        }
    }
    drop_old (self);
}

/*  One after the other, so that each finds those that it connects to. */
static void
start_next (struct parts *self)
{
    int64_t now = clock_now (clock_system ());
    bool waits = false;
    for (size_t i = 0; i < self->count && !self->ending; i++) {
        struct part *part = self->list[i];
        waits |= part->state == PART_STARTING;
        if (part->state == PART_RESTING && part->due <= now)
            part->state = PART_IDLE;
        if (part->state != PART_IDLE || waits || has_old (self))
            continue;
        waits = part_start (part, self->cli) == 0;
        if (!waits)
            has_failed (self, part);
    }
}

static bool
are_ready (const struct parts *self)
{
    for (size_t i = 0; i < self->count; i++)
        if (self->list[i]->old || self->list[i]->state == PART_IDLE || self->list[i]->state == PART_STARTING)
            return false;
    return !self->ending;
}

static bool
are_over (const struct parts *self)
{
    for (size_t i = 0; i < self->count; i++)
        if (self->list[i]->state != PART_OVER)
            return false;
    return true;
}

/*  Whether there is more to do than to wait. */
static void
turn (struct parts *self)
{
    collect (self);
    if (self->cli->stopped (self->cli) > self->stops || self->output.gone) {
        if (self->cli->stopped (self->cli) > self->stops && self->stops == 0)
            cli_detail (self->cli, "stopping");
        self->stops = self->cli->stopped (self->cli);
        end_all (self);
    }
    start_next (self);
    stop_next (self);
    if (!self->told_ready && are_ready (self)) {
        self->told_ready = true;
        cli_note (self->cli, "ready");
    }
}

/* ------------------------------------------------------------------ waiting */

/*  How long: while some are to end they are nudged. */
static int64_t
patience (const struct parts *self)
{
    int64_t until = TIME_FOREVER, now = clock_now (clock_system ());
    for (size_t i = 0; i < self->count; i++) {
        const struct part *part = self->list[i];
        if (is_to_end (self, part))
            until = clock_earlier (until, now + NUDGE_EVERY);
        if (part->state == PART_RESTING)
            until = clock_earlier (until, part->due);
        if (!parts_output_full (&self->output))
            until = clock_earlier (until, parts_output_deadline (part));
    }
    return clock_left (clock_system (), until);
}

static int
wait_for_all (struct parts *self, int wake_fd, bool *woken)
{
    enum { STOP, DONE, WAKE, OUT, FIRST };
    bool full = parts_output_full (&self->output);
    weft_pollitem_t items[FIRST + self->count];
    items[STOP] = (weft_pollitem_t){ .fd = self->stops ? -1 : self->cli->stop_fd, .events = WEFT_IN };
    items[DONE] = (weft_pollitem_t){ .fd = self->done_fd, .events = WEFT_IN };
    items[WAKE] = (weft_pollitem_t){ .fd = wake_fd, .events = WEFT_IN };
    items[OUT] = (weft_pollitem_t){ .fd = full ? self->output.fd : -1, .events = WEFT_OUT };
    for (size_t i = 0; i < self->count; i++)
        items[FIRST + i] = (weft_pollitem_t){ .fd = full ? -1 : self->list[i]->lines_fd, .events = WEFT_IN };
    int rc = weft_poll (items, FIRST + self->count, clock_poll_ms (patience (self)));
    *woken = rc > 0 && items[WAKE].revents;
    if (rc < 0)
        return rc == WEFT_EINTR ? 0 : rc;
    for (size_t i = 0; i < self->count; i++) {
        if (rc > 0 && items[FIRST + i].revents)
            parts_output_take (&self->output, self->list[i], false);
        if (!full)
            parts_output_due (&self->output, self->list[i]);
    }
    return parts_output_flush (&self->output);
}

/*  All have ended: what they wrote is written out, unless one does not want to wait for it; a signal may have come just
 *  before the wait. */
static int
write_rest (struct parts *self)
{
    int rc = 0;
    while (rc == 0 && parts_output_full (&self->output) && self->cli->stopped (self->cli) < 2) {
        weft_pollitem_t item = { .fd = self->output.fd, .events = WEFT_OUT };
        rc = weft_poll (&item, 1, clock_poll_ms (NUDGE_EVERY));
        rc = rc < 0 && rc != WEFT_EINTR ? rc : parts_output_flush (&self->output);
    }
    return rc;
}

int
parts_run (struct parts *self, int wake_fd, void (*on_wake) (void *arg), void *arg)
{
    bool woken;
    int rc = 0;
    for (turn (self); !are_over (self); turn (self)) {
        int failed = wait_for_all (self, wake_fd, &woken);
        if (failed && !rc) {
            rc = failed;
            self->status = self->status ? self->status : cli_fail (self->cli, rc, NULL);
            end_all (self);
        }
        if (woken)
            on_wake (arg);
    }
    rc = write_rest (self);
    if (rc && !self->status)
        self->status = cli_fail (self->cli, rc, NULL);
    return self->status;
}
