/*  wire_zmq_wait.c - what a wire of libzmq's is waited for by: a descriptor, the events that hold, connection events
 *
 *  ZMQ_FD signals edges, of commands too, and says nothing by itself: what holds is asked of ZMQ_EVENTS. One epoll
 *  descriptor gathers it with all else that can wake a wire. */

#include "core/wire_zmq.h"

#include <sys/epoll.h>
#include <unistd.h>
#include <zmq.h>

#include "core/error.h"

enum watched { WATCHED_SOCKET, WATCHED_MONITOR, WATCHED_INPROC, WATCHED };

static int
watch (int poll_fd, void *socket, enum watched what)
{
    int fd;
    size_t size = sizeof fd;
    struct epoll_event event = { .events = EPOLLIN, .data.u32 = what };
    if (zmq_getsockopt (socket, ZMQ_FD, &fd, &size))
        return zmq_wire_error ("socket");
    return epoll_ctl (poll_fd, EPOLL_CTL_ADD, fd, &event) ? error_errno ("epoll") : 0;
}

int
zmq_wire_fd (struct wire *wire)
{
    struct zmq_wire *self = (struct zmq_wire *) wire;
    if (self->poll_fd >= 0)
        return self->poll_fd;
    int rc = address_settle (self);
    if (rc)
        return rc;
    int fd = epoll_create1 (EPOLL_CLOEXEC);
    if (fd < 0)
        return error_errno ("epoll");
    rc = watch (fd, self->socket, WATCHED_SOCKET);
    rc = rc ? rc : watch (fd, self->monitor.socket, WATCHED_MONITOR);
    struct epoll_event event = { .events = EPOLLIN, .data.u32 = WATCHED_INPROC };
    if (rc == 0 && self->inproc_fd >= 0 && epoll_ctl (fd, EPOLL_CTL_ADD, self->inproc_fd, &event))
        rc = error_errno ("epoll");
    if (rc) {
        close (fd);
        return rc;
    }
    return self->poll_fd = fd;
}

bool
zmq_wire_stirred (const struct zmq_wire *self)
{
    struct epoll_event events[WATCHED];
    int count = self->poll_fd >= 0 ? epoll_wait (self->poll_fd, events, WATCHED, 0) : -1;
    for (int i = 0; i < count; i++)
        if (events[i].data.u32 == WATCHED_MONITOR)
            return true;
    return count < 0;
}

int
zmq_wire_events (struct wire *wire)
{
    struct zmq_wire *self = (struct zmq_wire *) wire;
    int events = 0;
    size_t size = sizeof events;
    int rc = address_settle (self);
    if (rc)
        return rc;
    /*  It does not wait, and yet a signal may interrupt it. */
    while (zmq_getsockopt (self->socket, ZMQ_EVENTS, &events, &size))
        if (zmq_errno () != EINTR)
            return zmq_wire_error ("socket");
    if (address_closed (self))
        events &= ~ZMQ_POLLOUT;
    return (events & ZMQ_POLLIN || subscribe_ready (self) ? WEFT_IN : 0) | (events & ZMQ_POLLOUT ? WEFT_OUT : 0)
           | ((self->outside && monitor_ready (self)) || inproc_ready (self) || zap_ready (self)
              ? WEFT_ERR : 0);
}

int
zmq_wire_wait (struct wire *wire, int events, int64_t timeout)
{
    struct zmq_wire *self = (struct zmq_wire *) wire;
    int rc = address_settle (self);
    if (rc)
        return rc;
    if (address_closed (self))
        events &= ~WEFT_OUT;
    if (events & WEFT_IN && subscribe_ready (self))
        return WEFT_IN;
    zmq_pollitem_t items[] = {
        { .socket = self->socket,
          .events = (short) ((events & WEFT_IN ? ZMQ_POLLIN : 0) | (events & WEFT_OUT ? ZMQ_POLLOUT : 0)) },
        { .socket = self->monitor.socket, .events = ZMQ_POLLIN },
        { .fd = self->inproc_fd, .events = ZMQ_POLLIN },
    };
    rc = zmq_poll (items, self->inproc_fd >= 0 ? 3 : 2, clock_poll_ms (timeout));
    self->monitor.stirred |= rc < 0 || items[1].revents;    /*  zmq_poll has taken in what its descriptor said */
    if (rc < 0)
        return zmq_wire_error ("wait");
    return (items[0].revents & ZMQ_POLLIN ? WEFT_IN : 0) | (items[0].revents & ZMQ_POLLOUT ? WEFT_OUT : 0)
           | (items[1].revents || (self->inproc_fd >= 0 && items[2].revents) ? WEFT_ERR : 0);
}

int
zmq_wire_next_event (struct wire *wire, struct wire_event *event)
{
    struct zmq_wire *self = (struct zmq_wire *) wire;
    int rc = address_settle (self);
    rc = rc ? rc : zap_next (self, event);
    rc = rc ? rc : inproc_next (self, event);
    return rc || !self->outside ? rc : monitor_next (self, event);
}
