/*  wire.c - what is the same for every engine */

#include "core/wire.h"

#include "core/error.h"

const char *
wire_type_name (enum wire_type type)
{
    static const char *const names[WIRE_TYPES] = {
        "PAIR", "DEALER", "ROUTER", "XPUB", "XSUB", "SUB", "PUSH", "PULL",
    };
    return type < WIRE_TYPES ? names[type] : "?";
}

const char *
wire_type_peers (enum wire_type type)
{
    static const char *const names[WIRE_TYPES] = {
        "PAIR", "REP, DEALER or ROUTER", "REQ, DEALER or ROUTER", "SUB or XSUB", "PUB or XPUB", "PUB or XPUB", "PULL",
        "PUSH",
    };
    return type < WIRE_TYPES ? names[type] : "?";
}

void
wire_options_init (struct wire_options *self)
{
    *self = (struct wire_options) {
        .send_hwm = 1000,
        .recv_hwm = 1000,
        .linger = TIME_S,
        .max_size = 64 << 20,
        .heartbeat = 5 * TIME_S,
        .reconnect = 100 * TIME_MS,
        .reconnect_max = 10 * TIME_S,
        .handshake = 10 * TIME_S,
        .backlog = 1024,
        .max_peers = 10000,
        .max_subscriptions = 10000,
        .send_buffer = -1,
        .recv_buffer = -1,
    };
}

int
wire_send_message (struct wire *self, const void *data, size_t size, int64_t timeout)
{
    weft_msg_t msg;
    weft_msg_init (&msg);
    int rc = weft_msg_add (&msg, data, size);
    rc = rc ? rc : wire_send (self, &msg, timeout);
    weft_msg_clear (&msg);
    return rc;
}

int
wire_next_event (struct wire *self, struct wire_event *event)
{
    int rc = self->engine->next_event (self, event);
    if (rc == 1 && event->kind == WIRE_CONNECTED)
        counter_set (&self->peers, self->peers + 1);
    if (rc == 1 && event->kind == WIRE_DISCONNECTED && self->peers)
        counter_set (&self->peers, self->peers - 1);
    return rc;
}

int
wire_attach (struct wire *self, const struct endpoint *endpoint)
{
    struct endpoint resolved = *endpoint;
    int rc = endpoint_resolve (&resolved);
    if (rc)
        return rc;
    return resolved.side == ENDPOINT_BIND ? self->engine->bind (self, &resolved)
                                          : self->engine->connect (self, &resolved);
}

void
wire_close (struct wire **self)
{
    if (*self)
        (*self)->engine->close (self);
}
