/*  fuzz_certificate.c - any bytes as a certificate; what is taken is written, and taken again as the same */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/certificate.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static void
check (const struct certificate *taken)
{
    struct certificate again;
    struct buffer text;
    buffer_init (&text, 0);
    bool secret = taken->secret_key[0] != '\0';
    if (!key_is_text (taken->public_key) || (secret && !key_is_text (taken->secret_key)))
        abort ();
    if (certificate_print (taken, secret, &text) != 0)
        abort ();
    if (certificate_parse (&again, buffer_data (&text), buffer_size (&text), "F") != 0)
        abort ();
    if (memcmp (&again, taken, sizeof again) != 0)
        abort ();
    buffer_free (&text);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
    /*  A block of its very size: reading past the end is seen. */
    char *text = malloc (size ? size : 1);
    struct certificate certificate;
    if (!text)
        abort ();
    if (size > 0)
        memcpy (text, data, size);
    if (certificate_parse (&certificate, text, size, "F") == 0)
        check (&certificate);
    free (text);
    return 0;
}
