/*  histogram.h - how often each value came: for times, with a fixed relative error and in fixed memory
 *
 *  Log-linear: values up to 127 have a bucket each, and beyond that each doubling is parted into 64 of one width. So a
 *  percentile is off by less than 1/64 of itself, as is what is said to be below a bound. What is larger than
 *  HISTOGRAM_MAX counts as that. Times are ns: HISTOGRAM_MAX is over 19 hours.
 *
 *  One thread records, which costs two stores and no lock, and any thread may read meanwhile: it sees each value either
 *  whole or not yet, but for the sum, which may be a value ahead or behind. About 21 KB; all zeros is an empty one. */
#ifndef WEFT_CORE_HISTOGRAM_H
#define WEFT_CORE_HISTOGRAM_H

#include <stddef.h>
#include <stdint.h>

enum {
    HISTOGRAM_LINEAR = 128,         /*  values below it have a bucket each          */
    HISTOGRAM_PARTS = 64,           /*  buckets of each doubling after that         */
    HISTOGRAM_DOUBLINGS = 39,
    HISTOGRAM_BUCKETS = HISTOGRAM_LINEAR + HISTOGRAM_PARTS * HISTOGRAM_DOUBLINGS
};
#define HISTOGRAM_MAX (((int64_t) HISTOGRAM_LINEAR << HISTOGRAM_DOUBLINGS) - 1)

struct histogram {
    uint64_t buckets[HISTOGRAM_BUCKETS];
    uint64_t sum;                   /*  of what was recorded; wraps                 */
};

/*  NULL for want of memory; free with free. */
struct histogram *histogram_new (void);

/*  Counts a value; one below 0 (a clock that was set back) as 0. The one thread that records. */
void histogram_record (struct histogram *self, int64_t value);

/*  The same, for several threads. */
void histogram_record_any (struct histogram *self, int64_t value);

/*  Adds all of `other`. As one who records into self, and one who reads `other`. */
void histogram_merge (struct histogram *self, const struct histogram *other);

/*  A copy of what was recorded until now, so that several questions are answered about the same values. */
void histogram_copy (struct histogram *copy, const struct histogram *self);

uint64_t histogram_count (const struct histogram *self);
uint64_t histogram_sum (const struct histogram *self);

/*  The value that `percent` (0 to 100) of all are not above: exact for 0 to 127, else off by less than 1/64 and never
 *  too small. With 100, the largest. 0 when there are none. */
int64_t histogram_percentile (const struct histogram *self, double percent);

/*  How many were at most `bound`, for each of `count` bounds that go up: below[i]. What shares its bucket with larger
 *  values than the bound is left out. */
void histogram_below (const struct histogram *self, const int64_t *bounds, size_t count, uint64_t *below);

#endif
