/*  wire_mem.h - a second engine behind the seam: a network in memory, for tests
 *
 *  One thread, no real time, no randomness: a test gives the same history every time.
 *  The clock stands still until somebody waits. A wait (in send, recv or wait of any wire, or
 *  mem_run) lets the functions of mem_serve and mem_after run, and when nothing is left to
 *  do now, jumps to what is due next or to its own end. One that could only last for
 *  ever is WEFT_ESTATE, and so is the ten-thousandth in a row in which nothing happened. So
 *  a time-out of an hour costs nothing, and no test hangs.
 *
 *  A client whose first server answers too late:
 *
 *      struct mem *net = mem_new ();
 *      weft_t *weft = context_new (&wire_mem, mem_clock (net));
 *      struct wire *first = mem_open (net, WIRE_ROUTER, "@tcp://127.0.0.1:1");
 *      struct wire *second = mem_open (net, WIRE_ROUTER, "@tcp://127.0.0.1:2");
 *      mem_serve (first, mem_echo, NULL);
 *      mem_serve (second, mem_echo, NULL);
 *      mem_delay (net, first->bound, MEM_TO_CONNECTER, 1, 3 * TIME_S);
 *      ... weft_open (weft, "req"), retries=1, timeout=1s, attach to both; weft_send
 *      ... weft_recv has the second's answer; mem_run (net, 5 * TIME_S); one reply came late
 *      wire_close (&first); wire_close (&second); weft_destroy (&weft); mem_destroy (&net);
 *
 *  How it behaves: a connection comes about as soon as both sides are there, and messages
 *  arrive in order, at once, but for the faults below. A queue holds send_hwm messages at the sender
 *  and recv_hwm at the receiver. When a connection ends, what has arrived can still be read, and
 *  what is under way is lost. Names are those of the network: inproc too reaches
 *  from one context to another. fd signals what happens at the clock's present time. */

#ifndef WEFT_TESTS_WIRE_MEM_H
#define WEFT_TESTS_WIRE_MEM_H

#include "core/wire.h"

extern const struct wire_engine wire_mem;

struct mem;

/*  A new network, whose clock is at 1 s. Contexts that are made on this thread from now on
 *  are in it. destroy takes it down when all wires are closed (an assertion). */
struct mem *mem_new (void);
void mem_destroy (struct mem **self);
struct clock *mem_clock (struct mem *self);

/*  A bare wire in the test's own hand, with the standard options, attached to a list of
 *  endpoints (see endpoint_next; they bind by default). Fails the program when it cannot. */
struct wire *mem_open (struct mem *self, enum wire_type type, const char *endpoints);

/*  Lets time pass. */
void mem_run (struct mem *self, int64_t time);

/*  `fn` runs within waits, whenever something has arrived at the wire since it last ran: it
 *  takes what it wants with timeout 0, and must not close the wire. Not called from within itself.
 *  NULL ends it. */
typedef void (mem_serve_fn) (struct wire *wire, void *arg);
void mem_serve (struct wire *wire, mem_serve_fn *fn, void *arg);

/*  Sends back all that came, frames as they are: a server behind a ROUTER, DEALER or PAIR. */
void mem_echo (struct wire *wire, void *arg);

/*  `fn` runs once, within the wait in which `delay` has passed. */
typedef void (mem_after_fn) (struct mem *self, void *arg);
void mem_after (struct mem *self, int64_t delay, mem_after_fn *fn, void *arg);

/* ------------------------------------------------------------------ faults
 *
 *  By endpoint (as in wire->bound; NULL is any) and direction, for the next `count` messages
 *  that are sent. Subscriptions are spared. When several apply, each counts. */
enum mem_way {
    MEM_TO_BINDER = 1,
    MEM_TO_CONNECTER = 2,
    MEM_BOTH_WAYS = 3
};
void mem_lose (struct mem *self, const char *endpoint, enum mem_way way, int count);
void mem_repeat (struct mem *self, const char *endpoint, enum mem_way way, int count);

/*  Later by `delay`; what follows on the same connection waits behind it. */
void mem_delay (struct mem *self, const char *endpoint, enum mem_way way, int count, int64_t delay);

/*  Ends the connections over an endpoint (WIRE_DISCONNECTED on both sides), and lets none
 *  come about until mem_heal. */
void mem_cut (struct mem *self, const char *endpoint);

/*  The same, and those that try are told WIRE_REJECTED with `text`. */
void mem_refuse (struct mem *self, const char *endpoint, const char *text);

/*  The same for want of authority (`denied`). */
void mem_deny (struct mem *self, const char *endpoint, const char *text);

void mem_heal (struct mem *self, const char *endpoint);

#endif
