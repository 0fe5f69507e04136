/*  requests.c - many requests under way at once on one socket */

#include "patterns/requests.h"

#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/map.h"
#include "patterns/pattern.h"
#include "patterns/pattern_envelope.h"

/*  All have the same time, so the first of the ring is the first that is due. */
struct pending {
    struct map_node node;           /*  by its id                                               */
    struct pending *next, *before;
    uint64_t id;
    int64_t deadline;
    void *arg;
};

struct requests {
    struct map map;
    struct pending ring;            /*  its head                                                */
    uint64_t id;
};

static struct requests *
state_of (const weft_socket_t *socket)
{
    return socket->state;
}

static void
requests_prepare (struct weft_socket *socket, struct wire_options *options)
{
    struct requests *self = socket->state;
    uint64_t seed = random_seed ();
    options->immediate = true;
    options->keep = true;
    self->id = random_next (&seed);
}

static int
requests_opened (struct weft_socket *socket)
{
    struct requests *self = socket->state;
    return self->map.buckets ? 0 : map_init (&self->map);
}

/* ------------------------------------------------------------------ those under way */

static struct pending *
add_pending (struct weft_socket *socket, void *arg)
{
    struct requests *self = socket->state;
    struct pending *made = calloc (1, sizeof *made);
    if (!made) {
        error_plain (WEFT_ENOMEM);
        return NULL;
    }
    if (!self->ring.next)
        self->ring.next = self->ring.before = &self->ring;
    made->id = ++self->id;
    made->arg = arg;
    made->deadline = clock_deadline (socket->weft->clock, socket->config.timeout);
    made->next = &self->ring;
    made->before = self->ring.before;
    made->before->next = made->next->before = made;
    map_add (&self->map, &made->node, hash_number (made->id));
    return made;
}

static void
remove_pending (struct requests *self, struct pending *pending)
{
    map_remove (&self->map, &pending->node);
    pending->before->next = pending->next;
    pending->next->before = pending->before;
    free (pending);
}

static struct pending *
first_pending (const struct requests *self)
{
    return self->map.count ? self->ring.next : NULL;
}

static struct pending *
find_pending (const struct requests *self, uint64_t id)
{
    for (struct map_node *node = map_first (&self->map, hash_number (id)); node; node = map_next (node)) {
        struct pending *pending = map_entry (node, struct pending, node);
        if (pending->id == id)
            return pending;
    }
    return NULL;
}

/* ------------------------------------------------------------------------- asking */

int
requests_send (weft_socket_t *socket, weft_msg_t *msg, void *arg)
{
    struct pending *pending = add_pending (socket, arg);
    if (!pending)
        return WEFT_ENOMEM;
    int rc = envelope_put (msg, &pending->id);
    if (rc == 0 && (rc = socket_send (socket, msg, 0)))
        envelope_pop (msg, true);
    if (rc)
        remove_pending (socket->state, pending);
    else
        counter_add (&socket->sent_extra, envelope_size (true));
    return rc;
}

/* ---------------------------------------------------------------------- the outcome */

/*  Whose reply it is, which is then without its envelope; NULL: nobody's, and it is counted and gone. */
static struct pending *
match (struct weft_socket *socket, weft_msg_t *msg)
{
    bool sound = envelope_is_sound (msg, true);
    struct pending *pending = sound ? find_pending (socket->state, envelope_number (msg)) : NULL;
    if (pending)
        envelope_take (socket, msg, true);
    else
        envelope_discard (socket, msg, sound, "");
    return pending;
}

static bool
is_due (const struct weft_socket *socket)
{
    const struct pending *first = first_pending (socket->state);
    return first && clock_left (socket->weft->clock, first->deadline) == 0;
}

int
requests_next (weft_socket_t *socket, weft_msg_t *msg, void **arg, int *error)
{
    struct requests *self = socket->state;
    struct pending *pending = NULL;
    *error = 0;
    while (!pending) {
        int rc = socket_recv (socket, msg, 0);
        if (rc == WEFT_EAGAIN && is_due (socket))
            break;
        if (rc)
            return rc;
        pending = match (socket, msg);
    }
    if (!pending) {
        char time[SOCKET_TIME];
        pending = first_pending (self);
        *error = error_set (WEFT_ETIMEOUT, "no reply within %s", socket_time (socket->config.timeout, time));
    }
    *arg = pending->arg;
    remove_pending (self, pending);
    return 0;
}

void
requests_abandon (weft_socket_t *socket, void (*fn) (void *arg))
{
    struct pending *pending;
    while ((pending = first_pending (socket->state))) {
        void *arg = pending->arg;
        remove_pending (socket->state, pending);
        fn (arg);
    }
}

size_t
requests_count (const weft_socket_t *socket)
{
    return socket->wire ? state_of (socket)->map.count : 0;
}

/* ----------------------------------------------------------------------- the pattern */

static int
requests_events (struct weft_socket *socket)
{
    int events = wire_events (socket->wire);
    return events < 0 ? events : events | (is_due (socket) ? WEFT_IN : 0);
}

static int64_t
requests_deadline (struct weft_socket *socket)
{
    const struct pending *first = first_pending (socket->state);
    return first ? first->deadline : TIME_FOREVER;
}

static void
requests_close (struct weft_socket *socket)
{
    struct requests *self = socket->state;
    while (first_pending (self))
        remove_pending (self, first_pending (self));
    map_free (&self->map);
}

/*  That there are both makes the counters count both ways. */
static int
not_here (struct weft_socket *socket, weft_msg_t *msg, int64_t timeout)
{
    (void) socket;
    (void) msg;
    (void) timeout;
    return error_set (WEFT_ENOTSUP, "many requests are sent and received by calls of their own");
}

static const struct pattern pattern_requests = {
    PATTERN_ASKS,
    .options = socket_no_options,
    .state_size = sizeof (struct requests),
    .prepare = requests_prepare,
    .opened = requests_opened,
    .send = not_here,
    .recv = not_here,
    .events = requests_events,
    .deadline = requests_deadline,
    .close = requests_close
};

weft_socket_t *
requests_open (weft_t *weft)
{
    return socket_open (weft, &pattern_requests);
}
