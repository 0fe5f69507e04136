/*  buffer.h - bytes that grow, up to a limit
 *
 *  Data sits between `head` and `tail`; it is added at the tail and consumed at
 *  the head. A limit of 0 means none (for what we make ourselves; whatever comes
 *  from outside has a limit). */

#ifndef WEFT_CORE_BUFFER_H
#define WEFT_CORE_BUFFER_H

#include <stddef.h>

#include "weft.h"

struct buffer {
    char *base;
    size_t head, tail, capacity, limit;
};

void buffer_init (struct buffer *self, size_t limit);
void buffer_free (struct buffer *self);

static inline size_t
buffer_size (const struct buffer *self)
{
    return self->tail - self->head;
}

/*  NULL, perhaps, when it is empty. */
static inline char *
buffer_data (const struct buffer *self)
{
    return self->base ? self->base + self->head : NULL;
}

/*  Room for at least `size` bytes at the tail, without counting them yet: NULL
 *  with WEFT_ENOMEM or WEFT_ETOOBIG explained. Then buffer_wrote. */
char *buffer_reserve (struct buffer *self, size_t size);

static inline void
buffer_wrote (struct buffer *self, size_t size)
{
    self->tail += size;
}

int buffer_add (struct buffer *self, const void *data, size_t size);
int buffer_add_str (struct buffer *self, const char *text);
int buffer_addf (struct buffer *self, const char *format, ...) WEFT_PRINTF (2, 3);

/*  A NUL after the last byte, not counted in the size: makes it a C string. */
int buffer_terminate (struct buffer *self);

void buffer_consume (struct buffer *self, size_t size);
void buffer_clear (struct buffer *self);

/*  Takes back what was added since it held `size` bytes. */
static inline void
buffer_cut (struct buffer *self, size_t size)
{
    self->tail = self->head + size;
}

#endif
