/*  fuzz_websocket.c - any bytes as WebSocket frames: whole and in two parts they tell the same */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "codec/websocket.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

enum { MAX_SIZE = 1000 };

struct outcome {
    uint64_t events, hash;
    int64_t error;
};

static void
count (struct outcome *outcome, const struct websocket_event *event)
{
    bool message = event->what == WEBSOCKET_TEXT || event->what == WEBSOCKET_BINARY;
    const uint8_t *data = message ? weft_msg_data (event->msg, 0) : event->data;
    size_t size = message ? weft_msg_size (event->msg, 0) : event->size;
    if (size > MAX_SIZE || (message && weft_msg_frames (event->msg) != 1)
        || (event->what == WEBSOCKET_TEXT && !utf8_valid (data, size)))
        abort ();
    for (size_t i = 0; i < size; i++)
        outcome->hash = (outcome->hash ^ data[i]) * 0x100000001b3u;
    outcome->hash += size + event->what * 1000u + event->code;
    outcome->events++;
}

/*  Takes what there is, until more is needed; how far it came. */
static size_t
decode (struct websocket_decoder *decoder, const uint8_t *data, size_t size, struct outcome *outcome)
{
    size_t at = 0;
    struct websocket_event event;
    while (outcome->error == 0) {
        /*  A block of its very size: reading past the end is seen. */
        uint8_t *bytes = malloc (size - at ? size - at : 1);
        if (!bytes)
            abort ();
        memcpy (bytes, data + at, size - at);
        int64_t taken = websocket_next (decoder, bytes, size - at, &event);
        free (bytes);
        if (taken < 0)
            outcome->error = taken * 10000 - decoder->failed;
        if (taken < 0 || (taken == 0 && event.what == WEBSOCKET_MORE))
            break;
        if ((size_t) taken > size - at)
            abort ();
        if (event.what != WEBSOCKET_MORE) {
            count (outcome, &event);
            websocket_taken (decoder);
        }
        at += (size_t) taken;
    }
    return at;
}

/*  The first byte: bit 0, the client's side; bit 1, compression; bit 2, with a context that is kept. The second: where
 *  the rest is cut. */
static struct outcome
run (uint8_t kind, const uint8_t *data, size_t size, size_t cut)
{
    const struct deflate_side side = { 15, !(kind & 4) };
    struct inflater *inflater = NULL;
    struct websocket_decoder decoder;
    struct outcome outcome = { 0 };
    if (kind & 2 && inflater_new (&side, &inflater))
        abort ();
    websocket_init (&decoder, kind & 1, MAX_SIZE, inflater);
    size_t at = decode (&decoder, data, cut, &outcome);
    decode (&decoder, data + at, size - at, &outcome);
    websocket_free (&decoder);
    inflater_destroy (&inflater);
    return outcome;
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    struct outcome whole = run (data[0], data + 2, size - 2, size - 2);
    struct outcome parts = run (data[0], data + 2, size - 2, data[1] < size - 2 ? data[1] : size - 2);
    if (whole.events != parts.events || whole.hash != parts.hash || whole.error != parts.error)
        abort ();
    return 0;
}
