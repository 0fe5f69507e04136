/*  certificate_text.c - keys, names and fingerprints as text */

#include <string.h>

#include "core/certificate.h"

/*  The digits of Z85 (RFC 32) in their order. */
static const char z85[] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#";

bool
key_is_text (const char *text)
{
    if (strnlen (text, KEY_TEXT) != KEY_TEXT - 1)
        return false;
    for (; *text; text += 5) {
        uint64_t group = 0;
        for (int i = 0; i < 5; i++) {
            const char *digit = strchr (z85, text[i]);
            if (!digit)
                return false;
            group = group * 85 + (uint64_t) (digit - z85);
        }
        if (group > UINT32_MAX)
            return false;
    }
    return true;
}

bool
key_is_name (const char *text)
{
    static const char marks[] = "._-", digits[] = "0123456789",
                      letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    size_t size = strnlen (text, KEY_NAME_MAX + 1);
    if (size == 0 || size > KEY_NAME_MAX || text[0] == '.' || text[0] == '-')
        return false;
    for (; *text; text++)
        if (!strchr (letters, *text) && !strchr (digits, *text) && !strchr (marks, *text))
            return false;
    return true;
}

void
key_fingerprint (const char *public_key, char text[KEY_FINGERPRINT])
{
    static const char consonants[] = "bdfghjklmnprstvz", vowels[] = "aiou";
    unsigned char bytes[32];
    curve_decode (bytes, public_key);
    for (int i = 0; i < 5; i++) {
        unsigned word = (unsigned) bytes[2 * i] << 8 | bytes[2 * i + 1];
        *text++ = consonants[word >> 12 & 15];
        *text++ = vowels[word >> 10 & 3];
        *text++ = consonants[word >> 6 & 15];
        *text++ = vowels[word >> 4 & 3];
        *text++ = consonants[word & 15];
        *text++ = i < 4 ? '-' : '\0';
    }
}
