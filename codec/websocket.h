/*  websocket.h - WebSocket (RFC 6455): bytes <-> frames <-> messages, of a client or a server
 *
 *  No I/O and no copy beyond the one into the message. What comes is held to the RFC to the letter: a wrong bit, a
 *  length that could be shorter, text that is not UTF-8 (told at its first wrong byte), a message above the limit.
 *
 *  Why not wslay: its frames are read by a callback into a buffer of its own, 4 KiB a connection and ahead of what was
 *  asked for, so that a message which the fabric has no room for could not stay where it is. */
#ifndef WEFT_CODEC_WEBSOCKET_H
#define WEFT_CODEC_WEBSOCKET_H

#include "codec/deflate.h"
#include "codec/utf8.h"
#include "weft.h"

enum websocket_opcode {
    WEBSOCKET_MORE = 0,                 /*  a further frame of the message                              */
    WEBSOCKET_TEXT = 1,
    WEBSOCKET_BINARY = 2,
    WEBSOCKET_CLOSE = 8,                /*  these, "control frames", may stand between those of a message   */
    WEBSOCKET_PING = 9,
    WEBSOCKET_PONG = 10
};

enum websocket_close {
    CLOSE_NORMAL = 1000,
    CLOSE_GOING_AWAY = 1001,
    CLOSE_PROTOCOL = 1002,
    CLOSE_NO_CODE = 1005,               /*  never written: the peer gave none                           */
    CLOSE_NOT_TEXT = 1007,
    CLOSE_POLICY = 1008,
    CLOSE_TOO_BIG = 1009,
    CLOSE_INTERNAL = 1011,
    CLOSE_TRY_LATER = 1013
};

#define WEBSOCKET_HEAD 14               /*  bytes before the payload, at most                           */
#define WEBSOCKET_CONTROL_MAX 125       /*  bytes of a control frame                                    */

/* --------------------------------------------------------------------- decoding */

struct websocket_event {
    enum websocket_opcode what;         /*  WEBSOCKET_MORE: nothing to tell                             */
    weft_msg_t *msg;                    /*  TEXT, BINARY: one frame; the reader may empty it            */
    const unsigned char *data;          /*  PING, PONG: what it carries; CLOSE: the reason              */
    size_t size;
    unsigned code;                      /*  CLOSE: valid, or CLOSE_NO_CODE                              */
};

struct websocket_decoder {
    size_t max_size;                    /*  of a message                                                */
    struct inflater *inflater;          /*  NULL: nothing may be compressed; the caller's               */
    bool client;                        /*  we are it: what comes is not masked                         */
    bool closed;                        /*  their Close was there: what follows is passed over          */
    bool in_frame;                      /*  its head is read                                            */
    bool last;                          /*  ... and it is the last of its message                       */
    bool compressed;                    /*  the message is                                              */
    unsigned char opcode;               /*  of the message that is begun; 0: none is                    */
    unsigned char key[4];               /*  of the frame, turned so that the next byte goes with key[0] */
    unsigned char control[WEBSOCKET_CONTROL_MAX];
    uint64_t left;                      /*  bytes of the frame that are not read                        */
    size_t ahead;                       /*  of the bytes that are offered, how many are read already    */
    struct websocket_event told;        /*  and not taken yet                                           */
    unsigned failed;                    /*  the close code to end with, after an error                  */
    struct utf8 utf8;
    struct buffer body;                 /*  the message so far                                          */
    weft_msg_t msg;
};

/*  `inflater` may be one that many share, if the other side forgets. */
void websocket_init (struct websocket_decoder *self, bool client, size_t max_size, struct inflater *inflater);
void websocket_free (struct websocket_decoder *self);

/*  Reads from the front of what came. Returns how many bytes can be given up, and what there is to tell, for which
 *  that is when it is taken: it is told again, with the same bytes in front, until websocket_taken says so. 0 and
 *  nothing to tell: more is needed. A byte at least is left of a frame that is not whole, so that whoever keeps what is
 *  left sees that one is begun. Negative: WEFT_EPROTO, WEFT_ETOOBIG, WEFT_ENOMEM, and `failed`. */
int64_t websocket_next (struct websocket_decoder *self, const unsigned char *data, size_t size,
                        struct websocket_event *event);
void websocket_taken (struct websocket_decoder *self);

/*  A message is begun, though none of its frames may be in pieces. */
static inline bool
websocket_begun (const struct websocket_decoder *self)
{
    return self->opcode != 0;
}

/* --------------------------------------------------------------------- encoding */

/*  Writes what stands before `size` bytes that are a whole message or a control frame. `key`: 4 bytes that nobody can
 *  guess, of a client; NULL of a server. Returns its size. */
size_t websocket_head (unsigned char head[WEBSOCKET_HEAD], enum websocket_opcode opcode, bool compressed, uint64_t size,
                       const unsigned char key[4]);

/*  Masks, or takes the mask off: `size` bytes from `from` to `to`, which may be the same; `at` of them came before. */
void websocket_mask (void *to, const void *from, size_t size, const unsigned char key[4], uint64_t at);

/*  What a Close carries: the code (CLOSE_NO_CODE: nothing at all), and as much of the reason as fits. Its size. */
size_t websocket_reason (unsigned char data[WEBSOCKET_CONTROL_MAX], unsigned code, const char *reason);

#endif
