/*  wire_zmq_message.c - messages that go out and come in over libzmq
 *
 *  The common case, a small message of one frame, goes straight through zmq_send and zmq_msg_recv; all else is out
 *  of its way. See zmq_msg_send(3) and zmq_msg_recv(3), libzmq 4.3. */

#include "core/wire_zmq.h"

#include <errno.h>
#include <string.h>
#include <zmq.h>

#include "core/error.h"

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

/* ----------------------------------------------------------------- sending */

static OUT_OF_LINE int
set_timeout (struct zmq_wire *self, int option, int64_t *current, int64_t timeout)
{
    if (timeout == *current)
        return 0;
    *current = timeout;
    return zmq_wire_set (self, option, clock_poll_ms (timeout));
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
        do
            rc = message->count == 1 ? send_one (self, message->frames, flags) : send_frames (self, message, flags);
        while (rc == WEFT_EINTR && !timeout);
    if (rc)
        return rc == WEFT_EAGAIN && timeout ? error_plain (WEFT_ETIMEOUT) : rc;
    counter_add (&self->wire.counters.sent, 1);
    counter_add (&self->wire.counters.sent_bytes, bytes);
    message_clear (message);
    return 0;
}

/*  A call that does not wait may be interrupted by a signal all the same: then it is done again, since who said that he
 *  would not wait cannot have meant to be woken. */
static inline __attribute__ ((always_inline)) bool
again (int64_t timeout)
{
    return !timeout && zmq_errno () == EINTR;
}

static inline __attribute__ ((always_inline)) int
send_plain (struct zmq_wire *self, const void *data, size_t size, int64_t timeout)
{
    int rc;
    do
        rc = zmq_send (self->socket, data, size, timeout ? 0 : ZMQ_DONTWAIT);
    while (rc < 0 && again (timeout));
    return rc;
}

static OUT_OF_LINE int
send_failed (int64_t timeout)
{
    int rc = zmq_wire_error ("send");
    return rc == WEFT_EAGAIN && timeout ? error_plain (WEFT_ETIMEOUT) : rc;
}

/*  The common case is here: a small message, and nothing that is to be done first. */
int
zmq_wire_send (struct wire *wire, weft_msg_t *msg, int64_t timeout)
{
    struct zmq_wire *self = (struct zmq_wire *) wire;
    struct message *message = message_of (msg);
    if (!message_small (message) || !address_open (self) || (timeout && timeout != self->send_timeout))
        return send_any (self, message, timeout);
    const struct frame *frame = message->inlined;
    if (send_plain (self, frame->store.bytes, frame->size, timeout) < 0)
        return send_failed (timeout);
    counter_add (&wire->counters.sent, 1);
    counter_add (&wire->counters.sent_bytes, frame->size);
    message_reset (message);
    return 0;
}

int
zmq_wire_send_data (struct wire *wire, const void *data, size_t size, int64_t timeout)
{
    struct zmq_wire *self = (struct zmq_wire *) wire;
    if (!address_open (self) || (timeout && timeout != self->send_timeout))
        return wire_send_message (wire, data, size, timeout);
    if (send_plain (self, data, size, timeout) < 0)
        return send_failed (timeout);
    counter_add (&wire->counters.sent, 1);
    counter_add (&wire->counters.sent_bytes, size);
    return 0;
}

int
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
    counter_add (&self->wire.counters.refused, 1);
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

static inline void
count_received (struct zmq_wire *self, size_t bytes)
{
    counter_add (&self->wire.counters.received, 1);
    counter_add (&self->wire.counters.received_bytes, bytes);
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
    count_received (self, bytes);
    return 0;
}

static inline __attribute__ ((always_inline)) int
receive_frame (struct zmq_wire *self, int64_t timeout)
{
    int got;
    do
        got = zmq_msg_recv (&self->in, self->socket, timeout ? 0 : ZMQ_DONTWAIT);
    while (got < 0 && again (timeout));
    return got;
}

/*  After what is received first: its rest, and what comes after it when it is refused. */
static OUT_OF_LINE int
recv_any (struct zmq_wire *self, struct message *message, int64_t timeout, bool guarded)
{
    int rc = take_frames (self, message, guarded);
    while (rc == WEFT_ETOOBIG) {
        if (receive_frame (self, timeout) < 0)
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

/*  What is received first: the bytes of its first frame, which is in self->in. */
static inline __attribute__ ((always_inline)) int
receive_first (struct zmq_wire *self, int64_t timeout)
{
    if (self->gate == GATE_UNDECIDED || (timeout && timeout != self->recv_timeout)) {
        int rc = recv_prepare (self, timeout);
        if (rc)
            return rc == WEFT_EAGAIN && timeout ? error_plain (WEFT_ETIMEOUT) : rc;
    }
    int got = receive_frame (self, timeout);
    return got < 0 ? recv_failed (timeout) : got;
}

/*  The common case is here: a small message, and nothing that is to be done first. What is
 *  guarded is never the common case: each of its messages has to be admitted. */
static inline __attribute__ ((always_inline)) int
receive (struct wire *wire, weft_msg_t *msg, int64_t timeout, bool guarded)
{
    struct zmq_wire *self = (struct zmq_wire *) wire;
    struct message *message = message_of (msg);
    message_clear (message);
    int got = receive_first (self, timeout);
    if (got < 0)
        return got;
    if (guarded || got > self->small_max || zmq_msg_get (&self->in, ZMQ_MORE))
        return recv_any (self, message, timeout, guarded);
    struct frame *frame = message_begin_small (message, (size_t) got);
    frame_copy (frame->store.bytes, zmq_msg_data (&self->in), frame->size);
    count_received (self, frame->size);
    return 0;
}

int
zmq_wire_recv (struct wire *wire, weft_msg_t *msg, int64_t timeout)
{
    return receive (wire, msg, timeout, false);
}

int64_t
zmq_wire_recv_data (struct wire *wire, void *data, size_t room, weft_msg_t *msg, int64_t timeout)
{
    struct zmq_wire *self = (struct zmq_wire *) wire;
    message_clear (message_of (msg));
    int got = receive_first (self, timeout);
    if (got < 0)
        return got;
    size_t size = (size_t) got, limit = (size_t) wire->options.max_size;      /*  none is the largest */
    if (size > room || size > limit || zmq_msg_get (&self->in, ZMQ_MORE))
        return recv_any (self, message_of (msg), timeout, false);
    frame_copy (data, zmq_msg_data (&self->in), size);
    if (size > FRAME_INLINE) {          /*  a small one may as well wait for the next call, which frees it */
        zmq_msg_close (&self->in);
        zmq_msg_init (&self->in);
    }
    count_received (self, size);
    return got;
}

/*  Of a wire that listens with keys: the others do not pay for it. */
int
zmq_wire_recv_guarded (struct wire *wire, weft_msg_t *msg, int64_t timeout)
{
    return receive (wire, msg, timeout, true);
}
