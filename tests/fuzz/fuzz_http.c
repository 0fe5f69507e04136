/*  fuzz_http.c - any bytes as HTTP requests or responses: whole and in two parts they are the same messages, and what
 *  was read as a request can be written, and is the same one then */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "codec/http.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

enum { BODY_MAX = 300 };

struct outcome {
    uint64_t messages, hash;
    int64_t error;
};

static void
add (struct outcome *outcome, struct http_text text)
{
    for (size_t i = 0; i < text.size; i++)
        outcome->hash = (outcome->hash ^ (uint8_t) text.data[i]) * 0x100000001b3u;
    outcome->hash += text.size;
}

static void
add_headers (struct outcome *outcome, const struct http_header *headers, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        add (outcome, headers[i].name);
        add (outcome, headers[i].value);
        if (!http_is_token (headers[i].name) || !http_is_value (headers[i].value))
            abort ();
    }
}

/*  What was read can be written. */
static void
write_again (const struct http_request *request)
{
    struct buffer out;
    buffer_init (&out, 0);
    if (http_write_request (&out, request))
        abort ();
    buffer_free (&out);
}

static int64_t
read_one (struct http_reader *reader, bool requests, const uint8_t *bytes, size_t size, struct outcome *outcome)
{
    static struct http_request request;
    static struct http_response response;
    char scratch[HTTP_TARGET_MAX];
    if (!requests) {
        int64_t taken = http_read_response (reader, bytes, size, &response);
        if (taken > 0) {
            add_headers (outcome, response.headers, response.header_count);
            add (outcome, response.body);
        }
        return taken;
    }
    int64_t taken = http_read_request (reader, bytes, size, &request);
    if (taken > 0) {
        add (outcome, request.path);
        add (outcome, request.query);
        add_headers (outcome, request.headers, request.header_count);
        add (outcome, request.body);
        http_decode (request.path, false, scratch);
        write_again (&request);
    }
    return taken;
}

/*  Takes what there is, until more is needed; how far it came. */
static size_t
decode (struct http_reader *reader, bool requests, const uint8_t *data, size_t size, struct outcome *outcome)
{
    size_t at = 0;
    while (outcome->error == 0) {
        /*  A block of its very size: reading past the end is seen. */
        uint8_t *bytes = malloc (size - at ? size - at : 1);
        if (!bytes)
            abort ();
        memcpy (bytes, data + at, size - at);
        int64_t taken = read_one (reader, requests, bytes, size - at, outcome);
        free (bytes);
        if (taken > (int64_t) (size - at))
            abort ();
        if (taken < 0)
            outcome->error = taken;
        if (taken <= 0)
            break;
        outcome->messages++;
        at += (size_t) taken;
    }
    return at;
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
    if (size < 3)
        return 0;
    bool requests = data[0] & 1;
    size_t cut = ((size_t) data[1] << 8 | data[2]) % (size - 2);
    struct outcome whole = { 0 }, parts = { 0 };
    struct http_reader reader;
    data += 3;
    size -= 3;
    cut = cut < size ? cut : size;
    http_reader_init (&reader, BODY_MAX);
    decode (&reader, requests, data, size, &whole);
    http_reader_free (&reader);
    http_reader_init (&reader, BODY_MAX);
    size_t at = decode (&reader, requests, data, cut, &parts);
    decode (&reader, requests, data + at, size - at, &parts);
    http_reader_free (&reader);
    if (whole.messages != parts.messages || whole.hash != parts.hash || whole.error != parts.error)
        abort ();
    return 0;
}
