/*  datagram.h - UDP sockets, and the sources that they hear
 *
 *  All of it on one reactor's thread; nothing here waits. Many datagrams are one system call, both ways. A source is an
 *  address from which something came; it is known until it has been silent for `idle`, or others need its place.
 *
 *  The sender's address of a datagram is what its sender says it is. So nobody is sent more than a little for what came
 *  in his name: what goes to a source is at most `amplify` times what came from there (with 28 bytes of headers for
 *  each datagram, both ways). Trusted are sources of this machine, those of `trust`, and whom we have dialled: to them,
 *  and to no others, goes what they did not ask for. That a source sends again proves nothing, since a forger can.
 *
 *  Nothing is unbounded: sources up to max_sources, output up to out_max, input as much as the system keeps. What is
 *  lost is counted. */
#ifndef WEFT_CORE_DATAGRAM_H
#define WEFT_CORE_DATAGRAM_H

#include "core/option.h"
#include "core/reactor.h"

enum { DATAGRAM_MAX = 65507 };          /*  bytes that one can carry, over IPv4 */

struct address;
struct datagram;                        /*  a socket                            */
struct datagram_source;
struct stream_part;

struct datagram_handler {
    /*  The first datagram of a source has come, or it was dialled. Returns the argument for the calls below; NULL: it
     *  is turned away. */
    void *(*opened) (void *arg, struct datagram_source *source);

    /*  One datagram, whole; it may be empty. 0: taken. WEFT_EAGAIN: there is no room; the socket is not read, and this
     *  one is offered again after datagram_resume. Another error: it is lost. */
    int (*data) (void *source_arg, const unsigned char *data, size_t size);

    /*  After a write of this source, or datagram_is_full, found the queue full: less than half is in it now. */
    void (*drained) (void *source_arg);

    /*  The last call, from the loop. `why` is in words, or "". */
    void (*closed) (void *source_arg, const char *why);

    /*  Something was lost, or refused, for the first time of its kind: in words. */
    void (*told) (void *arg, const char *what);
};

struct datagram_config {
    int64_t in_max;                     /*  bytes of a datagram that is taken                               */
    int64_t out_max;                    /*  out-queue                                                       */
    int64_t max_sources;
    int64_t idle;
    int64_t rate, burst;                /*  of one source: datagrams a second, and at once; 0: any          */
    int64_t amplify;
    int64_t receive_buffer;             /*  bytes that the system keeps for us                              */
    struct option_list trust, group;
    char *interface;
    int64_t ttl;
    bool loop;
    bool insecure;                      /*  listen to a network                                             */
};

/*  Those of it that users choose. */
extern const struct option datagram_options[];

/*  WEFT_EINVAL: a network of `trust` or a group is none. */
int datagram_check (const struct datagram_config *config);

/*  An address to listen at or to dial, without opening it; to listen it is of this machine, or `insecure`.
 *  WEFT_EENDPOINT, WEFT_EACCES. */
int datagram_check_address (const char *text, bool dialled, bool insecure, struct address *address);

struct datagram_counters {
    uint64_t overrun;                   /*  that the system had no room for                                 */
    uint64_t limited;                   /*  of sources over their rate                                      */
    uint64_t oversize;                  /*  longer than in_max                                              */
    uint64_t withheld;                  /*  not sent: more than the source had sent, or it had not asked    */
    uint64_t unsent;                    /*  that the system refused to send, or the end came before         */
    uint64_t unread;                    /*  taken from the system, and given to nobody before the end       */
    uint64_t evicted;                   /*  sources that went for others                                    */
    uint64_t turned_away;               /*  datagrams of sources that got no place                          */
};

/*  Bound to HOST:PORT; a multicast group is joined. WEFT_EACCES beyond loopback without `insecure`; WEFT_EENDPOINT,
 *  WEFT_ERESOLVE, WEFT_EADDRINUSE, ... The config has to live as long as the socket. `udp://` in front is allowed. */
int datagram_listen (struct reactor *reactor, const char *text, const struct datagram_config *config,
                     const struct datagram_handler *handler, void *arg, struct datagram **self);

/*  From a port of its own to one other side, which is its only source: what comes from elsewhere is not seen. When that
 *  source is closed, it comes anew from another port, so that nothing late reaches it. To a group, all that comes back
 *  counts as the group's. */
int datagram_dial (struct reactor *reactor, const char *text, const struct datagram_config *config,
                   const struct datagram_handler *handler, void *arg, struct datagram **self);

const char *datagram_address (const struct datagram *self);         /*  that it got, or dials */
void datagram_counters (const struct datagram *self, struct datagram_counters *counters);

/*  What was kept is offered again from the loop, and the socket is read. */
void datagram_resume (struct datagram *self);

/*  Takes nothing more in, and dials no more; sources stay. */
void datagram_stop (struct datagram *self);

/*  Its sources have to be closed, and told of it. */
void datagram_destroy (struct datagram **self);

/* ------------------------------------------------------------------------ sources */

/*  One datagram, from the parts. WEFT_EAGAIN when the queue is full; WEFT_EINVAL: it is too long; WEFT_ELIMIT: the
 *  source may not be sent so much (counted as withheld); WEFT_ESTATE when it is closed. */
int datagram_write (struct datagram_source *self, const struct stream_part *parts, size_t count);
bool datagram_is_full (struct datagram_source *self);       /*  the queue, which all sources of a socket share */
struct datagram *datagram_of (struct datagram_source *self);

/*  Makes room in the queue of the socket, as stream_drop_oldest. */
size_t datagram_drop_oldest (struct datagram_source *self, size_t size);

/*  Whether it may be sent what it has not asked for; datagram_withhold counts that it was not. */
bool datagram_is_trusted (const struct datagram_source *self);
void datagram_withhold (struct datagram_source *self);

/*  Forgets it: at once, or when what is queued has gone. `closed` comes from the loop. */
void datagram_close (struct datagram_source *self, const char *why);
void datagram_finish (struct datagram_source *self);

const char *datagram_peer (const struct datagram_source *self);     /*  "127.0.0.1:4711" */

#endif
