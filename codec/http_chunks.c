/*  http_chunks.c - HTTP/1.1: a body of chunks
 *
 *  Read here and not by http-parser, which takes anything for the CR LF around a chunk in Debian's build. */

#include <string.h>

#include "codec/http_parts.h"
#include "core/error.h"
#include "weft.h"

#define LINE_MAX 1024                   /*  of a chunk's size with its extensions, and of a trailer */
#define TRAILERS_MAX 8192               /*  bytes of all trailers                               */

/*  A line from self->scanned: 1 with its size without CR LF; 0: more is needed. */
static int
find_line (struct http_reader *self, const char *data, size_t size, size_t *length)
{
    const char *line = data + self->scanned, *end;
    size_t have = size - self->scanned;
    end = memchr (line, '\n', have);
    if ((end ? (size_t) (end - line) : have) > LINE_MAX)
        return HTTP_BAD (&self->status, 400, WEFT_EPROTO, "a line of more than %d bytes between chunks", LINE_MAX);
    if (!end)
        return 0;
    if (end == line || end[-1] != '\r')
        return HTTP_BAD (&self->status, 400, WEFT_EPROTO, "a line between chunks that does not end with CR LF");
    *length = (size_t) (end - line) - 1;
    if (!http_is_value ((struct http_text) { line, *length }))
        return HTTP_BAD (&self->status, 400, WEFT_EPROTO, "a control character between chunks");
    return 1;
}

/*  "1f", perhaps with ";name=value" behind it, which means nothing here. */
static int
take_size (struct http_reader *self, const char *line, size_t length)
{
    size_t digits = 0;
    uint64_t value = 0;
    for (; digits < length && http_hex_of (line[digits]) >= 0; digits++) {
        value = value * 16 + (uint64_t) http_hex_of (line[digits]);
        if (value > self->body_max)         /*  at once: so it never grows past what a number holds */
            return HTTP_BAD (&self->status, 413, WEFT_ETOOBIG, "a body of more than %zu bytes", self->body_max);
    }
    if (digits == 0 || digits > 16 || (digits < length && line[digits] != ';'))
        return HTTP_BAD (&self->status, 400, WEFT_EPROTO, "a chunk without its size");
    if (value > self->body_max - buffer_size (&self->body))
        return HTTP_BAD (&self->status, 413, WEFT_ETOOBIG, "a body of more than %zu bytes", self->body_max);
    self->left = value;
    self->state = value ? HTTP_READS_CHUNK : HTTP_READS_TRAILER;
    self->line = 0;
    return 0;
}

/*  1: something was taken. */
static int
take_chunk (struct http_reader *self, const char *data, size_t size)
{
    const char *at = data + self->scanned;
    size_t have = size - self->scanned;
    if (self->left) {
        size_t part = have < self->left ? have : (size_t) self->left;
        if (part == 0)
            return 0;
        int rc = buffer_add (&self->body, at, part);
        if (rc)
            return HTTP_BAD (&self->status, 503, rc, "no memory for a body");
        self->left -= part;
        self->scanned += part;
        return 1;
    }
    if ((have && at[0] != '\r') || (have > 1 && at[1] != '\n'))
        return HTTP_BAD (&self->status, 400, WEFT_EPROTO, "a chunk that is longer than its size");
    if (have < 2)
        return 0;
    self->scanned += 2;
    self->state = HTTP_READS_CHUNK_SIZE;
    return 1;
}

/*  self->line counts their bytes. */
static int
take_trailer (struct http_reader *self, const char *line, size_t length)
{
    const char *colon = memchr (line, ':', length);
    self->line += length;
    if (self->line > TRAILERS_MAX)
        return HTTP_BAD (&self->status, 431, WEFT_ETOOBIG, "trailers of more than %d bytes", TRAILERS_MAX);
    if (!colon || !http_is_token ((struct http_text) { line, (size_t) (colon - line) }))
        return HTTP_BAD (&self->status, 400, WEFT_EPROTO, "a trailer that is no header: NAME: VALUE");
    return 0;
}

int
http_read_chunks (struct http_reader *self, const char *data, size_t size)
{
    for (;;) {
        size_t length = 0, at = self->scanned;
        bool chunk = self->state == HTTP_READS_CHUNK, trailer = self->state == HTTP_READS_TRAILER;
        int rc = chunk ? take_chunk (self, data, size) : find_line (self, data, size, &length);
        if (rc <= 0)
            return rc;
        if (chunk)
            continue;
        self->scanned += length + 2;
        if (trailer && length == 0)
            return 1;
        rc = trailer ? take_trailer (self, data + at, length) : take_size (self, data + at, length);
        if (rc)
            return rc;
    }
}
