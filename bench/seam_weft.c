/*  seam_weft.c - the seam itself: libweft through its public header, with bytes in and out, as zmq_send and
 *  zmq_recv have them; seam_weft_msg.c is the same with messages */

#include <stdio.h>
#include <stdlib.h>

#include "weft.h"

struct link {
    weft_socket_t *socket;
    weft_msg_t msg;
};

#include "bench/seam.h"

#define STRING(x) #x
#define TEXT_OF(x) STRING (x)

static weft_t *weft;

static void
must (int result)
{
    if (result < 0)
        die ("%s", weft_error ());
}

static void
link_context_open (void)
{
    weft = weft_new ();
    if (!weft)
        die ("%s", weft_error ());
}

static void
link_context_close (void)
{
    must (weft_destroy (&weft));
}

/*  Keys are files in that folder, and so is the list. */
static void
secure (struct link *self, bool near)
{
    const char *folder = getenv ("SEAM_KEYS");
    char path[4096];

    if (!folder)
        return;
    snprintf (path, sizeof path, "%s/%s.key", folder, near ? "near" : "far");
    must (weft_set (self->socket, "key", path));
    snprintf (path, sizeof path, "%s/%s", folder, near ? "allowed" : "near.key");
    must (weft_set (self->socket, near ? "allow" : "server-key", path));
}

static void
link_open (struct link *self, enum role role)
{
    static const char *const patterns[] = {[ROLE_REPLY] = "rep", [ROLE_REQUEST] = "req",
                                           [ROLE_PULL] = "pull", [ROLE_PUSH] = "push"};

    self->socket = weft_open (weft, patterns[role]);
    if (!self->socket)
        die ("%s", weft_error ());
    must (weft_set (self->socket, "hwm", TEXT_OF (SEAM_HWM)));
    must (weft_set (self->socket, "linger", TEXT_OF (SEAM_LINGER_MS) "ms"));
    secure (self, role == ROLE_REPLY || role == ROLE_PULL);
    weft_msg_init (&self->msg);
}

static void
link_bind (struct link *self, enum role role, char endpoint[ENDPOINT_BYTES])
{
    link_open (self, role);
    must (weft_bind (self->socket, endpoint));
    snprintf (endpoint, ENDPOINT_BYTES, "%s", weft_endpoint (self->socket));
}

static void
link_connect (struct link *self, enum role role, const char *endpoint)
{
    link_open (self, role);
    must (weft_connect (self->socket, endpoint));
}

#ifdef SEAM_MESSAGES
static void
link_send (struct link *self, const void *data, size_t size)
{
    must (weft_msg_add (&self->msg, data, size));
    must (weft_send (self->socket, &self->msg, 0));
}

static void
link_recv (struct link *self, void *data, size_t size)
{
    must (weft_recv (self->socket, &self->msg, 0));
    if (weft_msg_size (&self->msg, 0) != size)
        die ("a message of %zu bytes, not %zu", weft_msg_size (&self->msg, 0), size);
    memcpy (data, weft_msg_data (&self->msg, 0), size);
    weft_msg_clear (&self->msg);
}
#else
static void
link_send (struct link *self, const void *data, size_t size)
{
    must (weft_send_data (self->socket, data, size, 0));
}

static void
link_recv (struct link *self, void *data, size_t size)
{
    int64_t got = weft_recv_data (self->socket, data, size, 0);
    if (got < 0)
        die ("%s", weft_error ());
    if ((size_t) got != size)
        die ("a message of %lld bytes, not %zu", (long long) got, size);
}
#endif

static void
link_flush (struct link *self)
{
    (void) self;                /*  sent is sent */
}

static void
link_close (struct link *self)
{
    weft_msg_clear (&self->msg);
    weft_close (&self->socket);
}
