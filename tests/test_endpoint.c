/*  test_endpoint.c - every form of an endpoint, and every way to mistype one */

#include "tests/testing.h"

#include "core/endpoint.h"

static struct endpoint
good (const char *text, enum endpoint_side side)
{
    struct endpoint endpoint;
    if (endpoint_parse (&endpoint, text, side))
        fail_msg ("%s", weft_error ());
    assert_string_equal (endpoint.text, text);
    assert_int_equal (endpoint.side, side);
    return endpoint;
}

static struct endpoint
resolved (const char *text, enum endpoint_side side)
{
    struct endpoint endpoint = good (text, side);
    if (endpoint_resolve (&endpoint))
        fail_msg ("%s", weft_error ());
    return endpoint;
}

#define bad(text, side, words) do { \
    struct endpoint endpoint; \
    assert_int_equal (endpoint_parse (&endpoint, (text), (side)), WEFT_EENDPOINT); \
    assert_says (words); \
} while (0)
#define bad_bind(text, words) bad (text, ENDPOINT_BIND, words)
#define bad_connect(text, words) bad (text, ENDPOINT_CONNECT, words)

static void
tcp (void **state)
{
    (void) state;
    struct endpoint e = good ("tcp://example.com:5555", ENDPOINT_CONNECT);
    assert_int_equal (e.transport, ENDPOINT_TCP);
    assert_string_equal (e.host, "example.com");
    assert_int_equal (e.port, 5555);
    assert_string_equal (e.source, "");

    e = good ("tcp://[fe80::1%eth0]:65535", ENDPOINT_CONNECT);
    assert_string_equal (e.host, "fe80::1%eth0");
    assert_int_equal (e.port, 65535);
    assert_true (e.ipv6);

    e = good ("tcp://*:*", ENDPOINT_BIND);
    assert_string_equal (e.host, "*");
    assert_int_equal (e.port, 0);
    assert_int_equal (good ("tcp://eth0:0", ENDPOINT_BIND).port, 0);
    assert_int_equal (good ("tcp://[::]:*", ENDPOINT_BIND).port, 0);

    e = good ("tcp://192.0.2.1:0;192.0.2.2:99", ENDPOINT_CONNECT);
    assert_string_equal (e.source, "192.0.2.1:0");
    assert_string_equal (e.host, "192.0.2.2");
    assert_int_equal (e.port, 99);
    e = good ("tcp://[::1]:*;[::2]:99", ENDPOINT_CONNECT);
    assert_string_equal (e.source, "[::1]:*");
    assert_string_equal (e.host, "::2");
}

static void
bad_tcp (void **state)
{
    (void) state;
    bad_connect ("tcp://127.0.0.1", "tcp://127.0.0.1: no port; write tcp://127.0.0.1:5555");
    bad_connect ("tcp//127.0.0.1:1", "write tcp://127.0.0.1:1");
    bad_connect ("ipc//tmp/x", "write ipc://tmp/x");
    bad_connect ("tcp://127.0.0.1:", "no port; write tcp://127.0.0.1:5555");
    bad_connect ("tcp://[::1]", "no port; write tcp://[::1]:5555");
    bad_connect ("tcp://[::1]5555", "after the bracket");
    bad_connect ("tcp://[::1:5555", "not closed");
    bad_connect ("tcp://::1:5555", "brackets");
    bad_connect ("tcp://[localhost]:5555", "not an IPv6 address");
    bad_connect ("tcp://[fe80::1%]:5555", "not an IPv6 address");
    bad_connect ("tcp://[]:5555", "not an IPv6 address");
    bad_connect ("tcp://", "no host and port");
    bad_connect ("tcp://:5555", "no host");
    bad_connect ("tcp://h:65536", "port 65536 is past 65535");
    bad_connect ("tcp://h:99999999999999999999", "past 65535");
    bad_connect ("tcp://h:-1", "not a port");
    bad_connect ("tcp://h:5x", "\"5x\" is not a port");
    bad_connect ("tcp://h: 5", "not a port");
    bad_connect ("tcp://h:5/", "not a port");
    bad_connect ("tcp://h:http", "not a port");
    bad_connect ("tcp://h/path:5", "path");
    bad_connect ("tcp://a b:5", "' ' is not allowed");
    bad_connect ("tcp://user@h:5", "'@' is not allowed");
    bad_connect ("tcp://256.0.0.1:5", "not an IPv4 address");
    bad_connect ("tcp://127.1:5", "not an IPv4 address");
    bad_connect ("tcp://1:5", "not an IPv4 address");
}

static void
sides (void **state)
{
    (void) state;
    bad_connect ("tcp://*:5", "to connect write the peer's");
    bad_connect ("tcp://0.0.0.0:5", "to connect write the peer's");
    bad_connect ("tcp://[::]:5", "to connect write the peer's");
    bad_connect ("tcp://h:0", "to connect write the port");
    bad_connect ("tcp://h:*", "to connect write the port");
    bad_connect ("ipc://*", "to connect write the path");
    bad_bind ("tcp://127.0.0.1:0;127.0.0.1:5", "is for connect");
    bad_connect ("tcp://;127.0.0.1:5", "is empty");
    bad_connect ("tcp://127.0.0.1;127.0.0.1:5", "no port");
    bad_connect ("tcp://127.0.0.1:0;", "no host and port");
    bad_connect ("tcp://:0;127.0.0.1:5", "no host");
}

static void
ipc_and_inproc (void **state)
{
    (void) state;
    assert_string_equal (good ("ipc:///tmp/a b,c", ENDPOINT_BIND).path, "/tmp/a b,c");
    assert_string_equal (good ("ipc://relative", ENDPOINT_CONNECT).path, "relative");
    assert_string_equal (good ("ipc://@name", ENDPOINT_CONNECT).path, "@name");
    assert_string_equal (good ("ipc://*", ENDPOINT_BIND).path, "*");
    assert_string_equal (good ("inproc://a:b/c", ENDPOINT_BIND).path, "a:b/c");
    assert_int_equal (good ("inproc://x", ENDPOINT_CONNECT).transport, ENDPOINT_INPROC);
    bad_bind ("ipc://", "no path");
    bad_bind ("ipc://@", "no name after the @");
    bad_bind ("inproc://", "no name");

    char path[200] = "ipc://";
    memset (path + 6, 'x', 108);
    bad_bind (path, "108 bytes long, and the system allows 107");
    path[6 + 107] = '\0';
    good (path, ENDPOINT_BIND);
}

static void
transports (void **state)
{
    (void) state;
    bad_connect ("", "an empty endpoint");
    bad_connect (NULL, "an empty endpoint");
    bad_connect ("127.0.0.1:5555", "write tcp://127.0.0.1:5555");
    bad_connect ("/tmp/x", "write ipc:///tmp/x");
    bad_connect ("tcp:/127.0.0.1:5", "write tcp://127.0.0.1:5");
    bad_connect ("tcp:127.0.0.1:5", "write tcp://127.0.0.1:5");
    bad_connect ("ipc:/tmp/x", "write ipc:///tmp/x");
    bad_connect ("TCP://h:5", "write tcp://h:5");
    bad_connect ("nonsense", "not an endpoint");
    bad_connect ("udp://h:5", "\"udp\" is not known; those that are: tcp, ipc, inproc");
    bad_connect ("ws://h:5", "\"ws\" is not known");
    bad_connect ("://h:5", "is not known");
    bad_connect ("@tcp://h:5", "prefix @");
    bad_connect (" tcp://h:5", "is not known");
    bad_connect ("tcp://h:5\n", "control character (0x0a) at byte 10");

    char text[ENDPOINT_MAX + 1] = "inproc://";
    memset (text + 9, 'x', ENDPOINT_MAX - 9);
    bad_connect (text, "512 bytes; 511 are allowed");
    text[ENDPOINT_MAX - 1] = '\0';
    good (text, ENDPOINT_CONNECT);
}

static void
resolves_without_a_name_server (void **state)
{
    (void) state;
    assert_string_equal (resolved ("tcp://127.0.0.1:0", ENDPOINT_BIND).wire, "tcp://127.0.0.1:*");
    assert_string_equal (resolved ("tcp://*:80", ENDPOINT_BIND).wire, "tcp://*:80");
    assert_string_equal (resolved ("tcp://lo:80", ENDPOINT_BIND).wire, "tcp://lo:80");
    assert_string_equal (resolved ("tcp://localhost:80", ENDPOINT_BIND).wire, "tcp://127.0.0.1:80");
    assert_string_equal (resolved ("tcp://LocalHost:80", ENDPOINT_CONNECT).wire, "tcp://127.0.0.1:80");
    struct endpoint e = resolved ("tcp://[::1%lo]:80", ENDPOINT_CONNECT);
    assert_string_equal (e.wire, "tcp://[::1%lo]:80");
    assert_true (e.ipv6);
    assert_string_equal (resolved ("tcp://127.0.0.1:0;localhost:8", ENDPOINT_CONNECT).wire,
                         "tcp://127.0.0.1:0;127.0.0.1:8");
    assert_string_equal (resolved ("tcp://[::1]:0;localhost:8", ENDPOINT_CONNECT).wire, "tcp://[::1]:0;[::1]:8");
    assert_string_equal (resolved ("inproc://x", ENDPOINT_CONNECT).wire, "inproc://x");
    assert_string_equal (resolved ("ipc://@x", ENDPOINT_CONNECT).wire, "ipc://@x");
    assert_string_equal (resolved ("ipc:///tmp/x", ENDPOINT_BIND).wire, "ipc:///tmp/x");
}

#define unresolved(text, side, code, words) do { \
    struct endpoint endpoint = good ((text), (side)); \
    assert_int_equal (endpoint_resolve (&endpoint), (code)); \
    assert_says (words); \
} while (0)

static void
does_not_resolve (void **state)
{
    (void) state;
    unresolved ("tcp://nowhere.invalid:5", ENDPOINT_CONNECT, WEFT_ERESOLVE, "\"nowhere.invalid\"");
    unresolved ("tcp://[fe80::1%nosuchif]:5", ENDPOINT_CONNECT, WEFT_ERESOLVE, "no interface \"nosuchif\"");
    unresolved ("tcp://nosuchif:0;127.0.0.1:5", ENDPOINT_CONNECT, WEFT_ERESOLVE, "source \"nosuchif\"");
    unresolved ("tcp://[::1]:0;127.0.0.1:5", ENDPOINT_CONNECT, WEFT_EENDPOINT, "of one kind");
    unresolved ("ipc:///no/such/directory/x", ENDPOINT_BIND, WEFT_EADDR, "there is no directory /no/such/directory");
    unresolved ("ipc:///dev/null/x", ENDPOINT_BIND, WEFT_EADDR, "/dev/null is not a directory");
    unresolved ("ipc:///tmp/", ENDPOINT_BIND, WEFT_EENDPOINT, "ends in a slash");
}

static bool
local (const char *text, bool resolve)
{
    struct endpoint e = resolve ? resolved (text, ENDPOINT_BIND) : good (text, ENDPOINT_BIND);
    return endpoint_is_local (&e);
}

static void
locality (void **state)
{
    (void) state;
    for (int resolve = 0; resolve < 2; resolve++) {
        assert_true (local ("tcp://127.0.0.1:5", resolve));
        assert_true (local ("tcp://127.255.0.1:5", resolve));
        assert_true (local ("tcp://[::1]:5", resolve));
        assert_true (local ("tcp://[::1%lo]:5", resolve));
        assert_true (local ("tcp://[::ffff:127.0.0.1]:5", resolve));
        assert_true (local ("tcp://localhost:5", resolve));
        assert_true (local ("tcp://lo:5", resolve));
        assert_true (local ("ipc:///tmp/x", resolve));
        assert_true (local ("inproc://x", resolve));
        assert_false (local ("tcp://*:5", resolve));
        assert_false (local ("tcp://0.0.0.0:5", resolve));
        assert_false (local ("tcp://[::]:5", resolve));
        assert_false (local ("tcp://126.0.0.1:5", resolve));
        assert_false (local ("tcp://128.0.0.1:5", resolve));
        assert_false (local ("tcp://[::ffff:10.0.0.1]:5", resolve));
    }
    assert_false (local ("tcp://localhost.example.com:5", false));
}

static void
lists (void **state)
{
    (void) state;
    struct endpoint e;
    const char *list = "@tcp://*:5, >ipc://@x ,inproc://y,ipc://@z";
    assert_int_equal (endpoint_next (&list, ENDPOINT_CONNECT, &e), 1);
    assert_string_equal (e.text, "tcp://*:5");
    assert_int_equal (e.side, ENDPOINT_BIND);
    assert_int_equal (endpoint_next (&list, ENDPOINT_BIND, &e), 1);
    assert_string_equal (e.path, "@x");
    assert_int_equal (e.side, ENDPOINT_CONNECT);
    assert_int_equal (endpoint_next (&list, ENDPOINT_BIND, &e), 1);
    assert_string_equal (e.text, "inproc://y");
    assert_int_equal (e.side, ENDPOINT_BIND);
    assert_int_equal (endpoint_next (&list, ENDPOINT_CONNECT, &e), 1);
    assert_string_equal (e.path, "@z");
    assert_int_equal (e.side, ENDPOINT_CONNECT);
    assert_int_equal (endpoint_next (&list, ENDPOINT_BIND, &e), 0);
    assert_int_equal (endpoint_next (&list, ENDPOINT_BIND, &e), 0);
}

static void
bad_lists (void **state)
{
    (void) state;
    static const char *const lists[] = { "inproc://a,", "inproc://a, ", "inproc://a,,inproc://b", "inproc://a,@" };
    struct endpoint e;
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        const char *list = lists[i];
        assert_int_equal (endpoint_next (&list, ENDPOINT_BIND, &e), 1);
        assert_int_equal (endpoint_next (&list, ENDPOINT_BIND, &e), WEFT_EENDPOINT);
        assert_says ("empty");
    }
    const char *list = ",inproc://a";
    assert_int_equal (endpoint_next (&list, ENDPOINT_BIND, &e), WEFT_EENDPOINT);
    list = "";
    assert_int_equal (endpoint_next (&list, ENDPOINT_BIND, &e), 0);
    list = "@@inproc://a";
    assert_int_equal (endpoint_next (&list, ENDPOINT_BIND, &e), WEFT_EENDPOINT);
}

int
main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (tcp),
        cmocka_unit_test (bad_tcp),
        cmocka_unit_test (sides),
        cmocka_unit_test (ipc_and_inproc),
        cmocka_unit_test (transports),
        cmocka_unit_test (resolves_without_a_name_server),
        cmocka_unit_test (does_not_resolve),
        cmocka_unit_test (locality),
        cmocka_unit_test (lists),
        cmocka_unit_test (bad_lists),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
