/*  endpoint.h - tcp, ipc and inproc addresses, taken apart
 *
 *  Forms: tcp://HOST:PORT, tcp://[IPv6]:PORT, tcp://[IPv6%SCOPE]:PORT; to bind
 *  also tcp://INTERFACE:PORT, a star as the host (any) and 0 or a star as the
 *  port (any free one); to connect also tcp://SOURCE:PORT;HOST:PORT.
 *  ipc://PATH, ipc://@ABSTRACT, and a star to bind a path of the system's
 *  choice. inproc://NAME. */
#ifndef WEFT_CORE_ENDPOINT_H
#define WEFT_CORE_ENDPOINT_H

#include <stdbool.h>
#include <stddef.h>

#include "weft.h"

#define ENDPOINT_MAX 512        /*  bytes in an endpoint's text, with the NUL   */

enum endpoint_transport {
    ENDPOINT_TCP,
    ENDPOINT_IPC,
    ENDPOINT_INPROC
};

/*  What an endpoint is for: some forms only make sense for one side. */
enum endpoint_side {
    ENDPOINT_BIND,
    ENDPOINT_CONNECT
};

struct endpoint {
    enum endpoint_transport transport;
    enum endpoint_side side;
    char text[ENDPOINT_MAX];    /*  as given, without prefix                     */
    char host[256];             /*  tcp: name, address without brackets, "*" for any */
    char source[256];           /*  tcp connect: source address "HOST:PORT", or "" */
    int port;                   /*  tcp: 0 for any                              */
    char path[ENDPOINT_MAX];    /*  ipc: path or "@abstract" or "*"; inproc: name */
    char wire[ENDPOINT_MAX];    /*  numeric, after endpoint_resolve             */
    bool ipv6;                  /*  the resolved address is one                 */
};

/*  Parses, and says what is wrong with it and what would be right (a missing
 *  transport, an unknown one, a missing port, one past 65535, an ipc path that
 *  is too long for the system, ...). No look-ups. WEFT_EENDPOINT. */
int endpoint_parse (struct endpoint *self, const char *text, enum endpoint_side side);

/*  Turns a name into a numeric address in `wire` (numeric ones, wildcards and
 *  interfaces pass through). May block in the resolver: on the caller's thread,
 *  never on the I/O thread. WEFT_ERESOLVE. For an ipc path checks that its
 *  directory exists. */
int endpoint_resolve (struct endpoint *self);

/*  tcp on 127.0.0.0/8, ::1 or localhost, ipc and inproc: not open to a network. */
bool endpoint_is_local (const struct endpoint *self);

/*  Walks a comma-separated list with CZMQ's prefixes: @ binds, > connects, and
 *  none takes `standard`. *list moves on; returns 1 for a member, 0 at the end,
 *  or WEFT_EENDPOINT. */
int endpoint_next (const char **list, enum endpoint_side standard, struct endpoint *self);

#endif
