/*  wire_zmq_inproc.c - who is joined to whom over inproc
 *
 *  libzmq's monitor is silent about inproc, yet waiting for peers and ending when
 *  they have gone is to work the same over every transport. So the context keeps a
 *  list of names that are bound and connected, and wakes both sides of a pair.
 *
 *  A connection of libzmq's over inproc ends for good with the socket that has bound the name. So whoever connects does
 *  it again then, and waits for the next one, as over any other transport. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "core/error.h"
#include "core/wire_zmq.h"

struct inproc_link {
    struct inproc_link *next;
    struct zmq_wire *wire;      /*  NULL: it has left, after it sent to a name that nobody had bound yet */
    bool bind;
    bool met;                   /*  somebody was at the other end       */
    bool again;                 /*  he has left: to be connected again, by the thread that has the wire */
    const char *name;
    char endpoint[];            /*  of which the name is the end */
};

void
inproc_wake (struct zmq_wire *wire)
{
    eventfd_write (wire->inproc_fd, 1);
    atomic_store (&wire->inproc_woken, true);
}

/*  Under the context's lock. */
static void
tell (struct zmq_wire *wire, bool up)
{
    if (up) {
        wire->inproc_up++;
        wire->inproc_several |= ++wire->inproc_now > 1;
    } else {
        wire->inproc_down++;
        wire->inproc_now--;
    }
    inproc_wake (wire);
}

static void
tell_pairs (struct inproc_link *link, bool up)
{
    for (struct inproc_link *other = link->wire->context->links; other; other = other->next)
        if (other->wire && other->bind != link->bind && strcmp (other->name, link->name) == 0) {
            tell (other->wire, up);
            tell (link->wire, up);
            other->met = link->met = true;
            if (!up && link->bind) {
                other->again = true;
                atomic_store (&other->wire->inproc_again, true);
            }
        }
}

/*  What it sent waits in libzmq for whoever binds the name, who is to learn then that it came
 *  and left. One for each name will do. */
static bool
leaves_messages (const struct inproc_link *link, const struct zmq_wire *wire)
{
    if (link->bind || link->met || wire->wire.counters.sent == 0 || wire->wire.options.linger == 0)
        return false;
    for (struct inproc_link *other = wire->context->links; other; other = other->next)
        if (!other->wire && strcmp (other->name, link->name) == 0)
            return false;
    return true;
}

/*  Tells who has bound a name of those who left. */
static void
tell_left (struct zmq_wire *wire, const char *name)
{
    for (struct inproc_link **place = &wire->context->links; *place;) {
        struct inproc_link *link = *place;
        if (link->wire || strcmp (link->name, name) != 0) {
            place = &link->next;
            continue;
        }
        *place = link->next;
        free (link);
        tell (wire, true);
        tell (wire, false);
    }
}

int
inproc_add (struct zmq_wire *wire, const char *name, bool bind)
{
    static const char scheme[] = "inproc://";
    size_t size = sizeof scheme + strlen (name);
    struct inproc_link *link = malloc (sizeof *link + size);
    if (!link)
        return error_plain (WEFT_ENOMEM);
    link->wire = wire;
    link->bind = bind;
    link->met = link->again = false;
    snprintf (link->endpoint, size, "%s%s", scheme, name);
    link->name = link->endpoint + sizeof scheme - 1;

    struct zmq_context *context = wire->context;
    pthread_mutex_lock (&context->lock);
    link->next = context->links;
    context->links = link;
    tell_pairs (link, true);
    if (bind)
        tell_left (wire, name);
    pthread_mutex_unlock (&context->lock);
    return 0;
}

void
inproc_remove (struct zmq_wire *wire, const char *name)
{
    struct zmq_context *context = wire->context;
    pthread_mutex_lock (&context->lock);
    for (struct inproc_link **place = &context->links; *place;) {
        struct inproc_link *link = *place;
        if (link->wire != wire || (name && strcmp (link->name, name) != 0)) {
            place = &link->next;
            continue;
        }
        *place = link->next;
        if (link->bind)
            zmq_unbind (wire->socket, link->endpoint);      /*  at once, as closing would not */
        tell_pairs (link, false);
        if (leaves_messages (link, wire)) {
            link->wire = NULL;
            *place = link;
            place = &link->next;
        } else
            free (link);
    }
    pthread_mutex_unlock (&context->lock);
}

void
inproc_finish (struct zmq_context *context)
{
    struct inproc_link *next;
    for (struct inproc_link *link = context->links; link; link = next) {
        next = link->next;
        free (link);
    }
}

bool
inproc_ready (struct zmq_wire *wire)
{
    return atomic_load (&wire->inproc_woken);
}

/*  The old connection takes messages until the socket at its other end is closed in the background, and loses them. So
 *  it ends here, unless what it has brought would be lost with it. */
static void
end_old (struct zmq_wire *wire, const char *endpoint)
{
    int events = 0;
    size_t size = sizeof events;
    if (wire->wire.type == WIRE_DEALER && zmq_getsockopt (wire->socket, ZMQ_EVENTS, &events, &size))
        return;
    if (wire->wire.type == WIRE_PUSH || (wire->wire.type == WIRE_DEALER && !(events & ZMQ_POLLIN)))
        zmq_disconnect (wire->socket, endpoint);
}

/*  libzmq takes a connection to a name that nobody has bound yet. Under the context's lock. */
static int
connect_again (struct zmq_wire *wire)
{
    if (!atomic_exchange (&wire->inproc_again, false))
        return 0;
    for (struct inproc_link *link = wire->context->links; link; link = link->next)
        if (link->wire == wire && link->again) {
            link->again = false;
            end_old (wire, link->endpoint);
            if (zmq_connect (wire->socket, link->endpoint))
                return zmq_wire_error (link->endpoint);
        }
    return 0;
}

int
inproc_settle (struct zmq_wire *wire)
{
    if (!atomic_load (&wire->inproc_again))
        return 0;
    pthread_mutex_lock (&wire->context->lock);
    int rc = connect_again (wire);
    pthread_mutex_unlock (&wire->context->lock);
    return rc;
}

int
inproc_next (struct zmq_wire *wire, struct wire_event *event)
{
    if (!inproc_ready (wire))
        return 0;
    int rc = inproc_settle (wire);
    if (rc)
        return rc;
    pthread_mutex_lock (&wire->context->lock);
    if (wire->inproc_up) {
        wire->inproc_up--;
        *event = (struct wire_event) { .kind = WIRE_CONNECTED, .endpoint = "inproc", .text = "a peer has come" };
        rc = 1;
    } else if (wire->inproc_down) {
        wire->inproc_down--;
        *event = (struct wire_event) { .kind = WIRE_DISCONNECTED, .endpoint = "inproc", .text = "a peer has gone" };
        rc = 1;
    }
    /*  Silent as soon as the last is told, so that nobody is woken for nothing. */
    eventfd_t count;
    if (!wire->inproc_up && !wire->inproc_down) {
        atomic_store (&wire->inproc_woken, false);
        eventfd_read (wire->inproc_fd, &count);
    }
    pthread_mutex_unlock (&wire->context->lock);
    return rc;
}
