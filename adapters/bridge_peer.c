/*  bridge_peer.c - the connections of a bridge: coming, being read or not, going */

#include <stdlib.h>
#include <string.h>

#include "adapters/bridge_parts.h"
#include "core/error.h"

void *
bridge_adapter_config (const struct bridge_peer *peer)
{
    return peer->kind->config;
}

void *
bridge_peer_state (struct bridge_peer *peer)
{
    return peer->state;
}

const char *
bridge_peer_name (const struct bridge_peer *peer)
{
    return peer->bridge->transport->name (peer->link);
}

/* --------------------------------------------------------------------- what it can take */

/*  True: that was a change. */
static bool
set_in (struct list *list, struct list *node, bool in)
{
    if (in == list_has (node))
        return false;
    if (in)
        list_append (list, node);
    else
        list_remove (node);
    return true;
}

void
bridge_look (struct bridge_peer *peer)
{
    struct bridge *self = peer->bridge;
    bool full = !peer->closing && peer->modes & (MODE_SUB | MODE_RELAY | MODE_PULL | MODE_REP)
                && self->transport->is_full (peer->link);
    if (full != peer->full) {
        self->full += full ? 1 : (size_t) -1;
        peer->full = full;
        bridge_want (self);
    }
    bool able = !full && !peer->ended && !peer->closing && !peer->asked_only;
    bool free = able && peer->modes & MODE_REP && !peer->call && !peer->overdue && !peer->pauses;
    if (set_in (&self->able, &peer->able, able && peer->modes & MODE_PULL))
        bridge_want (self);
    if (!set_in (&self->free, &peer->free, free))
        return;
    bridge_want (self);
    if (free && !list_empty (&self->calls))
        bridge_serve_soon (self);
}

/* ------------------------------------------------------------------------- being read */

void
bridge_pause (struct bridge_peer *peer, unsigned why)
{
    peer->pauses |= why;
    peer->bridge->transport->pause (peer->link);
}

void
bridge_unpause (struct bridge_peer *peer, unsigned why)
{
    if (!(peer->pauses & why))
        return;
    peer->pauses &= ~why;
    if (peer->pauses || peer->closing)
        return;
    peer->bridge->transport->resume (peer->link);
    if (peer->modes & MODE_REP)
        bridge_look (peer);
}

void
bridge_wait (struct bridge_peer *peer, struct fabric *fabric)
{
    bridge_pause (peer, PAUSE_FABRIC);
    if (!list_has (&peer->wait))
        list_append (&fabric->waiting, &peer->wait);
    bridge_want (peer->bridge);
}

void
bridge_wake (struct fabric *fabric, int count)
{
    for (; count > 0 && !list_empty (&fabric->waiting); count--) {
        struct bridge_peer *peer = peer_of_wait (fabric->waiting.next);
        list_remove (&peer->wait);
        bridge_unpause (peer, PAUSE_FABRIC);
    }
    bridge_want (fabric->bridge);
}

/*  The peer's fault, which is counted. */
static bool
is_refusal (int error)
{
    return error == WEFT_EPROTO || error == WEFT_ETOOBIG || error == WEFT_EINVAL;
}

static void
complain (struct bridge_peer *peer)
{
    struct bridge *self = peer->bridge;
    self->counters.refused++;
    if (bridge_first (self, TOLD_REFUSED))
        log_warning (&self->weft->log, "%s is disconnected: %s", bridge_peer_name (peer), weft_error ());
}

int64_t
bridge_on_data (struct bridge_peer *peer, const unsigned char *data, size_t size)
{
    const struct bridge_kind *kind;
    size_t used = 0;
    if (peer->pauses)
        return 0;
    do {                                /*  what one has left is the next one's, after a hand-over */
        kind = peer->kind;
        int64_t taken = kind->adapter->on_data (peer, data + used, size - used);
        if (taken < 0)
            return taken;
        used += (size_t) taken;
    } while (peer->kind != kind && used < size && !peer->pauses && !peer->closing);
    return (int64_t) used;
}

int
bridge_on_end (struct bridge_peer *peer, const unsigned char *data, size_t size)
{
    int rc = peer->pauses & PAUSE_HELD ? WEFT_EAGAIN : peer->kind->adapter->on_end (peer, data, size);
    if (rc)
        return rc;
    peer->ended = true;
    bridge_look (peer);
    bridge_leave_call (peer, "the foreign server has ended the connection", 0);
    bridge_end_if_done (peer);
    return 0;
}

void
bridge_on_drained (struct bridge_peer *peer)
{
    bridge_look (peer);
    if (peer->kind->adapter->on_room && !peer->closing)
        peer->kind->adapter->on_room (peer);
    bridge_give_replies (peer);
    bridge_wake (fabric_of (peer->bridge, MODE_RELAY), BRIDGE_WAKE);
}

void
bridge_cut_off (struct bridge_peer *peer)
{
    struct bridge *self = peer->bridge;
    self->counters.cut_off++;
    if (bridge_first (self, TOLD_CUT_OFF))
        log_warning (&self->weft->log, "%s has left in the middle of a message", bridge_peer_name (peer));
}

/* ------------------------------------------------------------- what an adapter asks for */

unsigned
bridge_route (struct bridge_peer *peer, unsigned modes)
{
    peer->modes = peer->bridge->modes & modes;
    bridge_look (peer);
    return peer->modes;
}

const char *
bridge_dialled (const struct bridge_peer *peer)
{
    return peer->dialled;
}

bool
bridge_reads (const struct bridge_peer *peer)
{
    return !peer->pauses;
}

bool
bridge_is_ending (const struct bridge_peer *peer)
{
    return peer->bridge->stopping;
}

bool
bridge_drops (const struct bridge_peer *peer)
{
    const struct bridge *self = peer->bridge;
    return self->setup->bridge.when_full == FULL_DROP && self->modes & (MODE_SUB | MODE_RELAY);
}

enum adapter_mode
bridge_delivers (const struct bridge_peer *peer)
{
    return peer->bridge->delivering;
}

void
bridge_give_up (struct bridge_peer *peer)
{
    list_remove (&peer->wait);
    peer->taken = 0;
    bridge_unpause (peer, PAUSE_FABRIC);
}

void
bridge_hold (struct bridge_peer *peer)
{
    bridge_pause (peer, PAUSE_HELD);
}

void
bridge_release (struct bridge_peer *peer)
{
    bridge_unpause (peer, PAUSE_HELD);
    bridge_end_if_done (peer);
}

void
bridge_set_timer (struct bridge_peer *peer, int64_t deadline)
{
    reactor_timer_set (peer->bridge->reactor, &peer->timer, deadline);
}

int64_t
bridge_now (const struct bridge_peer *peer)
{
    return reactor_now (peer->bridge->reactor);
}

/* -------------------------------------------------------------------- coming and going */

void
bridge_close_peer (struct bridge_peer *peer, int error)
{
    if (peer->closing)
        return;
    peer->closing = true;
    peer->bridge->transport->close (peer->link, error);
    bridge_look (peer);
}

void
bridge_finish (struct bridge_peer *peer)
{
    struct bridge *self = peer->bridge;
    int64_t linger = self->setup->socket.linger;
    if (peer->closing)
        return;
    peer->closing = true;
    self->transport->finish (peer->link, linger == TIME_FOREVER ? linger : reactor_now (self->reactor) + linger);
    bridge_look (peer);
}

void
bridge_break (struct bridge_peer *peer, int error)
{
    if (peer->closing)
        return;
    if (is_refusal (error))
        complain (peer);
    bridge_finish (peer);
}

void
bridge_cut (struct bridge_peer *peer, int error)
{
    bridge_close_peer (peer, error);
}

void
bridge_end_if_done (struct bridge_peer *peer)
{
    struct bridge *self = peer->bridge;
    bool stays = peer->modes & MODE_SUB && !self->stopping;     /*  half closed: it reads on */
    if (peer->closing || (!peer->ended && !self->stopping) || peer->first || peer->pauses & PAUSE_HELD
        || peer->call || stays)
        return;
    bridge_part_from (peer);
}

void
bridge_part_from (struct bridge_peer *peer)
{
    if (peer->closing)
        return;
    if (peer->kind->adapter->ending)
        peer->kind->adapter->ending (peer);
    bridge_finish (peer);
}

/*  Its requests go on, for nobody. */
static void
leave_requests (struct bridge_peer *peer)
{
    struct bridge *self = peer->bridge;
    while (peer->first) {
        struct bridge_request *request = peer->first;
        peer->first = request->next;
        request->peer = NULL;
        if (!request->over)
            continue;
        self->counters.orphaned += request->error == 0;
        weft_msg_clear (&request->reply);
        free (request);
    }
}

void
bridge_on_closed (struct bridge_peer *peer, int error, const char *why, size_t unsent)
{
    struct bridge *self = peer->bridge;
    if (is_refusal (error)) {
        error_set (error, "%s", why);
        complain (peer);
    }
    log_info (&self->weft->log, "%s has gone%s%s", bridge_peer_name (peer), *why ? ": " : "", why);
    peer->closing = true;
    bridge_look (peer);
    list_remove (&peer->all);
    list_remove (&peer->wait);
    leave_requests (peer);
    reactor_timer_set (self->reactor, &peer->timer, TIME_FOREVER);
    bridge_unsubscribe_all (peer);
    if (peer->state && peer->kind->adapter->close)
        peer->kind->adapter->close (peer);
    free (peer->state);
    self->counters.disconnects++;
    self->counters.undelivered += unsent > 0;
    bridge_leave_call (peer, *why ? why : "the foreign server has gone", unsent);
    free (peer);
    if (--self->peer_count == 0 && self->stopping)
        reactor_stop (self->reactor);
    bridge_wake (fabric_of (self, MODE_RELAY), BRIDGE_WAKE);
}

static void
on_timer (void *arg)
{
    struct bridge_peer *peer = arg;
    if (!peer->closing)
        peer->kind->adapter->on_timer (peer);
}

struct bridge_peer *
bridge_peer_new (struct bridge *self, void *link)
{
    struct bridge_peer *peer = calloc (1, sizeof *peer);
    if (!peer)
        return NULL;
    peer->bridge = self;
    peer->link = link;
    peer->kind = self->kinds;
    peer->modes = self->modes;
    reactor_timer_init (&peer->timer, on_timer, peer);
    peer->last = &peer->first;
    return peer;
}

void
bridge_peer_begin (struct bridge_peer *peer)
{
    struct bridge *self = peer->bridge;
    list_append (&self->peers, &peer->all);
    self->peer_count++;
    self->counters.connects++;
    log_info (&self->weft->log, "%s is connected", bridge_peer_name (peer));
    const struct adapter *adapter = peer->kind->adapter;
    peer->state = calloc (1, adapter->state_size + 1);
    int rc = peer->state ? 0 : error_plain (WEFT_ENOMEM);
    rc = rc || !adapter->open ? rc : adapter->open (peer);
    bridge_look (peer);
    if (rc)
        bridge_close_peer (peer, rc);
}
