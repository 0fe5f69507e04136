/*  pool_outbox.h - records on their way to somebody who acknowledges them
 *
 *  Records are gathered into numbered batches. A batch is kept until it is
 *  acknowledged, and can be sent again after a break. Used by a worker towards
 *  its head and by a head towards its sink. */

#ifndef WEFT_PATTERNS_POOL_OUTBOX_H
#define WEFT_PATTERNS_POOL_OUTBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "codec/pool_wire.h"
#include "core/wire.h"

#define OUTBOX_BYTES (4 << 20)          /*  at which it is full                         */
#define OUTBOX_DELAY (20 * TIME_MS)     /*  that a record waits for company             */

struct outbox_batch;

struct outbox {
    struct buffer body;                 /*  records of the batch that is being gathered */
    uint32_t count;
    bool urgent;                        /*  somebody waits for one of them              */
    int64_t since;                      /*  when its first record came                  */
    uint64_t next;                      /*  number of that batch                        */
    struct outbox_batch *first, **last; /*  sealed, not acknowledged                    */
    struct outbox_batch *unsent;        /*  first of them that is to be sent            */
    size_t bytes;                       /*  sealed and gathered                         */
};

void outbox_init (struct outbox *self);
void outbox_free (struct outbox *self);

/*  Forgets what it holds; numbers go on. Returns how many records were still gathered
 *  or sealed. */
uint64_t outbox_drop (struct outbox *self);

/*  WEFT_ENOMEM, and nothing is added. Takes a record even when it is full: who adds looks first. */
int outbox_add (struct outbox *self, const struct pool_record *record, int64_t now);

/*  `count` records that were encoded elsewhere, of which one at least is urgent. */
int outbox_add_records (struct outbox *self, const void *data, size_t size, uint32_t count, int64_t now);
bool outbox_full (const struct outbox *self);
bool outbox_empty (const struct outbox *self);      /*  nothing gathered, all acknowledged */

/*  When the gathered records should go: TIME_FOREVER when there are none. */
int64_t outbox_deadline (const struct outbox *self);

/*  Closes the batch that is being gathered, even an empty one (it carries `window`). */
int outbox_seal (struct outbox *self, int64_t window);

/*  Sends what is sealed as far as the wire takes it. 1 when it sent, 0, or negative; a
 *  wire that is full is not an error. */
int outbox_send (struct outbox *self, struct wire *wire);

/*  All batches up to this number were acknowledged. */
uint64_t outbox_acked (const struct outbox *self);

/*  The number of the last batch that was sent. */
uint64_t outbox_sent (const struct outbox *self);

/*  Batches up to `number` are safe. WEFT_EPROTO when it was never sent. */
int outbox_ack (struct outbox *self, uint64_t number);

/*  After a break: the other side has those up to `number`, and needs the rest. */
int outbox_forget (struct outbox *self, uint64_t number);

/*  The number of the first batch that is not acknowledged; sends again from there. */
uint64_t outbox_rewind (struct outbox *self);

#endif
