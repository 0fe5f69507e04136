/*  reply.c - rep: one request at a time, and its reply; and the same for many at a time
 *
 *  Guarantee: a reply goes to whoever asked, or is counted as dropped when that one has gone. The envelope of a
 *  request, with those of the queues that it went through, is kept until then and sent back as it came. */

#include "patterns/reply.h"

#include "core/error.h"
#include "patterns/pattern.h"

#define HOPS_MAX 32             /*  frames in the envelope of a request that is taken   */

struct rep {
    bool asked;                 /*  a request was received and is not answered      */
    weft_msg_t envelope;        /*  its routing id and envelope, empty frame included */
};

static void
rep_prepare (struct weft_socket *socket, struct wire_options *options)
{
    (void) socket;
    options->mandatory = true;
}

/*  Where the body begins, or 0 when there is no envelope or no body. */
static size_t
body_of (const weft_msg_t *msg)
{
    size_t frames = weft_msg_frames (msg);
    for (size_t i = 1; i + 1 < frames && i <= HOPS_MAX; i++)
        if (weft_msg_size (msg, i) == 0)
            return i + 1;
    return 0;
}

/*  The next request; what goes before it, in `envelope`. */
static int
take (struct weft_socket *socket, weft_msg_t *msg, weft_msg_t *envelope, int64_t timeout)
{
    struct clock *clock = socket->weft->clock;
    int64_t deadline = clock_deadline (clock, timeout);
    for (;; timeout = clock_left (clock, deadline)) {
        int rc = socket_recv (socket, envelope, timeout);
        if (rc)
            return rc;
        size_t body = body_of (envelope), bytes = weft_msg_bytes (envelope);
        if (body) {
            rc = message_take (msg, envelope, body);
            counter_add (&socket->received_extra, bytes - (rc ? 0 : weft_msg_bytes (msg)));
            return rc;
        }
        counter_add (&socket->received_extra, bytes);
        counter_add (&socket->counters.refused, 1);
        weft_msg_clear (envelope);
        if (watch_first (&socket->watch, "envelope", ""))
            log_warning (&socket->weft->log, "rep: a request without an envelope was discarded: "
                         "DEALER peers have to send an empty frame before the body");
    }
}

/*  0: it has gone, or its client has; both are empty. */
static int
give (struct weft_socket *socket, weft_msg_t *msg, weft_msg_t *envelope, int64_t timeout)
{
    size_t hops = weft_msg_frames (envelope), pushed = 0;
    int rc = 0;
    while (pushed < hops && rc == 0) {
        size_t frame = hops - 1 - pushed;
        rc = weft_msg_push (msg, weft_msg_data (envelope, frame), weft_msg_size (envelope, frame));
        pushed += rc == 0;
    }
    rc = rc ? rc : socket_send (socket, msg, timeout);
    if (rc && rc != WEFT_ENOPEER) {
        weft_msg_pop (msg, pushed);
        return rc;
    }
    counter_add (&socket->sent_extra, rc ? 0 : weft_msg_bytes (envelope));
    weft_msg_clear (envelope);
    if (rc == 0)
        return 0;
    counter_add (&socket->counters.dropped, 1);
    weft_msg_clear (msg);
    if (watch_first (&socket->watch, "reply", ""))
        log_warning (&socket->weft->log, "rep: a client has gone before its reply, which is dropped");
    return 0;
}

/* ---------------------------------------------------------------------- one at a time */

static int
rep_recv (struct weft_socket *socket, weft_msg_t *msg, int64_t timeout)
{
    struct rep *self = socket->state;
    if (self->asked)
        return error_set (WEFT_ESTATE, "rep: the last request waits for its reply; send it before receiving the next");
    int rc = take (socket, msg, &self->envelope, timeout);
    self->asked = rc == 0;
    return rc;
}

static int
rep_send (struct weft_socket *socket, weft_msg_t *msg, int64_t timeout)
{
    struct rep *self = socket->state;
    if (!self->asked)
        return error_set (WEFT_ESTATE, "rep: there is no request to reply to; receive one first");
    int rc = give (socket, msg, &self->envelope, timeout);
    self->asked = rc != 0;
    return rc;
}

static int
rep_events (struct weft_socket *socket)
{
    const struct rep *self = socket->state;
    int events = wire_events (socket->wire);
    return events < 0 ? events : (self->asked ? WEFT_OUT : events & WEFT_IN) | (events & WEFT_ERR);
}

static void
rep_close (struct weft_socket *socket)
{
    struct rep *self = socket->state;
    weft_msg_clear (&self->envelope);
}

#define PATTERN_ANSWERS \
    .name = "rep", .peers = "req (REQ, DEALER or ROUTER sockets)", .peers_do = "req", \
    .type = WIRE_ROUTER, .side = ENDPOINT_BIND, .options = socket_receiver_options, .prepare = rep_prepare

const struct pattern pattern_rep = {
    PATTERN_ANSWERS,
    .state_size = sizeof (struct rep),
    .send = rep_send,
    .recv = rep_recv,
    .events = rep_events,
    .close = rep_close
};

/* ---------------------------------------------------------------------- many at a time */

int
reply_next (weft_socket_t *socket, weft_msg_t *msg, weft_msg_t *envelope)
{
    return take (socket, msg, envelope, 0);
}

int
reply_send (weft_socket_t *socket, weft_msg_t *msg, weft_msg_t *envelope)
{
    return give (socket, msg, envelope, 0);
}

/*  That there are both makes the counters count both ways. */
static int
not_here (struct weft_socket *socket, weft_msg_t *msg, int64_t timeout)
{
    (void) socket;
    (void) msg;
    (void) timeout;
    return error_set (WEFT_ENOTSUP, "many requests are taken and answered by calls of their own");
}

static const struct pattern pattern_replies = { PATTERN_ANSWERS, .send = not_here, .recv = not_here };

weft_socket_t *
reply_open (weft_t *weft)
{
    return socket_open (weft, &pattern_replies);
}
