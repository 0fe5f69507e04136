/*  pool_median.h - the median of the last runtimes, exact */

#ifndef WEFT_PATTERNS_POOL_MEDIAN_H
#define WEFT_PATTERNS_POOL_MEDIAN_H

#include <stdint.h>

#define MEDIAN_LAST 1000        /*  values that count: older ones are forgotten     */
#define MEDIAN_LEAST 3          /*  values before there is one                      */

struct median {
    int64_t came[MEDIAN_LAST], sorted[MEDIAN_LAST];
    int count, next;            /*  of came: how many, and where the next one goes  */
};

void median_add (struct median *self, int64_t value);

/*  The lower of two in the middle; -1 while there are too few. */
int64_t median_of (const struct median *self);

#endif
