/*  test_wire_mem.c - the engine in memory: its clock, its faults, and that a client can be
 *  tested with them (what it shares with libzmq is in test_wire.c) */

#include "tests/testing.h"

#include "core/context.h"
#include "tests/wire_mem.h"

#define PLACE "tcp://127.0.0.1:1"
#define OTHER "tcp://127.0.0.1:2"

static int
set_up (void **state)
{
    *state = mem_new ();
    return 0;
}

static int
tear_down (void **state)
{
    mem_destroy ((struct mem **) state);
    return 0;
}

#define assert_time(net, seconds) assert_int_equal (clock_now (mem_clock (net)), (seconds) * TIME_S)

/*  Takes the next event, which must be of that kind. */
static void
expect (struct wire *wire, enum wire_event_kind kind)
{
    struct wire_event event;
    assert_int_equal (wire_next_event (wire, &event), 1);
    assert_int_equal (event.kind, kind);
    assert_true (strlen (event.endpoint) > 0);
}

static void
expect_nothing (struct wire *wire)
{
    struct wire_event event;
    assert_int_equal (wire_next_event (wire, &event), 0);
}

/*  A PUSH (connects) and a PULL (binds), with their events taken. */
static void
two (struct mem *net, struct wire **push, struct wire **pull)
{
    *pull = mem_open (net, WIRE_PULL, PLACE);
    *push = mem_open (net, WIRE_PUSH, ">" PLACE);
    expect (*pull, WIRE_LISTENING);
    expect (*pull, WIRE_CONNECTED);
    expect (*push, WIRE_CONNECTED);
}

static void
close_two (struct wire *a, struct wire *b)
{
    wire_close (&a);
    wire_close (&b);
}

/* -------------------------------------------------------------------- time */

static void
a_wait_takes_no_real_time (void **state)
{
    struct wire *push, *pull;
    two (*state, &push, &pull);
    assert_time (*state, 1);
    assert_string_equal (hear (pull, 3600 * TIME_S), weft_strerror (WEFT_ETIMEOUT));
    assert_time (*state, 3601);
    assert_int_equal (wire_wait (pull, WEFT_IN, TIME_S), 0);
    assert_time (*state, 3602);
    assert_string_equal (hear (pull, 0), weft_strerror (WEFT_EAGAIN));
    assert_time (*state, 3602);
    close_two (push, pull);
}

static void
what_would_never_end_is_an_error (void **state)
{
    struct wire *push, *pull;
    two (*state, &push, &pull);
    assert_string_equal (hear (pull, TIME_FOREVER), weft_strerror (WEFT_ESTATE));
    assert_says ("wait for ever");
    assert_int_equal (wire_wait (pull, WEFT_IN, TIME_FOREVER), WEFT_ESTATE);
    int rc = 0;             /*  nor may slices go on for ever */
    for (int i = 0; i < 20000 && rc == 0; i++)
        rc = wire_wait (pull, WEFT_IN, TIME_MS);
    assert_int_equal (rc, WEFT_ESTATE);
    close_two (push, pull);
}

static void
note (struct mem *net, void *arg)
{
    char *text = arg;
    snprintf (text + strlen (text), 32, "%d ", (int) (clock_now (mem_clock (net)) / TIME_S));
}

static void
note_and_repeat (struct mem *net, void *arg)
{
    note (net, arg);
    if (strlen (arg) < 8)
        mem_after (net, 2 * TIME_S, note_and_repeat, arg);
}

static void
timers_run_in_order (void **state)
{
    char text[64] = "";
    mem_after (*state, 5 * TIME_S, note, text);
    mem_after (*state, 1 * TIME_S, note_and_repeat, text);
    mem_after (*state, 99 * TIME_S, note, text);
    mem_run (*state, 10 * TIME_S);
    assert_string_equal (text, "2 4 6 6 ");
    assert_time (*state, 11);
}

/* ------------------------------------------------------------------ faults */

static void
lost (void **state)
{
    struct wire *push, *pull;
    two (*state, &push, &pull);
    mem_lose (*state, OTHER, MEM_BOTH_WAYS, 9);
    mem_lose (*state, PLACE, MEM_TO_CONNECTER, 9);
    mem_lose (*state, PLACE, MEM_TO_BINDER, 2);
    for (int i = 0; i < 2; i++)
        assert_int_equal (say (push, "lost", 0), 0);
    assert_int_equal (say (push, "kept", 0), 0);
    assert_string_equal (hear (pull, TIME_S), "kept");
    assert_string_equal (hear (pull, TIME_S), weft_strerror (WEFT_ETIMEOUT));
    close_two (push, pull);
}

static void
repeated (void **state)
{
    struct wire *push, *pull;
    two (*state, &push, &pull);
    mem_repeat (*state, NULL, MEM_BOTH_WAYS, 1);
    say (push, "a", 0);
    say (push, "b", 0);
    assert_string_equal (hear (pull, 0), "a");
    assert_string_equal (hear (pull, 0), "a");
    assert_string_equal (hear (pull, 0), "b");
    assert_string_equal (hear (pull, 0), weft_strerror (WEFT_EAGAIN));
    close_two (push, pull);
}

static void
late (void **state)
{
    struct wire *push, *pull;
    two (*state, &push, &pull);
    mem_delay (*state, PLACE, MEM_TO_BINDER, 1, 3 * TIME_S);
    say (push, "late", 0);
    say (push, "behind it", 0);
    assert_string_equal (hear (pull, 2 * TIME_S), weft_strerror (WEFT_ETIMEOUT));
    assert_string_equal (hear (pull, 2 * TIME_S), "late");
    assert_time (*state, 4);
    assert_string_equal (hear (pull, 0), "behind it");
    close_two (push, pull);
}

static void
cut_and_healed (void **state)
{
    struct wire *push, *pull;
    two (*state, &push, &pull);
    say (push, "arrived", 0);
    mem_delay (*state, PLACE, MEM_TO_BINDER, 1, TIME_S);
    say (push, "under way", 0);
    mem_cut (*state, PLACE);
    expect (pull, WIRE_DISCONNECTED);
    expect (push, WIRE_DISCONNECTED);
    expect (push, WIRE_RETRYING);
    expect_nothing (pull);
    expect_nothing (push);
    assert_int_equal (pull->peers, 0);
    say (push, "after", 0);
    assert_string_equal (hear (pull, 5 * TIME_S), "arrived");
    assert_string_equal (hear (pull, 5 * TIME_S), weft_strerror (WEFT_ETIMEOUT));
    mem_heal (*state, PLACE);
    expect (pull, WIRE_CONNECTED);
    expect (push, WIRE_CONNECTED);
    assert_string_equal (hear (pull, 5 * TIME_S), "after");
    assert_string_equal (hear (pull, 5 * TIME_S), weft_strerror (WEFT_ETIMEOUT));
    close_two (push, pull);
}

static void
refused (void **state)
{
    struct wire_event event;
    mem_refuse (*state, PLACE, "not on the list");
    struct wire *pull = mem_open (*state, WIRE_PULL, PLACE), *push = mem_open (*state, WIRE_PUSH, ">" PLACE);
    assert_int_equal (wire_next_event (push, &event), 1);
    assert_int_equal (event.kind, WIRE_REJECTED);
    assert_string_equal (event.text, "not on the list");
    assert_false (event.incompatible);
    expect (pull, WIRE_LISTENING);
    expect (pull, WIRE_REJECTED);
    mem_heal (*state, NULL);
    expect (push, WIRE_CONNECTED);
    close_two (push, pull);
}

static void
a_peer_that_comes_back_is_joined_again (void **state)
{
    struct wire *push, *pull;
    two (*state, &push, &pull);
    wire_close (&pull);
    expect (push, WIRE_DISCONNECTED);
    expect (push, WIRE_RETRYING);
    assert_int_equal (say (push, "waits", 0), 0);
    pull = mem_open (*state, WIRE_PULL, "tcp://*:1");       /*  any address is that one too */
    expect (push, WIRE_CONNECTED);
    assert_string_equal (hear (pull, 0), "waits");
    close_two (push, pull);
}

static void
a_subscriber_says_again_what_it_wants (void **state)
{
    struct wire *pub = mem_open (*state, WIRE_XPUB, PLACE), *sub = mem_open (*state, WIRE_SUB, ">" PLACE);
    sub->engine->subscribe (sub, "a", 1);
    assert_string_equal (hear (pub, 0), "\\x01a");
    mem_cut (*state, PLACE);
    assert_string_equal (hear (pub, 0), "\\x00a");
    mem_heal (*state, PLACE);
    assert_string_equal (hear (pub, 0), "\\x01a");
    say (pub, "abc", 0);
    assert_string_equal (hear (sub, 0), "abc");
    close_two (pub, sub);
}

/*  Who closes with linger hands over what is under way; without, it is lost. */
static void
lingering (void **state)
{
    for (int linger = 0; linger < 2; linger++) {
        struct wire *push, *pull;
        two (*state, &push, &pull);
        push->options.linger = linger * TIME_S;
        mem_delay (*state, PLACE, MEM_TO_BINDER, 1, TIME_S);
        say (push, "x", 0);
        wire_close (&push);
        assert_string_equal (hear (pull, 2 * TIME_S), linger ? "x" : weft_strerror (WEFT_ETIMEOUT));
        wire_close (&pull);
    }
}

/*  An XSUB's subscriptions are messages, and what else it sends goes to the XPUB. */
static void
upstream (void **state)
{
    struct wire *pub = mem_open (*state, WIRE_XPUB, PLACE), *sub = mem_open (*state, WIRE_XSUB, ">" PLACE);
    say (sub, "\1t", 0);
    say (sub, "hello", 0);
    assert_string_equal (hear (pub, 0), "\\x01t");
    assert_string_equal (hear (pub, 0), "hello");
    say (pub, "topic", 0);
    say (pub, "other", 0);
    assert_string_equal (hear (sub, 0), "topic");
    assert_string_equal (hear (sub, 0), weft_strerror (WEFT_EAGAIN));
    close_two (pub, sub);
}

static void
a_name_is_kept_or_taken_over (void **state)
{
    for (int handover = 0; handover < 2; handover++) {
        struct wire *router = mem_open (*state, WIRE_ROUTER, PLACE), *first, *second;
        struct wire_options options;
        weft_t *weft = context_new (&wire_mem, mem_clock (*state));
        wire_options_init (&options);
        strcpy (options.identity, "name");
        router->options.handover = handover;
        assert_int_equal (context_open (weft, WIRE_DEALER, &options, &first), 0);
        assert_int_equal (context_open (weft, WIRE_DEALER, &options, &second), 0);
        attach_wire (first, PLACE, ENDPOINT_CONNECT);
        attach_wire (second, PLACE, ENDPOINT_CONNECT);
        say (router, "name|x", 0);
        assert_string_equal (hear (handover ? second : first, 0), "x");
        assert_string_equal (hear (handover ? first : second, 0), weft_strerror (WEFT_EAGAIN));
        context_close (weft, &first);
        context_close (weft, &second);
        wire_close (&router);
        assert_int_equal (weft_destroy (&weft), 0);
    }
}

/*  What a closed wire should have delivered is told at the end. */
static void
undelivered (void **state)
{
    weft_t *weft = context_new (&wire_mem, mem_clock (*state));
    struct wire_options options;
    struct wire *push;
    wire_options_init (&options);
    assert_int_equal (context_open (weft, WIRE_PUSH, &options, &push), 0);
    assert_int_equal (attach_wire (push, PLACE, ENDPOINT_CONNECT), 0);
    assert_int_equal (say (push, "x", 0), 0);
    context_close (weft, &push);
    assert_int_equal (weft_destroy (&weft), WEFT_ETIMEOUT);
}

/* ------------------------------------------- the use: a pattern that retries */

/*  A client of two servers that gives each try a second. */
static weft_socket_t *
client (weft_t *weft, const char *endpoints)
{
    weft_socket_t *req = weft_open (weft, "req");
    if (!req || weft_set (req, "timeout", "1s") || weft_set (req, "retries", "2") || weft_attach (req, endpoints))
        fail_msg ("%s", weft_error ());
    return req;
}

static void
ask (weft_socket_t *req, const char *question)
{
    weft_msg_t msg;
    message_of_text (&msg, question);
    if (weft_send (req, &msg, 0) || weft_recv (req, &msg, 0))
        fail_msg ("%s", weft_error ());
    assert_string_equal (text_of_message (&msg), question);
    weft_msg_clear (&msg);
}

static void
the_second_server_answers_and_the_late_one_is_discarded (void **state)
{
    struct wire *first = mem_open (*state, WIRE_ROUTER, PLACE), *second = mem_open (*state, WIRE_ROUTER, OTHER);
    weft_t *weft = context_new (&wire_mem, mem_clock (*state));
    weft_socket_t *req = client (weft, PLACE "," OTHER);
    weft_counters_t counters;
    mem_serve (first, mem_echo, NULL);
    mem_serve (second, mem_echo, NULL);
    mem_delay (*state, PLACE, MEM_TO_CONNECTER, 1, 3 * TIME_S);
    ask (req, "hello");
    mem_run (*state, 5 * TIME_S);
    ask (req, "again");
    weft_counters (req, &counters);
    assert_int_equal (counters.retries, 1);
    assert_int_equal (counters.late, 1);
    assert_int_equal (second->counters.received, 1);
    weft_close (&req);
    close_two (first, second);
    assert_int_equal (weft_destroy (&weft), 0);
}

static void
bring_back (struct mem *net, void *arg)
{
    (void) arg;
    mem_heal (net, PLACE);
}

static void
a_server_that_is_gone_for_a_while (void **state)
{
    struct wire *server = mem_open (*state, WIRE_ROUTER, PLACE);
    weft_t *weft = context_new (&wire_mem, mem_clock (*state));
    weft_socket_t *req = client (weft, PLACE);
    weft_counters_t counters;
    mem_serve (server, mem_echo, NULL);
    ask (req, "before");
    mem_cut (*state, PLACE);
    mem_after (*state, 1500 * TIME_MS, bring_back, NULL);
    ask (req, "after");
    assert_in_range (clock_now (mem_clock (*state)), 2500 * TIME_MS, 4 * TIME_S);
    weft_counters (req, &counters);
    assert_int_equal (counters.connects, 2);
    assert_int_equal (counters.disconnects, 1);
    weft_close (&req);
    wire_close (&server);
    assert_int_equal (weft_destroy (&weft), 0);
}

#define in_a_network(test) cmocka_unit_test_setup_teardown (test, set_up, tear_down)

int
main (void)
{
    const struct CMUnitTest tests[] = {
        in_a_network (a_wait_takes_no_real_time),
        in_a_network (what_would_never_end_is_an_error),
        in_a_network (timers_run_in_order),
        in_a_network (lost),
        in_a_network (repeated),
        in_a_network (late),
        in_a_network (cut_and_healed),
        in_a_network (refused),
        in_a_network (a_peer_that_comes_back_is_joined_again),
        in_a_network (a_subscriber_says_again_what_it_wants),
        in_a_network (lingering),
        in_a_network (upstream),
        in_a_network (a_name_is_kept_or_taken_over),
        in_a_network (undelivered),
        in_a_network (the_second_server_answers_and_the_late_one_is_discarded),
        in_a_network (a_server_that_is_gone_for_a_while),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
