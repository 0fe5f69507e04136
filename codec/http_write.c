/*  http_write.c - HTTP/1.1: messages to bytes */

#include <http_parser.h>
#include <string.h>

#include "codec/http.h"
#include "core/error.h"
#include "weft.h"

bool
http_add_header (struct http_header *headers, size_t *count, const char *name, const char *value)
{
    if (*count == HTTP_HEADERS_MAX)
        return false;
    headers[(*count)++] = (struct http_header) { { name, strlen (name) }, { value, strlen (value) } };
    return true;
}

static int
add_text (struct buffer *out, struct http_text text)
{
    return text.size ? buffer_add (out, text.data, text.size) : 0;
}

static int
add_headers (struct buffer *out, const struct http_header *headers, size_t count)
{
    int rc = 0;
    for (size_t i = 0; i < count && rc == 0; i++) {
        const struct http_header *each = &headers[i];
        if (!http_is_token (each->name) || !http_is_value (each->value))
            return error_set (WEFT_EINVAL, "a header %.*s that cannot be written on a line",
                              (int) (each->name.size < 64 ? each->name.size : 64), each->name.data);
        rc = add_text (out, each->name);
        rc = rc ? rc : buffer_add (out, ": ", 2);
        rc = rc ? rc : add_text (out, each->value);
        rc = rc ? rc : buffer_add (out, "\r\n", 2);
    }
    return rc;
}

static const char *
usual_reason (int status)
{
    switch (status) {
#define XX(number, name, string) case number: return #string;
    HTTP_STATUS_MAP (XX)
#undef XX
    default:
        return "";
    }
}

static int
write_response (struct buffer *out, const struct http_response *response, enum http_body body)
{
    struct http_text reason = response->reason;
    if (response->status < 100 || response->status > 999)
        return error_set (WEFT_EINVAL, "%d is no status", response->status);
    if (reason.size == 0)
        reason = (struct http_text) { usual_reason (response->status), strlen (usual_reason (response->status)) };
    if (!http_is_value (reason))
        return error_set (WEFT_EINVAL, "a reason that cannot be written on a line");
    int rc = buffer_addf (out, "HTTP/1.1 %d %.*s\r\n", response->status, (int) reason.size, reason.data);
    rc = rc ? rc : add_headers (out, response->headers, response->header_count);
    if (rc == 0 && (body == HTTP_BODY_SIZED || body == HTTP_BODY_UNSENT))
        rc = buffer_addf (out, "Content-Length: %zu\r\n", response->body.size);
    else if (rc == 0 && body == HTTP_BODY_CHUNKED)
        rc = buffer_add_str (out, "Transfer-Encoding: chunked\r\n");
    rc = rc ? rc : buffer_add (out, "\r\n", 2);
    return rc || body != HTTP_BODY_SIZED ? rc : add_text (out, response->body);
}

int
http_write_response (struct buffer *out, const struct http_response *response, enum http_body body)
{
    size_t before = buffer_size (out);
    int rc = write_response (out, response, body);
    if (rc)
        buffer_cut (out, before);
    return rc;
}

static int
write_request (struct buffer *out, const struct http_request *request)
{
    struct http_text target = request->target;
    bool good = http_is_token (request->method) && target.size > 0;
    for (size_t i = 0; i < target.size; i++)
        good = good && target.data[i] > ' ' && target.data[i] < 127;
    if (!good)
        return error_set (WEFT_EINVAL, "a method or target that cannot be written on a line");
    int rc = add_text (out, request->method);
    rc = rc ? rc : buffer_add (out, " ", 1);
    rc = rc ? rc : add_text (out, target);
    rc = rc ? rc : buffer_add_str (out, " HTTP/1.1\r\n");
    rc = rc ? rc : add_headers (out, request->headers, request->header_count);
    if (rc == 0 && request->body.data)
        rc = buffer_addf (out, "Content-Length: %zu\r\n", request->body.size);
    rc = rc ? rc : buffer_add (out, "\r\n", 2);
    return rc ? rc : add_text (out, request->body);
}

int
http_write_request (struct buffer *out, const struct http_request *request)
{
    size_t before = buffer_size (out);
    int rc = write_request (out, request);
    if (rc)
        buffer_cut (out, before);
    return rc;
}

int
http_write_chunk (struct buffer *out, const void *data, size_t size)
{
    size_t before = buffer_size (out);
    int rc = buffer_addf (out, "%zx\r\n", size);
    rc = rc || size == 0 ? rc : buffer_add (out, data, size);
    rc = rc ? rc : buffer_add (out, "\r\n", 2);
    if (rc)
        buffer_cut (out, before);
    return rc;
}
