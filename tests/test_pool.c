/*  test_pool.c - a head and its workers, as threads, over every transport */

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "codec/pool_wire.h"
#include "tests/pool_live.h"
#include "tests/testing.h"

static void
run_many (struct live *self, const char *endpoint)
{
    enum { JOBS = 200 };
    unsigned char seen[JOBS + 1] = { 0 };
    live_bind (self, endpoint);
    live_worker (self, "2", NULL, NULL);
    live_worker (self, "1", NULL, NULL);
    live_await (self->pool, WEFT_POOL_JOINED);
    live_await (self->pool, WEFT_POOL_JOINED);
    for (int i = 0; i < JOBS; i++)
        live_submit (self, "true");
    assert_int_equal (live_finish (self, seen, JOBS), JOBS);
    live_join (self, 0);
    live_join (self, 1);
    assert_int_equal (self->agents[0].result, 0);
    assert_int_equal (self->agents[1].result, 0);
}

static void
test_inproc (void **state)
{
    run_many (*state, "inproc://pool");
}

static void
test_tcp (void **state)
{
    run_many (*state, "tcp://127.0.0.1:0");
}

static void
test_ipc (void **state)
{
    struct live *self = *state;
    run_many (self, live_ipc (self));
}

static void
test_events (void **state)
{
    struct live *self = *state;
    live_bind (self, "inproc://pool");
    uint64_t id = 0;
    char fifo[80], command[160];
    snprintf (fifo, sizeof fifo, "%s/f", self->dir);
    assert_int_equal (mkfifo (fifo, 0600), 0);
    snprintf (command, sizeof command, "read x < %s; cat; echo slot {%%} >&2; exit 3", fifo);
    const char *const argv[] = { "/bin/sh", "-c", command };
    weft_job_t job = { .argv = argv, .argc = 3, .input = "a\0b", .input_size = 3, .tag = 77, .slot_mark = "{%}" };
    assert_int_equal (weft_pool_submit (self->pool, &job, &id), 0);
    assert_int_equal (id, 1);
    live_worker (self, "1", "name", "w");

    weft_pool_event_t event = live_await (self->pool, WEFT_POOL_JOINED);
    assert_string_equal (event.worker, "w");
    assert_int_equal (event.slots, 1);
    event = live_await (self->pool, WEFT_POOL_STARTED);
    assert_int_equal (event.job, 1);
    assert_int_equal (event.tag, 77);
    assert_int_equal (event.slot, 1);
    assert_int_equal (event.attempt, 1);
    int fd = open (fifo, O_WRONLY);         /*  it is told of what runs for a while: this waits for us */
    assert_int_equal (write (fd, "\n", 1), 1);
    close (fd);
    event = live_await (self->pool, WEFT_POOL_OUTPUT);
    assert_int_equal (event.stream, 1);
    assert_int_equal (event.size, 3);
    assert_memory_equal (event.data, "a\0b", 3);
    event = live_await (self->pool, WEFT_POOL_OUTPUT);
    assert_int_equal (event.stream, 2);
    assert_memory_equal (event.data, "slot 1\n", 7);
    event = live_await (self->pool, WEFT_POOL_DONE);
    assert_int_equal (event.status, 3);
    assert_int_equal (event.reason, WEFT_JOB_EXITED);
    assert_int_equal (event.tag, 77);
    assert_int_equal (event.received_bytes, 10);
    assert_int_equal (event.sent_bytes, 3);
    assert_int_equal (live_finish (self, NULL, 0), 0);
}

/*  Takes what a sink has; counts what is done and how much was written. */
static int
take_from_sink (weft_sink_t *sink, int *done, size_t *bytes)
{
    weft_pool_event_t event;
    int rc;
    while ((rc = weft_sink_next (sink, &event, 0)) == 0) {
        assert_non_null (event.head);
        if (event.kind == WEFT_POOL_OUTPUT)
            *bytes += event.size;
        if (event.kind != WEFT_POOL_DONE)
            continue;
        ++*done;
        assert_string_equal (event.worker, "w");
        assert_string_equal (event.command, "echo 123");
        assert_int_equal (event.tag, 5);
    }
    return rc;
}

static void
run_with_sink (struct live *self, const char *sink_endpoint, const char *endpoint)
{
    enum { JOBS = 50 };
    weft_sink_t *sink = weft_sink_new (self->weft);
    assert_int_equal (weft_sink_bind (sink, sink_endpoint), 0);
    assert_int_equal (weft_pool_set (self->pool, "sink", weft_sink_endpoint (sink)), 0);
    live_bind (self, endpoint);
    live_worker (self, "2", "name", "w");
    for (int i = 0; i < JOBS; i++)
        assert_int_equal (weft_pool_submit (self->pool, &(weft_job_t) { .command = "echo 123", .tag = 5 }, NULL), 0);
    weft_pool_finish (self->pool);

    weft_pool_event_t event;
    weft_pollitem_t items[] = { { .self = self->pool, .events = WEFT_IN }, { .self = sink, .events = WEFT_IN } };
    int pool_rc = 0, sink_rc = 0, done = 0;
    size_t bytes = 0;
    while (pool_rc != WEFT_EEND || sink_rc != WEFT_EEND) {
        assert_true (weft_poll (items, 2, LIVE_PATIENCE) > 0);
        while ((pool_rc = weft_pool_next (self->pool, &event, 0)) == 0)
            ;
        assert_true (pool_rc == WEFT_EAGAIN || pool_rc == WEFT_EEND);
        sink_rc = take_from_sink (sink, &done, &bytes);
        assert_true (sink_rc == WEFT_EAGAIN || sink_rc == WEFT_EEND);
    }
    assert_int_equal (done, JOBS);
    assert_int_equal (bytes, 4 * JOBS);
    weft_sink_destroy (&sink);
}

static void
test_sink_tcp (void **state)
{
    run_with_sink (*state, "tcp://127.0.0.1:0", "tcp://127.0.0.1:0");
}

static void
test_sink_inproc (void **state)
{
    run_with_sink (*state, "inproc://sink", "inproc://pool");
}

static void
test_no_sink (void **state)
{
    struct live *self = *state;
    weft_pool_event_t event;
    assert_int_equal (weft_pool_set (self->pool, "sink", "tcp://127.0.0.1:9"), 0);
    assert_int_equal (weft_pool_set (self->pool, "sink-timeout", "50ms"), 0);
    live_bind (self, "inproc://pool");
    assert_int_equal (weft_pool_next (self->pool, &event, LIVE_PATIENCE), WEFT_ENOPEER);
}

/* --------------------------------------------------------------------- output */

static void
test_pause (void **state)
{
    struct live *self = *state;
    weft_pool_event_t event;
    weft_pool_stats_t stats;
    live_bind (self, "inproc://pool");
    assert_int_equal (weft_pool_pause (self->pool, true), 0);
    live_submit (self, "true");
    live_worker (self, "1", NULL, NULL);
    live_await (self->pool, WEFT_POOL_JOINED);
    assert_int_equal (weft_pool_next (self->pool, &event, 0), WEFT_EAGAIN);
    weft_pool_stats (self->pool, &stats);
    assert_int_equal (stats.running, 0);
    assert_int_equal (weft_pool_pause (self->pool, false), 0);
    weft_pool_finish (self->pool);
    assert_int_equal (live_await (self->pool, WEFT_POOL_DONE).reason, WEFT_JOB_EXITED);
}

static void
test_large_output (void **state)
{
    enum { SIZE = 20 << 20 };
    struct live *self = *state;
    weft_pool_event_t event;
    size_t size = 0;
    live_bind (self, "tcp://127.0.0.1:0");
    live_worker (self, "2", NULL, NULL);
    live_submit (self, "head -c 20971520 /dev/zero");
    live_submit (self, "yes & exit 0");                  /*  a writer that its parent leaves behind */
    for (int done = 0; done < 2; ) {
        assert_int_equal (weft_pool_next (self->pool, &event, LIVE_PATIENCE), 0);
        assert_true (event.size <= 65536);
        if (event.kind == WEFT_POOL_OUTPUT && event.job == 1)
            size += event.size;
        if (event.kind != WEFT_POOL_DONE)
            continue;
        done++;
        assert_int_equal (event.status, 0);
        if (event.job == 1)
            assert_int_equal (event.received_bytes, SIZE);
    }
    assert_int_equal (size, SIZE);
}

static void
test_stream (void **state)
{
    struct live *self = *state;
    char command[160];
    assert_int_equal (weft_pool_set (self->pool, "stream", "yes"), 0);
    live_bind (self, "inproc://pool");
    live_worker (self, "1", NULL, NULL);
    /*  The second line comes only after we have seen the first; half a line waits. */
    snprintf (command, sizeof command, "mkfifo %s/f; printf 'one\\ntw'; read x < %s/f; echo o", self->dir, self->dir);
    live_submit (self, command);
    weft_pool_event_t event = live_await (self->pool, WEFT_POOL_OUTPUT);
    assert_int_equal (event.size, 4);
    assert_memory_equal (event.data, "one\n", 4);
    snprintf (command, sizeof command, "echo > %s/f", self->dir);
    assert_int_equal (system (command), 0);
    event = live_await (self->pool, WEFT_POOL_OUTPUT);
    assert_memory_equal (event.data, "two\n", 4);
    live_await (self->pool, WEFT_POOL_DONE);
}

/* -------------------------------------------------------- workers that go away */

/*  This program as a worker: a process of its own that can be killed. */
static int
worker_main (const char *endpoint)
{
    weft_t *weft = weft_new ();
    weft_worker_t *worker = weft_worker_new (weft);
    if (weft_worker_set (worker, "slots", "2") || weft_worker_connect (worker, endpoint))
        return 1;
    int rc = weft_worker_run (worker);
    weft_worker_destroy (&worker);
    weft_destroy (&weft);
    return rc != 0;
}

static pid_t
spawn_worker (struct live *self)
{
    char *argv[] = { "test_pool", "worker", (char *) (uintptr_t) weft_pool_endpoint (self->pool), NULL };
    pid_t pid;
    assert_int_equal (posix_spawn (&pid, "/proc/self/exe", NULL, NULL, argv, environ), 0);
    return pid;
}

static void
kill_and_check (struct live *self, const char *endpoint)
{
    enum { JOBS = 20 };
    unsigned char seen[JOBS + 1] = { 0 };
    int status;
    live_bind (self, endpoint);
    pid_t pid = spawn_worker (self);
    live_submit (self, "test $WEFT_ATTEMPT -gt 1 || kill -9 $PPID");
    for (int i = 1; i < JOBS; i++)
        live_submit (self, "true");
    weft_pool_event_t event = live_await (self->pool, WEFT_POOL_LEFT);
    assert_int_equal (waitpid (pid, &status, 0), pid);
    assert_true (WIFSIGNALED (status));
    live_worker (self, "1", "name", "second");
    event = live_await (self->pool, WEFT_POOL_STARTED);
    assert_string_equal (event.worker, "second");
    int done = live_finish (self, seen, JOBS);
    weft_pool_stats_t stats;
    weft_pool_stats (self->pool, &stats);
    assert_int_equal (stats.done, JOBS);
    assert_true (done <= JOBS);
    assert_int_equal (stats.failed, 0);
    assert_int_equal (stats.lost_workers, 1);
}

static void
test_killed_over_tcp (void **state)
{
    kill_and_check (*state, "tcp://127.0.0.1:0");
}

static void
test_killed_over_ipc (void **state)
{
    struct live *self = *state;
    kill_and_check (self, live_ipc (self));
}

static void
test_poison (void **state)
{
    struct live *self = *state;
    int status;
    pid_t pid;
    assert_int_equal (weft_pool_set (self->pool, "crash-limit", "1"), 0);
    live_bind (self, "tcp://127.0.0.1:0");
    live_submit (self, "kill -9 $PPID");
    pid = spawn_worker (self);
    live_await (self->pool, WEFT_POOL_LEFT);
    assert_int_equal (waitpid (pid, &status, 0), pid);
    pid = spawn_worker (self);
    weft_pool_event_t event = live_await (self->pool, WEFT_POOL_DONE);
    assert_int_equal (event.reason, WEFT_JOB_LOST);
    assert_int_equal (event.attempt, 2);
    assert_int_equal (waitpid (pid, &status, 0), pid);
}

static void
test_stop_drains (void **state)
{
    struct live *self = *state;
    char command[128];
    live_bind (self, "inproc://pool");
    int first = live_worker (self, "1", "name", "first");
    snprintf (command, sizeof command, "mkfifo %s/f; read x < %s/f", self->dir, self->dir);
    live_submit (self, command);
    live_submit (self, "true");
    live_await (self->pool, WEFT_POOL_STARTED);
    weft_worker_stop (self->agents[first].worker);
    snprintf (command, sizeof command, "echo > %s/f", self->dir);
    assert_int_equal (system (command), 0);
    weft_pool_event_t event = live_await (self->pool, WEFT_POOL_DONE);
    assert_int_equal (event.job, 1);
    assert_int_equal (event.attempt, 1);
    live_await (self->pool, WEFT_POOL_LEFT);
    live_join (self, first);
    assert_int_equal (self->agents[first].result, WEFT_ETERM);
    live_worker (self, "1", "name", "second");
    event = live_await (self->pool, WEFT_POOL_DONE);
    assert_int_equal (event.job, 2);
    assert_string_equal (event.worker, "second");
}

static void
test_stop_twice (void **state)
{
    struct live *self = *state;
    live_bind (self, "inproc://pool");
    int first = live_worker (self, "1", NULL, NULL);
    live_submit (self, "test $WEFT_ATTEMPT -gt 1 || sleep 1000");
    live_await (self->pool, WEFT_POOL_STARTED);
    weft_worker_stop (self->agents[first].worker);
    weft_worker_stop (self->agents[first].worker);
    weft_pool_event_t event = live_await (self->pool, WEFT_POOL_RETRY);
    assert_int_equal (event.reason, WEFT_JOB_LOST);
    live_join (self, first);
    assert_int_equal (self->agents[first].result, WEFT_ETERM);
    live_worker (self, "1", NULL, NULL);
    assert_int_equal (live_await (self->pool, WEFT_POOL_DONE).attempt, 2);
}

static void
test_no_head (void **state)
{
    struct live *self = *state;
    weft_worker_t *worker = weft_worker_new (self->weft);
    assert_int_equal (weft_worker_run (worker), WEFT_ESTATE);
    assert_int_equal (weft_worker_set (worker, "connect-timeout", "30ms"), 0);
    assert_int_equal (weft_worker_connect (worker, "tcp://127.0.0.1:9"), 0);
    assert_int_equal (weft_worker_connect (worker, "tcp://127.0.0.1:9"), WEFT_ESTATE);
    assert_int_equal (weft_worker_run (worker), WEFT_ENOPEER);
    weft_worker_destroy (&worker);
}

static void
test_destroyed_pool_stops_jobs (void **state)
{
    struct live *self = *state;
    live_bind (self, "inproc://pool");
    int first = live_worker (self, "1", "grace", "0");
    live_submit (self, "sleep 1000");
    live_await (self->pool, WEFT_POOL_STARTED);
    weft_pool_destroy (&self->pool);
    live_join (self, first);
    assert_int_equal (self->agents[first].result, 0);
}

/* ------------------------------------------------------------------ bad input */

static void
test_bad_jobs (void **state)
{
    struct live *self = *state;
    const char *const argv[] = { "true" };
    char *huge = calloc (1, POOL_JOB_MAX + 2);
    memset (huge, 'a', POOL_JOB_MAX + 1);
    assert_int_equal (weft_pool_submit (self->pool, &(weft_job_t) { .input_size = 1 }, NULL), WEFT_EINVAL);
    assert_int_equal (weft_pool_submit (self->pool, &(weft_job_t) { .command = huge }, NULL), WEFT_ETOOBIG);
    assert_int_equal (weft_pool_submit (self->pool, &(weft_job_t){ .argv = argv, .argc = 100000 }, NULL), WEFT_ETOOBIG);
    assert_int_equal (weft_pool_submit (self->pool, &(weft_job_t){ .command = "true", .timeout = -1 }, NULL),
                      WEFT_EINVAL);
    huge[10 << 20] = 0;
    live_bind (self, "inproc://pool");
    live_worker (self, "1", NULL, NULL);
    live_submit (self, huge);                            /*  no program takes an argument of 10 MB */
    weft_pool_event_t event = live_await (self->pool, WEFT_POOL_DONE);
    assert_int_equal (event.reason, WEFT_JOB_NOT_STARTED);
    assert_int_equal (event.status, 126);
    weft_pool_finish (self->pool);
    assert_int_equal (weft_pool_submit (self->pool, &(weft_job_t) { .command = "true" }, NULL), WEFT_ESTATE);
    free (huge);
}

static void
test_options (void **state)
{
    struct live *self = *state;
    weft_pool_event_t event;
    assert_int_equal (weft_pool_set (self->pool, "nonsense", "1"), WEFT_EINVAL);
    assert_int_equal (weft_pool_set (self->pool, "retries", "-1"), WEFT_EINVAL);
    assert_int_equal (weft_pool_set (self->pool, "queue", "2"), 0);
    assert_int_equal (weft_pool_next (self->pool, &event, 0), WEFT_ESTATE);
    live_submit (self, "true");
    assert_int_equal (weft_pool_set (self->pool, "retries", "1"), WEFT_ESTATE);
    live_submit (self, "true");
    assert_int_equal (weft_pool_submit (self->pool, &(weft_job_t) { .command = "true" }, NULL), WEFT_EAGAIN);
    assert_int_equal (weft_pool_bind (self->pool, "tcp//x"), WEFT_EENDPOINT);
    live_bind (self, "inproc://pool");
    assert_int_equal (weft_pool_next (self->pool, &event, 0), WEFT_EAGAIN);
}

static void
test_slots_need_descriptors (void **state)
{
    struct live *self = *state;
    live_bind (self, "inproc://pool");
    weft_worker_t *worker = weft_worker_new (self->weft);
    assert_int_equal (weft_worker_set (worker, "slots", "4096"), 0);
    assert_int_equal (weft_worker_connect (worker, weft_pool_endpoint (self->pool)), 0);
    struct rlimit old, low = { 1024, 1024 };
    getrlimit (RLIMIT_NOFILE, &old);
    low.rlim_max = old.rlim_max;
    setrlimit (RLIMIT_NOFILE, &low);
    assert_int_equal (weft_worker_run (worker), WEFT_ELIMIT);
    setrlimit (RLIMIT_NOFILE, &old);
    weft_worker_destroy (&worker);
}

#define POOL_TEST(name) cmocka_unit_test_setup_teardown (name, live_setup, live_teardown)

int
main (int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        POOL_TEST (test_inproc), POOL_TEST (test_tcp), POOL_TEST (test_ipc), POOL_TEST (test_events),
        POOL_TEST (test_sink_tcp), POOL_TEST (test_sink_inproc), POOL_TEST (test_no_sink), POOL_TEST (test_pause),
        POOL_TEST (test_large_output), POOL_TEST (test_stream), POOL_TEST (test_killed_over_tcp),
        POOL_TEST (test_killed_over_ipc), POOL_TEST (test_poison), POOL_TEST (test_stop_drains),
        POOL_TEST (test_stop_twice), POOL_TEST (test_no_head), POOL_TEST (test_destroyed_pool_stops_jobs),
        POOL_TEST (test_bad_jobs), POOL_TEST (test_options), POOL_TEST (test_slots_need_descriptors),
    };
    if (argc == 3 && strcmp (argv[1], "worker") == 0)
        return worker_main (argv[2]);
    return cmocka_run_group_tests_name ("pool", tests, NULL, NULL);
}
