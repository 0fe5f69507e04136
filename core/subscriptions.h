/*  subscriptions.h - the table of who subscribed to what, and what of it has changed
 *
 *  Topics, subscribers and which of them has which: no sockets and no limits. A subscriber has a topic once, however
 *  often it asks for it. Some are not known: what such have is only counted. What is to be told of all this waits,
 *  as messages, until it is taken. Belongs to one thread. */

#ifndef WEFT_CORE_SUBSCRIPTIONS_H
#define WEFT_CORE_SUBSCRIPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/map.h"

struct subscription;

/*  Its own until it leaves; a member of whatever its owner knows it by. Zeroed, it has nothing. */
struct subscriber {
    struct subscription *first;
    size_t count;               /*  topics that it has                                          */
    size_t passed_over;         /*  topics that it wanted and that nobody is told of            */
    int64_t memory;             /*  for all of these, roughly, libzmq's and ours                */
    int64_t passed_memory;      /*  for those passed over                                       */
};

struct topic {
    struct map_node node;
    size_t count;               /*  subscriptions                                               */
    size_t unknown;             /*  of them: nobody knows whose                                 */
    size_t size;
    char bytes[];
};

/*  What is to be told: 1 or 0, and the topic. */
struct change {
    struct change *next;
    size_t size;
    unsigned char bytes[];
};

struct subscriptions {
    struct map topics, pairs;
    struct change *changes, **last;
    size_t waiting;             /*  changes                                                     */
    int64_t memory;             /*  of all topics and subscribers, roughly                      */
    uint64_t seed;
    bool verbose;
};

/*  `verbose`: each subscription is told, not just the first and the last of a topic. WEFT_ENOMEM, and then
 *  subscriptions_free is still to be called; so it may be on a zeroed struct. */
int subscriptions_init (struct subscriptions *self, bool verbose);

/*  All subscribers have left. */
void subscriptions_free (struct subscriptions *self);

/*  NULL when nobody has it. Valid until something is removed. */
struct topic *subscriptions_find (const struct subscriptions *self, const void *bytes, size_t size);

/*  NULL: of one who is not known, who may have it several times. WEFT_ENOMEM. */
int subscriptions_add (struct subscriptions *self, struct subscriber *who, const void *bytes, size_t size);

/*  What `who` has not changes nothing. NULL: topic->unknown is not 0. WEFT_ENOMEM: it is removed, but not told. */
int subscriptions_remove (struct subscriptions *self, struct subscriber *who, struct topic *topic);

/*  Costs memory until `who` leaves, and nothing else. */
void subscriptions_pass_over (struct subscriptions *self, struct subscriber *who, size_t size);

/*  All that it has is removed. WEFT_ENOMEM: it is, but not all is told. */
int subscriptions_leave (struct subscriptions *self, struct subscriber *who);

/*  The first of self->changes was told. */
void subscriptions_told (struct subscriptions *self);

#endif
