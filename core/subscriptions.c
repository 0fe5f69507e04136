/*  subscriptions.c - the table of who subscribed to what, and what of it has changed */

#include "core/subscriptions.h"

#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/error.h"

/*  Memory of each, roughly: libzmq keeps topics in a tree of about 40 bytes a character. */
enum { CHARACTER = 40, TOPIC = 400, PAIR = 200 };

/*  That a subscriber has a topic. */
struct subscription {
    struct map_node node;
    struct subscription *next, **link;      /*  of the subscriber   */
    struct subscriber *who;
    struct topic *topic;
};

int
subscriptions_init (struct subscriptions *self, bool verbose)
{
    *self = (struct subscriptions) { .verbose = verbose, .seed = random_seed () };
    self->last = &self->changes;
    return map_init (&self->topics) || map_init (&self->pairs) ? error_plain (WEFT_ENOMEM) : 0;
}

/* ----------------------------------------------------------------- telling */

static int
tell (struct subscriptions *self, bool on, const struct topic *topic)
{
    if (!self->verbose && topic->count != (on ? 1 : 0))
        return 0;
    struct change *change = malloc (sizeof *change + 1 + topic->size);
    if (!change)
        return error_plain (WEFT_ENOMEM);
    change->next = NULL;
    change->size = 1 + topic->size;
    change->bytes[0] = on;
    memcpy (change->bytes + 1, topic->bytes, topic->size);
    *self->last = change;
    self->last = &change->next;
    self->waiting++;
    return 0;
}

void
subscriptions_told (struct subscriptions *self)
{
    struct change *change = self->changes;
    self->changes = change->next;
    if (!self->changes)
        self->last = &self->changes;
    self->waiting--;
    free (change);
}

/* ------------------------------------------------------------------ topics */

static int64_t
topic_memory (size_t size)
{
    return TOPIC + CHARACTER * (int64_t) size;
}

/*  Seeded: who subscribes chooses the bytes. */
static uint64_t
hash_topic (const struct subscriptions *self, const void *topic, size_t size)
{
    const unsigned char *bytes = topic;
    uint64_t hash = self->seed;
    for (size_t i = 0; i < size; i++)
        hash = hash_number (hash ^ bytes[i]);
    return hash;
}

struct topic *
subscriptions_find (const struct subscriptions *self, const void *bytes, size_t size)
{
    for (struct map_node *node = map_first (&self->topics, hash_topic (self, bytes, size)); node;
         node = map_next (node)) {
        struct topic *topic = map_entry (node, struct topic, node);
        if (topic->size == size && memcmp (topic->bytes, bytes, size) == 0)
            return topic;
    }
    return NULL;
}

static struct topic *
find_or_make (struct subscriptions *self, const void *bytes, size_t size)
{
    struct topic *topic = subscriptions_find (self, bytes, size);
    if (topic || !(topic = calloc (1, sizeof *topic + size)))
        return topic;
    topic->size = size;
    memcpy (topic->bytes, bytes, size);
    map_add (&self->topics, &topic->node, hash_topic (self, bytes, size));
    self->memory += topic_memory (size);
    return topic;
}

static void
drop_unused (struct subscriptions *self, struct topic *topic)
{
    if (topic->count > 0)
        return;
    self->memory -= topic_memory (topic->size);
    map_remove (&self->topics, &topic->node);
    free (topic);
}

/* ----------------------------------------------------------- who has which */

static uint64_t
hash_pair (const struct topic *topic, const struct subscriber *who)
{
    return hash_number ((uintptr_t) topic ^ hash_number ((uintptr_t) who));
}

static struct subscription *
find_pair (const struct subscriptions *self, const struct topic *topic, const struct subscriber *who)
{
    for (struct map_node *node = map_first (&self->pairs, hash_pair (topic, who)); node; node = map_next (node)) {
        struct subscription *pair = map_entry (node, struct subscription, node);
        if (pair->topic == topic && pair->who == who)
            return pair;
    }
    return NULL;
}

static int
add_pair (struct subscriptions *self, struct topic *topic, struct subscriber *who)
{
    struct subscription *pair = malloc (sizeof *pair);
    if (!pair)
        return error_plain (WEFT_ENOMEM);
    *pair = (struct subscription) { .topic = topic, .who = who, .next = who->first, .link = &who->first };
    if (pair->next)
        pair->next->link = &pair->next;
    who->first = pair;
    who->count++;
    who->memory += PAIR + CHARACTER * (int64_t) topic->size;
    self->memory += PAIR;
    map_add (&self->pairs, &pair->node, hash_pair (topic, who));
    topic->count++;
    return tell (self, true, topic);
}

static int
remove_one (struct subscriptions *self, struct topic *topic)
{
    topic->count--;
    int rc = tell (self, false, topic);
    drop_unused (self, topic);
    return rc;
}

static int
remove_pair (struct subscriptions *self, struct subscription *pair)
{
    struct topic *topic = pair->topic;
    struct subscriber *who = pair->who;
    *pair->link = pair->next;
    if (pair->next)
        pair->next->link = pair->link;
    who->count--;
    who->memory -= PAIR + CHARACTER * (int64_t) topic->size;
    self->memory -= PAIR;
    map_remove (&self->pairs, &pair->node);
    free (pair);
    return remove_one (self, topic);
}

int
subscriptions_add (struct subscriptions *self, struct subscriber *who, const void *bytes, size_t size)
{
    struct topic *topic = find_or_make (self, bytes, size);
    if (!topic)
        return error_plain (WEFT_ENOMEM);
    if (!who) {
        topic->unknown++;
        topic->count++;
        return tell (self, true, topic);
    }
    int rc = find_pair (self, topic, who) ? 0 : add_pair (self, topic, who);
    drop_unused (self, topic);
    return rc;
}

int
subscriptions_remove (struct subscriptions *self, struct subscriber *who, struct topic *topic)
{
    if (!who) {
        topic->unknown--;
        return remove_one (self, topic);
    }
    struct subscription *pair = find_pair (self, topic, who);
    return pair ? remove_pair (self, pair) : 0;
}

void
subscriptions_pass_over (struct subscriptions *self, struct subscriber *who, size_t size)
{
    int64_t memory = topic_memory (size);
    who->passed_over++;
    who->passed_memory += memory;
    who->memory += memory;
    self->memory += memory;
}

int
subscriptions_leave (struct subscriptions *self, struct subscriber *who)
{
    int rc = 0;
    while (who->first) {
        int told = remove_pair (self, who->first);
        rc = rc ? rc : told;
    }
    self->memory -= who->passed_memory;
    who->memory = who->passed_memory = 0;
    who->passed_over = 0;
    return rc;
}

void
subscriptions_free (struct subscriptions *self)
{
    for (size_t i = 0; self->topics.buckets && i <= self->topics.mask; i++)
        for (struct map_node *node = self->topics.buckets[i], *next; node; node = next) {
            next = node->next;
            free (map_entry (node, struct topic, node));
        }
    while (self->changes)
        subscriptions_told (self);
    map_free (&self->topics);
    map_free (&self->pairs);
}
