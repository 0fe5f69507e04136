/*  bridge_fabric.c - the fabric's sockets of a bridge: opening, watching, and what goes into them */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/bridge_parts.h"
#include "core/error.h"
#include "patterns/publish.h"
#include "patterns/reply.h"
#include "patterns/requests.h"

#define AROUND_MAX 4096         /*  bytes of a topic and an envelope around a message                   */

static const char *const names[MODES] = { "rep", "push", "req", "pub", "relay", "sub", "pull" };

const char *
bridge_mode_name (unsigned modes)
{
    return names[__builtin_ctz (modes)];
}

void
bridge_mode_names (unsigned modes, char text[MODES_TEXT])
{
    size_t size = 0;
    text[0] = '\0';
    for (unsigned left = modes; left; left &= left - 1) {
        const char *between = size == 0 ? "" : left & (left - 1) ? ", " : " and ";
        size += (size_t) snprintf (text + size, MODES_TEXT - size, "%s--%s", between, bridge_mode_name (left));
    }
}

struct fabric *
fabric_of (struct bridge *self, enum adapter_mode mode)
{
    return &self->fabrics[__builtin_ctz (mode)];
}

void
bridge_failed (struct bridge *self, int error)
{
    if (self->error)
        return;
    self->error = error;
    snprintf (self->why, sizeof self->why, "%s", weft_error ());
    reactor_stop (self->reactor);
}

/* ----------------------------------------------------------------------- watching */

static int
wanted (const struct fabric *fabric)
{
    const struct bridge *self = fabric->bridge;
    int out = list_empty (&fabric->waiting) ? 0 : WEFT_OUT;
    bool take = !self->stopping, able = !list_empty (&self->able);
    switch (fabric->mode) {
    case MODE_REQ:
        return WEFT_IN | (self->requests < REQUESTS_MAX ? out : 0);
    case MODE_SUB:
        return take && (self->setup->bridge.when_full != FULL_BLOCK || self->full == 0) ? WEFT_IN : 0;
    case MODE_PULL:
        return take && able ? WEFT_IN : 0;
    case MODE_REP:
        return take && !list_empty (&self->free) ? WEFT_IN : 0;     /*  who waits there is woken by a timer */
    default:
        return out;
    }
}

static void
on_want (void *arg)
{
    struct bridge *self = arg;
    for (int i = 0; i < MODES; i++)
        if (self->fabrics[i].watch)
            reactor_want (self->fabrics[i].watch, wanted (&self->fabrics[i]));
}

void
bridge_want (struct bridge *self)
{
    reactor_defer (self->reactor, &self->want);
}

static void
on_ready (void *arg, int events)
{
    struct fabric *fabric = arg;
    if (events & WEFT_OUT)
        bridge_wake (fabric, BRIDGE_WAKE);
    if (!(events & WEFT_IN))
        return;
    switch (fabric->mode) {
    case MODE_REQ:
        bridge_take_replies (fabric);
        break;
    case MODE_SUB:
        bridge_take_sub (fabric);
        break;
    case MODE_PULL:
        bridge_take_pull (fabric);
        break;
    default:
        bridge_take_rep (fabric);
    }
}

/* ------------------------------------------------------------------------ opening */

static const struct option_list *
endpoints_of (const struct bridge *self, enum adapter_mode mode)
{
    const struct bridge_config *config = &self->setup->bridge;
    switch (mode) {
    case MODE_REP:
        return &config->rep;
    case MODE_PUSH:
        return &config->push;
    case MODE_REQ:
        return &config->req;
    case MODE_PUB:
        return &config->pub;
    case MODE_SUB:
        return &config->sub;
    case MODE_PULL:
        return &config->pull;
    default:
        return NULL;
    }
}

/*  Those of the setup's options that a socket has: from the table to text and back, so that a socket checks them. */
static int
configure (const struct bridge *self, weft_socket_t *socket)
{
    const struct security_config *security = &self->setup->security;
    char value[64];
    int rc = 0;
    struct socket_config config = self->setup->socket;
    config.max_size += AROUND_MAX;
    for (const struct option *each = bridge_socket_options; each->name && rc == 0; each++) {
        rc = option_get (each, &config, value, sizeof value);
        rc = rc ? rc : weft_set (socket, each->name, value);
    }
    if (rc == 0 && security->key)
        rc = weft_set (socket, "key", security->key);
    if (rc == 0 && security->server_key)
        rc = weft_set (socket, "server-key", security->server_key);
    if (rc == 0 && security->allow)
        rc = weft_set (socket, "allow", security->allow);
    return rc ? rc : weft_set (socket, "insecure", security->insecure ? "yes" : "no");
}

static int
configure_mode (const struct fabric *fabric)
{
    const struct bridge_config *config = &fabric->bridge->setup->bridge;
    int rc = 0;
    if (fabric->mode == MODE_REQ) {
        char time[SOCKET_TIME];
        rc = weft_set (fabric->socket, "timeout", socket_time (config->timeout, time));
    }
    for (size_t i = 0; fabric->mode == MODE_SUB && i < config->subscribe.count && rc == 0; i++)
        rc = weft_set (fabric->socket, "topic", config->subscribe.items[i]);
    return rc;
}

static int
attach (struct fabric *fabric, const char *list)
{
    struct endpoint endpoint;
    int rc;
    while ((rc = endpoint_next (&list, fabric->socket->pattern->side, &endpoint)) == 1) {
        bool binds = endpoint.side == ENDPOINT_BIND;
        rc = binds ? weft_bind (fabric->socket, endpoint.text) : weft_connect (fabric->socket, endpoint.text);
        if (rc == 0 && binds)
            rc = bridge_add_listening (fabric->bridge, names[__builtin_ctz (fabric->mode)],
                                       weft_endpoint (fabric->socket));
        if (rc)
            return rc;
    }
    return rc;
}

static int
open_fabric (struct fabric *fabric, const struct option_list *endpoints)
{
    struct bridge *self = fabric->bridge;
    bool chosen = fabric->mode == MODE_SUB && bridge_choose_topics (self) && !self->setup->bridge.subscribe.count;
    fabric->socket = fabric->mode == MODE_REQ ? requests_open (self->weft)
                     : fabric->mode == MODE_REP ? reply_open (self->weft)
                     : chosen                 ? publish_open_topics (self->weft)
                                              : weft_open (self->weft, names[__builtin_ctz (fabric->mode)]);
    if (!fabric->socket)
        return WEFT_ENOMEM;
    int rc = configure (self, fabric->socket);
    rc = rc ? rc : configure_mode (fabric);
    for (size_t i = 0; i < endpoints->count && rc == 0; i++)
        rc = attach (fabric, endpoints->items[i]);
    if (rc)
        return rc;
    return reactor_watch (self->reactor, (struct pollable *) fabric->socket, on_ready, fabric, &fabric->watch);
}

int
bridge_open_fabrics (struct bridge *self)
{
    reactor_task_init (&self->want, on_want, self);
    for (int i = 0; i < MODES; i++) {
        struct fabric *fabric = &self->fabrics[i];
        fabric->bridge = self;
        fabric->mode = (enum adapter_mode) (1 << i);
        list_init (&fabric->waiting);
        const struct option_list *endpoints = endpoints_of (self, fabric->mode);
        int rc = endpoints && endpoints->count ? open_fabric (fabric, endpoints) : 0;
        if (rc)
            return rc;
    }
    bridge_want (self);
    return 0;
}

void
bridge_close_fabrics (struct bridge *self)
{
    reactor_undefer (&self->want);
    for (int i = 0; i < MODES; i++) {
        reactor_unwatch (&self->fabrics[i].watch);
        weft_close (&self->fabrics[i].socket);
    }
}

/* ------------------------------------------------------------------- into the fabric */

static int
send_request (struct bridge_peer *peer, weft_msg_t *msg)
{
    struct bridge *self = peer->bridge;
    struct fabric *fabric = fabric_of (self, MODE_REQ);
    if (peer->requests >= self->setup->bridge.in_flight) {
        bridge_pause (peer, PAUSE_REQUESTS);
        return error_plain (WEFT_EAGAIN);
    }
    if (self->requests >= REQUESTS_MAX)
        return error_plain (WEFT_EAGAIN);
    struct bridge_request *request = calloc (1, sizeof *request);
    int rc = request ? requests_send (fabric->socket, msg, request) : error_plain (WEFT_ENOMEM);
    if (rc) {
        free (request);
        return rc;
    }
    request->peer = peer;
    request->since = reactor_now (self->reactor);
    weft_msg_init (&request->reply);
    *peer->last = request;
    peer->last = &request->next;
    peer->requests++;
    self->requests++;
    return 0;
}

/*  To all others; `msg` stays. */
static int
relay (struct bridge_peer *peer, const weft_msg_t *msg)
{
    struct bridge *self = peer->bridge;
    const struct bridge_config *config = &self->setup->bridge;
    if (config->when_full == FULL_BLOCK && self->full > (peer->full ? 1 : 0))
        return error_plain (WEFT_EAGAIN);
    if (!config->format) {
        bridge_broadcast (self, MODE_RELAY, msg, peer);
        return 0;
    }
    weft_msg_t text;
    weft_msg_init (&text);
    int rc = bridge_fill (self, config->format, peer, msg);
    rc = rc ? rc : weft_msg_add (&text, buffer_data (&self->text), buffer_size (&self->text));
    if (rc == 0)
        bridge_broadcast (self, MODE_RELAY, &text, peer);
    weft_msg_clear (&text);
    return rc;
}

/*  A topic that the adapter gives with a message; NULL: none. */
struct topic_given {
    const void *data;
    size_t size;
};

/*  What a mode adds in front of the frames. */
static int
decorate (struct bridge_peer *peer, enum adapter_mode mode, const struct topic_given *topic, const weft_msg_t *msg,
          weft_msg_t *out)
{
    struct bridge *self = peer->bridge;
    const struct bridge_config *config = &self->setup->bridge;
    int rc = config->origin ? bridge_add_origin (peer, out) : 0;
    if (rc || mode != MODE_PUB)
        return rc;
    if (topic)
        return weft_msg_push (out, topic->data, topic->size);
    if (!config->topic)
        return 0;
    rc = bridge_fill (self, config->topic, peer, msg);
    if (rc == 0 && buffer_size (&self->text) > TOPIC_MAX)
        rc = error_set (WEFT_ETOOBIG, "a topic of %zu bytes, which may have %d", buffer_size (&self->text), TOPIC_MAX);
    return rc ? rc : weft_msg_push (out, buffer_data (&self->text), buffer_size (&self->text));
}

/*  To one mode. `msg` stays whole, unless it may be had and nothing is added to it: then it goes itself. */
static int
emit_to (struct bridge_peer *peer, enum adapter_mode mode, const struct topic_given *topic, weft_msg_t *msg, bool last)
{
    const struct bridge_config *config = &peer->bridge->setup->bridge;
    weft_socket_t *socket = fabric_of (peer->bridge, mode)->socket;
    bool plain = !config->origin && (mode != MODE_PUB || !(config->topic || topic));
    weft_msg_t copy, *out = msg;
    int rc = 0;
    if (mode == MODE_RELAY)
        return relay (peer, msg);
    weft_msg_init (&copy);
    if (!last || !plain) {
        out = &copy;
        rc = weft_msg_copy (out, msg);
        rc = rc || plain ? rc : decorate (peer, mode, topic, msg, out);
    }
    if (rc == 0)
        rc = mode == MODE_REQ ? send_request (peer, out) : weft_send (socket, out, WEFT_DONTWAIT);
    weft_msg_clear (&copy);
    return rc;
}

/*  Nobody wants it. */
static int
discard (struct bridge_peer *peer, weft_msg_t *msg)
{
    struct bridge *self = peer->bridge;
    weft_msg_clear (msg);
    self->counters.dropped++;
    if (bridge_first (self, TOLD_UNASKED))
        log_warning (&self->weft->log, "%s: sends what nobody asked for, which is dropped", bridge_peer_name (peer));
    return 0;
}

/*  What a failure to give a message to `mode` means. */
static int
not_taken (struct bridge_peer *peer, enum adapter_mode mode, int rc)
{
    if (rc == WEFT_EAGAIN && !(peer->pauses & PAUSE_REQUESTS))
        bridge_wait (peer, fabric_of (peer->bridge, mode));
    else if (rc != WEFT_EAGAIN && rc != WEFT_ETOOBIG && rc != WEFT_EINVAL)
        bridge_failed (peer->bridge, rc);
    if (rc != WEFT_EAGAIN)
        peer->taken = 0;                /*  it does not come again: what comes next is for all modes */
    return rc;
}

static int
emit (struct bridge_peer *peer, const struct topic_given *topic, weft_msg_t *msg)
{
    struct bridge *self = peer->bridge;
    unsigned modes = peer->modes & (MODE_PUSH | MODE_REQ | MODE_PUB | MODE_RELAY);
    size_t bytes = weft_msg_bytes (msg);
    int rc = 0;
    if (self->error || (self->stopping && !peer->call)) {
        bridge_pause (peer, PAUSE_STOP);
        return error_plain (WEFT_EAGAIN);
    }
    if (bridge_drop_overdue (peer, msg))
        return 0;
    if (bridge_take_answer (peer, msg, &rc)) {
        self->counters.in += rc == 0;
        self->counters.in_bytes += rc ? 0 : bytes;
        return rc ? not_taken (peer, MODE_REP, rc) : 0;
    }
    if (!modes)
        return discard (peer, msg);
    for (unsigned left = modes & ~peer->taken; left; left &= left - 1) {
        enum adapter_mode mode = (enum adapter_mode) (left & -left);
        rc = emit_to (peer, mode, topic, msg, (left & (left - 1)) == 0);
        if (rc)
            return not_taken (peer, mode, rc);
        peer->taken |= mode;
    }
    peer->taken = 0;
    weft_msg_clear (msg);
    self->counters.in++;
    self->counters.in_bytes += bytes;
    return 0;
}

int
bridge_emit (struct bridge_peer *peer, weft_msg_t *msg)
{
    return emit (peer, NULL, msg);
}

int
bridge_publish (struct bridge_peer *peer, const void *topic, size_t size, weft_msg_t *msg)
{
    const struct topic_given given = { topic, size };
    if (size > TOPIC_MAX)
        return error_set (WEFT_ETOOBIG, "a topic of %zu bytes, which may have %d", size, TOPIC_MAX);
    return emit (peer, &given, msg);
}
