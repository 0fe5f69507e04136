/*  pool_worker_turn.c - the rounds of a worker: what is due, and waiting for what comes */

#include "patterns/pool_worker.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

#include "core/error.h"

#define TURN_EVENTS 64

/* ---------------------------------------------------------------- what is due */

/*  The end that weft_worker_stop asked for, as far as it has come. */
static int
drain (struct weft_worker *self)
{
    if (slots_busy (&self->slots) || (self->line.state == LINE_MEMBER && !outbox_empty (&self->line.outbox)))
        return 0;
    worker_leave (self, error_plain (WEFT_ETERM));
    return 0;
}

/*  When the next thing is due that a lifetime asks for: the drain, then the end. */
static int64_t
expiry (const struct weft_worker *self)
{
    if (self->expires == TIME_FOREVER || self->stops || self->slots.average < 0)
        return self->expires;
    int64_t begin = self->expires - self->slots.average - self->slots.average / 4;
    return begin > 0 ? begin : 0;
}

static void
expire (struct weft_worker *self)
{
    int64_t now = worker_now (self);
    if (self->expires == TIME_FOREVER || now < expiry (self))
        return;
    if (!self->stops) {
        log_info (&self->weft->log, "worker %s: the rest of its lifetime is too short for more jobs", self->name);
        self->stops = 1;
        slots_stop (&self->slots);
    }
    if (now >= self->expires && self->state < WORKER_LEAVING) {
        log_warning (&self->weft->log, "worker %s: its lifetime is over; %d jobs are stopped", self->name,
                     slots_busy (&self->slots));
        worker_leave (self, error_plain (WEFT_ETERM));
    }
}

static int
act (struct weft_worker *self)
{
    int rc = 0;
    expire (self);
    switch (self->state) {
    case WORKER_ACTIVE:
        if (self->line.state != LINE_MEMBER) {
            rc = worker_seek (self);
            break;
        }
        self->note_at = TIME_FOREVER;
        rc = worker_report (self);
        break;
    case WORKER_LEAVING:
        if (!slots_busy (&self->slots)) {
            rc = self->unheard || !self->wire->peers ? 0 : worker_say_goodbye (self);
            self->state = WORKER_GONE;
        }
        break;
    case WORKER_GONE:
        break;
    }
    if (rc == 0 && self->stops && self->state < WORKER_LEAVING)
        rc = drain (self);
    return rc;
}

static void
take_stop (struct weft_worker *self)
{
    eventfd_t count;
    if (eventfd_read (self->stop_fd, &count))
        return;
    self->stops += count;
    slots_stop (&self->slots);
    if (self->stops > 1 && self->state < WORKER_LEAVING)
        worker_leave (self, error_plain (WEFT_ETERM));
}

static int64_t
next_deadline (const struct weft_worker *self)
{
    int64_t deadline = slots_deadline (&self->slots);
    if (self->state != WORKER_ACTIVE)
        return deadline;
    deadline = clock_earlier (deadline, expiry (self));
    if (self->line.state == LINE_MEMBER) {
        if (!self->line.outbox.unsent)
            deadline = clock_earlier (deadline, outbox_deadline (&self->line.outbox));
        if (self->config.heartbeat)
            deadline = clock_earlier (deadline, self->sent + self->config.heartbeat);
    }
    else
        deadline = clock_earlier (clock_earlier (deadline, self->deadline), self->note_at);
    if (self->line.state == LINE_GREETING)
        deadline = clock_earlier (deadline, self->greeted + POOL_MISSED * TIME_S + 1);
    return deadline;
}

/* ------------------------------------------------------------------------- waiting */

int
worker_watch (struct weft_worker *self, int fd, uint64_t event)
{
    struct epoll_event watched = { .events = EPOLLIN, .data.u64 = event };
    return epoll_ctl (self->epoll, EPOLL_CTL_ADD, fd, &watched) ? error_errno ("epoll") : 0;
}

void
worker_start_guardian (struct weft_worker *self)
{
    bool again = self->warden.pid != 0;
    int rc = warden_start (&self->warden);
    if (rc == 0 && again)
        log_info (&self->weft->log, "worker %s: its guardian was killed, and another started", self->name);
    rc = rc ? rc : worker_watch (self, self->warden.pidfd, EVENT_WARDEN);
    if (rc)
        log_warning (&self->weft->log, "worker %s: %s; jobs would outlive it", self->name, weft_error ());
}

static int
wait (struct weft_worker *self)
{
    struct epoll_event events[TURN_EVENTS];
    int64_t left = clock_left (self->weft->clock, next_deadline (self));
    int count = epoll_wait (self->epoll, events, TURN_EVENTS, clock_poll_ms (left));
    if (count < 0)
        return errno == EINTR ? 0 : error_errno ("epoll");
    for (int i = 0; i < count; i++) {
        if (events[i].data.u64 == EVENT_WARDEN)
            worker_start_guardian (self);
        else if (events[i].data.u64 == EVENT_STOP)
            take_stop (self);
        else if (events[i].data.u64 == EVENT_WIRE)
            self->stirred = true;
        else
            slots_on_event (&self->slots, events[i].data.u64);
    }
    return 0;
}

static void
show (struct weft_worker *self)
{
    const struct slots *slots = &self->slots;
    int waits = slots->tasks ? tasks_waiting (slots->tasks) : 0, held = slots->tasks ? tasks_held (slots->tasks) : 0;
    struct worker_values now = {
        .slots = (uint64_t) slots->config.count, .waiting = (uint64_t) (slots->waiting + waits),
        .running = (uint64_t) (slots->busy + held - waits), .connected = self->line.state == LINE_MEMBER,
        .breaks = self->line.session - 1
    };
    counters_show (&self->shown.slots, &now.slots, sizeof now / sizeof (uint64_t));
}

/*  One round. The wire signals edges: it is asked again after every use, and only when
 *  it has nothing do we wait. Asking costs system calls, so while neither side
 *  has used it, it is left alone. */
int
worker_turn (struct weft_worker *self)
{
    int rc = self->stirred ? worker_hear (self) : 0;
    if (rc)
        return rc;
    slots_turn (&self->slots);
    rc = act (self);
    if (self->counts)
        show (self);
    if (rc || self->state == WORKER_GONE || (self->state == WORKER_LEAVING && !slots_busy (&self->slots)))
        return rc;                      /*  nothing is waited for */
    if (self->stirred) {
        if (pool_wire_stirs (self->wire))
            return 0;
        self->stirred = false;
    }
    return wait (self);
}
