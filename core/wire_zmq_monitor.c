/*  wire_zmq_monitor.c - libzmq's monitor, told as connection events
 *
 *  The monitor says which descriptor was accepted or disconnected, but not whose
 *  handshake has succeeded, and it reports a disconnect after a failed handshake
 *  too. So descriptors are followed: a handshake belongs to one of those that have
 *  not done it yet, and a disconnect counts as a peer gone when its handshake is
 *  done. Protocol constants are those of zmq.h; frames those of zmq_socket_monitor(3).
 *
 *  Each question to a socket of libzmq's takes two system calls, and connections come and go rarely: so the monitor is
 *  asked when its descriptor says so, and then until it has nothing. Nobody else may ask it without setting `stirred`:
 *  what is told in between would leave the descriptor silent. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

#include "core/error.h"
#include "core/wire_zmq.h"

#define HANGS_UP_FOR_GOOD 4

int
monitor_open (struct zmq_monitor *self, struct zmq_wire *wire)
{
    char name[64];
    pthread_mutex_lock (&wire->context->lock);
    snprintf (name, sizeof name, "inproc://weft.monitor.%llu", (unsigned long long) ++wire->context->monitors);
    pthread_mutex_unlock (&wire->context->lock);

    int events = ZMQ_EVENT_CONNECTED | ZMQ_EVENT_CONNECT_RETRIED | ZMQ_EVENT_LISTENING | ZMQ_EVENT_ACCEPTED
                 | ZMQ_EVENT_ACCEPT_FAILED | ZMQ_EVENT_DISCONNECTED
                 | ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL | ZMQ_EVENT_HANDSHAKE_SUCCEEDED
                 | ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH;
    int none = 0;
    self->type = wire->wire.type;
    self->stirred = true;       /*  nothing is signalled before it was asked once */
    if (zmq_socket_monitor (wire->socket, name, events))
        return zmq_wire_error ("monitor");
    self->socket = zmq_socket (wire->context->zmq, ZMQ_PAIR);
    /*  No high-water mark: a full monitor would block the I/O thread of all sockets. */
    if (!self->socket || zmq_setsockopt (self->socket, ZMQ_RCVHWM, &none, sizeof none)
        || zmq_setsockopt (self->socket, ZMQ_LINGER, &none, sizeof none) || zmq_connect (self->socket, name))
        return zmq_wire_error ("monitor");
    return 0;
}

void
monitor_close (struct zmq_monitor *self, struct zmq_wire *wire)
{
    if (wire->socket)
        zmq_socket_monitor (wire->socket, NULL, 0);
    if (self->socket)
        zmq_close (self->socket);
    free (self->peers);
}

bool
monitor_ready (struct zmq_wire *wire)
{
    struct zmq_monitor *self = &wire->monitor;
    int events;
    size_t size = sizeof events;
    if (!self->stirred && !zmq_wire_stirred (wire))
        return false;
    int rc = zmq_getsockopt (self->socket, ZMQ_EVENTS, &events, &size);
    self->stirred = rc ? zmq_errno () == EINTR : events & ZMQ_POLLIN;
    return self->stirred;
}

/*  One event and its endpoint; 1, or 0 for none. */
static int
read_event (struct zmq_monitor *self, int *event, uint32_t *value)
{
    unsigned char head[6];
    uint16_t number;
    int got = zmq_recv (self->socket, head, sizeof head, ZMQ_DONTWAIT);
    self->stirred = got >= 0 || zmq_errno () == EINTR;
    if (got != (int) sizeof head)
        return 0;
    memcpy (&number, head, sizeof number);
    memcpy (value, head + 2, sizeof *value);
    *event = number;
    int size = zmq_recv (self->socket, self->endpoint, sizeof self->endpoint - 1, ZMQ_DONTWAIT);
    if (size < 0)
        size = 0;
    if (size > (int) sizeof self->endpoint - 1)
        size = (int) sizeof self->endpoint - 1;
    self->endpoint[size] = '\0';
    return 1;
}

static struct monitor_peer *
find_peer (struct zmq_monitor *self, int fd)
{
    for (size_t i = 0; i < self->count; i++)
        if (self->peers[i].fd == fd)
            return &self->peers[i];
    return NULL;
}

static int
add_peer (struct zmq_monitor *self, int fd, bool accepted)
{
    struct monitor_peer *peer = find_peer (self, fd);
    if (!peer && self->count == self->capacity) {
        size_t capacity = self->capacity ? self->capacity * 2 : 8;
        struct monitor_peer *peers = realloc (self->peers, capacity * sizeof *peers);
        if (!peers)
            return error_plain (WEFT_ENOMEM);
        self->peers = peers;
        self->capacity = capacity;
    }
    if (!peer)
        peer = &self->peers[self->count++];
    *peer = (struct monitor_peer) { .fd = fd, .accepted = accepted, .since = clock_now (clock_system ()) };
    return 0;
}

/*  When as many handshakes are done as there are peers without one, all have. */
static void
assign_handshakes (struct zmq_monitor *self)
{
    size_t open = 0;
    for (size_t i = 0; i < self->count; i++)
        open += !self->peers[i].shaken;
    if (!self->unassigned || self->unassigned < open)
        return;
    for (size_t i = 0; i < self->count; i++)
        self->peers[i].shaken = true;
    self->unassigned = 0;
}

/*  A connection has ended: a peer has gone, or one that never became a peer, which
 *  is news only when the monitor has not said so already. libzmq says nothing when a
 *  socket type does not fit: it just closes. */
static int
remove_peer (struct zmq_monitor *self, int fd, struct wire_event *event)
{
    struct monitor_peer *peer = find_peer (self, fd);
    bool failed = self->failed;
    self->failed = false;
    if (!peer)
        return 0;
    bool was_peer = peer->shaken || (!failed && self->unassigned);
    if (was_peer && !peer->shaken)
        self->unassigned--;
    *peer = self->peers[--self->count];
    assign_handshakes (self);
    if (was_peer) {
        event->kind = WIRE_DISCONNECTED;
        event->text = "a peer has gone";
        return 1;
    }
    if (failed)
        return 0;
    event->kind = WIRE_REJECTED;
    event->incompatible = true;
    snprintf (self->text, sizeof self->text, "the peer does not fit: a %s socket speaks with %s",
              wire_type_name (self->type), wire_type_peers (self->type));
    return 1;
}

/*  libzmq does not say which connection it is about: one of those whose handshake is not done. */
enum side { SIDE_UNKNOWN, SIDE_CAME, SIDE_OURS };

static enum side
side_of (const struct zmq_monitor *self)
{
    bool came = false, ours = false;
    for (size_t i = 0; i < self->count; i++)
        if (!self->peers[i].shaken)
            *(self->peers[i].accepted ? &came : &ours) = true;
    return came == ours ? SIDE_UNKNOWN : came ? SIDE_CAME : SIDE_OURS;
}

static const char *
explain_mismatch (enum side side, bool keyed)
{
    if (side == SIDE_OURS)
        return keyed ? "the peer speaks clear text, and we have keys: give it a key (--key there), or leave ours out"
                     : "the peer wants keys: give our --key, and its public key as --server-key";
    return keyed ? "a peer speaks clear text, and this side wants keys (--key and --server-key there)"
                 : "a peer has keys, and this side speaks clear text (give it a --key)";
}

static void
explain_protocol (struct zmq_wire *wire, struct wire_event *event, uint32_t value)
{
    struct zmq_monitor *self = &wire->monitor;
    const struct wire_security *security = &wire->wire.options.security;
    char print[KEY_FINGERPRINT];
    event->denied = true;
    if (value == ZMQ_PROTOCOL_ERROR_ZMTP_MECHANISM_MISMATCH)
        event->text = explain_mismatch (side_of (self), security->secret_key[0]);
    else if (value == ZMQ_PROTOCOL_ERROR_ZMTP_CRYPTOGRAPHIC && security->public_key[0]) {
        key_fingerprint (security->public_key, print);
        snprintf (self->text, sizeof self->text, "a peer takes us for somebody else: its --server-key is not our key, "
                  "which is '%s' (%s)", security->public_key, print);
    } else {
        event->denied = false;
        event->text = value & ZMQ_PROTOCOL_ERROR_ZMTP_UNSPECIFIED ? "the peer broke the ZMTP handshake"
                                                                  : "the authentication service answered wrongly";
    }
}

/*  1, or 0 when nobody is to be told. */
static int
explain_denial (struct zmq_wire *wire, struct wire_event *event, uint32_t status)
{
    struct zmq_monitor *self = &wire->monitor;
    const char *key = wire->wire.options.security.public_key;
    struct zap_denial denial;
    char print[KEY_FINGERPRINT];
    event->denied = status != 300;
    if (side_of (self) != SIDE_OURS && zap_take_denial (wire, &denial)) {
        snprintf (self->text, sizeof self->text, "%s", denial.text);
        event->denied = denial.denied;
        return !denial.probe;
    }
    if (side_of (self) == SIDE_CAME || !key[0]) {
        event->text = "not authorised";
        return 1;
    }
    key_fingerprint (key, print);
    snprintf (self->text, sizeof self->text, "the peer does not let our key in (%s); who runs it can: "
              "weft key allow NAME '%s'", print, key);
    return 1;
}

static void
explain_accept (struct zmq_monitor *self, int number)
{
    bool full = number == EMFILE || number == ENFILE;
    snprintf (self->text, sizeof self->text, "cannot accept: %s",
              full ? "out of file descriptors; raise the limit (ulimit -n)" : zmq_strerror (number));
}

/*  It was we who lost patience with it. */
static bool
was_silent (const struct zmq_monitor *self, int64_t handshake)
{
    int64_t now = clock_now (clock_system ());
    for (size_t i = 0; i < self->count; i++)
        if (!self->peers[i].shaken && !self->peers[i].accepted && now - self->peers[i].since >= handshake / 2)
            return true;
    return false;
}

/*  libzmq does not say which connection it was, nor whether a byte had come. Whoever looks whether
 *  somebody listens here closes at once, and means no harm; but where we connected, a server should
 *  have answered. One that cannot read what was encrypted for another closes too, and so may one that
 *  ends: that it was not our key is believed only when it happens again and again. A server with keys that has no
 *  room is silent until the time of the handshake is over. */
static void
explain_leaving (struct zmq_wire *wire, struct wire_event *event)
{
    struct zmq_monitor *self = &wire->monitor;
    if (side_of (self) == SIDE_CAME) {
        bool keyed = wire->wire.options.security.secret_key[0];
        event->kind = keyed ? WIRE_NOTICE : WIRE_ABANDONED;
        event->text = keyed ? "a connection was closed in the handshake: a probe, or a peer that speaks clear text and "
                              "saw first that this side wants keys"
                            : "a connection was closed before the handshake";
        return;
    }
    event->kind = WIRE_REJECTED;
    if (was_silent (self, wire->wire.options.handshake)) {
        event->text = "the peer did not answer in the handshake: perhaps it does not speak ZeroMQ, or has no room";
        return;
    }
    if (!wire->wire.options.security.server_key[0]) {
        event->text = "the peer left during the handshake: perhaps it does not speak ZeroMQ, or has no room";
        return;
    }
    event->denied = ++self->hung_up >= HANGS_UP_FOR_GOOD;
    event->text = "the peer left during the handshake: perhaps our --server-key is not its key, or it does not "
                  "speak ZeroMQ";
}

/*  1 when the monitor's event means something to us. */
static int
translate (struct zmq_wire *wire, struct wire_event *event, int number, uint32_t value)
{
    struct zmq_monitor *self = &wire->monitor;
    *event = (struct wire_event) { .endpoint = self->endpoint, .text = self->text };
    self->text[0] = '\0';
    switch (number) {
    case ZMQ_EVENT_ACCEPTED:
    case ZMQ_EVENT_CONNECTED:
        return add_peer (self, (int) value, number == ZMQ_EVENT_ACCEPTED);
    case ZMQ_EVENT_HANDSHAKE_SUCCEEDED:
        self->unassigned++;
        self->hung_up = 0;
        assign_handshakes (self);
        event->kind = WIRE_CONNECTED;
        event->text = "a peer has come";
        return 1;
    case ZMQ_EVENT_DISCONNECTED:
        return remove_peer (self, (int) value, event);
    case ZMQ_EVENT_CONNECT_RETRIED:
        event->kind = WIRE_RETRYING;
        snprintf (self->text, sizeof self->text, "no answer; trying again in %u ms", value);
        return 1;
    case ZMQ_EVENT_LISTENING:
        event->kind = WIRE_LISTENING;
        return 1;
    case ZMQ_EVENT_ACCEPT_FAILED:
        event->kind = WIRE_ACCEPT_FAILED;
        explain_accept (self, (int) value);
        return 1;
    case ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL:
        self->failed = true;
        explain_leaving (wire, event);
        return 1;
    case ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL:
        explain_protocol (wire, event, value);
        break;
    case ZMQ_EVENT_HANDSHAKE_FAILED_AUTH:
        self->failed = true;
        event->kind = WIRE_REJECTED;
        return explain_denial (wire, event, value);
    default:
        return 0;
    }
    self->failed = true;
    event->kind = WIRE_REJECTED;
    return 1;
}

int
monitor_next (struct zmq_wire *wire, struct wire_event *event)
{
    int number, rc = 0;
    uint32_t value;
    if (!wire->monitor.stirred && !zmq_wire_stirred (wire))
        return 0;
    while (rc == 0 && read_event (&wire->monitor, &number, &value))
        rc = translate (wire, event, number, value);
    return rc;
}
