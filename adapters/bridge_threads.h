/*  bridge_threads.h - several bridges of one setup, each on a thread of its own
 *
 *  Each has its own reactor, its own sockets of the fabric, and a listener at the same port, among which the system
 *  deals the connections (SO_REUSEPORT). What has to be one for all connections cannot be done so: see
 *  bridge_threads_check. */
#ifndef WEFT_ADAPTERS_BRIDGE_THREADS_H
#define WEFT_ADAPTERS_BRIDGE_THREADS_H

#include "adapters/bridge.h"

enum { BRIDGE_THREADS_MAX = 256 };

/*  WEFT_EINVAL, with the reason, for options that do not go with more than one thread. */
int bridge_threads_check (const struct bridge_setup *setup);

struct bridge_threads;

/*  setup->bridge.threads bridges; the rest as bridge_new. max-peers is shared out in equal parts. */
int bridge_threads_new (weft_t *weft, const struct adapter *adapter, struct bridge_setup *setup,
                        struct bridge_threads **self);
void bridge_threads_destroy (struct bridge_threads **self);

/*  Each of the bridges; NULL past the last. What listens is told by the first for all. */
struct bridge *bridge_threads_at (const struct bridge_threads *self, size_t index);

/*  As bridge_run, of all: one that fails ends the others. A single one runs on the caller's thread; several on threads
 *  of their own, which go on after WEFT_ETIMEOUT. */
int bridge_threads_run (struct bridge_threads *self, int stop_fd, int64_t timeout);

/*  bridge_show of each; and, from any thread, the sums of what they show. */
int bridge_threads_show (struct bridge_threads *self, bool times);
void bridge_threads_counters (const struct bridge_threads *self, weft_bridge_counters_t *counters);

#endif
