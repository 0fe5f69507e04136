/*  arglist.c - the arguments of one job: strings in one piece of memory */

#include "cli/arglist.h"

#include <stdlib.h>

#include "core/error.h"

void
arglist_init (struct arglist *self)
{
    *self = (struct arglist){ .count = 0 };
    buffer_init (&self->text, 0);
}

void
arglist_free (struct arglist *self)
{
    buffer_free (&self->text);
    free (self->offsets);
    free (self->columns);
    free (self->values);
    arglist_init (self);
}

void
arglist_clear (struct arglist *self)
{
    buffer_clear (&self->text);
    self->count = 0;
    self->column = 0;
}

void
arglist_row (struct arglist *self)
{
    self->column = 0;
}

static int
arglist_grow (struct arglist *self)
{
    size_t capacity = self->capacity ? self->capacity * 2 : 16;
    size_t *offsets = realloc (self->offsets, capacity * sizeof *offsets);
    if (offsets)
        self->offsets = offsets;
    unsigned *columns = realloc (self->columns, capacity * sizeof *columns);
    if (columns)
        self->columns = columns;
    char **values = realloc (self->values, capacity * sizeof *values);
    if (values)
        self->values = values;
    if (!offsets || !columns || !values)
        return error_set (WEFT_ENOMEM, "out of memory for %zu arguments", capacity);
    self->capacity = capacity;
    return 0;
}

int
arglist_add (struct arglist *self, const char *text, size_t size)
{
    if (self->count == self->capacity && arglist_grow (self) < 0)
        return WEFT_ENOMEM;
    size_t offset = buffer_size (&self->text);
    int rc = buffer_add (&self->text, text, size);
    if (rc == 0)
        rc = buffer_add (&self->text, "", 1);
    if (rc < 0)
        return rc;
    self->columns[self->count] = ++self->column;
    self->offsets[self->count++] = offset;
    return 0;
}

char **
arglist_values (struct arglist *self)
{
    for (size_t i = 0; i < self->count; i++)
        self->values[i] = buffer_data (&self->text) + self->offsets[i];
    return self->values;
}
