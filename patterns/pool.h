/*  pool.h - what the parts of the pool share: options, peers, sending */

#ifndef WEFT_PATTERNS_POOL_H
#define WEFT_PATTERNS_POOL_H

#include <stdbool.h>
#include <stdint.h>

#include "codec/pool_wire.h"
#include "core/context.h"
#include "core/map.h"
#include "core/option.h"
#include "core/poll.h"
#include "patterns/pattern_watch.h"

#define POOL_MAX_PEERS(at) \
    { "max-peers", 0, OPTION_INT, "N", "10000", 0, POOL_PEERS_MAX, .offset = (at), \
      .text = "connections that are taken in; more are turned away; 0: no limit" }

extern const struct option pool_options[], worker_options[], sink_options[];

#define POOL_MISSED 5           /*  heartbeats that may be missed                   */
#define POOL_PEERS_MAX 65536    /*  workers of a head, heads of a sink              */

/*  Options of every wire of the pool. */
void pool_wire_options (struct wire_options *options, int64_t linger);

/*  context_open, with keys. */
struct security_config;
int pool_open_wire (weft_t *weft, enum wire_type type, const struct security_config *security, const char *peers,
                    struct wire_options *options, struct wire **wire);

/*  Has the wire messages, or connection events, to be taken? Asked before every wait. */
static inline bool
pool_wire_stirs (struct wire *wire)
{
    return wire_events (wire) & (WEFT_IN | WEFT_ERR);
}

/*  An instance id as the routing id that its wire announces. */
void pool_identity (char *identity, size_t size, uint64_t instance);

/*  Sends what is in `body`, and empties it, to `peer` (a ROUTER's) or to whom the wire
 *  is connected (NULL). Does not wait: WEFT_EAGAIN. */
struct pool_peer;
int pool_send (struct wire *wire, struct pool_peer *peer, struct buffer *body, int64_t now);

/*  The body of a message that came from a ROUTER, 0 or WEFT_EPROTO. */
int pool_receive (const weft_msg_t *msg, struct pool_bytes *route, struct pool_message *message);

/*  Answers somebody who is not (yet) a peer. */
void pool_answer (struct wire *wire, struct pool_bytes route, struct buffer *body);

/* ------------------------------------------------------------------- peers */

/*  All of them. */
struct pool_peers {
    struct map routes, names;
};
int pool_peers_init (struct pool_peers *self);
void pool_peers_free (struct pool_peers *self);

/*  Somebody who said HELLO to a ROUTER. The head of a larger struct. */
struct pool_peer {
    struct map_node node;       /*  by routing id                                   */
    struct map_node named;      /*  by name                                         */
    struct pool_bytes route;    /*  owned                                           */
    uint64_t instance, session;
    char *name, *host;          /*  owned; printable; the name is unique            */
    unsigned namesakes;         /*  the last number that was put behind its name, for others who have it */
    int64_t heartbeat;          /*  ns; 0: none                                     */
    int64_t heard, sent;        /*  when                                            */
    uint64_t have;              /*  last report that was taken in                   */
    uint64_t safe;              /*  last report that may be acknowledged            */
};

/*  Is that process, on that host, known to have ended? False when it cannot be told from here. */
bool pool_process_gone (struct pool_bytes host, int64_t pid);

/*  Fills a zeroed peer and adds it. WEFT_ENOMEM. */
int pool_peer_init (struct pool_peer *self, struct pool_peers *peers, struct pool_bytes route,
                    const struct pool_hello *hello, int64_t now);
void pool_peer_remove (struct pool_peer *self, struct pool_peers *peers);
void pool_peer_free (struct pool_peer *self);      /*  after it was removed */
struct pool_peer *pool_peer_find (const struct pool_peers *peers, struct pool_bytes route);

/*  Has it been silent for too long? */
bool pool_peer_silent (const struct pool_peer *self, int64_t now);

/*  Takes the next report's number: 0; WEFT_EAGAIN for one that was taken in before;
 *  WEFT_EPROTO when one is missing. */
int pool_peer_report (struct pool_peer *self, uint64_t number);

#endif
