/*  buffer.c - bytes that grow, up to a limit
 *
 *  What is left in front is moved down only when more was consumed than remains,
 *  so that adding and consuming cost a constant a byte, however they mix. For that the
 *  memory may reach twice the limit. */

#include "core/buffer.h"

#include <assert.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"

#define BUFFER_FIRST 256                        /*  least that is allocated           */
#define BUFFER_UNLIMITED (SIZE_MAX / 4)         /*  what no limit means, free of overflow */

void
buffer_init (struct buffer *self, size_t limit)
{
    memset (self, 0, sizeof *self);
    self->limit = limit;
}

void
buffer_free (struct buffer *self)
{
    free (self->base);
    buffer_init (self, self->limit);
}

static void
move_down (struct buffer *self)
{
    size_t size = buffer_size (self);
    if (self->head && size)
        memmove (self->base, self->base + self->head, size);
    self->head = 0;
    self->tail = size;
}

/*  Room for `size` more bytes, whatever the limit. */
static int
make_room (struct buffer *self, size_t size)
{
    if (size <= self->capacity - self->tail)
        return 0;

    size_t used = buffer_size (self);
    if (used + size <= self->capacity && self->head >= used) {
        move_down (self);
        return 0;
    }
    size_t capacity = self->capacity * 2;
    if (capacity < BUFFER_FIRST)
        capacity = BUFFER_FIRST;
    if (self->limit && capacity / 2 > self->limit)
        capacity = self->limit * 2;
    if (capacity < used + size)
        capacity = used + size;
    move_down (self);
    char *base = realloc (self->base, capacity);
    if (!base)
        return error_set (WEFT_ENOMEM, "no memory for %zu bytes", capacity);
    self->base = base;
    self->capacity = capacity;
    return 0;
}

/*  Room for `size` bytes that count, and `extra` that do not. */
static int
reserve (struct buffer *self, size_t size, size_t extra)
{
    size_t limit = self->limit ? self->limit : BUFFER_UNLIMITED;
    size_t used = buffer_size (self);
    if (size > limit || used > limit - size)
        return error_set (WEFT_ETOOBIG, "%zu bytes and %zu more are over the limit of %zu", used, size, limit);
    return make_room (self, size + extra);
}

char *
buffer_reserve (struct buffer *self, size_t size)
{
    /*  One byte more makes the pointer a valid one even for no bytes. */
    return reserve (self, size, 1) ? NULL : self->base + self->tail;
}

int
buffer_add (struct buffer *self, const void *data, size_t size)
{
    int rc = size ? reserve (self, size, 0) : 0;
    if (rc || !size)
        return rc;
    memcpy (self->base + self->tail, data, size);
    buffer_wrote (self, size);
    return 0;
}

int
buffer_add_str (struct buffer *self, const char *text)
{
    return buffer_add (self, text, strlen (text));
}

int
buffer_addf (struct buffer *self, const char *format, ...)
{
    va_list args;
    va_start (args, format);
    int size = vsnprintf (NULL, 0, format, args);
    va_end (args);
    if (size < 0)
        return error_set (WEFT_EINVAL, "text that cannot be formatted");

    size_t length = (size_t) size;
    int rc = reserve (self, length, 1);     /*  vsnprintf adds a NUL */
    if (rc)
        return rc;
    va_start (args, format);
    vsnprintf (self->base + self->tail, length + 1, format, args);
    va_end (args);
    buffer_wrote (self, length);
    return 0;
}

int
buffer_terminate (struct buffer *self)
{
    int rc = make_room (self, 1);
    if (rc)
        return rc;
    self->base[self->tail] = '\0';
    return 0;
}

void
buffer_consume (struct buffer *self, size_t size)
{
    assert (size <= buffer_size (self));
    self->head += size;
    if (self->head == self->tail)
        self->head = self->tail = 0;
}

void
buffer_clear (struct buffer *self)
{
    self->head = self->tail = 0;
}
