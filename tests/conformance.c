/*  conformance.c - what every adapter has to keep: order, every message, limits, ends, many connections */

#include "tests/conformance.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "adapters/bridge.h"
#include "adapters/bridge_metrics.h"
#include "core/limits.h"
#include "tests/sockets.h"

#define FABRIC "inproc://conformance"
#define WAIT_MS 20000               /*  for anything, before a test gives up    */
enum { CLIENTS = 1000 };
enum { KEPT = 100 };                /*  so many datagrams the system keeps without privileges, too  */

const struct conformance *how;

/* ------------------------------------------------------------------- a bridge that runs */

static struct bridge *bridge;
static struct bridge_setup setup;
static weft_bridge_counters_t counters;
static pthread_t thread;
static char address[ADDRESS_TEXT];
static int stop_fd = -1, run_result;
static weft_socket_t *fabric;       /*  the test's own, on the other side */
static struct tls_config client_tls;
static struct tls_context *client_context;

static void
set (const char *name, const char *value)
{
    const struct option_group groups[] = {
        { .table = bridge_adapter_find (how->adapter)->options, .target = setup.configs[0] },
        { .table = bridge_options, .target = &setup.bridge },
        how->datagram ? (struct option_group) { .table = datagram_options, .target = &setup.datagram }
                      : (struct option_group) { .table = stream_options, .target = &setup.stream },
        { .table = tls_options, .target = &setup.stream.tls },
        { .table = bridge_socket_options, .target = &setup.socket }, { 0 } };
    if (option_set_in (groups, name, value, "a bridge", NULL))
        fail_msg ("%s", weft_error ());
}

static void
set_all (const char *options)
{
    char copy[1024], *save, *pair;
    snprintf (copy, sizeof copy, "%s", options);
    for (pair = strtok_r (copy, " ", &save); pair; pair = strtok_r (NULL, " ", &save)) {
        char *value = strchr (pair, '=');
        *value = '\0';
        set (pair, value + 1);
    }
}

static void *
run (void *arg)
{
    run_result = bridge_run (bridge, stop_fd, TIME_FOREVER);
    return arg;
}

/*  With these options, beside --listen: "push=inproc://... hwm=1". */
static void
start (const char *listen, const char *options)
{
    const struct adapter *adapter = bridge_adapter_find (how->adapter);
    const char *what;
    memset (&setup, 0, sizeof setup);
    assert_int_equal (bridge_configs_new (adapter, &setup), 0);
    for (size_t i = 0; bridge_kind (adapter, i); i++)
        assert_int_equal (option_init (bridge_kind (adapter, i)->options, setup.configs[i]), 0);
    assert_int_equal (option_init (bridge_options, &setup.bridge), 0);
    assert_int_equal (option_init (stream_options, &setup.stream), 0);
    assert_int_equal (option_init (tls_options, &setup.stream.tls), 0);
    assert_int_equal (option_init (datagram_options, &setup.datagram), 0);
    assert_int_equal (option_init (bridge_socket_options, &setup.socket), 0);
    set_all (how->options);
    set ("listen", listen ? listen : how->listen ? how->listen : "127.0.0.1:0");
    set_all (options);
    if (bridge_new (weft, adapter, &setup, &bridge))
        fail_msg ("%s", weft_error ());
    for (size_t i = 0; ; i++) {
        const char *found = bridge_listens (bridge, i, &what);
        assert_non_null (found);
        snprintf (address, sizeof address, "%s", found);
        if (strcmp (what, adapter->name) == 0)
            break;
    }
    assert_int_equal (bridge_show (bridge, true), 0);
    stop_fd = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
    assert_int_equal (pthread_create (&thread, NULL, run, NULL), 0);
}

/*  While it runs, another thread reads what it shows; and what its sockets count. */
static void
expect_shown (uint64_t in)
{
    struct metric_source source;
    uint64_t room[128];
    struct bridge_values *values = (void *) room;
    for (int i = 0; i < WAIT_MS; i++) {
        for (size_t j = 0; bridge_source (bridge, j, &source); j++) {
            assert_true (source.size <= sizeof room);
            source.read (source.arg, room);
        }
        assert_true (bridge_source (bridge, 0, &source));
        source.read (source.arg, room);
        if (values->counters.in == in && values->peers == 1)
            return;
        poll (NULL, 0, 1);
    }
    fail_msg ("it shows %llu messages and %llu peers", (unsigned long long) values->counters.in,
              (unsigned long long) values->peers);
}

/*  Ends it as a signal does, and takes its counters. */
static void
stop (void)
{
    eventfd_write (stop_fd, 1);
    pthread_join (thread, NULL);
    bridge_counters (bridge, &counters);
    bridge_destroy (&bridge);
    const struct adapter *adapter = bridge_adapter_find (how->adapter);
    for (size_t i = 0; bridge_kind (adapter, i); i++)
        option_free (bridge_kind (adapter, i)->options, setup.configs[i]);
    option_free (bridge_options, &setup.bridge);
    option_free (tls_options, &setup.stream.tls);
    option_free (datagram_options, &setup.datagram);
    bridge_configs_free (&setup);
    close (stop_fd);
    assert_int_equal (run_result, 0);
}

/*  A test that has failed leaves a bridge that runs, and a socket. */
static int
teardown (void **state)
{
    if (bridge)
        stop ();
    weft_close (&fabric);
    tls_context_destroy (&client_context);
    return zmq_teardown (state);
}

/* --------------------------------------------------------------------- a plain client */

struct client {
    int fd;
    struct tls *tls;                    /*  NULL: clear text                                        */
    size_t held;                        /*  bytes in TLS's hands that the system has not taken      */
    struct buffer in;
};

static bool
client_waits (struct client *self, short events, int patience)
{
    struct pollfd wait = { .fd = self->fd, .events = events };
    return poll (&wait, 1, patience) == 1;
}

/*  What TLS has to send: true when all of it has gone. */
static bool
client_flush (struct client *self, int patience)
{
    struct buffer *wire = tls_wire (self->tls);
    while (buffer_size (wire)) {
        if (!client_waits (self, POLLOUT, patience))
            return false;
        ssize_t count = send (self->fd, buffer_data (wire), buffer_size (wire), MSG_NOSIGNAL | MSG_DONTWAIT);
        if (count < 0 && errno != EAGAIN)
            return false;
        buffer_consume (wire, count > 0 ? (size_t) count : 0);
    }
    self->held = 0;
    return true;
}

static void
client_shake (struct client *self)
{
    client_tls = (struct tls_config) { .on = true, .ca = (char *) (uintptr_t) how->ca };
    if (!client_context && tls_context_new (&client_tls, false, "127.0.0.1", NULL, &client_context))
        fail_msg ("%s", weft_error ());
    assert_int_equal (tls_new (client_context, self->fd, &self->tls), 0);
    fcntl (self->fd, F_SETFL, O_NONBLOCK);
    int rc;
    while ((rc = tls_handshake (self->tls)) == WEFT_EAGAIN) {
        client_flush (self, WAIT_MS);
        assert_true (client_waits (self, POLLIN, WAIT_MS));
    }
    if (rc || !client_flush (self, WAIT_MS))
        fail_msg ("%s", weft_error ());
}

static struct client
client_connect (void)
{
    struct client self = { .fd = -1 };
    struct address to;
    struct sockaddr_storage found;
    assert_int_equal (address_parse (&to, address, false), 0);
    assert_int_equal (address_resolve (&to, &found), 0);
    self.fd = socket (found.ss_family, (how->datagram ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC, 0);
    assert_true (self.fd >= 0);
    assert_int_equal (connect (self.fd, (struct sockaddr *) &found, address_size (&found)), 0);
    buffer_init (&self.in, 0);
    if (how->ca)
        client_shake (&self);
    return self;
}

static void
client_close (struct client *self)
{
    tls_destroy (&self->tls);
    close (self->fd);
    buffer_free (&self->in);
}

/*  Its end, while it reads on. */
static void
client_end (struct client *self)
{
    if (self->tls) {
        tls_finish (self->tls);
        assert_true (client_flush (self, WAIT_MS));
    }
    shutdown (self->fd, SHUT_WR);
}

static void
client_reset (struct client *self)
{
    struct linger linger = { .l_onoff = 1 };
    setsockopt (self->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
    client_close (self);
}

static size_t
client_send_tls (struct client *self, const struct buffer *data, size_t from, int patience)
{
    for (from += self->held; client_flush (self, patience) && from < buffer_size (data); from += self->held) {
        self->held = buffer_size (data) - from < 16384 ? buffer_size (data) - from : 16384;
        assert_int_equal (tls_write (self->tls, buffer_data (data) + from, self->held), 0);
    }
    return from - self->held;
}

/*  Sends until nothing was taken for a while, or all is: how much. */
static size_t
client_send (struct client *self, const struct buffer *data, size_t from, int patience)
{
    if (self->tls)
        return client_send_tls (self, data, from, patience);
    while (from < buffer_size (data)) {
        if (!client_waits (self, POLLOUT, patience))
            break;
        ssize_t count = send (self->fd, buffer_data (data) + from, buffer_size (data) - from,
                              MSG_NOSIGNAL | MSG_DONTWAIT);
        if (count < 0 && errno != EAGAIN)
            break;
        from += count > 0 ? (size_t) count : 0;
    }
    return from;
}

/*  More of what came: 0 at the end, or when it was cut off. */
static size_t
client_read (struct client *self)
{
    void *room = buffer_reserve (&self->in, 65536);
    int64_t count;
    if (!self->tls) {
        if (!client_waits (self, POLLIN, WAIT_MS))
            fail_msg ("nothing came");
        count = recv (self->fd, room, 65536, 0);
    } else
        while ((count = tls_read (self->tls, room, 65536)) == WEFT_EAGAIN)
            if (!client_waits (self, POLLIN, WAIT_MS))
                fail_msg ("nothing came");
    return count > 0 ? (size_t) count : 0;
}

/*  Connects, and waits for the answer to its hello. */
static struct client
client_open (void)
{
    struct client self = client_connect ();
    if (!how->hello)
        return self;
    struct buffer hello;
    const char *end = NULL;
    buffer_init (&hello, 0);
    buffer_add_str (&hello, how->hello);
    assert_int_equal (client_send (&self, &hello, 0, WAIT_MS), buffer_size (&hello));
    buffer_free (&hello);
    while (!end) {
        buffer_wrote (&self.in, client_read (&self));
        end = memmem (buffer_data (&self.in), buffer_size (&self.in), "\r\n\r\n", 4);
    }
    buffer_consume (&self.in, (size_t) (end - buffer_data (&self.in)) + 4);
    return self;
}

static void
client_say (struct client *self, const char *text)
{
    struct buffer data;
    buffer_init (&data, 0);
    how->write (&data, text, strlen (text));
    assert_int_equal (client_send (self, &data, 0, WAIT_MS), buffer_size (&data));
    buffer_free (&data);
}

/*  The next message as text; NULL: the connection has ended. */
static const char *
client_hear (struct client *self)
{
    static char text[256];
    for (;;) {
        const char *data;
        size_t used;
        long size = buffer_size (&self->in) ? how->read (&self->in, &data, &used) : -1;
        if (size >= 0) {
            snprintf (text, sizeof text, "%.*s", (int) size, data);
            buffer_consume (&self->in, used);
            return text;
        }
        size_t count = client_read (self);
        if (count == 0)
            return NULL;
        buffer_wrote (&self->in, count);
    }
}

static void
client_expect (struct client *self, const char *text)
{
    const char *heard = client_hear (self);
    if (!heard || strcmp (heard, text))
        fail_msg ("got \"%s\" for \"%s\"", heard ? heard : "(the end)", text);
}

/*  Of a connection. */
static void
client_expect_end (struct client *self)
{
    if (!how->datagram)
        assert_null (client_hear (self));
}

/*  Messages that are numbers, from `first` on. */
static void
write_numbers (struct buffer *data, int first, int count)
{
    char text[32];
    for (int i = first; i < first + count; i++)
        how->write (data, text, (size_t) snprintf (text, sizeof text, "%d", i));
}

/* ----------------------------------------------------------------------- the fabric */

static void
expect_numbers (weft_socket_t *socket, int first, int count)
{
    char text[32];
    for (int i = first; i < first + count; i++) {
        snprintf (text, sizeof text, "%d", i);
        expect_text (socket, text);
    }
}

static weft_socket_t *
bound (const char *pattern, const char *options)
{
    return fabric = open_bound (pattern, options, FABRIC);
}

static weft_socket_t *
connected (const char *pattern, const char *options)
{
    return fabric = open_connected (pattern, options, FABRIC);
}

/*  Answers with what was asked. */
static void
echo (weft_socket_t *rep, int count)
{
    weft_msg_t msg;
    weft_msg_init (&msg);
    for (int i = 0; i < count; i++) {
        if (weft_recv (rep, &msg, 0) || weft_send (rep, &msg, 0))
            fail_msg ("%s", weft_error ());
    }
    weft_msg_clear (&msg);
}

/* ------------------------------------------------------------------------- the suite */

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
a_peer_that_goes_within_a_message_leaves_the_others_alone (void **state)
{
    (void) state;
    struct buffer data;
    weft_socket_t *pull = bound ("pull", "timeout=20s");
    start (NULL, "push=" FABRIC);
    struct client stays = client_open ();
    buffer_init (&data, 0);
    how->write (&data, "whole", 5);
    size_t whole = buffer_size (&data);
    how->write (&data, "in the middle", 13);
    buffer_cut (&data, whole + (buffer_size (&data) - whole) / 2);
    for (int i = 0; i < 50; i++) {
        struct client goes = client_open ();
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
    struct client client = client_open ();
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
    struct client fits = client_open (), over = client_open ();
    memset (body, 'x', sizeof body);
    body[101] = '\0';
    client_say (&over, body);
    client_expect_end (&over);
    body[100] = '\0';
    client_say (&fits, body);
    expect_text (pull, body);
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
    snprintf (first, sizeof first, "%s", address);
    for (int i = 0; i < 3; i++) {
        struct client client = client_open ();
        client_say (&client, "here");
        expect_text (pull, "here");
        stop ();
        client_expect_end (&client);
        client_close (&client);
        start (first, "push=" FABRIC " linger=100ms");
    }
    stop ();
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

/*  What was counted as taken arrives, and it is the beginning of what was sent, without a gap. */
static void
the_end_loses_nothing_that_was_taken (void **state)
{
    (void) state;
    struct buffer data;
    weft_socket_t *pull = bound ("pull", "timeout=20s hwm=100");
    start (NULL, "push=" FABRIC " hwm=100 linger=200ms");
    struct client client = client_open ();
    buffer_init (&data, 0);
    write_numbers (&data, 0, 400000);
    assert_true (client_send (&client, &data, 0, 200) > 0);
    expect_numbers (pull, 0, 1000);
    eventfd_write (stop_fd, 1);
    stop ();
    assert_true (counters.in >= 1000);
    assert_true (counters.in < 400000);
    assert_int_equal (counters.waiting, 1);
    expect_numbers (pull, 1000, (int) counters.in - 1000);
    expect_error (pull, WEFT_EAGAIN, WEFT_DONTWAIT);
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
    struct client client = client_open ();
    client_say (&client, "one");
    weft_msg_init (&msg);
    assert_int_equal (weft_recv (rep, &msg, 0), 0);
    eventfd_write (stop_fd, 1);
    assert_int_equal (weft_send (rep, &msg, 0), 0);
    client_expect (&client, "one");
    client_expect_end (&client);
    client_close (&client);
    stop ();
    assert_int_equal (counters.unanswered + counters.orphaned, 0);
}

/* ---------------------------------------------------------------- datagrams, each a message */

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
    struct client client = client_open ();
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
    struct client one = client_open (), two = client_open ();
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
    struct client client = client_open ();
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
    struct client client = client_open ();
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

#define test(name) cmocka_unit_test_setup_teardown (name, zmq_setup, teardown)

const struct CMUnitTest conformance_tests[] = {
    test (order_is_kept),
    test (nothing_is_lost_when_the_fabric_stalls),
    test (a_slow_reader_gets_all),
    test (a_peer_that_goes_within_a_message_leaves_the_others_alone),
    test (after_a_half_close_the_replies_still_come),
    test (size_is_limited),
    test (it_comes_back_at_its_address),
    test (a_thousand_connections_are_served),
    test (the_end_loses_nothing_that_was_taken),
    test (what_was_asked_before_the_end_is_answered),
};
_Static_assert (sizeof conformance_tests / sizeof conformance_tests[0] == CONFORMANCE_TESTS, "as many as are told");

const struct CMUnitTest conformance_datagram_tests[] = {
    test (size_is_limited),
    test (it_comes_back_at_its_address),
    test (a_thousand_connections_are_served),
    test (what_was_asked_before_the_end_is_answered),
    test (datagrams_come_in_order),
    test (the_socket_keeps_what_the_fabric_has_no_room_for),
    test (an_empty_datagram_is_a_message),
    test (replies_wait_for_no_other),
};
_Static_assert (sizeof conformance_datagram_tests / sizeof conformance_datagram_tests[0] == CONFORMANCE_DATAGRAM_TESTS,
                "as many as are told");
