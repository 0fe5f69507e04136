/*  format_encode.c - encoding the message formats of the command line: all but json and templates */

#include "codec/format_parts.h"

#include <string.h>
#include <time.h>

#include "core/clock.h"
#include "core/error.h"
#include "core/message.h"

void
encoder_init (struct encoder *self, enum format format, const char *separator, const char *template)
{
    *self = (struct encoder) { .format = format, .separator = separator ? separator : "\t", .template = template };
}

/*  The frames of a message, of which there is always one. */
static const struct frame *
frames_of (const weft_msg_t *msg, size_t *count)
{
    static const struct frame empty;
    const struct message *message = message_of (msg);
    *count = message->count ? message->count : 1;
    return message->count ? message->frames : &empty;
}

int
format_add_frames (struct buffer *out, const weft_msg_t *msg, const char *separator)
{
    size_t count;
    const struct frame *frame = frames_of (msg, &count);
    int rc = buffer_add (out, frame_data (frame), frame->size);
    while (rc == 0 && --count > 0) {
        frame++;
        rc = buffer_add_str (out, separator);
        if (rc == 0)
            rc = buffer_add (out, frame_data (frame), frame->size);
    }
    return rc;
}

/*  lines, nul: one reservation for a message of one frame, which most are. */
static int
add_delimited (struct encoder *self, struct buffer *out, const weft_msg_t *msg, char delimiter)
{
    size_t count;
    const struct frame *frame = frames_of (msg, &count);
    if (count == 1) {
        const unsigned char *body = frame_data (frame);
        char *at = buffer_reserve (out, frame->size + 1);
        if (!at)
            return WEFT_ENOMEM;
        memcpy (at, body, frame->size);
        at[frame->size] = delimiter;
        buffer_wrote (out, frame->size + 1);
        if (memchr (body, delimiter, frame->size))
            self->ambiguous++;
        return 0;
    }
    int rc = format_add_frames (out, msg, self->separator);
    if (rc == 0)
        rc = buffer_add (out, &delimiter, 1);
    if (rc < 0)
        return rc;
    for (; count > 0; count--, frame++)
        if (memchr (frame_data (frame), delimiter, frame->size)) {
            self->ambiguous++;
            break;
        }
    return 0;
}

static int
add_len32 (struct buffer *out, const weft_msg_t *msg)
{
    size_t count;
    const struct frame *frame = frames_of (msg, &count);
    int rc = 0;
    for (; rc == 0 && count > 0; count--, frame++) {
        if (frame->size >= LEN32_MORE)
            return error_set (WEFT_ETOOBIG, "a frame of %zu bytes: len32 holds at most %u", frame->size,
                              LEN32_MORE - 1);
        uint32_t head = (uint32_t) frame->size | (count > 1 ? LEN32_MORE : 0);
        unsigned char bytes[LEN32_HEAD] = { (unsigned char) (head >> 24), (unsigned char) (head >> 16),
                                            (unsigned char) (head >> 8), (unsigned char) head };
        rc = buffer_add (out, bytes, sizeof bytes);
        if (rc == 0)
            rc = buffer_add (out, frame_data (frame), frame->size);
    }
    return rc;
}

int
format_add_hex (struct buffer *out, const weft_msg_t *msg)
{
    static const char digits[] = "0123456789abcdef";
    size_t count;
    const struct frame *frame = frames_of (msg, &count);
    for (size_t n = 0; n < count; n++, frame++) {
        char *start = buffer_reserve (out, frame->size * 2 + 2), *at = start;
        if (!at)
            return WEFT_ENOMEM;
        const unsigned char *body = frame_data (frame);
        if (n > 0)
            *at++ = ' ';
        if (frame->size == 0)
            *at++ = '-';
        for (size_t i = 0; i < frame->size; i++) {
            *at++ = digits[body[i] >> 4];
            *at++ = digits[body[i] & 15];
        }
        buffer_wrote (out, (size_t) (at - start));
    }
    return 0;
}

int
format_add_time (struct buffer *out, int64_t time)
{
    time_t when = (time_t) (time / TIME_S);
    struct tm tm;
    gmtime_r (&when, &tm);
    return buffer_addf (out, "%04d-%02d-%02dT%02d:%02d:%02d.%06dZ", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday,
                        tm.tm_hour, tm.tm_min, tm.tm_sec, (int) (time % TIME_S / TIME_US));
}

/*  One that may leave half a message behind when it fails. */
static int
add_slowly (const struct encoder *self, struct buffer *out, const weft_msg_t *msg, const struct message_info *info)
{
    int rc = 0;
    switch (self->format) {
    case FORMAT_RAW:
        return format_add_frames (out, msg, "");
    case FORMAT_LEN32:
        return add_len32 (out, msg);
    case FORMAT_TEMPLATE:
        return format_add_template (self, out, msg, info);
    case FORMAT_HEX:
        rc = format_add_hex (out, msg);
        break;
    default:
        rc = format_add_json (out, msg, info);
    }
    return rc == 0 ? buffer_add (out, "\n", 1) : rc;
}

int
encoder_add (struct encoder *self, const weft_msg_t *msg, const struct message_info *info, struct buffer *out)
{
    static const struct message_info nothing;
    size_t before = buffer_size (out);
    int rc = self->format == FORMAT_LINES ? add_delimited (self, out, msg, '\n')
             : self->format == FORMAT_NUL ? add_delimited (self, out, msg, '\0')
                                          : add_slowly (self, out, msg, info ? info : &nothing);
    if (rc < 0)
        out->tail = out->head + before;
    return rc;
}
