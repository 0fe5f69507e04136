/*  wire_mem.c - the engine in memory: sockets with their patterns' rules */

#include "tests/wire_mem.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "core/error.h"
#include "tests/wire_mem_net.h"

static struct mem_wire *
mem_of (struct wire *wire)
{
    return (struct mem_wire *) wire;
}

/* --------------------------------------------------- context, open and close */

static int
mem_context_new (void **context)
{
    struct mem_context *self = calloc (1, sizeof *self);
    if (!self)
        return error_plain (WEFT_ENOMEM);
    self->net = mem_current ();
    *context = self;
    return 0;
}

static int
mem_context_destroy (void **context)
{
    struct mem_context *self = *context;
    bool undelivered = self->undelivered;
    free (self);
    *context = NULL;
    return undelivered ? error_set (WEFT_ETIMEOUT, "messages were still undelivered when the linger ran out") : 0;
}

static int
mem_wire_open (void *context, enum wire_type type, const struct wire_options *options, struct wire **wire)
{
    struct mem_wire *self = calloc (1, sizeof *self);
    if (!self)
        return error_plain (WEFT_ENOMEM);
    self->wire = (struct wire) { .engine = &wire_mem, .type = type, .options = *options };
    self->context = context;
    self->net = self->context->net;
    self->fd = -1;
    TAILQ_INIT (&self->ends);
    STAILQ_INIT (&self->events);
    queue_init (&self->local);
    net_add (self->net, self);
    *wire = &self->wire;
    return 0;
}

static void
mem_wire_close (struct wire **wire)
{
    struct mem_wire *self = mem_of (*wire);
    struct mem_event *event;
    *wire = NULL;
    net_remove (self->net, self);
    while ((event = STAILQ_FIRST (&self->events))) {
        STAILQ_REMOVE_HEAD (&self->events, next);
        free (event);
    }
    queue_free (&self->local);
    topics_free (&self->topics);
    if (self->fd >= 0)
        close (self->fd);
    free (self);
}

static int
mem_wire_bind (struct wire *wire, const struct endpoint *endpoint)
{
    return net_bind (mem_of (wire), endpoint);
}

static int
mem_wire_connect (struct wire *wire, const struct endpoint *endpoint)
{
    net_connect (mem_of (wire), endpoint->wire);
    return 0;
}

static int
mem_wire_disconnect (struct wire *wire, const struct endpoint *endpoint)
{
    return net_disconnect (mem_of (wire), endpoint->wire);
}

/* ----------------------------------------------------------- subscriptions */

static void
make_subscription (weft_msg_t *msg, bool add, const void *topic, size_t size)
{
    weft_msg_init (msg);
    unsigned char *frame = weft_msg_reserve (msg, size + 1);
    assert (frame);
    frame[0] = add;
    memcpy (frame + 1, topic, size);
}

static void
send_subscription (struct mem_end *end, bool add, const void *topic, size_t size)
{
    weft_msg_t msg;
    if (!end->other)
        return;
    make_subscription (&msg, add, topic, size);
    net_send (end, &msg, true);
}

/*  SUB, XSUB: peers hear of the first of a kind, and when the last has gone. */
static void
change_topics (struct mem_wire *self, bool add, const void *topic, size_t size)
{
    struct mem_end *end;
    if (add ? topics_add (&self->topics, topic, size) : topics_remove (&self->topics, topic, size))
        TAILQ_FOREACH (end, &self->ends, next)
            send_subscription (end, add, topic, size);
}

static int
mem_wire_subscribe (struct wire *wire, const void *topic, size_t size)
{
    if (wire->type != WIRE_SUB)
        return error_set (WEFT_ENOTSUP, "only a SUB subscribes by call");
    change_topics (mem_of (wire), true, topic, size);
    return 0;
}

static int
mem_wire_unsubscribe (struct wire *wire, const void *topic, size_t size)
{
    if (wire->type != WIRE_SUB)
        return error_set (WEFT_ENOTSUP, "only a SUB subscribes by call");
    change_topics (mem_of (wire), false, topic, size);
    return 0;
}

/*  XPUB: the application hears of what changes the whole, or of all when verbose. */
static void
pass_on (struct mem_wire *self, const struct mem_end *from, bool add, const void *topic, size_t size)
{
    struct mem_end *end;
    weft_msg_t msg;
    TAILQ_FOREACH (end, &self->ends, next)
        if (end != from && !self->wire.options.verbose && topics_have (&end->topics, topic, size))
            return;
    make_subscription (&msg, add, topic, size);
    queue_push (&self->local, &msg, 0);
}

bool
pattern_took (struct mem_end *end, weft_msg_t *msg)
{
    struct mem_wire *self = end->wire;
    if (self->wire.type != WIRE_XPUB)
        return false;
    const unsigned char *frame = weft_msg_data (msg, 0);
    size_t size = weft_msg_size (msg, 0);
    if (size && frame[0] <= 1) {
        bool changed = frame[0] ? topics_add (&end->topics, frame + 1, size - 1)
                       : topics_remove (&end->topics, frame + 1, size - 1);
        if (changed || self->wire.options.verbose)
            pass_on (self, end, frame[0], frame + 1, size - 1);
    } else
        queue_push (&self->local, msg, 0);
    weft_msg_clear (msg);
    return true;
}

void
pattern_left (struct mem_end *end)
{
    for (size_t i = 0; i < end->topics.count; i++)
        pass_on (end->wire, end, false, end->topics.items[i].data, end->topics.items[i].size);
    topics_free (&end->topics);
}

/* ----------------------------------------------------------------- routing */

static struct mem_end *
find_id (struct mem_wire *self, const void *id, size_t size)
{
    struct mem_end *end;
    TAILQ_FOREACH (end, &self->ends, next)
        if (end->other && end->id_size && end->id_size == size && memcmp (end->id, id, size) == 0)
            return end;
    return NULL;
}

/*  ROUTER: a peer is called what it announces, or by five bytes that begin with 0. */
static void
name_peer (struct mem_end *end)
{
    const char *identity = end->other->wire->wire.options.identity;
    size_t size = strlen (identity);
    struct mem_end *old = size ? find_id (end->wire, identity, size) : NULL;
    if (old && !end->wire->wire.options.handover)
        return;                         /*  the name is taken: the newcomer is not heard */
    if (old)
        old->id_size = 0;
    if (size)
        memcpy (end->id, identity, size);
    else {
        uint32_t number = (uint32_t) net_turn (end->wire->net);
        memcpy (end->id + 1, &number, sizeof number);
        size = 1 + sizeof number;
    }
    end->id_size = size;
}

void
pattern_joined (struct mem_end *end)
{
    enum wire_type type = end->wire->wire.type;
    const struct mem_topics *topics = &end->wire->topics;
    if (type == WIRE_ROUTER)
        name_peer (end);
    if (type == WIRE_SUB || type == WIRE_XSUB)
        for (size_t i = 0; i < topics->count; i++)
            send_subscription (end, true, topics->items[i].data, topics->items[i].size);
}

static bool
has_room (const struct mem_end *end)
{
    int64_t hwm = end->wire->wire.options.send_hwm;
    return !hwm || end->out.count < (size_t) hwm;
}

/*  Whose turn it is among those that can take a message; NULL: nobody. */
static struct mem_end *
next_writable (struct mem_wire *self)
{
    struct mem_end *end, *best = NULL;
    TAILQ_FOREACH (end, &self->ends, next) {
        bool there = end->other || (end->connecter && !self->wire.options.immediate);
        if (there && has_room (end) && (!best || end->write_turn < best->write_turn))
            best = end;
    }
    return best;
}

static struct mem_end *
next_readable (struct mem_wire *self)
{
    struct mem_end *end, *best = NULL;
    TAILQ_FOREACH (end, &self->ends, next)
        if (net_readable (end) && (!best || end->read_turn < best->read_turn))
            best = end;
    return best;
}

/* ----------------------------------------------------------------- sending */

static int
send_to_next (struct mem_wire *self, weft_msg_t *msg)
{
    struct mem_end *end = next_writable (self);
    if (!end)
        return error_plain (WEFT_EAGAIN);
    end->write_turn = net_turn (self->net);
    net_send (end, msg, false);
    return 0;
}

static int
send_to_id (struct mem_wire *self, weft_msg_t *msg)
{
    struct mem_end *end = find_id (self, weft_msg_data (msg, 0), weft_msg_size (msg, 0));
    if (self->wire.options.mandatory && !end)
        return error_plain (WEFT_ENOPEER);
    if (self->wire.options.mandatory && !has_room (end))
        return error_plain (WEFT_EAGAIN);
    weft_msg_pop (msg, 1);
    if (end && has_room (end) && weft_msg_frames (msg))
        net_send (end, msg, false);
    weft_msg_clear (msg);
    return 0;
}

static void
send_copy (struct mem_end *end, const weft_msg_t *msg)
{
    weft_msg_t copy;
    weft_msg_init (&copy);
    int rc = weft_msg_copy (&copy, msg);
    assert (rc == 0);
    net_send (end, &copy, false);
}

static int
send_to_subscribers (struct mem_wire *self, weft_msg_t *msg)
{
    const void *topic = weft_msg_data (msg, 0);
    size_t size = weft_msg_size (msg, 0);
    struct mem_end *end;
    if (self->wire.options.lossless && !self->lossy)
        TAILQ_FOREACH (end, &self->ends, next)
            if (end->other && topics_match (&end->topics, topic, size) && !has_room (end))
                return error_plain (WEFT_EAGAIN);
    TAILQ_FOREACH (end, &self->ends, next)
        if (end->other && topics_match (&end->topics, topic, size) && has_room (end))
            send_copy (end, msg);
    weft_msg_clear (msg);
    return 0;
}

/*  XSUB: subscriptions, or messages for every publisher. */
static int
send_to_publishers (struct mem_wire *self, weft_msg_t *msg)
{
    const unsigned char *frame = weft_msg_data (msg, 0);
    size_t size = weft_msg_size (msg, 0);
    struct mem_end *end;
    if (size && frame[0] <= 1)
        change_topics (self, frame[0], frame + 1, size - 1);
    else
        TAILQ_FOREACH (end, &self->ends, next)
            if (end->other && has_room (end))
                send_copy (end, msg);
    weft_msg_clear (msg);
    return 0;
}

static int
send_now (struct mem_wire *self, weft_msg_t *msg)
{
    switch (self->wire.type) {
    case WIRE_PAIR:
    case WIRE_DEALER:
    case WIRE_PUSH:
        return send_to_next (self, msg);
    case WIRE_ROUTER:
        return send_to_id (self, msg);
    case WIRE_XPUB:
        return send_to_subscribers (self, msg);
    case WIRE_XSUB:
        return send_to_publishers (self, msg);
    default:
        return error_set (WEFT_ENOTSUP, "a %s does not send", wire_type_name (self->wire.type));
    }
}

static int
mem_wire_send (struct wire *wire, weft_msg_t *msg, int64_t timeout)
{
    struct mem_wire *self = mem_of (wire);
    int64_t deadline = clock_deadline (mem_clock (self->net), timeout);
    size_t bytes = weft_msg_bytes (msg);
    if (!weft_msg_frames (msg))
        return error_set (WEFT_EINVAL, "a message without frames cannot be sent");
    for (;;) {
        net_pump (self->net);
        int rc = send_now (self, msg);
        if (rc == 0) {
            wire->counters.sent++;
            wire->counters.sent_bytes += bytes;
        }
        if (rc != WEFT_EAGAIN || timeout == 0)
            return rc;
        rc = net_step (self->net, deadline);
        if (rc <= 0)
            return rc ? rc : error_plain (WEFT_ETIMEOUT);
    }
}

/* --------------------------------------------------------------- receiving */

/*  The next message by the pattern's rules; false: none. To a ROUTER the sender's name goes in
 *  front, and a sender without one is not heard. */
static bool
take (struct mem_wire *self, weft_msg_t *msg)
{
    struct mem_end *end;
    if (self->wire.type == WIRE_XPUB)
        return queue_pop (&self->local, msg);
    while ((end = next_readable (self))) {
        end->read_turn = net_turn (self->net);
        queue_pop (&end->in, msg);
        net_pump (self->net);
        bool heard = self->wire.type != WIRE_ROUTER || end->id_size;
        if (self->wire.type == WIRE_ROUTER && heard && weft_msg_push (msg, end->id, end->id_size))
            abort ();
        net_read_out (end);
        if (heard)
            return true;
    }
    return false;
}

static bool
acceptable (struct mem_wire *self, const weft_msg_t *msg)
{
    int64_t limit = self->wire.options.max_size;
    if (self->wire.type == WIRE_SUB && !topics_match (&self->topics, weft_msg_data (msg, 0), weft_msg_size (msg, 0)))
        return false;
    bool fits = limit < 0 || weft_msg_bytes (msg) <= (size_t) limit;
    self->wire.counters.refused += !fits;
    return fits;
}

static int
mem_wire_recv (struct wire *wire, weft_msg_t *msg, int64_t timeout)
{
    struct mem_wire *self = mem_of (wire);
    int64_t deadline = clock_deadline (mem_clock (self->net), timeout);
    weft_msg_clear (msg);
    for (;;) {
        net_pump (self->net);
        while (take (self, msg)) {
            if (acceptable (self, msg)) {
                wire->counters.received++;
                wire->counters.received_bytes += weft_msg_bytes (msg);
                return 0;
            }
            weft_msg_clear (msg);
        }
        if (timeout == 0)
            return error_plain (WEFT_EAGAIN);
        int rc = net_step (self->net, deadline);
        if (rc <= 0)
            return rc ? rc : error_plain (WEFT_ETIMEOUT);
    }
}

static int
mem_wire_lossy (struct wire *wire, bool lossy)
{
    mem_of (wire)->lossy = lossy;
    return 0;
}

/* ----------------------------------------------------------------- waiting */

static int
events_now (struct mem_wire *self)
{
    enum wire_type type = self->wire.type;
    bool out = type == WIRE_ROUTER || type == WIRE_XPUB || type == WIRE_XSUB
               || (type != WIRE_PULL && type != WIRE_SUB && next_writable (self));
    bool in = type == WIRE_XPUB ? self->local.count > 0 : next_readable (self) != NULL;
    return (in ? WEFT_IN : 0) | (out ? WEFT_OUT : 0) | (STAILQ_EMPTY (&self->events) ? 0 : WEFT_ERR);
}

static int
mem_wire_events (struct wire *wire)
{
    struct mem_wire *self = mem_of (wire);
    eventfd_t count;
    net_pump (self->net);
    if (self->fd >= 0)
        eventfd_read (self->fd, &count);
    return events_now (self);
}

static int
mem_wire_fd (struct wire *wire)
{
    struct mem_wire *self = mem_of (wire);
    if (self->fd < 0) {
        self->fd = eventfd (1, EFD_CLOEXEC | EFD_NONBLOCK);
        if (self->fd < 0)
            return error_errno ("eventfd");
    }
    return self->fd;
}

static int
mem_wire_wait (struct wire *wire, int events, int64_t timeout)
{
    struct mem_wire *self = mem_of (wire);
    int64_t deadline = clock_deadline (mem_clock (self->net), timeout);
    for (;;) {
        net_pump (self->net);
        int ready = events_now (self) & (events | WEFT_ERR);
        if (ready)
            return ready;
        int rc = net_step (self->net, deadline);
        if (rc <= 0)
            return rc;
    }
}

static int
mem_wire_next_event (struct wire *wire, struct wire_event *event)
{
    struct mem_wire *self = mem_of (wire);
    net_pump (self->net);
    struct mem_event *first = STAILQ_FIRST (&self->events);
    if (!first)
        return 0;
    STAILQ_REMOVE_HEAD (&self->events, next);
    self->told = *first;
    free (first);
    *event = (struct wire_event) { self->told.kind, self->told.endpoint, self->told.text, self->told.incompatible,
                                   self->told.denied };
    return 1;
}

const struct wire_engine wire_mem = {
    .name = "memory",
    .context_new = mem_context_new,
    .context_destroy = mem_context_destroy,
    .open = mem_wire_open,
    .close = mem_wire_close,
    .bind = mem_wire_bind,
    .connect = mem_wire_connect,
    .disconnect = mem_wire_disconnect,
    .send = mem_wire_send,
    .recv = mem_wire_recv,
    .subscribe = mem_wire_subscribe,
    .unsubscribe = mem_wire_unsubscribe,
    .lossy = mem_wire_lossy,
    .fd = mem_wire_fd,
    .events = mem_wire_events,
    .wait = mem_wire_wait,
    .next_event = mem_wire_next_event,
};

/* --------------------------------------------------------------- for tests */

void
mem_serve (struct wire *wire, mem_serve_fn *fn, void *arg)
{
    struct mem_wire *self = mem_of (wire);
    self->serve = fn;
    self->serve_arg = arg;
    self->dirty = true;
}

void
mem_echo (struct wire *wire, void *arg)
{
    weft_msg_t msg;
    (void) arg;
    weft_msg_init (&msg);
    while (wire_recv (wire, &msg, 0) == 0 && wire_send (wire, &msg, 0) == 0)
        ;
    weft_msg_clear (&msg);
}
