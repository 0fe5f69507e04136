/*  pattern_fanout.h - one message to all who subscribed, on a wire of type XPUB
 *
 *  Common ground of pub and of the proxy's taps. The wire is opened `lossless` and
 *  `verbose`: so a full subscriber is noticed, and every subscription is counted. */
#ifndef WEFT_PATTERNS_PATTERN_FANOUT_H
#define WEFT_PATTERNS_PATTERN_FANOUT_H

#include <stdint.h>

#include "core/wire.h"

/*  By core/counter.h: any thread may read. */
struct fanout {
    uint64_t subscriptions;     /*  now                                                         */
    uint64_t dropped;           /*  messages that somebody did not get; a lower bound: while a
                                    full subscriber catches up, libzmq drops without telling    */
    uint64_t refused;           /*  messages from peers that are no subscriptions               */
};

/*  Counts a message that came in. */
void fanout_count (struct fanout *self, const weft_msg_t *msg);

/*  Takes in the subscriptions that wait. */
void fanout_take (struct fanout *self, struct wire *wire);

/*  Sends at once. Subscribers that are full do not get it: returns 1 then, and
 *  counts it. Otherwise 0, or negative with the message left whole. */
int fanout_send (struct fanout *self, struct wire *wire, weft_msg_t *msg);

#endif
