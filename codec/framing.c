/*  framing.c - where one message of a byte stream ends and the next begins */

#include "codec/framing.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/option.h"
#include "weft.h"

#define FIXED_MAX (INT64_C (1) << 30)

static const char *const names[] = {
    [FRAMING_RAW] = "raw", [FRAMING_LINE] = "line", [FRAMING_NUL] = "nul", [FRAMING_LEN16] = "len16",
    [FRAMING_LEN32] = "len32", [FRAMING_FIXED] = "fixed:", [FRAMING_NETSTRING] = "netstring"
};
enum { NAMES = sizeof names / sizeof names[0] };

static int
parse_fixed (struct framing *self, const char *text)
{
    static const struct option size = { .name = "fixed", .type = OPTION_SIZE, .min = 1, .max = FIXED_MAX };
    int64_t value = 0;
    int rc = option_set (&size, &value, text);
    if (rc == 0 && (size_t) value > self->max_size)
        return error_set (WEFT_EINVAL, "fixed:%s is more than a message may have (--max-size)", text);
    self->fixed = (size_t) value;
    return rc;
}

int
framing_parse (struct framing *self, const char *text, size_t max_size)
{
    *self = (struct framing) { .max_size = max_size };
    for (int i = 0; i < NAMES; i++) {
        bool fixed = i == FRAMING_FIXED;
        if (fixed ? strncmp (text, names[i], strlen (names[i])) : strcmp (text, names[i]))
            continue;
        self->kind = (enum framing_kind) i;
        return fixed ? parse_fixed (self, text + strlen (names[i])) : 0;
    }
    return error_set (WEFT_EINVAL, "%s: no such framing; there are raw, line, nul, len16, len32, fixed:N and netstring",
                      text);
}

/* ---------------------------------------------------------------------- decoding */

static int64_t
too_big (const struct framing *self)
{
    return error_set (WEFT_ETOOBIG, "a message of more than %zu bytes", self->max_size);
}

static int64_t
next_delimited (const struct framing *self, size_t *scanned, const unsigned char *data, size_t size,
                const unsigned char **body, size_t *body_size)
{
    int delimiter = self->kind == FRAMING_LINE ? '\n' : '\0';
    const unsigned char *end = size > *scanned ? memchr (data + *scanned, delimiter, size - *scanned) : NULL;
    size_t length = end ? (size_t) (end - data) : size;
    if (length > self->max_size)
        return too_big (self);
    if (!end) {
        *scanned = size;
        return 0;
    }
    *scanned = 0;
    *body = data;
    *body_size = length;
    return (int64_t) length + 1;
}

/*  A message of `length` bytes behind a head. */
static int64_t
next_counted (const struct framing *self, size_t head, uint64_t length, size_t tail, const unsigned char *data,
              size_t size, const unsigned char **body, size_t *body_size)
{
    if (length > self->max_size)
        return too_big (self);
    if (size - head < length + tail)
        return 0;
    *body = data + head;
    *body_size = (size_t) length;
    return (int64_t) (head + length + tail);
}

static int64_t
next_netstring (const struct framing *self, const unsigned char *data, size_t size, const unsigned char **body,
                size_t *body_size)
{
    uint64_t length = 0;
    size_t digits = 0;
    for (; digits < size && data[digits] >= '0' && data[digits] <= '9'; digits++) {
        if (digits && data[0] == '0')
            return error_set (WEFT_EPROTO, "a netstring whose length begins with 0");
        length = length * 10 + (uint64_t) (data[digits] - '0');
        if (length > self->max_size)        /*  at once: so it never grows past what a number holds */
            return too_big (self);
    }
    if (digits < size && (digits == 0 || data[digits] != ':'))
        return error_set (WEFT_EPROTO, "a netstring without its length; LENGTH:BYTES, is what was expected");
    if (digits == size)
        return 0;
    int64_t taken = next_counted (self, digits + 1, length, 1, data, size, body, body_size);
    if (taken > 0 && data[taken - 1] != ',')
        return error_set (WEFT_EPROTO, "a netstring that does not end with a comma");
    return taken;
}

int64_t
framing_next (const struct framing *self, size_t *scanned, const unsigned char *data, size_t size,
              const unsigned char **body, size_t *body_size)
{
    if (size == 0)
        return 0;
    switch (self->kind) {
    case FRAMING_LINE:
    case FRAMING_NUL:
        return next_delimited (self, scanned, data, size, body, body_size);
    case FRAMING_LEN16:
        if (size < 2)
            return 0;
        return next_counted (self, 2, (uint64_t) data[0] << 8 | data[1], 0, data, size, body, body_size);
    case FRAMING_LEN32:
        if (size < 4)
            return 0;
        return next_counted (self, 4, (uint64_t) data[0] << 24 | (uint64_t) data[1] << 16 | (uint64_t) data[2] << 8
                             | data[3], 0, data, size, body, body_size);
    case FRAMING_FIXED:
        return next_counted (self, 0, self->fixed, 0, data, size, body, body_size);
    case FRAMING_NETSTRING:
        return next_netstring (self, data, size, body, body_size);
    default:
        *body = data;
        *body_size = size < self->max_size ? size : self->max_size;
        return (int64_t) *body_size;
    }
}

bool
framing_last (const struct framing *self, size_t size)
{
    return size > 0 && (self->kind == FRAMING_LINE || self->kind == FRAMING_NUL || self->kind == FRAMING_RAW);
}

/* ---------------------------------------------------------------------- encoding */

static int
put_length (struct framing_frame *frame, size_t size, size_t bytes)
{
    if (size >> (8 * bytes))
        return error_set (WEFT_EINVAL, "a message of %zu bytes is too long for a length of %zu", size, bytes);
    for (size_t i = 0; i < bytes; i++)
        frame->head[i] = (unsigned char) (size >> (8 * (bytes - 1 - i)));
    frame->head_size = bytes;
    return 0;
}

int
framing_wrap (const struct framing *self, size_t size, struct framing_frame *frame)
{
    frame->head_size = frame->tail_size = 0;
    switch (self->kind) {
    case FRAMING_LINE:
    case FRAMING_NUL:
        frame->tail[0] = self->kind == FRAMING_LINE ? '\n' : '\0';
        frame->tail_size = 1;
        return 0;
    case FRAMING_LEN16:
        return put_length (frame, size, 2);
    case FRAMING_LEN32:
        return put_length (frame, size, 4);
    case FRAMING_FIXED:
        if (size != self->fixed)
            return error_set (WEFT_EINVAL, "a message of %zu bytes, where each has to have %zu", size, self->fixed);
        return 0;
    case FRAMING_NETSTRING:
        if (size > 9999999999)
            return error_set (WEFT_EINVAL, "a message of %zu bytes is too long for a netstring", size);
        frame->head_size = (size_t) snprintf ((char *) frame->head, sizeof frame->head, "%zu:", size);
        frame->tail[0] = ',';
        frame->tail_size = 1;
        return 0;
    default:
        return 0;
    }
}
