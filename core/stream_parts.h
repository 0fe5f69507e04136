/*  stream_parts.h - what the files of the streams share; nobody else includes it */
#ifndef WEFT_CORE_STREAM_PARTS_H
#define WEFT_CORE_STREAM_PARTS_H

#include "core/buffer.h"
#include "core/stream.h"

#define STREAM_READ_MORE (64 * 1024)        /*  room that is made behind what is kept, to read into     */

enum stream_state {
    STREAM_SHAKING,                 /*  TLS's handshake: nobody has it yet                              */
    STREAM_OPEN,
    STREAM_FINISHING,               /*  writes what is queued; what comes is read and thrown away       */
    STREAM_CLOSED                   /*  `closed` is due from the loop                                   */
};

/*  Who has made a stream: a listener, or a dialer. */
struct stream_maker {
    void (*ready) (void *maker, struct stream *stream);         /*  once, if ever: it can be handed out */
    void (*left) (void *maker, const struct stream *stream);    /*  once, the last: it goes             */
};

struct stream {
    struct reactor *reactor;
    const struct stream_config *config;
    const struct stream_handler *handler;
    void *arg;
    enum stream_state state;
    int fd;
    bool paused;
    bool taken;                     /*  something was, ever                                             */
    bool begun;                     /*  a part of a message was left, and more is needed                */
    bool ended;                     /*  the peer has sent its end ...                                   */
    bool end_told;                  /*  ... and the owner knows                                         */
    bool shut;                      /*  we have sent ours                                               */
    bool blocked;                   /*  the system took less than all: WEFT_OUT tells when to go on     */
    bool refused;                   /*  a write was: `drained` is due                                   */
    bool offer;                     /*  what is kept is to be offered from the loop                     */
    struct reactor_fd *watch;
    struct reactor_task task;
    struct reactor_timer timer;
    struct buffer in, out;
    struct buffer marks;            /*  keep_marks: the sizes of the writes in `out`, uint32_t          */
    size_t first_sent;              /*  bytes of the first of them that have gone out                   */
    size_t kept;                    /*  bytes at the front of `out` that are not dropped                */
    int64_t active, begun_at, moved, last;      /*  times: of any byte, of a message's first, of output, of the end */
    struct tls *tls;                /*  NULL: clear text                                                */
    bool more;                      /*  TLS may have bytes inside that the system does not tell of      */
    bool in_wire;                   /*  data of the owner's are among the bytes that TLS has to send    */
    bool notified;                  /*  TLS has sent its end                                            */
    int error;
    char *why;
    const struct stream_maker *maker;
    void *made_by;
    struct stream *next, **place;   /*  in its maker's list, while it is shaking                        */
    struct sockaddr_storage address;
    char peer[ADDRESS_TEXT];
};

/*  A stream over a connected descriptor, which it owns from now on, also when this fails. Without `tls` it is ready,
 *  and nobody is called for that. */
int stream_open (struct reactor *reactor, int fd, const struct sockaddr_storage *peer,
                 const struct stream_config *config, const struct tls_context *tls, const struct stream_maker *maker,
                 void *made_by, struct stream **self);
bool stream_adopted (const struct stream *self);
const struct sockaddr_storage *stream_address (const struct stream *self);

/*  A stream that is shaking goes at once, and nobody is called but its maker. Not from within its own calls. */
void stream_abandon (struct stream *self);

/*  stream_read.c: reads once, and tells the end, or not; offers what was kept, as far as it is wanted. */
void stream_take_input (struct stream *self);
void stream_read_rest (struct stream *self);
void stream_offer_again (struct stream *self);

/*  stream_write.c: writes what the system takes; `drained`, when it is due. What waits, inside TLS too. */
void stream_flush (struct stream *self);
void stream_tell_drained (struct stream *self);
size_t stream_unsent (const struct stream *self);

/*  stream_tls.c. Goes on with the handshake; as recv, with EAGAIN when it has closed the stream; encrypts what is
 *  queued unless some of that waits, false when it has closed the stream. */
void stream_tls_shake (struct stream *self);
ssize_t stream_tls_receive (struct stream *self, void *room, size_t size);
bool stream_tls_encrypt (struct stream *self);

/*  Sees to it that the deadlines hold; closes after a call that has failed, by errno. */
void stream_arm (struct stream *self);
void stream_broken (struct stream *self, const char *what);

/*  So many bytes of the queue have gone out, or into TLS. */
void stream_consumed (struct stream *self, size_t count);

#endif
