/*  jobs.c - weft jobs: what a ledger says of its jobs */

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "cli/jobs.h"
#include "core/error.h"

#define FIELD(name) offsetof (struct jobs_options, name)

static const struct option jobs_table[] = {
    { .name = "done", .type = OPTION_FLAG, .offset = FIELD (done), .text = "list those that ended well" },
    { .name = "failed", .type = OPTION_FLAG, .offset = FIELD (failed),
      .text = "list those that ended badly; retry: all of those but the cancelled" },
    { .name = "running", .type = OPTION_FLAG, .offset = FIELD (started),
      .text = "list those that were started and have not ended; cancel: stop those, too" },
    { .name = "waiting", .type = OPTION_FLAG, .offset = FIELD (waiting),
      .text = "list those that are to be started, the first time or again" },
    { .name = "all", .type = OPTION_FLAG, .offset = FIELD (all), .text = "cancel: all jobs that there are now" },
    { .name = "json", .type = OPTION_FLAG, .offset = FIELD (json),
      .text = "a JSON object for each job, with all columns; with --watch, for each look" },
    { .name = "watch", .letter = 'w', .type = OPTION_FLAG, .offset = FIELD (watch),
      .text = "show how the jobs are, about once a second, until all have ended; q leaves" },
    { .name = "follow", .letter = 'f', .type = OPTION_FLAG, .offset = FIELD (follow),
      .text = "with output and tail: go on with what comes, until the job has ended" },
    { .name = "lines", .letter = 'n', .type = OPTION_INT, .argument = "N", .standard = "0", .max = 1000000,
      .offset = FIELD (lines), .text = "with output and tail: the last N lines alone, of standard output and of "
      "standard error; tail without it: 10" },
    { .name = "outputs", .type = OPTION_TEXT, .argument = "DIR", .offset = FIELD (outputs),
      .text = "with output and tail: the folder of --outputs, where it is no more where it was" },
    OPTION_END
};

static const struct {
    const char *name;
    jobs_verb_fn *run;
    const char *wants;          /*  of jobs that must be named; "": it says so itself; NULL: none are  */
} verbs[] = {
    { "list", jobs_list, NULL },
    { "summary", jobs_summary, NULL },
    { "show", jobs_show, "give the numbers of jobs" },
    { "wait", jobs_wait, NULL },
    { "cancel", jobs_cancel, "" },
    { "output", jobs_output, "give the numbers of jobs" },
    { "tail", jobs_tail, "give the number of a job" },
    { "retry", jobs_retry, "" },
};

int
jobs_write (struct jobs *self, struct buffer *out)
{
    int rc = cli_write (self->cli->out, buffer_data (out), buffer_size (out));
    buffer_clear (out);
    return rc;
}

int
jobs_id (const char *word, uint64_t *id)
{
    char *end;
    errno = 0;
    unsigned long long number = strtoull (word, &end, 10);
    if (errno || *end || word[0] < '0' || word[0] > '9' || number > INT64_MAX)
        return error_set (WEFT_EINVAL, "'%s' is no number of a job", word);
    *id = number;
    return 0;
}

static int
no_verb (const char *name)
{
    char list[200] = "";
    for (size_t i = 0, count = sizeof verbs / sizeof *verbs; i < count; i++) {
        size_t used = strlen (list);
        snprintf (list + used, sizeof list - used, "%s%s", i == 0 ? "" : i + 1 < count ? ", " : " and ",
                  verbs[i].name);
    }
    return error_set (WEFT_EINVAL, "'%s': there are %s", name, list);
}

/*  What is asked for. */
static int
jobs_do (struct jobs *self, const char *name, char **words, int count)
{
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++) {
        if (strcmp (name, verbs[i].name) != 0)
            continue;
        if (verbs[i].wants && *verbs[i].wants && !count)
            return error_set (WEFT_EINVAL, "%s: %s", name, verbs[i].wants);
        if (!verbs[i].wants && count)
            return error_set (WEFT_EINVAL, "'%s' is too much", words[0]);
        return verbs[i].run (self, words, count);
    }
    return no_verb (name);
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
        self.path = operands[0];
        rc = ledgerview_open (&self.view, self.path);
        if (rc == 0)
            ledgerview_map (self.view);
        if (rc == 0 && self.options.watch)
            rc = count > 1 ? error_set (WEFT_EINVAL, "'%s': --watch shows all that there is", operands[1])
                           : jobs_watch (&self, NULL, 0);
        else if (rc == 0)
            rc = jobs_do (&self, count > 1 ? operands[1] : "list", operands + (count > 1 ? 2 : 1),
                          count > 1 ? count - 2 : 0);
        status = rc >= 0 ? rc : rc == WEFT_EEND ? EXIT_OK : cli_fail (cli, rc, NULL);
        ledgerview_close (&self.view);
    }
    command_free_options (command, targets, NULL);
    return status;
}

const struct command command_jobs = {
    .name = "jobs",
    .group = COMMAND_GROUP_POOL,
    .summary = "say what a ledger has of its jobs, cancel or retry some",
    .usage = "[OPTIONS] LEDGER [list | summary | show ID ... | output ID ... | tail ID ... | wait | cancel ID ... | "
             "retry ID ...]",
    .description =
        "Reads a ledger, whether its head lives or not. list, which is the default, has a line "
        "for each job, with TABs between columns; summary counts them; show has all that is known of some jobs, with "
        "attempts before the last; wait ends when no job is open any more, and then counts.\n\n"
        "cancel takes jobs back for good: each has the result cancelled, and no later --resume runs it. Those that run "
        "are only stopped with --running. The head is asked to do that, by its user alone; where there is none it is "
        "written at once, and what was running when the last one died counts as running.\n\n"
        "retry has jobs done again that ended badly. The result stands; what is done again is a new job, with a number "
        "of its own, and the old one counts as that does from then on: show says which it is. A head that lives deals "
        "it at once, else the next --resume does. Who retries a job twice retries its retry.\n\n"
        "output prints what jobs wrote, one after the other: their standard output, and on standard error their "
        "standard error, in the order in which it came. That is for jobs of a head with --outputs, and for those "
        "that have ended of one with --results PATH; of others it says so. tail prints the last lines. With --follow "
        "(-f) either goes on with a job that runs, half a second behind it, line by line.\n\n"
        "With --watch, a terminal shows them until all have ended: how many, how fast and how long yet, those that "
        "run, who runs them, those that failed last and the slowest. q or Ctrl-C leaves it. Where standard output is "
        "no terminal there is a line whenever something has changed.\n\n"
        "A job is waiting, started, waiting again after an attempt that failed, done, failed, cancelled, retried by "
        "another job, or dead, which is failed by the loss of its workers. What a head was at when it died is still "
        "called started.",
    .status = "wait, and --watch and --follow to the end: 1 when any job has failed; output: 1 when a job's output is "
              "not there, 6 when a part of it is not; cancel and retry: 1 when that was not done with all that "
              "were named",
    .tables = (const struct command_table[]){ { .title = "Options", .table = jobs_table }, { .title = NULL } },
    .examples =
        (const struct command_example[]){
            { "weft jobs ledger summary", "How many jobs there are, and how they are." },
            { "weft jobs --failed ledger | cut -f1,8", "Number and command of each that failed." },
            { "weft jobs --watch ledger", "What goes on, until all have ended." },
            { "weft jobs ledger output 17 18 | less", "What two jobs wrote." },
            { "weft jobs ledger tail -f 17", "What one writes, until it ends." },
            { "weft jobs ledger wait && echo all well", "Waits until all jobs have ended." },
            { "weft jobs ledger cancel 17 18", "Those two are not to be run." },
            { "weft jobs ledger retry --failed", "What has failed is to be done again." },
            { "weft jobs ledger cancel --all --running", "Nothing more, and what runs is stopped." },
            { .line = NULL } },
    .run = jobs_run,
};
