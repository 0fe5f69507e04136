/*  pool_turn.c - the turns of a head: what has come, what is due, and the end */

#include "core/error.h"
#include "patterns/pool_head.h"

#define LATE (3 * TIME_S)               /*  for workers of the head before us, which has left nothing to do */
#define PINGS 3                         /*  after a connection was lost, see ping       */
#define PING_SHARE (100 * TIME_US)      /*  between two rounds, for each worker: no more than 10,000 pings a second */

/*  A lost connection is not named. Who cannot be sent to any more has lost it; libzmq
 *  may take a moment to know, so we ask more than once. Where there are many workers, one is lost all
 *  the time: the rounds keep a distance. */
static int64_t
ping_spacing (const struct weft_pool *self)
{
    return (int64_t) self->stats.workers * PING_SHARE;
}

static int
ping (struct weft_pool *self, int64_t now)
{
    if (self->ping_at == TIME_FOREVER || now < self->ping_at)
        return 0;
    int64_t pause = (PINGS - --self->pings) * 10 * TIME_MS, spacing = ping_spacing (self);
    wire_events (self->wire);
    self->pinged = now;
    self->ping_at = self->pings > 0 ? now + (pause > spacing ? pause : spacing) : TIME_FOREVER;
    return head_say_to_all (self, POOL_HEARTBEAT, false);
}

static void
plan_pings (struct weft_pool *self, int64_t now)
{
    int64_t next = self->pinged + ping_spacing (self);
    self->ping_at = clock_earlier (self->ping_at, next > now ? next : now);
    self->pings = PINGS;
}

static int64_t
beat_interval (const struct weft_pool *self)
{
    return self->config.heartbeat ? self->config.heartbeat : TIME_S;
}

static int
beat (struct weft_pool *self, int64_t now, bool heard)
{
    int rc = 0;
    if (self->beat_at != TIME_FOREVER && now < self->beat_at)
        return 0;
    self->beat_at = now + beat_interval (self);
    for (struct worker *worker = self->workers, *next; rc == 0 && worker; worker = next) {
        next = worker->next;
        if (heard && pool_peer_silent (&worker->peer, now))
            head_miss (self, worker, "it was silent for too long");
        else if (self->config.heartbeat && now - worker->peer.sent >= self->config.heartbeat)
            rc = head_beat (self, worker);
    }
    return rc;
}

/*  While the caller did not run the pool nobody could be heard: that is no silence. */
static void
excuse_gap (struct weft_pool *self, int64_t now)
{
    int64_t gap = now - self->pumped;
    self->pumped = now;
    if (gap < 2 * beat_interval (self))
        return;
    for (struct worker *worker = self->workers; worker; worker = worker->next) {
        worker->peer.heard += gap;
        worker->away_until += worker->away && worker->away_until != TIME_FOREVER ? gap : 0;
    }
}

static int
take_messages (struct weft_pool *self)
{
    int rc = 0;
    for (int i = 0; rc == 0 && i < HEAD_TURN && !self->reporter && !head_has_event (self); i++) {
        rc = wire_recv (self->wire, &self->msg, 0);
        rc = rc ? rc : head_take_message (self);
    }
    return rc;
}

static int
take_wire_events (struct weft_pool *self, int64_t now)
{
    struct wire_event event;
    int rc;
    while ((rc = wire_next_event (self->wire, &event)) == 1) {
        watch_refusal (&self->watch, &event, &self->weft->log, "pool");
        if (event.kind == WIRE_DISCONNECTED)
            plan_pings (self, now);
    }
    return rc;
}

/*  All has ended and is told: let the workers go, then the sink. */
static int
end (struct weft_pool *self, int64_t now)
{
    if (self->state == POOL_FINISHING && !head_has_jobs (self) && !head_has_event (self)) {
        self->state = POOL_ENDING;
        bool expects = self->book && self->book->found.dealt && !self->met;
        self->met |= !expects;
        self->end_at = clock_deadline (self->weft->clock, expects ? LATE : self->config.linger);
        int rc = self->wire ? head_say_to_all (self, POOL_END, true) : 0;
        if (rc)
            return rc;
    }
    if (self->state == POOL_ENDING && !head_has_event (self) && !self->silent_end
        && ((!self->workers && self->met) || (self->end_at != TIME_FOREVER && now >= self->end_at)))
        self->silent_end = true;
    int rc = self->forward ? forward_turn (self->forward, self->silent_end) : 0;
    if (self->silent_end && (!self->forward || self->forward->state == FORWARD_GONE))
        self->state = POOL_ENDED;
    return rc;
}

int
head_turn (struct weft_pool *self)
{
    int64_t now = head_now (self);
    int rc = self->broken ? self->broken : head_make_ready (self);
    if (rc || !self->wire)
        return rc ? rc : end (self, now);
    excuse_gap (self, now);
    self->dispatch.now = now;
    rc = head_turn_book (self);
    rc = rc ? rc : take_wire_events (self, now);
    rc = rc ? rc : take_messages (self);
    bool heard = rc == WEFT_EAGAIN;     /*  all that has come */
    rc = rc && !heard ? rc : ping (self, now);
    rc = rc ? rc : beat (self, now, heard);
    if (rc == 0 && heard) {
        head_watch_away (self, now);
        head_await (self, now);
        rc = head_stop_overdue (self, now);
    }
    rc = rc ? rc : head_page (self, now);
    rc = rc ? rc : head_deal (self, now);
    return rc ? rc : end (self, now);
}

int64_t
head_deadline (const struct weft_pool *self)
{
    int64_t deadline = clock_earlier (self->workers ? self->beat_at : TIME_FOREVER, self->ping_at);
    if (self->state == POOL_ENDING)
        deadline = clock_earlier (deadline, self->end_at);
    if (self->awaiting)
        deadline = clock_earlier (deadline, self->awaited_until);
    deadline = clock_earlier (deadline, self->retract_at);
    if (self->away)
        deadline = clock_earlier (deadline, self->away_at);
    deadline = clock_earlier (deadline, clock_earlier (self->start_at, head_keep_deadline (self)));
    deadline = clock_earlier (deadline, self->overdue_at);
    if (self->due)
        deadline = clock_earlier (deadline, head_now (self) + 10 * TIME_MS);
    if (self->forward)
        deadline = clock_earlier (deadline, forward_deadline (self->forward));
    return deadline;
}
