/*  base64.c - bytes <-> base64 */

#include "codec/base64.h"

#include <stdint.h>

#include "core/error.h"

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void
base64_encode (char *text, const void *data, size_t size)
{
    const unsigned char *in = data;
    for (; size >= 3; in += 3, size -= 3, text += 4) {
        text[0] = digits[in[0] >> 2];
        text[1] = digits[(in[0] & 3) << 4 | in[1] >> 4];
        text[2] = digits[(in[1] & 15) << 2 | in[2] >> 6];
        text[3] = digits[in[2] & 63];
    }
    if (size == 0)
        return;
    unsigned second = size == 2 ? in[1] : 0;
    text[0] = digits[in[0] >> 2];
    text[1] = digits[(in[0] & 3u) << 4 | second >> 4];
    text[2] = size == 2 ? digits[(second & 15) << 2] : '=';
    text[3] = '=';
}

/*  0 to 63, or -1. */
static int
digit_value (char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

int
base64_decode (void *data, size_t *data_size, const char *text, size_t size)
{
    if (size % 4 != 0)
        return error_set (WEFT_EPROTO, "base64 of %zu characters: it must be a multiple of 4, padded with =", size);
    size_t pad = 0;
    while (pad < 2 && pad < size && text[size - 1 - pad] == '=')
        pad++;

    unsigned char *out = data;
    uint32_t group = 0;
    for (size_t i = 0; i < size - pad; i++) {
        int value = digit_value (text[i]);
        if (value < 0)
            return error_set (WEFT_EPROTO, "base64: character %zu is not of its alphabet (A-Z a-z 0-9 + /)", i + 1);
        group = group << 6 | (uint32_t) value;
        if (i % 4 == 3) {
            *out++ = (unsigned char) (group >> 16);
            *out++ = (unsigned char) (group >> 8);
            *out++ = (unsigned char) group;
            group = 0;
        }
    }
    if (pad == 1 ? group & 3 : pad == 2 ? group & 15 : 0)
        return error_set (WEFT_EPROTO, "base64: its last character holds bits that belong to no byte");
    if (pad == 1) {
        *out++ = (unsigned char) (group >> 10);
        *out++ = (unsigned char) (group >> 2);
    }
    if (pad == 2)
        *out++ = (unsigned char) (group >> 4);
    *data_size = (size_t) (out - (unsigned char *) data);
    return 0;
}
