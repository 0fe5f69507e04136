/*  jobhead.c - the head of a pool at work: jobs in, results out */

#include "cli/jobhead.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/error.h"

#define TURN_EVENTS 1000        /*  handled before anything else is looked at   */
#define FULL_WAIT (250 * TIME_MS)   /*  until it is seen if the disk has room       */

/*  How many there will be, where somebody wants to know. */
static void
jobhead_count (struct jobhead *self, const struct jobhead_config *config)
{
    if (config->view->bar || self->halt.percent)
        self->total_known = jobfeed_count (&self->feed, &self->total);
    if (self->total_known)
        halt_total (&self->halt, self->total);
}

/*  With a ledger, jobs come that were made by a program before this one. */
static int
jobhead_keep (struct jobhead *self)
{
    self->resumes = self->feed.resumes;
    return jobkept_init (&self->kept, self->cli);
}

int
jobhead_init (struct jobhead *self, struct cli *cli, const struct jobhead_config *config)
{
    *self = (struct jobhead){ .cli = cli, .options = config->run, .status = -1 };
    char *tag = jobview_tag (config->view);
    struct jobfeed_config feed = { .feed = config->feed, .list = config->list, .joblog = config->view->joblog,
                                   .ledger = config->run->ledger && !config->run->dry_run,
                                   .operands = config->operands, .count = config->count, .files = config->files,
                                   .in = cli->in, .tag = tag };
    /*  The job log is read before it is written. */
    int rc = jobhead_check (config);
    if (rc == 0)
        rc = jobfeed_init (&self->feed, &feed);
    if (rc == 0 && feed.ledger)
        rc = jobhead_keep (self);
    free (tag);
    bool dry = rc < 0 || config->run->dry_run;
    int rc2 = jobview_init (&self->view, cli, config->view, jobfeed_log (&self->feed, dry),
                            dry ? NULL : &self->feed.results);
    self->view.mute = config->run->outputs != NULL && !dry;
    if (rc == 0)
        rc = rc2;
    if (rc == 0)
        rc = halt_parse (&self->halt, config->run->halt);
    if (rc == 0)
        rc = jobview_line (&self->view, &self->line);
    if (rc == 0 && !config->run->dry_run)
        rc = after_init (&self->after, cli, &config->run->after, &config->run->after_any, config->run->ledger);
    if (rc < 0) {
        cli_error (cli, "%s", weft_error ());
        jobhead_free (self);
        return rc;
    }
    if (self->feed.list.from_in && isatty (cli->in))
        cli_note (cli, "reading %s from the terminal, a line each; Ctrl-D ends them",
                  config->list->messages ? "messages" : config->files ? "commands" : "values");
    jobhead_count (self, config);
    return 0;
}

void
jobhead_free (struct jobhead *self)
{
    after_free (&self->after);
    jobout_free (&self->line);
    jobkept_free (&self->kept);
    jobfailed_free (&self->failed);
    jobfailed_free (&self->before);
    while (self->jobs)              /*  the pool ended before them */
        viewjob_free (self->jobs);
    jobview_free (&self->view);
    jobfeed_free (&self->feed);
}

void
jobhead_counts (const struct jobhead *self, struct progress_counts *counts)
{
    weft_pool_stats_t stats = { .running = 0 };
    if (self->pool)
        weft_pool_stats (self->pool, &stats);
    counts->done = self->halt.done + self->feed.passed;
    counts->failed = self->halt.failed;
    counts->running = stats.running < stats.slots ? stats.running : stats.slots;
    counts->nodes = stats.workers;
    counts->slots = stats.slots;
    counts->elsewhere = self->side.turn != NULL;
    counts->total = self->total_known ? self->total : jobfeed_seen (&self->feed);
    counts->complete = self->total_known;
}

/* --------------------------------------------------------------- the state */

void
jobhead_end (struct jobhead *self, bool now)
{
    enum jobhead_state state = now ? HEAD_STOPPING : HEAD_DRAINING;
    if (self->state >= state)
        return;
    if (self->state == HEAD_FEEDING)
        weft_pool_finish (self->pool);
    self->state = state;
    self->asked.ending = true;
    if (self->made)
        self->not_run++;
    self->made = false;
    weft_pool_cancel (self->pool, now);
}

void
jobhead_fail (struct jobhead *self, int error)
{
    if (self->status < 0 && error != WEFT_EEND) {
        progress_clear (&self->view.progress);
        cli_error (self->cli, "%s", weft_error ());
    }
    if (self->status < 0)
        self->status = error == WEFT_EEND ? EXIT_OK : EXIT_RUN_ERROR;
    jobhead_end (self, true);
}

void
jobhead_halt (struct jobhead *self)
{
    bool now = self->halt.when == HALT_NOW;
    if (self->state < HEAD_DRAINING) {
        progress_clear (&self->view.progress);
        cli_note (self->cli, "halting: %llu done, %llu of them failed%s", (unsigned long long) self->halt.done,
                  (unsigned long long) self->halt.failed, now ? "" : "; waiting for those that run");
    }
    jobhead_end (self, now);
}

/*  As GNU parallel: a first SIGTERM lets those that run end, a second or a SIGINT does not. */
static void
jobhead_signals (struct jobhead *self)
{
    int stops = self->cli->stopped (self->cli);
    if (stops == self->stops)
        return;
    uint64_t events;
    if (read (self->cli->stop_fd, &events, sizeof events) < 0) {
        /*  The count of signals is what tells. */
    }
    bool now = stops > 1 || self->cli->signal (self->cli) != SIGTERM;
    self->stops = stops;
    progress_clear (&self->view.progress);
    if (now)
        cli_note (self->cli, "stopping");
    else
        cli_note (self->cli, "starting no more jobs, waiting for those that run; a second SIGTERM stops them");
    jobhead_end (self, now);
}

/* ------------------------------------------------------------------ events */

/*  After the event was shown: to halt is a call on the pool, which ends the event's texts. */
static void
jobhead_done (struct jobhead *self, const weft_pool_event_t *event)
{
    int status, signal;
    if (event->reason == WEFT_JOB_CANCELLED && !event->data) {
        self->not_run++;
        return;
    }
    self->cancelled += event->reason == WEFT_JOB_CANCELLED;
    jobview_result (event, &status, &signal);
    if (self->kept.ready && (status || signal) && jobfailed_add (&self->failed, event->job) < 0)
        jobhead_fail (self, WEFT_ENOMEM);
    if (halt_job (&self->halt, status, signal))
        jobhead_halt (self);
}

static void
jobhead_trace (struct jobhead *self, struct viewjob *job)
{
    if (!self->options->trace)
        return;
    job->traced = true;
    progress_clear (&self->view.progress);
    fprintf (self->cli->err, "%s\n", job->command);
}

static void
jobhead_event (struct jobhead *self, const weft_pool_event_t *event)
{
    struct viewjob *job = (struct viewjob *) (uintptr_t) event->tag;
    int rc = 0;
    if (event->kind == WEFT_POOL_ACCEPTED)
        return;
    pool_count_event (&self->counts, event);
    if (self->kept.ready && event->job) {
        job = jobkept_job (&self->kept, event, &self->feed, &self->line, &self->jobs, &rc);
        if (event->kind == WEFT_POOL_DONE)
            jobkept_drop (&self->kept, event->job);
    }
    if (self->side.event && (event->kind == WEFT_POOL_JOINED || event->kind == WEFT_POOL_LEFT))
        self->side.event (self->side.self, event);
    /*  Of a job that took a moment it is not told that it was started, but by now it was. */
    bool untold = event->kind == WEFT_POOL_OUTPUT || (event->kind == WEFT_POOL_DONE && event->slot > 0);
    if (rc == 0 && untold && !job->traced)
        jobhead_trace (self, job);
    rc = rc ? rc : jobview_event (&self->view, &self->line, job, event);
    if (rc == 0 && event->kind == WEFT_POOL_STARTED)
        jobhead_trace (self, job);
    if (rc < 0)
        jobhead_fail (self, rc);
    if (event->kind == WEFT_POOL_DONE)
        jobhead_done (self, event);
}

/*  Takes what has happened. True when there may be more. */
static bool
jobhead_take (struct jobhead *self)
{
    weft_pool_event_t event;
    for (int i = 0; i < TURN_EVENTS; i++) {
        int rc = weft_pool_next (self->pool, &event, 0);
        if (rc == WEFT_EAGAIN || rc == WEFT_EINTR)
            return false;
        if (rc < 0) {
            self->ended = true;
            rc = rc == WEFT_EEND && self->kept.ready ? jobout_finish (&self->line) : rc;
            if (rc < 0 && rc != WEFT_EEND)
                jobhead_fail (self, rc);
            return false;
        }
        jobhead_event (self, &event);
    }
    return true;
}

/* ------------------------------------------------------------------- after */

/*  Jobs are accepted, and none is dealt, until the batches have ended. */
static void
jobhead_look_after (struct jobhead *self)
{
    int rc = self->state < HEAD_DRAINING ? after_look (&self->after) : WEFT_EEND;
    if (rc == 0)
        return;
    if (rc == WEFT_ESTATE && self->status < 0) {
        progress_clear (&self->view.progress);
        cli_error (self->cli, "%s", weft_error ());
        self->status = EXIT_AFTER;
        jobhead_end (self, true);
    }
    else if (rc < 0 && rc != WEFT_EEND)
        jobhead_fail (self, rc);
    after_free (&self->after);
    rc = rc == 1 && self->begin ? self->begin (self->begin_arg) : 0;
    rc = rc ? rc : weft_pool_pause (self->pool, false);
    if (rc < 0)
        jobhead_fail (self, rc);
}

/* -------------------------------------------------------------------- loop */

static int
jobhead_wait (struct jobhead *self)
{
    bool input = self->state == HEAD_FEEDING && self->waiting && !self->made;
    int64_t wait = progress_wait (&self->view.progress);
    if (self->after.count)
        wait = clock_earlier (wait, after_wait (&self->after));
    if (self->full && self->state == HEAD_FEEDING)
        wait = clock_earlier (wait, FULL_WAIT);
    weft_pollitem_t items[] = { { .fd = self->cli->stop_fd, .events = WEFT_IN },
                                { .fd = input ? jobfeed_fd (&self->feed) : -1, .events = WEFT_IN },
                                { .fd = outlet_fd (&self->view.outlet), .events = WEFT_OUT },
                                { .fd = self->side.turn ? self->side.fd : -1, .events = WEFT_IN },
                                { .fd = self->workers.turn ? self->workers.fd : -1, .events = WEFT_IN },
                                { .self = self->asked.socket, .fd = -1, .events = WEFT_IN },
                                { .self = self->pool, .events = WEFT_IN } };
    return weft_poll (items, self->ended ? 5 : 7, clock_poll_ms (wait));
}

static void
jobhead_turn_side (struct jobhead *self, const struct jobhead_side *side)
{
    int rc = side->turn && !self->ended ? side->turn (side->self) : 0;
    if (rc < 0)
        jobhead_fail (self, rc);
}

int
jobhead_run (struct jobhead *self)
{
    struct progress_counts counts;
    if (self->line.keep_order && self->resumes && jobkept_order (&self->kept, self->options->ledger) < 0)
        jobhead_fail (self, WEFT_EIO);
    if (self->resumes && jobhead_retry_begin (self) < 0)
        jobhead_fail (self, WEFT_EIO);
    if (self->kept.ready)
        jobasked_open (&self->asked, self->cli, self->pool, self->options->ledger);
    while (true) {
        bool busy = !self->ended && jobhead_take (self);
        if (!self->ended)
            jobasked_turn (&self->asked);
        if (!self->ended)
            busy |= jobhead_feed (self);
        jobhead_signals (self);
        if (self->after.count)
            jobhead_look_after (self);
        jobhead_counts (self, &counts);
        pool_show (self->pool);
        jobhead_turn_side (self, &self->side);
        jobhead_turn_side (self, &self->workers);
        int rc = jobview_flush (&self->view, &counts);
        if (rc < 0)
            jobhead_fail (self, rc);
        if (self->ended && (self->state == HEAD_STOPPING || outlet_fd (&self->view.outlet) < 0))
            break;
        rc = busy ? 0 : jobhead_wait (self);
        if (rc < 0 && rc != WEFT_EINTR) {
            jobhead_fail (self, rc);
            self->ended = true;
        }
    }
    jobasked_close (&self->asked);
    return jobhead_finish (self);
}
