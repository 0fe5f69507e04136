/*  test_stream.c - streams against plain sockets: taking and leaving input, pauses, bounds, deadlines, ends, caps */

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/testing.h"

#include "core/buffer.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/stream.h"

#define LIMIT (20 * TIME_S)

/*  What happened to the one stream of a test. */
struct side {
    struct stream *stream;
    struct buffer got;              /*  what was taken                                          */
    size_t take_at_most;            /*  of what is offered; 0: all                              */
    size_t need;                    /*  takes nothing before so much is there                   */
    bool pause_at_end, adopted;
    int offered, ended, drained, closed, error, accepted;
    size_t unsent;
    char why[256];
};

static struct reactor *reactor;
static struct listener *listener;
static struct stream_config config;
static struct side side;

/* --------------------------------------------------------------------- the owner */

static int64_t
on_data (void *arg, struct stream *stream, const unsigned char *data, size_t size)
{
    struct side *self = arg;
    (void) stream;
    self->offered++;
    if (size < self->need)
        return 0;
    size_t taken = self->take_at_most && self->take_at_most < size ? self->take_at_most : size;
    assert_int_equal (buffer_add (&self->got, data, taken), 0);
    return (int64_t) taken;
}

static int
on_ended (void *arg, struct stream *stream, const unsigned char *data, size_t size)
{
    struct side *self = arg;
    self->ended++;
    if (self->pause_at_end && self->ended == 1) {
        stream_pause (stream);
        return error_plain (WEFT_EAGAIN);
    }
    return size ? buffer_add (&self->got, data, size) : 0;
}

static void
on_drained (void *arg, struct stream *stream)
{
    (void) stream;
    ((struct side *) arg)->drained++;
}

static void
on_closed (void *arg, struct stream *stream, int error, const char *why, size_t unsent)
{
    struct side *self = arg;
    assert_ptr_equal (stream, self->stream);
    self->closed++;
    self->error = error;
    self->unsent = unsent;
    snprintf (self->why, sizeof self->why, "%s", why);
    self->stream = NULL;
}

static const struct stream_handler handler = { on_data, on_ended, on_drained, on_closed };

static void
on_accepted (void *arg, struct stream *stream)
{
    struct side *self = arg;
    self->accepted++;
    if (self->stream)
        return;                     /*  one is enough: the others are refused */
    self->stream = stream;
    self->adopted = true;
    stream_adopt (stream, &handler, self);
}

/* ------------------------------------------------------------------- the plain peer */

static void
run_until (bool (*reached) (void))
{
    int64_t end = clock_deadline (clock_system (), LIMIT);
    while (!reached ()) {
        if (clock_left (clock_system (), end) == 0)
            fail_msg ("waited in vain; got %zu bytes, closed %d %s", buffer_size (&side.got), side.closed, side.why);
        reactor_run (reactor, TIME_MS);
    }
}

static bool is_open (void) { return side.stream != NULL; }
static bool is_closed (void) { return side.closed > 0; }
static bool has_ended (void) { return side.ended > 0; }
static bool was_drained (void) { return side.drained > 0; }

static size_t wanted;
static bool got_all (void) { return buffer_size (&side.got) >= wanted; }

static int
plain_connect (void)
{
    struct address address;
    struct sockaddr_storage found;
    assert_int_equal (address_parse (&address, listener_address (listener), false), 0);
    assert_int_equal (address_resolve (&address, &found), 0);
    int fd = socket (found.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal (connect (fd, (struct sockaddr *) &found, address_size (&found)), 0);
    return fd;
}

static int
open_pair (void)
{
    assert_int_equal (listener_new (reactor, "127.0.0.1:0", &config, on_accepted, &side, &listener), 0);
    int fd = plain_connect ();
    run_until (is_open);
    return fd;
}

static void
say_plain (int fd, const char *text)
{
    assert_int_equal (send (fd, text, strlen (text), MSG_NOSIGNAL), strlen (text));
}

static void
expect_got (const char *text)
{
    wanted = strlen (text);
    run_until (got_all);
    assert_int_equal (buffer_size (&side.got), wanted);
    assert_memory_equal (buffer_data (&side.got), text, wanted);
}

/*  Cuts the connection off: the peer gets a reset. */
static void
reset_plain (int fd)
{
    struct linger linger = { .l_onoff = 1 };
    setsockopt (fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
    close (fd);
}

static int
setup (void **state)
{
    (void) state;
    side = (struct side) { 0 };
    config = (struct stream_config) { .in_max = 1 << 20, .out_max = 1 << 20, .progress = 30 * TIME_S,
                                      .connect_timeout = 10 * TIME_S, .reconnect = TIME_MS,
                                      .reconnect_max = 10 * TIME_MS };
    return reactor_new (&reactor);
}

static int
teardown (void **state)
{
    (void) state;
    if (side.stream)
        stream_close (side.stream, 0);
    reactor_run (reactor, 0);
    reactor_run (reactor, 0);
    listener_destroy (&listener);
    reactor_destroy (&reactor);
    buffer_free (&side.got);
    return 0;
}

/* ------------------------------------------------------------------------ reading */

static void
takes_what_comes_and_keeps_what_is_left (void **state)
{
    (void) state;
    int fd = open_pair ();
    say_plain (fd, "abc");
    expect_got ("abc");
    side.need = 6;
    side.offered = 0;
    say_plain (fd, "de");
    while (side.offered == 0)
        reactor_run (reactor, TIME_MS);
    say_plain (fd, "fghi");
    expect_got ("abcdefghi");
    close (fd);
    run_until (has_ended);
    assert_int_equal (side.closed, 0);
}

static void
a_pause_holds_input_back_and_loses_none (void **state)
{
    (void) state;
    int fd = open_pair ();
    stream_pause (side.stream);
    say_plain (fd, "one");
    reactor_run (reactor, 20 * TIME_MS);
    assert_int_equal (side.offered, 0);
    side.take_at_most = 1;
    stream_resume (side.stream);
    expect_got ("o");
    stream_pause (side.stream);
    stream_resume (side.stream);        /*  what was kept is offered again, though nothing comes */
    side.take_at_most = 0;
    expect_got ("one");
    stream_pause (side.stream);
    say_plain (fd, "two");
    shutdown (fd, SHUT_WR);
    reactor_run (reactor, 20 * TIME_MS);
    assert_int_equal (side.ended, 0);
    stream_resume (side.stream);
    expect_got ("onetwo");
    run_until (has_ended);
    close (fd);
}

static void
the_end_comes_with_what_was_left_and_can_wait (void **state)
{
    (void) state;
    int fd = open_pair ();
    side.need = 100;
    side.pause_at_end = true;
    say_plain (fd, "rest");
    shutdown (fd, SHUT_WR);
    run_until (has_ended);
    assert_int_equal (buffer_size (&side.got), 0);
    stream_resume (side.stream);
    expect_got ("rest");
    assert_int_equal (side.ended, 2);
    assert_int_equal (stream_write (side.stream, "answer", 6), 0);      /*  half closed: the other half is open */
    stream_finish (side.stream, reactor_now (reactor) + LIMIT);
    run_until (is_closed);
    assert_int_equal (side.error, 0);
    char text[16];
    assert_int_equal (recv (fd, text, sizeof text, MSG_WAITALL), 6);
    close (fd);
}

static void
a_message_over_the_limit_ends_the_connection (void **state)
{
    (void) state;
    config.in_max = 10;
    int fd = open_pair ();
    side.need = 100;
    say_plain (fd, "0123456789");
    run_until (is_closed);
    assert_int_equal (side.error, WEFT_ETOOBIG);
    assert_non_null (strstr (side.why, "more than 10 bytes"));
    close (fd);
}

static void
a_cut_connection_is_told (void **state)
{
    (void) state;
    int fd = open_pair ();
    reset_plain (fd);
    run_until (is_closed);
    assert_int_equal (side.error, WEFT_ENOPEER);
}

static void
a_cut_is_told_in_a_pause_too (void **state)
{
    (void) state;
    int fd = open_pair ();
    stream_pause (side.stream);
    reactor_run (reactor, 20 * TIME_MS);
    assert_int_equal (stream_write (side.stream, "x", 1), 0);
    reset_plain (fd);
    while (side.closed == 0 && stream_write (side.stream, "x", 1) == 0)
        reactor_run (reactor, TIME_MS);
    run_until (is_closed);
    assert_int_equal (side.error, WEFT_ENOPEER);
}

/* ------------------------------------------------------------------------ writing */

static void
writes_all_in_order_though_the_system_takes_parts (void **state)
{
    (void) state;
    enum { SIZE = 8 << 20, UNIT = 1024 };
    int fd = open_pair ();
    uint32_t *data = malloc (SIZE), *got = malloc (SIZE);
    for (uint32_t i = 0; i < SIZE / sizeof *data; i++)
        data[i] = i;
    size_t have = 0, written = 0, parts = 0;
    while (have < SIZE) {
        while (written < SIZE && stream_write (side.stream, (char *) data + written, UNIT) == 0)
            written += UNIT;
        reactor_run (reactor, 0);
        parts += stream_queued (side.stream) > 0;
        ssize_t count = recv (fd, (char *) got + have, SIZE - have, MSG_DONTWAIT);
        have += count > 0 ? (size_t) count : 0;
    }
    assert_memory_equal (data, got, SIZE);
    assert_true (parts > 0);
    free (data);
    free (got);
    close (fd);
}

/*  Until neither the system nor the queue takes any more: so many writes. */
static size_t
fill (const char *data, size_t unit)
{
    size_t writes = 0, before;
    do {
        before = writes;
        for (int rounds = 0; rounds < 5; rounds++) {
            reactor_run (reactor, TIME_MS);
            while (stream_write (side.stream, data, unit) == 0)
                writes++;
        }
    } while (writes > before);
    return writes;
}

static void
output_is_bounded_and_room_is_told (void **state)
{
    (void) state;
    static char unit[10000];
    config.out_max = 100000;
    int fd = open_pair ();
    size_t sent = fill (unit, sizeof unit) * sizeof unit;
    assert_int_equal (stream_write (side.stream, unit, sizeof unit), WEFT_EAGAIN);
    assert_in_range (stream_queued (side.stream), 100000, 109999);
    side.drained = 0;
    reactor_run (reactor, TIME_MS);
    assert_int_equal (side.drained, 0);
    static char data[1 << 20];
    size_t have = 0;
    while (have < sent) {
        ssize_t count = recv (fd, data, sizeof data, MSG_DONTWAIT);
        have += count > 0 ? (size_t) count : 0;
        reactor_run (reactor, TIME_MS);
    }
    run_until (was_drained);
    assert_int_equal (side.drained, 1);
    close (fd);
}

static void
the_last_write_may_go_over_the_bound (void **state)
{
    (void) state;
    config.out_max = 10;
    int fd = open_pair ();
    assert_int_equal (stream_write (side.stream, "0123456789ABCDEF", 16), 0);
    assert_int_equal (stream_write (side.stream, "x", 1), WEFT_EAGAIN);
    char text[16];
    reactor_run (reactor, 0);
    assert_int_equal (recv (fd, text, 16, MSG_WAITALL), 16);
    close (fd);
}

/*  Of a full queue, and whose reader has sent its end before it is read: all of it, and the last words behind. */
static void
last_words_get_through_a_full_queue (void **state)
{
    (void) state;
    static char unit[10000], data[7 + (1 << 20)];
    const struct stream_part words[] = { { "good", 4 }, { "bye", 3 } };
    config.out_max = 100000;
    int fd = open_pair ();
    size_t sent = fill (unit, sizeof unit) * sizeof unit;
    assert_int_equal (stream_write_parts (side.stream, words, 2), WEFT_EAGAIN);
    assert_int_equal (stream_write_last (side.stream, words, 2), 0);
    stream_finish (side.stream, reactor_now (reactor) + LIMIT);
    shutdown (fd, SHUT_WR);
    reactor_run (reactor, 20 * TIME_MS);
    size_t have = 0;
    ssize_t count;
    while ((count = recv (fd, data + 7, sizeof data - 7, MSG_DONTWAIT)) != 0) {
        have += count > 0 ? (size_t) count : 0;
        memmove (data, data + (count > 0 ? count : 0), 7);      /*  the last of all */
        reactor_run (reactor, TIME_MS);
    }
    assert_int_equal (have, sent + 7);
    assert_memory_equal (data, "goodbye", 7);
    run_until (is_closed);
    assert_int_equal (side.error, 0);
    assert_int_equal (side.unsent, 0);
    close (fd);
}

/*  What is dropped: whole units, numbered on. */
enum { UNIT = 1000 };
struct dropped {
    uint32_t count, next;
};

static void
count_dropped (void *arg, const void *data, size_t size)
{
    struct dropped *self = arg;
    uint32_t number;
    assert_int_equal (size % UNIT, 0);
    for (size_t at = 0; at < size; at += UNIT, self->count++, self->next = number + 1) {
        memcpy (&number, (const char *) data + at, sizeof number);
        assert_true (number >= self->next);
    }
}

/*  What arrives is a first part of the sequence, and a last one: between them are those that were dropped. */
static void
the_oldest_are_dropped_whole (void **state)
{
    (void) state;
    enum { MAX = 100000 };
    config.out_max = MAX;
    config.keep_marks = true;
    int fd = open_pair ();
    static char unit[UNIT];
    uint32_t number = 0, dropped = 0;
    struct dropped told = { 0 };
    for (; dropped < 300; number++) {
        memcpy (unit, &number, sizeof number);
        if (stream_write (side.stream, unit, UNIT) == WEFT_EAGAIN) {
            dropped += (uint32_t) stream_drop_oldest (side.stream, UNIT, count_dropped, &told);
            assert_true (stream_queued (side.stream) <= MAX - MAX / 4 + UNIT);
            assert_int_equal (stream_write (side.stream, unit, UNIT), 0);
        }
        if (number % 50 == 0)
            reactor_run (reactor, 0);
    }
    uint32_t expected = 0, missing = 0, found, have = 0;
    while (have < number - dropped) {
        struct pollfd poll_fd = { .fd = fd, .events = POLLIN };
        reactor_run (reactor, TIME_MS);
        while (poll (&poll_fd, 1, 0) == 1 && have < number - dropped) {
            size_t at = 0;
            while (at < UNIT) {
                ssize_t count = recv (fd, unit + at, UNIT - at, MSG_DONTWAIT);
                at += count > 0 ? (size_t) count : 0;
                reactor_run (reactor, 0);
            }
            memcpy (&found, unit, sizeof found);
            assert_true (found >= expected);
            missing += found - expected;
            expected = found + 1;
            have++;
        }
    }
    assert_int_equal (missing, dropped);
    assert_int_equal (told.count, dropped);
    assert_int_equal (expected, number);        /*  the newest are there */
    close (fd);
}

static void
what_is_kept_is_not_dropped (void **state)
{
    (void) state;
    config.out_max = 100 * UNIT;
    config.keep_marks = true;
    int fd = open_pair ();
    static char unit[UNIT];
    struct dropped told = { 0 };
    fill (unit, UNIT);
    size_t full = stream_queued (side.stream);
    stream_keep (side.stream);
    assert_int_equal (stream_drop_oldest (side.stream, UNIT, count_dropped, &told), 0);
    assert_int_equal (stream_queued (side.stream), full);
    while (stream_queued (side.stream) > 50 * UNIT) {
        char bytes[UNIT];
        recv (fd, bytes, sizeof bytes, MSG_DONTWAIT);
        reactor_run (reactor, 0);
    }
    size_t left = stream_queued (side.stream);
    for (uint32_t number = 1; number <= 3; number++) {
        memcpy (unit, &number, sizeof number);
        assert_int_equal (stream_write (side.stream, unit, UNIT), 0);
    }
    assert_int_equal (stream_drop_oldest (side.stream, UNIT, count_dropped, &told), 3);
    assert_int_equal (told.count, 3);
    assert_int_equal (told.next, 4);
    assert_int_equal (stream_queued (side.stream), left);
    close (fd);
}

/* ----------------------------------------------------------------- deadlines, ends */

static void
who_does_not_go_on_is_closed (void **state)
{
    (void) state;
    config.progress = 20 * TIME_MS;
    int fd = open_pair ();
    say_plain (fd, "whole");
    expect_got ("whole");
    reactor_run (reactor, 60 * TIME_MS);
    assert_int_equal (side.closed, 0);          /*  nothing is begun: it may be silent */
    side.need = 100;
    say_plain (fd, "begun");
    run_until (is_closed);
    assert_int_equal (side.error, WEFT_ETIMEOUT);
    assert_non_null (strstr (side.why, "not whole"));
    close (fd);
}

/*  A byte now and then does not move the deadline. */
static void
who_goes_on_byte_by_byte_is_closed (void **state)
{
    (void) state;
    config.progress = 50 * TIME_MS;
    int fd = open_pair ();
    side.need = 100000;
    for (int i = 0; i < 4000 && side.closed == 0; i++) {
        send (fd, "x", 1, MSG_NOSIGNAL);
        reactor_run (reactor, 5 * TIME_MS);
    }
    assert_int_equal (side.error, WEFT_ETIMEOUT);
    assert_non_null (strstr (side.why, "not whole"));
    close (fd);
}

static void
who_does_not_read_is_closed (void **state)
{
    (void) state;
    config.progress = 20 * TIME_MS;
    int fd = open_pair ();
    static char data[1 << 16];
    while (side.stream && side.closed == 0) {
        stream_write (side.stream, data, sizeof data);
        reactor_run (reactor, TIME_MS);
    }
    assert_int_equal (side.error, WEFT_ETIMEOUT);
    assert_true (side.unsent > 0);
    close (fd);
}

/*  The system has all of it, and the peer has no room. */
static void
who_does_not_read_what_has_left_us_is_closed (void **state)
{
    (void) state;
    config.progress = 50 * TIME_MS;
    int fd = open_pair (), small = 4096;
    static char data[100000];
    setsockopt (fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    assert_int_equal (stream_write (side.stream, data, sizeof data), 0);
    reactor_run (reactor, TIME_MS);
    assert_int_equal (stream_queued (side.stream), 0);
    run_until (is_closed);
    assert_int_equal (side.error, WEFT_ETIMEOUT);
    assert_int_equal (side.unsent, 0);
    close (fd);
}

static void
who_does_not_answer_our_end_is_closed (void **state)
{
    (void) state;
    config.progress = 20 * TIME_MS;
    int fd = open_pair ();
    assert_int_equal (stream_write (side.stream, "last", 4), 0);
    stream_finish (side.stream, TIME_FOREVER);
    run_until (is_closed);
    assert_int_equal (side.error, 0);
    assert_int_equal (side.unsent, 0);
    close (fd);
}

static void
who_is_idle_is_closed_if_that_is_wanted (void **state)
{
    (void) state;
    config.idle = 20 * TIME_MS;
    int fd = open_pair ();
    run_until (is_closed);
    assert_int_equal (side.error, WEFT_ETIMEOUT);
    assert_non_null (strstr (side.why, "nothing has passed"));
    close (fd);
}

static void
finishing_writes_all_and_waits_no_longer_than_it_may (void **state)
{
    (void) state;
    int fd = open_pair ();
    assert_int_equal (stream_write (side.stream, "last", 4), 0);
    stream_finish (side.stream, reactor_now (reactor) + LIMIT);
    assert_int_equal (stream_write (side.stream, "more", 4), WEFT_ESTATE);
    say_plain (fd, "nobody listens");
    reactor_run (reactor, 20 * TIME_MS);
    assert_int_equal (side.closed, 0);          /*  the peer has not sent its end */
    char text[16];
    assert_int_equal (recv (fd, text, sizeof text, 0), 4);
    assert_int_equal (recv (fd, text, sizeof text, 0), 0);
    close (fd);
    run_until (is_closed);
    assert_int_equal (side.error, 0);
    assert_int_equal (side.unsent, 0);

    fd = plain_connect ();
    side.closed = 0;
    run_until (is_open);
    stream_finish (side.stream, reactor_now (reactor) + 10 * TIME_MS);
    run_until (is_closed);
    close (fd);
}

/* ------------------------------------------------------------------- listening, caps */

static struct listener_counters
counted (void)
{
    struct listener_counters counters;
    listener_counters (listener, &counters);
    return counters;
}

static bool one_turned_away (void) { return counted ().turned_away == 1; }

static void
those_over_the_cap_are_turned_away (void **state)
{
    (void) state;
    config.max_peers = 1;
    int first = open_pair (), second = plain_connect ();
    char byte;
    run_until (one_turned_away);
    assert_true (recv (second, &byte, 1, 0) <= 0);
    close (second);
    close (first);
    run_until (has_ended);
    stream_close (side.stream, 0);
    run_until (is_closed);
    first = plain_connect ();
    run_until (is_open);
    assert_int_equal (counted ().accepted, 2);
    close (first);
}

static void
so_are_those_over_the_cap_of_their_host (void **state)
{
    (void) state;
    config.max_per_host = 1;
    int first = open_pair (), second = plain_connect ();
    run_until (one_turned_away);
    close (second);
    close (first);
}

static bool one_more (void) { return side.accepted == 2; }

static void
who_is_not_adopted_is_closed (void **state)
{
    (void) state;
    int first = open_pair (), second = plain_connect ();
    char byte;
    run_until (one_more);
    reactor_run (reactor, 0);
    assert_int_equal (recv (second, &byte, 1, 0), 0);
    assert_int_equal (side.closed, 0);
    close (first);
    close (second);
}

static void
a_network_is_for_those_who_say_so (void **state)
{
    (void) state;
    struct listener *open = NULL, *taken = NULL;
    assert_int_equal (listener_new (reactor, "*:0", &config, on_accepted, &side, &open), WEFT_EACCES);
    assert_says ("--insecure");
    config.insecure = true;
    assert_int_equal (listener_new (reactor, "*:0", &config, on_accepted, &side, &open), 0);
    int rc = listener_new (reactor, listener_address (open), &config, on_accepted, &side, &taken);
    assert_int_equal (rc, WEFT_EADDRINUSE);
    assert_says ("choose another port");
    assert_int_equal (listener_new (reactor, "192.0.2.1:0", &config, on_accepted, &side, &taken), WEFT_EADDR);
    assert_says ("this machine does not have that address");
    listener_destroy (&open);
}

/* --------------------------------------------------------------------------- dialling */

static int failures;

static void
on_failed (void *arg, const char *why)
{
    (void) arg;
    assert_non_null (strstr (why, "127.0.0.1:"));
    failures++;
}

static bool failed_twice (void) { return failures >= 2; }

static void
dials_until_somebody_is_there_and_again (void **state)
{
    (void) state;
    static struct side server;
    struct listener *probe;
    struct dialer *dialer;
    char address[ADDRESS_TEXT];
    failures = 0;
    assert_int_equal (listener_new (reactor, "127.0.0.1:0", &config, on_accepted, &server, &probe), 0);
    snprintf (address, sizeof address, "%s", listener_address (probe));
    listener_destroy (&probe);
    assert_int_equal (dialer_new (reactor, address, &config, on_accepted, on_failed, &side, &dialer), 0);
    run_until (failed_twice);
    assert_int_equal (side.accepted, 0);
    assert_int_equal (listener_new (reactor, address, &config, on_accepted, &server, &probe), 0);
    run_until (is_open);
    stream_close (side.stream, 0);
    run_until (is_closed);
    run_until (is_open);                        /*  it has dialled again */
    assert_int_equal (side.accepted, 2);
    dialer_stop (dialer);
    stream_close (side.stream, 0);
    side.closed = 0;
    run_until (is_closed);
    reactor_run (reactor, 30 * TIME_MS);
    assert_int_equal (side.accepted, 2);
    if (server.stream)
        stream_close (server.stream, 0);
    reactor_run (reactor, 0);
    dialer_destroy (&dialer);
    listener_destroy (&probe);
}

#define test(name) cmocka_unit_test_setup_teardown (name, setup, teardown)

int
main (void)
{
    const struct CMUnitTest tests[] = {
        test (takes_what_comes_and_keeps_what_is_left),
        test (a_pause_holds_input_back_and_loses_none),
        test (the_end_comes_with_what_was_left_and_can_wait),
        test (a_message_over_the_limit_ends_the_connection),
        test (a_cut_connection_is_told),
        test (a_cut_is_told_in_a_pause_too),
        test (writes_all_in_order_though_the_system_takes_parts),
        test (output_is_bounded_and_room_is_told),
        test (the_last_write_may_go_over_the_bound),
        test (last_words_get_through_a_full_queue),
        test (the_oldest_are_dropped_whole),
        test (what_is_kept_is_not_dropped),
        test (who_does_not_go_on_is_closed),
        test (who_goes_on_byte_by_byte_is_closed),
        test (who_does_not_read_is_closed),
        test (who_does_not_read_what_has_left_us_is_closed),
        test (who_does_not_answer_our_end_is_closed),
        test (who_is_idle_is_closed_if_that_is_wanted),
        test (finishing_writes_all_and_waits_no_longer_than_it_may),
        test (those_over_the_cap_are_turned_away),
        test (so_are_those_over_the_cap_of_their_host),
        test (who_is_not_adopted_is_closed),
        test (a_network_is_for_those_who_say_so),
        test (dials_until_somebody_is_there_and_again),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
