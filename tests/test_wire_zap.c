/*  test_wire_zap.c - who is let in by libzmq's engine: clear text, keys, lists of keys, and what both sides are told */

#include "tests/testing.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/wire.h"
#include "tests/folder.h"

#define PATIENCE (10 * TIME_S)      /*  how long a test waits for what must come */

enum { WIRES = 24 };

struct rig {
    void *context;
    char list[64];
    struct certificate server, alice, bob;
    struct allow *allow;
    struct wire *wires[WIRES];      /*  that are open: a test that fails leaves some */
    int64_t handshake;              /*  of the next wires; 0: the usual */
};

static int
set_up (void **state)
{
    static struct rig rig;
    memset (&rig, 0, sizeof rig);
    assert_int_equal (folder_make (NULL), 0);
    strcpy (rig.list, folder_path ("allowed"));
    assert_int_equal (certificate_new (&rig.server, "server"), 0);
    assert_int_equal (certificate_new (&rig.alice, "alice"), 0);
    assert_int_equal (certificate_new (&rig.bob, "bob"), 0);
    *state = &rig;
    return wire_zmq.context_new (&rig.context);
}

static int
tear_down (void **state)
{
    struct rig *rig = *state;
    for (int i = 0; i < WIRES; i++)
        wire_close (&rig->wires[i]);
    allow_release (&rig->allow);
    assert_int_equal (wire_zmq.context_destroy (&rig->context), 0);
    return folder_remove ();
}

/* ------------------------------------------------------------------- tools */

/*  The list, as another file that takes its place. "%a" and "%b": the keys of alice and bob. */
static void
write_list (struct rig *rig, const char *text)
{
    char path[80];
    snprintf (path, sizeof path, "%s.new", rig->list);
    FILE *file = fopen (path, "w");
    assert_non_null (file);
    for (; *text; text++)
        if (text[0] == '%')
            fputs (*++text == 'a' ? rig->alice.public_key : rig->bob.public_key, file);
        else
            fputc (*text, file);
    fclose (file);
    assert_int_equal (chmod (path, 0600), 0);
    assert_int_equal (rename (path, rig->list), 0);
}

static struct wire *
open_with (struct rig *rig, enum wire_type type, struct wire_options *options)
{
    struct wire *wire;
    options->verbose = type == WIRE_XPUB;
    options->immediate = type == WIRE_PUSH || type == WIRE_DEALER;
    options->reconnect = 10 * TIME_MS;
    options->reconnect_max = 20 * TIME_MS;
    options->linger = 0;
    if (rig->handshake)
        options->handshake = rig->handshake;
    if (wire_zmq.open (rig->context, type, options, &wire))
        fail_msg ("%s", weft_error ());
    for (int i = 0; i < WIRES; i++)
        if (!rig->wires[i]) {
            rig->wires[i] = wire;
            return wire;
        }
    fail_msg ("too many wires");
    return NULL;
}

static void
close_wire (struct rig *rig, struct wire *wire)
{
    for (int i = 0; i < WIRES; i++)
        if (rig->wires[i] == wire)
            rig->wires[i] = NULL;
    wire_close (&wire);
}

static void
must_attach (struct wire *wire, const char *text, enum endpoint_side side)
{
    if (attach_wire (wire, text, side))
        fail_msg ("%s", weft_error ());
}

/*  A keyed listener for those who do what `peers` says; the list is what was written. */
static struct wire *
open_listener (struct rig *rig, enum wire_type type, const char *peers)
{
    struct wire_options options;
    wire_options_init (&options);
    if (!rig->allow)
        allow_open (&rig->allow, rig->list);
    strcpy (options.security.public_key, rig->server.public_key);
    strcpy (options.security.secret_key, rig->server.secret_key);
    options.security.allow = rig->allow;
    options.security.peers = peers;
    return open_with (rig, type, &options);
}

static struct wire *
listen_keyed (struct rig *rig, enum wire_type type, const char *peers)
{
    struct wire *wire = open_listener (rig, type, peers);
    must_attach (wire, "tcp://127.0.0.1:0", ENDPOINT_BIND);
    return wire;
}

static struct wire *
connect_keyed (struct rig *rig, enum wire_type type, const struct certificate *who, const char *server_key,
               const char *to)
{
    struct wire_options options;
    wire_options_init (&options);
    strcpy (options.security.public_key, who->public_key);
    strcpy (options.security.secret_key, who->secret_key);
    strcpy (options.security.server_key, server_key);
    struct wire *wire = open_with (rig, type, &options);
    must_attach (wire, to, ENDPOINT_CONNECT);
    return wire;
}

static struct wire *
join (struct rig *rig, enum wire_type type, const struct certificate *who, const struct wire *listener)
{
    return connect_keyed (rig, type, who, rig->server.public_key, listener->bound);
}

static struct wire *
open_clear (struct rig *rig, enum wire_type type)
{
    struct wire_options options;
    wire_options_init (&options);
    return open_with (rig, type, &options);
}

static struct wire *
listen_clear (struct rig *rig, enum wire_type type)
{
    struct wire *wire = open_clear (rig, type);
    must_attach (wire, "tcp://127.0.0.1:0", ENDPOINT_BIND);
    return wire;
}

static struct wire *
connect_clear (struct rig *rig, enum wire_type type, const struct wire *listener)
{
    struct wire *wire = open_clear (rig, type);
    must_attach (wire, listener->bound, ENDPOINT_CONNECT);
    return wire;
}

/*  The next event of that kind; `text` (may be NULL) is what it has to say. Others are passed over, but for
 *  a rejection when a connection is awaited. */
static struct wire_event
await (struct wire *wire, enum wire_event_kind kind, const char *text)
{
    struct wire_event event;
    int64_t deadline = clock_deadline (clock_system (), PATIENCE), left;
    while ((left = clock_left (clock_system (), deadline)) > 0) {
        int rc = wire_next_event (wire, &event);
        assert_true (rc >= 0);
        if (rc == 0) {
            assert_true (wire_wait (wire, 0, left) >= 0);
            continue;
        }
        if (kind == WIRE_CONNECTED && event.kind == WIRE_REJECTED)
            fail_msg ("rejected: %s", event.text);
        if (event.kind == kind && text && !strstr (event.text, text))
            fail_msg ("\"%s\" does not say \"%s\"", event.text, text);
        if (event.kind == kind)
            return event;
    }
    fail_msg ("no event %d (%s)", kind, text ? text : "");
    return event;
}

static void
must_say (struct wire *wire, const char *text)
{
    int rc = say (wire, text, PATIENCE);
    if (rc)
        fail_msg ("%s: %s", text, weft_error ());
}

/*  What a SUB asks for is sent to a new peer when it is used. */
static void
await_subscription (struct wire *pub, struct wire *sub, const char *what)
{
    const char *heard = "";
    int64_t deadline = clock_deadline (clock_system (), PATIENCE);
    while (strcmp (heard, what) != 0 && clock_left (clock_system (), deadline) > 0) {
        assert_true (wire_events (sub) >= 0);
        heard = hear (pub, TIME_MS);
    }
    assert_string_equal (heard, what);
}

#define assert_heard(wire, text) assert_string_equal (hear (wire, PATIENCE), text)

/*  A raw connection to a listener on 127.0.0.1. */
static int
dial (const struct wire *listener)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl (INADDR_LOOPBACK) };
    address.sin_port = htons ((uint16_t) strtol (strrchr (listener->bound, ':') + 1, NULL, 10));
    int fd = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true (fd >= 0 && connect (fd, (struct sockaddr *) &address, sizeof address) == 0);
    return fd;
}

/*  Until the other side closes. */
static void
read_to_end (int fd)
{
    char bytes[512];
    struct pollfd item = { .fd = fd, .events = POLLIN };
    ssize_t got;
    do {
        assert_int_equal (poll (&item, 1, (int) (PATIENCE / TIME_MS)), 1);
        got = read (fd, bytes, sizeof bytes);
    } while (got > 0);
    close (fd);
}

/* -------------------------------------------------------------- clear text */

static void
clear_text_is_let_in (void **state)
{
    struct rig *rig = *state;
    struct wire *pull = listen_clear (rig, WIRE_PULL), *push = connect_clear (rig, WIRE_PUSH, pull);
    must_say (push, "hello");
    assert_heard (pull, "hello");
}

/*  Who is turned away for want of room tries again. */
static void
no_more_than_max_peers_are_let_in (void **state)
{
    struct rig *rig = *state;
    struct wire_options options;
    wire_options_init (&options);
    options.max_peers = 2;
    rig->handshake = 200 * TIME_MS;     /*  libzmq may keep a connection for so long that it turned away */
    struct wire *pull = open_with (rig, WIRE_PULL, &options), *push[3];
    must_attach (pull, "tcp://127.0.0.1:0", ENDPOINT_BIND);
    for (int i = 0; i < 2; i++) {
        push[i] = connect_clear (rig, WIRE_PUSH, pull);
        await (pull, WIRE_CONNECTED, NULL);
    }
    push[2] = connect_clear (rig, WIRE_PUSH, pull);
    assert_false (await (pull, WIRE_REJECTED, "max-peers").denied);
    assert_int_equal (say (push[2], "none", 0), WEFT_EAGAIN);
    close_wire (rig, push[0]);          /*  which who listens has not heard of yet */
    must_say (push[2], "hello");
    assert_heard (pull, "hello");
}

/*  The connection is made while the sender's context ends, and nobody is there any more to ask. */
static void
what_lingers_is_delivered (void **state)
{
    struct rig *rig = *state;
    struct wire *pull = listen_clear (rig, WIRE_PULL);
    for (int i = 0; i < 20; i++) {
        struct wire_options options;
        struct wire *push;
        void *context;
        wire_options_init (&options);
        options.linger = PATIENCE;
        assert_int_equal (wire_zmq.context_new (&context), 0);
        assert_int_equal (wire_zmq.open (context, WIRE_PUSH, &options, &push), 0);
        must_attach (push, pull->bound, ENDPOINT_CONNECT);
        must_say (push, "hello");
        wire_close (&push);
        assert_int_equal (wire_zmq.context_destroy (&context), 0);
        assert_heard (pull, "hello");
    }
}

/*  What is no ZMTP 3, sent by hand, never comes out as a message. */
static void
refuse_bytes (struct rig *rig, const char *bytes, size_t size)
{
    struct wire *pull = listen_clear (rig, WIRE_PULL);
    int fd = dial (pull);
    assert_int_equal (write (fd, bytes, size), size);
    read_to_end (fd);
    await (pull, WIRE_REJECTED, NULL);
    struct wire *push = connect_clear (rig, WIRE_PUSH, pull);
    must_say (push, "hello");
    assert_heard (pull, "hello");
    assert_int_equal (pull->counters.received, 1);
}

static void
zmtp_1_is_refused (void **state)
{
    refuse_bytes (*state, "\x01\0\x06\0weft!\x06\0again", 16);
}

static void
zmtp_2_is_refused (void **state)
{
    refuse_bytes (*state, "\xff\0\0\0\0\0\0\0\x01\x7f\x01\x08\0\0\0\x05hello", 21);
}

static void
http_is_refused (void **state)
{
    static const char request[] = "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: Mozilla/5.0 (X11; Linux)\r\n\r\n";
    refuse_bytes (*state, request, sizeof request - 1);
}

/* -------------------------------------------------------------------- keys */

static void
an_allowed_key_is_let_in (void **state)
{
    struct rig *rig = *state;
    write_list (rig, "alice %a\n");
    struct wire *pull = listen_keyed (rig, WIRE_PULL, "push"), *push = join (rig, WIRE_PUSH, &rig->alice, pull);
    await (pull, WIRE_CONNECTED, NULL);
    must_say (push, "hello|world");
    assert_heard (pull, "hello|world");
    assert_int_equal (pull->counters.refused, 0);
}

static void
an_unlisted_key_is_not (void **state)
{
    struct rig *rig = *state;
    char words[128];
    write_list (rig, "alice %a\n");
    struct wire *pull = listen_keyed (rig, WIRE_PULL, "push"), *push = join (rig, WIRE_PUSH, &rig->bob, pull);
    snprintf (words, sizeof words, "weft key allow NAME '%s'", rig->bob.public_key);
    assert_true (await (pull, WIRE_REJECTED, words).denied);
    assert_true (await (push, WIRE_REJECTED, words).denied);
    assert_int_equal (say (push, "hello", 0), WEFT_EAGAIN);
}

/*  Neither side goes on; the one that was refused knows why. */
static void
a_key_is_for_what_its_line_says (void **state)
{
    struct rig *rig = *state;
    write_list (rig, "alice %a sub\nbob %b push\n");
    struct wire *pull = listen_keyed (rig, WIRE_PULL, "push"), *alice = join (rig, WIRE_PUSH, &rig->alice, pull);
    assert_true (await (pull, WIRE_REJECTED, "alice (").denied);
    assert_true (await (alice, WIRE_REJECTED, "does not let our key in").denied);
    struct wire *bob = join (rig, WIRE_PUSH, &rig->bob, pull);
    must_say (bob, "hello");
    assert_heard (pull, "hello");
}

static void
topics_are_published_by_whom_they_belong_to (void **state)
{
    struct rig *rig = *state;
    write_list (rig, "alice %a pub:weather.\nbob %b pub\n");
    struct wire *sub = listen_keyed (rig, WIRE_SUB, "pub");
    assert_int_equal (sub->engine->subscribe (sub, "", 0), 0);
    struct wire *alice = join (rig, WIRE_XPUB, &rig->alice, sub), *bob = join (rig, WIRE_XPUB, &rig->bob, sub);
    await_subscription (alice, sub, "\\x01");
    await_subscription (bob, sub, "\\x01");
    must_say (alice, "news.world|1");
    must_say (alice, "weather.lund|2");
    assert_heard (sub, "weather.lund|2");
    must_say (bob, "news.world|3");
    assert_heard (sub, "news.world|3");
    assert_int_equal (sub->counters.refused, 1);
}

static void
clear_text_does_not_reach_a_listener_with_keys (void **state)
{
    struct rig *rig = *state;
    write_list (rig, "alice %a\n");
    struct wire *pull = listen_keyed (rig, WIRE_PULL, "push"), *push = connect_clear (rig, WIRE_PUSH, pull);
    assert_true (await (pull, WIRE_REJECTED, "a peer speaks clear text").denied);
    assert_true (await (push, WIRE_REJECTED, "give our --key").denied);
}

static void
keys_do_not_reach_a_listener_in_clear_text (void **state)
{
    struct rig *rig = *state;
    struct wire *pull = listen_clear (rig, WIRE_PULL), *push = join (rig, WIRE_PUSH, &rig->alice, pull);
    assert_true (await (pull, WIRE_REJECTED, "a peer has keys").denied);
    assert_true (await (push, WIRE_REJECTED, "the peer speaks clear text").denied);
}

static void
a_wrong_server_key_is_told (void **state)
{
    struct rig *rig = *state;
    write_list (rig, "alice %a\n");
    struct wire *pull = listen_keyed (rig, WIRE_PULL, "push");
    struct wire *push = connect_keyed (rig, WIRE_PUSH, &rig->alice, rig->bob.public_key, pull->bound);
    assert_true (await (pull, WIRE_REJECTED, rig->server.public_key).denied);
    while (!await (push, WIRE_REJECTED, "perhaps our --server-key is not its key").denied)
        continue;
    assert_int_equal (say (push, "hello", 0), WEFT_EAGAIN);
}

static void
a_key_without_a_server_key_does_not_connect (void **state)
{
    struct rig *rig = *state;
    struct wire *push = open_listener (rig, WIRE_PUSH, "pull");
    assert_int_equal (attach_wire (push, "tcp://127.0.0.1:1", ENDPOINT_CONNECT), WEFT_EINVAL);
    assert_says ("server-key");
}

/*  One wire, both ways. */
static void
a_wire_listens_and_connects (void **state)
{
    struct rig *rig = *state;
    write_list (rig, "alice %a\n");
    struct wire *pull = listen_keyed (rig, WIRE_PULL, "push"), *other = listen_keyed (rig, WIRE_PUSH, "pull");
    struct wire *push = join (rig, WIRE_PUSH, &rig->alice, pull);
    pull->options.security.server_key[0] = '\0';
    assert_int_equal (attach_wire (pull, other->bound, ENDPOINT_CONNECT), WEFT_EINVAL);
    must_say (push, "hello");
    assert_heard (pull, "hello");
}

/*  inproc stays within the process: no keys, no list. */
static void
inproc_needs_no_key (void **state)
{
    struct rig *rig = *state;
    write_list (rig, "alice %a\n");
    struct wire *pull = listen_keyed (rig, WIRE_PULL, "push"), *push = open_clear (rig, WIRE_PUSH);
    must_attach (pull, "inproc://zap", ENDPOINT_BIND);
    must_attach (push, "inproc://zap", ENDPOINT_CONNECT);
    must_say (push, "hello");
    assert_heard (pull, "hello");
}

static void
ipc_has_keys_too (void **state)
{
    struct rig *rig = *state;
    char endpoint[80];
    write_list (rig, "alice %a\nbob %b\n");
    struct wire *pull = open_listener (rig, WIRE_PULL, "push");
    snprintf (endpoint, sizeof endpoint, "ipc://%s", folder_path ("socket"));
    must_attach (pull, endpoint, ENDPOINT_BIND);
    struct wire *alice = join (rig, WIRE_PUSH, &rig->alice, pull), *bob = join (rig, WIRE_PUSH, &rig->bob, pull);
    must_say (alice, "hello");
    assert_heard (pull, "hello");
    must_say (bob, "hello");
    assert_heard (pull, "hello");
    write_list (rig, "!alice %a\nbob %b\n");
    await (alice, WIRE_DISCONNECTED, NULL);
    assert_true (await (alice, WIRE_REJECTED, NULL).denied);
    must_say (bob, "again");
    assert_heard (pull, "again");
    await (pull, WIRE_NOTICE, "connections ended: 1");
}

static void
many_come_at_once (void **state)
{
    struct rig *rig = *state;
    struct wire *push[20];
    write_list (rig, "alice %a\n");
    struct wire *pull = listen_keyed (rig, WIRE_PULL, "push");
    for (int i = 0; i < 20; i++)
        push[i] = join (rig, WIRE_PUSH, i % 2 ? &rig->bob : &rig->alice, pull);
    for (int i = 0; i < 20; i++)
        if (i % 2)
            assert_true (await (push[i], WIRE_REJECTED, NULL).denied);
        else
            must_say (push[i], "hello");
    for (int i = 0; i < 10; i++)
        assert_heard (pull, "hello");
    for (int i = 0; i < 10; i++)
        await (pull, WIRE_REJECTED, rig->bob.public_key);
}

/* ------------------------------------------------------------------ the list */

static void
a_list_that_grows_lets_in (void **state)
{
    struct rig *rig = *state;
    write_list (rig, "alice %a\n");
    struct wire *pull = listen_keyed (rig, WIRE_PULL, "push"), *alice = join (rig, WIRE_PUSH, &rig->alice, pull);
    must_say (alice, "hello");
    assert_heard (pull, "hello");
    write_list (rig, "alice %a\nbob %b\n");
    struct wire *bob = join (rig, WIRE_PUSH, &rig->bob, pull);
    must_say (bob, "hello");
    assert_heard (pull, "hello");
    must_say (alice, "still here");
    assert_heard (pull, "still here");
    assert_int_equal (pull->counters.refused, 0);
}

/*  Nobody is let in, those who were are put out, and when it is mended they come back. */
static void
spoil (struct rig *rig, void (*how) (struct rig *rig), const char *words)
{
    write_list (rig, "alice %a\n");
    rig->handshake = 200 * TIME_MS;     /*  whoever is to come again hears nothing for so long */
    struct wire *pull = listen_keyed (rig, WIRE_PULL, "push"), *alice = join (rig, WIRE_PUSH, &rig->alice, pull);
    await (alice, WIRE_CONNECTED, NULL);
    how (rig);
    await (pull, WIRE_NOTICE, words);
    await (alice, WIRE_DISCONNECTED, NULL);
    assert_false (await (alice, WIRE_REJECTED, NULL).denied);
    assert_int_equal (say (alice, "hello", 0), WEFT_EAGAIN);
    write_list (rig, "alice %a\n");
    must_say (alice, "hello");
    assert_heard (pull, "hello");
}

static void
remove_list (struct rig *rig)
{
    assert_int_equal (unlink (rig->list), 0);
}

static void
a_list_that_is_gone_lets_nobody_in (void **state)
{
    spoil (*state, remove_list, "nobody is let in");
}

static void
garble_list (struct rig *rig)
{
    write_list (rig, "alice %a\nbob what\n");
}

static void
a_list_with_a_mistake_lets_nobody_in (void **state)
{
    spoil (*state, garble_list, "allowed:2");
}

static void
open_list (struct rig *rig)
{
    assert_int_equal (chmod (rig->list, 0666), 0);
}

static void
a_list_that_others_write_lets_nobody_in (void **state)
{
    spoil (*state, open_list, "nobody is let in");
}

static void
a_listener_without_a_list_lets_nobody_in (void **state)
{
    struct rig *rig = *state;
    struct wire *pull = listen_keyed (rig, WIRE_PULL, "push");      /*  there is no file */
    struct wire *push = join (rig, WIRE_PUSH, &rig->alice, pull);
    assert_true (await (pull, WIRE_REJECTED, "nobody is let in").denied);
    assert_true (await (push, WIRE_REJECTED, "does not let our key in").denied);
}

/* ----------------------------------------------------------------- revocation */

/*  Alice and Bob are at a listener; `first` and `again` show that one of them and it can speak. */
typedef void (exchange_fn) (struct wire *listener, struct wire *peer);

static void
put_out (struct rig *rig, enum wire_type ours, enum wire_type theirs, const char *peers, exchange_fn *exchange)
{
    write_list (rig, "alice %a\nbob %b\n");
    struct wire *listener = listen_keyed (rig, ours, peers);
    if (ours == WIRE_SUB)
        assert_int_equal (listener->engine->subscribe (listener, "", 0), 0);
    struct wire *alice = join (rig, theirs, &rig->alice, listener);
    await (alice, WIRE_CONNECTED, NULL);
    exchange (listener, alice);
    write_list (rig, "!alice %a\nbob %b\n");
    await (alice, WIRE_DISCONNECTED, NULL);
    assert_true (await (alice, WIRE_REJECTED, "does not let our key in").denied);
    await (listener, WIRE_NOTICE, "no longer let in: alice");
    assert_true (await (listener, WIRE_REJECTED, "was revoked").denied);
    struct wire *bob = join (rig, theirs, &rig->bob, listener);
    await (bob, WIRE_CONNECTED, NULL);
    exchange (listener, bob);
}

static void
peer_sends (struct wire *listener, struct wire *peer)
{
    must_say (peer, "hello");
    assert_heard (listener, "hello");
}

static void
listener_sends (struct wire *listener, struct wire *peer)
{
    must_say (listener, "hello");
    assert_heard (peer, "hello");
}

static void
peer_asks (struct wire *listener, struct wire *peer)
{
    weft_msg_t msg;
    weft_msg_init (&msg);
    must_say (peer, "who?");
    assert_int_equal (wire_recv (listener, &msg, PATIENCE), 0);
    assert_int_equal (wire_send (listener, &msg, PATIENCE), 0);
    assert_heard (peer, "who?");
}

static void
listener_asks (struct wire *listener, struct wire *peer)
{
    must_say (listener, "who?");
    assert_heard (peer, "who?");
    must_say (peer, "me");
    assert_heard (listener, "me");
}

static void
listener_publishes (struct wire *listener, struct wire *peer)
{
    assert_int_equal (peer->engine->subscribe (peer, "", 0), 0);
    const char *heard = hear (listener, PATIENCE);
    if (strcmp (heard, "\\x00") == 0)      /*  of who was there before */
        heard = hear (listener, PATIENCE);
    assert_string_equal (heard, "\\x01");
    must_say (listener, "news");
    assert_heard (peer, "news");
}

static void
peer_publishes (struct wire *listener, struct wire *peer)
{
    await_subscription (peer, listener, "\\x01");
    must_say (peer, "news");
    assert_heard (listener, "news");
}

static void
a_pull_puts_out_a_push (void **state)
{
    put_out (*state, WIRE_PULL, WIRE_PUSH, "push", peer_sends);
}

static void
a_push_puts_out_a_pull (void **state)
{
    put_out (*state, WIRE_PUSH, WIRE_PULL, "pull", listener_sends);
}

static void
a_rep_puts_out_a_req (void **state)
{
    put_out (*state, WIRE_ROUTER, WIRE_DEALER, "req", peer_asks);
}

static void
a_req_puts_out_a_rep (void **state)
{
    put_out (*state, WIRE_DEALER, WIRE_DEALER, "rep", listener_asks);
}

static void
a_pub_puts_out_a_sub (void **state)
{
    put_out (*state, WIRE_XPUB, WIRE_SUB, "sub", listener_publishes);
}

static void
a_sub_puts_out_a_pub (void **state)
{
    put_out (*state, WIRE_SUB, WIRE_XPUB, "pub", peer_publishes);
}

/*  It is put out, to come back with what it may have now. */
static void
a_sub_may_have_less (void **state)
{
    struct rig *rig = *state;
    write_list (rig, "alice %a sub:a sub:b\n");
    struct wire *pub = listen_keyed (rig, WIRE_XPUB, "sub"), *alice = join (rig, WIRE_SUB, &rig->alice, pub);
    assert_int_equal (alice->engine->subscribe (alice, "a", 1), 0);
    assert_heard (pub, "\\x01a");
    assert_int_equal (alice->engine->subscribe (alice, "b", 1), 0);
    assert_heard (pub, "\\x01b");
    await (alice, WIRE_CONNECTED, NULL);
    write_list (rig, "alice %a sub:b\n");
    await (alice, WIRE_DISCONNECTED, NULL);
    await (pub, WIRE_NOTICE, "what alice may have has changed");
    assert_int_equal (alice->engine->unsubscribe (alice, "a", 1), 0);   /*  else it is cut off again */
    await_subscription (pub, alice, "\\x01b");
    must_say (pub, "a secret");
    must_say (pub, "but not this");
    assert_heard (alice, "but not this");
}

/*  Those who have been heard keep their connection when somebody else is revoked. */
static void
others_stay_connected (void **state)
{
    struct rig *rig = *state;
    write_list (rig, "alice %a\nbob %b\n");
    struct wire *pull = listen_keyed (rig, WIRE_PULL, "push");
    struct wire *alice = join (rig, WIRE_PUSH, &rig->alice, pull), *bob = join (rig, WIRE_PUSH, &rig->bob, pull);
    peer_sends (pull, alice);
    peer_sends (pull, bob);
    write_list (rig, "bob %b\n");
    await (pull, WIRE_NOTICE, "connections ended: 1");
    await (alice, WIRE_DISCONNECTED, NULL);
    peer_sends (pull, bob);
    struct wire_event event;
    while (wire_next_event (bob, &event) == 1)
        assert_int_equal (event.kind, WIRE_CONNECTED);
}

/*  What had come already, and was not received. */
static void
messages_of_the_revoked_are_discarded (void **state)
{
    struct rig *rig = *state;
    write_list (rig, "alice %a\nbob %b\n");
    struct wire *pull = listen_keyed (rig, WIRE_PULL, "push");
    struct wire *alice = join (rig, WIRE_PUSH, &rig->alice, pull), *bob = join (rig, WIRE_PUSH, &rig->bob, pull);
    peer_sends (pull, bob);
    must_say (alice, "one");
    must_say (alice, "two|parts");
    assert_heard (pull, "one");
    write_list (rig, "!alice %a\nbob %b\n");
    await (pull, WIRE_NOTICE, "no longer let in");
    must_say (bob, "hello");
    assert_heard (pull, "hello");
    assert_int_equal (pull->counters.refused, 1);
    assert_int_equal (pull->counters.received, 3);
}

int
main (void)
{
#define test(name) cmocka_unit_test_setup_teardown (name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        test (clear_text_is_let_in),
        test (no_more_than_max_peers_are_let_in),
        test (what_lingers_is_delivered),
        test (zmtp_1_is_refused),
        test (zmtp_2_is_refused),
        test (http_is_refused),
        test (an_allowed_key_is_let_in),
        test (an_unlisted_key_is_not),
        test (a_key_is_for_what_its_line_says),
        test (topics_are_published_by_whom_they_belong_to),
        test (clear_text_does_not_reach_a_listener_with_keys),
        test (keys_do_not_reach_a_listener_in_clear_text),
        test (a_wrong_server_key_is_told),
        test (a_key_without_a_server_key_does_not_connect),
        test (a_wire_listens_and_connects),
        test (inproc_needs_no_key),
        test (ipc_has_keys_too),
        test (many_come_at_once),
        test (a_list_that_grows_lets_in),
        test (a_list_that_is_gone_lets_nobody_in),
        test (a_list_with_a_mistake_lets_nobody_in),
        test (a_list_that_others_write_lets_nobody_in),
        test (a_listener_without_a_list_lets_nobody_in),
        test (a_pull_puts_out_a_push),
        test (a_push_puts_out_a_pull),
        test (a_rep_puts_out_a_req),
        test (a_req_puts_out_a_rep),
        test (a_pub_puts_out_a_sub),
        test (a_sub_puts_out_a_pub),
        test (a_sub_may_have_less),
        test (others_stay_connected),
        test (messages_of_the_revoked_are_discarded),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
