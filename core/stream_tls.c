/*  stream_tls.c - one byte stream inside of TLS: its handshake, and bytes in and out of it */

#include <errno.h>
#include <sys/socket.h>

#include "core/error.h"
#include "core/stream_parts.h"

#define WIRE_FULL (64 * 1024)       /*  so much is encrypted before it is sent in one go                */

void
stream_tls_shake (struct stream *self)
{
    int rc = tls_handshake (self->tls);
    if (rc && rc != WEFT_EAGAIN) {
        /*  The peer is told why, if there is room; the words are kept, which writing may lose. */
        struct buffer *wire = tls_wire (self->tls);
        if (buffer_size (wire))
            send (self->fd, buffer_data (wire), buffer_size (wire), MSG_NOSIGNAL);
        stream_close (self, rc);
        return;
    }
    if (rc == 0) {
        self->state = STREAM_OPEN;
        self->active = self->moved = reactor_now (self->reactor);
        self->more = true;              /*  it may have come with the handshake's last bytes */
        reactor_defer (self->reactor, &self->task);
    }
    if (!self->blocked)
        stream_flush (self);
    if (self->state == STREAM_OPEN)
        self->maker->ready (self->made_by, self);
}

ssize_t
stream_tls_receive (struct stream *self, void *room, size_t size)
{
    size_t have = 0, before = stream_unsent (self);
    int64_t count = 1;
    while (have < size && (count = tls_read (self->tls, (char *) room + have, size - have)) > 0)
        have += (size_t) count;
    self->more = have > 0 && count != WEFT_EAGAIN;
    if (stream_unsent (self) > before) {                /*  TLS has to answer */
        self->moved = before ? self->moved : reactor_now (self->reactor);
        reactor_defer (self->reactor, &self->task);
    }
    if (have > 0)
        return (ssize_t) have;
    if (count == WEFT_ENOPEER && self->state == STREAM_FINISHING)
        return 0;
    if (count < 0 && count != WEFT_EAGAIN)
        stream_close (self, (int) count);
    errno = EAGAIN;
    return count < 0 ? -1 : 0;
}

bool
stream_tls_encrypt (struct stream *self)
{
    struct buffer *wire = tls_wire (self->tls);
    size_t size = buffer_size (&self->out);
    if (size == 0 || buffer_size (wire) || self->state == STREAM_SHAKING)
        return true;
    size = size < WIRE_FULL ? size : WIRE_FULL;
    int rc = tls_write (self->tls, buffer_data (&self->out), size);
    if (rc) {
        stream_close (self, rc);
        return false;
    }
    stream_consumed (self, size);
    self->in_wire = true;
    return true;
}
