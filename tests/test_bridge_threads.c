/*  test_bridge_threads.c - a bridge on several threads: its connections are served, counted and ended together */

#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/testing.h"

#include "adapters/bridge_threads.h"
#include "tests/sockets.h"

#define FABRIC "inproc://threads"
enum { CLIENTS = 40, THREADS = 3 };

static const struct adapter *adapter;
static struct bridge_setup setup;
static struct bridge_threads *threads;
static int stop_fd, result;

static void
set (const char *name, const char *value)
{
    const struct option_group groups[] = { { .table = bridge_options, .target = &setup.bridge },
                                           { .table = stream_options, .target = &setup.stream }, { 0 } };
    if (option_set_in (groups, name, value, "a bridge", NULL))
        fail_msg ("%s", weft_error ());
}

static int
start (void **state)
{
    adapter = bridge_adapter_find ("tcp");
    memset (&setup, 0, sizeof setup);
    assert_int_equal (bridge_configs_new (adapter, &setup), 0);
    assert_int_equal (option_init (adapter->options, setup.configs[0]), 0);
    assert_int_equal (option_init (bridge_options, &setup.bridge), 0);
    assert_int_equal (option_init (stream_options, &setup.stream), 0);
    assert_int_equal (option_init (bridge_socket_options, &setup.socket), 0);
    set ("listen", "127.0.0.1:0");
    set ("threads", "3");
    return zmq_setup (state);
}

static int
end (void **state)
{
    bridge_threads_destroy (&threads);
    option_free (adapter->options, setup.configs[0]);
    option_free (bridge_options, &setup.bridge);
    bridge_configs_free (&setup);
    return zmq_teardown (state);
}

static void *
run (void *arg)
{
    result = bridge_threads_run (threads, stop_fd, TIME_FOREVER);
    return arg;
}

static void
all_are_served_counted_and_ended (void **state)
{
    (void) state;
    pthread_t thread;
    weft_bridge_counters_t counters;
    const char *what;
    int fds[CLIENTS];
    char text[16];
    weft_socket_t *rep = open_bound ("rep", "timeout=20s", FABRIC);
    set ("req", FABRIC);
    if (bridge_threads_new (weft, adapter, &setup, &threads))
        fail_msg ("%s", weft_error ());
    assert_int_equal (bridge_threads_show (threads, false), 0);
    stop_fd = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
    const char *address = bridge_listens (bridge_threads_at (threads, 0), 0, &what);
    assert_string_equal (bridge_listens (bridge_threads_at (threads, THREADS - 1), 0, &what), address);
    assert_null (bridge_threads_at (threads, THREADS));
    assert_int_equal (pthread_create (&thread, NULL, run, NULL), 0);
    for (int i = 0; i < CLIENTS; i++) {
        fds[i] = connect_plain (address);
        snprintf (text, sizeof text, "%07d\n", i);
        assert_int_equal (send (fds[i], text, 8, MSG_NOSIGNAL), 8);
    }
    for (int i = 0; i < CLIENTS; i++) {
        weft_msg_t msg;
        weft_msg_init (&msg);
        assert_int_equal (weft_recv (rep, &msg, 0), 0);
        assert_int_equal (weft_send (rep, &msg, 0), 0);
    }
    for (int i = 0; i < CLIENTS; i++) {
        assert_int_equal (recv (fds[i], text, 8, MSG_WAITALL), 8);
        assert_int_equal (strtol (text, NULL, 10), i);
        close (fds[i]);
    }
    eventfd_write (stop_fd, 1);
    pthread_join (thread, NULL);
    close (stop_fd);
    assert_int_equal (result, 0);
    bridge_threads_counters (threads, &counters);
    assert_int_equal (counters.in, CLIENTS);
    assert_int_equal (counters.out, CLIENTS);
    assert_int_equal (counters.connects, CLIENTS);
    assert_int_equal (counters.unanswered, 0);
    bridge_threads_destroy (&threads);
    weft_close (&rep);
}

static void
what_has_to_be_one_is_refused (void **state)
{
    (void) state;
    set ("relay", "yes");
    assert_int_equal (bridge_threads_new (weft, adapter, &setup, &threads), WEFT_EINVAL);
    assert_says ("--relay");
    set ("relay", "no");
    set ("push", "@tcp://127.0.0.1:0");
    assert_int_equal (bridge_threads_new (weft, adapter, &setup, &threads), WEFT_EINVAL);
    assert_says ("--push that binds to tcp://127.0.0.1:0");
    assert_int_equal (bridge_check (adapter, &setup), WEFT_EINVAL);
}

#define test(name) cmocka_unit_test_setup_teardown (name, start, end)

int
main (void)
{
    const struct CMUnitTest tests[] = {
        test (all_are_served_counted_and_ended),
        test (what_has_to_be_one_is_refused),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
