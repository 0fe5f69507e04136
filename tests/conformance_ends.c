/*  conformance_ends.c - the suite: peers that go, limits of size, and the end of the bridge */

#include "tests/conformance_parts.h"

static void
a_peer_that_goes_within_a_message_leaves_the_others_alone (void **state)
{
    (void) state;
    struct buffer data;
    weft_socket_t *pull = bound ("pull", "timeout=20s");
    start (NULL, "push=" FABRIC);
    struct client stays = client_open (MODE_PUSH);
    buffer_init (&data, 0);
    how->write (&data, MODE_PUSH, "whole", 5);
    size_t whole = buffer_size (&data);
    how->write (&data, MODE_PUSH, "in the middle", 13);
    buffer_cut (&data, whole + (buffer_size (&data) - whole) / 2);
    for (int i = 0; i < 50; i++) {
        struct client goes = client_open (MODE_PUSH);
        assert_int_equal (client_send (&goes, &data, 0, WAIT_MS), buffer_size (&data));
        expect_text (pull, "whole");
        client_reset (&goes);
        client_say (&stays, "here");
        expect_text (pull, "here");
    }
    client_close (&stays);
    stop ();
    assert_int_equal (counters.in, 100);
    buffer_free (&data);
}

static void
after_a_half_close_the_replies_still_come (void **state)
{
    (void) state;
    weft_socket_t *rep = bound ("rep", "timeout=20s");
    start (NULL, "req=" FABRIC);
    struct client client = client_open (MODE_REQ);
    client_say (&client, "one");
    client_say (&client, "two");
    client_end (&client);
    echo (rep, 2);
    client_expect (&client, "one");
    client_expect (&client, "two");
    assert_null (client_hear (&client));
    client_close (&client);
    stop ();
    assert_int_equal (counters.undelivered, 0);
}

static void
size_is_limited (void **state)
{
    (void) state;
    char body[102];
    weft_socket_t *pull = bound ("pull", "timeout=20s");
    start (NULL, "push=" FABRIC " max-size=100");
    struct client fits = client_open (MODE_PUSH), over = client_open (MODE_PUSH);
    memset (body, 'x', sizeof body);
    body[101] = '\0';
    client_say (&over, body);
    client_expect_end (&over);
    body[100] = '\0';
    client_say (&fits, body);
    expect_text (pull, body);
    client_expect_taken (&fits, 1);
    assert_int_equal (over.refused, how->acknowledges ? 1 : 0);
    client_close (&fits);
    client_close (&over);
    stop ();
    assert_int_equal (counters.in, 1);
    assert_int_equal (counters.refused + counters.oversize, 1);
}

static void
it_comes_back_at_its_address (void **state)
{
    (void) state;
    char first[ADDRESS_TEXT];
    weft_socket_t *pull = bound ("pull", "timeout=20s");
    start (NULL, "push=" FABRIC " linger=100ms");
    snprintf (first, sizeof first, "%s", bridge_address);
    for (int i = 0; i < 3; i++) {
        struct client client = client_open (MODE_PUSH);
        client_say (&client, "here");
        expect_text (pull, "here");
        stop ();
        client_expect_end (&client);
        client_close (&client);
        start (first, "push=" FABRIC " linger=100ms");
    }
    stop ();
}

/*  What was counted as taken arrives, and it is the beginning of what was sent, without a gap. */
static void
the_end_loses_nothing_that_was_taken (void **state)
{
    (void) state;
    struct buffer data;
    weft_socket_t *pull = bound ("pull", "timeout=20s hwm=100");
    start (NULL, "push=" FABRIC " hwm=100 linger=200ms");
    struct client client = client_open (MODE_PUSH);
    buffer_init (&data, 0);
    write_numbers (&data, MODE_PUSH, 0, 400000);
    assert_true (client_send (&client, &data, 0, 200) > 0);
    expect_numbers (pull, 0, 1000);
    tell_to_end ();
    stop ();
    assert_true (counters.in >= 1000);
    assert_true (counters.in < 400000);
    assert_int_equal (counters.waiting, 1);
    expect_numbers (pull, 1000, (int) counters.in - 1000);
    expect_error (pull, WEFT_EAGAIN, WEFT_DONTWAIT);
    client_expect_end (&client);
    if (how->acknowledges) {
        assert_int_equal (client.taken, counters.in);
        assert_int_equal (client.refused, 1);
    }
    client_close (&client);
    buffer_free (&data);
}

static void
what_was_asked_before_the_end_is_answered (void **state)
{
    (void) state;
    weft_socket_t *rep = bound ("rep", "timeout=20s");
    weft_msg_t msg;
    start (NULL, "req=" FABRIC " linger=20s");
    struct client client = client_open (MODE_REQ);
    client_say (&client, "one");
    weft_msg_init (&msg);
    assert_int_equal (weft_recv (rep, &msg, 0), 0);
    tell_to_end ();
    assert_int_equal (weft_send (rep, &msg, 0), 0);
    client_expect (&client, "one");
    client_expect_end (&client);
    client_close (&client);
    stop ();
    assert_int_equal (counters.unanswered + counters.orphaned, 0);
}

const struct CMUnitTest conformance_ends[] = {
    CONFORMANCE_CASE (a_peer_that_goes_within_a_message_leaves_the_others_alone),
    CONFORMANCE_CASE (after_a_half_close_the_replies_still_come),
    CONFORMANCE_CASE (size_is_limited),
    CONFORMANCE_CASE (it_comes_back_at_its_address),
    CONFORMANCE_CASE (the_end_loses_nothing_that_was_taken),
    CONFORMANCE_CASE (what_was_asked_before_the_end_is_answered),
    { 0 }
};
