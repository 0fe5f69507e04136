/*  jobview.c - what is shown of a run: output, job log, bar, summary */

#include "cli/jobview.h"

#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/resultrow.h"
#include "core/error.h"

#define FIELD(name) offsetof (struct jobview_options, name)

const struct option jobview_options[] = {
    { .name = "keep-order", .letter = 'k', .type = OPTION_FLAG, .offset = FIELD (keep_order),
      .text = "print in the order of the input, whatever the order jobs end in" },
    { .name = "group", .type = OPTION_FLAG, .standard = "yes", .offset = FIELD (group),
      .text = "print a job's output when it has ended" },
    { .name = "line-buffer", .type = OPTION_FLAG, .offset = FIELD (line_buffer),
      .text = "print whole lines as they come" },
    { .name = "lb", .type = OPTION_FLAG, .flags = OPTION_HIDDEN, .offset = FIELD (line_buffer) },
    { .name = "ungroup", .letter = 'u', .type = OPTION_FLAG, .offset = FIELD (ungroup),
      .text = "print output as it comes, even if that mixes jobs" },
    { .name = "tag", .type = OPTION_FLAG, .offset = FIELD (tag),
      .text = "begin each line with the job's values and a TAB" },
    { .name = "tagstring", .type = OPTION_TEXT, .argument = "TEXT", .offset = FIELD (tagstring),
      .text = "begin each line with TEXT, which may hold replacement strings, and a TAB" },
    { .name = "joblog", .type = OPTION_TEXT, .argument = "FILE", .offset = FIELD (joblog),
      .text = "log every job, in GNU parallel's columns; +FILE adds to it" },
    { .name = "jl", .type = OPTION_TEXT, .flags = OPTION_HIDDEN, .offset = FIELD (joblog) },
    { .name = "bar", .type = OPTION_FLAG, .offset = FIELD (bar),
      .text = "show progress on standard error: a bar, or a line now and then where that is no terminal" },
    OPTION_END
};

char *
jobview_tag (const struct jobview_options *options)
{
    if (!options->tagstring)
        return options->tag ? strdup ("{}") : NULL;
    char *tag = strdup (options->tagstring), *to = tag;
    for (const char *from = tag; from && *from; from++) {
        if (from[0] == '\\' && (from[1] == 't' || from[1] == 'n'))
            *to++ = *++from == 't' ? '\t' : '\n';
        else
            *to++ = *from;
    }
    if (tag)
        *to = '\0';
    return tag;
}

int
jobview_init (struct jobview *self, struct cli *cli, const struct jobview_options *options, enum joblog_mode log,
              struct results *results)
{
    *self = (struct jobview){ .cli = cli, .options = options };
    self->results = results && results->kind != RESULTS_NONE ? results : NULL;
    gethostname (self->host, sizeof self->host - 1);
    bool terminal = isatty (fileno (cli->err)) != 0;
    progress_init (&self->progress, options->bar ? cli->err : NULL, terminal, clock_system ());
    bool rows = self->results && results_are_rows (results);
    int out = rows ? resultrow_open (results, cli->out) : cli->out;
    outlet_init (&self->outlet, out, fileno (cli->err));
    self->outlet.bar = &self->progress;
    if (rows)
        self->outlet.ends[0].name = results->path;
    int rc = joblog_open (&self->log, options->joblog, out < 0 ? JOBLOG_OFF : log);
    if (self->log.mended)
        cli_note (cli, "the last line of the job log %s was cut off: it is removed", self->log.path);
    return out < 0 ? out : rc;
}

void
jobview_free (struct jobview *self)
{
    outlet_close (&self->outlet);
    joblog_close (&self->log);
    summary_free (&self->summary);
}

static void
line_done (void *arg, struct jobout_job *job)
{
    (void) arg;
    viewjob_free ((struct viewjob *) (void *) job);
}

static int
line_print_row (void *arg, struct jobout_job *out)
{
    struct jobview *self = arg;
    const struct viewjob *job = (struct viewjob *) (void *) out;
    return job->row ? resultrow_print (self->results, &self->outlet, job->row, &job->kept, out) : 0;
}

int
jobview_line (struct jobview *self, struct jobout *line)
{
    const struct jobview_options *options = self->options;
    enum jobout_mode mode = options->ungroup ? JOBOUT_RAW
                            : options->line_buffer || !options->group ? JOBOUT_LINES : JOBOUT_GROUP;
    int rc = jobout_init (line, &self->outlet, self->results ? JOBOUT_GROUP : mode, options->keep_order, line_done,
                          self);
    if (self->results && results_are_rows (self->results))
        line->print = line_print_row;
    return rc;
}

void
jobview_begin (struct jobout *line, struct viewjob *job, uint64_t number, uint64_t order)
{
    job->number = number;
    jobout_begin (line, &job->out, order, job->tag);
}

void
jobview_result (const weft_pool_event_t *event, int *status, int *signal)
{
    *status = event->status;
    *signal = event->signal;
    if (event->reason == WEFT_JOB_TIMEOUT) {
        *status = -1;           /*  as GNU parallel logs it, whichever signal it took */
        *signal = SIGTERM;
    } else if (event->reason != WEFT_JOB_EXITED && !*status && !*signal)
        *status = -1;
}

static void
tell_failure (struct jobview *self, const struct viewjob *job, const weft_pool_event_t *event)
{
    unsigned long long number = job->number;
    progress_clear (&self->progress);
    if (event->reason == WEFT_JOB_NOT_STARTED)
        cli_error (self->cli, "job %llu could not be started: %.*s", number, (int) event->size,
                   event->data ? (const char *) event->data : "");
    else if (event->reason == WEFT_JOB_OUTPUT_LOST)
        cli_error (self->cli, "job %llu was stopped, since its output could not be kept: %.*s", number,
                   (int) event->size, event->data ? (const char *) event->data : "");
    else if (event->reason == WEFT_JOB_LOST)
        cli_error (self->cli, "job %llu: its worker was lost %d times, given up: %s", number, event->attempt,
                   job->command);
    else if (event->reason == WEFT_JOB_TIMEOUT)
        cli_note (self->cli, "job %llu took too long and was stopped: %s", number, job->command);
}

/*  GNU parallel's name for the machine that it runs on is a colon. */
static const char *
log_host (const struct jobview *self, const weft_pool_event_t *event)
{
    return !event->host || strcmp (event->host, self->host) == 0 ? ":" : event->host;
}

/*  Its results get their names, or their row. */
static int
job_keep (struct jobview *self, struct viewjob *job, const struct joblog_entry *entry)
{
    if (!results_are_rows (self->results))
        return results_end (&job->kept, job->place);
    job->row = resultrow_head (self->results, entry, job->place);
    return job->row ? 0 : error_set (WEFT_ENOMEM, "out of memory for results");
}

/*  A job, or another attempt, was started. */
static int
jobview_started (struct jobview *self, struct viewjob *job, const weft_pool_event_t *event)
{
    int rc = viewjob_slot (job, event->slot);
    if (rc < 0 || !self->results)
        return rc;
    rc = results_begin (self->results, &job->kept, job->place, job->number);
    if (rc == 1) {
        progress_clear (&self->progress);
        cli_note (self->cli, "job %llu has the same results file as another one: %s keeps those of the last to end",
                  (unsigned long long) job->number, job->place);
    }
    return rc < 0 ? rc : 0;
}

/*  It was begun under a program before this one, which had heard of that; or is a message that took a moment. */
static int
jobview_found (struct jobview *self, struct viewjob *job, const weft_pool_event_t *event)
{
    bool found = event->slot > 0 && (event->slot != job->slot || (self->results && !job->kept.results));
    return found ? jobview_started (self, job, event) : 0;
}

/*  What a program before this one had acknowledged of a job that ran on went with it, when it was killed. */
static void
tell_missing (struct jobview *self, const struct viewjob *job, const weft_pool_event_t *event)
{
    if (self->mute || event->reason != WEFT_JOB_EXITED || job->heard >= event->received_bytes)
        return;
    progress_clear (&self->progress);
    cli_error (self->cli, "job %llu: %llu bytes of what it wrote were lost with the program that had taken them: %s",
               (unsigned long long) job->number, (unsigned long long) (event->received_bytes - job->heard),
               job->command);
}

static int
jobview_done (struct jobview *self, struct jobout *line, struct viewjob *job, const weft_pool_event_t *event)
{
    if (event->reason == WEFT_JOB_CANCELLED)
        return jobout_skip (line, &job->out);
    struct joblog_entry entry = { .number = job->number, .host = log_host (self, event),
                                  .started = event->started, .runtime = event->runtime, .sent = event->sent_bytes,
                                  .received = job->received, .command = job->command };
    jobview_result (event, &entry.status, &entry.signal);
    if (event->reason != WEFT_JOB_EXITED)
        tell_failure (self, job, event);
    tell_missing (self, job, event);
    summary_event (&self->summary, event, entry.status || entry.signal, clock_now (clock_system ()));
    /*  What could not be kept is not logged as run. */
    int rc = jobview_found (self, job, event);
    if (rc == 0 && self->results)
        rc = job_keep (self, job, &entry);
    if (rc == 0 && !job->kept.bad)
        rc = joblog_add (&self->log, &entry);
    int rc2 = jobout_end (line, &job->out);
    return rc < 0 ? rc : rc2;
}

static int
jobview_output (struct jobview *self, struct jobout *line, struct viewjob *job, const weft_pool_event_t *event)
{
    int rc = jobview_found (self, job, event);
    job->received += event->stream == 1 ? event->size : 0;
    job->heard += event->size;
    if (rc == 0 && self->results && !self->mute)
        rc = results_write (&job->kept, job->place, event->stream == 2, event->data, event->size);
    if (rc < 0 || self->mute || (self->results && !results_are_rows (self->results)))
        return rc;
    return jobout_write (line, &job->out, event->stream, event->data, event->size);
}

int
jobview_event (struct jobview *self, struct jobout *line, struct viewjob *job, const weft_pool_event_t *event)
{
    if (event->kind == WEFT_POOL_DONE)
        return jobview_done (self, line, job, event);
    if (event->kind != WEFT_POOL_OUTPUT)
        summary_event (&self->summary, event, false, clock_now (clock_system ()));
    if (self->cli->verbose && (event->kind == WEFT_POOL_JOINED || event->kind == WEFT_POOL_LEFT))
        progress_clear (&self->progress);
    switch (event->kind) {
    case WEFT_POOL_STARTED:
        return jobview_started (self, job, event);
    case WEFT_POOL_OUTPUT:
        return jobview_output (self, line, job, event);
    case WEFT_POOL_RETRY:
        job->received = job->heard = 0;
        results_void (&job->kept);
        cli_detail (self->cli, "job %llu failed in attempt %d and is tried again", (unsigned long long) job->number,
                    event->attempt);
        return jobout_void (line, &job->out);
    case WEFT_POOL_JOINED:
        cli_detail (self->cli, "worker %s came with %d slot%s", event->worker, event->slots,
                    event->slots == 1 ? "" : "s");
        return 0;
    case WEFT_POOL_LEFT:
        cli_detail (self->cli, "worker %s went", event->worker);
        return 0;
    default:
        return 0;
    }
}

int
jobview_flush (struct jobview *self, const struct progress_counts *counts)
{
    int rc = outlet_flush (&self->outlet);
    progress_update (&self->progress, counts);
    return rc;
}

int
jobview_end (struct jobview *self, const struct progress_counts *counts)
{
    int rc = outlet_flush (&self->outlet);
    progress_end (&self->progress, counts);
    if (self->cli->verbose)
        summary_write (&self->summary, self->cli->name, self->cli->err);
    return rc;
}
