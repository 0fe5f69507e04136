/*  stream_read.c - one byte stream: reading as fast as its owner takes it */

#include <errno.h>
#include <sys/socket.h>

#include "core/error.h"
#include "core/stream_parts.h"

/*  A message, or a record of TLS around one, is there in part. `some`: others before it were taken. */
static void
look_whether_begun (struct stream *self, size_t rest, bool some)
{
    bool begun = !self->paused && (rest > 0 || (self->tls && tls_has_begun (self->tls)));
    if (begun && (some || !self->begun))
        self->begun_at = reactor_now (self->reactor);
    self->begun = begun;
}

/*  What a client of TLS says first, to a server who speaks clear text: a record of a handshake, a ClientHello of less
 *  than 64K, the version that all say there. */
static bool
is_client_hello (const unsigned char *data, size_t size)
{
    return size >= 11 && data[0] == 0x16 && data[1] == 3 && data[2] <= 3 && data[5] == 1 && data[6] == 0 && data[9] == 3
           && data[10] == 3;
}

/*  Gives the owner what it has not taken, and keeps the rest: `data` is what is kept, or the scratch. */
static void
offer (struct stream *self, const unsigned char *data, size_t size)
{
    bool kept = buffer_size (&self->in) > 0;
    int64_t taken = self->handler->data (self->arg, self, data, size);
    if (self->state != STREAM_OPEN)
        return;
    if (taken < 0) {
        stream_close (self, (int) taken);
        return;
    }
    self->taken |= taken > 0;
    if (!self->taken && !self->paused && !self->tls && is_client_hello (data, size)) {
        stream_close (self, error_set (WEFT_EPROTO, "it speaks TLS, and here is clear text (--tls)"));
        return;
    }
    size_t rest = size - (size_t) taken;
    int rc = 0;
    if (kept)
        buffer_consume (&self->in, (size_t) taken);
    else if (rest)
        rc = buffer_add (&self->in, data + taken, rest);
    if (rest == 0)
        buffer_free (&self->in);
    if (rc == 0 && !self->paused && rest >= (size_t) self->config->in_max)
        rc = error_set (WEFT_ETOOBIG, "a message of more than %lld bytes", (long long) self->config->in_max);
    if (rc) {
        stream_close (self, rc);
        return;
    }
    look_whether_begun (self, rest, taken > 0);
}

static void
tell_end (struct stream *self)
{
    if (!self->ended || self->end_told || self->paused || self->state != STREAM_OPEN)
        return;
    self->begun = false;
    const void *rest = buffer_size (&self->in) ? buffer_data (&self->in) : NULL;
    int rc = self->handler->ended (self->arg, self, rest, buffer_size (&self->in));
    if (rc == WEFT_EAGAIN && self->paused)
        return;
    self->end_told = true;
    if (self->state == STREAM_OPEN && rc)
        stream_close (self, rc);
    buffer_free (&self->in);
}

/*  Reads once: what is left is told again, and others have their turn. 1, 0 for the end, negative when broken or
 *  when there is nothing. */
static ssize_t
read_once (struct stream *self)
{
    unsigned char *room = reactor_scratch (self->reactor);
    size_t size = REACTOR_SCRATCH;
    bool keep = buffer_size (&self->in) > 0 && self->state == STREAM_OPEN;
    if (keep) {
        size = STREAM_READ_MORE;
        room = (unsigned char *) buffer_reserve (&self->in, size);
        if (!room) {
            stream_close (self, WEFT_ENOMEM);
            return -1;
        }
    }
    ssize_t count = self->tls ? stream_tls_receive (self, room, size) : recv (self->fd, room, size, 0);
    if (count < 0 && errno != EAGAIN && errno != EINTR)
        stream_broken (self, "reading");
    if (count < 0 && self->tls && self->state == STREAM_OPEN)
        look_whether_begun (self, buffer_size (&self->in), false);
    if (count <= 0)
        return count;
    self->active = reactor_now (self->reactor);
    if (keep) {
        buffer_wrote (&self->in, (size_t) count);
        offer (self, (unsigned char *) buffer_data (&self->in), buffer_size (&self->in));
    } else if (self->state == STREAM_OPEN)
        offer (self, room, (size_t) count);
    return count;
}

void
stream_read_rest (struct stream *self)
{
    read_once (self);
}

void
stream_take_input (struct stream *self)
{
    ssize_t count = read_once (self);
    if (self->more && self->state != STREAM_CLOSED)
        reactor_defer (self->reactor, &self->task);
    if (count != 0)
        return;
    self->ended = true;                 /*  of a finishing one, too, the rest still goes out */
    tell_end (self);
}

/*  After stream_resume. */
void
stream_offer_again (struct stream *self)
{
    self->offer = false;
    if (self->state != STREAM_OPEN || self->paused)
        return;
    if (buffer_size (&self->in))
        offer (self, (unsigned char *) buffer_data (&self->in), buffer_size (&self->in));
    tell_end (self);
}
