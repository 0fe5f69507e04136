/*  clock.c - the machine's clock, a fake one, deadlines, and jitter */

#include "core/clock.h"

#include <limits.h>
#include <stddef.h>
#include <sys/random.h>
#include <time.h>

static int64_t
read_clock (clockid_t id)
{
    struct timespec time;
    clock_gettime (id, &time);
    return time.tv_sec * TIME_S + time.tv_nsec;
}

static int64_t
system_now (struct clock *self)
{
    (void) self;
    return read_clock (CLOCK_MONOTONIC);
}

static int64_t
system_wall (struct clock *self)
{
    (void) self;
    return read_clock (CLOCK_REALTIME);
}

struct clock *
clock_system (void)
{
    static struct clock clock = { system_now, system_wall };
    return &clock;
}

int64_t
clock_deadline (struct clock *self, int64_t timeout)
{
    if (timeout < 0)
        return TIME_FOREVER;
    int64_t now = clock_now (self);
    return timeout > INT64_MAX - now ? INT64_MAX : now + timeout;
}

int64_t
clock_left (struct clock *self, int64_t deadline)
{
    if (deadline < 0)
        return TIME_FOREVER;
    int64_t now = clock_now (self);
    return deadline > now ? deadline - now : 0;
}

int
clock_poll_ms (int64_t timeout)
{
    if (timeout < 0)
        return -1;
    int64_t ms = timeout / TIME_MS + (timeout % TIME_MS != 0);
    return ms > INT_MAX ? INT_MAX : (int) ms;
}

static int64_t
fake_time (struct clock *self)
{
    return ((struct clock_fake *) self)->time;
}

void
clock_fake_init (struct clock_fake *self, int64_t start)
{
    self->clock.now = fake_time;
    self->clock.wall = fake_time;
    self->time = start;
}

int64_t
clock_backoff (int attempt, int64_t base, int64_t max, uint64_t *seed)
{
    int64_t delay = base < max ? base : max;
    for (; attempt > 0 && delay < max; attempt--)
        delay = delay > max / 2 ? max : delay * 2;
    if (delay <= 0)
        return 0;
    int64_t half = delay / 2;
    return half + (int64_t) (random_next (seed) % (uint64_t) (delay - half + 1));
}

uint64_t
random_next (uint64_t *seed)
{
    uint64_t x = *seed ? *seed : 1;     /*  0 would stay 0 */
    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    *seed = x;
    return x * UINT64_C (0x2545F4914F6CDD1D);
}

uint64_t
random_seed (void)
{
    uint64_t seed = 0;
    if (getrandom (&seed, sizeof seed, GRND_NONBLOCK) != (ssize_t) sizeof seed)
        seed = (uint64_t) read_clock (CLOCK_MONOTONIC) ^ (uint64_t) (uintptr_t) &seed;
    return seed ? seed : 1;
}
