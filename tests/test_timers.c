/*  test_timers.c - deadlines in order, under any mix of setting, moving and taking out */

#include "tests/testing.h"

#include "core/clock.h"
#include "core/timers.h"

static void
comes_in_order (void **state)
{
    (void) state;
    struct timers timers = { NULL };
    struct timer a = { 0 }, b = { 0 }, c = { 0 };
    assert_int_equal (timers_next (&timers), TIME_FOREVER);
    timers_set (&timers, &b, 20);
    timers_set (&timers, &a, 10);
    timers_set (&timers, &c, 30);
    assert_int_equal (timers_next (&timers), 10);
    assert_null (timers_due (&timers, 9));
    assert_ptr_equal (timers_due (&timers, 25), &a);
    assert_false (timer_is_set (&a));
    assert_ptr_equal (timers_due (&timers, 25), &b);
    assert_null (timers_due (&timers, 25));
    timers_set (&timers, &c, 40);
    assert_null (timers_due (&timers, 39));
    timers_set (&timers, &c, TIME_FOREVER);
    assert_int_equal (timers_next (&timers), TIME_FOREVER);
    timers_set (&timers, &c, TIME_FOREVER);
}

enum { MANY = 200, STEPS = 20000 };

static int64_t
earliest (const int64_t *model)
{
    int64_t first = TIME_FOREVER;
    for (int i = 0; i < MANY; i++)
        first = clock_earlier (first, model[i]);
    return first;
}

/*  Against a plain array that is searched. */
static void
agrees_with_a_plain_array (void **state)
{
    (void) state;
    static struct timer all[MANY];
    static int64_t model[MANY];
    struct timers timers = { NULL };
    uint64_t seed = 42;
    for (int i = 0; i < MANY; i++)
        model[i] = TIME_FOREVER;
    for (int step = 0; step < STEPS; step++) {
        size_t which = random_next (&seed) % MANY;
        int64_t deadline = random_next (&seed) % 4 ? (int64_t) (random_next (&seed) % 1000) : TIME_FOREVER;
        timers_set (&timers, &all[which], deadline);
        model[which] = deadline;
        if (random_next (&seed) % 3 == 0) {
            int64_t next = earliest (model);
            struct timer *due = timers_due (&timers, 500);
            assert_int_equal (due != NULL, next != TIME_FOREVER && next <= 500);
            if (due) {
                assert_int_equal (due->deadline, next);
                model[due - all] = TIME_FOREVER;
            }
        }
        assert_int_equal (timers_next (&timers), earliest (model));
    }
    for (int i = 0; i < MANY; i++)
        assert_int_equal (timer_is_set (&all[i]), model[i] != TIME_FOREVER);
}

int
main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (comes_in_order),
        cmocka_unit_test (agrees_with_a_plain_array),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
