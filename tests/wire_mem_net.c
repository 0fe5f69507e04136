/*  wire_mem_net.c - the network of the engine in memory: who is connected to whom */

#include "tests/wire_mem_net.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>

#include "core/error.h"

static _Thread_local struct mem *current;

void *
mem_allocate (size_t size)
{
    void *block = calloc (1, size);
    assert (block);
    return block;
}

void
mem_name (char *to, const char *from)
{
    snprintf (to, ENDPOINT_MAX, "%s", from ? from : "");
}

/* ----------------------------------------------------------------- network */

struct mem *
mem_current (void)
{
    assert (current);
    return current;
}

struct mem *
mem_new (void)
{
    struct mem *self = mem_allocate (sizeof *self);
    clock_fake_init (&self->clock, TIME_S);
    TAILQ_INIT (&self->wires);
    self->own.net = self;
    return current = self;
}

#define FREE_ALL(list) while (!LIST_EMPTY (list)) { \
    void *first = LIST_FIRST (list); \
    LIST_REMOVE (LIST_FIRST (list), next); \
    free (first); \
}

void
mem_destroy (struct mem **handle)
{
    struct mem *self = *handle;
    assert (TAILQ_EMPTY (&self->wires));
    FREE_ALL (&self->faults);
    FREE_ALL (&self->bars);
    FREE_ALL (&self->timers);
    if (current == self)
        current = NULL;
    free (self);
    *handle = NULL;
}

struct clock *
mem_clock (struct mem *self)
{
    return &self->clock.clock;
}

uint64_t
net_turn (struct mem *self)
{
    return ++self->turns;
}

/* ------------------------------------------------------------------ queues */

void
queue_init (struct mem_queue *self)
{
    STAILQ_INIT (&self->items);
    self->count = 0;
}

void
queue_push (struct mem_queue *self, weft_msg_t *msg, int64_t due)
{
    struct mem_item *item = mem_allocate (sizeof *item);
    weft_msg_init (&item->msg);
    weft_msg_move (&item->msg, msg);
    item->due = due;
    STAILQ_INSERT_TAIL (&self->items, item, next);
    self->count++;
}

bool
queue_pop (struct mem_queue *self, weft_msg_t *msg)
{
    struct mem_item *item = STAILQ_FIRST (&self->items);
    if (!item)
        return false;
    STAILQ_REMOVE_HEAD (&self->items, next);
    self->count--;
    weft_msg_move (msg, &item->msg);
    free (item);
    return true;
}

void
queue_free (struct mem_queue *self)
{
    weft_msg_t msg;
    weft_msg_init (&msg);
    while (queue_pop (self, &msg))
        weft_msg_clear (&msg);
}

/* ------------------------------------------------------------------ events */

void
net_wake (struct mem_wire *wire)
{
    wire->dirty = true;
    if (wire->fd >= 0)
        eventfd_write (wire->fd, 1);
}

struct mem_event *
net_event (struct mem_wire *wire, enum wire_event_kind kind, const char *endpoint, const char *text,
           bool incompatible)
{
    struct mem_event *event = mem_allocate (sizeof *event);
    event->kind = kind;
    event->incompatible = incompatible;
    mem_name (event->endpoint, endpoint);
    snprintf (event->text, sizeof event->text, "%s", text);
    STAILQ_INSERT_TAIL (&wire->events, event, next);
    net_wake (wire);
    return event;
}

/* ------------------------------------------------------------- connections */

static struct mem_end *
end_new (struct mem_wire *wire, const char *name, bool connecter)
{
    struct mem_end *self = mem_allocate (sizeof *self);
    self->wire = wire;
    self->connecter = connecter;
    mem_name (self->name, name);
    queue_init (&self->in);
    queue_init (&self->out);
    TAILQ_INSERT_TAIL (&wire->ends, self, next);
    return self;
}

static void
end_free (struct mem_end *self)
{
    TAILQ_REMOVE (&self->wire->ends, self, next);
    queue_free (&self->in);
    queue_free (&self->out);
    topics_free (&self->topics);
    free (self);
}

/*  "tcp://127.0.0.1:5" reaches a listener at "tcp://0.0.0.0:5". */
static bool
reaches (const char *name, const char *listener)
{
    static const char any[] = "tcp://0.0.0.0:";
    const char *port = strrchr (name, ':');
    return strcmp (name, listener) == 0
           || (strncmp (name, "tcp:", 4) == 0 && strncmp (listener, any, sizeof any - 1) == 0
               && strcmp (port + 1, listener + sizeof any - 1) == 0);
}

static struct mem_listener *
find_listener (struct mem *self, const char *name)
{
    struct mem_listener *listener;
    LIST_FOREACH (listener, &self->listeners, next)
        if (reaches (name, listener->name))
            return listener;
    return NULL;
}

static bool
compatible (enum wire_type a, enum wire_type b)
{
    static const unsigned fits[WIRE_TYPES] = {
        [WIRE_PAIR] = 1 << WIRE_PAIR,
        [WIRE_DEALER] = 1 << WIRE_DEALER | 1 << WIRE_ROUTER,
        [WIRE_ROUTER] = 1 << WIRE_DEALER | 1 << WIRE_ROUTER,
        [WIRE_XPUB] = 1 << WIRE_XSUB | 1 << WIRE_SUB,
        [WIRE_XSUB] = 1 << WIRE_XPUB,
        [WIRE_SUB] = 1 << WIRE_XPUB,
        [WIRE_PUSH] = 1 << WIRE_PULL,
        [WIRE_PULL] = 1 << WIRE_PUSH,
    };
    return fits[a] >> b & 1;
}

/*  Why a connection does not come about is told once, until something changes. */
static void
not_joined (struct mem_end *end, struct mem_listener *listener, const struct mem_bar *bar)
{
    if (end->told)
        return;
    end->told = true;
    if (bar && bar->refuse) {
        net_event (end->wire, WIRE_REJECTED, end->name, bar->text, false)->denied = bar->deny;
        if (listener)
            net_event (listener->wire, WIRE_REJECTED, listener->name, bar->text, false)->denied = bar->deny;
    } else if (listener && !bar) {
        net_event (end->wire, WIRE_REJECTED, end->name, "the peer is of a type that does not fit", true);
        net_event (listener->wire, WIRE_REJECTED, listener->name, "the peer is of a type that does not fit", true);
    } else if (strncmp (end->name, "inproc:", 7) != 0)
        net_event (end->wire, WIRE_RETRYING, end->name, "nobody listens there", false);
}

static void
join (struct mem_end *end)
{
    struct mem *net = end->wire->net;
    struct mem_listener *listener = find_listener (net, end->name);
    struct mem_bar *bar = fault_bar (net, end->name);
    assert (!listener || listener->wire != end->wire);      /*  nobody connects to itself here */
    if (!listener || bar || !compatible (end->wire->wire.type, listener->wire->wire.type)) {
        not_joined (end, listener, bar);
        return;
    }
    struct mem_end *other = end_new (listener->wire, listener->name, false);
    end->other = other;
    other->other = end;
    end->told = false;
    net_event (listener->wire, WIRE_CONNECTED, listener->name, "a peer has come", false);
    net_event (end->wire, WIRE_CONNECTED, end->name, "connected", false);
    pattern_joined (other);
    pattern_joined (end);
}

void
net_join_all (struct mem *self)
{
    struct mem_wire *wire;
    struct mem_end *end;
    TAILQ_FOREACH (wire, &self->wires, next)
        TAILQ_FOREACH (end, &wire->ends, next)
            if (end->connecter && !end->other)
                join (end);
}

void
net_read_out (struct mem_end *end)
{
    if (!end->connecter && !end->other && !end->in.count)
        end_free (end);
}

static void
leave (struct mem_end *end)
{
    end->other = NULL;
    queue_free (&end->out);
    net_event (end->wire, WIRE_DISCONNECTED, end->name, "the peer has gone", false);
    pattern_left (end);
    net_read_out (end);
}

void
net_part (struct mem_end *end)
{
    struct mem_end *other = end->other;
    net_pump (end->wire->net);
    leave (end);
    leave (other);
}

/*  A wire that closes and may linger hands over all that it sent. */
static void
hand_over (struct mem_end *end)
{
    struct mem_item *item;
    if (end->out.count && !end->other)
        end->wire->context->undelivered = true;
    while (end->other && (item = STAILQ_FIRST (&end->out.items))) {
        STAILQ_REMOVE_HEAD (&end->out.items, next);
        end->out.count--;
        if (pattern_took (end->other, &item->msg))
            free (item);
        else {
            STAILQ_INSERT_TAIL (&end->other->in.items, item, next);
            end->other->in.count++;
        }
        net_wake (end->other->wire);
    }
}

void
net_add (struct mem *self, struct mem_wire *wire)
{
    TAILQ_INSERT_TAIL (&self->wires, wire, next);
}

void
net_remove (struct mem *self, struct mem_wire *wire)
{
    struct mem_listener *listener, *next;
    LIST_FOREACH_SAFE (listener, &self->listeners, next, next)
        if (listener->wire == wire) {
            LIST_REMOVE (listener, next);
            free (listener);
        }
    net_pump (self);
    struct mem_end *end, *after;
    TAILQ_FOREACH_SAFE (end, &wire->ends, next, after) {
        struct mem_end *other = end->other;
        if (wire->wire.options.linger)
            hand_over (end);
        if (other)
            leave (other);
        end_free (end);
    }
    TAILQ_REMOVE (&self->wires, wire, next);
    net_join_all (self);
}

static int
binder_name (struct mem *self, const struct endpoint *endpoint, char *name)
{
    bool any = endpoint->transport == ENDPOINT_TCP && strcmp (endpoint->host, "*") == 0;
    if (endpoint->transport == ENDPOINT_TCP) {
        const char *host = any ? "0.0.0.0" : endpoint->wire + strlen ("tcp://");
        int length = any ? 7 : (int) (strrchr (host, ':') - host);
        int port = endpoint->port ? endpoint->port : 49152 + self->names++;
        return snprintf (name, ENDPOINT_MAX, "tcp://%.*s:%d", length, host, port);
    }
    if (endpoint->transport == ENDPOINT_IPC && strcmp (endpoint->path, "*") == 0)
        return snprintf (name, ENDPOINT_MAX, "ipc:///tmp/mem-%d", self->names++);
    return snprintf (name, ENDPOINT_MAX, "%s", endpoint->wire);
}

int
net_bind (struct mem_wire *wire, const struct endpoint *endpoint)
{
    struct mem *self = wire->net;
    struct mem_listener *listener = mem_allocate (sizeof *listener);
    binder_name (self, endpoint, listener->name);
    if (find_listener (self, listener->name)) {
        free (listener);
        return error_set (WEFT_EADDRINUSE, "%s: somebody is bound there", endpoint->text);
    }
    listener->wire = wire;
    LIST_INSERT_HEAD (&self->listeners, listener, next);
    mem_name (wire->wire.bound, listener->name);
    if (endpoint->transport != ENDPOINT_INPROC)
        net_event (wire, WIRE_LISTENING, listener->name, "listening", false);
    net_join_all (self);
    return 0;
}

void
net_connect (struct mem_wire *wire, const char *name)
{
    const char *target = strrchr (name, ';');       /*  a source address makes no difference */
    char plain[ENDPOINT_MAX];
    snprintf (plain, sizeof plain, "%s%s", target ? "tcp://" : "", target ? target + 1 : name);
    join (end_new (wire, plain, true));
}

int
net_disconnect (struct mem_wire *wire, const char *name)
{
    struct mem_end *end, *after;
    struct mem_listener *listener;
    int found = 0;
    net_pump (wire->net);
    LIST_FOREACH (listener, &wire->net->listeners, next)
        if (listener->wire == wire && strcmp (listener->name, name) == 0)
            break;
    if (listener) {
        LIST_REMOVE (listener, next);
        free (listener);
        found++;
    }
    TAILQ_FOREACH_SAFE (end, &wire->ends, next, after) {
        if (strcmp (end->name, name) != 0)
            continue;
        found++;
        if (end->other && !end->connecter)
            net_part (end);
        else if (end->connecter) {
            if (end->other) {
                leave (end->other);
                net_event (wire, WIRE_DISCONNECTED, name, "disconnected", false);
            }
            end_free (end);
        }
    }
    net_join_all (wire->net);
    return found ? 0 : error_set (WEFT_EENDPOINT, "%s: not connected or bound there", name);
}

struct wire *
mem_open (struct mem *self, enum wire_type type, const char *endpoints)
{
    struct wire_options options;
    struct wire *wire;
    struct endpoint endpoint;
    int rc;
    wire_options_init (&options);
    rc = wire_mem.open (&self->own, type, &options, &wire);
    while (rc == 0 && (rc = endpoint_next (&endpoints, ENDPOINT_BIND, &endpoint)) == 1)
        rc = wire_attach (wire, &endpoint);
    if (rc) {
        fprintf (stderr, "mem_open: %s\n", weft_error ());
        abort ();
    }
    return wire;
}
