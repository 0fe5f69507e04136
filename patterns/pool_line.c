/*  pool_line.c - a worker's side of its sessions with a head */

#include "patterns/pool_line.h"

#include <string.h>

void
line_init (struct line *self, uint64_t instance, uint64_t session)
{
    memset (self, 0, sizeof *self);
    self->instance = instance;
    self->session = session;
    outbox_init (&self->outbox);
}

void
line_free (struct line *self)
{
    outbox_free (&self->outbox);
}

void
line_break (struct line *self)
{
    if (self->state != LINE_SEEKING)
        self->session++;
    self->state = LINE_SEEKING;
}

int
line_hello (struct line *self, struct pool_hello *hello, int64_t window)
{
    int rc = self->outbox.count ? outbox_seal (&self->outbox, window) : 0;
    if (rc)
        return rc;
    self->state = LINE_GREETING;
    hello->version = POOL_VERSION;
    hello->role = POOL_ROLE_WORKER;
    hello->instance = self->instance;
    hello->session = self->session;
    hello->next = outbox_rewind (&self->outbox);
    hello->last = self->outbox.next - 1;
    hello->window = window;
    hello->pool = (struct pool_bytes) { (const char *) self->pool, self->pooled ? POOL_ID : 0 };
    return 0;
}

enum line_welcome
line_welcomed (struct line *self, const struct pool_welcome *welcome, uint64_t *dropped)
{
    *dropped = 0;
    if (self->state != LINE_GREETING || welcome->session != self->session || welcome->pool.size != POOL_ID)
        return LINE_NOT_OURS;
    bool first = !self->pooled, same = !first && memcmp (self->pool, welcome->pool.data, POOL_ID) == 0;
    self->state = LINE_MEMBER;
    self->seen = 0;
    self->pooled = true;
    memcpy (self->pool, welcome->pool.data, POOL_ID);
    if (same && outbox_forget (&self->outbox, welcome->have) == 0)
        return LINE_SAME;
    *dropped = outbox_drop (&self->outbox);
    return first ? LINE_FIRST : LINE_OTHER;
}

static int
broken (struct line *self)
{
    line_break (self);
    return LINE_BROKEN;
}

static int
take_batch (struct line *self, const struct pool_message *message)
{
    if (message->number <= self->seen)
        return LINE_DONE;                   /*  a repetition */
    if (message->number > self->seen + 1)
        return broken (self);
    self->seen = message->number;
    int rc = message->verb == POOL_JOBS ? outbox_ack (&self->outbox, message->have) : 0;
    return rc ? rc : LINE_TAKE;
}

int
line_take (struct line *self, const struct pool_message *message)
{
    bool any = message->verb == POOL_UNKNOWN && !message->session;
    if (self->state != LINE_MEMBER || (!any && message->session != self->session))
        return LINE_DONE;
    switch (message->verb) {
    case POOL_JOBS:
    case POOL_CANCEL:
        return take_batch (self, message);
    case POOL_HEARTBEAT:
        if (message->number > self->seen)
            return broken (self);
        return outbox_ack (&self->outbox, message->have);
    case POOL_ACK:
        return outbox_ack (&self->outbox, message->have);
    case POOL_UNKNOWN:
        return broken (self);
    default:
        return LINE_DONE;                   /*  not for workers */
    }
}
