/*  test_wire_zmq_subscribe.c - subscriptions of an XPUB: each counted once, limits kept, strangers cut off */

#include "tests/testing.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/wire.h"

#define WAIT (10 * TIME_S)

static void *context;
static struct wire *pub, *subs[4];
static char notice[512];

static int
set_up (void **state)
{
    (void) state;
    pub = NULL;
    memset (subs, 0, sizeof subs);
    notice[0] = '\0';
    return wire_zmq.context_new (&context);
}

static int
tear_down (void **state)
{
    (void) state;
    for (size_t i = 0; i < sizeof subs / sizeof *subs; i++)
        wire_close (&subs[i]);
    wire_close (&pub);
    return wire_zmq.context_destroy (&context);
}

static void
open_pub (bool verbose, int64_t limit)
{
    struct wire_options options;
    wire_options_init (&options);
    options.linger = 0;
    options.verbose = verbose;
    options.max_subscriptions = limit;
    assert_int_equal (wire_zmq.open (context, WIRE_XPUB, &options, &pub), 0);
    assert_int_equal (attach_wire (pub, "tcp://127.0.0.1:0", ENDPOINT_BIND), 0);
}

static void
open_sub (int index)
{
    struct wire_options options;
    wire_options_init (&options);
    options.send_hwm = 0;
    options.reconnect = options.reconnect_max = 3600 * TIME_S;      /*  who is cut off stays away */
    assert_int_equal (wire_zmq.open (context, WIRE_SUB, &options, &subs[index]), 0);
    assert_int_equal (attach_wire (subs[index], pub->bound, ENDPOINT_CONNECT), 0);
}

static void
subscribe (int index, const char *topic)
{
    assert_int_equal (subs[index]->engine->subscribe (subs[index], topic, strlen (topic)), 0);
}

static void
pump (void)
{
    struct wire_event event;
    while (wire_next_event (pub, &event) == 1)
        if (event.kind == WIRE_NOTICE)
            snprintf (notice, sizeof notice, "%s", event.text);
}

/*  The next change, as "+topic" or "-topic". */
static const char *
change (int64_t timeout)
{
    static char text[512];
    weft_msg_t msg;
    weft_msg_init (&msg);
    int rc = wire_recv (pub, &msg, timeout);
    if (rc)
        strcpy (text, "none");
    else
        snprintf (text, sizeof text, "%c%.*s", *(char *) weft_msg_data (&msg, 0) ? '+' : '-',
                  (int) weft_msg_size (&msg, 0) - 1, (char *) weft_msg_data (&msg, 0) + 1);
    weft_msg_clear (&msg);
    return text;
}

#define assert_change(what) assert_string_equal (change (WAIT), what)
#define assert_no_change() assert_string_equal (change (20 * TIME_MS), "none")

/*  Takes changes in until so many subscriptions hold; how many there were at most. */
static int
settle (int wanted)
{
    int count = 0, most = 0;
    for (const char *text = ""; count != wanted && strcmp (text, "none") != 0;) {
        text = change (WAIT);
        count += *text == '+' ? 1 : *text == '-' ? -1 : 0;
        most = count > most ? count : most;
    }
    return most;
}

/* ----------------------------------------------------------- each counted once */

static void
each_subscriber_counts_once (void **state)
{
    (void) state;
    open_pub (true, 0);
    open_sub (0);
    open_sub (1);
    subscribe (0, "a");
    assert_change ("+a");
    subscribe (0, "a");             /*  libzmq's SUB tells it again, but will tell its end once */
    subscribe (0, "b");
    assert_change ("+b");
    subscribe (1, "a");
    assert_change ("+a");
    wire_close (&subs[1]);
    assert_change ("-a");
    assert_no_change ();
    wire_close (&subs[0]);
    const char *first = change (WAIT);
    assert_true (strcmp (first, "-a") == 0 || strcmp (first, "-b") == 0);
    assert_string_equal (change (WAIT), first[1] == 'b' ? "-a" : "-b");
    assert_no_change ();
}

static void
a_topic_is_told_once_unless_verbose (void **state)
{
    (void) state;
    open_pub (false, 0);
    open_sub (0);
    open_sub (1);
    subscribe (0, "a");
    assert_change ("+a");
    subscribe (1, "a");
    subscribe (1, "b");
    assert_change ("+b");
    wire_close (&subs[0]);
    assert_no_change ();
    subs[1]->engine->unsubscribe (subs[1], "b", 1);
    assert_change ("-b");
    wire_close (&subs[1]);
    assert_change ("-a");
    assert_no_change ();
}

/* ------------------------------------------------------------------- limits */

static bool
hears (int index, const char *text)
{
    weft_msg_t msg;
    weft_msg_init (&msg);
    assert_int_equal (weft_msg_add_str (&msg, text), 0);
    assert_int_equal (wire_send (pub, &msg, 0), 0);
    int rc = wire_recv (subs[index], &msg, 5 * TIME_S);
    bool heard = rc == 0 && weft_msg_size (&msg, 0) == strlen (text);
    weft_msg_clear (&msg);
    return heard;
}

/*  The greedy one loses all that it had; the other keeps what it has. */
static void
who_wants_too_much_is_cut_off (void **state)
{
    (void) state;
    open_pub (true, 5);
    open_sub (0);
    subscribe (0, "modest");
    assert_change ("+modest");
    open_sub (1);
    for (int i = 0; i < 20; i++) {
        char topic[24];
        snprintf (topic, sizeof topic, "greedy%d", i);
        subscribe (1, topic);
    }
    for (int i = 0; i < 5; i++)
        assert_memory_equal (change (WAIT), "+greedy", 7);
    for (int i = 0; i < 5; i++)
        assert_memory_equal (change (WAIT), "-greedy", 7);
    assert_no_change ();
    pump ();
    assert_int_equal (pub->peers, 1);
    assert_true (pub->counters.refused > 0);
    assert_non_null (strstr (notice, "max-subscriptions"));
    assert_true (hears (0, "modest"));
}

static void
long_topics_are_passed_over (void **state)
{
    char topic[400];
    (void) state;
    open_pub (true, 10);
    open_sub (0);
    memset (topic, 'x', sizeof topic);
    topic[300] = '\0';
    subscribe (0, topic);
    topic[245] = '\0';
    subscribe (0, topic);
    subscribe (0, "short");
    assert_int_equal (strlen (change (WAIT)), 246);
    assert_change ("+short");
    assert_int_equal (pub->counters.refused, 1);
    pump ();
    assert_non_null (strstr (notice, "300 bytes"));
    wire_close (&subs[0]);
    assert_int_equal (*change (WAIT), '-');
    assert_int_equal (*change (WAIT), '-');
    assert_no_change ();
}

/*  Those that are passed over count, too: libzmq keeps them. */
static void
long_topics_are_limited (void **state)
{
    char topic[301];
    (void) state;
    open_pub (true, 5);
    open_sub (0);
    memset (topic, 'x', sizeof topic);
    topic[300] = '\0';
    for (int i = 0; i < 10; i++) {
        topic[0] = (char) ('a' + i);
        subscribe (0, topic);
    }
    for (pump (); !strstr (notice, "cut off"); pump ())
        assert_string_equal (change (20 * TIME_MS), "none");
}

/* ------------------------------------------------- a peer that breaks the rules */

static void
put (int fd, const void *data, size_t size)
{
    assert_int_equal (send (fd, data, size, MSG_NOSIGNAL), size);
}

static void
put_frame (int fd, char flags, const char *data, size_t size)
{
    char head[2] = { flags, (char) size };
    put (fd, head, sizeof head);
    put (fd, data, size);
}

/*  ZMTP 3.0, RFC 23: a SUB that says what it likes. */
static int
connect_raw (void)
{
    static const char ready[] = "\5READY\13Socket-Type\0\0\0\3SUB";
    char greeting[64] = { (char) 0xff }, answer[256];
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl (INADDR_LOOPBACK) };
    address.sin_port = htons ((uint16_t) atoi (strrchr (pub->bound, ':') + 1));
    int fd = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal (connect (fd, (struct sockaddr *) &address, sizeof address), 0);
    greeting[9] = 0x7f;
    greeting[10] = 3;
    strcpy (greeting + 12, "NULL");
    put (fd, greeting, sizeof greeting);
    assert_int_equal (recv (fd, answer, 64, MSG_WAITALL), 64);
    put_frame (fd, 4, ready, sizeof ready - 1);
    assert_true (recv (fd, answer, sizeof answer, 0) > 0);         /*  its READY */
    return fd;
}

static void
who_takes_back_what_it_had_not_changes_nothing (void **state)
{
    (void) state;
    open_pub (true, 3);
    open_sub (0);
    subscribe (0, "a");
    assert_change ("+a");
    int fd = connect_raw ();
    put_frame (fd, 0, "\0a", 2);
    put_frame (fd, 0, "\0b", 2);
    put_frame (fd, 0, "\1c", 2);
    assert_change ("+c");
    assert_true (hears (0, "a"));
    close (fd);
    assert_change ("-c");
    assert_no_change ();
}

/*  Nor does that make room for more. */
static void
what_was_not_had_is_not_counted_down (void **state)
{
    (void) state;
    char byte;
    open_pub (true, 3);
    int fd = connect_raw ();
    for (char topic = 'a'; topic < 'f'; topic++) {
        put_frame (fd, 0, (char[]) { 1, topic }, 2);
        put_frame (fd, 0, (char[]) { 0, 'x' }, 2);
    }
    assert_int_equal (settle (3), 3);
    assert_string_equal (change (WAIT)[0] == '-' ? "-" : "+", "-");
    while (recv (fd, &byte, 1, 0) > 0)
        continue;                   /*  the end */
    close (fd);
}

static void
what_is_no_subscription_is_refused (void **state)
{
    (void) state;
    open_pub (true, 3);
    int fd = connect_raw ();
    put_frame (fd, 0, "hello", 5);
    put_frame (fd, 0, "", 0);
    put_frame (fd, 1, "x", 1);              /*  libzmq takes the second frame for one all the same */
    put_frame (fd, 0, "\1that", 5);
    assert_change ("+that");
    assert_int_equal (pub->counters.refused, 3);
    close (fd);
    assert_change ("-that");
    assert_no_change ();
}

#define TEST(name) cmocka_unit_test_setup_teardown (name, set_up, tear_down)

int
main (void)
{
    const struct CMUnitTest tests[] = {
        TEST (each_subscriber_counts_once), TEST (a_topic_is_told_once_unless_verbose),
        TEST (who_wants_too_much_is_cut_off), TEST (long_topics_are_passed_over), TEST (long_topics_are_limited),
        TEST (who_takes_back_what_it_had_not_changes_nothing), TEST (what_was_not_had_is_not_counted_down),
        TEST (what_is_no_subscription_is_refused),
    };
    return cmocka_run_group_tests_name ("wire_zmq_subscribe", tests, NULL, NULL);
}
