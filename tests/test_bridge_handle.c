/*  test_bridge_handle.c - weft_bridge_t: made of options by name, run on any thread, stopped from anywhere */

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/sockets.h"

#define FABRIC "inproc://handle"
#define PATIENCE_MS 20000               /*  for anything, before a test gives up    */

static weft_bridge_t *bridge;
static weft_socket_t *rep;
static pthread_t thread;
static bool running;
static int result;

/* ------------------------------------------------------------------- a bridge to test */

static void
set (const char *name, const char *value)
{
    if (weft_bridge_set (bridge, name, value))
        fail_msg ("%s", weft_error ());
}

/*  Lines are requests. */
static int
setup (void **state)
{
    int rc = zmq_setup (state);
    bridge = weft_bridge_new (weft, "tcp");
    assert_non_null (bridge);
    set ("listen", "127.0.0.1:0");
    set ("req", FABRIC);
    rep = open_bound ("rep", "timeout=20s", FABRIC);
    return rc;
}

static void *
run (void *arg)
{
    result = weft_bridge_run (bridge, -1);
    return arg;
}

static void
begin (void)
{
    assert_int_equal (pthread_create (&thread, NULL, run, NULL), 0);
    running = true;
}

static int
end (void)
{
    pthread_join (thread, NULL);
    running = false;
    return result;
}

static int
teardown (void **state)
{
    if (running) {
        weft_bridge_stop (bridge);
        weft_bridge_stop (bridge);
        end ();
    }
    weft_bridge_destroy (&bridge);
    assert_null (bridge);
    weft_bridge_destroy (&bridge);
    weft_close (&rep);
    return zmq_teardown (state);
}

/*  A client that has asked, and its answer. */
static int
ask (const char *line)
{
    int fd = connect_plain (weft_bridge_endpoint (bridge, 0, NULL));
    assert_int_equal (send (fd, line, strlen (line), MSG_NOSIGNAL), strlen (line));
    return fd;
}

static void
answer (void)
{
    weft_msg_t msg;
    weft_msg_init (&msg);
    assert_int_equal (weft_recv (rep, &msg, 0), 0);
    assert_int_equal (weft_send (rep, &msg, 0), 0);
}

static void
expect_line (int fd, const char *line)
{
    char text[16];
    assert_int_equal (recv (fd, text, strlen (line), MSG_WAITALL), strlen (line));
    assert_memory_equal (text, line, strlen (line));
}

/*  Another thread's bridge is watched until it has counted so much. */
static weft_bridge_counters_t
expect_counted (uint64_t in, uint64_t out)
{
    weft_bridge_counters_t counters;
    for (int i = 0; i < PATIENCE_MS; i++) {
        weft_bridge_counters (bridge, &counters);
        if (counters.in == in && counters.out == out)
            return counters;
        poll (NULL, 0, 1);
    }
    fail_msg ("it counts %d in, %d out", (int) counters.in, (int) counters.out);
    return counters;
}

/* --------------------------------------------------------------------------- options */

static void
options_are_those_of_the_command_line (void **state)
{
    (void) state;
    assert_null (weft_bridge_new (weft, "gopher"));
    assert_says ("tcp, udp, http and ws");
    assert_int_equal (weft_bridge_set (bridge, "lisen", "127.0.0.1:0"), WEFT_EINVAL);
    assert_says ("listen");
    assert_int_equal (weft_bridge_set (bridge, "in-flight", "many"), WEFT_EINVAL);
    assert_int_equal (weft_bridge_set (bridge, "listen", NULL), WEFT_EINVAL);
    set ("framing", "len32");
    set ("idle", "3s");
    set ("tls", "no");
    set ("relay", NULL);
    set ("max-size", "64K");
    set ("linger", "forever");
    set ("insecure", "no");
    assert_int_equal (weft_bridge_start (bridge), 0);
    assert_int_equal (weft_bridge_set (bridge, "idle", "4s"), WEFT_ESTATE);
    assert_int_equal (weft_bridge_start (bridge), WEFT_ESTATE);
}

static void
a_start_that_fails_can_be_tried_again (void **state)
{
    (void) state;
    const char *what = NULL;
    weft_bridge_t *other = weft_bridge_new (weft, "tcp");
    assert_non_null (other);
    assert_int_equal (weft_bridge_start (other), WEFT_EINVAL);
    assert_says ("--listen");
    assert_null (weft_bridge_endpoint (other, 0, &what));
    assert_int_equal (weft_bridge_set (other, "listen", "unix:@weft-test-nobody:1"), 0);
    assert_int_equal (weft_bridge_run (other, -1), WEFT_EINVAL);
    assert_says ("--push");
    assert_int_equal (weft_bridge_set (other, "sub", "@inproc://handle-sub"), 0);
    assert_int_equal (weft_bridge_start (other), 0);
    weft_bridge_destroy (&other);

    assert_int_equal (weft_bridge_start (bridge), 0);
    other = weft_bridge_new (weft, "http");
    assert_int_equal (weft_bridge_set (other, "push", FABRIC "-push"), 0);
    assert_int_equal (weft_bridge_set (other, "listen", weft_bridge_endpoint (bridge, 0, &what)), 0);
    assert_string_equal (what, "tcp");
    assert_int_equal (weft_bridge_start (other), WEFT_EADDRINUSE);
    weft_bridge_destroy (&bridge);
    assert_int_equal (weft_bridge_start (other), 0);
    weft_bridge_destroy (&other);
}

static void
every_default_can_be_set (void **state)
{
    (void) state;
    static const char *const protocols[] = { "tcp", "udp", "http", "ws" };
    for (int p = 0; p < 4; p++) {
        weft_bridge_t *other = weft_bridge_new (weft, protocols[p]);
        weft_option_info_t info, again;
        size_t count = 0;
        for (; weft_option_info (protocols[p], count, &info) == 0; count++) {
            assert_true (strlen (info.text) > 10);
            assert_non_null (info.range);
            assert_false (info.live);
            if (info.standard && weft_bridge_set (other, info.name, info.standard))
                fail_msg ("%s: %s", protocols[p], weft_error ());
            for (size_t i = 0; i < count; i++)
                if (weft_option_info (protocols[p], i, &again) == 0 && strcmp (again.name, info.name) == 0)
                    fail_msg ("%s: %s is there twice", protocols[p], info.name);
        }
        assert_in_range (count, 30, 128);
        assert_string_equal (info.name, "insecure");
        assert_int_equal (weft_option_info (protocols[p], count, &info), WEFT_EEND);
        weft_bridge_destroy (&other);
    }
}

/* --------------------------------------------------------------------------- running */

static void
one_thread_runs_it_and_another_asks_its_counters (void **state)
{
    (void) state;
    weft_bridge_counters_t counters;
    weft_bridge_counters (bridge, &counters);
    assert_int_equal (counters.in, 0);
    assert_int_equal (weft_bridge_start (bridge), 0);
    assert_null (weft_bridge_endpoint (bridge, 1, NULL));
    begin ();
    int fd = ask ("one\n");
    answer ();
    expect_line (fd, "one\n");
    counters = expect_counted (1, 1);
    assert_int_equal (counters.in_bytes, 3);
    assert_int_equal (counters.connects, 1);
    close (fd);
    weft_bridge_stop (bridge);
    assert_int_equal (end (), 0);
    weft_bridge_counters (bridge, &counters);
    assert_int_equal (counters.out, 1);
    assert_int_equal (weft_bridge_run (bridge, -1), WEFT_ESTATE);
}

static void
it_can_be_run_a_little_at_a_time (void **state)
{
    (void) state;
    weft_msg_t msg;
    char text[8];
    weft_msg_init (&msg);
    assert_int_equal (weft_bridge_run (bridge, 0), WEFT_ETIMEOUT);
    int fd = ask ("two\n");
    while (weft_recv (rep, &msg, WEFT_DONTWAIT) == WEFT_EAGAIN)
        assert_int_equal (weft_bridge_run (bridge, 1), WEFT_ETIMEOUT);
    assert_int_equal (weft_send (rep, &msg, 0), 0);
    while (recv (fd, text, sizeof text, MSG_DONTWAIT) < 0)
        assert_int_equal (weft_bridge_run (bridge, 1), WEFT_ETIMEOUT);
    weft_bridge_counters_t counters;
    weft_bridge_counters (bridge, &counters);
    assert_int_equal (counters.out, 1);
    close (fd);
    weft_bridge_stop (bridge);
    assert_int_equal (weft_bridge_run (bridge, PATIENCE_MS), 0);
}

static void
several_threads_go_on_between_runs (void **state)
{
    (void) state;
    set ("threads", "2");
    assert_int_equal (weft_bridge_run (bridge, 0), WEFT_ETIMEOUT);
    int fd = ask ("three\n");
    answer ();
    expect_line (fd, "three\n");
    expect_counted (1, 1);
    assert_int_equal (weft_bridge_run (bridge, 1), WEFT_ETIMEOUT);
    close (fd);
    weft_bridge_stop (bridge);
    assert_int_equal (weft_bridge_run (bridge, -1), 0);
}

static void
threads_end_when_it_is_destroyed (void **state)
{
    (void) state;
    set ("threads", "2");
    set ("linger", "forever");
    assert_int_equal (weft_bridge_run (bridge, 0), WEFT_ETIMEOUT);
    int fd = ask ("four\n");
    expect_counted (1, 0);
    weft_bridge_destroy (&bridge);
    close (fd);
}

/* -------------------------------------------------------------------------- stopping */

static void
on_signal (int number)
{
    (void) number;
    weft_bridge_stop (bridge);
}

static void
a_signal_handler_stops_it (void **state)
{
    (void) state;
    struct sigaction action = { .sa_handler = on_signal }, before;
    sigaction (SIGUSR1, &action, &before);
    assert_int_equal (weft_bridge_start (bridge), 0);
    begin ();
    int fd = ask ("five\n");
    answer ();
    expect_line (fd, "five\n");
    close (fd);
    pthread_kill (thread, SIGUSR1);
    assert_int_equal (end (), 0);
    sigaction (SIGUSR1, &before, NULL);
}

static void
a_stop_before_the_run_ends_it (void **state)
{
    (void) state;
    weft_bridge_stop (bridge);
    assert_int_equal (weft_bridge_run (bridge, -1), 0);
}

/*  The first waits for the reply, the second does not. */
static void
a_second_stop_ends_what_is_owed (void **state)
{
    (void) state;
    weft_bridge_counters_t counters;
    set ("linger", "forever");
    assert_int_equal (weft_bridge_start (bridge), 0);
    begin ();
    int fd = ask ("six\n");
    expect_counted (1, 0);
    weft_bridge_stop (bridge);
    weft_bridge_stop (bridge);
    assert_int_equal (end (), 0);
    weft_bridge_counters (bridge, &counters);
    assert_int_equal (counters.unanswered, 1);
    close (fd);
}

#define test(name) cmocka_unit_test_setup_teardown (name, setup, teardown)

int
main (void)
{
    const struct CMUnitTest tests[] = {
        test (options_are_those_of_the_command_line),
        test (a_start_that_fails_can_be_tried_again),
        test (every_default_can_be_set),
        test (one_thread_runs_it_and_another_asks_its_counters),
        test (it_can_be_run_a_little_at_a_time),
        test (several_threads_go_on_between_runs),
        test (threads_end_when_it_is_destroyed),
        test (a_signal_handler_stops_it),
        test (a_stop_before_the_run_ends_it),
        test (a_second_stop_ends_what_is_owed),
    };
    return cmocka_run_group_tests_name ("bridge_handle", tests, NULL, NULL);
}
