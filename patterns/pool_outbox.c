/*  pool_outbox.c - records on their way to somebody who acknowledges them */

#include "patterns/pool_outbox.h"

#include <stdlib.h>
#include <string.h>

#include "core/error.h"

struct outbox_batch {
    struct outbox_batch *next;
    uint64_t number;
    uint32_t count;
    size_t size;
    weft_msg_t msg;
};

void
outbox_init (struct outbox *self)
{
    memset (self, 0, sizeof *self);
    buffer_init (&self->body, 0);
    self->next = 1;
    self->last = &self->first;
}

static void
drop_first (struct outbox *self)
{
    struct outbox_batch *batch = self->first;
    self->first = batch->next;
    if (!self->first)
        self->last = &self->first;
    if (self->unsent == batch)
        self->unsent = batch->next;
    self->bytes -= batch->size;
    weft_msg_clear (&batch->msg);
    free (batch);
}

uint64_t
outbox_drop (struct outbox *self)
{
    uint64_t records = self->count;
    while (self->first) {
        records += self->first->count;
        drop_first (self);
    }
    buffer_clear (&self->body);
    self->count = 0;
    self->urgent = false;
    self->bytes = 0;
    return records;
}

void
outbox_free (struct outbox *self)
{
    outbox_drop (self);
    buffer_free (&self->body);
}

int
outbox_add (struct outbox *self, const struct pool_record *record, int64_t now)
{
    size_t before = buffer_size (&self->body);
    int rc = pool_put_record (&self->body, record);
    if (rc) {
        buffer_cut (&self->body, before);
        return rc;
    }
    if (!self->count++)
        self->since = now;
    self->urgent |= record->kind != WEFT_POOL_STARTED;
    self->bytes += buffer_size (&self->body) - before;
    return 0;
}

int
outbox_add_records (struct outbox *self, const void *data, size_t size, uint32_t count, int64_t now)
{
    int rc = buffer_add (&self->body, data, size);
    if (rc)
        return rc;
    if (!self->count)
        self->since = now;
    self->count += count;
    self->urgent = true;
    self->bytes += size;
    return 0;
}

bool
outbox_full (const struct outbox *self)
{
    return self->bytes >= OUTBOX_BYTES;
}

bool
outbox_empty (const struct outbox *self)
{
    return !self->count && !self->first;
}

int64_t
outbox_deadline (const struct outbox *self)
{
    if (!self->count)
        return TIME_FOREVER;
    return buffer_size (&self->body) >= POOL_BATCH ? self->since : self->since + OUTBOX_DELAY;
}

/*  Head and records as one frame. */
static int
fill_batch (struct outbox *self, struct outbox_batch *batch, int64_t window)
{
    struct buffer head;
    buffer_init (&head, 0);
    int rc = pool_put_report (&head, self->next, window, self->count);
    size_t size = buffer_size (&head) + buffer_size (&self->body);
    char *frame = rc ? NULL : weft_msg_reserve (&batch->msg, size);
    if (frame) {
        memcpy (frame, buffer_data (&head), buffer_size (&head));
        if (self->count)
            memcpy (frame + buffer_size (&head), buffer_data (&self->body), buffer_size (&self->body));
    }
    else
        rc = WEFT_ENOMEM;
    buffer_free (&head);
    return rc;
}

int
outbox_seal (struct outbox *self, int64_t window)
{
    struct outbox_batch *batch = calloc (1, sizeof *batch);
    if (!batch)
        return error_plain (WEFT_ENOMEM);
    weft_msg_init (&batch->msg);
    int rc = fill_batch (self, batch, window);
    if (rc) {
        free (batch);
        return rc;
    }
    batch->number = self->next++;
    batch->count = self->count;
    batch->size = buffer_size (&self->body);
    *self->last = batch;
    self->last = &batch->next;
    if (!self->unsent)
        self->unsent = batch;
    buffer_clear (&self->body);
    self->count = 0;
    self->urgent = false;
    return 0;
}

int
outbox_send (struct outbox *self, struct wire *wire)
{
    int sent = 0;
    while (self->unsent) {
        weft_msg_t msg;
        weft_msg_init (&msg);
        int rc = weft_msg_copy (&msg, &self->unsent->msg);
        rc = rc ? rc : wire_send (wire, &msg, 0);
        weft_msg_clear (&msg);
        if (rc)
            return rc == WEFT_EAGAIN ? sent : rc;
        self->unsent = self->unsent->next;
        sent = 1;
    }
    return sent;
}

uint64_t
outbox_acked (const struct outbox *self)
{
    return (self->first ? self->first->number : self->next) - 1;
}

uint64_t
outbox_sent (const struct outbox *self)
{
    return (self->unsent ? self->unsent->number : self->next) - 1;
}

int
outbox_ack (struct outbox *self, uint64_t number)
{
    if (number >= self->next)
        return error_set (WEFT_EPROTO, "report %llu was acknowledged, which was never sent",
                          (unsigned long long) number);
    while (self->first && self->first != self->unsent && self->first->number <= number)
        drop_first (self);
    return 0;
}

int
outbox_forget (struct outbox *self, uint64_t number)
{
    if (number >= self->next)
        return error_set (WEFT_EPROTO, "report %llu was acknowledged, which was never sent",
                          (unsigned long long) number);
    while (self->first && self->first->number <= number)
        drop_first (self);
    return 0;
}

uint64_t
outbox_rewind (struct outbox *self)
{
    self->unsent = self->first;
    return self->first ? self->first->number : self->next;
}
