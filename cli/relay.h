/*  relay.h - bytes both ways between a pair of pipes and a socket
 *
 *  What carries a worker's one connection over the standard input and output of ssh. */
#ifndef WEFT_CLI_RELAY_H
#define WEFT_CLI_RELAY_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>

#define RELAY_FDS 4
#define RELAY_ROOM (64 * 1024)

/*  One direction. */
struct relay_way {
    int from, to;               /*  -1: closed                                          */
    char *data;
    size_t begin, end;
    bool deaf;                  /*  `to` takes no more: what comes is thrown away       */
    bool over;                  /*  `from` has ended, and all of it was written         */
};

struct relay {
    struct relay_way in, out;   /*  pipe to socket, socket to pipe                      */
};

/*  Makes the descriptors non-blocking; they stay the caller's. WEFT_ENOMEM. */
int relay_init (struct relay *self, int in, int out, int socket);
void relay_free (struct relay *self);

/*  What had come through the pipe already, up to what is read at once. */
void relay_begin (struct relay *self, const void *data, size_t size);

/*  What to wait for, and what to do when the wait is over. */
void relay_poll (const struct relay *self, struct pollfd fds[RELAY_FDS]);
void relay_step (struct relay *self);

/*  True once either side has ended, and what it had sent was written. */
static inline bool
relay_over (const struct relay *self)
{
    return self->in.over || self->out.over;
}

/*  Closes the socket when the other side has read all and closed, after a while, or when the descriptor `stop` is
 *  readable (-1: none). (libzmq takes the end of a Unix socket for an error, and reads no more of what came before.) */
void relay_close (int socket, int stop);

/*  A listening socket that only this process can have found: its abstract name as an endpoint, "ipc://@...". */
int relay_listen (char *endpoint, size_t size);

/*  Who connects there, when it is this process; -1 after the error was kept. */
int relay_accept (int listener);

/*  Connects to an abstract ipc endpoint, blocking for no longer than its backlog. */
int relay_connect (const char *endpoint);

#endif
