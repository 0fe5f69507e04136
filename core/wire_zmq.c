/*  wire_zmq.c - libzmq behind the seam: sockets and messages
 *
 *  Socket types, options and error numbers are those of zmq_socket(3),
 *  zmq_setsockopt(3), zmq_msg_send(3) and zmq_msg_recv(3), libzmq 4.3. */

#include "core/wire_zmq.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <zmq.h>

#include "core/error.h"

enum {
    SOCKETS_MAX = 16384,        /*  libzmq's table; its default of 1023 is too few for a server */
    CONTEXT_DESCRIPTORS = 8,    /*  that a context of libzmq and its first socket take, and some */
    DESCRIPTORS_MAX = 16
};

/* ------------------------------------------------------------ frame bodies */

_Static_assert (sizeof (zmq_msg_t) <= FRAME_INLINE, "a frame must hold a zmq_msg_t");

static inline zmq_msg_t *
body (struct frame *self)
{
    return (zmq_msg_t *) (void *) &self->store;
}

static const struct frame_owner zmq_owner;

static void
frame_adopt (struct frame *self)
{
    self->owner = &zmq_owner;
    self->data = zmq_msg_data (body (self));
    self->size = zmq_msg_size (body (self));
}

static int
body_alloc (struct frame *self, size_t size)
{
    if (zmq_msg_init_size (body (self), size))
        return error_plain (WEFT_ENOMEM);
    frame_adopt (self);
    return 0;
}

static int
body_share (struct frame *self, struct frame *source)
{
    zmq_msg_init (body (self));
    if (zmq_msg_copy (body (self), body (source)))
        return error_plain (WEFT_ENOMEM);
    frame_adopt (self);
    return 0;
}

static int
body_wrap (struct frame *self, void *data, size_t size, weft_release_fn *release, void *hint)
{
    if (zmq_msg_init_data (body (self), data, size, release, hint))
        return error_plain (WEFT_ENOMEM);
    frame_adopt (self);
    return 0;
}

static void
body_release (struct frame *self)
{
    zmq_msg_close (body (self));
}

static const struct frame_owner zmq_owner = {
    .name = "zmq",
    .alloc = body_alloc,
    .share = body_share,
    .wrap = body_wrap,
    .release = body_release,
};

const struct frame_owner *const frame_owner_standard = &zmq_owner;

/* ------------------------------------------------------------------ errors */

int
zmq_wire_error (const char *what)
{
    int number = zmq_errno ();
    switch (number) {
    case EAGAIN: return error_plain (WEFT_EAGAIN);
    case EINTR: return error_plain (WEFT_EINTR);
    case ETERM: return error_plain (WEFT_ETERM);
    case EHOSTUNREACH: return error_plain (WEFT_ENOPEER);
    case EMFILE: return error_set (WEFT_ELIMIT, "%s: out of file descriptors; raise the limit (ulimit -n)", what);
    default:
        if (number < ZMQ_HAUSNUMERO) {
            errno = number;
            return error_errno ("%s", what);
        }
        return error_set (WEFT_EIO, "%s: %s", what, zmq_strerror (number));
    }
}

/* ----------------------------------------------------------------- context */

int
zmq_wire_room (int count)
{
    int fds[DESCRIPTORS_MAX], have = 0;
    while (have < count && (fds[have] = eventfd (0, EFD_CLOEXEC)) >= 0)
        have++;
    int rc = have < count ? zmq_wire_error ("context") : 0;
    while (have > 0)
        close (fds[--have]);
    return rc;
}

static int
zmq_wire_context_new (void **context)
{
    int rc = zmq_wire_room (CONTEXT_DESCRIPTORS);
    if (rc)
        return rc;
    struct zmq_context *self = calloc (1, sizeof *self);
    if (!self)
        return error_plain (WEFT_ENOMEM);
    self->zmq = zmq_ctx_new ();
    if (!self->zmq) {
        free (self);
        return zmq_wire_error ("context");
    }
    zmq_ctx_set (self->zmq, ZMQ_MAX_SOCKETS, SOCKETS_MAX);
    pthread_mutex_init (&self->lock, NULL);
    *context = self;
    return 0;
}

#define LINGER_EARLY (2 * TIME_MS)

static int
zmq_wire_context_destroy (void **context)
{
    struct zmq_context *self = *context;
    struct clock *clock = clock_system ();
    int64_t start = clock_now (clock), deadline = clock_deadline (clock, self->linger);
    linger_stop (self);
    zap_finish (self, !self->unfinished);
    while (zmq_ctx_term (self->zmq) && zmq_errno () == EINTR)
        ;
    /*  libzmq does not say whether a linger ran out, but then the time did, by its clock of milliseconds. */
    bool ran_out = self->until > start && clock_now (clock) >= self->until - LINGER_EARLY;
    ran_out |= linger_finish (self, deadline);
    inproc_finish (self);
    pthread_mutex_destroy (&self->lock);
    free (self);
    *context = NULL;
    return ran_out ? error_set (WEFT_ETIMEOUT, "messages were still undelivered when the linger ran out") : 0;
}

/* ----------------------------------------------------------------- opening */

enum {
    KEEPALIVE_MAX = 32767,      /*  seconds that Linux takes    */
    HEARTBEATS_MISSED = 3
};

static int
to_ms (int64_t ns)
{
    return clock_poll_ms (ns);
}

int
zmq_wire_set (struct zmq_wire *self, int option, int64_t value)
{
    int number = value > INT_MAX ? INT_MAX : (int) value;
    return zmq_setsockopt (self->socket, option, &number, sizeof number) ? zmq_wire_error ("socket option") : 0;
}

/*  A message somewhat over max_size still reaches us, to be counted and named; past
 *  twice that libzmq drops the connection, which is what bounds a frame's memory. */
static int
set_max_size (struct zmq_wire *self, int64_t max_size)
{
    int64_t limit = max_size < 0 ? -1 : max_size * 2 + 65536;
    return zmq_setsockopt (self->socket, ZMQ_MAXMSGSIZE, &limit, sizeof limit) ? zmq_wire_error ("max-size") : 0;
}

/*  The kernel asks, by TCP keep-alive; it knows by itself who is at the other end of
 *  ipc. libzmq's own heartbeats abort the process of a receiver that is full when a peer leaves
 *  (assertions !_io_error and _input_stopped), and take a peer that is full for dead: it
 *  does not read what asks it. */
static int
set_heartbeat (struct zmq_wire *self, int64_t heartbeat)
{
    int64_t seconds = (heartbeat + TIME_S - 1) / TIME_S;
    if (seconds > KEEPALIVE_MAX)
        seconds = KEEPALIVE_MAX;
    int rc = zmq_wire_set (self, ZMQ_TCP_KEEPALIVE, 1);
    rc = rc ? rc : zmq_wire_set (self, ZMQ_TCP_KEEPALIVE_IDLE, seconds);
    rc = rc ? rc : zmq_wire_set (self, ZMQ_TCP_KEEPALIVE_INTVL, seconds);
    return rc ? rc : zmq_wire_set (self, ZMQ_TCP_KEEPALIVE_CNT, HEARTBEATS_MISSED);
}

static int
set_options (struct zmq_wire *self, const struct wire_options *o)
{
    int rc = 0;
    rc = rc ? rc : zmq_wire_set (self, ZMQ_SNDHWM, o->send_hwm);
    rc = rc ? rc : zmq_wire_set (self, ZMQ_RCVHWM, o->recv_hwm);
    rc = rc ? rc : zmq_wire_set (self, ZMQ_LINGER, to_ms (o->linger));
    rc = rc ? rc : zmq_wire_set (self, ZMQ_RECONNECT_IVL, to_ms (o->reconnect));
    rc = rc ? rc : zmq_wire_set (self, ZMQ_RECONNECT_IVL_MAX, to_ms (o->reconnect_max));
    rc = rc ? rc : zmq_wire_set (self, ZMQ_HANDSHAKE_IVL, to_ms (o->handshake));
    rc = rc ? rc : zmq_wire_set (self, ZMQ_CONNECT_TIMEOUT, to_ms (o->connect_timeout));
    rc = rc ? rc : zmq_wire_set (self, ZMQ_BACKLOG, o->backlog);
    rc = rc ? rc : zmq_wire_set (self, ZMQ_SNDBUF, o->send_buffer);
    rc = rc ? rc : zmq_wire_set (self, ZMQ_RCVBUF, o->recv_buffer);
    rc = rc ? rc : set_max_size (self, o->max_size);
    if (!rc && o->heartbeat > 0)
        rc = set_heartbeat (self, o->heartbeat);
    if (!rc && self->wire.type == WIRE_ROUTER) {
        rc = zmq_wire_set (self, ZMQ_ROUTER_MANDATORY, o->mandatory);
        rc = rc ? rc : zmq_wire_set (self, ZMQ_ROUTER_HANDOVER, o->handover);
    }
    if (!rc && self->wire.type == WIRE_XPUB) {
        rc = zmq_wire_set (self, ZMQ_XPUB_NODROP, o->lossless);
        rc = rc ? rc : subscribe_open (self);
    }
    if (!rc && o->identity[0] && zmq_setsockopt (self->socket, ZMQ_ROUTING_ID, o->identity, strlen (o->identity)))
        rc = zmq_wire_error ("identity");
    return rc;
}

#define SETTLE_TIME (100 * TIME_MS)

/*  A handshake that is under way when libzmq's socket is closed gets no answer from the actor any more, and hangs
 *  until its time is over: what was to linger would be late, or lost. So it is awaited, if only for a moment. */
static void
settle_handshake (struct zmq_wire *self)
{
    struct wire_event event = { .kind = WIRE_LISTENING };
    int64_t deadline = clock_deadline (clock_system (), clock_earlier (self->wire.options.linger, SETTLE_TIME)), left;
    if (!self->domain || !self->wire.counters.sent || self->wire.peers || self->wire.bound[0])
        return;
    while ((left = clock_left (clock_system (), deadline)) > 0) {
        zmq_pollitem_t item = { .socket = self->monitor.socket, .events = ZMQ_POLLIN };
        while (monitor_next (self, &event) > 0)
            if (event.kind != WIRE_LISTENING)
                return;
        zmq_poll (&item, 1, clock_poll_ms (left));
    }
}

static void
zmq_wire_close (struct wire **wire)
{
    struct zmq_wire *self = (struct zmq_wire *) *wire;
    int64_t linger = self->wire.options.linger, until = linger ? clock_deadline (clock_system (), linger) : 0;
    *wire = NULL;
    settle_handshake (self);
    linger_hold (self);
    zap_leave (self);
    guard_close (self);
    subscribe_close (self);
    allow_release (&self->wire.options.security.allow);
    monitor_close (&self->monitor, self);
    address_free (self);
    if (self->socket)
        zmq_close (self->socket);
    if (self->inproc_fd >= 0)
        close (self->inproc_fd);
    if (self->poll_fd >= 0)
        close (self->poll_fd);
    zmq_msg_close (&self->in);
    free (self->first);
    pthread_mutex_lock (&self->context->lock);
    self->context->unfinished |= linger && self->wire.peers == 0;
    if (until > self->context->until)
        self->context->until = until;
    if (self->context->linger != TIME_FOREVER && (linger == TIME_FOREVER || linger > self->context->linger))
        self->context->linger = linger;
    pthread_mutex_unlock (&self->context->lock);
    free (self);
}

static int
zmq_wire_open (void *context, enum wire_type type, const struct wire_options *options, struct wire **wire)
{
    static const int types[WIRE_TYPES] = {
        ZMQ_PAIR, ZMQ_DEALER, ZMQ_ROUTER, ZMQ_XPUB, ZMQ_XSUB, ZMQ_SUB, ZMQ_PUSH, ZMQ_PULL,
    };
    struct zmq_wire *self = calloc (1, sizeof *self);
    if (!self)
        return error_plain (WEFT_ENOMEM);
    self->wire = (struct wire) { .engine = &wire_zmq, .type = type, .options = *options };
    if (type == WIRE_XPUB)
        self->wire.engine = &wire_zmq_xpub;
    /*  These send nothing but subscriptions, which nobody misses at the end. */
    if (type == WIRE_SUB || type == WIRE_XSUB || type == WIRE_PULL)
        self->wire.options.linger = 0;
    if (options->security.allow)
        allow_retain (options->security.allow);
    self->gate = options->immediate && options->keep ? GATE_UNDECIDED : GATE_NONE;
    self->context = context;
    zmq_msg_init (&self->in);
    bool limited = options->max_size >= 0 && options->max_size < FRAME_INLINE;
    self->small_max = limited ? (int) options->max_size : FRAME_INLINE;
    self->send_timeout = self->recv_timeout = TIME_FOREVER;
    self->poll_fd = self->inproc_fd = -1;
    *wire = &self->wire;

    self->socket = zmq_socket (self->context->zmq, types[type]);
    int rc = self->socket ? 0 : zmq_wire_error ("socket");
    rc = rc ? rc : set_options (self, &self->wire.options);
    rc = rc ? rc : monitor_open (&self->monitor, self);
    if (rc)
        zmq_wire_close (wire);
    return rc;
}

/* ----------------------------------------------------------------- sending */

static OUT_OF_LINE int
set_timeout (struct zmq_wire *self, int option, int64_t *current, int64_t timeout)
{
    if (timeout == *current)
        return 0;
    *current = timeout;
    return zmq_wire_set (self, option, to_ms (timeout));
}

static inline int
send_bytes (struct zmq_wire *self, const struct frame *frame, int flags)
{
    return zmq_send (self->socket, frame_data (frame), frame->size, flags) < 0 ? zmq_wire_error ("send") : 0;
}

/*  Leaves the frame as it is. */
static int
send_frame (struct zmq_wire *self, struct frame *frame, int flags)
{
    if (frame->owner != &zmq_owner)
        return send_bytes (self, frame, flags);
    zmq_msg_t out;
    zmq_msg_init (&out);
    if (zmq_msg_copy (&out, body (frame)) == 0 && zmq_msg_send (&out, self->socket, flags) >= 0)
        return 0;
    int rc = zmq_wire_error ("send");
    zmq_msg_close (&out);
    return rc;
}

/*  Frames after the first never wait. When one fails, libzmq has rolled the message back
 *  because its peer went away; it swallows what follows up to the last frame, and then
 *  the whole can be sent again to another peer. */
static int
send_frames (struct zmq_wire *self, struct message *message, int flags)
{
    uint32_t last = message->count - 1;
    int rc;
    do {
        rc = send_frame (self, &message->frames[0], flags | ZMQ_SNDMORE);
        if (rc)
            return rc;
        for (uint32_t i = 1; i <= last; i++) {
            int more = i < last ? ZMQ_SNDMORE : 0, failed;
            do
                failed = send_frame (self, &message->frames[i], ZMQ_DONTWAIT | more);
            while (failed == WEFT_EINTR);
            if (failed == WEFT_ENOMEM || failed == WEFT_ETERM)
                return failed;
            rc = failed ? failed : rc;
        }
    } while (rc == WEFT_EAGAIN);
    return rc;
}

static int
send_one (struct zmq_wire *self, struct frame *frame, int flags)
{
    if (frame->owner != &zmq_owner)
        return send_bytes (self, frame, flags);
    if (zmq_msg_send (body (frame), self->socket, flags) < 0)
        return zmq_wire_error ("send");
    frame->owner = NULL;        /*  libzmq has the body now */
    return 0;
}

/*  Any message, and whatever is to be done first. */
static OUT_OF_LINE int
send_any (struct zmq_wire *self, struct message *message, int64_t timeout)
{
    if (message->count == 0)
        return error_set (WEFT_EINVAL, "a message without frames cannot be sent");
    size_t bytes = weft_msg_bytes ((weft_msg_t *) message);
    int flags = timeout ? 0 : ZMQ_DONTWAIT;
    int rc = address_open (self) ? 0 : address_pass (self, timeout);
    if (rc == 0 && timeout)
        rc = set_timeout (self, ZMQ_SNDTIMEO, &self->send_timeout, timeout);
    if (rc == 0)
        rc = message->count == 1 ? send_one (self, message->frames, flags) : send_frames (self, message, flags);
    if (rc)
        return rc == WEFT_EAGAIN && timeout ? error_plain (WEFT_ETIMEOUT) : rc;
    self->wire.counters.sent++;
    self->wire.counters.sent_bytes += bytes;
    message_clear (message);
    return 0;
}

static OUT_OF_LINE int
send_failed (int64_t timeout)
{
    int rc = zmq_wire_error ("send");
    return rc == WEFT_EAGAIN && timeout ? error_plain (WEFT_ETIMEOUT) : rc;
}

/*  The common case is here: a small message, and nothing that is to be done first. */
static int
zmq_wire_send (struct wire *wire, weft_msg_t *msg, int64_t timeout)
{
    struct zmq_wire *self = (struct zmq_wire *) wire;
    struct message *message = message_of (msg);
    if (!message_small (message) || !address_open (self) || (timeout && timeout != self->send_timeout))
        return send_any (self, message, timeout);
    const struct frame *frame = message->inlined;
    if (zmq_send (self->socket, frame->store.bytes, frame->size, timeout ? 0 : ZMQ_DONTWAIT) < 0)
        return send_failed (timeout);
    wire->counters.sent++;
    wire->counters.sent_bytes += frame->size;
    message_reset (message);
    return 0;
}

static int
zmq_wire_publish (struct wire *wire, weft_msg_t *msg, int64_t timeout)
{
    struct zmq_wire *self = (struct zmq_wire *) wire;
    int rc = subscribe_look (self);
    rc = rc ? rc : zmq_wire_send (wire, msg, timeout);
    if (rc == 0)
        subscribe_look (self);      /*  the message is gone: what fails here fails again */
    return rc;
}

/* --------------------------------------------------------------- receiving */

/*  Small frames are copied into place, larger ones keep libzmq's body. */
static int
store (struct message *message, zmq_msg_t *in, size_t size)
{
    struct frame *frame = message_append_slot (message);
    if (!frame)
        return WEFT_ETOOBIG;
    if (size <= FRAME_INLINE) {
        memcpy (frame->store.bytes, zmq_msg_data (in), size);
        frame->size = size;
    } else {
        zmq_msg_init (body (frame));
        zmq_msg_move (body (frame), in);
        frame_adopt (frame);
    }
    return 0;
}

static int
refuse (struct zmq_wire *self, struct message *message, size_t bytes)
{
    self->wire.counters.refused++;
    message_clear (message);
    zmq_msg_close (&self->in);      /*  it may be large */
    zmq_msg_init (&self->in);
    return error_set (WEFT_ETOOBIG, "a message of %zu bytes is over max-size and was discarded", bytes);
}

static OUT_OF_LINE int
recv_failed (int64_t timeout)
{
    int rc = zmq_wire_error ("receive");
    return rc == WEFT_EAGAIN && timeout ? error_plain (WEFT_ETIMEOUT) : rc;
}

/*  A message whose first frame is in self->in; the rest is there already. */
static int
take_frames (struct zmq_wire *self, struct message *message, bool guarded)
{
    int64_t limit = self->wire.options.max_size;
    size_t bytes = 0;
    bool more = true, refused = guarded && !guard_admits (self, &self->in);
    while (more) {
        size_t size = zmq_msg_size (&self->in);
        more = zmq_msg_more (&self->in);
        bytes += size;
        refused = refused || (limit >= 0 && bytes > (size_t) limit) || store (message, &self->in, size);
        while (more && zmq_msg_recv (&self->in, self->socket, 0) < 0)
            if (zmq_errno () != EINTR)
                return zmq_wire_error ("receive");
    }
    if (refused)
        return refuse (self, message, bytes);
    self->wire.counters.received++;
    self->wire.counters.received_bytes += bytes;
    return 0;
}

/*  After what is received first: its rest, and what comes after it when it is refused. */
static OUT_OF_LINE int
recv_any (struct zmq_wire *self, struct message *message, int64_t timeout, bool guarded)
{
    int rc = take_frames (self, message, guarded);
    while (rc == WEFT_ETOOBIG) {
        if (zmq_msg_recv (&self->in, self->socket, timeout ? 0 : ZMQ_DONTWAIT) < 0)
            return recv_failed (timeout);
        rc = take_frames (self, message, guarded);
    }
    return rc;
}

static OUT_OF_LINE int
recv_prepare (struct zmq_wire *self, int64_t timeout)
{
    int rc = address_settle (self);
    return rc || !timeout ? rc : set_timeout (self, ZMQ_RCVTIMEO, &self->recv_timeout, timeout);
}

/*  The common case is here: a small message, and nothing that is to be done first. What is
 *  guarded is never the common case: each of its messages has to be admitted. */
static inline __attribute__ ((always_inline)) int
receive (struct wire *wire, weft_msg_t *msg, int64_t timeout, bool guarded)
{
    struct zmq_wire *self = (struct zmq_wire *) wire;
    struct message *message = message_of (msg);
    message_clear (message);
    if (self->gate == GATE_UNDECIDED || (timeout && timeout != self->recv_timeout)) {
        int rc = recv_prepare (self, timeout);
        if (rc)
            return rc == WEFT_EAGAIN && timeout ? error_plain (WEFT_ETIMEOUT) : rc;
    }
    int got = zmq_msg_recv (&self->in, self->socket, timeout ? 0 : ZMQ_DONTWAIT);
    if (got < 0)
        return recv_failed (timeout);
    if (guarded || got > self->small_max || zmq_msg_get (&self->in, ZMQ_MORE))
        return recv_any (self, message, timeout, guarded);
    struct frame *frame = message_begin_small (message, (size_t) got);
    memcpy (frame->store.bytes, zmq_msg_data (&self->in), frame->size);
    wire->counters.received++;
    wire->counters.received_bytes += frame->size;
    return 0;
}

static int
zmq_wire_recv (struct wire *wire, weft_msg_t *msg, int64_t timeout)
{
    return receive (wire, msg, timeout, false);
}

/*  Of a wire that listens with keys: the others do not pay for it. */
static int
zmq_wire_recv_guarded (struct wire *wire, weft_msg_t *msg, int64_t timeout)
{
    return receive (wire, msg, timeout, true);
}

static int
zmq_wire_subscribe (struct wire *wire, const void *topic, size_t size)
{
    struct zmq_wire *self = (struct zmq_wire *) wire;
    return zmq_setsockopt (self->socket, ZMQ_SUBSCRIBE, topic, size) ? zmq_wire_error ("subscribe") : 0;
}

static int
zmq_wire_unsubscribe (struct wire *wire, const void *topic, size_t size)
{
    struct zmq_wire *self = (struct zmq_wire *) wire;
    return zmq_setsockopt (self->socket, ZMQ_UNSUBSCRIBE, topic, size) ? zmq_wire_error ("unsubscribe") : 0;
}

static int
zmq_wire_lossy (struct wire *wire, bool lossy)
{
    return zmq_wire_set ((struct zmq_wire *) wire, ZMQ_XPUB_NODROP, !lossy);
}

/* ----------------------------------------------------------------- waiting */

static int
watch (int poll_fd, void *socket)
{
    int fd;
    size_t size = sizeof fd;
    struct epoll_event event = { .events = EPOLLIN };
    if (zmq_getsockopt (socket, ZMQ_FD, &fd, &size))
        return zmq_wire_error ("socket");
    return epoll_ctl (poll_fd, EPOLL_CTL_ADD, fd, &event) ? error_errno ("epoll") : 0;
}

static int
zmq_wire_fd (struct wire *wire)
{
    struct zmq_wire *self = (struct zmq_wire *) wire;
    if (self->poll_fd >= 0)
        return self->poll_fd;
    int rc = address_settle (self);
    if (rc)
        return rc;
    int fd = epoll_create1 (EPOLL_CLOEXEC);
    if (fd < 0)
        return error_errno ("epoll");
    rc = watch (fd, self->socket);
    rc = rc ? rc : watch (fd, self->monitor.socket);
    struct epoll_event event = { .events = EPOLLIN };
    if (rc == 0 && self->inproc_fd >= 0 && epoll_ctl (fd, EPOLL_CTL_ADD, self->inproc_fd, &event))
        rc = error_errno ("epoll");
    if (rc) {
        close (fd);
        return rc;
    }
    return self->poll_fd = fd;
}

static int
zmq_wire_events (struct wire *wire)
{
    struct zmq_wire *self = (struct zmq_wire *) wire;
    int events = 0;
    size_t size = sizeof events;
    int rc = address_settle (self);
    if (rc)
        return rc;
    if (zmq_getsockopt (self->socket, ZMQ_EVENTS, &events, &size))
        return zmq_wire_error ("socket");
    if (address_closed (self))
        events &= ~ZMQ_POLLOUT;
    return (events & ZMQ_POLLIN || subscribe_ready (self) ? WEFT_IN : 0) | (events & ZMQ_POLLOUT ? WEFT_OUT : 0)
           | ((self->outside && monitor_ready (&self->monitor)) || inproc_ready (self) || zap_ready (self)
              ? WEFT_ERR : 0);
}

static int
zmq_wire_wait (struct wire *wire, int events, int64_t timeout)
{
    struct zmq_wire *self = (struct zmq_wire *) wire;
    int rc = address_settle (self);
    if (rc)
        return rc;
    if (address_closed (self))
        events &= ~WEFT_OUT;
    if (events & WEFT_IN && subscribe_ready (self))
        return WEFT_IN;
    zmq_pollitem_t items[] = {
        { .socket = self->socket,
          .events = (short) ((events & WEFT_IN ? ZMQ_POLLIN : 0) | (events & WEFT_OUT ? ZMQ_POLLOUT : 0)) },
        { .socket = self->monitor.socket, .events = ZMQ_POLLIN },
        { .fd = self->inproc_fd, .events = ZMQ_POLLIN },
    };
    rc = zmq_poll (items, self->inproc_fd >= 0 ? 3 : 2, to_ms (timeout));
    if (rc < 0)
        return zmq_wire_error ("wait");
    return (items[0].revents & ZMQ_POLLIN ? WEFT_IN : 0) | (items[0].revents & ZMQ_POLLOUT ? WEFT_OUT : 0)
           | (items[1].revents || (self->inproc_fd >= 0 && items[2].revents) ? WEFT_ERR : 0);
}

static int
zmq_wire_next_event (struct wire *wire, struct wire_event *event)
{
    struct zmq_wire *self = (struct zmq_wire *) wire;
    int rc = address_settle (self);
    rc = rc ? rc : zap_next (self, event);
    rc = rc ? rc : inproc_next (self, event);
    return rc || !self->outside ? rc : monitor_next (self, event);
}

#define THE_SAME \
    .context_new = zmq_wire_context_new, \
    .context_destroy = zmq_wire_context_destroy, \
    .open = zmq_wire_open, \
    .close = zmq_wire_close, \
    .bind = address_bind, \
    .connect = address_connect, \
    .disconnect = address_disconnect, \
    .subscribe = zmq_wire_subscribe, \
    .unsubscribe = zmq_wire_unsubscribe, \
    .lossy = zmq_wire_lossy, \
    .fd = zmq_wire_fd, \
    .events = zmq_wire_events, \
    .wait = zmq_wire_wait, \
    .next_event = zmq_wire_next_event

const struct wire_engine wire_zmq = { .name = "libzmq", .send = zmq_wire_send, .recv = zmq_wire_recv, THE_SAME };
const struct wire_engine wire_zmq_guarded = { .name = "libzmq", .send = zmq_wire_send, .recv = zmq_wire_recv_guarded,
                                              THE_SAME };
const struct wire_engine wire_zmq_xpub = { .name = "libzmq", .send = zmq_wire_publish, .recv = subscribe_recv,
                                                  THE_SAME };

/* ----------------------------------------------------------------- version */

const char *
wire_zmq_version (void)
{
    static _Thread_local char text[32];
    int major, minor, patch;
    zmq_version (&major, &minor, &patch);
    snprintf (text, sizeof text, "%d.%d.%d", major, minor, patch);
    return text;
}

const char *
wire_zmq_capabilities (void)
{
    static _Thread_local char text[128];
    static const char *const names[] = { "ipc", "pgm", "tipc", "norm", "curve", "gssapi", "draft" };
    text[0] = '\0';
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (zmq_has (names[i])) {
            if (text[0])
                strcat (text, " ");
            strcat (text, names[i]);
        }
    return text;
}
