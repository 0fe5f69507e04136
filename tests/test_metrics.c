/*  test_metrics.c - sources that come and go, families in order, counters that never go back */

#include "tests/testing.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/counter.h"
#include "core/histogram.h"
#include "core/metrics.h"
#include "core/usage.h"

struct values {
    uint64_t in, out, level;
    const struct histogram *times;
};

static const struct metric table[] = {
    { .name = "things_total", .kind = METRIC_COUNTER, .label = "way", .value = "in",
      .offset = offsetof (struct values, in), .text = "things" },
    { .name = "things_total", .kind = METRIC_COUNTER, .label = "way", .value = "out",
      .offset = offsetof (struct values, out) },
    { .name = "level", .kind = METRIC_GAUGE, .offset = offsetof (struct values, level), .text = "a level" },
    { .name = "times_seconds", .kind = METRIC_HISTOGRAM, .type = METRIC_TIMES, .bounds = metric_moments,
      .offset = offsetof (struct values, times), .text = "times" },
    METRIC_END
};
static const struct metric other_table[] = {
    { .name = "other", .kind = METRIC_GAUGE, .offset = 0, .text = "another" }, METRIC_END
};

static void
read_values (void *arg, void *values)
{
    const struct values *from = arg;
    struct values *to = values;
    to->in = counter_read (&from->in);
    to->out = counter_read (&from->out);
    to->level = counter_read (&from->level);
    to->times = from->times;
}

static void
read_other (void *arg, void *values)
{
    (void) arg;
    *(uint64_t *) values = 5;
}

/*  What a visit saw, as text. */
static char seen[2048];

static void
on_family (void *arg, const struct metric *metric)
{
    (void) arg;
    snprintf (seen + strlen (seen), sizeof seen - strlen (seen), "[%s]", metric->name);
}

static void
on_value (void *arg, const struct metric *metric, const struct metric_label *labels, const void *field)
{
    (void) arg;
    snprintf (seen + strlen (seen), sizeof seen - strlen (seen), "%s%s=%llu ", labels[0].name ? labels[0].value : "",
              metric->label ? metric->value : "",
              metric->type == METRIC_TIMES ? 0ULL : (unsigned long long) *(const uint64_t *) field);
}

static const char *
visit (struct metrics *metrics)
{
    seen[0] = '\0';
    metrics_visit (metrics, &(struct metrics_visitor){ .family = on_family, .value = on_value });
    return seen;
}

static struct metrics_entry *
add (struct metrics *metrics, struct values *values, const char *name)
{
    struct metrics_entry *entry;
    struct metric_source source = { .table = table, .labels = { { name ? "name" : NULL, name } },
                                    .size = sizeof *values, .read = read_values, .arg = values };
    assert_int_equal (metrics_add (metrics, &source, &entry), 0);
    return entry;
}

/*  A family is told once, whoever has values of it, and in whatever order they came. */
static void
gathers_families (void **state)
{
    (void) state;
    struct metrics *metrics;
    struct values one = { .in = 1, .out = 2, .level = 3 }, two = { .in = 10, .out = 20, .level = 30 };
    assert_int_equal (metrics_new (&metrics), 0);
    assert_string_equal (visit (metrics), "");
    struct metrics_entry *first = add (metrics, &one, "a "), *other;
    struct metric_source source = { .table = other_table, .size = sizeof (uint64_t), .read = read_other };
    assert_int_equal (metrics_add (metrics, &source, &other), 0);
    struct metrics_entry *second = add (metrics, &two, "b ");
    assert_string_equal (visit (metrics), "[things_total]a in=1 a out=2 b in=10 b out=20 [level]a =3 b =30 [other]=5 ");
    metrics_remove (&first);
    assert_null (first);
    assert_string_equal (visit (metrics), "[other]=5 [things_total]b in=10 b out=20 [level]b =30 ");
    metrics_remove (&second);
    metrics_remove (&second);
    first = add (metrics, &one, NULL);
    assert_string_equal (visit (metrics), "[other]=5 [things_total]in=1 out=2 [level]=3 ");
    metrics_destroy (&metrics);
    assert_null (metrics);
}

static void
leaves_out_what_has_no_histogram (void **state)
{
    (void) state;
    struct metrics *metrics;
    struct values one = { 0 }, two = { .times = histogram_new () };
    assert_int_equal (metrics_new (&metrics), 0);
    add (metrics, &one, "a");
    assert_null (strstr (visit (metrics), "times_seconds"));
    add (metrics, &two, "b");
    assert_non_null (strstr (visit (metrics), "[times_seconds]b=0 "));
    assert_null (strstr (seen, "[times_seconds]a"));
    metrics_destroy (&metrics);
    free ((void *) (uintptr_t) two.times);
}

/*  A counter that is put together of several may be read lower for a moment; a gauge may fall. */
static void
keeps_counters_from_going_back (void **state)
{
    (void) state;
    struct metrics *metrics;
    struct values values = { .in = 7, .level = 7 };
    assert_int_equal (metrics_new (&metrics), 0);
    add (metrics, &values, NULL);
    visit (metrics);
    values.in = values.level = 6;
    assert_string_equal (visit (metrics), "[things_total]in=7 out=0 [level]=6 ");
    values.in = 8;
    assert_string_equal (visit (metrics), "[things_total]in=8 out=0 [level]=6 ");
    metrics_destroy (&metrics);
}

/* ------------------------------------------------------------------------ threads */

struct race {
    struct metrics *metrics;
    atomic_bool over;
};

static void *
read_often (void *arg)
{
    struct race *race = arg;
    while (!atomic_load (&race->over))
        visit (race->metrics);
    return NULL;
}

/*  Under the sanitizers: nobody reads of a source that is gone, and nothing is raced for. */
static void
lets_sources_come_and_go_meanwhile (void **state)
{
    (void) state;
    struct race race = { .metrics = NULL };
    pthread_t thread;
    assert_int_equal (metrics_new (&race.metrics), 0);
    assert_int_equal (pthread_create (&thread, NULL, read_often, &race), 0);
    for (int i = 0; i < 300; i++) {
        struct values *values = calloc (1, sizeof *values);
        assert_non_null (values);
        struct metrics_entry *entry = add (race.metrics, values, "x");
        for (int j = 0; j < 100; j++)
            counter_add (&values->in, 1);
        metrics_remove (&entry);
        memset (values, 0xff, sizeof *values);
        free (values);
    }
    atomic_store (&race.over, true);
    pthread_join (thread, NULL);
    metrics_destroy (&race.metrics);
}

/* ------------------------------------------------------------------------ tables */

static void
has_bounds_that_go_up (void **state)
{
    (void) state;
    const int64_t *const all[] = { metric_moments, metric_jobs };
    for (size_t i = 0; i < 2; i++) {
        size_t count = 0;
        for (; all[i][count] != TIME_FOREVER; count++)
            assert_true (count == 0 || all[i][count] > all[i][count - 1]);
        assert_in_range (count, 10, METRIC_BOUNDS_MAX);
    }
}

static void
knows_this_process (void **state)
{
    (void) state;
    uint64_t started = usage_started ();
    uint64_t now = (uint64_t) clock_wall (clock_system ());
    struct usage_values values = { 0 };
    usage_read (&started, &values);
    assert_int_equal (values.started, started);
    assert_in_range (started, now - (uint64_t) (3600 * TIME_S), now + (uint64_t) TIME_S);
    assert_in_range (values.threads, 1, 1000);
    assert_true (values.resident > 100000 && values.virtual_bytes >= values.resident);
    uint64_t files = values.files;
    assert_in_range (files, 3, values.files_max);
    FILE *file = tmpfile ();
    assert_non_null (file);
    values = (struct usage_values){ 0 };
    usage_read (&started, &values);
    assert_int_equal (values.files, files + 1);
    assert_true (values.cpu > 0);
    fclose (file);
}

int
main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (gathers_families),
        cmocka_unit_test (leaves_out_what_has_no_histogram),
        cmocka_unit_test (keeps_counters_from_going_back),
        cmocka_unit_test (lets_sources_come_and_go_meanwhile),
        cmocka_unit_test (has_bounds_that_go_up),
        cmocka_unit_test (knows_this_process),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
