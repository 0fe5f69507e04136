/*  tls.h - TLS: who we are, whom we trust, and one session over a descriptor
 *
 *  OpenSSL stands behind it and is seen by core/tls*.c alone. TLS 1.2 and 1.3; no renegotiation, no resumption. Nothing
 *  here waits: a descriptor is read when the caller says so, and what is to be sent is put into a buffer. */
#ifndef WEFT_CORE_TLS_H
#define WEFT_CORE_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/buffer.h"
#include "core/option.h"

enum tls_verify { TLS_SERVERS, TLS_ALL, TLS_NONE };

struct tls_config {
    bool on;                            /*  tls                                                         */
    char *cert, *key, *ca;              /*  tls-cert, tls-key, tls-ca: files in PEM                     */
    char *name;                         /*  tls-name: NULL: the host that is dialled                    */
    int verify;                         /*  tls-verify: whose certificate has to be good                */
};
extern const struct option tls_options[];

/*  WEFT_EINVAL for options that are of no use together, in words; files are not looked at. */
int tls_check (const struct tls_config *self, bool listens, bool dials);

/* ---------------------------------------------------- who we are, and whom we trust */

struct tls_context;

/*  Of a listener, or of who dials `host` (NULL: no name to check but tls-name). `alpn`: the one protocol inside, NULL:
 *  none is named. Config and alpn have to live as long as it. A file that cannot be used is explained: WEFT_EACCES
 *  also when others can read the key. */
int tls_context_new (const struct tls_config *config, bool listens, const char *host, const char *alpn,
                     struct tls_context **self);
void tls_context_destroy (struct tls_context **self);

/*  Reads the files again when one of them was replaced, for sessions that begin from now on. 1: they are new, 0: all is
 *  as it was; an error leaves the old ones in use, and is told once for each change. */
int tls_context_refresh (struct tls_context *self);

/* ------------------------------------------------------------------ one session */

struct tls;

/*  Over a connected descriptor that does not block, and stays the caller's. */
int tls_new (const struct tls_context *context, int fd, struct tls **self);
void tls_destroy (struct tls **self);

/*  What is to be sent: the caller takes it from the front. Bounded by what was given to tls_write, and a little. */
struct buffer *tls_wire (struct tls *self);

/*  0: done; WEFT_EAGAIN: the peer has to send more, after it has what is in tls_wire. Else it has failed, in plain
 *  words: WEFT_EACCES when a certificate was not good enough, WEFT_EPROTO, WEFT_ENOPEER. What is in tls_wire then
 *  tells the peer. */
int tls_handshake (struct tls *self);

/*  How many bytes came; 0: the peer has sent its end; WEFT_EAGAIN: no whole record is there. WEFT_ENOPEER when the
 *  connection ended before that of TLS: who cut it off may have taken the last bytes away. An error comes again. */
int64_t tls_read (struct tls *self, void *data, size_t size);

/*  A part of a record was read. */
bool tls_has_begun (const struct tls *self);

/*  Encrypts all of it into tls_wire. */
int tls_write (struct tls *self, const void *data, size_t size);

/*  Our end, into tls_wire. */
void tls_finish (struct tls *self);

#endif
