/*  test_relay.c - bytes go both ways, all of them, until either side ends */

#include "cli/relay.h"

#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/testing.h"

#define MANY (RELAY_ROOM * 3 + 7)

struct ends {
    int in[2], out[2], sock[2];     /*  pipes; a pair of sockets of which the relay has [0] */
    struct relay relay;
};

static void
open_ends (struct ends *self)
{
    assert_int_equal (pipe (self->in), 0);
    assert_int_equal (pipe (self->out), 0);
    assert_int_equal (socketpair (AF_UNIX, SOCK_STREAM, 0, self->sock), 0);
    assert_int_equal (relay_init (&self->relay, self->in[0], self->out[1], self->sock[0]), 0);
}

static void
close_ends (struct ends *self)
{
    int fds[] = { self->in[0], self->in[1], self->out[0], self->out[1], self->sock[0], self->sock[1] };
    relay_free (&self->relay);
    for (size_t i = 0; i < sizeof fds / sizeof *fds; i++)
        close (fds[i]);
}

/*  Steps until nothing can be done without waiting. */
static void
settle (struct relay *relay)
{
    struct pollfd fds[RELAY_FDS];
    while (relay_poll (relay, fds), poll (fds, RELAY_FDS, 0) > 0)
        relay_step (relay);
}

/*  Through pipes and a socket that are full again and again. */
static void
both_ways (void **state)
{
    (void) state;
    struct ends ends;
    open_ends (&ends);
    const int ways[][2] = { { ends.in[1], ends.sock[1] }, { ends.sock[1], ends.out[0] } };
    for (int way = 0; way < 2; way++) {
        size_t wrote = 0, seen = 0;
        while (seen < MANY) {
            unsigned char data[4000];
            size_t size = MANY - wrote < sizeof data ? MANY - wrote : sizeof data;
            for (size_t i = 0; i < size; i++)
                data[i] = (unsigned char) ((wrote + i) * 7);
            if (size && wrote - seen < RELAY_ROOM)
                wrote += (size_t) write (ways[way][0], data, size);
            settle (&ends.relay);
            ssize_t got = wrote == MANY || wrote - seen >= RELAY_ROOM ? read (ways[way][1], data, sizeof data) : 0;
            for (ssize_t i = 0; i < got; i++, seen++)
                assert_int_equal (data[i], (unsigned char) (seen * 7));
        }
        assert_false (relay_over (&ends.relay));
    }
    close_ends (&ends);
}

/*  What was read at the beginning comes first; the end comes after the last byte. */
static void
beginning_and_end (void **state)
{
    (void) state;
    struct ends ends;
    char text[16] = "";
    open_ends (&ends);
    relay_begin (&ends.relay, "first ", 6);
    assert_int_equal (write (ends.in[1], "last", 4), 4);
    close (ends.in[1]);
    ends.in[1] = -1;
    settle (&ends.relay);
    assert_true (relay_over (&ends.relay));
    assert_int_equal (recv (ends.sock[1], text, sizeof text, MSG_WAITALL | MSG_DONTWAIT), 10);
    assert_string_equal (text, "first last");
    close_ends (&ends);
}

static void
socket_ends (void **state)
{
    (void) state;
    struct ends ends;
    char text[16] = "";
    open_ends (&ends);
    assert_int_equal (write (ends.sock[1], "bye", 3), 3);
    close (ends.sock[1]);
    ends.sock[1] = -1;
    settle (&ends.relay);
    assert_true (relay_over (&ends.relay));
    assert_int_equal (read (ends.out[0], text, sizeof text), 3);
    close_ends (&ends);
}

/*  One that takes no more does not keep the other way from its end. */
static void
deaf (void **state)
{
    (void) state;
    struct ends ends;
    char text[16] = "";
    open_ends (&ends);
    close (ends.out[0]);
    ends.out[0] = -1;
    assert_int_equal (write (ends.sock[1], "unheard", 7), 7);
    settle (&ends.relay);
    assert_false (relay_over (&ends.relay));
    assert_int_equal (write (ends.in[1], "last", 4), 4);
    settle (&ends.relay);
    assert_int_equal (recv (ends.sock[1], text, sizeof text, MSG_DONTWAIT), 4);
    close_ends (&ends);
}

/*  The listener is found by its name, and takes us alone. */
static void
listener (void **state)
{
    (void) state;
    char endpoint[64], text[4];
    int fd = relay_listen (endpoint, sizeof endpoint);
    assert_true (fd >= 0);
    int ours = relay_connect (endpoint);
    assert_true (ours >= 0);
    int taken = relay_accept (fd);
    assert_true (taken >= 0);
    assert_int_equal (write (ours, "abc", 3), 3);
    assert_int_equal (read (taken, text, sizeof text), 3);
    close (fd);
    assert_true (relay_connect (endpoint) < 0);
    assert_int_equal (write (ours, "rest", 4), 4);
    close (taken);
    relay_close (ours, -1);
}

int
main (void)
{
    signal (SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = { cmocka_unit_test (both_ways), cmocka_unit_test (beginning_and_end),
                                        cmocka_unit_test (socket_ends), cmocka_unit_test (deaf),
                                        cmocka_unit_test (listener) };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
