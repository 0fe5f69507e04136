/*  wire_zmq.c - libzmq behind the seam: sockets and their options
 *
 *  Socket types, options and error numbers are those of zmq_socket(3) and zmq_setsockopt(3), libzmq 4.3. */

#include "core/wire_zmq.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <zmq.h>

#include "core/error.h"

enum {
    SOCKETS_MAX = 16384,        /*  libzmq's table; its default of 1023 is too few for a server */
    CONTEXT_DESCRIPTORS = 8,    /*  that a context of libzmq and its first socket take, and some */
    DESCRIPTORS_MAX = 16
};

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
    rc = rc ? rc : zmq_wire_set (self, ZMQ_LINGER, clock_poll_ms (o->linger));
    rc = rc ? rc : zmq_wire_set (self, ZMQ_RECONNECT_IVL, clock_poll_ms (o->reconnect));
    rc = rc ? rc : zmq_wire_set (self, ZMQ_RECONNECT_IVL_MAX, clock_poll_ms (o->reconnect_max));
    rc = rc ? rc : zmq_wire_set (self, ZMQ_HANDSHAKE_IVL, clock_poll_ms (o->handshake));
    rc = rc ? rc : zmq_wire_set (self, ZMQ_CONNECT_TIMEOUT, clock_poll_ms (o->connect_timeout));
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

#define SETTLE_TIME TIME_S         /*  many times what a handshake takes on a busy machine */

/*  A handshake that is under way when libzmq's socket is closed gets no answer from the actor any more, and hangs
 *  until its time is over: what was to linger would be late, or lost. So it is awaited, for a moment where there is
 *  no connection yet. */
static void
settle_handshake (struct zmq_wire *self)
{
    struct wire_event event = { .kind = WIRE_LISTENING };
    int64_t linger = self->wire.options.linger, left;
    int64_t soon = clock_deadline (clock_system (), clock_earlier (linger, SETTLE_TIME));
    int64_t late = clock_deadline (clock_system (), clock_earlier (linger, self->wire.options.handshake));
    if (!self->domain || !self->wire.counters.sent || self->wire.peers || self->wire.bound[0])
        return;
    while ((left = clock_left (clock_system (), self->monitor.count ? late : soon)) > 0) {
        zmq_pollitem_t item = { .socket = self->monitor.socket, .events = ZMQ_POLLIN };
        while (monitor_next (self, &event) > 0)
            if (event.kind != WIRE_LISTENING)
                return;
        zmq_poll (&item, 1, clock_poll_ms (left));
        self->monitor.stirred = true;
    }
}

/*  Who has sent nothing has nothing that could linger; but libzmq waits all that time for a peer whose handshake is
 *  under way. */
static void
settle_nothing_sent (struct zmq_wire *self)
{
    if (self->wire.counters.sent)
        return;
    self->wire.options.linger = 0;
    if (self->socket)
        zmq_wire_set (self, ZMQ_LINGER, 0);
}

static void
zmq_wire_close (struct wire **wire)
{
    struct zmq_wire *self = (struct zmq_wire *) *wire;
    *wire = NULL;
    settle_nothing_sent (self);
    int64_t linger = self->wire.options.linger, until = linger ? clock_deadline (clock_system (), linger) : 0;
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

/* ------------------------------------------------------------- the engines */

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

const struct wire_engine
    wire_zmq = { .name = "libzmq", .send = zmq_wire_send, .send_data = zmq_wire_send_data, .recv = zmq_wire_recv,
                 .recv_data = zmq_wire_recv_data, THE_SAME },
    wire_zmq_guarded = { .name = "libzmq", .send = zmq_wire_send, .send_data = zmq_wire_send_data,
                         .recv = zmq_wire_recv_guarded, THE_SAME },
    wire_zmq_xpub = { .name = "libzmq", .send = zmq_wire_publish, .recv = subscribe_recv, THE_SAME };

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
