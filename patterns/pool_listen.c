/*  pool_listen.c - what a head hears from workers, and answers them */

#include <string.h>

#include "core/error.h"
#include "patterns/pool_head.h"

/* --------------------------------------------------------------------- speaking */

int
head_say (struct weft_pool *self, struct worker *worker)
{
    int rc = pool_send (self->wire, &worker->peer, &self->body, head_now (self));
    if (rc == WEFT_ENOPEER)
        head_miss (self, worker, "its connection is gone");
    return rc == WEFT_ENOPEER || rc == WEFT_EAGAIN ? 0 : rc;
}

int
head_beat (struct weft_pool *self, struct worker *worker)
{
    int rc = pool_put_heartbeat (&self->body, worker->peer.session, worker->number, worker->peer.safe);
    return rc ? rc : head_say (self, worker);
}

int
head_say_to_all (struct weft_pool *self, enum pool_verb verb, bool answer)
{
    int rc = 0;
    for (struct worker *worker = self->workers, *next; rc == 0 && worker; worker = next) {
        next = worker->next;
        if (verb != POOL_END)
            rc = head_beat (self, worker);
        else if ((rc = pool_put_end (&self->body, answer)) == 0)
            rc = head_say (self, worker);
    }
    return rc;
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
        .have = worker->peer.safe, .heartbeat = self->config.heartbeat / TIME_MS, .pool = { (char *) self->id, POOL_ID }
    };
    if (pool_put_welcome (&self->body, &answer) == 0)
        head_say (self, worker);
}

/*  The worker says anew what it has: the session begins. Its jobs are ours when they are this pool's. */
static int
adopt (struct weft_pool *self, struct worker *worker, struct pool_message *message)
{
    const struct pool_hello *hello = &message->hello;
    struct pool_peer *peer = &worker->peer;
    bool ours = hello->pool.size && memcmp (hello->pool.data, self->id, POOL_ID) == 0;
    uint64_t id, least = ours ? hello->next - 1 : hello->last;
    int64_t attempt, robbed_attempt;
    bool begun;
    int rc;
    peer->session = hello->session;
    peer->heartbeat = hello->heartbeat * TIME_MS;
    if (!ours || peer->have < least)
        peer->have = least;
    if (!ours || peer->safe < least)
        peer->safe = least;
    worker->window = (int) hello->window;
    worker->number = worker->batched = worker->cancelled[0] = worker->cancelled[1] = 0;
    buffer_clear (&worker->batch);
    buffer_clear (&worker->cancels[0]);
    buffer_clear (&worker->cancels[1]);
    dispatch_set_window (&self->dispatch, &worker->credit, worker->away ? 0 : worker->window);
    dispatch_doubt (&self->dispatch, &worker->credit);
    while ((rc = pool_next_held (message, &id, &attempt, &begun)) == 1) {
        struct dispatch_worker *robbed = NULL;
        bool claimed = ours && dispatch_claim (&self->dispatch, &worker->credit, id, attempt, begun, &robbed,
                                               &robbed_attempt);
        struct dispatch_job *job = claimed ? dispatch_find (&self->dispatch, &worker->credit, id, attempt) : NULL;
        if (ours && (!job || job->cancelled || job->stopped))
            rc = head_cancel_job (self, worker, id, attempt, !job || job->stopped);
        if (rc >= 0 && robbed)
            rc = head_cancel_job (self, map_entry (robbed, struct worker, credit), id, robbed_attempt, true);
        if (rc < 0)
            return rc;
    }
    worker->settling = true;
    worker->settle_at = hello->last;
    return rc;
}

static int
join (struct weft_pool *self, struct worker *worker, struct pool_bytes route, struct pool_message *message)
{
    worker = worker ? worker : head_new_worker (self, route, &message->hello);
    int rc = worker ? adopt (self, worker, message) : WEFT_ENOMEM;
    if (rc) {
        if (worker)
            head_lose (self, worker, weft_error ());
        return rc;
    }
    welcome (self, worker);
    if (worker->state < WORKER_LEAVING) {
        head_regain (self, worker);
        head_settle (self, worker);
    }
    return 0;
}

static int
on_hello (struct weft_pool *self, struct worker *worker, struct pool_bytes route, struct pool_message *message)
{
    const struct pool_hello *hello = &message->hello;
    if (hello->role != POOL_ROLE_WORKER || hello->slots < 1) {
        refuse (self, route, "this is the head of a pool, which takes workers with at least one slot");
        return 0;
    }
    if (worker && worker->peer.instance != hello->instance) {
        head_lose (self, worker, "another has taken its place");
        worker = NULL;
    }
    if (self->state >= POOL_ENDING) {
        if (pool_put_end (&self->body, worker != NULL) == 0)
            pool_answer (self->wire, route, &self->body);
    }
    else if (worker && hello->session == worker->peer.session)
        welcome (self, worker);         /*  a repetition */
    else if (worker && hello->session < worker->peer.session)
        return 0;                       /*  late: that session is over */
    else if (worker || self->peers.routes.count < POOL_PEERS_MAX)
        return join (self, worker, route, message);
    else
        refuse (self, route, "there are too many workers");
    return 0;
}

/*  What was said or heard is not whole: the worker is to begin a session anew. */
static int
say_unknown (struct weft_pool *self, struct pool_bytes route, uint64_t session)
{
    if (pool_put_plain (&self->body, POOL_UNKNOWN, session) == 0)
        pool_answer (self->wire, route, &self->body);
    return 0;
}

static int
on_report (struct weft_pool *self, struct worker *worker, const struct pool_message *message)
{
    int rc = pool_peer_report (&worker->peer, message->number);
    if (rc == WEFT_EPROTO)
        return say_unknown (self, worker->peer.route, worker->peer.session);
    head_add_due (self, worker);
    if (rc)
        return 0;                       /*  a repetition: only acknowledge it again */
    if (!self->book)
        worker->peer.safe = worker->peer.have;
    worker->window = (int) message->window;
    dispatch_set_window (&self->dispatch, &worker->credit, worker->window);
    if (message->left) {
        self->report = *message;
        self->reporter = worker;
        return 0;
    }
    return head_end_report (self, worker);
}

static int
on_worker_message (struct weft_pool *self, struct worker *worker, const struct pool_message *message)
{
    bool session = message->session == worker->peer.session;
    switch (message->verb) {
    case POOL_REPORT:
        return on_report (self, worker, message);
    case POOL_GOODBYE:
        if (session)
            head_lose (self, worker, worker->credit.held ? "it was stopped" : NULL);
        return 0;
    case POOL_HEARTBEAT:
        if (message->session > worker->peer.session || (session && message->number > worker->peer.have))
            return say_unknown (self, worker->peer.route, message->session);
        return 0;
    default:
        return error_set (WEFT_EPROTO, "a worker sent verb %d, which is the head's", (int) message->verb);
    }
}

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
        rc = on_hello (self, worker, route, &message);
    else if (rc == 0 && worker) {
        head_regain (self, worker);
        rc = on_worker_message (self, worker, &message);
    }
    else if (rc == 0 && message.verb != POOL_GOODBYE)
        rc = say_unknown (self, route, message.session);
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
