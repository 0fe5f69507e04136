/*  bridge_stream.c - peers of a bridge that are connections: byte streams, which listeners take in and dialers make */

#include <stdio.h>
#include <stdlib.h>

#include "adapters/bridge_parts.h"
#include "core/error.h"

/*  What was asked for, for who comes of it. */
struct dialling {
    struct bridge *bridge;
    const char *text;
};

/*  The same of what listens. */
struct listening {
    struct bridge *bridge;
    bool loopback;
};

struct carrier {
    struct listener **listeners;
    struct listening *listenings;
    struct dialer **dialers;
    struct dialling *diallings;
    size_t listener_count, dialer_count;
};

/*  What the streams take from options that the sockets have, too. */
static void
share_options (const struct bridge *self, struct bridge_setup *setup)
{
    const struct socket_config *socket = &setup->socket;
    struct stream_config *stream = &setup->stream;
    stream->in_max = (int64_t) bridge_wire_max (self);
    stream->connect_timeout = socket->handshake;
    stream->keepalive = socket->heartbeat;
    stream->reconnect = socket->reconnect;
    stream->reconnect_max = socket->reconnect_max > socket->reconnect ? socket->reconnect_max : socket->reconnect;
    stream->max_peers = socket->max_peers;
    stream->insecure = setup->security.insecure;
    stream->alpn = self->adapter->alpn;
    stream->keep_marks = setup->bridge.when_full == FULL_DROP;
}

/* ------------------------------------------------------------------ what a stream tells */

static int64_t
on_data (void *arg, struct stream *stream, const unsigned char *data, size_t size)
{
    (void) stream;
    return bridge_on_data (arg, data, size);
}

static int
on_ended (void *arg, struct stream *stream, const unsigned char *data, size_t size)
{
    (void) stream;
    return bridge_on_end (arg, data, size);
}

static void
on_drained (void *arg, struct stream *stream)
{
    (void) stream;
    bridge_on_drained (arg);
}

static void
on_closed (void *arg, struct stream *stream, int error, const char *why, size_t unsent)
{
    (void) stream;
    bridge_on_closed (arg, error, why, unsent);
}

static const struct stream_handler handler = { on_data, on_ended, on_drained, on_closed };

/*  `dialled` NULL: it was taken in by what listens. */
static void
begin_peer (struct bridge *self, struct stream *stream, const char *dialled, bool loopback)
{
    struct bridge_peer *peer = bridge_peer_new (self, stream);
    if (!peer)
        return;
    peer->kind = dialled ? self->kinds : self->accepting;
    peer->dialled = dialled;
    peer->loopback = loopback;
    stream_adopt (stream, &handler, peer);
    bridge_peer_begin (peer);
}

static void
on_listen_failed (void *listening, const char *why)
{
    struct bridge *self = ((struct listening *) listening)->bridge;
    if (bridge_first (self, TOLD_REFUSED))
        log_warning (&self->weft->log, "%s", why);
    else
        log_info (&self->weft->log, "%s", why);
}

static void
on_accepted (void *listening, struct stream *stream)
{
    const struct listening *self = listening;
    begin_peer (self->bridge, stream, NULL, self->loopback);
}

static void
on_dialled (void *dialling, struct stream *stream)
{
    const struct dialling *self = dialling;
    begin_peer (self->bridge, stream, self->text, false);
}

static void
on_dial_failed (void *dialling, const char *why)
{
    struct bridge *self = ((struct dialling *) dialling)->bridge;
    if (bridge_first (self, TOLD_DIAL))
        log_warning (&self->weft->log, "%s; it is tried again", why);
    else
        log_info (&self->weft->log, "%s", why);
}

/* -------------------------------------------------------------------- listening, dialling */

/*  TLS is spoken by all of a bridge, or by none: a --dial that says other has to be mended. */
static int
check_tls (const char *text, bool says, bool is)
{
    if (says == is)
        return 0;
    return error_set (WEFT_EENDPOINT, says ? "%s: add --tls" : "%s: not in TLS, and --tls is given", text);
}

/*  The address in what --dial says. */
static int
address_in (const struct adapter *adapter, const char *text, bool tls, char address[ENDPOINT_MAX])
{
    bool says = tls;
    int rc = 0;
    if (adapter->dial)
        rc = adapter->dial (text, address, ENDPOINT_MAX, &says);
    else if ((size_t) snprintf (address, ENDPOINT_MAX, "%s", text) >= ENDPOINT_MAX)
        rc = error_set (WEFT_EENDPOINT, "%.40s...: too long for an address", text);
    return rc ? rc : check_tls (text, says, tls);
}

static int
streams_check (const struct adapter *adapter, const struct bridge_setup *setup)
{
    const struct option_list *listen = &setup->bridge.listen, *dials = &setup->bridge.dial;
    struct stream_config config = setup->stream;
    char address[ENDPOINT_MAX];
    int rc = 0;
    config.insecure = setup->security.insecure;
    config.alpn = adapter->alpn;
    for (size_t i = 0; i < listen->count && rc == 0; i++)
        rc = listener_check (listen->items[i], &config);
    for (size_t i = 0; i < dials->count && rc == 0; i++) {
        rc = address_in (adapter, dials->items[i], config.tls.on, address);
        rc = rc ? rc : dialer_check (address, &config);
    }
    return rc;
}

static int
dial (struct bridge *self, struct carrier *carrier, const char *text)
{
    struct dialling *dialling = &carrier->diallings[carrier->dialer_count];
    char address[ENDPOINT_MAX];
    *dialling = (struct dialling) { self, text };
    int rc = address_in (self->adapter, text, self->setup->stream.tls.on, address);
    rc = rc ? rc : dialer_new (self->reactor, address, &self->setup->stream, on_dialled, on_dial_failed, dialling,
                               &carrier->dialers[carrier->dialer_count]);
    carrier->dialer_count += rc == 0;
    return rc;
}

static int
listen_at (struct bridge *self, struct carrier *carrier, const char *text)
{
    struct listener **made = &carrier->listeners[carrier->listener_count];
    struct listening *listening = &carrier->listenings[carrier->listener_count];
    struct address address;
    int rc = address_parse (&address, text, true);
    *listening = (struct listening) { self, rc == 0 && address.local && !address.path[0] };
    rc = rc ? rc : listener_new (self->reactor, text, &self->setup->stream, on_accepted, listening, made);
    if (rc)
        return rc;
    carrier->listener_count++;
    listener_on_failed (*made, on_listen_failed);
    return bridge_add_listening (self, self->adapter->name, listener_address (*made));
}

static int
streams_open (struct bridge *self)
{
    const struct option_list *listen = &self->setup->bridge.listen, *dials = &self->setup->bridge.dial;
    size_t each = (size_t) self->setup->bridge.connections;
    struct carrier *carrier = self->carrier = calloc (1, sizeof *carrier);
    if (!carrier)
        return error_plain (WEFT_ENOMEM);
    share_options (self, self->setup);
    carrier->listeners = calloc (listen->count + 1, sizeof (struct listener *));
    carrier->listenings = calloc (listen->count + 1, sizeof (struct listening));
    carrier->dialers = calloc (dials->count * each + 1, sizeof (struct dialer *));
    carrier->diallings = calloc (dials->count * each + 1, sizeof (struct dialling));
    if (!carrier->listeners || !carrier->listenings || !carrier->dialers || !carrier->diallings)
        return error_plain (WEFT_ENOMEM);
    int rc = 0;
    for (size_t i = 0; i < listen->count && rc == 0; i++)
        rc = listen_at (self, carrier, listen->items[i]);
    for (size_t i = 0; i < dials->count * each && rc == 0; i++)
        rc = dial (self, carrier, dials->items[i / each]);
    return rc;
}

static void
streams_stop (struct bridge *self)
{
    struct carrier *carrier = self->carrier;
    for (size_t i = 0; carrier && i < carrier->listener_count; i++)
        listener_stop (carrier->listeners[i]);
    for (size_t i = 0; carrier && i < carrier->dialer_count; i++)
        dialer_stop (carrier->dialers[i]);
}

static void
streams_shut (struct bridge *self)
{
    struct carrier *carrier = self->carrier;
    if (!carrier)
        return;
    for (size_t i = 0; i < carrier->listener_count; i++)
        listener_destroy (&carrier->listeners[i]);
    for (size_t i = 0; i < carrier->dialer_count; i++)
        dialer_destroy (&carrier->dialers[i]);
    free (carrier->listeners);
    free (carrier->listenings);
    free (carrier->dialers);
    free (carrier->diallings);
    free (carrier);
    self->carrier = NULL;
}

static void
streams_count (const struct bridge *self, weft_bridge_counters_t *counters)
{
    const struct carrier *carrier = self->carrier;
    for (size_t i = 0; i < carrier->listener_count; i++) {
        struct listener_counters each;
        listener_counters (carrier->listeners[i], &each);
        counters->turned_away += each.turned_away;
        counters->refused += each.refused;
    }
}

/* --------------------------------------------------------------------------- one of them */

static int
link_write (void *link, const struct stream_part *parts, size_t count)
{
    return stream_write_parts (link, parts, count);
}

static int
link_write_last (void *link, const struct stream_part *parts, size_t count)
{
    return stream_write_last (link, parts, count);
}

static bool
link_is_sending (void *link)
{
    return stream_queued (link) > 0;
}

static bool
link_is_full (void *link)
{
    return stream_is_full (link);
}

static size_t
link_drop_oldest (void *link, size_t size, void (*told) (void *arg, const void *data, size_t size), void *arg)
{
    return stream_drop_oldest (link, size, told, arg);
}

static void
link_keep (void *link)
{
    stream_keep (link);
}

static void
link_pause (void *link)
{
    stream_pause (link);
}

static void
link_resume (void *link)
{
    stream_resume (link);
}

static void
link_finish (void *link, int64_t deadline)
{
    stream_finish (link, deadline);
}

static void
link_close (void *link, int error)
{
    stream_close (link, error);
}

static const char *
link_name (const void *link)
{
    return stream_peer (link);
}

const struct transport bridge_streams = {
    .check = streams_check,
    .open = streams_open,
    .stop = streams_stop,
    .shut = streams_shut,
    .count = streams_count,
    .write = link_write,
    .write_last = link_write_last,
    .is_sending = link_is_sending,
    .is_full = link_is_full,
    .drop_oldest = link_drop_oldest,
    .keep = link_keep,
    .pause = link_pause,
    .resume = link_resume,
    .finish = link_finish,
    .close = link_close,
    .name = link_name
};
