/*  timers.h - deadlines in order: an intrusive heap that allocates nothing
 *
 *  A pairing heap: setting a timer costs a constant, taking one out about log n. */
#ifndef WEFT_CORE_TIMERS_H
#define WEFT_CORE_TIMERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*  A member of what has the deadline; zeroed at first. */
struct timer {
    int64_t deadline;               /*  ns                                                      */
    struct timer *child, *next;     /*  the first of those that are later; a sibling            */
    struct timer **link;            /*  what points to it; NULL: not set                        */
};

struct timers {
    struct timer *first;            /*  the earliest; NULL: none                                */
};

static inline bool
timer_is_set (const struct timer *timer)
{
    return timer->link != NULL;
}

/*  Sets or moves it; a deadline below 0 (TIME_FOREVER) takes it out. */
void timers_set (struct timers *self, struct timer *timer, int64_t deadline);

/*  TIME_FOREVER when there is none. */
int64_t timers_next (const struct timers *self);

/*  Takes out one that is due; NULL: none. */
struct timer *timers_due (struct timers *self, int64_t now);

#endif
