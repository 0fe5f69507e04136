/*  ventilator.c - weft ventilator: hands out jobs to workers elsewhere */

#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/descriptors.h"
#include "cli/dryrun.h"
#include "cli/jobhead.h"
#include "cli/secure.h"
#include "cli/trial.h"
#include "core/error.h"

struct ventilator_options {
    struct option_list bind;
    char *sink;
    char *sink_timeout, *queue, *crash_limit, *reattach, *heartbeat, *max_peers;
};

#define FIELD(name) offsetof (struct ventilator_options, name)

static const struct option ventilator_options[] = {
    { .name = "bind", .letter = 'b', .type = OPTION_LIST, .argument = "ENDPOINT", .offset = FIELD (bind),
      .text = "where workers connect" },
    { .name = "sink", .type = OPTION_TEXT, .argument = "ENDPOINT", .offset = FIELD (sink),
      .text = "send results on to a weft sink there, instead of printing them" },
    { .name = "sink-timeout", .type = OPTION_TEXT, .argument = "TIME", .offset = FIELD (sink_timeout),
      .text = "how long to wait for the sink, at first and when it has gone; default: 60s" },
    { .name = "queue", .type = OPTION_TEXT, .argument = "N", .offset = FIELD (queue),
      .text = "jobs that may wait to be run; default: 10000" },
    { .name = "crash-limit", .type = OPTION_TEXT, .argument = "N", .offset = FIELD (crash_limit),
      .text = "how often a job whose worker went away is run again; default: 3" },
    { .name = "retry-lost", .type = OPTION_TEXT, .flags = OPTION_HIDDEN, .offset = FIELD (crash_limit) },
    { .name = "reattach", .type = OPTION_TEXT, .argument = "TIME", .offset = FIELD (reattach),
      .text = "how long the jobs of a worker that cannot be heard wait for it, before others get them; default: 10s" },
    { .name = "heartbeat", .type = OPTION_TEXT, .argument = "TIME", .offset = FIELD (heartbeat),
      .text = "time between signs of life to workers; default: 1s" },
    { .name = "max-peers", .type = OPTION_TEXT, .argument = "N", .offset = FIELD (max_peers),
      .text = "workers that are taken in; more are turned away; default: 10000" },
    OPTION_END
};

struct ventilator {
    struct cli *cli;
    struct joblist_options list;
    struct jobview_options view;
    struct jobhead_options head_options;
    struct jobfeed_options feed;
    struct ventilator_options options;
    struct secure secure;
    struct metrics_options metrics;
    struct jobhead head;
    weft_pool_t *pool;
};

static int
ventilator_set_one (void *pool, const struct option *option, const char *value)
{
    return weft_pool_set (pool, option->name, value);
}

static int
ventilator_set (struct ventilator *self)
{
    const struct {
        const char *name, *value;
    } settings[] = { { "sink", self->options.sink },
                     { "sink-timeout", self->options.sink_timeout },
                     { "queue", self->options.queue },
                     { "crash-limit", self->options.crash_limit },
                     { "reattach", self->options.reattach },
                     { "heartbeat", self->options.heartbeat },
                     { "max-peers", self->options.max_peers } };
    int rc = secure_begin (self->cli, &self->secure, EXIT_RUN_ERROR);
    rc = rc ? rc : secure_apply (&self->secure, ventilator_set_one, self->pool);
    descriptors_raise ();
    for (size_t i = 0; i < sizeof settings / sizeof *settings && rc == 0; i++)
        if (settings[i].value)
            rc = weft_pool_set (self->pool, settings[i].name, settings[i].value);
    return rc;
}

static int
ventilator_bind (struct ventilator *self, const char *endpoint)
{
    int rc = weft_pool_bind (self->pool, endpoint);
    if (rc == 0)
        cli_note (self->cli, "listening on %s", weft_pool_endpoint (self->pool));
    return rc;
}

/*  The exit status. `endpoint` is one besides those of --bind, or NULL. */
static int
ventilator_jobs (struct ventilator *self, const char *endpoint)
{
    if (self->head_options.dry_run)
        return dryrun_jobs (&self->head, 1);
    self->head.view.mute |= self->options.sink != NULL;
    self->pool = weft_pool_new (self->cli->weft);
    int rc = self->pool ? jobhead_prepare (&self->head, self->pool) : WEFT_ENOMEM;
    if (rc == 0)
        rc = ventilator_set (self);
    if (rc == 0 && endpoint)
        rc = ventilator_bind (self, endpoint);
    for (size_t i = 0; i < self->options.bind.count && rc == 0; i++)
        rc = ventilator_bind (self, self->options.bind.items[i]);
    rc = rc ? rc : jobhead_begin_metrics (&self->head, &self->metrics, self->secure.security.insecure);
    if (rc < 0)
        cli_error (self->cli, "%s", weft_error ());
    else
        cli_ready (self->cli);
    int status = rc == 0 ? jobhead_run (&self->head) : EXIT_RUN_ERROR;
    jobhead_end_metrics (&self->head);
    weft_pool_destroy (&self->pool);
    return status;
}

/*  Operands that are no files: said before they are taken for such. */
static bool
ventilator_files_exist (struct ventilator *self, char *const *files, int count)
{
    for (int i = 0; i < count; i++)
        if (strcmp (files[i], "-") != 0 && access (files[i], R_OK) < 0) {
            error_errno ("cannot read %s", files[i]);
            cli_error (self->cli, "%s (operands are files of commands; a command is followed by ::: or :::: , or comes "
                       "with --arg-file, where - is standard input)", weft_error ());
            return false;
        }
    return true;
}

static int
ventilator_try (struct ventilator *self, const char *endpoint)
{
    const struct security_config *security = &self->secure.security;
    bool right = trial_lists (self->cli, "head", security, &self->options.bind, ENDPOINT_BIND);
    right &= !endpoint || trial_endpoints (self->cli, "head", security, endpoint, ENDPOINT_BIND);
    if (self->options.sink)
        right &= trial_endpoints (self->cli, "head", security, self->options.sink, ENDPOINT_CONNECT);
    return right ? EXIT_OK : EXIT_USAGE;
}

static int
ventilator_work (struct ventilator *self, char **operands, int count)
{
    const char *endpoint = NULL;
    if (self->options.bind.count == 0 && count > 0) {
        endpoint = *operands++;
        count--;
    }
    if (!endpoint && self->options.bind.count == 0 && !self->head_options.dry_run) {
        cli_error (self->cli,
                   "give an endpoint where workers connect, as in 'weft ventilator -b tcp://127.0.0.1:6000'");
        return EXIT_RUN_ERROR;
    }
    if (self->options.sink && self->feed.results) {
        cli_error (self->cli, "with --sink what jobs write goes there, and cannot be kept in --results here");
        return EXIT_RUN_ERROR;
    }
    if (self->cli->trial)
        return meter_try (self->cli, &self->metrics, self->secure.security.insecure, ventilator_try (self, endpoint));
    bool files = self->list.files.count == 0 && !joblist_has_sources (operands, count);
    if (files && !ventilator_files_exist (self, operands, count))
        return EXIT_RUN_ERROR;
    struct jobhead_config config = { &self->list, &self->view, &self->head_options, &self->feed, operands,
                                     count, files };
    if (jobhead_init (&self->head, self->cli, &config) < 0)
        return EXIT_RUN_ERROR;
    int status = ventilator_jobs (self, endpoint);
    jobhead_free (&self->head);
    return status;
}

static int
ventilator_run (struct cli *cli, const struct command *command, int argc, char **argv)
{
    struct ventilator self = { .cli = cli };
    void *targets[] = { &self.list, &self.view, &self.head_options, &self.feed, &self.options, &self.secure,
                        &self.metrics };
    char *operands[argc + 2], *words[argc + 2], bind[] = "--bind";
    int count = 0, status = EXIT_RUN_ERROR;
    /*  An endpoint that comes first does not end the options, as a command would. */
    bool first = argc > 1 && argv[1][0] != '-' && strstr (argv[1], "://");
    words[0] = argv[0];
    words[1] = bind;
    memcpy (words + 1 + first, argv + 1, (size_t) (argc - 1) * sizeof *argv);
    words[argc + first] = NULL;
    int rc = command_parse (cli, command, targets, NULL, argc + first, words, operands, &count);
    if (rc == 0)
        status = ventilator_work (&self, operands, count);
    command_free_options (command, targets, NULL);
    return rc > 0 ? EXIT_OK : status;
}

const struct command command_ventilator = {
    .name = "ventilator",
    .group = COMMAND_GROUP_POOL,
    .summary = "hand out jobs to workers elsewhere",
    .usage = "[OPTIONS] -b ENDPOINT [FILE ...] | -b ENDPOINT COMMAND ::: VALUE ...",
    .description =
        "Hands out jobs to every weft worker that connects to ENDPOINT, as many as each can run, and prints what they "
        "write. Jobs are the lines of the files, or of standard input, each a command; or, where ::: , :::: or "
        "--arg-file follow, COMMAND for each value as in weft run.\n\n"
        "With --messages they are messages instead, for workers with --exec or --filter (weft help worker).\n\n"
        "It waits for workers as long as there are jobs; they may come and go. With --sink, results are printed by a "
        "weft sink elsewhere.\n\n"
        "Workers are sent short jobs ahead, so that no slot waits; with --halt, one that was sent ahead may still "
        "begin (weft worker --prefetch 0 takes none).\n\n"
        "With --ledger, jobs and results are kept in a file: when this program ends early, even by a crash, the same "
        "with --resume goes on, and workers that are still there bring it the jobs they run and the results that "
        "nobody has taken yet. Jobs that are given again are known by their content; without any, only those in the "
        "file are run.\n\n"
        "A first SIGTERM lets the jobs that run end and starts no more; a second one, or SIGINT, stops them.",
    .guarantee = "An accepted job gets exactly one terminal result (done, failed, dead): with --ledger always, where "
                 "accepted means on disk, else as long as this program lives; dead is one whose workers went away "
                 "too often. A job whose worker dies is run again, so what it did may happen twice.",
    .status = "0 when no job failed, else the number of jobs that did, 101 for more than 100, and 255 for "
              "any other error, as for weft run; 102 when a batch that was waited for (--after) has failed.",
    .status_alone = true,
    .tables = (const struct command_table[]){ { .title = "Input", .table = joblist_options },
                                               { .title = "Output", .table = jobview_options },
                                               { .title = "Jobs", .table = jobhead_options },
                                               { .title = "Record", .table = jobfeed_options },
                                               { .title = "Pool", .table = ventilator_options },
                                               SECURE_TABLE,
                                               METRICS_TABLE,
                                               { .title = NULL } },
    .examples =
        (const struct command_example[]){
            { "weft ventilator -b tcp://127.0.0.1:6000 jobs.txt", "The lines of a file, a command each." },
            { "find . -name '*.wav' | weft ventilator -b ipc:///tmp/pool.sock -a - 'flac {}'",
              "A command for each line of standard input." },
            { "weft ventilator -b tcp://127.0.0.1:6000 --messages -k < words",
              "Each line a message for workers such as weft worker -c tcp://127.0.0.1:6000 --exec 'md5sum'." },
            { "weft ventilator -b tcp://127.0.0.1:6000 --ledger jobs.db jobs.txt",
              "Again with --resume after a crash: it goes on, and runs nothing twice." },
            { "weft ventilator -b tcp://127.0.0.1:6000 --sink tcp://127.0.0.1:6001 jobs.txt",
              "The results go to weft sink -b tcp://127.0.0.1:6001." },
            { .line = NULL } },
    .posix = true,
    .part = true,
    .run = ventilator_run,
};
