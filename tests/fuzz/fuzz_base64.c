/*  fuzz_base64.c - any bytes as base64: what is taken has one spelling; and any bytes there and back */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "codec/base64.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
    size_t decoded;
    char *text = malloc (BASE64_SIZE (size) + 1), *again = malloc (BASE64_SIZE (size) + 1);
    if (!text || !again)
        abort ();
    base64_encode (text, data, size);
    if (base64_decode (text, &decoded, text, BASE64_SIZE (size)) != 0 || decoded != size
        || memcmp (text, data, size) != 0)
        abort ();
    memcpy (text, data, size);
    if (base64_decode (text, &decoded, text, size) == 0) {
        base64_encode (again, text, decoded);
        if (BASE64_SIZE (decoded) != size || memcmp (again, data, size) != 0)
            abort ();
    }
    free (text);
    free (again);
    return 0;
}
