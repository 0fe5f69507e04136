/*  poll.c - weft_poll: handles and descriptors in one wait */

#include "core/poll.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>

#include "core/clock.h"
#include "core/error.h"
#include "weft.h"

enum { ITEMS_ON_STACK = 16 };

/*  Asks the handles; how many have what is wanted, or negative. *deadline gets
 *  the earliest time to ask again. */
static int
ask (weft_pollitem_t *items, size_t count, int64_t *deadline)
{
    int ready = 0;
    for (size_t i = 0; i < count; i++) {
        struct pollable *handle = items[i].self;
        items[i].revents = 0;
        if (!handle)
            continue;
        int events = handle->ops->events (handle);
        if (events < 0)
            return events;
        items[i].revents = (short) (events & (items[i].events | WEFT_ERR));
        ready += items[i].revents != 0;
        if (handle->ops->deadline)
            *deadline = clock_earlier (*deadline, handle->ops->deadline (handle));
    }
    return ready;
}

static int
prepare (const weft_pollitem_t *items, size_t count, struct pollfd *fds)
{
    for (size_t i = 0; i < count; i++) {
        struct pollable *handle = items[i].self;
        short events = (short) ((items[i].events & WEFT_IN ? POLLIN : 0) | (items[i].events & WEFT_OUT ? POLLOUT : 0));
        fds[i].fd = handle ? handle->ops->fd (handle) : items[i].fd;
        fds[i].events = handle ? POLLIN : events;
        if (handle && fds[i].fd < 0)
            return fds[i].fd;
    }
    return 0;
}

/*  Plain descriptors that are ready; handles are asked again instead. */
static int
collect (weft_pollitem_t *items, size_t count, const struct pollfd *fds)
{
    int ready = 0;
    for (size_t i = 0; i < count; i++) {
        if (items[i].self)
            continue;
        short events = fds[i].revents;
        items[i].revents = (short) ((events & (POLLIN | POLLHUP) ? WEFT_IN : 0) | (events & POLLOUT ? WEFT_OUT : 0)
                                    | (events & (POLLERR | POLLHUP | POLLNVAL) ? WEFT_ERR : 0));
        items[i].revents &= (short) (items[i].events | WEFT_ERR);
        ready += items[i].revents != 0;
    }
    return ready;
}

static int
wait (weft_pollitem_t *items, size_t count, struct pollfd *fds, int64_t end)
{
    struct clock *clock = clock_system ();
    for (;;) {
        int64_t deadline = end;
        int ready = ask (items, count, &deadline);
        if (ready < 0)
            return ready;
        int rc = prepare (items, count, fds);
        if (rc < 0)
            return rc;
        rc = poll (fds, count, ready ? 0 : clock_poll_ms (clock_left (clock, deadline)));
        if (rc < 0)
            return errno == EINTR ? error_plain (WEFT_EINTR) : error_errno ("poll");
        ready += collect (items, count, fds);
        if (ready)
            return ready;
        if (clock_left (clock, end) == 0) {
            deadline = TIME_FOREVER;
            return ask (items, count, &deadline);
        }
    }
}

int
weft_poll (weft_pollitem_t *items, size_t count, int timeout)
{
    struct pollfd stack[ITEMS_ON_STACK], *fds = stack;
    if (count > ITEMS_ON_STACK && !(fds = calloc (count, sizeof *fds)))
        return error_plain (WEFT_ENOMEM);
    int64_t end = clock_deadline (clock_system (), timeout < 0 ? TIME_FOREVER : timeout * TIME_MS);
    int rc = wait (items, count, fds, end);
    if (fds != stack)
        free (fds);
    return rc;
}
