/*  fuzz_framing.c - any bytes in any framing: whole and in two parts they are the same messages */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "codec/framing.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static const char *const names[] = { "raw", "line", "nul", "len16", "len32", "fixed:7", "netstring" };
enum { NAMES = sizeof names / sizeof names[0], MAX_SIZE = 64 };

struct outcome {
    uint64_t messages, hash;
    int64_t error;
};

/*  Takes what there is, until more is needed; how far it came. */
static size_t
decode (const struct framing *framing, size_t *scanned, const uint8_t *data, size_t size, struct outcome *outcome)
{
    size_t at = 0;
    while (outcome->error == 0) {
        /*  A block of its very size: reading past the end is seen. */
        uint8_t *bytes = malloc (size - at ? size - at : 1);
        if (!bytes)
            abort ();
        memcpy (bytes, data + at, size - at);
        const unsigned char *body = NULL;
        size_t body_size = 0;
        int64_t taken = framing_next (framing, scanned, bytes, size - at, &body, &body_size);
        if (taken > 0) {
            if ((size_t) taken > size - at || body_size > MAX_SIZE || body < bytes || body + body_size > bytes + taken)
                abort ();
            for (size_t i = 0; i < body_size; i++)
                outcome->hash = (outcome->hash ^ body[i]) * 0x100000001b3u;
            outcome->hash += body_size;
            outcome->messages++;
            at += (size_t) taken;
        }
        free (bytes);
        if (taken < 0)
            outcome->error = taken;
        if (taken <= 0)
            break;
    }
    return at;
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    struct framing framing;
    const char *name = names[data[0] % NAMES];
    if (framing_parse (&framing, name, MAX_SIZE))
        abort ();
    size_t cut = data[1] < size - 2 ? data[1] : size - 2, scanned = 0;
    data += 2;
    size -= 2;
    struct outcome whole = { 0 }, parts = { 0 };
    decode (&framing, &scanned, data, size, &whole);
    scanned = 0;
    size_t at = decode (&framing, &scanned, data, cut, &parts);
    decode (&framing, &scanned, data + at, size - at, &parts);
    bool raw = framing.kind == FRAMING_RAW;     /*  there a part is a message */
    if (!raw && (whole.messages != parts.messages || whole.hash != parts.hash || whole.error != parts.error))
        abort ();
    return 0;
}
