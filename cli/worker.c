/*  worker.c - weft worker: runs the jobs of a head elsewhere */

#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <unistd.h>

#include "cli/agents.h"
#include "cli/command.h"
#include "cli/secure.h"
#include "cli/slots.h"
#include "patterns/pool.h"

struct worker_own {
    char *connect;
    int64_t nice;
};

static const struct option own_options[] = {
    { .name = "connect", .letter = 'c', .type = OPTION_TEXT, .argument = "ENDPOINT",
      .offset = offsetof (struct worker_own, connect), .text = "where the head is" },
    { .name = "nice", .type = OPTION_INT, .argument = "N", .standard = "0", .max = 19,
      .offset = offsetof (struct worker_own, nice), .text = "niceness of the jobs, where it is more than one's own" },
    OPTION_END
};

/*  The library's options; slots may be given as weft run's -j. */
static int
worker_set (void *target, const struct option *option, const char *value)
{
    char text[32];
    if (option->letter == 'j' && value) {
        int slots, rc = slots_parse (value, slots_processors (), &slots);
        if (rc < 0)
            return rc;
        slots_provide (slots, 1);
        snprintf (text, sizeof text, "%d", slots);
        value = text;
    }
    return weft_worker_set (target, option->name, value ? value : "yes");
}

/*  Until it has ended; a signal lets running jobs end, a second one or SIGINT does not. */
static int
worker_wait (struct cli *cli, struct agents *agents)
{
    int stops = 0;
    weft_pollitem_t items[] = { { .fd = agents_done_fd (agents), .events = WEFT_IN },
                                { .fd = cli->stop_fd, .events = WEFT_IN } };
    while (weft_poll (items, 2, -1) >= 0 || cli->stopped (cli)) {
        if (items[0].revents)
            break;
        uint64_t events;
        if (read (cli->stop_fd, &events, sizeof events) < 0) {
            /*  The count of signals is what tells. */
        }
        if (cli->stopped (cli) == stops)
            continue;
        stops = cli->stopped (cli);
        bool now = stops > 1 || cli->signal (cli) != SIGTERM;
        cli_note (cli, now ? "stopping"
                           : "taking no more jobs, waiting for those that run; a second SIGTERM stops them");
        agents_stop (agents, now);
    }
    int rc = agents_join (agents);
    if (rc == WEFT_ETERM)
        return EXIT_OK;
    return rc < 0 ? cli_fail (cli, rc, NULL) : EXIT_OK;
}

static int
worker_work (struct cli *cli, weft_worker_t **worker, const struct secure *secure, const char *endpoint,
             int64_t nice)
{
    struct agents agents;
    int rc = secure_begin (cli, secure, EXIT_ERROR);
    slots_provide (slots_processors (), 1);
    rc = rc ? rc : secure_apply (secure, worker_set, *worker);
    rc = rc ? rc : weft_worker_connect (*worker, endpoint);
    if (rc == 0)
        rc = agents_start_one (&agents, *worker, nice);
    if (rc < 0)
        return cli_fail (cli, rc, NULL);
    *worker = NULL;
    return worker_wait (cli, &agents);
}

static int
worker_run (struct cli *cli, const struct command *self, int argc, char **argv)
{
    struct worker_own own = { .connect = NULL };
    struct secure secure = { .security.key = NULL };
    weft_worker_t *worker = weft_worker_new (cli->weft);
    if (!worker)
        return cli_fail (cli, WEFT_ENOMEM, NULL);
    void *targets[] = { &own, worker, &secure };
    command_set_fn *const setters[] = { NULL, worker_set, NULL };
    char *operands[argc + 1];
    int count = 0, status = EXIT_USAGE;
    int rc = command_parse (cli, self, targets, setters, argc, argv, operands, &count);
    if (rc == 0 && count != (own.connect ? 0 : 1))
        cli_error (cli, "give one endpoint, where the head is, as in 'weft worker -c tcp://127.0.0.1:6000'");
    else if (rc == 0)
        status = worker_work (cli, &worker, &secure, own.connect ? own.connect : operands[0], own.nice);
    weft_worker_destroy (&worker);
    command_free_options (self, targets, setters);
    return rc > 0 ? EXIT_OK : status;
}

const struct command command_worker = {
    .name = "worker",
    .group = COMMAND_GROUP_POOL,
    .summary = "run jobs for a head elsewhere",
    .usage = "[OPTIONS] -c ENDPOINT",
    .description =
        "Connects to a head, which is weft ventilator or weft run --listen, takes jobs as fast as it can run them, and "
        "sends back what they write and how they end. It waits for a head that is not there yet, and when its head has "
        "gone, for at most --connect-timeout; it ends when the head has no jobs any more.\n\n"
        "When the connection breaks its jobs run on. It brings them, and the results that nobody has taken, to the "
        "head when that is there again, or to the next one with the same --ledger; another head has them stopped.\n\n"
        "Jobs are shell commands that whoever is the head decides on: connect to heads that you trust.\n\n"
        "A first SIGTERM lets the jobs that run end and takes no more; a second one, or SIGINT, stops them. A job's "
        "whole process group ends with it.",
    .guarantee = "A job that was taken is run once by this worker; if the worker dies, the head has it run elsewhere.",
    .tables = (const struct command_table[]){ { .title = "Options", .table = own_options },
                                               { .title = "Worker", .table = worker_options },
                                               SECURE_TABLE,
                                               { .title = NULL } },
    .examples =
        (const struct command_example[]){
            { "weft worker -c tcp://127.0.0.1:6000 -j2", "Two jobs at once for the head on that port." },
            { "ssh -fNL 6000:127.0.0.1:6000 head; weft worker -c tcp://127.0.0.1:6000",
              "The head is on another machine, called head, and listens there on 127.0.0.1." },
            { .line = NULL } },
    .run = worker_run,
};
