/*  poll.h - what weft_poll can wait on
 *
 *  Every public handle that can be waited on begins with a struct pollable. */

#ifndef WEFT_CORE_POLL_H
#define WEFT_CORE_POLL_H

#include <stdint.h>

struct pollable;

struct pollable_ops {
    /*  A descriptor that becomes readable when events may have changed. */
    int (*fd) (struct pollable *self);

    /*  WEFT_IN | WEFT_OUT bits that hold now. Takes in what the descriptor signalled. */
    int (*events) (struct pollable *self);

    /*  When `events` should be asked again without a wake: ns by the context's
     *  clock, or TIME_FOREVER. */
    int64_t (*deadline) (struct pollable *self);
};

struct pollable {
    const struct pollable_ops *ops;
};

#endif
