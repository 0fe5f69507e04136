/*  test_pool_metrics.c - how jobs ended, counted by several threads; what a head shows */

#include "tests/testing.h"

#include <pthread.h>

#include "core/clock.h"
#include "core/histogram.h"
#include "patterns/pool_metrics.h"

enum { ENDS = 20000 };

static struct pool_ends
read_ends (struct pool_counts *counts)
{
    struct pool_ends ends = { .done = 0 };
    pool_counts_read (counts, &ends);
    return ends;
}

static void
counts_by_result (void **state)
{
    (void) state;
    struct pool_counts counts;
    assert_int_equal (pool_counts_init (&counts), 0);
    weft_pool_event_t event = { .kind = WEFT_POOL_DONE, .runtime = 1000, .received_bytes = 7 };
    pool_count_event (&counts, &event);
    event.status = 1;
    pool_count_event (&counts, &event);
    event = (weft_pool_event_t) { .kind = WEFT_POOL_DONE, .signal = 9 };
    pool_count_event (&counts, &event);
    for (int reason = WEFT_JOB_TIMEOUT; reason <= WEFT_JOB_OUTPUT_LOST; reason++)
        pool_count_end (&counts, reason, true, false, 0);
    event = (weft_pool_event_t) { .kind = WEFT_POOL_RETRY, .status = 1, .runtime = 1 };
    pool_count_event (&counts, &event);
    event.kind = WEFT_POOL_OUTPUT;
    pool_count_event (&counts, &event);
    pool_count_end (&counts, 1000, true, false, 0);
    pool_count_end (NULL, WEFT_JOB_EXITED, false, false, 0);
    struct pool_ends ends = read_ends (&counts);
    assert_int_equal (ends.done, 1);
    assert_int_equal (ends.failed, 2);
    assert_int_equal (ends.timeout, 1);
    assert_int_equal (ends.dead, 1);
    assert_int_equal (ends.cancelled, 1);
    assert_int_equal (ends.not_started, 1);
    assert_int_equal (ends.output_lost, 1);
    assert_int_equal (ends.retries, 1);
    assert_int_equal (ends.received_bytes, 14);
    assert_int_equal (histogram_count (ends.runs), 3);
    assert_int_equal (histogram_sum (ends.runs), 2 * TIME_MS + TIME_US);
    pool_counts_free (&counts);
    pool_count_event (&counts, &event);
}

static void *
count_many (void *counts)
{
    for (int i = 0; i < ENDS; i++)
        pool_count_end (counts, WEFT_JOB_EXITED, false, false, 1);
    return NULL;
}

static void
counts_on_several_threads (void **state)
{
    (void) state;
    struct pool_counts counts;
    pthread_t threads[3];
    assert_int_equal (pool_counts_init (&counts), 0);
    for (int i = 0; i < 3; i++)
        assert_int_equal (pthread_create (&threads[i], NULL, count_many, &counts), 0);
    for (uint64_t seen = 0; seen < 3 * ENDS; seen = read_ends (&counts).done)
        assert_true (seen <= 3 * ENDS);
    for (int i = 0; i < 3; i++)
        pthread_join (threads[i], NULL);
    assert_int_equal (histogram_count (read_ends (&counts).runs), 3 * ENDS);
    pool_counts_free (&counts);
}

static void
shows_a_head_when_it_is_told (void **state)
{
    (void) state;
    weft_t *weft = weft_new ();
    weft_pool_t *pool = weft_pool_new (weft);
    weft_job_t job = { .command = "true" };
    struct pool_values values = { .submitted = 0 };
    struct pool_times times;
    pool_show (pool);                   /*  nobody asks     */
    assert_int_equal (weft_pool_bind (pool, "inproc://metrics"), 0);
    assert_int_equal (pool_begin_show (pool), 0);
    assert_int_equal (weft_pool_submit (pool, &job, NULL), 0);
    assert_int_equal (weft_pool_submit (pool, &job, NULL), 0);
    pool_read (pool, &values);
    assert_int_equal (values.submitted, 0);
    pool_show (pool);
    pool_read (pool, &values);
    assert_int_equal (values.submitted, 2);
    assert_int_equal (values.waiting, 2);
    assert_int_equal (values.dealt + values.running + values.workers + values.commits, 0);
    pool_read_times (pool, &times);
    assert_non_null (times.waits);
    assert_null (times.commits);
    weft_pool_destroy (&pool);
    weft_destroy (&weft);
}

int
main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (counts_by_result),
        cmocka_unit_test (counts_on_several_threads),
        cmocka_unit_test (shows_a_head_when_it_is_told),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
