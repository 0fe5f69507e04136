/*  test_pool.c - a head and its workers, as threads, over every transport */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "weft.h"

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
    char dir[32];
};

static int
setup (void **state)
{
    struct fixture *self = calloc (1, sizeof *self);
    self->weft = weft_new ();
    self->pool = weft_pool_new (self->weft);
    strcpy (self->dir, "/tmp/weft-pool-XXXXXX");
    assert_non_null (mkdtemp (self->dir));
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
    char command[64];
    weft_pool_destroy (&self->pool);
    for (int i = 0; i < self->count; i++)
        join (self, i);
    assert_int_equal (weft_destroy (&self->weft), 0);
    snprintf (command, sizeof command, "rm -rf %s", self->dir);
    assert_int_equal (system (command), 0);
    free (self);
    return 0;
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
    char endpoint[64];
    snprintf (endpoint, sizeof endpoint, "ipc://%s/pool", self->dir);
    run_many (self, endpoint);
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

int
main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown (test_inproc, setup, teardown),
        cmocka_unit_test_setup_teardown (test_tcp, setup, teardown),
        cmocka_unit_test_setup_teardown (test_ipc, setup, teardown),
        cmocka_unit_test_setup_teardown (test_events, setup, teardown),
        cmocka_unit_test_setup_teardown (test_sink_tcp, setup, teardown),
        cmocka_unit_test_setup_teardown (test_sink_inproc, setup, teardown),
        cmocka_unit_test_setup_teardown (test_no_sink, setup, teardown),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
