/*  dealer.h - a DEALER of ZMTP 3.0 in clear text on a socket of its own, without threads
 *
 *  Costs one descriptor and what waits in its buffers, so that one process can be a thousand peers; and unlike
 *  libzmq's it can break off wherever its owner wants. Behind the seam as far as sending goes, so that what sends
 *  over a wire (pool_send, outbox_send) can be used. Receiving is dealer_next. */

#ifndef WEFT_TESTS_AGENTS_DEALER_H
#define WEFT_TESTS_AGENTS_DEALER_H

#include <stdbool.h>

#include "core/buffer.h"
#include "core/wire.h"

struct dealer {
    struct wire wire;           /*  first: for wire_send; WEFT_EAGAIN while too much waits  */
    int fd;                     /*  -1: closed                                              */
    bool greeted;               /*  the other side's greeting has come                      */
    bool ready;                 /*  its READY has come                                      */
    bool full;                  /*  the system has not taken all of `out`                   */
    bool watched, watched_full; /*  the owner's: how fd is watched; a new connection is not */
    struct buffer in, out;
};

void dealer_init (struct dealer *self);
void dealer_free (struct dealer *self);

/*  Connects to tcp://ADDRESS:PORT or ipc://PATH and says who it is. WEFT_ENOPEER when nobody listens there. */
int dealer_connect (struct dealer *self, const struct endpoint *endpoint, const char *identity);

/*  Breaks off: `within` a message, the first half of which is sent; `reset` so that the other side has an error. */
void dealer_close (struct dealer *self, bool within, bool reset);

/*  Takes in what has come. WEFT_ENOPEER at the end. */
int dealer_read (struct dealer *self);

/*  The next whole message of one frame: 1, 0 for none yet, WEFT_EPROTO. Valid until the next call. */
int dealer_next (struct dealer *self, const char **data, size_t *size);

/*  Gives the system what waits. WEFT_ENOPEER when the other side has gone. */
int dealer_write (struct dealer *self);

#endif
