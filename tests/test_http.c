/*  test_http.c - HTTP/1.1 there and back: whole, a byte at a time, and what two could read differently */

#include "tests/testing.h"

#include "codec/http.h"

#define BODY_MAX 1000

/* ------------------------------------------------------------------------ requests */

/*  What a request says: METHOD PATH ?QUERY (headers) BODY, each followed by "|"; after a failure its status. */
static const char *
requests_of (const char *data, size_t size, size_t step)
{
    static char text[65536];
    static struct http_request request;
    struct http_reader reader;
    size_t at = 0, have = 0, length = 0;
    text[0] = '\0';
    http_reader_init (&reader, BODY_MAX);
    while (have < size) {
        have = have + step < size ? have + step : size;
        for (;;) {
            /*  A block of its very size: reading past the end is seen by valgrind and asan. */
            unsigned char *bytes = malloc (have - at ? have - at : 1);
            memcpy (bytes, data + at, have - at);
            int64_t taken = http_read_request (&reader, bytes, have - at, &request);
            if (taken > 0)
                length += (size_t) snprintf (text + length, sizeof text - length, "%.*s %.*s%s%.*s (%zu)%s %.*s|",
                                             (int) request.method.size, request.method.data, (int) request.path.size,
                                             request.path.data, request.query.size ? "?" : "",
                                             (int) request.query.size, request.query.data, request.header_count,
                                             request.keep_alive ? "" : " close", (int) request.body.size,
                                             request.body.data);
            free (bytes);
            if (taken < 0) {
                snprintf (text + length, sizeof text - length, "%d", reader.status);
                http_reader_free (&reader);
                return text;
            }
            if (taken == 0)
                break;
            at += (size_t) taken;
        }
    }
    if (have > at)
        snprintf (text + length, sizeof text - length, "...");
    http_reader_free (&reader);
    return text;
}

static void
check (const char *data, size_t size, const char *expected)
{
    for (size_t step = 1; step <= size; step = step < 200 ? step + 1 : 2 * step)
        assert_string_equal (requests_of (data, size, step), expected);
    assert_string_equal (requests_of (data, size, size), expected);
}
#define CHECK(data, expected) check (data, sizeof data - 1, expected)
#define HOST "Host: x\r\n"
#define POST "POST / HTTP/1.1\r\n" HOST

static void
finds_requests_however_they_come (void **state)
{
    (void) state;
    CHECK ("GET / HTTP/1.1\r\n" HOST "\r\n", "GET / (1) |");
    CHECK ("GET /a%20b?c=d&e HTTP/1.1\r\nhOsT:x\r\nA:\t b c \t\r\nEmpty:\r\n\r\n", "GET /a%20b?c=d&e (3) |");
    CHECK (POST "Content-Length: 3\r\n\r\nabcGET /2 HTTP/1.1\r\n" HOST "\r\n", "POST / (2) abc|GET /2 (1) |");
    CHECK (POST "Content-Length: 0\r\n\r\n", "POST / (2) |");
    CHECK (POST "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n1;ext=\"1\"\r\nd\r\n0\r\nTrailer: 1\r\n\r\n" POST "\r\n",
           "POST / (2) abcd|POST / (1) |");
    CHECK (POST "Transfer-Encoding: Chunked\r\n\r\n0\r\n\r\n", "POST / (2) |");
    CHECK ("OPTIONS * HTTP/1.1\r\n" HOST "\r\n", "OPTIONS * (1) |");
    CHECK ("GET http://host:8080/a?b HTTP/1.1\r\n" HOST "\r\n", "GET /a?b (1) |");
    CHECK ("GET http://host HTTP/1.1\r\n" HOST "\r\n", "GET / (1) |");
    CHECK ("DELETE /x HTTP/1.1\r\nHost:\r\n\r\n", "DELETE /x (1) |");
    CHECK ("GET / HTTP/1.1\r\n" HOST, "...");
    CHECK (POST "Content-Length: 4\r\n\r\nabc", "...");
    CHECK (POST "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", "...");
}

static void
knows_what_stays_open (void **state)
{
    (void) state;
    CHECK ("GET / HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n", "GET / (2) close |");
    CHECK ("GET / HTTP/1.0\r\n\r\n", "GET / (0) close |");
    CHECK ("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", "GET / (1) |");
}

static void
refuses_what_two_could_read_differently (void **state)
{
    (void) state;
    CHECK (POST "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\nabc", "400");
    CHECK (POST "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\nabc", "400");
    CHECK (POST "Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc", "400");
    CHECK (POST "Content-Length: 3\r\nContent-Length: 4\r\n\r\nabc", "400");
    CHECK (POST "Content-Length: 3, 3\r\n\r\nabc", "400");
    CHECK (POST "Content-Length: +3\r\n\r\nabc", "400");
    CHECK (POST "Content-Length: -3\r\n\r\nabc", "400");
    CHECK (POST "Content-Length: 0x3\r\n\r\nabc", "400");
    CHECK (POST "Content-Length: 3 3\r\n\r\nabc", "400");
    CHECK (POST "Content-Length:\r\n\r\nabc", "400");
    CHECK (POST "Content-Length: 18446744073709551619\r\n\r\nabc", "400");
    CHECK (POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "400");
    CHECK (POST "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", "501");
    CHECK (POST "Transfer-Encoding: identity\r\n\r\n", "501");
    CHECK (POST "Transfer-Encoding: xchunked\r\n\r\n", "501");
    CHECK (POST "Transfer-Encoding : chunked\r\n\r\n", "400");
    CHECK (POST "Transfer-Encoding:\x0b" "chunked\r\n\r\n", "400");
    CHECK ("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", "400");
    CHECK ("GET / HTTP/1.1\n" HOST "\r\n", "400");
    CHECK ("GET / HTTP/1.1\r\nHost: x\n\r\n", "400");
    CHECK ("GET / HTTP/1.1\r\nHost: x\rA: b\r\n\r\n", "400");
    CHECK ("GET / HTTP/1.1\r\nHost: x\r\r\n\r\n", "400");
    CHECK ("GET / HTTP/1.1\r\n" HOST "A: b\r\n c\r\n\r\n", "400");
    CHECK ("GET / HTTP/1.1\r\n " HOST "\r\n", "400");
    CHECK ("GET / HTTP/1.1\r\n" HOST "A b: c\r\n\r\n", "400");
    CHECK ("GET / HTTP/1.1\r\n" HOST ": c\r\n\r\n", "400");
    CHECK ("GET / HTTP/1.1\r\n" HOST "A\r\n\r\n", "400");
    CHECK ("GET / HTTP/1.1\r\n" HOST "A: b\0c\r\n\r\n", "400");
    CHECK ("GET / HTTP/1.1\r\n" HOST "A\xc3\xa9: b\r\n\r\n", "400");
    CHECK ("\r\nGET / HTTP/1.1\r\n" HOST "\r\n", "400");
}

static void
refuses_loose_chunks (void **state)
{
    (void) state;
#define CHUNKED POST "Transfer-Encoding: chunked\r\n\r\n"
    CHECK (CHUNKED "3\rXabc\r\n0\r\n\r\n", "400");
    CHECK (CHUNKED "3\nabc\r\n0\r\n\r\n", "400");
    CHECK (CHUNKED "3\r\nabcZZ0\r\n\r\n", "400");
    CHECK (CHUNKED "3\r\nabcd\r\n0\r\n\r\n", "400");
    CHECK (CHUNKED "\r\n", "400");
    CHECK (CHUNKED " 3\r\nabc\r\n0\r\n\r\n", "400");
    CHECK (CHUNKED "3 \r\nabc\r\n0\r\n\r\n", "400");
    CHECK (CHUNKED "+3\r\nabc\r\n0\r\n\r\n", "400");
    CHECK (CHUNKED "0x3\r\nabc\r\n0\r\n\r\n", "400");
    CHECK (CHUNKED "00000000000000003\r\nabc\r\n0\r\n\r\n", "400");
    CHECK (CHUNKED "0\r\nX: y\n\r\n", "400");
    CHECK (CHUNKED "0\r\nno trailer\r\n\r\n", "400");
    CHECK (CHUNKED "3e9\r\n", "413");
    CHECK (CHUNKED "fffffffffffffffff\r\n", "413");
    CHECK (CHUNKED "1\r\na\r\n3e8\r\n", "413");
}

static void
refuses_bad_first_lines (void **state)
{
    (void) state;
    CHECK ("GET / HTTP/2.0\r\n" HOST "\r\n", "505");
    CHECK ("PRI * HTTP/2.0\r\n\r\n", "505");
    CHECK ("GET / HTTP/1.2\r\n" HOST "\r\n", "505");
    CHECK ("GET / HTTP/1.10\r\n" HOST "\r\n", "400");
    CHECK ("GET /\r\n" HOST "\r\n", "400");
    CHECK ("GET  / HTTP/1.1\r\n" HOST "\r\n", "400");
    CHECK ("GET /a b HTTP/1.1\r\n" HOST "\r\n", "400");
    CHECK ("GET /a\xc3\xa9 HTTP/1.1\r\n" HOST "\r\n", "400");
    CHECK ("GET /a#b HTTP/1.1\r\n" HOST "\r\n", "400");
    CHECK ("GET a HTTP/1.1\r\n" HOST "\r\n", "400");
    CHECK ("GET * HTTP/1.1\r\n" HOST "\r\n", "400");
    CHECK ("CONNECT a:1 HTTP/1.1\r\n" HOST "\r\n", "501");
    CHECK ("NONSENSE / HTTP/1.1\r\n" HOST "\r\n", "501");
    CHECK ("G(T / HTTP/1.1\r\n" HOST "\r\n", "400");
    CHECK ("\x16\x03\x01\x02", "400");
    CHECK ("GET / HTTP/1.1\r\n\r\n", "400");
    CHECK ("GET / HTTP/1.1\r\n" HOST HOST "\r\n", "400");
    CHECK ("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", "400");
}

/*  `head`, then `count` times `part`, then `tail`. */
static void
check_long (const char *head, const char *part, int count, const char *tail, const char *expected)
{
    struct buffer bytes;
    buffer_init (&bytes, 0);
    buffer_add_str (&bytes, head);
    for (int i = 0; i < count; i++)
        buffer_add_str (&bytes, part);
    buffer_add_str (&bytes, tail);
    check (buffer_data (&bytes), buffer_size (&bytes), expected);
    buffer_free (&bytes);
}

static void
everything_has_a_limit (void **state)
{
    (void) state;
    check_long ("GET /", "a", HTTP_TARGET_MAX + 100, "", "414");
    check_long ("GET /", "a", HTTP_TARGET_MAX, " HTTP/1.1\r\n" HOST "\r\n", "414");
    check_long ("GET / HTTP/1.1\r\nHost: x\r\nA: ", "a", HTTP_HEAD_MAX, "", "431");
    check_long ("GET / HTTP/1.1\r\nHost: x\r\n", "A: b\r\n", HTTP_HEADERS_MAX - 1, "\r\n", "GET / (64) |");
    check_long ("GET / HTTP/1.1\r\nHost: x\r\n", "A: b\r\n", HTTP_HEADERS_MAX, "", "431");
    check_long (POST "Content-Length: 1001\r\n\r\n", "", 0, "", "413");
    check_long (CHUNKED, "1\r\na\r\n", BODY_MAX + 1, "", "413");
    check_long (CHUNKED "1;", "a", 1100, "", "400");
    check_long (CHUNKED "0\r\n", "A: bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\r\n", 300, "", "431");
    check_long (CHUNKED, "00001;aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
                "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\na\r\n", 900, "", "413");
}

static void
tells_who_waits_for_a_100 (void **state)
{
    (void) state;
    static const char text[] = POST "Expect: 100-Continue\r\nContent-Length: 3\r\n\r\nabc";
    static struct http_request request;
    struct http_reader reader;
    const unsigned char *data = (const unsigned char *) text;
    http_reader_init (&reader, BODY_MAX);
    assert_int_equal (http_read_request (&reader, data, 20, &request), 0);
    assert_int_equal (reader.head, 0);
    assert_int_equal (http_read_request (&reader, data, sizeof text - 4, &request), 0);
    assert_int_equal (reader.head, sizeof text - 4);
    assert_true (request.expects);
    assert_int_equal (http_read_request (&reader, data, sizeof text - 1, &request), sizeof text - 1);
    assert_int_equal (reader.head, 0);
    http_reader_free (&reader);
}

static void
tells_who_wants_another_protocol (void **state)
{
    (void) state;
    static const char text[] = "GET / HTTP/1.1\r\n" HOST "Connection: keep-alive, Upgrade\r\n"
                               "Upgrade: websocket\r\n\r\nab";
    static struct http_request request;
    struct http_reader reader;
    http_reader_init (&reader, BODY_MAX);
    assert_int_equal (http_read_request (&reader, (const unsigned char *) text, sizeof text - 1, &request),
                      sizeof text - 3);
    assert_true (request.upgrade);
    assert_true (http_header_has (request.headers, request.header_count, "connection", "upgrade"));
    assert_false (http_header_has (request.headers, request.header_count, "connection", "up"));
    http_reader_free (&reader);
}

/* ----------------------------------------------------------------------- responses */

static const char *
responses_of (const char *data, size_t size, size_t step, bool bodiless)
{
    static char text[4096];
    static struct http_response response;
    struct http_reader reader;
    size_t at = 0, have = 0, length = 0;
    http_reader_init (&reader, BODY_MAX);
    text[0] = '\0';
    for (bool last = false; !last;) {
        last = have == size;
        have = have + step < size ? have + step : size;
        for (;;) {
            unsigned char *bytes = malloc (have - at ? have - at : 1);
            memcpy (bytes, data + at, have - at);
            reader.bodiless = bodiless;
            int64_t taken = http_read_response (&reader, bytes, have - at, &response);
            if (taken == 0 && last)
                taken = http_read_last (&reader, bytes, have - at, &response) == 1 ? (int64_t) (have - at) : 0;
            if (taken > 0)
                length += (size_t) snprintf (text + length, sizeof text - length, "%d %.*s (%zu) %.*s|",
                                             response.status, (int) response.reason.size, response.reason.data,
                                             response.header_count, (int) response.body.size, response.body.data);
            free (bytes);
            if (taken < 0)
                length += (size_t) snprintf (text + length, sizeof text - length, "bad");
            last |= taken < 0;
            if (taken <= 0)
                break;
            at += (size_t) taken;
        }
    }
    http_reader_free (&reader);
    return text;
}

static void
finds_responses_however_they_come (void **state)
{
    (void) state;
    static const struct { const char *data, *expected; bool bodiless; } cases[] = {
        { "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab", "200 OK (1) ab|", false },
        { "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n", "200 OK (1) |", true },
        { "HTTP/1.1 200 OK\r\n\r\nto the end", "200 OK (0) to the end|", false },
        { "HTTP/1.1 204 \r\n\r\nHTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n",
          "204  (0) |304 Not Modified (1) |", false },
        { "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n",
          "100 Continue (0) |200 OK (1) ab|", false },
        { "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
          "101 Switching Protocols (2) |", false },
        { "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n", "bad", false },
        { "HTTP/2 200 OK\r\n\r\n", "bad", false },
        { "HTTP/1.1 20x OK\r\n\r\n", "bad", false },
        { "SSH-2.0-OpenSSH\r\n\r\n", "bad", false },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        for (size_t step = 1; step <= strlen (cases[i].data); step++)
            assert_string_equal (responses_of (cases[i].data, strlen (cases[i].data), step, cases[i].bodiless),
                                 cases[i].expected);
}

/* ------------------------------------------------------------------------- writing */

#define TEXT(literal) (struct http_text) { literal, sizeof literal - 1 }

static const char *
written (const struct http_response *response, enum http_body body)
{
    static char text[1024];
    struct buffer out;
    buffer_init (&out, 0);
    int rc = http_write_response (&out, response, body);
    snprintf (text, sizeof text, "%.*s%s", (int) buffer_size (&out), buffer_data (&out), rc ? "refused" : "");
    buffer_free (&out);
    return text;
}

static void
writes_responses (void **state)
{
    (void) state;
    static struct http_response response = { .status = 404, .body = { "gone", 4 } };
    assert_true (http_add_header (response.headers, &response.header_count, "Content-Type", "text/plain"));
    assert_string_equal (written (&response, HTTP_BODY_SIZED),
                         "HTTP/1.1 404 Not Found\r\nContent-Type: text/plain\r\nContent-Length: 4\r\n\r\ngone");
    assert_string_equal (written (&response, HTTP_BODY_UNSENT),
                         "HTTP/1.1 404 Not Found\r\nContent-Type: text/plain\r\nContent-Length: 4\r\n\r\n");
    response.reason = TEXT ("Nowhere");
    response.header_count = 0;
    assert_string_equal (written (&response, HTTP_BODY_NONE), "HTTP/1.1 404 Nowhere\r\n\r\n");
    assert_string_equal (written (&response, HTTP_BODY_CHUNKED),
                         "HTTP/1.1 404 Nowhere\r\nTransfer-Encoding: chunked\r\n\r\n");
}

static void
nothing_breaks_a_line (void **state)
{
    (void) state;
    static struct http_response response = { .status = 200 };
    response.header_count = 1;
    response.headers[0] = (struct http_header) { TEXT ("A"), TEXT ("b\r\nSet-Cookie: c") };
    assert_string_equal (written (&response, HTTP_BODY_SIZED), "refused");
    response.headers[0] = (struct http_header) { TEXT ("A: b\r\nC"), TEXT ("d") };
    assert_string_equal (written (&response, HTTP_BODY_SIZED), "refused");
    response.header_count = 0;
    response.reason = TEXT ("OK\n");
    assert_string_equal (written (&response, HTTP_BODY_SIZED), "refused");
    response.reason = TEXT ("OK");
    response.status = 1000;
    assert_string_equal (written (&response, HTTP_BODY_SIZED), "refused");
    static struct http_request request = { .method = { "GET", 3 }, .target = { "/a b", 4 } };
    struct buffer out;
    buffer_init (&out, 0);
    assert_int_equal (http_write_request (&out, &request), WEFT_EINVAL);
    assert_int_equal (buffer_size (&out), 0);
    buffer_free (&out);
}

static void
reads_what_it_writes (void **state)
{
    (void) state;
    static struct http_request request = { .method = { "PUT", 3 }, .target = { "/a?b", 4 }, .body = { "body", 4 } };
    static struct http_response response = { .status = 200 };
    struct buffer out;
    buffer_init (&out, 0);
    http_add_header (request.headers, &request.header_count, "Host", "here");
    assert_int_equal (http_write_request (&out, &request), 0);
    assert_string_equal (requests_of (buffer_data (&out), buffer_size (&out), 1), "PUT /a?b (2) body|");
    buffer_clear (&out);
    assert_int_equal (http_write_response (&out, &response, HTTP_BODY_CHUNKED), 0);
    assert_int_equal (http_write_chunk (&out, "hello ", 6), 0);
    assert_int_equal (http_write_chunk (&out, "world, this is longer", 21), 0);
    assert_int_equal (http_write_chunk (&out, NULL, 0), 0);
    assert_string_equal (responses_of (buffer_data (&out), buffer_size (&out), 1, false),
                         "200 OK (1) hello world, this is longer|");
    buffer_free (&out);
}

/* --------------------------------------------------------------------- texts, queries */

static const char *
decoded (const char *text, bool plus)
{
    static char out[100];
    int64_t size = http_decode ((struct http_text) { text, strlen (text) }, plus, out);
    if (size < 0)
        return "bad";
    out[size] = '\0';
    return out;
}

static void
decodes_percents (void **state)
{
    (void) state;
    assert_string_equal (decoded ("a%2Fb%2f+c", false), "a/b/+c");
    assert_string_equal (decoded ("a%2Fb+c", true), "a/b c");
    assert_string_equal (decoded ("%", false), "bad");
    assert_string_equal (decoded ("%4", false), "bad");
    assert_string_equal (decoded ("%4g", false), "bad");
    assert_string_equal (decoded ("", false), "");
}

static void
splits_queries (void **state)
{
    (void) state;
    struct http_text query = TEXT ("a=1&&b&c=d=e&=f"), name, value;
    char all[100] = "";
    while (http_query_next (&query, &name, &value))
        snprintf (all + strlen (all), sizeof all - strlen (all), "%.*s:%.*s;", (int) name.size, name.data,
                  (int) value.size, value.data);
    assert_string_equal (all, "a:1;b:;c:d=e;:f;");
}

static void
knows_names_from_addresses (void **state)
{
    (void) state;
    static const struct { const char *authority, *host; bool fixed; } all[] = {
        { "localhost", "localhost", true }, { "LocalHost:80", "LocalHost", true }, { "127.0.0.1:", "127.0.0.1", true },
        { "[::1]:8080", "::1", true }, { "[fe80::1]", "fe80::1", true }, { "10.0.0.1", "10.0.0.1", true },
        { "example.org:1", "example.org", false }, { "localhost.example.org", "localhost.example.org", false },
        { "127.0.0.1.example.org", "127.0.0.1.example.org", false }, { "1270.0.1", "1270.0.1", false },
        { "", "", false }, { ":80", "", false }, { "[::1", "", false }, { "[::1]80", "", false }, { "[", "", false },
        { "a:b", "", false }, { "a:1x", "", false }, { "::1", "", false }, { "[]:1", "", false }, { "x]", "x]", false },
        { "0123456789012345678901234567890123456789012345678901234567890123456789",
          "0123456789012345678901234567890123456789012345678901234567890123456789", false }
    };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        struct http_text host = http_host_of ((struct http_text) { all[i].authority, strlen (all[i].authority) });
        assert_int_equal (host.size, strlen (all[i].host));
        assert_int_equal (host.data == NULL, host.size == 0);
        assert_memory_equal (host.size ? host.data : "", all[i].host, host.size);
        assert_int_equal (http_host_is_fixed (host), all[i].fixed);
    }
    assert_null (http_host_of ((struct http_text) { NULL, 0 }).data);
    assert_false (http_host_is_fixed ((struct http_text) { NULL, 0 }));
}

static void
reads_and_writes_dates (void **state)
{
    (void) state;
    char text[HTTP_DATE_SIZE];
    http_date_write (784111777, text);
    assert_string_equal (text, "Sun, 06 Nov 1994 08:49:37 GMT");
    assert_int_equal (http_date_read (TEXT ("Sun, 06 Nov 1994 08:49:37 GMT")), 784111777);
    assert_int_equal (http_date_read (TEXT ("Sun, 06 Nov 1994 08:49:37 CET")), -1);
    assert_int_equal (http_date_read (TEXT ("Sun, 06 ovD 1994 08:49:37 GMT")), -1);
    assert_int_equal (http_date_read (TEXT ("Sunday, 06-Nov-94 08:49:37 GMT")), -1);
    assert_int_equal (http_date_read (TEXT ("")), -1);
}

static void
knows_an_origin (void **state)
{
    static const char *const right[] = { "https://example.org", "http://127.0.0.1:8000", "http://[::1]:8000", "null",
                                         "moz-extension://0f1e" };
    static const char *const wrong[] = { "", "example.org", "https://", "://x", "https://example.org/", "https://a,b",
                                         "https://a b", "https://a\nb", "https://*.org", "https:/x" };
    (void) state;
    for (size_t i = 0; i < sizeof right / sizeof *right; i++)
        assert_true (http_is_origin ((struct http_text) { right[i], strlen (right[i]) }));
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_false (http_is_origin ((struct http_text) { wrong[i], strlen (wrong[i]) }));
}

int
main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (finds_requests_however_they_come),
        cmocka_unit_test (knows_what_stays_open),
        cmocka_unit_test (refuses_what_two_could_read_differently),
        cmocka_unit_test (refuses_loose_chunks),
        cmocka_unit_test (refuses_bad_first_lines),
        cmocka_unit_test (everything_has_a_limit),
        cmocka_unit_test (tells_who_waits_for_a_100),
        cmocka_unit_test (tells_who_wants_another_protocol),
        cmocka_unit_test (finds_responses_however_they_come),
        cmocka_unit_test (writes_responses),
        cmocka_unit_test (nothing_breaks_a_line),
        cmocka_unit_test (reads_what_it_writes),
        cmocka_unit_test (decodes_percents),
        cmocka_unit_test (splits_queries),
        cmocka_unit_test (knows_names_from_addresses),
        cmocka_unit_test (knows_an_origin),
        cmocka_unit_test (reads_and_writes_dates),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
