/*  test_pool_median.c - the median of the last runtimes */

#include <stdlib.h>

#include "core/clock.h"
#include "patterns/pool_median.h"
#include "tests/testing.h"

static void
test_few (void **state)
{
    struct median self = { .count = 0 };
    (void) state;
    median_add (&self, 50);
    median_add (&self, 10);
    assert_int_equal (median_of (&self), -1);
    median_add (&self, 30);
    assert_int_equal (median_of (&self), 30);
    median_add (&self, 20);
    assert_int_equal (median_of (&self), 20);
    median_add (&self, 20);
    assert_int_equal (median_of (&self), 20);
}

static int
compare (const void *one, const void *other)
{
    const int64_t *a = one, *b = other;
    return *a < *b ? -1 : *a > *b;
}

/*  As sorting the last of them says, whatever comes. */
static void
test_many (void **state)
{
    struct median *self = calloc (1, sizeof *self);
    int64_t all[3 * MEDIAN_LAST + 7], last[MEDIAN_LAST];
    uint64_t seed = 7;
    (void) state;
    for (int i = 0; i < (int) (sizeof all / sizeof *all); i++) {
        all[i] = (int64_t) (random_next (&seed) % (i % 2 ? 10 : 100000));
        median_add (self, all[i]);
        int count = i + 1 < MEDIAN_LAST ? i + 1 : MEDIAN_LAST;
        if (i % 101 && i < MEDIAN_LAST)
            continue;
        memcpy (last, all + i + 1 - count, (size_t) count * sizeof *last);
        qsort (last, (size_t) count, sizeof *last, compare);
        assert_int_equal (median_of (self), count < MEDIAN_LEAST ? -1 : last[(count - 1) / 2]);
    }
    free (self);
}

int
main (void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test (test_few), cmocka_unit_test (test_many) };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
