/*  reactor_watch.c - what a reactor waits for: the fabric's sockets, and plain descriptors */

#include <stdlib.h>

#include "core/clock.h"
#include "core/error.h"
#include "core/reactor_parts.h"

#define ALARM_MAX (3600 * TIME_S)       /*  longer waits are done in parts */

struct reactor_socket {
    struct reactor *reactor;
    struct pollable *pollable;
    void (*ready) (void *arg, int events);
    void *arg;
    int events;
    struct reactor_fd *fd;
    bool gone;                          /*  is freed at the end of the round                    */
    struct reactor_socket *next;
};

struct reactor_fd {
    uv_poll_t poll;                     /*  first                                               */
    void (*ready) (void *arg, int events);
    void *arg;
    int events;                         /*  that are watched for                                */
};

/* ------------------------------------------------------------- plain descriptors */

static void
on_poll (uv_poll_t *poll, int status, int events)
{
    struct reactor_fd *self = (struct reactor_fd *) poll;
    int found = (events & UV_READABLE ? WEFT_IN : 0) | (events & UV_WRITABLE ? WEFT_OUT : 0);
    if (status < 0) {                   /*  libuv has stopped to watch it */
        self->events = 0;
        found = WEFT_ERR;
    }
    self->ready (self->arg, found);
}

int
reactor_watch_fd (struct reactor *self, int fd, void (*ready) (void *arg, int events), void *arg,
                  struct reactor_fd **watch)
{
    struct reactor_fd *made = calloc (1, sizeof *made);
    if (!made)
        return error_plain (WEFT_ENOMEM);
    int rc = uv_poll_init (&self->loop, &made->poll, fd);
    if (rc) {
        free (made);
        return reactor_uv_error (rc, "watching a descriptor");
    }
    made->ready = ready;
    made->arg = arg;
    *watch = made;
    return 0;
}

int
reactor_want_fd (struct reactor_fd *watch, int events)
{
    if (watch->events == events)
        return 0;
    watch->events = events;
    int wanted = (events & WEFT_IN ? UV_READABLE : 0) | (events & WEFT_OUT ? UV_WRITABLE : 0);
    int rc = wanted ? uv_poll_start (&watch->poll, wanted, on_poll) : uv_poll_stop (&watch->poll);
    return rc ? reactor_uv_error (rc, "watching a descriptor") : 0;
}

static void
on_closed (uv_handle_t *handle)
{
    free (handle);
}

void
reactor_unwatch_fd (struct reactor_fd **watch)
{
    if (*watch)
        uv_close ((uv_handle_t *) &(*watch)->poll, on_closed);
    *watch = NULL;
}

/* -------------------------------------------------------------------- the fabric */

/*  An edge of the socket's descriptor: the wait is over, and the next round asks. */
static void
on_edge (void *arg, int events)
{
    (void) arg;
    (void) events;
}

int
reactor_watch (struct reactor *self, struct pollable *pollable, void (*ready) (void *arg, int events), void *arg,
               struct reactor_socket **watch)
{
    int fd = pollable->ops->fd (pollable);
    if (fd < 0)
        return fd;
    struct reactor_socket *made = calloc (1, sizeof *made);
    if (!made)
        return error_plain (WEFT_ENOMEM);
    *made = (struct reactor_socket) { .reactor = self, .pollable = pollable, .ready = ready, .arg = arg };
    int rc = reactor_watch_fd (self, fd, on_edge, made, &made->fd);
    rc = rc ? rc : reactor_want_fd (made->fd, WEFT_IN);
    if (rc) {
        reactor_unwatch_fd (&made->fd);
        free (made);
        return rc;
    }
    made->next = self->sockets;
    self->sockets = made;
    self->again = true;
    *watch = made;
    return 0;
}

void
reactor_want (struct reactor_socket *watch, int events)
{
    if (events & ~watch->events)
        watch->reactor->again = true;   /*  it may have been asked already in this round */
    watch->events = events;
}

void
reactor_unwatch (struct reactor_socket **watch)
{
    if (!*watch)
        return;
    reactor_unwatch_fd (&(*watch)->fd);
    (*watch)->gone = true;
    *watch = NULL;
}

int
reactor_ask (struct reactor *self, int64_t *deadline)
{
    int ready = 0;
    for (struct reactor_socket *each = self->sockets; each; each = each->next) {
        if (each->gone)
            continue;
        int events = each->pollable->ops->events (each->pollable);
        if (events < 0)
            return events;
        events &= each->events;
        if (events) {
            each->ready (each->arg, events);
            ready++;
        }
        if (!each->gone && each->pollable->ops->deadline)
            *deadline = clock_earlier (*deadline, each->pollable->ops->deadline (each->pollable));
    }
    return ready;
}

void
reactor_free_gone (struct reactor *self)
{
    struct reactor_socket **at = &self->sockets;
    while (*at) {
        struct reactor_socket *each = *at;
        if (each->gone) {
            *at = each->next;
            free (each);
        } else
            at = &each->next;
    }
}

/* ----------------------------------------------------------------------- waiting */

static void
on_alarm (uv_timer_t *handle)
{
    (void) handle;
}

void
reactor_poll (struct reactor *self, int64_t deadline)
{
    bool forever = deadline == TIME_FOREVER;
    int64_t left = deadline - reactor_now (self);
    self->now = 0;                      /*  what is called after the wait needs the time after it */
    if (!forever && left > 0) {
        int ms = clock_poll_ms (left > ALARM_MAX ? ALARM_MAX : left);
        uv_update_time (&self->loop);
        /*  libuv runs timers before it waits, too. One that is due by then must not be the last, or the wait that
         *  follows has no end: so it repeats. */
        uv_timer_start (&self->alarm, on_alarm, (uint64_t) ms, 1);
    }
    uv_run (&self->loop, forever || left > 0 ? UV_RUN_ONCE : UV_RUN_NOWAIT);
    uv_timer_stop (&self->alarm);
}
