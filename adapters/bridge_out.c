/*  bridge_out.c - what goes to a bridge's peers: replies, publications, what is pushed */

#include <stdlib.h>

#include "adapters/bridge_parts.h"
#include "core/error.h"
#include "patterns/requests.h"

int
bridge_write (struct bridge_peer *peer, const struct stream_part *parts, size_t count)
{
    int rc = peer->bridge->transport->write (peer->link, parts, count);
    if (rc == 0 && peer->call)
        bridge_wrote (peer, parts, count);
    bridge_look (peer);
    return rc;
}

void
bridge_keep (struct bridge_peer *peer)
{
    if (peer->bridge->transport->keep)
        peer->bridge->transport->keep (peer->link);
}

int
bridge_write_last (struct bridge_peer *peer, const struct stream_part *parts, size_t count)
{
    const struct transport *transport = peer->bridge->transport;
    if (!transport->write_last)
        return bridge_write (peer, parts, count);
    int rc = transport->write_last (peer->link, parts, count);
    if (rc == 0 && peer->call)
        bridge_wrote (peer, parts, count);
    return rc;
}

bool
bridge_has_room (const struct bridge_peer *peer)
{
    return !peer->bridge->transport->is_full (peer->link);
}

bool
bridge_is_sending (const struct bridge_peer *peer)
{
    const struct transport *transport = peer->bridge->transport;
    return transport->is_sending && transport->is_sending (peer->link);
}

int
bridge_deliver (struct bridge_peer *peer, const weft_msg_t *msg)
{
    struct bridge *self = peer->bridge;
    if (peer->closing)
        return error_plain (WEFT_ESTATE);
    int rc = peer->kind->adapter->deliver (peer, msg);
    if (rc == 0) {
        self->counters.out++;
        self->counters.out_bytes += weft_msg_bytes (msg);
    } else if (rc != WEFT_EAGAIN && rc != WEFT_ESTATE && rc != WEFT_ELIMIT) {    /*  withheld ones are counted */
        self->counters.dropped++;
        if (bridge_first (self, TOLD_UNWRITABLE))
            log_warning (&self->weft->log, "a message for %s is dropped: %s", bridge_peer_name (peer),
                         weft_error ());
    }
    return rc;
}

/* ------------------------------------------------------------------------- replies */

static struct bridge_request **
find_over (struct bridge_peer *peer)
{
    struct bridge_request **at = &peer->first;
    while (!peer->kind->adapter->in_order && *at && !(*at)->over)
        at = &(*at)->next;
    return *at && (*at)->over ? at : NULL;
}

static void
drop_request (struct bridge_peer *peer, struct bridge_request **at)
{
    struct bridge_request *request = *at;
    *at = request->next;
    if (peer->last == &request->next)
        peer->last = at;
    weft_msg_clear (&request->reply);
    free (request);
    peer->requests--;
}

/*  0: it has been told, or has its reply. */
static int
give_reply (struct bridge_peer *peer, const struct bridge_request *request)
{
    const struct adapter *adapter = peer->kind->adapter;
    peer->bridge->delivering = MODE_REQ;
    int rc = request->error ? request->error : bridge_deliver (peer, &request->reply);
    if (rc == 0 || rc == WEFT_EAGAIN || rc == WEFT_ESTATE)
        return rc;
    return adapter->refuse ? adapter->refuse (peer, rc) : rc;
}

void
bridge_give_replies (struct bridge_peer *peer)
{
    struct bridge_request **at;
    while (!peer->closing && (at = find_over (peer))) {
        int rc = give_reply (peer, *at);
        if (rc == WEFT_EAGAIN)
            return;
        drop_request (peer, at);
        if (rc)
            bridge_close_peer (peer, error_set (WEFT_ETIMEOUT, "a request of its has no reply"));
    }
    if (peer->requests < (peer->bridge->setup->bridge.in_flight + 1) / 2)
        bridge_unpause (peer, PAUSE_REQUESTS);
    bridge_end_if_done (peer);
}

static void
end_request (struct bridge *self, struct bridge_request *request, weft_msg_t *reply, int error)
{
    struct bridge_peer *peer = request->peer;
    if (self->requests-- == REQUESTS_MAX)
        bridge_want (self);
    self->counters.unanswered += error != 0;
    if (!error)
        bridge_took (self, MODE_REQ, request->since);
    if (error && bridge_first (self, TOLD_TIMEOUT))
        log_warning (&self->weft->log, "a request of %s: %s", peer ? bridge_peer_name (peer) : "one who has gone",
                     weft_error ());
    if (!peer) {
        self->counters.orphaned += error == 0;
        weft_msg_clear (&request->reply);
        free (request);
        return;
    }
    request->over = true;
    request->error = error;
    weft_msg_move (&request->reply, reply);
    bridge_give_replies (peer);
}

void
bridge_take_replies (struct fabric *fabric)
{
    struct bridge *self = fabric->bridge;
    weft_msg_t msg;
    void *request;
    int error, rc = 0;
    weft_msg_init (&msg);
    /*  With none under way, the look that would find nothing more is saved: it costs as much as a reply. */
    for (int i = 0; i < BRIDGE_TURN && (i == 0 || self->requests); i++) {
        rc = requests_next (fabric->socket, &msg, &request, &error);
        if (rc)
            break;
        end_request (self, request, &msg, error);
    }
    weft_msg_clear (&msg);
    if (rc && rc != WEFT_EAGAIN)
        bridge_failed (self, rc);
}

/* ---------------------------------------------------------------- to all, to one of them */

static void
tell_dropped (void *arg, const void *data, size_t size)
{
    struct bridge_peer *peer = arg;
    if (peer->kind->adapter->dropped)
        peer->kind->adapter->dropped (peer, data, size);
}

/*  Its queue is full. */
static void
overflow (struct bridge_peer *peer, const weft_msg_t *msg)
{
    struct bridge *self = peer->bridge;
    if (bridge_first (self, TOLD_DROPPED))
        log_warning (&self->weft->log, "%s does not read, and its queue is full (out-queue)",
                     bridge_peer_name (peer));
    if (self->setup->bridge.when_full == FULL_DROP) {
        self->counters.dropped += self->transport->drop_oldest (peer->link, weft_msg_bytes (msg), tell_dropped, peer);
        if (bridge_deliver (peer, msg) != WEFT_EAGAIN)
            return;
        tell_dropped (peer, NULL, 0);
    } else if (self->setup->bridge.when_full == FULL_DISCONNECT)
        bridge_close_peer (peer, error_set (WEFT_ELIMIT, "it does not read, and its queue is full"));
    self->counters.dropped++;
}

/*  Of a publication's first frame. */
static bool
is_for (const struct bridge_peer *peer, enum adapter_mode mode, const weft_msg_t *msg)
{
    if (!(peer->modes & mode))
        return false;
    return mode != MODE_SUB || !peer->bridge->wanted
           || bridge_wants (peer, weft_msg_data (msg, 0), weft_msg_size (msg, 0));
}

void
bridge_broadcast (struct bridge *self, enum adapter_mode mode, const weft_msg_t *msg, const struct bridge_peer *but)
{
    self->delivering = mode;
    for (struct list *each = self->peers.next; each != &self->peers; each = each->next) {
        struct bridge_peer *peer = peer_of_all (each);
        if (peer == but || !is_for (peer, mode, msg))
            continue;
        if (peer->asked_only)
            self->transport->withhold (peer->link);
        else if (bridge_deliver (peer, msg) == WEFT_EAGAIN)
            overflow (peer, msg);
    }
}

/*  By --format; without, the topic of a publication is left out. Where peers choose topics it stays. */
static int
shape (struct bridge *self, enum adapter_mode mode, weft_msg_t *msg)
{
    const char *format = self->setup->bridge.format;
    bool topic = mode == MODE_SUB && weft_msg_frames (msg) > 1;
    if (!format) {
        if (topic && !self->wanted)
            weft_msg_pop (msg, 1);
        return 0;
    }
    weft_msg_t out;
    weft_msg_init (&out);
    int rc = bridge_fill (self, format, NULL, msg);
    if (rc == 0 && topic && self->wanted)
        rc = weft_msg_add (&out, weft_msg_data (msg, 0), weft_msg_size (msg, 0));
    rc = rc ? rc : weft_msg_add (&out, buffer_data (&self->text), buffer_size (&self->text));
    weft_msg_clear (msg);
    weft_msg_move (msg, &out);
    return rc;
}

static void
tell_passing (struct bridge *self, const weft_msg_t *msg)
{
    self->passed++;
    for (size_t i = 0; i < self->kind_count; i++)
        if (self->kinds[i].adapter->passing)
            self->kinds[i].adapter->passing (self->kinds[i].config, msg);
}

void
bridge_take_sub (struct fabric *fabric)
{
    struct bridge *self = fabric->bridge;
    bool block = self->setup->bridge.when_full == FULL_BLOCK;
    weft_msg_t msg;
    int rc = 0;
    weft_msg_init (&msg);
    for (int i = 0; i < BRIDGE_TURN && !(block && self->full); i++) {
        rc = weft_recv (fabric->socket, &msg, WEFT_DONTWAIT);
        rc = rc ? rc : shape (self, MODE_SUB, &msg);
        if (rc)
            break;
        tell_passing (self, &msg);
        bridge_broadcast (self, MODE_SUB, &msg, NULL);
    }
    weft_msg_clear (&msg);
    if (rc && rc != WEFT_EAGAIN)
        bridge_failed (self, rc);
}

/*  Whether somebody can take something: peers may share a queue (udp), which others have filled since. */
static bool
is_somebody_able (struct bridge *self)
{
    while (!list_empty (&self->able)) {
        struct bridge_peer *first = peer_of_able (self->able.next);
        bridge_look (first);
        if (list_has (&first->able))
            return true;
    }
    return false;
}

/*  Who is next of those that can take something: only for a message that is there. */
static struct bridge_peer *
next_able (struct bridge *self)
{
    struct list *first = self->able.next;
    list_remove (first);
    list_append (&self->able, first);
    return peer_of_able (first);
}

void
bridge_take_pull (struct fabric *fabric)
{
    struct bridge *self = fabric->bridge;
    weft_msg_t msg;
    int rc = 0;
    weft_msg_init (&msg);
    for (int i = 0; i < BRIDGE_TURN && is_somebody_able (self); i++) {
        rc = weft_recv (fabric->socket, &msg, WEFT_DONTWAIT);
        rc = rc ? rc : shape (self, MODE_PULL, &msg);
        if (rc)
            break;
        self->delivering = MODE_PULL;
        rc = bridge_deliver (next_able (self), &msg);
        if (rc == WEFT_EAGAIN || rc == WEFT_ESTATE)     /*  it has just gone, and it took the message along */
            self->counters.dropped++;
        rc = 0;
    }
    weft_msg_clear (&msg);
    if (rc && rc != WEFT_EAGAIN)
        bridge_failed (self, rc);
}
