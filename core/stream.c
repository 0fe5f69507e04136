/*  stream.c - one byte stream: its deadlines, its pauses and its end */

#include "core/stream_parts.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/error.h"
#include "weft.h"

#define KEEPALIVE_PROBES 3

const struct option stream_options[] = {
    { "out-queue", 0, OPTION_SIZE, "BYTES", "4M", 1, INT64_C (1) << 40, NULL, 0,
      offsetof (struct stream_config, out_max), "bytes that wait for a connection that does not read" },
    { "idle", 0, OPTION_TIME, "TIME", "0", 0, 365 * 24 * 3600 * TIME_S, NULL, 0, offsetof (struct stream_config, idle),
      "close a connection on which nothing has passed for so long; 0: never" },
    { "progress", 0, OPTION_TIME, "TIME", "30s", TIME_MS, 24 * 3600 * TIME_S, NULL, 0,
      offsetof (struct stream_config, progress),
      "close a connection whose message, once begun, is not whole after so long, or that takes nothing for so long" },
    { "max-per-host", 0, OPTION_INT, "N", "0", 0, 1000000, NULL, 0, offsetof (struct stream_config, max_per_host),
      "connections that are taken in from one address; 0: no limit" },
    OPTION_END
};

/* --------------------------------------------------------------------- deadlines */

static int64_t
due_at (const struct stream *self)
{
    const struct stream_config *config = self->config;
    int64_t due = TIME_FOREVER;
    if (self->state == STREAM_SHAKING)
        return self->begun_at + config->connect_timeout;
    if (self->state == STREAM_FINISHING)
        due = self->shut ? clock_earlier (self->last, self->moved + config->progress) : self->last;
    else if (config->idle && !self->paused)
        due = self->active + config->idle;
    if (self->begun && !self->paused && self->state == STREAM_OPEN)
        due = clock_earlier (due, self->begun_at + config->progress);
    if (stream_unsent (self))
        due = clock_earlier (due, self->moved + config->progress);
    return due;
}

/*  A deadline that moves away is looked at when the old one has come: so bytes cost no timer. */
void
stream_arm (struct stream *self)
{
    int64_t due = due_at (self);
    if (due != TIME_FOREVER && (!timer_is_set (&self->timer.timer) || self->timer.timer.deadline > due))
        reactor_timer_set (self->reactor, &self->timer, due);
}

static void
on_timer (void *arg)
{
    struct stream *self = arg;
    int64_t due = due_at (self);
    if (due == TIME_FOREVER || due > reactor_now (self->reactor))
        stream_arm (self);
    else if (self->state == STREAM_SHAKING)
        stream_close (self, error_set (WEFT_ETIMEOUT, "TLS's handshake was not done in time"));
    else if (self->state == STREAM_FINISHING)
        stream_close (self, 0);
    else if (stream_unsent (self) && due == self->moved + self->config->progress)
        stream_close (self, error_set (WEFT_ETIMEOUT, "it does not take what is written to it"));
    else if (self->begun && due == self->begun_at + self->config->progress)
        stream_close (self, error_set (WEFT_ETIMEOUT, "a message that it began was not whole in time"));
    else
        stream_close (self, error_set (WEFT_ETIMEOUT, "nothing has passed on it for a long time"));
}

/* ----------------------------------------------------------------------- wanting */

/*  What the system is to tell. */
static void
watch_for (struct stream *self)
{
    bool read = self->state != STREAM_OPEN || !self->paused;
    int events = (read && !self->ended ? WEFT_IN : 0) | (self->blocked ? WEFT_OUT : 0);
    int rc = self->state == STREAM_CLOSED ? 0 : reactor_want_fd (self->watch, events);
    if (rc)
        stream_close (self, rc);
}

void
stream_broken (struct stream *self, const char *what)
{
    int number = errno;
    if (number == ECONNRESET || number == EPIPE)
        stream_close (self, error_set (WEFT_ENOPEER, "the peer has cut the connection off"));
    else if (number == ETIMEDOUT)
        stream_close (self, error_set (WEFT_ETIMEOUT, "it does not take what is written to it, or has gone"));
    else
        stream_close (self, error_errno ("%s", what));
}

/* ------------------------------------------------------------------- from the loop */

/*  What a finishing stream has left to do. */
static void
go_on_finishing (struct stream *self)
{
    if (self->state != STREAM_FINISHING)
        return;
    buffer_free (&self->in);
    if (self->tls && !self->notified && buffer_size (&self->out) == 0) {
        self->notified = true;
        self->moved = reactor_now (self->reactor);
        tls_finish (self->tls);
        stream_flush (self);
    }
    if (stream_unsent (self) || self->state != STREAM_FINISHING)
        return;
    if (!self->shut && shutdown (self->fd, SHUT_WR) < 0)
        self->ended = true;
    if (!self->shut)
        self->moved = reactor_now (self->reactor);
    self->shut = true;
    if (self->ended)
        stream_close (self, 0);
}

/*  What came before the failure can still be read; then its reason is told. */
static void
take_failure (struct stream *self)
{
    int number = 0;
    socklen_t size = sizeof number;
    if (self->state == STREAM_SHAKING)
        stream_tls_shake (self);
    else if (!self->paused && !self->ended)
        stream_read_rest (self);
    if (self->state == STREAM_CLOSED)
        return;
    getsockopt (self->fd, SOL_SOCKET, SO_ERROR, &number, &size);
    errno = number ? number : ECONNRESET;
    stream_broken (self, "the connection");
}

static void
on_ready (void *arg, int events)
{
    struct stream *self = arg;
    if (events & WEFT_ERR) {
        take_failure (self);
        return;
    }
    if (events & WEFT_OUT && self->state != STREAM_CLOSED) {
        self->blocked = false;
        stream_flush (self);
        stream_tell_drained (self);
    }
    if (self->state == STREAM_SHAKING)
        stream_tls_shake (self);
    if (events & WEFT_IN && (self->state == STREAM_OPEN || self->state == STREAM_FINISHING) && !self->ended
        && (!self->paused || self->state == STREAM_FINISHING))
        stream_take_input (self);
    go_on_finishing (self);
    watch_for (self);
    stream_arm (self);
}

/*  The end: the owner hears of it, and nothing is left. */
static void
let_go (struct stream *self)
{
    size_t unsent = buffer_size (&self->out) + (self->in_wire ? buffer_size (tls_wire (self->tls)) : 0);
    if (self->handler)
        self->handler->closed (self->arg, self, self->error, self->why ? self->why : "", unsent);
    self->maker->left (self->made_by, self);
    tls_destroy (&self->tls);
    reactor_timer_set (self->reactor, &self->timer, TIME_FOREVER);
    reactor_undefer (&self->task);
    buffer_free (&self->in);
    buffer_free (&self->out);
    buffer_free (&self->marks);
    free (self->why);
    free (self);
}

/*  What was put off: output, input that was kept, the end. */
static void
on_task (void *arg)
{
    struct stream *self = arg;
    if (self->state == STREAM_SHAKING)
        stream_tls_shake (self);
    if (self->state != STREAM_CLOSED && !self->blocked)
        stream_flush (self);
    if (self->offer)
        stream_offer_again (self);
    if (self->more && !self->ended
        && (self->state == STREAM_FINISHING || (self->state == STREAM_OPEN && !self->paused)))
        stream_take_input (self);
    stream_tell_drained (self);
    go_on_finishing (self);
    if (self->state == STREAM_CLOSED) {
        let_go (self);
        return;
    }
    watch_for (self);
    stream_arm (self);
}

/* -------------------------------------------------------- opening, pausing, the end */

static void
set_options (int fd, const struct stream_config *config)
{
    int on = 1, probes = KEEPALIVE_PROBES, seconds = (int) ((config->keepalive + TIME_S - 1) / TIME_S);
    unsigned moves = (unsigned) (config->progress / TIME_MS);      /*  what has left us for the system, too */
    setsockopt (fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt (fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &moves, sizeof moves);
    if (seconds == 0)
        return;
    setsockopt (fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    setsockopt (fd, IPPROTO_TCP, TCP_KEEPIDLE, &seconds, sizeof seconds);
    setsockopt (fd, IPPROTO_TCP, TCP_KEEPINTVL, &seconds, sizeof seconds);
    setsockopt (fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof probes);
}

int
stream_open (struct reactor *reactor, int fd, const struct sockaddr_storage *peer, const struct stream_config *config,
             const struct tls_context *tls, const struct stream_maker *maker, void *made_by, struct stream **handle)
{
    struct stream *self = calloc (1, sizeof *self);
    int rc = self ? 0 : error_plain (WEFT_ENOMEM);
    rc = rc || !tls ? rc : tls_new (tls, fd, &self->tls);
    rc = rc ? rc : reactor_watch_fd (reactor, fd, on_ready, self, &self->watch);
    if (rc) {
        if (self)
            tls_destroy (&self->tls);
        close (fd);
        free (self);
        return rc;
    }
    self->reactor = reactor;
    self->config = config;
    self->state = tls ? STREAM_SHAKING : STREAM_OPEN;
    self->fd = fd;
    self->maker = maker;
    self->made_by = made_by;
    self->address = *peer;
    self->active = self->begun_at = reactor_now (reactor);
    address_text (peer, self->peer);
    reactor_task_init (&self->task, on_task, self);
    reactor_timer_init (&self->timer, on_timer, self);
    buffer_init (&self->in, (size_t) config->in_max + REACTOR_SCRATCH + STREAM_READ_MORE);
    buffer_init (&self->out, 0);
    buffer_init (&self->marks, 0);
    set_options (fd, config);
    reactor_defer (reactor, &self->task);
    *handle = self;
    return 0;
}

bool
stream_adopted (const struct stream *self)
{
    return self->handler != NULL;
}

const struct sockaddr_storage *
stream_address (const struct stream *self)
{
    return &self->address;
}

void
stream_adopt (struct stream *self, const struct stream_handler *handler, void *arg)
{
    self->handler = handler;
    self->arg = arg;
    self->offer = buffer_size (&self->in) > 0;
    reactor_defer (self->reactor, &self->task);
}

void
stream_pause (struct stream *self)
{
    self->paused = true;
    self->begun = false;
    reactor_defer (self->reactor, &self->task);
}

void
stream_resume (struct stream *self)
{
    if (!self->paused)
        return;
    self->paused = false;
    self->offer = true;
    self->active = reactor_now (self->reactor);
    reactor_defer (self->reactor, &self->task);
}

void
stream_finish (struct stream *self, int64_t deadline)
{
    if (self->state != STREAM_OPEN)
        return;
    self->state = STREAM_FINISHING;
    self->last = deadline == TIME_FOREVER ? INT64_MAX : deadline;
    reactor_defer (self->reactor, &self->task);
}

void
stream_close (struct stream *self, int error)
{
    if (self->state == STREAM_CLOSED)
        return;
    self->state = STREAM_CLOSED;
    self->error = error;
    self->why = error ? strdup (weft_error ()) : NULL;
    reactor_unwatch_fd (&self->watch);
    close (self->fd);
    reactor_defer (self->reactor, &self->task);
}

void
stream_abandon (struct stream *self)
{
    stream_close (self, 0);
    let_go (self);
}

const char *
stream_peer (const struct stream *self)
{
    return self->peer;
}
