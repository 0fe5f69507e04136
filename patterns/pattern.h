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
    bool no_drop;               /*  no-drop (pub): wait rather than drop                       */
    bool correlate;             /*  correlate (req): default yes                               */
    struct option_list topics;  /*  topic (sub): live, repeatable; none subscribes to all      */
};

struct weft_socket;

struct pattern {
    const char *name;                       /*  "req"                                          */
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

    /*  A live option has changed. May be NULL. */
    int (*changed) (struct weft_socket *socket, const struct option *option, const char *value);

    /*  WEFT_IN | WEFT_OUT for the user, from the wire's. NULL: the wire's own. */
    int (*events) (struct weft_socket *socket);

    /*  When something is due without a message (a retry). NULL: never. */
    int64_t (*deadline) (struct weft_socket *socket);

    /*  Peers for weft_wait_peers: connected, or subscribed. NULL: wire->peers. */
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
    weft_counters_t counters;               /*  patterns add dropped, retries, late, subscriptions; the rest comes from the wire */
    bool waited;                            /*  wait-peers, wait-subs are over                  */
};

extern const struct pattern pattern_req, pattern_rep;       /*  request.c   */
extern const struct pattern pattern_pub, pattern_sub;       /*  publish.c   */
extern const struct pattern pattern_push, pattern_pull;     /*  pipeline.c  */

/*  Takes in connection events: counts, logs each kind once, keeps the last
 *  rejection for error messages. Patterns call it where they wait. */
void socket_pump (struct weft_socket *self);

/*  The options common to all patterns. */
extern const struct option socket_options[];

#endif
