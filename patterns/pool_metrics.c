/*  pool_metrics.c - what a head, a worker and a sink can be asked while they work */

#include "patterns/pool_metrics.h"

#include <stdlib.h>

#include "core/counter.h"
#include "core/error.h"
#include "core/histogram.h"
#include "patterns/ledger.h"
#include "patterns/pool_head.h"

enum { VALUES = sizeof (struct pool_values) / sizeof (uint64_t) };

#define END(field) .kind = METRIC_COUNTER, .offset = offsetof (struct pool_ends, field)
#define RESULT(is, field) .label = "result", .value = (is), END (field)

const struct metric pool_ends_metrics[] = {
    { .name = "weft_jobs_total", RESULT ("done", done),
      .text = "jobs that have ended: well (done); by themselves, but not well (failed); after their timeout; since "
              "their workers went away too often (dead); since they were cancelled, could not be started, or what they "
              "wrote could not be kept" },
    { .name = "weft_jobs_total", RESULT ("failed", failed) },
    { .name = "weft_jobs_total", RESULT ("timeout", timeout) },
    { .name = "weft_jobs_total", RESULT ("dead", dead) },
    { .name = "weft_jobs_total", RESULT ("cancelled", cancelled) },
    { .name = "weft_jobs_total", RESULT ("not_started", not_started) },
    { .name = "weft_jobs_total", RESULT ("output_lost", output_lost) },
    { .name = "weft_job_retries_total", END (retries),
      .text = "attempts that ended badly, after which another follows" },
    { .name = "weft_job_output_bytes_total", END (received_bytes), .text = "bytes that jobs which have ended wrote" },
    { .name = "weft_job_seconds", .kind = METRIC_HISTOGRAM, .type = METRIC_TIMES, .bounds = metric_jobs,
      .offset = offsetof (struct pool_ends, runs), .text = "how long attempts ran, by their workers' clocks" },
    METRIC_END
};

#define COUNTER(field) .kind = METRIC_COUNTER, .offset = offsetof (struct pool_values, field)
#define GAUGE(field) .kind = METRIC_GAUGE, .offset = offsetof (struct pool_values, field)
#define STATE(is, field) .label = "state", .value = (is), GAUGE (field)

const struct metric pool_metrics[] = {
    { .name = "weft_pool_submitted_total", COUNTER (submitted), .text = "jobs that were taken" },
    { .name = "weft_pool_jobs", STATE ("waiting", waiting),
      .text = "jobs now: without a worker (waiting), at one that has not said that it began them (dealt; so are those "
              "that take a moment), and begun (running)" },
    { .name = "weft_pool_jobs", STATE ("dealt", dealt) },
    { .name = "weft_pool_jobs", STATE ("running", running) },
    { .name = "weft_pool_workers", GAUGE (workers), .text = "workers now" },
    { .name = "weft_pool_slots", GAUGE (slots), .text = "slots of all of them" },
    { .name = "weft_pool_lost_workers_total", COUNTER (lost_workers),
      .text = "workers that went away without a goodbye" },
    { .name = "weft_pool_refused_total", COUNTER (refused),
      .text = "messages that broke the protocol, and peers that were turned away" },
    { .name = "weft_ledger_commits_total", COUNTER (commits), .text = "transactions of the ledger that are on disk" },
    { .name = "weft_ledger_operations_total", COUNTER (operations), .text = "what they told: jobs, starts, results" },
    { .name = "weft_ledger_bytes_total", COUNTER (written_bytes), .text = "bytes in them" },
    { .name = "weft_ledger_log_bytes", GAUGE (log_bytes), .text = "size of the ledger's log now" },
    { .name = "weft_ledger_queued_bytes", GAUGE (unwritten_bytes), .text = "what waits for the disk now" },
    METRIC_END
};

const struct metric pool_times_metrics[] = {
    { .name = "weft_pool_wait_seconds", .kind = METRIC_HISTOGRAM, .type = METRIC_TIMES, .bounds = metric_jobs,
      .offset = offsetof (struct pool_times, waits),
      .text = "how long attempts waited, from when the job was taken or failed before until it began" },
    { .name = "weft_ledger_commit_seconds", .kind = METRIC_HISTOGRAM, .type = METRIC_TIMES, .bounds = metric_moments,
      .offset = offsetof (struct pool_times, commits), .text = "how long the ledger's transactions took" },
    METRIC_END
};

#define OF_WORKER(field) .offset = offsetof (struct worker_values, field)

const struct metric worker_metrics[] = {
    { .name = "weft_worker_slots", .kind = METRIC_GAUGE, OF_WORKER (slots),
      .text = "slots: jobs that it runs at once" },
    { .name = "weft_worker_jobs", .kind = METRIC_GAUGE, .label = "state", .value = "running", OF_WORKER (running),
      .text = "jobs that it has now: running, and waiting for a slot" },
    { .name = "weft_worker_jobs", .kind = METRIC_GAUGE, .label = "state", .value = "waiting", OF_WORKER (waiting) },
    { .name = "weft_worker_connected", .kind = METRIC_GAUGE, OF_WORKER (connected),
      .text = "1 while it is connected to a head, else 0" },
    { .name = "weft_worker_breaks_total", .kind = METRIC_COUNTER, OF_WORKER (breaks),
      .text = "connections to its head that broke, after which it connects again" },
    METRIC_END
};

/* ------------------------------------------------------------- attempts that ended */

int
pool_counts_init (struct pool_counts *self)
{
    *self = (struct pool_counts) { .runs = histogram_new () };
    self->ends.runs = self->runs;
    return self->runs ? 0 : error_plain (WEFT_ENOMEM);
}

void
pool_counts_free (struct pool_counts *self)
{
    free (self->runs);
    *self = (struct pool_counts) { .runs = NULL };
}

void
pool_count_end (struct pool_counts *self, int reason, bool failed, bool again, int64_t runtime)
{
    if (!self || !self->runs)
        return;
    struct pool_ends *ends = &self->ends;
    uint64_t *const results[] = {
        [WEFT_JOB_EXITED] = failed ? &ends->failed : &ends->done, [WEFT_JOB_TIMEOUT] = &ends->timeout,
        [WEFT_JOB_LOST] = &ends->dead, [WEFT_JOB_CANCELLED] = &ends->cancelled,
        [WEFT_JOB_NOT_STARTED] = &ends->not_started, [WEFT_JOB_OUTPUT_LOST] = &ends->output_lost
    };
    if (again)
        counter_add_any (&ends->retries, 1);
    else if (reason >= 0 && (size_t) reason < sizeof results / sizeof *results)
        counter_add_any (results[reason], 1);
    if (runtime > 0)
        histogram_record_any (self->runs, runtime * TIME_US);
}

void
pool_count_event (struct pool_counts *self, const weft_pool_event_t *event)
{
    if (!self->runs || (event->kind != WEFT_POOL_DONE && event->kind != WEFT_POOL_RETRY))
        return;
    bool again = event->kind == WEFT_POOL_RETRY;
    pool_count_end (self, event->reason, event->status || event->signal, again, event->runtime);
    if (!again)
        counter_add_any (&self->ends.received_bytes, event->received_bytes);
}

void
pool_counts_read (void *arg, void *into)
{
    enum { COUNTERS = offsetof (struct pool_ends, runs) / sizeof (uint64_t) };
    const struct pool_counts *self = arg;
    struct pool_ends *ends = into;
    counters_read (&ends->done, &self->ends.done, COUNTERS);
    ends->runs = self->runs;
}

/* ------------------------------------------------------------------------- the head */

int
pool_begin_show (weft_pool_t *self)
{
    self->show = calloc (1, sizeof *self->show);
    if (!self->show)
        return error_plain (WEFT_ENOMEM);
    self->show->waits = histogram_new ();
    if (self->show->waits)
        return 0;
    pool_end_show (self);
    return error_plain (WEFT_ENOMEM);
}

void
pool_end_show (weft_pool_t *self)
{
    if (!self->show)
        return;
    free (self->show->waits);
    free (self->show);
    self->show = NULL;
}

void
pool_show (weft_pool_t *self)
{
    weft_pool_stats_t stats;
    struct ledger_counters ledger = { 0 };
    if (!self->show)
        return;
    weft_pool_stats (self, &stats);
    if (self->book)
        ledger_counters (self->book->ledger, &ledger);
    struct pool_values now = {
        .submitted = stats.submitted, .waiting = stats.waiting,
        .dealt = self->dispatch.running - self->dispatch.begun, .running = self->dispatch.begun,
        .workers = stats.workers, .slots = stats.slots, .lost_workers = stats.lost_workers, .refused = stats.refused,
        .commits = ledger.commits, .operations = ledger.operations, .written_bytes = ledger.bytes,
        .log_bytes = ledger.log_bytes, .unwritten_bytes = ledger.queued_bytes
    };
    counters_show (&self->show->values.submitted, &now.submitted, VALUES);
}

void
pool_waited (weft_pool_t *self, int64_t since, int64_t runtime)
{
    if (self->show && since)
        histogram_record (self->show->waits, head_now (self) - since - runtime * TIME_US);
}

void
pool_read (void *arg, void *into)
{
    const struct weft_pool *self = arg;
    struct pool_values *values = into;
    counters_read (&values->submitted, &self->show->values.submitted, VALUES);
}

void
pool_read_times (void *arg, void *into)
{
    const struct weft_pool *self = arg;
    struct pool_times *times = into;
    times->waits = self->show->waits;
    times->commits = self->book ? ledger_times (self->book->ledger) : NULL;
}
