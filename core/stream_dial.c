/*  stream_dial.c - connecting, and connecting again */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/error.h"
#include "core/stream_parts.h"

enum dialer_state {
    DIALER_WAITING,                 /*  for the timer: the next attempt                         */
    DIALER_RESOLVING,               /*  the name is looked up                                   */
    DIALER_CONNECTING,              /*  `fd` is, to addresses[at]                               */
    DIALER_SHAKING,                 /*  `shaking` is at TLS's handshake                         */
    DIALER_OPEN,                    /*  its stream lives                                        */
    DIALER_STOPPED
};

struct dialer {
    struct reactor *reactor;
    const struct stream_config *config;
    void (*opened) (void *arg, struct stream *stream);
    void (*failed) (void *arg, const char *why);
    void *arg;
    enum dialer_state state;
    struct address address;
    char *text;
    struct sockaddr_storage addresses[REACTOR_ADDRESSES];
    int count, at;
    int fd;                         /*  while connecting; else -1                               */
    struct reactor_fd *watch;
    struct reactor_lookup *lookup;
    struct tls_context *tls;        /*  NULL: clear text                                        */
    struct stream *shaking;
    struct reactor_timer timer;
    int attempt;                    /*  since it was last connected                             */
    int64_t since;                  /*  when it was                                             */
    uint64_t seed;
};

static void connect_next (struct dialer *self);

static void
drop_attempt (struct dialer *self)
{
    reactor_unwatch_fd (&self->watch);
    if (self->fd >= 0)
        close (self->fd);
    self->fd = -1;
    reactor_unresolve (&self->lookup);
    reactor_timer_set (self->reactor, &self->timer, TIME_FOREVER);
}

static void
wait_and_retry (struct dialer *self)
{
    int64_t pause = clock_backoff (self->attempt++, self->config->reconnect, self->config->reconnect_max, &self->seed);
    drop_attempt (self);
    self->state = DIALER_WAITING;
    reactor_timer_set (self->reactor, &self->timer, reactor_now (self->reactor) + pause);
}

/*  weft_error () says why. */
static void
attempt_failed (struct dialer *self)
{
    drop_attempt (self);
    if (self->state == DIALER_CONNECTING && ++self->at < self->count) {
        connect_next (self);
        return;
    }
    self->failed (self->arg, weft_error ());
    if (self->state != DIALER_STOPPED)
        wait_and_retry (self);
}

/* -------------------------------------------------------------------- one attempt */

/*  A connection that did not last is no reason to try again without a pause. */
static void
on_left (void *maker, const struct stream *stream)
{
    struct dialer *self = maker;
    if (stream == self->shaking) {
        self->shaking = NULL;
        if (self->state != DIALER_SHAKING)
            return;
        error_set (stream->error, "%s: %s", self->text, stream->why ? stream->why : "");
        attempt_failed (self);
        return;
    }
    if (self->state != DIALER_OPEN)
        return;
    if (reactor_now (self->reactor) - self->since >= self->config->reconnect_max)
        self->attempt = 0;
    wait_and_retry (self);
}

static void
hand_out (void *maker, struct stream *stream)
{
    struct dialer *self = maker;
    self->shaking = NULL;
    self->state = DIALER_OPEN;
    self->since = reactor_now (self->reactor);
    self->opened (self->arg, stream);
    if (!stream_adopted (stream))
        stream_close (stream, 0);
}

static const struct stream_maker maker_of = { hand_out, on_left };

static void
connected (struct dialer *self)
{
    struct stream *stream;
    int fd = self->fd;
    self->fd = -1;
    drop_attempt (self);
    int rc = self->tls ? tls_context_refresh (self->tls) : 0;
    if (rc < 0)
        self->failed (self->arg, weft_error ());
    rc = stream_open (self->reactor, fd, &self->addresses[self->at], self->config, self->tls, &maker_of, self,
                      &stream);
    if (rc)
        attempt_failed (self);
    else if (self->tls) {
        self->state = DIALER_SHAKING;
        self->shaking = stream;
    } else
        hand_out (self, stream);
}

static void
on_connecting (void *arg, int events)
{
    struct dialer *self = arg;
    int number = 0;
    socklen_t size = sizeof number;
    (void) events;
    getsockopt (self->fd, SOL_SOCKET, SO_ERROR, &number, &size);
    errno = number;
    if (number) {
        error_errno ("%s", self->text);
        attempt_failed (self);
    } else
        connected (self);
}

static void
connect_next (struct dialer *self)
{
    const struct sockaddr_storage *address = &self->addresses[self->at];
    self->state = DIALER_CONNECTING;
    self->fd = socket (address->ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int rc = self->fd < 0 ? -1 : connect (self->fd, (const struct sockaddr *) address, address_size (address));
    if (rc == 0) {
        connected (self);
        return;
    }
    rc = errno == EINPROGRESS ? reactor_watch_fd (self->reactor, self->fd, on_connecting, self, &self->watch)
                              : error_errno ("%s", self->text);
    rc = rc ? rc : reactor_want_fd (self->watch, WEFT_OUT);
    if (rc)
        attempt_failed (self);
    else
        reactor_timer_set (self->reactor, &self->timer,
                           reactor_now (self->reactor) + self->config->connect_timeout);
}

static void
on_resolved (void *arg, const struct sockaddr_storage *addresses, int count)
{
    struct dialer *self = arg;
    self->lookup = NULL;
    if (count == 0) {
        attempt_failed (self);
        return;
    }
    memcpy (self->addresses, addresses, (size_t) count * sizeof *addresses);
    self->count = count;
    self->at = 0;
    connect_next (self);
}

static void
on_timer (void *arg)
{
    struct dialer *self = arg;
    if (self->state == DIALER_CONNECTING) {
        error_set (WEFT_ETIMEOUT, "%s: no answer", self->text);
        attempt_failed (self);
        return;
    }
    if (self->address.path[0]) {
        self->count = 1;
        self->at = 0;
        address_resolve (&self->address, self->addresses);
        connect_next (self);
        return;
    }
    self->state = DIALER_RESOLVING;
    if (reactor_resolve (self->reactor, self->address.host, self->address.port, on_resolved, self, &self->lookup))
        attempt_failed (self);
}

/* ---------------------------------------------------------------- opening, closing */

static int
find_server (const char *text, const struct stream_config *config, struct address *address, struct tls_context **tls)
{
    int rc = address_parse (address, text, false);
    if (rc || !config->tls.on)
        return rc;
    return tls_context_new (&config->tls, false, *address->host ? address->host : NULL, config->alpn, tls);
}

int
dialer_check (const char *text, const struct stream_config *config)
{
    struct address address;
    struct tls_context *tls = NULL;
    int rc = find_server (text, config, &address, &tls);
    tls_context_destroy (&tls);
    return rc;
}

int
dialer_new (struct reactor *reactor, const char *text, const struct stream_config *config,
            void (*opened) (void *arg, struct stream *stream), void (*failed) (void *arg, const char *why), void *arg,
            struct dialer **handle)
{
    struct dialer *self = calloc (1, sizeof *self);
    if (!self)
        return error_plain (WEFT_ENOMEM);
    *self = (struct dialer) { .reactor = reactor, .config = config, .opened = opened, .failed = failed, .arg = arg,
                              .fd = -1, .seed = random_seed () };
    int rc = find_server (text, config, &self->address, &self->tls);
    if (rc == 0 && !(self->text = strdup (text)))
        rc = error_plain (WEFT_ENOMEM);
    if (rc) {
        tls_context_destroy (&self->tls);
        free (self);
        return rc;
    }
    reactor_timer_init (&self->timer, on_timer, self);
    reactor_timer_set (reactor, &self->timer, reactor_now (reactor));
    *handle = self;
    return 0;
}

void
dialer_stop (struct dialer *self)
{
    drop_attempt (self);
    self->state = DIALER_STOPPED;
    if (self->shaking)
        stream_abandon (self->shaking);
}

void
dialer_destroy (struct dialer **handle)
{
    struct dialer *self = *handle;
    if (!self)
        return;
    *handle = NULL;
    dialer_stop (self);
    tls_context_destroy (&self->tls);
    free (self->text);
    free (self);
}

const char *
dialer_address (const struct dialer *self)
{
    return self->text;
}
