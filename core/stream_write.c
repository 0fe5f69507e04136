/*  stream_write.c - one byte stream: writing as much as a bound allows */

#include <errno.h>
#include <string.h>

#include "core/error.h"
#include "core/stream_parts.h"

#define WRITE_EAGER (128 * 1024)    /*  so much that is queued goes out before the end of the round */

size_t
stream_unsent (const struct stream *self)
{
    return buffer_size (&self->out) + (self->tls ? buffer_size (tls_wire (self->tls)) : 0);
}

void
stream_consumed (struct stream *self, size_t count)
{
    buffer_consume (&self->out, count);
    self->first_sent += count;
    self->kept -= count < self->kept ? count : self->kept;
    uint32_t first;
    while (buffer_size (&self->marks)) {
        memcpy (&first, buffer_data (&self->marks), sizeof first);
        if (self->first_sent < first)
            break;
        self->first_sent -= first;
        buffer_consume (&self->marks, sizeof first);
    }
}

/*  To the system, from the queue or from what TLS has made of it. False: closed, or it takes no more. */
static bool
send_some (struct stream *self, struct buffer *wire)
{
    ssize_t count = send (self->fd, buffer_data (wire), buffer_size (wire), MSG_NOSIGNAL);
    if (count < 0 && errno == EINTR)
        return true;
    if (count < 0 && errno != EAGAIN) {
        stream_broken (self, "writing");
        return false;
    }
    if (count > 0) {
        if (self->tls)
            buffer_consume (wire, (size_t) count);
        else
            stream_consumed (self, (size_t) count);
        self->moved = self->active = reactor_now (self->reactor);
    }
    self->blocked = buffer_size (wire) > 0;
    return !self->blocked;
}

void
stream_flush (struct stream *self)
{
    struct buffer *wire = self->tls ? tls_wire (self->tls) : &self->out;
    while (!self->blocked && stream_unsent (self)) {
        if (self->tls && !stream_tls_encrypt (self))
            return;
        if (buffer_size (wire) == 0)
            break;
        if (!send_some (self, wire) && self->state == STREAM_CLOSED)
            return;
    }
    if (buffer_size (wire) == 0) {
        buffer_free (wire);
        self->in_wire = false;
    }
    if (buffer_size (&self->out) == 0) {
        buffer_free (&self->out);
        buffer_free (&self->marks);
        self->first_sent = 0;
    }
    stream_arm (self);
}

void
stream_tell_drained (struct stream *self)
{
    if (!self->refused || buffer_size (&self->out) > (size_t) self->config->out_max / 2 || self->state != STREAM_OPEN)
        return;
    self->refused = false;
    if (self->handler->drained)
        self->handler->drained (self->arg, self);
}

size_t
stream_queued (const struct stream *self)
{
    return stream_unsent (self);
}

bool
stream_is_full (const struct stream *self)
{
    return buffer_size (&self->out) >= (size_t) self->config->out_max;
}

int
stream_write_last (struct stream *self, const struct stream_part *parts, size_t count)
{
    size_t size = 0, before = buffer_size (&self->out);
    for (size_t i = 0; i < count; i++)
        size += parts[i].size;
    if (self->state != STREAM_OPEN)
        return error_plain (WEFT_ESTATE);
    if (size == 0)
        return 0;
    uint32_t mark = (uint32_t) size;
    int rc = size > UINT32_MAX ? error_set (WEFT_ETOOBIG, "a write of %zu bytes", size) : 0;
    if (rc == 0 && self->config->keep_marks)
        rc = buffer_add (&self->marks, &mark, sizeof mark);
    if (rc)
        return rc;
    for (size_t i = 0; i < count && rc == 0; i++)
        rc = buffer_add (&self->out, parts[i].data, parts[i].size);
    if (rc) {
        buffer_cut (&self->out, before);
        if (self->config->keep_marks)
            buffer_cut (&self->marks, buffer_size (&self->marks) - sizeof mark);
        return rc;
    }
    if (stream_unsent (self) == size)
        self->moved = reactor_now (self->reactor);
    if (buffer_size (&self->out) >= WRITE_EAGER && !self->blocked)
        stream_flush (self);
    self->refused |= stream_is_full (self);
    reactor_defer (self->reactor, &self->task);
    return 0;
}

int
stream_write_parts (struct stream *self, const struct stream_part *parts, size_t count)
{
    if (self->state == STREAM_OPEN && stream_is_full (self)) {
        self->refused = true;
        return error_plain (WEFT_EAGAIN);
    }
    return stream_write_last (self, parts, count);
}

int
stream_write (struct stream *self, const void *data, size_t size)
{
    const struct stream_part part = { data, size };
    return stream_write_parts (self, &part, 1);
}

void
stream_keep (struct stream *self)
{
    self->kept = buffer_size (&self->out);
}

size_t
stream_drop_oldest (struct stream *self, size_t size, void (*told) (void *arg, const void *data, size_t size),
                    void *arg)
{
    if (buffer_size (&self->marks) == 0)
        return 0;
    size_t limit = (size_t) self->config->out_max, want = size > limit / 4 ? size : limit / 4;
    size_t marks = buffer_size (&self->marks) / sizeof (uint32_t), dropped = 0, bytes = 0;
    char *sizes = buffer_data (&self->marks), *out = buffer_data (&self->out);
    uint32_t first = 0, each;
    if (marks && self->first_sent)
        memcpy (&first, sizes, sizeof first);
    size_t stays = first ? first - self->first_sent : 0, from = first ? 1 : 0;
    for (; from < marks && stays < self->kept; from++, stays += each)
        memcpy (&each, sizes + from * sizeof each, sizeof each);
    while (from + dropped < marks && bytes < want) {
        memcpy (&each, sizes + (from + dropped++) * sizeof each, sizeof each);
        bytes += each;
    }
    if (told && bytes)
        told (arg, out + stays, bytes);
    memmove (out + stays, out + stays + bytes, buffer_size (&self->out) - stays - bytes);
    buffer_cut (&self->out, buffer_size (&self->out) - bytes);
    memmove (sizes + from * sizeof each, sizes + (from + dropped) * sizeof each,
             (marks - from - dropped) * sizeof each);
    buffer_cut (&self->marks, (marks - dropped) * sizeof each);
    return dropped;
}
