/*  map.c - an intrusive hash table */

#include <stdlib.h>

#include "core/error.h"
#include "core/map.h"

#define MAP_BUCKETS 16      /*  to begin with */

int
map_init (struct map *self)
{
    self->buckets = calloc (MAP_BUCKETS, sizeof *self->buckets);
    self->mask = MAP_BUCKETS - 1;
    self->count = 0;
    return self->buckets ? 0 : error_set (WEFT_ENOMEM, "out of memory");
}

void
map_free (struct map *self)
{
    free (self->buckets);
    self->buckets = NULL;
    self->count = 0;
}

static void
map_grow (struct map *self)
{
    size_t size = 2 * (self->mask + 1);
    struct map_node **buckets = calloc (size, sizeof *buckets);
    if (!buckets)
        return;
    for (size_t i = 0; i <= self->mask; i++)
        for (struct map_node *node = self->buckets[i], *next; node; node = next) {
            next = node->next;
            node->next = buckets[node->hash & (size - 1)];
            buckets[node->hash & (size - 1)] = node;
        }
    free (self->buckets);
    self->buckets = buckets;
    self->mask = size - 1;
}

void
map_add (struct map *self, struct map_node *node, uint64_t hash)
{
    if (self->count > self->mask)
        map_grow (self);
    struct map_node **bucket = &self->buckets[hash & self->mask];
    node->hash = hash;
    node->next = *bucket;
    *bucket = node;
    self->count++;
}

void
map_remove (struct map *self, struct map_node *node)
{
    for (struct map_node **link = &self->buckets[node->hash & self->mask]; *link; link = &(*link)->next)
        if (*link == node) {
            *link = node->next;
            self->count--;
            return;
        }
}

static struct map_node *
map_match (struct map_node *node, uint64_t hash)
{
    while (node && node->hash != hash)
        node = node->next;
    return node;
}

struct map_node *
map_first (const struct map *self, uint64_t hash)
{
    return map_match (self->buckets[hash & self->mask], hash);
}

struct map_node *
map_next (const struct map_node *node)
{
    return map_match (node->next, node->hash);
}

/*  The finaliser of MurmurHash3: near numbers fall far apart. */
uint64_t
hash_number (uint64_t number)
{
    number ^= number >> 33;
    number *= UINT64_C (0xff51afd7ed558ccd);
    number ^= number >> 33;
    number *= UINT64_C (0xc4ceb9fe1a85ec53);
    return number ^ number >> 33;
}

/*  FNV-1a. */
uint64_t
hash_bytes (const void *data, size_t size)
{
    const unsigned char *bytes = data;
    uint64_t hash = UINT64_C (0xcbf29ce484222325);
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ bytes[i]) * UINT64_C (0x100000001b3);
    return hash_number (hash);
}
