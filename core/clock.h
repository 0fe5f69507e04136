/*  clock.h - time as an argument
 *
 *  Whatever waits or measures is given a clock, so that tests bring their own.
 *  All internal times are int64_t nanoseconds; TIME_FOREVER means no limit. */

#ifndef WEFT_CORE_CLOCK_H
#define WEFT_CORE_CLOCK_H

#include <stdint.h>

#define TIME_FOREVER INT64_C (-1)
#define TIME_US INT64_C (1000)
#define TIME_MS INT64_C (1000000)
#define TIME_S INT64_C (1000000000)

struct clock {
    int64_t (*now) (struct clock *self);    /*  ns, monotonic                       */
    int64_t (*wall) (struct clock *self);   /*  ns since 1970-01-01 UTC             */
};

/*  The machine's clock. */
struct clock *clock_system (void);

static inline int64_t
clock_now (struct clock *self)
{
    return self->now (self);
}

static inline int64_t
clock_wall (struct clock *self)
{
    return self->wall (self);
}

/*  When a wait of `timeout` ns that begins now ends; TIME_FOREVER stays. */
int64_t clock_deadline (struct clock *self, int64_t timeout);

/*  What is left until a deadline: 0 when it has passed. TIME_FOREVER stays. */
int64_t clock_left (struct clock *self, int64_t deadline);

/*  The earlier of two deadlines or timeouts, either of which may be TIME_FOREVER. */
static inline int64_t
clock_earlier (int64_t a, int64_t b)
{
    if (a < 0 || b < 0)
        return a < 0 ? b : a;
    return a < b ? a : b;
}

/*  ns to poll(2)'s milliseconds: rounded up, -1 for TIME_FOREVER. */
int clock_poll_ms (int64_t timeout);

/*  A clock that stands still until it is moved; for tests. */
struct clock_fake {
    struct clock clock;
    int64_t time;
};
void clock_fake_init (struct clock_fake *self, int64_t start);

/*  Back-off with full jitter: attempt 0, 1, 2, ... gives a random time in
 *  [base / 2, base], doubling up to `max`. `seed` is the caller's state. */
int64_t clock_backoff (int attempt, int64_t base, int64_t max, uint64_t *seed);

/*  xorshift64*, for jitter and simulators: deterministic from its seed. */
uint64_t random_next (uint64_t *seed);

/*  A seed from the system's randomness; never 0. */
uint64_t random_seed (void);

#endif
