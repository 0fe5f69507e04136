/*  jobhead_metrics.c - what a head at work tells of itself: its pool, its ledger, how its jobs ended */

#include "cli/jobhead.h"
#include "core/buffer.h"
#include "core/histogram.h"

int
jobhead_begin_metrics (struct jobhead *self, const struct metrics_options *options, bool insecure)
{
    const struct metric_source pool = { .table = pool_metrics, .size = sizeof (struct pool_values),
                                        .labels = { { "pool", "head" } }, .read = pool_read, .arg = self->pool };
    struct metric_source times = pool, ends = pool;
    times.table = pool_times_metrics;
    times.size = sizeof (struct pool_times);
    times.read = pool_read_times;
    ends.table = pool_ends_metrics;
    ends.size = sizeof (struct pool_ends);
    ends.read = pool_counts_read;
    ends.arg = &self->counts;
    int rc = meter_begin (&self->meter, self->cli, options, insecure);
    if (rc == 0 && (meter_is_on (&self->meter) || self->cli->verbose))
        rc = pool_counts_init (&self->counts);
    if (rc || !meter_is_on (&self->meter))
        return rc;
    rc = pool_begin_show (self->pool);
    rc = rc ? rc : meter_add (&self->meter, &pool);
    rc = rc ? rc : meter_add (&self->meter, &times);
    rc = rc ? rc : meter_add (&self->meter, &ends);
    return rc ? rc : meter_ready (&self->meter, self->cli);
}

void
jobhead_say_times (struct jobhead *self)
{
    struct buffer text;
    if (!self->cli->verbose || !self->counts.runs || histogram_count (self->counts.runs) == 0)
        return;
    buffer_init (&text, 0);
    meter_add_times (&text, self->counts.runs);
    if (buffer_terminate (&text) == 0)
        cli_detail (self->cli, "jobs ran: %s", buffer_data (&text));
    buffer_free (&text);
}

void
jobhead_end_metrics (struct jobhead *self)
{
    meter_end (&self->meter);
    pool_counts_free (&self->counts);
}
