/*  sink.c - weft sink: prints the results that heads send on */

#include <stddef.h>
#include <stdlib.h>

#include "cli/command.h"
#include "cli/descriptors.h"
#include "cli/halt.h"
#include "cli/jobview.h"
#include "cli/metrics.h"
#include "cli/secure.h"
#include "cli/sinkheads.h"
#include "cli/trial.h"
#include "core/error.h"
#include "patterns/pool.h"
#include "patterns/pool_metrics.h"

#define TURN_EVENTS 1000

struct sink_own {
    struct option_list bind;
};

static const struct option own_options[] = {
    { .name = "bind", .letter = 'b', .type = OPTION_LIST, .argument = "ENDPOINT",
      .offset = offsetof (struct sink_own, bind), .text = "where heads connect" },
    OPTION_END
};

struct sink {
    struct cli *cli;
    struct sink_own own;
    struct secure secure;
    struct metrics_options metrics;
    struct meter meter;
    struct pool_counts results;     /*  while somebody may ask              */
    struct jobview_options view_options;
    weft_sink_t *sink;
    struct jobview view;
    struct sinkheads heads;
    struct halt counts;             /*  of failures, for the exit status    */
    bool ended;                     /*  nothing more comes                  */
    int status;                     /*  when a head was lost; else 0        */
};

/* ------------------------------------------------------------------ events */

static int
sink_event (struct sink *self, const weft_pool_event_t *event)
{
    if (event->kind == WEFT_POOL_JOINED || event->kind == WEFT_POOL_LEFT)
        return jobview_event (&self->view, NULL, NULL, event);
    pool_count_event (&self->results, event);
    struct jobout *line;
    struct viewjob *view;
    int rc = sinkheads_take (&self->heads, event, &line, &view);
    if (rc)
        return rc;
    if (event->kind == WEFT_POOL_DONE) {
        int status, signal;
        jobview_result (event, &status, &signal);
        if (event->reason != WEFT_JOB_CANCELLED || event->data)
            halt_job (&self->counts, status, signal);
    }
    return jobview_event (&self->view, line, view, event);
}

static int
sink_end (struct sink *self)
{
    self->ended = true;
    return sinkheads_finish (&self->heads);
}

/*  A head that has gone is told in the end, too; the others go on. */
static int
sink_error (struct sink *self, int error)
{
    if (error != WEFT_ENOPEER)
        return error;
    self->status = cli_fail (self->cli, error, NULL);
    return 0;
}

/*  1 when there may be more, 0, or an error. To ask for the next event acknowledges those
 *  before it: they are written by then. */
static int
sink_take (struct sink *self)
{
    weft_pool_event_t event;
    for (int i = 0; i < TURN_EVENTS; i++) {
        int rc = outlet_flush (&self->view.outlet);
        if (rc < 0 || outlet_fd (&self->view.outlet) >= 0)
            return rc;
        rc = weft_sink_next (self->sink, &event, 0);
        if (rc == WEFT_EAGAIN || rc == WEFT_ETIMEOUT)
            return 0;
        if (rc == WEFT_EEND)
            return sink_end (self);
        rc = rc < 0 ? sink_error (self, rc) : sink_event (self, &event);
        if (rc < 0)
            return rc;
    }
    return 1;
}

/*  Until there is something to do. While the output is held up nothing more is taken,
 *  and heads wait for their acknowledgements. */
static int
sink_wait (struct sink *self)
{
    int out = outlet_fd (&self->view.outlet);
    weft_pollitem_t items[] = { { .fd = self->cli->stop_fd, .events = WEFT_IN },
                                { .fd = out, .events = WEFT_OUT },
                                { .self = self->sink, .events = out >= 0 ? 0 : WEFT_IN } };
    return weft_poll (items, self->ended ? 2 : 3, clock_poll_ms (progress_wait (&self->view.progress)));
}

static void
sink_counts (const struct sink *self, struct progress_counts *counts)
{
    *counts = (struct progress_counts){ .done = self->counts.done, .failed = self->counts.failed,
                                         .total = self->counts.done, .complete = self->ended };
}

static int
sink_loop (struct sink *self)
{
    struct progress_counts counts;
    int rc = 0;
    while (rc >= 0 && self->cli->stopped (self->cli) == 0) {
        int busy = self->ended ? 0 : sink_take (self);
        sink_counts (self, &counts);
        int flushed = jobview_flush (&self->view, &counts);
        rc = busy < 0 ? busy : flushed;
        if (self->ended && outlet_fd (&self->view.outlet) < 0)
            break;
        if (rc == 0 && busy == 0)
            rc = sink_wait (self);
        rc = rc == WEFT_EINTR ? 0 : rc < 0 ? sink_error (self, rc) : rc;
    }
    bool early = rc >= 0 && !self->ended;
    if (early)
        rc = sink_end (self);
    sink_counts (self, &counts);
    jobview_end (&self->view, &counts);
    if (rc == WEFT_EEND)
        return EXIT_OK;
    if (rc < 0)
        return cli_fail (self->cli, rc, NULL);
    if (early)
        cli_note (self->cli, "stopped before the heads had finished");
    else if (outlet_fd (&self->view.outlet) >= 0)
        cli_note (self->cli, "stopped before all was written");
    if (early || outlet_fd (&self->view.outlet) >= 0)
        return EXIT_RUN_ERROR;
    return self->status ? self->status : halt_status (&self->counts);
}

/* ----------------------------------------------------------------- opening */

static int
sink_bind (struct sink *self, const char *endpoint)
{
    int rc = weft_sink_bind (self->sink, endpoint);
    if (rc == 0)
        cli_note (self->cli, "listening on %s", weft_sink_endpoint (self->sink));
    return rc;
}

static int
sink_set (void *target, const struct option *option, const char *value)
{
    return weft_sink_set (target, option->name, value ? value : "yes");
}

static int
sink_begin_metrics (struct sink *self)
{
    const struct metric_source source = { .table = pool_ends_metrics, .size = sizeof (struct pool_ends),
                                          .labels = { { "pool", "sink" } }, .read = pool_counts_read,
                                          .arg = &self->results };
    int rc = meter_begin (&self->meter, self->cli, &self->metrics, self->secure.security.insecure);
    if (rc || !meter_is_on (&self->meter))
        return rc;
    rc = pool_counts_init (&self->results);
    rc = rc ? rc : meter_add (&self->meter, &source);
    return rc ? rc : meter_ready (&self->meter, self->cli);
}

static int
sink_open (struct sink *self, char *const *endpoints, int count)
{
    char *tag = jobview_tag (&self->view_options);
    int rc = halt_parse (&self->counts, NULL);
    rc = rc ? rc : secure_begin (self->cli, &self->secure, EXIT_RUN_ERROR);
    rc = rc ? rc : secure_apply (&self->secure, sink_set, self->sink);
    descriptors_raise ();
    rc = rc ? rc : sinkheads_init (&self->heads, self->cli, &self->view, tag);
    free (tag);
    for (size_t i = 0; i < self->own.bind.count && rc == 0; i++)
        rc = sink_bind (self, self->own.bind.items[i]);
    for (int i = 0; i < count && rc == 0; i++)
        rc = sink_bind (self, endpoints[i]);
    rc = rc ? rc : sink_begin_metrics (self);
    if (rc == 0)
        cli_ready (self->cli);
    return rc;
}

static int
sink_try (struct sink *self, char *const *endpoints, int count)
{
    const struct security_config *security = &self->secure.security;
    bool right = trial_lists (self->cli, "sink", security, &self->own.bind, ENDPOINT_BIND);
    for (int i = 0; i < count; i++)
        right &= trial_endpoints (self->cli, "sink", security, endpoints[i], ENDPOINT_BIND);
    return right ? EXIT_OK : EXIT_USAGE;
}

static int
sink_work (struct sink *self, char *const *endpoints, int count)
{
    if (count == 0 && self->own.bind.count == 0) {
        cli_error (self->cli, "give an endpoint where heads connect, as in 'weft sink -b tcp://127.0.0.1:6001'");
        return EXIT_USAGE;
    }
    if (self->cli->trial)
        return meter_try (self->cli, &self->metrics, self->secure.security.insecure,
                          sink_try (self, endpoints, count));
    int status, rc = jobview_init (&self->view, self->cli, &self->view_options, JOBLOG_NEW, NULL);
    if (rc == 0)
        rc = sink_open (self, endpoints, count);
    status = rc < 0 ? cli_fail (self->cli, rc, NULL) : sink_loop (self);
    meter_end (&self->meter);
    pool_counts_free (&self->results);
    sinkheads_free (&self->heads);
    jobview_free (&self->view);
    return status;
}

static int
sink_run (struct cli *cli, const struct command *command, int argc, char **argv)
{
    struct sink self = { .cli = cli, .sink = weft_sink_new (cli->weft) };
    if (!self.sink)
        return cli_fail (cli, WEFT_ENOMEM, NULL);
    void *targets[] = { &self.view_options, &self.own, self.sink, &self.secure, &self.metrics };
    command_set_fn *const setters[] = { NULL, NULL, sink_set, NULL, NULL };
    char *operands[argc + 1];
    int count = 0, status = EXIT_USAGE;
    int rc = command_parse (cli, command, targets, setters, argc, argv, operands, &count);
    if (rc == 0)
        status = sink_work (&self, operands, count);
    weft_sink_destroy (&self.sink);
    command_free_options (command, targets, setters);
    return rc > 0 ? EXIT_OK : status;
}

const struct command command_sink = {
    .name = "sink",
    .group = COMMAND_GROUP_POOL,
    .summary = "print the results that heads send on",
    .usage = "[OPTIONS] -b ENDPOINT",
    .description =
        "Takes the results of every weft ventilator whose --sink names it, acknowledges them, and prints and logs them "
        "as weft run does. It ends when every head that came has finished, or was away for --head-timeout.\n\n"
        "Values of jobs are not known here: with --tag a line begins with the job's command, and in --tagstring {} "
        "stands for that and {#} for the job's number with its head.\n\n"
        "When its output is held up it takes no more, and heads wait.",
    .guarantee = "Every result arrives once: a head keeps what was not acknowledged, and sends it again. What is "
                 "acknowledged was written. When a sink is killed and another takes its place, the last results "
                 "may be written by both, and what was held back is lost: what jobs that still ran had written, and "
                 "with -k what waited for its turn.",
    .status = "Once it listens, the number of jobs that failed, 101 for more than 100, 255 when it was stopped before "
              "the heads had finished; but 4 when one of them went away before that.",
    .tables = (const struct command_table[]){ { .title = "Output", .table = jobview_options },
                                               { .title = "Heads", .table = own_options },
                                               { .title = "Sink", .table = sink_options },
                                               SECURE_TABLE,
                                               METRICS_TABLE,
                                               { .title = NULL } },
    .examples =
        (const struct command_example[]){
            { "weft sink -b tcp://127.0.0.1:6001 --joblog log > results", "Keeps results and a log." },
            { "weft ventilator -b tcp://127.0.0.1:6000 --sink tcp://127.0.0.1:6001 jobs.txt",
              "A head that sends to it." },
            { .line = NULL } },
    .part = true,
    .run = sink_run,
};
