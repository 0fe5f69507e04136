/*  sockets.h - what the tests of the patterns share */

#ifndef WEFT_TESTS_SOCKETS_H
#define WEFT_TESTS_SOCKETS_H

#include "tests/testing.h"

/*  What was logged, warnings and errors. */
struct listener {
    int lines;
    char last[512];
};

extern weft_t *weft;                    /*  the context of the test that runs */
extern struct listener listener;        /*  to its log */

/*  For each test a new context, over the engine in memory or over libzmq. */
extern struct mem *net;
int mem_setup (void **state);
int mem_teardown (void **state);
int zmq_setup (void **state);
int zmq_teardown (void **state);

/*  In memory: the time. */
int64_t now (void);

/*  Opens a socket and sets options, given as "name=value name=value"; fails the test on an error. */
weft_socket_t *open_with (const char *pattern, const char *options);

/*  The same, and binds or connects it. */
weft_socket_t *open_bound (const char *pattern, const char *options, const char *endpoint);
weft_socket_t *open_connected (const char *pattern, const char *options, const char *endpoint);

/*  One frame of text; the result of the call. */
int send_text (weft_socket_t *socket, const char *text, int flags);

/*  Receives a message of one frame, which has to be `text`. */
void expect_text (weft_socket_t *socket, const char *text);

/*  Receives nothing but the error. */
void expect_error (weft_socket_t *socket, int error, int flags);

weft_counters_t counters_of (weft_socket_t *socket);

/*  A plain TCP connection to 127.0.0.1 at the port of HOST:PORT; fails the test on an error. */
int connect_plain (const char *address);

#endif
