/*  format.c - decoding the message formats of the command line: all but json */

#include "codec/format.h"

#include <inttypes.h>
#include <string.h>

#include "codec/format_parts.h"
#include "core/error.h"

/*  Text that a format may need besides what grows with the message: separators, brackets,
 *  members that are ignored. */
#define TEXT_OVERHEAD ((size_t) 1 << 20)

void
decoder_init (struct decoder *self, enum format format, size_t max_size, const char *separator)
{
    *self = (struct decoder) { .format = format, .max_size = max_size, .separator = separator };
}

bool
decoder_can_resume (const struct decoder *self)
{
    return self->format != FORMAT_RAW && self->format != FORMAT_LEN32 && self->format != FORMAT_TEMPLATE;
}

/*  Puts which message it was in front of the words that were set. */
static int
decoder_error (const struct decoder *self, int code)
{
    bool lines = self->format != FORMAT_NUL && self->format != FORMAT_LEN32;
    return error_set (code, "%s %" PRIu64 ": %s", lines ? "line" : "message", self->messages, weft_error ());
}

static int
too_big (size_t max_size)
{
    return error_set (WEFT_ETOOBIG, "larger than the limit of %zu bytes", max_size);
}

/*  The most bytes that the text of a message within max_size has. */
static size_t
text_limit (const struct decoder *self)
{
    size_t factor = self->format == FORMAT_HEX ? 2 : self->format == FORMAT_JSON ? 6 : 1;
    if (factor == 1)
        return self->max_size;
    if (self->max_size > (SIZE_MAX - TEXT_OVERHEAD) / factor)
        return SIZE_MAX;
    return self->max_size * factor + TEXT_OVERHEAD;
}

/*  Drops bytes up to and with the delimiter; true when it was there. */
static bool
skip_past (struct decoder *self, struct buffer *in, char delimiter)
{
    char *data = buffer_data (in), *mark = memchr (data, delimiter, buffer_size (in));
    buffer_consume (in, mark ? (size_t) (mark - data) + 1 : buffer_size (in));
    self->skipping = !mark;
    return mark;
}

/*  Finds the next text that ends in the delimiter, or with the input: 1 with its size and how many
 *  bytes to consume after it was read, 0 when more is needed. One that is too large is dropped. */
static int
next_text (struct decoder *self, struct buffer *in, bool end, char delimiter, size_t *size, size_t *used)
{
    if (self->skipping && (buffer_size (in) == 0 || !skip_past (self, in, delimiter)))
        return 0;
    size_t held = buffer_size (in), limit = text_limit (self);
    if (held == 0)
        return 0;
    char *data = buffer_data (in), *mark = memchr (data + self->scanned, delimiter, held - self->scanned);
    *size = mark ? (size_t) (mark - data) : held;
    *used = *size + (mark ? 1 : 0);
    if (!mark && !end && held <= limit) {
        self->scanned = held;
        return 0;
    }
    self->scanned = 0;
    self->messages++;
    if (*size <= limit)
        return 1;
    buffer_consume (in, *used);
    self->skipping = !mark;
    return decoder_error (self, too_big (self->max_size));
}

int
format_take_frame (weft_msg_t *msg, const void *data, size_t size, size_t *room)
{
    if (size > *room)
        return error_set (WEFT_ETOOBIG, "larger than the limit for a message");
    *room -= size;
    return weft_msg_add (msg, data, size);
}

/*  The frames of a line, parted by the separator. */
static int
take_frames (weft_msg_t *msg, const char *data, size_t size, const char *separator)
{
    size_t width = separator ? strlen (separator) : 0;
    const char *mark;
    int rc = 0;
    while (rc == 0 && width > 0 && (mark = memmem (data, size, separator, width))) {
        size_t length = (size_t) (mark - data);
        rc = weft_msg_add (msg, data, length);
        data += length + width;
        size -= length + width;
    }
    return rc == 0 ? weft_msg_add (msg, data, size) : rc;
}

int
format_hex_digit (char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/*  One frame of hex: `size` characters at `text`, which begin at `column`; decoded in place. */
static int
take_hex_frame (weft_msg_t *msg, char *text, size_t size, size_t column, size_t *room)
{
    if (size == 1 && *text == '-')
        return format_take_frame (msg, "", 0, room);
    if (size == 0)
        return error_set (WEFT_EPROTO, "column %zu: nothing where a frame is expected; an empty frame is a dash",
                          column);
    for (size_t i = 0; i < size; i++)
        if (format_hex_digit (text[i]) < 0)
            return error_set (WEFT_EPROTO, "column %zu: not a hex digit", column + i);
    if (size % 2 != 0)
        return error_set (WEFT_EPROTO, "column %zu: an odd number of hex digits; a byte has two", column);
    for (size_t i = 0; i < size / 2; i++)
        text[i] = (char) (format_hex_digit (text[2 * i]) << 4 | format_hex_digit (text[2 * i + 1]));
    return format_take_frame (msg, text, size / 2, room);
}

static int
take_hex (weft_msg_t *msg, char *text, size_t size, size_t max_size)
{
    size_t start = 0, room = max_size;
    for (;;) {
        const char *space = memchr (text + start, ' ', size - start);
        size_t length = space ? (size_t) (space - text) - start : size - start;
        int rc = take_hex_frame (msg, text + start, length, start + 1, &room);
        if (rc < 0 || !space)
            return rc;
        start += length + 1;
    }
}

/*  lines, nul, hex, json */
static int
next_delimited (struct decoder *self, struct buffer *in, bool end, char delimiter, weft_msg_t *msg)
{
    size_t size, used;
    int rc = next_text (self, in, end, delimiter, &size, &used);
    if (rc <= 0)
        return rc;
    char *text = buffer_data (in);
    if (self->format == FORMAT_JSON)
        rc = format_take_json (msg, text, size, self->max_size);
    else if (self->format == FORMAT_HEX)
        rc = take_hex (msg, text, size, self->max_size);
    else if (!self->separator)
        rc = weft_msg_add (msg, text, size);
    else
        rc = take_frames (msg, text, size, self->separator);
    buffer_consume (in, used);
    if (rc == 0)
        return 1;
    weft_msg_clear (msg);
    return decoder_error (self, rc);
}

static int
next_raw (struct decoder *self, struct buffer *in, bool end, weft_msg_t *msg)
{
    if (buffer_size (in) > self->max_size)
        return error_set (WEFT_ETOOBIG, "the input is larger than the limit of %zu bytes for a message",
                          self->max_size);
    if (!end || self->messages > 0)
        return 0;
    int rc = weft_msg_add (msg, buffer_size (in) ? buffer_data (in) : "", buffer_size (in));
    if (rc < 0)
        return rc;
    buffer_consume (in, buffer_size (in));
    self->messages++;
    return 1;
}

static uint32_t
get32 (const char *data)
{
    const unsigned char *at = (const unsigned char *) data;
    return (uint32_t) at[0] << 24 | (uint32_t) at[1] << 16 | (uint32_t) at[2] << 8 | at[3];
}

/*  Walks over whole frames from where the last call stopped. 1: all of the message is
 *  there, and `scanned` is its size; 0: more is needed. */
static int
scan_len32 (struct decoder *self, const struct buffer *in)
{
    for (;;) {
        size_t left = buffer_size (in) - self->scanned;
        if (left < LEN32_HEAD)
            return 0;
        uint32_t head = get32 (buffer_data (in) + self->scanned), size = head & ~LEN32_MORE;
        size_t before = self->scanned - self->frames * LEN32_HEAD;
        if (size > self->max_size || before > self->max_size - size)
            return too_big (self->max_size);
        if (self->frames == WEFT_MSG_FRAMES_MAX)
            return error_set (WEFT_ETOOBIG, "more than %d frames", WEFT_MSG_FRAMES_MAX);
        if (left - LEN32_HEAD < size)
            return 0;
        self->scanned += LEN32_HEAD + size;
        self->frames++;
        if (!(head & LEN32_MORE))
            return 1;
    }
}

static int
next_len32 (struct decoder *self, struct buffer *in, bool end, weft_msg_t *msg)
{
    int rc = scan_len32 (self, in);
    if (rc == 0 && end && buffer_size (in) > 0)
        rc = error_set (WEFT_EPROTO, "the input ends within it, after %zu of its bytes", buffer_size (in));
    if (rc < 0)
        error_set (rc, "message %" PRIu64 ": %s", self->messages + 1, weft_error ());
    if (rc <= 0)
        return rc;
    const char *at = buffer_data (in), *past = at + self->scanned;
    while (rc >= 0 && at < past) {
        size_t size = get32 (at) & ~LEN32_MORE;
        rc = weft_msg_add (msg, at + LEN32_HEAD, size);
        at += LEN32_HEAD + size;
    }
    if (rc < 0) {
        weft_msg_clear (msg);
        return rc;
    }
    buffer_consume (in, self->scanned);
    self->scanned = self->frames = 0;
    self->messages++;
    return 1;
}

int
decoder_next (struct decoder *self, struct buffer *in, bool end, weft_msg_t *msg)
{
    weft_msg_clear (msg);
    switch (self->format) {
    case FORMAT_LINES:
    case FORMAT_HEX:
    case FORMAT_JSON:
        return next_delimited (self, in, end, '\n', msg);
    case FORMAT_NUL:
        return next_delimited (self, in, end, '\0', msg);
    case FORMAT_RAW:
        return next_raw (self, in, end, msg);
    case FORMAT_LEN32:
        return next_len32 (self, in, end, msg);
    case FORMAT_TEMPLATE:
        break;
    }
    return error_set (WEFT_ENOTSUP, "a template can only be written, not read");
}
