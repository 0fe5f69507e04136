/*  metrics.c - --metrics: what every command that runs long can be asked while it works */

#include "cli/metrics.h"

#include <string.h>

#include "adapters/bridge_metrics.h"
#include "cli/scrape.h"
#include "cli/session.h"
#include "core/error.h"
#include "core/usage.h"
#include "patterns/pattern_metrics.h"
#include "patterns/pool_metrics.h"

const struct option metrics_options[] = {
    { .name = "metrics", .type = OPTION_TEXT, .argument = "ADDRESS",
      .offset = offsetof (struct metrics_options, address),
      .text = "listen at HOST:PORT for Prometheus, or whoever wants numbers: GET /metrics (weft help metrics has them "
              "all)" },
    OPTION_END
};

/* -------------------------------------------------------------- about the program */

struct build_values {
    uint64_t one;
};
static const struct metric build_metrics[] = {
    { .name = "weft_build_info", .kind = METRIC_GAUGE, .offset = offsetof (struct build_values, one),
      .text = "always 1; its labels say which version runs which command" },
    METRIC_END
};

static void
build_read (void *unused, void *values)
{
    (void) unused;
    ((struct build_values *) values)->one = 1;
}

static int
add_process (struct meter *self, const struct cli *cli)
{
    self->started = usage_started ();
    const struct metric_source build = { .table = build_metrics, .size = sizeof (struct build_values),
                                         .labels = { { "version", WEFT_VERSION }, { "command", cli->name } },
                                         .read = build_read };
    const struct metric_source usage = { .table = usage_metrics, .size = sizeof (struct usage_values),
                                         .read = usage_read, .arg = &self->started };
    int rc = meter_add (self, &build);
    return rc ? rc : meter_add (self, &usage);
}

/* ---------------------------------------------------------------------- the meter */

int
meter_begin (struct meter *self, struct cli *cli, const struct metrics_options *options, bool insecure)
{
    if (!options->address) {
        self->metrics = cli->metrics;
        self->part = cli->part;
        return 0;
    }
    int rc = metrics_new (&self->own);
    self->metrics = self->own;
    rc = rc ? rc : add_process (self, cli);
    rc = rc ? rc : scrape_open (&self->scrape, self->metrics, options->address, insecure);
    if (rc)
        meter_end (self);
    return rc;
}

bool
meter_is_on (const struct meter *self)
{
    return self->metrics != NULL;
}

/*  With the part in front of its labels. */
int
meter_add (struct meter *self, const struct metric_source *source)
{
    struct metric_source told = *source;
    if (!self->metrics)
        return 0;
    if (self->count == METER_SOURCES)
        return error_set (WEFT_ELIMIT, "metrics: no more than %d sources", METER_SOURCES);
    if (self->part) {
        memmove (told.labels + 1, told.labels, sizeof told.labels - sizeof *told.labels);
        told.labels[0] = (struct metric_label) { "part", self->part };
    }
    int rc = metrics_add (self->metrics, &told, &self->entries[self->count]);
    self->count += rc == 0;
    return rc;
}

int
meter_ready (struct meter *self, struct cli *cli)
{
    int rc = self->scrape ? scrape_start (self->scrape) : 0;
    if (self->scrape && rc == 0)
        cli_note (cli, "metrics listening on http://%s/metrics", scrape_address (self->scrape));
    return rc;
}

void
meter_end (struct meter *self)
{
    scrape_stop (&self->scrape);
    while (self->count)
        metrics_remove (&self->entries[--self->count]);
    metrics_destroy (&self->own);
    self->metrics = NULL;
}

/* --------------------------------------------------------------------- all of them */

const struct metric *
metrics_table (size_t index, const char **about)
{
    static const struct {
        const char *about;
        const struct metric *table;
    } all[] = {
        { "Sockets of the fabric", pattern_metrics },
        { "Requests: req, rep, and a bridge's", pattern_times_metrics },
        { "Pattern programs: req, rep, pub, sub, push, pull", session_metrics },
        { "Bridges", bridge_metrics },
        { "Heads: run and ventilator", pool_metrics },
        { "Heads, their times", pool_times_metrics },
        { "Workers", worker_metrics },
        { "Jobs: of heads, workers and sinks", pool_ends_metrics },
        { "The process", usage_metrics },
        { "The program", build_metrics },
    };
    if (index >= sizeof all / sizeof *all)
        return NULL;
    *about = all[index].about;
    return all[index].table;
}
