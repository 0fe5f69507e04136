/*  reactor.c - a thread's event loop: its rounds, its deadlines, and what is put off */

#include "core/reactor_parts.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "core/clock.h"
#include "core/error.h"

int
reactor_uv_error (int rc, const char *what)
{
    errno = -rc;                        /*  on Unix libuv's codes are errno's, negated */
    return error_errno ("%s", what);
}

/* ------------------------------------------------------------ opening, closing */

/*  That the loop's wait has ended is all that is wanted. */
static void
on_wake (uv_async_t *handle)
{
    (void) handle;
}

static int
close_loop (struct reactor *self)
{
    uv_close ((uv_handle_t *) &self->alarm, NULL);
    uv_run (&self->loop, UV_RUN_DEFAULT);       /*  what was closed is let go of here */
    return uv_loop_close (&self->loop);
}

int
reactor_new (struct reactor **handle)
{
    struct reactor *self = calloc (1, sizeof *self);
    if (!self)
        return error_plain (WEFT_ENOMEM);
    self->tasks.next = self->tasks.before = &self->tasks;
    int rc = uv_loop_init (&self->loop);
    if (rc) {
        free (self);
        return reactor_uv_error (rc, "an event loop");
    }
    uv_timer_init (&self->loop, &self->alarm);
    rc = uv_async_init (&self->loop, &self->wake, on_wake);
    if (rc) {
        close_loop (self);
        free (self);
        return reactor_uv_error (rc, "an event loop");
    }
    *handle = self;
    return 0;
}

void
reactor_destroy (struct reactor **handle)
{
    struct reactor *self = *handle;
    if (!self)
        return;
    *handle = NULL;
    reactor_free_gone (self);
    assert (!self->sockets && self->tasks.next == &self->tasks && !self->timers.first);
    uv_close ((uv_handle_t *) &self->wake, NULL);
    int rc = close_loop (self);
    assert (rc == 0);
    (void) rc;
    free (self);
}

unsigned char *
reactor_scratch (struct reactor *self)
{
    return self->scratch;
}

/* -------------------------------------------------------------- deadlines, work */

int64_t
reactor_now (struct reactor *self)
{
    if (self->now == 0)
        self->now = clock_now (clock_system ());
    return self->now;
}

void
reactor_timer_init (struct reactor_timer *timer, void (*fn) (void *arg), void *arg)
{
    *timer = (struct reactor_timer) { .fn = fn, .arg = arg };
}

void
reactor_timer_set (struct reactor *self, struct reactor_timer *timer, int64_t deadline)
{
    timers_set (&self->timers, &timer->timer, deadline);
}

/*  A timer that is set anew to a time that has passed is due in the same call: so who does that without end would
 *  stop the loop, as with a task of no end. */
static bool
call_due (struct reactor *self)
{
    struct timer *due;
    bool any = false;
    for (int64_t now = reactor_now (self); (due = timers_due (&self->timers, now)); any = true) {
        struct reactor_timer *timer = (struct reactor_timer *) (void *) due;
        timer->fn (timer->arg);
    }
    return any;
}

void
reactor_task_init (struct reactor_task *task, void (*fn) (void *arg), void *arg)
{
    *task = (struct reactor_task) { .fn = fn, .arg = arg };
}

static void
put_last (struct reactor_task *ring, struct reactor_task *task)
{
    task->next = ring;
    task->before = ring->before;
    ring->before->next = task;
    ring->before = task;
}

void
reactor_defer (struct reactor *self, struct reactor_task *task)
{
    if (!task->next)
        put_last (&self->tasks, task);
}

void
reactor_undefer (struct reactor_task *task)
{
    if (!task->next)
        return;
    task->next->before = task->before;
    task->before->next = task->next;
    task->next = task->before = NULL;
}

/*  Those that were put off until now; what they put off comes in the next round. */
static bool
call_tasks (struct reactor *self)
{
    if (self->tasks.next == &self->tasks)
        return false;
    struct reactor_task mark = { .next = NULL };
    put_last (&self->tasks, &mark);
    for (struct reactor_task *task; (task = self->tasks.next) != &mark; ) {
        reactor_undefer (task);
        task->fn (task->arg);
    }
    reactor_undefer (&mark);
    return true;
}

void
reactor_each_round (struct reactor *self, void (*fn) (void *arg), void *arg)
{
    self->each_round = fn;
    self->each_round_arg = arg;
}

/* ----------------------------------------------------------------------- rounds */

static bool
is_stopped (const struct reactor *self)
{
    return __atomic_load_n (&self->stop, __ATOMIC_ACQUIRE);
}

/*  Asks, and calls what is due: 1 when anything was called, which may have changed what the fabric's sockets have. */
static int
look (struct reactor *self, int64_t *deadline)
{
    self->again = false;
    int ready = reactor_ask (self, deadline);
    if (ready < 0)
        return ready;
    bool called = call_due (self);
    called = call_tasks (self) || called;
    return ready || called || self->again || self->tasks.next != &self->tasks;
}

/*  One round. The sockets are asked again after what was called, for they have used up their edges; if there is still
 *  something, the descriptors have their turn before it. */
static int
turn (struct reactor *self, int64_t end)
{
    int64_t deadline = end;
    self->now = 0;
    int busy = look (self, &deadline);
    if (busy > 0 && !is_stopped (self)) {
        deadline = end;
        busy = look (self, &deadline);
    }
    if (busy < 0)
        return busy;
    if (self->each_round)
        self->each_round (self->each_round_arg);
    deadline = busy ? 0 : clock_earlier (deadline, timers_next (&self->timers));
    reactor_free_gone (self);
    if (!is_stopped (self))
        reactor_poll (self, deadline);
    return 0;
}

int
reactor_run (struct reactor *self, int64_t timeout)
{
    int64_t end = clock_deadline (clock_system (), timeout);
    int rc;
    do
        rc = turn (self, end);
    while (rc == 0 && !is_stopped (self) && clock_left (clock_system (), end) != 0);
    if (rc == 0 && !__atomic_exchange_n (&self->stop, 0, __ATOMIC_ACQ_REL))
        rc = error_plain (WEFT_ETIMEOUT);
    return rc;
}

void
reactor_stop (struct reactor *self)
{
    __atomic_store_n (&self->stop, 1, __ATOMIC_RELEASE);
    uv_async_send (&self->wake);
}
