/*  wire_mem_topics.c - sets of subscriptions */

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "tests/wire_mem_net.h"

static struct mem_topic *
find (const struct mem_topics *self, const void *data, size_t size)
{
    for (size_t i = 0; i < self->count; i++)
        if (self->items[i].size == size && memcmp (self->items[i].data, data, size) == 0)
            return &self->items[i];
    return NULL;
}

bool
topics_add (struct mem_topics *self, const void *data, size_t size)
{
    struct mem_topic *topic = find (self, data, size);
    if (topic) {
        topic->count++;
        return false;
    }
    self->items = realloc (self->items, (self->count + 1) * sizeof *self->items);
    assert (self->items);
    topic = &self->items[self->count++];
    *topic = (struct mem_topic) { malloc (size + 1), size, 1 };
    assert (topic->data);
    memcpy (topic->data, data, size);
    return true;
}

bool
topics_remove (struct mem_topics *self, const void *data, size_t size)
{
    struct mem_topic *topic = find (self, data, size);
    if (!topic || --topic->count)
        return false;
    free (topic->data);
    *topic = self->items[--self->count];
    return true;
}

bool
topics_have (const struct mem_topics *self, const void *data, size_t size)
{
    return find (self, data, size) != NULL;
}

bool
topics_match (const struct mem_topics *self, const void *data, size_t size)
{
    for (size_t i = 0; i < self->count; i++)
        if (self->items[i].size <= size && memcmp (self->items[i].data, data, self->items[i].size) == 0)
            return true;
    return false;
}

void
topics_free (struct mem_topics *self)
{
    for (size_t i = 0; i < self->count; i++)
        free (self->items[i].data);
    free (self->items);
    *self = (struct mem_topics) { NULL, 0 };
}
