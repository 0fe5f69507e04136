/*  timers.c - deadlines in order: an intrusive heap that allocates nothing */

#include "core/timers.h"

#include <stddef.h>

#include "core/clock.h"

/*  Two heaps in one; either may be NULL. What comes back has no sibling, and nothing points to it yet. */
static struct timer *
join (struct timer *a, struct timer *b)
{
    if (!a || !b)
        return a ? a : b;
    if (b->deadline < a->deadline) {
        struct timer *later = a;
        a = b;
        b = later;
    }
    b->next = a->child;
    if (b->next)
        b->next->link = &b->next;
    b->link = &a->child;
    a->child = b;
    a->next = NULL;
    return a;
}

/*  The heap of a list of siblings: by twos, and those from the last to the first. */
static struct timer *
gather (struct timer *list)
{
    struct timer *pairs = NULL, *all = NULL;
    while (list) {
        struct timer *a = list, *b = a->next;
        list = b ? b->next : NULL;
        a->next = NULL;
        if (b)
            b->next = NULL;
        a = join (a, b);
        a->next = pairs;
        pairs = a;
    }
    while (pairs) {
        struct timer *pair = pairs;
        pairs = pair->next;
        pair->next = NULL;
        all = join (all, pair);
    }
    return all;
}

static void
put_first (struct timers *self, struct timer *first)
{
    self->first = first;
    if (first)
        first->link = &self->first;
}

static void
take_out (struct timers *self, struct timer *timer)
{
    struct timer *rest = gather (timer->child);
    *timer->link = timer->next;
    if (timer->next)
        timer->next->link = timer->link;
    bool first = timer->link == &self->first;
    timer->child = timer->next = NULL;
    timer->link = NULL;
    put_first (self, first ? rest : join (self->first, rest));
}

void
timers_set (struct timers *self, struct timer *timer, int64_t deadline)
{
    if (timer_is_set (timer)) {
        if (timer->deadline == deadline)
            return;
        take_out (self, timer);
    }
    if (deadline < 0)
        return;
    timer->deadline = deadline;
    put_first (self, join (self->first, timer));
}

int64_t
timers_next (const struct timers *self)
{
    return self->first ? self->first->deadline : TIME_FOREVER;
}

struct timer *
timers_due (struct timers *self, int64_t now)
{
    struct timer *first = self->first;
    if (!first || first->deadline > now)
        return NULL;
    take_out (self, first);
    return first;
}
