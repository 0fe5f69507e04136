/*  part_metrics.c - what the metrics of weft up say of its parts */

#include "cli/part_metrics.h"

#include "cli/part.h"
#include "core/clock.h"
#include "core/counter.h"

#define STATE(field) .name = "weft_part_state", .kind = METRIC_GAUGE, .label = "state", .value = #field, AT (field)
#define AT(field) .offset = offsetof (struct part_values, field)
enum { VALUES = sizeof (struct part_values) / sizeof (uint64_t) };

const struct metric part_metrics[] = {
    { STATE (waiting),
      .text = "1 for the state that a part of weft up is in: waiting for those before it, starting, running, "
              "restarting (has failed, and is tried again after a while), ended, or failed for good" },
    { STATE (starting) },
    { STATE (running) },
    { STATE (restarting) },
    { STATE (ended) },
    { STATE (failed) },
    { .name = "weft_part_state_since_seconds", .kind = METRIC_GAUGE, .type = METRIC_TIME, AT (since),
      .text = "when that began, in seconds since 1970" },
    { .name = "weft_part_starts_total", .kind = METRIC_COUNTER, AT (starts),
      .text = "how often it was started: the first time, and again after failures" },
    { .name = "weft_part_failures_total", .kind = METRIC_COUNTER, AT (failures),
      .text = "how often it ended with a status other than 0" },
    { .name = "weft_part_exit_status", .kind = METRIC_GAUGE, AT (status),
      .text = "the exit status of its last end; 0 before" },
    METRIC_END
};

static void
read_part (void *arg, void *values)
{
    counters_read (values, (const uint64_t *) &((const struct part *) arg)->shown, VALUES);
}

static uint64_t *
field_of (struct part_values *values, const struct part *part)
{
    switch (part->state) {
    case PART_IDLE:
        return &values->waiting;
    case PART_STARTING:
        return &values->starting;
    case PART_RUNNING:
        return &values->running;
    case PART_RESTING:
        return &values->restarting;
    case PART_OVER:
        break;
    }
    return part->status ? &values->failed : &values->ended;
}

void
part_show (struct part *self, struct metrics *metrics)
{
    struct part_values values = { .starts = self->starts, .failures = self->failed, .status = (uint64_t) self->status };
    if (!metrics)
        return;
    *field_of (&values, self) = 1;
    values.since = *field_of (&self->shown, self) ? self->shown.since : (uint64_t) clock_wall (clock_system ());
    counters_show ((uint64_t *) &self->shown, (const uint64_t *) &values, VALUES);
    if (!self->entry) {
        const struct metric_source source = { .table = part_metrics, .size = sizeof values, .read = read_part,
                                              .labels = { { "part", self->config->name } }, .arg = self };
        metrics_add (metrics, &source, &self->entry);
    }
}

void
part_hide (struct part *self)
{
    if (self->entry)
        metrics_remove (&self->entry);
}
