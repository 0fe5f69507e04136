/*  socket_io.c - weft_socket_t: sending, receiving, waiting for peers, and polling */

#include "core/error.h"
#include "patterns/pattern.h"

#define SEND_SLICE (100 * TIME_MS)      /*  a send that waits looks at the connections so often  */
#define LOOKS 64                        /*  at connection events; a storm of them must not go on for ever */
#define PUMP_EVERY 1024                 /*  messages; also for those who never wait              */

static int64_t
to_ns (int timeout)
{
    return timeout < 0 ? TIME_FOREVER : timeout * TIME_MS;
}

const char *
socket_time (int64_t time, char *text)
{
    static const struct option option = { "time", .type = OPTION_TIME, .min = -1, .max = INT64_MAX };
    if (option_get (&option, &time, text, SOCKET_TIME))
        text[0] = '\0';
    return text;
}

void
socket_pump (struct weft_socket *self)
{
    watch_pump (&self->watch, self->wire, &self->weft->log, self->pattern->name);
}

/*  Everybody who came has left again. */
static bool
socket_gone (const struct weft_socket *self)
{
    return self->watch.connects && self->wire->peers == 0;
}

static OUT_OF_LINE int
not_attached (const struct weft_socket *self)
{
    return error_set (WEFT_ESTATE, "%s: bind or connect it first", self->pattern->name);
}

/* ------------------------------------------------- words for what went wrong */

/*  Nobody can come: all there is to connect to is of another kind, or does not let us in (any more). */
static bool
is_misfit (const struct weft_socket *self)
{
    if (self->connects != 1 || self->binds != 0)
        return false;
    return (self->watch.misfit && self->watch.connects == 0) || (self->watch.denied && self->wire->peers == 0);
}

int
socket_misfit (const struct weft_socket *self)
{
    if (!is_misfit (self))
        return 0;
    return error_set (self->watch.denied ? WEFT_EACCES : WEFT_EPEER, "%s", self->watch.trouble);
}

/*  Who listens is not the one who was refused. */
static int
no_peer_code (const struct weft_socket *self)
{
    if (self->watch.denied)
        return self->binds ? WEFT_ENOPEER : WEFT_EACCES;
    return self->watch.misfit ? WEFT_EPEER : WEFT_ENOPEER;
}

int
socket_no_peer (const struct weft_socket *self, int64_t timeout)
{
    char time[SOCKET_TIME];
    const char *trouble = self->watch.trouble;
    return error_set (no_peer_code (self), "no peer came within %s%s%s",
                      socket_time (timeout, time), *trouble ? "; " : "", trouble);
}

static int
send_timeout (const struct weft_socket *self, int64_t timeout)
{
    char time[SOCKET_TIME];
    if (self->watch.connects == 0)
        return socket_no_peer (self, timeout);
    if (self->wire->peers == 0)
        return error_set (WEFT_ENOPEER, "all peers have left, and none came within %s", socket_time (timeout, time));
    return error_set (WEFT_ETIMEOUT, "the peers took nothing for %s: their queues are full (hwm %lld)",
                      socket_time (timeout, time), (long long) self->config.hwm);
}

static int
recv_timeout (const struct weft_socket *self, int64_t timeout)
{
    char time[SOCKET_TIME];
    if (self->watch.connects == 0 && (self->watch.misfit || self->watch.denied))
        return socket_no_peer (self, timeout);
    return error_set (WEFT_ETIMEOUT, "nothing came within %s%s", socket_time (timeout, time),
                      self->watch.connects ? "" : ": no peer is there");
}

/* ------------------------------------------------------ on behalf of patterns */

/*  The wait that is left to the engine. */
static inline int64_t
first_wait (int64_t timeout)
{
    return clock_earlier (timeout, SOCKET_PATIENCE);
}

/*  XPUB always says that it can send, and ROUTER when anybody has room; so a wait for the
 *  one that has none is left to the engine's own send, in slices. */
static int
send_patiently (struct weft_socket *self, weft_msg_t *msg, int64_t timeout)
{
    struct clock *clock = self->weft->clock;
    int64_t deadline = clock_deadline (clock, timeout);
    for (;;) {
        socket_pump (self);
        int rc = socket_misfit (self);
        if (rc)
            return rc;
        int64_t left = clock_left (clock, deadline);
        if (left == 0)
            return WEFT_ETIMEOUT;
        rc = wire_send (self->wire, msg, clock_earlier (left, SEND_SLICE));
        if (rc != WEFT_ETIMEOUT)
            return rc;
    }
}

/*  After a first try that gave `rc`. */
static OUT_OF_LINE int
send_on (struct weft_socket *self, weft_msg_t *msg, int64_t timeout, int rc)
{
    if (rc == WEFT_EAGAIN && is_misfit (self))
        return socket_misfit (self);
    if (rc == WEFT_ETIMEOUT)
        rc = send_patiently (self, msg, timeout == TIME_FOREVER ? timeout : timeout - first_wait (timeout));
    return rc == WEFT_ETIMEOUT ? send_timeout (self, timeout) : rc;
}

static inline __attribute__ ((always_inline)) int
send_plain (struct weft_socket *self, weft_msg_t *msg, int64_t timeout)
{
    int rc = wire_send (self->wire, msg, first_wait (timeout));
    return rc ? send_on (self, msg, timeout, rc) : 0;
}

int
socket_send (struct weft_socket *self, weft_msg_t *msg, int64_t timeout)
{
    return send_plain (self, msg, timeout);
}

/*  What a peer sent before it left can be received when its leaving is told: so the
 *  end has come when nothing is left after that. */
static int
recv_patiently (struct weft_socket *self, weft_msg_t *msg, int64_t timeout)
{
    struct clock *clock = self->weft->clock;
    int64_t deadline = clock_deadline (clock, timeout);
    for (;;) {
        socket_pump (self);
        bool ended = self->config.until_gone && socket_gone (self);
        int rc = wire_recv (self->wire, msg, 0);
        if (rc != WEFT_EAGAIN)
            return rc;
        if (ended)
            return error_set (WEFT_EEND, "every peer has left");
        rc = socket_misfit (self);
        if (rc)
            return rc;
        int64_t left = clock_left (clock, deadline);
        if (left == 0)
            return WEFT_ETIMEOUT;
        rc = wire_wait (self->wire, WEFT_IN, left);
        if (rc < 0)
            return rc;
    }
}

/*  After a first try that gave `rc`. */
static OUT_OF_LINE int
recv_on (struct weft_socket *self, weft_msg_t *msg, int64_t timeout, int rc)
{
    bool look = self->config.until_gone || self->watch.misfit || self->watch.denied;
    if (rc == WEFT_ETIMEOUT || (rc == WEFT_EAGAIN && look))
        rc = recv_patiently (self, msg, timeout == TIME_FOREVER ? timeout : timeout - first_wait (timeout));
    if (rc != WEFT_ETIMEOUT)
        return rc;
    return timeout == 0 ? error_plain (WEFT_EAGAIN) : recv_timeout (self, timeout);
}

static inline __attribute__ ((always_inline)) int
recv_plain (struct weft_socket *self, weft_msg_t *msg, int64_t timeout)
{
    int rc = wire_recv (self->wire, msg, first_wait (timeout));
    return rc ? recv_on (self, msg, timeout, rc) : 0;
}

int
socket_recv (struct weft_socket *self, weft_msg_t *msg, int64_t timeout)
{
    return recv_plain (self, msg, timeout);
}

/* ---------------------------------------------------------- waiting for peers */

int
socket_ready (struct weft_socket *self, bool subscribed)
{
    return subscribed && self->pattern->ready ? self->pattern->ready (self) : (int) self->wire->peers;
}

static int
wait_ready (struct weft_socket *self, int count, bool subscribed, int64_t deadline)
{
    struct clock *clock = self->weft->clock;
    for (;;) {
        socket_pump (self);
        if (socket_ready (self, subscribed) >= count)
            return 0;
        int rc = socket_misfit (self);
        if (rc)
            return rc;
        int64_t left = clock_left (clock, deadline);
        if (left == 0)
            return WEFT_ETIMEOUT;
        rc = wire_wait (self->wire, subscribed && self->pattern->ready ? WEFT_IN : 0, left);
        if (rc < 0)
            return rc;
    }
}

static int
explain_wait (struct weft_socket *self, int count, bool subscribed, int64_t timeout)
{
    char time[SOCKET_TIME];
    int ready = socket_ready (self, subscribed);
    if (ready == 0 && self->watch.connects == 0)
        return socket_no_peer (self, timeout);
    return error_set (ready ? WEFT_ETIMEOUT : WEFT_ENOPEER, "%d of %d %s came within %s", ready, count,
                      subscribed ? "subscriptions" : "peers", socket_time (timeout, time));
}

int
weft_wait_peers (weft_socket_t *self, int peers, int timeout)
{
    if (!self->wire)
        return not_attached (self);
    bool subscribed = self->pattern->ready != NULL;
    int rc = wait_ready (self, peers, subscribed, clock_deadline (self->weft->clock, to_ns (timeout)));
    return rc == WEFT_ETIMEOUT ? explain_wait (self, peers, subscribed, to_ns (timeout)) : rc;
}

/*  Are as many there as the first message has to wait for? */
static bool
may_begin (struct weft_socket *self)
{
    return socket_ready (self, false) >= self->config.wait_peers && socket_ready (self, true) >= self->config.wait_subs;
}

/*  Before the first message goes out: what every send would have to check. */
static OUT_OF_LINE int
first_send (struct weft_socket *self, int64_t timeout)
{
    if (!self->pattern->send)
        return error_set (WEFT_ENOTSUP, "%s sockets do not send", self->pattern->name);
    if (!self->wire)
        return not_attached (self);
    int64_t deadline = clock_deadline (self->weft->clock, timeout);
    for (int subscribed = 0; subscribed < 2; subscribed++) {
        int count = (int) (subscribed ? self->config.wait_subs : self->config.wait_peers);
        int rc = count ? wait_ready (self, count, subscribed, deadline) : 0;
        if (rc == WEFT_ETIMEOUT)
            return timeout == 0 ? error_plain (WEFT_EAGAIN) : explain_wait (self, count, subscribed, timeout);
        if (rc)
            return rc;
    }
    self->waited = true;
    return 0;
}

/* -------------------------------------------------------- sending, receiving */

/*  What every message would have to check is checked at the first, and at one of PUMP_EVERY. The patterns that
 *  add nothing are called by name, so that the compiler makes one function of it. */
static OUT_OF_LINE int
send_checked (struct weft_socket *self, weft_msg_t *msg, int64_t timeout)
{
    if (!self->waited) {
        int rc = first_send (self, timeout);
        if (rc)
            return rc;
    } else if (self->sends_left == 0)
        socket_pump (self);
    if (message_of (msg)->count == 0)
        return error_set (WEFT_EINVAL, "a message without frames cannot be sent");
    self->sends_left = PUMP_EVERY;
    return self->pattern->send (self, msg, timeout);
}

static inline __attribute__ ((always_inline)) int
send_any (struct weft_socket *self, weft_msg_t *msg, int64_t timeout)
{
    if (self->sends_left == 0 || message_of (msg)->count == 0)
        return send_checked (self, msg, timeout);
    self->sends_left--;
    bool plain = self->pattern->send == socket_send;
    return plain ? send_plain (self, msg, timeout) : self->pattern->send (self, msg, timeout);
}

int
weft_send (weft_socket_t *self, weft_msg_t *msg, int flags)
{
    return send_any (self, msg, flags & WEFT_DONTWAIT ? 0 : self->config.timeout);
}

/*  After a first try that gave `tried`, or without one. */
static OUT_OF_LINE int
send_data_on (struct weft_socket *self, const void *data, size_t size, int64_t timeout, int tried)
{
    weft_msg_t msg;
    weft_msg_init (&msg);
    int rc = weft_msg_add (&msg, data, size);
    if (rc == 0)
        rc = tried ? send_on (self, &msg, timeout, tried) : send_any (self, &msg, timeout);
    weft_msg_clear (&msg);
    return rc;
}

int
weft_send_data (weft_socket_t *self, const void *data, size_t size, int flags)
{
    int64_t timeout = flags & WEFT_DONTWAIT ? 0 : self->config.timeout;
    if (self->sends_left == 0 || self->pattern->send != socket_send)
        return send_data_on (self, data, size, timeout, 0);
    self->sends_left--;
    int rc = wire_send_data (self->wire, data, size, first_wait (timeout));
    return rc ? send_data_on (self, data, size, timeout, rc) : 0;
}

static OUT_OF_LINE int
recv_checked (struct weft_socket *self, weft_msg_t *msg, int64_t timeout)
{
    if (weft_msg_frames (&self->held)) {
        weft_msg_move (msg, &self->held);
        return 0;
    }
    if (!self->pattern->recv)
        return error_set (WEFT_ENOTSUP, "%s sockets do not receive", self->pattern->name);
    if (!self->wire)
        return not_attached (self);
    socket_pump (self);
    self->recvs_left = PUMP_EVERY;
    return self->pattern->recv (self, msg, timeout);
}

static inline __attribute__ ((always_inline)) int
recv_any (struct weft_socket *self, weft_msg_t *msg, int64_t timeout)
{
    if (self->recvs_left == 0)
        return recv_checked (self, msg, timeout);
    self->recvs_left--;
    bool plain = self->pattern->recv == socket_recv;
    return plain ? recv_plain (self, msg, timeout) : self->pattern->recv (self, msg, timeout);
}

int
weft_recv (weft_socket_t *self, weft_msg_t *msg, int flags)
{
    return recv_any (self, msg, flags & WEFT_DONTWAIT ? 0 : self->config.timeout);
}

/*  The message in self->held, if it is what the caller can take; otherwise it stays. */
static OUT_OF_LINE int64_t
take_held (struct weft_socket *self, void *data, size_t room)
{
    struct message *held = message_of (&self->held);
    size_t size = held->frames->size;
    if (held->count == 1 && size <= room) {
        memcpy (data, frame_data (held->frames), size);
        message_clear (held);
        return (int64_t) size;
    }
    self->recvs_left = 0;
    if (held->count > 1)
        return error_set (WEFT_ETOOBIG, "a message of %u frames: take it with weft_recv", held->count);
    return error_set (WEFT_ETOOBIG, "a message of %zu bytes, and room for %zu: take it with more, or with weft_recv",
                      size, room);
}

/*  Straight to the memory of the caller, or else by way of self->held. */
static inline __attribute__ ((always_inline)) int64_t
recv_data_plain (struct weft_socket *self, void *data, size_t room, int64_t timeout)
{
    self->recvs_left--;
    int64_t got = wire_recv_data (self->wire, data, room, &self->held, first_wait (timeout));
    return got < 0 ? recv_on (self, &self->held, timeout, (int) got) : got;
}

int64_t
weft_recv_data (weft_socket_t *self, void *data, size_t room, int flags)
{
    int64_t timeout = flags & WEFT_DONTWAIT ? 0 : self->config.timeout, got = 0;
    if (self->recvs_left && self->pattern->recv == socket_recv)
        got = recv_data_plain (self, data, room, timeout);
    else if (!weft_msg_frames (&self->held))
        got = recv_any (self, &self->held, timeout);
    return got == 0 && message_of (&self->held)->count ? take_held (self, data, room) : got;
}

/* -------------------------------------------------------------------- polling */

int
weft_fd (weft_socket_t *self)
{
    return self->wire ? wire_fd (self->wire) : not_attached (self);
}

/*  One look; WEFT_ERR is left in when there are connection events now. */
static int
look (struct weft_socket *self)
{
    /*  What receive would say at once counts as something to receive. */
    bool ended = self->config.until_gone && socket_gone (self);
    if (is_misfit (self))
        socket_pump (self);
    if (is_misfit (self))       /*  whatever is tried will tell */
        return (self->pattern->recv ? WEFT_IN : 0) | (self->pattern->send ? WEFT_OUT : 0);
    int events = self->pattern->events ? self->pattern->events (self) : wire_events (self->wire);
    if (events < 0)
        return events;
    if (!self->waited && !may_begin (self))
        events &= ~WEFT_OUT;
    return events | (ended || weft_msg_frames (&self->held) ? WEFT_IN : 0);
}

/*  What was known of the connections holds only if there is no news after it: what a peer has sent is there before it
 *  is told that the peer has gone. */
int
weft_events (weft_socket_t *self)
{
    int events = self->wire ? look (self) : not_attached (self);
    for (int i = 0; i < LOOKS && events >= 0 && events & WEFT_ERR; i++) {
        socket_pump (self);
        events = look (self);
    }
    return events < 0 ? events : events & (WEFT_IN | WEFT_OUT);
}

static int
pollable_fd (struct pollable *pollable)
{
    return weft_fd ((weft_socket_t *) pollable);
}

static int
pollable_events (struct pollable *pollable)
{
    return weft_events ((weft_socket_t *) pollable);
}

static int64_t
pollable_deadline (struct pollable *pollable)
{
    struct weft_socket *self = (struct weft_socket *) pollable;
    return self->pattern->deadline ? self->pattern->deadline (self) : TIME_FOREVER;
}

const struct pollable_ops socket_pollable = {
    .fd = pollable_fd,
    .events = pollable_events,
    .deadline = pollable_deadline
};
