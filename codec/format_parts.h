/*  format_parts.h - what the files of the format codec share; nobody else includes it
 *
 *  format.c decodes, and format_encode.c encodes, the simple formats; format_json.c has both for json,
 *  format_template.c the templates. */

#ifndef WEFT_CODEC_FORMAT_PARTS_H
#define WEFT_CODEC_FORMAT_PARTS_H

#include "codec/format.h"

#define LEN32_MORE 0x80000000u      /*  top bit of a length: another frame follows */
#define LEN32_HEAD 4

/*  Each adds to `out`. On failure part of it may have been added: encoder_add takes it back. */
int format_add_frames (struct buffer *out, const weft_msg_t *msg, const char *separator);
int format_add_hex (struct buffer *out, const weft_msg_t *msg);
int format_add_time (struct buffer *out, int64_t time);
int format_add_json (struct buffer *out, const weft_msg_t *msg, const struct message_info *info);
int format_add_template (const struct encoder *self, struct buffer *out, const weft_msg_t *msg,
                         const struct message_info *info);

/*  Adds a frame to a message that has `room` bytes left, or says WEFT_ETOOBIG. */
int format_take_frame (weft_msg_t *msg, const void *data, size_t size, size_t *room);

/*  Fills an empty `msg` from an object; changes the text. */
int format_take_json (weft_msg_t *msg, char *text, size_t size, size_t max_size);

/*  0 to 15, or -1. */
int format_hex_digit (char c);

#endif
