/*  test_datagram.c - UDP sockets against plain ones: sources, limits, what goes to whom, groups, what is held */

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/testing.h"

#include "core/address.h"
#include "core/clock.h"
#include "core/datagram_parts.h"
#include "core/error.h"
#include "core/stream.h"

#define LIMIT (20 * TIME_S)
enum { SIDES = 64 };

/*  What happened to one source. */
struct side {
    struct datagram_source *source;
    int got, drained, closed;
    size_t size;                    /*  of the last one         */
    char last[64], why[256];
};

static struct reactor *reactor;
static struct datagram *udp;
static struct datagram_config config;
static struct datagram_counters counters;
static struct side sides[SIDES];
static int opened, closed, got, told;
static bool full;                   /*  the owner has no room   */
static char words[512];             /*  told last               */
static int plain = -1;

/* --------------------------------------------------------------------- the owner */

static void *
on_opened (void *arg, struct datagram_source *source)
{
    assert_ptr_equal (arg, sides);
    if (opened == SIDES)
        return NULL;
    sides[opened].source = source;
    return &sides[opened++];
}

static int
on_data (void *arg, const unsigned char *data, size_t size)
{
    struct side *self = arg;
    if (full)
        return error_plain (WEFT_EAGAIN);
    self->got++;
    got++;
    self->size = size;
    snprintf (self->last, sizeof self->last, "%.*s", (int) size, (const char *) data);
    return 0;
}

static void
on_drained (void *arg)
{
    ((struct side *) arg)->drained++;
}

static void
on_closed (void *arg, const char *why)
{
    struct side *self = arg;
    snprintf (self->why, sizeof self->why, "%s", why);
    self->source = NULL;
    self->closed++;
    closed++;
}

static void
on_told (void *arg, const char *what)
{
    (void) arg;
    told++;
    snprintf (words, sizeof words, "%s", what);
}

static const struct datagram_handler handler = { on_opened, on_data, on_drained, on_closed, on_told };

/* ------------------------------------------------------------------- the plain side */

static int wanted;
static bool got_all (void) { return got >= wanted; }
static bool all_closed (void) { return closed >= wanted; }
static bool all_counted (void)
{
    datagram_counters (udp, &counters);
    return got + (int) (counters.limited + counters.oversize + counters.overrun) >= wanted;
}

static void
run_until (bool (*reached) (void), int count)
{
    int64_t end = clock_deadline (clock_system (), LIMIT);
    wanted = count;
    while (!reached ()) {
        if (clock_left (clock_system (), end) == 0)
            fail_msg ("waited in vain for %d; got %d, closed %d", wanted, got, closed);
        reactor_run (reactor, TIME_MS);
    }
}

/*  All that is put off is done. */
static void
run_once (void)
{
    for (int i = 0; i < 3; i++)
        reactor_run (reactor, 0);
}

static void
find (const char *text, struct sockaddr_storage *found)
{
    struct address address;
    assert_int_equal (address_parse (&address, text, false), 0);
    assert_int_equal (address_resolve (&address, found), 0);
}

/*  A plain socket from which all goes to `text`. */
static int
plain_to (const char *text)
{
    struct sockaddr_storage to;
    find (text, &to);
    int fd = socket (to.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_int_equal (connect (fd, (struct sockaddr *) &to, address_size (&to)), 0);
    return fd;
}

/*  A plain one that is bound, and its address. */
static int
plain_bound (const char *at, char text[ADDRESS_TEXT])
{
    struct sockaddr_storage address;
    socklen_t size = sizeof address;
    find (at, &address);
    int fd = socket (address.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    ((struct sockaddr_in *) (void *) &address)->sin_port = 0;
    assert_int_equal (bind (fd, (struct sockaddr *) &address, address_size (&address)), 0);
    getsockname (fd, (struct sockaddr *) &address, &size);
    address_text (&address, text);
    return fd;
}

static void
listen_at (const char *text)
{
    if (datagram_listen (reactor, text, &config, &handler, sides, &udp))
        fail_msg ("%s", weft_error ());
}

static void
say_to (int fd, const void *data, size_t size)
{
    assert_int_equal (send (fd, data, size, 0), size);
}

/*  What comes to the plain socket; -1: nothing is there. */
static ssize_t
heard (int fd, char *text, size_t size, int patience)
{
    struct pollfd in = { .fd = fd, .events = POLLIN };
    if (poll (&in, 1, patience) != 1)
        return -1;
    ssize_t count = recv (fd, text, size - 1, 0);
    if (count >= 0)
        text[count] = '\0';
    return count;
}

static int
write_to (struct datagram_source *source, const void *data, size_t size)
{
    const struct stream_part parts[] = { { data, size / 2 }, { (const char *) data + size / 2, size - size / 2 } };
    return datagram_write (source, parts, 2);
}

static int
setup (void **state)
{
    (void) state;
    memset (sides, 0, sizeof sides);
    opened = closed = got = told = 0;
    full = false;
    memset (&config, 0, sizeof config);
    config.in_max = 1000;
    config.max_sources = 1000;
    assert_int_equal (option_init (datagram_options, &config), 0);
    return reactor_new (&reactor);
}

static void
set (const char *name, const char *value)
{
    const struct option *option = option_find (datagram_options, name);
    assert_non_null (option);
    assert_int_equal (option_set (option, &config, value), 0);
}

static int
teardown (void **state)
{
    (void) state;
    for (int i = 0; i < opened; i++)
        if (sides[i].source)
            datagram_close (sides[i].source, "the end");
    if (udp) {
        datagram_stop (udp);
        run_until (all_closed, opened);
    }
    datagram_destroy (&udp);
    reactor_destroy (&reactor);
    option_free (datagram_options, &config);
    if (plain >= 0)
        close (plain);
    plain = -1;
    return 0;
}

/* ------------------------------------------------------------------------- sources */

static void
each_source_is_known_and_answered (void **state)
{
    (void) state;
    char text[64];
    listen_at ("127.0.0.1:0");
    int one = plain_to (datagram_address (udp)), two = plain_to (datagram_address (udp));
    say_to (one, "one", 3);
    run_until (got_all, 1);
    say_to (two, "two", 3);
    say_to (one, "", 0);
    run_until (got_all, 3);
    assert_int_equal (opened, 2);
    assert_int_equal (sides[0].got, 2);
    assert_int_equal (sides[0].size, 0);
    assert_string_equal (sides[1].last, "two");
    assert_int_equal (write_to (sides[1].source, "to two", 6), 0);
    assert_int_equal (write_to (sides[0].source, "to one", 6), 0);
    assert_int_equal (write_to (sides[0].source, "", 0), 0);
    run_once ();
    assert_int_equal (heard (one, text, sizeof text, 5000), 6);
    assert_string_equal (text, "to one");
    assert_int_equal (heard (one, text, sizeof text, 5000), 0);
    assert_int_equal (heard (two, text, sizeof text, 5000), 6);
    assert_string_equal (text, "to two");
    close (one);
    close (two);
}

static void
ipv6_is_the_same (void **state)
{
    (void) state;
    char text[64];
    if (datagram_listen (reactor, "[::1]:0", &config, &handler, sides, &udp))
        skip ();
    plain = plain_to (datagram_address (udp));
    say_to (plain, "six", 3);
    run_until (got_all, 1);
    assert_true (datagram_is_trusted (sides[0].source));
    assert_memory_equal (datagram_peer (sides[0].source), "[::1]:", 6);
    assert_int_equal (write_to (sides[0].source, "back", 4), 0);
    run_once ();
    assert_int_equal (heard (plain, text, sizeof text, 5000), 4);
}

static void
the_table_is_bounded_and_the_silent_go_first (void **state)
{
    (void) state;
    enum { MORE = 20 };
    int fds[MORE];
    config.max_sources = 4;
    listen_at ("127.0.0.1:0");
    plain = plain_to (datagram_address (udp));
    say_to (plain, "stays", 5);
    run_until (got_all, 1);
    for (int i = 0; i < MORE; i++) {
        fds[i] = plain_to (datagram_address (udp));
        say_to (fds[i], "x", 1);
        run_until (got_all, 2 * i + 2);
        say_to (plain, "stays", 5);
        run_until (got_all, 2 * i + 3);
        close (fds[i]);
    }
    datagram_counters (udp, &counters);
    assert_int_equal (opened, MORE + 1);
    assert_int_equal (counters.evicted, MORE + 1 - 4);
    assert_int_equal (sides[0].got, MORE + 1);
    assert_int_equal (sides[0].closed, 0);
    run_until (all_closed, MORE + 1 - 4);
    assert_int_equal (told, 1);
}

static void
who_is_silent_is_forgotten (void **state)
{
    (void) state;
    set ("idle", "1ms");
    listen_at ("127.0.0.1:0");
    plain = plain_to (datagram_address (udp));
    say_to (plain, "once", 4);
    run_until (all_closed, 1);
    say_to (plain, "again", 5);
    run_until (all_closed, 2);
    assert_int_equal (got, 2);
    assert_string_equal (sides[1].why, "it has been silent");
}

static void
a_source_over_its_rate_loses_what_is_over (void **state)
{
    (void) state;
    set ("rate", "1");
    set ("burst", "5");
    listen_at ("127.0.0.1:0");
    plain = plain_to (datagram_address (udp));
    int other = plain_to (datagram_address (udp));
    for (int i = 0; i < 50; i++)
        say_to (plain, "x", 1);
    run_until (all_counted, 50);
    assert_in_range (sides[0].got, 5, 5 + LIMIT / TIME_S);
    assert_int_equal (counters.limited, 50 - sides[0].got);
    say_to (other, "x", 1);
    run_until (all_counted, 51);
    assert_int_equal (sides[1].got, 1);
    assert_int_equal (told, 1);
    assert_non_null (strstr (words, "rate"));
    close (other);
}

/* -------------------------------------------------------------------------- limits */

static void
what_is_too_long_is_refused_and_counted (void **state)
{
    (void) state;
    static char body[DATAGRAM_MAX];
    listen_at ("127.0.0.1:0");
    plain = plain_to (datagram_address (udp));
    say_to (plain, body, 1000);
    say_to (plain, body, 1001);
    say_to (plain, body, sizeof body);
    run_until (all_counted, 3);
    assert_int_equal (got, 1);
    assert_int_equal (sides[0].size, 1000);
    assert_int_equal (counters.oversize, 2);
}

static void
the_longest_goes_both_ways (void **state)
{
    (void) state;
    static char body[DATAGRAM_MAX + 1], back[DATAGRAM_MAX + 2];
    config.in_max = 1 << 20;
    listen_at ("127.0.0.1:0");
    plain = plain_to (datagram_address (udp));
    say_to (plain, body, DATAGRAM_MAX);
    run_until (got_all, 1);
    assert_int_equal (sides[0].size, DATAGRAM_MAX);
    assert_int_equal (write_to (sides[0].source, body, DATAGRAM_MAX + 1), WEFT_EINVAL);
    assert_says ("carries 65507");
    assert_int_equal (write_to (sides[0].source, body, DATAGRAM_MAX), 0);
    run_once ();
    assert_int_equal (heard (plain, back, sizeof back, 5000), DATAGRAM_MAX);
}

static void
what_the_system_drops_is_counted (void **state)
{
    (void) state;
    set ("receive-buffer", "2K");
    listen_at ("127.0.0.1:0");
    plain = plain_to (datagram_address (udp));
    for (int i = 0; i < 1000; i++)
        say_to (plain, "x", 1);
    run_until (all_counted, 1000);
    assert_true (counters.overrun > 0);
    assert_int_equal (got + (int) counters.overrun, 1000);
}

/*  Whoever runs without privileges gets what the system allows, which is never this much. */
static void
a_receive_buffer_that_the_system_cuts_is_told_when_it_matters (void **state)
{
    (void) state;
    int sent = 0;
    bool privileged = geteuid () == 0;
    if (privileged && seteuid (65534) < 0)
        skip ();
    set ("receive-buffer", "1G");
    listen_at ("127.0.0.1:0");
    if (privileged)
        assert_int_equal (seteuid (0), 0);
    plain = plain_to (datagram_address (udp));
    for (counters.overrun = 0; counters.overrun == 0; sent++) {
        say_to (plain, "x", 1);
        datagram_counters (udp, &counters);
    }
    run_until (all_counted, sent);
    assert_non_null (strstr (words, "net.core.rmem_max"));
    assert_int_equal (told, 1);
}

static void
a_datagram_without_room_is_held_and_offered_again (void **state)
{
    (void) state;
    enum { COUNT = 200 };
    listen_at ("127.0.0.1:0");
    plain = plain_to (datagram_address (udp));
    full = true;
    set ("idle", "1ms");
    for (int i = 0; i < COUNT; i++)
        say_to (plain, "x", 1);
    run_once ();
    assert_int_equal (opened, 1);
    for (int i = 0; i < 10; i++)
        reactor_run (reactor, TIME_MS);
    assert_int_equal (got, 0);
    assert_int_equal (closed, 0);           /*  who is not heard is not silent */
    full = false;
    set ("idle", "1h");
    run_once ();
    assert_int_equal (got, 0);              /*  nobody has said that there is room */
    datagram_resume (udp);
    run_until (got_all, COUNT);
    assert_int_equal (got, COUNT);
}

static void
what_is_held_goes_on_when_its_source_is_closed (void **state)
{
    (void) state;
    listen_at ("127.0.0.1:0");
    plain = plain_to (datagram_address (udp));
    full = true;
    say_to (plain, "one", 3);
    run_once ();
    reactor_run (reactor, 5 * TIME_MS);
    assert_int_equal (opened, 1);
    full = false;
    datagram_close (sides[0].source, "gone");
    run_until (got_all, 1);
    assert_int_equal (opened, 2);
    assert_string_equal (sides[1].last, "one");
}

/*  On loopback the system takes all at once: so what is full is written out at once. */
static void
a_full_queue_goes_out_and_the_oldest_can_be_dropped (void **state)
{
    (void) state;
    static char body[1000];
    char back[1024];
    set ("out-queue", "4K");
    listen_at ("127.0.0.1:0");
    plain = plain_to (datagram_address (udp));
    say_to (plain, "x", 1);
    run_until (got_all, 1);
    for (int i = 0; i < 100; i++) {
        assert_int_equal (write_to (sides[0].source, body, sizeof body), 0);
        assert_false (datagram_is_full (sides[0].source));
    }
    while (heard (plain, back, sizeof back, 0) >= 0)
        continue;
    assert_int_equal (write_to (sides[0].source, "old", 3), 0);
    assert_int_equal (write_to (sides[0].source, body, sizeof body), 0);
    assert_int_equal (write_to (sides[0].source, "new", 3), 0);
    assert_int_equal (datagram_drop_oldest (sides[0].source, 50), 2);
    run_once ();
    assert_int_equal (heard (plain, back, sizeof back, 5000), 3);
    assert_string_equal (back, "new");
    assert_int_equal (heard (plain, back, sizeof back, 0), -1);
}

/*  The queue is that of all: who finds it full without having written to it hears of its end, too. */
static void
who_sees_the_queue_full_is_told_when_it_is_not (void **state)
{
    (void) state;
    set ("out-queue", "100");
    listen_at ("127.0.0.1:0");
    plain = plain_to (datagram_address (udp));
    say_to (plain, "x", 1);
    run_until (got_all, 1);
    close (plain);
    plain = plain_to (datagram_address (udp));
    say_to (plain, "y", 1);
    run_until (got_all, 2);
    assert_int_equal (opened, 2);
    udp->blocked = true;                    /*  which the system is not, on loopback */
    static char body[200];
    assert_int_equal (write_to (sides[0].source, body, sizeof body), 0);
    assert_true (datagram_is_full (sides[1].source));
    assert_int_equal (write_to (sides[0].source, body, sizeof body), WEFT_EAGAIN);
    for (int i = 0; i < 1000 && !(sides[0].drained && sides[1].drained); i++)
        reactor_run (reactor, TIME_MS);
    assert_int_equal (sides[0].drained, 1);
    assert_int_equal (sides[1].drained, 1);
    assert_false (datagram_is_full (sides[1].source));
}

/* --------------------------------------------------------------------- amplification */

static void
a_stranger_gets_no_more_than_it_has_paid_for (void **state)
{
    (void) state;
    static char body[4000];
    char back[4096];
    set ("trust", "none");
    set ("amplify", "3");
    listen_at ("127.0.0.1:0");
    plain = plain_to (datagram_address (udp));
    size_t in = 0, out = 0;
    for (int round = 0; round < 20; round++) {
        say_to (plain, body, (size_t) round * 40);
        in += (size_t) round * 40 + 28;
        run_until (got_all, round + 1);
        assert_false (datagram_is_trusted (sides[0].source));
        for (size_t size = 0; size < 900; size += 17)
            write_to (sides[0].source, body, size);
        run_once ();
        for (ssize_t count; (count = heard (plain, back, sizeof back, 0)) >= 0; )
            out += (size_t) count + 28;
        assert_in_range (out, 1, 3 * in);
    }
    assert_true (out > 2 * in);
    assert_int_equal (write_to (sides[0].source, body, 4000), WEFT_ELIMIT);
    datagram_counters (udp, &counters);
    assert_true (counters.withheld > 1);
    assert_int_equal (told, 1);
    assert_non_null (strstr (words, "--trust"));
}

static void
trust_is_by_network (void **state)
{
    (void) state;
    const struct { const char *trust; bool trusted; } cases[] = {
        { "none", false }, { "10.0.0.0/8", true }, { "127.0.0.0/8", true }, { "none 127.0.0.1", true },
        { "none 127.0.0.2", false }, { "none 127.0.0.2/31", false }, { "none 127.0.0.0/31", true },
        { "none 0.0.0.0/0", true }, { "none ::/0", true }, { "none 10.0.0.0/8", false } };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char copy[64], *save;
        snprintf (copy, sizeof copy, "%s", cases[i].trust);
        for (char *word = strtok_r (copy, " ", &save); word; word = strtok_r (NULL, " ", &save))
            set ("trust", word);
        listen_at ("127.0.0.1:0");
        plain = plain_to (datagram_address (udp));
        say_to (plain, "x", 1);
        run_until (got_all, 1);
        if (datagram_is_trusted (sides[0].source) != cases[i].trusted)
            fail_msg ("--trust %s", cases[i].trust);
        teardown (state);
        setup (state);
    }
}

static void
what_is_no_network_is_told (void **state)
{
    (void) state;
    const char *bad[] = { "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/-1", "10.0.0/8", "fd00::/129", "x", "",
                          "10.0.0.0/8x", "1234567890123456789012345678901234567890123456789012345678901234567890" };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        set ("trust", bad[i]);
        assert_int_equal (datagram_check (&config), WEFT_EINVAL);
        assert_says ("--trust");
        option_free (datagram_options, &config);
        option_init (datagram_options, &config);
    }
    const char *groups[] = { "10.0.0.1", "239.1.1", "239.1.1.1%interfaces-are-shorter", "", "ff02::1::" };
    for (size_t i = 0; i < sizeof groups / sizeof *groups; i++) {
        set ("group", groups[i]);
        assert_int_equal (datagram_check (&config), WEFT_EINVAL);
        assert_says ("--group");
        option_free (datagram_options, &config);
        option_init (datagram_options, &config);
    }
}

/* ------------------------------------------------------------------------- dialling */

static void
who_is_dialled_is_the_only_source (void **state)
{
    (void) state;
    char at[ADDRESS_TEXT], text[64];
    struct sockaddr_storage from;
    socklen_t size = sizeof from;
    plain = plain_bound ("127.0.0.1:1", at);
    assert_int_equal (datagram_dial (reactor, at, &config, &handler, sides, &udp), 0);
    assert_int_equal (opened, 1);
    assert_true (datagram_is_trusted (sides[0].source));
    assert_int_equal (write_to (sides[0].source, "hello", 5), 0);
    run_once ();
    assert_int_equal (recvfrom (plain, text, sizeof text, 0, (struct sockaddr *) &from, &size), 5);
    int stranger = plain_bound ("127.0.0.1:1", at);
    sendto (stranger, "stranger", 8, 0, (struct sockaddr *) &from, size);
    sendto (plain, "friend", 6, 0, (struct sockaddr *) &from, size);
    run_until (got_all, 1);
    assert_string_equal (sides[0].last, "friend");
    assert_int_equal (got, 1);
    close (stranger);
}

/*  So what it says late is not taken for something else. */
static void
who_was_dialled_and_closed_comes_anew_from_elsewhere (void **state)
{
    (void) state;
    char at[ADDRESS_TEXT], text[64];
    struct sockaddr_storage first, second;
    socklen_t size = sizeof first;
    plain = plain_bound ("127.0.0.1:1", at);
    assert_int_equal (datagram_dial (reactor, at, &config, &handler, sides, &udp), 0);
    write_to (sides[0].source, "one", 3);
    run_once ();
    assert_int_equal (recvfrom (plain, text, sizeof text, 0, (struct sockaddr *) &first, &size), 3);
    datagram_close (sides[0].source, "too late");
    run_until (all_closed, 1);
    assert_int_equal (opened, 2);
    write_to (sides[1].source, "two", 3);
    run_once ();
    assert_int_equal (recvfrom (plain, text, sizeof text, 0, (struct sockaddr *) &second, &size), 3);
    assert_true (memcmp (&first, &second, size) != 0);
    sendto (plain, "late", 4, 0, (struct sockaddr *) &first, size);
    sendto (plain, "now", 3, 0, (struct sockaddr *) &second, size);
    run_until (got_all, 1);
    assert_string_equal (sides[1].last, "now");
}

static bool was_told (void) { return told > 0; }
static bool all_opened (void) { return opened == 2; }

static void
what_cannot_be_opened_anew_is_tried_again (void **state)
{
    (void) state;
    char at[ADDRESS_TEXT], text[64];
    struct rlimit some, none;
    plain = plain_bound ("127.0.0.1:1", at);
    assert_int_equal (datagram_dial (reactor, at, &config, &handler, sides, &udp), 0);
    assert_int_equal (getrlimit (RLIMIT_NOFILE, &some), 0);
    none = some;
    none.rlim_cur = 3;
    setrlimit (RLIMIT_NOFILE, &none);
    datagram_close (sides[0].source, "too late");
    run_until (was_told, 0);
    setrlimit (RLIMIT_NOFILE, &some);
    assert_non_null (strstr (words, "tried again"));
    assert_int_equal (opened, 1);
    run_until (all_opened, 0);
    assert_int_equal (write_to (sides[1].source, "two", 3), 0);
    run_once ();
    assert_int_equal (recv (plain, text, sizeof text, 0), 3);
}

static bool was_unsent (void) { datagram_counters (udp, &counters); return counters.unsent > 0; }

static void
nobody_at_the_other_side_is_counted_and_no_end (void **state)
{
    (void) state;
    char at[ADDRESS_TEXT];
    int fd = plain_bound ("127.0.0.1:1", at);
    close (fd);
    assert_int_equal (datagram_dial (reactor, at, &config, &handler, sides, &udp), 0);
    for (int i = 0; i < 3; i++)
        assert_int_equal (write_to (sides[0].source, "hello", 5), 0);
    run_until (was_unsent, 1);
    assert_int_equal (closed, 0);
    assert_int_equal (told, 1);
    assert_non_null (strstr (words, "nobody listens there"));
    assert_int_equal (write_to (sides[0].source, "hello", 5), 0);
}

/* -------------------------------------------------------------------------- groups */

static void
a_group_is_heard_and_told (void **state)
{
    (void) state;
    char at[ADDRESS_TEXT], text[64];
    struct datagram *out = NULL;
    config.insecure = true;
    set ("interface", "lo");
    if (datagram_listen (reactor, "239.255.17.4:0", &config, &handler, sides, &udp))
        skip ();
    snprintf (at, sizeof at, "%s", datagram_address (udp));
    assert_memory_equal (at, "239.255.17.4:", 13);
    assert_int_equal (datagram_dial (reactor, at, &config, &handler, sides, &out), 0);
    write_to (sides[0].source, "to all", 6);
    run_until (got_all, 1);
    assert_string_equal (sides[1].last, "to all");
    write_to (sides[1].source, "back", 4);              /*  to the very sender */
    run_until (got_all, 2);
    assert_string_equal (sides[0].last, "back");
    snprintf (text, sizeof text, "%s", datagram_peer (sides[0].source));
    assert_string_equal (text, at);
    datagram_stop (out);
    datagram_close (sides[0].source, "");
    run_until (all_closed, 1);
    datagram_destroy (&out);
}

static void
what_can_be_reached_from_a_network_needs_the_word (void **state)
{
    (void) state;
    const char *open[] = { "0.0.0.0:0", "*:0", "239.1.1.1:0", "[::]:0" };
    for (size_t i = 0; i < sizeof open / sizeof *open; i++) {
        assert_int_equal (datagram_listen (reactor, open[i], &config, &handler, sides, &udp), WEFT_EACCES);
        assert_says ("--insecure");
    }
    assert_int_equal (datagram_dial (reactor, "127.0.0.1:0", &config, &handler, sides, &udp), WEFT_EENDPOINT);
    assert_memory_equal (weft_error (), "127.0.0.1:0: ", 13);
    assert_int_equal (datagram_listen (reactor, "tcp://127.0.0.1:0", &config, &handler, sides, &udp), WEFT_EENDPOINT);
    listen_at ("udp://127.0.0.1:0");
}

#define test(name) cmocka_unit_test_setup_teardown (name, setup, teardown)

int
main (void)
{
    const struct CMUnitTest tests[] = {
        test (each_source_is_known_and_answered),
        test (ipv6_is_the_same),
        test (the_table_is_bounded_and_the_silent_go_first),
        test (who_is_silent_is_forgotten),
        test (a_source_over_its_rate_loses_what_is_over),
        test (what_is_too_long_is_refused_and_counted),
        test (the_longest_goes_both_ways),
        test (what_the_system_drops_is_counted),
        test (a_receive_buffer_that_the_system_cuts_is_told_when_it_matters),
        test (a_datagram_without_room_is_held_and_offered_again),
        test (what_is_held_goes_on_when_its_source_is_closed),
        test (a_full_queue_goes_out_and_the_oldest_can_be_dropped),
        test (who_sees_the_queue_full_is_told_when_it_is_not),
        test (a_stranger_gets_no_more_than_it_has_paid_for),
        test (trust_is_by_network),
        test (what_is_no_network_is_told),
        test (who_is_dialled_is_the_only_source),
        test (who_was_dialled_and_closed_comes_anew_from_elsewhere),
        test (what_cannot_be_opened_anew_is_tried_again),
        test (nobody_at_the_other_side_is_counted_and_no_end),
        test (a_group_is_heard_and_told),
        test (what_can_be_reached_from_a_network_needs_the_word),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
