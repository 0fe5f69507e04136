/*  wire_zmq_secure.c - the keys of an endpoint, and the test after a bind that strangers are kept out
 *
 *  libzmq copies a socket's options at each bind and connect: so they are set just before, and one socket
 *  may do both. CURVE fails closed only with a domain that is enforced: without a handler libzmq lets
 *  everybody in. Who connects in clear text has a domain that is not: see finish in wire_zmq_zap.c. */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/error.h"
#include "core/wire_zmq.h"

/*  Accepted by libzmq 4.3, though its header hides it among the drafts. */
#define ENFORCE_DOMAIN 93

#define TEST_TIME (2 * TIME_S)

/*  That libzmq takes for an endpoint, the actor for itself, and the test. */
enum { ENDPOINT_DESCRIPTORS = 2, ZAP_DESCRIPTORS = 3, TEST_DESCRIPTORS = 8 };

static int
set_text (struct zmq_wire *self, int option, const char *text)
{
    return zmq_setsockopt (self->socket, option, text, strlen (text)) ? zmq_wire_error ("keys") : 0;
}

static int
set_key (struct zmq_wire *self, int option, const char *key)
{
    if (!key_is_text (key))
        return error_set (WEFT_EINVAL, "a key is 40 characters of Z85");
    if (zmq_setsockopt (self->socket, option, key, KEY_TEXT) == 0)
        return 0;
    return zmq_errno () == EINVAL ? error_set (WEFT_ENOTSUP, "this libzmq has no CURVE") : zmq_wire_error ("keys");
}

static int
set_domain (struct zmq_wire *self, bool out)
{
    char name[ZAP_DOMAIN_MAX];
    int rc = zmq_wire_room (self->domain ? ENDPOINT_DESCRIPTORS : ENDPOINT_DESCRIPTORS + ZAP_DESCRIPTORS);
    rc = rc ? rc : zap_enter (self);
    if (rc)
        return rc;
    zap_domain_name (self, out, name);
    rc = set_text (self, ZMQ_ZAP_DOMAIN, name);
    return rc ? rc : zmq_wire_set (self, ENFORCE_DOMAIN, !out);
}

int
secure_bind (struct zmq_wire *self, const struct endpoint *endpoint)
{
    const struct wire_security *security = &self->wire.options.security;
    if (endpoint->transport == ENDPOINT_INPROC)
        return 0;
    int rc = set_domain (self, false);
    if (rc || !security->secret_key[0])
        return rc;
    rc = zmq_wire_set (self, ZMQ_CURVE_SERVER, 1);
    rc = rc ? rc : set_key (self, ZMQ_CURVE_SECRETKEY, security->secret_key);
    return rc ? rc : guard_open (self);
}

int
secure_connect (struct zmq_wire *self, const struct endpoint *endpoint)
{
    const struct wire_security *security = &self->wire.options.security;
    if (endpoint->transport == ENDPOINT_INPROC)
        return 0;
    if (!security->secret_key[0])
        return set_domain (self, true);
    if (!security->server_key[0])
        return error_set (WEFT_EINVAL, "%s: give the server-key of whom we connect to, as well as our key",
                          endpoint->text);
    int rc = set_key (self, ZMQ_CURVE_SERVERKEY, security->server_key);
    rc = rc ? rc : set_key (self, ZMQ_CURVE_PUBLICKEY, security->public_key);
    return rc ? rc : set_key (self, ZMQ_CURVE_SECRETKEY, security->secret_key);
}

/* ------------------------------------------------------------------ the test */

/*  Where we listen, as one connects to it. */
static void
target_of (const char *bound, char target[ENDPOINT_MAX])
{
    static const char any4[] = "tcp://0.0.0.0:", any6[] = "tcp://[::]:";
    if (strncmp (bound, any4, sizeof any4 - 1) == 0)
        snprintf (target, ENDPOINT_MAX, "tcp://127.0.0.1:%s", bound + sizeof any4 - 1);
    else if (strncmp (bound, any6, sizeof any6 - 1) == 0)
        snprintf (target, ENDPOINT_MAX, "tcp://[::1]:%s", bound + sizeof any6 - 1);
    else
        snprintf (target, ENDPOINT_MAX, "%s", bound);
}

/*  A stranger, of the kind that this wire speaks with, and its monitor. */
struct stranger {
    void *socket, *monitor;
};

static int
send_stranger (struct zmq_wire *self, struct stranger *stranger, const char *target, bool ipv6)
{
    static const int types[WIRE_TYPES] = {
        ZMQ_PAIR, ZMQ_DEALER, ZMQ_DEALER, ZMQ_SUB, ZMQ_PUB, ZMQ_PUB, ZMQ_PULL, ZMQ_PUSH,
    };
    char public_key[KEY_TEXT], secret_key[KEY_TEXT], server_key[KEY_TEXT], name[64];
    int none = 0, six = ipv6;
    int rc = zmq_wire_room (TEST_DESCRIPTORS);
    rc = rc ? rc : curve_keypair (public_key, secret_key);
    rc = rc ? rc : curve_public (server_key, self->wire.options.security.secret_key);
    if (rc)
        return rc;
    zap_set_probe (self, public_key);
    snprintf (name, sizeof name, "inproc://weft.stranger.%s", public_key);
    stranger->socket = zmq_socket (self->context->zmq, types[self->wire.type]);
    stranger->monitor = stranger->socket ? zmq_socket (self->context->zmq, ZMQ_PAIR) : NULL;
    if (!stranger->monitor || zmq_setsockopt (stranger->socket, ZMQ_LINGER, &none, sizeof none)
        || zmq_setsockopt (stranger->monitor, ZMQ_LINGER, &none, sizeof none)
        || zmq_setsockopt (stranger->socket, ZMQ_IPV6, &six, sizeof six)
        || zmq_setsockopt (stranger->socket, ZMQ_CURVE_SERVERKEY, server_key, KEY_TEXT)
        || zmq_setsockopt (stranger->socket, ZMQ_CURVE_PUBLICKEY, public_key, KEY_TEXT)
        || zmq_setsockopt (stranger->socket, ZMQ_CURVE_SECRETKEY, secret_key, KEY_TEXT)
        || zmq_socket_monitor (stranger->socket, name,
                               ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH)
        || zmq_connect (stranger->monitor, name) || zmq_connect (stranger->socket, target))
        return zmq_wire_error ("the test of our own guard");
    return 0;
}

/*  Is it let in? Whoever gets no answer is not. */
static bool
is_let_in (const struct stranger *stranger)
{
    struct clock *clock = clock_system ();
    int64_t deadline = clock_deadline (clock, TEST_TIME), left;
    unsigned char head[6];
    while ((left = clock_left (clock, deadline)) > 0) {
        zmq_pollitem_t item = { .socket = stranger->monitor, .events = ZMQ_POLLIN };
        uint16_t event;
        if (zmq_poll (&item, 1, clock_poll_ms (left)) <= 0)
            continue;
        if (zmq_recv (stranger->monitor, head, sizeof head, ZMQ_DONTWAIT) != (int) sizeof head)
            continue;           /*  the endpoint that follows on each */
        memcpy (&event, head, sizeof event);
        return event == ZMQ_EVENT_HANDSHAKE_SUCCEEDED;
    }
    return false;
}

int
secure_test (struct zmq_wire *self, const struct endpoint *endpoint)
{
    struct stranger stranger = { NULL, NULL };
    char target[ENDPOINT_MAX];
    if (endpoint->transport == ENDPOINT_INPROC || !self->wire.options.security.secret_key[0])
        return 0;
    target_of (self->wire.bound, target);
    int rc = send_stranger (self, &stranger, target, strchr (target, '[') != NULL);
    if (rc == 0 && is_let_in (&stranger))
        rc = error_set (WEFT_EACCES, "%s: a key that nobody knows was let in; keys do not work here, so nobody is "
                        "listened to", endpoint->text);
    if (stranger.socket) {
        zmq_socket_monitor (stranger.socket, NULL, 0);
        zmq_close (stranger.socket);
    }
    if (stranger.monitor)
        zmq_close (stranger.monitor);
    return rc;
}
