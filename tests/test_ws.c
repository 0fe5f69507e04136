/*  test_ws.c - the conformance suite over WebSocket, and in TLS; which pages may connect */

#include "tests/conformance.h"

#include "adapters/ws_parts.h"

#define HELLO \
    "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" \
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"

/* ------------------------------------------------------------------------- the suite */

static void
write_frame (struct buffer *out, enum adapter_mode mode, const void *data, size_t size)
{
    static const unsigned char key[] = { 1, 2, 3, 4 };
    unsigned char head[WEBSOCKET_HEAD];
    (void) mode;
    buffer_add (out, head, websocket_head (head, WEBSOCKET_TEXT, false, size, key));
    websocket_mask (buffer_reserve (out, size), data, size, key, 0);
    buffer_wrote (out, size);
}

static const char *
hello (enum adapter_mode mode)
{
    (void) mode;
    return HELLO;
}

/*  After a Close nothing comes but the end. */
static long
read_frame (struct buffer *in, const char **data, size_t *used)
{
    const unsigned char *bytes = (const unsigned char *) buffer_data (in);
    size_t have = buffer_size (in), head = have > 1 && bytes[1] == 126 ? 4 : 2;
    if (have < head || (bytes[0] & 0x0f) == WEBSOCKET_CLOSE)
        return -1;
    assert_int_equal (bytes[0], 0x81);
    size_t size = head == 4 ? (size_t) bytes[2] << 8 | bytes[3] : bytes[1];
    *data = buffer_data (in) + head;
    *used = head + size;
    return have < head + size ? -1 : (long) size;
}

/* ------------------------------------------------------------------------- origins */

static bool
may (const char *origin, const char *host, const char *one, const char *two)
{
    char *items[] = { (char *) (uintptr_t) one, (char *) (uintptr_t) two };
    const struct option_list list = { items, one ? two ? 2 : 1 : 0 };
    const struct http_text from = { origin, origin ? strlen (origin) : 0 }, to = { host, host ? strlen (host) : 0 };
    int rc = ws_origin_check (&list, from, to);
    assert_true (rc == 0 || rc == WEFT_EACCES);
    return rc == 0;
}

static void
pages_from_here_may_connect (void **state)
{
    (void) state;
    assert_true (may (NULL, "example.org", NULL, NULL));
    assert_true (may ("http://127.0.0.1:8080", "127.0.0.1:8080", NULL, NULL));
    assert_true (may ("https://[::1]:8080", "[::1]:8080", NULL, NULL));
    assert_true (may ("http://LOCALHOST:8080", "localhost:8080", NULL, NULL));
    assert_true (may ("http://192.168.1.5", "192.168.1.5", NULL, NULL));
}

static void
pages_from_elsewhere_may_not (void **state)
{
    (void) state;
    assert_false (may ("http://evil.example", "127.0.0.1:8080", NULL, NULL));
    assert_says ("--allow-origin http://evil.example");
    assert_false (may ("http://127.0.0.1:8081", "127.0.0.1:8080", NULL, NULL));
    assert_false (may ("null", "127.0.0.1:8080", NULL, NULL));
    assert_false (may ("http://", "127.0.0.1:8080", NULL, NULL));
    assert_false (may ("file://", "", NULL, NULL));
    assert_false (may ("http://127.0.0.1:8080", NULL, NULL, NULL));
}

/*  A name can be made to mean any address: that both say it proves nothing. */
static void
a_name_is_no_proof (void **state)
{
    (void) state;
    assert_false (may ("http://evil.example:8080", "evil.example:8080", NULL, NULL));
    assert_false (may ("http://localhost.evil.example", "localhost.evil.example", NULL, NULL));
    assert_false (may ("http://127.0.0.1.evil.example", "127.0.0.1.evil.example", NULL, NULL));
}

static void
a_list_is_all_there_is (void **state)
{
    (void) state;
    assert_true (may ("https://a.example", "b.example", "https://b.example", "https://A.example"));
    assert_false (may ("https://a.example.org", "b.example", "https://a.example", NULL));
    assert_false (may ("http://127.0.0.1:80", "127.0.0.1:80", "https://a.example", NULL));
    assert_true (may ("http://127.0.0.1:80", "x", "*", NULL));
    assert_true (may ("null", "x", "*", NULL));
}

int
main (void)
{
    const struct CMUnitTest origins[] = {
        cmocka_unit_test (pages_from_here_may_connect),
        cmocka_unit_test (pages_from_elsewhere_may_not),
        cmocka_unit_test (a_name_is_no_proof),
        cmocka_unit_test (a_list_is_all_there_is),
    };
    const struct conformance plain = { .adapter = "ws", .options = "ws-ping=0", .write = write_frame,
                                       .read = read_frame, .hello = hello, .outwards = MODE_PULL };
    int failed = cmocka_run_group_tests (origins, NULL, NULL);
    failed += conformance_run ("ws", &plain);
    return failed + conformance_run_tls ("ws, in TLS", &plain);
}
