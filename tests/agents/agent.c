/*  agent.c - a simulated worker */

#include "tests/agents/agent.h"

#include <inttypes.h>
#include <string.h>

#include "core/error.h"
#include "patterns/pool.h"

#define GREET_AGAIN (5 * TIME_S)
#define FAILING 20              /*  one job in so many has a status other than 0            */

void
agent_begin (struct agent *self, struct agents *all, int64_t at)
{
    uint64_t instance = ++all->instances;
    self->life++;
    self->state = AGENT_AWAY;
    self->back_at = at;
    self->count = 0;
    self->slots = 1 + (int) agents_pick (all, 4);
    self->window = self->slots + (int) agents_pick (all, 3);
    snprintf (self->name, sizeof self->name, "worker-%d.%d", self->number, self->life);
    snprintf (self->route, sizeof self->route, "agent-%" PRIu64, instance);
    line_init (&self->line, instance, 1);
}

void
agent_free (struct agent *self)
{
    dealer_free (&self->dealer);
    line_free (&self->line);
}

static bool
is_alive (const struct agent *self)
{
    return self->state == AGENT_AWAY || self->state == AGENT_UP;
}

static void
tell_fault (const struct agent *self, struct agents *all, const char *what)
{
    fprintf (all->log, "fault %s %s\n", what, self->name);
}

static void
end_life (struct agent *self, struct agents *all, int64_t back_at)
{
    line_free (&self->line);
    agent_begin (self, all, back_at);
}

void
agent_die (struct agent *self, struct agents *all, bool reset, int64_t back_at)
{
    if (!is_alive (self))
        return;
    tell_fault (self, all, "kill");
    dealer_close (&self->dealer, agents_pick (all, 2), reset);
    end_life (self, all, back_at);
}

static void
lose_connection (struct agent *self, bool within, int64_t back_at)
{
    dealer_close (&self->dealer, within, false);
    line_break (&self->line);
    self->state = AGENT_AWAY;
    self->back_at = back_at;
}

void
agent_cut (struct agent *self, struct agents *all, bool within, int64_t back_at)
{
    if (self->state != AGENT_UP)
        return;
    tell_fault (self, all, "cut");
    lose_connection (self, within, back_at);
}

void
agent_stop (struct agent *self, struct agents *all, int64_t back_at)
{
    if (self->state != AGENT_UP)
        return;
    tell_fault (self, all, "stop");
    self->state = AGENT_STOPPED;
    self->back_at = back_at;
}

/* ------------------------------------------------------------------------ jobs */

static int
report (struct agent *self, struct agents *all, struct pool_record record, const struct agent_job *job)
{
    record.job = job->id;
    record.attempt = job->attempt;
    record.slot = 1;
    return outbox_add (&self->line.outbox, &record, all->now);
}

static void
drop_job (struct agent *self, int place)
{
    memmove (&self->jobs[place], &self->jobs[place + 1], sizeof *self->jobs * (size_t) (--self->count - place));
}

static int
give_back (struct agent *self, struct agents *all, int place)
{
    int rc = report (self, all, (struct pool_record) { .kind = POOL_RECORD_RETURNED }, &self->jobs[place]);
    drop_job (self, place);
    return rc;
}

static int
begin_job (struct agent *self, struct agents *all, struct agent_job *job)
{
    job->run = ++all->runs;
    job->ends = all->now + (int64_t) agents_pick (all, (uint64_t) all->longest + 1);
    fprintf (all->log, "start %" PRIu64 " %d %" PRIu64 " %s\n", job->id, POOL_ATTEMPT_NUMBER (job->attempt), job->run,
             self->name);
    return report (self, all, (struct pool_record) { .kind = WEFT_POOL_STARTED }, job);
}

static int
end_job (struct agent *self, struct agents *all, int place)
{
    struct agent_job *job = &self->jobs[place];
    char text[64];
    int size = snprintf (text, sizeof text, "job %" PRIu64 " %" PRIu64 "\n", job->id, job->run);
    struct pool_record wrote = { .kind = WEFT_POOL_OUTPUT, .stream = 1, .data = { text, (size_t) size } };
    struct pool_record done = { .kind = WEFT_POOL_DONE, .status = agents_pick (all, FAILING) == 0,
                                .received = (uint64_t) size };
    fprintf (all->log, "end %" PRIu64 " %d %" PRIu64 " %d\n", job->id, POOL_ATTEMPT_NUMBER (job->attempt), job->run,
             (int) done.status);
    all->ended++;
    int rc = report (self, all, wrote, job);
    rc = rc ? rc : report (self, all, done, job);
    drop_job (self, place);
    return rc;
}

static int
run_jobs (struct agent *self, struct agents *all)
{
    int running = 0, rc = 0;
    for (int i = self->count - 1; rc == 0 && i >= 0; i--) {
        if (self->jobs[i].run && all->now >= self->jobs[i].ends)
            rc = end_job (self, all, i);
        else
            running += self->jobs[i].run != 0;
    }
    for (int i = 0; rc == 0 && i < self->count && running < self->slots; i++)
        if (!self->jobs[i].run) {
            rc = begin_job (self, all, &self->jobs[i]);
            running++;
        }
    return rc;
}

static int
take_jobs (struct agent *self, struct pool_message *message)
{
    struct pool_bytes spec;
    struct agent_job job = { .run = 0 };
    int rc;
    while ((rc = pool_next_job (message, &job.id, &job.attempt, &spec)) == 1) {
        if (self->count >= self->window)
            return error_set (WEFT_EPROTO, "%s was given more jobs than its window of %d", self->name, self->window);
        self->jobs[self->count++] = job;
    }
    return rc;
}

/*  The jobs that are meant; id 0: all. */
static int
cancel (struct agent *self, struct agents *all, uint64_t id, int64_t attempt, bool running)
{
    int rc = 0;
    for (int i = self->count - 1; rc == 0 && i >= 0; i--) {
        const struct agent_job *job = &self->jobs[i];
        if ((id && (job->id != id || job->attempt != attempt)) || (job->run && !running))
            continue;
        if (!job->run)
            rc = give_back (self, all, i);
        else {
            struct pool_record record = { .kind = WEFT_POOL_DONE, .reason = WEFT_JOB_CANCELLED };
            rc = report (self, all, record, job);
            drop_job (self, i);
        }
    }
    return rc;
}

static int
take_cancel (struct agent *self, struct agents *all, struct pool_message *message)
{
    uint64_t id;
    int64_t attempt;
    int rc = message->left ? 0 : cancel (self, all, 0, 0, message->running);
    while (rc == 0 && (rc = pool_next_cancelled (message, &id, &attempt)) == 1)
        rc = cancel (self, all, id, attempt, message->running);
    return rc;
}

/* -------------------------------------------------------------------- the line */

static int
say (struct agent *self, struct agents *all, struct buffer *body)
{
    int rc = pool_send (&self->dealer.wire, NULL, body, all->now);
    if (rc == 0)
        self->sent = all->now;
    buffer_free (body);
    return rc == WEFT_EAGAIN ? 0 : rc;
}

static int
say_hello (struct agent *self, struct agents *all)
{
    struct pool_hello hello = { .slots = self->slots, .pid = 1, .heartbeat = all->heartbeat / TIME_MS,
                                .held = (uint32_t) self->count, .name = { self->name, strlen (self->name) },
                                .host = { "agents.invalid", 14 } };
    struct buffer body;
    buffer_init (&body, 0);
    self->greeted = all->now;
    all->sessions++;
    int rc = line_hello (&self->line, &hello, self->window);
    rc = rc ? rc : pool_put_hello (&body, &hello);
    for (int i = 0; rc == 0 && i < self->count; i++)
        rc = pool_put_held (&body, self->jobs[i].id, self->jobs[i].attempt, self->jobs[i].run != 0);
    return rc ? rc : say (self, all, &body);
}

static int
say_goodbye (struct agent *self, struct agents *all)
{
    struct buffer body;
    buffer_init (&body, 0);
    int rc = pool_put_plain (&body, POOL_GOODBYE, self->line.session);
    rc = rc ? rc : say (self, all, &body);
    return rc ? rc : dealer_write (&self->dealer);
}

/*  In order: what waits is given back, and what runs is told of by the head's loss of us. */
void
agent_leave (struct agent *self, struct agents *all, int64_t back_at)
{
    if (self->state != AGENT_UP || self->line.state != LINE_MEMBER)
        return;
    tell_fault (self, all, "terminate");
    for (int i = self->count - 1; i >= 0; i--)
        if (!self->jobs[i].run)
            give_back (self, all, i);
    if (outbox_seal (&self->line.outbox, 0) == 0 && outbox_send (&self->line.outbox, &self->dealer.wire) >= 0)
        say_goodbye (self, all);
    dealer_close (&self->dealer, false, false);
    end_life (self, all, back_at);
}

static int
take_message (struct agent *self, struct agents *all, const char *data, size_t size)
{
    struct pool_message message;
    uint64_t dropped;
    int rc = pool_decode (&message, data, size);
    if (rc)
        return rc;
    if (message.verb == POOL_REFUSED)
        return error_set (WEFT_EPEER, "%s was refused: %.*s", self->name, (int) message.text.size, message.text.data);
    if (message.verb == POOL_END) {
        say_goodbye (self, all);
        dealer_close (&self->dealer, false, false);
        self->state = AGENT_GONE;
        all->over = true;
        return 0;
    }
    if (message.verb == POOL_WELCOME) {
        if (line_welcomed (&self->line, &message.welcome, &dropped) == LINE_OTHER)
            self->count = 0;
        return 0;
    }
    rc = line_take (&self->line, &message);
    if (rc != LINE_TAKE)
        return rc == LINE_DONE || rc == LINE_BROKEN ? 0 : rc;
    return message.verb == POOL_JOBS ? take_jobs (self, &message) : take_cancel (self, all, &message);
}

static int
listen_to_head (struct agent *self, struct agents *all)
{
    const char *data;
    size_t size;
    int rc = dealer_read (&self->dealer), next = 0;
    while (self->state == AGENT_UP && (next = dealer_next (&self->dealer, &data, &size)) == 1)
        if ((next = take_message (self, all, data, size)))
            return next;
    return next < 0 ? next : rc;
}

static int
speak (struct agent *self, struct agents *all)
{
    struct outbox *outbox = &self->line.outbox;
    struct buffer body;
    if (self->line.state == LINE_GREETING && all->now - self->greeted > GREET_AGAIN)
        self->line.state = LINE_SEEKING;
    if (self->line.state == LINE_SEEKING && self->dealer.ready)
        return say_hello (self, all);
    if (self->line.state != LINE_MEMBER)
        return 0;
    int rc = outbox->urgent ? outbox_seal (outbox, self->window) : 0;
    rc = rc ? rc : outbox_send (outbox, &self->dealer.wire);
    if (rc > 0)
        self->sent = all->now;
    if (rc < 0 || all->now - self->sent < all->heartbeat)
        return rc < 0 ? rc : 0;
    buffer_init (&body, 0);
    rc = pool_put_heartbeat (&body, self->line.session, outbox_sent (outbox), 0);
    return rc ? rc : say (self, all, &body);
}

/* ----------------------------------------------------------------------- turns */

/*  A head that says END and then goes is the end; one that nobody meets is looked for again. */
static int
seek (struct agent *self, struct agents *all)
{
    int rc = dealer_connect (&self->dealer, self->endpoint, self->route);
    if (rc == 0)
        self->state = AGENT_UP;
    else if (rc == WEFT_ENOPEER && all->over)
        self->state = AGENT_GONE;
    else if (rc == WEFT_ENOPEER)
        self->back_at = all->now + 100 * TIME_MS;
    return rc == WEFT_ENOPEER ? 0 : rc;
}

int
agent_turn (struct agent *self, struct agents *all)
{
    int rc = 0;
    if (self->state == AGENT_STOPPED && all->now >= self->back_at)
        self->state = AGENT_UP;
    if (self->state == AGENT_AWAY && all->now >= self->back_at)
        rc = seek (self, all);
    if (rc == 0 && self->state == AGENT_UP)
        rc = listen_to_head (self, all);
    if (rc == 0 && is_alive (self))
        rc = run_jobs (self, all);
    if (rc == 0 && self->state == AGENT_UP)
        rc = speak (self, all);
    if (rc == 0 && self->state == AGENT_UP)
        rc = dealer_write (&self->dealer);
    if (rc == WEFT_ENOPEER && self->state == AGENT_UP) {
        lose_connection (self, false, all->now + (int64_t) agents_pick (all, 100) * TIME_MS);
        rc = 0;
    }
    return rc;
}

int64_t
agent_due (const struct agent *self, const struct agents *all)
{
    if (self->state == AGENT_GONE)
        return TIME_FOREVER;
    if (self->state == AGENT_STOPPED)
        return self->back_at;
    int64_t due = self->state == AGENT_AWAY ? self->back_at : TIME_FOREVER;
    if (self->line.state == LINE_MEMBER)
        due = clock_earlier (due, self->sent + all->heartbeat);
    if (self->line.state == LINE_GREETING)
        due = clock_earlier (due, self->greeted + GREET_AGAIN + 1);
    for (int i = 0; i < self->count; i++)
        if (self->jobs[i].run)
            due = clock_earlier (due, self->jobs[i].ends);
    return due;
}
