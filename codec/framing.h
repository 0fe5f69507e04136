/*  framing.h - where one message of a byte stream ends and the next begins
 *
 *    raw        whatever comes together is a message: parts and joins as the network likes
 *    line       a newline ends a message and is no part of it; CR is data like any other
 *    nul        the same with a NUL
 *    len16      2 bytes length, big-endian, and the bytes
 *    len32      4 bytes length
 *    fixed:N    N bytes each
 *    netstring  LENGTH:BYTES, with the length in decimal without leading zeros (D. J. Bernstein, 1997)
 *
 *  No I/O here, and no copy: what is found lies in the bytes that were given. */
#ifndef WEFT_CODEC_FRAMING_H
#define WEFT_CODEC_FRAMING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum framing_kind {
    FRAMING_RAW,
    FRAMING_LINE,
    FRAMING_NUL,
    FRAMING_LEN16,
    FRAMING_LEN32,
    FRAMING_FIXED,
    FRAMING_NETSTRING
};

#define FRAMING_NAMES "raw|line|nul|len16|len32|fixed:N|netstring"
#define FRAMING_OVERHEAD 24         /*  bytes that a framing adds to a message, at most         */

struct framing {
    enum framing_kind kind;
    size_t fixed;                   /*  of fixed:N                                              */
    size_t max_size;                /*  of a message that comes in; larger ones are refused     */
};

/*  By its name. WEFT_EINVAL says which there are. */
int framing_parse (struct framing *self, const char *text, size_t max_size);

/*  The first message in the `size` bytes. `*scanned` (0 for a new message) is how far they were looked at, so that
 *  nothing is looked at twice while more of them come. Returns how many bytes it takes, with *body and *body_size;
 *  0: more are needed. WEFT_ETOOBIG, WEFT_EPROTO: nothing that follows can be told apart any more. */
int64_t framing_next (const struct framing *self, size_t *scanned, const unsigned char *data, size_t size,
                      const unsigned char **body, size_t *body_size);

/*  What is left at the end of the stream: true when it counts as a message: a last line without its newline. Anything
 *  else was cut off. */
bool framing_last (const struct framing *self, size_t size);

/*  What stands before and after a message of `size` bytes that goes out. WEFT_EINVAL when it cannot be written so: not
 *  N bytes, too long for its length. A newline within a line is not looked for. */
struct framing_frame {
    unsigned char head[FRAMING_OVERHEAD], tail[1];
    size_t head_size, tail_size;
};
int framing_wrap (const struct framing *self, size_t size, struct framing_frame *frame);

#endif
