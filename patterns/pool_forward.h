/*  pool_forward.h - a head's line to its sink
 *
 *  Every event of the head goes to the sink too, and is kept until the sink has
 *  acknowledged it. When too much waits, the head takes no more from its workers. */

#ifndef WEFT_PATTERNS_POOL_FORWARD_H
#define WEFT_PATTERNS_POOL_FORWARD_H

#include <stdbool.h>
#include <stdint.h>

#include "core/context.h"
#include "patterns/pattern_watch.h"
#include "patterns/pool_outbox.h"

enum forward_state {
    FORWARD_SEEKING,        /*  no connection to the sink                   */
    FORWARD_GREETING,       /*  HELLO is under way                          */
    FORWARD_MEMBER,         /*  was welcomed                                */
    FORWARD_GONE            /*  all is acknowledged, GOODBYE is said        */
};

struct forward {
    weft_t *weft;
    struct wire *wire;
    struct watch watch;     /*  what was said of refusals   */
    enum forward_state state;
    struct outbox outbox;
    struct buffer body, command;
    uint64_t instance, session;
    int64_t heartbeat, timeout;
    int64_t deadline;       /*  SEEKING, GREETING: when the sink must have come */
    int64_t greeted, sent;
};

struct forward_config {
    const char *endpoint;
    uint64_t instance;
    int64_t heartbeat, linger;
    int64_t timeout;        /*  how long the sink may be away               */
    const struct security_config *security;
};

int forward_open (struct forward **self, weft_t *weft, const struct forward_config *config);
void forward_close (struct forward **self);

/*  Takes an event; `spec` is its job's, for the command, or NULL. */
int forward_event (struct forward *self, const weft_pool_event_t *event, const struct pool_bytes *spec);
bool forward_full (const struct forward *self);

/*  Receives and sends what it can. WEFT_ENOPEER when the sink was away too long. With
 *  `end` nothing more will come: leaves when all is acknowledged. */
int forward_turn (struct forward *self, bool end);
int64_t forward_deadline (const struct forward *self);

#endif
