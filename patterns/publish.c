/*  publish.c - pub and sub: everybody gets everything that they subscribed to
 *
 *  Guarantee: at most once; what was dropped is counted. A message goes to each
 *  subscriber one of whose topics it begins with. A subscriber that is full
 *  (hwm) loses messages; the count of such messages is a lower bound, since libzmq drops
 *  without telling while a full subscriber catches up. With `no-drop` the publisher
 *  waits for the slowest instead. Who subscribes late, or reconnects, misses what was
 *  sent before: `wait-subs N` holds the first message until N subscriptions are there. */

#include "core/error.h"
#include "patterns/pattern.h"
#include "patterns/publish.h"
#include "patterns/pattern_fanout.h"

#define TOPIC_MAX 245           /*  libzmq 4.3.4 breaks those of 246 to 255 bytes   */
#define TAKE_EVERY 64           /*  messages, between two looks for subscriptions   */
#define TAKES_A_TURN 16         /*  what came after a look is not signalled again   */
#define FULL_PAUSE TIME_MS      /*  between two tries, while a subscriber is full   */

/* ----------------------------------------------------------------------- pub */

struct pub {
    struct fanout fanout;
    unsigned turn;
    int64_t full_until;         /*  no-drop: a send found somebody full, and before that another is not worth it */
};

static const struct option pub_options[] = {
    { "wait-subs", 0, OPTION_INT, "N", "0", 0, 1000000, NULL, 0, offsetof (struct socket_config, wait_subs),
      "the first send waits until there are N subscriptions" },
    { "no-drop", 0, OPTION_FLAG, NULL, "no", 0, 0, NULL, OPTION_LIVE, offsetof (struct socket_config, no_drop),
      "wait for a subscriber that is full, rather than drop for it" },
    OPTION_MAX_SUBSCRIPTIONS,
    OPTION_END
};

static void
pub_prepare (struct weft_socket *socket, struct wire_options *options)
{
    (void) socket;
    options->lossless = true;
    options->verbose = true;
}

static void
pub_take (struct weft_socket *socket)
{
    struct pub *pub = socket->state;
    fanout_take (&pub->fanout, socket->wire);
    counter_set (&socket->counters.subscriptions, pub->fanout.subscriptions);
    counter_set (&socket->counters.refused, pub->fanout.refused);
}

static int
pub_send_to_all (struct weft_socket *socket, weft_msg_t *msg, int64_t timeout)
{
    struct pub *pub = socket->state;
    int rc = socket_send (socket, msg, timeout);
    if (rc == WEFT_EAGAIN)
        pub->full_until = clock_deadline (socket->weft->clock, FULL_PAUSE);
    return rc;
}

/*  XPUB says that it can send even while a subscriber is full, and never that there is room
 *  again; so after a send that found none the next is offered a little later. */
static bool
pub_full (const struct weft_socket *socket)
{
    const struct pub *pub = socket->state;
    return socket->config.no_drop && clock_left (socket->weft->clock, pub->full_until) > 0;
}

static int
pub_send (struct weft_socket *socket, weft_msg_t *msg, int64_t timeout)
{
    struct pub *pub = socket->state;
    if (++pub->turn % TAKE_EVERY == 0)
        pub_take (socket);
    if (socket->config.no_drop)
        return pub_send_to_all (socket, msg, timeout);
    int rc = fanout_send (&pub->fanout, socket->wire, msg);
    if (rc <= 0)
        return rc;
    counter_set (&socket->counters.dropped, pub->fanout.dropped);
    if (watch_first (&socket->watch, "drop", ""))
        log_warning (&socket->weft->log, "pub: a subscriber is slow: messages are dropped for it (hwm %lld)",
                     (long long) socket->config.hwm);
    return 0;
}

static int
pub_events (struct weft_socket *socket)
{
    int events = WEFT_IN;
    for (int i = 0; i < TAKES_A_TURN && events >= 0 && events & WEFT_IN; i++) {
        pub_take (socket);
        events = wire_events (socket->wire);
    }
    return events < 0 ? events : events & (pub_full (socket) ? WEFT_ERR : WEFT_OUT | WEFT_ERR);
}

static int64_t
pub_deadline (struct weft_socket *socket)
{
    const struct pub *pub = socket->state;
    return pub_full (socket) ? pub->full_until : TIME_FOREVER;
}

static int
pub_ready (struct weft_socket *socket)
{
    struct pub *pub = socket->state;
    pub_take (socket);
    return pub->fanout.subscriptions > INT32_MAX ? INT32_MAX : (int) pub->fanout.subscriptions;
}

const struct pattern pattern_pub = {
    .name = "pub",
    .peers = "sub (SUB or XSUB sockets)",
    .peers_do = "sub",
    .type = WIRE_XPUB,
    .side = ENDPOINT_BIND,
    .options = pub_options,
    .state_size = sizeof (struct pub),
    .prepare = pub_prepare,
    .send = pub_send,
    .events = pub_events,
    .deadline = pub_deadline,
    .ready = pub_ready
};

/* ----------------------------------------------------------------------- sub */

static const struct option sub_options[] = {
    { "topic", 't', OPTION_LIST, "TEXT", NULL, 0, 0, NULL, OPTION_LIVE, offsetof (struct socket_config, topics),
      "take messages that begin so; without one: all" },
    OPTION_UNTIL_GONE,
    OPTION_END
};

/*  A subscription is a message too, and the high-water mark would drop some of many. */
static void
sub_prepare (struct weft_socket *socket, struct wire_options *options)
{
    (void) socket;
    options->send_hwm = 0;
}

static int
subscribe (struct weft_socket *socket, const char *topic)
{
    return socket->wire->engine->subscribe (socket->wire, topic, strlen (topic));
}

static int
sub_opened (struct weft_socket *socket)
{
    const struct option_list *topics = &socket->config.topics;
    int rc = topics->count ? 0 : subscribe (socket, "");
    for (size_t i = 0; i < topics->count && rc == 0; i++)
        rc = subscribe (socket, topics->items[i]);
    return rc;
}

static int
sub_change (struct weft_socket *socket, const struct option *option, const char *value)
{
    if (option->type != OPTION_LIST)
        return 0;
    if (!value)
        return error_set (WEFT_EINVAL, "topic: a text is missing");
    if (strlen (value) > TOPIC_MAX)
        return error_set (WEFT_ETOOBIG, "topic: %zu bytes are too many; at most %d", strlen (value), TOPIC_MAX);
    if (!socket->wire)
        return 0;
    int rc = subscribe (socket, value);
    if (rc == 0 && socket->config.topics.count == 0)    /*  the first topic narrows down "all" */
        rc = socket->wire->engine->unsubscribe (socket->wire, "", 0);
    return rc;
}

/*  What begins with other subscriptions is the same otherwise. */
#define SUBSCRIBER(opens)                                                                                              \
    {                                                                                                                  \
        .name = "sub",                                                                                                 \
        .peers = "pub (PUB or XPUB sockets)",                                                                          \
        .peers_do = "pub",                                                                                             \
        .type = WIRE_SUB,                                                                                              \
        .side = ENDPOINT_CONNECT,                                                                                      \
        .options = sub_options,                                                                                        \
        .prepare = sub_prepare,                                                                                        \
        .opened = (opens),                                                                                             \
        .recv = socket_recv,                                                                                           \
        .change = sub_change                                                                                           \
    }

/*  That of publish_open_topics: none at first. */
static int
topics_opened (struct weft_socket *socket)
{
    (void) socket;
    return 0;
}

static const struct pattern pattern_topics = SUBSCRIBER (topics_opened);

weft_socket_t *
publish_open_topics (weft_t *weft)
{
    return socket_open (weft, &pattern_topics);
}

int
publish_add (weft_socket_t *socket, const void *topic, size_t size)
{
    if (size > TOPIC_MAX)
        return error_set (WEFT_ETOOBIG, "topic: %zu bytes are too many; at most %d", size, TOPIC_MAX);
    return socket->wire->engine->subscribe (socket->wire, topic, size);
}

int
publish_remove (weft_socket_t *socket, const void *topic, size_t size)
{
    return socket->wire->engine->unsubscribe (socket->wire, topic, size);
}

const struct pattern pattern_sub = SUBSCRIBER (sub_opened);
