/*  test_requests.c - many requests under way: replies in any order, none, late, unsound, and servers that are full */

#include "core/message.h"
#include "core/poll.h"
#include "patterns/requests.h"
#include "tests/sockets.h"
#include "tests/wire_mem.h"

#define ONE "tcp://127.0.0.1:1"

static struct wire *server;
static weft_socket_t *asker;
static int marks[8];                    /*  their addresses tell the requests apart */

static void
open_both (const char *timeout)
{
    server = mem_open (net, WIRE_ROUTER, "@" ONE);
    asker = requests_open (weft);
    assert_non_null (asker);
    assert_int_equal (weft_set (asker, "timeout", timeout), 0);
    assert_int_equal (weft_attach (asker, ONE), 0);
}

static void
close_both (void)
{
    weft_close (&asker);
    wire_close (&server);
}

static int
ask (const char *text, int which)
{
    weft_msg_t msg;
    weft_msg_init (&msg);
    message_of_text (&msg, text);
    int rc = requests_send (asker, &msg, &marks[which]);
    if (rc)
        assert_string_equal (text_of_message (&msg), text);
    weft_msg_clear (&msg);
    return rc;
}

/*  The server takes `count` requests, and answers the last first. */
static void
answer_backwards (int count)
{
    weft_msg_t msgs[8];
    for (int i = 0; i < count; i++) {
        weft_msg_init (&msgs[i]);
        assert_int_equal (wire_recv (server, &msgs[i], TIME_S), 0);
        assert_int_equal (weft_msg_size (&msgs[i], 1), 8);
        assert_int_equal (weft_msg_size (&msgs[i], 2), 0);
    }
    for (int i = count - 1; i >= 0; i--)
        assert_int_equal (wire_send (server, &msgs[i], 0), 0);
}

static void
wait_for (int event)
{
    weft_pollitem_t item = { .self = asker, .events = (short) event };
    if (!(weft_events (asker) & event))
        assert_int_equal (weft_poll (&item, 1, 10000), 1);
}

static void
expect_reply (int which, const char *text)
{
    weft_msg_t msg;
    void *arg;
    int error;
    weft_msg_init (&msg);
    wait_for (WEFT_IN);
    assert_int_equal (requests_next (asker, &msg, &arg, &error), 0);
    assert_int_equal (error, 0);
    assert_ptr_equal (arg, &marks[which]);
    assert_string_equal (text_of_message (&msg), text);
    weft_msg_clear (&msg);
}

static int
next_outcome (void **arg, int *error)
{
    weft_msg_t msg;
    weft_msg_init (&msg);
    int rc = requests_next (asker, &msg, arg, error);
    weft_msg_clear (&msg);
    return rc;
}

static void
each_reply_finds_its_request (void **state)
{
    (void) state;
    open_both ("10s");
    assert_int_equal (ask ("one", 1), 0);
    assert_int_equal (ask ("two|frames", 2), 0);
    assert_int_equal (ask ("three", 3), 0);
    assert_int_equal (requests_count (asker), 3);
    answer_backwards (3);
    expect_reply (3, "three");
    expect_reply (2, "two|frames");
    expect_reply (1, "one");
    assert_int_equal (requests_count (asker), 0);
    weft_counters_t counters = counters_of (asker);
    assert_int_equal (counters.sent, 3);
    assert_int_equal (counters.received_bytes, 17);
    close_both ();
}

static void
without_a_reply_it_is_told_in_time_and_once (void **state)
{
    (void) state;
    void *arg = NULL;
    int error = 0;
    open_both ("2s");
    assert_int_equal (ask ("one", 1), 0);
    mem_run (net, TIME_S);
    assert_int_equal (ask ("two", 2), 0);
    assert_int_equal (next_outcome (&arg, &error), WEFT_EAGAIN);
    assert_true (((struct pollable *) asker)->ops->deadline ((struct pollable *) asker) == now () + TIME_S);
    mem_run (net, TIME_S);
    assert_true (weft_events (asker) & WEFT_IN);
    assert_int_equal (next_outcome (&arg, &error), 0);
    assert_int_equal (error, WEFT_ETIMEOUT);
    assert_says ("within 2s");
    assert_ptr_equal (arg, &marks[1]);
    assert_int_equal (next_outcome (&arg, &error), WEFT_EAGAIN);
    answer_backwards (2);
    expect_reply (2, "two");
    assert_int_equal (next_outcome (&arg, &error), WEFT_EAGAIN);
    assert_int_equal (counters_of (asker).late, 1);
    close_both ();
}

static void
what_is_no_reply_is_counted (void **state)
{
    (void) state;
    void *arg = NULL;
    int error = 0;
    weft_msg_t msg;
    open_both ("10s");
    assert_int_equal (ask ("one", 1), 0);
    weft_msg_init (&msg);
    assert_int_equal (wire_recv (server, &msg, TIME_S), 0);
    message_truncate (message_of (&msg), 1);
    weft_msg_add_str (&msg, "no envelope");
    assert_int_equal (wire_send (server, &msg, 0), 0);
    assert_int_equal (next_outcome (&arg, &error), WEFT_EAGAIN);
    assert_int_equal (counters_of (asker).refused, 1);
    assert_int_equal (requests_count (asker), 1);
    close_both ();
}

static void
without_a_server_nothing_is_taken (void **state)
{
    (void) state;
    asker = requests_open (weft);
    assert_int_equal (weft_attach (asker, ONE), 0);
    assert_int_equal (ask ("one", 1), WEFT_EAGAIN);
    assert_int_equal (requests_count (asker), 0);
    server = mem_open (net, WIRE_ROUTER, "@" ONE);
    assert_int_equal (weft_wait_peers (asker, 1, 10000), 0);
    wait_for (WEFT_OUT);
    assert_int_equal (ask ("one", 1), 0);
    answer_backwards (1);
    expect_reply (1, "one");
    close_both ();
}

static int abandoned;

static void
on_abandoned (void *arg)
{
    abandoned += *(int *) arg;
}

static void
what_is_given_up_is_told_once (void **state)
{
    (void) state;
    void *arg;
    int error;
    open_both ("10s");
    marks[1] = 1;
    marks[2] = 10;
    abandoned = 0;
    assert_int_equal (ask ("one", 1), 0);
    assert_int_equal (ask ("two", 2), 0);
    requests_abandon (asker, on_abandoned);
    assert_int_equal (abandoned, 11);
    assert_int_equal (requests_count (asker), 0);
    answer_backwards (2);
    assert_int_equal (next_outcome (&arg, &error), WEFT_EAGAIN);
    assert_int_equal (counters_of (asker).late, 2);
    close_both ();
}

/*  Over libzmq, against weft's own rep. */
static void
rep_answers (void **state)
{
    (void) state;
    weft_socket_t *rep = open_bound ("rep", "", "inproc://requests");
    asker = requests_open (weft);
    assert_int_equal (weft_attach (asker, "inproc://requests"), 0);
    assert_int_equal (weft_wait_peers (asker, 1, 10000), 0);
    assert_int_equal (ask ("one", 1), 0);
    assert_int_equal (ask ("two", 2), 0);
    weft_msg_t msg;
    weft_msg_init (&msg);
    for (int i = 0; i < 2; i++) {
        assert_int_equal (weft_recv (rep, &msg, 0), 0);
        assert_int_equal (weft_send (rep, &msg, 0), 0);
    }
    expect_reply (1, "one");
    expect_reply (2, "two");
    weft_close (&asker);
    weft_close (&rep);
}

#define in_memory(name) cmocka_unit_test_setup_teardown (name, mem_setup, mem_teardown)
#define over_zmq(name) cmocka_unit_test_setup_teardown (name, zmq_setup, zmq_teardown)

int
main (void)
{
    const struct CMUnitTest tests[] = {
        in_memory (each_reply_finds_its_request),
        in_memory (without_a_reply_it_is_told_in_time_and_once),
        in_memory (what_is_no_reply_is_counted),
        in_memory (without_a_server_nothing_is_taken),
        in_memory (what_is_given_up_is_told_once),
        over_zmq (rep_answers),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
