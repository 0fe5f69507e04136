/*  counter.h - numbers that one thread changes and any thread may read
 *
 *  Whoever counts pays no more than for a plain variable: there is one who writes, so nothing is locked, and the order
 *  in which several of them are seen to change is not promised. */
#ifndef WEFT_CORE_COUNTER_H
#define WEFT_CORE_COUNTER_H

#include <stddef.h>
#include <stdint.h>

static inline uint64_t
counter_read (const uint64_t *counter)
{
    return __atomic_load_n (counter, __ATOMIC_RELAXED);
}

static inline void
counter_set (uint64_t *counter, uint64_t value)
{
    __atomic_store_n (counter, value, __ATOMIC_RELAXED);
}

static inline void
counter_add (uint64_t *counter, uint64_t count)
{
    counter_set (counter, counter_read (counter) + count);
}

/*  Where several threads count, and not often. */
static inline void
counter_add_any (uint64_t *counter, uint64_t count)
{
    __atomic_fetch_add (counter, count, __ATOMIC_RELAXED);
}

/*  Several at once: what is changed in many places is shown in one, by the thread that does so. */
static inline void
counters_show (uint64_t *shown, const uint64_t *counters, size_t count)
{
    for (size_t i = 0; i < count; i++)
        counter_set (&shown[i], counters[i]);
}

static inline void
counters_read (uint64_t *counters, const uint64_t *shown, size_t count)
{
    for (size_t i = 0; i < count; i++)
        counters[i] = counter_read (&shown[i]);
}

#endif
