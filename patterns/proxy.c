/*  proxy.c - carries messages between a front and a back: queue, forwarder, streamer
 *
 *  Guarantee: at most once, as for the patterns that it joins. A message is taken from one side when
 *  the other has room, so that a full side slows down who sends to it and nothing
 *  is dropped here; but a forwarder drops for a subscriber that is full, as pub does,
 *  a queue drops the reply to a client that has gone, or that for `reply-timeout` has taken none, since
 *  the replies to all others wait behind it; and a capture drops for whoever
 *  does not keep up with it: a tap must not stall what it taps. All are counted and logged. */

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "core/error.h"
#include "patterns/pattern.h"
#include "patterns/pattern_fanout.h"
#include "patterns/pattern_metrics.h"
#include "patterns/proxy_deaf.h"

#define MESSAGES_A_TURN 256         /*  one way, before the other has its turn              */
#define RETRY_TIME (10 * TIME_MS)   /*  ROUTER does not tell when that client has room again */
#define TOPIC_MAX 245               /*  see publish.c                                       */

enum { FRONT, BACK, CAPTURE, SIDES };
static const char *const side_names[SIDES] = { "front", "back", "capture" };

struct side {
    enum wire_type type;
    const char *peers_do;           /*  as in core/allow.h                  */
    struct wire *wire;              /*  NULL until something is attached    */
    struct watch watch;
    struct fanout fanout;           /*  of an XPUB                          */
    uint64_t gone;                  /*  replies whose client had gone, or did not read; by core/counter.h   */
    int events;                     /*  that held when a wait began         */
};

/*  One direction. */
struct lane {
    struct side *from, *to;
    weft_msg_t msg;                 /*  taken, and not handed on yet        */
    bool holding;                   /*  there is one                        */
    int64_t give_up;                /*  when its client has had time enough; 0: no need yet */
};

static const struct kind {
    const char *name;
    enum wire_type front, back;
    int lanes;                      /*  2: the back sends too               */
    const char *front_do, *back_do; /*  what comes there, as in core/allow.h */
} kinds[] = {
    { "queue", WIRE_ROUTER, WIRE_DEALER, 2, "req", "rep" },
    { "forwarder", WIRE_XSUB, WIRE_XPUB, 2, "pub", "sub" },
    { "streamer", WIRE_PULL, WIRE_PUSH, 1, "push", "pull" }
};
enum { KINDS = sizeof kinds / sizeof kinds[0] };

struct weft_proxy {
    weft_t *weft;
    const struct kind *kind;
    struct socket_config config;
    struct side sides[SIDES];
    struct lane lanes[2];
    struct deaf deaf;
    int stop_fd;
};

const struct option proxy_options[] = {
    OPTIONS_OF_WIRE,
    { "reply-timeout", 0, OPTION_TIME, "TIME", "5s", -1, SOCKET_DAY, NULL, 0,
      offsetof (struct socket_config, reply_timeout),
      "how long a queue waits for a client that does not read, before it drops its reply" },
    OPTION_MAX_SUBSCRIPTIONS,
    OPTION_END
};

/* --------------------------------------------------------- making and attaching */

weft_proxy_t *
weft_proxy_new (weft_t *weft, const char *name)
{
    const struct kind *kind = NULL;
    for (size_t i = 0; i < KINDS; i++)
        if (strcmp (kinds[i].name, name) == 0)
            kind = &kinds[i];
    if (!kind) {
        error_set (WEFT_EINVAL, "%s: no such kind of proxy; there are queue, forwarder and streamer", name);
        return NULL;
    }
    weft_proxy_t *self = calloc (1, sizeof *self);
    if (!self || option_init (proxy_options, &self->config)) {
        error_plain (WEFT_ENOMEM);
        free (self);
        return NULL;
    }
    self->weft = weft;
    self->kind = kind;
    self->sides[FRONT] = (struct side) { .type = kind->front, .peers_do = kind->front_do };
    self->sides[BACK] = (struct side) { .type = kind->back, .peers_do = kind->back_do };
    self->sides[CAPTURE] = (struct side) { .type = WIRE_XPUB, .peers_do = "sub" };
    self->lanes[0] = (struct lane) { .from = &self->sides[FRONT], .to = &self->sides[BACK] };
    self->lanes[1] = (struct lane) { .from = &self->sides[BACK], .to = &self->sides[FRONT] };
    self->stop_fd = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (self->stop_fd < 0) {
        error_errno ("proxy");
        weft_proxy_destroy (&self);
    }
    return self;
}

void
weft_proxy_destroy (weft_proxy_t **handle)
{
    weft_proxy_t *self = *handle;
    if (!self)
        return;
    *handle = NULL;
    for (int i = 0; i < 2; i++) {
        struct lane *lane = &self->lanes[i];
        if (lane->holding && wire_send (lane->to->wire, &lane->msg, 0))
            log_warning (&self->weft->log, "proxy: a message was left undelivered to the %s",
                         side_names[i ? FRONT : BACK]);
        weft_msg_clear (&lane->msg);
    }
    for (int i = 0; i < SIDES; i++)
        context_close (self->weft, &self->sides[i].wire);
    if (self->stop_fd >= 0)
        close (self->stop_fd);
    option_free (proxy_options, &self->config);
    option_free (security_options, &self->config.security);
    free (self);
}

int
weft_proxy_set (weft_proxy_t *self, const char *name, const char *value)
{
    const struct option_group groups[] = { { .table = proxy_options, .target = &self->config },
                                           { .table = security_options, .target = &self->config.security }, { 0 } };
    bool attached = false;
    for (int i = 0; i < SIDES; i++)
        attached |= self->sides[i].wire != NULL;
    return option_set_in (groups, name, value, "a proxy", attached ? "the first attach" : NULL);
}

static int
open_side (weft_proxy_t *self, struct side *side)
{
    struct wire_options options;
    socket_wire_options (&self->config, &options);
    options.immediate = options.keep = side->type == WIRE_DEALER || side->type == WIRE_PUSH;
    options.mandatory = side->type == WIRE_ROUTER;
    options.lossless = side->type == WIRE_XPUB;
    options.verbose = side == &self->sides[CAPTURE];    /*  a forwarder announces each topic once: libzmq's XSUB
                                                            would not take back the second of a kind */
    if (side->type == WIRE_XSUB)
        options.send_hwm = 0;       /*  of subscriptions: see publish.c */
    int rc = security_load (&self->config.security, side->peers_do, &options);
    rc = rc ? rc : context_open (self->weft, side->type, &options, &side->wire);
    security_unload (&options);
    return rc;
}

static struct side *
find_side (const weft_proxy_t *self, const char *name)
{
    for (int i = 0; i < SIDES; i++)
        if (strcmp (side_names[i], name) == 0)
            return (struct side *) (uintptr_t) &self->sides[i];
    error_set (WEFT_EINVAL, "%s: no such side of a proxy; there are front, back and capture", name);
    return NULL;
}

int
weft_proxy_attach (weft_proxy_t *self, const char *name, const char *endpoints)
{
    struct endpoint endpoint;
    struct side *side = find_side (self, name);
    if (!side)
        return WEFT_EINVAL;
    const char *list = endpoints;
    int count = 0, rc, bad = 0;
    for (; (rc = endpoint_next (&list, ENDPOINT_BIND, &endpoint)) == 1; count++)
        bad = bad ? bad : security_check (&self->config.security, &endpoint);
    if (rc || bad)
        return rc ? rc : bad;
    if (!count)
        return error_set (WEFT_EENDPOINT, "%s: no endpoint given; for example tcp://127.0.0.1:5555", name);
    bool first = !side->wire;
    rc = first ? open_side (self, side) : 0;
    list = endpoints;
    bool attached = false;
    while (rc == 0 && endpoint_next (&list, ENDPOINT_BIND, &endpoint) == 1) {
        rc = wire_attach (side->wire, &endpoint);
        attached = attached || rc == 0;
        if (rc == 0 && endpoint.side == ENDPOINT_BIND)
            security_listens (&self->config.security, &endpoint, &self->weft->log);
    }
    if (first && !attached)
        context_close (self->weft, &side->wire);
    return rc;
}

const char *
weft_proxy_endpoint (const weft_proxy_t *self, const char *name)
{
    const struct side *side = find_side (self, name);
    return side && side->wire ? side->wire->bound : "";
}

/* ------------------------------------------------------------------- carrying */

/*  A copy for the tap; it may be lost, and the loss is counted. */
static int
capture (weft_proxy_t *self, const weft_msg_t *msg)
{
    struct side *tap = &self->sides[CAPTURE];
    weft_msg_t copy;
    weft_msg_init (&copy);
    int rc = weft_msg_copy (&copy, msg);
    if (rc == 0)
        rc = fanout_send (&tap->fanout, tap->wire, &copy);
    if (rc == 1 && watch_first (&tap->watch, "drop", ""))
        log_warning (&self->weft->log, "proxy: the capture is too slow: messages are dropped for it");
    weft_msg_clear (&copy);
    return rc < 0 ? rc : 0;
}

/*  Takes the next message that is to be handed on: 1, 0 for none or no room, or negative. */
static int
take (weft_proxy_t *self, struct lane *lane)
{
    int rc = wire_events (lane->to->wire);
    if (rc < 0 || !(rc & WEFT_OUT))
        return rc < 0 ? rc : 0;
    rc = wire_recv (lane->from->wire, &lane->msg, 0);
    if (rc)
        return rc == WEFT_EAGAIN ? 0 : rc;
    bool subscription = lane->from->type == WIRE_XPUB;
    lane->holding = !subscription || weft_msg_size (&lane->msg, 0) <= 1 + TOPIC_MAX;
    if (!lane->holding)
        weft_msg_clear (&lane->msg);
    if (subscription || !self->sides[CAPTURE].wire)
        return 1;
    return (rc = capture (self, &lane->msg)) ? rc : 1;
}

static void
drop_reply (weft_proxy_t *self, struct lane *lane, const char *what, const char *words)
{
    counter_add (&lane->to->gone, 1);
    weft_msg_clear (&lane->msg);
    if (watch_first (&lane->to->watch, what, ""))
        log_warning (&self->weft->log, "proxy: %s", words);
}

/*  A reply finds no room: WEFT_EAGAIN while its client has time left, else 0, and it is dropped. */
static int
hold_reply (weft_proxy_t *self, struct lane *lane)
{
    struct clock *clock = self->weft->clock;
    int64_t patience = self->config.reply_timeout;
    uint64_t client = deaf_name (&lane->msg);
    bool known = deaf_knows (&self->deaf, client);
    if (!lane->give_up)
        lane->give_up = clock_deadline (clock, patience);
    if (!known && clock_left (clock, lane->give_up) != 0)
        return WEFT_EAGAIN;
    if (!known)
        deaf_add (&self->deaf, client);
    drop_reply (self, lane, "deaf", "a client does not read its replies: those that find no room are dropped, so that "
                "the others need not wait (reply-timeout)");
    return 0;
}

static int
send_reply (weft_proxy_t *self, struct lane *lane)
{
    uint64_t client = self->deaf.count ? deaf_name (&lane->msg) : 0;    /*  the message is gone once it is sent */
    int rc = wire_send (lane->to->wire, &lane->msg, 0);
    if (rc == 0)
        deaf_remove (&self->deaf, client);
    if (rc == WEFT_ENOPEER) {
        drop_reply (self, lane, "reply", "a client has gone before its reply, which is dropped");
        rc = 0;
    }
    if (rc == WEFT_EAGAIN)
        rc = hold_reply (self, lane);
    if (rc != WEFT_EAGAIN)
        lane->give_up = 0;
    return rc;
}

static int
send_on (weft_proxy_t *self, struct lane *lane)
{
    struct side *to = lane->to;
    if (to->type == WIRE_ROUTER)
        return send_reply (self, lane);
    if (to->type != WIRE_XPUB)
        return wire_send (to->wire, &lane->msg, 0);
    int rc = fanout_send (&to->fanout, to->wire, &lane->msg);
    if (rc == 1 && watch_first (&to->watch, "drop", ""))
        log_warning (&self->weft->log, "proxy: a subscriber is slow: messages are dropped for it");
    return rc < 0 ? rc : 0;
}

/*  Hands on what is held: 0, WEFT_EAGAIN when there is no room, or another failure. */
static int
hand_on (weft_proxy_t *self, struct lane *lane)
{
    int rc = lane->holding ? send_on (self, lane) : 0;
    lane->holding = rc < 0;
    return rc;
}

/*  How many messages went this way in one turn, or negative. */
static int
carry (weft_proxy_t *self, struct lane *lane)
{
    for (int moved = 0; moved < MESSAGES_A_TURN; moved++) {
        int rc = lane->holding ? 1 : take (self, lane);
        if (rc <= 0)
            return rc < 0 ? rc : moved;
        rc = hand_on (self, lane);
        if (rc)
            return rc == WEFT_EAGAIN ? moved : rc;
    }
    return MESSAGES_A_TURN;
}

/* -------------------------------------------------------------------- running */

static bool
lane_ready (const struct lane *lane)
{
    int from = lane->from->events, to = lane->to->events;
    return !lane->holding && from > 0 && from & WEFT_IN && to > 0 && to & WEFT_OUT;
}

/*  Sleeps until there may be something to do: 1 when it was stopped, 0, or negative. Each wire
 *  is asked for its events once: asking takes in what the descriptor signalled, so a message that
 *  came between two questions would be seen by the second alone, and slept through. */
static int
proxy_wait (weft_proxy_t *self, int64_t timeout)
{
    struct pollfd fds[1 + SIDES] = { { .fd = self->stop_fd, .events = POLLIN } };
    nfds_t count = 1;
    for (int i = 0; i < SIDES; i++)
        if (self->sides[i].wire) {
            int fd = wire_fd (self->sides[i].wire);
            if (fd < 0)
                return fd;
            fds[count++] = (struct pollfd) { .fd = fd, .events = POLLIN };
            self->sides[i].events = wire_events (self->sides[i].wire);
            if (self->sides[i].events & WEFT_ERR)
                timeout = 0;
        }
    for (int i = 0; i < self->kind->lanes; i++) {
        if (lane_ready (&self->lanes[i]))
            timeout = 0;
        if (self->lanes[i].holding)
            timeout = clock_earlier (timeout, RETRY_TIME);
    }
    if (poll (fds, count, clock_poll_ms (timeout)) < 0)
        return errno == EINTR ? error_plain (WEFT_EINTR) : error_errno ("proxy");
    eventfd_t stops;
    return fds[0].revents ? eventfd_read (self->stop_fd, &stops) == 0 : 0;
}

static void
look_around (weft_proxy_t *self)
{
    static const char *const names[SIDES] = { "proxy front", "proxy back", "proxy capture" };
    for (int i = 0; i < SIDES; i++)
        if (self->sides[i].wire)
            watch_pump (&self->sides[i].watch, self->sides[i].wire, &self->weft->log, names[i]);
    if (self->sides[CAPTURE].wire)
        fanout_take (&self->sides[CAPTURE].fanout, self->sides[CAPTURE].wire);
}

int
weft_proxy_run (weft_proxy_t *self, int timeout)
{
    if (!self->sides[FRONT].wire || !self->sides[BACK].wire)
        return error_set (WEFT_ESTATE, "proxy: attach both a front and a back first");
    struct clock *clock = self->weft->clock;
    int64_t deadline = clock_deadline (clock, timeout < 0 ? TIME_FOREVER : timeout * TIME_MS);
    for (;;) {
        look_around (self);
        int moved = 0;
        for (int i = 0; i < self->kind->lanes; i++) {
            int rc = carry (self, &self->lanes[i]);
            if (rc < 0)
                return rc;
            moved += rc;
        }
        int64_t left = clock_left (clock, deadline);
        int rc = proxy_wait (self, moved ? 0 : left);
        if (rc)
            return rc < 0 ? rc : 0;
        if (left == 0)
            return error_set (WEFT_ETIMEOUT, "the proxy ran for the time allowed");
    }
}

void
weft_proxy_stop (weft_proxy_t *self)
{
    int number = errno;             /*  a signal handler must leave it as it was */
    eventfd_write (self->stop_fd, 1);
    errno = number;
}

int
weft_proxy_counters (weft_proxy_t *self, const char *name, weft_counters_t *counters)
{
    *counters = (weft_counters_t) { 0 };
    struct side *side = find_side (self, name);
    if (!side)
        return WEFT_EINVAL;
    if (!side->wire)
        return 0;
    watch_pump (&side->watch, side->wire, &self->weft->log, "proxy");
    struct pattern_values values;
    proxy_read (side, &values);
    *counters = values.counters;
    return 0;
}

void *
proxy_side (weft_proxy_t *self, const char *name)
{
    struct side *side = find_side (self, name);
    return side && side->wire ? side : NULL;
}

void
proxy_read (void *arg, void *into)
{
    const struct side *side = arg;
    struct pattern_values *values = into;
    const struct wire_counters *wire = &side->wire->counters;
    *values = (struct pattern_values) {
        .full = counter_read (&side->fanout.dropped), .gone = counter_read (&side->gone),
        .retrying = counter_read (&side->watch.retrying)
    };
    values->counters = (weft_counters_t) {
        .sent = counter_read (&wire->sent), .sent_bytes = counter_read (&wire->sent_bytes),
        .received = counter_read (&wire->received), .received_bytes = counter_read (&wire->received_bytes),
        .refused = counter_read (&wire->refused), .dropped = values->full + values->gone,
        .connects = counter_read (&side->watch.connects), .disconnects = counter_read (&side->watch.disconnects),
        .rejected_peers = counter_read (&side->watch.rejected), .peers = counter_read (&side->wire->peers),
        .subscriptions = counter_read (&side->fanout.subscriptions)
    };
}
