/*  stream_parts.h - what the files of the streams share; nobody else includes it */
#ifndef WEFT_CORE_STREAM_PARTS_H
#define WEFT_CORE_STREAM_PARTS_H

#include "core/buffer.h"
#include "core/stream.h"

enum stream_state {
    STREAM_OPEN,
    STREAM_FINISHING,               /*  writes what is queued; what comes is read and thrown away       */
    STREAM_CLOSED                   /*  `closed` is due from the loop                                   */
};

struct stream {
    struct reactor *reactor;
    const struct stream_config *config;
    const struct stream_handler *handler;
    void *arg;
    enum stream_state state;
    int fd;
    bool paused;
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
    int64_t active, begun_at, moved, last;      /*  times: of any byte, of a message's first, of output, of the end */
    int error;
    char *why;
    void (*left) (void *owner, const struct stream *stream);
    void *owner;
    struct sockaddr_storage address;
    char peer[ADDRESS_TEXT];
};

/*  A stream over a connected descriptor, which it owns from now on, also when this fails. `left` is called once when
 *  it is gone. */
int stream_open (struct reactor *reactor, int fd, const struct sockaddr_storage *peer,
                 const struct stream_config *config, void (*left) (void *owner, const struct stream *stream),
                 void *owner, struct stream **self);
bool stream_adopted (const struct stream *self);
const struct sockaddr_storage *stream_address (const struct stream *self);

/*  stream_write.c: writes what the system takes; `drained`, when it is due. */
void stream_flush (struct stream *self);
void stream_tell_drained (struct stream *self);

/*  Sees to it that the deadlines hold; closes after a call that has failed, by errno. */
void stream_arm (struct stream *self);
void stream_broken (struct stream *self, const char *what);

#endif
