/*  pattern_envelope.c - what goes before the body of a request: its number, and an empty frame */

#include "patterns/pattern_envelope.h"

#include <string.h>

#define NUMBER_SIZE sizeof (uint64_t)

int
envelope_put (weft_msg_t *msg, const uint64_t *number)
{
    int rc = weft_msg_push (msg, NULL, 0);
    if (rc || !number)
        return rc;
    rc = weft_msg_push (msg, number, NUMBER_SIZE);
    if (rc)
        weft_msg_pop (msg, 1);
    return rc;
}

void
envelope_pop (weft_msg_t *msg, bool numbered)
{
    weft_msg_pop (msg, numbered ? 2 : 1);
}

size_t
envelope_size (bool numbered)
{
    return numbered ? NUMBER_SIZE : 0;
}

bool
envelope_is_sound (const weft_msg_t *msg, bool numbered)
{
    size_t empty = numbered ? 1 : 0;
    return weft_msg_frames (msg) > empty + 1 && weft_msg_size (msg, empty) == 0
           && (!numbered || weft_msg_size (msg, 0) == NUMBER_SIZE);
}

uint64_t
envelope_number (const weft_msg_t *msg)
{
    uint64_t number;
    memcpy (&number, weft_msg_data (msg, 0), NUMBER_SIZE);
    return number;
}

void
envelope_take (struct weft_socket *socket, weft_msg_t *msg, bool numbered)
{
    envelope_pop (msg, numbered);
    counter_add (&socket->received_extra, envelope_size (numbered));
}

void
envelope_discard (struct weft_socket *socket, weft_msg_t *msg, bool sound, const char *advice)
{
    counter_add (&socket->received_extra, weft_msg_bytes (msg));
    if (sound)
        counter_add (&socket->counters.late, 1);
    else {
        counter_add (&socket->counters.refused, 1);
        if (watch_first (&socket->watch, "envelope", ""))
            log_warning (&socket->weft->log, "req: a reply came without the number of its request and was discarded%s",
                         advice);
    }
    weft_msg_clear (msg);
}
