/*  test_summary.c - what is told of a run */

#include "cli/summary.h"
#include "core/clock.h"
#include "tests/testing.h"

static void
event (struct summary *summary, int kind, const char *worker, int slots, int64_t runtime, bool failed, int64_t now_ms)
{
    weft_pool_event_t e = { .kind = kind, .worker = worker, .slots = slots, .runtime = runtime };
    summary_event (summary, &e, failed, now_ms * TIME_MS);
}

static void
assert_text (const struct summary *summary, const char *expected)
{
    char *text;
    size_t size;
    FILE *out = open_memstream (&text, &size);
    summary_write (summary, "run", out);
    fclose (out);
    assert_string_equal (text, expected);
    free (text);
}

/*  Two slots for two seconds are 4 s; 3 s of jobs leave 1 s, over four jobs. */
static void
shares (void **state)
{
    (void) state;
    struct summary summary = { .count = 0 };
    event (&summary, WEFT_POOL_JOINED, "a", 1, 0, false, 0);
    event (&summary, WEFT_POOL_JOINED, "b", 1, 0, false, 0);
    event (&summary, WEFT_POOL_STARTED, "a", 0, 0, false, 1000);
    event (&summary, WEFT_POOL_DONE, "a", 0, 500000, false, 1500);
    event (&summary, WEFT_POOL_DONE, "a", 0, 500000, true, 2000);
    event (&summary, WEFT_POOL_RETRY, "b", 0, 0, false, 2000);
    event (&summary, WEFT_POOL_LEFT, "b", 0, 0, false, 2000);
    event (&summary, WEFT_POOL_DONE, "a", 0, 500000, false, 2500);
    event (&summary, WEFT_POOL_DONE, "b", 0, 1500000, false, 3000);
    assert_text (&summary, "weft run: 4 jobs, 1 failed, 1 retried in 2.00 s: 2.0 jobs/s, overhead 250000 us a job\n"
                           "weft run:   a: 1 slot, 3 jobs (75%), busy 75%\n"
                           "weft run:   b: 1 slot, 1 job (25%), busy 75%\n");
    summary_free (&summary);
}

static void
nothing (void **state)
{
    (void) state;
    struct summary summary = { .count = 0 };
    assert_text (&summary, "weft run: 0 jobs, 0 failed\n");
    event (&summary, WEFT_POOL_LEFT, "never came", 0, 0, false, 0);
    assert_int_equal (summary.slots, 0);
    summary_free (&summary);
}

/*  Workers that come and go for ever do not fill the memory. */
static void
many_workers (void **state)
{
    (void) state;
    struct summary summary = { .count = 0 };
    char name[32];
    for (int i = 0; i < 2 * SUMMARY_WORKERS_MAX; i++) {
        snprintf (name, sizeof name, "w%d", i);
        event (&summary, WEFT_POOL_JOINED, name, 1, 0, false, 0);
    }
    assert_int_equal (summary.count, SUMMARY_WORKERS_MAX);
    summary_free (&summary);
}

int
main (void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test (shares), cmocka_unit_test (nothing),
                                        cmocka_unit_test (many_workers) };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
