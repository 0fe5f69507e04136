/*  http.c - HTTP/1.1: finding a message in the bytes of a stream */

#include "codec/http.h"

#include <string.h>

#include "codec/http_parts.h"
#include "core/error.h"
#include "weft.h"

void
http_reader_init (struct http_reader *self, size_t body_max)
{
    *self = (struct http_reader) { .body_max = body_max };
    buffer_init (&self->body, body_max);
}

void
http_reader_free (struct http_reader *self)
{
    buffer_free (&self->body);
}

/*  Ready for the next message. The body that was handed out stays until then. */
static void
begin (struct http_reader *self)
{
    if (self->scanned == 0)
        buffer_free (&self->body);
}

static int64_t
done (struct http_reader *self, size_t taken)
{
    self->state = HTTP_READS_HEAD;
    self->bodiless = false;
    self->scanned = self->head = self->lines = self->line = 0;
    return (int64_t) taken;
}

/* ------------------------------------------------------------- where the head ends */

/*  A line has its end at `end`, where a LF is. 1: the head is whole. */
static int
take_line (struct http_reader *self, const char *data, size_t end)
{
    size_t length = end - self->line;
    if (length == 0 || data[end - 1] != '\r')
        return HTTP_BAD (&self->status, 400, WEFT_EPROTO, "a line that does not end with CR LF");
    if (length == 1 && self->lines == 0)
        return HTTP_BAD (&self->status, 400, WEFT_EPROTO, "an empty line where a message has to begin");
    if (length == 1) {
        self->head = end + 1;
        return 1;
    }
    if (self->lines++ > HTTP_HEADERS_MAX)
        return HTTP_BAD (&self->status, 431, WEFT_ETOOBIG, "more than %d headers", HTTP_HEADERS_MAX);
    self->line = end + 1;
    return 0;
}

/*  Looks at what was not looked at yet. 1: the head is whole, in self->head; 0: more is needed. */
static int
find_head (struct http_reader *self, const char *data, size_t size)
{
    size_t limit = size < HTTP_HEAD_MAX ? size : HTTP_HEAD_MAX;
    for (size_t at = self->scanned; at < limit; at++) {
        unsigned char byte = (unsigned char) data[at];
        bool after_cr = at > self->line && data[at - 1] == '\r';
        if (byte == '\n') {
            int rc = take_line (self, data, at);
            if (rc)
                return rc;
        } else if (after_cr)
            return HTTP_BAD (&self->status, 400, WEFT_EPROTO, "a CR without a LF");
        else if ((byte < ' ' && byte != '\t' && byte != '\r') || byte == 127)
            return HTTP_BAD (&self->status, 400, WEFT_EPROTO, "a control character (0x%02x) in the head", byte);
        else if (self->lines == 0 && at >= HTTP_TARGET_MAX + 64)
            return HTTP_BAD (&self->status, 414, WEFT_ETOOBIG, "a first line of more than %d bytes", HTTP_TARGET_MAX);
    }
    self->scanned = limit;
    if (limit == HTTP_HEAD_MAX)
        return HTTP_BAD (&self->status, 431, WEFT_ETOOBIG, "headers of more than %d bytes", HTTP_HEAD_MAX);
    return 0;
}

/* --------------------------------------------------------------------- what follows */

static int
too_big (struct http_reader *self)
{
    return HTTP_BAD (&self->status, 413, WEFT_ETOOBIG, "a body of more than %zu bytes", self->body_max);
}

/*  The head is there: what kind of body follows it? */
static int
begin_body (struct http_reader *self, const struct http_head *head)
{
    bool none = !head->is_request && (self->bodiless || head->status / 100 == 1 || head->status == 204
                                      || head->status == 304);
    self->scanned = self->head;
    self->left = 0;
    self->state = HTTP_READS_LENGTH;
    if (none)
        return 0;
    if (head->chunked)
        self->state = HTTP_READS_CHUNK_SIZE;
    else if (head->sized && head->length > self->body_max)
        return too_big (self);
    else if (head->sized)
        self->left = head->length;
    else if (!head->is_request)
        self->state = HTTP_READS_TO_END;
    return 0;
}

/*  1: the body is whole, and *taken are the message's bytes. */
static int
read_body (struct http_reader *self, const char *data, size_t size, struct http_text *body, size_t *taken)
{
    int rc;
    switch (self->state) {
    case HTTP_READS_LENGTH:
        *body = (struct http_text) { data + self->head, (size_t) self->left };
        *taken = self->head + (size_t) self->left;
        return size >= *taken;
    case HTTP_READS_TO_END:
        self->scanned = size;
        return size - self->head > self->body_max ? too_big (self) : 0;
    default:
        rc = http_read_chunks (self, data, size);
        if (rc == 0 && self->scanned > HTTP_WIRE_MAX (self->body_max) - 4096)
            return HTTP_BAD (&self->status, 413, WEFT_ETOOBIG, "too many small chunks for a body");
        *body = (struct http_text) { buffer_data (&self->body), buffer_size (&self->body) };
        *taken = self->scanned;
        return rc;
    }
}

/*  The head is parsed when it is whole, and again with the body: so nothing has to be kept of it that points into bytes
 *  that move. 1: the message is whole. */
static int64_t
read_message (struct http_reader *self, const char *data, size_t size, struct http_head *head, struct http_text *body)
{
    bool fresh = self->head == 0;
    size_t taken = 0;
    int rc = 0;
    begin (self);
    if (fresh) {
        rc = find_head (self, data, size);
        if (rc <= 0)
            return rc;
        rc = http_parse_head (head, data, self->head, &self->status);
        rc = rc ? rc : begin_body (self, head);
        if (rc)
            return rc;
    }
    rc = read_body (self, data, size, body, &taken);
    if (rc <= 0)
        return rc;
    if (!fresh)
        rc = http_parse_head (head, data, self->head, &self->status);
    return rc < 0 ? rc : done (self, taken);
}

static void
fill_request (struct http_request *request, const struct http_head *head, struct http_text body)
{
    request->method = head->method;
    request->target = head->target;
    request->path = head->path;
    request->query = head->query;
    request->header_count = head->header_count;
    request->minor = head->minor;
    request->keep_alive = head->keep_alive;
    request->upgrade = head->upgrade;
    request->body = body;
    request->expects = head->minor == 1 && http_header_has (head->headers, head->header_count, "expect",
                                                            "100-continue");
}

static void
fill_response (struct http_response *response, const struct http_head *head, struct http_text body)
{
    response->status = head->status;
    response->reason = head->reason;
    response->header_count = head->header_count;
    response->minor = head->minor;
    response->keep_alive = head->keep_alive;
    response->upgrade = head->upgrade;
    response->body = body;
}

int64_t
http_read_request (struct http_reader *self, const unsigned char *data, size_t size, struct http_request *request)
{
    struct http_head head = { .is_request = true, .headers = request->headers };
    struct http_text body = { NULL, 0 };
    bool fresh = self->head == 0;
    int64_t taken = read_message (self, (const char *) data, size, &head, &body);
    if (taken > 0)
        fill_request (request, &head, body);
    else if (taken == 0 && fresh && self->head)
        fill_request (request, &head, (struct http_text) { NULL, 0 });
    return taken;
}

int64_t
http_read_response (struct http_reader *self, const unsigned char *data, size_t size, struct http_response *response)
{
    struct http_head head = { .headers = response->headers };
    struct http_text body = { NULL, 0 };
    int64_t taken = read_message (self, (const char *) data, size, &head, &body);
    if (taken > 0)
        fill_response (response, &head, body);
    return taken;
}

int
http_read_last (struct http_reader *self, const unsigned char *data, size_t size, struct http_response *response)
{
    struct http_head head = { .headers = response->headers };
    if (size == 0 && self->state == HTTP_READS_HEAD)
        return 0;
    if (self->state != HTTP_READS_TO_END || size < self->head)
        return HTTP_BAD (&self->status, 400, WEFT_EPROTO, "a message that was cut off");
    int rc = http_parse_head (&head, (const char *) data, self->head, &self->status);
    if (rc)
        return rc;
    fill_response (response, &head, (struct http_text) { (const char *) data + self->head, size - self->head });
    response->keep_alive = false;
    done (self, size);
    return 1;
}
