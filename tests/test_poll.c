/*  test_poll.c - handles and descriptors in one wait, with a handle made for the test */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/clock.h"
#include "core/error.h"
#include "core/poll.h"

/*  Ready after it was asked `patience` times; wakes its descriptor each time. */
struct handle {
    struct pollable pollable;
    int fd, patience, ready, error;
    int64_t deadline;
    int asked;
};

static int
handle_fd (struct pollable *pollable)
{
    return ((struct handle *) pollable)->fd;
}

static int
handle_events (struct pollable *pollable)
{
    struct handle *self = (struct handle *) pollable;
    eventfd_t value;
    self->asked++;
    if (self->error)
        return error_plain (self->error);
    eventfd_read (self->fd, &value);
    if (self->asked <= self->patience)
        return 0;
    return self->ready;
}

static int64_t
handle_deadline (struct pollable *pollable)
{
    return ((struct handle *) pollable)->deadline;
}

static const struct pollable_ops ops = { handle_fd, handle_events, handle_deadline };

static struct handle
make_handle (int ready)
{
    struct handle self = { .pollable.ops = &ops, .ready = ready, .deadline = TIME_FOREVER };
    self.fd = eventfd (0, EFD_NONBLOCK | EFD_CLOEXEC);
    assert_true (self.fd >= 0);
    return self;
}

static void
a_ready_handle_returns_at_once (void **state)
{
    (void) state;
    struct handle handle = make_handle (WEFT_IN | WEFT_OUT);
    weft_pollitem_t items[] = { { .self = &handle, .events = WEFT_IN } };
    assert_int_equal (weft_poll (items, 1, -1), 1);
    assert_int_equal (items[0].revents, WEFT_IN);
    items[0].events = WEFT_OUT;
    assert_int_equal (weft_poll (items, 1, 0), 1);
    assert_int_equal (items[0].revents, WEFT_OUT);
    close (handle.fd);
}

static void
a_wake_asks_the_handle_again (void **state)
{
    (void) state;
    struct handle handle = make_handle (WEFT_IN);
    handle.patience = 1;
    weft_pollitem_t items[] = { { .self = &handle, .events = WEFT_IN } };
    /*  The wake is spent by the first question; only the deadline leads to the second. */
    eventfd_write (handle.fd, 1);
    handle.deadline = 0;
    assert_int_equal (weft_poll (items, 1, -1), 1);
    assert_int_equal (handle.asked, 2);
    close (handle.fd);
}

static void
descriptors_beside_a_handle (void **state)
{
    (void) state;
    struct handle handle = make_handle (0);
    int fds[2];
    assert_int_equal (pipe (fds), 0);
    weft_pollitem_t items[] = {
        { .self = &handle, .events = WEFT_IN },
        { .fd = fds[0], .events = WEFT_IN },
        { .fd = fds[1], .events = WEFT_OUT },
        { .fd = -1, .events = WEFT_IN },
    };
    assert_int_equal (weft_poll (items, 4, -1), 1);
    assert_int_equal (items[0].revents, 0);
    assert_int_equal (items[1].revents, 0);
    assert_int_equal (items[2].revents, WEFT_OUT);
    assert_int_equal (write (fds[1], "x", 1), 1);
    assert_int_equal (weft_poll (items, 4, -1), 2);
    assert_int_equal (items[1].revents, WEFT_IN);
    close (fds[1]);
    items[2].fd = -1;
    assert_int_equal (weft_poll (items, 4, -1), 1);
    close (fds[0]);
    close (handle.fd);
}

static void
nothing_ready_is_zero_and_errors_come_through (void **state)
{
    (void) state;
    struct handle handle = make_handle (0);
    weft_pollitem_t items[] = { { .self = &handle, .events = WEFT_IN } };
    assert_int_equal (weft_poll (items, 1, 0), 0);
    assert_int_equal (weft_poll (items, 1, 1), 0);
    assert_int_equal (weft_poll (NULL, 0, 0), 0);
    handle.error = WEFT_ETERM;
    assert_int_equal (weft_poll (items, 1, -1), WEFT_ETERM);
    close (handle.fd);
}

static void
many_items (void **state)
{
    (void) state;
    enum { MANY = 50 };
    weft_pollitem_t items[MANY];
    int fd = eventfd (1, EFD_CLOEXEC);
    for (int i = 0; i < MANY; i++)
        items[i] = (weft_pollitem_t) { .fd = i == MANY - 1 ? fd : -1, .events = WEFT_IN };
    assert_int_equal (weft_poll (items, MANY, -1), 1);
    assert_int_equal (items[MANY - 1].revents, WEFT_IN);
    close (fd);
}

int
main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (a_ready_handle_returns_at_once),
        cmocka_unit_test (a_wake_asks_the_handle_again),
        cmocka_unit_test (descriptors_beside_a_handle),
        cmocka_unit_test (nothing_ready_is_zero_and_errors_come_through),
        cmocka_unit_test (many_items),
    };
    return cmocka_run_group_tests_name ("poll", tests, NULL, NULL);
}
