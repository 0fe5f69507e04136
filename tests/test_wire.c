/*  test_wire.c - what every engine behind the seam does alike: libzmq over tcp, ipc and
 *  inproc, and the one in memory that other tests rely on */

#include "tests/testing.h"

#include <poll.h>
#include <unistd.h>

#include "core/wire.h"
#include "tests/folder.h"
#include "tests/wire_mem.h"

#define PATIENCE (10 * TIME_S)      /*  how long a test waits for what must come */
#define SILENCE (50 * TIME_MS)      /*  and for what must not                    */

enum { WIRES = 8 };

struct rig {
    const struct wire_engine *engine;
    const char *transport;
    struct mem *net;
    void *context;
    char folder[FOLDER_SIZE];
    int names;
    struct wire_options options;        /*  of the next wire that is opened */
    struct wire *wires[WIRES];          /*  that are open: a test that fails leaves some */
};

static struct rig rigs[] = {
    { .engine = &wire_zmq, .transport = "tcp" },
    { .engine = &wire_zmq, .transport = "ipc" },
    { .engine = &wire_zmq, .transport = "inproc" },
    { .engine = &wire_mem, .transport = "tcp" },
    { .engine = &wire_mem, .transport = "inproc" },
};
#define RIGS (sizeof rigs / sizeof *rigs)

static int
set_up (void **state)
{
    struct rig *rig = *state;
    assert_int_equal (folder_make (rig->folder), 0);
    rig->net = rig->engine == &wire_mem ? mem_new () : NULL;
    wire_options_init (&rig->options);
    rig->options.linger = PATIENCE;
    return rig->engine->context_new (&rig->context);
}

static void
close_wire (struct rig *rig, struct wire *wire)
{
    for (int i = 0; i < WIRES; i++)
        if (rig->wires[i] == wire)
            rig->wires[i] = NULL;
    wire_close (&wire);
}

static int
tear_down (void **state)
{
    struct rig *rig = *state;
    for (int i = 0; i < WIRES; i++)
        wire_close (&rig->wires[i]);
    assert_int_equal (rig->engine->context_destroy (&rig->context), 0);
    if (rig->net)
        mem_destroy (&rig->net);
    rig->names = 0;
    return folder_remove_empty ();
}

/* ------------------------------------------------------------------- tools */

static struct wire *
open_wire (struct rig *rig, enum wire_type type)
{
    struct wire *wire;
    if (rig->engine->open (rig->context, type, &rig->options, &wire))
        fail_msg ("%s", weft_error ());
    for (int i = 0; i < WIRES; i++)
        if (!rig->wires[i]) {
            rig->wires[i] = wire;
            return wire;
        }
    fail_msg ("more than %d wires", WIRES);
    return NULL;
}

static struct wire *
bound (struct rig *rig, enum wire_type type)
{
    char text[ENDPOINT_MAX] = "tcp://127.0.0.1:0";
    struct wire *wire = open_wire (rig, type);
    if (strcmp (rig->transport, "ipc") == 0)
        snprintf (text, sizeof text, "ipc://%s/%d", rig->folder, rig->names++);
    if (strcmp (rig->transport, "inproc") == 0)
        snprintf (text, sizeof text, "inproc://%d", rig->names++);
    if (attach_wire (wire, text, ENDPOINT_BIND))
        fail_msg ("%s", weft_error ());
    return wire;
}

static void
join (struct wire *wire, const struct wire *to)
{
    if (attach_wire (wire, to->bound, ENDPOINT_CONNECT))
        fail_msg ("%s", weft_error ());
}

/*  Takes events until one is of that kind. */
static struct wire_event
await (struct wire *wire, enum wire_event_kind kind)
{
    struct wire_event event;
    for (;;) {
        int rc = wire_next_event (wire, &event);
        if (rc == 1 && event.kind == kind)
            return event;
        if (rc == 0)
            rc = wire_wait (wire, 0, PATIENCE);
        if (rc <= 0)
            fail_msg ("no event %d came: %d %s", kind, rc, weft_error ());
    }
}

/*  Two that are joined, and know it. */
static void
pair_up (struct rig *rig, enum wire_type a, enum wire_type b, struct wire **binder, struct wire **connecter)
{
    *binder = bound (rig, a);
    *connecter = open_wire (rig, b);
    join (*connecter, *binder);
    await (*binder, WIRE_CONNECTED);
    await (*connecter, WIRE_CONNECTED);
    assert_int_equal ((*binder)->peers, 1);
    assert_int_equal ((*connecter)->peers, 1);
}

/*  Opens a wire that connects to where nobody is. */
static struct wire *
stranded (struct rig *rig, enum wire_type type, char *where)
{
    struct wire *gone = bound (rig, WIRE_PULL), *wire = open_wire (rig, type);
    bool inproc = strcmp (rig->transport, "inproc") == 0;
    strcpy (where, inproc ? "inproc://where nobody is" : gone->bound);
    close_wire (rig, gone);
    assert_int_equal (attach_wire (wire, where, ENDPOINT_CONNECT), 0);
    if (!inproc)
        await (wire, WIRE_RETRYING);        /*  libzmq closes in the background */
    return wire;
}

#define assert_hears(wire, text) assert_string_equal (hear ((wire), PATIENCE), (text))
#define assert_silent(wire) assert_string_equal (hear ((wire), SILENCE), weft_strerror (WEFT_ETIMEOUT))
#define assert_sent(wire, text) assert_int_equal (say ((wire), (text), PATIENCE), 0)

/* --------------------------------------------------------------- behaviour */

static void
messages_come_whole_and_in_order (void **state)
{
    struct rig *rig = *state;
    struct wire *pull, *push;
    weft_msg_t msg;
    char big[100000];
    pair_up (rig, WIRE_PULL, WIRE_PUSH, &pull, &push);
    assert_sent (push, "one");
    assert_sent (push, "two||three");
    memset (big, 'x', sizeof big);
    message_of_text (&msg, "head");
    weft_msg_add (&msg, big, sizeof big);
    assert_int_equal (wire_send (push, &msg, PATIENCE), 0);
    assert_int_equal (weft_msg_frames (&msg), 0);       /*  a send that succeeds empties it */
    assert_hears (pull, "one");
    assert_hears (pull, "two||three");
    assert_int_equal (wire_recv (pull, &msg, PATIENCE), 0);
    assert_string_equal (text_of_message (&msg), "head|(100000)");
    assert_memory_equal (weft_msg_data (&msg, 1), big, sizeof big);
    weft_msg_clear (&msg);
    assert_silent (pull);
    assert_int_equal (push->counters.sent, 3);
    assert_int_equal (pull->counters.received, 3);
    assert_int_equal (push->counters.sent_bytes, 3 + 8 + 100004);
    assert_int_equal (pull->counters.received_bytes, 3 + 8 + 100004);
    close_wire (rig, pull);
    close_wire (rig, push);
}

static void
a_send_that_fails_leaves_the_message (void **state)
{
    struct rig *rig = *state;
    weft_msg_t msg;
    char where[ENDPOINT_MAX];
    rig->options.immediate = true;
    /*  Over inproc libzmq queues for a name that is not bound, immediate or not. */
    bool inproc = strcmp (rig->transport, "inproc") == 0;
    struct wire *push = inproc ? open_wire (rig, WIRE_PUSH) : stranded (rig, WIRE_PUSH, where);
    message_of_text (&msg, "one|two");
    assert_int_equal (wire_send (push, &msg, 0), WEFT_EAGAIN);
    assert_string_equal (text_of_message (&msg), "one|two");
    assert_int_equal (wire_send (push, &msg, SILENCE), WEFT_ETIMEOUT);
    assert_string_equal (text_of_message (&msg), "one|two");
    weft_msg_clear (&msg);
    assert_int_equal (wire_send (push, &msg, 0), WEFT_EINVAL);      /*  no frames */
    assert_int_equal (push->counters.sent, 0);
    close_wire (rig, push);
}

static void
what_is_too_big_is_counted_and_discarded (void **state)
{
    struct rig *rig = *state;
    struct wire *pull, *push;
    weft_msg_t msg;
    char data[120] = "";
    static const size_t sizes[][2] = { { 50, 0 }, { 101, 0 }, { 60, 60 }, { 0, 101 }, { 50, 50 } };
    rig->options.max_size = 100;
    pair_up (rig, WIRE_PULL, WIRE_PUSH, &pull, &push);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        weft_msg_init (&msg);
        weft_msg_add (&msg, data, sizes[i][0]);
        weft_msg_add (&msg, data, sizes[i][1]);
        assert_int_equal (wire_send (push, &msg, PATIENCE), 0);
    }
    assert_int_equal (wire_recv (pull, &msg, PATIENCE), 0);
    assert_int_equal (weft_msg_bytes (&msg), 50);
    assert_int_equal (wire_recv (pull, &msg, PATIENCE), 0);
    assert_int_equal (weft_msg_bytes (&msg), 100);
    assert_int_equal (pull->counters.refused, 3);
    assert_int_equal (pull->counters.received, 2);
    weft_msg_clear (&msg);
    close_wire (rig, pull);
    close_wire (rig, push);
}

static void
a_full_queue_holds_the_sender_back (void **state)
{
    enum { SIZE = 50000, LIMIT = 2000 };
    static char data[SIZE];
    struct rig *rig = *state;
    struct wire *pull, *push;
    weft_msg_t msg;
    int sent = 0, rc = 0;
    rig->options.send_hwm = rig->options.recv_hwm = 5;
    rig->options.send_buffer = rig->options.recv_buffer = 4096;
    pair_up (rig, WIRE_PULL, WIRE_PUSH, &pull, &push);
    weft_msg_init (&msg);
    for (; sent < LIMIT; sent++) {
        weft_msg_add (&msg, data, SIZE);
        rc = wire_send (push, &msg, SILENCE);
        if (rc)
            break;
    }
    assert_int_equal (rc, WEFT_ETIMEOUT);
    assert_in_range (sent, 5, LIMIT - 1);
    assert_int_equal (weft_msg_bytes (&msg), SIZE);
    assert_int_equal (wire_wait (push, WEFT_OUT, 0), 0);

    weft_msg_t in;
    weft_msg_init (&in);
    for (int i = 0; i < sent; i++)
        assert_int_equal (wire_recv (pull, &in, PATIENCE), 0);
    assert_int_equal (wire_wait (push, WEFT_OUT, PATIENCE), WEFT_OUT);
    assert_int_equal (wire_send (push, &msg, 0), 0);
    assert_int_equal (wire_recv (pull, &in, PATIENCE), 0);
    weft_msg_clear (&in);
    assert_silent (pull);
    close_wire (rig, pull);
    close_wire (rig, push);
}

static void
connections_are_told (void **state)
{
    struct rig *rig = *state;
    struct wire *pull, *push, *second = NULL;
    pair_up (rig, WIRE_PULL, WIRE_PUSH, &pull, &push);
    second = open_wire (rig, WIRE_PUSH);
    join (second, pull);
    await (pull, WIRE_CONNECTED);
    assert_int_equal (pull->peers, 2);

    assert_sent (push, "last words");
    close_wire (rig, push);
    struct wire_event event = await (pull, WIRE_DISCONNECTED);
    assert_non_null (event.endpoint);
    assert_non_null (event.text);
    assert_int_equal (pull->peers, 1);
    assert_string_equal (hear (pull, 0), "last words");     /*  there when the end is told */

    close_wire (rig, pull);
    await (second, WIRE_DISCONNECTED);
    assert_int_equal (second->peers, 0);
    close_wire (rig, second);
}

static void
who_connects_first_waits_for_the_other (void **state)
{
    struct rig *rig = *state;
    char where[ENDPOINT_MAX];
    struct wire *push = stranded (rig, WIRE_PUSH, where);
    assert_sent (push, "early");
    struct wire *pull = open_wire (rig, WIRE_PULL);
    assert_int_equal (attach_wire (pull, where, ENDPOINT_BIND), 0);
    assert_hears (pull, "early");
    close_wire (rig, pull);
    close_wire (rig, push);
}

static void
subscriptions_choose_by_prefix (void **state)
{
    struct rig *rig = *state;
    struct wire *pub, *sub;
    pair_up (rig, WIRE_XPUB, WIRE_SUB, &pub, &sub);
    assert_sent (pub, "nobody wants it");
    sub->engine->subscribe (sub, "a", 1);
    sub->engine->subscribe (sub, "b|", 2);
    sub->engine->subscribe (sub, "a", 1);
    assert_hears (pub, "\\x01a");
    assert_hears (pub, "\\x01b|");
    assert_silent (pub);                    /*  the same again is not news */
    assert_sent (pub, "apple|red");
    assert_sent (pub, "banana|yellow");
    assert_sent (pub, "a");
    assert_hears (sub, "apple|red");
    assert_hears (sub, "a");
    assert_silent (sub);

    sub->engine->unsubscribe (sub, "a", 1);
    assert_silent (pub);                    /*  it was subscribed to twice */
    sub->engine->unsubscribe (sub, "a", 1);
    assert_hears (pub, "\\x00a");
    assert_sent (pub, "apple|red");
    assert_silent (sub);
    close_wire (rig, sub);
    assert_hears (pub, "\\x00b|");          /*  who leaves subscribes to nothing */
    close_wire (rig, pub);
}

static void
verbose_passes_every_subscription (void **state)
{
    struct rig *rig = *state;
    for (int verbose = 0; verbose < 2; verbose++) {
        struct wire *pub, *sub, *second;
        rig->options.verbose = verbose;
        pair_up (rig, WIRE_XPUB, WIRE_SUB, &pub, &sub);
        second = open_wire (rig, WIRE_SUB);
        join (second, pub);
        await (pub, WIRE_CONNECTED);
        sub->engine->subscribe (sub, "a", 1);
        assert_hears (pub, "\\x01a");
        second->engine->subscribe (second, "a", 1);
        if (verbose)
            assert_hears (pub, "\\x01a");
        else
            assert_silent (pub);
        close_wire (rig, sub);
        close_wire (rig, second);
        close_wire (rig, pub);
    }
}

static void
a_lossless_publisher_waits (void **state)
{
    enum { SIZE = 50000, LIMIT = 2000 };
    static char data[SIZE];
    struct rig *rig = *state;
    struct wire *pub, *sub;
    weft_msg_t msg;
    int sent = 0;
    rig->options.send_hwm = rig->options.recv_hwm = 5;
    rig->options.send_buffer = rig->options.recv_buffer = 4096;
    rig->options.lossless = true;
    rig->options.linger = 0;
    pair_up (rig, WIRE_XPUB, WIRE_SUB, &pub, &sub);
    sub->engine->subscribe (sub, "", 0);
    assert_hears (pub, "\\x01");
    weft_msg_init (&msg);
    for (int rc = 0; sent < LIMIT && rc == 0; sent += rc == 0) {
        weft_msg_clear (&msg);
        weft_msg_add (&msg, data, SIZE);
        rc = wire_send (pub, &msg, SILENCE);
    }
    assert_in_range (sent, 5, LIMIT - 1);
    assert_int_equal (weft_msg_bytes (&msg), SIZE);
    assert_int_equal (pub->engine->lossy (pub, true), 0);
    assert_int_equal (wire_send (pub, &msg, 0), 0);         /*  lost */
    assert_int_equal (pub->engine->lossy (pub, false), 0);
    for (int i = 0; i < sent; i++)
        assert_int_equal (wire_recv (sub, &msg, PATIENCE), 0);
    assert_silent (sub);
    weft_msg_clear (&msg);
    close_wire (rig, sub);
    close_wire (rig, pub);
}

static void
a_router_answers_who_asked (void **state)
{
    struct rig *rig = *state;
    struct wire *router, *dealer, *named;
    weft_msg_t msg;
    pair_up (rig, WIRE_ROUTER, WIRE_DEALER, &router, &dealer);
    strcpy (rig->options.identity, "named");
    named = open_wire (rig, WIRE_DEALER);
    join (named, router);
    await (router, WIRE_CONNECTED);

    assert_sent (dealer, "|question");
    weft_msg_init (&msg);
    assert_int_equal (wire_recv (router, &msg, PATIENCE), 0);
    assert_int_equal (weft_msg_frames (&msg), 3);
    assert_int_equal (weft_msg_size (&msg, 0), 5);
    assert_int_equal (*(char *) weft_msg_data (&msg, 0), 0);
    assert_int_equal (wire_send (router, &msg, 0), 0);
    assert_hears (dealer, "|question");

    assert_sent (named, "x");
    assert_hears (router, "named|x");
    assert_sent (router, "named|y");
    assert_hears (named, "y");
    assert_silent (dealer);
    close_wire (rig, dealer);
    close_wire (rig, named);
    close_wire (rig, router);
}

static void
a_mandatory_router_says_who_is_not_there (void **state)
{
    struct rig *rig = *state;
    struct wire *router, *dealer;
    weft_msg_t msg;
    rig->options.mandatory = true;
    strcpy (rig->options.identity, "named");
    pair_up (rig, WIRE_ROUTER, WIRE_DEALER, &router, &dealer);
    message_of_text (&msg, "stranger|text");
    assert_int_equal (wire_send (router, &msg, PATIENCE), WEFT_ENOPEER);
    assert_string_equal (text_of_message (&msg), "stranger|text");
    weft_msg_clear (&msg);
    assert_sent (dealer, "here");
    assert_hears (router, "named|here");
    assert_sent (router, "named|text");
    assert_hears (dealer, "text");
    close_wire (rig, dealer);
    await (router, WIRE_DISCONNECTED);
    int rc = 0;             /*  over inproc libzmq learns of it a little later */
    for (int i = 0; i < 100 && rc == 0; i++) {
        rc = say (router, "named|gone", 0);
        wire_wait (router, WEFT_IN, TIME_MS);
    }
    assert_int_equal (rc, WEFT_ENOPEER);
    close_wire (rig, router);

    rig->options.mandatory = false;
    router = bound (rig, WIRE_ROUTER);
    assert_int_equal (say (router, "stranger|text", 0), 0);     /*  dropped */
    close_wire (rig, router);
}

static void
work_goes_round (void **state)
{
    struct rig *rig = *state;
    struct wire *push, *one, *two;
    pair_up (rig, WIRE_PUSH, WIRE_PULL, &push, &one);
    two = open_wire (rig, WIRE_PULL);
    join (two, push);
    await (push, WIRE_CONNECTED);
    for (int i = 0; i < 10; i++)
        assert_sent (push, "job");
    for (int i = 0; i < 5; i++) {
        assert_hears (one, "job");
        assert_hears (two, "job");
    }
    assert_silent (one);
    assert_silent (two);
    close_wire (rig, one);
    close_wire (rig, two);
    close_wire (rig, push);
}

static void
senders_are_heard_in_turn (void **state)
{
    struct rig *rig = *state;
    struct wire *pull, *one, *two;
    pair_up (rig, WIRE_PULL, WIRE_PUSH, &pull, &one);
    two = open_wire (rig, WIRE_PUSH);
    join (two, pull);
    await (pull, WIRE_CONNECTED);
    for (int i = 0; i < 50; i++)
        assert_sent (one, "one");
    assert_sent (two, "two");
    close_wire (rig, two);
    await (pull, WIRE_DISCONNECTED);        /*  so both have arrived */
    int before = 0;
    while (before < 50 && strcmp (hear (pull, PATIENCE), "two") != 0)
        before++;
    assert_in_range (before, 0, 2);
    close_wire (rig, pull);
    close_wire (rig, one);
}

static void
kinds_that_do_not_fit_are_told (void **state)
{
    struct rig *rig = *state;
    if (strcmp (rig->transport, "inproc") == 0)
        return;             /*  libzmq joins any two over inproc */
    struct wire *pull = bound (rig, WIRE_PULL), *sub = open_wire (rig, WIRE_SUB);
    join (sub, pull);
    assert_true (await (sub, WIRE_REJECTED).incompatible);
    assert_int_equal (sub->peers, 0);
    close_wire (rig, sub);
    close_wire (rig, pull);
}

static void
waiting_ends_with_what_was_waited_for (void **state)
{
    struct rig *rig = *state;
    struct wire *pull, *push;
    pair_up (rig, WIRE_PULL, WIRE_PUSH, &pull, &push);
    assert_int_equal (wire_wait (pull, WEFT_IN, 0), 0);
    assert_int_equal (wire_wait (pull, WEFT_IN, SILENCE), 0);
    assert_int_equal (wire_events (pull), 0);
    assert_int_equal (wire_events (push), WEFT_OUT);
    assert_int_equal (wire_wait (push, WEFT_IN | WEFT_OUT, PATIENCE), WEFT_OUT);
    assert_string_equal (hear (pull, 0), weft_strerror (WEFT_EAGAIN));
    assert_sent (push, "x");
    assert_int_equal (wire_wait (pull, WEFT_IN, PATIENCE), WEFT_IN);
    assert_int_equal (wire_events (pull), WEFT_IN);
    assert_string_equal (hear (pull, 0), "x");
    close_wire (rig, push);
    assert_int_equal (wire_wait (pull, WEFT_IN, PATIENCE), WEFT_ERR);
    assert_int_equal (wire_events (pull), WEFT_ERR);
    close_wire (rig, pull);
}

/*  As an event loop does it: ask, wait, ask again. */
static void
the_descriptor_wakes (void **state)
{
    struct rig *rig = *state;
    struct wire *pull, *push;
    pair_up (rig, WIRE_PULL, WIRE_PUSH, &pull, &push);
    struct pollfd item = { .fd = wire_fd (pull), .events = POLLIN };
    assert_true (item.fd >= 0);
    assert_int_equal (wire_events (pull), 0);
    assert_sent (push, "x");
    for (int i = 0; i < 100 && !(wire_events (pull) & WEFT_IN); i++)
        assert_int_equal (poll (&item, 1, 10000), 1);
    assert_string_equal (hear (pull, 0), "x");
    close_wire (rig, push);
    for (int i = 0; i < 100 && !(wire_events (pull) & WEFT_ERR); i++)
        assert_int_equal (poll (&item, 1, 10000), 1);
    await (pull, WIRE_DISCONNECTED);
    close_wire (rig, pull);
}

/*  By the descriptor alone, which may be silent only while nothing waits. */
static void
hear_of (struct wire *wire, enum wire_event_kind kind)
{
    struct pollfd item = { .fd = wire_fd (wire), .events = POLLIN };
    struct wire_event event = { .kind = 0 };
    for (int i = 0; i < 100 && event.kind != kind; i++) {
        if (wire_events (wire) & WEFT_ERR)
            assert_true (wire_next_event (wire, &event) >= 0);      /*  not each is told */
        else
            assert_int_equal (poll (&item, 1, 10000), 1);
    }
    assert_int_equal (event.kind, kind);
}

/*  Whatever was asked before, and whoever took in what the descriptor had signalled. */
static void
no_news_of_a_connection_is_forgotten (void **state)
{
    struct rig *rig = *state;
    struct wire *pull = bound (rig, WIRE_PULL);
    struct wire_event event;
    for (int i = 0; i < 12; i++) {
        struct wire *push = open_wire (rig, WIRE_PUSH);
        join (push, pull);
        if (i % 3 == 1)
            while (!(wire_wait (pull, 0, PATIENCE) & WEFT_ERR))
                continue;
        hear_of (pull, WIRE_CONNECTED);
        while (i % 3 == 2 && wire_next_event (pull, &event) == 1)
            continue;
        await (push, WIRE_CONNECTED);
        assert_sent (push, "x");
        assert_string_equal (hear (pull, PATIENCE), "x");
        close_wire (rig, push);
        if (i % 2)
            assert_int_equal (wire_wait (pull, 0, PATIENCE), WEFT_ERR);
        hear_of (pull, WIRE_DISCONNECTED);
        assert_int_equal (wire_next_event (pull, &event), 0);
        assert_false (wire_events (pull) & WEFT_ERR);
    }
    close_wire (rig, pull);
}

static void
an_endpoint_has_one_owner (void **state)
{
    struct rig *rig = *state;
    struct wire *first = bound (rig, WIRE_PULL), *second = open_wire (rig, WIRE_PULL);
    assert_int_equal (attach_wire (second, first->bound, ENDPOINT_BIND), WEFT_EADDRINUSE);
    close_wire (rig, first);
    close_wire (rig, second);
}

/*  Another wire binds where the last one did. */
static struct wire *
bound_again (struct rig *rig, const char *where, enum wire_type type)
{
    struct wire *wire = open_wire (rig, type);
    if (attach_wire (wire, where, ENDPOINT_BIND))
        fail_msg ("%s", weft_error ());
    return wire;
}

static void
who_connects_comes_back_to_the_next_one (void **state)
{
    struct rig *rig = *state;
    struct wire *pull, *push;
    char where[ENDPOINT_MAX];
    pair_up (rig, WIRE_PULL, WIRE_PUSH, &pull, &push);
    strcpy (where, pull->bound);
    for (int i = 0; i < 3; i++) {
        close_wire (rig, pull);
        await (push, WIRE_DISCONNECTED);
        assert_int_equal (push->peers, 0);
        pull = bound_again (rig, where, WIRE_PULL);
        await (push, WIRE_CONNECTED);
        await (pull, WIRE_CONNECTED);
        assert_sent (push, "again");
        assert_hears (pull, "again");
        assert_silent (pull);
    }
    close_wire (rig, pull);
    close_wire (rig, push);
}

/*  Whoever sends has not heard yet that the other one has left. */
static void
nothing_is_sent_to_one_who_has_left (void **state)
{
    struct rig *rig = *state;
    struct wire *router, *dealer;
    char where[ENDPOINT_MAX];
    if (strcmp (rig->transport, "inproc") != 0)
        return;             /*  what is under way over a network is lost    */
    pair_up (rig, WIRE_ROUTER, WIRE_DEALER, &router, &dealer);
    strcpy (where, router->bound);
    for (int i = 0; i < 20; i++) {
        close_wire (rig, router);
        router = bound_again (rig, where, WIRE_ROUTER);
        assert_sent (dealer, "x");
        weft_msg_t msg;
        weft_msg_init (&msg);
        assert_int_equal (wire_recv (router, &msg, PATIENCE), 0);
        assert_int_equal (weft_msg_frames (&msg), 2);
        weft_msg_clear (&msg);
    }
    close_wire (rig, router);
    close_wire (rig, dealer);
}

static void
subscriptions_come_back_with_it (void **state)
{
    struct rig *rig = *state;
    struct wire *pub, *sub;
    char where[ENDPOINT_MAX];
    pair_up (rig, WIRE_XPUB, WIRE_SUB, &pub, &sub);
    assert_int_equal (sub->engine->subscribe (sub, "a", 1), 0);
    assert_hears (pub, "\\x01a");
    strcpy (where, pub->bound);
    close_wire (rig, pub);
    await (sub, WIRE_DISCONNECTED);
    pub = bound_again (rig, where, WIRE_XPUB);
    await (sub, WIRE_CONNECTED);
    assert_hears (pub, "\\x01a");
    assert_sent (pub, "b");
    assert_sent (pub, "abc");
    assert_hears (sub, "abc");
    close_wire (rig, pub);
    close_wire (rig, sub);
}

static void
disconnecting_ends_it (void **state)
{
    struct rig *rig = *state;
    struct wire *pull, *push;
    struct endpoint endpoint;
    pair_up (rig, WIRE_PULL, WIRE_PUSH, &pull, &push);
    assert_int_equal (endpoint_parse (&endpoint, pull->bound, ENDPOINT_CONNECT), 0);
    assert_int_equal (endpoint_resolve (&endpoint), 0);
    assert_int_equal (push->engine->disconnect (push, &endpoint), 0);
    assert_int_equal (say (push, "x", SILENCE), WEFT_ETIMEOUT);     /*  libzmq goes on only in calls */
    await (pull, WIRE_DISCONNECTED);
    assert_int_equal (pull->peers, 0);
    assert_int_equal (push->engine->disconnect (push, &endpoint), WEFT_EENDPOINT);
    close_wire (rig, pull);
    close_wire (rig, push);
}

/* -------------------------------------------------------------------- main */

static const struct CMUnitTest behaviours[] = {
    cmocka_unit_test (messages_come_whole_and_in_order),
    cmocka_unit_test (a_send_that_fails_leaves_the_message),
    cmocka_unit_test (what_is_too_big_is_counted_and_discarded),
    cmocka_unit_test (a_full_queue_holds_the_sender_back),
    cmocka_unit_test (connections_are_told),
    cmocka_unit_test (who_connects_first_waits_for_the_other),
    cmocka_unit_test (subscriptions_choose_by_prefix),
    cmocka_unit_test (verbose_passes_every_subscription),
    cmocka_unit_test (a_lossless_publisher_waits),
    cmocka_unit_test (a_router_answers_who_asked),
    cmocka_unit_test (a_mandatory_router_says_who_is_not_there),
    cmocka_unit_test (work_goes_round),
    cmocka_unit_test (senders_are_heard_in_turn),
    cmocka_unit_test (kinds_that_do_not_fit_are_told),
    cmocka_unit_test (waiting_ends_with_what_was_waited_for),
    cmocka_unit_test (the_descriptor_wakes),
    cmocka_unit_test (no_news_of_a_connection_is_forgotten),
    cmocka_unit_test (an_endpoint_has_one_owner),
    cmocka_unit_test (who_connects_comes_back_to_the_next_one),
    cmocka_unit_test (nothing_is_sent_to_one_who_has_left),
    cmocka_unit_test (subscriptions_come_back_with_it),
    cmocka_unit_test (disconnecting_ends_it),
};
#define BEHAVIOURS (sizeof behaviours / sizeof *behaviours)

int
main (void)
{
    static struct CMUnitTest tests[RIGS * BEHAVIOURS];
    static char names[RIGS * BEHAVIOURS][96];
    for (size_t i = 0; i < RIGS * BEHAVIOURS; i++) {
        struct rig *rig = &rigs[i / BEHAVIOURS];
        tests[i] = behaviours[i % BEHAVIOURS];
        snprintf (names[i], sizeof names[i], "%s %s: %s", rig->engine->name, rig->transport, tests[i].name);
        tests[i].name = names[i];
        tests[i].initial_state = rig;
        tests[i].setup_func = set_up;
        tests[i].teardown_func = tear_down;
    }
    return cmocka_run_group_tests (tests, NULL, NULL);
}
