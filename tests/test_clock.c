/*  test_clock.c - deadlines, their arithmetic at the edges, back-off */

#include "tests/testing.h"

#include <limits.h>

#include "core/clock.h"

static void
system_clock_runs (void **state)
{
    (void) state;
    struct clock *clock = clock_system ();
    int64_t first = clock_now (clock);
    assert_true (first > 0);
    assert_true (clock_now (clock) >= first);
    assert_true (clock_wall (clock) > INT64_C (1600000000) * TIME_S);
}

static void
deadlines (void **state)
{
    (void) state;
    struct clock_fake fake;
    clock_fake_init (&fake, 100);
    struct clock *clock = &fake.clock;
    assert_int_equal (clock_now (clock), 100);
    assert_int_equal (clock_wall (clock), 100);
    assert_int_equal (clock_deadline (clock, 0), 100);
    assert_int_equal (clock_deadline (clock, 50), 150);
    assert_int_equal (clock_deadline (clock, TIME_FOREVER), TIME_FOREVER);
    assert_int_equal (clock_deadline (clock, INT64_MAX), INT64_MAX);

    assert_int_equal (clock_left (clock, 150), 50);
    fake.time = 150;
    assert_int_equal (clock_left (clock, 150), 0);
    fake.time = 151;
    assert_int_equal (clock_left (clock, 150), 0);
    assert_int_equal (clock_left (clock, TIME_FOREVER), TIME_FOREVER);
}

static void
earlier (void **state)
{
    (void) state;
    assert_int_equal (clock_earlier (3, 4), 3);
    assert_int_equal (clock_earlier (4, 3), 3);
    assert_int_equal (clock_earlier (0, 3), 0);
    assert_int_equal (clock_earlier (TIME_FOREVER, 3), 3);
    assert_int_equal (clock_earlier (3, TIME_FOREVER), 3);
    assert_int_equal (clock_earlier (TIME_FOREVER, TIME_FOREVER), TIME_FOREVER);
}

static void
poll_ms_rounds_up (void **state)
{
    (void) state;
    assert_int_equal (clock_poll_ms (0), 0);
    assert_int_equal (clock_poll_ms (1), 1);
    assert_int_equal (clock_poll_ms (TIME_MS), 1);
    assert_int_equal (clock_poll_ms (TIME_MS + 1), 2);
    assert_int_equal (clock_poll_ms (TIME_FOREVER), -1);
    assert_int_equal (clock_poll_ms (INT64_MAX), INT_MAX);
}

static void
backoff_doubles_within_its_bounds (void **state)
{
    (void) state;
    uint64_t seed = 42;
    int64_t low = INT64_MAX, high = 0;
    for (int i = 0; i < 1000; i++) {
        assert_in_range (clock_backoff (0, 100, 10000, &seed), 50, 100);
        assert_in_range (clock_backoff (1, 100, 10000, &seed), 100, 200);
        int64_t delay = clock_backoff (3, 100, 10000, &seed);
        assert_in_range (delay, 400, 800);
        low = delay < low ? delay : low;
        high = delay > high ? delay : high;
        assert_in_range (clock_backoff (INT_MAX, 100, 10000, &seed), 5000, 10000);
        assert_in_range (clock_backoff (5, 300, 200, &seed), 100, 200);
        assert_true (clock_backoff (INT_MAX, 1, INT64_MAX, &seed) > 0);
        assert_int_equal (clock_backoff (3, 0, 0, &seed), 0);
    }
    assert_true (low < 450);        /*  the jitter uses the range */
    assert_true (high > 750);
}

static void
random_is_repeatable (void **state)
{
    (void) state;
    uint64_t a = 7, b = 7, c = 8, zero = 0;
    for (int i = 0; i < 10; i++)
        assert_true (random_next (&a) == random_next (&b));
    assert_true (random_next (&a) != random_next (&c));
    assert_true (random_next (&zero) != random_next (&zero));
    assert_true (random_seed () != 0);
    assert_true (random_seed () != random_seed ());
}

int
main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (system_clock_runs),
        cmocka_unit_test (deadlines),
        cmocka_unit_test (earlier),
        cmocka_unit_test (poll_ms_rounds_up),
        cmocka_unit_test (backoff_doubles_within_its_bounds),
        cmocka_unit_test (random_is_repeatable),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
