/*  bridge_parts.h - what the files of the bridge share; nobody else includes it */
#ifndef WEFT_ADAPTERS_BRIDGE_PARTS_H
#define WEFT_ADAPTERS_BRIDGE_PARTS_H

#include "adapters/bridge.h"
#include "codec/format.h"
#include "core/context.h"
#include "core/list.h"
#include "core/map.h"

#define BRIDGE_TURN 256             /*  messages of one socket before others have their turn            */
#define BRIDGE_WAKE 32              /*  connections that are woken at once when there is room           */
#define TOPIC_MAX 245               /*  of libzmq 4.3.4, see wire_zmq_subscribe.c                       */
#define REQUESTS_MAX 65536          /*  under way, of all peers                                         */

/*  What takes messages of the peers, or gives them some: a socket, or the relay, which has none. */
struct fabric {
    struct bridge *bridge;
    enum adapter_mode mode;
    weft_socket_t *socket;
    struct reactor_socket *watch;
    struct list waiting;            /*  peers whose message it had no room for                          */
};

/*  A request of a peer, from when the fabric has it until the peer has its reply. */
struct bridge_request {
    struct bridge_peer *peer;       /*  NULL: it has gone                                               */
    struct bridge_request *next;    /*  of that peer, in order                                          */
    int64_t since;
    bool over;
    int error;                      /*  there is no reply                                               */
    weft_msg_t reply;
};

enum bridge_pause {                 /*  why a peer is not read: bits                                    */
    PAUSE_FABRIC = 1,               /*  it is in fabric->waiting                                        */
    PAUSE_REQUESTS = 2,             /*  it has `in-flight` requests                                     */
    PAUSE_STOP = 4,                 /*  the bridge ends                                                 */
    PAUSE_HELD = 8                  /*  the adapter wants it so                                         */
};

/*  What carries the peers of a bridge, and how: streams, bridge_stream.c, or sources of datagrams, bridge_datagram.c. A
 *  link is what one peer is over; the calls on it keep what core/stream.h says of those of the same names. */
struct transport {
    int (*check) (const struct adapter *adapter, const struct bridge_setup *setup); /*  of `open`, what can be said
                                                   without opening anything                                     */
    int (*open) (struct bridge *self);          /*  listens and dials; the rest is closed by `shut`             */
    void (*stop) (struct bridge *self);         /*  no new peers                                                */
    void (*shut) (struct bridge *self);         /*  all peers have gone                                         */
    void (*count) (const struct bridge *self, weft_bridge_counters_t *counters);    /*  adds what it counts     */

    int (*write) (void *link, const struct stream_part *parts, size_t count);
    int (*write_last) (void *link, const struct stream_part *parts, size_t count);      /*  NULL: as `write`    */
    bool (*is_sending) (void *link);            /*  bytes wait for the system; NULL: they never do              */
    bool (*is_full) (void *link);               /*  then bridge_on_drained is to come                           */
    size_t (*drop_oldest) (void *link, size_t size, void (*told) (void *arg, const void *data, size_t size),
                           void *arg);
    void (*keep) (void *link);                  /*  NULL: nothing is dropped that others build on               */
    void (*pause) (void *link);
    void (*resume) (void *link);
    void (*withhold) (void *link);              /*  NULL, or counts that it was not told; peer->asked_only      */
    void (*finish) (void *link, int64_t deadline);
    void (*close) (void *link, int error);
    const char *(*name) (const void *link);     /*  "127.0.0.1:4711"                                            */
};
extern const struct transport bridge_streams, bridge_datagrams;

/*  An adapter that takes part, and its options. */
struct bridge_kind {
    const struct adapter *adapter;
    void *config;
};

struct bridge_peer {
    struct bridge *bridge;
    const struct bridge_kind *kind; /*  whose it is now                                                 */
    unsigned modes;                 /*  its routes                                                      */
    struct bridge_topics *topics;   /*  that it wants; NULL: none                                       */
    struct reactor_timer timer;
    void *link;                     /*  of bridge->transport                                            */
    const char *dialled;            /*  as --dial says it; NULL: it was taken in ...                    */
    bool loopback;                  /*  ... where only this machine can come                            */
    struct list all, wait;
    struct list able;               /*  in bridge->able while it can be given more: open, not full ...  */
    struct list free;               /*  ... and in bridge->free while it has no request of the fabric's */
    struct bridge_call *call;       /*  that it has to answer; NULL: none                               */
    bool overdue;                   /*  the message that comes again is a reply that nobody waits for now */
    unsigned pauses;
    unsigned taken;                 /*  modes that have the message already which others had no room for */
    bool ended;                     /*  it has sent its end                                             */
    bool asked_only;                /*  it gets replies alone, nothing that it did not ask for          */
    bool full;                      /*  its output is: counted in bridge->full                          */
    bool closing;                   /*  it is finished or closed: nothing more is for it                */
    int64_t requests;
    struct bridge_request *first, **last;
    void *state;                    /*  the adapter's                                                   */
};

#define peer_of_all(node) map_entry (node, struct bridge_peer, all)
#define peer_of_able(node) map_entry (node, struct bridge_peer, able)
#define peer_of_free(node) map_entry (node, struct bridge_peer, free)
#define peer_of_wait(node) map_entry (node, struct bridge_peer, wait)

enum bridge_told {                  /*  what was logged: each kind once, as bits                        */
    TOLD_DROPPED = 1, TOLD_UNWRITABLE = 2, TOLD_TIMEOUT = 4, TOLD_REFUSED = 8, TOLD_DIAL = 16, TOLD_AWAY = 32,
    TOLD_CUT_OFF = 64, TOLD_ORPHAN = 128, TOLD_UNASKED = 256
};

enum { BRIDGE_VALUES_MAX = 64 };

/*  What is shown of it while somebody may ask. */
struct bridge_show {
    uint64_t values[BRIDGE_VALUES_MAX];     /*  a struct bridge_values, by core/counter.h               */
    struct histogram *req, *rep;        /*  how long requests took; NULL: nobody wants to know          */
    struct reactor_timer timer;
    bool due;                           /*  it is set                                                   */
    int64_t next;                       /*  not before                                                  */
};

struct bridge {
    weft_t *weft;
    const struct adapter *adapter;  /*  that of kinds[0]                                                */
    struct bridge_kind kinds[BRIDGE_KINDS];
    size_t kind_count;
    const struct bridge_kind *accepting;    /*  whose connections that were taken in are at first       */
    enum adapter_mode delivering;
    uint64_t passed;                /*  messages of --sub                                               */
    struct bridge_wanted *wanted;   /*  topics of the peers, when they choose; NULL: they do not        */
    const struct transport *transport;
    struct bridge_setup *setup;
    struct reactor *reactor;
    void *carrier;                  /*  the transport's: what listens and dials                         */
    unsigned modes;
    struct fabric fabrics[MODES];
    struct list peers;
    struct list able;               /*  in the order in which pull deals                                */
    size_t peer_count, full;
    struct reactor_task want;       /*  looks what each fabric is to be watched for                     */
    size_t requests;                /*  under way                                                       */
    struct list free;               /*  peers that can be given a request of the fabric, in turn        */
    struct list calls;              /*  such that have no peer any more                                 */
    struct reactor_timer serve_timer;   /*  some are to be tried again                                  */
    struct buffer text;             /*  for templates                                                   */
    weft_bridge_counters_t counters;
    struct bridge_show *show;           /*  NULL: nobody asks                                           */
    unsigned told;
    bool stopping;
    int error;                      /*  of a socket: the bridge ends, and this is why                   */
    char why[512];
    int stop_fd;
    uint64_t stops;                 /*  how often that was written to                                   */
    struct reactor_fd *stop_watch;
    struct { const char *what; char address[ENDPOINT_MAX]; } *listens;
    size_t listen_count;
};

/*  bridge_fabric.c. What a fabric's socket is watched for follows from the state: bridge_want, after each change of
 *  that, looks before the reactor next waits. */
const char *bridge_mode_name (unsigned modes);      /*  of the first of them: "req"      */
#define MODES_TEXT 80
void bridge_mode_names (unsigned modes, char text[MODES_TEXT]);     /*  "--push, --req and --pub" */
struct fabric *fabric_of (struct bridge *self, enum adapter_mode mode);
int bridge_open_fabrics (struct bridge *self);
void bridge_close_fabrics (struct bridge *self);
void bridge_want (struct bridge *self);
void bridge_failed (struct bridge *self, int error);
int bridge_add_listening (struct bridge *self, const char *what, const char *address);

/*  bridge_out.c: what goes to peers. Delivers, and counts; WEFT_EAGAIN as the adapter. */
int bridge_deliver (struct bridge_peer *peer, const weft_msg_t *msg);
void bridge_broadcast (struct bridge *self, enum adapter_mode mode, const weft_msg_t *msg,
                       const struct bridge_peer *but);
void bridge_take_replies (struct fabric *fabric);
void bridge_take_sub (struct fabric *fabric);
void bridge_take_pull (struct fabric *fabric);

/*  The replies of this peer that are due. */
void bridge_give_replies (struct bridge_peer *peer);

/*  bridge_serve.c: requests of the fabric. Gives them to peers that are free; of serve_timer: again. */
void bridge_take_rep (struct fabric *fabric);
void bridge_serve_again (void *bridge);
void bridge_serve_soon (struct bridge *self);

/*  Whether the message was a reply that had been too late for its client: it is gone, and the peer is free again. */
bool bridge_drop_overdue (struct bridge_peer *peer, weft_msg_t *msg);

/*  The answer of a peer that has a request; false: it has none, and the message is something else. */
bool bridge_take_answer (struct bridge_peer *peer, weft_msg_t *msg, int *rc);

/*  So much was written to a peer that has one; it has gone, when so many bytes had not been sent. */
void bridge_wrote (struct bridge_peer *peer, const struct stream_part *parts, size_t count);
void bridge_leave_call (struct bridge_peer *peer, const char *why, size_t unsent);

/*  No more is given to anybody: those that wait get an empty reply; `all`: those that peers have, too. */
void bridge_end_calls (struct bridge *self, bool all);

/*  bridge_peer.c. After each change of what a peer can be given; no more for it. */
void bridge_look (struct bridge_peer *peer);
void bridge_close_peer (struct bridge_peer *peer, int error);
void bridge_pause (struct bridge_peer *peer, unsigned why);
void bridge_unpause (struct bridge_peer *peer, unsigned why);
void bridge_wait (struct bridge_peer *peer, struct fabric *fabric);
void bridge_wake (struct fabric *fabric, int count);

/*  What its transport tells of a peer, as struct stream_handler; after the last of them the peer is no more. */
struct bridge_peer *bridge_peer_new (struct bridge *self, void *link);      /*  NULL: not enough memory */
void bridge_peer_begin (struct bridge_peer *peer);                          /*  its link is ready       */
int64_t bridge_on_data (struct bridge_peer *peer, const unsigned char *data, size_t size);
int bridge_on_end (struct bridge_peer *peer, const unsigned char *data, size_t size);
void bridge_on_drained (struct bridge_peer *peer);
void bridge_on_closed (struct bridge_peer *peer, int error, const char *why, size_t unsent);
const char *bridge_peer_name (const struct bridge_peer *peer);

/*  Closes a peer that has sent its end when it is owed nothing; with last words, whatever it is owed. */
void bridge_end_if_done (struct bridge_peer *peer);
void bridge_part_from (struct bridge_peer *peer);

/*  bridge_metrics.c: a request that came at `since` has its reply. Shows what there is now, if it shows anything; and
 *  no more. */
void bridge_took (struct bridge *self, enum adapter_mode mode, int64_t since);
void bridge_show_now (struct bridge *self);
void bridge_hide (struct bridge *self);

/*  bridge_kind.c: who takes part. */
int bridge_kinds_open (struct bridge *self);
void bridge_kinds_close (struct bridge *self);
int bridge_kinds_check (const struct adapter *adapter, struct bridge_setup *setup);
size_t bridge_wire_max (const struct bridge *self);

/*  bridge_hosts.c: the names of --allow-host. WEFT_EINVAL. */
int bridge_hosts_check (const struct adapter *adapter, const struct bridge_config *config);

/*  bridge_topics.c: what peers want of --sub. The fabric has one subscription for all that want a topic, and for a
 *  while after the last of them has gone. */
bool bridge_choose_topics (const struct bridge *self);
int bridge_topics_open (struct bridge *self);
void bridge_topics_close (struct bridge *self);

/*  bridge_words.c: the text of a template in self->text; the frame of an origin in front; `msg` by --format. */
int bridge_fill (struct bridge *self, const char *template, const struct bridge_peer *peer, const weft_msg_t *msg);
int bridge_add_origin (const struct bridge_peer *peer, weft_msg_t *msg);

/*  bridge.c: true the first time of its kind: for logging it. */
bool bridge_first (struct bridge *self, enum bridge_told kind);

#endif
