/*  wire_mem_fault.c - what goes wrong in the engine in memory, as a test has ordered */

#include "tests/wire_mem_net.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void
add_fault (struct mem *self, const char *endpoint, struct mem_fault fault)
{
    struct mem_fault *added = mem_allocate (sizeof *added);
    *added = fault;
    mem_name (added->name, endpoint);
    LIST_INSERT_HEAD (&self->faults, added, next);
}

void
mem_lose (struct mem *self, const char *endpoint, enum mem_way way, int count)
{
    add_fault (self, endpoint, (struct mem_fault) { .kind = FAULT_LOSE, .way = way, .count = count });
}

void
mem_repeat (struct mem *self, const char *endpoint, enum mem_way way, int count)
{
    add_fault (self, endpoint, (struct mem_fault) { .kind = FAULT_REPEAT, .way = way, .count = count });
}

void
mem_delay (struct mem *self, const char *endpoint, enum mem_way way, int count, int64_t delay)
{
    add_fault (self, endpoint, (struct mem_fault) { .kind = FAULT_DELAY, .way = way, .count = count, .delay = delay });
}

struct mem_bar *
fault_bar (struct mem *self, const char *name)
{
    struct mem_bar *bar;
    LIST_FOREACH (bar, &self->bars, next)
        if (!*bar->name || strcmp (bar->name, name) == 0)
            return bar;
    return NULL;
}

static void
add_bar (struct mem *self, const char *endpoint, const char *text, bool deny)
{
    struct mem_bar *bar = mem_allocate (sizeof *bar);
    struct mem_wire *wire;
    mem_name (bar->name, endpoint);
    bar->refuse = text != NULL;
    bar->deny = deny;
    snprintf (bar->text, sizeof bar->text, "%s", text ? text : "");
    LIST_INSERT_HEAD (&self->bars, bar, next);

    TAILQ_FOREACH (wire, &self->wires, next) {
        struct mem_end *end, *after;
        TAILQ_FOREACH_SAFE (end, &wire->ends, next, after)
            if (end->connecter && end->other && fault_bar (self, end->name))
                net_part (end);
    }
    net_join_all (self);
}

void
mem_cut (struct mem *self, const char *endpoint)
{
    add_bar (self, endpoint, NULL, false);
}

void
mem_refuse (struct mem *self, const char *endpoint, const char *text)
{
    add_bar (self, endpoint, text, false);
}

void
mem_deny (struct mem *self, const char *endpoint, const char *text)
{
    add_bar (self, endpoint, text, true);
}

void
mem_heal (struct mem *self, const char *endpoint)
{
    struct mem_bar *bar, *after;
    LIST_FOREACH_SAFE (bar, &self->bars, next, after)
        if (!endpoint || strcmp (bar->name, endpoint) == 0) {
            LIST_REMOVE (bar, next);
            free (bar);
        }
    net_join_all (self);
}

/*  The number of copies that arrive; *due is moved by delays. */
static int
suffer (struct mem *self, const struct mem_end *end, int64_t *due)
{
    enum mem_way way = end->connecter ? MEM_TO_BINDER : MEM_TO_CONNECTER;
    struct mem_fault *fault, *after;
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
