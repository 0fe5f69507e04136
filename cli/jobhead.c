/*  jobhead.c - the head of a pool at work: jobs in, results out */

#include "cli/jobhead.h"

#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/ledgerask.h"
#include "core/error.h"

#define TURN_EVENTS 1000        /*  handled before anything else is looked at   */
#define TURN_JOBS 1000
#define FULL_WAIT (250 * TIME_MS)   /*  until it is seen if the disk has room       */

#define FIELD(name) offsetof (struct jobhead_options, name)

const struct option jobhead_options[] = {
    { .name = "timeout", .type = OPTION_TEXT, .argument = "TIME|N%", .offset = FIELD (timeout),
      .text = "stop a job that runs longer: than a time, or than N percent of the median of the last 1000 jobs that "
              "ended well, once three have (and 0.1 s at least)" },
    { .name = "delay", .type = OPTION_TIME, .argument = "TIME", .standard = "0", .max = 24 * 24 * 3600 * TIME_S,
      .offset = FIELD (delay), .text = "let so much time pass between one job's start and the next one's" },
    { .name = "retries", .type = OPTION_INT, .argument = "N", .standard = "1", .max = 1000000, .offset = FIELD (tries),
      .text = "try a job that fails up to N times in all" },
    { .name = "priority", .type = OPTION_INT, .argument = "N", .standard = "0", .min = -WEFT_PRIORITY_MAX,
      .max = WEFT_PRIORITY_MAX, .offset = FIELD (priority),
      .text = "of these jobs, where a --ledger has others: those with a higher one are run first" },
    { .name = "cores", .type = OPTION_INT, .argument = "N", .standard = "1", .min = 1, .max = 4096,
      .offset = FIELD (cores), .text = "cores that each job takes: so many slots of one worker; it finds the number "
              "in $WEFT_CORES, and in $OMP_NUM_THREADS unless that is set" },
    { .name = "memory", .type = OPTION_SIZE, .argument = "SIZE", .standard = "0", .max = INT64_MAX,
      .offset = FIELD (memory), .text = "memory that each job takes: no more run at a worker than fit into what it "
              "has; nothing is enforced" },
    { .name = "halt", .type = OPTION_TEXT, .argument = "WHEN,WHY=N", .offset = FIELD (halt),
      .text = "end early: WHEN is now or soon (what runs may end), WHY fail, success or done, N a number of jobs or a "
              "percentage" },
    { .name = "halt-on-error", .type = OPTION_TEXT, .flags = OPTION_HIDDEN, .offset = FIELD (halt) },
    { .name = "dry-run", .type = OPTION_FLAG, .offset = FIELD (dry_run),
      .text = "print the commands, run nothing" },
    { .name = "dryrun", .type = OPTION_FLAG, .flags = OPTION_HIDDEN, .offset = FIELD (dry_run) },
    { .name = "trace", .letter = 't', .type = OPTION_FLAG, .offset = FIELD (trace),
      .text = "print each command on standard error when it is started" },
    { .name = "ledger", .type = OPTION_TEXT, .argument = "FILE", .offset = FIELD (ledger),
      .text = "keep jobs and results in FILE, so that nothing is lost or run twice if this program ends early; with "
              "--resume, go on with it" },
    { .name = "outputs", .type = OPTION_TEXT, .argument = "DIR", .offset = FIELD (outputs),
      .text = "with --ledger: print nothing, keep what jobs write in few files in DIR; weft jobs LEDGER output ID "
              "shows it" },
    { .name = "durability", .type = OPTION_TEXT, .argument = "HOW", .offset = FIELD (durability),
      .text = "when FILE is brought to disk: sync (at once), group (within 2 ms, the default), none (when the system "
              "likes)" },
    { .name = "after", .type = OPTION_LIST, .argument = "LEDGER", .offset = FIELD (after),
      .text = "start no job before the batch in that --ledger has ended, and none at all when a job in it has failed" },
    { .name = "after-any", .type = OPTION_LIST, .argument = "LEDGER", .offset = FIELD (after_any),
      .text = "the same, but it may have ended in whatever way" },
    OPTION_END
};

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

/*  Where is what jobs write to go? In one place. */
static int
jobhead_check_outputs (const struct jobhead_config *config)
{
    if (!config->run->outputs)
        return 0;
    if (!config->run->ledger)
        return error_set (WEFT_EINVAL, "--outputs needs --ledger FILE, which says where in DIR each job's output is");
    if (config->feed->results)
        return error_set (WEFT_EINVAL, "--outputs and --results are two ways to keep what jobs write: give one");
    return 0;
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
    int rc = jobhead_check_outputs (config);
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

/*  Ends early: no job more, and with `now` those that run are stopped. */
static void
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

/*  Ends early with a status of its own: WEFT_EEND because nobody reads the output, or an
 *  error that was just kept. */
static void
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

static void
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
jobhead_trace (struct jobhead *self, const struct viewjob *job)
{
    if (!self->options->trace)
        return;
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
    /*  Of a message that took a moment it is not told that it was started, but by now it was. */
    bool untold = event->kind == WEFT_POOL_OUTPUT || (event->kind == WEFT_POOL_DONE && event->slot > 0);
    if (rc == 0 && untold && !job->slot)
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

/* -------------------------------------------------------------------- jobs */

/*  What the pool is to be given, but for the tag. */
static weft_job_t
jobhead_job (const struct jobhead *self, const char *command)
{
    const struct jobfeed *feed = &self->feed;
    weft_job_t job = { .command = command, .number = feed->list.number,
                       .priority = (int) self->options->priority, .cores = (int) self->options->cores,
                       .memory = (uint64_t) self->options->memory,
                       .slot_mark = feed->list.command.uses_slot ? JOBLIST_SLOT_MARK : NULL };
    if (feed->list.messages) {
        job.command = NULL;
        job.input = buffer_data (&feed->message);
        job.input_size = buffer_size (&feed->message);
    }
    return job;
}

/*  Hands over the job that was made: 0, or WEFT_EAGAIN when the pool has enough. */
static int
jobhead_hand_over (struct jobhead *self)
{
    if (self->kept.ready) {
        weft_job_t kept = jobhead_job (self, buffer_data (&self->feed.command));
        kept.note = buffer_data (&self->feed.note);
        kept.note_size = buffer_size (&self->feed.note);
        uint64_t id;
        int rc = weft_pool_submit (self->pool, &kept, &id);
        self->made = rc < 0;
        return rc ? rc : jobhead_retry (self, id);
    }
    struct viewjob *job = jobfeed_job (&self->feed);
    if (!job)
        return error_set (WEFT_ENOMEM, "out of memory");
    weft_job_t spec = jobhead_job (self, job->text);
    spec.tag = (uintptr_t) job;
    if (spec.number == self->feed.made)
        spec.number = 0;            /*  the pool counts those that it gets */
    int rc = weft_pool_submit (self->pool, &spec, NULL);
    if (rc < 0) {
        viewjob_free (job);
        return rc;
    }
    viewjob_link (job, &self->jobs);
    jobview_begin (&self->line, job, self->feed.list.number, self->feed.made);
    self->made = false;
    return 0;
}

static void
jobhead_input_ended (struct jobhead *self)
{
    const struct resume *resume = &self->feed.resume;
    if (self->status < 0 && resume->mode != RESUME_RETRY && resume->last > self->feed.list.number)
        cli_note (self->cli, "the job log %s has jobs up to %llu, the input only %llu", resume->path,
                  (unsigned long long) resume->last, (unsigned long long) self->feed.list.number);
    self->state = HEAD_ENDING;
    self->total = jobfeed_seen (&self->feed);
    if (self->kept.ready) {
        weft_pool_stats_t stats;
        weft_pool_stats (self->pool, &stats);
        self->total = stats.done + stats.waiting + stats.running;
    }
    self->total_known = true;
    if (self->feed.retry_known && self->left)
        cli_note (self->cli, "%llu job%s that failed before %s not in this input, and left: --retry-failed does them "
                  "again", (unsigned long long) self->left, self->left == 1 ? "" : "s", self->left == 1 ? "is" : "are");
    weft_pool_finish (self->pool);
    if (halt_total (&self->halt, self->total))
        jobhead_halt (self);
}

/*  Makes the next job. True when one was made or passed over, and there may be more. */
static bool
jobhead_make (struct jobhead *self)
{
    if (!self->resumes && !jobout_has_room (&self->line, self->feed.made + 1))
        return false;
    int rc = jobfeed_next (&self->feed);
    self->waiting = rc == 0;
    self->made = rc == 1;
    if (rc == WEFT_EEND)
        jobhead_input_ended (self);
    else if (rc < 0) {
        /*  What was read before the error is good and is run to its end. */
        progress_clear (&self->view.progress);
        cli_error (self->cli, "%s", weft_error ());
        self->status = EXIT_RUN_ERROR;
        jobhead_input_ended (self);
    }
    return rc > 0;
}

/*  True when there may be more to hand over at once. */
static bool
jobhead_feed (struct jobhead *self)
{
    if (self->retry || self->feed.retry_all) {
        int rc = self->retry ? jobhead_retry (self, self->retry) : jobhead_retry_all (self);
        if (rc < 0 && rc != WEFT_EAGAIN)
            jobhead_fail (self, rc);
        if (rc < 0)
            return false;
    }
    for (int i = 0; i < TURN_JOBS && self->state == HEAD_FEEDING; i++) {
        if (outlet_full (&self->view.outlet) || (!self->made && !jobhead_make (self)))
            return false;
        int rc = self->made ? jobhead_hand_over (self) : 0;
        if (rc == WEFT_EAGAIN)
            return false;
        if (rc == WEFT_ELIMIT && self->kept.ready) {
            self->full = true;          /*  the pool says so */
            return false;
        }
        if (rc < 0)
            jobhead_fail (self, rc);
        else
            self->full = false;
    }
    return self->state == HEAD_FEEDING;
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

/*  A time, or N% of what others take. */
static int
jobhead_timeout (const struct jobhead *self, weft_pool_t *pool)
{
    const char *text = self->options->timeout;
    size_t size = text ? strlen (text) : 0;
    char percent[32];
    if (!size || text[size - 1] != '%')
        return size ? weft_pool_set (pool, "timeout", text) : 0;
    snprintf (percent, sizeof percent, "%.*s", (int) size - 1, text);
    return weft_pool_set (pool, "timeout-percent", percent);
}

int
jobhead_prepare (struct jobhead *self, weft_pool_t *pool)
{
    char retries[32], delay[32];
    int64_t tries = self->options->tries;
    self->pool = pool;
    snprintf (retries, sizeof retries, "%lld", (long long) (tries ? tries - 1 : 1000000));
    snprintf (delay, sizeof delay, "%lldns", (long long) self->options->delay);
    int rc = weft_pool_set (pool, "retries", retries);
    rc = rc ? rc : weft_pool_set (pool, "delay", delay);
    rc = rc ? rc : jobhead_timeout (self, pool);
    /*  What is kept may be followed as it comes. */
    if (rc == 0 && (self->line.mode != JOBOUT_GROUP || self->options->outputs))
        rc = weft_pool_set (pool, "stream", "yes");
    if (rc == 0 && self->kept.ready)
        rc = weft_pool_set (pool, "ledger", self->options->ledger);
    if (rc == 0 && self->kept.ready && self->options->durability)
        rc = weft_pool_set (pool, "durability", self->options->durability);
    if (rc == 0 && self->options->outputs)
        rc = weft_pool_set (pool, "outputs", self->options->outputs);
    if (rc == 0 && self->kept.ready && self->feed.results.kind != RESULTS_NONE)
        rc = weft_pool_set (pool, "results", self->feed.results.path);
    if (rc == 0 && self->resumes)
        rc = weft_pool_set (pool, "resume", "yes");
    if (rc == 0 && self->after.count)
        rc = weft_pool_pause (pool, true);
    return rc || !self->kept.ready ? rc : ledgerask_wait (self->cli, self->options->ledger);
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
