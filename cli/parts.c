/*  parts.c - the running parts of a fabric: started in order, started again, stopped */

#include "cli/parts_inside.h"

#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/error.h"

#define NUDGE_EVERY (100 * TIME_MS)         /*  while something is to end       */

/* ----------------------------------------------------------- coming and going */

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
            parts_has_ended (self, part);
        }
        if (!part_is_alive (part))
            parts_output_take (&self->output, part, true);
    }
    parts_drop_old (self);
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
        if (part->state == PART_RESTING && part->due <= now && !part_is_busy (part))
            part->state = PART_IDLE;
        if (part->state != PART_IDLE || waits || parts_have_old (self))
            continue;
        waits = part_start (part, self->cli) == 0;
        if (!waits)
            parts_has_ended (self, part);
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
        if (self->list[i]->state != PART_OVER || (part_is_busy (self->list[i]) && self->stops < 2))
            return false;
    return true;
}

/*  All that could be started, has been. */
static void
tell_ready (struct parts *self)
{
    const char *first = NULL;
    size_t failed = 0;
    for (size_t i = 0; i < self->count; i++)
        if (!part_is_alive (self->list[i]) && self->list[i]->status != EXIT_OK && failed++ == 0)
            first = self->list[i]->config->name;
    self->told_ready = true;
    if (failed > 1)
        cli_note (self->cli, "ready, but for %s and %zu more that have failed", first, failed - 1);
    else if (failed)
        cli_note (self->cli, "ready, but for %s, which has failed", first);
    else
        cli_note (self->cli, "ready");
}

/*  For the metrics. A part is told about when those whose name it may bear have gone. */
static void
show_all (struct parts *self)
{
    bool old = parts_have_old (self);
    for (size_t i = 0; i < self->count && self->cli->metrics; i++)
        if (self->list[i]->entry || !old)
            part_show (self->list[i], self->cli->metrics);
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
        parts_end_all (self);
    }
    start_next (self);
    parts_stop_next (self);
    if (!self->told_ready && are_ready (self))
        tell_ready (self);
    show_all (self);
}

/* ------------------------------------------------------------------ waiting */

/*  How long: while some are to end they are nudged. */
static int64_t
patience (const struct parts *self)
{
    int64_t until = TIME_FOREVER, now = clock_now (clock_system ());
    for (size_t i = 0; i < self->count; i++) {
        const struct part *part = self->list[i];
        if (parts_is_to_end (self, part))
            until = clock_earlier (until, now + NUDGE_EVERY);
        if (part->state == PART_RESTING && !part_is_busy (part))
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
            parts_end_all (self);
        }
        if (woken)
            on_wake (arg);
    }
    rc = write_rest (self);
    if (rc && !self->status)
        self->status = cli_fail (self->cli, rc, NULL);
    return self->status;
}
