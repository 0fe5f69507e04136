/*  metrics.c - --metrics: what every command that runs long can be asked while it works */

#include "cli/metrics.h"

#include <stdlib.h>
#include <string.h>

#include "adapters/bridge_metrics.h"
#include "cli/part_metrics.h"
#include "cli/scrape.h"
#include "cli/session.h"
#include "cli/trial.h"
#include "core/address.h"
#include "core/buffer.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/histogram.h"
#include "core/usage.h"
#include "patterns/pattern_metrics.h"
#include "patterns/pool_metrics.h"

const struct option metrics_options[] = {
    { .name = "metrics", .type = OPTION_TEXT, .argument = "ADDRESS",
      .offset = offsetof (struct metrics_options, address),
      .text = "listen at HOST:PORT, or unix:PATH, for Prometheus and whoever wants numbers: GET /metrics (weft help "
              "metrics has them all)" },
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

/*  By what it says; the listener looks at what it means. */
int
meter_check (const struct metrics_options *options, bool insecure)
{
    const char *text = options->address;
    struct address address;
    if (!text)
        return 0;
    int rc = address_parse (&address, text, true);
    if (rc)
        return error_set (rc, "--metrics %s", weft_error ());
    return address.local || insecure
               ? 0 : error_set (WEFT_EACCES, "--metrics %s: whoever is in that network could read it, in clear text; "
                                "listen on 127.0.0.1, or say --insecure", text);
}

int
meter_try (struct cli *cli, const struct metrics_options *options, bool insecure, int status)
{
    const char *address = options->address;
    int rc = meter_check (options, insecure);
    if (rc) {
        cli_fail (cli, rc, NULL);
        return EXIT_USAGE;
    }
    if (address && strncmp (address, "unix:", 5) != 0)
        trial_address (cli, "metrics", "tcp", address, ENDPOINT_BIND);
    return status;
}

int
meter_begin (struct meter *self, struct cli *cli, const struct metrics_options *options, bool insecure)
{
    if (!options->address) {
        self->metrics = cli->metrics;
        self->part = cli->part;
        return 0;
    }
    int rc = meter_check (options, insecure);
    rc = rc ? rc : metrics_new (&self->own);
    self->metrics = self->own;
    rc = rc ? rc : add_process (self, cli);
    if (rc == 0 && (rc = scrape_open (&self->scrape, self->metrics, options->address, insecure)))
        error_set (rc, "--metrics %s", weft_error ());
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
    struct metrics_entry **entries = realloc (self->entries, (self->count + 1) * sizeof *entries);
    if (!entries)
        return error_plain (WEFT_ENOMEM);
    self->entries = entries;
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
    const char *address = self->scrape ? scrape_address (self->scrape) : "";
    bool is_path = strncmp (address, "unix:", 5) == 0;
    if (self->scrape && rc == 0)
        cli_note (cli, "metrics listening on %s%s%s", is_path ? "" : "http://", address,
                  is_path ? ", GET /metrics" : "/metrics");
    return rc;
}

void
meter_end (struct meter *self)
{
    scrape_stop (&self->scrape);
    while (self->count)
        metrics_remove (&self->entries[--self->count]);
    free (self->entries);
    self->entries = NULL;
    metrics_destroy (&self->own);
    self->metrics = NULL;
}

static void
add_time (struct buffer *text, const char *what, int64_t time)
{
    double ms = (double) time / (double) TIME_MS;
    buffer_addf (text, "%s within %.3g %s", what, ms < 1000 ? ms : ms / 1000, ms < 1000 ? "ms" : "s");
}

void
meter_add_times (struct buffer *text, const struct histogram *times)
{
    add_time (text, "half", histogram_percentile (times, 50));
    add_time (text, ", 99%", histogram_percentile (times, 99));
    add_time (text, ", all", histogram_percentile (times, 100));
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
        { "Parts of weft up", part_metrics },
        { "The process", usage_metrics },
        { "The program", build_metrics },
    };
    if (index >= sizeof all / sizeof *all)
        return NULL;
    *about = all[index].about;
    return all[index].table;
}
