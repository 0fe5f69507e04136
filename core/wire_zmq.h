/*  wire_zmq.h - the parts of the libzmq engine among themselves
 *
 *  wire_zmq.c          sockets and their options
 *  wire_zmq_message.c  messages that go out and come in
 *  wire_zmq_wait.c     what a wire is waited for by: its descriptor, the events that hold
 *  wire_zmq_address.c  binding and connecting, and when a send may go
 *  wire_zmq_monitor.c  connection events of tcp and ipc, from libzmq's monitor
 *  wire_zmq_ipc.c      the paths of ipc listeners
 *  wire_zmq_inproc.c   connection events of inproc, which libzmq does not tell
 *  wire_zmq_linger.c   keeps ipc connections up until the last message was read
 *  wire_zmq_secure.c   keys of an endpoint; the test after a bind that strangers are kept out
 *  wire_zmq_zap.c      who may connect: the actor that libzmq asks
 *  wire_zmq_domain.c   what the actor and a wire have to tell each other
 *  wire_zmq_lists.c    the keys that were let in, and lists that change
 *  wire_zmq_guard.c    whose message it is, and whether it may (still) send it
 *  wire_zmq_subscribe.c what subscribes to an XPUB, and who is cut off for it
 *  wire_zmq_curve.c    keys as libzmq makes and writes them */
#ifndef WEFT_CORE_WIRE_ZMQ_H
#define WEFT_CORE_WIRE_ZMQ_H

#include <pthread.h>
#include <stdatomic.h>
#include <zmq.h>

#include "core/error.h"
#include "core/wire.h"

struct zmq_wire;
struct inproc_link;
struct ipc_path;

struct lingering;
struct zap;
struct zap_domain;
struct guard;
struct subscribers;

#define ZAP_TEXT 512

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
    struct zap *zap;                    /*  NULL until there is a wire over tcp or ipc          */
    bool unfinished;                    /*  a wire was closed that lingers and had no peer yet  */
};

/*  A connection by its descriptor, from accepted or connected until disconnected. */
struct monitor_peer {
    int fd;
    bool shaken;                        /*  its handshake is known to be done                   */
    bool accepted;                      /*  it came to us                                       */
    int64_t since;                      /*  when we heard of it                                 */
};

struct zmq_monitor {
    void *socket;                       /*  PAIR that libzmq reports to                         */
    bool stirred;                       /*  it may have something, and its descriptor need not say so (any more) */
    enum wire_type type;                /*  of the socket that is watched                       */
    struct monitor_peer *peers;
    size_t count, capacity;
    size_t unassigned;                  /*  handshakes done by one of the peers not yet shaken  */
    bool failed;                        /*  the next disconnect belongs to a handshake that failed */
    unsigned hung_up;                   /*  times in a row that a peer closed in its handshake with us */
    char endpoint[ENDPOINT_MAX];
    char text[ZAP_TEXT];
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
    int small_max;                      /*  bytes of a message that is taken without a look at its frames */
    int poll_fd;                        /*  epoll over all that can wake us; -1 until asked for */
    struct zmq_monitor monitor;
    bool outside;                       /*  has had an endpoint that the monitor tells of       */
    struct ipc_path *paths;             /*  that we listen at, to be unlinked                   */
    int inproc_fd;                      /*  eventfd: inproc events wait; -1 until inproc is used */
    uint64_t inproc_up, inproc_down;    /*  peers that came and went, not yet told; under lock  */
    unsigned inproc_now;                /*  peers; under lock                                   */
    bool inproc_several;                /*  there was more than one at a time; under lock       */
    atomic_bool inproc_woken;           /*  it was written to, and is to be read                */
    atomic_bool inproc_again;           /*  it has to connect again, before anything is sent    */
    struct zap_domain *domain;          /*  NULL until tcp or ipc is used                       */
    struct guard *guard;                /*  with keys, once we listen                           */
    struct subscribers *subscribers;    /*  of an XPUB                                          */
};

/*  wire_zmq with a recv that asks guard_admits; and of an XPUB. */
extern const struct wire_engine wire_zmq_guarded, wire_zmq_xpub;

/*  error_set with libzmq's words; chooses the code. */
int zmq_wire_error (const char *what) COLD;

/*  libzmq aborts the process where it gets no descriptors: so we try first. At most 16. */
int zmq_wire_room (int count);

/*  An option of libzmq's that is an int; a larger value is the largest. */
int zmq_wire_set (struct zmq_wire *self, int option, int64_t value);

/*  What of the engines' tables lies in wire_zmq_message.c; `publish` and `recv_guarded` are for wires with keys. */
int zmq_wire_send (struct wire *wire, weft_msg_t *msg, int64_t timeout);
int zmq_wire_send_data (struct wire *wire, const void *data, size_t size, int64_t timeout);
int zmq_wire_publish (struct wire *wire, weft_msg_t *msg, int64_t timeout);
int zmq_wire_recv (struct wire *wire, weft_msg_t *msg, int64_t timeout);
int64_t zmq_wire_recv_data (struct wire *wire, void *data, size_t room, weft_msg_t *msg, int64_t timeout);
int zmq_wire_recv_guarded (struct wire *wire, weft_msg_t *msg, int64_t timeout);

/*  And in wire_zmq_wait.c. */
int zmq_wire_fd (struct wire *wire);
int zmq_wire_events (struct wire *wire);
int zmq_wire_wait (struct wire *wire, int events, int64_t timeout);
int zmq_wire_next_event (struct wire *wire, struct wire_event *event);

/*  Whether the monitor's descriptor is readable; true while nobody watches it. */
bool zmq_wire_stirred (const struct zmq_wire *self);

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
    return (self->gate == GATE_NONE || (self->gate == GATE_SINGLE && self->wire.peers > 0))
           && !atomic_load_explicit (&self->inproc_again, memory_order_relaxed);
}

/*  Before libzmq binds or connects, which copies them: keys, or clear text, and the domain. */
int secure_bind (struct zmq_wire *self, const struct endpoint *endpoint);
int secure_connect (struct zmq_wire *self, const struct endpoint *endpoint);

/*  After a bind with keys: WEFT_EACCES when a stranger is let in. */
int secure_test (struct zmq_wire *self, const struct endpoint *endpoint);

/*  Before a wire binds or connects over tcp or ipc: it gets a domain, and the context its actor. */
int zap_enter (struct zmq_wire *self);
void zap_leave (struct zmq_wire *self);

/*  The name to be set as ZMQ_ZAP_DOMAIN; `out`: of a connection that we make. */
#define ZAP_DOMAIN_MAX 32
void zap_domain_name (const struct zmq_wire *self, bool out, char name[ZAP_DOMAIN_MAX]);

/*  Of each address that was bound: who comes there can be counted, and put out. WEFT_ENOMEM. */
int zap_listens (struct zmq_wire *self, const char *address);

/*  Whose handshakes are a test. */
void zap_set_probe (struct zmq_wire *self, const char *key);

/*  Before libzmq's context ends. `hasty`: no connection is to be made any more. */
void zap_finish (struct zmq_context *context, bool hasty);

/*  A peer that was turned away, kept until libzmq tells the wire of it. */
struct zap_denial {
    char text[ZAP_TEXT];
    bool denied;                        /*  a matter of keys; else there was no room            */
    bool probe;                         /*  it was our own test: nobody is told                 */
};
bool zap_take_denial (struct zmq_wire *self, struct zap_denial *denial);

/*  Events that have nothing to do with a connection: 1, or 0 for none. */
bool zap_ready (const struct zmq_wire *self);
int zap_next (struct zmq_wire *self, struct wire_event *event);

/*  A wire that listens with keys: what comes is looked at. */
int guard_open (struct zmq_wire *self);
void guard_close (struct zmq_wire *self);

/*  `msg` is the first frame of a message that came: may its sender send it (still)? */
bool guard_admits (struct zmq_wire *self, zmq_msg_t *msg);

/*  XPUB: may who sent `msg` subscribe to the topic? 1 or 0. */
int guard_may_subscribe (struct zmq_wire *self, zmq_msg_t *msg, const void *topic, size_t size);

/*  The kernel's number of a connection, which no other socket has had or will have; 0: there is none. */
uint64_t guard_cookie (int fd);

/*  Of an XPUB: sets the socket's options; after those that all have. */
int subscribe_open (struct zmq_wire *self);
void subscribe_close (struct zmq_wire *self);
int subscribe_recv (struct wire *wire, weft_msg_t *msg, int64_t timeout);

/*  Is there something to receive, besides what libzmq has? */
bool subscribe_ready (const struct zmq_wire *self);

/*  With keys, before and after each send: what is not allowed shall not last. */
int subscribe_look (struct zmq_wire *self);

int monitor_open (struct zmq_monitor *self, struct zmq_wire *wire);
void monitor_close (struct zmq_monitor *self, struct zmq_wire *wire);
/*  Has the monitor something to tell? Costs libzmq nothing while its descriptor is silent. */
bool monitor_ready (struct zmq_wire *self);
int monitor_next (struct zmq_wire *self, struct wire_event *event);

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

/*  Is inproc_next to be asked? Also after inproc_wake, which makes inproc_fd readable from any
 *  thread until then. */
bool inproc_ready (struct zmq_wire *wire);
void inproc_wake (struct zmq_wire *wire);

/*  Connects again where the other side has left. */
int inproc_settle (struct zmq_wire *wire);

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
