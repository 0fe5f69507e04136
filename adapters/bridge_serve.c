/*  bridge_serve.c - requests of the fabric (--rep), each with a connection that answers it
 *
 *  A connection has one request at a time: its next message is the reply, since a framing has no place for whose it is.
 *  The others wait in the fabric. A request whose connection has gone before a byte of it was written is given to the
 *  next one; any other might be done twice, so its client is told by an empty reply. */

#include <stdlib.h>

#include "adapters/bridge_parts.h"
#include "core/error.h"
#include "patterns/reply.h"

#define FULL_PAUSE (10 * TIME_MS)       /*  before a reply is tried again at a client that does not read    */
#define TLS_WHOLE (16 * 1024)           /*  so much is one record, which is read whole or not at all        */

/*  A request, from when it was taken until it is answered. */
struct bridge_call {
    struct bridge *bridge;
    struct bridge_peer *peer;           /*  who has it; NULL: it is in bridge->calls                        */
    struct list again;
    struct reactor_timer timer;
    weft_msg_t request, envelope;
    size_t written;                     /*  bytes of it that are the connection's                           */
    int64_t since;
};

static struct bridge_call *
call_of (struct list *node)
{
    return map_entry (node, struct bridge_call, again);
}

static void
end_call (struct bridge_call *call)
{
    struct bridge_peer *peer = call->peer;
    reactor_timer_set (call->bridge->reactor, &call->timer, TIME_FOREVER);
    list_remove (&call->again);
    weft_msg_clear (&call->request);
    weft_msg_clear (&call->envelope);
    free (call);
    if (!peer)
        return;
    peer->call = NULL;
    bridge_look (peer);
}

/*  Whoever asked must not wait for ever. A client that has no room even for this does not read. */
static void
answer_nothing (struct bridge_call *call, const char *why)
{
    struct bridge *self = call->bridge;
    weft_msg_t empty;
    if (bridge_first (self, TOLD_ORPHAN))
        log_warning (&self->weft->log, "a request of the fabric gets an empty reply: %s", why);
    self->counters.unanswered++;
    weft_msg_init (&empty);
    int rc = weft_msg_add (&empty, "", 0);
    rc = rc ? rc : reply_send (fabric_of (self, MODE_REP)->socket, &empty, &call->envelope);
    weft_msg_clear (&empty);
    self->counters.dropped += rc == WEFT_EAGAIN;
    if (rc && rc != WEFT_EAGAIN)
        bridge_failed (self, rc);
    end_call (call);
}

/*  There is no reply in time. What the server may still say would be taken for the answer to the next request. */
static void
on_due (void *arg)
{
    struct bridge_call *call = arg;
    struct bridge_peer *peer = call->peer;
    if (peer && list_has (&peer->wait)) {
        peer->overdue = true;           /*  the reply is there, and its client takes none */
        end_call (call);
        bridge_give_up (peer);
        bridge_end_if_done (peer);
        return;
    }
    answer_nothing (call, peer ? "the foreign server has not answered in time" : "no foreign server is there");
    if (peer)
        bridge_close_peer (peer, error_set (WEFT_ETIMEOUT, "it has not answered a request in time"));
}

/* --------------------------------------------------------------------- from the fabric */

/*  0 with the next one. */
static int
next_call (struct bridge *self, struct bridge_call **call)
{
    weft_msg_t request, envelope;
    if (!list_empty (&self->calls)) {
        *call = call_of (self->calls.next);
        list_remove (&(*call)->again);
        return 0;
    }
    weft_msg_init (&request);
    weft_msg_init (&envelope);
    int rc = reply_next (fabric_of (self, MODE_REP)->socket, &request, &envelope);
    struct bridge_call *made = rc ? NULL : calloc (1, sizeof *made);
    rc = rc || made ? rc : error_plain (WEFT_ENOMEM);
    if (rc) {
        weft_msg_clear (&request);
        weft_msg_clear (&envelope);
        return rc;
    }
    made->bridge = self;
    made->since = reactor_now (self->reactor);
    weft_msg_init (&made->request);
    weft_msg_init (&made->envelope);
    weft_msg_move (&made->request, &request);
    weft_msg_move (&made->envelope, &envelope);
    reactor_timer_init (&made->timer, on_due, made);
    reactor_timer_set (self->reactor, &made->timer, made->since + self->setup->bridge.timeout);
    *call = made;
    return 0;
}

/*  To a connection that is free; when that has just gone, to the next one. */
static void
give_call (struct bridge_call *call, struct bridge_peer *peer)
{
    struct bridge *self = call->bridge;
    call->peer = peer;
    call->written = 0;
    peer->call = call;
    self->delivering = MODE_REP;
    int rc = bridge_deliver (peer, &call->request);
    if (rc == WEFT_EAGAIN || rc == WEFT_ESTATE) {
        call->peer = NULL;
        peer->call = NULL;
        list_append (&self->calls, &call->again);
        list_remove (&peer->free);      /*  until it drains; or it has gone, which is told before long */
        bridge_want (self);
        return;
    }
    if (rc)
        answer_nothing (call, weft_error ());
    bridge_look (peer);
}

void
bridge_take_rep (struct fabric *fabric)
{
    struct bridge *self = fabric->bridge;
    struct bridge_call *call;
    int rc = 0;
    for (int i = 0; i < BRIDGE_TURN && !self->error && !self->stopping && !list_empty (&self->free); i++) {
        struct bridge_peer *peer = peer_of_free (self->free.next);
        bridge_look (peer);             /*  peers may share a queue (udp), which others have filled since */
        if (!list_has (&peer->free))
            continue;
        rc = next_call (self, &call);
        if (rc)
            break;
        give_call (call, peer);
    }
    if (rc && rc != WEFT_EAGAIN)
        bridge_failed (self, rc);
}

/*  Those that wait for a connection; and replies whose clients had no room. */
void
bridge_serve_again (void *arg)
{
    struct bridge *self = arg;
    struct fabric *fabric = fabric_of (self, MODE_REP);
    bridge_take_rep (fabric);
    bridge_wake (fabric, BRIDGE_WAKE);
    if (!list_empty (&fabric->waiting))
        bridge_serve_soon (self);
}

void
bridge_serve_soon (struct bridge *self)
{
    reactor_timer_set (self->reactor, &self->serve_timer, reactor_now (self->reactor));
}

/* ------------------------------------------------------------------ from a connection */

bool
bridge_drop_overdue (struct bridge_peer *peer, weft_msg_t *msg)
{
    if (!peer->overdue)
        return false;
    weft_msg_clear (msg);
    peer->bridge->counters.dropped++;
    peer->overdue = false;
    bridge_look (peer);
    return true;
}

bool
bridge_take_answer (struct bridge_peer *peer, weft_msg_t *msg, int *rc)
{
    struct bridge *self = peer->bridge;
    struct bridge_call *call = peer->call;
    if (!call)
        return false;
    *rc = reply_send (fabric_of (self, MODE_REP)->socket, msg, &call->envelope);
    if (*rc == 0) {
        bridge_took (self, MODE_REP, call->since);
        end_call (call);
        bridge_end_if_done (peer);
    } else if (*rc == WEFT_EAGAIN)
        reactor_timer_set (self->reactor, &self->serve_timer, reactor_now (self->reactor) + FULL_PAUSE);
    return true;
}

void
bridge_wrote (struct bridge_peer *peer, const struct stream_part *parts, size_t count)
{
    for (size_t i = 0; peer->call && i < count; i++)
        peer->call->written += parts[i].size;
}

/*  Has nothing of it left us? */
static bool
is_unsent (const struct bridge_call *call, size_t unsent)
{
    const struct bridge *self = call->bridge;
    bool tls = !self->adapter->datagram && self->setup->stream.tls.on;
    return call->written && unsent >= call->written && (!tls || call->written <= TLS_WHOLE);
}

void
bridge_leave_call (struct bridge_peer *peer, const char *why, size_t unsent)
{
    struct bridge *self = peer->bridge;
    struct bridge_call *call = peer->call;
    if (!call)
        return;
    if (self->stopping || !is_unsent (call, unsent)) {
        answer_nothing (call, why);
        return;
    }
    call->peer = NULL;
    peer->call = NULL;
    list_append (&self->calls, &call->again);
    bridge_serve_soon (self);
}

void
bridge_end_calls (struct bridge *self, bool all)
{
    struct list *next;
    while (!list_empty (&self->calls))
        answer_nothing (call_of (self->calls.next), "the bridge ends");
    for (struct list *each = self->peers.next; all && each != &self->peers; each = next) {
        struct bridge_peer *peer = peer_of_all (each);
        next = each->next;
        if (peer->call)
            answer_nothing (peer->call, "the bridge ends");
    }
}
