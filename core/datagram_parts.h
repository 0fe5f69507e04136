/*  datagram_parts.h - what the files of the datagrams share; nobody else includes it */
#ifndef WEFT_CORE_DATAGRAM_PARTS_H
#define WEFT_CORE_DATAGRAM_PARTS_H

#include "core/address.h"
#include "core/buffer.h"
#include "core/datagram.h"
#include "core/list.h"
#include "core/map.h"

#define BATCH 64                    /*  datagrams of one system call                                    */
#define HEADERS 28                  /*  bytes of IP and UDP around each                                 */
#define NETWORKS_MAX 64

enum datagram_told {                /*  what was told: each kind once, as bits                          */
    TOLD_OVERRUN = 1, TOLD_LIMITED = 2, TOLD_OVERSIZE = 4, TOLD_WITHHELD = 8, TOLD_UNSENT = 16, TOLD_EVICTED = 32
};

enum source_state {
    SOURCE_OPEN,
    SOURCE_FINISHING,               /*  closes when the queue is empty                                  */
    SOURCE_CLOSED                   /*  `closed` is due from the loop                                   */
};

struct datagram_source {
    struct datagram *socket;
    void *arg;                      /*  the handler's                                                   */
    enum source_state state;
    bool trusted;
    struct map_node node;           /*  of the socket's sources, while it is open                       */
    struct list heard;              /*  in socket->heard while it is open or finishing, else in `gone`  */
    struct list refused;            /*  in socket->refused: `drained` is due                            */
    int64_t last;                   /*  when it was heard                                               */
    int64_t credit;                 /*  bytes that it may be sent, if it is not trusted                 */
    int64_t tokens, filled;         /*  of the rate, in ns of it; when they were counted                */
    char *why;                      /*  it was closed                                                   */
    struct sockaddr_storage address;
    char peer[ADDRESS_TEXT];
};

/*  A network that is trusted; IPv4 as ::ffff:a.b.c.d. */
struct network {
    unsigned char ip[16];
    int bits;
};

struct batch;                       /*  what one system call reads: datagram_read.c                     */

struct datagram {
    struct reactor *reactor;
    const struct datagram_config *config;
    const struct datagram_handler *handler;
    void *arg;
    int fd;
    struct reactor_fd *watch;
    struct reactor_task task;
    struct reactor_timer timer;     /*  for sources that are silent                                     */
    struct reactor_timer retry;     /*  it could not be opened anew ...                                 */
    int attempt;                    /*  ... so often                                                    */
    uint64_t seed;
    bool dialled;                   /*  it has one source, `only`, to which it is connected ...         */
    bool to_group;                  /*  ... but for a group                                             */
    bool held;                      /*  a datagram found no room: nothing is read                       */
    bool offer;                     /*  what is kept is to be offered from the loop                     */
    bool stopped;
    bool blocked;                   /*  the system takes no more: WEFT_OUT tells when to go on          */
    struct datagram_source *only;
    struct map sources;
    size_t count;
    struct list heard;              /*  who was heard longest ago first                                 */
    struct list gone, refused;
    struct batch *batch;
    struct buffer out;              /*  of struct queued, each with its bytes behind                    */
    uint64_t salt;                  /*  so that nobody chooses addresses that fall together             */
    struct network networks[NETWORKS_MAX];
    size_t network_count;
    bool strangers;                 /*  this machine is not trusted by itself                           */
    unsigned told;
    uint64_t overrun_before;        /*  of descriptors that were closed                                 */
    struct datagram_counters counters;
    struct sockaddr_storage address;
    char text[ADDRESS_TEXT];
};

/*  datagram_open.c: a descriptor as the config wants it, in self->fd: bound to, or connected with, self->address. */
int datagram_open_fd (struct datagram *self);
int datagram_read_networks (struct datagram *self);
bool datagram_trusts (const struct datagram *self, const struct sockaddr_storage *address);

/*  datagram_source.c: who has sent from there, or NULL for one who gets no place; `heard` at the time of now. */
struct datagram_source *datagram_source_of (struct datagram *self, const struct sockaddr_storage *address);
struct datagram_source *datagram_source_new (struct datagram *self, const struct sockaddr_storage *address);
bool datagram_may_pass (struct datagram_source *source, size_t size);
void datagram_let_go (struct datagram *self);
void datagram_look_idle (struct datagram *self);
void datagram_on_idle (void *arg);

/*  datagram_read.c: reads a batch and gives it out; goes on with one that was held. */
int datagram_batch_new (struct datagram *self);
void datagram_batch_free (struct datagram *self);
void datagram_read (struct datagram *self);
void datagram_give (struct datagram *self);
bool datagram_is_read (const struct datagram *self);
uint64_t datagram_unread (const struct datagram *self);
void datagram_forget_kept (struct datagram *self);
uint64_t datagram_overrun (const struct datagram *self);
void datagram_take_error (struct datagram *self);

/*  datagram_write.c: sends what the system takes; `drained`, when it is due. */
void datagram_flush (struct datagram *self);
void datagram_tell_drained (struct datagram *self);
uint64_t datagram_queued (const struct datagram *self);

/*  datagram.c: tells it once of its kind. */
void datagram_tell (struct datagram *self, enum datagram_told kind, const char *format, ...) WEFT_PRINTF (3, 4);

#endif
