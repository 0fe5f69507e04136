/*  prometheus.c - metrics as the text that Prometheus reads (exposition format 0.0.4) */

#include "codec/prometheus.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/error.h"
#include "core/histogram.h"

struct writer {
    struct buffer *text;
    struct histogram *copy;         /*  room for one; NULL until one is met */
    int error;
};

static void
add (struct writer *self, const char *data, size_t size)
{
    if (!self->error)
        self->error = buffer_add (self->text, data, size);
}

static void
add_str (struct writer *self, const char *text)
{
    add (self, text, strlen (text));
}

static void
add_number (struct writer *self, uint64_t number)
{
    if (!self->error)
        self->error = buffer_addf (self->text, "%" PRIu64, number);
}

/*  Exact: without the zeros at the end. */
static void
add_seconds (struct writer *self, uint64_t ns)
{
    char fraction[16];
    int digits = snprintf (fraction, sizeof fraction, ".%09" PRIu64, ns % (uint64_t) TIME_S);
    while (fraction[digits - 1] == '0')
        digits--;
    add_number (self, ns / (uint64_t) TIME_S);
    add (self, fraction, digits > 1 ? (size_t) digits : 0);
}

/*  A label's value needs its quotes escaped, too; a help text does not. */
static void
add_escaped (struct writer *self, const char *text, bool quotes)
{
    for (; *text; text++)
        if (*text == '\n')
            add_str (self, "\\n");
        else if (*text == '\\' || (quotes && *text == '"'))
            add (self, (const char[]){ '\\', *text }, 2);
        else
            add (self, text, 1);
}

static void
add_label (struct writer *self, const char *name, const char *value, bool *begun)
{
    add_str (self, *begun ? "," : "{");
    *begun = true;
    add_str (self, name);
    add_str (self, "=\"");
    add_escaped (self, value, true);
    add_str (self, "\"");
}

/*  "name_suffix{label="value",..." and, when there are labels, the brace that ends them; with `le`, its value (or
 *  +Inf for TIME_FOREVER) is the last. Then the blank before the value. */
static void
begin_sample (struct writer *self, const struct metric *metric, const char *suffix, const struct metric_label *labels,
              const int64_t *le)
{
    bool begun = false;
    add_str (self, metric->name);
    add_str (self, suffix);
    for (int i = 0; i < METRIC_LABELS && labels[i].name; i++)
        add_label (self, labels[i].name, labels[i].value, &begun);
    if (metric->label)
        add_label (self, metric->label, metric->value, &begun);
    if (le) {
        add_str (self, begun ? ",le=\"" : "{le=\"");
        if (*le < 0)
            add_str (self, "+Inf");
        else
            add_seconds (self, (uint64_t) *le);
        add_str (self, "\"");
    }
    add_str (self, begun || le ? "} " : " ");
}

static void
add_histogram (struct writer *self, const struct metric *metric, const struct metric_label *labels,
               const struct histogram *histogram)
{
    static const int64_t infinite = TIME_FOREVER;
    uint64_t below[METRIC_BOUNDS_MAX];
    size_t bounds = 0;
    while (metric->bounds[bounds] != TIME_FOREVER)
        bounds++;
    if (!self->copy)
        self->copy = histogram_new ();
    if (!self->copy) {
        self->error = error_plain (WEFT_ENOMEM);
        return;
    }
    histogram_copy (self->copy, histogram);
    histogram_below (self->copy, metric->bounds, bounds, below);
    for (size_t i = 0; i < bounds; i++) {
        begin_sample (self, metric, "_bucket", labels, &metric->bounds[i]);
        add_number (self, below[i]);
        add_str (self, "\n");
    }
    uint64_t count = histogram_count (self->copy);
    begin_sample (self, metric, "_bucket", labels, &infinite);
    add_number (self, count);
    add_str (self, "\n");
    begin_sample (self, metric, "_sum", labels, NULL);
    add_seconds (self, histogram_sum (self->copy));
    add_str (self, "\n");
    begin_sample (self, metric, "_count", labels, NULL);
    add_number (self, count);
    add_str (self, "\n");
}

static void
on_family (void *arg, const struct metric *metric)
{
    static const char *const kinds[] = {
        [METRIC_COUNTER] = "counter", [METRIC_GAUGE] = "gauge", [METRIC_HISTOGRAM] = "histogram"
    };
    struct writer *self = arg;
    add_str (self, "# HELP ");
    add_str (self, metric->name);
    add_str (self, " ");
    add_escaped (self, metric->text, false);
    add_str (self, "\n# TYPE ");
    add_str (self, metric->name);
    add_str (self, " ");
    add_str (self, kinds[metric->kind]);
    add_str (self, "\n");
}

static void
on_value (void *arg, const struct metric *metric, const struct metric_label *labels, const void *field)
{
    struct writer *self = arg;
    if (metric->type == METRIC_TIMES) {
        add_histogram (self, metric, labels, *(const struct histogram *const *) field);
        return;
    }
    begin_sample (self, metric, "", labels, NULL);
    (metric->type == METRIC_TIME ? add_seconds : add_number) (self, *(const uint64_t *) field);
    add_str (self, "\n");
}

int
prometheus_write (struct metrics *metrics, struct buffer *text)
{
    struct writer writer = { .text = text };
    metrics_visit (metrics, &(struct metrics_visitor){ .family = on_family, .value = on_value, .arg = &writer });
    free (writer.copy);
    return writer.error;
}
