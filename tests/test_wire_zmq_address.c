/*  test_wire_zmq_address.c - what is kept when the only connection ends and comes back */

#include "tests/testing.h"

#include "core/wire.h"

#define PATIENCE (10 * TIME_S)

static void *context;
static struct wire *wires[4];       /*  that a test has opened, in order: one that fails leaves some */
static int opened;

static int
set_up (void **state)
{
    (void) state;
    opened = 0;
    return wire_zmq.context_new (&context);
}

static int
tear_down (void **state)
{
    (void) state;
    for (int i = 0; i < opened; i++)
        wire_close (&wires[i]);
    return wire_zmq.context_destroy (&context) == WEFT_ESTATE ? -1 : 0;
}

static void
close_wire (struct wire *wire)
{
    for (int i = 0; i < opened; i++)
        if (wires[i] == wire)
            wire_close (&wires[i]);
}

static struct wire *
open_wire (enum wire_type type)
{
    struct wire_options options;
    wire_options_init (&options);
    options.immediate = options.keep = type == WIRE_PUSH || type == WIRE_DEALER;
    options.reconnect = options.reconnect_max = TIME_MS;
    assert_int_equal (wire_zmq.open (context, type, &options, &wires[opened]), 0);
    return wires[opened++];
}

/*  Takes connection events until `peers` are there. */
static void
until_peers (struct wire *wire, uint32_t peers)
{
    struct wire_event event;
    while (wire->peers != peers)
        if (wire_next_event (wire, &event) == 0)
            assert_int_equal (wire_wait (wire, 0, PATIENCE), WEFT_ERR);
}

static struct wire *
open_bound (enum wire_type type)
{
    struct wire *wire = open_wire (type);
    assert_int_equal (attach_wire (wire, "tcp://127.0.0.1:*", ENDPOINT_BIND), 0);
    return wire;
}

static struct wire *
open_connected (enum wire_type type, const struct wire *peer)
{
    struct wire *wire = open_wire (type);
    assert_int_equal (attach_wire (wire, peer->bound, ENDPOINT_CONNECT), 0);
    return wire;
}

static void
a_send_waits_for_the_only_peer (void **state)
{
    (void) state;
    struct wire *pull = open_bound (WIRE_PULL), *push = open_connected (WIRE_PUSH, pull);
    assert_int_equal (say (push, "early", 0), WEFT_EAGAIN);
    assert_false (wire_events (push) & WEFT_OUT);
    until_peers (push, 1);
    assert_true (wire_events (push) & WEFT_OUT);
    assert_int_equal (say (push, "now", 0), 0);
    assert_string_equal (hear (pull, PATIENCE), "now");
    close_wire (push);
    close_wire (pull);
}

static void
a_reply_outlives_its_server (void **state)
{
    (void) state;
    struct wire *router = open_bound (WIRE_ROUTER), *dealer = open_connected (WIRE_DEALER, router);
    weft_msg_t msg;
    until_peers (dealer, 1);
    assert_int_equal (say (dealer, "question", 0), 0);
    weft_msg_init (&msg);
    assert_int_equal (wire_recv (router, &msg, PATIENCE), 0);
    assert_int_equal (wire_send (router, &msg, PATIENCE), 0);
    close_wire (router);
    until_peers (dealer, 0);        /*  the server has gone before anybody looks */
    assert_string_equal (hear (dealer, PATIENCE), "question");
    close_wire (dealer);
}

static void
a_queue_outlives_a_connection (void **state)
{
    (void) state;
    char where[ENDPOINT_MAX];
    struct wire *pull = open_bound (WIRE_PULL), *push = open_connected (WIRE_PUSH, pull);
    strcpy (where, pull->bound);
    until_peers (push, 1);
    close_wire (pull);
    until_peers (push, 0);
    push->peers = 1;                /*  as if that had not been noticed yet */
    assert_int_equal (say (push, "kept", 0), 0);
    pull = open_wire (WIRE_PULL);
    assert_int_equal (attach_wire (pull, where, ENDPOINT_BIND), 0);
    assert_string_equal (hear (pull, PATIENCE), "kept");
    close_wire (push);
    close_wire (pull);
}

static void
of_several_only_those_that_are_there_get_anything (void **state)
{
    (void) state;
    char nowhere[ENDPOINT_MAX];
    struct wire *pull = open_bound (WIRE_PULL), *gone = open_bound (WIRE_PULL), *push = open_wire (WIRE_PUSH);
    strcpy (nowhere, gone->bound);
    struct endpoint endpoint;
    assert_int_equal (endpoint_parse (&endpoint, nowhere, ENDPOINT_BIND), 0);
    assert_int_equal (endpoint_resolve (&endpoint), 0);
    assert_int_equal (wire_zmq.disconnect (gone, &endpoint), 0);
    close_wire (gone);
    assert_int_equal (attach_wire (push, nowhere, ENDPOINT_CONNECT), 0);
    assert_int_equal (attach_wire (push, pull->bound, ENDPOINT_CONNECT), 0);
    for (int i = 0; i < 10; i++)
        assert_int_equal (say (push, "x", PATIENCE), 0);
    for (int i = 0; i < 10; i++)
        assert_string_equal (hear (pull, PATIENCE), "x");
    close_wire (push);
    close_wire (pull);
}

#define TEST(name) cmocka_unit_test_setup_teardown (name, set_up, tear_down)

int
main (void)
{
    const struct CMUnitTest tests[] = {
        TEST (a_send_waits_for_the_only_peer),
        TEST (a_reply_outlives_its_server),
        TEST (a_queue_outlives_a_connection),
        TEST (of_several_only_those_that_are_there_get_anything),
    };
    return cmocka_run_group_tests_name ("wire_zmq_address", tests, NULL, NULL);
}
