/*  conformance_order.c - the suite: each message arrives, once and in its place, however many there are */

#include "tests/conformance_parts.h"

#include <sys/resource.h>

#include "core/limits.h"

static void
order_is_kept (void **state)
{
    (void) state;
    enum { COUNT = 20000 };
    struct buffer data;
    weft_socket_t *pull = bound ("pull", "timeout=20s");
    start (NULL, "push=" FABRIC);
    struct client client = client_open ();
    buffer_init (&data, 0);
    write_numbers (&data, 0, COUNT);
    assert_int_equal (client_send (&client, &data, 0, WAIT_MS), buffer_size (&data));
    expect_numbers (pull, 0, COUNT);
    expect_shown (COUNT);
    client_close (&client);
    stop ();
    assert_int_equal (counters.in, COUNT);
    buffer_free (&data);
}

static void
nothing_is_lost_when_the_fabric_stalls (void **state)
{
    (void) state;
    enum { COUNT = 60000 };
    struct buffer data;
    start (NULL, "push=@" FABRIC " hwm=1");
    struct client client = client_open ();
    buffer_init (&data, 0);
    write_numbers (&data, 0, COUNT);
    size_t sent = client_send (&client, &data, 0, 200);
    weft_socket_t *pull = connected ("pull", "timeout=20s hwm=1");
    int taken = 0;
    while (sent < buffer_size (&data)) {        /*  stalls and resumes, again and again */
        expect_numbers (pull, taken, 1000);
        taken += 1000;
        sent = client_send (&client, &data, sent, 0);
    }
    expect_numbers (pull, taken, COUNT - taken);
    client_close (&client);
    stop ();
    assert_int_equal (counters.in, COUNT);
    buffer_free (&data);
}

/*  More than the system and the queues hold: so the fabric has to wait for the client. */
static void
a_slow_reader_gets_all (void **state)
{
    (void) state;
    enum { SIZE = 1000, LEAST = 100 };
    static char body[SIZE + 1];
    char number[16];
    start (NULL, "pull=" FABRIC " out-queue=64K hwm=10 max-size=2K");
    struct client client = client_open ();
    weft_socket_t *push = connected ("push", "timeout=300ms hwm=10");
    int sent = 0, rc = 0;
    memset (body, 'x', SIZE);
    while (rc == 0) {
        snprintf (number, sizeof number, "%08d", sent);
        memcpy (body, number, 8);
        rc = send_text (push, body, 0);
        sent += rc == 0;
    }
    assert_int_equal (rc, WEFT_ETIMEOUT);
    assert_true (sent > LEAST);
    for (int i = 0; i < sent; i++) {
        const char *heard = client_hear (&client);
        assert_non_null (heard);
        assert_int_equal (atoi (heard), i);
    }
    client_close (&client);
    stop ();
    assert_int_equal (counters.out, sent);
    assert_int_equal (counters.dropped, 0);
}

static void
a_thousand_connections_are_served (void **state)
{
    (void) state;
    static struct client clients[CLIENTS];
    char text[32];
    struct rlimit limit;
    limits_want_files (RLIM_INFINITY);
    getrlimit (RLIMIT_NOFILE, &limit);
    if (limit.rlim_cur < 3 * CLIENTS)
        skip ();
    weft_socket_t *rep = bound ("rep", "timeout=20s");
    start (NULL, "req=" FABRIC);
    for (int i = 0; i < CLIENTS; i++)
        clients[i] = client_open ();
    for (int i = 0; i < CLIENTS; i++) {
        snprintf (text, sizeof text, "%d", i);
        client_say (&clients[i], text);
        if (how->datagram && (i + 1) % KEPT == 0)
            echo (rep, KEPT);
    }
    echo (rep, how->datagram ? 0 : CLIENTS);
    for (int i = 0; i < CLIENTS; i++) {
        snprintf (text, sizeof text, "%d", i);
        client_expect (&clients[i], text);
        client_close (&clients[i]);
    }
    stop ();
    assert_int_equal (counters.connects, CLIENTS);
    assert_int_equal (counters.out, CLIENTS);
}

const struct CMUnitTest conformance_order[] = {
    CONFORMANCE_CASE (order_is_kept),
    CONFORMANCE_CASE (nothing_is_lost_when_the_fabric_stalls),
    CONFORMANCE_CASE (a_slow_reader_gets_all),
    CONFORMANCE_CASE (a_thousand_connections_are_served),
    { 0 }
};
