/*  wire_zmq.h - the parts of the libzmq engine among themselves
 *
 *  wire_zmq.c          sockets and messages
 *  wire_zmq_address.c  binding and connecting, and when a send may go
 *  wire_zmq_monitor.c  connection events of tcp and ipc, from libzmq's monitor
 *  wire_zmq_ipc.c      the paths of ipc listeners
 *  wire_zmq_inproc.c   connection events of inproc, which libzmq does not tell
 *  wire_zmq_linger.c   keeps ipc connections up until the last message was read */
#ifndef WEFT_CORE_WIRE_ZMQ_H
#define WEFT_CORE_WIRE_ZMQ_H

#include <pthread.h>
#include <zmq.h>

#include "core/wire.h"

struct zmq_wire;
struct inproc_link;
struct ipc_path;

struct lingering;

/*  ipc connections of closed wires, and the thread that lets go of them in time. */
struct zmq_linger {
    struct lingering *held;
    size_t count, capacity;
    pthread_t thread;
    pthread_cond_t changed;
    bool running, stopping;
};

struct zmq_context {
    void *zmq;
    pthread_mutex_t lock;               /*  of all below, and of every wire's inproc part       */
    struct inproc_link *links;          /*  inproc binds and connects that are in force         */
    uint64_t monitors;                  /*  made so far, for their names                        */
    int64_t freed;                      /*  when an address was last given up: see address_bind */
    int64_t until;                      /*  when the last linger of a closed wire is over       */
    int64_t linger;                     /*  the longest that closed wires asked for             */
    struct zmq_linger lingering;
};

/*  A connection by its descriptor, from accepted or connected until disconnected. */
struct monitor_peer {
    int fd;
    bool shaken;                        /*  its handshake is known to be done                   */
    bool accepted;                      /*  it came to us                                       */
};

struct zmq_monitor {
    void *socket;                       /*  PAIR that libzmq reports to                         */
    enum wire_type type;                /*  of the socket that is watched                       */
    struct monitor_peer *peers;
    size_t count, capacity;
    size_t unassigned;                  /*  handshakes done by one of the peers not yet shaken  */
    bool failed;                        /*  the next disconnect belongs to a handshake that failed */
    char endpoint[ENDPOINT_MAX];
    char text[256];
};

/*  Of a wire that is opened `immediate` and to `keep`. libzmq's option ZMQ_IMMEDIATE throws away,
 *  when a connection ends, what was queued for it and what came over it and was not received yet:
 *  the price of not queueing for one peer what others could take. So it is only set when there are
 *  several endpoints. With one, libzmq queues, and we hold sends back while nobody is connected. */
enum zmq_gate {
    GATE_NONE,                          /*  sends go as libzmq says                             */
    GATE_UNDECIDED,                     /*  the first endpoint waits: for a second, or for use  */
    GATE_SINGLE                         /*  one endpoint: sends go while a peer is known        */
};

struct zmq_wire {
    struct wire wire;                   /*  first */
    struct zmq_context *context;
    void *socket;
    enum zmq_gate gate;
    struct endpoint *first;             /*  GATE_UNDECIDED: what is to be connected             */
    zmq_msg_t in;                       /*  the frame received last, until the next             */
    int64_t send_timeout, recv_timeout; /*  as last set                                         */
    int poll_fd;                        /*  epoll over all that can wake us; -1 until asked for */
    struct zmq_monitor monitor;
    struct ipc_path *paths;             /*  that we listen at, to be unlinked                   */
    int inproc_fd;                      /*  eventfd: inproc events wait; -1 until inproc is used */
    uint64_t inproc_up, inproc_down;    /*  peers that came and went, not yet told; under lock  */
};

/*  error_set with libzmq's words; chooses the code. */
int zmq_wire_error (const char *what);

/*  An option of libzmq's that is an int; a larger value is the largest. */
int zmq_wire_set (struct zmq_wire *self, int option, int64_t value);

int address_bind (struct wire *wire, const struct endpoint *endpoint);
int address_connect (struct wire *wire, const struct endpoint *endpoint);
int address_disconnect (struct wire *wire, const struct endpoint *endpoint);

/*  Before the wire is closed: its addresses can be bound again. */
void address_free (struct zmq_wire *self);

/*  At first use: connects what waits to be. */
int address_settle (struct zmq_wire *self);

/*  May a send go? Waits until a connection event is there when no peer is known:
 *  0, WEFT_EAGAIN (timeout 0), WEFT_ETIMEOUT (also when next_event is to be asked). */
int address_pass (struct zmq_wire *self, int64_t timeout);

static inline bool
address_closed (const struct zmq_wire *self)
{
    return self->gate == GATE_SINGLE && self->wire.peers == 0;
}

/*  A send may go, and nothing waits to be connected: the common case of address_pass. */
static inline bool
address_open (const struct zmq_wire *self)
{
    return self->gate == GATE_NONE || (self->gate == GATE_SINGLE && self->wire.peers > 0);
}

int monitor_open (struct zmq_monitor *self, struct zmq_wire *wire);
void monitor_close (struct zmq_monitor *self, struct zmq_wire *wire);
bool monitor_ready (struct zmq_monitor *self);
int monitor_next (struct zmq_monitor *self, struct wire_event *event);

/*  Before zmq_bind: listens at the path, which nobody else may enter and which was not in use (else
 *  WEFT_EADDRINUSE), and has libzmq use that. Puts a path in the place of a star. After it, whether it bound
 *  or failed: ipc_listened. ipc_remove unlinks one path, or all (NULL), as long as it is still ours. */
int ipc_listen (struct zmq_wire *wire, struct endpoint *endpoint);
void ipc_listened (struct zmq_wire *wire, const struct endpoint *endpoint, bool bound);
void ipc_remove (struct zmq_wire *wire, const char *path);

/*  Records that the wire bound or connected a name, and tells both sides of
 *  every pair that this completes. */
int inproc_add (struct zmq_wire *wire, const char *name, bool bind);

/*  Forgets one name (or all: NULL), and tells the peers. */
void inproc_remove (struct zmq_wire *wire, const char *name);
bool inproc_ready (struct zmq_wire *wire);

/*  When the context has ended. */
void inproc_finish (struct zmq_context *context);
int inproc_next (struct zmq_wire *wire, struct wire_event *event);

/*  Before a wire is closed: its ipc connections outlive it. */
void linger_hold (struct zmq_wire *wire);

/*  Before libzmq's context ends: from now on none is let go of by time alone. */
void linger_stop (struct zmq_context *context);

/*  After it has ended: waits until the peers have read everything. True: some had not
 *  by the deadline. */
bool linger_finish (struct zmq_context *context, int64_t deadline);

#endif
