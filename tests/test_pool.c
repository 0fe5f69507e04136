/*  test_pool.c - a head and its workers, as threads, over every transport */

#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "codec/pool_wire.h"
#include "core/context.h"
#include "tests/folder.h"
#include "tests/testing.h"

#define WORKERS 4
#define PATIENCE 30000      /*  ms; only a failing test waits so long */

struct agent {
    weft_worker_t *worker;
    pthread_t thread;
    int result;
};

struct fixture {
    weft_t *weft;
    weft_pool_t *pool;
    struct agent agents[WORKERS];
    int count;
    char dir[FOLDER_SIZE];
};

static int
setup (void **state)
{
    struct fixture *self = calloc (1, sizeof *self);
    self->weft = weft_new ();
    self->pool = weft_pool_new (self->weft);
    assert_int_equal (folder_make (self->dir), 0);
    *state = self;
    return 0;
}

static void
join (struct fixture *self, int index)
{
    struct agent *agent = &self->agents[index];
    if (!agent->worker)
        return;
    pthread_join (agent->thread, NULL);
    weft_worker_destroy (&agent->worker);
}

static int
teardown (void **state)
{
    struct fixture *self = *state;
    weft_pool_destroy (&self->pool);
    for (int i = 0; i < self->count; i++)
        join (self, i);
    assert_int_equal (weft_destroy (&self->weft), 0);
    free (self);
    return folder_remove ();
}

static void *
run_worker (void *argument)
{
    struct agent *agent = argument;
    agent->result = weft_worker_run (agent->worker);
    return NULL;
}

/*  options: "name=value" strings, ended by NULL. */
static int
add_worker (struct fixture *self, const char *slots, const char *option, const char *value)
{
    struct agent *agent = &self->agents[self->count];
    agent->worker = weft_worker_new (self->weft);
    assert_int_equal (weft_worker_set (agent->worker, "slots", slots), 0);
    if (option)
        assert_int_equal (weft_worker_set (agent->worker, option, value), 0);
    assert_int_equal (weft_worker_connect (agent->worker, weft_pool_endpoint (self->pool)), 0);
    assert_int_equal (pthread_create (&agent->thread, NULL, run_worker, agent), 0);
    return self->count++;
}

static const char *
ipc_place (const struct fixture *self)
{
    static char endpoint[64];
    snprintf (endpoint, sizeof endpoint, "ipc://%s/pool", self->dir);
    return endpoint;
}

static void
bind_pool (struct fixture *self, const char *endpoint)
{
    if (weft_pool_bind (self->pool, endpoint))
        fail_msg ("%s", weft_error ());
}

static void
submit (struct fixture *self, const char *command)
{
    assert_int_equal (weft_pool_submit (self->pool, &(weft_job_t) { .command = command }, NULL), 0);
}

/*  The next event of that kind; others are passed over. */
static weft_pool_event_t
await (struct fixture *self, int kind)
{
    weft_pool_event_t event;
    do {
        if (weft_pool_next (self->pool, &event, PATIENCE))
            fail_msg ("%s", weft_error ());
    } while (event.kind != kind);
    return event;
}

/*  Finishes, and takes what is left: each job is done once. Returns the number done. */
static int
finish (struct fixture *self, unsigned char *seen, uint64_t jobs)
{
    weft_pool_event_t event;
    int rc, done = 0;
    weft_pool_finish (self->pool);
    while ((rc = weft_pool_next (self->pool, &event, PATIENCE)) == 0) {
        if (event.kind != WEFT_POOL_DONE)
            continue;
        done++;
        if (seen) {
            assert_in_range (event.job, 1, jobs);
            assert_int_equal (seen[event.job]++, 0);
        }
    }
    assert_int_equal (rc, WEFT_EEND);
    return done;
}

static void
run_many (struct fixture *self, const char *endpoint)
{
    enum { JOBS = 200 };
    unsigned char seen[JOBS + 1] = { 0 };
    bind_pool (self, endpoint);
    add_worker (self, "2", NULL, NULL);
    add_worker (self, "1", NULL, NULL);
    await (self, WEFT_POOL_JOINED);
    await (self, WEFT_POOL_JOINED);
    for (int i = 0; i < JOBS; i++)
        submit (self, "true");
    assert_int_equal (finish (self, seen, JOBS), JOBS);
    join (self, 0);
    join (self, 1);
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
    struct fixture *self = *state;
    run_many (self, ipc_place (self));
}

static void
test_events (void **state)
{
    struct fixture *self = *state;
    bind_pool (self, "inproc://pool");
    uint64_t id = 0;
    const char *const argv[] = { "/bin/sh", "-c", "cat; echo slot {%} >&2; exit 3" };
    weft_job_t job = { .argv = argv, .argc = 3, .input = "a\0b", .input_size = 3, .tag = 77, .slot_mark = "{%}" };
    assert_int_equal (weft_pool_submit (self->pool, &job, &id), 0);
    assert_int_equal (id, 1);
    add_worker (self, "1", "name", "w");

    weft_pool_event_t event = await (self, WEFT_POOL_JOINED);
    assert_string_equal (event.worker, "w");
    assert_int_equal (event.slots, 1);
    event = await (self, WEFT_POOL_STARTED);
    assert_int_equal (event.job, 1);
    assert_int_equal (event.tag, 77);
    assert_int_equal (event.slot, 1);
    assert_int_equal (event.attempt, 1);
    event = await (self, WEFT_POOL_OUTPUT);
    assert_int_equal (event.stream, 1);
    assert_int_equal (event.size, 3);
    assert_memory_equal (event.data, "a\0b", 3);
    event = await (self, WEFT_POOL_OUTPUT);
    assert_int_equal (event.stream, 2);
    assert_memory_equal (event.data, "slot 1\n", 7);
    event = await (self, WEFT_POOL_DONE);
    assert_int_equal (event.status, 3);
    assert_int_equal (event.reason, WEFT_JOB_EXITED);
    assert_int_equal (event.tag, 77);
    assert_int_equal (event.received_bytes, 10);
    assert_int_equal (event.sent_bytes, 3);
    assert_int_equal (finish (self, NULL, 0), 0);
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
run_with_sink (struct fixture *self, const char *sink_endpoint, const char *endpoint)
{
    enum { JOBS = 50 };
    weft_sink_t *sink = weft_sink_new (self->weft);
    assert_int_equal (weft_sink_bind (sink, sink_endpoint), 0);
    assert_int_equal (weft_pool_set (self->pool, "sink", weft_sink_endpoint (sink)), 0);
    bind_pool (self, endpoint);
    add_worker (self, "2", "name", "w");
    for (int i = 0; i < JOBS; i++)
        assert_int_equal (weft_pool_submit (self->pool, &(weft_job_t) { .command = "echo 123", .tag = 5 }, NULL), 0);
    weft_pool_finish (self->pool);

    weft_pool_event_t event;
    weft_pollitem_t items[] = { { .self = self->pool, .events = WEFT_IN }, { .self = sink, .events = WEFT_IN } };
    int pool_rc = 0, sink_rc = 0, done = 0;
    size_t bytes = 0;
    while (pool_rc != WEFT_EEND || sink_rc != WEFT_EEND) {
        assert_true (weft_poll (items, 2, PATIENCE) > 0);
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
    struct fixture *self = *state;
    weft_pool_event_t event;
    assert_int_equal (weft_pool_set (self->pool, "sink", "tcp://127.0.0.1:9"), 0);
    assert_int_equal (weft_pool_set (self->pool, "sink-timeout", "50ms"), 0);
    bind_pool (self, "inproc://pool");
    assert_int_equal (weft_pool_next (self->pool, &event, PATIENCE), WEFT_ENOPEER);
}

/* ------------------------------------------------------------ jobs that fail */

static void
test_retries (void **state)
{
    struct fixture *self = *state;
    assert_int_equal (weft_pool_set (self->pool, "retries", "2"), 0);
    bind_pool (self, "inproc://pool");
    add_worker (self, "1", NULL, NULL);
    submit (self, "test $WEFT_ATTEMPT -eq 3");
    weft_pool_event_t event = await (self, WEFT_POOL_RETRY);
    assert_int_equal (event.job, 1);
    assert_int_equal (event.attempt, 1);
    assert_int_equal (event.status, 1);
    event = await (self, WEFT_POOL_DONE);
    assert_int_equal (event.job, 1);
    assert_int_equal (event.attempt, 3);
    assert_int_equal (event.status, 0);
    submit (self, "exit 9");
    event = await (self, WEFT_POOL_DONE);
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
    struct fixture *self = *state;
    bind_pool (self, "inproc://pool");
    add_worker (self, "1", NULL, NULL);
    submit (self, "weft-no-such-program x");
    submit (self, "weft-no-such-program x;");
    submit (self, "/etc/passwd");
    weft_pool_event_t event = await (self, WEFT_POOL_DONE);
    assert_int_equal (event.reason, WEFT_JOB_NOT_STARTED);
    assert_int_equal (event.status, 127);
    assert_non_null (memmem (event.data, event.size, "weft-no-such-program", 20));
    event = await (self, WEFT_POOL_DONE);           /*  a shell says the same */
    assert_int_equal (event.reason, WEFT_JOB_EXITED);
    assert_int_equal (event.status, 127);
    event = await (self, WEFT_POOL_DONE);
    assert_int_equal (event.status, 126);
}

static void
test_script_without_interpreter (void **state)
{
    struct fixture *self = *state;
    char path[64];
    snprintf (path, sizeof path, "%s/script", self->dir);
    FILE *file = fopen (path, "w");
    fputs ("exit 7\n", file);
    fchmod (fileno (file), 0700);
    fclose (file);
    bind_pool (self, "inproc://pool");
    add_worker (self, "1", NULL, NULL);
    submit (self, path);
    assert_int_equal (await (self, WEFT_POOL_DONE).status, 7);
}

static void
test_timeout (void **state)
{
    struct fixture *self = *state;
    bind_pool (self, "inproc://pool");
    add_worker (self, "2", "grace", "10ms");
    weft_job_t job = { .command = "sleep 1000", .timeout = 20 };
    assert_int_equal (weft_pool_submit (self->pool, &job, NULL), 0);
    weft_pool_event_t event = await (self, WEFT_POOL_DONE);
    assert_int_equal (event.reason, WEFT_JOB_TIMEOUT);
    assert_int_equal (event.signal, SIGTERM);
    job.command = "trap '' TERM; while :; do sleep 1000; done";
    assert_int_equal (weft_pool_submit (self->pool, &job, NULL), 0);
    event = await (self, WEFT_POOL_DONE);
    assert_int_equal (event.reason, WEFT_JOB_TIMEOUT);
    assert_int_equal (event.signal, SIGKILL);
}

/*  A job that is stopped cannot end by SIGTERM, unless it is continued. */
/*  Three that are quick say how long the next may take. */
static void
test_timeout_by_median (void **state)
{
    struct fixture *self = *state;
    assert_int_equal (weft_pool_set (self->pool, "timeout-percent", "200"), 0);
    bind_pool (self, "inproc://pool");
    add_worker (self, "2", NULL, NULL);
    submit (self, "sleep 1000");
    for (int i = 0; i < 3; i++)
        submit (self, "true");
    for (int i = 0; i < 3; i++)
        assert_int_equal (await (self, WEFT_POOL_DONE).reason, WEFT_JOB_EXITED);
    weft_pool_event_t event = await (self, WEFT_POOL_DONE);
    assert_int_equal (event.job, 1);
    assert_int_equal (event.reason, WEFT_JOB_TIMEOUT);
    weft_pool_finish (self->pool);
}

static void
test_timeout_of_a_stopped_job (void **state)
{
    struct fixture *self = *state;
    bind_pool (self, "inproc://pool");
    add_worker (self, "1", "grace", "10s");
    weft_job_t job = { .command = "kill -STOP $$; exit 3", .timeout = 300 };
    assert_int_equal (weft_pool_submit (self->pool, &job, NULL), 0);
    weft_pool_event_t event = await (self, WEFT_POOL_DONE);
    assert_int_equal (event.reason, WEFT_JOB_TIMEOUT);
    assert_int_equal (event.signal, SIGTERM);
}

static void
cancel_and_check (struct fixture *self, bool running, int cancelled)
{
    weft_pool_event_t event;
    int rc, count = 0;
    bind_pool (self, "inproc://pool");
    for (int i = 0; i < 5; i++)
        submit (self, running ? "sleep 1000" : "test -e go || sleep 0.05");
    add_worker (self, "1", "dir", self->dir);
    await (self, WEFT_POOL_STARTED);
    assert_int_equal (weft_pool_cancel (self->pool, running), 0);
    weft_pool_finish (self->pool);
    while ((rc = weft_pool_next (self->pool, &event, PATIENCE)) == 0)
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
    struct fixture *self = *state;
    weft_pool_event_t event;
    int ends[4] = { 0 };
    bind_pool (self, "inproc://pool");
    submit (self, "sleep 1000");
    submit (self, "true");
    submit (self, "true");
    assert_int_equal (weft_pool_cancel_job (self->pool, 4, true), WEFT_EINVAL);
    assert_int_equal (weft_pool_cancel_job (self->pool, 2, false), 0);
    event = await (self, WEFT_POOL_DONE);
    assert_int_equal (event.job, 2);
    assert_int_equal (event.reason, WEFT_JOB_CANCELLED);
    assert_non_null (event.data);
    assert_int_equal (weft_pool_cancel_job (self->pool, 2, true), WEFT_EEND);
    add_worker (self, "1", NULL, NULL);
    await (self, WEFT_POOL_STARTED);
    assert_int_equal (weft_pool_cancel_job (self->pool, 1, false), WEFT_ESTATE);
    assert_int_equal (weft_pool_cancel_job (self->pool, 1, true), 0);
    for (int i = 0; i < 2; i++) {
        event = await (self, WEFT_POOL_DONE);
        ends[event.job] = event.reason;
    }
    assert_int_equal (ends[1], WEFT_JOB_CANCELLED);
    assert_int_equal (ends[3], WEFT_JOB_EXITED);
    assert_int_equal (finish (self, NULL, 0), 0);
}

/*  With a ledger that is an end: the next head has nothing to do. Most jobs are in the ledger alone. */
static void
test_cancel_kept (void **state)
{
    enum { JOBS = 40 };
    struct fixture *self = *state;
    weft_pool_event_t event;
    char path[64];
    unsigned char seen[JOBS + 1] = { 0 };
    int rc, run = 0;
    snprintf (path, sizeof path, "%s/ledger", self->dir);
    assert_int_equal (weft_pool_set (self->pool, "ledger", path), 0);
    assert_int_equal (weft_pool_set (self->pool, "queue", "4"), 0);
    bind_pool (self, "inproc://pool");
    for (int i = 0; i < JOBS; i++)
        submit (self, "true");
    for (uint64_t id = 30; id > 20; id--)
        assert_int_equal (weft_pool_cancel_job (self->pool, id, false), 0);
    assert_int_equal (weft_pool_cancel_job (self->pool, 25, false), 0);     /*  has not ended yet */
    assert_int_equal (weft_pool_cancel_job (self->pool, 3, false), 0);
    for (int i = 0; i < 5; i++)
        assert_int_equal (await (self, WEFT_POOL_DONE).reason, WEFT_JOB_CANCELLED);
    assert_int_equal (weft_pool_cancel_job (self->pool, 30, false), WEFT_EEND);
    add_worker (self, "2", NULL, NULL);
    weft_pool_finish (self->pool);
    while ((rc = weft_pool_next (self->pool, &event, PATIENCE)) == 0)
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
    struct fixture *self = *state;
    char path[64];
    unsigned char seen[JOBS + 1] = { 0 };
    snprintf (path, sizeof path, "%s/ledger", self->dir);
    for (int round = 0; round < 2; round++) {
        assert_int_equal (weft_pool_set (self->pool, "ledger", path), 0);
        assert_int_equal (weft_pool_set (self->pool, "resume", "yes"), 0);
        assert_int_equal (weft_pool_set (self->pool, "queue", "100"), 0);
        bind_pool (self, "inproc://pool");
        for (int i = 0; i < JOBS; i++)
            submit (self, "true");
        assert_int_equal (weft_pool_cancel_job (self->pool, 0, true), 0);
        assert_int_equal (finish (self, seen, JOBS), round ? 0 : JOBS);
        weft_pool_destroy (&self->pool);
        self->pool = weft_pool_new (self->weft);
    }
}

static void
test_retry (void **state)
{
    struct fixture *self = *state;
    weft_pool_event_t event;
    uint64_t retry;
    char path[64];
    assert_int_equal (weft_pool_retry (self->pool, 1, NULL), WEFT_ENOTSUP);
    weft_pool_destroy (&self->pool);
    self->pool = weft_pool_new (self->weft);
    snprintf (path, sizeof path, "%s/ledger", self->dir);
    assert_int_equal (weft_pool_set (self->pool, "ledger", path), 0);
    bind_pool (self, "inproc://pool");
    add_worker (self, "1", "dir", self->dir);
    weft_job_t job = { .command = "test -e mended", .note = "note", .note_size = 4, .number = 9 };
    assert_int_equal (weft_pool_submit (self->pool, &job, NULL), 0);
    assert_int_equal (weft_pool_retry (self->pool, 1, NULL), WEFT_ESTATE);
    assert_int_equal (weft_pool_retry (self->pool, 2, NULL), WEFT_EINVAL);
    assert_int_equal (await (self, WEFT_POOL_DONE).status, 1);
    assert_int_equal (weft_pool_retry (self->pool, 1, &retry), 0);
    assert_int_equal (retry, 2);
    assert_int_equal (weft_pool_retry (self->pool, 1, &retry), WEFT_ESTATE);
    assert_int_equal (retry, 2);
    weft_pool_finish (self->pool);
    event = await (self, WEFT_POOL_DONE);
    assert_true (event.job == 2 && event.status == 1 && event.number == 9 && event.note_size == 4);
    assert_string_equal (event.command, "test -e mended");
    folder_write ("mended", "", 0600);
    assert_int_equal (weft_pool_retry (self->pool, 0, &retry), 0);      /*  finished, but not ended */
    assert_int_equal (retry, 1);
    event = await (self, WEFT_POOL_DONE);
    assert_true (event.job == 3 && event.status == 0);
    assert_int_equal (weft_pool_retry (self->pool, 0, &retry), 0);
    assert_int_equal (retry, 0);
    assert_int_equal (finish (self, NULL, 0), 0);
    assert_int_equal (weft_pool_retry (self->pool, 1, NULL), WEFT_ESTATE);
}

/* --------------------------------------------------------------------- output */

static void
test_pause (void **state)
{
    struct fixture *self = *state;
    weft_pool_event_t event;
    weft_pool_stats_t stats;
    bind_pool (self, "inproc://pool");
    assert_int_equal (weft_pool_pause (self->pool, true), 0);
    submit (self, "true");
    add_worker (self, "1", NULL, NULL);
    await (self, WEFT_POOL_JOINED);
    assert_int_equal (weft_pool_next (self->pool, &event, 0), WEFT_EAGAIN);
    weft_pool_stats (self->pool, &stats);
    assert_int_equal (stats.running, 0);
    assert_int_equal (weft_pool_pause (self->pool, false), 0);
    weft_pool_finish (self->pool);
    assert_int_equal (await (self, WEFT_POOL_DONE).reason, WEFT_JOB_EXITED);
}

static void
test_large_output (void **state)
{
    enum { SIZE = 20 << 20 };
    struct fixture *self = *state;
    weft_pool_event_t event;
    size_t size = 0;
    bind_pool (self, "tcp://127.0.0.1:0");
    add_worker (self, "2", NULL, NULL);
    submit (self, "head -c 20971520 /dev/zero");
    submit (self, "yes & exit 0");                  /*  a writer that its parent leaves behind */
    for (int done = 0; done < 2; ) {
        assert_int_equal (weft_pool_next (self->pool, &event, PATIENCE), 0);
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
    struct fixture *self = *state;
    char command[160];
    assert_int_equal (weft_pool_set (self->pool, "stream", "yes"), 0);
    bind_pool (self, "inproc://pool");
    add_worker (self, "1", NULL, NULL);
    /*  The second line comes only after we have seen the first; half a line waits. */
    snprintf (command, sizeof command, "mkfifo %s/f; printf 'one\\ntw'; read x < %s/f; echo o", self->dir, self->dir);
    submit (self, command);
    weft_pool_event_t event = await (self, WEFT_POOL_OUTPUT);
    assert_int_equal (event.size, 4);
    assert_memory_equal (event.data, "one\n", 4);
    snprintf (command, sizeof command, "echo > %s/f", self->dir);
    assert_int_equal (system (command), 0);
    event = await (self, WEFT_POOL_OUTPUT);
    assert_memory_equal (event.data, "two\n", 4);
    await (self, WEFT_POOL_DONE);
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
spawn_worker (struct fixture *self)
{
    char *argv[] = { "test_pool", "worker", (char *) (uintptr_t) weft_pool_endpoint (self->pool), NULL };
    pid_t pid;
    assert_int_equal (posix_spawn (&pid, "/proc/self/exe", NULL, NULL, argv, environ), 0);
    return pid;
}

static void
kill_and_check (struct fixture *self, const char *endpoint)
{
    enum { JOBS = 20 };
    unsigned char seen[JOBS + 1] = { 0 };
    int status;
    bind_pool (self, endpoint);
    pid_t pid = spawn_worker (self);
    submit (self, "test $WEFT_ATTEMPT -gt 1 || kill -9 $PPID");
    for (int i = 1; i < JOBS; i++)
        submit (self, "true");
    weft_pool_event_t event = await (self, WEFT_POOL_LEFT);
    assert_int_equal (waitpid (pid, &status, 0), pid);
    assert_true (WIFSIGNALED (status));
    add_worker (self, "1", "name", "second");
    event = await (self, WEFT_POOL_STARTED);
    assert_string_equal (event.worker, "second");
    int done = finish (self, seen, JOBS);
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
    struct fixture *self = *state;
    kill_and_check (self, ipc_place (self));
}

static void
test_poison (void **state)
{
    struct fixture *self = *state;
    int status;
    pid_t pid;
    assert_int_equal (weft_pool_set (self->pool, "crash-limit", "1"), 0);
    bind_pool (self, "tcp://127.0.0.1:0");
    submit (self, "kill -9 $PPID");
    pid = spawn_worker (self);
    await (self, WEFT_POOL_LEFT);
    assert_int_equal (waitpid (pid, &status, 0), pid);
    pid = spawn_worker (self);
    weft_pool_event_t event = await (self, WEFT_POOL_DONE);
    assert_int_equal (event.reason, WEFT_JOB_LOST);
    assert_int_equal (event.attempt, 2);
    assert_int_equal (waitpid (pid, &status, 0), pid);
}

static void
test_stop_drains (void **state)
{
    struct fixture *self = *state;
    char command[128];
    bind_pool (self, "inproc://pool");
    int first = add_worker (self, "1", "name", "first");
    snprintf (command, sizeof command, "mkfifo %s/f; read x < %s/f", self->dir, self->dir);
    submit (self, command);
    submit (self, "true");
    await (self, WEFT_POOL_STARTED);
    weft_worker_stop (self->agents[first].worker);
    snprintf (command, sizeof command, "echo > %s/f", self->dir);
    assert_int_equal (system (command), 0);
    weft_pool_event_t event = await (self, WEFT_POOL_DONE);
    assert_int_equal (event.job, 1);
    assert_int_equal (event.attempt, 1);
    await (self, WEFT_POOL_LEFT);
    join (self, first);
    assert_int_equal (self->agents[first].result, WEFT_ETERM);
    add_worker (self, "1", "name", "second");
    event = await (self, WEFT_POOL_DONE);
    assert_int_equal (event.job, 2);
    assert_string_equal (event.worker, "second");
}

static void
test_stop_twice (void **state)
{
    struct fixture *self = *state;
    bind_pool (self, "inproc://pool");
    int first = add_worker (self, "1", NULL, NULL);
    submit (self, "test $WEFT_ATTEMPT -gt 1 || sleep 1000");
    await (self, WEFT_POOL_STARTED);
    weft_worker_stop (self->agents[first].worker);
    weft_worker_stop (self->agents[first].worker);
    weft_pool_event_t event = await (self, WEFT_POOL_RETRY);
    assert_int_equal (event.reason, WEFT_JOB_LOST);
    join (self, first);
    assert_int_equal (self->agents[first].result, WEFT_ETERM);
    add_worker (self, "1", NULL, NULL);
    assert_int_equal (await (self, WEFT_POOL_DONE).attempt, 2);
}

static void
test_no_head (void **state)
{
    struct fixture *self = *state;
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
    struct fixture *self = *state;
    bind_pool (self, "inproc://pool");
    int first = add_worker (self, "1", "grace", "0");
    submit (self, "sleep 1000");
    await (self, WEFT_POOL_STARTED);
    weft_pool_destroy (&self->pool);
    join (self, first);
    assert_int_equal (self->agents[first].result, 0);
}

/* ------------------------------------------------------------------- strangers */

static struct wire *
stranger_connect (struct fixture *self)
{
    struct wire_options options;
    struct wire *wire;
    wire_options_init (&options);
    assert_int_equal (context_open (self->weft, WIRE_DEALER, &options, &wire), 0);
    assert_int_equal (attach_wire (wire, weft_pool_endpoint (self->pool), ENDPOINT_CONNECT), 0);
    return wire;
}

static void
stranger_say (struct wire *wire, const void *data, size_t size)
{
    weft_msg_t msg;
    weft_msg_init (&msg);
    assert_int_equal (weft_msg_add (&msg, data, size), 0);
    assert_int_equal (wire_send (wire, &msg, PATIENCE * TIME_MS), 0);
}

/*  What the head answers, which runs in the same thread. */
static enum pool_verb
stranger_hear (struct fixture *self, struct wire *wire, weft_msg_t *msg, struct pool_message *message)
{
    weft_pool_event_t event;
    int rc;
    for (int i = 0; i < PATIENCE; i++) {
        rc = weft_pool_next (self->pool, &event, 1);
        assert_true (rc == 0 || rc == WEFT_ETIMEOUT);
        if (wire_recv (wire, msg, 0) == 0) {
            assert_int_equal (pool_decode (message, weft_msg_data (msg, 0), weft_msg_size (msg, 0)), 0);
            return message->verb;
        }
    }
    fail_msg ("the head does not answer");
    return 0;
}

static void
test_malformed (void **state)
{
    struct fixture *self = *state;
    struct pool_message message;
    struct buffer body;
    weft_pool_stats_t stats;
    weft_msg_t msg;
    weft_msg_init (&msg);
    buffer_init (&body, 0);
    bind_pool (self, "tcp://127.0.0.1:0");
    struct wire *wire = stranger_connect (self);
    stranger_say (wire, "", 0);
    stranger_say (wire, "\xdf\x0a\xff\xff\xff", 5);
    stranger_say (wire, "hello", 5);
    assert_int_equal (pool_put_heartbeat (&body, 1, 0, 0), 0);
    stranger_say (wire, buffer_data (&body), buffer_size (&body));
    assert_int_equal (stranger_hear (self, wire, &msg, &message), POOL_UNKNOWN);
    weft_pool_stats (self->pool, &stats);
    assert_int_equal (stats.refused, 3);
    submit (self, "true");
    add_worker (self, "1", NULL, NULL);
    await (self, WEFT_POOL_DONE);
    weft_msg_clear (&msg);
    buffer_free (&body);
    context_close (self->weft, &wire);
}

static void
test_other_version (void **state)
{
    struct fixture *self = *state;
    struct pool_hello hello = {
        .version = POOL_VERSION + 1, .role = POOL_ROLE_WORKER, .session = 1, .next = 1, .slots = 1
    };
    struct pool_message message;
    struct buffer body;
    weft_msg_t msg;
    weft_msg_init (&msg);
    buffer_init (&body, 0);
    bind_pool (self, "tcp://127.0.0.1:0");
    struct wire *wire = stranger_connect (self);
    assert_int_equal (pool_put_hello (&body, &hello), 0);
    stranger_say (wire, buffer_data (&body), buffer_size (&body));
    assert_int_equal (stranger_hear (self, wire, &msg, &message), POOL_REFUSED);
    assert_non_null (memmem (message.text.data, message.text.size, "version 3", 9));
    weft_msg_clear (&msg);
    buffer_free (&body);
    context_close (self->weft, &wire);
}

/*  A worker that joins properly and then lies: it is thrown out, and its job runs elsewhere. */
static void
test_liar (void **state)
{
    struct fixture *self = *state;
    struct pool_hello hello = { .version = POOL_VERSION, .role = POOL_ROLE_WORKER, .session = 1, .next = 1, .slots = 1,
                                .window = 1, .name = { "liar", 4 } };
    struct pool_message message;
    struct buffer body;
    weft_msg_t msg;
    weft_msg_init (&msg);
    buffer_init (&body, 0);
    bind_pool (self, "tcp://127.0.0.1:0");
    submit (self, "true");
    struct wire *wire = stranger_connect (self);
    assert_int_equal (pool_put_hello (&body, &hello), 0);
    stranger_say (wire, buffer_data (&body), buffer_size (&body));
    assert_int_equal (stranger_hear (self, wire, &msg, &message), POOL_WELCOME);
    assert_int_equal (stranger_hear (self, wire, &msg, &message), POOL_JOBS);
    buffer_clear (&body);
    assert_int_equal (pool_put_report (&body, 1, 1, 2), 0);
    assert_int_equal (pool_put_record (&body, &(struct pool_record){ .kind = WEFT_POOL_DONE, .job = 99, .attempt = 1 }),
                      0);
    assert_int_equal (pool_put_record (&body, &(struct pool_record) { .kind = WEFT_POOL_LEFT }), 0);
    stranger_say (wire, buffer_data (&body), buffer_size (&body));
    weft_pool_event_t event = await (self, WEFT_POOL_LEFT);
    assert_string_equal (event.worker, "liar");
    add_worker (self, "1", NULL, NULL);
    event = await (self, WEFT_POOL_DONE);
    assert_int_equal (event.job, 1);
    assert_int_equal (event.attempt, 2);
    weft_msg_clear (&msg);
    buffer_free (&body);
    context_close (self->weft, &wire);
}

/*  What a worker has that is not the head's, any more, it is told to stop. */
static void
test_a_job_that_is_not_ours (void **state)
{
    struct fixture *self = *state;
    struct pool_hello hello = { .version = POOL_VERSION, .role = POOL_ROLE_WORKER, .session = 1, .next = 1, .slots = 1,
                                .name = { "w", 1 } };
    struct pool_message message;
    struct buffer body;
    char pool[POOL_ID];
    uint64_t id;
    int64_t attempt;
    weft_msg_t msg;
    weft_msg_init (&msg);
    buffer_init (&body, 0);
    bind_pool (self, "tcp://127.0.0.1:0");
    struct wire *wire = stranger_connect (self);
    assert_int_equal (pool_put_hello (&body, &hello), 0);
    stranger_say (wire, buffer_data (&body), buffer_size (&body));
    assert_int_equal (stranger_hear (self, wire, &msg, &message), POOL_WELCOME);
    assert_int_equal (message.welcome.pool.size, POOL_ID);
    memcpy (pool, message.welcome.pool.data, POOL_ID);
    hello.pool = (struct pool_bytes) { pool, POOL_ID };
    hello.session = 2;
    hello.held = 1;
    buffer_clear (&body);
    assert_int_equal (pool_put_hello (&body, &hello), 0);
    assert_int_equal (pool_put_held (&body, 99, 3, true), 0);
    stranger_say (wire, buffer_data (&body), buffer_size (&body));
    assert_int_equal (stranger_hear (self, wire, &msg, &message), POOL_WELCOME);
    for (int i = 0; i < 3 && message.verb != POOL_CANCEL; i++)     /*  an ACK, perhaps a HEARTBEAT, may come before */
        stranger_hear (self, wire, &msg, &message);
    assert_int_equal (message.verb, POOL_CANCEL);
    assert_true (message.running && message.session == 2 && message.number == 1);
    assert_int_equal (pool_next_cancelled (&message, &id, &attempt), 1);
    assert_true (id == 99 && attempt == 3);
    weft_msg_clear (&msg);
    buffer_free (&body);
    context_close (self->weft, &wire);
}

/*  A worker that has not heard of it hears of it when it comes back. */
static void
test_cancel_is_said_again (void **state)
{
    struct fixture *self = *state;
    struct pool_hello hello = { .version = POOL_VERSION, .role = POOL_ROLE_WORKER, .session = 1, .next = 1, .slots = 1,
                                .window = 1, .name = { "w", 1 } };
    struct pool_message message;
    struct buffer body;
    char pool[POOL_ID];
    uint64_t id;
    int64_t attempt;
    weft_msg_t msg;
    weft_msg_init (&msg);
    buffer_init (&body, 0);
    bind_pool (self, "tcp://127.0.0.1:0");
    submit (self, "true");
    struct wire *wire = stranger_connect (self);
    assert_int_equal (pool_put_hello (&body, &hello), 0);
    stranger_say (wire, buffer_data (&body), buffer_size (&body));
    assert_int_equal (stranger_hear (self, wire, &msg, &message), POOL_WELCOME);
    memcpy (pool, message.welcome.pool.data, POOL_ID);
    assert_int_equal (stranger_hear (self, wire, &msg, &message), POOL_JOBS);
    assert_int_equal (weft_pool_cancel_job (self->pool, 1, true), 0);
    hello.pool = (struct pool_bytes) { pool, POOL_ID };
    hello.session = 2;
    hello.held = 1;
    buffer_clear (&body);
    assert_int_equal (pool_put_hello (&body, &hello), 0);
    assert_int_equal (pool_put_held (&body, 1, 1, true), 0);
    stranger_say (wire, buffer_data (&body), buffer_size (&body));
    for (int i = 0; i < 6 && !(message.verb == POOL_CANCEL && message.session == 2); i++)
        stranger_hear (self, wire, &msg, &message);
    assert_int_equal (message.verb, POOL_CANCEL);
    assert_true (message.running && message.session == 2 && message.number == 1);
    assert_int_equal (pool_next_cancelled (&message, &id, &attempt), 1);
    assert_true (id == 1 && attempt == 1);
    weft_msg_clear (&msg);
    buffer_free (&body);
    context_close (self->weft, &wire);
}

/* ------------------------------------------------------------------ bad input */

static void
test_bad_jobs (void **state)
{
    struct fixture *self = *state;
    const char *const argv[] = { "true" };
    char *huge = calloc (1, POOL_JOB_MAX + 2);
    memset (huge, 'a', POOL_JOB_MAX + 1);
    assert_int_equal (weft_pool_submit (self->pool, &(weft_job_t) { .input_size = 1 }, NULL), WEFT_EINVAL);
    assert_int_equal (weft_pool_submit (self->pool, &(weft_job_t) { .command = huge }, NULL), WEFT_ETOOBIG);
    assert_int_equal (weft_pool_submit (self->pool, &(weft_job_t){ .argv = argv, .argc = 100000 }, NULL), WEFT_ETOOBIG);
    assert_int_equal (weft_pool_submit (self->pool, &(weft_job_t){ .command = "true", .timeout = -1 }, NULL),
                      WEFT_EINVAL);
    huge[10 << 20] = 0;
    bind_pool (self, "inproc://pool");
    add_worker (self, "1", NULL, NULL);
    submit (self, huge);                            /*  no program takes an argument of 10 MB */
    weft_pool_event_t event = await (self, WEFT_POOL_DONE);
    assert_int_equal (event.reason, WEFT_JOB_NOT_STARTED);
    assert_int_equal (event.status, 126);
    weft_pool_finish (self->pool);
    assert_int_equal (weft_pool_submit (self->pool, &(weft_job_t) { .command = "true" }, NULL), WEFT_ESTATE);
    free (huge);
}

static void
test_options (void **state)
{
    struct fixture *self = *state;
    weft_pool_event_t event;
    assert_int_equal (weft_pool_set (self->pool, "nonsense", "1"), WEFT_EINVAL);
    assert_int_equal (weft_pool_set (self->pool, "retries", "-1"), WEFT_EINVAL);
    assert_int_equal (weft_pool_set (self->pool, "queue", "2"), 0);
    assert_int_equal (weft_pool_next (self->pool, &event, 0), WEFT_ESTATE);
    submit (self, "true");
    assert_int_equal (weft_pool_set (self->pool, "retries", "1"), WEFT_ESTATE);
    submit (self, "true");
    assert_int_equal (weft_pool_submit (self->pool, &(weft_job_t) { .command = "true" }, NULL), WEFT_EAGAIN);
    assert_int_equal (weft_pool_bind (self->pool, "tcp//x"), WEFT_EENDPOINT);
    bind_pool (self, "inproc://pool");
    assert_int_equal (weft_pool_next (self->pool, &event, 0), WEFT_EAGAIN);
}

static void
test_slots_need_descriptors (void **state)
{
    struct fixture *self = *state;
    bind_pool (self, "inproc://pool");
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

#define POOL_TEST(name) cmocka_unit_test_setup_teardown (name, setup, teardown)

int
main (int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        POOL_TEST (test_inproc), POOL_TEST (test_tcp), POOL_TEST (test_ipc), POOL_TEST (test_events),
        POOL_TEST (test_sink_tcp), POOL_TEST (test_sink_inproc), POOL_TEST (test_no_sink),
        POOL_TEST (test_retries), POOL_TEST (test_not_started), POOL_TEST (test_script_without_interpreter),
        POOL_TEST (test_timeout), POOL_TEST (test_timeout_by_median),
        POOL_TEST (test_cancel_waiting), POOL_TEST (test_cancel_running),
        POOL_TEST (test_pause),
        POOL_TEST (test_timeout_of_a_stopped_job), POOL_TEST (test_cancel_waiting), POOL_TEST (test_cancel_running),
        POOL_TEST (test_cancel_one), POOL_TEST (test_cancel_kept), POOL_TEST (test_cancel_every),
        POOL_TEST (test_retry),
        POOL_TEST (test_large_output), POOL_TEST (test_stream),
        POOL_TEST (test_killed_over_tcp), POOL_TEST (test_killed_over_ipc), POOL_TEST (test_poison),
        POOL_TEST (test_stop_drains), POOL_TEST (test_stop_twice), POOL_TEST (test_no_head),
        POOL_TEST (test_destroyed_pool_stops_jobs),
        POOL_TEST (test_malformed), POOL_TEST (test_other_version), POOL_TEST (test_liar),
        POOL_TEST (test_a_job_that_is_not_ours), POOL_TEST (test_cancel_is_said_again),
        POOL_TEST (test_bad_jobs), POOL_TEST (test_options), POOL_TEST (test_slots_need_descriptors),
    };
    if (argc == 3 && strcmp (argv[1], "worker") == 0)
        return worker_main (argv[2]);
    return cmocka_run_group_tests (tests, NULL, NULL);
}
