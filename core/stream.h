/*  stream.h - byte streams over TCP and Unix sockets, in clear text or TLS: accepting and connecting, reading as fast
 *  as somebody takes it, writing as much as a bound allows
 *
 *  All of it on one reactor's thread; nothing here waits. A stream calls its owner back by a table. Nothing is
 *  unbounded: input is kept up to in_max, output up to out_max. A stream that rests keeps no buffer. */
#ifndef WEFT_CORE_STREAM_H
#define WEFT_CORE_STREAM_H

#include "core/address.h"
#include "core/option.h"
#include "core/reactor.h"
#include "core/tls.h"

struct stream;

struct stream_handler {
    /*  Bytes that came and were not taken before. Returns how many are taken; the rest is kept and offered again, with
     *  more that came or after stream_resume. Less than all without a pause means "need more": a message is begun then,
     *  and `progress` runs; when in_max bytes are not enough the stream is closed with WEFT_ETOOBIG. Negative closes it
     *  with that error, explained. */
    int64_t (*data) (void *arg, struct stream *stream, const unsigned char *data, size_t size);

    /*  The peer has sent its end (that of TLS, where that is spoken: a mere end of the connection is an error there),
     *  with `size` bytes before it that were not taken. It can still be written to: who has
     *  nothing to write any more says stream_finish. WEFT_EAGAIN after a pause: again, when it is over; another
     *  error closes the stream. */
    int (*ended) (void *arg, struct stream *stream, const unsigned char *data, size_t size);

    /*  After the queue was full: less than half of out_max is in it now. May be NULL. */
    void (*drained) (void *arg, struct stream *stream);

    /*  The last call, whoever has closed it: `error` 0 when it was us or the peer, in order; else WEFT_E..., and `why`.
     *  `unsent`: bytes that the system has not taken. */
    void (*closed) (void *arg, struct stream *stream, int error, const char *why, size_t unsent);
};

struct stream_config {
    int64_t in_max;                     /*  bytes that one message may need, with its framing               */
    int64_t out_max;                    /*  out-queue: bytes; the last write may go over it                 */
    int64_t idle;                       /*  idle: no byte either way; 0: never closed for that              */
    int64_t progress;                   /*  progress: a message that is begun has to be whole, what is written
                                            has to move, by the system, too, and our end to be answered     */
    int64_t connect_timeout;
    int64_t keepalive;                  /*  how often the system of a silent peer is asked; 0: never        */
    int64_t reconnect, reconnect_max;   /*  back-off, with jitter                                           */
    int64_t max_peers, max_per_host;    /*  connections that are taken in, and from one address; 0: no limit */
    bool insecure;                      /*  listen to a network in clear text                               */
    bool share_port;                    /*  other listeners of ours are at the same port, on their threads  */
    bool keep_marks;                    /*  stream_drop_oldest will be used                                 */
    struct tls_config tls;              /*  tls_options                                                     */
    const char *alpn;                   /*  the protocol, as TLS calls it; NULL: it has no name             */
};

/*  Those of it that users choose: out-queue, idle, progress, max-per-host. */
extern const struct option stream_options[];

/*  Who is called from now on. A stream comes without: whoever gets it and does not adopt it has refused it. */
void stream_adopt (struct stream *self, const struct stream_handler *handler, void *arg);

/*  All of it is queued, or nothing: WEFT_EAGAIN when the queue is full, WEFT_ESTATE when it is closed or finishing.
 *  What was queued goes out before the reactor next waits: many writes of a round are one system call. */
int stream_write (struct stream *self, const void *data, size_t size);

/*  The same of parts, which are one message for stream_drop_oldest. */
struct stream_part {
    const void *data;
    size_t size;
};
int stream_write_parts (struct stream *self, const struct stream_part *parts, size_t count);

/*  Last words, after which the owner finishes: queued even when the queue is full. */
int stream_write_last (struct stream *self, const struct stream_part *parts, size_t count);
size_t stream_queued (const struct stream *self);
bool stream_is_full (const struct stream *self);    /*  out_max is reached                      */

/*  Makes room in the queue for `size` bytes, and then a quarter of it, by dropping the writes that have waited longest
 *  and of which nothing has gone out. Returns how many were dropped; `told`, unless it is NULL, gets the bytes of all
 *  before they go. */
size_t stream_drop_oldest (struct stream *self, size_t size,
                           void (*told) (void *arg, const void *data, size_t size), void *arg);

/*  What is queued now is never dropped by that. */
void stream_keep (struct stream *self);

/*  No more `data` or `ended` until it is resumed: the system's window fills, and the peer waits. What is kept is
 *  offered again from the loop. */
void stream_pause (struct stream *self);
void stream_resume (struct stream *self);

/*  Writes what is queued, sends our end, waits for the peer's, and closes; by the deadline at the latest, and when
 *  the peer's does not come within `progress`. */
void stream_finish (struct stream *self, int64_t deadline);

/*  At once; `closed` comes from the loop. `error` 0, or one that is explained. */
void stream_close (struct stream *self, int error);

/*  "127.0.0.1:4711". Good as long as the stream. */
const char *stream_peer (const struct stream *self);

/* --------------------------------------------------------------------- listening */

struct listener;
struct listener_counters {
    uint64_t accepted;
    uint64_t turned_away;               /*  over max-peers, max-per-host, or out of descriptors             */
    uint64_t refused;                   /*  TLS came to nothing                                             */
};

/*  Several with config->share_port may be at one port: the system deals connections among them. Before the first of
 *  them: WEFT_EADDRINUSE when a listener of somebody else's is there, which may share its port, too. */
int listener_probe (const char *text);

/*  What can be said of listener_new without opening anything: its address, and the files of TLS. */
int listener_check (const char *text, const struct stream_config *config);

/*  Loopback unless TLS is on or config->insecure (WEFT_EACCES). `accepted` adopts the stream, when TLS's handshake is
 *  done, which has to be within connect_timeout. The config has to live as long as the
 *  listener, and that as long as its streams. `text` as address_parse. Files of certificates that are replaced are read
 *  again. WEFT_EENDPOINT, WEFT_ERESOLVE, WEFT_EADDRINUSE, ... */
int listener_new (struct reactor *reactor, const char *text, const struct stream_config *config,
                  void (*accepted) (void *arg, struct stream *stream), void *arg, struct listener **self);

/*  Who is told of connections whose TLS came to nothing, and of certificates that could not be read again; `why` begins
 *  with the peer's address, or the file. */
void listener_on_failed (struct listener *self, void (*failed) (void *arg, const char *why));
void listener_stop (struct listener *self);         /*  takes nobody in any more                */
void listener_destroy (struct listener **self);
const char *listener_address (const struct listener *self);     /*  with the port that it got   */
void listener_counters (const struct listener *self, struct listener_counters *counters);

/* ---------------------------------------------------------------------- dialling */

struct dialer;

/*  The same of dialer_new. */
int dialer_check (const char *text, const struct stream_config *config);

/*  Connects, and again whenever the connection ends or fails, with back-off. `opened` adopts the stream, when TLS's
 *  handshake is done; `failed` is told each attempt that came to nothing, in words. */
int dialer_new (struct reactor *reactor, const char *text, const struct stream_config *config,
                void (*opened) (void *arg, struct stream *stream), void (*failed) (void *arg, const char *why),
                void *arg, struct dialer **self);
void dialer_stop (struct dialer *self);             /*  no more attempts                        */
void dialer_destroy (struct dialer **self);         /*  its stream has to be closed             */
const char *dialer_address (const struct dialer *self);         /*  as it was given             */

#endif
