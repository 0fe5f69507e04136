/*  run.c - weft run: many jobs, in one process or with workers from elsewhere */

#include <stddef.h>
#include <stdio.h>

#include "cli/agents.h"
#include "cli/cluster.h"
#include "cli/command.h"
#include "cli/descriptors.h"
#include "cli/dryrun.h"
#include "cli/jobhead.h"
#include "cli/secure.h"
#include "cli/slots.h"
#include "cli/trial.h"
#include "cli/workfilter.h"
#include "patterns/pool_memory.h"

struct run_options {
    char *jobs;
    int64_t workers;
    char *shell;
    int64_t nice;
    struct option_list listen;
    char *exec;
};

#define FIELD(name) offsetof (struct run_options, name)

static const struct option run_options[] = {
    { .name = "jobs", .letter = 'j', .type = OPTION_TEXT, .argument = "N", .standard = "100%", .offset = FIELD (jobs),
      .text = "jobs at once: a number, N% of the processors, +N or -N of them, 0 for as many as possible" },
    { .name = "max-procs", .letter = 'P', .type = OPTION_TEXT, .standard = "100%", .flags = OPTION_HIDDEN,
      .offset = FIELD (jobs) },
    { .name = "workers", .letter = 'w', .type = OPTION_INT, .argument = "N", .standard = "1", .max = 256,
      .offset = FIELD (workers), .text = "workers in this process that share the jobs; 0 with --listen for none" },
    { .name = "shell", .type = OPTION_TEXT, .argument = "PATH", .offset = FIELD (shell),
      .text = "shell for all commands; without it /bin/sh, and none where none is needed" },
    { .name = "nice", .type = OPTION_INT, .argument = "N", .standard = "0", .max = 19, .offset = FIELD (nice),
      .text = "niceness of the jobs of these workers, where it is more than one's own" },
    { .name = "listen", .letter = 'b', .type = OPTION_LIST, .argument = "ENDPOINT", .offset = FIELD (listen),
      .text = "take workers from elsewhere, too: weft worker -c ENDPOINT" },
    { .name = "exec", .type = OPTION_TEXT, .argument = "COMMAND", .offset = FIELD (exec),
      .text = "values are messages: run COMMAND for each, which is its standard input" },
    OPTION_END
};

struct run {
    struct cli *cli;
    struct joblist_options list;
    struct jobview_options view;
    struct jobhead_options head_options;
    struct jobfeed_options feed;
    struct run_options options;
    struct workfilter_options filter_options;
    struct workfilter filter;
    struct cluster_options cluster_options;
    struct secure secure;
    struct metrics_options metrics;
    struct cluster cluster;
    int slots;
    struct cluster_config others;       /*  how workers are started elsewhere                   */
    struct jobhead head;
    weft_pool_t *pool;
    struct agents agents;
};

/*  Workers in this process: where others are started elsewhere, only when it is one of the hosts. */
static int
run_workers (const struct run *self)
{
    if (cluster_wanted (&self->cluster))
        return self->cluster.local;
    return (int) self->options.workers < self->slots ? (int) self->options.workers : self->slots;
}

static int
run_check (struct run *self)
{
    const struct run_options *options = &self->options;
    int rc = slots_parse (options->jobs, slots_processors (), &self->slots);
    rc = rc ? rc : cluster_init (&self->cluster, self->cli, &self->cluster_options);
    if (self->cluster.local_slots)
        self->slots = self->cluster.local_slots;
    const char *filter = self->filter_options.command;
    bool elsewhere = self->options.listen.count > 0;
    self->list.messages |= options->exec || filter;
    if (rc < 0)
        cli_error (self->cli, "%s", weft_error ());
    else if (options->exec && filter) {
        cli_error (self->cli, "give one of --exec and --filter");
        rc = WEFT_EINVAL;
    } else if (self->list.messages && !options->exec && !filter && (!elsewhere || options->workers > 0)) {
        cli_error (self->cli, "messages are for something: give --filter COMMAND or --exec COMMAND; or, for workers "
                   "elsewhere that have one, --listen ENDPOINT --workers 0");
        rc = WEFT_EINVAL;
    } else if (options->workers == 0 && options->listen.count == 0) {
        cli_error (self->cli, "without workers nothing is run: give --listen ENDPOINT, or --workers 1 or more");
        rc = WEFT_EINVAL;
    }
    return rc;
}

/*  Where nobody else can come, a job that is too large would wait for ever. */
static int
run_check_cores (struct run *self)
{
    bool alone = !self->options.listen.count && !cluster_wanted (&self->cluster);
    int workers = run_workers (self), most = workers ? (self->slots + workers - 1) / workers : 0;
    uint64_t memory = memory_available ("") / (workers ? (unsigned) workers : 1);
    if (alone && (uint64_t) self->head_options.memory > memory) {
        cli_error (self->cli, "--memory %lldM is more than the %lluM that a worker here has",
                   (long long) self->head_options.memory >> 20, (unsigned long long) memory >> 20);
        return WEFT_EINVAL;
    }
    if (!alone || self->head_options.cores <= most)
        return 0;
    cli_error (self->cli, "--cores %lld is more than the %d that -j and --workers give a worker",
               (long long) self->head_options.cores, most);
    return WEFT_EINVAL;
}

static int
run_set (void *pool, const struct option *option, const char *value)
{
    return weft_pool_set (pool, option->name, value);
}

/*  Where a batch is waited for, nothing is started elsewhere, and no time of a pilot is used, before it has ended. */
static int
run_begin (void *arg)
{
    struct run *self = arg;
    return cluster_start (&self->cluster, self->pool, &self->head, &self->others);
}

/*  The pool, its own workers, and where others can join. */
static int
run_open (struct run *self)
{
    char endpoint[64];
    snprintf (endpoint, sizeof endpoint, "inproc://weft-run-%p", (void *) self);
    bool elsewhere = cluster_wanted (&self->cluster);
    self->pool = weft_pool_new (self->cli->weft);
    int rc = self->pool ? jobhead_prepare (&self->head, self->pool) : WEFT_ENOMEM;
    /*  Workers of this process cannot come back to another, nor those whose ssh has ended. */
    if (rc == 0 && !self->options.listen.count && !cluster_comes_back (&self->cluster))
        rc = weft_pool_set (self->pool, "reattach", "0");
    rc = rc ? rc : secure_begin (self->cli, &self->secure, EXIT_RUN_ERROR);
    if (rc == 0 && elsewhere)
        rc = cluster_keys (&self->cluster, &self->secure.security);
    rc = rc ? rc : secure_apply (&self->secure, run_set, self->pool);
    slots_provide (self->slots, (int) self->options.workers);
    if (self->options.listen.count > 0 || elsewhere)
        descriptors_raise ();
    if (rc == 0)
        rc = weft_pool_bind (self->pool, endpoint);
    for (size_t i = 0; i < self->options.listen.count && rc == 0; i++) {
        rc = weft_pool_bind (self->pool, self->options.listen.items[i]);
        if (rc == 0) {
            cli_note (self->cli, "listening on %s", weft_pool_endpoint (self->pool));
            cluster_listens (&self->cluster, weft_pool_endpoint (self->pool));
        }
    }
    rc = rc ? rc : jobhead_begin_metrics (&self->head, &self->metrics, self->secure.security.insecure);
    int workers = run_workers (self);
    /*  A job that was sent ahead could begin before --halt takes it back. */
    struct agents_config agents = { .endpoint = endpoint, .count = workers, .slots = self->slots,
                                    .shell = self->options.shell, .nice = self->options.nice,
                                    .dir = cluster_workdir (&self->cluster),
                                    .exec = self->options.exec, .strict = self->head.halt.when != HALT_NEVER };
    if (rc == 0 && self->filter_options.command) {
        rc = workfilter_init (&self->filter, self->cli, &self->filter_options, agents.dir);
        agents.fn = workfilter_work;
        agents.arg = &self->filter;
    }
    if (rc == 0 && workers > 0)
        rc = agents_start (&self->agents, self->cli->weft, &agents);
    if (self->agents.count)
        self->head.workers = (struct jobhead_side){ .self = &self->agents, .fd = self->agents.done_fd,
                                                    .turn = agents_failed };
    /*  To a run with keys of its own nobody else can come. */
    bool others = self->options.listen.count > 0 && self->cluster.head_key < 0;
    self->others = (struct cluster_config){ .jobs = self->options.jobs, .shell = agents.shell, .nice = agents.nice,
                                            .strict = agents.strict, .others = others, .exec = agents.exec,
                                            .filter = self->filter_options.command,
                                            .filter_format = workfilter_format (&self->filter_options) };
    self->head.begin_arg = self;
    if (elsewhere && self->head.after.count)
        self->head.begin = run_begin;
    else if (rc == 0 && elsewhere)
        rc = run_begin (self);
    if (rc < 0)
        cli_error (self->cli, "%s", weft_error ());
    else
        cli_ready (self->cli);
    return rc;
}

static int
run_jobs (struct run *self)
{
    if (self->head_options.dry_run)
        return dryrun_jobs (&self->head, self->slots);
    int status = run_open (self) == 0 ? jobhead_run (&self->head) : EXIT_RUN_ERROR;
    agents_stop (&self->agents, true);
    agents_join (&self->agents);
    workfilter_free (&self->filter);
    jobhead_end_metrics (&self->head);
    weft_pool_destroy (&self->pool);
    cluster_stop (&self->cluster);
    return status;
}

static int
run_run (struct cli *cli, const struct command *command, int argc, char **argv)
{
    struct run self = { .cli = cli };
    void *targets[] = { &self.list, &self.view, &self.head_options, &self.feed, &self.options,
                        &self.filter_options, &self.cluster_options, &self.secure, &self.metrics };
    char *operands[argc + 1];
    int count = 0, status = EXIT_RUN_ERROR;
    int rc = command_parse (cli, command, targets, NULL, argc, argv, operands, &count);
    bool right = rc == 0 && run_check (&self) == 0 && run_check_cores (&self) == 0;
    if (right && cli->trial) {
        right = trial_lists (cli, "head", &self.secure.security, &self.options.listen, ENDPOINT_BIND);
        status = meter_try (cli, &self.metrics, self.secure.security.insecure, right ? EXIT_OK : EXIT_USAGE);
    }
    else if (right) {
        struct jobhead_config config = { &self.list, &self.view, &self.head_options, &self.feed, operands,
                                         count, false };
        if (jobhead_init (&self.head, cli, &config) == 0) {
            status = run_jobs (&self);
            jobhead_free (&self.head);
        }
    }
    cluster_free (&self.cluster);
    command_free_options (command, targets, NULL);
    return rc > 0 ? EXIT_OK : status;
}

const struct command command_run_jobs = {
    .name = "run",
    .group = COMMAND_GROUP_POOL,
    .summary = "run a command for each of many values, several at once",
    .usage = "[OPTIONS] [COMMAND] [::: VALUE ...] [:::: FILE ...]",
    .description =
        "Runs COMMAND once for each value, several at a time, and prints what each run writes when it ends. Values "
        "come from ::: on the command line, from files (:::: or --arg-file), or from standard input, a line each; they "
        "are read as they are needed. Several sources give all combinations, the last the fastest; :::+ and ::::+ go "
        "along with the source before them. Without COMMAND each value is a command.\n\n"
        "In COMMAND, {} stands for the value, {.} for the value without its extension, {/} for its last name, {//} "
        "for its directory, {/.} for the last name without extension, {#} for the number of the job, {%} for that of "
        "its slot. {2}, {2.}, {2/}, {2//}, {2/.} and {-1} are the same of one source, column or argument. A value is "
        "quoted for the shell, unless the command itself is one. Without any of these, {} is added at the end.\n\n"
        "This is GNU parallel's language, quoting, job log and exit status; -q and -v are weft's own (for the first "
        "use {} in quotes of your own, for the second --trace).\n\n"
        "With --results PATH nothing is printed: what jobs write is kept, as GNU parallel lays it out, below PATH. A "
        "job with the values a and b has PATH/1/a/2/b/stdout, stderr, and its number in seq; in a value \\ / and TAB "
        "become \\\\ \\_ and \\t, and more than 255 bytes are cut. A PATH with replacement strings is the name of the "
        "first file, with .err and .seq for the others, or a folder when it ends in /. While a job runs its files are "
        "called stdout.SEQ.part, so that a stdout is always whole.\n\n"
        "With --joblog FILE, --resume goes on where an earlier run ended: by the numbers of jobs, as GNU parallel, "
        "whose logs will do, too. Before a job is passed over, its command is compared with the one in the log: where "
        "they differ the input has changed, and the run ends.\n\n"
        "With --filter or --exec values are messages instead of commands, and COMMAND, which is seldom given, is a "
        "template for them, in which nothing is quoted. --exec runs a command for each, which reads it from standard "
        "input. --filter keeps one command running in each slot (-j), gives it message after message, a line each, "
        "and takes a line for the answer, which is the job's output; so it must not hold back what it writes (as sed "
        "does without -u). When it ends before it has answered, that job has failed, with its status, and it is "
        "started again; when a job's time is over (--timeout) it is killed, and started again.\n\n"
        "With --listen, workers on this and other machines share the jobs: a worker that dies has its jobs run "
        "elsewhere.\n\n"
        "With --ssh, jobs run on the hosts that are named, as with GNU parallel's --sshlogin, and here only when "
        "one of them is : . On each, ssh starts one weft worker, with as many jobs at once as -j says (all of its "
        "processors, if nothing does) or N/ before the host. ssh itself carries the connection: nothing listens "
        "there, firewalls that let ssh through are no hindrance, and the keys of the run are on no command line and "
        "in no file. ssh asks nothing, so logging in must work without a password (an agent, or a connection that "
        "is shared). A host that fails is named, and the run goes on with the others; jobs of one that is lost run "
        "elsewhere. When the run ends, or is killed, its workers end, and so do their jobs.\n\n"
        "With --slurm N, jobs run on N nodes that Slurm gives. weft submits one job of its own, a pilot, with the "
        "options of --sbatch, which starts one worker a node; with -j N it asks for N processors of each node and "
        "runs N jobs at once there, and otherwise it asks for whole nodes. Before its walltime the pilot takes no "
        "jobs that would not finish, by how long the last ones took, and while work is left another one is "
        "submitted. The pilot is cancelled when the run ends. Where the head is, and the keys of the run, are in a "
        "file for its user alone, in a folder that the nodes and this machine share (--slurm-dir), which is removed "
        "in the end. Nodes connect to this machine, at the port of --listen or any that is free. When this program "
        "is killed, a pilot that runs ends a minute later, and the folder is left to the next run.\n\n"
        "With --ledger, jobs and results are kept in a file: when this program ends early, even by a crash, the same "
        "with --resume goes on. Jobs that are given again are known by their content; without any, only those in the "
        "file are run. What a job was made of is kept with it: tags, places of results and --keep-order are as ever, "
        "for those that are left; and a file of rows must be a new one. --retry-failed does again what has failed, "
        "--resume-failed what of that is given again; 'weft jobs' does it, too, and cancels jobs.\n\n"
        "A first SIGTERM lets the jobs that run end and starts no more; a second one, or SIGINT, stops them. Also when "
        "this program is killed, or ends at --memory-limit, its jobs are stopped.",
    .guarantee = "An accepted job gets exactly one terminal result (done, failed, dead): with --ledger always, where "
                 "accepted means on disk, else as long as this program lives; dead is one whose workers went away "
                 "too often. A job whose worker dies is run again, so "
                 "what it did may happen twice.",
    .status = "0 when no job failed, else the number of jobs that did, 101 for more than 100, and 255 for "
              "any other error, as with GNU parallel; 102 when a batch that was waited for (--after) has failed. "
              "With --halt WHEN,fail=1: that of the job that failed.",
    .status_alone = true,
    .tables = (const struct command_table[]){ { .title = "Input", .table = joblist_options },
                                               { .title = "Output", .table = jobview_options },
                                               { .title = "Jobs", .table = jobhead_options },
                                               { .title = "Record", .table = jobfeed_options },
                                               { .title = "Workers", .table = run_options },
                                               { .title = "Messages", .table = workfilter_options },
                                               { .title = "Other machines", .table = cluster_options },
                                               SECURE_TABLE,
                                               METRICS_TABLE,
                                               { .title = NULL } },
    .examples =
        (const struct command_example[]){
            { "find /usr/share/doc -type f | weft run --bar --joblog log 'sha256sum {}'",
              "Each file its own job, with a bar and a log." },
            { "weft run -k -j4 'echo {#} {/.}' ::: a/x.c b/y.c", "Four at once, output in the order of the values." },
            { "weft run convert {1} -resize {2} {1.}-{2}.png :::: photos ::: 100x100 400x400",
              "Every photo in every size." },
            { "weft run --halt now,fail=1 --timeout 60s make -C {} check ::: */",
              "Ends with the first that fails, and with its status." },
            { "weft run --joblog log --resume-failed ./simulate {} :::: cases",
              "Goes on after an interruption, with what failed and what was not run." },
            { "weft run --ledger second.db --after first.db ./second {} ::: *.out",
              "Waits until the run with --ledger first.db has ended, and runs only if no job of it failed." },
            { "weft run --bar --ssh 4/n1,n2,: --workdir . ./simulate {} ::: *.case",
              "Four at once on n1, as many as there are processors on n2 and here; on files that all of them see." },
            { "weft run --slurm 4 --sbatch '-p short -t 1:00:00' ./simulate {} ::: *.case",
              "On four nodes, an hour at a time, until all are done." },
            { "seq 1000000 | weft run -k --filter 'sed -u s/$/00/' > hundreds",
              "A million small jobs through one long-lived sed for each processor, in their order." },
            { "weft run --workers 0 --listen tcp://127.0.0.1:6000 :::: jobs.txt",
              "Lines of a file as commands, for workers that connect." },
            { .line = NULL } },
    .posix = true,
    .part = true,
    .run = run_run,
};
