/*  conformance_client.c - a plain client of the suite: over TCP, TLS, a Unix socket, or UDP */

#include "tests/conformance_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

static struct tls_config client_tls;
static struct tls_context *client_context;

void
client_forget_tls (void)
{
    tls_context_destroy (&client_context);
}

bool
client_waits (struct client *self, short events, int patience)
{
    struct pollfd wait = { .fd = self->fd, .events = events };
    return poll (&wait, 1, patience) == 1;
}

void
client_read_on (struct client *self)
{
    int64_t count;
    do {
        void *room = buffer_reserve (&self->in, 65536);
        count = self->tls ? tls_read (self->tls, room, 65536) : recv (self->fd, room, 65536, MSG_DONTWAIT);
        buffer_wrote (&self->in, count > 0 ? (size_t) count : 0);
    } while (count > 0);
}

/*  May it send, within so much time? */
static bool
client_may_send (struct client *self, int patience)
{
    bool reads = how->acknowledges && self->mode == MODE_PUSH && !self->deaf;
    struct pollfd wait = { .fd = self->fd, .events = (short) (POLLOUT | (reads ? POLLIN : 0)) };
    while (poll (&wait, 1, patience) == 1) {
        if (wait.revents & POLLIN)
            client_read_on (self);
        if (wait.revents & ~POLLIN)
            return true;
    }
    return false;
}

/*  What TLS has to send: true when all of it has gone. */
static bool
client_flush (struct client *self, int patience)
{
    struct buffer *wire = tls_wire (self->tls);
    while (buffer_size (wire)) {
        if (!client_may_send (self, patience))
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
    assert_int_equal (address_parse (&to, bridge_address, false), 0);
    assert_int_equal (address_resolve (&to, &found), 0);
    self.fd = socket (found.ss_family, (how->datagram ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC, 0);
    assert_true (self.fd >= 0);
    assert_int_equal (connect (self.fd, (struct sockaddr *) &found, address_size (&found)), 0);
    if (found.ss_family == AF_INET && !how->datagram)   /*  else each handshake of TLS waits for an acknowledgement */
        assert_int_equal (setsockopt (self.fd, IPPROTO_TCP, TCP_NODELAY, &(int) { 1 }, sizeof (int)), 0);
    buffer_init (&self.in, 0);
    if (how->ca)
        client_shake (&self);
    return self;
}

void
client_close (struct client *self)
{
    tls_destroy (&self->tls);
    close (self->fd);
    buffer_free (&self->in);
}

void
client_end (struct client *self)
{
    if (self->tls) {
        tls_finish (self->tls);
        assert_true (client_flush (self, WAIT_MS));
    }
    shutdown (self->fd, SHUT_WR);
}

void
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

size_t
client_send (struct client *self, const struct buffer *data, size_t from, int patience)
{
    if (self->tls)
        return client_send_tls (self, data, from, patience);
    while (from < buffer_size (data)) {
        if (!client_may_send (self, patience))
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

struct client
client_open (enum adapter_mode mode)
{
    struct client self = client_connect ();
    const char *words = how->hello ? how->hello (mode) : NULL;
    self.mode = mode;
    if (!words)
        return self;
    struct buffer hello;
    const char *end = NULL;
    buffer_init (&hello, 0);
    buffer_add_str (&hello, words);
    assert_int_equal (client_send (&self, &hello, 0, WAIT_MS), buffer_size (&hello));
    buffer_free (&hello);
    while (!end) {
        buffer_wrote (&self.in, client_read (&self));
        end = memmem (buffer_data (&self.in), buffer_size (&self.in), "\r\n\r\n", 4);
    }
    buffer_consume (&self.in, (size_t) (end - buffer_data (&self.in)) + 4);
    return self;
}

void
client_say (struct client *self, const char *text)
{
    struct buffer data;
    buffer_init (&data, 0);
    how->write (&data, self->mode, text, strlen (text));
    assert_int_equal (client_send (self, &data, 0, WAIT_MS), buffer_size (&data));
    buffer_free (&data);
}

/*  Up to the next message, or that so many were taken (0: never mind). */
static const char *
hear_on (struct client *self, int wanted)
{
    static char text[256];
    for (;;) {
        const char *data;
        size_t used;
        long size = buffer_size (&self->in) ? how->read (&self->in, &data, &used) : READ_MORE;
        if (size == READ_MORE) {
            size_t count = client_read (self);
            if (count == 0)
                return NULL;
            buffer_wrote (&self->in, count);
            continue;
        }
        self->taken += size == READ_TAKEN;
        self->refused += size == READ_REFUSED;
        if (size >= 0)
            snprintf (text, sizeof text, "%.*s", (int) size, data);
        buffer_consume (&self->in, used);
        if (size >= 0 || (wanted && self->taken == wanted))
            return text;
    }
}

const char *
client_hear (struct client *self)
{
    return hear_on (self, 0);
}

void
client_expect_taken (struct client *self, int count)
{
    if (!how->acknowledges)
        return;
    if (self->taken < count)
        hear_on (self, count);
    if (self->taken != count || self->refused)
        fail_msg ("of %d messages %d are said to be taken, and %d refused", count, self->taken, self->refused);
}

void
client_expect (struct client *self, const char *text)
{
    const char *heard = client_hear (self);
    if (!heard || strcmp (heard, text))
        fail_msg ("got \"%s\" for \"%s\"", heard ? heard : "(the end)", text);
}

void
client_expect_end (struct client *self)
{
    if (!how->datagram)
        assert_null (client_hear (self));
}

void
client_expect_numbers (struct client *self, weft_socket_t *socket, int first, int count)
{
    enum { STEP = 500 };
    for (; count > 0; first += STEP, count -= STEP) {
        expect_numbers (socket, first, count < STEP ? count : STEP);
        if (how->acknowledges)
            client_read_on (self);
    }
}
