/*  socket.c - weft_socket_t: from opening to closing, its options and its endpoints */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "patterns/pattern.h"

#define AT(field) offsetof (struct socket_config, field)

const struct option socket_options[] = {
    { "timeout", 0, OPTION_TIME, "TIME", "forever", -1, SOCKET_DAY, NULL, OPTION_LIVE, AT (timeout),
      "how long a send or a receive waits" },
    { "wait-peers", 0, OPTION_INT, "N", "0", 0, 1000000, NULL, 0, AT (wait_peers),
      "the first send waits until N peers are connected" },
    OPTIONS_OF_WIRE,
    OPTION_END
};

const struct option socket_no_options[] = { OPTION_END };
const struct option socket_receiver_options[] = { OPTION_UNTIL_GONE, OPTION_END };

static const struct pattern *const patterns[] = {
    &pattern_req, &pattern_rep, &pattern_pub, &pattern_sub, &pattern_push, &pattern_pull
};
enum { PATTERNS = sizeof patterns / sizeof patterns[0] };

/* ------------------------------------------------------- opening and closing */

weft_socket_t *
weft_open (weft_t *weft, const char *name)
{
    const struct pattern *pattern = NULL;
    for (size_t i = 0; i < PATTERNS; i++)
        if (strcmp (patterns[i]->name, name) == 0)
            pattern = patterns[i];
    if (!pattern) {
        error_set (WEFT_EINVAL, "%s: no such pattern; there are req, rep, pub, sub, push and pull", name);
        return NULL;
    }
    return socket_open (weft, pattern);
}

weft_socket_t *
socket_open (weft_t *weft, const struct pattern *pattern)
{
    weft_socket_t *self = calloc (1, sizeof *self);
    if (!self) {
        error_plain (WEFT_ENOMEM);
        return NULL;
    }
    self->pollable.ops = &socket_pollable;
    self->weft = weft;
    self->pattern = pattern;
    self->watch.speaks_with = pattern->peers;
    self->state = calloc (1, pattern->state_size ? pattern->state_size : 1);
    if (!self->state || option_init (socket_options, &self->config) || option_init (pattern->options, &self->config)) {
        error_plain (WEFT_ENOMEM);
        weft_close (&self);
    }
    return self;
}

void
weft_close (weft_socket_t **handle)
{
    weft_socket_t *self = *handle;
    if (!self)
        return;
    *handle = NULL;
    if (self->state && self->pattern->close)
        self->pattern->close (self);
    context_close (self->weft, &self->wire);
    weft_msg_clear (&self->held);
    option_free (socket_options, &self->config);
    option_free (self->pattern->options, &self->config);
    option_free (security_options, &self->config.security);
    free (self->state);
    free (self);
}

/* ------------------------------------------------------------------- options */

static const struct option *
find_option (const weft_socket_t *self, const char *name, void **target, bool *own)
{
    void *config = (void *) (uintptr_t) &self->config, *security = (void *) (uintptr_t) &self->config.security;
    const struct option_group groups[] = { { .table = socket_options, .target = config },
                                           { .table = security_options, .target = security }, { 0 } };
    const struct option *option = option_find_group (groups, name, target);
    *own = !option;
    if (option)
        return option;
    *target = config;
    return option_find (self->pattern->options, name);
}

static int
unknown_option (const weft_socket_t *self, const char *name)
{
    const struct option_group groups[] = { { .table = socket_options }, { .table = self->pattern->options },
                                           { .table = security_options }, { 0 } };
    for (size_t i = 0; i < PATTERNS; i++)
        if (option_find (patterns[i]->options, name))
            return error_set (WEFT_EINVAL, "%s: not an option of %s, but of %s", name, self->pattern->name,
                              patterns[i]->name);
    return option_unknown (groups, name, self->pattern->name);
}

int
weft_set (weft_socket_t *self, const char *name, const char *value)
{
    bool own;
    void *target;
    const struct option *option = find_option (self, name, &target, &own);
    if (!option)
        return unknown_option (self, name);
    if (self->wire && !(option->flags & OPTION_LIVE))
        return error_set (WEFT_ESTATE, "%s: has to be set before the first bind or connect", option->name);
    int rc = own && self->pattern->change ? self->pattern->change (self, option, value) : 0;
    return rc ? rc : option_set (option, target, value);
}

int
weft_get (weft_socket_t *self, const char *name, char *value, size_t size)
{
    bool own;
    void *target;
    const struct option *option = find_option (self, name, &target, &own);
    return option ? option_get (option, target, value, size) : unknown_option (self, name);
}

/* ----------------------------------------------------------------- endpoints */

void
socket_wire_options (const struct socket_config *config, struct wire_options *options)
{
    wire_options_init (options);
    options->send_hwm = options->recv_hwm = config->hwm;
    options->linger = config->linger;
    options->max_size = config->max_size;
    options->heartbeat = config->heartbeat;
    options->handshake = config->handshake;
    options->max_peers = config->max_peers;
    options->max_subscriptions = config->max_subscriptions;
    options->reconnect = config->reconnect;
    options->reconnect_max = config->reconnect_max > config->reconnect ? config->reconnect_max : config->reconnect;
}

static int
open_wire (weft_socket_t *self)
{
    struct wire_options options;
    socket_wire_options (&self->config, &options);
    if (self->pattern->prepare)
        self->pattern->prepare (self, &options);
    int rc = security_load (&self->config.security, self->pattern->peers_do, &options);
    rc = rc ? rc : context_open (self->weft, self->pattern->type, &options, &self->wire);
    security_unload (&options);
    if (rc == 0 && self->pattern->opened)
        rc = self->pattern->opened (self);
    if (rc)
        context_close (self->weft, &self->wire);
    return rc;
}

/*  The first endpoint opens the wire; when it fails, options can be set again. */
static int
attach (weft_socket_t *self, const struct endpoint *endpoint)
{
    bool first = !self->wire;
    int rc = security_check (&self->config.security, endpoint);
    rc = rc || !first ? rc : open_wire (self);
    if (rc)
        return rc;
    rc = wire_attach (self->wire, endpoint);
    if (rc && first)
        context_close (self->weft, &self->wire);
    if (rc)
        return rc;
    if (endpoint->side == ENDPOINT_BIND) {
        self->binds++;
        security_listens (&self->config.security, endpoint, &self->weft->log);
    } else {
        self->connects++;
        snprintf (self->target, sizeof self->target, "%s", endpoint->text);
    }
    return 0;
}

int
weft_bind (weft_socket_t *self, const char *text)
{
    struct endpoint endpoint;
    int rc = endpoint_parse (&endpoint, text, ENDPOINT_BIND);
    return rc ? rc : attach (self, &endpoint);
}

int
weft_connect (weft_socket_t *self, const char *text)
{
    struct endpoint endpoint;
    int rc = endpoint_parse (&endpoint, text, ENDPOINT_CONNECT);
    return rc ? rc : attach (self, &endpoint);
}

int
weft_attach (weft_socket_t *self, const char *endpoints)
{
    struct endpoint endpoint;
    const char *list = endpoints;
    int count = 0, rc, bad = 0;
    for (; (rc = endpoint_next (&list, self->pattern->side, &endpoint)) == 1; count++)
        bad = bad ? bad : security_check (&self->config.security, &endpoint);
    if (rc || bad)              /*  a list with a mistake attaches nothing */
        return rc ? rc : bad;
    if (!count)
        return error_set (WEFT_EENDPOINT, "no endpoint given; for example tcp://127.0.0.1:5555");
    list = endpoints;
    while (rc == 0 && endpoint_next (&list, self->pattern->side, &endpoint) == 1)
        rc = attach (self, &endpoint);
    if (rc == 0)
        socket_pump (self);     /*  the list is whole: a single endpoint need not wait for another */
    return rc;
}

int
weft_disconnect (weft_socket_t *self, const char *text)
{
    struct endpoint endpoint;
    if (!self->wire)
        return error_set (WEFT_ESTATE, "%s: not connected to anything yet", text);
    int rc = endpoint_parse (&endpoint, text, ENDPOINT_CONNECT);
    rc = rc ? rc : endpoint_resolve (&endpoint);
    return rc ? rc : self->wire->engine->disconnect (self->wire, &endpoint);
}

const char *
weft_endpoint (const weft_socket_t *self)
{
    return self->wire ? self->wire->bound : "";
}
