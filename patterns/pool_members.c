/*  pool_members.c - the workers of a head, and what is said between them and it */

#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "patterns/pool_head.h"

static void
worker_unlink (struct weft_pool *self, struct worker *worker)
{
    map_remove (&self->peers, &worker->peer.node);
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
    buffer_free (&worker->batch);
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

/*  Something is to be sent to the worker. */
static void
add_due (struct weft_pool *self, struct worker *worker)
{
    if (worker->due)
        return;
    worker->due = true;
    worker->next_due = self->due;
    self->due = worker;
}

static void
drop_due (struct weft_pool *self, struct worker *worker)
{
    for (struct worker **link = &self->due; *link; link = &(*link)->next_due)
        if (*link == worker) {
            *link = worker->next_due;
            break;
        }
    worker->due = false;
}

/*  The worker will be heard no more. */
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
    worker_unlink (self, worker);
    drop_due (self, worker);
    dispatch_set_window (&self->dispatch, &worker->credit, 0);
    add_news (self, worker);
}

int
head_say (struct weft_pool *self, struct worker *worker)
{
    int rc = pool_send (self->wire, &worker->peer, &self->body, head_now (self));
    if (rc == WEFT_ENOPEER)
        head_lose (self, worker, "its connection is gone");
    return rc == WEFT_ENOPEER || rc == WEFT_EAGAIN ? 0 : rc;
}

/*  HEARTBEAT, or END and whether we shall wait for the answers. */
int
head_say_to_all (struct weft_pool *self, enum pool_verb verb, bool answer)
{
    int rc = 0;
    for (struct worker *worker = self->workers, *next; rc == 0 && worker; worker = next) {
        next = worker->next;
        rc = verb == POOL_END ? pool_put_end (&self->body, answer) : pool_put_plain (&self->body, verb);
        rc = rc ? rc : head_say (self, worker);
    }
    return rc;
}

/* ---------------------------------------------------------------------- dealing */

/*  Sends a worker its jobs, or at least what is acknowledged. A wire that is full is
 *  tried again at the next turn. */
static int
send_due (struct weft_pool *self, struct worker *worker)
{
    int rc;
    if (worker->batched) {
        rc = pool_put_jobs (&self->body, worker->peer.have, worker->batched);
        rc = rc ? rc : buffer_add (&self->body, buffer_data (&worker->batch), buffer_size (&worker->batch));
    }
    else
        rc = pool_put_ack (&self->body, worker->peer.have);
    rc = rc ? rc : pool_send (self->wire, &worker->peer, &self->body, head_now (self));
    if (rc)
        return rc;
    worker->peer.acked = worker->peer.have;
    worker->batched = 0;
    buffer_clear (&worker->batch);
    return 0;
}

static int
send_all_due (struct weft_pool *self)
{
    struct worker *worker, *later = NULL;
    while ((worker = self->due)) {
        self->due = worker->next_due;
        worker->due = false;
        int rc = send_due (self, worker);
        if (rc == WEFT_ENOPEER)
            head_lose (self, worker, "its connection is gone");
        else if (rc == WEFT_EAGAIN) {
            worker->next_due = later;
            worker->due = true;
            later = worker;
        }
        else if (rc)
            return rc;
    }
    self->due = later;
    return 0;
}

/*  Gives waiting jobs to workers with credit. */
int
head_deal (struct weft_pool *self)
{
    struct dispatch_job *job;
    while ((job = dispatch_assign (&self->dispatch))) {
        struct worker *worker = map_entry (job->worker, struct worker, credit);
        int rc = pool_put_job (&worker->batch, job->id, job->attempt, job->spec, job->size);
        if (rc)
            return rc;
        worker->batched++;
        add_due (self, worker);
        if (buffer_size (&worker->batch) >= POOL_BATCH && (rc = send_all_due (self)))
            return rc;
    }
    return send_all_due (self);
}

/* -------------------------------------------------------------------- listening */

void
head_count_refused (struct weft_pool *self)
{
    self->stats.refused++;
    if (!self->told_refused)
        log_warning (&self->weft->log, "pool: refused a message: %s (further ones are only counted)", weft_error ());
    self->told_refused = true;
}

static void
refuse (struct weft_pool *self, struct pool_bytes route, const char *why)
{
    self->stats.refused++;
    log_warning (&self->weft->log, "pool: refused a worker: %s", why);
    if (pool_put_refused (&self->body, why) == 0)
        pool_answer (self->wire, route, &self->body);
}

static void
welcome (struct weft_pool *self, struct worker *worker)
{
    struct pool_welcome answer = {
        .version = POOL_VERSION, .instance = self->instance, .session = worker->peer.session,
        .have = worker->peer.have, .heartbeat = self->config.heartbeat / TIME_MS
    };
    if (pool_put_welcome (&self->body, &answer) == 0)
        head_say (self, worker);
}

static int
join (struct weft_pool *self, struct pool_bytes route, const struct pool_hello *hello)
{
    struct worker *worker = calloc (1, sizeof *worker);
    if (!worker)
        return error_plain (WEFT_ENOMEM);
    int rc = pool_peer_init (&worker->peer, &self->peers, route, hello, head_now (self));
    if (rc) {
        free (worker);
        return rc;
    }
    buffer_init (&worker->batch, 0);
    worker->slots = (int) hello->slots;
    worker->next = self->workers;
    if (worker->next)
        worker->next->prev = worker;
    self->workers = worker;
    self->stats.workers++;
    self->stats.slots += (uint64_t) worker->slots;
    dispatch_join (&self->dispatch, &worker->credit, worker->slots, (int) hello->window);
    add_news (self, worker);
    welcome (self, worker);
    return 0;
}

static int
on_hello (struct weft_pool *self, struct worker *worker, struct pool_bytes route, const struct pool_hello *hello)
{
    if (hello->role != POOL_ROLE_WORKER || hello->slots < 1)
        refuse (self, route, "this is the head of a pool, which takes workers with at least one slot");
    else if (self->state >= POOL_ENDING) {
        if (pool_put_end (&self->body, false) == 0)
            pool_answer (self->wire, route, &self->body);
    }
    else if (worker && worker->peer.instance == hello->instance && worker->peer.session == hello->session)
        welcome (self, worker);
    else {
        if (worker)
            head_lose (self, worker, "it has begun anew");
        if (self->peers.count < POOL_PEERS_MAX)
            return join (self, route, hello);
        refuse (self, route, "there are too many workers");
    }
    return 0;
}

static int
on_report (struct weft_pool *self, struct worker *worker, const struct pool_message *message)
{
    int rc = pool_peer_report (&worker->peer, message->number);
    if (rc == WEFT_EPROTO)
        return rc;
    add_due (self, worker);
    if (rc)
        return 0;                       /*  a repetition: only acknowledge it again */
    dispatch_set_window (&self->dispatch, &worker->credit, (int) message->window);
    if (message->left) {
        self->report = *message;
        self->reporter = worker;
    }
    return 0;
}

static int
on_worker_message (struct weft_pool *self, struct worker *worker, const struct pool_message *message)
{
    switch (message->verb) {
    case POOL_REPORT:
        return on_report (self, worker, message);
    case POOL_GOODBYE:
        head_lose (self, worker, worker->credit.held ? "it was stopped" : NULL);
        return 0;
    case POOL_HEARTBEAT:
        return 0;
    default:
        return error_set (WEFT_EPROTO, "a worker sent verb %d, which is the head's", (int) message->verb);
    }
}

/*  self->msg has come. */
int
head_take_message (struct weft_pool *self)
{
    struct pool_bytes route;
    struct pool_message message;
    int rc = pool_receive (&self->msg, &route, &message);
    struct worker *worker = (struct worker *) pool_peer_find (&self->peers, route);
    if (worker)
        worker->peer.heard = head_now (self);
    if (rc == 0 && message.verb == POOL_HELLO)
        rc = on_hello (self, worker, route, &message.hello);
    else if (rc == 0 && worker)
        rc = on_worker_message (self, worker, &message);
    else if (rc == 0 && message.verb != POOL_GOODBYE && pool_put_plain (&self->body, POOL_UNKNOWN) == 0)
        pool_answer (self->wire, route, &self->body);
    if (rc == WEFT_ENOTSUP) {
        refuse (self, route, weft_error ());
        return 0;
    }
    if (rc == WEFT_EPROTO) {
        head_count_refused (self);
        if (worker) {
            if (pool_put_refused (&self->body, weft_error ()) == 0)
                pool_answer (self->wire, route, &self->body);
            head_lose (self, worker, weft_error ());
        }
        return 0;
    }
    return rc;
}
