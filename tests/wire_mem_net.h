/*  wire_mem_net.h - the parts of the engine in memory among themselves
 *
 *  wire_mem.c          the engine: sockets with their patterns' rules
 *  wire_mem_net.c      the network: who is connected to whom
 *  wire_mem_time.c     what happens when: the clock, arrivals, servers and timers
 *  wire_mem_fault.c    what goes wrong
 *  wire_mem_topics.c   sets of subscriptions */

#ifndef WEFT_TESTS_WIRE_MEM_NET_H
#define WEFT_TESTS_WIRE_MEM_NET_H

#include <sys/queue.h>

#include "tests/wire_mem.h"

struct mem_item {
    STAILQ_ENTRY (mem_item) next;
    weft_msg_t msg;
    int64_t due;                        /*  not to be seen before                               */
};

struct mem_queue {
    STAILQ_HEAD (, mem_item) items;
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
    STAILQ_ENTRY (mem_event) next;
    enum wire_event_kind kind;
    char endpoint[ENDPOINT_MAX], text[128];
    bool incompatible, denied;
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
    STAILQ_HEAD (, mem_event) events;
    struct mem_event told;              /*  the event whose texts the caller may still read     */
    struct mem_queue local;             /*  XPUB: subscriptions to be received                  */
    struct mem_topics topics;           /*  SUB, XSUB                                           */
    mem_serve_fn *serve;
    void *serve_arg;
    bool serving, dirty;                /*  something has arrived since `serve` last ran        */
    bool lossy;
    int fd;
};

enum mem_fault_kind {
    FAULT_LOSE,
    FAULT_REPEAT,
    FAULT_DELAY
};

struct mem_fault {
    LIST_ENTRY (mem_fault) next;
    enum mem_fault_kind kind;
    enum mem_way way;
    int count;
    int64_t delay;
    char name[ENDPOINT_MAX];            /*  "": any */
};

/*  An endpoint over which no connection comes about. */
struct mem_bar {
    LIST_ENTRY (mem_bar) next;
    bool refuse, deny;
    char name[ENDPOINT_MAX], text[128];
};

struct mem_listener {
    LIST_ENTRY (mem_listener) next;
    struct mem_wire *wire;
    char name[ENDPOINT_MAX];
};

struct mem_timer {
    LIST_ENTRY (mem_timer) next;
    int64_t due;
    mem_after_fn *fn;
    void *arg;
};

struct mem {
    struct clock_fake clock;
    struct mem_context own;             /*  of the wires of mem_open */
    uint64_t turns;
    int idle;                           /*  waits in a row in which nothing happened */
    int names;                          /*  given to those who bind to a name of our choice */
    TAILQ_HEAD (, mem_wire) wires;
    LIST_HEAD (, mem_listener) listeners;
    LIST_HEAD (, mem_fault) faults;
    LIST_HEAD (, mem_bar) bars;
    LIST_HEAD (, mem_timer) timers;
};

/*  As BSD has them: the visited element may be freed. */
#define TAILQ_FOREACH_SAFE(each, list, field, after) \
    for (each = TAILQ_FIRST (list); each && (after = TAILQ_NEXT (each, field), true); each = after)
#define LIST_FOREACH_SAFE(each, list, field, after) \
    for (each = LIST_FIRST (list); each && (after = LIST_NEXT (each, field), true); each = after)

/* ------------------------------------------------------- wire_mem_topics.c */

/*  True when it is the first of its kind, or was the last. */
bool topics_add (struct mem_topics *self, const void *data, size_t size);
bool topics_remove (struct mem_topics *self, const void *data, size_t size);
bool topics_have (const struct mem_topics *self, const void *data, size_t size);
bool topics_match (const struct mem_topics *self, const void *data, size_t size);
void topics_free (struct mem_topics *self);

/* ---------------------------------------------------------- wire_mem_net.c */

struct mem *mem_current (void);
void *mem_allocate (size_t size);       /*  zeroed; never NULL */
void mem_name (char *to, const char *from);

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

/*  Lets connections come about that can, and ends one. */
void net_join_all (struct mem *self);
void net_part (struct mem_end *end);

/*  Something has arrived, or there is room. */
void net_wake (struct mem_wire *wire);

/*  A binder's end outlives its connection until what has arrived there is read. */
void net_read_out (struct mem_end *end);

struct mem_event *net_event (struct mem_wire *wire, enum wire_event_kind kind, const char *endpoint, const char *text,
                             bool incompatible);

/* -------------------------------------------------------- wire_mem_fault.c */

/*  Puts a message on its way, through the faults. `control` is spared by them. */
void net_send (struct mem_end *end, weft_msg_t *msg, bool control);

/*  What keeps connections from coming about there, or NULL. */
struct mem_bar *fault_bar (struct mem *self, const char *name);

/* --------------------------------------------------------- wire_mem_time.c */

/*  Can the end's head be read now? */
bool net_readable (const struct mem_end *end);

/*  Moves what can move at the present time. */
void net_pump (struct mem *self);

/*  One thing happens, or the clock goes on to the next that will: 1; 0 when the deadline has
 *  passed; WEFT_ESTATE when nothing will ever happen. */
int net_step (struct mem *self, int64_t deadline);

/* -------------------------------------------------------------- wire_mem.c */

/*  What the patterns have to do when a connection has come about, or ended, and when
 *  a subscription has arrived (true: it was one). */
void pattern_joined (struct mem_end *end);
void pattern_left (struct mem_end *end);
bool pattern_took (struct mem_end *end, weft_msg_t *msg);

#endif
