/*  format.h - the message formats of the command line: bytes <-> messages
 *
 *  One vocabulary everywhere. No I/O here: a decoder takes bytes out of a buffer
 *  that the caller fills, an encoder adds bytes to one that the caller drains.
 *
 *    lines   a message a line; frames of a message are parted by `separator`. NUL and
 *            CR are data like any other
 *    nul     the same, with NUL in place of newline
 *    raw     decoding: all input is one message; encoding: the bytes, nothing added
 *    len32   4 bytes length (big-endian) and the bytes; the top bit is set on a
 *            frame that is not the last of its message
 *    hex     a line a message, two digits a byte, frames parted by a space;
 *            an empty frame is a dash
 *    json    an object a line: {"topic":..., "size":N, "time":"...", "frames":[...]}
 *            where a frame is a string, or {"base64":"..."} when it is not UTF-8
 *            (or holds a NUL); decoding needs only "frames" (or "data": one frame) and ignores the
 *            rest, but takes "topic" as a first frame when it comes with "data"
 *    template  encoding only: see format_template_check */
#ifndef WEFT_CODEC_FORMAT_H
#define WEFT_CODEC_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/buffer.h"
#include "weft.h"

#define FORMAT_CHOICES "lines|nul|raw|len32|hex|json"
enum format {                       /*  in the order of FORMAT_CHOICES */
    FORMAT_LINES,
    FORMAT_NUL,
    FORMAT_RAW,
    FORMAT_LEN32,
    FORMAT_HEX,
    FORMAT_JSON,
    FORMAT_TEMPLATE
};

/* ---------------------------------------------------------------- decoding */

struct decoder {
    enum format format;
    size_t max_size;                /*  bytes in a message; a larger one is WEFT_ETOOBIG        */
    const char *separator;          /*  lines, nul: splits into frames; NULL or "" splits not.
                                        The caller's, must outlive the decoder                  */
    size_t scanned;                 /*  bytes of the buffer that were looked at and did not end
                                        the message: those of no delimiter, or of whole frames  */
    size_t frames;                  /*  len32: whole frames in them                             */
    uint64_t messages;              /*  taken so far, bad ones too: "line 17: ..." in errors    */
    bool skipping;                  /*  in a message that is too big, until its end             */
};

void decoder_init (struct decoder *self, enum format format, size_t max_size, const char *separator);

/*  Takes one message from the front of `in`, whose bytes it may change. With `end` no more will come: a
 *  last line without newline counts, a cut-off len32 does not. Returns
 *  1: `msg` holds it (what it held before is freed) and its bytes were consumed;
 *  0: more bytes are needed (at `end`: nothing is left);
 *  WEFT_ETOOBIG, WEFT_EPROTO: this message is bad, weft_error () says which and
 *  why. Line-based formats have then consumed it, and may be called on for the next;
 *  after a bad len32 (or raw) nothing more can be had.
 *  What is left in `in` after a 0 is bounded by max_size (and the format's overhead: 2 x for
 *  hex, 6 x for json, and 1 MiB), so the buffer needs no limit of its own. Raw makes an empty
 *  message of an empty input; a line of lines or nul without bytes is one, too. */
int decoder_next (struct decoder *self, struct buffer *in, bool end, weft_msg_t *msg);

/*  Can decoding go on after an error? */
bool decoder_can_resume (const struct decoder *self);

/* ---------------------------------------------------------------- encoding */

/*  What json and templates can tell besides the frames. */
struct message_info {
    const void *topic;              /*  NULL: none */
    size_t topic_size;
    int64_t time;                   /*  ns since 1970 when it was received or made, not negative; 0: not known */
    uint64_t number;                /*  1 for the first                                         */
    const char *peer, *adapter;     /*  whom it came from, of a bridge; NULL: not known         */
};

struct encoder {
    enum format format;
    const char *separator;          /*  lines, nul: between frames; NULL: TAB                   */
    const char *template;           /*  FORMAT_TEMPLATE, checked                                */
    uint64_t ambiguous;             /*  messages that held a newline (lines) or NUL (nul), so that
                                        a reader of the output cannot tell where they end       */
};

void encoder_init (struct encoder *self, enum format format, const char *separator, const char *template);

/*  Adds one message to `out`; one without frames is written as if it had one that is
 *  empty. `info` may be NULL. WEFT_ENOMEM, WEFT_ETOOBIG (a frame
 *  over 2^31 - 1 bytes in len32). On failure `out` is as it was. */
int encoder_add (struct encoder *self, const weft_msg_t *msg, const struct message_info *info, struct buffer *out);

/*  Adds bytes as json has those of a frame: a string, or {"base64": "..."} when they are no text. WEFT_ENOMEM. */
int format_json_bytes (struct buffer *out, const void *data, size_t size);

/*  Is the text a template? Escapes \n \t \r \0 \\ \xHH, and
 *  %s all frames, parted by the separator   %t topic            %b body: the last frame
 *  %1 ... %9 that frame                     %f number of frames %z size in bytes
 *  %n number of the message                 %T time, RFC 3339 UTC with microseconds
 *  %u time in seconds since 1970, with microseconds             %x all frames in hex
 *  %j the object that json would write      %% a percent sign
 *  %m the same as %s                        %p peer and %a adapter, of what came by a bridge
 *  WEFT_EINVAL says what is wrong and where. A template adds no newline. */
int format_template_check (const char *template);

#endif
