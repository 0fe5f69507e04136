/*  reply.h - many requests of others under way at once on one socket
 *
 *  What rep does one at a time, for who answers by others, in any order: REQ and DEALER sockets and weft req ask.
 *
 *  Guarantee: a reply goes to whoever asked, or is counted as dropped when that one has gone. */
#ifndef WEFT_PATTERNS_REPLY_H
#define WEFT_PATTERNS_REPLY_H

#include "weft.h"

/*  A socket for the two calls below; not for weft_send and weft_recv. All else is as for any other: it is set, bound,
 *  connected, polled and closed. NULL with the reason kept. */
weft_socket_t *reply_open (weft_t *weft);

/*  A request, and the envelope with which its reply has to go back: both the caller's. WEFT_EAGAIN, or a failure of the
 *  socket. */
int reply_next (weft_socket_t *socket, weft_msg_t *msg, weft_msg_t *envelope);

/*  The reply, without a wait: 0 when it has gone, or its client has, which is counted; both are empty then.
 *  WEFT_EAGAIN: that client does not read; both are as they were. */
int reply_send (weft_socket_t *socket, weft_msg_t *msg, weft_msg_t *envelope);

#endif
