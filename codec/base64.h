/*  base64.h - bytes <-> base64 (RFC 4648, section 4: with + / and padding)
 *
 *  Pure text, no I/O; the codecs that need it stand on it. */

#ifndef WEFT_CODEC_BASE64_H
#define WEFT_CODEC_BASE64_H

#include <stddef.h>

/*  Bytes of text that `size` bytes give, without a NUL. */
#define BASE64_SIZE(size) (((size) + 2) / 3 * 4)

/*  Writes BASE64_SIZE (size) characters. */
void base64_encode (char *text, const void *data, size_t size);

/*  Strict: padding is needed, no white space, no bits that would be lost. `data` may be
 *  `text` itself, since it is never longer. WEFT_EPROTO says what is wrong. */
int base64_decode (void *data, size_t *data_size, const char *text, size_t size);

#endif
