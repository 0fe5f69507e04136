/*  shuffle.c - rows of texts, gathered and then given out in random order */

#include "cli/shuffle.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "core/error.h"

int
shuffle_add (struct shuffle *self, char *const *texts)
{
    size_t row = self->width * sizeof *texts;
    if (self->count == self->capacity) {
        size_t capacity = self->capacity ? self->capacity * 2 : 256;
        if (capacity * row > self->bytes_max)
            capacity = self->bytes_max / row;
        if (capacity <= self->count)
            return error_set (WEFT_ETOOBIG, "too many jobs to be shuffled: over %zu", self->count);
        char **more = realloc (self->texts, capacity * row);
        if (!more)
            return error_set (WEFT_ENOMEM, "out of memory for %zu jobs to be shuffled", capacity);
        self->texts = more;
        self->capacity = capacity;
    }
    memcpy (self->texts + self->count++ * self->width, texts, row);
    return 0;
}

/*  A number below `limit`, each as likely as any other. False: there is no randomness. */
static bool
random_below (uint64_t limit, uint64_t *number)
{
    uint64_t fair = UINT64_MAX - UINT64_MAX % limit;
    do
        if (getrandom (number, sizeof *number, 0) != (ssize_t) sizeof *number)
            return false;
    while (*number >= fair);
    *number %= limit;
    return true;
}

int
shuffle_mix (struct shuffle *self)
{
    size_t width = self->width;
    for (size_t left = self->count; left > 1; left--) {
        uint64_t other;
        if (!random_below (left, &other))
            return error_errno ("cannot shuffle");
        for (size_t i = 0; i < width; i++) {
            char *text = self->texts[(left - 1) * width + i];
            self->texts[(left - 1) * width + i] = self->texts[other * width + i];
            self->texts[other * width + i] = text;
        }
    }
    self->full = true;
    return 0;
}

char *const *
shuffle_next (struct shuffle *self)
{
    return self->next < self->count ? self->texts + self->next++ * self->width : NULL;
}

void
shuffle_free (struct shuffle *self)
{
    free (self->texts);
    *self = (struct shuffle){ .width = 0 };
}
