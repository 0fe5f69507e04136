/*  test_proxy.c - queue, forwarder and streamer between real sockets; capture; what goes wrong */

#include <pthread.h>

#include "core/context.h"
#include "tests/sockets.h"

#define OPTIONS "timeout=10s"

static weft_proxy_t *proxy;
static pthread_t thread;

static void *
run (void *arg)
{
    (void) arg;
    return (void *) (intptr_t) weft_proxy_run (proxy, -1);
}

static void
make_at (const char *kind, const char *hwm, const char *front, const char *back)
{
    proxy = weft_proxy_new (weft, kind);
    assert_non_null (proxy);
    if (hwm)
        assert_int_equal (weft_proxy_set (proxy, "hwm", hwm), 0);
    assert_int_equal (weft_proxy_attach (proxy, "front", front), 0);
    assert_int_equal (weft_proxy_attach (proxy, "back", back), 0);
}

static void
make (const char *kind, const char *hwm)
{
    make_at (kind, hwm, "tcp://127.0.0.1:0", "tcp://127.0.0.1:0");
}

static void
start (void)
{
    assert_int_equal (pthread_create (&thread, NULL, run, NULL), 0);
}

static void
stop (void)
{
    void *result;
    weft_proxy_stop (proxy);
    assert_int_equal (pthread_join (thread, &result), 0);
    assert_int_equal ((intptr_t) result, 0);
}

static weft_socket_t *
join_side (const char *pattern, const char *options, const char *side)
{
    return open_connected (pattern, options, weft_proxy_endpoint (proxy, side));
}

static void
queue_carries_requests_and_replies (void **state)
{
    (void) state;
    make ("queue", NULL);
    weft_socket_t *one = join_side ("req", OPTIONS, "front"), *two = join_side ("req", OPTIONS, "front");
    weft_socket_t *rep = join_side ("rep", OPTIONS, "back");
    start ();
    for (int i = 0; i < 3; i++) {
        assert_int_equal (send_text (one, "one", 0), 0);
        expect_text (rep, "one");
        assert_int_equal (send_text (two, "two", 0), 0);
        assert_int_equal (send_text (rep, "reply", 0), 0);
        expect_text (one, "reply");
        expect_text (rep, "two");
        assert_int_equal (send_text (rep, "reply", 0), 0);
        expect_text (two, "reply");
    }
    weft_close (&one);
    weft_close (&two);
    weft_close (&rep);
    stop ();
    weft_proxy_destroy (&proxy);
}

static void
queue_outlives_a_client_that_has_gone (void **state)
{
    (void) state;
    make ("queue", NULL);
    weft_socket_t *rep = join_side ("rep", "timeout=0", "back");
    weft_msg_t msg;
    weft_msg_init (&msg);
    for (int i = 0; i < 1000 && listener.lines == 0; i++) {     /*  until a reply was too late */
        weft_socket_t *req = join_side ("req", OPTIONS, "front");
        assert_int_equal (send_text (req, "request", 0), 0);
        for (int k = 0; k < 1000 && weft_recv (rep, &msg, 0) == WEFT_EAGAIN; k++)
            assert_int_equal (weft_proxy_run (proxy, 1), WEFT_ETIMEOUT);
        weft_close (&req);
        assert_int_equal (weft_proxy_run (proxy, 1), WEFT_ETIMEOUT);
        assert_int_equal (weft_send (rep, &msg, 0), 0);
        assert_int_equal (weft_proxy_run (proxy, 1), WEFT_ETIMEOUT);
    }
    assert_non_null (strstr (listener.last, "gone before its reply"));
    weft_close (&rep);
    weft_proxy_destroy (&proxy);
}

static void *
echo (void *arg)
{
    weft_msg_t msg;
    weft_msg_init (&msg);
    while (weft_recv (arg, &msg, 0) == 0 && weft_send (arg, &msg, 0) == 0)
        ;
    weft_msg_clear (&msg);
    return NULL;
}

static struct wire *
raw (enum wire_type type, const char *side)
{
    struct wire *wire;
    struct wire_options options;
    wire_options_init (&options);
    options.send_hwm = options.recv_hwm = 10;
    assert_int_equal (context_open (weft, type, &options, &wire), 0);
    assert_int_equal (attach_wire (wire, weft_proxy_endpoint (proxy, side), ENDPOINT_CONNECT), 0);
    return wire;
}

/*  A client that asks and asks, and reads no reply until nobody takes a request any more. */
static void
queue_holds_replies_that_find_no_room (void **state)
{
    (void) state;
    make_at ("queue", "10", "inproc://front", "inproc://back");
    weft_socket_t *rep = join_side ("rep", OPTIONS " hwm=10 until-gone=yes", "back");
    struct wire *dealer = raw (WIRE_DEALER, "front"), *idle = raw (WIRE_DEALER, "front");
    pthread_t server;
    start ();
    assert_int_equal (pthread_create (&server, NULL, echo, rep), 0);
    int sent = 0;
    while (sent < 1000 && say (dealer, "|body", 200 * TIME_MS) == 0)
        sent++;
    assert_in_range (sent, 10, 200);
    for (int i = 0; i < sent; i++)
        assert_string_equal (hear (dealer, 10 * TIME_S), "|body");
    stop ();
    weft_proxy_destroy (&proxy);
    assert_int_equal (pthread_join (server, NULL), 0);
    context_close (weft, &dealer);
    context_close (weft, &idle);
    weft_close (&rep);
}

static void
nothing_is_taken_that_cannot_be_handed_on (void **state)
{
    (void) state;
    make_at ("streamer", NULL, "inproc://front", "inproc://back");
    weft_socket_t *push = join_side ("push", OPTIONS, "front");
    assert_int_equal (send_text (push, "work", 0), 0);
    assert_int_equal (weft_proxy_run (proxy, 50), WEFT_ETIMEOUT);
    weft_proxy_destroy (&proxy);
    assert_int_equal (listener.lines, 0);                   /*  no word of anything undelivered */
    weft_close (&push);
}

/*  A client that reads nothing is waited for a while, and then costs the others nothing. */
static void
queue_gives_up_a_client_that_does_not_read (void **state)
{
    (void) state;
    enum { ASKED = 100 };
    proxy = weft_proxy_new (weft, "queue");
    assert_int_equal (weft_proxy_set (proxy, "hwm", "10"), 0);
    assert_int_equal (weft_proxy_set (proxy, "reply-timeout", "1s"), 0);
    assert_int_equal (weft_proxy_attach (proxy, "front", "inproc://front"), 0);
    assert_int_equal (weft_proxy_attach (proxy, "back", "inproc://back"), 0);
    weft_socket_t *rep = join_side ("rep", OPTIONS " hwm=10 until-gone=yes", "back");
    weft_socket_t *req = join_side ("req", OPTIONS, "front");
    struct wire *dealer = raw (WIRE_DEALER, "front");
    pthread_t server;
    start ();
    assert_int_equal (pthread_create (&server, NULL, echo, rep), 0);
    assert_int_equal (send_text (req, "first", 0), 0);
    expect_text (req, "first");             /*  somebody else is there, to be held up */
    for (int i = 0; i < ASKED; i++)
        assert_int_equal (say (dealer, "|deaf", 10 * TIME_S), 0);
    assert_int_equal (send_text (req, "patient", 0), 0);
    expect_text (req, "patient");
    bool again = false;                     /*  what finds room arrives, from a client that reads again */
    for (int i = 0; i < 100 && !again; i++) {
        assert_int_equal (say (dealer, "|again", 10 * TIME_S), 0);
        const char *text = hear (dealer, 100 * TIME_MS);
        for (; *text == '|' && !again; text = again ? text : hear (dealer, 100 * TIME_MS))
            again = strcmp (text, "|again") == 0;
    }
    assert_true (again);
    stop ();
    weft_counters_t counters;
    assert_int_equal (weft_proxy_counters (proxy, "front", &counters), 0);
    assert_in_range (counters.dropped, ASKED / 10, ASKED);
    assert_int_equal (listener.lines, 1);
    assert_non_null (strstr (listener.last, "reply-timeout"));
    weft_proxy_destroy (&proxy);
    assert_int_equal (pthread_join (server, NULL), 0);
    context_close (weft, &dealer);
    weft_close (&rep);
    weft_close (&req);
}

static void
forwarder_refuses_long_topics (void **state)
{
    (void) state;
    make ("forwarder", NULL);
    weft_socket_t *pub = join_side ("pub", OPTIONS, "front");
    struct wire *xsub = raw (WIRE_XSUB, "back");
    weft_msg_t msg;
    weft_msg_init (&msg);
    start ();
    memset (weft_msg_reserve (&msg, 247), 1, 247);
    assert_int_equal (wire_send (xsub, &msg, 0), 0);
    weft_msg_add (&msg, "\1short", 6);
    assert_int_equal (wire_send (xsub, &msg, 0), 0);
    assert_int_equal (weft_wait_peers (pub, 1, 10000), 0);
    assert_int_equal (counters_of (pub).subscriptions, 1);
    assert_int_equal (send_text (pub, "shorter", 0), 0);
    assert_string_equal (hear (xsub, 10 * TIME_S), "shorter");
    context_close (weft, &xsub);
    weft_close (&pub);
    stop ();
    weft_proxy_destroy (&proxy);
}

static void
forwarder_passes_subscriptions_back (void **state)
{
    (void) state;
    make ("forwarder", NULL);
    weft_socket_t *pub = join_side ("pub", OPTIONS " wait-subs=2", "front");
    weft_socket_t *one = join_side ("sub", OPTIONS " topic=a", "back");
    weft_socket_t *two = join_side ("sub", OPTIONS " topic=a topic=ab", "back");
    start ();
    assert_int_equal (send_text (pub, "b", 0), 0);          /*  waits for both topics, through the proxy */
    assert_int_equal (send_text (pub, "ab", 0), 0);
    expect_text (one, "ab");
    expect_text (two, "ab");
    weft_close (&one);
    weft_close (&two);
    for (int i = 0; i < 10000 && counters_of (pub).subscriptions; i++) {
        weft_pollitem_t item = { .self = pub, .events = WEFT_IN };
        weft_poll (&item, 1, 1);
    }
    assert_int_equal (counters_of (pub).subscriptions, 0);
    weft_close (&pub);
    stop ();
    weft_proxy_destroy (&proxy);
}

enum { MANY = 20000 };

static void *
push_many (void *arg)
{
    weft_socket_t *push = arg;
    weft_msg_t msg;
    weft_msg_init (&msg);
    for (int i = 0; i < MANY; i++) {
        weft_msg_add (&msg, &i, sizeof i);
        weft_msg_add_str (&msg, "second frame");
        if (weft_send (push, &msg, 0))
            return "a send failed";
    }
    return NULL;
}

static void
streamer_loses_nothing_and_keeps_order (void **state)
{
    (void) state;
    make ("streamer", "10");
    weft_socket_t *push = join_side ("push", OPTIONS " hwm=10", "front");
    weft_socket_t *pull = join_side ("pull", OPTIONS " hwm=10", "back");
    start ();
    pthread_t pusher;
    weft_msg_t msg;
    weft_msg_init (&msg);
    assert_int_equal (pthread_create (&pusher, NULL, push_many, push), 0);
    for (int i = 0; i < MANY; i++) {
        assert_int_equal (weft_recv (pull, &msg, 0), 0);
        assert_int_equal (weft_msg_frames (&msg), 2);
        assert_memory_equal (weft_msg_data (&msg, 0), &i, sizeof i);
    }
    weft_msg_clear (&msg);
    void *words;
    pthread_join (pusher, &words);
    assert_null (words);
    weft_close (&push);
    weft_close (&pull);
    stop ();
    weft_proxy_destroy (&proxy);
}

static void
a_full_back_stops_the_front (void **state)
{
    (void) state;
    make_at ("streamer", "10", "inproc://front", "inproc://back");  /*  no kernel in between that takes some */
    weft_socket_t *push = join_side ("push", "timeout=200ms hwm=10", "front");
    start ();
    int fits = 0;
    while (fits < 1000 && send_text (push, "work", 0) == 0)
        fits++;
    assert_in_range (fits, 10, 50);                         /*  the queues of push and front: none was read */
    weft_socket_t *pull = join_side ("pull", OPTIONS, "back");
    for (int i = 0; i < fits; i++)
        expect_text (pull, "work");
    weft_close (&push);
    weft_close (&pull);
    stop ();
    weft_proxy_destroy (&proxy);
}

static void
capture_gets_a_copy (void **state)
{
    (void) state;
    make ("streamer", NULL);
    assert_int_equal (weft_proxy_attach (proxy, "capture", "inproc://capture"), 0);
    weft_socket_t *tap = join_side ("sub", OPTIONS, "capture");
    weft_socket_t *push = join_side ("push", OPTIONS, "front"), *pull = join_side ("pull", OPTIONS, "back");
    assert_int_equal (weft_proxy_run (proxy, 0), WEFT_ETIMEOUT);    /*  takes the tap's subscription in */
    start ();
    for (int i = 0; i < 3; i++) {
        assert_int_equal (send_text (push, "work", 0), 0);
        expect_text (pull, "work");
        expect_text (tap, "work");
    }
    weft_close (&push);
    weft_close (&pull);
    weft_close (&tap);
    stop ();
    weft_proxy_destroy (&proxy);
}

static void
a_tap_that_does_not_read_stalls_nothing (void **state)
{
    (void) state;
    make ("streamer", "10");
    assert_int_equal (weft_proxy_attach (proxy, "capture", "inproc://stalled"), 0);
    weft_socket_t *tap = join_side ("sub", OPTIONS " hwm=10", "capture");
    weft_socket_t *push = join_side ("push", OPTIONS, "front"), *pull = join_side ("pull", OPTIONS, "back");
    start ();
    for (int i = 0; i < 1000; i++) {
        assert_int_equal (send_text (push, "work", 0), 0);
        expect_text (pull, "work");
    }
    weft_close (&push);
    weft_close (&pull);
    weft_close (&tap);
    stop ();
    weft_proxy_destroy (&proxy);
}

static void
stopping_and_time_limits (void **state)
{
    (void) state;
    make ("queue", NULL);
    assert_int_equal (weft_proxy_run (proxy, 1), WEFT_ETIMEOUT);
    weft_proxy_stop (proxy);
    assert_int_equal (weft_proxy_run (proxy, -1), 0);       /*  stopped before it ran  */
    assert_int_equal (weft_proxy_run (proxy, 1), WEFT_ETIMEOUT);    /*  and can run again */
    weft_proxy_destroy (&proxy);
    weft_proxy_destroy (&proxy);
}

static void
bad_calls_say_so (void **state)
{
    (void) state;
    assert_null (weft_proxy_new (weft, "fifo"));
    assert_says ("streamer");
    proxy = weft_proxy_new (weft, "queue");
    assert_int_equal (weft_proxy_set (proxy, "hwmm", "1"), WEFT_EINVAL);
    assert_says ("hwm");
    assert_int_equal (weft_proxy_set (proxy, "hwm", "many"), WEFT_EINVAL);
    assert_int_equal (weft_proxy_attach (proxy, "left", "inproc://x"), WEFT_EINVAL);
    assert_says ("capture");
    assert_int_equal (weft_proxy_attach (proxy, "front", "inproc://x,nonsense"), WEFT_EENDPOINT);
    assert_string_equal (weft_proxy_endpoint (proxy, "front"), "");
    assert_int_equal (weft_proxy_attach (proxy, "front", "inproc://x"), 0);
    assert_int_equal (weft_proxy_set (proxy, "hwm", "1"), WEFT_ESTATE);
    assert_int_equal (weft_proxy_run (proxy, 0), WEFT_ESTATE);
    assert_says ("back");
    weft_proxy_destroy (&proxy);
}

#define test(name) cmocka_unit_test_setup_teardown (name, zmq_setup, zmq_teardown)

int
main (void)
{
    const struct CMUnitTest tests[] = {
        test (queue_carries_requests_and_replies),
        test (queue_outlives_a_client_that_has_gone),
        test (queue_holds_replies_that_find_no_room),
        test (queue_gives_up_a_client_that_does_not_read),
        test (nothing_is_taken_that_cannot_be_handed_on),
        test (forwarder_refuses_long_topics),
        test (forwarder_passes_subscriptions_back),
        test (streamer_loses_nothing_and_keeps_order),
        test (a_full_back_stops_the_front),
        test (capture_gets_a_copy),
        test (a_tap_that_does_not_read_stalls_nothing),
        test (stopping_and_time_limits),
        test (bad_calls_say_so),
    };
    return cmocka_run_group_tests_name ("proxy", tests, NULL, NULL);
}
