/*  measure.h - what every load generator needs: a clock, a way to die, quantiles of exact samples */
#ifndef WEFT_BENCH_MEASURE_H
#define WEFT_BENCH_MEASURE_H

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

/*  A measurement that went wrong is not a measurement: say why and end. */
#define die(...) \
    do { \
        fprintf (stderr, "%s: ", program_invocation_short_name); \
        fprintf (stderr, __VA_ARGS__); \
        fputc ('\n', stderr); \
        exit (1); \
    } while (0)

#define check(condition, what) \
    do { \
        if (!(condition)) \
            die ("%s: %s", (what), strerror (errno)); \
    } while (0)

static inline int64_t
now_ns (void)
{
    struct timespec now;

    clock_gettime (CLOCK_MONOTONIC, &now);
    return (int64_t) now.tv_sec * 1000000000 + now.tv_nsec;
}

/*  As many descriptors as the system allows. */
static inline void
raise_limit (void)
{
    struct rlimit limit;

    check (getrlimit (RLIMIT_NOFILE, &limit) == 0, "the limit of descriptors");
    limit.rlim_cur = limit.rlim_max;
    check (setrlimit (RLIMIT_NOFILE, &limit) == 0, "the limit of descriptors");
}

/*  A number of the command line, at least `min`. */
static inline size_t
number_of (const char *text, size_t min)
{
    char *end;
    unsigned long long value = strtoull (text, &end, 10);

    if (*text < '0' || *text > '9' || *end || value < min)
        die ("%s is not a number of at least %zu", text, min);
    return (size_t) value;
}

static inline int
compare_ns (const void *a, const void *b)
{
    int64_t x = *(const int64_t *) a, y = *(const int64_t *) b;

    return (x > y) - (x < y);
}

/*  The smallest sample that at least `numerator` in `denominator` samples do not exceed. Sorted samples. */
static inline int64_t
quantile (const int64_t *samples, size_t count, size_t numerator, size_t denominator)
{
    size_t rank = (count * numerator + denominator - 1) / denominator;

    return samples[rank ? rank - 1 : 0];
}

#endif
