/*  wire.h - the seam: everything that moves user messages goes through here
 *
 *  An engine implements ZMTP sockets (libzmq now; one on the caller's own thread
 *  later; one in memory with scripted faults in the tests). Above this line there
 *  is no zmq_msg_t and no libzmq call. The inline functions below add one
 *  indirect call to what the engine does, and no allocation.
 *
 *  A wire belongs to one thread at a time. */

#ifndef WEFT_CORE_WIRE_H
#define WEFT_CORE_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/allow.h"
#include "core/clock.h"
#include "core/counter.h"
#include "core/endpoint.h"
#include "core/log.h"
#include "core/message.h"
#include "weft.h"

/*  ZMTP socket types (RFC 37). What ROUTER receives begins with a routing id
 *  frame, and so must what it sends; XPUB receives subscriptions (a frame that begins with
 *  1 or 0 and goes on with the topic), XSUB sends them. */
enum wire_type {
    WIRE_PAIR,
    WIRE_DEALER,
    WIRE_ROUTER,
    WIRE_XPUB,
    WIRE_XSUB,
    WIRE_SUB,
    WIRE_PUSH,
    WIRE_PULL,
    WIRE_TYPES
};
const char *wire_type_name (enum wire_type type);

/*  The types it can be joined with, in words: "PULL", "REQ, DEALER or ROUTER". */
const char *wire_type_peers (enum wire_type type);

/*  Who we are and whom we let in: CURVE (RFC 26) on every tcp and ipc endpoint; inproc stays within the
 *  process. Without a secret key all is clear text. */
struct wire_security {
    char public_key[KEY_TEXT], secret_key[KEY_TEXT];    /*  "": clear text                      */
    char server_key[KEY_TEXT];          /*  of whom we connect to                               */
    struct allow *allow;                /*  who may connect to us; the wire retains it. With keys and none: nobody */
    const char *peers;                  /*  what they do, as in allow.h ("sub"); a constant; NULL: anything */
};

/*  All times in ns. Fixed when the wire is opened. wire_options_init gives
 *  defaults that are safe: nothing unbounded, nothing for ever but hwm waits. */
struct wire_options {
    int64_t send_hwm, recv_hwm;         /*  messages a peer; 0: no limit                        */
    int64_t linger;                     /*  TIME_FOREVER allowed                                */
    int64_t max_size;                   /*  bytes in a whole message that is received; -1: no limit */
    int64_t heartbeat;                  /*  how often a silent peer is asked; 0: never. It is gone after 3   */
    int64_t reconnect, reconnect_max;   /*  back-off                                            */
    int64_t handshake;                  /*  time that a peer has for it                         */
    int64_t connect_timeout;            /*  0: the system's                                     */
    int64_t backlog;                    /*  listen (2)                                          */
    int64_t send_buffer, recv_buffer;   /*  kernel's, bytes; -1: the system's                   */
    bool immediate;                     /*  queue only for peers whose connection is complete   */
    bool keep;                          /*  with immediate: over a reconnection to the only endpoint keep what was
                                            queued and what came. Then a send waits until next_event has told
                                            of a peer, and connecting is put off to the first use */
    bool mandatory;                     /*  ROUTER: WEFT_ENOPEER for an unknown routing id      */
    bool handover;                      /*  ROUTER: a new peer with a known id takes it over    */
    bool lossless;                      /*  XPUB: WEFT_EAGAIN rather than a drop; see wire_lossy */
    bool verbose;                       /*  XPUB: every subscription is passed on, repeated ones too */
    char identity[256];                 /*  routing id to announce, "" for none; text           */
    int64_t max_peers;                  /*  connections that came to us, more are turned away; 0: no limit */
    int64_t max_subscriptions;          /*  XPUB: topics of one peer, more are refused; 0: no limit */
    struct wire_security security;
};
void wire_options_init (struct wire_options *self);

/*  What happened to a connection. Texts are valid until the next call. */
enum wire_event_kind {
    WIRE_CONNECTED = 1,         /*  handshake done: a peer more                                 */
    WIRE_DISCONNECTED,          /*  a peer less. What it sent before can already be received    */
    WIRE_RETRYING,              /*  a connect failed, and will be tried again                   */
    WIRE_REJECTED,              /*  a handshake failed: `text` says why in plain words          */
    WIRE_ABANDONED,             /*  who connected to us left before it said who it was: a probe, perhaps */
    WIRE_LISTENING,
    WIRE_ACCEPT_FAILED,
    WIRE_NOTICE                 /*  of our own list of keys: it is bad, or somebody was revoked */
};
struct wire_event {
    enum wire_event_kind kind;
    const char *endpoint;       /*  ours or the peer's, as far as it is known                   */
    const char *text;           /*  in words, never NULL                                        */
    bool incompatible;          /*  REJECTED: the peer is of a socket type that does not fit    */
    bool denied;                /*  REJECTED: for want of authority, its or ours; a matter of keys */
};

/*  By core/counter.h: the wire's thread counts, any thread may read. */
struct wire_counters {
    uint64_t sent, received, sent_bytes, received_bytes;
    uint64_t refused;           /*  received messages over max_size or WEFT_MSG_FRAMES_MAX, or from peers
                                    that may not send them (any more): discarded                */
};

struct wire_engine;

/*  Common head of every engine's socket. */
struct wire {
    const struct wire_engine *engine;
    enum wire_type type;
    struct wire_options options;
    struct wire_counters counters;
    uint64_t peers;             /*  connected, as far as next_event has told; kept by wire_next_event, as a counter */
    char bound[ENDPOINT_MAX];   /*  address of the last bind */
};

/*  What an engine provides. Timeouts are in ns: 0 does not wait, TIME_FOREVER
 *  waits for ever. Every call explains its failure with error_set. */
struct wire_engine {
    const char *name;

    /*  A context is thread-safe. destroy waits for lingers; WEFT_ETIMEOUT when one ran out. */
    int (*context_new) (void **context);
    int (*context_destroy) (void **context);

    int (*open) (void *context, enum wire_type type, const struct wire_options *options, struct wire **self);
    void (*close) (struct wire **self);

    /*  The endpoint is parsed and resolved. */
    int (*bind) (struct wire *self, const struct endpoint *endpoint);
    int (*connect) (struct wire *self, const struct endpoint *endpoint);
    int (*disconnect) (struct wire *self, const struct endpoint *endpoint);

    /*  The whole message or nothing. On success the message is empty; on failure it
     *  is whole: WEFT_EAGAIN (timeout 0), WEFT_ETIMEOUT, WEFT_EINTR, WEFT_ENOPEER, WEFT_ETERM. */
    int (*send) (struct wire *self, weft_msg_t *msg, int64_t timeout);

    /*  The same for one frame, of which the caller keeps the bytes. NULL: by way of a message. */
    int (*send_data) (struct wire *self, const void *data, size_t size, int64_t timeout);

    /*  Replaces what msg held. Messages over the limits are counted and discarded here.
     *  Multi-frame messages come whole. */
    int (*recv) (struct wire *self, weft_msg_t *msg, int64_t timeout);

    /*  The same for a message of one frame, into memory of the caller's: its size, at most `room`. One that does not
     *  fit, or has more frames, comes in `msg`, which is empty otherwise, with 0. NULL: by way of a message. */
    int64_t (*recv_data) (struct wire *self, void *data, size_t room, weft_msg_t *msg, int64_t timeout);

    /*  SUB: add or remove a prefix. */
    int (*subscribe) (struct wire *self, const void *topic, size_t size);
    int (*unsubscribe) (struct wire *self, const void *topic, size_t size);

    /*  XPUB opened `lossless`: with true, what is sent now is dropped for peers that are full. */
    int (*lossy) (struct wire *self, bool lossy);

    /*  fd: becomes readable, as an edge, when events may have changed or a connection
     *  event waits. events: WEFT_IN | WEFT_OUT of messages now, and WEFT_ERR while
     *  connection events wait for next_event; must be asked after every wake and every
     *  send or receive before waiting on fd again. */
    int (*fd) (struct wire *self);
    int (*events) (struct wire *self);

    /*  Wait until one of `events` (WEFT_IN, WEFT_OUT) holds or a connection event is
     *  there (WEFT_ERR in the result); 0 on timeout, or negative. */
    int (*wait) (struct wire *self, int events, int64_t timeout);

    /*  The next connection event: 1, 0 for none, or negative. Cheap enough to be asked at
     *  every wait, not at every message. */
    int (*next_event) (struct wire *self, struct wire_event *event);
};

/*  libzmq. */
extern const struct wire_engine wire_zmq;

static inline int
wire_send (struct wire *self, weft_msg_t *msg, int64_t timeout)
{
    return self->engine->send (self, msg, timeout);
}

/*  One frame. */
int wire_send_message (struct wire *self, const void *data, size_t size, int64_t timeout);
static inline int
wire_send_data (struct wire *self, const void *data, size_t size, int64_t timeout)
{
    return (self->engine->send_data ? self->engine->send_data : wire_send_message) (self, data, size, timeout);
}

static inline int
wire_recv (struct wire *self, weft_msg_t *msg, int64_t timeout)
{
    return self->engine->recv (self, msg, timeout);
}

static inline int64_t
wire_recv_data (struct wire *self, void *data, size_t room, weft_msg_t *msg, int64_t timeout)
{
    if (!self->engine->recv_data)
        return wire_recv (self, msg, timeout);
    return self->engine->recv_data (self, data, room, msg, timeout);
}

static inline int
wire_fd (struct wire *self)
{
    return self->engine->fd (self);
}

static inline int
wire_events (struct wire *self)
{
    return self->engine->events (self);
}

static inline int
wire_wait (struct wire *self, int events, int64_t timeout)
{
    return self->engine->wait (self, events, timeout);
}

/*  Keeps self->peers; otherwise the engine's. */
int wire_next_event (struct wire *self, struct wire_event *event);

/*  Parse, resolve, bind or connect by the side that the endpoint says. */
int wire_attach (struct wire *self, const struct endpoint *endpoint);

void wire_close (struct wire **self);

/*  What libzmq can do here, for `weft version`: "4.3.4", and a list of
 *  capabilities such as "curve ipc pgm"; texts are constants. */
const char *wire_zmq_version (void);
const char *wire_zmq_capabilities (void);

#endif
