/*  wire_zmq_linger.c - the last messages over ipc
 *
 *  When one side of a Unix socket closes, the other is told of a hang-up even while it does
 *  not read because its queue is full. libzmq takes that for an error, and gives up all that
 *  still waits in the kernel: a sender that ends takes the tail of what it sent with it. (Over
 *  tcp a hang-up is told after the last byte.)
 *
 *  So the descriptors of a closing wire are duplicated, which keeps the connections up after
 *  libzmq has let go of them. When the context ends, and libzmq has written everything, our
 *  side is shut down for writing alone; the peer reads to the end, closes, and that is what
 *  we wait for. In a context that lives on nothing tells when libzmq is done, so there the
 *  duplicates are closed after a while. */

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "core/wire_zmq.h"

#define HOLD_MAX TIME_S             /*  in a context that lives on */

struct lingering {
    int fd;                         /*  our duplicate; -1 once closed           */
    int peer;                       /*  libzmq's descriptor                     */
    int64_t release;                /*  when it is closed in any case           */
};

static bool
is_unix (int fd)
{
    struct sockaddr address;
    socklen_t size = sizeof address;
    return getsockname (fd, &address, &size) == 0 && address.sa_family == AF_UNIX;
}

static void
drain_monitor (struct zmq_wire *wire)
{
    struct wire_event event;
    while (monitor_next (wire, &event) > 0)
        continue;
}

static bool
is_connected (const struct zmq_monitor *monitor, int fd)
{
    for (size_t i = 0; i < monitor->count; i++)
        if (monitor->peers[i].fd == fd)
            return true;
    return false;
}

/* ------------------------------------------------- a context that lives on */

/*  Closes what is due (before `now`); when the next is. */
static int64_t
release_due (struct zmq_linger *self, int64_t now)
{
    int64_t next = TIME_FOREVER;
    size_t kept = 0;
    for (size_t i = 0; i < self->count; i++)
        if (self->held[i].release <= now)
            close (self->held[i].fd);
        else {
            next = clock_earlier (next, self->held[i].release);
            self->held[kept++] = self->held[i];
        }
    self->count = kept;
    return next;
}

static void *
release_thread (void *arg)
{
    struct zmq_context *context = arg;
    struct zmq_linger *self = &context->lingering;
    pthread_mutex_lock (&context->lock);
    while (!self->stopping) {
        int64_t next = release_due (self, clock_now (clock_system ()));
        struct timespec until = { .tv_sec = next / TIME_S, .tv_nsec = next % TIME_S };
        if (next == TIME_FOREVER)
            pthread_cond_wait (&self->changed, &context->lock);
        else
            pthread_cond_timedwait (&self->changed, &context->lock, &until);
    }
    pthread_mutex_unlock (&context->lock);
    return NULL;
}

/*  Signals are for the threads of the program. */
static bool
start_thread (struct zmq_context *context)
{
    struct zmq_linger *self = &context->lingering;
    pthread_condattr_t attributes;
    sigset_t all, before;
    pthread_condattr_init (&attributes);
    pthread_condattr_setclock (&attributes, CLOCK_MONOTONIC);
    pthread_cond_init (&self->changed, &attributes);
    pthread_condattr_destroy (&attributes);
    sigfillset (&all);
    pthread_sigmask (SIG_BLOCK, &all, &before);
    self->running = pthread_create (&self->thread, NULL, release_thread, context) == 0;
    pthread_sigmask (SIG_SETMASK, &before, NULL);
    if (!self->running)
        pthread_cond_destroy (&self->changed);
    return self->running;
}

/* ------------------------------------------------------------ a wire closes */

/*  Under the lock. What cannot be held is let go: then it is as without us. */
static void
hold (struct zmq_context *context, int peer, int64_t release)
{
    struct zmq_linger *self = &context->lingering;
    if (self->count == self->capacity) {
        size_t capacity = self->capacity ? self->capacity * 2 : 8;
        struct lingering *held = realloc (self->held, capacity * sizeof *held);
        if (!held)
            return;
        self->held = held;
        self->capacity = capacity;
    }
    int fd = fcntl (peer, F_DUPFD_CLOEXEC, 0);
    if (fd >= 0)
        self->held[self->count++] = (struct lingering) { .fd = fd, .peer = peer, .release = release };
}

void
linger_hold (struct zmq_wire *wire)
{
    struct zmq_context *context = wire->context;
    struct zmq_linger *self = &context->lingering;
    int64_t linger = wire->wire.options.linger;
    if (linger == 0 || !wire->monitor.socket)
        return;
    drain_monitor (wire);
    int64_t release = clock_now (clock_system ()) + (linger == TIME_FOREVER || linger > HOLD_MAX ? HOLD_MAX : linger);
    pthread_mutex_lock (&context->lock);
    size_t before = self->count;
    for (size_t i = 0; i < wire->monitor.count; i++)
        if (is_unix (wire->monitor.peers[i].fd))
            hold (context, wire->monitor.peers[i].fd, release);

    /*  libzmq tells of the end of a connection before it closes it: where nothing was told by
     *  now, the descriptor was still the one that we meant. */
    drain_monitor (wire);
    size_t kept = before;
    for (size_t i = before; i < self->count; i++)
        if (is_connected (&wire->monitor, self->held[i].peer))
            self->held[kept++] = self->held[i];
        else
            close (self->held[i].fd);
    self->count = kept;
    if (self->count > before && (self->running || start_thread (context)))
        pthread_cond_signal (&self->changed);
    pthread_mutex_unlock (&context->lock);
}

/* --------------------------------------------------------- the context ends */

void
linger_stop (struct zmq_context *context)
{
    struct zmq_linger *self = &context->lingering;
    if (!self->running)
        return;
    pthread_mutex_lock (&context->lock);
    self->stopping = true;
    pthread_cond_signal (&self->changed);
    pthread_mutex_unlock (&context->lock);
    pthread_join (self->thread, NULL);
    pthread_cond_destroy (&self->changed);
    self->running = false;
}

/*  Has the peer closed? What it still sends (a heartbeat) is of no interest. */
static bool
has_closed (const struct pollfd *item)
{
    char rest[4096];
    if (item->revents & (POLLHUP | POLLERR | POLLNVAL))
        return true;
    return item->revents & POLLIN && recv (item->fd, rest, sizeof rest, MSG_DONTWAIT) == 0;
}

bool
linger_finish (struct zmq_context *context, int64_t deadline)
{
    struct zmq_linger *self = &context->lingering;
    struct pollfd *items = self->count ? calloc (self->count, sizeof *items) : NULL;
    size_t open = items ? self->count : 0;
    for (size_t i = 0; i < open; i++) {
        items[i] = (struct pollfd) { .fd = self->held[i].fd, .events = POLLIN };
        shutdown (items[i].fd, SHUT_WR);
    }
    int64_t left;
    while (open > 0 && (left = clock_left (clock_system (), deadline)) != 0) {
        poll (items, open, clock_poll_ms (left));
        for (size_t i = open; i-- > 0;)
            if (has_closed (&items[i]))
                items[i] = items[--open];
    }
    for (size_t i = 0; i < self->count; i++)
        close (self->held[i].fd);
    free (items);
    free (self->held);
    self->held = NULL;
    self->count = self->capacity = 0;
    return open > 0;
}
