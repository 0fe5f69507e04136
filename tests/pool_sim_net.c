/*  pool_sim_net.c - the links of a simulated pool, and the head's end of them as an engine */

#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "tests/pool_sim.h"

struct head_wire {
    struct wire wire;           /*  first */
    struct sim *sim;
};

struct sim *sim_world;

static struct sim *
world (struct wire *wire)
{
    return ((struct head_wire *) (void *) wire)->sim;
}

void
sim_queue_init (struct sim_queue *self)
{
    self->first = NULL;
    self->last = &self->first;
}

static void
push (struct sim_queue *self, struct sim_message *message)
{
    message->next = NULL;
    *self->last = message;
    self->last = &message->next;
}

static struct sim_message *
pop (struct sim_queue *self)
{
    struct sim_message *message = self->first;
    if (!message)
        return NULL;
    self->first = message->next;
    if (!self->first)
        self->last = &self->first;
    return message;
}

void
sim_queue_clear (struct sim_queue *self)
{
    for (struct sim_message *message; (message = pop (self)); )
        free (message);
}

static void
push_copy (struct sim_queue *self, const void *data, size_t size)
{
    struct sim_message *message = malloc (sizeof *message + size);
    message->size = size;
    memcpy (message->data, data, size);
    push (self, message);
}

static void
put (struct sim_worker *worker, struct sim_queue *queue, const void *data, size_t size)
{
    struct sim *sim = worker->sim;
    if (worker->silent || sim_chance (sim, sim->faults.lose))
        return;
    push_copy (queue, data, size);
    if (sim_chance (sim, sim->faults.repeat))
        push_copy (queue, data, size);
}

static void
break_queue (struct sim *sim, struct sim_queue *queues)
{
    bool lost = sim_chance (sim, 2);
    for (struct sim_message *message; (message = pop (&queues[0])); ) {
        lost |= sim_chance (sim, 3);
        if (lost)
            free (message);
        else
            push (&queues[1], message);
    }
}

void
sim_break (struct sim_worker *worker)
{
    if (!worker->connected)
        return;
    worker->connected = false;
    worker->told_break = true;
    worker->sim->breaks++;
    break_queue (worker->sim, worker->up);
    break_queue (worker->sim, worker->down);
}

void
sim_connect (struct sim_worker *worker)
{
    worker->connected = true;
}

/*  What is late may be so late that the next session has begun. */
static struct sim_message *
take_either (struct sim *sim, struct sim_queue *queues)
{
    bool late = queues[1].first && sim_chance (sim, 4);
    return pop (&queues[late]);
}

struct sim_message *
sim_take (struct sim_worker *worker)
{
    return take_either (worker->sim, worker->down);
}

/* ---------------------------------------------------------------------- engine */

static int
sim_context_new (void **context)
{
    *context = sim_world;
    return 0;
}

static int
sim_context_destroy (void **context)
{
    *context = NULL;
    return 0;
}

static int
sim_open (void *context, enum wire_type type, const struct wire_options *options, struct wire **wire)
{
    struct head_wire *self = calloc (1, sizeof *self);
    self->wire = (struct wire) { .engine = &sim_engine, .type = type, .options = *options };
    self->sim = context;
    *wire = &self->wire;
    return 0;
}

static void
sim_close (struct wire **wire)
{
    free (*wire);
    *wire = NULL;
}

static int
sim_bind (struct wire *self, const struct endpoint *endpoint)
{
    (void) endpoint;
    strcpy (self->bound, "inproc://head");
    return 0;
}

static struct sim_worker *
find_route (struct sim *sim, const void *route, size_t size)
{
    for (int i = 0; i < SIM_WORKERS; i++) {
        struct sim_worker *worker = &sim->workers[i];
        if (worker->connected && strlen (worker->route) == size && memcmp (worker->route, route, size) == 0)
            return worker;
    }
    return NULL;
}

static int
head_send (struct sim *sim, weft_msg_t *msg)
{
    if (sim->sends_left == 0) {
        weft_msg_clear (msg);               /*  it has crashed, and does not know it yet */
        return 0;
    }
    struct sim_worker *worker = find_route (sim, weft_msg_data (msg, 0), weft_msg_size (msg, 0));
    if (!worker)
        return error_plain (WEFT_ENOPEER);
    sim->sends_left -= sim->sends_left > 0;
    put (worker, &worker->down[0], weft_msg_data (msg, 1), weft_msg_size (msg, 1));
    weft_msg_clear (msg);
    return 0;
}

static int
sim_send (struct wire *self, weft_msg_t *msg, int64_t timeout)
{
    (void) timeout;
    if (self->type == WIRE_ROUTER)
        return head_send (world (self), msg);
    struct sim_worker *worker = (struct sim_worker *) (void *) self;
    if (!worker->connected || worker->told_break)
        return error_plain (WEFT_EAGAIN);
    put (worker, &worker->up[0], weft_msg_data (msg, 0), weft_msg_size (msg, 0));
    weft_msg_clear (msg);
    return 0;
}

static int
sim_recv (struct wire *self, weft_msg_t *msg, int64_t timeout)
{
    struct sim *sim = world (self);
    uint64_t first = sim_pick (sim, SIM_WORKERS);
    (void) timeout;
    for (uint64_t i = 0; i < SIM_WORKERS; i++) {
        struct sim_worker *worker = &sim->workers[(first + i) % SIM_WORKERS];
        struct sim_message *message = take_either (sim, worker->up);
        if (!message)
            continue;
        weft_msg_clear (msg);
        int rc = weft_msg_add (msg, worker->route, strlen (worker->route));
        rc = rc ? rc : weft_msg_add (msg, message->data, message->size);
        free (message);
        return rc;
    }
    return error_plain (WEFT_EAGAIN);
}

static int
sim_fd (struct wire *self)
{
    (void) self;
    return -1;
}

static int
sim_events (struct wire *self)
{
    struct sim *sim = world (self);
    for (int i = 0; i < SIM_WORKERS; i++)
        if (sim->workers[i].up[0].first || sim->workers[i].up[1].first)
            return WEFT_IN;
    return sim->breaks ? WEFT_ERR : 0;
}

static int
sim_wait (struct wire *self, int events, int64_t timeout)
{
    (void) events;
    (void) timeout;
    return sim_events (self);
}

static int
sim_next_event (struct wire *self, struct wire_event *event)
{
    struct sim *sim = world (self);
    if (!sim->breaks)
        return 0;
    sim->breaks--;
    *event = (struct wire_event) { .kind = WIRE_DISCONNECTED, .endpoint = "", .text = "" };
    return 1;
}

const struct wire_engine sim_engine = {
    .name = "simulated",
    .context_new = sim_context_new,
    .context_destroy = sim_context_destroy,
    .open = sim_open,
    .close = sim_close,
    .bind = sim_bind,
    .send = sim_send,
    .recv = sim_recv,
    .fd = sim_fd,
    .events = sim_events,
    .wait = sim_wait,
    .next_event = sim_next_event,
};
