/*  shuffle.h - rows of texts, gathered and then given out in random order */
#ifndef WEFT_CLI_SHUFFLE_H
#define WEFT_CLI_SHUFFLE_H

#include <stdbool.h>
#include <stddef.h>

struct shuffle {
    char **texts;               /*  the caller's, row after row     */
    size_t width, count, capacity, next;
    size_t bytes_max;
    bool full;                  /*  all rows are in, and shuffled   */
};

/*  Adds a row of `width` texts, which must stay. WEFT_ETOOBIG, WEFT_ENOMEM. */
int shuffle_add (struct shuffle *self, char *const *texts);

/*  No row more: they are put in an order that nobody can tell beforehand. */
int shuffle_mix (struct shuffle *self);

/*  The next row, or NULL. */
char *const *shuffle_next (struct shuffle *self);
void shuffle_free (struct shuffle *self);

#endif
