/*  pool_median.c - the median of the last runtimes, exact */

#include "patterns/pool_median.h"

#include <string.h>

/*  Of the first that is not below the value. */
static int
place_of (const struct median *self, int64_t value)
{
    int low = 0, high = self->count;
    while (low < high) {
        int middle = (low + high) / 2;
        if (self->sorted[middle] < value)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void
shift (struct median *self, int from, int to, int count)
{
    memmove (&self->sorted[to], &self->sorted[from], (size_t) count * sizeof *self->sorted);
}

void
median_add (struct median *self, int64_t value)
{
    if (self->count == MEDIAN_LAST) {
        int old = place_of (self, self->came[self->next]);
        shift (self, old + 1, old, --self->count - old);
    }
    int place = place_of (self, value);
    shift (self, place, place + 1, self->count++ - place);
    self->sorted[place] = value;
    self->came[self->next] = value;
    self->next = (self->next + 1) % MEDIAN_LAST;
}

int64_t
median_of (const struct median *self)
{
    return self->count < MEDIAN_LEAST ? -1 : self->sorted[(self->count - 1) / 2];
}
