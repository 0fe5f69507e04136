/*  conformance_order.c - the suite: each message arrives, once and in its place, however many there are */

#include "tests/conformance_parts.h"

#include <limits.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "core/limits.h"

static void
order_is_kept (void **state)
{
    (void) state;
    enum { COUNT = 20000 };
    struct buffer data;
    weft_socket_t *pull = bound ("pull", "timeout=20s");
    start (NULL, "push=" FABRIC);
    struct client client = client_open (MODE_PUSH);
    buffer_init (&data, 0);
    write_numbers (&data, MODE_PUSH, 0, COUNT);
    assert_int_equal (client_send (&client, &data, 0, WAIT_MS), buffer_size (&data));
    client_expect_numbers (&client, pull, 0, COUNT);
    expect_shown (COUNT);
    client_expect_taken (&client, COUNT);
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
    struct client client = client_open (MODE_PUSH);
    buffer_init (&data, 0);
    write_numbers (&data, MODE_PUSH, 0, COUNT);
    size_t sent = client_send (&client, &data, 0, 200);
    weft_socket_t *pull = connected ("pull", "timeout=20s hwm=1");
    int taken = 0;
    while (sent < buffer_size (&data)) {        /*  stalls and resumes, again and again */
        expect_numbers (pull, taken, 1000);
        taken += 1000;
        sent = client_send (&client, &data, sent, 0);
    }
    client_expect_numbers (&client, pull, taken, COUNT - taken);
    client_expect_taken (&client, COUNT);
    client_close (&client);
    stop ();
    assert_int_equal (counters.in, COUNT);
    buffer_free (&data);
}

/*  Bodies that begin with numbers, until the fabric has to wait for the client; or what it cannot hold, and the system
 *  neither, where it waits for nobody. Returns how many. */
static int
feed (weft_socket_t *socket, int most)
{
    static char body[1001];
    char number[16];
    int rc = 0, sent = 0;
    memset (body, 'x', sizeof body - 1);
    while (rc == 0 && sent < most) {
        snprintf (number, sizeof number, "%08d", sent);
        memcpy (body, number, 8);
        rc = send_text (socket, body, 0);
        sent += rc == 0;
    }
    assert_int_equal (rc, how->outwards == MODE_SUB ? 0 : WEFT_ETIMEOUT);
    return sent;
}

/*  Who publishes sees no subscription: what it says before is for nobody. */
static void
expect_subscribed (weft_socket_t *pub, struct client *client)
{
    for (int i = 0; !client_waits (client, POLLIN, 1); i++) {
        assert_true (i < WAIT_MS);
        assert_int_equal (send_text (pub, "?", 0), 0);
    }
}

static void
a_slow_reader_gets_all (void **state)
{
    (void) state;
    enum { LEAST = 100, PUBLISHED = 20000 };
    bool sub = how->outwards == MODE_SUB;
    start (NULL, sub ? "sub=@" FABRIC " out-queue=64K hwm=10 max-size=2K when-full=block"
                     : "pull=" FABRIC " out-queue=64K hwm=10 max-size=2K");
    struct client client = client_open (how->outwards);
    weft_socket_t *from = sub ? connected ("pub", "hwm=100000") : connected ("push", "timeout=300ms hwm=10");
    if (sub)
        expect_subscribed (from, &client);
    int sent = feed (from, sub ? PUBLISHED : INT_MAX);
    assert_true (sent > LEAST);
    for (int i = 0; i < sent; ) {
        const char *heard = client_hear (&client);
        assert_non_null (heard);
        if (*heard == '?')
            continue;
        assert_int_equal (atoi (heard), i++);
    }
    client_close (&client);
    stop ();
    assert_true (counters.out >= (uint64_t) sent);
    assert_int_equal (counters.dropped, 0);
    assert_int_equal (client.refused, 0);
}

/*  What is there of numbers from `first` on: how many. */
static int
take_numbers (weft_socket_t *socket, int first, int flags)
{
    weft_msg_t msg;
    char text[16];
    int count = 0;
    weft_msg_init (&msg);
    for (; weft_recv (socket, &msg, flags) == 0; count++) {
        int size = snprintf (text, sizeof text, "%d", first + count);
        assert_int_equal (weft_msg_size (&msg, 0), size);
        assert_memory_equal (weft_msg_data (&msg, 0), text, (size_t) size);
        weft_msg_clear (&msg);
    }
    return count;
}

/*  The same up to the last, of a client that reads again, from what it has sent on. */
static void
finish_numbers (weft_socket_t *socket, int taken, int last, struct client *client, const struct buffer *data,
                size_t sent)
{
    client->deaf = false;
    for (int idle = 0; taken < last; idle++) {
        assert_true (idle < WAIT_MS / 10);
        sent = client_send (client, data, sent, 0);
        if (client_waits (client, POLLIN, 10))
            client_read_on (client);
        int more = take_numbers (socket, taken, WEFT_DONTWAIT);
        taken += more;
        idle = more ? 0 : idle;
    }
}

/*  Nor is it cut off: what was taken, and it does not know of, it would send again. */
static void
who_reads_no_answers_is_held_up_alone (void **state)
{
    (void) state;
    enum { COUNT = 150000 };
    struct buffer data;
    weft_socket_t *pull = bound ("pull", "timeout=200ms");
    start (NULL, "push=" FABRIC " out-queue=64K");
    struct client deaf = client_open (MODE_PUSH), other = client_open (MODE_PUSH);
    size_t sent = 0, before;
    int taken = 0;
    deaf.deaf = true;
    setsockopt (deaf.fd, SOL_SOCKET, SO_RCVBUF, &(int) { 65536 }, sizeof (int));
    buffer_init (&data, 0);
    write_numbers (&data, MODE_PUSH, 0, COUNT);
    do {
        before = sent;
        sent = client_send (&deaf, &data, sent, 0);
        taken += take_numbers (pull, taken, 0);
    } while (sent > before);
    assert_true (sent < buffer_size (&data));
    assert_int_equal (weft_set (pull, "timeout", "20s"), 0);
    client_say (&other, "here");
    expect_text (pull, "here");
    finish_numbers (pull, taken, COUNT, &deaf, &data, sent);
    client_expect_taken (&deaf, COUNT);
    client_expect_taken (&other, 1);
    client_close (&deaf);
    client_close (&other);
    stop ();
    assert_int_equal (counters.in, COUNT + 1);
    buffer_free (&data);
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
        clients[i] = client_open (MODE_REQ);
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
    CONFORMANCE_CASE (who_reads_no_answers_is_held_up_alone),
    CONFORMANCE_CASE (a_thousand_connections_are_served),
    { 0 }
};
