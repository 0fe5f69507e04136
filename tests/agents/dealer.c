/*  dealer.c - a DEALER of ZMTP 3.0 in clear text on a socket of its own: RFC 23 */

#include "tests/agents/dealer.h"

#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/error.h"

#define GREETING 64
#define FRAME_MAX (64 << 20)
#define WAITING_MAX (1 << 20)
#define READ_SIZE 65536

enum { MORE = 1, LONG = 2, COMMAND = 4 };

static int dealer_send (struct wire *wire, weft_msg_t *msg, int64_t timeout);

static const struct wire_engine dealer_engine = { .name = "dealer", .send = dealer_send };

void
dealer_init (struct dealer *self)
{
    memset (self, 0, sizeof *self);
    self->wire = (struct wire) { .engine = &dealer_engine, .type = WIRE_DEALER };
    self->fd = -1;
    buffer_init (&self->in, 0);
    buffer_init (&self->out, 0);
}

void
dealer_free (struct dealer *self)
{
    dealer_close (self, false, false);
    buffer_free (&self->in);
    buffer_free (&self->out);
}

/* --------------------------------------------------------------------- sending */

static int
put_frame (struct dealer *self, int flags, const void *data, size_t size)
{
    unsigned char head[9] = { (unsigned char) flags, (unsigned char) size };
    uint64_t length = htobe64 (size);
    if (size > 255) {
        head[0] |= LONG;
        memcpy (head + 1, &length, sizeof length);
    }
    int rc = buffer_add (&self->out, head, size > 255 ? 9 : 2);
    return rc ? rc : buffer_add (&self->out, data, size);
}

static int
dealer_send (struct wire *wire, weft_msg_t *msg, int64_t timeout)
{
    struct dealer *self = (struct dealer *) wire;
    (void) timeout;
    if (!self->ready)
        return error_plain (WEFT_ENOPEER);
    if (buffer_size (&self->out) >= WAITING_MAX)
        return error_plain (WEFT_EAGAIN);
    int rc = put_frame (self, 0, weft_msg_data (msg, 0), weft_msg_size (msg, 0));
    if (rc == 0)
        weft_msg_clear (msg);
    return rc;
}

int
dealer_write (struct dealer *self)
{
    self->full = false;
    while (self->fd >= 0 && buffer_size (&self->out)) {
        ssize_t sent = send (self->fd, buffer_data (&self->out), buffer_size (&self->out), MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0 && errno == EAGAIN) {
            self->full = true;
            return 0;
        }
        if (sent < 0)
            return error_plain (WEFT_ENOPEER);
        buffer_consume (&self->out, (size_t) sent);
    }
    return 0;
}

/* -------------------------------------------------------------- coming and going */

static int
say_who (struct dealer *self, const char *identity)
{
    char greeting[GREETING] = { [0] = (char) 0xff, [9] = 0x7f, [10] = 3 };
    char ready[300] = "\5READY\13Socket-Type\0\0\0\6DEALER\10Identity\0\0\0";
    size_t at = 1 + 5 + 1 + 11 + 4 + 6 + 1 + 8 + 3, size = strlen (identity);
    memcpy (greeting + 12, "NULL", 4);
    ready[at] = (char) size;
    memcpy (ready + at + 1, identity, size);
    int rc = buffer_add (&self->out, greeting, sizeof greeting);
    rc = rc ? rc : put_frame (self, COMMAND, ready, at + 1 + size);
    return rc ? rc : dealer_write (self);
}

static int
open_socket (const struct endpoint *endpoint)
{
    struct sockaddr_un path = { .sun_family = AF_UNIX };
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons ((uint16_t) endpoint->port) };
    bool ipc = endpoint->transport == ENDPOINT_IPC;
    int fd = socket (ipc ? AF_UNIX : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
    if (fd < 0)
        return error_errno ("socket");
    snprintf (path.sun_path, sizeof path.sun_path, "%.107s", endpoint->path);
    inet_pton (AF_INET, endpoint->host, &address.sin_addr);
    const struct sockaddr *to = ipc ? (void *) &path : (void *) &address;
    if (connect (fd, to, ipc ? sizeof path : sizeof address)) {
        close (fd);
        return error_plain (WEFT_ENOPEER);
    }
    if (!ipc)
        setsockopt (fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return fd;
}

int
dealer_connect (struct dealer *self, const struct endpoint *endpoint, const char *identity)
{
    self->fd = open_socket (endpoint);
    if (self->fd < 0)
        return self->fd;
    self->greeted = self->ready = self->full = self->watched = false;
    buffer_clear (&self->in);
    buffer_clear (&self->out);
    return say_who (self, identity);
}

void
dealer_close (struct dealer *self, bool within, bool reset)
{
    static const unsigned char half[] = { LONG, 0, 0, 0, 0, 0, 0, 2, 0, 'h', 'a', 'l', 'f' };
    struct linger none = { .l_onoff = 1, .l_linger = 0 };
    if (self->fd < 0)
        return;
    if (within && self->ready && !buffer_size (&self->out))
        send (self->fd, half, sizeof half, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (reset)
        setsockopt (self->fd, SOL_SOCKET, SO_LINGER, &none, sizeof none);
    close (self->fd);
    self->fd = -1;
    self->ready = false;
}

/* -------------------------------------------------------------------- receiving */

int
dealer_read (struct dealer *self)
{
    for (;;) {
        char *room = buffer_reserve (&self->in, READ_SIZE);
        ssize_t got = room ? recv (self->fd, room, READ_SIZE, MSG_DONTWAIT) : -1;
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0 && errno == EAGAIN)
            return 0;
        if (got <= 0)
            return error_plain (WEFT_ENOPEER);
        buffer_wrote (&self->in, (size_t) got);
        if (got < READ_SIZE)
            return 0;
    }
}

static int
take_command (struct dealer *self, const char *data, size_t size)
{
    if (size >= 6 && memcmp (data, "\5READY", 6) == 0)
        self->ready = true;
    else if (size >= 7 && memcmp (data, "\4PING", 5) == 0) {
        char pong[32] = "\4PONG";
        size_t context = size - 7 < 16 ? size - 7 : 16;
        memcpy (pong + 5, data + 7, context);
        return put_frame (self, COMMAND, pong, 5 + context);
    }
    else if (size < 6 || memcmp (data, "\5ERROR", 6) == 0)
        return error_set (WEFT_EPROTO, "the head has sent an error");
    return 0;
}

/*  The next frame: 1, 0 for none yet. Nothing moves in the buffer before it is read again. */
static int
next_frame (struct dealer *self, int *flags, const char **data, size_t *size)
{
    const unsigned char *head = (void *) buffer_data (&self->in);
    size_t left = buffer_size (&self->in);
    if (left < 2)
        return 0;
    size_t before = head[0] & LONG ? 9 : 2;
    uint64_t length = head[1];
    if (before == 9 && left >= 9) {
        memcpy (&length, head + 1, sizeof length);
        length = be64toh (length);
    }
    if (left < before || (length <= FRAME_MAX && left - before < length))
        return 0;
    if (length > FRAME_MAX || head[0] & MORE)
        return error_set (WEFT_EPROTO, "a head's message is one frame of a bearable size");
    *flags = head[0];
    *data = (const char *) head + before;
    *size = length;
    buffer_consume (&self->in, before + length);   /*  moves nothing  */
    return 1;
}

int
dealer_next (struct dealer *self, const char **data, size_t *size)
{
    int flags = 0, rc;
    if (!self->greeted) {
        if (buffer_size (&self->in) < GREETING)
            return 0;
        buffer_consume (&self->in, GREETING);
        self->greeted = true;
    }
    while ((rc = next_frame (self, &flags, data, size)) == 1) {
        if (!(flags & COMMAND))
            return 1;
        if ((rc = take_command (self, *data, *size)))
            return rc;
    }
    return rc;
}
