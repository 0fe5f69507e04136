/*  wire_mem_net.c - connections, time and faults of the engine in memory */

#include "tests/wire_mem_net.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>

#include "core/error.h"

enum { IDLE_MAX = 10000 };              /*  who waits so often for nothing waits for ever in slices */

enum fault_kind {
    FAULT_LOSE,
    FAULT_REPEAT,
    FAULT_DELAY
};

struct fault {
    LIST_ENTRY (fault) next;
    enum fault_kind kind;
    enum mem_way way;
    int count;
    int64_t delay;
    char name[ENDPOINT_MAX];            /*  "": any */
};

/*  As BSD has them: the visited element may be freed. */
#define TAILQ_FOREACH_SAFE(each, list, field, after) \
    for (each = TAILQ_FIRST (list); each && (after = TAILQ_NEXT (each, field), true); each = after)
#define LIST_FOREACH_SAFE(each, list, field, after) \
    for (each = LIST_FIRST (list); each && (after = LIST_NEXT (each, field), true); each = after)

/*  An endpoint over which no connection comes about. */
struct bar {
    LIST_ENTRY (bar) next;
    bool refuse;
    char name[ENDPOINT_MAX], text[128];
};

struct listener {
    LIST_ENTRY (listener) next;
    struct mem_wire *wire;
    char name[ENDPOINT_MAX];
};

struct timer {
    LIST_ENTRY (timer) next;
    int64_t due;
    mem_after_fn *fn;
    void *arg;
};

struct mem {
    struct clock_fake clock;
    struct mem_context own;             /*  of the wires of mem_open */
    uint64_t turns;
    int idle;                           /*  waits in a row in which nothing happened */
    int names;                          /*  given to those who bind to a name of our choice */
    TAILQ_HEAD (, mem_wire) wires;
    LIST_HEAD (, listener) listeners;
    LIST_HEAD (, fault) faults;
    LIST_HEAD (, bar) bars;
    LIST_HEAD (, timer) timers;
};

static _Thread_local struct mem *current;

static void *
allocate (size_t size)
{
    void *block = calloc (1, size);
    assert (block);
    return block;
}

static void
copy_name (char *to, const char *from)
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
    struct mem *self = allocate (sizeof *self);
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
    TAILQ_INIT (&self->items);
    self->count = 0;
}

void
queue_push (struct mem_queue *self, weft_msg_t *msg, int64_t due)
{
    struct mem_item *item = allocate (sizeof *item);
    weft_msg_init (&item->msg);
    weft_msg_move (&item->msg, msg);
    item->due = due;
    TAILQ_INSERT_TAIL (&self->items, item, next);
    self->count++;
}

bool
queue_pop (struct mem_queue *self, weft_msg_t *msg)
{
    struct mem_item *item = TAILQ_FIRST (&self->items);
    if (!item)
        return false;
    TAILQ_REMOVE (&self->items, item, next);
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

static void
wake (struct mem_wire *wire)
{
    wire->dirty = true;
    if (wire->fd >= 0)
        eventfd_write (wire->fd, 1);
}

void
net_event (struct mem_wire *wire, enum wire_event_kind kind, const char *endpoint, const char *text,
           bool incompatible)
{
    struct mem_event *event = allocate (sizeof *event);
    event->kind = kind;
    event->incompatible = incompatible;
    copy_name (event->endpoint, endpoint);
    snprintf (event->text, sizeof event->text, "%s", text);
    TAILQ_INSERT_TAIL (&wire->events, event, next);
    wake (wire);
}

/* ------------------------------------------------------------- connections */

static struct mem_end *
end_new (struct mem_wire *wire, const char *name, bool connecter)
{
    struct mem_end *self = allocate (sizeof *self);
    self->wire = wire;
    self->connecter = connecter;
    copy_name (self->name, name);
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

static struct listener *
find_listener (struct mem *self, const char *name)
{
    struct listener *listener;
    LIST_FOREACH (listener, &self->listeners, next)
        if (reaches (name, listener->name))
            return listener;
    return NULL;
}

static struct bar *
find_bar (struct mem *self, const char *name)
{
    struct bar *bar;
    LIST_FOREACH (bar, &self->bars, next)
        if (!*bar->name || strcmp (bar->name, name) == 0)
            return bar;
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
not_joined (struct mem_end *end, struct listener *listener, const struct bar *bar)
{
    if (end->told)
        return;
    end->told = true;
    if (bar && bar->refuse) {
        net_event (end->wire, WIRE_REJECTED, end->name, bar->text, false);
        if (listener)
            net_event (listener->wire, WIRE_REJECTED, listener->name, bar->text, false);
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
    struct listener *listener = find_listener (net, end->name);
    struct bar *bar = find_bar (net, end->name);
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

static void
join_all (struct mem *self)
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

static void
part (struct mem_end *end)
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
    while (end->other && (item = TAILQ_FIRST (&end->out.items))) {
        TAILQ_REMOVE (&end->out.items, item, next);
        end->out.count--;
        if (pattern_took (end->other, &item->msg))
            free (item);
        else {
            TAILQ_INSERT_TAIL (&end->other->in.items, item, next);
            end->other->in.count++;
        }
        wake (end->other->wire);
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
    struct listener *listener, *next;
    LIST_FOREACH_SAFE (listener, &self->listeners, next, next)
        if (listener->wire == wire) {
            LIST_REMOVE (listener, next);
            free (listener);
        }
    while (!TAILQ_EMPTY (&wire->ends)) {
        struct mem_end *end = TAILQ_FIRST (&wire->ends), *other = end->other;
        net_pump (self);
        if (wire->wire.options.linger)
            hand_over (end);
        if (other)
            leave (other);
        end_free (end);
    }
    TAILQ_REMOVE (&self->wires, wire, next);
    join_all (self);
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
    struct listener *listener = allocate (sizeof *listener);
    binder_name (self, endpoint, listener->name);
    if (find_listener (self, listener->name)) {
        free (listener);
        return error_set (WEFT_EADDRINUSE, "%s: somebody is bound there", endpoint->text);
    }
    listener->wire = wire;
    LIST_INSERT_HEAD (&self->listeners, listener, next);
    copy_name (wire->wire.bound, listener->name);
    if (endpoint->transport != ENDPOINT_INPROC)
        net_event (wire, WIRE_LISTENING, listener->name, "listening", false);
    join_all (self);
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
    struct listener *listener;
    int found = 0;
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
        bool connecter = end->connecter;
        found++;
        if (end->other)
            part (end);
        if (connecter)
            end_free (end);
    }
    join_all (wire->net);
    return found ? 0 : error_set (WEFT_EENDPOINT, "%s: not connected or bound there", name);
}

/* ------------------------------------------------------------------ faults */

static void
add_fault (struct mem *self, const char *endpoint, struct fault fault)
{
    struct fault *added = allocate (sizeof *added);
    *added = fault;
    copy_name (added->name, endpoint);
    LIST_INSERT_HEAD (&self->faults, added, next);
}

void
mem_lose (struct mem *self, const char *endpoint, enum mem_way way, int count)
{
    add_fault (self, endpoint, (struct fault) { .kind = FAULT_LOSE, .way = way, .count = count });
}

void
mem_repeat (struct mem *self, const char *endpoint, enum mem_way way, int count)
{
    add_fault (self, endpoint, (struct fault) { .kind = FAULT_REPEAT, .way = way, .count = count });
}

void
mem_delay (struct mem *self, const char *endpoint, enum mem_way way, int count, int64_t delay)
{
    add_fault (self, endpoint, (struct fault) { .kind = FAULT_DELAY, .way = way, .count = count, .delay = delay });
}

static void
add_bar (struct mem *self, const char *endpoint, const char *text)
{
    struct bar *bar = allocate (sizeof *bar);
    struct mem_wire *wire;
    copy_name (bar->name, endpoint);
    bar->refuse = text != NULL;
    snprintf (bar->text, sizeof bar->text, "%s", text ? text : "");
    LIST_INSERT_HEAD (&self->bars, bar, next);

    TAILQ_FOREACH (wire, &self->wires, next) {
        struct mem_end *end, *after;
        TAILQ_FOREACH_SAFE (end, &wire->ends, next, after)
            if (end->connecter && end->other && find_bar (self, end->name))
                part (end);
    }
    join_all (self);
}

void
mem_cut (struct mem *self, const char *endpoint)
{
    add_bar (self, endpoint, NULL);
}

void
mem_refuse (struct mem *self, const char *endpoint, const char *text)
{
    add_bar (self, endpoint, text);
}

void
mem_heal (struct mem *self, const char *endpoint)
{
    struct bar *bar, *after;
    LIST_FOREACH_SAFE (bar, &self->bars, next, after)
        if (!endpoint || strcmp (bar->name, endpoint) == 0) {
            LIST_REMOVE (bar, next);
            free (bar);
        }
    join_all (self);
}

/*  The number of copies that arrive; *due is moved by delays. */
static int
suffer (struct mem *self, const struct mem_end *end, int64_t *due)
{
    enum mem_way way = end->connecter ? MEM_TO_BINDER : MEM_TO_CONNECTER;
    struct fault *fault, *after;
    int copies = 1;
    LIST_FOREACH_SAFE (fault, &self->faults, next, after) {
        if (!(fault->way & way) || (*fault->name && strcmp (fault->name, end->name) != 0))
            continue;
        if (fault->kind == FAULT_LOSE)
            copies = 0;
        else if (fault->kind == FAULT_REPEAT)
            copies *= 2;
        else
            *due += fault->delay;
        if (--fault->count <= 0) {
            LIST_REMOVE (fault, next);
            free (fault);
        }
    }
    return copies;
}

void
net_send (struct mem_end *end, weft_msg_t *msg, bool control)
{
    struct mem *self = end->wire->net;
    int64_t due = self->clock.time;
    int copies = control ? 1 : suffer (self, end, &due);
    for (; copies > 1; copies--) {
        weft_msg_t copy;
        weft_msg_init (&copy);
        int rc = weft_msg_copy (&copy, msg);
        assert (rc == 0);
        queue_push (&end->out, &copy, due);
    }
    if (copies)
        queue_push (&end->out, msg, due);
    else
        weft_msg_clear (msg);
    net_pump (self);
}

/* -------------------------------------------------------------------- time */

bool
net_readable (const struct mem_end *end)
{
    struct mem_item *item = TAILQ_FIRST (&end->in.items);
    return item && item->due <= end->wire->net->clock.time;
}

static bool
pump_end (struct mem_end *end)
{
    struct mem_end *other = end->other;
    bool moved = false;
    struct mem_item *item;
    while (other && (item = TAILQ_FIRST (&end->out.items)) && item->due <= end->wire->net->clock.time) {
        int64_t hwm = other->wire->wire.options.recv_hwm;
        if (hwm && other->in.count >= (size_t) hwm)
            break;
        TAILQ_REMOVE (&end->out.items, item, next);
        end->out.count--;
        if (pattern_took (other, &item->msg))
            free (item);
        else {
            TAILQ_INSERT_TAIL (&other->in.items, item, next);
            other->in.count++;
        }
        wake (other->wire);
        wake (end->wire);
        moved = true;
    }
    return moved;
}

void
net_pump (struct mem *self)
{
    struct mem_wire *wire;
    struct mem_end *end;
    TAILQ_FOREACH (wire, &self->wires, next)
        TAILQ_FOREACH (end, &wire->ends, next)
            pump_end (end);
}

static bool
run_servers (struct mem *self)
{
    struct mem_wire *wire;
    TAILQ_FOREACH (wire, &self->wires, next)
        if (wire->serve && wire->dirty && !wire->serving) {
            wire->dirty = false;
            wire->serving = true;
            wire->serve (&wire->wire, wire->serve_arg);
            wire->serving = false;
            return true;            /*  the list may have changed */
        }
    return false;
}

static bool
run_timer (struct mem *self)
{
    struct timer *timer, *first = NULL;
    LIST_FOREACH (timer, &self->timers, next)
        if (timer->due <= self->clock.time && (!first || timer->due <= first->due))
            first = timer;
    if (!first)
        return false;
    LIST_REMOVE (first, next);
    first->fn (self, first->arg);
    free (first);
    return true;
}

static int64_t
next_in (const struct mem_queue *queue, int64_t now)
{
    struct mem_item *item = TAILQ_FIRST (&queue->items);
    return item && item->due > now ? item->due : TIME_FOREVER;
}

static int64_t
next_due (struct mem *self)
{
    int64_t due = TIME_FOREVER;
    struct mem_wire *wire;
    struct mem_end *end;
    struct timer *timer;
    LIST_FOREACH (timer, &self->timers, next)
        due = clock_earlier (due, timer->due);
    TAILQ_FOREACH (wire, &self->wires, next)
        TAILQ_FOREACH (end, &wire->ends, next) {
            due = clock_earlier (due, next_in (&end->in, self->clock.time));
            if (end->other)
                due = clock_earlier (due, next_in (&end->out, self->clock.time));
        }
    return due;
}

int
net_step (struct mem *self, int64_t deadline)
{
    net_pump (self);
    if (run_servers (self) || run_timer (self)) {
        self->idle = 0;
        return 1;
    }
    if (clock_left (&self->clock.clock, deadline) == 0)
        return 0;
    int64_t next = clock_earlier (next_due (self), deadline);
    self->idle = next == deadline ? self->idle + 1 : 0;
    if (next == TIME_FOREVER || self->idle > IDLE_MAX)
        return error_set (WEFT_ESTATE, "this would wait for ever: nothing is under way in the network");
    self->clock.time = next;
    net_pump (self);
    return 1;
}

void
mem_run (struct mem *self, int64_t time)
{
    int64_t deadline = clock_deadline (&self->clock.clock, time);
    while (net_step (self, deadline) == 1)
        ;
}

void
mem_after (struct mem *self, int64_t delay, mem_after_fn *fn, void *arg)
{
    struct timer *timer = allocate (sizeof *timer);
    *timer = (struct timer) { .due = clock_deadline (&self->clock.clock, delay), .fn = fn, .arg = arg };
    LIST_INSERT_HEAD (&self->timers, timer, next);
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
