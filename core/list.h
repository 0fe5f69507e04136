/*  list.h - an intrusive ring: a doubly linked list that allocates nothing
 *
 *  The head and the nodes are the same struct; a node is a member of the thing that is listed, and in one list at most.
 *  A node that is zeroed is in none. `map_entry` (map.h) finds the thing. */
#ifndef WEFT_CORE_LIST_H
#define WEFT_CORE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct list {
    struct list *prev, *next;
};

/*  Makes it a head, of nothing. */
static inline void
list_init (struct list *self)
{
    self->prev = self->next = self;
}

static inline bool
list_empty (const struct list *self)
{
    return self->next == self;
}

/*  Whether the node is in a list. */
static inline bool
list_has (const struct list *node)
{
    return node->next != NULL;
}

/*  At the front, when `after` is the head. */
static inline void
list_insert (struct list *after, struct list *node)
{
    node->prev = after;
    node->next = after->next;
    after->next->prev = node;
    after->next = node;
}

static inline void
list_append (struct list *self, struct list *node)
{
    list_insert (self->prev, node);
}

/*  One that is in no list stays so. */
static inline void
list_remove (struct list *node)
{
    if (!node->next)
        return;
    node->prev->next = node->next;
    node->next->prev = node->prev;
    node->prev = node->next = NULL;
}

#endif
