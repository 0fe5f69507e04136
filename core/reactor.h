/*  reactor.h - a thread's event loop: descriptors, deadlines, the fabric's sockets, names to resolve
 *
 *  One reactor a thread; all but reactor_stop is for that thread alone. libuv stands behind it and is seen by
 *  core/reactor*.c alone. Callbacks come from reactor_run, never from within another call, and may close what they are
 *  about. Times are ns by core/clock.h.
 *
 *  A round: the fabric's sockets are asked, what is due is called, what was put off is done, and all that once more
 *  when anything was called; then the reactor waits, and calls for each descriptor that is ready. */
#ifndef WEFT_CORE_REACTOR_H
#define WEFT_CORE_REACTOR_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/poll.h"
#include "core/timers.h"

struct reactor;

/*  WEFT_ENOMEM, or the system's refusal. */
int reactor_new (struct reactor **self);

/*  All that it watches has to be closed before. */
void reactor_destroy (struct reactor **self);

/*  Runs until reactor_stop: 0; or WEFT_ETIMEOUT after about `timeout`; or the failure of a socket of the fabric. */
int reactor_run (struct reactor *self, int64_t timeout);

/*  Any thread, or a signal handler. Before a run, it ends that run at once. */
void reactor_stop (struct reactor *self);

/*  The time, asked for once a round: cheap. */
int64_t reactor_now (struct reactor *self);

/*  Room that whoever is called back may use until it returns: one for all, so that a connection needs none. */
enum { REACTOR_SCRATCH = 64 * 1024 };
unsigned char *reactor_scratch (struct reactor *self);

/* -------------------------------------------------------------- deadlines, work */

/*  Embedded in who needs it: allocates nothing, and fails never. Calls `fn` once when the deadline has passed; setting
 *  it again moves it, TIME_FOREVER switches it off, which it has to be before its memory goes. */
struct reactor_timer {
    struct timer timer;
    void (*fn) (void *arg);
    void *arg;
};
void reactor_timer_init (struct reactor_timer *timer, void (*fn) (void *arg), void *arg);
void reactor_timer_set (struct reactor *self, struct reactor_timer *timer, int64_t deadline);

/*  `fn` is called before the reactor next waits, once however often it was put off since. Embedded, as a timer. */
struct reactor_task {
    struct reactor_task *next, *before;     /*  a ring; NULL: not put off */
    void (*fn) (void *arg);
    void *arg;
};
void reactor_task_init (struct reactor_task *task, void (*fn) (void *arg), void *arg);
void reactor_defer (struct reactor *self, struct reactor_task *task);
void reactor_undefer (struct reactor_task *task);

/*  `fn` is called once a round, before the reactor waits; it may set timers. One for a reactor; NULL: none. */
void reactor_each_round (struct reactor *self, void (*fn) (void *arg), void *arg);

/* -------------------------------------------------------------------- the fabric */

/*  Anything that begins with a struct pollable (weft_socket_t). It is asked before each wait, after all that was
 *  called, so whoever sends or receives on it elsewhere need tell nobody. `ready` gets those of the events wanted that
 *  hold, and again as long as they hold: it may stop at a budget. With events 0 it rests, and only its connections are
 *  seen to. */
struct reactor_socket;
int reactor_watch (struct reactor *self, struct pollable *pollable, void (*ready) (void *arg, int events), void *arg,
                   struct reactor_socket **watch);
void reactor_want (struct reactor_socket *watch, int events);
void reactor_unwatch (struct reactor_socket **watch);

/* ------------------------------------------------------------- plain descriptors */

/*  Level-triggered: `ready` is called with the events that hold, of WEFT_IN, WEFT_OUT as wanted (first none), and
 *  WEFT_ERR, after which nothing more comes. The descriptor is the caller's; it may be closed after unwatch. */
struct reactor_fd;
int reactor_watch_fd (struct reactor *self, int fd, void (*ready) (void *arg, int events), void *arg,
                      struct reactor_fd **watch);
int reactor_want_fd (struct reactor_fd *watch, int events);
void reactor_unwatch_fd (struct reactor_fd **watch);

/* ------------------------------------------------------------------------- names */

/*  Looks a name up on another thread, of which the process has a few. `done` gets the addresses (at most `count`; 0
 *  with weft_error ()'s words of why none). Cancelled by reactor_unresolve, after which `done` is not called; a server
 *  that does not answer holds up neither that nor reactor_destroy. */
enum { REACTOR_ADDRESSES = 8 };
struct reactor_lookup;
int reactor_resolve (struct reactor *self, const char *host, int port,
                     void (*done) (void *arg, const struct sockaddr_storage *addresses, int count), void *arg,
                     struct reactor_lookup **lookup);
void reactor_unresolve (struct reactor_lookup **lookup);

#endif
