/*  utf8.c - is this text UTF-8? */

#include "codec/utf8.h"

#include <stdint.h>
#include <string.h>

#define HIGH_BITS UINT64_C (0x8080808080808080)

/*  How many of the first bytes are certainly ASCII; most text is nothing else. */
static size_t
ascii (const unsigned char *data, size_t size)
{
    size_t at = 0;
    uint64_t first, second;
    for (; size - at >= 16; at += 16) {
        memcpy (&first, data + at, 8);
        memcpy (&second, data + at + 8, 8);
        if ((first | second) & HIGH_BITS)
            break;
    }
    while (at < size && data[at] < 0x80)
        at++;
    return at;
}

/*  The first byte of a character of several. The second one's range leaves out what could be written shorter, the
 *  surrogates, and what is beyond U+10FFFF. */
static bool
begin (struct utf8 *self, unsigned char byte)
{
    self->low = 0x80;
    self->high = 0xbf;
    if (byte >= 0xc2 && byte <= 0xdf)
        self->need = 1;
    else if (byte >= 0xe0 && byte <= 0xef) {
        self->need = 2;
        self->low = byte == 0xe0 ? 0xa0 : 0x80;
        self->high = byte == 0xed ? 0x9f : 0xbf;
    } else if (byte >= 0xf0 && byte <= 0xf4) {
        self->need = 3;
        self->low = byte == 0xf0 ? 0x90 : 0x80;
        self->high = byte == 0xf4 ? 0x8f : 0xbf;
    } else
        return false;
    return true;
}

bool
utf8_add (struct utf8 *self, const void *data, size_t size)
{
    const unsigned char *bytes = data;
    size_t at = 0;
    while (at < size) {
        if (self->need == 0) {
            at += ascii (bytes + at, size - at);
            if (at < size && !begin (self, bytes[at++]))
                return false;
            continue;
        }
        if (bytes[at] < self->low || bytes[at] > self->high)
            return false;
        self->low = 0x80;
        self->high = 0xbf;
        self->need--;
        at++;
    }
    return true;
}

bool
utf8_valid (const void *data, size_t size)
{
    struct utf8 self = { 0 };
    return utf8_add (&self, data, size) && utf8_whole (&self);
}
