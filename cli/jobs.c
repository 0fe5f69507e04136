/*  jobs.c - weft jobs: what a ledger says of its jobs */

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/jobswatch.h"
#include "cli/ledgerview.h"
#include "core/clock.h"
#include "core/error.h"

#define WAIT_MS 250

struct jobs_options {
    bool done, failed, started, waiting, json, watch;
};

#define FIELD(name) offsetof (struct jobs_options, name)

static const struct option jobs_table[] = {
    { .name = "done", .type = OPTION_FLAG, .offset = FIELD (done), .text = "list those that ended well" },
    { .name = "failed", .type = OPTION_FLAG, .offset = FIELD (failed), .text = "list those that ended badly" },
    { .name = "running", .type = OPTION_FLAG, .offset = FIELD (started),
      .text = "list those that were started and have not ended" },
    { .name = "waiting", .type = OPTION_FLAG, .offset = FIELD (waiting),
      .text = "list those that are to be started, the first time or again" },
    { .name = "json", .type = OPTION_FLAG, .offset = FIELD (json),
      .text = "a JSON object for each job, with all columns; with --watch, for each look" },
    { .name = "watch", .letter = 'w', .type = OPTION_FLAG, .offset = FIELD (watch),
      .text = "show how the jobs are, about once a second, until all have ended; q leaves" },
    OPTION_END
};

struct jobs {
    struct cli *cli;
    struct jobs_options options;
    struct ledgerview *view;
};

static int
jobs_write (struct jobs *self, struct buffer *out)
{
    int rc = cli_write (self->cli->out, buffer_data (out), buffer_size (out));
    buffer_clear (out);
    return rc;
}

static int
jobs_list (struct jobs *self)
{
    const struct jobs_options *options = &self->options;
    unsigned filter = (options->done ? LEDGERVIEW_DONE : 0u) | (options->failed ? LEDGERVIEW_FAILED : 0u)
                      | (options->started ? LEDGERVIEW_STARTED : 0u) | (options->waiting ? LEDGERVIEW_WAITING : 0u);
    struct buffer out;
    uint64_t after = 0;
    buffer_init (&out, 0);
    int rc = options->json ? 0 : buffer_add_str (&out, "ID\tSTATE\tATTEMPT\tSTATUS\tSIGNAL\tSECONDS\tHOST\tCOMMAND\n");
    while (rc >= 0 && !self->cli->stopped (self->cli)) {
        rc = ledgerview_page (self->view, filter ? filter : LEDGERVIEW_ALL, options->json, &after, &out);
        int rc2 = rc >= 0 || rc == WEFT_EEND ? jobs_write (self, &out) : 0;
        rc = rc2 < 0 ? rc2 : rc;
    }
    buffer_free (&out);
    return rc == WEFT_EEND ? 0 : rc;
}

static int
jobs_summary (struct jobs *self, const struct ledgerview_counts *counts)
{
    struct buffer out;
    buffer_init (&out, 0);
    int rc = buffer_addf (&out, self->options.json ? "{\"jobs\":%llu,\"done\":%llu,\"failed\":%llu,\"started\":%llu,"
                                                     "\"waiting\":%llu}\n"
                                                   : "%llu jobs: %llu done, %llu failed, %llu started, %llu waiting\n",
                          (unsigned long long) counts->jobs, (unsigned long long) counts->done,
                          (unsigned long long) counts->failed, (unsigned long long) counts->started,
                          (unsigned long long) counts->waiting);
    if (rc == 0)
        rc = jobs_write (self, &out);
    buffer_free (&out);
    return rc;
}

/*  Until no job is open. 1 when any has failed. */
static int
jobs_wait (struct jobs *self)
{
    struct ledgerview_counts counts;
    while (true) {
        int rc = ledgerview_count (self->view, &counts);
        if (rc < 0)
            return rc;
        if (counts.started + counts.waiting == 0)
            break;
        weft_pollitem_t item = { .fd = self->cli->stop_fd, .events = WEFT_IN };
        rc = weft_poll (&item, 1, WAIT_MS);
        if (self->cli->stopped (self->cli))
            return error_set (WEFT_EINTR, "stopped: %llu were running, %llu waiting",
                              (unsigned long long) counts.started, (unsigned long long) counts.waiting);
        if (rc < 0 && rc != WEFT_EINTR)
            return rc;
    }
    int rc = jobs_summary (self, &counts);
    return rc < 0 ? rc : counts.failed > 0;
}

static int
jobs_show (struct jobs *self, char **words, int count)
{
    struct buffer out;
    buffer_init (&out, 0);
    int rc = count ? 0 : error_set (WEFT_EINVAL, "show: give the numbers of jobs");
    for (int i = 0; i < count && rc == 0; i++) {
        char *end;
        errno = 0;
        unsigned long long job = strtoull (words[i], &end, 10);
        if (errno || *end || words[i][0] < '0' || words[i][0] > '9' || job > INT64_MAX)
            rc = error_set (WEFT_EINVAL, "'%s' is no number of a job", words[i]);
        if (rc == 0 && i && !self->options.json)
            rc = buffer_add_str (&out, "\n");
        if (rc == 0)
            rc = ledgerview_show (self->view, job, self->options.json, &out);
    }
    if (rc == 0)
        rc = jobs_write (self, &out);
    buffer_free (&out);
    return rc;
}

/*  What was drawn is gone: the last of it stays as a line. 1 when any has failed. */
static int
jobs_watch (struct jobs *self, const char *path)
{
    struct ledgerview_counts counts;
    int rc = jobswatch_run (self->cli, self->view, path, self->options.json, &counts);
    if (rc == 0 && !self->options.json && isatty (self->cli->out))
        rc = jobs_summary (self, &counts);
    return rc < 0 ? rc : counts.failed > 0 && counts.started + counts.waiting == 0;
}

/*  What is asked for: 0, 1 for jobs that failed, or an error. */
static int
jobs_do (struct jobs *self, const char *verb, char **words, int count)
{
    struct ledgerview_counts counts;
    bool show = strcmp (verb, "show") == 0;
    if (!show && count)
        return error_set (WEFT_EINVAL, "'%s' is too much", words[0]);
    if (show)
        return jobs_show (self, words, count);
    if (strcmp (verb, "list") == 0)
        return jobs_list (self);
    if (strcmp (verb, "wait") == 0)
        return jobs_wait (self);
    if (strcmp (verb, "summary") != 0)
        return error_set (WEFT_EINVAL, "'%s': there are list, summary, show and wait", verb);
    int rc = ledgerview_count (self->view, &counts);
    return rc < 0 ? rc : jobs_summary (self, &counts);
}

static int
jobs_run (struct cli *cli, const struct command *command, int argc, char **argv)
{
    struct jobs self = { .cli = cli };
    void *targets[] = { &self.options };
    char *operands[argc + 1];
    int count = 0, status = EXIT_USAGE;
    int rc = command_parse (cli, command, targets, NULL, argc, argv, operands, &count);
    if (rc == 1)
        status = EXIT_OK;
    else if (rc == 0 && count == 0)
        cli_error (cli, "give a ledger, as in 'weft jobs LEDGER'");
    else if (rc == 0) {
        rc = ledgerview_open (&self.view, operands[0]);
        if (rc == 0 && self.options.watch)
            rc = count > 1 ? error_set (WEFT_EINVAL, "'%s': --watch shows all that there is", operands[1])
                           : jobs_watch (&self, operands[0]);
        else if (rc == 0)
            rc = jobs_do (&self, count > 1 ? operands[1] : "list", operands + (count > 1 ? 2 : 1),
                          count > 1 ? count - 2 : 0);
        status = rc == 1 ? EXIT_ERROR : rc == 0 || rc == WEFT_EEND ? EXIT_OK : cli_fail (cli, rc, NULL);
        ledgerview_close (&self.view);
    }
    command_free_options (command, targets, NULL);
    return status;
}

const struct command command_jobs = {
    .name = "jobs",
    .group = COMMAND_GROUP_POOL,
    .summary = "say what a ledger has of its jobs",
    .usage = "[OPTIONS] LEDGER [list | summary | show ID ... | wait]",
    .description =
        "Reads a ledger, whether its head lives or not, and changes nothing. list, which is the default, has a line "
        "for each job, with TABs between columns; summary counts them; show has all that is known of some jobs, with "
        "attempts before the last; wait ends when no job is open any more, and then counts.\n\n"
        "With --watch, a terminal shows them until all have ended: how many, how fast and how long yet, those that "
        "run, who runs them, those that failed last and the slowest. q or Ctrl-C leaves it. Where standard output is "
        "no terminal there is a line whenever something has changed.\n\n"
        "A job is waiting, started, waiting again after an attempt that failed, done, failed, or dead, which is failed "
        "by the loss of its workers. What a head was at when it died is still called started.",
    .status = "wait, and --watch to the end: 1 when any job has failed",
    .tables = (const struct command_table[]){ { .title = "Options", .table = jobs_table }, { .title = NULL } },
    .examples =
        (const struct command_example[]){
            { "weft jobs ledger summary", "How many jobs there are, and how they are." },
            { "weft jobs --failed ledger | cut -f1,8", "Number and command of each that failed." },
            { "weft jobs --watch ledger", "What goes on, until all have ended." },
            { "weft jobs ledger wait && echo all well", "Waits until all jobs have ended." },
            { .line = NULL } },
    .run = jobs_run,
};
