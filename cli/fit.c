/*  fit.c - text for so many columns of a terminal */

#include "cli/fit.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

struct range {
    uint32_t first, last;
};

/*  Marks that stand upon the character before, and what is not seen at all. */
static const struct range narrow[] = {
    { 0x300, 0x36f }, { 0x483, 0x489 }, { 0x591, 0x5bd }, { 0x610, 0x61a }, { 0x64b, 0x65f }, { 0x1ab0, 0x1aff },
    { 0x1dc0, 0x1dff }, { 0x200b, 0x200d }, { 0x2060, 0x2064 }, { 0x20d0, 0x20ff }, { 0x3099, 0x309a },
    { 0xfe00, 0xfe0f }, { 0xfe20, 0xfe2f }, { 0xfeff, 0xfeff }, { 0xe0100, 0xe01ef }
};

/*  Unicode's East Asian wide ones, and pictures. */
static const struct range wide[] = {
    { 0x1100, 0x115f }, { 0x231a, 0x231b }, { 0x23e9, 0x23ec }, { 0x2614, 0x2615 }, { 0x2648, 0x2653 },
    { 0x26a1, 0x26a1 }, { 0x2705, 0x2705 }, { 0x274c, 0x274c }, { 0x2753, 0x2755 }, { 0x2e80, 0x303e },
    { 0x3041, 0xa4cf }, { 0xa960, 0xa97f }, { 0xac00, 0xd7a3 }, { 0xf900, 0xfaff }, { 0xfe30, 0xfe6f },
    { 0xff00, 0xff60 }, { 0xffe0, 0xffe6 }, { 0x1f300, 0x1f64f }, { 0x1f680, 0x1f6ff }, { 0x1f7e0, 0x1f7eb },
    { 0x1f900, 0x1f9ff }, { 0x1fa70, 0x1faff }, { 0x20000, 0x3fffd }
};

/*  What turns the direction of a line, or ends it, would put the rest elsewhere. */
static const struct range steering[] = {
    { 0x80, 0x9f }, { 0x200e, 0x200f }, { 0x2028, 0x202e }, { 0x2066, 0x2069 }, { 0xd800, 0xdfff }
};

#define COUNT(ranges) (sizeof (ranges) / sizeof *(ranges))

static bool
is_in (const struct range *ranges, size_t count, uint32_t code)
{
    for (size_t i = 0; i < count; i++)
        if (code >= ranges[i].first && code <= ranges[i].last)
            return true;
    return false;
}

/*  The bytes of the first character, or 0 when they are none. */
static size_t
decode (const unsigned char *text, size_t size, uint32_t *code)
{
    static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
    size_t count = text[0] < 0x80 ? 1 : text[0] < 0xc0 ? 0 : text[0] < 0xe0 ? 2 : text[0] < 0xf0 ? 3
                   : text[0] < 0xf8 ? 4 : 0;
    if (count <= 1) {
        *code = text[0];
        return count;
    }
    if (count > size)
        return 0;
    *code = text[0] & (0x7fu >> count);
    for (size_t i = 1; i < count; i++) {
        if ((text[i] & 0xc0) != 0x80)
            return 0;
        *code = *code << 6 | (text[i] & 0x3fu);
    }
    return *code < least[count] || *code > 0x10ffff || is_in (steering, COUNT (steering), *code) ? 0 : count;
}

int
fit_add (struct buffer *out, const char *text, size_t size, int columns)
{
    const unsigned char *at = (const unsigned char *) text, *end = at + size;
    int used = 0, rc = 0;
    while (at < end && rc == 0) {
        uint32_t code = 0;
        size_t count = decode (at, (size_t) (end - at), &code);
        bool plain = count > 1 || (count && code >= ' ' && code != 127);
        int width = !plain ? 1 : is_in (narrow, COUNT (narrow), code) ? 0 : is_in (wide, COUNT (wide), code) ? 2 : 1;
        if (used + width > columns)
            break;
        rc = plain ? buffer_add (out, at, count) : buffer_add_str (out, code == '\n' || code == '\t' ? " " : "?");
        used += width;
        at += count ? count : 1;
    }
    return rc < 0 ? rc : used;
}
