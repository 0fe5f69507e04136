/*  test_socket_data.c - messages of one frame from and to memory, over libzmq and over the engine in memory */

#include "tests/sockets.h"

enum { LARGE = 100000 };

static char sent[LARGE], got[LARGE + 1];

static void
send_data (weft_socket_t *socket, size_t size)
{
    for (size_t i = 0; i < size; i++)
        sent[i] = (char) ('a' + (i + size) % 26);
    if (weft_send_data (socket, sent, size, 0))
        fail_msg ("%s", weft_error ());
}

static void
expect_data (weft_socket_t *socket, size_t size)
{
    memset (got, '#', size + 1);
    assert_int_equal (weft_recv_data (socket, got, size, 0), size);
    assert_memory_equal (got, sent, size);
    assert_int_equal (got[size], '#');
}

/*  Sizes on both sides of what is kept in place, and of each step of a copy. */
static void
carry_all_sizes (weft_socket_t *from, weft_socket_t *to)
{
    static const size_t large[] = { 255, 256, 1024, 65536, LARGE };
    for (size_t size = 0; size < 200; size++) {
        send_data (from, size);
        expect_data (to, size);
    }
    for (size_t i = 0; i < sizeof large / sizeof large[0]; i++) {
        send_data (from, large[i]);
        expect_data (to, large[i]);
    }
}

static void
open_pair (weft_socket_t **push, weft_socket_t **pull, const char *options)
{
    *pull = open_bound ("pull", options, "inproc://data");
    *push = open_connected ("push", "timeout=10s", "inproc://data");
}

static void
every_size_arrives_whole (void **state)
{
    (void) state;
    weft_socket_t *push, *pull;
    open_pair (&push, &pull, "timeout=10s");
    carry_all_sizes (push, pull);
    weft_counters_t counters = counters_of (pull);
    assert_int_equal (counters.received, 205);
    assert_int_equal (counters.received, counters_of (push).sent);
    assert_int_equal (counters.received_bytes, counters_of (push).sent_bytes);
    weft_close (&push);
    weft_close (&pull);
}

static void
other_patterns_carry_data_too (void **state)
{
    (void) state;
    weft_socket_t *rep = open_bound ("rep", "timeout=10s", "inproc://rep");
    weft_socket_t *req = open_connected ("req", "timeout=10s", "inproc://rep");
    weft_socket_t *pub = open_bound ("pub", "timeout=10s", "inproc://pub");
    weft_socket_t *sub = open_connected ("sub", "timeout=10s", "inproc://pub");
    for (size_t size = 1; size < 100; size += 33) {
        send_data (req, size);
        expect_data (rep, size);
        send_data (rep, size + 1);
        expect_data (req, size + 1);
    }
    assert_int_equal (weft_wait_peers (pub, 1, 10000), 0);
    send_data (pub, 40);
    expect_data (sub, 40);
    assert_int_equal (weft_recv_data (pub, got, 1, 0), WEFT_ENOTSUP);
    assert_int_equal (weft_send_data (sub, sent, 1, 0), WEFT_ENOTSUP);
    weft_close (&rep);
    weft_close (&req);
    weft_close (&pub);
    weft_close (&sub);
}

/*  It is there for whoever has the room, and until then comes before all others. */
static void
what_does_not_fit_stays (void **state)
{
    (void) state;
    weft_socket_t *push, *pull;
    open_pair (&push, &pull, "timeout=10s");
    for (size_t size = 50; size <= 5000; size *= 100) {
        send_data (push, size);
        assert_int_equal (send_text (push, "next", 0), 0);
        assert_int_equal (weft_recv_data (pull, got, size - 1, 0), WEFT_ETOOBIG);
        assert_non_null (strstr (weft_error (), "room for"));
        assert_int_equal (weft_recv_data (pull, got, size - 1, WEFT_DONTWAIT), WEFT_ETOOBIG);
        assert_int_equal (weft_events (pull) & WEFT_IN, WEFT_IN);
        send_data (push, size);
        expect_data (pull, size);
        expect_text (pull, "next");
        expect_data (pull, size);
    }
    weft_close (&push);
    weft_close (&pull);
}

static void
several_frames_are_for_recv (void **state)
{
    (void) state;
    weft_socket_t *push, *pull;
    weft_msg_t msg;
    open_pair (&push, &pull, "timeout=10s");
    weft_msg_init (&msg);
    weft_msg_add_str (&msg, "one");
    weft_msg_add_str (&msg, "two");
    assert_int_equal (weft_send (push, &msg, 0), 0);
    assert_int_equal (weft_recv_data (pull, got, LARGE, 0), WEFT_ETOOBIG);
    assert_non_null (strstr (weft_error (), "2 frames"));
    assert_int_equal (weft_events (pull) & WEFT_IN, WEFT_IN);
    assert_int_equal (weft_recv (pull, &msg, WEFT_DONTWAIT), 0);
    assert_int_equal (weft_msg_frames (&msg), 2);
    weft_msg_clear (&msg);
    expect_error (pull, WEFT_EAGAIN, WEFT_DONTWAIT);
    assert_int_equal (weft_recv_data (pull, got, LARGE, WEFT_DONTWAIT), WEFT_EAGAIN);
    weft_close (&push);
    weft_close (&pull);
}

static void
limits_and_waits_are_those_of_messages (void **state)
{
    (void) state;
    weft_socket_t *push, *pull;
    open_pair (&push, &pull, "timeout=20ms max-size=100 hwm=1");
    assert_int_equal (weft_recv_data (pull, got, LARGE, 0), WEFT_ETIMEOUT);
    send_data (push, 101);
    assert_int_equal (weft_recv_data (pull, got, LARGE, 0), WEFT_ETIMEOUT);
    assert_int_equal (counters_of (pull).refused, 1);
    int rc = 0;
    for (int i = 0; i < 10000 && rc == 0; i++)
        rc = weft_send_data (push, sent, 10, WEFT_DONTWAIT);
    assert_int_equal (rc, WEFT_EAGAIN);
    assert_int_equal (weft_set (push, "timeout", "10ms"), 0);
    assert_int_equal (weft_send_data (push, sent, 10, 0), WEFT_ETIMEOUT);
    assert_non_null (strstr (weft_error (), "queues are full"));
    weft_close (&push);
    weft_close (&pull);
}

/*  One that was held when its socket closed is freed: the sanitizers tell. */
static void
what_was_held_goes_with_its_socket (void **state)
{
    (void) state;
    weft_socket_t *push, *pull;
    open_pair (&push, &pull, "timeout=10s");
    send_data (push, 1000);
    assert_int_equal (weft_recv_data (pull, got, 1, 0), WEFT_ETOOBIG);
    weft_close (&push);
    weft_close (&pull);
}

#define over(engine, name) { #name " (" #engine ")", name, engine##_setup, engine##_teardown, NULL }
#define both(name) over (zmq, name), over (mem, name)

int
main (void)
{
    const struct CMUnitTest tests[] = {
        both (every_size_arrives_whole),
        both (other_patterns_carry_data_too),
        both (what_does_not_fit_stays),
        both (several_frames_are_for_recv),
        both (limits_and_waits_are_those_of_messages),
        both (what_was_held_goes_with_its_socket),
    };
    return cmocka_run_group_tests_name ("socket_data", tests, NULL, NULL);
}
