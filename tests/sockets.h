/*  sockets.h - what the tests of the patterns share */

#ifndef WEFT_TESTS_SOCKETS_H
#define WEFT_TESTS_SOCKETS_H

#include "tests/testing.h"

/*  A context that must not log what is not expected: lines that were logged are counted and the last is kept. */
struct listener {
    int lines;
    char last[512];
};
void listener_log (void *arg, int level, const char *text);

/*  Opens a socket and sets options, given as "name=value name=value"; fails the test on an error. */
weft_socket_t *open_with (weft_t *weft, const char *pattern, const char *options);

/*  The same, and binds or connects it. */
weft_socket_t *open_bound (weft_t *weft, const char *pattern, const char *options, const char *endpoint);
weft_socket_t *open_connected (weft_t *weft, const char *pattern, const char *options, const char *endpoint);

/*  One frame of text; the result of the call. */
int send_text (weft_socket_t *socket, const char *text, int flags);

/*  Receives a message of one frame, which has to be `text`. */
void expect_text (weft_socket_t *socket, const char *text);

/*  Receives nothing but the error. */
void expect_error (weft_socket_t *socket, int error, int flags);

weft_counters_t counters_of (weft_socket_t *socket);

/*  Waits on the connections (no sleep) until `count` peers have come, or `gone` have left, in all. */
void await_peers (weft_socket_t *socket, uint64_t came, uint64_t gone);

/*  A directory for ipc endpoints, and its removal with the files in it. */
char *scratch_make (void);
void scratch_remove (char *path);

#endif
