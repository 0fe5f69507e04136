/*  test_publish.c - pub and sub: topics, waiting for subscriptions, drops that are counted, no-drop */

#include "core/poll.h"
#include "tests/sockets.h"
#include "tests/wire_mem.h"

#define ONE "tcp://127.0.0.1:1"
#define TWO "tcp://127.0.0.1:2"

static void
topics_choose (void **state)
{
    (void) state;
    weft_socket_t *pub = open_bound ("pub", NULL, ONE);
    weft_socket_t *some = open_connected ("sub", "topic=a.b topic=c", ONE);
    weft_socket_t *all = open_connected ("sub", NULL, ONE);
    assert_int_equal (weft_wait_peers (pub, 3, 1000), 0);
    static const char *const texts[] = { "a", "a.b", "a.bc", "b", "c" };
    for (int i = 0; i < 5; i++)
        assert_int_equal (send_text (pub, texts[i], 0), 0);
    for (int i = 0; i < 5; i++)
        expect_text (all, texts[i]);
    expect_text (some, "a.b");
    expect_text (some, "a.bc");
    expect_text (some, "c");
    expect_error (some, WEFT_EAGAIN, WEFT_DONTWAIT);
    assert_int_equal (counters_of (pub).sent, 5);
    assert_int_equal (counters_of (pub).received, 0);
    assert_int_equal (counters_of (pub).dropped, 0);
    weft_close (&pub);
    weft_close (&some);
    weft_close (&all);
}

static void
a_topic_can_be_added_later (void **state)
{
    (void) state;
    weft_socket_t *pub = open_bound ("pub", NULL, ONE);
    weft_socket_t *sub = open_connected ("sub", NULL, ONE);
    assert_int_equal (weft_set (sub, "topic", "a"), 0);     /*  no longer everything */
    assert_int_equal (weft_set (sub, "topic", "b"), 0);
    assert_int_equal (weft_wait_peers (pub, 2, 1000), 0);
    assert_int_equal (send_text (pub, "c", 0), 0);
    assert_int_equal (send_text (pub, "b", 0), 0);
    expect_text (sub, "b");
    weft_close (&pub);
    weft_close (&sub);
}

static void
long_topics_are_refused (void **state)
{
    (void) state;
    char topic[247];
    memset (topic, 'x', sizeof topic);
    topic[246] = '\0';
    weft_socket_t *sub = open_with ("sub", NULL);
    assert_int_equal (weft_set (sub, "topic", topic), WEFT_ETOOBIG);
    assert_says ("at most 245");
    topic[245] = '\0';
    assert_int_equal (weft_set (sub, "topic", topic), 0);
    assert_int_equal (weft_connect (sub, ONE), 0);
    topic[245] = 'x';
    assert_int_equal (weft_set (sub, "topic", topic), WEFT_ETOOBIG);
    weft_close (&sub);
}

static void
subscriptions_are_counted (void **state)
{
    (void) state;
    weft_socket_t *pub = open_bound ("pub", NULL, ONE);
    weft_socket_t *one = open_connected ("sub", "topic=a", ONE);
    weft_socket_t *two = open_connected ("sub", "topic=a", ONE);
    assert_int_equal (weft_wait_peers (pub, 2, 1000), 0);   /*  the same topic counts twice */
    assert_int_equal (counters_of (pub).subscriptions, 2);
    weft_close (&one);
    mem_run (net, TIME_S);
    assert_int_equal (counters_of (pub).subscriptions, 1);
    weft_close (&two);
    mem_run (net, TIME_S);
    assert_int_equal (counters_of (pub).subscriptions, 0);
    assert_int_equal (counters_of (pub).peers, 0);
    weft_close (&pub);
}

static weft_socket_t *late;

static void
come_late (struct mem *self, void *arg)
{
    (void) self;
    late = open_connected ("sub", arg, ONE);
}

static void
the_first_send_waits_for_subscriptions (void **state)
{
    (void) state;
    weft_socket_t *pub = open_bound ("pub", "wait-subs=2 timeout=10s", ONE);
    weft_socket_t *early = open_connected ("sub", "topic=m", ONE);
    assert_int_equal (send_text (pub, "me", WEFT_DONTWAIT), WEFT_EAGAIN);
    mem_after (net, 3 * TIME_S, come_late, "topic=m");
    assert_int_equal (send_text (pub, "me", 0), 0);
    expect_text (early, "me");
    expect_text (late, "me");
    weft_close (&early);
    weft_close (&late);
    mem_run (net, TIME_S);
    assert_int_equal (send_text (pub, "me", 0), 0);         /*  the first only */
    weft_close (&pub);
}

static void
subscriptions_that_do_not_come_are_told (void **state)
{
    (void) state;
    weft_socket_t *pub = open_bound ("pub", "wait-subs=2 timeout=10s", ONE);
    assert_int_equal (send_text (pub, "me", 0), WEFT_ENOPEER);
    assert_says ("no peer came within 10s");
    weft_socket_t *sub = open_connected ("sub", NULL, ONE);
    assert_int_equal (send_text (pub, "me", 0), WEFT_ETIMEOUT);
    assert_says ("1 of 2 subscriptions came within 10s");
    weft_close (&pub);
    weft_close (&sub);
}

enum { HWM = 10, TAKEN = 1000 };    /*  more than fits both queues */

static void
drops_are_counted (void **state)
{
    (void) state;
    weft_socket_t *pub = open_bound ("pub", "hwm=10", ONE);
    weft_socket_t *slow = open_connected ("sub", "hwm=10", ONE);
    weft_socket_t *quick = open_connected ("sub", "hwm=10", ONE);
    assert_int_equal (weft_wait_peers (pub, 2, 1000), 0);
    for (int i = 0; i < TAKEN; i++) {
        assert_int_equal (send_text (pub, "me", 0), 0);
        expect_text (quick, "me");
    }
    uint64_t dropped = counters_of (pub).dropped;
    assert_in_range (dropped, TAKEN - 3 * HWM, TAKEN - HWM);
    assert_int_equal (listener.lines, 1);
    assert_non_null (strstr (listener.last, "dropped"));
    for (uint64_t i = dropped; i < TAKEN; i++)
        expect_text (slow, "me");
    expect_error (slow, WEFT_EAGAIN, WEFT_DONTWAIT);
    weft_close (&pub);
    weft_close (&slow);
    weft_close (&quick);
}

static void
take_one (struct mem *self, void *arg)
{
    (void) self;
    expect_text (arg, "me");
}

static void
no_drop_waits (void **state)
{
    (void) state;
    weft_socket_t *pub = open_bound ("pub", "hwm=10 no-drop=yes timeout=10s", ONE);
    weft_socket_t *slow = open_connected ("sub", "hwm=10", ONE);
    assert_int_equal (weft_wait_peers (pub, 1, 1000), 0);
    int fits = 0, rc;
    while ((rc = send_text (pub, "me", WEFT_DONTWAIT)) == 0 && fits < TAKEN)
        fits++;
    assert_int_equal (rc, WEFT_EAGAIN);
    assert_in_range (fits, HWM, 3 * HWM);
    assert_int_equal (send_text (pub, "me", 0), WEFT_ETIMEOUT);
    assert_says ("hwm 10");
    mem_after (net, 5 * TIME_S, take_one, slow);
    assert_int_equal (send_text (pub, "me", 0), 0);
    for (int i = 0; i < fits; i++)
        expect_text (slow, "me");
    assert_int_equal (counters_of (pub).dropped, 0);
    weft_close (&pub);
    weft_close (&slow);
}

/*  A loop of weft_poll and WEFT_DONTWAIT must not spin. */
static void
polling_is_told_when_a_subscriber_is_full (void **state)
{
    (void) state;
    weft_socket_t *pub = open_bound ("pub", "hwm=10 no-drop=yes wait-subs=1", ONE);
    assert_int_equal (weft_events (pub), 0);                /*  the first send would wait */
    weft_socket_t *slow = open_connected ("sub", "hwm=10", ONE);
    assert_int_equal (weft_wait_peers (pub, 1, 1000), 0);
    assert_int_equal (weft_events (pub), WEFT_OUT);
    for (int fits = 0; send_text (pub, "me", WEFT_DONTWAIT) == 0; fits++)
        assert_in_range (fits, 0, 3 * HWM);
    struct pollable *pollable = (struct pollable *) pub;
    assert_int_equal (weft_events (pub), 0);
    int64_t again = pollable->ops->deadline (pollable);
    assert_in_range (again - now (), 1, 100 * TIME_MS);
    mem_run (net, again - now ());
    assert_int_equal (weft_events (pub), WEFT_OUT);         /*  worth another try, which is in vain */
    assert_int_equal (pollable->ops->deadline (pollable), TIME_FOREVER);
    assert_int_equal (send_text (pub, "me", WEFT_DONTWAIT), WEFT_EAGAIN);
    assert_int_equal (weft_events (pub), 0);
    assert_int_equal (weft_set (pub, "no-drop", "no"), 0);
    assert_int_equal (weft_events (pub), WEFT_OUT);
    weft_close (&pub);
    weft_close (&slow);
}

static void
sub_ends_when_publishers_have_gone (void **state)
{
    (void) state;
    weft_socket_t *sub = open_with ("sub", "until-gone=yes timeout=10s");
    assert_int_equal (weft_attach (sub, ONE "," TWO), 0);
    expect_error (sub, WEFT_ETIMEOUT, 0);                   /*  nobody has come yet */
    weft_socket_t *one = open_bound ("pub", "wait-subs=1", ONE);
    weft_socket_t *two = open_bound ("pub", "wait-subs=1", TWO);
    assert_int_equal (send_text (one, "one", 0), 0);
    assert_int_equal (send_text (two, "two", 0), 0);
    expect_text (sub, "one");
    weft_close (&one);
    expect_text (sub, "two");
    expect_error (sub, WEFT_ETIMEOUT, 0);                   /*  one is left */
    assert_int_equal (send_text (two, "last", 0), 0);
    weft_close (&two);
    expect_text (sub, "last");
    expect_error (sub, WEFT_EEND, 0);
    weft_close (&sub);
}

static void
what_is_no_subscription_is_refused (void **state)
{
    (void) state;
    weft_socket_t *pub = open_bound ("pub", NULL, ONE);
    struct wire *xsub = mem_open (net, WIRE_XSUB, ">" ONE);
    weft_msg_t msg;
    weft_msg_init (&msg);
    weft_msg_add_str (&msg, "hello");
    assert_int_equal (wire_send (xsub, &msg, 0), 0);
    weft_msg_add (&msg, NULL, 0);
    assert_int_equal (wire_send (xsub, &msg, 0), 0);
    weft_msg_add (&msg, "\1topic", 6);
    assert_int_equal (wire_send (xsub, &msg, 0), 0);
    assert_int_equal (weft_wait_peers (pub, 1, 1000), 0);
    assert_int_equal (counters_of (pub).refused, 2);
    assert_int_equal (weft_events (pub), WEFT_OUT);
    weft_close (&pub);
    wire_close (&xsub);
}

#define test(name) cmocka_unit_test_setup_teardown (name, mem_setup, mem_teardown)

int
main (void)
{
    const struct CMUnitTest tests[] = {
        test (topics_choose),
        test (a_topic_can_be_added_later),
        test (long_topics_are_refused),
        test (subscriptions_are_counted),
        test (the_first_send_waits_for_subscriptions),
        test (subscriptions_that_do_not_come_are_told),
        test (drops_are_counted),
        test (no_drop_waits),
        test (polling_is_told_when_a_subscriber_is_full),
        test (sub_ends_when_publishers_have_gone),
        test (what_is_no_subscription_is_refused),
    };
    return cmocka_run_group_tests_name ("publish", tests, NULL, NULL);
}
