/*  requests.h - many requests under way at once on one socket
 *
 *  What req does one at a time, for who asks on behalf of others. The same over the wire (pattern_envelope.h): so weft
 *  rep and plain REP sockets answer.
 *
 *  Guarantee: each request that was taken is told once, with its reply or an error. It is sent once; a reply that
 *  comes later than the socket's option `timeout` is discarded and counted. */
#ifndef WEFT_PATTERNS_REQUESTS_H
#define WEFT_PATTERNS_REQUESTS_H

#include <stddef.h>

#include "weft.h"

/*  A socket for the two calls below; not for weft_send and weft_recv. All else is as for any other: it is set, bound,
 *  connected, polled and closed. NULL with the reason kept. */
weft_socket_t *requests_open (weft_t *weft);

/*  Sends, and does not wait: WEFT_EAGAIN when no server has room. `arg` comes back with the outcome. On failure `msg`
 *  is whole. */
int requests_send (weft_socket_t *socket, weft_msg_t *msg, void *arg);

/*  One that is over: 0, with its `arg`, and its reply in `msg` or why there is none in *error (weft_error ()). Else
 *  WEFT_EAGAIN, or a failure of the socket. WEFT_IN of weft_poll says when to ask. */
int requests_next (weft_socket_t *socket, weft_msg_t *msg, void **arg, int *error);

/*  Gives up all that are under way: `fn` gets the `arg` of each, as its last outcome. */
void requests_abandon (weft_socket_t *socket, void (*fn) (void *arg));

/*  How many are under way. */
size_t requests_count (const weft_socket_t *socket);

#endif
