/*  fabric_order.c - in which order the parts of a fabric start and end */

#include <stdlib.h>
#include <string.h>

#include "cli/fabric_parts.h"

bool
fabric_joined (const struct fabric_endpoint *one, const struct fabric_endpoint *other)
{
    return one->side != other->side && strcmp (one->transport, other->transport) == 0
           && strcmp (one->address, other->address) == 0;
}

static bool
gives (const struct fabric_endpoint *endpoint)
{
    static const char *const kinds[] = { "req", "pub", "push", "head" };
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp (endpoint->kind, kinds[i]) == 0)
            return true;
    return false;
}

static bool
connects_to (const struct fabric_endpoint *one, const struct fabric_endpoint *other)
{
    return one->side == ENDPOINT_CONNECT && fabric_joined (one, other);
}

static bool
takes_from (const struct fabric_endpoint *one, const struct fabric_endpoint *other)
{
    return gives (other) && !gives (one) && fabric_joined (one, other);
}

static bool
works_for (const struct fabric_endpoint *one, const struct fabric_endpoint *other)
{
    return strcmp (one->kind, "worker") == 0 && strcmp (other->kind, "head") == 0 && connects_to (one, other);
}

/*  Whether an endpoint of one comes after one of the other's. */
typedef bool (after_fn) (const struct fabric_endpoint *one, const struct fabric_endpoint *other);

static bool
is_after (const struct fabric_part *one, const struct fabric_part *other, after_fn *after)
{
    for (size_t i = 0; i < one->endpoint_count; i++)
        for (size_t j = 0; j < other->endpoint_count; j++)
            if (after (&one->endpoints[i], &other->endpoints[j]))
                return true;
    return false;
}

bool
fabric_works_for (const struct fabric_part *self, const struct fabric_part *head)
{
    return is_after (self, head, works_for);
}

bool
fabric_works_inside (const struct fabric_part *self)
{
    bool works = false;
    for (size_t i = 0; i < self->endpoint_count; i++) {
        const struct fabric_endpoint *each = &self->endpoints[i];
        if (strcmp (each->kind, "worker") == 0 && strcmp (each->transport, "inproc") != 0)
            return false;
        works |= strcmp (each->kind, "worker") == 0;
    }
    return works;
}

enum visit {
    VISIT_NONE,
    VISIT_BEGUN,                /*  those before it are visited     */
    VISIT_DONE
};

struct walk {
    struct fabric_part *const *parts;
    size_t count, done;
    after_fn *after;
    enum visit *visits;
    size_t *order;              /*  where there is one  */
    unsigned *ranks;            /*  where there is one  */
};

/*  Those before it first. A circle is cut where it was entered. */
static void
visit (struct walk *self, size_t at)
{
    unsigned rank = 0;
    self->visits[at] = VISIT_BEGUN;
    for (size_t i = 0; i < self->count; i++) {
        if (i == at || !is_after (self->parts[at], self->parts[i], self->after))
            continue;
        if (self->visits[i] == VISIT_NONE)
            visit (self, i);
        if (self->ranks && self->visits[i] == VISIT_DONE && self->ranks[i] + 1 > rank)
            rank = self->ranks[i] + 1;
    }
    if (self->ranks)
        self->ranks[at] = rank;
    if (self->order)
        self->order[self->done] = at;
    self->visits[at] = VISIT_DONE;
    self->done++;
}

static void
walk (struct walk *self)
{
    enum visit visits[self->count + 1];
    memset (visits, 0, sizeof visits);
    self->visits = visits;
    for (size_t i = 0; i < self->count; i++)
        if (visits[i] == VISIT_NONE)
            visit (self, i);
}

void
fabric_start_order (struct fabric_part *const *parts, size_t count, size_t *order)
{
    struct walk self = { .parts = parts, .count = count, .after = connects_to, .order = order };
    walk (&self);
}

void
fabric_end_ranks (struct fabric_part *const *parts, size_t count, unsigned *ranks)
{
    struct walk self = { .parts = parts, .count = count, .after = takes_from, .ranks = ranks };
    memset (ranks, 0, count * sizeof *ranks);
    walk (&self);
}
