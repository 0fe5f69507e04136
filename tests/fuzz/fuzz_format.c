/*  fuzz_format.c - decodes anything by any format, and reads again what it writes of that
 *
 *  The first byte chooses the format, whether frames are parted, and how much is given at once. */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "codec/format.h"

enum { SIZE_LIMIT = 3000, MESSAGES_MAX = 200 };

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static void
insist (bool condition)
{
    if (!condition)
        abort ();
}

static bool
same (const weft_msg_t *a, const weft_msg_t *b)
{
    size_t frames = weft_msg_frames (a);
    bool equal = frames == weft_msg_frames (b);
    for (size_t i = 0; equal && i < frames; i++) {
        size_t size = weft_msg_size (a, i);
        equal = size == weft_msg_size (b, i) && (!size || !memcmp (weft_msg_data (a, i), weft_msg_data (b, i), size));
    }
    return equal;
}

/*  Writes a message and reads it back alone. */
static void
check_again (const weft_msg_t *msg, enum format format, const char *separator)
{
    struct encoder encoder;
    struct decoder decoder;
    struct buffer text;
    weft_msg_t again;
    weft_msg_init (&again);
    buffer_init (&text, 0);
    encoder_init (&encoder, format, separator, NULL);
    insist (encoder_add (&encoder, msg, NULL, &text) == 0);
    insist (encoder.ambiguous == 0);
    decoder_init (&decoder, format, SIZE_LIMIT, separator);
    insist (decoder_next (&decoder, &text, true, &again) == 1);
    insist (same (msg, &again));
    insist (decoder_next (&decoder, &text, true, &again) == 0);
    insist (buffer_size (&text) == 0);
    weft_msg_clear (&again);
    buffer_free (&text);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    enum format format = (enum format) (data[0] % 6);
    const char *separator = data[0] & 64 ? "::" : NULL;
    size_t step = data[0] & 128 ? 1 : 100, given = 1;
    struct decoder decoder;
    struct buffer in;
    weft_msg_t msg;
    weft_msg_init (&msg);
    buffer_init (&in, 0);
    decoder_init (&decoder, format, SIZE_LIMIT, separator);
    for (int messages = 0; messages < MESSAGES_MAX;) {
        int rc = decoder_next (&decoder, &in, given == size, &msg);
        if (rc == 1) {
            insist (weft_msg_frames (&msg) > 0 && weft_msg_bytes (&msg) <= SIZE_LIMIT);
            check_again (&msg, format, separator);
        }
        if (rc < 0 && !decoder_can_resume (&decoder))
            break;
        if (rc == 0 && given == size) {
            insist (buffer_size (&in) == 0);
            break;
        }
        messages += rc != 0;
        if (rc == 0) {
            size_t more = size - given < step ? size - given : step;
            insist (buffer_add (&in, data + given, more) == 0);
            given += more;
        }
    }
    weft_msg_clear (&msg);
    buffer_free (&in);
    return 0;
}
