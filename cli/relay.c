/*  relay.c - bytes both ways between a pair of pipes and a socket */

#include "cli/relay.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/error.h"

#define CLOSE_MAX TIME_S
#define ABSTRACT "ipc://@"

int
relay_init (struct relay *self, int in, int out, int socket)
{
    self->in = (struct relay_way){ .from = in, .to = socket, .data = malloc (RELAY_ROOM) };
    self->out = (struct relay_way){ .from = socket, .to = out, .data = malloc (RELAY_ROOM) };
    int fds[] = { in, out, socket };
    for (size_t i = 0; i < sizeof fds / sizeof *fds; i++)
        fcntl (fds[i], F_SETFL, fcntl (fds[i], F_GETFL) | O_NONBLOCK);
    return self->in.data && self->out.data ? 0 : error_set (WEFT_ENOMEM, "out of memory");
}

void
relay_free (struct relay *self)
{
    free (self->in.data);
    free (self->out.data);
    *self = (struct relay){ .in.from = -1 };
}

void
relay_begin (struct relay *self, const void *data, size_t size)
{
    self->in.end = size < RELAY_ROOM ? size : RELAY_ROOM;
    memcpy (self->in.data, data, self->in.end);
}

static void
way_poll (const struct relay_way *self, struct pollfd *from, struct pollfd *to)
{
    bool empty = self->begin == self->end;
    *from = (struct pollfd){ .fd = self->over || self->end == RELAY_ROOM ? -1 : self->from, .events = POLLIN };
    *to = (struct pollfd){ .fd = self->over || empty ? -1 : self->to, .events = POLLOUT };
}

void
relay_poll (const struct relay *self, struct pollfd fds[RELAY_FDS])
{
    way_poll (&self->in, &fds[0], &fds[1]);
    way_poll (&self->out, &fds[2], &fds[3]);
}

/*  False when there will be nothing more to read. */
static bool
way_read (struct relay_way *self)
{
    if (self->end == RELAY_ROOM)
        return true;
    ssize_t size = read (self->from, self->data + self->end, RELAY_ROOM - self->end);
    if (size > 0)
        self->end += (size_t) size;
    return size > 0 || (size < 0 && (errno == EAGAIN || errno == EINTR));
}

static void
way_write (struct relay_way *self)
{
    ssize_t size = 0;
    if (self->begin < self->end && !self->deaf)
        size = write (self->to, self->data + self->begin, self->end - self->begin);
    if (size > 0)
        self->begin += (size_t) size;
    else if (size < 0 && errno != EAGAIN && errno != EINTR)
        self->deaf = true;
    if (self->begin == self->end || self->deaf)
        self->begin = self->end = 0;
}

static void
way_step (struct relay_way *self)
{
    bool open = self->over || way_read (self);
    if (self->over)
        return;
    way_write (self);
    self->over = !open && self->begin == self->end;
}

void
relay_step (struct relay *self)
{
    way_step (&self->in);
    way_step (&self->out);
}

/* ------------------------------------------------------------------- sockets */

void
relay_close (int socket, int stop)
{
    char rest[4096];
    struct pollfd fds[] = { { .fd = socket, .events = POLLIN }, { .fd = stop, .events = POLLIN } };
    int64_t deadline = clock_deadline (clock_system (), CLOSE_MAX);
    ssize_t size = 1;
    shutdown (socket, SHUT_WR);
    while (size > 0 && clock_left (clock_system (), deadline) != 0) {
        int ready = poll (fds, 2, clock_poll_ms (clock_left (clock_system (), deadline)));
        if (ready > 0 && fds[1].revents)
            break;
        if (ready > 0)
            size = recv (socket, rest, sizeof rest, MSG_DONTWAIT);
        else if (ready == 0 || errno != EINTR)
            break;
    }
    close (socket);
}

int
relay_listen (char *endpoint, size_t size)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int used = snprintf (address.sun_path + 1, sizeof address.sun_path - 1, "weft-%016llx",
                         (unsigned long long) random_seed ());
    socklen_t length = (socklen_t) (offsetof (struct sockaddr_un, sun_path) + 1 + (size_t) used);
    if (fd < 0 || bind (fd, (struct sockaddr *) &address, length) || listen (fd, 1)) {
        int rc = error_errno ("cannot make a socket for the connection to the head");
        if (fd >= 0)
            close (fd);
        return rc;
    }
    snprintf (endpoint, size, ABSTRACT "%s", address.sun_path + 1);
    return fd;
}

int
relay_accept (int listener)
{
    struct ucred peer;
    socklen_t size = sizeof peer;
    int fd = accept4 (listener, NULL, NULL, SOCK_CLOEXEC);
    if (fd < 0)
        return error_errno ("cannot accept the worker's connection");
    if (getsockopt (fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && peer.pid == getpid ())
        return fd;
    close (fd);
    return error_set (WEFT_EAGAIN, "somebody else has connected");
}

int
relay_connect (const char *endpoint)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    const char *name = endpoint + strlen (ABSTRACT);
    size_t size = strlen (name);
    memcpy (address.sun_path + 1, name, size < sizeof address.sun_path - 1 ? size : sizeof address.sun_path - 1);
    int fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    socklen_t length = (socklen_t) (offsetof (struct sockaddr_un, sun_path) + 1 + size);
    if (fd >= 0 && connect (fd, (struct sockaddr *) &address, length) == 0)
        return fd;
    int rc = error_errno ("cannot connect to the head");
    if (fd >= 0)
        close (fd);
    return rc;
}
