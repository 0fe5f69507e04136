/*  test_http_bridge.c - the conformance suite over HTTP/1.1, and in TLS: requests that are sent ahead, and Server-Sent
 *  Events */

#include "tests/conformance.h"

static void
write_request (struct buffer *out, enum adapter_mode mode, const void *data, size_t size)
{
    buffer_addf (out, "POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Length: %zu\r\n\r\n",
                 mode == MODE_PUSH ? "/push" : "/req", size);
    buffer_add (out, data, size);
}

static const char *
hello (enum adapter_mode mode)
{
    return mode == MODE_SUB ? "GET /sub HTTP/1.1\r\nHost: localhost\r\n\r\n" : NULL;
}

/*  Up to the empty line that ends it, and that line; NULL: it is not all there. */
static const char *
end_of (const char *from, const char *end, const char *mark)
{
    const char *found = memmem (from, (size_t) (end - from), mark, strlen (mark));
    return found ? found + strlen (mark) : NULL;
}

/*  One event with one line of data, behind comments; a gap is of what was lost. */
static long
read_event (const char *at, const char *end, const char **data, size_t *used)
{
    const char *start = at, *stop;
    while ((stop = end_of (at, end, "\n\n")) && at[0] == ':' && at[1] == ' ')
        at = stop;
    if (!stop)
        return READ_MORE;
    *used = (size_t) (stop - start);
    const char *line = end_of (at, stop, "\ndata: ");
    if (!line || memmem (at, (size_t) (stop - at), "event: gap", 10))
        return READ_REFUSED;
    *data = line;
    return stop - 2 - line;
}

static long
read_answer (struct buffer *in, const char **data, size_t *used)
{
    const char *at = buffer_data (in), *end = at + buffer_size (in), *body, *length;
    if (*at != 'H')
        return read_event (at, end, data, used);
    if (!(body = end_of (at, end, "\r\n\r\n")))
        return READ_MORE;
    length = end_of (at, body, "\r\nContent-Length: ");
    assert_non_null (length);
    size_t size = (size_t) atoi (length);
    int status = atoi (at + strlen ("HTTP/1.1 "));
    if (size > (size_t) (end - body))
        return READ_MORE;
    *data = body;
    *used = (size_t) (body - at) + size;
    return status == 200 ? (long) size : status == 202 ? READ_TAKEN : READ_REFUSED;
}

/*  A request waits for the fabric as long as other protocols do. */
static const struct conformance plain = { .adapter = "http", .options = "as=body wait=1h", .write = write_request,
                                          .read = read_answer, .hello = hello, .outwards = MODE_SUB,
                                          .acknowledges = true };

int
main (void)
{
    int failed = conformance_run ("http", &plain);
    return failed + conformance_run_tls ("http, in TLS", &plain);
}
