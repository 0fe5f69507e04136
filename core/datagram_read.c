/*  datagram_read.c - what comes to a UDP socket: a batch of datagrams in one system call, given out one by one */

#include <errno.h>
#include <linux/sock_diag.h>
#include <stdlib.h>
#include <string.h>

#include "core/datagram_parts.h"
#include "core/error.h"
#include "weft.h"

#define TURN 4                      /*  batches before others have their turn                   */

struct batch {
    struct mmsghdr headers[BATCH];
    struct iovec parts[BATCH];
    struct sockaddr_storage from[BATCH];
    unsigned at, count;             /*  the next to be given out, of so many                    */
    bool passed;                    /*  the next has been held: it was counted already          */
    unsigned char bytes[];
};

int
datagram_batch_new (struct datagram *self)
{
    size_t size = (size_t) self->config->in_max < 65536 ? (size_t) self->config->in_max : 65536;
    struct batch *batch = calloc (1, sizeof *batch + BATCH * size);     /*  what is not used has no memory */
    if (!batch)
        return error_plain (WEFT_ENOMEM);
    for (int i = 0; i < BATCH; i++) {
        batch->parts[i] = (struct iovec) { batch->bytes + (size_t) i * size, size };
        batch->headers[i].msg_hdr = (struct msghdr) { .msg_name = &batch->from[i], .msg_iov = &batch->parts[i],
                                                      .msg_iovlen = 1 };
    }
    self->batch = batch;
    return 0;
}

void
datagram_batch_free (struct datagram *self)
{
    free (self->batch);
    self->batch = NULL;
}

uint64_t
datagram_unread (const struct datagram *self)
{
    return self->batch->count - self->batch->at;
}

void
datagram_forget_kept (struct datagram *self)
{
    self->counters.unread += datagram_unread (self);
    self->batch->at = self->batch->count = 0;
    self->batch->passed = false;
}

/*  Whether what comes is taken: what was dialled may still have to answer when nothing new is begun. */
bool
datagram_is_read (const struct datagram *self)
{
    return !self->held && (!self->stopped || self->dialled) && self->fd >= 0;
}

/* ------------------------------------------------------------------------ giving out */

/*  What the system has thrown away. Told beside each datagram by SO_RXQ_OVFL, and here at once for all. */
uint64_t
datagram_overrun (const struct datagram *self)
{
    uint32_t memory[SK_MEMINFO_VARS] = { 0 };
    socklen_t size = sizeof memory;
    if (self->fd < 0 || getsockopt (self->fd, SOL_SOCKET, SO_MEMINFO, memory, &size) < 0)
        return 0;
    return memory[SK_MEMINFO_DROPS];
}

static bool
fits (struct datagram *self, unsigned index)
{
    const struct msghdr *header = &self->batch->headers[index].msg_hdr;
    if (!(header->msg_flags & MSG_TRUNC))
        return true;
    char peer[ADDRESS_TEXT];
    self->counters.oversize++;
    if (!(self->told & TOLD_OVERSIZE))
        address_text (&self->batch->from[index], peer);
    datagram_tell (self, TOLD_OVERSIZE, "%s sends a datagram of more than %lld bytes (max-size), which is refused",
                   peer, (long long) self->config->in_max);
    return false;
}

/*  False: it has to wait. */
static bool
give_one (struct datagram *self, unsigned index)
{
    struct batch *batch = self->batch;
    size_t size = batch->headers[index].msg_len;
    bool again = batch->passed;
    batch->passed = false;
    if (!fits (self, index))
        return true;
    struct datagram_source *source = datagram_source_of (self, &batch->from[index]);
    if (!source || (!again && !datagram_may_pass (source, size)))
        return true;
    if (self->handler->data (source->arg, batch->parts[index].iov_base, size) != WEFT_EAGAIN)
        return true;
    batch->passed = true;
    return false;
}

void
datagram_give (struct datagram *self)
{
    struct batch *batch = self->batch;
    while (batch->at < batch->count && datagram_is_read (self)) {
        if (!give_one (self, batch->at)) {
            self->held = true;
            return;
        }
        batch->at++;
    }
}

/* --------------------------------------------------------------------------- reading */

/*  The failure of a datagram that we have sent. */
static void
not_sent (struct datagram *self, int number)
{
    self->counters.unsent++;
    datagram_tell (self, TOLD_UNSENT, "%s: %s", self->text,
                   number == ECONNREFUSED ? "nobody listens there" : strerror (number));
}

void
datagram_take_error (struct datagram *self)
{
    int number = 0;
    socklen_t size = sizeof number;
    if (getsockopt (self->fd, SOL_SOCKET, SO_ERROR, &number, &size) == 0 && number)
        not_sent (self, number);
}

/*  How many came; 0 or negative: none. */
static int
fill (struct datagram *self)
{
    struct batch *batch = self->batch;
    batch->at = batch->count = 0;
    for (int i = 0; i < BATCH; i++)
        batch->headers[i].msg_hdr.msg_namelen = sizeof batch->from[i];
    int count = recvmmsg (self->fd, batch->headers, BATCH, MSG_DONTWAIT, NULL);
    if (count < 0 && errno != EAGAIN && errno != EINTR)
        not_sent (self, errno);
    batch->count = count > 0 ? (unsigned) count : 0;
    return count;
}

/*  The system doubles what it grants, and grants less than was asked for without a word. */
static void
tell_overrun (struct datagram *self)
{
    int granted = 0;
    socklen_t size = sizeof granted;
    getsockopt (self->fd, SOL_SOCKET, SO_RCVBUF, &granted, &size);
    bool less = granted < self->config->receive_buffer;
    datagram_tell (self, TOLD_OVERRUN, "%s: datagrams come faster than they are taken, and the system has dropped "
                   "some (receive-buffer%s)", self->text,
                   less ? ", of which it gave less: net.core.rmem_max is its limit" : "");
}

void
datagram_read (struct datagram *self)
{
    for (int i = 0; i < TURN && datagram_is_read (self); i++) {
        int count = fill (self);
        if (count <= 0)
            return;
        datagram_give (self);
        if (count < BATCH)
            return;
        if (!(self->told & TOLD_OVERRUN) && datagram_overrun (self))
            tell_overrun (self);
    }
}
