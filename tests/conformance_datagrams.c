/*  conformance_datagrams.c - the suite: datagrams, each a message, of which the system keeps so many */

#include "tests/conformance_parts.h"

#include <poll.h>
#include <sys/socket.h>

static void
say_numbers (struct client *client, int first, int count)
{
    char text[32];
    for (int i = first; i < first + count; i++) {
        snprintf (text, sizeof text, "%d", i);
        client_say (client, text);
    }
}

static void
datagrams_come_in_order (void **state)
{
    (void) state;
    weft_socket_t *pull = bound ("pull", "timeout=20s");
    start (NULL, "push=" FABRIC);
    struct client client = client_open (MODE_PUSH);
    for (int i = 0; i < 50; i++) {
        say_numbers (&client, i * KEPT, KEPT);
        expect_numbers (pull, i * KEPT, KEPT);
    }
    client_close (&client);
    stop ();
    assert_int_equal (counters.in, 50 * KEPT);
    assert_int_equal (counters.overrun, 0);
}

/*  What the fabric has no room for stays in the socket, for all sources and in order. */
static void
the_socket_keeps_what_the_fabric_has_no_room_for (void **state)
{
    (void) state;
    start (NULL, "push=@" FABRIC " hwm=1");
    struct client one = client_open (MODE_PUSH), two = client_open (MODE_PUSH);
    say_numbers (&one, 0, KEPT);
    say_numbers (&two, KEPT, KEPT);
    weft_socket_t *pull = connected ("pull", "timeout=20s hwm=1");
    expect_numbers (pull, 0, 2 * KEPT);
    client_close (&one);
    client_close (&two);
    stop ();
    assert_int_equal (counters.in, 2 * KEPT);
}

static void
an_empty_datagram_is_a_message (void **state)
{
    (void) state;
    weft_socket_t *rep = bound ("rep", "timeout=20s");
    weft_msg_t msg;
    char room[8];
    start (NULL, "req=" FABRIC);
    struct client client = client_open (MODE_REQ);
    assert_int_equal (send (client.fd, "", 0, 0), 0);
    weft_msg_init (&msg);
    assert_int_equal (weft_recv (rep, &msg, 0), 0);
    assert_int_equal (weft_msg_frames (&msg), 1);
    assert_int_equal (weft_msg_bytes (&msg), 0);
    assert_int_equal (weft_send (rep, &msg, 0), 0);
    assert_true (client_waits (&client, POLLIN, WAIT_MS));
    assert_int_equal (recv (client.fd, room, sizeof room, 0), 0);
    client_close (&client);
    stop ();
    assert_int_equal (counters.in, 1);
    assert_int_equal (counters.out, 1);
}

/*  Two requests of one source; the second is answered first. */
static void
replies_wait_for_no_other (void **state)
{
    (void) state;
    weft_socket_t *one = bound ("rep", "timeout=20s"), *two = open_bound ("rep", "timeout=20s", FABRIC "2");
    weft_msg_t first, second;
    start (NULL, "req=" FABRIC " req=" FABRIC "2");
    struct client client = client_open (MODE_REQ);
    client_say (&client, "first");
    client_say (&client, "second");
    weft_msg_init (&first);
    weft_msg_init (&second);
    assert_int_equal (weft_recv (one, &first, 0), 0);
    assert_int_equal (weft_recv (two, &second, 0), 0);
    char text[16];
    snprintf (text, sizeof text, "%.*s", (int) weft_msg_size (&second, 0), (const char *) weft_msg_data (&second, 0));
    assert_int_equal (weft_send (two, &second, 0), 0);
    client_expect (&client, text);
    assert_int_equal (weft_send (one, &first, 0), 0);
    assert_non_null (client_hear (&client));
    client_close (&client);
    stop ();
    weft_close (&two);
    assert_int_equal (counters.out, 2);
}

const struct CMUnitTest conformance_datagrams[] = {
    CONFORMANCE_CASE (datagrams_come_in_order),
    CONFORMANCE_CASE (the_socket_keeps_what_the_fabric_has_no_room_for),
    CONFORMANCE_CASE (an_empty_datagram_is_a_message),
    CONFORMANCE_CASE (replies_wait_for_no_other),
    { 0 }
};
