/*  datagram_write.c - what goes out of a UDP socket: queued, and sent many in one system call */

#include <errno.h>
#include <string.h>

#include "core/datagram_parts.h"
#include "core/error.h"
#include "core/stream.h"
#include "weft.h"

/*  What stands in the queue before the bytes of each. */
struct queued {
    uint32_t size;
    socklen_t address_size;                 /*  0: the socket is connected  */
    union {
        struct sockaddr any;
        struct sockaddr_in four;
        struct sockaddr_in6 six;
    } address;
};

/*  From the front of the queue, or from `at` on. */
static struct queued
queued_at (const struct datagram *self, size_t at)
{
    struct queued found;
    memcpy (&found, buffer_data (&self->out) + at, sizeof found);
    return found;
}

uint64_t
datagram_queued (const struct datagram *self)
{
    uint64_t count = 0;
    for (size_t at = 0; at < buffer_size (&self->out); count++)
        at += sizeof (struct queued) + queued_at (self, at).size;
    return count;
}

/* --------------------------------------------------------------------------- sending */

/*  The first one cannot be sent, and would stand in the way of all. */
static void
drop_first (struct datagram *self)
{
    int number = errno;
    self->counters.unsent++;
    datagram_tell (self, TOLD_UNSENT, "%s: %s", self->text,
                   number == ECONNREFUSED ? "nobody listens there" : strerror (number));
    if (number != ECONNREFUSED)             /*  which is about one that went before */
        buffer_consume (&self->out, sizeof (struct queued) + queued_at (self, 0).size);
}

/*  As many as one call takes: how many bytes of the queue have gone; negative with errno. */
static ssize_t
send_some (struct datagram *self)
{
    struct queued heads[BATCH];
    struct iovec parts[BATCH];
    struct mmsghdr headers[BATCH];
    size_t at = 0, gone = 0;
    unsigned count = 0;
    for (; count < BATCH && at < buffer_size (&self->out); count++) {
        struct queued *head = &heads[count];
        *head = queued_at (self, at);
        parts[count] = (struct iovec) { buffer_data (&self->out) + at + sizeof *head, head->size };
        headers[count] = (struct mmsghdr) { .msg_hdr = { .msg_iov = &parts[count], .msg_iovlen = 1,
                                                         .msg_name = head->address_size ? &head->address : NULL,
                                                         .msg_namelen = head->address_size } };
        at += sizeof *head + head->size;
    }
    int sent = sendmmsg (self->fd, headers, count, MSG_NOSIGNAL | MSG_DONTWAIT);
    for (int i = 0; i < sent; i++)
        gone += sizeof heads[i] + heads[i].size;
    return sent < 0 ? -1 : (ssize_t) gone;
}

void
datagram_flush (struct datagram *self)
{
    while (buffer_size (&self->out) && !self->blocked && self->fd >= 0) {
        ssize_t gone = send_some (self);
        if (gone > 0)
            buffer_consume (&self->out, (size_t) gone);
        else if (errno == EAGAIN || errno == ENOBUFS)
            self->blocked = true;
        else if (errno != EINTR)
            drop_first (self);
    }
    if (buffer_size (&self->out) == 0)
        buffer_clear (&self->out);
}

void
datagram_tell_drained (struct datagram *self)
{
    if (buffer_size (&self->out) > (size_t) self->config->out_max / 2)
        return;
    struct list due;
    list_init (&due);
    while (!list_empty (&self->refused)) {
        struct list *first = self->refused.next;
        list_remove (first);
        list_append (&due, first);
    }
    while (!list_empty (&due)) {
        struct datagram_source *source = map_entry (due.next, struct datagram_source, refused);
        list_remove (&source->refused);
        self->handler->drained (source->arg);
    }
}

/* -------------------------------------------------------------------------- queueing */

static bool
is_full (const struct datagram *self)
{
    return buffer_size (&self->out) >= (size_t) self->config->out_max;
}

/*  Others at the socket may have filled it: whoever sees that is told, too, when there is room. */
bool
datagram_is_full (struct datagram_source *source)
{
    bool full = is_full (source->socket);
    if (full && source->state != SOURCE_CLOSED && !list_has (&source->refused))
        list_append (&source->socket->refused, &source->refused);
    return full;
}

void
datagram_withhold (struct datagram_source *source)
{
    struct datagram *self = source->socket;
    self->counters.withheld++;
    datagram_tell (self, TOLD_WITHHELD, "%s is not trusted, and gets no more than %lld times the bytes that it sends "
                   "(amplify), nothing unasked: --trust the networks whose addresses nobody forges", source->peer,
                   (long long) self->config->amplify);
}

static int
check (struct datagram_source *source, size_t size)
{
    struct datagram *self = source->socket;
    if (source->state == SOURCE_CLOSED || self->fd < 0)
        return error_plain (WEFT_ESTATE);
    if (size > DATAGRAM_MAX)
        return error_set (WEFT_EINVAL, "a message of %zu bytes, of which a datagram carries %d", size, DATAGRAM_MAX);
    if (datagram_is_full (source))
        return error_plain (WEFT_EAGAIN);
    if (!source->trusted && source->credit < (int64_t) (size + HEADERS)) {
        datagram_withhold (source);
        return error_set (WEFT_ELIMIT, "%s is not trusted, and has not sent enough for so much", source->peer);
    }
    return 0;
}

int
datagram_write (struct datagram_source *source, const struct stream_part *parts, size_t count)
{
    struct datagram *self = source->socket;
    size_t size = 0, before = buffer_size (&self->out);
    for (size_t i = 0; i < count; i++)
        size += parts[i].size;
    int rc = check (source, size);
    if (rc)
        return rc;
    struct queued head = { .size = (uint32_t) size };
    if (!self->dialled || self->to_group) {
        head.address_size = address_size (&source->address);
        memcpy (&head.address, &source->address, head.address_size);
    }
    rc = buffer_add (&self->out, &head, sizeof head);
    for (size_t i = 0; i < count && rc == 0; i++)
        rc = buffer_add (&self->out, parts[i].data, parts[i].size);
    if (rc) {
        buffer_cut (&self->out, before);
        return rc;
    }
    if (!source->trusted)
        source->credit -= (int64_t) (size + HEADERS);
    if (is_full (self) && !self->blocked)
        datagram_flush (self);
    datagram_is_full (source);
    reactor_defer (self->reactor, &self->task);
    return 0;
}

size_t
datagram_drop_oldest (struct datagram_source *source, size_t size)
{
    struct datagram *self = source->socket;
    size_t limit = (size_t) self->config->out_max, want = size > limit / 4 ? size : limit / 4;
    size_t bytes = 0, dropped = 0;
    for (; bytes < want && bytes < buffer_size (&self->out); dropped++)
        bytes += sizeof (struct queued) + queued_at (self, bytes).size;
    buffer_consume (&self->out, bytes);
    return dropped;
}
