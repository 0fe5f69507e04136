/*  pool_worker_talk.c - what a worker says to a head, and what it hears */

#include "patterns/pool_worker.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/error.h"

#define TURN_MESSAGES 1000      /*  received before the slots have their turn   */

/* -------------------------------------------------------------------- speaking */

/*  Sends what was put into `body`. A wire that is full or has lost its peer is no
 *  error here: what must not be lost is said again. */
static int
say (struct weft_worker *self)
{
    int rc = pool_send (self->wire, NULL, &self->body, worker_now (self));
    self->stirred = true;
    if (rc == 0)
        self->sent = worker_now (self);
    return rc == WEFT_EAGAIN || rc == WEFT_ENOPEER ? 0 : rc;
}

static struct pool_bytes
text_bytes (const char *text)
{
    return (struct pool_bytes) { text, strlen (text) };
}

/*  Who we are and what we have. */
static int
say_hello (struct weft_worker *self)
{
    struct pool_hello hello = {
        .name = text_bytes (self->name), .host = text_bytes (self->host), .pid = getpid (),
        .slots = self->slots.config.count, .heartbeat = self->config.heartbeat / TIME_MS,
        .memory = self->slots.config.memory
    };
    self->window = slots_window (&self->slots);
    self->greeted = worker_now (self);
    buffer_clear (&self->held);
    /*  First, since what ends after that is told in a later report than HELLO's last. */
    int rc = slots_put_held (&self->slots, &self->held, &hello.held);
    rc = rc ? rc : line_hello (&self->line, &hello, self->window);
    rc = rc ? rc : pool_put_hello (&self->body, &hello);
    rc = rc ? rc : buffer_add (&self->body, buffer_data (&self->held), buffer_size (&self->held));
    rc = rc ? rc : pool_put_hello_end (&self->body, &hello);
    return rc ? rc : say (self);
}

/*  The connection has gone: a head is looked for, from now on for as long as is allowed. */
static void
lose_head (struct weft_worker *self, bool member)
{
    if (member) {
        self->deadline = clock_deadline (self->weft->clock, self->config.connect_timeout);
        log_warning (&self->weft->log, "worker %s: the head has gone; waiting for it to come back", self->name);
    }
    line_break (&self->line);
}

void
worker_leave (struct weft_worker *self, int result)
{
    self->result = result;
    snprintf (self->reason, sizeof self->reason, "%s", result ? weft_error () : "");
    self->state = WORKER_LEAVING;
    slots_stop (&self->slots);
    slots_drop (&self->slots);
}

/* ------------------------------------------------------------------- listening */

static void
on_welcome (struct weft_worker *self, const struct pool_welcome *welcome)
{
    uint64_t records;
    int jobs;
    switch (line_welcomed (&self->line, welcome, &records)) {
    case LINE_OTHER:
        jobs = slots_drop (&self->slots);
        if (jobs || records)
            log_warning (&self->weft->log, "worker %s: joined another pool; %d jobs stopped and %llu records dropped, "
                         "which were the old one's", self->name, jobs, (unsigned long long) records);
        break;
    case LINE_SAME:
        log_info (&self->weft->log, "worker %s: the head is back", self->name);
        break;
    case LINE_FIRST:
    case LINE_NOT_OURS:
        break;
    }
}

static int
on_jobs (struct weft_worker *self, struct pool_message *message)
{
    uint64_t id;
    int64_t attempt;
    struct pool_bytes spec;
    int rc = 0;
    while (rc == 0 && (rc = pool_next_job (message, &id, &attempt, &spec)) == 1)
        rc = slots_add (&self->slots, id, attempt, spec);
    if (rc == 0 && self->stops)
        slots_stop (&self->slots);      /*  they crossed our last report */
    return rc;
}

static int
on_cancel (struct weft_worker *self, struct pool_message *message)
{
    uint64_t id;
    int64_t attempt;
    int rc;
    if (!message->left)
        slots_cancel (&self->slots, 0, 0, message->running);
    while ((rc = pool_next_cancelled (message, &id, &attempt)) == 1)
        slots_cancel (&self->slots, id, attempt, message->running);
    return rc;
}

static int
on_refused (struct weft_worker *self, struct pool_bytes text)
{
    worker_leave (self, error_set (WEFT_EPEER, "the head refused this worker: %.*s", (int) text.size, text.data));
    return 0;
}

static int
on_member_message (struct weft_worker *self, struct pool_message *message)
{
    int rc = line_take (&self->line, message);
    if (rc == LINE_BROKEN) {
        self->deadline = clock_deadline (self->weft->clock, self->config.connect_timeout);
        log_warning (&self->weft->log, "worker %s: a message is missing, or the head does not know us: joining anew",
                     self->name);
        return 0;
    }
    if (rc != LINE_TAKE)
        return rc;
    return message->verb == POOL_JOBS ? on_jobs (self, message) : on_cancel (self, message);
}

static int
on_message (struct weft_worker *self, const weft_msg_t *msg)
{
    struct pool_message message;
    int rc = pool_decode (&message, weft_msg_data (msg, 0), weft_msg_size (msg, 0));
    if (rc == 0 && message.verb == POOL_END) {
        self->unheard = !message.answer;
        if (self->state != WORKER_LEAVING)
            worker_leave (self, 0);
    }
    else if (rc == 0 && message.verb == POOL_REFUSED && self->state != WORKER_LEAVING)
        on_refused (self, message.text);
    else if (rc == 0 && message.verb == POOL_WELCOME)
        on_welcome (self, &message.welcome);
    else if (rc == 0 && self->state == WORKER_ACTIVE)
        rc = on_member_message (self, &message);
    if (rc == WEFT_ENOTSUP && self->line.state == LINE_GREETING)
        return rc;
    if (rc == WEFT_EPROTO || rc == WEFT_ENOTSUP) {
        log_warning (&self->weft->log, "worker %s: from the head: %s", self->name, weft_error ());
        rc = 0;
    }
    return rc;
}

static int
take_wire_events (struct weft_worker *self)
{
    struct wire_event event;
    int rc;
    while ((rc = wire_next_event (self->wire, &event)) == 1) {
        if (event.kind == WIRE_DISCONNECTED && self->state < WORKER_LEAVING)
            lose_head (self, self->line.state == LINE_MEMBER);
        if (event.kind == WIRE_REJECTED && event.denied)
            return error_set (WEFT_EACCES, "the pool at that address is not ours to join: %s", event.text);
        if (event.kind == WIRE_REJECTED && event.incompatible)
            return error_set (WEFT_EPEER, "there is no pool at that address: %s", event.text);
        watch_refusal (&self->watch, &event, &self->weft->log, "worker");
    }
    return rc;
}

static int
take_messages (struct weft_worker *self)
{
    weft_msg_t msg;
    weft_msg_init (&msg);
    int rc = 0;
    for (int i = 0; rc == 0 && i < TURN_MESSAGES; i++) {
        rc = wire_recv (self->wire, &msg, 0);
        rc = rc ? rc : on_message (self, &msg);
    }
    weft_msg_clear (&msg);
    return rc == WEFT_EAGAIN ? 0 : rc;
}

int
worker_hear (struct weft_worker *self)
{
    int rc = take_wire_events (self);
    return rc ? rc : take_messages (self);
}

/* ------------------------------------------------------------------- reporting */

/*  Seals and sends what is due: at once when a slot has nothing to do, else in
 *  company, so that short jobs cost few messages. */
static int
flush (struct weft_worker *self)
{
    int64_t deadline = outbox_deadline (&self->line.outbox);
    int window = slots_window (&self->slots);
    bool due = deadline != TIME_FOREVER && (deadline <= worker_now (self)
        || (self->line.outbox.urgent && slots_hungry (&self->slots))
        || self->line.outbox.count >= slots_batch (&self->slots));
    if (due || (window != self->window && (!window || !self->window))) {
        int rc = outbox_seal (&self->line.outbox, window);
        if (rc)
            return rc;
        self->window = window;
    }
    if (!self->line.outbox.unsent)
        return 0;
    int rc = outbox_send (&self->line.outbox, self->wire);
    self->stirred = true;
    if (rc > 0)
        self->sent = worker_now (self);
    return rc < 0 && rc != WEFT_ENOPEER ? rc : 0;
}

static int
beat (struct weft_worker *self)
{
    if (!self->config.heartbeat || worker_now (self) - self->sent < self->config.heartbeat)
        return 0;
    int rc = pool_put_heartbeat (&self->body, self->line.session, outbox_sent (&self->line.outbox), 0);
    return rc ? rc : say (self);
}

int
worker_report (struct weft_worker *self)
{
    int rc = flush (self);
    return rc ? rc : beat (self);
}

int
worker_say_goodbye (struct weft_worker *self)
{
    int rc = pool_put_plain (&self->body, POOL_GOODBYE, self->line.session);
    return rc ? rc : say (self);
}

/* ------------------------------------------------------------- looking for a head */

static void
note_waiting (struct weft_worker *self)
{
    char limit[48] = "waiting for one";
    if (self->deadline != TIME_FOREVER)
        snprintf (limit, sizeof limit, "waiting up to %g s", (double) self->config.connect_timeout / TIME_S);
    log_warning (&self->weft->log, "worker %s: no head at %s yet; %s", self->name, self->endpoint, limit);
    self->note_at = TIME_FOREVER;
}

int
worker_seek (struct weft_worker *self)
{
    int64_t now = worker_now (self);
    if (self->line.state == LINE_GREETING && now - self->greeted > POOL_MISSED * TIME_S)
        self->line.state = LINE_SEEKING;    /*  the HELLO or its answer was lost: say it again */
    if (self->line.state == LINE_SEEKING && self->wire->peers)
        return say_hello (self);
    if (self->note_at != TIME_FOREVER && now >= self->note_at)
        note_waiting (self);
    if (self->deadline == TIME_FOREVER || now < self->deadline)
        return 0;
    return error_set (WEFT_ENOPEER, "no head has answered for %g s",
        (double) self->config.connect_timeout / TIME_S);
}
