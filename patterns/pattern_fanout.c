/*  pattern_fanout.c - one message to all who subscribed, on a wire of type XPUB */

#include "patterns/pattern_fanout.h"

#define SUBSCRIPTIONS_A_TURN 4096       /*  a flood of them must not stop the publisher */

void
fanout_count (struct fanout *self, const weft_msg_t *msg)
{
    const unsigned char *data = weft_msg_data (msg, 0);
    if (weft_msg_size (msg, 0) == 0 || data[0] > 1)
        counter_add (&self->refused, 1);
    else if (data[0] == 1)
        counter_add (&self->subscriptions, 1);
    else if (self->subscriptions)
        counter_set (&self->subscriptions, self->subscriptions - 1);
}

void
fanout_take (struct fanout *self, struct wire *wire)
{
    weft_msg_t msg;
    weft_msg_init (&msg);
    for (int i = 0; i < SUBSCRIPTIONS_A_TURN && wire_recv (wire, &msg, 0) == 0; i++)
        fanout_count (self, &msg);
    weft_msg_clear (&msg);
}

int
fanout_send (struct fanout *self, struct wire *wire, weft_msg_t *msg)
{
    int rc = wire_send (wire, msg, 0);
    if (rc != WEFT_EAGAIN)
        return rc;
    rc = wire->engine->lossy (wire, true);
    if (rc == 0)
        rc = wire_send (wire, msg, 0);
    int back = wire->engine->lossy (wire, false);
    if (rc < 0)
        return rc;
    counter_add (&self->dropped, 1);
    return back < 0 ? back : 1;
}
