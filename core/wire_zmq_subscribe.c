/*  wire_zmq_subscribe.c - what subscribes to an XPUB, and who is cut off for it
 *
 *  libzmq keeps topics in a tree of about 40 bytes a character, without a limit: one peer can fill the memory with
 *  a hundredth of that in messages. And it takes in all that a peer sends in one go: a peer that sends topics as fast
 *  as they are taken in holds up every call for ever, unless few may wait (ZMQ_RCVHWM). What it takes in before it
 *  tells of the first is also what the limit of memory is overstepped by, and that is tens of MB when 16 may wait.
 *
 *  ZMQ_XPUB_MANUAL, by which subscriptions could be applied one by one, is no way out in 4.3.4: it remembers pointers
 *  to peers that may have gone when their subscription is applied (a use after free, for whoever subscribes and leaves
 *  at once), and a message that is no subscription shifts them, so that one peer is given what another asked for.
 *
 *  So libzmq applies what comes, and tells (ZMQ_XPUB_VERBOSER). We count; who wants too much, or what is not for
 *  him, has his connection ended, by which libzmq forgets all of his. On a wire with keys this is looked after
 *  before and after each message that is sent: what is not allowed is in force at most for a message
 *  that goes out in the very call that takes it in, and mostly not even for that, since the connection is ended first.
 *
 *  What a peer that left had subscribed to is told by libzmq without saying whose it was. A peer is known by its
 *  connection, and whether that is still there is asked of the kernel. The table of who has what is
 *  core/subscriptions.h. */

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/error.h"
#include "core/subscriptions.h"
#include "core/wire_zmq_zap.h"

enum {
    TOPIC_MAX = 245,            /*  libzmq 4.3.4 breaks those of 246 to 255 bytes               */
    FRAME_LIMIT = 1024,         /*  a handshake fits, with keys and identity                    */
    WAITING_MAX = 1,            /*  of one peer, before its connection is read no further       */
    TURN = 4096,                /*  taken in at once                                            */
    SUSPICION = 100,
    FEW = 16                    /*  peers that are not worth a look whether they are still there */
};
#define MEMORY_MAX (INT64_C (256) << 20)        /*  for the subscriptions of a wire             */

/*  Somebody who subscribed. What libzmq tells of a connection stands at one place, as long as any message of it
 *  is there: so one is kept. */
struct peer {
    struct subscriber has;
    struct map_node node;       /*  by place                                                    */
    struct peer *next, **link;
    zmq_msg_t kept;
    const char *place;
    int fd;
    uint64_t cookie;            /*  the kernel's number of the connection; 0: gone already      */
    bool ended;                 /*  by us: what else it sends is passed over                    */
};

struct subscribers {
    struct subscriptions table;
    struct map places;
    struct peer *peers;
    size_t left_at_sweep;       /*  how many peers there were after they were last looked through */
    int suspicion;              /*  somebody has left; so often it is still looked who          */
};

int
subscribe_open (struct zmq_wire *wire)
{
    struct subscribers *self = wire->subscribers = calloc (1, sizeof *self);
    int64_t frame = FRAME_LIMIT;
    if (!self || subscriptions_init (&self->table, wire->wire.options.verbose) || map_init (&self->places))
        return error_plain (WEFT_ENOMEM);
    if (zmq_setsockopt (wire->socket, ZMQ_MAXMSGSIZE, &frame, sizeof frame))
        return zmq_wire_error ("max-size");
    /*  With keys, one place is taken by the peer's User-Id as long as the connection lasts. */
    bool keys = wire->wire.options.security.secret_key[0];
    int rc = zmq_wire_set (wire, ZMQ_RCVHWM, keys ? WAITING_MAX + 1 : WAITING_MAX);
    return rc ? rc : zmq_wire_set (wire, ZMQ_XPUB_VERBOSER, 1);
}

/* -------------------------------------------------------------------- peers */

static struct peer *
find_peer (const struct subscribers *self, const char *place)
{
    struct map_node *node = map_first (&self->places, hash_number ((uintptr_t) place));
    while (node && map_entry (node, struct peer, node)->place != place)
        node = map_next (node);
    return node ? map_entry (node, struct peer, node) : NULL;
}

static bool
is_there (const struct peer *peer)
{
    return peer->cookie && guard_cookie (peer->fd) == peer->cookie;
}

static int
drop_peer (struct zmq_wire *wire, struct peer *peer)
{
    int rc = subscriptions_leave (&wire->subscribers->table, &peer->has);
    *peer->link = peer->next;
    if (peer->next)
        peer->next->link = peer->link;
    map_remove (&wire->subscribers->places, &peer->node);
    zmq_msg_close (&peer->kept);
    free (peer);
    return rc;
}

/*  Forgets those that have left: how many there were, or an error. */
static int
sweep (struct zmq_wire *wire)
{
    struct subscribers *self = wire->subscribers;
    int gone = 0, rc = 0;
    for (struct peer *peer = self->peers, *next; peer && rc == 0; peer = next) {
        next = peer->next;
        if (is_there (peer))
            continue;
        rc = drop_peer (wire, peer);
        gone++;
    }
    self->left_at_sweep = self->places.count;
    return rc ? rc : gone;
}

/*  Whoever had the descriptor before has gone, even when the number that was taken for its own was already this
 *  one's. */
static void
take_descriptor (struct subscribers *self, int fd)
{
    for (struct peer *peer = self->peers; peer; peer = peer->next)
        if (peer->fd == fd) {
            peer->cookie = 0;
            self->suspicion = SUSPICION;
        }
}

static int
add_peer (struct zmq_wire *wire, zmq_msg_t *msg, const char *place, struct peer **added)
{
    struct subscribers *self = wire->subscribers;
    int rc = self->places.count > 2 * self->left_at_sweep + FEW ? sweep (wire) : 0;
    struct peer *peer = rc < 0 ? NULL : calloc (1, sizeof *peer);
    if (!peer)
        return rc < 0 ? rc : error_plain (WEFT_ENOMEM);
    zmq_msg_init (&peer->kept);
    zmq_msg_copy (&peer->kept, msg);
    peer->place = place;
    peer->fd = zmq_msg_get (msg, ZMQ_SRCFD);
    peer->cookie = guard_cookie (peer->fd);
    take_descriptor (self, peer->fd);
    peer->next = self->peers;
    peer->link = &self->peers;
    if (peer->next)
        peer->next->link = &peer->next;
    self->peers = peer;
    map_add (&self->places, &peer->node, hash_number ((uintptr_t) place));
    *added = peer;
    return 0;
}

/*  A duplicate stays what it is while we look at it, whatever libzmq closes and opens meanwhile. */
static void
end_peer (struct zmq_wire *wire, struct peer *peer, const char *why)
{
    static const struct linger none = { .l_onoff = 1 };     /*  who waits to send is told by the close */
    int fd = fcntl (peer->fd, F_DUPFD_CLOEXEC, 0);
    peer->ended = true;
    counter_add (&wire->wire.counters.refused, 1);
    if (fd >= 0 && peer->cookie && guard_cookie (fd) == peer->cookie) {
        setsockopt (fd, SOL_SOCKET, SO_LINGER, &none, sizeof none);
        shutdown (fd, SHUT_RDWR);
    }
    if (fd >= 0)
        close (fd);
    zap_note_wire (wire, "a subscriber was cut off: %s", why);
}

/* -------------------------------------------------------------- what comes */

/*  Who has most makes room. */
static int
relieve (struct zmq_wire *wire)
{
    struct subscribers *self = wire->subscribers;
    int rc = sweep (wire);
    if (rc < 0 || self->table.memory <= MEMORY_MAX)
        return rc < 0 ? rc : 0;
    struct peer *most = NULL;
    int64_t ending = 0;
    for (struct peer *peer = self->peers; peer; peer = peer->next) {
        ending += peer->ended ? peer->has.memory : 0;
        if (!peer->ended && (!most || peer->has.memory > most->has.memory))
            most = peer;
    }
    if (most && self->table.memory - ending > MEMORY_MAX)
        end_peer (wire, most, "all together have subscribed to more than fits into 256M, and it to most of that");
    return 0;
}

/*  NULL, or why the peer may not have this. */
static const char *
refusal (struct zmq_wire *wire, zmq_msg_t *msg, const struct peer *peer, const void *topic, size_t size)
{
    int64_t limit = wire->wire.options.max_subscriptions;
    if (limit > 0 && peer->has.count + peer->has.passed_over >= (size_t) limit)
        return "more topics than max-subscriptions";
    return guard_may_subscribe (wire, msg, topic, size) ? NULL : "it may not have that topic, or nothing any more";
}

/*  It is in force within libzmq, and costs memory, but no subscriber of ours can have meant it. */
static void
pass_over (struct zmq_wire *wire, struct peer *peer, size_t size)
{
    counter_add (&wire->wire.counters.refused, 1);
    if (peer->has.passed_over == 0)
        zap_note_wire (wire, "a topic of %zu bytes was passed over: at most %d", size, TOPIC_MAX);
    subscriptions_pass_over (&wire->subscribers->table, &peer->has, size);
}

/*  A peer that subscribes twice tells so twice, but its end once. Over inproc that cannot be told from two peers. */
static bool
has_several_inproc (struct zmq_wire *wire)
{
    pthread_mutex_lock (&wire->context->lock);
    bool several = wire->inproc_several;
    pthread_mutex_unlock (&wire->context->lock);
    return several;
}

static int
on_subscribe (struct zmq_wire *wire, zmq_msg_t *msg, struct peer *peer, const void *bytes, size_t size)
{
    struct subscriptions *table = &wire->subscribers->table;
    const char *why = peer && !peer->ended ? refusal (wire, msg, peer, bytes, size) : NULL;
    if (why)
        end_peer (wire, peer, why);
    if (peer && peer->ended)
        return 0;
    if (!peer) {
        const struct topic *topic = table->verbose ? NULL : subscriptions_find (table, bytes, size);
        bool again = topic && topic->unknown && !has_several_inproc (wire);
        return again ? 0 : subscriptions_add (table, NULL, bytes, size);
    }
    int rc = 0;
    if (size > TOPIC_MAX)
        pass_over (wire, peer, size);
    else
        rc = subscriptions_add (table, &peer->has, bytes, size);
    return rc || table->memory <= MEMORY_MAX ? rc : relieve (wire);
}

/*  Without a peer it is one that has left, or inproc. */
static int
on_unsubscribe (struct zmq_wire *wire, struct peer *peer, const void *bytes, size_t size)
{
    struct subscribers *self = wire->subscribers;
    struct topic *topic = subscriptions_find (&self->table, bytes, size);
    if (!topic)
        return 0;
    if (!peer && topic->count > topic->unknown) {
        self->suspicion = SUSPICION;
        int gone = topic->unknown ? sweep (wire) : 0;
        if (gone || !topic->unknown)
            return gone < 0 ? gone : 0;
    }
    return subscriptions_remove (&self->table, peer ? &peer->has : NULL, topic);
}

/*  libzmq takes every frame that begins so for a subscription, wherever in a message it stands. */
static int
on_message (struct zmq_wire *wire, zmq_msg_t *msg)
{
    struct subscribers *self = wire->subscribers;
    const unsigned char *data = zmq_msg_data (msg);
    size_t size = zmq_msg_size (msg);
    if (size == 0 || data[0] > 1) {
        counter_add (&wire->wire.counters.refused, 1);
        return 0;
    }
    const char *place = zmq_msg_gets (msg, "__fd");
    struct peer *peer = place ? find_peer (self, place) : NULL;
    int rc = place && !peer ? add_peer (wire, msg, place, &peer) : 0;
    if (rc)
        return rc;
    return data[0] ? on_subscribe (wire, msg, peer, data + 1, size - 1)
                   : on_unsubscribe (wire, peer, data + 1, size - 1);
}

/*  Takes in what libzmq has. */
static int
take (struct zmq_wire *wire)
{
    struct subscribers *self = wire->subscribers;
    zmq_msg_t msg;
    zmq_msg_init (&msg);
    int rc = 0;
    for (int i = 0; rc == 0 && i < TURN; i++)
        if (zmq_msg_recv (&msg, wire->socket, ZMQ_DONTWAIT) >= 0)
            rc = on_message (wire, &msg);
        else
            rc = zmq_wire_error ("receive");
    zmq_msg_close (&msg);
    if (rc == WEFT_EINTR || rc == WEFT_EAGAIN)
        rc = 0;
    if (rc == 0 && self->suspicion > 0) {
        int gone = sweep (wire);
        self->suspicion = gone ? 0 : self->suspicion - 1;
        rc = gone < 0 ? gone : 0;
    }
    return rc;
}

/* --------------------------------------------------------------- for the wire */

bool
subscribe_ready (const struct zmq_wire *wire)
{
    return wire->subscribers && wire->subscribers->table.changes;
}

int
subscribe_look (struct zmq_wire *wire)
{
    return wire->guard && wire->subscribers->table.waiting < TURN ? take (wire) : 0;
}

static int
deliver (struct zmq_wire *wire, weft_msg_t *msg)
{
    const struct change *change = wire->subscribers->table.changes;
    int rc = weft_msg_add (msg, change->bytes, change->size);
    if (rc)
        return rc;
    counter_add (&wire->wire.counters.received, 1);
    counter_add (&wire->wire.counters.received_bytes, change->size);
    subscriptions_told (&wire->subscribers->table);
    return 0;
}

int
subscribe_recv (struct wire *wire, weft_msg_t *msg, int64_t timeout)
{
    struct zmq_wire *self = (struct zmq_wire *) wire;
    struct clock *clock = clock_system ();
    int64_t deadline = clock_deadline (clock, timeout);
    weft_msg_clear (msg);
    for (;;) {
        int rc = subscribe_ready (self) ? 0 : take (self);
        if (rc || subscribe_ready (self))
            return rc ? rc : deliver (self, msg);
        int64_t left = clock_left (clock, deadline);
        if (left == 0)
            return error_plain (timeout ? WEFT_ETIMEOUT : WEFT_EAGAIN);
        zmq_pollitem_t item = { .socket = self->socket, .events = ZMQ_POLLIN };
        if (zmq_poll (&item, 1, clock_poll_ms (left)) < 0)
            return zmq_wire_error ("receive");
    }
}

void
subscribe_close (struct zmq_wire *wire)
{
    struct subscribers *self = wire->subscribers;
    if (!self)
        return;
    while (self->peers)
        drop_peer (wire, self->peers);
    subscriptions_free (&self->table);
    map_free (&self->places);
    free (self);
    wire->subscribers = NULL;
}
