/*  weft.h - brokerless messaging on ZeroMQ: sockets, proxies, bridges, pools
 *
 *  This Source Code Form is subject to the terms of the Mozilla Public
 *  License, v. 2.0. If a copy of the MPL was not distributed with this
 *  file, You can obtain one at https://mozilla.org/MPL/2.0/.
 *
 *  The one public header: what C programs and the bindings see.
 *
 *  Conventions
 *    - A call that can fail returns 0 (or a count) or a negative WEFT_E...;
 *      a constructor returns NULL. weft_error () then says in plain words
 *      what was wrong, for the calling thread.
 *    - A destructor takes the address of the handle and sets it to NULL; a
 *      NULL handle is allowed.
 *    - Times in arguments are milliseconds: 0 does not wait, -1 waits for ever.
 *    - Handles other than weft_t belong to one thread at a time: they may be
 *      handed over with a full fence (a mutex, a queue), never shared.
 *    - Strings that are passed in are copied; strings that come back belong to
 *      the handle and live until it is changed or destroyed.
 */
#ifndef WEFT_H
#define WEFT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define WEFT_VERSION_MAJOR 0
#define WEFT_VERSION_MINOR 1
#define WEFT_VERSION_PATCH 0
#define WEFT_VERSION "0.1.0"

#if defined __GNUC__
#define WEFT_EXPORT __attribute__ ((visibility ("default")))
#define WEFT_PRINTF(f, a) __attribute__ ((format (printf, f, a)))
#else
#define WEFT_EXPORT
#define WEFT_PRINTF(f, a)
#endif

/* ------------------------------------------------------------------ errors */

enum {
    WEFT_EAGAIN = -1,       /*  would have to wait, and was told not to          */
    WEFT_ETIMEOUT = -2,     /*  the time allowed has passed                      */
    WEFT_EINTR = -3,        /*  a signal arrived while waiting                   */
    WEFT_EINVAL = -4,       /*  an argument or an option is not acceptable       */
    WEFT_ENOMEM = -5,       /*  out of memory                                    */
    WEFT_ESTATE = -6,       /*  not now: the call does not fit the state         */
    WEFT_EENDPOINT = -7,    /*  the endpoint is malformed                        */
    WEFT_ERESOLVE = -8,     /*  the name in an endpoint does not resolve         */
    WEFT_EADDRINUSE = -9,   /*  somebody else is bound there                     */
    WEFT_EADDR = -10,       /*  the address is not ours, or cannot be reached    */
    WEFT_EACCES = -11,      /*  not permitted, or not authorised                 */
    WEFT_ENOPEER = -12,     /*  no peer came, or the peer has gone               */
    WEFT_EPEER = -13,       /*  the peer is of a kind that does not fit          */
    WEFT_ETOOBIG = -14,     /*  larger than the limit                            */
    WEFT_EPROTO = -15,      /*  bytes from a peer or a file that break the rules */
    WEFT_ENOTSUP = -16,     /*  not supported by this pattern or this build      */
    WEFT_ELIMIT = -17,      /*  out of file descriptors, sockets or slots        */
    WEFT_EIO = -18,         /*  the system refused; weft_error () has errno's words */
    WEFT_ETERM = -19,       /*  the context is being destroyed, or was stopped   */
    WEFT_EEND = -20         /*  end of stream: nothing more will come            */
};

/*  A short fixed sentence for an error code; never NULL. Any thread. */
WEFT_EXPORT const char *weft_strerror (int error);

/*  What went wrong in the last failing call of this thread, in plain words:
 *  what was wrong and what to do. Never NULL; valid until the next failing
 *  call of this thread. */
WEFT_EXPORT const char *weft_error (void);

/* ----------------------------------------------------------------- context */

/*  A context owns the I/O thread that sockets share. One a process is usual.
 *  Thread-safe. Signals are left alone. */
typedef struct weft weft_t;

WEFT_EXPORT weft_t *weft_new (void);

/*  Every socket, proxy, bridge, pool, worker and sink must be destroyed before. Waits until
 *  what their lingers still allow is delivered. Returns 0, or WEFT_ETIMEOUT
 *  when a linger ran out with messages perhaps left. */
WEFT_EXPORT int weft_destroy (weft_t **self);

/*  Version of the library that runs, e.g. "0.1.0"; any pointer may be NULL. */
WEFT_EXPORT const char *weft_version (int *major, int *minor, int *patch);

/*  What weft logs (reconnects, refused peers, drops: each once) goes to `fn`,
 *  from the thread that uses the handle concerned. NULL: nothing is logged,
 *  which is the default. Set it before the first socket. */
enum { WEFT_LOG_ERROR, WEFT_LOG_WARNING, WEFT_LOG_INFO, WEFT_LOG_DEBUG };
typedef void (weft_log_fn) (void *arg, int level, const char *text);
WEFT_EXPORT void weft_set_log (weft_t *self, weft_log_fn *fn, void *arg);

/* ---------------------------------------------------------------- messages */

/*  A message lives where the caller puts it (the stack, a struct) and owns its
 *  frames. Frames of up to 64 bytes are kept inside; larger bodies are shared
 *  by reference between copies and travel without being copied. A message is
 *  not thread-safe. Do not copy the struct: weft_msg_move does that. */
typedef struct weft_msg {
    uint64_t opaque[48];
} weft_msg_t;

#define WEFT_MSG_FRAMES_MAX 65536   /*  frames in one message               */

WEFT_EXPORT void weft_msg_init (weft_msg_t *self);

/*  Frees the frames; the message is empty and can be used again. */
WEFT_EXPORT void weft_msg_clear (weft_msg_t *self);

/*  Append a frame with a copy of `size` bytes. WEFT_ENOMEM, WEFT_ETOOBIG. */
WEFT_EXPORT int weft_msg_add (weft_msg_t *self, const void *data, size_t size);
WEFT_EXPORT int weft_msg_add_str (weft_msg_t *self, const char *text);

/*  Append a frame of `size` bytes for the caller to fill; NULL on failure.
 *  The pointer is good until the message is next changed. */
WEFT_EXPORT void *weft_msg_reserve (weft_msg_t *self, size_t size);

/*  Append a frame that takes over `data` without copying it; `release` is
 *  called once with (data, hint) when the last user is done, perhaps from
 *  another thread. On failure the caller keeps `data`. */
typedef void (weft_release_fn) (void *data, void *hint);
WEFT_EXPORT int weft_msg_add_owned (weft_msg_t *self, void *data, size_t size, weft_release_fn *release, void *hint);

/*  Put a frame in front; take `count` frames off the front. */
WEFT_EXPORT int weft_msg_push (weft_msg_t *self, const void *data, size_t size);
WEFT_EXPORT void weft_msg_pop (weft_msg_t *self, size_t count);

/*  Frames are counted from 0. What there is none of has size 0 and data NULL. Data does not
 *  end with a NUL; write only to frames that are not shared. `bytes` is the size of all
 *  frames together. */
WEFT_EXPORT size_t weft_msg_frames (const weft_msg_t *self);
WEFT_EXPORT size_t weft_msg_size (const weft_msg_t *self, size_t frame);
WEFT_EXPORT void *weft_msg_data (const weft_msg_t *self, size_t frame);
WEFT_EXPORT size_t weft_msg_bytes (const weft_msg_t *self);

/*  `dst` must be initialised; what it held is freed. Copy shares large bodies,
 *  and leaves `dst` empty on failure; move empties `src`. */
WEFT_EXPORT int weft_msg_copy (weft_msg_t *dst, const weft_msg_t *src);
WEFT_EXPORT void weft_msg_move (weft_msg_t *dst, weft_msg_t *src);

/* ----------------------------------------------------------------- sockets */

/*  One socket type for the six patterns: "req" "rep" "pub" "sub" "push" "pull".
 *  The guarantee of each is in its man page; see weft(7). */
typedef struct weft_socket weft_socket_t;

WEFT_EXPORT weft_socket_t *weft_open (weft_t *weft, const char *pattern);

/*  Messages that were sent are still delivered for at most the option `linger`
 *  while the context lives. */
WEFT_EXPORT void weft_close (weft_socket_t **self);

/*  Options have one name and one way to write their value everywhere; see
 *  weft_option_info and weft-options(7). Those that are not `live` are set before
 *  the first bind or connect, else WEFT_ESTATE. A repeatable option (topic)
 *  adds. get writes text that set would take; WEFT_ETOOBIG when it does not fit. */
WEFT_EXPORT int weft_set (weft_socket_t *self, const char *name, const char *value);
WEFT_EXPORT int weft_get (weft_socket_t *self, const char *name, char *value, size_t size);

/*  Endpoints are ZeroMQ's: tcp://HOST:PORT, tcp://[IPv6]:PORT (the host * is any),
 *  ipc://PATH, inproc://NAME. Port 0 or * binds to any free port. attach takes
 *  a comma-separated list whose members may begin with @ (bind) or > (connect);
 *  others do what suits the pattern (rep, pub and pull bind).
 *  A push, or a req without retries, that has one endpoint alone keeps what it queued, and
 *  what came, over a reconnection; with several, each message goes only to a peer that is there.
 *  So weft_connect puts the first of theirs off until the next one, or the first use. */
WEFT_EXPORT int weft_bind (weft_socket_t *self, const char *endpoint);
WEFT_EXPORT int weft_connect (weft_socket_t *self, const char *endpoint);
WEFT_EXPORT int weft_attach (weft_socket_t *self, const char *endpoints);
WEFT_EXPORT int weft_disconnect (weft_socket_t *self, const char *endpoint);

/*  The address that the last bind got, ready for a peer to connect to; "" before. */
WEFT_EXPORT const char *weft_endpoint (const weft_socket_t *self);

/*  Both wait for at most the option `timeout`, or not at all with
 *  WEFT_DONTWAIT. A send that succeeds empties the message; one that fails
 *  leaves it whole. A receive replaces what the message held.
 *  Nobody to send to within the timeout is WEFT_ENOPEER; WEFT_EPEER when the one
 *  endpoint that is connected to is of a kind that can never fit.
 *  req: send, then receive; a new send gives up the old request. `timeout` is that of one
 *  attempt, from its sending; after a failed receive the request is over.
 *  rep: receive, then send.
 *  sub, pull, rep: WEFT_EEND with the option `until-gone`, after the last message. */
enum { WEFT_DONTWAIT = 1 };
WEFT_EXPORT int weft_send (weft_socket_t *self, weft_msg_t *msg, int flags);
WEFT_EXPORT int weft_recv (weft_socket_t *self, weft_msg_t *msg, int flags);

/*  The same for messages of one frame, from and to memory of the caller's; the quickest way for small ones. A send
 *  copies the bytes. A receive returns the size of the message; WEFT_ETOOBIG when it is larger than `room` or has
 *  several frames: then it stays, as the next one to be received. */
WEFT_EXPORT int weft_send_data (weft_socket_t *self, const void *data, size_t size, int flags);
WEFT_EXPORT int64_t weft_recv_data (weft_socket_t *self, void *data, size_t room, int flags);

/*  Wait until at least `peers` peers are connected (for pub: have subscribed).
 *  WEFT_ETIMEOUT when too few came in time, WEFT_ENOPEER or WEFT_EPEER when none did. */
WEFT_EXPORT int weft_wait_peers (weft_socket_t *self, int peers, int timeout);

/*  What a socket did since it was opened. */
typedef struct weft_counters {
    uint64_t sent, received;            /*  messages                                     */
    uint64_t sent_bytes, received_bytes;
    uint64_t dropped;                   /*  messages known to be lost here; a lower bound for pub, see weft-pub(1) */
    uint64_t refused;                   /*  messages from peers that broke a limit or the protocol */
    uint64_t retries;                   /*  requests sent again                          */
    uint64_t late;                      /*  replies that came after their request was given up */
    uint64_t connects, disconnects;     /*  peers that came and went                     */
    uint64_t rejected_peers;            /*  handshakes that failed                       */
    uint64_t peers;                     /*  connected now                                */
    uint64_t subscriptions;             /*  pub: subscriptions now                       */
} weft_counters_t;
WEFT_EXPORT void weft_counters (weft_socket_t *self, weft_counters_t *counters);

/*  The options a pattern, "proxy", "pool", "worker" or "sink" takes, or a bridge of "tcp", "udp",
 *  "http" or "ws", one by one; 0, or WEFT_EEND past the last. The strings are constants. */
typedef struct weft_option_info {
    const char *name, *argument, *standard, *range, *text;     /*  standard: the default */
    bool live, repeatable;
} weft_option_info_t;
WEFT_EXPORT int weft_option_info (const char *kind, size_t index, weft_option_info_t *info);

/* ----------------------------------------------------------------- polling */

/*  Wait on sockets, pools, sinks and plain file descriptors together. `self` is
 *  a weft_socket_t, weft_pool_t, weft_worker_t or weft_sink_t, or NULL for `fd`.
 *  Returns how many are ready (0 on timeout). This is the right way to wait:
 *  the descriptor of a ZeroMQ socket signals edges, and weft_poll knows how. */
enum { WEFT_IN = 1, WEFT_OUT = 2, WEFT_ERR = 4 };
typedef struct weft_pollitem {
    void *self;
    int fd;
    short events, revents;
} weft_pollitem_t;
WEFT_EXPORT int weft_poll (weft_pollitem_t *items, size_t count, int timeout);

/*  For other event loops: a descriptor to watch for reading only. It signals
 *  edges: after every wake, and after every send or receive, ask weft_events
 *  (WEFT_IN | WEFT_OUT bits), and go on until it says 0; ask once before the
 *  first wait. */
WEFT_EXPORT int weft_fd (weft_socket_t *self);
WEFT_EXPORT int weft_events (weft_socket_t *self);

/* ------------------------------------------------------------------- proxy */

/*  Carries messages between a front and a back socket: kind is "queue"
 *  (requests and replies), "forwarder" (publications forward, subscriptions
 *  back) or "streamer" (one way). */
typedef struct weft_proxy weft_proxy_t;

WEFT_EXPORT weft_proxy_t *weft_proxy_new (weft_t *weft, const char *kind);
WEFT_EXPORT void weft_proxy_destroy (weft_proxy_t **self);
WEFT_EXPORT int weft_proxy_set (weft_proxy_t *self, const char *name, const char *value);

/*  side is "front", "back" or "capture" (a copy of all that passes is published
 *  there). Like weft_attach: fronts and backs bind, captures too, by default. */
WEFT_EXPORT int weft_proxy_attach (weft_proxy_t *self, const char *side, const char *endpoints);
WEFT_EXPORT const char *weft_proxy_endpoint (const weft_proxy_t *self, const char *side);

/*  Runs until weft_proxy_stop (any thread, or a signal handler), or for at most
 *  `timeout`. Returns 0 when stopped, WEFT_ETIMEOUT, or an error. When one side
 *  is full the other is not read: the proxy itself drops nothing but what pub
 *  drops (forwarder), and replies to a client that has gone, or that has taken
 *  none for `reply-timeout` (queue). */
WEFT_EXPORT int weft_proxy_run (weft_proxy_t *self, int timeout);
WEFT_EXPORT void weft_proxy_stop (weft_proxy_t *self);

/*  Of one side, as for a socket; not while another thread runs the proxy. */
WEFT_EXPORT int weft_proxy_counters (weft_proxy_t *self, const char *side, weft_counters_t *counters);

/* ------------------------------------------------------------------ bridge */

/*  Joins connections of another protocol to the fabric, as weft-bridge(1) does, which says what each protocol and
 *  option is. protocol is "tcp", "udp", "http" or "ws"; NULL is returned for any other. */
typedef struct weft_bridge weft_bridge_t;

WEFT_EXPORT weft_bridge_t *weft_bridge_new (weft_t *weft, const char *protocol);

/*  Connections that are there are cut off: weft_bridge_stop and weft_bridge_run before it give them what they are owed.
 *  Not while another thread is in weft_bridge_run. */
WEFT_EXPORT void weft_bridge_destroy (weft_bridge_t **self);

/*  The options are those of the command line without the dashes, with their values written as there: where it listens
 *  and whom it dials ("listen", "127.0.0.1:8080"; "dial"), and its sockets of the fabric ("req", "rep", "pub", "sub",
 *  "push" and "pull" with endpoints as in weft_attach; "relay", "yes"), each of which adds; and the protocol's own,
 *  those of its connections or datagrams, of TLS, of the sockets and of keys. NULL is the value of an option that is
 *  given alone, as --relay. Before weft_bridge_start, else WEFT_ESTATE; WEFT_EINVAL. */
WEFT_EXPORT int weft_bridge_set (weft_bridge_t *self, const char *name, const char *value);

/*  Opens all of it: the sockets of the fabric, what listens and what dials. Clients can connect from now on, and are
 *  served by weft_bridge_run. WEFT_EINVAL when options are missing or do not fit together, WEFT_EADDRINUSE,
 *  WEFT_EACCES and whatever else a bind says; then nothing is open, and options can be set for another try. */
WEFT_EXPORT int weft_bridge_start (weft_bridge_t *self);

/*  What it is bound to, one by one, counted from 0: addresses for its clients as HOST:PORT or unix:PATH, with the port
 *  that was got for 0, and endpoints of the fabric. *what (may be NULL) gets the protocol of the one ("tcp"), and the
 *  pattern of the other ("sub"); a constant. NULL past the last, and before weft_bridge_start. */
WEFT_EXPORT const char *weft_bridge_endpoint (const weft_bridge_t *self, size_t index, const char **what);

/*  Serves on the calling thread, which may be one of its own or the caller's loop, until weft_bridge_stop; with the
 *  option `threads` on so many others, with all signals blocked, and the calling one waits for them. Starts it, if that
 *  was not done. Signals do not interrupt it. Returns 0 when it was stopped and has ended, WEFT_ETIMEOUT when `timeout`
 *  has passed: then it is to be called again, soon, for nothing is served meanwhile, unless there are `threads`, which
 *  go on. Any other error has ended it. After its end WEFT_ESTATE. */
WEFT_EXPORT int weft_bridge_run (weft_bridge_t *self, int timeout);

/*  Any thread, or a signal handler; also before a run. The first call has it take nothing more and end when all have
 *  what they are owed, within the option `linger`; the second ends that at once. */
WEFT_EXPORT void weft_bridge_stop (weft_bridge_t *self);

/*  What a bridge did since it was started. */
typedef struct weft_bridge_counters {
    uint64_t in, in_bytes;              /*  messages of connections that the fabric has taken           */
    uint64_t out, out_bytes;            /*  messages that connections were given, replies too           */
    uint64_t dropped;                   /*  for connections that were full, or could not be given them  */
    uint64_t unanswered;                /*  requests without a reply in time, of connections and of the fabric */
    uint64_t orphaned;                  /*  replies to connections that had gone                        */
    uint64_t refused;                   /*  connections that broke the protocol or a limit              */
    uint64_t cut_off;                   /*  messages that were begun and not ended                      */
    uint64_t undelivered;               /*  connections that ended with bytes that were not sent        */
    uint64_t waiting;                   /*  connections whose message the fabric had no room for at the end */
    uint64_t connects, disconnects;     /*  connections that were taken in or made, and that ended      */
    uint64_t turned_away;               /*  connections that were not taken in                          */
    uint64_t overrun, limited, oversize;    /*  datagrams that came for which the system had no room, that were over
                                            the rate of their source, or too long                       */
    uint64_t withheld;                  /*  messages that were not sent to sources that are not trusted */
    uint64_t unsent, unread;            /*  datagrams that the system did not send; not looked at before the end */
    uint64_t evicted;                   /*  sources of datagrams that were forgotten for others         */
    uint64_t late, lost;                /*  of the fabric's sockets: late replies; dropped and refused messages */
} weft_bridge_counters_t;

/*  Any thread that can be sure of the handle. While it runs they may be 50 ms old; after a return of weft_bridge_run
 *  they are exact. */
WEFT_EXPORT void weft_bridge_counters (const weft_bridge_t *self, weft_bridge_counters_t *counters);

/* -------------------------------------------------------------------- pool */

/*  A pool deals jobs to workers by credit and returns exactly one result a job.
 *  The protocol is docs/spec/pool.md. The head takes jobs (weft_pool_t), agents
 *  with slots run them (weft_worker_t), and results come back to the head or go
 *  on to a sink (weft_sink_t). */
typedef struct weft_pool weft_pool_t;
typedef struct weft_worker weft_worker_t;
typedef struct weft_sink weft_sink_t;

#define WEFT_PRIORITY_MAX 1000

/*  A job: a shell command, or an argument vector (argc > 0) run as it is; or with neither a message,
 *  which is its input (it may be empty), for what the worker has for messages: weft_worker_on_message, or its option
 *  `exec`. */
typedef struct weft_job {
    const char *command;            /*  for /bin/sh -c; or NULL                         */
    const char *const *argv;        /*  argc strings; or NULL                           */
    size_t argc;
    const void *input;              /*  bytes for its standard input; none: /dev/null. Or the message */
    size_t input_size;
    uint64_t tag;                   /*  the caller's own; comes back in events          */
    int timeout;                    /*  ms it may run; 0: the pool's option             */
    const char *slot_mark;          /*  wherever this text stands in the command or an argument,
                                        the worker puts the number of the slot; or NULL */
    uint64_t number;                /*  what the job finds as $PARALLEL_SEQ; 0: its id  */
    const void *note;               /*  the caller's own, kept where the job is, as in a ledger; or NULL */
    size_t note_size;
    int priority;                   /*  up to WEFT_PRIORITY_MAX, down to its negative: higher ones are run first, equal
                                        ones in the order of their coming               */
    int cores;                      /*  slots of one worker that it takes; 0: 1             */
    uint64_t memory;                /*  bytes of one worker's memory that it takes; 0: none */
} weft_job_t;

/*  What happened in a pool. Pointers are good until the next call on the handle. */
enum {
    WEFT_POOL_STARTED = 1,          /*  a job was started: job, worker, slot, attempt. Left out
                                        of jobs that took a moment                      */
    WEFT_POOL_OUTPUT,               /*  it wrote: stream, data, size (at most 64 KiB)   */
    WEFT_POOL_RETRY,                /*  an attempt ended badly; what it wrote is void   */
    WEFT_POOL_DONE,                 /*  the one terminal result of a job                */
    WEFT_POOL_JOINED,               /*  a worker came: worker, slots                    */
    WEFT_POOL_LEFT,                 /*  a worker went: worker; its jobs run elsewhere   */
    WEFT_POOL_ACCEPTED = 8          /*  with a ledger: all up to `job` are on disk      */
};
enum {                              /*  why an attempt ended */
    WEFT_JOB_EXITED = 0,            /*  by itself: see status and signal                */
    WEFT_JOB_TIMEOUT,               /*  stopped after its timeout                       */
    WEFT_JOB_LOST,                  /*  its worker went away                            */
    WEFT_JOB_CANCELLED,             /*  by weft_pool_cancel; by weft_pool_cancel_job when there is data */
    WEFT_JOB_NOT_STARTED,           /*  it could not be started, or done: data says why */
    WEFT_JOB_OUTPUT_LOST            /*  not all it wrote could be kept, and it was stopped: data says why */
};
typedef struct weft_pool_event {
    int kind;                       /*  WEFT_POOL_...                                   */
    uint64_t job;                   /*  1 for the first that was submitted, and so on   */
    uint64_t tag;
    const char *head;               /*  at a sink: which head, unique; else NULL        */
    const char *command;            /*  at a sink, STARTED and DONE, and with a ledger: as submitted (an
                                        argument vector joined by spaces); else NULL    */
    const char *worker;             /*  name, unique in the pool, e.g. "host:1234"      */
    const char *host;
    int slots;                      /*  JOINED: how many                                */
    int slot;                       /*  1 and up within its worker, or see first-slot   */
    int attempt;                    /*  1 and up                                        */
    int stream;                     /*  OUTPUT: 1 standard output, 2 standard error     */
    const void *data;
    size_t size;
    int reason;                     /*  DONE, RETRY: WEFT_JOB_...                       */
    int status, signal;             /*  exit status 0-255; the signal that ended it, or 0 */
    int64_t started;                /*  microseconds since 1970, by the worker's clock  */
    int64_t runtime;                /*  microseconds                                    */
    uint64_t received_bytes;        /*  DONE: of output                                 */
    uint64_t sent_bytes;            /*  DONE: of input                                  */
    const char *output;             /*  DONE, RETRY: with the option `outputs`, where in its files what the job
                                        wrote is, or the end of it: FILE:OFFSET:SIZE; else NULL */
    uint64_t number;                /*  with a ledger: of the job, as it was submitted, or its id */
    const void *note;               /*  ... and its note                                */
    size_t note_size;
} weft_pool_event_t;

typedef struct weft_pool_stats {
    uint64_t submitted, waiting, running, done, failed, retries;
    uint64_t workers, slots, lost_workers;
    uint64_t refused;               /*  messages that broke the protocol, peers that were turned away */
} weft_pool_stats_t;

WEFT_EXPORT weft_pool_t *weft_pool_new (weft_t *weft);

/*  Workers are told to go; but not when there is a ledger, and weft_pool_next has not said
 *  WEFT_EEND: then they go on, and wait for the next pool with that ledger. */
WEFT_EXPORT void weft_pool_destroy (weft_pool_t **self);
WEFT_EXPORT int weft_pool_set (weft_pool_t *self, const char *name, const char *value);

/*  Workers connect here; may be called several times (inproc, ipc and tcp mixed). */
WEFT_EXPORT int weft_pool_bind (weft_pool_t *self, const char *endpoint);
WEFT_EXPORT const char *weft_pool_endpoint (const weft_pool_t *self);

/*  Hand over a job; `id` (may be NULL) gets its number. WEFT_EAGAIN when the
 *  option `queue` jobs of its priority are waiting: take events first. Does not block.
 *  With the option `ledger` it is accepted when WEFT_POOL_ACCEPTED says so: then it is on disk, and
 *  will have its one DONE from this pool or, with `resume`, from the next one with that ledger. What waits beyond
 *  `queue` is kept in the ledger alone; WEFT_EAGAIN when too much waits to be written, WEFT_ELIMIT when the disk
 *  is full. With `resume`, a job that is in the ledger from before is not added again: `id` is its old number. */
WEFT_EXPORT int weft_pool_submit (weft_pool_t *self, const weft_job_t *job, uint64_t *id);

/*  No more jobs: workers are told to go when all have ended. */
WEFT_EXPORT void weft_pool_finish (weft_pool_t *self);

/*  Runs the pool and gives the next event. WEFT_EAGAIN or WEFT_ETIMEOUT when
 *  none has come, WEFT_EEND when the pool was finished and all is done, WEFT_EIO when
 *  its ledger has failed: then end the program, and go on with another. */
WEFT_EXPORT int weft_pool_next (weft_pool_t *self, weft_pool_event_t *event, int timeout);

/*  Take waiting jobs back (each still gets its DONE, cancelled); with
 *  `running`, stop those that run too. In a ledger they stay without a result: whoever
 *  resumes it runs them. */
WEFT_EXPORT int weft_pool_cancel (weft_pool_t *self, bool running);

/*  Take back one job, or with id 0 all that there are now; each gets its DONE, cancelled, and `data` says so. One
 *  that waits gets it at once; one that waits at a worker is asked back, unless it begins meanwhile: then it runs to
 *  its end, and is not tried again. One that runs, or may be running at a worker which is waited for, is stopped with
 *  `running`; without it WEFT_ESTATE, and with id 0 it is passed over. In a ledger that is its result, for good, unlike
 *  with weft_pool_cancel; so for jobs that are in the ledger alone. WEFT_EEND: it has ended; WEFT_EINVAL: there is no
 *  such job; WEFT_EAGAIN: take events first. */
WEFT_EXPORT int weft_pool_cancel_job (weft_pool_t *self, uint64_t id, bool running);

/*  With a ledger: do a job again that ended badly. Its result stands; what is done again is a new job, which names it,
 *  and whose number `retry` (may be NULL) gets. Of a job that was retried before, the last retry is. WEFT_ESTATE: it
 *  (or its retry, which `retry` says) has not ended, or has ended well; or the pool has ended. WEFT_EINVAL: there is no
 *  such job; WEFT_EAGAIN: take events first; WEFT_ENOTSUP: there is no ledger. Also after weft_pool_finish, until
 *  WEFT_EEND. With id 0: all that ended badly but those that were cancelled, and `retry` gets how many; after
 *  WEFT_EAGAIN the rest is for another call. */
WEFT_EXPORT int weft_pool_retry (weft_pool_t *self, uint64_t id, uint64_t *retry);

/*  While it is paused no job is given to a worker; those that were go on, and jobs are accepted. */
WEFT_EXPORT int weft_pool_pause (weft_pool_t *self, bool paused);
WEFT_EXPORT void weft_pool_stats (const weft_pool_t *self, weft_pool_stats_t *stats);

/*  An agent: one connection to a head, and `slots` jobs at once. */
WEFT_EXPORT weft_worker_t *weft_worker_new (weft_t *weft);
WEFT_EXPORT void weft_worker_destroy (weft_worker_t **self);
WEFT_EXPORT int weft_worker_set (weft_worker_t *self, const char *name, const char *value);
WEFT_EXPORT int weft_worker_connect (weft_worker_t *self, const char *endpoint);

/*  Runs jobs until the head says that all is done (0), the head cannot be
 *  reached (WEFT_ENOPEER), or weft_worker_stop was called (WEFT_ETERM). */
WEFT_EXPORT int weft_worker_run (weft_worker_t *self);

/*  Any thread, or a signal handler. The first call drains: no new jobs, those
 *  that run go on. The second stops them. */
WEFT_EXPORT void weft_worker_stop (weft_worker_t *self);

/*  What a worker does with messages: `fn` is called for each, with `arg`, and what it returns (0 to 255) is the exit
 *  status of that job. A negative value says that it could not be done: the job ends as WEFT_JOB_NOT_STARTED, with the
 *  words of weft_error. To be set before weft_worker_run, which makes `slots` threads that call it, with all signals
 *  blocked: so it runs in several at once, and a long call holds up neither the other slots nor the worker's signs of
 *  life. What is in `arg` is for the caller to guard. No call is under way before weft_worker_run or after it: to end,
 *  it waits for those that are.
 *  A call cannot be stopped from outside. When its job is cancelled, or has run for longer than its timeout,
 *  weft_task_stopped says so: whatever the call returns then, the job counts as cancelled or timed out, but its slot is
 *  free, and its end is told, only when it returns. */
typedef struct weft_task weft_task_t;
typedef int (weft_work_fn) (void *arg, weft_task_t *task);
WEFT_EXPORT int weft_worker_on_message (weft_worker_t *self, weft_work_fn *fn, void *arg);

/*  The message and its job: only inside the call, and on its thread. */
WEFT_EXPORT const void *weft_task_data (const weft_task_t *self);
WEFT_EXPORT size_t weft_task_size (const weft_task_t *self);
WEFT_EXPORT uint64_t weft_task_job (const weft_task_t *self);       /*  its id                          */
WEFT_EXPORT uint64_t weft_task_number (const weft_task_t *self);    /*  as it was submitted, or the id  */
WEFT_EXPORT int weft_task_attempt (const weft_task_t *self);        /*  1 and up                        */

/*  1 and up, or from first-slot on: no two calls that are under way have the same. */
WEFT_EXPORT int weft_task_slot (const weft_task_t *self);

/*  Output of the job, as if written to standard output (stream 1) or standard error (2): a copy is kept. It waits while
 *  the head, or the line to it, takes no more. WEFT_ETERM when the job was stopped, WEFT_EINVAL, WEFT_ENOMEM. */
WEFT_EXPORT int weft_task_write (weft_task_t *self, int stream, const void *data, size_t size);

/*  Was the job cancelled, or is its time over? The descriptor is readable as soon as it is so: for poll, in calls that
 *  wait for something else; negative when there is none to be had. */
WEFT_EXPORT bool weft_task_stopped (const weft_task_t *self);
WEFT_EXPORT int weft_task_fd (weft_task_t *self);

/*  Takes results from heads whose option `sink` names it, acknowledging each. */
WEFT_EXPORT weft_sink_t *weft_sink_new (weft_t *weft);
WEFT_EXPORT void weft_sink_destroy (weft_sink_t **self);
WEFT_EXPORT int weft_sink_set (weft_sink_t *self, const char *name, const char *value);
WEFT_EXPORT int weft_sink_bind (weft_sink_t *self, const char *endpoint);
WEFT_EXPORT const char *weft_sink_endpoint (const weft_sink_t *self);

/*  As weft_pool_next; WEFT_EEND when every head that came has finished. */
WEFT_EXPORT int weft_sink_next (weft_sink_t *self, weft_pool_event_t *event, int timeout);

#ifdef __cplusplus
}
#endif
#endif
