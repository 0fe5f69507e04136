/*  deflate.h - compressed WebSocket messages: permessage-deflate (RFC 7692), over zlib
 *
 *  First what the two sides agree on in their handshake, then the bytes. No I/O.
 *
 *  Each side compresses what it sends in a window of its own, of 2^8 to 2^15 bytes, and keeps that from message to
 *  message ("context takeover") unless it was told to forget. A side that forgets needs no compressor of its own: one
 *  serves any number of connections, and a message for all of them is compressed once. */
#ifndef WEFT_CODEC_DEFLATE_H
#define WEFT_CODEC_DEFLATE_H

#include <stdbool.h>

#include "core/buffer.h"

#define DEFLATE_BITS_MAX 15
#define DEFLATE_TEXT 160                /*  bytes of an offer or an answer as text, with a NUL          */

struct deflate_side {
    unsigned char bits;                 /*  the window of what this side sends: 8 to 15                 */
    bool forgets;                       /*  with each message                                           */
};

struct deflate_terms {
    bool agreed;                        /*  false: nothing is compressed                                */
    bool names_window;                  /*  the answer, the server's: always when it was asked for (7.1.2.1) */
    struct deflate_side server, client;
};

/*  A server's answer to the offers of a client (the value of Sec-WebSocket-Extensions; other extensions are passed
 *  over): the first that can be met, with windows of at most `bits`, and `forget`ting where that is allowed: both
 *  sides always may. None: not agreed. WEFT_EPROTO: it is no list of extensions. */
int deflate_accept (const char *offers, size_t size, unsigned bits, bool forget, struct deflate_terms *terms);

/*  The answer, as the value of the header: "" when nothing was agreed. */
void deflate_answer (const struct deflate_terms *terms, char text[DEFLATE_TEXT]);

/*  A client's offer, and what the server's answer to it says. WEFT_EPROTO: no list of extensions, one that was not
 *  offered, or terms that were not. */
void deflate_offer (unsigned bits, bool forget, char text[DEFLATE_TEXT]);
int deflate_confirm (const char *answer, size_t size, unsigned bits, bool forget, struct deflate_terms *terms);

/* ------------------------------------------------------------------- messages */

struct deflater;
struct inflater;

/*  For what `side` sends. zlib has no window of 2^8 to write with: deflater_new then gives NULL, and 0; what is not
 *  compressed may be sent at any time. WEFT_ENOMEM. */
int deflater_new (const struct deflate_side *side, struct deflater **self);
int inflater_new (const struct deflate_side *side, struct inflater **self);
void deflater_destroy (struct deflater **self);
void inflater_destroy (struct inflater **self);

/*  Adds the whole message, compressed, to `out`. WEFT_ENOMEM. */
int deflater_run (struct deflater *self, const void *data, size_t size, struct buffer *out);

/*  What it had so far is not needed to read what follows. */
void deflater_forget (struct deflater *self);

/*  The other way, into an empty `out`. WEFT_ETOOBIG: it would be more than `max` bytes; no more than that is ever made
 *  of it. WEFT_EPROTO: it is not compressed data. After a failure nothing more can be read, unless the side forgets. */
int inflater_run (struct inflater *self, const void *data, size_t size, size_t max, struct buffer *out);

#endif
