/*  test_prometheus.c - metrics as text: numbers, escapes, histograms */

#include "tests/testing.h"

#include <stdlib.h>
#include <string.h>

#include "codec/prometheus.h"
#include "core/clock.h"
#include "core/histogram.h"

struct values {
    uint64_t number, time;
    const struct histogram *times;
};

static const int64_t bounds[] = { TIME_MS, 5 * TIME_MS / 2, TIME_S, TIME_FOREVER };

static const struct metric table[] = {
    { .name = "a_total", .kind = METRIC_COUNTER, .label = "way", .value = "in",
      .offset = offsetof (struct values, number), .text = "with \\ and \"quotes\" and\na newline" },
    { .name = "b_seconds", .kind = METRIC_GAUGE, .type = METRIC_TIME, .offset = offsetof (struct values, time),
      .text = "a time" },
    { .name = "c_seconds", .kind = METRIC_HISTOGRAM, .type = METRIC_TIMES, .bounds = bounds,
      .offset = offsetof (struct values, times), .text = "times" },
    METRIC_END
};

static void
read_values (void *arg, void *values)
{
    *(struct values *) values = *(const struct values *) arg;
}

static int
written (struct values *values, const char *label, struct buffer *text)
{
    struct metrics *metrics;
    struct metrics_entry *entry;
    struct metric_source source = { .table = table, .labels = { { label ? "name" : NULL, label } },
                                    .size = sizeof *values, .read = read_values, .arg = values };
    assert_int_equal (metrics_new (&metrics), 0);
    assert_int_equal (metrics_add (metrics, &source, &entry), 0);
    int rc = prometheus_write (metrics, text);
    metrics_destroy (&metrics);
    return rc;
}

static void
expect (struct values *values, const char *label, const char *expected)
{
    struct buffer text;
    buffer_init (&text, 0);
    assert_int_equal (written (values, label, &text), 0);
    assert_int_equal (buffer_terminate (&text), 0);
    assert_string_equal (buffer_data (&text), expected);
    buffer_free (&text);
}

static void
writes_numbers_and_times (void **state)
{
    (void) state;
    expect (&(struct values){ .number = UINT64_MAX, .time = 1500 * (uint64_t) TIME_MS }, NULL,
            "# HELP a_total with \\\\ and \"quotes\" and\\na newline\n"
            "# TYPE a_total counter\n"
            "a_total{way=\"in\"} 18446744073709551615\n"
            "# HELP b_seconds a time\n"
            "# TYPE b_seconds gauge\n"
            "b_seconds 1.5\n");
    expect (&(struct values){ .time = 1 }, "x",
            "# HELP a_total with \\\\ and \"quotes\" and\\na newline\n"
            "# TYPE a_total counter\n"
            "a_total{name=\"x\",way=\"in\"} 0\n"
            "# HELP b_seconds a time\n"
            "# TYPE b_seconds gauge\n"
            "b_seconds{name=\"x\"} 0.000000001\n");
}

static void
escapes_labels (void **state)
{
    (void) state;
    struct buffer text;
    struct values values = { .time = 20 * (uint64_t) TIME_S };
    buffer_init (&text, 0);
    assert_int_equal (written (&values, "a\"b\\c\nd", &text), 0);
    assert_int_equal (buffer_terminate (&text), 0);
    assert_non_null (strstr (buffer_data (&text), "\nb_seconds{name=\"a\\\"b\\\\c\\nd\"} 20\n"));
    buffer_free (&text);
}

static void
writes_histograms (void **state)
{
    (void) state;
    struct histogram *times = histogram_new ();
    struct buffer text;
    assert_non_null (times);
    histogram_record (times, TIME_US);
    histogram_record (times, 2 * TIME_MS);
    histogram_record (times, 2 * TIME_S);
    struct values values = { .times = times };
    buffer_init (&text, 0);
    assert_int_equal (written (&values, "x", &text), 0);
    assert_int_equal (buffer_terminate (&text), 0);
    assert_string_equal (strstr (buffer_data (&text), "# HELP c_"),
                         "# HELP c_seconds times\n"
                         "# TYPE c_seconds histogram\n"
                         "c_seconds_bucket{name=\"x\",le=\"0.001\"} 1\n"
                         "c_seconds_bucket{name=\"x\",le=\"0.0025\"} 2\n"
                         "c_seconds_bucket{name=\"x\",le=\"1\"} 2\n"
                         "c_seconds_bucket{name=\"x\",le=\"+Inf\"} 3\n"
                         "c_seconds_sum{name=\"x\"} 2.002001\n"
                         "c_seconds_count{name=\"x\"} 3\n");
    buffer_clear (&text);
    assert_int_equal (written (&values, NULL, &text), 0);
    assert_int_equal (buffer_terminate (&text), 0);
    assert_non_null (strstr (buffer_data (&text), "c_seconds_bucket{le=\"+Inf\"} 3\nc_seconds_sum 2.002001\n"));
    buffer_free (&text);
    free (times);
}

static void
says_when_there_is_no_room (void **state)
{
    (void) state;
    struct buffer text;
    struct values values = { 0 };
    buffer_init (&text, 100);
    assert_int_equal (written (&values, NULL, &text), WEFT_ETOOBIG);
    buffer_free (&text);
}

int
main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (writes_numbers_and_times),
        cmocka_unit_test (escapes_labels),
        cmocka_unit_test (writes_histograms),
        cmocka_unit_test (says_when_there_is_no_room),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
