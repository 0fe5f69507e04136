/*  stream.c - one byte stream: reading, its deadlines and its end */

#include "core/stream_parts.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/error.h"
#include "weft.h"

#define READ_MORE (64 * 1024)       /*  room that is made behind what is kept, to read into             */
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
    if (self->state == STREAM_FINISHING)
        due = self->last;
    else if (config->idle && !self->paused)
        due = self->active + config->idle;
    if (self->begun && !self->paused && self->state == STREAM_OPEN)
        due = clock_earlier (due, self->begun_at + config->progress);
    if (buffer_size (&self->out))
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
    else if (self->state == STREAM_FINISHING)
        stream_close (self, 0);
    else if (buffer_size (&self->out) && due == self->moved + self->config->progress)
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
    bool read = (self->state == STREAM_OPEN && !self->paused) || self->state == STREAM_FINISHING;
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
    else
        stream_close (self, error_errno ("%s", what));
}

/* ----------------------------------------------------------------------- reading */

/*  Gives the owner what it has not taken, and keeps the rest: `data` is what is kept, or the scratch. */
static void
offer (struct stream *self, const unsigned char *data, size_t size)
{
    bool kept = buffer_size (&self->in) > 0;
    int64_t taken = self->handler->data (self->arg, self, data, size);
    if (self->state != STREAM_OPEN)
        return;
    if (taken < 0) {
        stream_close (self, (int) taken);
        return;
    }
    size_t rest = size - (size_t) taken;
    int rc = 0;
    if (kept)
        buffer_consume (&self->in, (size_t) taken);
    else if (rest)
        rc = buffer_add (&self->in, data + taken, rest);
    if (rest == 0)
        buffer_free (&self->in);
    if (rc == 0 && !self->paused && rest >= (size_t) self->config->in_max)
        rc = error_set (WEFT_ETOOBIG, "a message of more than %lld bytes", (long long) self->config->in_max);
    if (rc) {
        stream_close (self, rc);
        return;
    }
    bool begun = rest > 0 && !self->paused;
    if (begun && (taken > 0 || !self->begun))
        self->begun_at = reactor_now (self->reactor);
    self->begun = begun;
}

static void
tell_end (struct stream *self)
{
    if (!self->ended || self->end_told || self->paused || self->state != STREAM_OPEN)
        return;
    self->begun = false;
    const void *rest = buffer_size (&self->in) ? buffer_data (&self->in) : NULL;
    int rc = self->handler->ended (self->arg, self, rest, buffer_size (&self->in));
    if (rc == WEFT_EAGAIN && self->paused)
        return;
    self->end_told = true;
    if (self->state == STREAM_OPEN && rc)
        stream_close (self, rc);
    buffer_free (&self->in);
}

/*  Reads once: what is left is told again, and others have their turn. 1, 0 for the end, negative when broken or
 *  when there is nothing. */
static ssize_t
read_once (struct stream *self)
{
    unsigned char *room = reactor_scratch (self->reactor);
    size_t size = REACTOR_SCRATCH;
    bool keep = buffer_size (&self->in) > 0 && self->state == STREAM_OPEN;
    if (keep) {
        size = READ_MORE;
        room = (unsigned char *) buffer_reserve (&self->in, size);
        if (!room) {
            stream_close (self, WEFT_ENOMEM);
            return -1;
        }
    }
    ssize_t count = recv (self->fd, room, size, 0);
    if (count < 0 && errno != EAGAIN && errno != EINTR)
        stream_broken (self, "reading");
    if (count <= 0)
        return count;
    self->active = reactor_now (self->reactor);
    if (keep) {
        buffer_wrote (&self->in, (size_t) count);
        offer (self, (unsigned char *) buffer_data (&self->in), buffer_size (&self->in));
    } else if (self->state == STREAM_OPEN)
        offer (self, room, (size_t) count);
    return count;
}

static void
take_input (struct stream *self)
{
    if (read_once (self) != 0)
        return;
    self->ended = true;
    if (self->state == STREAM_FINISHING)
        stream_close (self, 0);
    else
        tell_end (self);
}

/*  After stream_resume. */
static void
offer_again (struct stream *self)
{
    self->offer = false;
    if (self->state != STREAM_OPEN || self->paused)
        return;
    if (buffer_size (&self->in))
        offer (self, (unsigned char *) buffer_data (&self->in), buffer_size (&self->in));
    tell_end (self);
}

/* ------------------------------------------------------------------- from the loop */

/*  What a finishing stream has left to do. */
static void
go_on_finishing (struct stream *self)
{
    if (self->state != STREAM_FINISHING)
        return;
    buffer_free (&self->in);
    if (buffer_size (&self->out))
        return;
    if (!self->shut && shutdown (self->fd, SHUT_WR) < 0)
        self->ended = true;
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
    if (!self->paused && !self->ended)
        read_once (self);
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
    if (events & WEFT_IN && self->state != STREAM_CLOSED && !self->ended
        && (!self->paused || self->state == STREAM_FINISHING))
        take_input (self);
    go_on_finishing (self);
    watch_for (self);
    stream_arm (self);
}

/*  The end: the owner hears of it, and nothing is left. */
static void
let_go (struct stream *self)
{
    size_t unsent = buffer_size (&self->out);
    if (self->handler)
        self->handler->closed (self->arg, self, self->error, self->why ? self->why : "", unsent);
    if (self->left)
        self->left (self->owner, self);
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
    if (self->state != STREAM_CLOSED && !self->blocked)
        stream_flush (self);
    if (self->offer)
        offer_again (self);
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
    setsockopt (fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (seconds == 0)
        return;
    setsockopt (fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    setsockopt (fd, IPPROTO_TCP, TCP_KEEPIDLE, &seconds, sizeof seconds);
    setsockopt (fd, IPPROTO_TCP, TCP_KEEPINTVL, &seconds, sizeof seconds);
    setsockopt (fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof probes);
}

int
stream_open (struct reactor *reactor, int fd, const struct sockaddr_storage *peer, const struct stream_config *config,
             void (*left) (void *owner, const struct stream *stream), void *owner, struct stream **handle)
{
    struct stream *self = calloc (1, sizeof *self);
    int rc = self ? 0 : error_plain (WEFT_ENOMEM);
    rc = rc ? rc : reactor_watch_fd (reactor, fd, on_ready, self, &self->watch);
    if (rc) {
        close (fd);
        free (self);
        return rc;
    }
    self->reactor = reactor;
    self->config = config;
    self->fd = fd;
    self->left = left;
    self->owner = owner;
    self->address = *peer;
    self->active = reactor_now (reactor);
    address_text (peer, self->peer);
    reactor_task_init (&self->task, on_task, self);
    reactor_timer_init (&self->timer, on_timer, self);
    buffer_init (&self->in, (size_t) config->in_max + REACTOR_SCRATCH + READ_MORE);
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

const char *
stream_peer (const struct stream *self)
{
    return self->peer;
}
