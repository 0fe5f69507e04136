/*  adapter.h - the contract of a foreign protocol
 *
 *  An adapter turns the bytes of a connection into messages, and messages into bytes. It never sees a socket of the
 *  fabric, a descriptor, a thread or a wait: the bridge (bridge.h) owns those. All calls come on the reactor's thread
 *  and may block on nothing. An adapter is its file, a line in bridge_adapters.c, its tests, and an example. */
#ifndef WEFT_ADAPTERS_ADAPTER_H
#define WEFT_ADAPTERS_ADAPTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/option.h"
#include "core/stream.h"
#include "weft.h"

/*  What the fabric's side of a bridge is: bits, several at once. The order is that in which a message goes to them. */
enum adapter_mode {
    MODE_REP = 1,               /*  requests of the fabric, which the foreign side answers              */
    MODE_PUSH = 2,              /*  each message goes out                                               */
    MODE_REQ = 4,               /*  each message is a request; the reply goes back to the very client   */
    MODE_PUB = 8,               /*  each message goes out, to all who subscribe                         */
    MODE_RELAY = 16,            /*  each message goes to the other clients                              */
    MODE_SUB = 32,              /*  what comes goes to all clients                                      */
    MODE_PULL = 64              /*  what comes goes to one of them                                      */
};
enum { MODES = 7 };

struct bridge_peer;             /*  a connection, as the bridge has it                                  */

struct adapter {
    const char *name;                   /*  "tcp"                                                       */
    const char *text;                   /*  for help: what it is                                        */
    const struct option *options;       /*  its own, beside the bridge's and the streams'               */
    size_t config_size;                 /*  bytes of the struct that they fill, zeroed                  */
    size_t state_size;                  /*  bytes that it has of each peer, zeroed                      */
    const char *alpn;                   /*  what TLS calls it, as in RFC 7301; NULL: nothing            */
    unsigned modes;                     /*  those that make sense                                       */
    bool in_order;                      /*  replies go to a peer in the order of its requests           */

    /*  The options are set: checks them. `max_size` is of one message. WEFT_EINVAL, explained. */
    int (*init) (void *config, size_t max_size);

    /*  Frees what init has made, besides the options. May be NULL. */
    void (*fini) (void *config);

    /*  A connection is there. Negative: it is closed. May be NULL. */
    int (*open) (struct bridge_peer *peer);

    /*  Bytes that came: decodes, and hands each message to bridge_emit. Returns how many bytes were used up. When
     *  bridge_emit says WEFT_EAGAIN (the fabric is full; the peer is paused already) it stops before that message,
     *  which is offered again: so nothing is lost and nothing is kept twice. Another error ends the connection. */
    int64_t (*on_data) (struct bridge_peer *peer, const unsigned char *data, size_t size);

    /*  The peer has sent its end, after these bytes, which on_data has left. WEFT_EAGAIN as above. */
    int (*on_end) (struct bridge_peer *peer, const unsigned char *data, size_t size);

    /*  A message for this peer, which stays the bridge's: encodes it and hands the bytes to bridge_write. WEFT_EAGAIN
     *  as that says. WEFT_EINVAL: it cannot be written in this protocol; it is counted and passed over. */
    int (*deliver) (struct bridge_peer *peer, const weft_msg_t *msg);

    /*  A request of this peer has no reply: tells it so. NULL, or negative: the connection is closed. */
    int (*refuse) (struct bridge_peer *peer, int error);

    /*  The connection has gone: frees what the state has. May be NULL. */
    void (*close) (struct bridge_peer *peer);
};

/* -------------------------------------------------- what the bridge does for an adapter */

/*  Its options, and what it has of this peer. */
void *bridge_adapter_config (const struct bridge_peer *peer);
void *bridge_peer_state (struct bridge_peer *peer);

/*  A message into the fabric. 0: taken, and `msg` is empty. On failure it is whole. */
int bridge_emit (struct bridge_peer *peer, weft_msg_t *msg);

/*  Bytes to the peer: all of the parts or none. WEFT_EAGAIN when its queue is full, WEFT_ESTATE when it is gone. */
int bridge_write (struct bridge_peer *peer, const struct stream_part *parts, size_t count);

/*  A message that the peer had begun was lost with its end: counted. */
void bridge_cut_off (struct bridge_peer *peer);

#endif
