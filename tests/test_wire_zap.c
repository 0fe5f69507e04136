/*  test_wire_zap.c - who is let in by libzmq's engine: clear text, keys, lists of keys, and what both sides are told */

#include "tests/testing.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/wire.h"

#define PATIENCE (10 * TIME_S)      /*  how long a test waits for what must come */

enum { WIRES = 24 };

struct rig {
    void *context;
    char folder[32], list[64];
    struct certificate server, alice, bob;
    struct allow *allow;
    struct wire *wires[WIRES];      /*  that are open: a test that fails leaves some */
    int names;
};

static int
set_up (void **state)
{
    static struct rig rig;
    memset (&rig, 0, sizeof rig);
    strcpy (rig.folder, "/tmp/test_zap.XXXXXX");
    assert_non_null (mkdtemp (rig.folder));
    snprintf (rig.list, sizeof rig.list, "%s/allowed", rig.folder);
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
    char command[64];
    for (int i = 0; i < WIRES; i++)
        wire_close (&rig->wires[i]);
    allow_release (&rig->allow);
    assert_int_equal (wire_zmq.context_destroy (&rig->context), 0);
    snprintf (command, sizeof command, "rm -rf '%s'", rig->folder);
    return system (command);
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
    options->immediate = type == WIRE_PUSH || type == WIRE_DEALER;
    options->reconnect = 10 * TIME_MS;
    options->reconnect_max = 20 * TIME_MS;
    options->linger = 0;
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

static int
attach (struct wire *wire, const char *text, enum endpoint_side side)
{
    struct endpoint endpoint;
    int rc = endpoint_parse (&endpoint, text, side);
    return rc ? rc : wire_attach (wire, &endpoint);
}

static void
must_attach (struct wire *wire, const char *text, enum endpoint_side side)
{
    if (attach (wire, text, side))
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

#define assert_heard(wire, text) assert_string_equal (hear (wire, PATIENCE), text)

/*  A raw connection to a listener on 127.0.0.1. */
static int
dial (const struct wire *listener)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl (INADDR_LOOPBACK) };
    address.sin_port = htons ((uint16_t) atoi (strrchr (listener->bound, ':') + 1));
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
    struct wire *pull = open_with (rig, WIRE_PULL, &options), *push[3];
    must_attach (pull, "tcp://127.0.0.1:0", ENDPOINT_BIND);
    for (int i = 0; i < 2; i++) {
        push[i] = connect_clear (rig, WIRE_PUSH, pull);
        await (pull, WIRE_CONNECTED, NULL);
    }
    push[2] = connect_clear (rig, WIRE_PUSH, pull);
    assert_false (await (pull, WIRE_REJECTED, "max-peers").denied);
    assert_int_equal (say (push[2], "none", 0), WEFT_EAGAIN);
    close_wire (rig, push[0]);
    await (pull, WIRE_DISCONNECTED, NULL);
    must_say (push[2], "hello");
    assert_heard (pull, "hello");
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

int
main (void)
{
#define test(name) cmocka_unit_test_setup_teardown (name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        test (clear_text_is_let_in),
        test (no_more_than_max_peers_are_let_in),
        test (zmtp_1_is_refused),
        test (zmtp_2_is_refused),
        test (http_is_refused),
        test (an_allowed_key_is_let_in),
        test (an_unlisted_key_is_not),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
