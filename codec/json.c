/*  json.c - JSON text <-> values, strict and small */

#include "codec/json.h"

#include <stdint.h>
#include <string.h>

#include "core/error.h"

/* -------------------------------------------------------------------- UTF-8 */

/*  Bytes of the sequence at `text`; 0 when it is not valid: too long a form, a
 *  surrogate, past U+10FFFF, or cut off. */
static size_t
utf8_sequence (const char *text, size_t left)
{
    const unsigned char *at = (const unsigned char *) text;
    unsigned first = at[0];
    if (first < 0x80)
        return 1;
    if (first < 0xC2 || first > 0xF4)
        return 0;
    size_t length = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
    if (left < length)
        return 0;
    unsigned low = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
    unsigned high = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
    if (at[1] < low || at[1] > high)
        return 0;
    for (size_t i = 2; i < length; i++)
        if ((at[i] & 0xC0) != 0x80)
            return 0;
    return length;
}

static char *
utf8_put (char *out, uint32_t code)
{
    if (code < 0x80)
        *out++ = (char) code;
    else if (code < 0x800) {
        *out++ = (char) (0xC0 | code >> 6);
        *out++ = (char) (0x80 | (code & 63));
    } else if (code < 0x10000) {
        *out++ = (char) (0xE0 | code >> 12);
        *out++ = (char) (0x80 | (code >> 6 & 63));
        *out++ = (char) (0x80 | (code & 63));
    } else {
        *out++ = (char) (0xF0 | code >> 18);
        *out++ = (char) (0x80 | (code >> 12 & 63));
        *out++ = (char) (0x80 | (code >> 6 & 63));
        *out++ = (char) (0x80 | (code & 63));
    }
    return out;
}

bool
json_is_text (const void *data, size_t size)
{
    const char *at = data, *end = at + size;
    while (at < end) {
        size_t length = *at ? utf8_sequence (at, (size_t) (end - at)) : 0;
        if (length == 0)
            return false;
        at += length;
    }
    return true;
}

/* ------------------------------------------------------------------- reading */

void
json_reader_init (struct json_reader *self, char *text, size_t size)
{
    *self = (struct json_reader) { .base = text, .at = text, .end = text + size };
}

int
json_error (const struct json_reader *self, const char *what)
{
    return error_set (WEFT_EPROTO, "column %zu: %s", (size_t) (self->at - self->base) + 1, what);
}

/*  The next character that is not white space, or 0 at the end (NUL is no JSON). */
static char
next_char (struct json_reader *self)
{
    while (self->at < self->end
           && (*self->at == ' ' || *self->at == '\t' || *self->at == '\n' || *self->at == '\r'))
        self->at++;
    return self->at < self->end ? *self->at : 0;
}

static bool
is_digit (const struct json_reader *self)
{
    return self->at < self->end && *self->at >= '0' && *self->at <= '9';
}

int
json_peek (struct json_reader *self)
{
    char c = next_char (self);
    if (c == '-' || is_digit (self))
        return '0';
    if (c && strchr ("{[\"tfn", c))
        return c;
    return json_error (self, self->at == self->end ? "the text ends where a value is expected" : "a value is expected");
}

int
json_enter (struct json_reader *self, char bracket)
{
    if (next_char (self) != bracket)
        return json_error (self, bracket == '{' ? "an object is expected" : "an array is expected");
    if (self->depth == JSON_DEPTH_MAX)
        return json_error (self, "nested too deeply");
    self->at++;
    self->depth++;
    self->fresh = true;
    return 0;
}

/*  Moves to the next member, past the comma: 1, or 0 past the bracket that closes. */
static int
next_part (struct json_reader *self, char closing)
{
    char c = next_char (self);
    if (c == closing) {
        self->at++;
        self->depth--;
        self->fresh = false;
        return 0;
    }
    if (self->fresh) {
        self->fresh = false;
        return 1;
    }
    if (c != ',')
        return json_error (self, closing == '}' ? "a comma or } is expected" : "a comma or ] is expected");
    self->at++;
    return 1;
}

int
json_next_item (struct json_reader *self)
{
    return next_part (self, ']');
}

int
json_next_member (struct json_reader *self, struct json_string *key)
{
    int rc = next_part (self, '}');
    if (rc <= 0)
        return rc;
    if (next_char (self) != '"')
        return json_error (self, "a name in quotes is expected");
    rc = json_take_string (self, key);
    if (rc < 0)
        return rc;
    if (next_char (self) != ':')
        return json_error (self, "a colon is expected");
    self->at++;
    return 1;
}

/*  The four digits of \uXXXX at `at`, or -1. */
static int32_t
four_digits (const char *at, const char *end)
{
    if (end - at < 4)
        return -1;
    int32_t value = 0;
    for (int i = 0; i < 4; i++) {
        char c = at[i];
        int digit = c >= '0' && c <= '9'   ? c - '0'
                    : c >= 'a' && c <= 'f' ? c - 'a' + 10
                    : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                           : -1;
        if (digit < 0)
            return -1;
        value = value << 4 | digit;
    }
    return value;
}

/*  Reads \uXXXX, with its second half where it is a surrogate, at `at` after the
 *  backslash; puts it in UTF-8 and moves `out`. */
static int
take_code (struct json_reader *self, char **out)
{
    int32_t code = four_digits (self->at + 1, self->end);
    if (code < 0)
        return json_error (self, "\\u needs four hex digits");
    self->at += 5;
    if (code >= 0xD800 && code < 0xE000) {
        int32_t second = -1;
        if (code < 0xDC00 && self->end - self->at >= 6 && self->at[0] == '\\' && self->at[1] == 'u')
            second = four_digits (self->at + 2, self->end);
        if (second < 0xDC00 || second >= 0xE000)
            return json_error (self, "half of a surrogate pair in \\u: no character");
        code = 0x10000 + ((code - 0xD800) << 10) + (second - 0xDC00);
        self->at += 6;
    }
    *out = utf8_put (*out, (uint32_t) code);
    return 0;
}

static int
take_escape (struct json_reader *self, char **out)
{
    static const char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
    self->at++;
    if (self->at < self->end && *self->at == 'u')
        return take_code (self, out);
    const char *name = self->at < self->end && *self->at ? strchr (names, *self->at) : NULL;
    if (!name)
        return json_error (self, "unknown escape in a string; known are \\\" \\\\ \\/ \\b \\f \\n \\r \\t \\uXXXX");
    self->at++;
    *(*out)++ = values[name - names];
    return 0;
}

int
json_take_string (struct json_reader *self, struct json_string *value)
{
    if (next_char (self) != '"')
        return json_error (self, "a string is expected");
    char *out = ++self->at;
    value->data = out;
    while (self->at < self->end && *self->at != '"') {
        if (*self->at == '\\') {
            int rc = take_escape (self, &out);
            if (rc < 0)
                return rc;
            continue;
        }
        if ((unsigned char) *self->at < 0x20)
            return json_error (self, "a control character in a string must be escaped");
        size_t length = utf8_sequence (self->at, (size_t) (self->end - self->at));
        if (length == 0)
            return json_error (self, "not UTF-8");
        for (; length > 0; length--)
            *out++ = *self->at++;
    }
    if (self->at == self->end)
        return json_error (self, "a string has no closing quote");
    value->size = (size_t) (out - value->data);
    self->at++;
    return 0;
}

static void
skip_digits (struct json_reader *self)
{
    while (is_digit (self))
        self->at++;
}

static bool
skip_if (struct json_reader *self, const char *set)
{
    if (self->at == self->end || *self->at == 0 || !strchr (set, *self->at))
        return false;
    self->at++;
    return true;
}

static int
skip_number (struct json_reader *self)
{
    skip_if (self, "-");
    if (!is_digit (self))
        return json_error (self, "a digit is expected");
    if (!skip_if (self, "0"))
        skip_digits (self);
    if (is_digit (self))
        return json_error (self, "a number begins with 0");
    if (skip_if (self, ".")) {
        if (!is_digit (self))
            return json_error (self, "a digit is expected after the point");
        skip_digits (self);
    }
    if (skip_if (self, "eE")) {
        skip_if (self, "+-");
        if (!is_digit (self))
            return json_error (self, "a digit is expected in the exponent");
        skip_digits (self);
    }
    return 0;
}

static int
skip_word (struct json_reader *self, const char *word)
{
    size_t length = strlen (word);
    if ((size_t) (self->end - self->at) < length || memcmp (self->at, word, length) != 0)
        return json_error (self, "a value is expected");
    self->at += length;
    return 0;
}

int
json_skip (struct json_reader *self)
{
    struct json_string text;
    int kind = json_peek (self), rc;
    switch (kind) {
    case '{':
        rc = json_enter (self, '{');
        while (rc >= 0 && (rc = json_next_member (self, &text)) > 0)
            rc = json_skip (self);
        return rc;
    case '[':
        rc = json_enter (self, '[');
        while (rc >= 0 && (rc = json_next_item (self)) > 0)
            rc = json_skip (self);
        return rc;
    case '"':
        return json_take_string (self, &text);
    case '0':
        return skip_number (self);
    case 't':
        return skip_word (self, "true");
    case 'f':
        return skip_word (self, "false");
    case 'n':
        return skip_word (self, "null");
    default:
        return kind;
    }
}

int
json_end (struct json_reader *self)
{
    next_char (self);
    return self->at == self->end ? 0 : json_error (self, "something follows the value");
}

bool
json_string_is (const struct json_string *self, const char *text)
{
    return self->size == strlen (text) && memcmp (self->data, text, self->size) == 0;
}

/* ------------------------------------------------------------------- writing */

/*  The escape of a character that needs one, in `text` of 7 bytes; its length. */
static size_t
escape (char *text, unsigned char c)
{
    static const char plain[] = "\"\\\b\f\n\r\t", names[] = "\"\\bfnrt", hex[] = "0123456789abcdef";
    text[0] = '\\';
    const char *found = c ? strchr (plain, c) : NULL;
    if (found) {
        text[1] = names[found - plain];
        return 2;
    }
    memcpy (text + 1, "u00", 3);
    text[4] = hex[c >> 4];
    text[5] = hex[c & 15];
    return 6;
}

int
json_add_string (struct buffer *out, const void *data, size_t size)
{
    const char *at = data;
    int rc = buffer_add (out, "\"", 1);
    while (rc == 0 && size > 0) {
        size_t clean = 0;
        while (clean < size && (unsigned char) at[clean] >= 0x20 && at[clean] != '"' && at[clean] != '\\')
            clean++;
        if (clean > 0)
            rc = buffer_add (out, at, clean);
        at += clean;
        size -= clean;
        if (rc == 0 && size > 0) {
            char text[7];
            rc = buffer_add (out, text, escape (text, (unsigned char) *at));
            at++;
            size--;
        }
    }
    return rc == 0 ? buffer_add (out, "\"", 1) : rc;
}
