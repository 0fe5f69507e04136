/*  seam_zmq.c - the seam's peer: the same loops on bare libzmq */

#include <stddef.h>
#include <zmq.h>

struct link {
    void *socket;
};

#include "bench/seam.h"

static void *context;

static void
link_context_open (void)
{
    context = zmq_ctx_new ();
    check (context, "zmq_ctx_new");
}

static void
link_context_close (void)
{
    zmq_ctx_term (context);
}

/*  A value of a key file. */
static void
key_of (const char *folder, const char *name, const char *what, char key[41])
{
    char path[4096], line[256];
    FILE *file;

    snprintf (path, sizeof path, "%s/%s.key", folder, name);
    file = fopen (path, "r");
    check (file, path);
    key[0] = 0;
    while (fgets (line, sizeof line, file)) {
        char *at = strstr (line, what);
        if (at && (at = strchr (at, '"')))
            snprintf (key, 41, "%.40s", at + 1);
    }
    fclose (file);
    check (strlen (key) == 40, path);
}

/*  CURVE as one would set it up plainly, where a server without a ZAP handler lets in everybody. */
static void
secure (struct link *self, int near)
{
    const char *folder = getenv ("SEAM_KEYS"), *name = near ? "near" : "far";
    char public_key[41], secret_key[41], server_key[41];
    int one = 1;

    if (!folder)
        return;
    key_of (folder, name, "public-key", public_key);
    key_of (folder, name, "secret-key", secret_key);
    key_of (folder, "near", "public-key", server_key);
    check (!zmq_setsockopt (self->socket, ZMQ_CURVE_SECRETKEY, secret_key, 41), "ZMQ_CURVE_SECRETKEY");
    if (near)
        check (!zmq_setsockopt (self->socket, ZMQ_CURVE_SERVER, &one, sizeof one), "ZMQ_CURVE_SERVER");
    else
        check (!zmq_setsockopt (self->socket, ZMQ_CURVE_PUBLICKEY, public_key, 41)
               && !zmq_setsockopt (self->socket, ZMQ_CURVE_SERVERKEY, server_key, 41), "ZMQ_CURVE_SERVERKEY");
}

static void
link_open (struct link *self, enum role role)
{
    static const int types[] = {[ROLE_REPLY] = ZMQ_REP, [ROLE_REQUEST] = ZMQ_REQ,
                                [ROLE_PULL] = ZMQ_PULL, [ROLE_PUSH] = ZMQ_PUSH};
    int hwm = SEAM_HWM, linger = SEAM_LINGER_MS;

    self->socket = zmq_socket (context, types[role]);
    check (self->socket, "zmq_socket");
    zmq_setsockopt (self->socket, ZMQ_SNDHWM, &hwm, sizeof hwm);
    zmq_setsockopt (self->socket, ZMQ_RCVHWM, &hwm, sizeof hwm);
    zmq_setsockopt (self->socket, ZMQ_LINGER, &linger, sizeof linger);
    secure (self, role == ROLE_REPLY || role == ROLE_PULL);
}

static void
link_bind (struct link *self, enum role role, char endpoint[ENDPOINT_BYTES])
{
    size_t size = ENDPOINT_BYTES;

    link_open (self, role);
    check (zmq_bind (self->socket, endpoint) == 0, endpoint);
    check (zmq_getsockopt (self->socket, ZMQ_LAST_ENDPOINT, endpoint, &size) == 0, "ZMQ_LAST_ENDPOINT");
}

static void
link_connect (struct link *self, enum role role, const char *endpoint)
{
    link_open (self, role);
    check (zmq_connect (self->socket, endpoint) == 0, endpoint);
}

static void
link_send (struct link *self, const void *data, size_t size)
{
    check (zmq_send (self->socket, data, size, 0) == (int) size, "zmq_send");
}

static void
link_recv (struct link *self, void *data, size_t size)
{
    check (zmq_recv (self->socket, data, size, 0) == (int) size, "zmq_recv");
}

static void
link_flush (struct link *self)
{
    (void) self;                /*  sent is sent */
}

static void
link_close (struct link *self)
{
    zmq_close (self->socket);
}
