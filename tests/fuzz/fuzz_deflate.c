/*  fuzz_deflate.c - any text as offers of compression, any bytes as compressed messages */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "codec/deflate.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

enum { MAX_SIZE = 100000 };

/*  What a server answers, a client takes; and offers of a message are the same by another reader. */
static void
negotiate (const char *text, size_t size, unsigned bits, bool forget)
{
    struct deflate_terms terms, again;
    char answer[DEFLATE_TEXT];
    if (deflate_accept (text, size, bits, forget, &terms) == 0 && terms.agreed) {
        deflate_answer (&terms, answer);
        if (strlen (answer) >= DEFLATE_TEXT - 1 || terms.server.bits > bits
            || deflate_confirm (answer, strlen (answer), DEFLATE_BITS_MAX, false, &again)
            || memcmp (&again, &terms, sizeof terms))
            abort ();
    }
    deflate_confirm (text, size, bits, forget, &terms);
}

/*  Messages one after the other, each of as many bytes as its first one says. */
static void
unpack (const uint8_t *data, size_t size, const struct deflate_side *side)
{
    struct inflater *inflater;
    struct buffer out;
    buffer_init (&out, 0);
    if (inflater_new (side, &inflater))
        abort ();
    while (size > 1) {
        size_t count = data[0] < size - 1 ? data[0] : size - 1;
        if (inflater_run (inflater, data + 1, count, MAX_SIZE, &out) == 0 && buffer_size (&out) > MAX_SIZE)
            abort ();
        if (out.capacity > 4 * MAX_SIZE)
            abort ();
        buffer_clear (&out);
        data += 1 + count;
        size -= 1 + count;
    }
    buffer_free (&out);
    inflater_destroy (&inflater);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    unsigned bits = 8 + (data[0] & 7u);
    bool forget = data[0] & 8;
    if (data[0] & 16)
        unpack (data + 1, size - 1, &(struct deflate_side) { (unsigned char) bits, forget });
    else
        negotiate ((const char *) data + 1, size - 1, bits, forget);
    return 0;
}
