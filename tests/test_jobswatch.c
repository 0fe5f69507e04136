/*  test_jobswatch.c - the rate of jobs, and the lines above all others */

#include "cli/jobswatch.h"
#include "core/clock.h"
#include "tests/testing.h"

static void
rates (void **state)
{
    struct jobsrate rate = { .count = 0 };
    (void) state;
    assert_true (jobsrate_of (&rate) < 0);
    jobsrate_add (&rate, 5 * TIME_S, 100);
    assert_true (jobsrate_of (&rate) < 0);
    jobsrate_add (&rate, 5 * TIME_S, 100);
    assert_true (jobsrate_of (&rate) < 0);
    jobsrate_add (&rate, 7 * TIME_S, 110);
    assert_true (jobsrate_of (&rate) == 5);
    /*  What was long ago counts no more. */
    for (int i = 0; i < JOBSWATCH_SAMPLES; i++)
        jobsrate_add (&rate, (100 + i) * TIME_S, 110);
    assert_true (jobsrate_of (&rate) == 0);
}

static void
head (const struct ledgerview_counts *counts, double rate, int columns, const char *expected)
{
    struct buffer out;
    buffer_init (&out, 0);
    assert_int_equal (jobswatch_head (counts, rate, columns, &out), 0);
    assert_int_equal (buffer_terminate (&out), 0);
    assert_string_equal (buffer_data (&out), expected);
    buffer_free (&out);
}

static void
heads (void **state)
{
    const struct ledgerview_counts counts = { .jobs = 200, .done = 40, .failed = 10, .started = 2, .waiting = 148 };
    const struct ledgerview_counts none = { .jobs = 0 };
    (void) state;
    head (&counts, 15, 50, "200 jobs: 40 done, 10 failed, 2 started, 148 waiti\n"
          " 25%  #######......................  15/s  ETA 10s\n");
    head (&counts, -1, 10, "200 jobs: \n 25%  ..  \n");
    head (&counts, 15, 7, "200 job\n 25%   \n");
    head (&none, 0, 20, "0 jobs: 0 done, 0 fa\n100%  #######  0.0/s\n");
}

int
main (void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test (rates), cmocka_unit_test (heads) };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
