/*  test_pipeline.c - push and pull: waiting for a peer, back-pressure, end of stream */

#include "tests/sockets.h"
#include "tests/wire_mem.h"

#define ONE "tcp://127.0.0.1:1"
#define TWO "tcp://127.0.0.1:2"

static void
work_is_dealt_in_turn (void **state)
{
    (void) state;
    weft_socket_t *push = open_with ("push", "wait-peers=2 timeout=10s");
    assert_int_equal (weft_attach (push, ONE "," TWO), 0);
    weft_socket_t *one = open_bound ("pull", NULL, ONE), *two = open_bound ("pull", NULL, TWO);
    for (int i = 0; i < 10; i++)
        assert_int_equal (send_text (push, "work", 0), 0);
    for (int i = 0; i < 5; i++) {
        expect_text (one, "work");
        expect_text (two, "work");
    }
    assert_int_equal (counters_of (push).sent, 10);
    assert_int_equal (counters_of (push).sent_bytes, 40);
    assert_int_equal (counters_of (push).peers, 2);
    assert_int_equal (counters_of (one).received, 5);
    weft_close (&push);
    weft_close (&one);
    weft_close (&two);
}

static weft_socket_t *late;

static void
come_late (struct mem *self, void *arg)
{
    (void) self;
    late = open_bound ("pull", NULL, arg);
}

static void
push_waits_for_a_peer (void **state)
{
    (void) state;
    weft_socket_t *push = open_connected ("push", "timeout=10s", ONE);
    assert_int_equal (send_text (push, "work", WEFT_DONTWAIT), WEFT_EAGAIN);
    assert_int_equal (send_text (push, "work", 0), WEFT_ENOPEER);
    mem_after (net, 7 * TIME_S, come_late, ONE);
    assert_int_equal (send_text (push, "work", 0), 0);
    expect_text (late, "work");
    weft_close (&push);
    weft_close (&late);
}

static void
the_first_send_waits_for_peers (void **state)
{
    (void) state;
    weft_socket_t *push = open_with ("push", "timeout=10s wait-peers=2");
    assert_int_equal (weft_attach (push, ONE "," TWO), 0);
    weft_socket_t *pull = open_bound ("pull", NULL, ONE);
    assert_int_equal (send_text (push, "work", 0), WEFT_ETIMEOUT);
    assert_says ("1 of 2 peers came within 10s");
    mem_after (net, 7 * TIME_S, come_late, TWO);
    assert_int_equal (send_text (push, "work", 0), 0);
    weft_close (&push);
    weft_close (&pull);
    weft_close (&late);
}

static void
take_one (struct mem *self, void *arg)
{
    (void) self;
    expect_text (arg, "work");
}

static void
a_full_peer_holds_push_back (void **state)
{
    (void) state;
    weft_socket_t *push = open_connected ("push", "timeout=10s hwm=10", ONE);
    weft_socket_t *pull = open_bound ("pull", "hwm=10", ONE);
    int fits = 0;
    while (fits < 1000 && send_text (push, "work", WEFT_DONTWAIT) == 0)
        fits++;
    assert_in_range (fits, 10, 30);
    assert_int_equal (weft_events (push), 0);
    assert_int_equal (send_text (push, "work", 0), WEFT_ETIMEOUT);
    assert_says ("hwm 10");
    mem_after (net, 7 * TIME_S, take_one, pull);
    assert_int_equal (send_text (push, "work", 0), 0);
    for (int i = 0; i < fits; i++)
        expect_text (pull, "work");
    expect_error (pull, WEFT_EAGAIN, WEFT_DONTWAIT);
    weft_close (&push);
    weft_close (&pull);
}

static void
pull_ends_after_the_last_message (void **state)
{
    (void) state;
    weft_socket_t *pull = open_bound ("pull", "until-gone=yes timeout=10s", ONE);
    expect_error (pull, WEFT_ETIMEOUT, 0);                  /*  nobody has come yet */
    expect_error (pull, WEFT_EAGAIN, WEFT_DONTWAIT);
    weft_socket_t *one = open_connected ("push", NULL, ONE), *two = open_connected ("push", NULL, ONE);
    for (int i = 0; i < 3; i++) {
        assert_int_equal (send_text (one, "work", 0), 0);
        assert_int_equal (send_text (two, "work", 0), 0);
    }
    weft_close (&one);
    weft_close (&two);
    for (int i = 0; i < 6; i++)
        expect_text (pull, "work");
    expect_error (pull, WEFT_EEND, 0);
    weft_close (&pull);
}

static void
the_stream_goes_on_when_a_peer_comes_back (void **state)
{
    (void) state;
    weft_socket_t *pull = open_bound ("pull", "until-gone=yes timeout=10s", ONE);
    for (int i = 0; i < 2; i++) {
        weft_socket_t *push = open_connected ("push", NULL, ONE);
        assert_int_equal (send_text (push, "work", 0), 0);
        weft_close (&push);
        expect_text (pull, "work");
        expect_error (pull, WEFT_EEND, i ? WEFT_DONTWAIT : 0);
    }
    assert_int_equal (weft_set (pull, "until-gone", "no"), 0);
    expect_error (pull, WEFT_ETIMEOUT, 0);
    weft_close (&pull);
}

static void
disconnecting_ends_it (void **state)
{
    (void) state;
    weft_socket_t *pull = open_bound ("pull", NULL, ONE);
    weft_socket_t *push = open_connected ("push", NULL, ONE);
    assert_int_equal (weft_disconnect (push, TWO), WEFT_EENDPOINT);
    assert_int_equal (weft_disconnect (push, ONE), 0);
    assert_int_equal (send_text (push, "work", WEFT_DONTWAIT), WEFT_EAGAIN);
    weft_close (&push);
    weft_close (&pull);
}

#define test(name) cmocka_unit_test_setup_teardown (name, mem_setup, mem_teardown)

int
main (void)
{
    const struct CMUnitTest tests[] = {
        test (work_is_dealt_in_turn),
        test (push_waits_for_a_peer),
        test (the_first_send_waits_for_peers),
        test (a_full_peer_holds_push_back),
        test (pull_ends_after_the_last_message),
        test (the_stream_goes_on_when_a_peer_comes_back),
        test (disconnecting_ends_it),
    };
    return cmocka_run_group_tests_name ("pipeline", tests, NULL, NULL);
}
