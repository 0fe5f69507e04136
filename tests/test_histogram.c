/*  test_histogram.c - percentiles and counts below bounds, against the values themselves */

#include "tests/testing.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/histogram.h"

enum { VALUES = 20000, THREAD_VALUES = 200000 };

static struct histogram *
fresh (void)
{
    struct histogram *self = histogram_new ();
    assert_non_null (self);
    return self;
}

static int
compare (const void *a, const void *b)
{
    int64_t x = *(const int64_t *) a, y = *(const int64_t *) b;
    return (x > y) - (x < y);
}

/*  The bound that the header promises: never too small, and less than a 64th too large. */
static void
expect_near (int64_t got, int64_t exact)
{
    assert_true (got >= exact);
    assert_true (got - exact <= exact / HISTOGRAM_PARTS);
}

static void
agrees_with_sorted_values (int64_t (*make) (uint64_t *seed))
{
    static const double percents[] = { 0, 1, 10, 25, 50, 75, 90, 99, 99.9, 99.99, 100 };
    static int64_t values[VALUES];
    struct histogram *self = fresh ();
    uint64_t seed = 7, sum = 0;
    for (int i = 0; i < VALUES; i++) {
        values[i] = make (&seed);
        sum += (uint64_t) values[i];
        histogram_record (self, values[i]);
    }
    qsort (values, VALUES, sizeof *values, compare);
    for (size_t i = 0; i < sizeof percents / sizeof *percents; i++) {
        size_t rank = (size_t) (percents[i] * VALUES / 100);
        rank += (double) rank < percents[i] * VALUES / 100;
        expect_near (histogram_percentile (self, percents[i]), values[rank ? rank - 1 : 0]);
    }
    assert_int_equal (histogram_count (self), VALUES);
    assert_int_equal (histogram_sum (self), sum);
    free (self);
}

static int64_t
make_small (uint64_t *seed)
{
    return (int64_t) (random_next (seed) % HISTOGRAM_LINEAR);
}

static int64_t
make_latency (uint64_t *seed)
{
    return 20 * TIME_US + (int64_t) (random_next (seed) % 100000) * (random_next (seed) % 100 ? 1 : 1000);
}

/*  As many of each magnitude, up to the largest. */
static int64_t
make_any (uint64_t *seed)
{
    return (int64_t) (random_next (seed) >> (18 + random_next (seed) % 46));
}

static void
gives_percentiles (void **state)
{
    (void) state;
    agrees_with_sorted_values (make_small);
    agrees_with_sorted_values (make_latency);
    agrees_with_sorted_values (make_any);
}

/*  Small values are exact, and each power of two begins a bucket. */
static void
parts_values_at_powers_of_two (void **state)
{
    (void) state;
    for (int64_t power = 1; power <= HISTOGRAM_MAX / 2; power *= 2) {
        struct histogram *self = fresh ();
        histogram_record (self, power - 1);
        histogram_record (self, power);
        assert_int_equal (histogram_percentile (self, 50), power - 1);
        expect_near (histogram_percentile (self, 100), power);
        uint64_t below[2];
        histogram_below (self, (const int64_t[]){ power - 1, HISTOGRAM_MAX }, 2, below);
        assert_int_equal (below[0], 1);
        assert_int_equal (below[1], 2);
        free (self);
    }
}

static void
takes_values_beyond_its_range (void **state)
{
    (void) state;
    struct histogram *self = fresh ();
    assert_int_equal (histogram_percentile (self, 50), 0);
    assert_int_equal (histogram_count (self), 0);
    histogram_record (self, -5);
    assert_int_equal (histogram_percentile (self, 100), 0);
    assert_int_equal (histogram_sum (self), 0);
    histogram_record (self, INT64_MAX);
    histogram_record (self, HISTOGRAM_MAX + 1);
    assert_int_equal (histogram_percentile (self, 100), HISTOGRAM_MAX);
    assert_int_equal (histogram_percentile (self, 1000), HISTOGRAM_MAX);
    assert_int_equal (histogram_count (self), 3);
    free (self);
}

static void
counts_what_is_below_bounds (void **state)
{
    (void) state;
    static const int64_t bounds[] = { 5, 100, 1000, TIME_MS, TIME_S };
    struct histogram *self = fresh ();
    uint64_t below[5];
    for (int64_t value = 0; value < 100; value++)
        histogram_record (self, value);
    histogram_record (self, 900);
    histogram_record (self, 2000);
    histogram_record (self, 3 * TIME_S);
    histogram_below (self, bounds, 5, below);
    assert_int_equal (below[0], 6);
    assert_int_equal (below[1], 100);
    assert_int_equal (below[2], 101);
    assert_int_equal (below[3], 102);
    assert_int_equal (below[4], 102);
    free (self);
}

static void
merges (void **state)
{
    (void) state;
    struct histogram *one = fresh (), *other = fresh (), *both = fresh ();
    uint64_t seed = 3;
    for (int i = 0; i < VALUES; i++) {
        int64_t value = make_any (&seed);
        histogram_record (i % 3 ? one : other, value);
        histogram_record (both, value);
    }
    histogram_merge (one, other);
    assert_memory_equal (one, both, sizeof *one);
    histogram_copy (other, one);
    assert_memory_equal (other, both, sizeof *one);
    free (one);
    free (other);
    free (both);
}

static void *
record_many (void *arg)
{
    for (int i = 0; i < THREAD_VALUES; i++)
        histogram_record (arg, i);
    return NULL;
}

/*  Under the thread sanitizer this says that nothing is raced for; elsewhere, that what is seen only grows. */
static void
is_read_while_it_records (void **state)
{
    (void) state;
    struct histogram *self = fresh (), *copy = fresh ();
    pthread_t thread;
    uint64_t before = 0, count = 0;
    assert_int_equal (pthread_create (&thread, NULL, record_many, self), 0);
    while (count < THREAD_VALUES) {
        histogram_copy (copy, self);
        count = histogram_count (copy);
        assert_true (count >= before && histogram_percentile (copy, 100) <= THREAD_VALUES * 65 / 64);
        before = count;
    }
    pthread_join (thread, NULL);
    assert_int_equal (histogram_sum (self), (uint64_t) THREAD_VALUES * (THREAD_VALUES - 1) / 2);
    free (self);
    free (copy);
}

int
main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (gives_percentiles),
        cmocka_unit_test (parts_values_at_powers_of_two),
        cmocka_unit_test (takes_values_beyond_its_range),
        cmocka_unit_test (counts_what_is_below_bounds),
        cmocka_unit_test (merges),
        cmocka_unit_test (is_read_while_it_records),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
