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
    const char *companions;             /*  "ws mqtt": siblings to which it hands peers over; or NULL   */
    const char *accepts_by;             /*  the companion that begins with what listens; NULL: itself   */
    unsigned modes;                     /*  those that make sense                                       */
    bool in_order;                      /*  replies go to a peer in the order of its requests           */
    bool listens_only;                  /*  it has no place for --dial                                  */
    bool topics;                        /*  peers of --sub say what they want: bridge_subscribe         */
    bool hosts;                         /*  whoever comes says what it calls us: bridge_host_check      */
    bool datagram;                      /*  over UDP: a peer is an address, and has no end              */

    /*  Of a --dial: the address in it, in at most `room` bytes with the NUL; *tls: it says that TLS is to be spoken, or
     *  (false) that it is not; as it was, when it says nothing. WEFT_EENDPOINT, explained. NULL: all of it is one. */
    int (*dial) (const char *text, char *address, size_t room, bool *tls);

    /*  Bytes of its connections that a message of max_size may need at once. NULL: a few more than that. */
    size_t (*wire_max) (size_t max_size);

    /*  The options are set: checks them. `max_size` is of one message. WEFT_EINVAL, explained. */
    int (*init) (void *config, size_t max_size);

    /*  Frees what init has made, besides the options. May be NULL. */
    void (*fini) (void *config);

    /*  A connection is there. Negative: it is closed. May be NULL. */
    int (*open) (struct bridge_peer *peer);

    /*  A sibling hands a connection over (bridge_hand_over), with what both have agreed on. Negative, explained: it
     *  stays with the sibling. NULL: to this one nothing is handed over. */
    int (*upgraded) (struct bridge_peer *peer, const void *info);

    /*  Bytes that came: decodes, and hands each message to bridge_emit. Returns how many bytes were used up. When
     *  bridge_emit says WEFT_EAGAIN (the fabric is full; the peer is paused already) it stops before that message,
     *  which is offered again: so nothing is lost and nothing is kept twice. Another error ends the connection.
     *  A datagram comes alone and whole: the adapter returns its size (0 for an empty one), or bridge_emit's error, of
     *  which all but WEFT_EAGAIN lose that datagram and no more. */
    int64_t (*on_data) (struct bridge_peer *peer, const unsigned char *data, size_t size);

    /*  The peer has sent its end, after these bytes, which on_data has left. WEFT_EAGAIN as above. NULL for
     *  datagrams. */
    int (*on_end) (struct bridge_peer *peer, const unsigned char *data, size_t size);

    /*  A message of --sub, before those peers get it that want it. May be NULL. */
    void (*passing) (void *config, const weft_msg_t *msg);

    /*  A message for this peer, which stays the bridge's: encodes it and hands the bytes to bridge_write. WEFT_EAGAIN
     *  as that says. WEFT_EINVAL: it cannot be written in this protocol; it is counted and passed over. */
    int (*deliver) (struct bridge_peer *peer, const weft_msg_t *msg);

    /*  What was written to this peer was dropped (--when-full drop): the bytes of one write, or of several one behind
     *  the other; NULL: the message that was just to be delivered, of which nothing was written. May be NULL. */
    void (*dropped) (struct bridge_peer *peer, const void *data, size_t size);

    /*  A request of this peer has no reply: tells it so. NULL, or negative: the connection is closed. */
    int (*refuse) (struct bridge_peer *peer, int error);

    /*  There is room again after bridge_write has said WEFT_EAGAIN. May be NULL. */
    void (*on_room) (struct bridge_peer *peer);

    /*  What bridge_set_timer has set is due. */
    void (*on_timer) (struct bridge_peer *peer);

    /*  The bridge ends, or the peer has sent its end, and it is owed nothing any more; or --linger is over: last words,
     *  by bridge_write_last. May be NULL. */
    void (*ending) (struct bridge_peer *peer);

    /*  The connection has gone, or was handed over: frees what the state has. May be NULL. */
    void (*close) (struct bridge_peer *peer);
};

/* -------------------------------------------------- what the bridge does for an adapter */

/*  Its options, and what it has of this peer. */
void *bridge_adapter_config (const struct bridge_peer *peer);
void *bridge_peer_state (struct bridge_peer *peer);

/*  A message into the fabric. 0: taken, and `msg` is empty. On failure it is whole. */
int bridge_emit (struct bridge_peer *peer, weft_msg_t *msg);

/*  Bytes to the peer: all of the parts or none. WEFT_EAGAIN when its queue is full, WEFT_ESTATE when it is gone. The
 *  parts are one datagram; WEFT_EINVAL when they are too long for that, WEFT_ELIMIT when its source, which is not
 *  trusted, may not be sent so much. */
int bridge_write (struct bridge_peer *peer, const struct stream_part *parts, size_t count);

/*  The same of last words, which have room in a full queue, too; bridge_finish follows. */
int bridge_write_last (struct bridge_peer *peer, const struct stream_part *parts, size_t count);

/*  Would bridge_write take something now? After false on_room comes. */
bool bridge_has_room (const struct bridge_peer *peer);

/*  Has the system yet to take some of what was written to it? It is held to --progress then. */
bool bridge_is_sending (const struct bridge_peer *peer);

/*  What was written so far stays, whatever --when-full says of what follows: an answer's head, say. */
void bridge_keep (struct bridge_peer *peer);

/*  A message that the peer had begun was lost with its end: counted. */
void bridge_cut_off (struct bridge_peer *peer);

/*  "127.0.0.1:4711". Good as long as the peer. */
const char *bridge_peer_name (const struct bridge_peer *peer);

/*  Writes what is queued, and closes. */
void bridge_finish (struct bridge_peer *peer);

/*  The same for an error, explained, of which the peer was told: it counts as one of on_data. */
void bridge_break (struct bridge_peer *peer, int error);

/*  As an error of on_data: at once. */
void bridge_cut (struct bridge_peer *peer, int error);

/*  The --dial that it comes from, as it was given; NULL: it was taken in. */
const char *bridge_dialled (const struct bridge_peer *peer);

/*  May who was taken in call us so, by a Host header with or without a port? NULL: it says none, as HTTP/1.0 may and
 *  browsers do not. --allow-host has the names; where this machine alone can come, an address and localhost are always
 *  right, elsewhere without it all are. WEFT_EACCES, explained: it may be a page of a name that was made to mean us. */
int bridge_host_check (const struct bridge_peer *peer, const char *host, size_t size);

/*  Is it read? Not while the fabric is full, say. */
bool bridge_reads (const struct bridge_peer *peer);

/*  The bridge was told to end: nothing more is read, and what is under way is awaited for --linger. */
bool bridge_is_ending (const struct bridge_peer *peer);

/*  May what bridge_write has taken still be dropped (--when-full drop)? */
bool bridge_drops (const struct bridge_peer *peer);

/* -------------------------------------------------- for those with several routes */

/*  From now on the peer takes part in these modes alone: what it emits goes to those of them that the bridge has, and
 *  it gets what they have. At first it takes part in all. Returns which of them the bridge has: 0, none. */
unsigned bridge_route (struct bridge_peer *peer, unsigned modes);

/*  Of the message that `deliver` has: MODE_REQ for a reply. Of MODE_SUB, with `topics`, the topic is the first of
 *  several frames. */
enum adapter_mode bridge_delivers (const struct bridge_peer *peer);

/*  As bridge_emit; --pub puts this topic in front, whatever --topic says. WEFT_ETOOBIG. */
int bridge_publish (struct bridge_peer *peer, const void *topic, size_t size, weft_msg_t *msg);

/*  The message that the fabric has no room for is not offered again: on_data has the bytes from their front again, and
 *  passes over them. */
void bridge_give_up (struct bridge_peer *peer);

/*  No more on_data or on_end, until it is released: one request at a time, say. What the fabric has is still delivered,
 *  and the peer does not count as done when it has sent its end. */
void bridge_hold (struct bridge_peer *peer);
void bridge_release (struct bridge_peer *peer);

/*  on_timer is called once, when the deadline (by bridge_now) has passed. One a peer: setting it again moves it, and
 *  TIME_FOREVER switches it off. */
void bridge_set_timer (struct bridge_peer *peer, int64_t deadline);
int64_t bridge_now (const struct bridge_peer *peer);

/*  With `topics`: the peer, if it takes part in MODE_SUB, gets what begins so; of no topic it gets nothing. A topic
 *  that it has already changes nothing. WEFT_EACCES: --subscribe does not have it; WEFT_ETOOBIG; WEFT_ELIMIT: too
 *  many. */
int bridge_subscribe (struct bridge_peer *peer, const void *topic, size_t size);

/*  All that --subscribe has: everything without it. */
int bridge_subscribe_all (struct bridge_peer *peer);

/*  False: it did not have it. */
bool bridge_unsubscribe (struct bridge_peer *peer, const void *topic, size_t size);
void bridge_unsubscribe_all (struct bridge_peer *peer);

/*  Since when the fabric has been asked for what begins so, for whomever: the number of the message that `passing` told
 *  next, as the first is 1; also before a bridge_subscribe that asks for it. 0: always. Who has seen that message or a
 *  later one has missed nothing before it: what came while nobody asked has no number. */
uint64_t bridge_topic_from (const struct bridge_peer *peer, const void *topic, size_t size);

/*  Does the peer want what begins with these bytes? */
bool bridge_wants (const struct bridge_peer *peer, const void *data, size_t size);

/*  The peer is from now on the sibling's of that name: it has a new state and no timer, and `upgraded` is called with
 *  the info. When this says 0, the caller's state is gone, and what is left of the bytes goes to the sibling.
 *  WEFT_EINVAL: no such companion takes part; or what `upgraded` says: nothing has changed but the timer. */
int bridge_hand_over (struct bridge_peer *peer, const char *name, const void *info);

#endif
