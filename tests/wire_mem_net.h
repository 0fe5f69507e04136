/*  wire_mem_net.h - the parts of the engine in memory among themselves
 *
 *  wire_mem.c      the engine: sockets with their patterns' rules
 *  wire_mem_net.c  connections, time and faults
 *  wire_mem_topics.c  sets of subscriptions */

#ifndef WEFT_TESTS_WIRE_MEM_NET_H
#define WEFT_TESTS_WIRE_MEM_NET_H

#include <sys/queue.h>

#include "tests/wire_mem.h"

struct mem_item {
    TAILQ_ENTRY (mem_item) next;
    weft_msg_t msg;
    int64_t due;                        /*  not to be seen before                               */
};

struct mem_queue {
    TAILQ_HEAD (, mem_item) items;
    size_t count;
};

struct mem_topic {
    void *data;
    size_t size, count;                 /*  how often it was subscribed to                      */
};

struct mem_topics {
    struct mem_topic *items;
    size_t count;
};

/*  One wire's side of a connection. */
struct mem_end {
    TAILQ_ENTRY (mem_end) next;
    struct mem_wire *wire;
    struct mem_end *other;              /*  NULL: not connected now                             */
    bool connecter;                     /*  stays when the connection ends, to try again        */
    bool told;                          /*  that it cannot connect                              */
    char name[ENDPOINT_MAX];
    struct mem_queue in, out;
    uint64_t read_turn, write_turn;     /*  when it last had its turn                           */
    unsigned char id[256];              /*  ROUTER: what the peer is called here; size 0: not to be reached */
    size_t id_size;
    struct mem_topics topics;           /*  XPUB: what the peer subscribed to                   */
};

struct mem_event {
    TAILQ_ENTRY (mem_event) next;
    enum wire_event_kind kind;
    char endpoint[ENDPOINT_MAX], text[128];
    bool incompatible;
};

struct mem_context {
    struct mem *net;
    bool undelivered;                   /*  a wire was closed that should have lingered         */
};

struct mem_wire {
    struct wire wire;                   /*  first */
    TAILQ_ENTRY (mem_wire) next;
    struct mem_context *context;
    struct mem *net;
    TAILQ_HEAD (, mem_end) ends;
    TAILQ_HEAD (, mem_event) events;
    struct mem_event told;              /*  the event whose texts the caller may still read     */
    struct mem_queue local;             /*  XPUB: subscriptions to be received                  */
    struct mem_topics topics;           /*  SUB, XSUB                                           */
    mem_serve_fn *serve;
    void *serve_arg;
    bool serving, dirty;                /*  something has arrived since `serve` last ran        */
    bool lossy;
    int fd;
};

/* ------------------------------------------------------- wire_mem_topics.c */

/*  True when it is the first of its kind, or was the last. */
bool topics_add (struct mem_topics *self, const void *data, size_t size);
bool topics_remove (struct mem_topics *self, const void *data, size_t size);
bool topics_have (const struct mem_topics *self, const void *data, size_t size);
bool topics_match (const struct mem_topics *self, const void *data, size_t size);
void topics_free (struct mem_topics *self);

/* ---------------------------------------------------------- wire_mem_net.c */

struct mem *mem_current (void);

void queue_init (struct mem_queue *self);
void queue_push (struct mem_queue *self, weft_msg_t *msg, int64_t due);
bool queue_pop (struct mem_queue *self, weft_msg_t *msg);       /*  false: empty */
void queue_free (struct mem_queue *self);

void net_add (struct mem *self, struct mem_wire *wire);
void net_remove (struct mem *self, struct mem_wire *wire);
uint64_t net_turn (struct mem *self);
int net_bind (struct mem_wire *wire, const struct endpoint *endpoint);
void net_connect (struct mem_wire *wire, const char *name);
int net_disconnect (struct mem_wire *wire, const char *name);

/*  Puts a message on its way, through the faults. `control` is spared by them. */
void net_send (struct mem_end *end, weft_msg_t *msg, bool control);

/*  Can the end's head be read now? */
bool net_readable (const struct mem_end *end);

/*  A binder's end outlives its connection until what has arrived there is read. */
void net_read_out (struct mem_end *end);

/*  Moves what can move at the present time. */
void net_pump (struct mem *self);

/*  One thing happens, or the clock goes on to the next that will: 1; 0 when the deadline has
 *  passed; WEFT_ESTATE when nothing will ever happen. */
int net_step (struct mem *self, int64_t deadline);

void net_event (struct mem_wire *wire, enum wire_event_kind kind, const char *endpoint, const char *text,
                bool incompatible);

/* -------------------------------------------------------------- wire_mem.c */

/*  What the patterns have to do when a connection has come about, or ended, and when
 *  a subscription has arrived (true: it was one). */
void pattern_joined (struct mem_end *end);
void pattern_left (struct mem_end *end);
bool pattern_took (struct mem_end *end, weft_msg_t *msg);

#endif
