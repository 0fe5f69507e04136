/*  arglist.h - the arguments of one job: strings in one piece of memory
 *
 *  Used again for job after job, so that a million of them cost no allocation. */
#ifndef WEFT_CLI_ARGLIST_H
#define WEFT_CLI_ARGLIST_H

#include "core/buffer.h"

struct arglist {
    struct buffer text;         /*  the strings, each with its NUL          */
    size_t *offsets;            /*  where each begins                       */
    unsigned *columns;          /*  which of its row each is, from 1 on     */
    unsigned column;            /*  of the last                             */
    char **values;              /*  made by arglist_values                  */
    size_t count, capacity;
};

void arglist_init (struct arglist *self);
void arglist_free (struct arglist *self);
void arglist_clear (struct arglist *self);

/*  What is added next is the first of a row: sources' values, or columns of one. */
void arglist_row (struct arglist *self);

/*  Adds a copy of `size` bytes, which hold no NUL. WEFT_ENOMEM. */
int arglist_add (struct arglist *self, const char *text, size_t size);

/*  The strings as pointers: good until the list is next changed. */
char **arglist_values (struct arglist *self);

#endif
