/*  testing.c - messages as text */

#include "tests/testing.h"

#include "core/wire.h"

void
message_of_text (weft_msg_t *msg, const char *text)
{
    weft_msg_init (msg);
    for (;; text++) {
        size_t size = strcspn (text, "|");
        assert_int_equal (weft_msg_add (msg, text, size), 0);
        text += size;
        if (!*text)
            break;
    }
}

const char *
text_of_message (const weft_msg_t *msg)
{
    static char text[4096];
    size_t used = 0;
    text[0] = '\0';
    for (size_t i = 0; i < weft_msg_frames (msg) && used < sizeof text - 500; i++) {
        const unsigned char *data = weft_msg_data (msg, i);
        size_t size = weft_msg_size (msg, i);
        used += (size_t) sprintf (text + used, "%s", i ? "|" : "");
        if (size > 99)
            used += (size_t) sprintf (text + used, "(%zu)", size);
        else
            for (size_t j = 0; j < size; j++)
                used += (size_t) sprintf (text + used, data[j] >= ' ' && data[j] < 127 ? "%c" : "\\x%02x", data[j]);
    }
    return text;
}

int
attach_wire (struct wire *wire, const char *text, enum endpoint_side side)
{
    struct endpoint endpoint;
    int rc = endpoint_parse (&endpoint, text, side);
    return rc ? rc : wire_attach (wire, &endpoint);
}

int
say (struct wire *wire, const char *text, int64_t timeout)
{
    weft_msg_t msg;
    message_of_text (&msg, text);
    int rc = wire_send (wire, &msg, timeout);
    weft_msg_clear (&msg);
    return rc;
}

const char *
hear (struct wire *wire, int64_t timeout)
{
    weft_msg_t msg;
    weft_msg_init (&msg);
    int rc = wire_recv (wire, &msg, timeout);
    const char *text = rc ? weft_strerror (rc) : text_of_message (&msg);
    weft_msg_clear (&msg);
    return text;
}
