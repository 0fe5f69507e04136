/*  format_template.c - templates of --format: printf-like text for a message; format.h lists what they know */

#include <inttypes.h>
#include <string.h>

#include "codec/format_parts.h"
#include "core/clock.h"
#include "core/error.h"

/*  The next piece of a template. */
enum piece_kind {
    PIECE_END,
    PIECE_TEXT,                 /*  `text`, `size`: as it is                        */
    PIECE_BYTE,                 /*  what an escape stood for, in `letter`           */
    PIECE_FIELD                 /*  what a % stood for, in `letter`                 */
};
struct piece {
    enum piece_kind kind;
    const char *text;
    size_t size;
    char letter;
};

/*  The escape at `at`, after the backslash: moves *at past it, or says what is wrong. */
static int
next_escape (const char **at, struct piece *piece)
{
    static const char names[] = "ntr0\\", values[] = "\n\t\r\0\\";
    piece->kind = PIECE_BYTE;
    char c = **at;
    if (c == 0)
        return error_set (WEFT_EINVAL, "ends in a lone backslash; \\\\ stands for a backslash");
    if (c == 'x') {
        int high = format_hex_digit ((*at)[1]), low = high < 0 ? -1 : format_hex_digit ((*at)[2]);
        if (low < 0)
            return error_set (WEFT_EINVAL, "\\x needs two hex digits, as in \\x1b");
        piece->letter = (char) (high << 4 | low);
        *at += 3;
        return 0;
    }
    const char *name = strchr (names, c);
    if (!name)
        return error_set (WEFT_EINVAL, "\\%c is not known; known are \\n \\t \\r \\0 \\\\ \\xHH", c);
    piece->letter = values[name - names];
    ++*at;
    return 0;
}

static int
next_field (const char **at, struct piece *piece)
{
    piece->kind = PIECE_FIELD;
    piece->letter = **at;
    if (piece->letter == 0)
        return error_set (WEFT_EINVAL, "ends in a lone %%; %%%% stands for a percent sign");
    if (!strchr ("stb123456789fznTuxjmpa%", piece->letter))
        return error_set (WEFT_EINVAL,
                          "%%%c is not known; known are %%s %%t %%b %%1..%%9 %%f %%z %%n %%T %%u %%x %%j %%m %%p %%a "
                          "%%%%", piece->letter);
    ++*at;
    return 0;
}

static int
next_piece (const char **at, struct piece *piece)
{
    *piece = (struct piece) { .kind = PIECE_TEXT, .text = *at, .size = strcspn (*at, "%\\") };
    *at += piece->size;
    if (piece->size > 0)
        return 0;
    if (**at == '\\') {
        ++*at;
        return next_escape (at, piece);
    }
    if (**at == '%') {
        ++*at;
        return next_field (at, piece);
    }
    piece->kind = PIECE_END;
    return 0;
}

int
format_template_check (const char *template)
{
    const char *at = template;
    struct piece piece;
    do {
        size_t column = (size_t) (at - template) + 1;
        int rc = next_piece (&at, &piece);
        if (rc < 0)
            return error_set (rc, "template \"%s\", column %zu: %s", template, column, weft_error ());
    } while (piece.kind != PIECE_END);
    return 0;
}

static int
add_frame (struct buffer *out, const weft_msg_t *msg, size_t frame)
{
    size_t size = weft_msg_size (msg, frame);
    return size > 0 ? buffer_add (out, weft_msg_data (msg, frame), size) : 0;
}

static int
add_field (const struct encoder *self, struct buffer *out, char letter, const weft_msg_t *msg,
           const struct message_info *info)
{
    size_t frames = weft_msg_frames (msg);
    switch (letter) {
    case 's':
    case 'm':
        return format_add_frames (out, msg, self->separator);
    case 't':
        return info->topic ? buffer_add (out, info->topic, info->topic_size) : 0;
    case 'p':
        return info->peer ? buffer_add_str (out, info->peer) : 0;
    case 'a':
        return info->adapter ? buffer_add_str (out, info->adapter) : 0;
    case 'b':
        return frames > 0 ? add_frame (out, msg, frames - 1) : 0;
    case 'f':
        return buffer_addf (out, "%zu", frames);
    case 'z':
        return buffer_addf (out, "%zu", weft_msg_bytes (msg));
    case 'n':
        return buffer_addf (out, "%" PRIu64, info->number);
    case 'T':
        return format_add_time (out, info->time);
    case 'u':
        return buffer_addf (out, "%" PRId64 ".%06d", info->time / TIME_S, (int) (info->time % TIME_S / TIME_US));
    case 'x':
        return format_add_hex (out, msg);
    case 'j':
        return format_add_json (out, msg, info);
    case '%':
        return buffer_add (out, "%", 1);
    default:
        return add_frame (out, msg, (size_t) (letter - '1'));
    }
}

int
format_add_template (const struct encoder *self, struct buffer *out, const weft_msg_t *msg,
                     const struct message_info *info)
{
    const char *at = self->template;
    struct piece piece;
    int rc = 0;
    while (rc == 0 && (rc = next_piece (&at, &piece)) == 0 && piece.kind != PIECE_END) {
        if (piece.kind == PIECE_TEXT)
            rc = buffer_add (out, piece.text, piece.size);
        else if (piece.kind == PIECE_BYTE)
            rc = buffer_add (out, &piece.letter, 1);
        else
            rc = add_field (self, out, piece.letter, msg, info);
    }
    return rc;
}
