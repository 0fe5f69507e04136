/*  worker.c - weft worker: runs the jobs of a head elsewhere */

#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/agents.h"
#include "cli/command.h"
#include "cli/metrics.h"
#include "cli/outpost.h"
#include "cli/secure.h"
#include "cli/slots.h"
#include "cli/trial.h"
#include "cli/workfilter.h"
#include "patterns/pool.h"
#include "patterns/pool_metrics.h"

struct worker_own {
    char *connect;
    char *ticket;
    int64_t nice;
};

static const struct option own_options[] = {
    { .name = "connect", .letter = 'c', .type = OPTION_TEXT, .argument = "ENDPOINT",
      .offset = offsetof (struct worker_own, connect), .text = "where the head is" },
    { .name = "ticket", .type = OPTION_TEXT, .argument = "FILE", .offset = offsetof (struct worker_own, ticket),
      .text = "where the head is, and keys, from a file that weft run wrote; - is standard input" },
    { .name = "nice", .type = OPTION_INT, .argument = "N", .standard = "0", .max = 19,
      .offset = offsetof (struct worker_own, nice), .text = "niceness of the jobs, where it is more than one's own" },
    OPTION_END
};

/*  Those of this machine, or of our part of it where Slurm gave us one. */
static int
processors (void)
{
    const char *text = getenv ("SLURM_JOB_ID") ? getenv ("SLURM_CPUS_ON_NODE") : NULL;
    long count = text ? strtol (text, NULL, 10) : 0;
    return count > 0 && count <= POOL_SLOTS_MAX ? (int) count : slots_processors ();
}

/*  A signal lets running jobs end, a second one or SIGINT does not. */
static void
worker_signal (struct cli *cli, struct agents *agents, int *stops)
{
    uint64_t events;
    if (read (cli->stop_fd, &events, sizeof events) < 0) {
        /*  The count of signals is what tells. */
    }
    if (cli->stopped (cli) == *stops)
        return;
    *stops = cli->stopped (cli);
    bool now = *stops > 1 || cli->signal (cli) != SIGTERM;
    if (now)
        cli_note (cli, "stopping");
    else                                /*  a part is told to end by weft up, which has its own second signal */
        cli_note (cli, "taking no more jobs, waiting for those that run%s",
                  cli->part ? "" : "; a second SIGTERM stops them");
    agents_stop (agents, now);
}

/*  Until it has ended. `over` is readable when its head has gone for good; or -1. */
static int
worker_wait (struct cli *cli, struct agents *agents, struct meter *meter, int over)
{
    int stops = 0;
    weft_pollitem_t items[] = { { .fd = agents->done_fd, .events = WEFT_IN },
                                { .fd = cli->stop_fd, .events = WEFT_IN }, { .fd = over, .events = WEFT_IN } };
    while (weft_poll (items, 3, -1) >= 0 || cli->stopped (cli)) {
        if (items[0].revents)
            break;
        if (items[2].revents) {
            items[2].fd = -1;
            agents_stop (agents, true);
        }
        worker_signal (cli, agents, &stops);
    }
    meter_end (meter);              /*  it reads of the worker, whose end is next */
    int rc = agents_join (agents);
    if (rc == WEFT_ETERM)
        return EXIT_OK;
    return rc < 0 ? cli_fail (cli, rc, NULL) : EXIT_OK;
}

struct work {
    struct cli *cli;
    struct worker_own own;
    struct secure secure;
    struct metrics_options metrics;
    struct meter meter;
    struct pool_counts counts;  /*  while somebody may ask  */
    struct workfilter_options filter_options;
    struct workfilter filter;
    weft_worker_t *worker;
    char *dir;                  /*  where its jobs run; NULL: where we are */
    struct outpost outpost;
    weft_t *weft;               /*  its end is when the last words are written; see outpost_close. NULL: the
                                    context is the cli's                            */
};

/*  The library's options, whose target is a struct work; slots may be given as weft run's -j. */
static int
worker_set (void *target, const struct option *option, const char *value)
{
    struct work *self = target;
    char text[32];
    if (option->letter == 'j' && value) {
        int slots, rc = slots_parse (value, processors (), &slots);
        if (rc < 0)
            return rc;
        slots_provide (slots, 1);
        snprintf (text, sizeof text, "%d", slots);
        value = text;
    }
    int rc = weft_worker_set (self->worker, option->name, value ? value : "yes");
    if (rc < 0 || strcmp (option->name, "dir") != 0 || !value)
        return rc;
    free (self->dir);
    self->dir = strdup (value);
    return self->dir ? 0 : WEFT_ENOMEM;
}

/*  A ticket may have brought the command, too. */
static int
worker_filter (struct work *self)
{
    const struct workfilter_options *options =
        self->filter_options.command ? &self->filter_options : &self->outpost.filter;
    if (!options->command)
        return 0;
    int rc = workfilter_init (&self->filter, self->cli, options, self->dir);
    return rc ? rc : weft_worker_on_message (self->worker, workfilter_work, &self->filter);
}

static int
worker_connect (struct work *self, const char *endpoint)
{
    int rc = secure_begin (self->cli, &self->secure, EXIT_ERROR);
    slots_provide (processors (), 1);
    if (!self->own.ticket) {
        rc = rc ? rc : secure_apply (&self->secure, worker_set, self);
        return rc ? rc : weft_worker_connect (self->worker, endpoint);
    }
    rc = rc ? rc : outpost_open (&self->outpost, self->cli, self->own.ticket);
    rc = rc ? rc : outpost_connect (&self->outpost, self->worker, worker_set, self);
    return rc ? rc : outpost_start (&self->outpost);
}

/*  Before the worker runs, and until it has ended. */
static int
worker_begin_metrics (struct work *self)
{
    const struct metric_source worker = { .table = worker_metrics, .size = sizeof (struct worker_values),
                                          .labels = { { "pool", "worker" } }, .read = worker_read,
                                          .arg = self->worker };
    struct metric_source ends = worker;
    ends.table = pool_ends_metrics;
    ends.size = sizeof (struct pool_ends);
    ends.read = pool_counts_read;
    ends.arg = &self->counts;
    int rc = meter_begin (&self->meter, self->cli, &self->metrics, self->secure.security.insecure);
    if (rc || !meter_is_on (&self->meter))
        return rc;
    rc = pool_counts_init (&self->counts);
    if (rc == 0)
        worker_begin_show (self->worker, &self->counts);
    rc = rc ? rc : meter_add (&self->meter, &worker);
    rc = rc ? rc : meter_add (&self->meter, &ends);
    return rc ? rc : meter_ready (&self->meter, self->cli);
}

static int
worker_work (struct work *self, const char *endpoint)
{
    struct agents agents;
    int status, rc = worker_connect (self, endpoint);
    int64_t nice = self->own.nice > self->outpost.nice ? self->own.nice : self->outpost.nice;
    rc = rc ? rc : worker_filter (self);
    rc = rc ? rc : worker_begin_metrics (self);
    if (rc == 0)
        rc = agents_start_one (&agents, self->worker, nice);
    if (rc < 0)
        status = cli_fail (self->cli, rc, NULL);
    else {
        self->worker = NULL;
        cli_ready (self->cli);
        status = worker_wait (self->cli, &agents, &self->meter, self->own.ticket ? self->outpost.over : -1);
    }
    meter_end (&self->meter);
    weft_worker_destroy (&self->worker);
    pool_counts_free (&self->counts);
    workfilter_free (&self->filter);
    rc = weft_destroy (&self->weft);
    outpost_close (&self->outpost);
    if (rc == 0 || status != EXIT_OK)
        return status;
    cli_error (self->cli, "the last results were left undelivered when the time to linger was over (--linger)");
    return EXIT_LOSS;
}

static int
worker_try (struct work *self, const char *endpoint)
{
    if (self->own.ticket) {
        cli_error (self->cli, "a worker with a ticket is started by itself, and no part of a fabric");
        return EXIT_USAGE;
    }
    return trial_endpoints (self->cli, "worker", &self->secure.security, endpoint, ENDPOINT_CONNECT) ? EXIT_OK
                                                                                                    : EXIT_USAGE;
}

static int
worker_run (struct cli *cli, const struct command *command, int argc, char **argv)
{
    struct work self = { .cli = cli, .weft = cli->shared ? NULL : weft_new () };
    weft_t *weft = cli->shared ? cli->weft : self.weft;
    self.worker = weft ? weft_worker_new (weft) : NULL;
    if (!self.worker) {
        weft_destroy (&self.weft);
        return cli_fail (cli, WEFT_ENOMEM, NULL);
    }
    if (self.weft)
        weft_set_log (self.weft, cli_log, cli);
    void *targets[] = { &self.own, &self, &self.filter_options, &self.secure, &self.metrics };
    command_set_fn *const setters[] = { NULL, worker_set, NULL, NULL, NULL };
    char *operands[argc + 1];
    int count = 0, status = EXIT_USAGE;
    int rc = command_parse (cli, command, targets, setters, argc, argv, operands, &count);
    if (rc == 0 && count + (self.own.connect != NULL) + (self.own.ticket != NULL) != 1)
        cli_error (cli, "give one endpoint, where the head is, as in 'weft worker -c tcp://127.0.0.1:6000'");
    else if (rc == 0 && cli->trial)
        status = meter_try (cli, &self.metrics, self.secure.security.insecure,
                            worker_try (&self, self.own.connect ? self.own.connect : operands[0]));
    else if (rc == 0)
        status = worker_work (&self, self.own.connect ? self.own.connect : operands[0]);
    weft_worker_destroy (&self.worker);
    weft_destroy (&self.weft);
    command_free_options (command, targets, setters);
    free (self.dir);
    return rc > 0 ? EXIT_OK : status;
}

const struct command command_worker = {
    .name = "worker",
    .group = COMMAND_GROUP_POOL,
    .summary = "run jobs for a head elsewhere",
    .usage = "[OPTIONS] -c ENDPOINT | --ticket FILE",
    .description =
        "Connects to a head, which is weft ventilator or weft run --listen, takes jobs as fast as it can run them, and "
        "sends back what they write and how they end. It waits for a head that is not there yet, and when its head has "
        "gone, for at most --connect-timeout; it ends when the head has no jobs any more.\n\n"
        "When the connection breaks its jobs run on. It brings them, and the results that nobody has taken, to the "
        "head when that is there again, or to the next one with the same --ledger; another head has them stopped.\n\n"
        "With --ticket it is told by a file where the head is, with which key, and how to run: that is how weft run "
        "--ssh and --slurm start it.\n\n"
        "A job that SIGTERM ends at the moment when the worker is told to end, as schedulers do it to all processes at "
        "once, has not failed: it runs elsewhere.\n\n"
        "Jobs are shell commands that whoever is the head decides on: connect to heads that you trust.\n\n"
        "A job may be a message instead of a command (weft ventilator --messages). With --exec each is the standard "
        "input of a command, and what that writes is the job's output. With --filter one command a slot runs on, gets "
        "message after message, a line each, and answers each with a line, which is the job's output; it must not hold "
        "back what it writes (as sed does without -u). When it ends before it has answered, that job has failed, with "
        "its status, and it is started again; when a job's time is over it is killed, and started again.\n\n"
        "A first SIGTERM lets the jobs that run end and takes no more; a second one, or SIGINT, stops them. A job's "
        "whole process group ends with it. When the worker itself is killed, a guardian that it has started, a process "
        "of its own, sends SIGTERM to its jobs, and SIGKILL after --grace.",
    .guarantee = "A job that was taken is run once by this worker; if the worker dies, the head has it run elsewhere.",
    .tables = (const struct command_table[]){ { .title = "Options", .table = own_options },
                                               { .title = "Worker", .table = worker_options },
                                               { .title = "Messages", .table = workfilter_options },
                                               SECURE_TABLE,
                                               METRICS_TABLE,
                                               { .title = NULL } },
    .examples =
        (const struct command_example[]){
            { "weft worker -c tcp://127.0.0.1:6000 -j2", "Two jobs at once for the head on that port." },
            { "ssh -fNL 6000:127.0.0.1:6000 head; weft worker -c tcp://127.0.0.1:6000",
              "The head is on another machine, called head, and listens there on 127.0.0.1." },
            { "weft worker -c tcp://127.0.0.1:6000 --filter 'sed -u s/a/b/'",
              "Messages go through one sed for each processor." },
            { .line = NULL } },
    .part = true,
    .run = worker_run,
};
