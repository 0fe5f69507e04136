/*  histogram.c - how often each value came: for times, with a fixed relative error and in fixed memory */

#include "core/histogram.h"

#include <stdlib.h>

#include "core/counter.h"

enum { LINEAR_BITS = 7 };           /*  of HISTOGRAM_LINEAR                         */

struct histogram *
histogram_new (void)
{
    return calloc (1, sizeof (struct histogram));
}

static size_t
bucket_of (int64_t value)
{
    if (value < HISTOGRAM_LINEAR)
        return value < 0 ? 0 : (size_t) value;
    if (value > HISTOGRAM_MAX)
        return HISTOGRAM_BUCKETS - 1;
    /*  So many low bits do not matter: what is left has its highest bit at HISTOGRAM_PARTS. */
    int shift = 64 - LINEAR_BITS - __builtin_clzll ((unsigned long long) value);
    return (size_t) (HISTOGRAM_PARTS * shift) + (size_t) (value >> shift);
}

/*  The largest value that belongs to the bucket. */
static int64_t
bucket_top (size_t bucket)
{
    if (bucket < HISTOGRAM_LINEAR)
        return (int64_t) bucket;
    size_t shift = bucket / HISTOGRAM_PARTS - 1;
    int64_t part = (int64_t) (bucket - HISTOGRAM_PARTS * shift);
    return ((part + 1) << shift) - 1;
}

void
histogram_record (struct histogram *self, int64_t value)
{
    counter_add (&self->buckets[bucket_of (value)], 1);
    counter_add (&self->sum, value < 0 ? 0 : (uint64_t) value);
}

void
histogram_record_any (struct histogram *self, int64_t value)
{
    counter_add_any (&self->buckets[bucket_of (value)], 1);
    counter_add_any (&self->sum, value < 0 ? 0 : (uint64_t) value);
}

void
histogram_merge (struct histogram *self, const struct histogram *other)
{
    for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
        uint64_t count = counter_read (&other->buckets[i]);
        if (count)
            counter_add (&self->buckets[i], count);
    }
    counter_add (&self->sum, counter_read (&other->sum));
}

void
histogram_copy (struct histogram *copy, const struct histogram *self)
{
    for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++)
        copy->buckets[i] = counter_read (&self->buckets[i]);
    copy->sum = counter_read (&self->sum);
}

uint64_t
histogram_count (const struct histogram *self)
{
    uint64_t count = 0;
    for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++)
        count += counter_read (&self->buckets[i]);
    return count;
}

uint64_t
histogram_sum (const struct histogram *self)
{
    return counter_read (&self->sum);
}

int64_t
histogram_percentile (const struct histogram *self, double percent)
{
    uint64_t count = histogram_count (self), seen = 0;
    double rank = (double) count * (percent < 100 ? percent : 100) / 100;
    uint64_t wanted = rank < 1 ? 1 : (uint64_t) rank;
    wanted += (double) wanted < rank;
    int64_t top = 0;
    for (size_t i = 0; i < HISTOGRAM_BUCKETS && seen < count; i++) {
        uint64_t here = counter_read (&self->buckets[i]);
        seen += here;
        top = here ? bucket_top (i) : top;
        if (here && seen >= wanted)
            break;
    }
    return top;
}

void
histogram_below (const struct histogram *self, const int64_t *bounds, size_t count, uint64_t *below)
{
    uint64_t seen = 0;
    size_t at = 0;
    for (size_t i = 0; i < count; i++) {
        for (; at < HISTOGRAM_BUCKETS && bucket_top (at) <= bounds[i]; at++)
            seen += counter_read (&self->buckets[at]);
        below[i] = seen;
    }
}
