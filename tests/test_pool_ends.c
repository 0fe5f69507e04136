/*  test_pool_ends.c - jobs that fail, take too long, are cancelled, and are done again */

#include <signal.h>
#include <sys/stat.h>

#include "tests/pool_live.h"
#include "tests/testing.h"

static void
test_retries (void **state)
{
    struct live *self = *state;
    assert_int_equal (weft_pool_set (self->pool, "retries", "2"), 0);
    live_bind (self, "inproc://pool");
    live_worker (self, "1", NULL, NULL);
    live_submit (self, "test $WEFT_ATTEMPT -eq 3");
    weft_pool_event_t event = live_await (self->pool, WEFT_POOL_RETRY);
    assert_int_equal (event.job, 1);
    assert_int_equal (event.attempt, 1);
    assert_int_equal (event.status, 1);
    event = live_await (self->pool, WEFT_POOL_DONE);
    assert_int_equal (event.job, 1);
    assert_int_equal (event.attempt, 3);
    assert_int_equal (event.status, 0);
    live_submit (self, "exit 9");
    event = live_await (self->pool, WEFT_POOL_DONE);
    assert_int_equal (event.attempt, 3);
    assert_int_equal (event.status, 9);
    weft_pool_stats_t stats;
    weft_pool_stats (self->pool, &stats);
    assert_int_equal (stats.retries, 4);
    assert_int_equal (stats.failed, 1);
    assert_int_equal (stats.done, 2);
}

static void
test_not_started (void **state)
{
    struct live *self = *state;
    live_bind (self, "inproc://pool");
    live_worker (self, "1", NULL, NULL);
    live_submit (self, "weft-no-such-program x");
    live_submit (self, "weft-no-such-program x;");
    live_submit (self, "/etc/passwd");
    weft_pool_event_t event = live_await (self->pool, WEFT_POOL_DONE);
    assert_int_equal (event.reason, WEFT_JOB_NOT_STARTED);
    assert_int_equal (event.status, 127);
    assert_non_null (memmem (event.data, event.size, "weft-no-such-program", 20));
    event = live_await (self->pool, WEFT_POOL_DONE);           /*  a shell says the same */
    assert_int_equal (event.reason, WEFT_JOB_EXITED);
    assert_int_equal (event.status, 127);
    event = live_await (self->pool, WEFT_POOL_DONE);
    assert_int_equal (event.status, 126);
}

static void
test_script_without_interpreter (void **state)
{
    struct live *self = *state;
    char path[64];
    snprintf (path, sizeof path, "%s/script", self->dir);
    FILE *file = fopen (path, "w");
    fputs ("exit 7\n", file);
    fchmod (fileno (file), 0700);
    fclose (file);
    live_bind (self, "inproc://pool");
    live_worker (self, "1", NULL, NULL);
    live_submit (self, path);
    assert_int_equal (live_await (self->pool, WEFT_POOL_DONE).status, 7);
}

static void
test_timeout (void **state)
{
    struct live *self = *state;
    live_bind (self, "inproc://pool");
    live_worker (self, "2", "grace", "10ms");
    weft_job_t job = { .command = "sleep 1000", .timeout = 20 };
    assert_int_equal (weft_pool_submit (self->pool, &job, NULL), 0);
    weft_pool_event_t event = live_await (self->pool, WEFT_POOL_DONE);
    assert_int_equal (event.reason, WEFT_JOB_TIMEOUT);
    assert_int_equal (event.signal, SIGTERM);
    job.command = "trap '' TERM; while :; do sleep 1000; done";
    assert_int_equal (weft_pool_submit (self->pool, &job, NULL), 0);
    event = live_await (self->pool, WEFT_POOL_DONE);
    assert_int_equal (event.reason, WEFT_JOB_TIMEOUT);
    assert_int_equal (event.signal, SIGKILL);
}

/*  A job that is stopped cannot end by SIGTERM, unless it is continued. */
/*  Three that are quick say how long the next may take. */
static void
test_timeout_by_median (void **state)
{
    struct live *self = *state;
    assert_int_equal (weft_pool_set (self->pool, "timeout-percent", "200"), 0);
    live_bind (self, "inproc://pool");
    live_worker (self, "2", NULL, NULL);
    live_submit (self, "sleep 1000");
    for (int i = 0; i < 3; i++)
        live_submit (self, "true");
    for (int i = 0; i < 3; i++)
        assert_int_equal (live_await (self->pool, WEFT_POOL_DONE).reason, WEFT_JOB_EXITED);
    weft_pool_event_t event = live_await (self->pool, WEFT_POOL_DONE);
    assert_int_equal (event.job, 1);
    assert_int_equal (event.reason, WEFT_JOB_TIMEOUT);
    weft_pool_finish (self->pool);
}

static void
test_timeout_of_a_stopped_job (void **state)
{
    struct live *self = *state;
    live_bind (self, "inproc://pool");
    live_worker (self, "1", "grace", "10s");
    weft_job_t job = { .command = "kill -STOP $$; exit 3", .timeout = 300 };
    assert_int_equal (weft_pool_submit (self->pool, &job, NULL), 0);
    weft_pool_event_t event = live_await (self->pool, WEFT_POOL_DONE);
    assert_int_equal (event.reason, WEFT_JOB_TIMEOUT);
    assert_int_equal (event.signal, SIGTERM);
}

static void
cancel_and_check (struct live *self, bool running, int cancelled)
{
    weft_pool_event_t event;
    int rc, count = 0;
    live_bind (self, "inproc://pool");
    for (int i = 0; i < 5; i++)
        live_submit (self, running ? "sleep 1000" : "test -e go || sleep 0.05");
    live_worker (self, "1", "dir", self->dir);
    live_await (self->pool, WEFT_POOL_STARTED);
    assert_int_equal (weft_pool_cancel (self->pool, running), 0);
    weft_pool_finish (self->pool);
    while ((rc = weft_pool_next (self->pool, &event, LIVE_PATIENCE)) == 0)
        count += event.kind == WEFT_POOL_DONE && event.reason == WEFT_JOB_CANCELLED;
    assert_int_equal (rc, WEFT_EEND);
    assert_int_equal (count, cancelled);
}

static void
test_cancel_waiting (void **state)
{
    cancel_and_check (*state, false, 4);
}

static void
test_cancel_running (void **state)
{
    cancel_and_check (*state, true, 5);
}

static void
test_cancel_one (void **state)
{
    struct live *self = *state;
    weft_pool_event_t event;
    int ends[4] = { 0 };
    live_bind (self, "inproc://pool");
    live_submit (self, "sleep 1000");
    live_submit (self, "true");
    live_submit (self, "true");
    assert_int_equal (weft_pool_cancel_job (self->pool, 4, true), WEFT_EINVAL);
    assert_int_equal (weft_pool_cancel_job (self->pool, 2, false), 0);
    event = live_await (self->pool, WEFT_POOL_DONE);
    assert_int_equal (event.job, 2);
    assert_int_equal (event.reason, WEFT_JOB_CANCELLED);
    assert_non_null (event.data);
    assert_int_equal (weft_pool_cancel_job (self->pool, 2, true), WEFT_EEND);
    live_worker (self, "1", NULL, NULL);
    live_await (self->pool, WEFT_POOL_STARTED);
    assert_int_equal (weft_pool_cancel_job (self->pool, 1, false), WEFT_ESTATE);
    assert_int_equal (weft_pool_cancel_job (self->pool, 1, true), 0);
    for (int i = 0; i < 2; i++) {
        event = live_await (self->pool, WEFT_POOL_DONE);
        ends[event.job] = event.reason;
    }
    assert_int_equal (ends[1], WEFT_JOB_CANCELLED);
    assert_int_equal (ends[3], WEFT_JOB_EXITED);
    assert_int_equal (live_finish (self, NULL, 0), 0);
}

/*  With a ledger that is an end: the next head has nothing to do. Most jobs are in the ledger alone. */
static void
test_cancel_kept (void **state)
{
    enum { JOBS = 40 };
    struct live *self = *state;
    weft_pool_event_t event;
    char path[64];
    unsigned char seen[JOBS + 1] = { 0 };
    int rc, run = 0;
    snprintf (path, sizeof path, "%s/ledger", self->dir);
    assert_int_equal (weft_pool_set (self->pool, "ledger", path), 0);
    assert_int_equal (weft_pool_set (self->pool, "queue", "4"), 0);
    live_bind (self, "inproc://pool");
    for (int i = 0; i < JOBS; i++)
        live_submit (self, "true");
    for (uint64_t id = 30; id > 20; id--)
        assert_int_equal (weft_pool_cancel_job (self->pool, id, false), 0);
    assert_int_equal (weft_pool_cancel_job (self->pool, 25, false), 0);     /*  has not ended yet */
    assert_int_equal (weft_pool_cancel_job (self->pool, 3, false), 0);
    for (int i = 0; i < 5; i++)
        assert_int_equal (live_await (self->pool, WEFT_POOL_DONE).reason, WEFT_JOB_CANCELLED);
    assert_int_equal (weft_pool_cancel_job (self->pool, 30, false), WEFT_EEND);
    live_worker (self, "2", NULL, NULL);
    weft_pool_finish (self->pool);
    while ((rc = weft_pool_next (self->pool, &event, LIVE_PATIENCE)) == 0)
        if (event.kind == WEFT_POOL_DONE) {
            bool cancelled = event.job == 3 || (event.job > 20 && event.job <= 30);
            assert_int_equal (seen[event.job]++, 0);
            assert_int_equal (event.reason, cancelled ? WEFT_JOB_CANCELLED : WEFT_JOB_EXITED);
            run += !cancelled;
        }
    assert_int_equal (rc, WEFT_EEND);
    assert_int_equal (run, JOBS - 11);
}

static void
test_cancel_every (void **state)
{
    enum { JOBS = 3000 };
    struct live *self = *state;
    char path[64];
    unsigned char seen[JOBS + 1] = { 0 };
    snprintf (path, sizeof path, "%s/ledger", self->dir);
    for (int round = 0; round < 2; round++) {
        assert_int_equal (weft_pool_set (self->pool, "ledger", path), 0);
        assert_int_equal (weft_pool_set (self->pool, "resume", "yes"), 0);
        assert_int_equal (weft_pool_set (self->pool, "queue", "100"), 0);
        live_bind (self, "inproc://pool");
        for (int i = 0; i < JOBS; i++)
            live_submit (self, "true");
        assert_int_equal (weft_pool_cancel_job (self->pool, 0, true), 0);
        assert_int_equal (live_finish (self, seen, JOBS), round ? 0 : JOBS);
        weft_pool_destroy (&self->pool);
        self->pool = weft_pool_new (self->weft);
    }
}

static void
test_retry (void **state)
{
    struct live *self = *state;
    weft_pool_event_t event;
    uint64_t retry;
    char path[64];
    assert_int_equal (weft_pool_retry (self->pool, 1, NULL), WEFT_ENOTSUP);
    weft_pool_destroy (&self->pool);
    self->pool = weft_pool_new (self->weft);
    snprintf (path, sizeof path, "%s/ledger", self->dir);
    assert_int_equal (weft_pool_set (self->pool, "ledger", path), 0);
    live_bind (self, "inproc://pool");
    live_worker (self, "1", "dir", self->dir);
    weft_job_t job = { .command = "test -e mended", .note = "note", .note_size = 4, .number = 9 };
    assert_int_equal (weft_pool_submit (self->pool, &job, NULL), 0);
    assert_int_equal (weft_pool_retry (self->pool, 1, NULL), WEFT_ESTATE);
    assert_int_equal (weft_pool_retry (self->pool, 2, NULL), WEFT_EINVAL);
    assert_int_equal (live_await (self->pool, WEFT_POOL_DONE).status, 1);
    assert_int_equal (weft_pool_retry (self->pool, 1, &retry), 0);
    assert_int_equal (retry, 2);
    assert_int_equal (weft_pool_retry (self->pool, 1, &retry), WEFT_ESTATE);
    assert_int_equal (retry, 2);
    weft_pool_finish (self->pool);
    event = live_await (self->pool, WEFT_POOL_DONE);
    assert_true (event.job == 2 && event.status == 1 && event.number == 9 && event.note_size == 4);
    assert_string_equal (event.command, "test -e mended");
    folder_write ("mended", "", 0600);
    assert_int_equal (weft_pool_retry (self->pool, 0, &retry), 0);      /*  finished, but not ended */
    assert_int_equal (retry, 1);
    event = live_await (self->pool, WEFT_POOL_DONE);
    assert_true (event.job == 3 && event.status == 0);
    assert_int_equal (weft_pool_retry (self->pool, 0, &retry), 0);
    assert_int_equal (retry, 0);
    assert_int_equal (live_finish (self, NULL, 0), 0);
    assert_int_equal (weft_pool_retry (self->pool, 1, NULL), WEFT_ESTATE);
}

#define POOL_TEST(name) cmocka_unit_test_setup_teardown (name, live_setup, live_teardown)

int
main (void)
{
    const struct CMUnitTest tests[] = {
        POOL_TEST (test_retries), POOL_TEST (test_not_started), POOL_TEST (test_script_without_interpreter),
        POOL_TEST (test_timeout), POOL_TEST (test_timeout_by_median), POOL_TEST (test_cancel_waiting),
        POOL_TEST (test_cancel_running), POOL_TEST (test_timeout_of_a_stopped_job), POOL_TEST (test_cancel_one),
        POOL_TEST (test_cancel_kept), POOL_TEST (test_cancel_every), POOL_TEST (test_retry),
    };
    return cmocka_run_group_tests_name ("pool_ends", tests, NULL, NULL);
}
