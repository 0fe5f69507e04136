/*  pattern.h - the contract between weft_socket_t and the six patterns
 *
 *  patterns/socket.c implements the public calls over a table of these; each
 *  pattern is a struct of functions in its own file. A pattern sees wires and
 *  messages, never an engine. */
#ifndef WEFT_PATTERNS_PATTERN_H
#define WEFT_PATTERNS_PATTERN_H

#include "core/context.h"
#include "core/option.h"
#include "core/poll.h"
#include "core/security.h"
#include "patterns/pattern_watch.h"

/*  Options that every pattern takes; a pattern's own table follows on them. The
 *  fields are those of struct socket_config, and wire options are made from it. */
struct socket_config {
    int64_t hwm;                /*  hwm: messages queued a peer, each way; default 1000        */
    int64_t linger;             /*  linger: default 1s                                         */
    int64_t max_size;           /*  max-size: default 64M                                      */
    int64_t timeout;            /*  timeout of send and receive: default forever; live         */
    int64_t heartbeat;          /*  heartbeat: default 5s; 0 switches off                      */
    int64_t reconnect, reconnect_max;   /*  default 100ms, 10s: back-off                       */
    int64_t wait_peers;         /*  wait-peers: first send waits for so many; default 0        */
    int64_t wait_subs;          /*  wait-subs (pub)                                            */
    int64_t retries;            /*  retries (req): default 0                                   */
    int64_t retry_delay, retry_delay_max;   /*  (req) back-off between: default 100ms, 5s      */
    int64_t reply_timeout;      /*  reply-timeout (proxy): default 5s                          */
    int64_t handshake;          /*  handshake: default 10s                                     */
    int64_t max_peers;          /*  max-peers: default 10000                                   */
    int64_t max_subscriptions;  /*  max-subscriptions (pub, proxy): default 10000              */
    bool no_drop;               /*  no-drop (pub): wait rather than drop                       */
    bool correlate;             /*  correlate (req): default yes                               */
    bool until_gone;            /*  until-gone (rep, sub, pull): WEFT_EEND when all have left; live */
    struct option_list topics;  /*  topic (sub): live, repeatable; none subscribes to all      */
    struct security_config security;    /*  key, server-key, allow, insecure                   */
};

struct weft_socket;
extern const struct pollable_ops socket_pollable;

struct pattern {
    const char *name;                       /*  "req"                                          */
    const char *peers;                      /*  who fits: "rep (REP, ROUTER or DEALER sockets)"    */
    const char *peers_do;                   /*  what they do, as in core/allow.h: "rep"         */
    enum wire_type type;
    enum endpoint_side side;                /*  what an endpoint without prefix does           */
    const struct option *options;           /*  its own, besides the common ones               */
    size_t state_size;                      /*  bytes of private state, zeroed                 */

    /*  Adjusts the wire's options before it is opened. May be NULL. */
    void (*prepare) (struct weft_socket *socket, struct wire_options *options);

    /*  The wire is open, nothing is bound or connected. May be NULL. */
    int (*opened) (struct weft_socket *socket);

    /*  As weft_send and weft_recv; timeout in ns, 0 does not wait. */
    int (*send) (struct weft_socket *socket, weft_msg_t *msg, int64_t timeout);
    int (*recv) (struct weft_socket *socket, weft_msg_t *msg, int64_t timeout);

    /*  One of its own options is about to be set: may refuse, and does what a live one needs. May be NULL. */
    int (*change) (struct weft_socket *socket, const struct option *option, const char *value);

    /*  WEFT_IN | WEFT_OUT for the user, from the wire's, whose WEFT_ERR is passed on. NULL: the wire's own. */
    int (*events) (struct weft_socket *socket);

    /*  When something is due without a message (a retry). NULL: never. */
    int64_t (*deadline) (struct weft_socket *socket);

    /*  For weft_wait_peers where being connected is not enough: how many have subscribed,
     *  after taking in what the wire has. NULL: wire->peers. */
    int (*ready) (struct weft_socket *socket);

    /*  Frees private state. May be NULL. */
    void (*close) (struct weft_socket *socket);
};

struct weft_socket {
    struct pollable pollable;               /*  first */
    weft_t *weft;
    const struct pattern *pattern;
    struct wire *wire;                      /*  NULL until the first bind or connect            */
    struct socket_config config;
    void *state;
    weft_counters_t counters;               /*  patterns add dropped, refused, retries, late, subscriptions;
                                                the rest comes from the wire and the watch. By core/counter.h  */
    uint64_t sent_extra, received_extra;    /*  bytes of the wire's that are no message of the user's:
                                                envelopes, repetitions, what was discarded; as counters */
    struct watch watch;
    unsigned binds, connects;               /*  endpoints                                       */
    char target[ENDPOINT_MAX];              /*  the last that was connected to, for error texts */
    unsigned sends_left, recvs_left;        /*  so many more without a look at anything but the message; 0 at first */
    weft_msg_t held;                        /*  came for weft_recv_data, which could not take it: the next to be
                                                received, and recvs_left is 0 meanwhile             */
    bool waited;                            /*  the first send may go: wait-peers, wait-subs are over */
};

extern const struct pattern pattern_req, pattern_rep;       /*  request.c, reply.c  */
extern const struct pattern pattern_pub, pattern_sub;       /*  publish.c   */
extern const struct pattern pattern_push, pattern_pull;     /*  pipeline.c  */

/*  weft_open for a pattern that has no name for users (requests.h). NULL with the reason kept. */
struct weft_socket *socket_open (weft_t *weft, const struct pattern *pattern);

/*  Takes in connection events: counts, logs each kind once, keeps the last
 *  rejection for error messages. Patterns call it where they wait. */
void socket_pump (struct weft_socket *self);

/*  Send and receive on the wire, as patterns do that add nothing. One call of
 *  the engine when it need not wait; while it waits, connection events are handled.
 *  socket_recv gives WEFT_EEND by the option until-gone. Both explain a timeout. */
int socket_send (struct weft_socket *self, weft_msg_t *msg, int64_t timeout);
int socket_recv (struct weft_socket *self, weft_msg_t *msg, int64_t timeout);

/*  What weft_counters tells, as far as it is known without looking at the connections: any thread, once the socket is
 *  bound or connected and until it is closed. */
void socket_counters (const struct weft_socket *self, weft_counters_t *counters);

/*  The same of a proxy's side, as pattern_read (pattern_metrics.h): once it is attached (else it is NULL) and until the
 *  proxy is destroyed. */
void *proxy_side (weft_proxy_t *self, const char *name);
void proxy_read (void *side, void *values);

/*  How many peers count for weft_wait_peers; `subscribed`: those of pattern->ready. */
int socket_ready (struct weft_socket *self, bool subscribed);

/*  WEFT_EPEER or WEFT_EACCES explained when it is certain that no peer can come: the only
 *  endpoint that we connect to is of a socket type that does not fit, or does not let us in; else 0. */
int socket_misfit (const struct weft_socket *self);

/*  WEFT_EPEER or WEFT_ENOPEER, explained, after a wait of `timeout` without any peer. */
int socket_no_peer (const struct weft_socket *self, int64_t timeout);

/*  A time as text for messages, "2s"; `text` has SOCKET_TIME bytes and is returned. */
#define SOCKET_TIME 32
const char *socket_time (int64_t time, char *text);

/*  The first wait for a message is left to the engine, which is fast; after so
 *  long the wait is one that sees connection events too. */
#define SOCKET_PATIENCE (20 * TIME_MS)

/*  Option tables: those common to all patterns; of patterns with none of their own; of
 *  those that only add until-gone; of the pool's handles and the proxy. */
extern const struct option socket_options[], socket_no_options[], socket_receiver_options[];
extern const struct option pool_options[], worker_options[], sink_options[], proxy_options[];

/*  Those of the table that concern the wire: for the sockets' table, the proxy's and the
 *  bridge's. */
#define OPTIONS_OF_WIRE OPTIONS_OF_WIRE_UP_TO ("64M")
#define OPTIONS_OF_WIRE_UP_TO(max_size_standard) \
    { "hwm", 0, OPTION_INT, "N", "1000", 1, 100000000, NULL, 0, offsetof (struct socket_config, hwm), \
      "high-water mark: messages queued for a peer, each way" }, \
    { "linger", 0, OPTION_TIME, "TIME", "1s", -1, SOCKET_DAY, NULL, 0, offsetof (struct socket_config, linger), \
      "how long the end waits for what is not delivered yet" }, \
    { "max-size", 0, OPTION_SIZE, "BYTES", max_size_standard, 1, INT64_C (1) << 40, NULL, 0, \
      offsetof (struct socket_config, max_size), "largest message that is received" }, \
    { "heartbeat", 0, OPTION_TIME, "TIME", "5s", 0, SOCKET_DAY, NULL, 0, \
      offsetof (struct socket_config, heartbeat), \
      "how often the system of a silent tcp peer is asked if it is there, gone after three; 0: never" }, \
    { "reconnect", 0, OPTION_TIME, "TIME", "100ms", TIME_MS, SOCKET_DAY, NULL, 0, \
      offsetof (struct socket_config, reconnect), "first wait before connecting again; doubles" }, \
    { "reconnect-max", 0, OPTION_TIME, "TIME", "10s", TIME_MS, SOCKET_DAY, NULL, 0, \
      offsetof (struct socket_config, reconnect_max), "longest wait before connecting again" }, \
    { "handshake", 0, OPTION_TIME, "TIME", "10s", TIME_MS, SOCKET_DAY, NULL, 0, \
      offsetof (struct socket_config, handshake), "time that a peer has for its handshake; then it is cut off" }, \
    OPTION_MAX_PEERS (offsetof (struct socket_config, max_peers))
#define OPTION_MAX_PEERS(at) \
    { "max-peers", 0, OPTION_INT, "N", "10000", 0, 1000000, NULL, 0, (at), \
      "connections that are taken in; more are turned away; 0: no limit" }
#define OPTION_MAX_SUBSCRIPTIONS \
    { "max-subscriptions", 0, OPTION_INT, "N", "10000", 0, 100000000, NULL, 0, \
      offsetof (struct socket_config, max_subscriptions), \
      "topics that one peer may subscribe to; who wants more is cut off; 0: no limit" }
#define SOCKET_DAY (24 * 3600 * TIME_S)

/*  Wire options by what was configured; the rest are the wire's own defaults. */
void socket_wire_options (const struct socket_config *config, struct wire_options *options);

#define OPTION_UNTIL_GONE { "until-gone", 0, OPTION_FLAG, NULL, "no", 0, 0, NULL, OPTION_LIVE, \
                            offsetof (struct socket_config, until_gone), \
                            "end when every peer that came has left and all was received" }

#endif
