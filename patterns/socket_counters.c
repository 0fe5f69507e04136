/*  socket_counters.c - weft_socket_t: what it has counted */

#include "patterns/pattern.h"

void
weft_counters (weft_socket_t *self, weft_counters_t *counters)
{
    if (self->wire && self->pattern->ready)
        self->pattern->ready (self);
    if (self->wire)
        socket_pump (self);
    socket_counters (self, counters);
}

/*  One that is read while another is counted may be larger than what it is a part of. */
static uint64_t
without (const uint64_t *all, uint64_t part)
{
    uint64_t count = counter_read (all);
    return count > part ? count - part : 0;
}

void
socket_counters (const struct weft_socket *self, weft_counters_t *counters)
{
    const weft_counters_t *own = &self->counters;
    *counters = (weft_counters_t) {
        .dropped = counter_read (&own->dropped), .refused = counter_read (&own->refused),
        .retries = counter_read (&own->retries), .late = counter_read (&own->late),
        .subscriptions = counter_read (&own->subscriptions)
    };
    if (!self->wire)
        return;
    const struct wire_counters *wire = &self->wire->counters;
    counters->sent = without (&wire->sent, counters->retries);
    counters->sent_bytes = without (&wire->sent_bytes, counter_read (&self->sent_extra));
    if (self->pattern->recv) {
        counters->received = without (&wire->received, counters->late + counters->refused);
        counters->received_bytes = without (&wire->received_bytes, counter_read (&self->received_extra));
    }
    counters->refused += counter_read (&wire->refused);
    counters->connects = counter_read (&self->watch.connects);
    counters->disconnects = counter_read (&self->watch.disconnects);
    counters->rejected_peers = counter_read (&self->watch.rejected);
    counters->peers = counter_read (&self->wire->peers);
}
