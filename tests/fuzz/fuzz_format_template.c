/*  fuzz_format_template.c - any text as a template, and a message written by it where it is one
 *
 *  The template ends at the first NUL; what follows is the message, a frame from each NUL to the next. */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "codec/format.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
    const uint8_t *end = data + size, *mark = memchr (data, 0, size);
    if (!mark || size > 4096)
        return 0;
    const char *template = (const char *) data;
    if (format_template_check (template) != 0)
        return 0;
    weft_msg_t msg;
    weft_msg_init (&msg);
    while (mark && ++mark < end) {
        const uint8_t *next = memchr (mark, 0, (size_t) (end - mark));
        if (weft_msg_add (&msg, mark, (size_t) ((next ? next : end) - mark)) != 0)
            abort ();
        mark = next;
    }
    struct message_info info = { .topic = data, .topic_size = size, .time = INT64_MAX, .number = UINT64_MAX };
    struct encoder encoder;
    struct buffer out;
    buffer_init (&out, 0);
    encoder_init (&encoder, FORMAT_TEMPLATE, NULL, template);
    if (encoder_add (&encoder, &msg, &info, &out) != 0)
        abort ();
    buffer_free (&out);
    weft_msg_clear (&msg);
    return 0;
}
