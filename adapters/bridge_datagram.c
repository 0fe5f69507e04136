/*  bridge_datagram.c - peers of a bridge that are addresses: sources of datagrams at UDP sockets
 *
 *  A socket has many sources. While the fabric is full it is not read; a source that has too many requests under way
 *  loses what it sends, since others must not have to wait for it. */

#include <stdlib.h>

#include "adapters/bridge_parts.h"
#include "core/address.h"
#include "core/error.h"

struct carrier {
    struct datagram **sockets;
    size_t count;
};

/* ------------------------------------------------------------------ what a socket tells */

static void *
on_opened (void *bridge, struct datagram_source *source)
{
    struct bridge_peer *peer = bridge_peer_new (bridge, source);
    if (!peer)
        return NULL;
    peer->asked_only = !datagram_is_trusted (source);
    bridge_peer_begin (peer);
    return peer;
}

/*  It has `in-flight` requests under way. */
static int
drop_over (struct bridge_peer *peer)
{
    struct bridge *self = peer->bridge;
    self->counters.dropped++;
    bridge_give_up (peer);              /*  the next one is another message, and for all modes */
    if (bridge_first (self, TOLD_DROPPED))
        log_warning (&self->weft->log, "%s sends requests faster than they are answered (in-flight): they are dropped",
                     bridge_peer_name (peer));
    return WEFT_ELIMIT;
}

static int
on_data (void *arg, const unsigned char *data, size_t size)
{
    struct bridge_peer *peer = arg;
    struct bridge *self = peer->bridge;
    int64_t rc = WEFT_EAGAIN;
    if (!peer->pauses)
        rc = peer->kind->adapter->on_data (peer, data, size);
    if (rc == WEFT_EAGAIN)
        return peer->pauses == PAUSE_REQUESTS ? drop_over (peer) : WEFT_EAGAIN;
    if (rc >= 0)
        return 0;
    self->counters.refused++;
    if (bridge_first (self, TOLD_REFUSED))
        log_warning (&self->weft->log, "a datagram of %s is refused: %s", bridge_peer_name (peer), weft_error ());
    return (int) rc;
}

static void
on_drained (void *arg)
{
    bridge_on_drained (arg);
}

static void
on_closed (void *arg, const char *why)
{
    bridge_on_closed (arg, 0, why, 0);
}

static void
on_told (void *bridge, const char *what)
{
    struct bridge *self = bridge;
    log_warning (&self->weft->log, "%s", what);
}

static const struct datagram_handler handler = { on_opened, on_data, on_drained, on_closed, on_told };

/* -------------------------------------------------------------------- listening, dialling */

static void
share_options (struct bridge_setup *setup)
{
    setup->datagram.in_max = setup->socket.max_size;
    setup->datagram.max_sources = setup->socket.max_peers;
    setup->datagram.insecure = setup->security.insecure;
}

static int
datagrams_check (const struct adapter *adapter, const struct bridge_setup *setup)
{
    const struct option_list *listen = &setup->bridge.listen, *dial = &setup->bridge.dial;
    bool insecure = setup->security.insecure;
    struct address address;
    int rc = 0;
    (void) adapter;
    for (size_t i = 0; i < listen->count && rc == 0; i++)
        rc = datagram_check_address (listen->items[i], false, insecure, &address);
    for (size_t i = 0; i < dial->count && rc == 0; i++)
        rc = datagram_check_address (dial->items[i], true, insecure, &address);
    return rc;
}

static int
datagrams_open (struct bridge *self)
{
    const struct option_list *listen = &self->setup->bridge.listen, *dial = &self->setup->bridge.dial;
    const struct datagram_config *config = &self->setup->datagram;
    size_t each = (size_t) self->setup->bridge.connections;
    struct carrier *carrier = self->carrier = calloc (1, sizeof *carrier);
    if (!carrier)
        return error_plain (WEFT_ENOMEM);
    share_options (self->setup);
    carrier->sockets = calloc (listen->count + dial->count * each, sizeof (struct datagram *));
    if (!carrier->sockets)
        return error_plain (WEFT_ENOMEM);
    int rc = 0;
    for (size_t i = 0; i < listen->count && rc == 0; i++) {
        struct datagram **made = &carrier->sockets[carrier->count];
        rc = datagram_listen (self->reactor, listen->items[i], config, &handler, self, made);
        carrier->count += rc == 0;
        rc = rc ? rc : bridge_add_listening (self, self->adapter->name, datagram_address (*made));
    }
    for (size_t i = 0; i < dial->count * each && rc == 0; i++) {
        rc = datagram_dial (self->reactor, dial->items[i / each], config, &handler, self,
                            &carrier->sockets[carrier->count]);
        carrier->count += rc == 0;
    }
    return rc;
}

static void
datagrams_stop (struct bridge *self)
{
    struct carrier *carrier = self->carrier;
    for (size_t i = 0; carrier && i < carrier->count; i++)
        datagram_stop (carrier->sockets[i]);
}

static void
datagrams_shut (struct bridge *self)
{
    struct carrier *carrier = self->carrier;
    if (!carrier)
        return;
    for (size_t i = 0; i < carrier->count; i++)
        datagram_destroy (&carrier->sockets[i]);
    free (carrier->sockets);
    free (carrier);
    self->carrier = NULL;
}

static void
datagrams_count (const struct bridge *self, weft_bridge_counters_t *counters)
{
    const struct carrier *carrier = self->carrier;
    for (size_t i = 0; i < carrier->count; i++) {
        struct datagram_counters each;
        datagram_counters (carrier->sockets[i], &each);
        counters->overrun += each.overrun;
        counters->limited += each.limited;
        counters->oversize += each.oversize;
        counters->withheld += each.withheld;
        counters->unsent += each.unsent;
        counters->unread += each.unread;
        counters->evicted += each.evicted;
        counters->turned_away += each.turned_away;
    }
}

/* --------------------------------------------------------------------------- one of them */

static int
link_write (void *link, const struct stream_part *parts, size_t count)
{
    return datagram_write (link, parts, count);
}

static bool
link_is_full (void *link)
{
    return datagram_is_full (link);
}

static size_t
link_drop_oldest (void *link, size_t size, void (*told) (void *arg, const void *data, size_t size), void *arg)
{
    (void) told;                        /*  what is in the queue is for others, too */
    (void) arg;
    return datagram_drop_oldest (link, size);
}

/*  Others are at the socket, too: what comes is kept, or dropped, by on_data. */
static void
link_pause (void *link)
{
    (void) link;
}

static void
link_resume (void *link)
{
    datagram_resume (datagram_of (link));
}

static void
link_withhold (void *link)
{
    datagram_withhold (link);
}

static void
link_finish (void *link, int64_t deadline)
{
    (void) deadline;                    /*  bridge_run waits no longer than that either */
    datagram_finish (link);
}

static void
link_close (void *link, int error)
{
    datagram_close (link, error ? weft_error () : "");
}

static const char *
link_name (const void *link)
{
    return datagram_peer (link);
}

const struct transport bridge_datagrams = {
    .check = datagrams_check,
    .open = datagrams_open,
    .stop = datagrams_stop,
    .shut = datagrams_shut,
    .count = datagrams_count,
    .write = link_write,
    .is_full = link_is_full,
    .drop_oldest = link_drop_oldest,
    .pause = link_pause,
    .resume = link_resume,
    .withhold = link_withhold,
    .finish = link_finish,
    .close = link_close,
    .name = link_name
};
