/*  test_pool_tasks.c - messages as jobs: for a worker's function on its threads, for commands, and for nobody */

#include "patterns/pool_tasks.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "tests/pool_live.h"
#include "tests/testing.h"

#ifdef __SANITIZE_THREAD__
#define PROCESSES 0         /*  starting one confuses it: clone with CLONE_VM is a fork to it */
#else
#define PROCESSES 1
#endif

/*  What the function of a test shares with it. */
struct bench {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int calls, under_way, most;
    bool open;              /*  the gate that gated waits for */
    unsigned char slots[4];
    int stopped;
};

struct fixture {
    weft_t *weft;
    weft_pool_t *pool;
    weft_worker_t *worker;
    pthread_t thread;
    bool runs;
    int result;
    struct bench bench;
    char dir[FOLDER_SIZE];
};

static int
setup (void **state)
{
    struct fixture *self = calloc (1, sizeof *self);
    pthread_mutex_init (&self->bench.lock, NULL);
    pthread_cond_init (&self->bench.changed, NULL);
    self->weft = weft_new ();
    self->pool = weft_pool_new (self->weft);
    self->worker = weft_worker_new (self->weft);
    assert_int_equal (folder_make (self->dir), 0);
    *state = self;
    return 0;
}

static void
join (struct fixture *self)
{
    if (self->runs)
        pthread_join (self->thread, NULL);
    self->runs = false;
}

static int
teardown (void **state)
{
    struct fixture *self = *state;
    weft_pool_destroy (&self->pool);
    join (self);
    weft_worker_destroy (&self->worker);
    assert_int_equal (weft_destroy (&self->weft), 0);
    free (self);
    return folder_remove ();
}

static void *
run_worker (void *arg)
{
    struct fixture *self = arg;
    self->result = weft_worker_run (self->worker);
    return NULL;
}

static void
begin (struct fixture *self, const char *slots, weft_work_fn *fn)
{
    if (!*weft_pool_endpoint (self->pool))
        assert_int_equal (weft_pool_bind (self->pool, "inproc://tasks"), 0);
    assert_int_equal (weft_worker_set (self->worker, "slots", slots), 0);
    assert_int_equal (weft_worker_on_message (self->worker, fn, &self->bench), 0);
    assert_int_equal (weft_worker_connect (self->worker, weft_pool_endpoint (self->pool)), 0);
    assert_int_equal (pthread_create (&self->thread, NULL, run_worker, self), 0);
    self->runs = true;
}

static uint64_t
submit (struct fixture *self, const void *data, size_t size)
{
    uint64_t id;
    assert_int_equal (weft_pool_submit (self->pool, &(weft_job_t){ .input = data, .input_size = size }, &id), 0);
    return id;
}

/* ------------------------------------------------------------------- functions */

static void
enter (struct bench *self, weft_task_t *task)
{
    pthread_mutex_lock (&self->lock);
    self->calls++;
    if (++self->under_way > self->most)
        self->most = self->under_way;
    self->slots[weft_task_slot (task) - 1]++;
    pthread_cond_broadcast (&self->changed);
}

static void
exit_call (struct bench *self)
{
    self->under_way--;
    pthread_mutex_unlock (&self->lock);
}

/*  Gives back what it got, and its last byte as the status. */
static int
echo (void *arg, weft_task_t *task)
{
    size_t size = weft_task_size (task);
    enter (arg, task);
    exit_call (arg);
    assert_true (weft_task_job (task) > 0 && weft_task_attempt (task) >= 1 && !weft_task_stopped (task));
    assert_int_equal (weft_task_write (task, 1, weft_task_data (task), size), 0);
    assert_int_equal (weft_task_write (task, 3, "x", 1), WEFT_EINVAL);
    return size ? ((const unsigned char *) weft_task_data (task))[size - 1] : 0;
}

/*  Waits until the gate is open. */
static int
gated (void *arg, weft_task_t *task)
{
    struct bench *self = arg;
    enter (self, task);
    while (!self->open)
        pthread_cond_wait (&self->changed, &self->lock);
    exit_call (self);
    return 0;
}

static void
open_gate (struct bench *self, bool open)
{
    pthread_mutex_lock (&self->lock);
    self->open = open;
    pthread_cond_broadcast (&self->changed);
    pthread_mutex_unlock (&self->lock);
}

/*  Waits until it is stopped, and then for the gate. */
static int
patient (void *arg, weft_task_t *task)
{
    struct bench *self = arg;
    struct pollfd fd = { .fd = weft_task_fd (task), .events = POLLIN };
    assert_true (fd.fd >= 0);
    assert_int_equal (poll (&fd, 1, LIVE_PATIENCE), 1);
    assert_true (weft_task_stopped (task));
    assert_int_equal (weft_task_write (task, 1, "x", 1), WEFT_ETERM);
    enter (self, task);
    self->stopped++;
    while (!self->open)
        pthread_cond_wait (&self->changed, &self->lock);
    exit_call (self);
    return 0;
}

static int
count_calls (struct bench *self, int most)
{
    pthread_mutex_lock (&self->lock);
    int calls = self->calls;
    assert_true (self->most <= most);
    pthread_mutex_unlock (&self->lock);
    return calls;
}

/*  As patient, when the message is "wait"; else returns at once. */
static int
patient_or_not (void *arg, weft_task_t *task)
{
    return weft_task_size (task) == 4 ? patient (arg, task) : 0;
}

static int
fails_at_first (void *arg, weft_task_t *task)
{
    (void) arg;
    return weft_task_attempt (task) == 1;
}

static int
cannot (void *arg, weft_task_t *task)
{
    weft_task_write (task, 3, arg, 0);          /*  leaves words */
    return -1;
}

static int
writes_much (void *arg, weft_task_t *task)
{
    static const char block[100000];
    (void) arg;
    for (int i = 0; i < 300; i++)
        assert_int_equal (weft_task_write (task, 1 + i % 2, block, sizeof block), 0);
    return 0;
}

/* ----------------------------------------------------------------------- tests */

static void
test_echo (void **state)
{
    struct fixture *self = *state;
    begin (self, "3", echo);
    submit (self, "a\0b\x07", 4);
    weft_pool_event_t event = live_await (self->pool, WEFT_POOL_OUTPUT);
    assert_int_equal (event.size, 4);
    assert_memory_equal (event.data, "a\0b\x07", 4);
    assert_int_equal (event.stream, 1);
    event = live_await (self->pool, WEFT_POOL_DONE);
    assert_int_equal (event.status, 7);
    assert_int_equal (event.reason, WEFT_JOB_EXITED);
    assert_true (event.sent_bytes == 4 && event.received_bytes == 4 && event.runtime >= 0);
    assert_true (event.started > INT64_C (1600000000) * 1000000 && event.slot >= 1 && event.slot <= 3);
    submit (self, NULL, 0);
    event = live_await (self->pool, WEFT_POOL_DONE);
    assert_true (event.status == 0 && event.received_bytes == 0 && event.reason == WEFT_JOB_EXITED);
}

/*  Each ends once, in no more slots than there are. */
static void
test_many (void **state)
{
    enum { JOBS = 20000 };
    struct fixture *self = *state;
    static unsigned char seen[JOBS + 1];
    weft_pool_event_t event;
    int rc, given = 0;
    begin (self, "4", echo);
    do {
        char text[16] = "";
        snprintf (text, sizeof text, "%d", given);      /*  with its NUL: the status */
        while (given < JOBS && weft_pool_submit (self->pool, &(weft_job_t){ .input = text, .input_size = sizeof text },
                                                 NULL) == 0)
            snprintf (text, sizeof text, "%d", ++given);
        if (given == JOBS)
            weft_pool_finish (self->pool);
        rc = weft_pool_next (self->pool, &event, LIVE_PATIENCE);
        if (rc == 0 && event.kind == WEFT_POOL_DONE) {
            assert_int_equal (event.status + event.reason + seen[event.job], 0);
            assert_int_equal (event.received_bytes, sizeof text);
            seen[event.job]++;
        }
    } while (rc == 0);
    assert_int_equal (rc, WEFT_EEND);
    for (int i = 1; i <= JOBS; i++)
        assert_int_equal (seen[i], 1);
    join (self);
    assert_int_equal (self->result, 0);
    assert_int_equal (self->bench.calls, JOBS);
    assert_true (self->bench.most <= 4);
}

/*  A call that takes long is told of, holds up nobody, and both slots are used. */
static void
test_long_call (void **state)
{
    struct fixture *self = *state;
    begin (self, "2", gated);
    submit (self, "a", 1);
    weft_pool_event_t event = live_await (self->pool, WEFT_POOL_STARTED);
    int slot = event.slot;
    submit (self, "b", 1);
    event = live_await (self->pool, WEFT_POOL_STARTED);
    assert_int_equal (event.job, 2);
    assert_int_not_equal (event.slot, slot);
    open_gate (&self->bench, true);
    live_await (self->pool, WEFT_POOL_DONE);
    live_await (self->pool, WEFT_POOL_DONE);
}

static void
test_timeout (void **state)
{
    struct fixture *self = *state;
    begin (self, "1", patient_or_not);
    weft_job_t job = { .input = "wait", .input_size = 4, .timeout = 20 };
    assert_int_equal (weft_pool_submit (self->pool, &job, NULL), 0);
    open_gate (&self->bench, true);
    weft_pool_event_t event = live_await (self->pool, WEFT_POOL_DONE);
    assert_int_equal (event.reason, WEFT_JOB_TIMEOUT);
    assert_true (event.runtime >= 20000);
    /*  The thread works for the next one as if nothing had been. */
    job.input_size = 3;
    assert_int_equal (weft_pool_submit (self->pool, &job, NULL), 0);
    event = live_await (self->pool, WEFT_POOL_DONE);
    assert_int_equal (event.reason, WEFT_JOB_EXITED);
}

static void
test_cancel (void **state)
{
    struct fixture *self = *state;
    int seen[4] = { 0 };
    begin (self, "1", patient);
    submit (self, "a", 1);
    live_await (self->pool, WEFT_POOL_STARTED);
    submit (self, "b", 1);
    submit (self, "c", 1);
    open_gate (&self->bench, true);
    assert_int_equal (weft_pool_cancel (self->pool, true), 0);
    for (int i = 0; i < 3; i++) {
        weft_pool_event_t event = live_await (self->pool, WEFT_POOL_DONE);
        assert_int_equal (event.reason, WEFT_JOB_CANCELLED);
        seen[event.job]++;
    }
    assert_true (seen[1] == 1 && seen[2] == 1 && seen[3] == 1);
    assert_int_equal (count_calls (&self->bench, 1), 1);
}

/*  One that was tried before is told to begin before it does. */
static void
test_second_attempt (void **state)
{
    struct fixture *self = *state;
    assert_int_equal (weft_pool_set (self->pool, "retries", "1"), 0);
    begin (self, "1", fails_at_first);
    submit (self, "x", 1);
    assert_int_equal (live_await (self->pool, WEFT_POOL_RETRY).status, 1);
    weft_pool_event_t event = live_await (self->pool, WEFT_POOL_STARTED);
    assert_int_equal (event.attempt, 2);
    assert_int_equal (event.slot, 1);
    event = live_await (self->pool, WEFT_POOL_DONE);
    assert_true (event.status == 0 && event.attempt == 2);
}

static void
test_cannot (void **state)
{
    struct fixture *self = *state;
    begin (self, "1", cannot);
    submit (self, "x", 1);
    weft_pool_event_t event = live_await (self->pool, WEFT_POOL_DONE);
    assert_int_equal (event.reason, WEFT_JOB_NOT_STARTED);
    assert_int_equal (event.status, 126);
    assert_non_null (memmem (event.data, event.size, "stream 1 or 2", 13));
}

/*  More than any buffer holds, while nobody listens. */
static void
test_much_output (void **state)
{
    struct fixture *self = *state;
    weft_pool_event_t event;
    uint64_t got = 0;
    begin (self, "1", writes_much);
    submit (self, "x", 1);
    do {
        assert_int_equal (weft_pool_next (self->pool, &event, LIVE_PATIENCE), 0);
        got += event.kind == WEFT_POOL_OUTPUT ? event.size : 0;
    } while (event.kind != WEFT_POOL_DONE);
    assert_true (got == 30000000 && event.received_bytes == 30000000);
}

/*  Commands and messages share the slots. */
static void
test_mixed (void **state)
{
    struct fixture *self = *state;
    int statuses[21] = { 0 };
    if (!PROCESSES)
        skip ();
    begin (self, "2", echo);
    for (int i = 1; i <= 20; i++) {
        weft_job_t job = { .command = i % 2 ? "exit 3" : NULL, .input = "\x05", .input_size = i % 2 ? 0 : 1 };
        assert_int_equal (weft_pool_submit (self->pool, &job, NULL), 0);
    }
    for (int i = 0; i < 20; i++) {
        weft_pool_event_t event = live_await (self->pool, WEFT_POOL_DONE);
        statuses[event.job] += event.status;
    }
    for (int i = 1; i <= 20; i++)
        assert_int_equal (statuses[i], i % 2 ? 3 : 5);
    assert_int_equal (count_calls (&self->bench, 2), 10);
}

/*  A worker that is told to go lets calls end; told twice, it says so to them. */
static void
test_stop (void **state)
{
    struct fixture *self = *state;
    begin (self, "1", gated);
    submit (self, "x", 1);
    live_await (self->pool, WEFT_POOL_STARTED);
    weft_worker_stop (self->worker);
    open_gate (&self->bench, true);
    assert_int_equal (live_await (self->pool, WEFT_POOL_DONE).reason, WEFT_JOB_EXITED);
    live_await (self->pool, WEFT_POOL_LEFT);       /*  it waits until its report is acknowledged */
    join (self);
    assert_int_equal (self->result, WEFT_ETERM);
}

static void
test_stop_at_once (void **state)
{
    struct fixture *self = *state;
    begin (self, "1", patient);
    submit (self, "x", 1);
    live_await (self->pool, WEFT_POOL_STARTED);
    assert_int_equal (weft_worker_on_message (self->worker, NULL, NULL), WEFT_ESTATE);
    weft_worker_stop (self->worker);
    weft_worker_stop (self->worker);
    open_gate (&self->bench, true);
    join (self);
    assert_int_equal (self->result, WEFT_ETERM);
    assert_int_equal (self->bench.stopped, 1);
}

static void
test_nobody_for_it (void **state)
{
    struct fixture *self = *state;
    begin (self, "1", NULL);
    submit (self, "x", 1);
    weft_pool_event_t event = live_await (self->pool, WEFT_POOL_DONE);
    assert_int_equal (event.reason, WEFT_JOB_NOT_STARTED);
    assert_non_null (memmem (event.data, event.size, "--filter COMMAND", 16));
}

static void
test_exec (void **state)
{
    struct fixture *self = *state;
    if (!PROCESSES)
        skip ();
    assert_int_equal (weft_worker_set (self->worker, "exec", "tr a-z A-Z; exit 9"), 0);
    begin (self, "1", NULL);
    submit (self, "some \0words", 11);
    weft_pool_event_t event = live_await (self->pool, WEFT_POOL_OUTPUT);
    assert_int_equal (event.size, 11);
    assert_memory_equal (event.data, "SOME \0WORDS", 11);
    event = live_await (self->pool, WEFT_POOL_DONE);
    assert_true (event.status == 9 && event.sent_bytes == 11);
}

static void
test_exec_and_function (void **state)
{
    struct fixture *self = *state;
    assert_int_equal (weft_worker_set (self->worker, "exec", "cat"), 0);
    begin (self, "1", echo);
    join (self);
    assert_int_equal (self->result, WEFT_EINVAL);
}

/*  By its content, in which a message is not the command of the same text. */
static void
test_resume (void **state)
{
    struct fixture *self = *state;
    char path[FOLDER_SIZE + 16];
    snprintf (path, sizeof path, "%s/ledger", self->dir);
    for (int round = 0; round < 2; round++) {
        weft_pool_t *pool = weft_pool_new (self->weft);
        uint64_t ids[3];
        assert_int_equal (weft_pool_set (pool, "ledger", path), 0);
        assert_int_equal (weft_pool_set (pool, "resume", "yes"), 0);
        assert_int_equal (weft_pool_bind (pool, "inproc://resumed"), 0);
        weft_job_t jobs[] = { { .command = "true" }, { .input = "true", .input_size = 4 }, { .input = NULL } };
        for (int i = 0; i < 3; i++) {
            assert_int_equal (weft_pool_submit (pool, &jobs[i], &ids[i]), 0);
            assert_int_equal (ids[i], i + 1);
        }
        if (round == 0) {
            weft_pool_t *first = self->pool;
            self->pool = pool;
            live_await (self->pool, WEFT_POOL_ACCEPTED);
            self->pool = first;
        }
        weft_pool_destroy (&pool);
    }
}

/* ------------------------------------------------------------- without a pool */

/*  Tasks with an outbox that nobody reads. */
struct alone {
    struct tasks *tasks;
    struct outbox outbox;
    struct bench bench;
};

static int
set_up_alone (void **state)
{
    struct alone *self = calloc (1, sizeof *self);
    pthread_mutex_init (&self->bench.lock, NULL);
    pthread_cond_init (&self->bench.changed, NULL);
    outbox_init (&self->outbox);
    *state = self;
    return 0;
}

static int
tear_down_alone (void **state)
{
    struct alone *self = *state;
    tasks_close (&self->tasks);
    outbox_free (&self->outbox);
    free (self);
    return 0;
}

static void
open_tasks (struct alone *self, weft_work_fn *fn, int count)
{
    struct tasks_config config = { .fn = fn, .arg = &self->bench, .count = count, .first = 1, .clock = clock_system (),
                                   .outbox = &self->outbox };
    assert_int_equal (tasks_open (&self->tasks, &config), 0);
}

static void
add (struct alone *self, uint64_t id, int64_t attempt)
{
    struct tasks_job *job = calloc (1, sizeof *job);
    *job = (struct tasks_job){ .id = id, .attempt = attempt, .since = clock_now (clock_system ()), .message = true };
    tasks_add (self->tasks, job, 1);
}

/*  Turns until that many calls were begun. */
static void
turn_until_calls (struct alone *self, int calls)
{
    while (count_calls (&self->bench, 4) < calls) {
        struct pollfd fd = { .fd = tasks_fd (self->tasks), .events = POLLIN };
        poll (&fd, 1, 1);
        tasks_turn (self->tasks);
    }
}

/*  Turns until there are so many records; more when a call took so long that it is told that it began. */
static void
turn_until_records (struct alone *self, uint32_t records)
{
    while (self->outbox.count < records) {
        struct pollfd fd = { .fd = tasks_fd (self->tasks), .events = POLLIN };
        poll (&fd, 1, 1);
        tasks_turn (self->tasks);
    }
}

static void
turn_until_none_is_held (struct alone *self)
{
    while (tasks_held (self->tasks)) {
        struct pollfd fd = { .fd = tasks_fd (self->tasks), .events = POLLIN };
        poll (&fd, 1, 1);
        tasks_turn (self->tasks);
    }
}

/*  It takes its slot, and begins when the report that says so was acknowledged; then the one after it may be told. */
static void
test_announced (void **state)
{
    struct alone *self = *state;
    open_tasks (self, echo, 1);
    add (self, 1, 2);
    add (self, 2, 2);
    add (self, 3, 1);
    tasks_turn (self->tasks);
    assert_int_equal (self->outbox.count, 1);
    assert_true (self->outbox.urgent && tasks_hungry (self->tasks));
    assert_false (tasks_claim (self->tasks, 0));
    assert_int_equal (outbox_seal (&self->outbox, 1), 0);
    tasks_turn (self->tasks);
    assert_int_equal (count_calls (&self->bench, 0), 0);
    self->outbox.unsent = NULL;                 /*  as if it were on its way */
    assert_int_equal (outbox_ack (&self->outbox, 1), 0);
    turn_until_calls (self, 1);
    /*  The slot is kept for the second, though the third could have it at once. */
    turn_until_records (self, 2);
    assert_int_equal (count_calls (&self->bench, 1), 1);
    assert_int_equal (outbox_seal (&self->outbox, 1), 0);
    self->outbox.unsent = NULL;
    assert_int_equal (outbox_ack (&self->outbox, 2), 0);
    turn_until_records (self, 2);
    assert_int_equal (count_calls (&self->bench, 1), 3);
}

/*  What has ended is in the outbox when the rest is listed: nothing is in neither. */
static void
test_held (void **state)
{
    struct alone *self = *state;
    struct buffer out;
    uint32_t held;
    open_tasks (self, echo, 2);
    for (int round = 0; round < 200; round++) {
        uint32_t before = self->outbox.count;
        eventfd_t woken;
        struct pollfd fd = { .fd = tasks_fd (self->tasks), .events = POLLIN };
        tasks_turn (self->tasks);
        eventfd_read (fd.fd, &woken);
        for (int i = 0; i < 8; i++)
            add (self, (uint64_t) i + 1, 1);
        poll (&fd, 1, 1000);                    /*  a thread has nothing to do: something has ended */
        buffer_init (&out, 0);
        held = 0;
        assert_int_equal (tasks_put_held (self->tasks, &out, &held), 0);
        assert_true (held + self->outbox.count - before >= 8);
        buffer_free (&out);
        while (tasks_held (self->tasks) || self->outbox.count < before + 8)
            tasks_turn (self->tasks);
    }
}

/*  After that nobody hears of them, and the thread is good for others. */
static void
test_drop (void **state)
{
    struct alone *self = *state;
    open_tasks (self, gated, 1);
    add (self, 1, 1);
    turn_until_calls (self, 1);
    add (self, 2, 1);
    add (self, 3, 2);
    assert_int_equal (tasks_drop (self->tasks), 3);
    open_gate (&self->bench, true);
    add (self, 4, 1);
    turn_until_none_is_held (self);
    assert_int_equal (count_calls (&self->bench, 1), 2);
}

/*  Jobs that wait for too long go back. */
static void
test_given_back (void **state)
{
    struct alone *self = *state;
    open_tasks (self, gated, 1);
    add (self, 1, 1);
    turn_until_calls (self, 1);
    add (self, 2, 1);
    tasks_turn (self->tasks);
    assert_int_equal (tasks_waiting (self->tasks), 1);
    turn_until_records (self, 2);               /*  that the first has begun, and the second's return */
    assert_int_equal (tasks_waiting (self->tasks), 0);
    assert_int_equal (count_calls (&self->bench, 1), 1);
    open_gate (&self->bench, true);
    turn_until_records (self, 3);
}

int
main (void)
{
#define ALONE(fn) cmocka_unit_test_setup_teardown (fn, set_up_alone, tear_down_alone)
#define TEST(fn) cmocka_unit_test_setup_teardown (fn, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST (test_echo), TEST (test_many), TEST (test_long_call), TEST (test_timeout), TEST (test_cancel),
        TEST (test_second_attempt), TEST (test_cannot), TEST (test_much_output), TEST (test_mixed), TEST (test_stop),
        TEST (test_stop_at_once), TEST (test_nobody_for_it), TEST (test_exec), TEST (test_exec_and_function),
        TEST (test_resume),
        ALONE (test_announced), ALONE (test_held), ALONE (test_drop), ALONE (test_given_back),
    };
    signal (SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests (tests, NULL, NULL);
}
