/*  pool_forward.c - a head's line to its sink */

#include "patterns/pool_forward.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "codec/pool_command.h"
#include "core/error.h"
#include "core/security.h"
#include "patterns/pool.h"

static int64_t
now_of (const struct forward *self)
{
    return clock_now (self->weft->clock);
}

int
forward_open (struct forward **handle, weft_t *weft, const struct forward_config *config)
{
    struct endpoint endpoint;
    struct wire_options options;
    int rc = endpoint_parse (&endpoint, config->endpoint, ENDPOINT_CONNECT);
    rc = rc ? rc : security_check (config->security, &endpoint);
    if (rc)
        return rc;
    struct forward *self = calloc (1, sizeof *self);
    if (!self)
        return error_plain (WEFT_ENOMEM);
    self->weft = weft;
    self->instance = config->instance;
    self->session = 1;
    self->heartbeat = config->heartbeat;
    self->timeout = config->timeout;
    self->deadline = clock_deadline (weft->clock, config->timeout);
    outbox_init (&self->outbox);
    buffer_init (&self->body, 0);
    buffer_init (&self->command, 0);
    pool_wire_options (&options, config->linger);
    pool_identity (options.identity, sizeof options.identity, config->instance);
    rc = pool_open_wire (weft, WIRE_DEALER, config->security, NULL, &options, &self->wire);
    rc = rc ? rc : wire_attach (self->wire, &endpoint);
    if (rc)
        forward_close (&self);
    *handle = self;
    return rc;
}

void
forward_close (struct forward **handle)
{
    struct forward *self = *handle;
    if (!self)
        return;
    context_close (self->weft, &self->wire);
    outbox_free (&self->outbox);
    buffer_free (&self->body);
    buffer_free (&self->command);
    free (self);
    *handle = NULL;
}

/* ---------------------------------------------------------------------- events */

static struct pool_bytes
text_bytes (const char *text)
{
    return (struct pool_bytes) { text, text ? strlen (text) : 0 };
}

/*  The command as it was submitted, cut at POOL_CHUNK. */
static int
render_command (struct forward *self, const struct pool_bytes *bytes, struct pool_bytes *command)
{
    buffer_clear (&self->command);
    int rc = command_render (&self->command, bytes->data, bytes->size);
    size_t size = rc ? 0 : buffer_size (&self->command) - 1;
    *command = (struct pool_bytes) { buffer_data (&self->command), size < POOL_CHUNK ? size : POOL_CHUNK };
    return rc;
}

int
forward_event (struct forward *self, const weft_pool_event_t *event, const struct pool_bytes *spec)
{
    struct pool_record record = {
        .kind = event->kind, .job = event->job, .tag = event->tag, .attempt = event->attempt, .slot = event->slot,
        .name = text_bytes (event->worker), .host = text_bytes (event->host), .stream = event->stream,
        .data = { event->data, event->size }, .reason = event->reason, .status = event->status,
        .signal = event->signal, .started = event->started, .runtime = event->runtime,
        .received = event->received_bytes, .sent = event->sent_bytes, .slots = event->slots
    };
    int rc = spec ? render_command (self, spec, &record.command) : 0;
    return rc ? rc : outbox_add (&self->outbox, &record, now_of (self));
}

bool
forward_full (const struct forward *self)
{
    return outbox_full (&self->outbox);
}

/* ------------------------------------------------------------------- the line */

static int
say (struct forward *self)
{
    int rc = pool_send (self->wire, NULL, &self->body, now_of (self));
    if (rc == 0)
        self->sent = now_of (self);
    return rc == WEFT_EAGAIN || rc == WEFT_ENOPEER ? 0 : rc;
}

static int
say_heartbeat (struct forward *self)
{
    int rc = pool_put_heartbeat (&self->body, self->session, outbox_sent (&self->outbox), 0);
    return rc ? rc : say (self);
}

static int
say_hello (struct forward *self)
{
    char host[POOL_NAME_MAX + 1] = "", name[POOL_NAME_MAX + 1];
    gethostname (host, sizeof host - 1);
    snprintf (name, sizeof name, "%.200s:%d", host, (int) getpid ());
    struct pool_hello hello = {
        .version = POOL_VERSION, .role = POOL_ROLE_HEAD, .instance = self->instance, .session = self->session,
        .next = outbox_rewind (&self->outbox), .last = self->outbox.next - 1, .name = text_bytes (name),
        .host = text_bytes (host), .pid = getpid (),
        .heartbeat = self->heartbeat / TIME_MS
    };
    self->state = FORWARD_GREETING;
    self->greeted = now_of (self);
    int rc = pool_put_hello (&self->body, &hello);
    return rc ? rc : say (self);
}

static void
seek (struct forward *self)
{
    if (self->state == FORWARD_MEMBER) {
        self->deadline = clock_deadline (self->weft->clock, self->timeout);
        log_warning (&self->weft->log, "pool: the sink has gone; waiting for it to come back");
    }
    if (self->state == FORWARD_GREETING || self->state == FORWARD_MEMBER)
        self->session++;
    self->state = FORWARD_SEEKING;
}

/*  Is it of the session that is welcomed? 0 stands for any. */
static bool
is_current (const struct forward *self, const struct pool_message *message)
{
    return self->state == FORWARD_MEMBER && (!message->session || message->session == self->session);
}

static int
on_message (struct forward *self, const struct pool_message *message)
{
    switch (message->verb) {
    case POOL_WELCOME:
        if (self->state != FORWARD_GREETING || message->welcome.session != self->session)
            return 0;
        self->state = FORWARD_MEMBER;
        return outbox_forget (&self->outbox, message->welcome.have);
    case POOL_REFUSED:
        return error_set (WEFT_EPEER, "the sink refused this pool: %.*s", (int) message->text.size, message->text.data);
    case POOL_ACK:
    case POOL_HEARTBEAT:
        return is_current (self, message) ? outbox_ack (&self->outbox, message->have) : 0;
    case POOL_UNKNOWN:
        if (is_current (self, message))
            seek (self);
        return 0;
    default:
        return 0;
    }
}

static int
take_messages (struct forward *self)
{
    struct pool_message message;
    weft_msg_t msg;
    weft_msg_init (&msg);
    int rc = 0;
    while (rc == 0 && (rc = wire_recv (self->wire, &msg, 0)) == 0) {
        rc = pool_decode (&message, weft_msg_data (&msg, 0), weft_msg_size (&msg, 0));
        rc = rc ? rc : on_message (self, &message);
        if (rc == WEFT_EPROTO) {
            log_warning (&self->weft->log, "pool: from the sink: %s", weft_error ());
            rc = 0;
        }
    }
    weft_msg_clear (&msg);
    return rc == WEFT_EAGAIN ? 0 : rc;
}

static int
take_wire_events (struct forward *self)
{
    struct wire_event event;
    int rc;
    while ((rc = wire_next_event (self->wire, &event)) == 1) {
        if (event.kind == WIRE_DISCONNECTED && self->state != FORWARD_GONE)
            seek (self);
        if (event.kind == WIRE_REJECTED && event.denied)
            return error_set (WEFT_EACCES, "the sink at that address does not take our results: %s", event.text);
        if (event.kind == WIRE_REJECTED && event.incompatible)
            return error_set (WEFT_EPEER, "there is no sink at that address: %s", event.text);
        watch_refusal (&self->watch, &event, &self->weft->log, "pool: sink");
    }
    return rc;
}

static int
look_for_sink (struct forward *self)
{
    int64_t now = now_of (self);
    if (self->state == FORWARD_GREETING && now - self->greeted > POOL_MISSED * TIME_S)
        self->state = FORWARD_SEEKING;
    if (self->state == FORWARD_SEEKING && self->wire->peers)
        return say_hello (self);
    if (self->deadline == TIME_FOREVER || now < self->deadline)
        return 0;
    return error_set (WEFT_ENOPEER, "no sink has answered for %g s", (double) self->timeout / TIME_S);
}

static int
flush (struct forward *self, bool end)
{
    int64_t now = now_of (self), deadline = outbox_deadline (&self->outbox);
    if (deadline != TIME_FOREVER && (end || deadline <= now || !self->outbox.first)) {
        int rc = outbox_seal (&self->outbox, 0);
        if (rc)
            return rc;
    }
    int rc = outbox_send (&self->outbox, self->wire);
    if (rc > 0)
        self->sent = now;
    if (rc < 0 && rc != WEFT_ENOPEER)
        return rc;
    if (end && outbox_empty (&self->outbox)) {
        self->state = FORWARD_GONE;
        rc = pool_put_plain (&self->body, POOL_GOODBYE, self->session);
        return rc ? rc : say (self);
    }
    return self->heartbeat && now - self->sent >= self->heartbeat ? say_heartbeat (self) : 0;
}

int
forward_turn (struct forward *self, bool end)
{
    int rc = 0;
    do {
        rc = take_wire_events (self);
        rc = rc ? rc : take_messages (self);
        if (rc == 0 && (self->state == FORWARD_SEEKING || self->state == FORWARD_GREETING))
            rc = look_for_sink (self);
        if (rc == 0 && self->state == FORWARD_MEMBER)
            rc = flush (self, end);
    } while (rc == 0 && pool_wire_stirs (self->wire));
    return rc;
}

int64_t
forward_deadline (const struct forward *self)
{
    switch (self->state) {
    case FORWARD_SEEKING:
        return self->deadline;
    case FORWARD_GREETING:
        return clock_earlier (self->deadline, self->greeted + POOL_MISSED * TIME_S + 1);
    case FORWARD_MEMBER:
        return clock_earlier (self->outbox.unsent ? TIME_FOREVER : outbox_deadline (&self->outbox),
            self->heartbeat ? self->sent + self->heartbeat : TIME_FOREVER);
    case FORWARD_GONE:
        break;
    }
    return TIME_FOREVER;
}
