/*  wire_mem_time.c - what happens when in the engine in memory: arrivals, servers and timers */

#include "tests/wire_mem_net.h"

#include <stdlib.h>

#include "core/error.h"

enum { IDLE_MAX = 10000 };              /*  who waits so often for nothing waits for ever in slices */

bool
net_readable (const struct mem_end *end)
{
    struct mem_item *item = STAILQ_FIRST (&end->in.items);
    return item && item->due <= end->wire->net->clock.time;
}

static void
pump_end (struct mem_end *end)
{
    struct mem_end *other = end->other;
    struct mem_item *item;
    while (other && (item = STAILQ_FIRST (&end->out.items)) && item->due <= end->wire->net->clock.time) {
        int64_t hwm = other->wire->wire.options.recv_hwm;
        if (hwm && other->in.count >= (size_t) hwm)
            break;
        STAILQ_REMOVE_HEAD (&end->out.items, next);
        end->out.count--;
        if (pattern_took (other, &item->msg))
            free (item);
        else {
            STAILQ_INSERT_TAIL (&other->in.items, item, next);
            other->in.count++;
        }
        net_wake (other->wire);
        net_wake (end->wire);
    }
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
    struct mem_timer *timer, *first = NULL;
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
    struct mem_item *item = STAILQ_FIRST (&queue->items);
    return item && item->due > now ? item->due : TIME_FOREVER;
}

static int64_t
next_due (struct mem *self)
{
    int64_t due = TIME_FOREVER;
    struct mem_wire *wire;
    struct mem_end *end;
    struct mem_timer *timer;
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
    struct mem_timer *timer = mem_allocate (sizeof *timer);
    *timer = (struct mem_timer) { .due = clock_deadline (&self->clock.clock, delay), .fn = fn, .arg = arg };
    LIST_INSERT_HEAD (&self->timers, timer, next);
}
