/*  wire_zmq_address.c - binding and connecting, and when a send may go */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <zmq.h>

#include "core/error.h"
#include "core/wire_zmq.h"

#define FREED_TIME (200 * TIME_MS)      /*  until a listener that was closed is surely gone */

static int
ensure_inproc (struct zmq_wire *self)
{
    if (self->inproc_fd >= 0)
        return 0;
    self->inproc_fd = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (self->inproc_fd < 0)
        return error_errno ("inproc");
    if (self->poll_fd >= 0) {
        struct epoll_event event = { .events = EPOLLIN };
        epoll_ctl (self->poll_fd, EPOLL_CTL_ADD, self->inproc_fd, &event);
    }
    return 0;
}

static int
connect_now (struct zmq_wire *self, const struct endpoint *endpoint, bool immediate)
{
    self->outside |= endpoint->transport != ENDPOINT_INPROC;
    int rc = zmq_wire_set (self, ZMQ_IPV6, endpoint->ipv6);
    rc = rc ? rc : zmq_wire_set (self, ZMQ_IMMEDIATE, immediate);
    if (rc)
        return rc;
    rc = secure_connect (self, endpoint);
    if (rc)
        return rc;
    if (zmq_connect (self->socket, endpoint->wire))
        return zmq_wire_error (endpoint->text);
    return endpoint->transport == ENDPOINT_INPROC ? inproc_add (self, endpoint->path, false) : 0;
}

/*  What waited is connected, as one of several or alone. */
static int
decide (struct zmq_wire *self, enum zmq_gate gate)
{
    struct endpoint *first = self->first;
    self->gate = gate;
    self->first = NULL;
    int rc = first ? connect_now (self, first, gate != GATE_SINGLE) : 0;
    free (first);
    return rc;
}

int
address_settle (struct zmq_wire *self)
{
    return self->gate == GATE_UNDECIDED && self->first ? decide (self, GATE_SINGLE) : 0;
}

int
address_pass (struct zmq_wire *self, int64_t timeout)
{
    int rc = address_settle (self);
    rc = rc ? rc : inproc_settle (self);
    if (rc || !address_closed (self))
        return rc;
    rc = timeout ? wire_wait (&self->wire, 0, timeout) : 0;
    if (rc < 0)
        return rc;
    return error_plain (timeout ? WEFT_ETIMEOUT : WEFT_EAGAIN);
}

static int
bind_error (const struct endpoint *endpoint)
{
    switch (zmq_errno ()) {
    case EADDRINUSE:
        return error_set (WEFT_EADDRINUSE, "%s: somebody listens there already; choose another %s", endpoint->text,
                          endpoint->transport == ENDPOINT_TCP ? "port, or 0 for any that is free" : "name");
    case EADDRNOTAVAIL:
        return error_set (WEFT_EADDR, "%s: this machine does not have that address", endpoint->text);
    default:
        return zmq_wire_error (endpoint->text);
    }
}

static void
note_freed (struct zmq_context *context)
{
    pthread_mutex_lock (&context->lock);
    context->freed = clock_now (clock_system ());
    pthread_mutex_unlock (&context->lock);
}

/*  libzmq closes a listener in its own thread, some time after it was told to: to bind there
 *  again is tried for a while when something was let go of a moment ago. */
static int
bind_patiently (struct zmq_wire *self, const struct endpoint *endpoint)
{
    static const struct timespec pause = { .tv_nsec = TIME_MS };
    pthread_mutex_lock (&self->context->lock);
    int64_t deadline = self->context->freed + FREED_TIME;
    pthread_mutex_unlock (&self->context->lock);
    int rc;
    while ((rc = zmq_bind (self->socket, endpoint->wire)) && zmq_errno () == EADDRINUSE
           && clock_left (clock_system (), deadline) > 0)
        nanosleep (&pause, NULL);
    return rc;
}

/*  Nobody is listened to when strangers are let in. */
static int
test_keys (struct zmq_wire *self, const struct endpoint *endpoint)
{
    int rc = zap_listens (self, self->wire.bound);
    rc = rc ? rc : secure_test (self, endpoint);
    if (rc == 0)
        return 0;
    zmq_unbind (self->socket, self->wire.bound);
    note_freed (self->context);
    if (endpoint->transport == ENDPOINT_IPC)
        ipc_remove (self, endpoint->path);
    self->wire.bound[0] = '\0';
    return rc;
}

int
address_bind (struct wire *wire, const struct endpoint *endpoint)
{
    struct zmq_wire *self = (struct zmq_wire *) wire;
    bool inproc = endpoint->transport == ENDPOINT_INPROC;
    bool ipc = endpoint->transport == ENDPOINT_IPC;
    struct endpoint place = *endpoint;
    self->outside |= !inproc;
    int rc = decide (self, GATE_NONE);
    rc = rc ? rc : zmq_wire_set (self, ZMQ_IPV6, endpoint->ipv6);
    rc = rc || !(inproc || self->wire.options.security.secret_key[0]) ? rc : ensure_inproc (self);
    rc = rc ? rc : secure_bind (self, endpoint);
    rc = rc || !ipc ? rc : ipc_listen (self, &place);
    if (rc)
        return rc;
    if (bind_patiently (self, &place))
        rc = bind_error (endpoint);
    if (ipc)
        ipc_listened (self, &place, rc == 0);
    if (rc)
        return rc;
    size_t size = sizeof wire->bound;
    if (zmq_getsockopt (self->socket, ZMQ_LAST_ENDPOINT, wire->bound, &size))
        return zmq_wire_error (endpoint->text);
    return inproc ? inproc_add (self, endpoint->path, true) : test_keys (self, &place);
}

int
address_connect (struct wire *wire, const struct endpoint *endpoint)
{
    struct zmq_wire *self = (struct zmq_wire *) wire;
    int rc = endpoint->transport == ENDPOINT_INPROC ? ensure_inproc (self) : 0;
    if (rc)
        return rc;
    if (self->gate == GATE_UNDECIDED && !self->first) {
        self->first = malloc (sizeof *self->first);
        if (!self->first)
            return error_plain (WEFT_ENOMEM);
        *self->first = *endpoint;
        return 0;
    }
    rc = decide (self, GATE_NONE);
    return rc ? rc : connect_now (self, endpoint, wire->options.immediate);
}

int
address_disconnect (struct wire *wire, const struct endpoint *endpoint)
{
    struct zmq_wire *self = (struct zmq_wire *) wire;
    int rc = address_settle (self);
    if (rc)
        return rc;
    if (zmq_disconnect (self->socket, endpoint->wire) && zmq_unbind (self->socket, endpoint->wire))
        return error_set (WEFT_EENDPOINT, "%s: not connected or bound there", endpoint->text);
    note_freed (self->context);
    if (endpoint->transport == ENDPOINT_INPROC)
        inproc_remove (self, endpoint->path);
    if (endpoint->transport == ENDPOINT_IPC)
        ipc_remove (self, endpoint->path);
    return 0;
}

void
address_free (struct zmq_wire *self)
{
    ipc_remove (self, NULL);        /*  while we still listen, so that nobody else can be there */
    if (self->inproc_fd >= 0)
        inproc_remove (self, NULL);
    if (self->wire.bound[0])
        note_freed (self->context);
}
