/*  test_reply.c - rep: envelopes, turns, clients that have gone, and what is no request */

#include "tests/sockets.h"
#include "tests/wire_mem.h"

#define ONE "tcp://127.0.0.1:1"

static void
keeps_the_envelope (void **state)
{
    (void) state;
    weft_socket_t *rep = open_bound ("rep", "timeout=1s", ONE);
    struct wire *dealer = mem_open (net, WIRE_DEALER, ">" ONE);
    assert_int_equal (say (dealer, "hop|another||body", 0), 0);
    expect_text (rep, "body");
    assert_int_equal (weft_events (rep), WEFT_OUT);
    assert_int_equal (send_text (rep, "reply", 0), 0);
    assert_string_equal (hear (dealer, 0), "hop|another||reply");
    assert_int_equal (counters_of (rep).received_bytes, 4);
    assert_int_equal (counters_of (rep).sent_bytes, 5);
    weft_close (&rep);
    wire_close (&dealer);
}

static void
refuses_what_is_no_request (void **state)
{
    (void) state;
    weft_socket_t *rep = open_bound ("rep", "timeout=1s", ONE);
    struct wire *dealer = mem_open (net, WIRE_DEALER, ">" ONE);
    char deep[256] = "";
    for (int i = 0; i < 40; i++)
        strcat (deep, "hop|");
    strcat (deep, "|body");
    assert_int_equal (say (dealer, "no envelope", 0), 0);
    assert_int_equal (say (dealer, "no body|", 0), 0);
    assert_int_equal (say (dealer, deep, 0), 0);
    int64_t start = now ();
    expect_error (rep, WEFT_ETIMEOUT, 0);
    assert_int_equal (now () - start, TIME_S);
    assert_int_equal (counters_of (rep).refused, 3);
    assert_int_equal (counters_of (rep).received, 0);
    assert_int_equal (listener.lines, 1);
    assert_int_equal (say (dealer, "|body", 0), 0);
    expect_text (rep, "body");
    weft_close (&rep);
    wire_close (&dealer);
}

static void
talk_nonsense (struct mem *self, void *arg)
{
    assert_int_equal (say (arg, "no envelope", 0), 0);
    mem_after (self, 600 * TIME_MS, talk_nonsense, arg);
}

static void
nonsense_does_not_prolong_the_wait (void **state)
{
    (void) state;
    weft_socket_t *rep = open_bound ("rep", "timeout=1s", ONE);
    struct wire *dealer = mem_open (net, WIRE_DEALER, ">" ONE);
    talk_nonsense (net, dealer);
    int64_t start = now ();
    expect_error (rep, WEFT_ETIMEOUT, 0);
    assert_int_equal (now () - start, TIME_S);
    weft_close (&rep);
    wire_close (&dealer);
}

static void
alternates (void **state)
{
    (void) state;
    weft_socket_t *rep = open_bound ("rep", "timeout=1s", ONE);
    struct wire *dealer = mem_open (net, WIRE_DEALER, ">" ONE);
    assert_int_equal (send_text (rep, "x", 0), WEFT_ESTATE);
    assert_says ("receive one first");
    assert_int_equal (say (dealer, "|body", 0), 0);
    expect_text (rep, "body");
    expect_error (rep, WEFT_ESTATE, 0);
    assert_says ("send it before");
    assert_int_equal (send_text (rep, "x", 0), 0);
    expect_error (rep, WEFT_EAGAIN, WEFT_DONTWAIT);
    weft_close (&rep);
    wire_close (&dealer);
}

static void
counts_replies_for_nobody (void **state)
{
    (void) state;
    weft_socket_t *rep = open_bound ("rep", "timeout=1s", ONE);
    for (int i = 0; i < 2; i++) {
        struct wire *dealer = mem_open (net, WIRE_DEALER, ">" ONE);
        assert_int_equal (say (dealer, "|body", 0), 0);
        expect_text (rep, "body");
        wire_close (&dealer);
        assert_int_equal (send_text (rep, "x", 0), 0);
        assert_int_equal (counters_of (rep).dropped, i + 1);
    }
    assert_int_equal (listener.lines, 1);
    weft_close (&rep);
}

static void
discard (struct wire *wire, void *arg)
{
    weft_msg_t msg;
    (void) arg;
    weft_msg_init (&msg);
    while (wire_recv (wire, &msg, 0) == 0)
        ;
    weft_msg_clear (&msg);
}

static void
a_reply_that_finds_no_room_can_be_sent_again (void **state)
{
    (void) state;
    weft_socket_t *rep = open_bound ("rep", "timeout=1s hwm=1", ONE);
    struct wire *dealer = mem_open (net, WIRE_DEALER, ">" ONE);
    int rc = 0;
    for (int i = 0; i < 3000 && rc == 0; i++) {
        assert_int_equal (say (dealer, "|body", 0), 0);
        expect_text (rep, "body");
        rc = send_text (rep, "x", i % 2 ? WEFT_DONTWAIT : 0);
    }
    assert_true (rc == WEFT_EAGAIN || rc == WEFT_ETIMEOUT);
    mem_serve (dealer, discard, NULL);
    assert_int_equal (send_text (rep, "x", 0), 0);
    weft_close (&rep);
    wire_close (&dealer);
}

static void
ends_when_clients_have_gone (void **state)
{
    (void) state;
    weft_socket_t *rep = open_bound ("rep", "until-gone=yes", ONE);
    weft_socket_t *req = open_connected ("req", "timeout=1s", ONE);
    assert_int_equal (send_text (req, "x", 0), 0);
    expect_text (rep, "x");
    assert_int_equal (send_text (rep, "y", 0), 0);
    expect_text (req, "y");
    assert_int_equal (send_text (req, "last", 0), 0);
    weft_close (&req);
    expect_text (rep, "last");
    assert_int_equal (send_text (rep, "y", 0), 0);
    expect_error (rep, WEFT_EEND, 0);
    weft_close (&rep);
}

#define test(name) cmocka_unit_test_setup_teardown (name, mem_setup, mem_teardown)

int
main (void)
{
    const struct CMUnitTest tests[] = {
        test (keeps_the_envelope),
        test (refuses_what_is_no_request),
        test (nonsense_does_not_prolong_the_wait),
        test (alternates),
        test (counts_replies_for_nobody),
        test (a_reply_that_finds_no_room_can_be_sent_again),
        test (ends_when_clients_have_gone),
    };
    return cmocka_run_group_tests_name ("reply", tests, NULL, NULL);
}
