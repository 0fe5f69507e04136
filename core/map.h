/*  map.h - an intrusive hash table
 *
 *  A node is a member of the thing that is kept; the table owns nothing but its
 *  buckets. Nodes of equal hash come one after another, and the caller tells
 *  them apart. Grows with what is in it; a table whose growth fails goes on,
 *  slower. */

#ifndef WEFT_CORE_MAP_H
#define WEFT_CORE_MAP_H

#include <stddef.h>
#include <stdint.h>

struct map_node {
    struct map_node *next;
    uint64_t hash;
};

struct map {
    struct map_node **buckets;
    size_t mask;                /*  buckets - 1; their number is a power of 2   */
    size_t count;
};

/*  The thing that a node is a member of. */
#define map_entry(node, type, member) ((type *) (void *) ((char *) (node) - offsetof (type, member)))

/*  WEFT_ENOMEM. */
int map_init (struct map *self);
void map_free (struct map *self);

void map_add (struct map *self, struct map_node *node, uint64_t hash);
void map_remove (struct map *self, struct map_node *node);

/*  The first node of that hash, and the one after; NULL for none. */
struct map_node *map_first (const struct map *self, uint64_t hash);
struct map_node *map_next (const struct map_node *node);

uint64_t hash_number (uint64_t number);
uint64_t hash_bytes (const void *data, size_t size);

#endif
