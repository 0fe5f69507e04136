/*  test_stream_tls.c - streams in TLS, a listener's and a dialer's, and plain sockets that do not speak it */

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/testing.h"

#include "core/clock.h"
#include "core/error.h"
#include "core/stream.h"
#include "tests/certificates.h"
#include "tests/folder.h"

#define LIMIT (20 * TIME_S)
enum { SERVER, CLIENT, SIDES };

/*  What happened to one end of the one connection of a test. */
struct side {
    struct stream *stream;
    struct buffer got;
    size_t need;                    /*  takes nothing before so much is there                   */
    size_t pause_after;             /*  bytes; 0: never                                         */
    int ended, closed, error, opened;
    size_t unsent;
    char why[256];
};

static struct reactor *reactor;
static struct listener *listener;
static struct dialer *dialer;
static struct stream_config config[SIDES];
static struct side sides[SIDES];
static char files[4][256], refused[512], failed[512];
static int refusals, failures;

/* --------------------------------------------------------------------- the owner */

static int64_t
on_data (void *arg, struct stream *stream, const unsigned char *data, size_t size)
{
    struct side *self = arg;
    if (size < self->need)
        return 0;
    size_t left = self->pause_after - buffer_size (&self->got);
    size_t take = self->pause_after && left < size ? left : size;
    assert_int_equal (buffer_add (&self->got, data, take), 0);
    if (take < size || (self->pause_after && left == size))
        stream_pause (stream);
    return (int64_t) take;
}

static int
on_ended (void *arg, struct stream *stream, const unsigned char *data, size_t size)
{
    struct side *self = arg;
    (void) stream, (void) data, (void) size;
    self->ended++;
    return 0;
}

static void
on_closed (void *arg, struct stream *stream, int error, const char *why, size_t unsent)
{
    struct side *self = arg;
    (void) stream;
    self->closed++;
    self->error = error;
    self->unsent = unsent;
    snprintf (self->why, sizeof self->why, "%s", why);
    self->stream = NULL;
}

static const struct stream_handler handler = { on_data, on_ended, NULL, on_closed };

static void
on_stream (void *arg, struct stream *stream)
{
    struct side *self = arg;
    self->opened++;
    if (self->stream)
        return;
    self->stream = stream;
    stream_adopt (stream, &handler, self);
}

static void
on_refused (void *arg, const char *why)
{
    (void) arg;
    refusals++;
    snprintf (refused, sizeof refused, "%s", why);
}

static void
on_failed (void *arg, const char *why)
{
    (void) arg;
    failures++;
    snprintf (failed, sizeof failed, "%s", why);
}

/* ---------------------------------------------------------------------- a test's room */

static void
run_until (bool (*reached) (void))
{
    int64_t end = clock_deadline (clock_system (), LIMIT);
    while (!reached ()) {
        if (clock_left (clock_system (), end) == 0)
            fail_msg ("waited in vain; refused \"%s\", failed \"%s\", closed \"%s\" \"%s\"", refused, failed,
                      sides[SERVER].why, sides[CLIENT].why);
        reactor_run (reactor, TIME_MS);
    }
}

static bool are_open (void) { return sides[SERVER].stream && sides[CLIENT].stream; }
static bool server_open (void) { return sides[SERVER].stream != NULL; }
static bool are_closed (void) { return sides[SERVER].closed && sides[CLIENT].closed; }
static bool server_closed (void) { return sides[SERVER].closed > 0; }
static bool server_ended (void) { return sides[SERVER].ended > 0; }
static bool was_refused (void) { return refusals > 0; }
static bool has_failed (void) { return failures > 0; }

static size_t wanted[SIDES];
static bool
got_all (void)
{
    return buffer_size (&sides[SERVER].got) >= wanted[SERVER] && buffer_size (&sides[CLIENT].got) >= wanted[CLIENT];
}

static char *
file (int which, const char *name)
{
    snprintf (files[which], sizeof files[which], "%s", folder_path (name));
    return files[which];
}

static int
setup (void **state)
{
    (void) state;
    refusals = failures = 0;
    for (int side = 0; side < SIDES; side++) {
        sides[side] = (struct side) { 0 };
        config[side] = (struct stream_config) { .in_max = 1 << 20, .out_max = 1 << 20, .progress = 30 * TIME_S,
                                                .connect_timeout = 10 * TIME_S, .reconnect = TIME_MS,
                                                .reconnect_max = 10 * TIME_MS, .tls.on = true };
    }
    config[SERVER].tls.cert = file (0, "server.pem");
    config[SERVER].tls.key = file (1, "server.key");
    config[CLIENT].tls.ca = file (2, "ca.pem");
    return reactor_new (&reactor);
}

static void
close_side (struct side *side)
{
    if (side->stream)
        stream_close (side->stream, 0);
}

static int
teardown (void **state)
{
    (void) state;
    if (dialer)
        dialer_stop (dialer);
    close_side (&sides[SERVER]);
    close_side (&sides[CLIENT]);
    reactor_run (reactor, 0);
    reactor_run (reactor, 0);
    dialer_destroy (&dialer);
    listener_destroy (&listener);
    reactor_destroy (&reactor);
    buffer_free (&sides[SERVER].got);
    buffer_free (&sides[CLIENT].got);
    return 0;
}

static int
group_setup (void **state)
{
    (void) state;
    certificates_begin ();
    certificates_issue ("server", "IP:127.0.0.1", -60, CERTIFICATE_DAY);
    return 0;
}

static int
group_teardown (void **state)
{
    (void) state;
    certificates_end ();
    return 0;
}

static void
listen_here (void)
{
    if (listener_new (reactor, "127.0.0.1:0", &config[SERVER], on_stream, &sides[SERVER], &listener))
        fail_msg ("%s", weft_error ());
    listener_on_failed (listener, on_refused);
}

static void
dial_there (void)
{
    int rc = dialer_new (reactor, listener_address (listener), &config[CLIENT], on_stream, on_failed, &sides[CLIENT],
                         &dialer);
    if (rc)
        fail_msg ("%s", weft_error ());
}

static void
open_both (void)
{
    listen_here ();
    dial_there ();
    run_until (are_open);
}

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

static void
expect (const char *said, const char *text)
{
    if (!strstr (said, text))
        fail_msg ("\"%s\" does not say \"%s\"", said, text);
}

static void
expect_got (int side, const void *data, size_t size)
{
    assert_int_equal (buffer_size (&sides[side].got), size);
    assert_memory_equal (buffer_data (&sides[side].got), data, size);
}

/* ------------------------------------------------------------------------ bytes, ends */

static void
bytes_go_both_ways_and_ends_are_in_order (void **state)
{
    (void) state;
    open_both ();
    assert_int_equal (stream_write (sides[CLIENT].stream, "question", 8), 0);
    wanted[SERVER] = 8;
    wanted[CLIENT] = 0;
    run_until (got_all);
    stream_finish (sides[CLIENT].stream, reactor_now (reactor) + LIMIT);
    run_until (server_ended);
    assert_int_equal (stream_write (sides[SERVER].stream, "too late", 8), 0);       /*  half closed, not broken */
    stream_finish (sides[SERVER].stream, reactor_now (reactor) + LIMIT);
    run_until (are_closed);
    for (int side = 0; side < SIDES; side++) {
        assert_string_equal (sides[side].why, "");
        assert_int_equal (sides[side].error, 0);
        assert_int_equal (sides[side].unsent, 0);
    }
    expect_got (SERVER, "question", 8);
}

/*  Much more than all buffers hold, both ways at once. */
static void
much_goes_both_ways_though_readers_are_slow (void **state)
{
    (void) state;
    enum { SIZE = 24 << 20, UNIT = 10000, STEP = 300000 };
    static uint32_t data[SIZE / sizeof (uint32_t)];
    size_t written[SIDES] = { 0 }, most = 0;
    for (uint32_t i = 0; i < SIZE / sizeof *data; i++)
        data[i] = i * 2654435761u;
    open_both ();
    sides[SERVER].pause_after = sides[CLIENT].pause_after = STEP;
    int64_t end = clock_deadline (clock_system (), 3 * LIMIT);
    wanted[SERVER] = wanted[CLIENT] = SIZE;
    while (!got_all ()) {
        for (int side = 0; side < SIDES; side++) {
            size_t unit = SIZE - written[side] < UNIT ? SIZE - written[side] : UNIT;
            while (unit && stream_write (sides[side].stream, (char *) data + written[side], unit) == 0) {
                written[side] += unit;
                unit = SIZE - written[side] < UNIT ? SIZE - written[side] : UNIT;
            }
            size_t queued = stream_queued (sides[side].stream);
            most = queued > most ? queued : most;
            if (buffer_size (&sides[side].got) == sides[side].pause_after) {
                sides[side].pause_after += STEP;
                stream_resume (sides[side].stream);
            }
        }
        if (clock_left (clock_system (), end) == 0)
            fail_msg ("got %zu and %zu", buffer_size (&sides[SERVER].got), buffer_size (&sides[CLIENT].got));
        reactor_run (reactor, 0);
    }
    expect_got (SERVER, data, SIZE);
    expect_got (CLIENT, data, SIZE);
    assert_in_range (most, 1 << 20, (1 << 20) + 2 * 65536 + UNIT);
}

static void
a_pause_stops_the_sender (void **state)
{
    (void) state;
    static char unit[10000];
    open_both ();
    stream_pause (sides[SERVER].stream);
    for (int rounds = 0; rounds < 50; rounds++) {
        reactor_run (reactor, TIME_MS);
        while (stream_write (sides[CLIENT].stream, unit, sizeof unit) == 0)
            rounds = 0;
    }
    assert_int_equal (buffer_size (&sides[SERVER].got), 0);
    assert_true (stream_is_full (sides[CLIENT].stream));
}

static void
a_connection_that_is_cut_off_has_not_ended (void **state)
{
    (void) state;
    open_both ();
    assert_int_equal (stream_write (sides[CLIENT].stream, "whole", 5), 0);
    reactor_run (reactor, 0);
    stream_close (sides[CLIENT].stream, 0);
    run_until (server_closed);
    expect_got (SERVER, "whole", 5);
    assert_int_equal (sides[SERVER].ended, 0);
    assert_int_equal (sides[SERVER].error, WEFT_ENOPEER);
    expect (sides[SERVER].why, "without TLS's own end");
}

/*  Whole messages are missing, and no more than were dropped: what TLS has under way is not touched. */
static void
the_oldest_are_dropped_whole (void **state)
{
    (void) state;
    enum { UNIT = 1000, MAX = 100000 };
    static char unit[UNIT];
    config[SERVER].out_max = MAX;
    config[SERVER].keep_marks = true;
    open_both ();
    stream_pause (sides[CLIENT].stream);
    uint32_t number = 0, dropped = 0;
    for (; dropped < 300; number++) {
        memcpy (unit, &number, sizeof number);
        if (stream_write (sides[SERVER].stream, unit, UNIT) == WEFT_EAGAIN) {
            dropped += (uint32_t) stream_drop_oldest (sides[SERVER].stream, UNIT, NULL, NULL);
            assert_int_equal (stream_write (sides[SERVER].stream, unit, UNIT), 0);
        }
        if (number % 50 == 0)
            reactor_run (reactor, 0);
    }
    wanted[SERVER] = 0;
    wanted[CLIENT] = (size_t) (number - dropped) * UNIT;
    stream_resume (sides[CLIENT].stream);
    run_until (got_all);
    uint32_t expected = 0, missing = 0, found;
    for (size_t at = 0; at < wanted[CLIENT]; at += UNIT) {
        memcpy (&found, buffer_data (&sides[CLIENT].got) + at, sizeof found);
        assert_true (found >= expected);
        missing += found - expected;
        expected = found + 1;
    }
    assert_int_equal (missing, dropped);
    assert_int_equal (expected, number);
}

/*  A client of whose bytes the test decides when they go. */
static struct tls *
shake_by_hand (int fd, struct tls_context *context)
{
    struct tls *tls;
    assert_int_equal (tls_new (context, fd, &tls), 0);
    while (tls_handshake (tls) == WEFT_EAGAIN || buffer_size (tls_wire (tls))) {
        struct buffer *wire = tls_wire (tls);
        ssize_t count = send (fd, buffer_data (wire), buffer_size (wire), MSG_NOSIGNAL);
        buffer_consume (wire, count > 0 ? (size_t) count : 0);
        reactor_run (reactor, TIME_MS);
    }
    return tls;
}

static void
who_sends_a_record_byte_by_byte_is_closed (void **state)
{
    (void) state;
    struct tls_context *context;
    config[SERVER].progress = 100 * TIME_MS;
    listen_here ();
    int fd = plain_connect ();
    assert_int_equal (fcntl (fd, F_SETFL, O_NONBLOCK), 0);
    assert_int_equal (tls_context_new (&config[CLIENT].tls, false, "127.0.0.1", NULL, &context), 0);
    struct tls *tls = shake_by_hand (fd, context);
    run_until (server_open);
    reactor_run (reactor, 150 * TIME_MS);
    assert_int_equal (sides[SERVER].closed, 0);         /*  nothing is begun: it may be silent */
    static char text[4096];
    assert_int_equal (tls_write (tls, text, sizeof text), 0);
    for (size_t at = 0; at < 4000 && sides[SERVER].closed == 0; at++) {
        send (fd, buffer_data (tls_wire (tls)) + at, 1, MSG_NOSIGNAL);
        reactor_run (reactor, 5 * TIME_MS);
    }
    assert_int_equal (sides[SERVER].error, WEFT_ETIMEOUT);
    expect (sides[SERVER].why, "not whole");
    tls_destroy (&tls);
    tls_context_destroy (&context);
    close (fd);
}

/* -------------------------------------------------------------------------- handshakes */

static void
clear_text_is_refused_in_words (void **state)
{
    (void) state;
    listen_here ();
    int fd = plain_connect ();
    assert_int_equal (send (fd, "GET / HTTP/1.0\r\n\r\n", 18, MSG_NOSIGNAL), 18);
    run_until (was_refused);
    expect (refused, "127.0.0.1:");
    expect (refused, "HTTP in clear text");
    assert_int_equal (sides[SERVER].opened, 0);
    close (fd);
}

/*  However it goes on: byte by byte does not help. */
static void
a_handshake_has_its_time (void **state)
{
    (void) state;
    config[SERVER].connect_timeout = 100 * TIME_MS;
    listen_here ();
    int fd = plain_connect ();
    const unsigned char head[] = { 0x16, 3, 1, 0, 200, 1, 0, 0, 196, 3, 3 };
    for (size_t sent = 0; refusals == 0; sent++) {
        send (fd, sent < sizeof head ? &head[sent] : &head[2], 1, MSG_NOSIGNAL);
        reactor_run (reactor, 5 * TIME_MS);
    }
    expect (refused, "handshake was not done in time");
    assert_int_equal (sides[SERVER].opened, 0);
    close (fd);
}

static void
those_at_the_handshake_count_for_the_caps (void **state)
{
    (void) state;
    struct listener_counters counters = { 0 };
    config[SERVER].max_peers = 1;
    listen_here ();
    int silent = plain_connect (), second = plain_connect ();
    while (counters.turned_away == 0) {
        reactor_run (reactor, TIME_MS);
        listener_counters (listener, &counters);
    }
    char byte;
    assert_int_equal (recv (second, &byte, 1, 0), 0);
    close (second);
    close (silent);
    run_until (was_refused);
    listener_counters (listener, &counters);
    assert_int_equal (counters.refused, 1);
    assert_int_equal (counters.accepted, 0);
}

static void
a_listener_may_end_while_hands_are_shaken (void **state)
{
    (void) state;
    listen_here ();
    int fds[3];
    for (int i = 0; i < 3; i++)
        fds[i] = plain_connect ();
    dial_there ();
    reactor_run (reactor, 0);
    dialer_destroy (&dialer);
    listener_destroy (&listener);
    for (int i = 0; i < 3; i++)
        close (fds[i]);
}

static void
a_dialer_tells_what_is_wrong_and_tries_again (void **state)
{
    (void) state;
    config[CLIENT].tls.name = file (3, "other");
    listen_here ();
    dial_there ();
    run_until (has_failed);
    expect (failed, "127.0.0.1:");
    expect (failed, "its certificate is not for");
    failures = 0;
    run_until (has_failed);
    assert_int_equal (sides[CLIENT].opened, 0);
}

static void
tls_is_refused_by_who_speaks_clear_text (void **state)
{
    (void) state;
    config[SERVER].tls = (struct tls_config) { .on = false };
    sides[SERVER].need = 10000;
    listen_here ();
    dial_there ();
    run_until (server_closed);
    assert_int_equal (sides[SERVER].error, WEFT_EPROTO);
    expect (sides[SERVER].why, "it speaks TLS, and here is clear text");
    run_until (has_failed);
    expect (failed, "in the middle of TLS's handshake");
    assert_int_equal (sides[CLIENT].opened, 0);
}

static void
with_tls_a_network_may_be_listened_to (void **state)
{
    (void) state;
    struct listener *open = NULL;
    int rc = listener_new (reactor, "*:0", &config[SERVER], on_stream, &sides[SERVER], &open);
    assert_int_equal (rc, 0);
    listener_destroy (&open);
}

#define test(name) cmocka_unit_test_setup_teardown (name, setup, teardown)

int
main (void)
{
    const struct CMUnitTest tests[] = {
        test (bytes_go_both_ways_and_ends_are_in_order),
        test (much_goes_both_ways_though_readers_are_slow),
        test (a_pause_stops_the_sender),
        test (a_connection_that_is_cut_off_has_not_ended),
        test (the_oldest_are_dropped_whole),
        test (who_sends_a_record_byte_by_byte_is_closed),
        test (clear_text_is_refused_in_words),
        test (a_handshake_has_its_time),
        test (those_at_the_handshake_count_for_the_caps),
        test (a_listener_may_end_while_hands_are_shaken),
        test (a_dialer_tells_what_is_wrong_and_tries_again),
        test (tls_is_refused_by_who_speaks_clear_text),
        test (with_tls_a_network_may_be_listened_to),
    };
    return cmocka_run_group_tests (tests, group_setup, group_teardown);
}
