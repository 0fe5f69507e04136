/*  test_socket.c - sockets of every pattern over every transport; options, endpoints, polling */

#include <pthread.h>

#include "tests/folder.h"
#include "tests/sockets.h"

static int
setup (void **state)
{
    return folder_make (NULL) || zmq_setup (state) ? -1 : 0;
}

static int
teardown (void **state)
{
    int rc = zmq_teardown (state);
    return folder_remove () || rc ? -1 : 0;
}

enum { TRANSPORTS = 3, ENDPOINT_SIZE = 128 };

static const char *
transport (int i, char *text)
{
    if (i == 1)
        snprintf (text, ENDPOINT_SIZE, "ipc://%s", folder_path ("socket"));
    else
        strcpy (text, i == 0 ? "tcp://127.0.0.1:0" : "inproc://test");
    return text;
}

/*  A message of three frames, one empty and one of 1 MB, there and back where there is a back. */
static void
exchange (weft_socket_t *from, weft_socket_t *to)
{
    size_t size = 1 << 20;
    weft_msg_t msg;
    weft_msg_init (&msg);
    weft_msg_add_str (&msg, "topic");
    weft_msg_add (&msg, NULL, 0);
    memset (weft_msg_reserve (&msg, size), 'x', size);
    if (weft_send (from, &msg, 0))
        fail_msg ("%s", weft_error ());
    assert_int_equal (weft_msg_frames (&msg), 0);
    if (weft_recv (to, &msg, 0))
        fail_msg ("%s", weft_error ());
    assert_int_equal (weft_msg_frames (&msg), 3);
    assert_int_equal (weft_msg_size (&msg, 0), 5);
    assert_int_equal (weft_msg_size (&msg, 1), 0);
    assert_int_equal (weft_msg_size (&msg, 2), size);
    assert_int_equal (((char *) weft_msg_data (&msg, 2))[size - 1], 'x');
    weft_msg_clear (&msg);
}

/*  A bound sub announces its topics to a new peer only when it is asked something. */
static void
await_subscription (weft_socket_t *pub, weft_socket_t *sub)
{
    for (int i = 0; i < 1000; i++) {
        assert_true (weft_events (sub) >= 0);
        if (weft_wait_peers (pub, 1, 10) == 0)
            return;
    }
    fail_msg ("%s", weft_error ());
}

static void
every_pattern_over_every_transport (void **state)
{
    (void) state;
    static const char *const pairs[][2] = { { "rep", "req" }, { "pub", "sub" }, { "pull", "push" } };
    for (int i = 0; i < TRANSPORTS; i++)
        for (int p = 0; p < 3; p++)
            for (int swapped = 0; swapped < 2; swapped++) {
                char text[ENDPOINT_SIZE];
                const char *options = "timeout=10s";
                weft_socket_t *bound = open_bound (pairs[p][swapped], options, transport (i, text));
                weft_socket_t *other = open_connected (pairs[p][!swapped], options, weft_endpoint (bound));
                weft_socket_t *first = swapped ? bound : other, *second = swapped ? other : bound;
                if (p == 1) {
                    await_subscription (second, first);
                    exchange (second, first);
                } else
                    exchange (first, second);
                if (p == 0)
                    exchange (second, first);
                weft_close (&bound);
                weft_close (&other);
            }
    assert_int_equal (listener.lines, 0);
}

static void
an_address_is_free_again_after_close (void **state)
{
    (void) state;
    for (int i = 0; i < TRANSPORTS; i++) {
        char text[ENDPOINT_SIZE];
        transport (i, text);
        for (int again = 0; again < 50; again++) {
            weft_socket_t *pull = open_bound ("pull", "timeout=10s", text);
            strcpy (text, weft_endpoint (pull));
            weft_socket_t *push = open_connected ("push", "timeout=10s", text);
            assert_int_equal (send_text (push, "x", 0), 0);
            expect_text (pull, "x");
            weft_close (&pull);
            weft_close (&push);
        }
    }
}

static void
inproc_connects_before_it_is_bound (void **state)
{
    (void) state;
    weft_socket_t *push = open_connected ("push", "timeout=10s", "inproc://later");
    weft_socket_t *pull = open_bound ("pull", "timeout=10s", "inproc://later");
    assert_int_equal (send_text (push, "early", 0), 0);
    expect_text (pull, "early");
    weft_close (&push);
    weft_close (&pull);
}

/*  It has sent before anybody bound: only one of several endpoints lets that through. */
static void
inproc_comes_and_leaves_before_it_is_bound (void **state)
{
    (void) state;
    weft_socket_t *push = open_with ("push", "timeout=10s linger=10s");
    assert_int_equal (weft_attach (push, "inproc://left,inproc://nowhere"), 0);
    assert_int_equal (send_text (push, "testament", 0), 0);
    assert_int_equal (send_text (push, "testament", 0), 0);
    weft_close (&push);
    for (int i = 0; i < 2; i++) {
        weft_socket_t *pull = open_bound ("pull", "timeout=10s until-gone=yes",
                                          i ? "inproc://nowhere" : "inproc://left");
        expect_text (pull, "testament");
        expect_error (pull, WEFT_EEND, 0);
        weft_close (&pull);
    }
    weft_socket_t *later = open_bound ("pull", "timeout=1ms until-gone=yes", "inproc://left");
    expect_error (later, WEFT_ETIMEOUT, 0);         /*  that was told */
    weft_close (&later);
}

static void
bind_and_connect_mix (void **state)
{
    (void) state;
    char list[256];
    weft_socket_t *push = open_bound ("push", "timeout=10s", "tcp://127.0.0.1:*");
    weft_socket_t *other = open_with ("push", "timeout=10s");
    weft_socket_t *pull = open_with ("pull", "timeout=10s");
    snprintf (list, sizeof list, "@inproc://mixed,>%s", weft_endpoint (push));
    assert_int_equal (weft_attach (pull, list), 0);
    assert_int_equal (weft_attach (other, "inproc://mixed"), 0);
    assert_int_equal (weft_wait_peers (pull, 2, 10000), 0);
    assert_int_equal (send_text (push, "same", 0), 0);
    assert_int_equal (send_text (other, "same", 0), 0);
    expect_text (pull, "same");
    expect_text (pull, "same");
    weft_close (&push);
    weft_close (&other);
    weft_close (&pull);
}

static void
a_list_with_a_mistake_attaches_nothing (void **state)
{
    (void) state;
    weft_socket_t *pull = open_with ("pull", NULL);
    assert_int_equal (weft_attach (pull, "inproc://a,tcp//b"), WEFT_EENDPOINT);
    assert_int_equal (weft_attach (pull, ""), WEFT_EENDPOINT);
    assert_string_equal (weft_endpoint (pull), "");
    assert_int_equal (weft_set (pull, "hwm", "5"), 0);
    weft_close (&pull);
}

static void
options_are_checked (void **state)
{
    (void) state;
    char value[64];
    weft_socket_t *pull = open_with ("pull", NULL);
    assert_int_equal (weft_set (pull, "linnger", "1s"), WEFT_EINVAL);
    assert_says ("linger");
    assert_int_equal (weft_set (pull, "retries", "1"), WEFT_EINVAL);
    assert_says ("of req");
    assert_int_equal (weft_set (pull, "hwm", "0"), WEFT_EINVAL);
    assert_int_equal (weft_set (pull, "max_size", "1K"), 0);
    assert_int_equal (weft_get (pull, "max-size", value, sizeof value), 0);
    assert_string_equal (value, "1K");
    assert_int_equal (weft_get (pull, "timeout", value, sizeof value), 0);
    assert_string_equal (value, "forever");
    assert_int_equal (weft_bind (pull, "inproc://options"), 0);
    assert_int_equal (weft_set (pull, "hwm", "7"), WEFT_ESTATE);
    assert_says ("before the first bind");
    assert_int_equal (weft_set (pull, "timeout", "1s"), 0);
    weft_close (&pull);
    assert_null (weft_open (weft, "dealer"));
    assert_says ("push");
}

static void
a_failed_first_bind_leaves_the_options_open (void **state)
{
    (void) state;
    weft_socket_t *one = open_bound ("pull", NULL, "tcp://127.0.0.1:0");
    weft_socket_t *two = open_with ("pull", NULL);
    assert_int_equal (weft_bind (two, weft_endpoint (one)), WEFT_EADDRINUSE);
    assert_int_equal (weft_set (two, "hwm", "7"), 0);
    assert_int_equal (weft_bind (two, "tcp://127.0.0.1:0"), 0);
    weft_close (&one);
    weft_close (&two);
}

static void
calls_that_do_not_fit_say_so (void **state)
{
    (void) state;
    weft_msg_t msg;
    weft_msg_init (&msg);
    weft_socket_t *pull = open_with ("pull", NULL), *push = open_with ("push", NULL);
    assert_int_equal (send_text (pull, "x", 0), WEFT_ENOTSUP);
    assert_int_equal (weft_recv (push, &msg, 0), WEFT_ENOTSUP);
    assert_int_equal (weft_recv (pull, &msg, 0), WEFT_ESTATE);
    assert_int_equal (send_text (push, "x", 0), WEFT_ESTATE);
    assert_int_equal (weft_fd (push), WEFT_ESTATE);
    assert_int_equal (weft_disconnect (push, "tcp://127.0.0.1:1"), WEFT_ESTATE);
    assert_int_equal (weft_bind (pull, "inproc://fit"), 0);
    assert_int_equal (weft_connect (push, "inproc://fit"), 0);
    assert_int_equal (weft_send (push, &msg, 0), WEFT_EINVAL);
    weft_close (&push);
    weft_close (&pull);
    weft_close (&pull);
}

static void
an_incompatible_peer_is_told_at_once (void **state)
{
    (void) state;
    weft_socket_t *rep = open_bound ("rep", NULL, "tcp://127.0.0.1:0");
    static const char *const patterns[] = { "push", "sub", "req" };
    static const char *const words[] = { "push speaks with pull (PULL sockets)", "sub speaks with pub",
                                         "req speaks with rep (REP, ROUTER or DEALER sockets)" };
    for (int i = 0; i < 3; i++) {
        if (i == 2) {
            weft_close (&rep);
            rep = open_bound ("pull", NULL, "tcp://127.0.0.1:0");
        }
        weft_socket_t *socket = open_connected (patterns[i], "reconnect=1ms reconnect-max=1ms",
                                                weft_endpoint (rep));
        if (i == 1)
            expect_error (socket, WEFT_EPEER, 0);
        else
            assert_int_equal (send_text (socket, "x", 0), WEFT_EPEER);
        assert_says (words[i]);
        weft_close (&socket);
    }
    weft_close (&rep);
}

/*  A loop that waits in weft_poll and never in a receive must learn of it too. */
static void
an_incompatible_peer_ends_a_poll (void **state)
{
    (void) state;
    weft_socket_t *push = open_bound ("push", NULL, "tcp://127.0.0.1:0");
    weft_socket_t *sub = open_connected ("sub", "reconnect=1ms reconnect-max=1ms", weft_endpoint (push));
    weft_pollitem_t item = { .self = sub, .events = WEFT_IN };
    assert_int_equal (weft_poll (&item, 1, 10000), 1);
    assert_int_equal (item.revents, WEFT_IN);
    expect_error (sub, WEFT_EPEER, WEFT_DONTWAIT);
    assert_says ("sub speaks with pub (PUB or XPUB sockets)");
    weft_close (&sub);

    weft_socket_t *other = open_connected ("push", "reconnect=1ms reconnect-max=1ms", weft_endpoint (push));
    item = (weft_pollitem_t) { .self = other, .events = WEFT_OUT };
    assert_int_equal (weft_poll (&item, 1, 10000), 1);
    assert_int_equal (send_text (other, "x", WEFT_DONTWAIT), WEFT_EPEER);
    weft_close (&other);
    weft_close (&push);
}

static void
no_peer_is_told_at_the_timeout (void **state)
{
    (void) state;
    weft_socket_t *push = open_bound ("push", "timeout=30ms", "tcp://127.0.0.1:0");
    assert_int_equal (send_text (push, "x", 0), WEFT_ENOPEER);
    assert_says ("within 30ms");
    assert_int_equal (send_text (push, "x", WEFT_DONTWAIT), WEFT_EAGAIN);
    assert_int_equal (weft_wait_peers (push, 1, 1), WEFT_ENOPEER);
    weft_close (&push);
    weft_socket_t *pull = open_bound ("pull", "timeout=30ms", "tcp://127.0.0.1:0");
    expect_error (pull, WEFT_ETIMEOUT, 0);
    assert_says ("no peer");
    expect_error (pull, WEFT_EAGAIN, WEFT_DONTWAIT);
    weft_close (&pull);
}

static void
polling_sees_messages_and_the_end (void **state)
{
    (void) state;
    weft_socket_t *pull = open_bound ("pull", "until-gone=yes", "tcp://127.0.0.1:0");
    weft_pollitem_t item = { .self = pull, .events = WEFT_IN };
    assert_int_equal (weft_poll (&item, 1, 0), 0);
    weft_socket_t *push = open_connected ("push", "timeout=10s", weft_endpoint (pull));
    assert_int_equal (send_text (push, "x", 0), 0);
    assert_int_equal (weft_poll (&item, 1, 10000), 1);
    assert_int_equal (item.revents, WEFT_IN);
    assert_int_equal (weft_events (push), WEFT_OUT);
    assert_true (weft_fd (pull) >= 0);
    expect_text (pull, "x");
    assert_int_equal (weft_poll (&item, 1, 0), 0);
    weft_close (&push);
    assert_int_equal (weft_poll (&item, 1, 10000), 1);
    expect_error (pull, WEFT_EEND, WEFT_DONTWAIT);
    expect_error (pull, WEFT_EEND, 0);
    weft_close (&pull);
}

enum { MANY = 1000 };

static void
libzmq_counts_drops (void **state)
{
    (void) state;
    weft_socket_t *pub = open_bound ("pub", "hwm=10", "inproc://drops");
    weft_socket_t *sub = open_connected ("sub", "hwm=10", "inproc://drops");
    assert_int_equal (weft_wait_peers (pub, 1, 10000), 0);
    for (int i = 0; i < MANY; i++)
        assert_int_equal (send_text (pub, "x", 0), 0);
    assert_in_range (counters_of (pub).dropped, 1, MANY - 10);
    int received = 0;
    for (; weft_events (sub) & WEFT_IN; received++)
        expect_text (sub, "x");
    assert_in_range (received, 10, 50);
    assert_int_equal (listener.lines, 1);
    weft_close (&pub);
    weft_close (&sub);
}

static void *
take_all (void *arg)
{
    weft_msg_t msg;
    weft_msg_init (&msg);
    intptr_t count = 0;
    while (weft_recv (arg, &msg, 0) == 0)
        count++;
    weft_msg_clear (&msg);
    return (void *) count;
}

static void
libzmq_waits_with_no_drop (void **state)
{
    (void) state;
    void *count;
    pthread_t thread;
    weft_socket_t *pub = open_bound ("pub", "hwm=10 no-drop=yes wait-subs=1 timeout=10s", "tcp://127.0.0.1:0");
    weft_socket_t *sub = open_connected ("sub", "hwm=10 until-gone=yes timeout=10s", weft_endpoint (pub));
    assert_int_equal (pthread_create (&thread, NULL, take_all, sub), 0);
    for (int i = 0; i < 20 * MANY; i++)
        assert_int_equal (send_text (pub, "x", 0), 0);
    assert_int_equal (counters_of (pub).dropped, 0);
    weft_close (&pub);
    assert_int_equal (pthread_join (thread, &count), 0);
    assert_int_equal ((intptr_t) count, 20 * MANY);
    weft_close (&sub);
    assert_int_equal (weft_destroy (&weft), 0);             /*  no linger for a subscription */
}

static void
libzmq_announces_many_topics (void **state)
{
    (void) state;
    enum { TOPICS = 3000 };
    weft_socket_t *pub = open_bound ("pub", NULL, "tcp://127.0.0.1:0");
    weft_socket_t *sub = open_with ("sub", "hwm=10");
    char topic[16];
    for (int i = 0; i < TOPICS; i++) {
        snprintf (topic, sizeof topic, "%d.", i);
        assert_int_equal (weft_set (sub, "topic", topic), 0);
    }
    assert_int_equal (weft_connect (sub, weft_endpoint (pub)), 0);
    assert_int_equal (weft_wait_peers (pub, TOPICS, 10000), 0);
    weft_close (&pub);
    weft_close (&sub);
}

/*  A server that takes one request and dies with it. */
static void *
take_one (void *arg)
{
    expect_text (arg, "x");
    weft_socket_t *rep = arg;
    weft_close (&rep);
    return NULL;
}

static void *
echo_one (void *arg)
{
    expect_text (arg, "x");
    assert_int_equal (send_text (arg, "x", 0), 0);
    return NULL;
}

static void
libzmq_server_that_dies_is_replaced (void **state)
{
    (void) state;
    pthread_t first, second;
    weft_socket_t *dies = open_bound ("rep", "timeout=10s linger=0", "tcp://127.0.0.1:0");
    weft_socket_t *lives = open_bound ("rep", "timeout=10s", "tcp://127.0.0.1:0");
    weft_socket_t *req = open_connected ("req", "timeout=1h retries=3 retry-delay=1ms", weft_endpoint (dies));
    assert_int_equal (weft_wait_peers (req, 1, 10000), 0);
    assert_int_equal (pthread_create (&first, NULL, take_one, dies), 0);
    assert_int_equal (pthread_create (&second, NULL, echo_one, lives), 0);
    assert_int_equal (send_text (req, "x", 0), 0);
    assert_int_equal (weft_connect (req, weft_endpoint (lives)), 0);
    expect_text (req, "x");
    assert_int_equal (counters_of (req).retries, 1);
    assert_int_equal (pthread_join (first, NULL), 0);
    assert_int_equal (pthread_join (second, NULL), 0);
    weft_close (&req);
    weft_close (&lives);
}

#define test(name) cmocka_unit_test_setup_teardown (name, setup, teardown)

int
main (void)
{
    const struct CMUnitTest tests[] = {
        test (every_pattern_over_every_transport),
        test (an_address_is_free_again_after_close),
        test (inproc_connects_before_it_is_bound),
        test (inproc_comes_and_leaves_before_it_is_bound),
        test (bind_and_connect_mix),
        test (a_list_with_a_mistake_attaches_nothing),
        test (options_are_checked),
        test (a_failed_first_bind_leaves_the_options_open),
        test (calls_that_do_not_fit_say_so),
        test (an_incompatible_peer_is_told_at_once),
        test (an_incompatible_peer_ends_a_poll),
        test (no_peer_is_told_at_the_timeout),
        test (polling_sees_messages_and_the_end),
        test (libzmq_counts_drops),
        test (libzmq_waits_with_no_drop),
        test (libzmq_announces_many_topics),
        test (libzmq_server_that_dies_is_replaced),
    };
    return cmocka_run_group_tests_name ("socket", tests, NULL, NULL);
}
