/*  pool_members.c - the workers of a head: how they come, break off, come back and go */

#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "patterns/pool_head.h"

#define FIRST_LOOK (10 * TIME_MS)       /*  whether the process of a worker that is away has ended ... */
#define LAST_LOOK TIME_S                /*  ... and how often in the long run                          */

static void
worker_unlink (struct weft_pool *self, struct worker *worker)
{
    pool_peer_remove (&worker->peer, &self->peers);
    if (worker->prev)
        worker->prev->next = worker->next;
    else
        self->workers = worker->next;
    if (worker->next)
        worker->next->prev = worker->prev;
    self->stats.workers--;
    self->stats.slots -= (uint64_t) worker->slots;
}

void
head_free_worker (struct weft_pool *self, struct worker *worker)
{
    dispatch_leave (&self->dispatch, &worker->credit);
    if (self->book)
        book_forget (self->book, &worker->peer);
    buffer_free (&worker->batch);
    buffer_free (&worker->cancels[0]);
    buffer_free (&worker->cancels[1]);
    pool_peer_free (&worker->peer);
    free (worker);
}

/*  Something about the worker is to be told to the caller. */
static void
add_news (struct weft_pool *self, struct worker *worker)
{
    if (worker->news)
        return;
    worker->news = true;
    worker->next_news = NULL;
    *self->last_news = worker;
    self->last_news = &worker->next_news;
}

void
head_drop_news (struct weft_pool *self)
{
    struct worker *worker = self->news;
    worker->news = false;
    self->news = worker->next_news;
    if (!self->news)
        self->last_news = &self->news;
}

struct worker *
head_new_worker (struct weft_pool *self, struct pool_bytes route, const struct pool_hello *hello)
{
    struct worker *worker = calloc (1, sizeof *worker);
    if (!worker || pool_peer_init (&worker->peer, &self->peers, route, hello, head_now (self))) {
        free (worker);
        error_plain (WEFT_ENOMEM);
        return NULL;
    }
    buffer_init (&worker->batch, 0);
    buffer_init (&worker->cancels[0], 0);
    buffer_init (&worker->cancels[1], 0);
    worker->slots = (int) hello->slots;
    worker->pid = hello->pid;
    worker->next = self->workers;
    if (worker->next)
        worker->next->prev = worker;
    self->workers = worker;
    self->met = true;
    self->stats.workers++;
    self->stats.slots += (uint64_t) worker->slots;
    dispatch_join (&self->dispatch, &worker->credit, worker->slots, 0);
    if (hello->memory)
        dispatch_equip (&self->dispatch, &worker->credit, hello->memory);
    add_news (self, worker);
    return worker;
}

void
head_lose (struct weft_pool *self, struct worker *worker, const char *why)
{
    if (worker->state >= WORKER_LEAVING)
        return;
    if (why) {
        self->stats.lost_workers++;
        log_warning (&self->weft->log, "pool: worker %s is lost: %s", worker->peer.name, why);
    }
    worker->state = WORKER_LEAVING;
    self->away -= worker->away;
    worker->away = worker->settling = false;
    worker_unlink (self, worker);
    head_drop_due (self, worker);
    head_drop_unkept (self, worker);
    dispatch_set_window (&self->dispatch, &worker->credit, 0);
    add_news (self, worker);
}

/* ------------------------------------------------------------------------ away */

static bool
is_gone (const struct worker *worker)
{
    return pool_process_gone ((struct pool_bytes) { worker->peer.host, strlen (worker->peer.host) }, worker->pid);
}

static int64_t
away_due (const struct worker *worker)
{
    return clock_earlier (worker->away_until, worker->look_at);
}

/*  Reports that it made before it came back are still to be taken in: they may tell of jobs of the head before us,
 *  which are with nobody until then. */
static bool
has_more (const struct weft_pool *self, const struct worker *worker)
{
    return worker->settling && (worker->peer.have < worker->settle_at || self->reporter == worker);
}

void
head_miss (struct weft_pool *self, struct worker *worker, const char *why)
{
    int64_t now = head_now (self);
    if (worker->away || worker->state >= WORKER_LEAVING)
        return;
    bool needed = worker->credit.held || has_more (self, worker);
    if (!needed || !self->config.reattach || self->state >= POOL_ENDING || is_gone (worker)) {
        head_lose (self, worker, why);
        return;
    }
    worker->away = true;
    self->away++;
    worker->away_until = clock_deadline (self->weft->clock, self->config.reattach);
    worker->look_again = FIRST_LOOK;
    worker->look_at = now + FIRST_LOOK;
    self->away_at = self->away > 1 ? clock_earlier (self->away_at, away_due (worker)) : away_due (worker);
    head_drop_due (self, worker);
    dispatch_set_window (&self->dispatch, &worker->credit, 0);
    log_warning (&self->weft->log, "pool: worker %s is away: %s; %d jobs wait for it", worker->peer.name, why,
                 worker->credit.held);
}

void
head_regain (struct weft_pool *self, struct worker *worker)
{
    if (!worker->away)
        return;
    worker->away = false;
    self->away--;
    dispatch_set_window (&self->dispatch, &worker->credit, worker->window);
    head_add_due (self, worker);
    log_info (&self->weft->log, "pool: worker %s is back, with %d jobs", worker->peer.name, worker->credit.held);
}

void
head_watch_away (struct weft_pool *self, int64_t now)
{
    if (!self->away || (self->away_at != TIME_FOREVER && now < self->away_at))
        return;
    self->away_at = TIME_FOREVER;
    for (struct worker *worker = self->workers, *next; self->away && worker; worker = next) {
        next = worker->next;
        if (!worker->away)
            continue;
        if (worker->away_until != TIME_FOREVER && now >= worker->away_until)
            head_lose (self, worker, "it did not come back");
        else if (now >= worker->look_at) {
            worker->look_again = worker->look_again < LAST_LOOK ? 2 * worker->look_again : LAST_LOOK;
            worker->look_at = now + worker->look_again;
            if (is_gone (worker))
                head_lose (self, worker, "its process has ended");
        }
        if (worker->away)
            self->away_at = clock_earlier (self->away_at, away_due (worker));
    }
}

void
head_settle (struct weft_pool *self, struct worker *worker)
{
    if (worker->settling && worker->peer.have >= worker->settle_at && self->reporter != worker)
        add_news (self, worker);
}
