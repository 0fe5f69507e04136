/*  jobview.c - what is shown of a run: output, job log, bar, summary */

#include "cli/jobview.h"

#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/joblist.h"
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

/* ------------------------------------------------------------------- a job */

struct viewjob *
viewjob_new (const char *command, const char *tag)
{
    size_t command_size = strlen (command) + 1, tag_size = tag ? strlen (tag) + 1 : 0;
    struct viewjob *self = malloc (sizeof *self + command_size + tag_size);
    if (!self)
        return NULL;
    *self = (struct viewjob){ .received = 0 };
    memcpy (self->text, command, command_size);
    self->command = self->text;
    if (strstr (self->command, JOBLIST_SLOT_MARK))
        self->plain = self->command;
    if (tag) {
        self->tag = self->text + command_size;
        memcpy (self->tag, tag, tag_size);
        if (strstr (self->tag, JOBLIST_SLOT_MARK))
            self->plain_tag = self->tag;
    }
    return self;
}

void
viewjob_link (struct viewjob *self, struct viewjob **list)
{
    self->next = *list;
    self->link = list;
    if (self->next)
        self->next->link = &self->next;
    *list = self;
}

static void
viewjob_unlink (struct viewjob *self)
{
    *self->link = self->next;
    if (self->next)
        self->next->link = self->link;
}

void
viewjob_free (struct viewjob *self)
{
    if (self && self->link)
        viewjob_unlink (self);
    if (self && self->plain && self->command != self->plain)
        free (self->command);
    if (self && self->plain_tag && self->tag != self->plain_tag)
        free (self->tag);
    free (self);
}

static int
fill_slot (const char *plain, int slot, char **text)
{
    struct buffer out;
    buffer_init (&out, 0);
    const char *mark;
    int rc = 0;
    while (rc == 0 && (mark = strstr (plain, JOBLIST_SLOT_MARK))) {
        rc = buffer_add (&out, plain, (size_t) (mark - plain));
        if (rc == 0)
            rc = buffer_addf (&out, "%d", slot);
        plain = mark + strlen (JOBLIST_SLOT_MARK);
    }
    if (rc == 0)
        rc = buffer_add_str (&out, plain);
    if (rc == 0)
        rc = buffer_terminate (&out);
    char *filled = rc == 0 ? strdup (buffer_data (&out)) : NULL;
    buffer_free (&out);
    if (!filled)
        return error_set (WEFT_ENOMEM, "out of memory for a command");
    *text = filled;
    return 0;
}

int
viewjob_slot (struct viewjob *self, int slot)
{
    char *old_command = self->command, *old_tag = self->tag;
    if (self->plain && fill_slot (self->plain, slot, &self->command) < 0)
        return WEFT_ENOMEM;
    if (self->plain && old_command != self->plain)
        free (old_command);
    if (self->plain_tag && fill_slot (self->plain_tag, slot, &self->tag) < 0)
        return WEFT_ENOMEM;
    if (self->plain_tag && old_tag != self->plain_tag)
        free (old_tag);
    self->out.tag = self->out.tag ? self->tag : NULL;
    return 0;
}

/* ---------------------------------------------------------------- the view */

int
jobview_init (struct jobview *self, struct cli *cli, const struct jobview_options *options, enum joblog_mode log)
{
    *self = (struct jobview){ .cli = cli, .options = options };
    gethostname (self->host, sizeof self->host - 1);
    outlet_init (&self->outlet, cli->out, fileno (cli->err));
    bool terminal = isatty (fileno (cli->err)) != 0;
    progress_init (&self->progress, options->bar ? cli->err : NULL, terminal, clock_system ());
    self->outlet.bar = &self->progress;
    int rc = joblog_open (&self->log, options->joblog, log);
    if (self->log.mended)
        cli_note (cli, "the last line of the job log %s was cut off: it is removed", self->log.path);
    return rc;
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

int
jobview_line (struct jobview *self, struct jobout *line)
{
    const struct jobview_options *options = self->options;
    enum jobout_mode mode = options->ungroup ? JOBOUT_RAW
                            : options->line_buffer || !options->group ? JOBOUT_LINES : JOBOUT_GROUP;
    return jobout_init (line, &self->outlet, mode, options->keep_order, line_done, NULL);
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
    summary_event (&self->summary, event, entry.status || entry.signal, clock_now (clock_system ()));
    int rc = joblog_add (&self->log, &entry);
    int rc2 = jobout_end (line, &job->out);
    return rc < 0 ? rc : rc2;
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
        return viewjob_slot (job, event->slot);
    case WEFT_POOL_OUTPUT:
        job->received += event->stream == 1 ? event->size : 0;
        return self->mute ? 0 : jobout_write (line, &job->out, event->stream, event->data, event->size);
    case WEFT_POOL_RETRY:
        job->received = 0;
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
