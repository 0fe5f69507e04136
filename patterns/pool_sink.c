/*  pool_sink.c - weft_sink_t: takes the events of heads, and acknowledges them
 *
 *  A report is kept as it came and read record by record; it is acknowledged when
 *  the caller has seen all of it. What a head sends again after a break is known by
 *  its number and passed over. */

#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/security.h"
#include "patterns/pool.h"

struct sink_config {
    int64_t heartbeat, linger, head_timeout;
    int64_t max_peers;
    struct security_config security;
};

#define FIELD(name) offsetof (struct sink_config, name)
const struct option sink_options[] = {
    { "heartbeat", 0, OPTION_TIME, "TIME", "1s", 0, 3600 * TIME_S, .offset = FIELD (heartbeat),
      .text = "time between signs of life to heads" },
    { "head-timeout", 0, OPTION_TIME, "TIME", "60s", TIME_FOREVER, INT64_MAX, .offset = FIELD (head_timeout),
      .text = "how long a head may be away before it is given up" },
    { "linger", 0, OPTION_TIME, "TIME", "1s", TIME_FOREVER, INT64_MAX, .offset = FIELD (linger),
      .text = "how long the last acknowledgements may take to be delivered" },
    POOL_MAX_PEERS (FIELD (max_peers)),
    OPTION_END
};

struct head {
    struct pool_peer peer;          /*  first */
    struct head *next;
};

struct weft_sink {
    struct pollable pollable;       /*  first */
    weft_t *weft;
    struct sink_config config;
    struct wire *wire;
    struct watch watch;             /*  what was said of refusals               */
    struct pool_peers peers;        /*  struct head                             */
    struct head *heads;
    bool met;                       /*  a head came                             */
    weft_msg_t msg;                 /*  the report that is being read ...       */
    struct pool_message report;
    struct head *reporter;          /*  ... and who sent it; NULL: none         */
    struct buffer body, texts;
    uint64_t instance;
    int64_t beat_at, pumped;
    bool told_refused;
};

static const struct pollable_ops sink_ops;

weft_sink_t *
weft_sink_new (weft_t *weft)
{
    struct weft_sink *self = calloc (1, sizeof *self);
    if (!self || option_init (sink_options, &self->config) || pool_peers_init (&self->peers)) {
        free (self);
        error_plain (WEFT_ENOMEM);
        return NULL;
    }
    self->pollable.ops = &sink_ops;
    self->weft = weft;
    self->instance = random_seed ();
    weft_msg_init (&self->msg);
    buffer_init (&self->body, 0);
    buffer_init (&self->texts, 0);
    return self;
}

static void
head_free (struct weft_sink *self, struct head *head)
{
    struct head **link = &self->heads;
    while (*link != head)
        link = &(*link)->next;
    *link = head->next;
    if (self->reporter == head)
        self->reporter = NULL;
    pool_peer_remove (&head->peer, &self->peers);
    pool_peer_free (&head->peer);
    free (head);
}

void
weft_sink_destroy (weft_sink_t **handle)
{
    struct weft_sink *self = *handle;
    if (!self)
        return;
    while (self->heads)
        head_free (self, self->heads);
    context_close (self->weft, &self->wire);
    pool_peers_free (&self->peers);
    weft_msg_clear (&self->msg);
    buffer_free (&self->body);
    buffer_free (&self->texts);
    option_free (sink_options, &self->config);
    option_free (security_options, &self->config.security);
    free (self);
    *handle = NULL;
}

int
weft_sink_set (weft_sink_t *self, const char *name, const char *value)
{
    const struct option_group groups[] = { { .table = sink_options, .target = &self->config },
                                           { .table = security_options, .target = &self->config.security }, { 0 } };
    return option_set_in (groups, name, value, "a sink", self->wire ? "the sink binds" : NULL);
}

int
weft_sink_bind (weft_sink_t *self, const char *text)
{
    struct endpoint endpoint;
    struct wire_options options;
    int rc = endpoint_parse (&endpoint, text, ENDPOINT_BIND);
    rc = rc ? rc : security_check (&self->config.security, &endpoint);
    pool_wire_options (&options, self->config.linger);
    options.max_peers = self->config.max_peers;
    self->pumped = clock_now (self->weft->clock);
    if (rc == 0 && !self->wire)
        rc = pool_open_wire (self->weft, WIRE_ROUTER, &self->config.security, "ventilator", &options, &self->wire);
    rc = rc ? rc : wire_attach (self->wire, &endpoint);
    if (rc == 0)
        security_listens (&self->config.security, &endpoint, &self->weft->log);
    return rc;
}

const char *
weft_sink_endpoint (const weft_sink_t *self)
{
    return self->wire ? self->wire->bound : "";
}

/* -------------------------------------------------------------------- speaking */

static int64_t
now_of (const struct weft_sink *self)
{
    return clock_now (self->weft->clock);
}

/*  Nothing that a sink says must arrive: a head says again what was not answered. */
static int
say (struct weft_sink *self, struct head *head)
{
    int rc = pool_send (self->wire, &head->peer, &self->body, now_of (self));
    return rc == WEFT_ENOPEER || rc == WEFT_EAGAIN ? 0 : rc;
}

static int
acknowledge (struct weft_sink *self, struct head *head)
{
    int rc = pool_put_ack (&self->body, head->peer.session, head->peer.safe);
    return rc ? rc : say (self, head);
}

static void
refuse (struct weft_sink *self, struct pool_bytes route, const char *why)
{
    if (!self->told_refused)
        log_warning (&self->weft->log, "sink: refused a message: %s (further ones are passed over)", why);
    self->told_refused = true;
    if (pool_put_refused (&self->body, why) == 0)
        pool_answer (self->wire, route, &self->body);
}

/* ------------------------------------------------------------------- listening */

static int
on_hello (struct weft_sink *self, struct head *head, struct pool_bytes route, const struct pool_hello *hello)
{
    if (hello->role != POOL_ROLE_HEAD || (!head && self->peers.routes.count >= POOL_PEERS_MAX)) {
        refuse (self, route, hello->role == POOL_ROLE_HEAD ? "there are too many heads"
                                                           : "this is a sink, which takes the heads of pools");
        return 0;
    }
    if (head && head->peer.instance != hello->instance) {
        head_free (self, head);
        head = NULL;
    }
    if (!head) {
        head = calloc (1, sizeof *head);
        int rc =
            head ? pool_peer_init (&head->peer, &self->peers, route, hello, now_of (self)) : error_plain (WEFT_ENOMEM);
        if (rc) {
            free (head);
            return rc;
        }
        head->next = self->heads;
        self->heads = head;
        self->met = true;
    }
    if (hello->session < head->peer.session)
        return 0;                       /*  late: that session is over */
    head->peer.session = hello->session;
    struct pool_welcome welcome = {
        .version = POOL_VERSION, .instance = self->instance, .session = hello->session, .have = head->peer.safe,
        .heartbeat = self->config.heartbeat / TIME_MS
    };
    int rc = pool_put_welcome (&self->body, &welcome);
    return rc ? rc : say (self, head);
}

static int
say_unknown (struct weft_sink *self, struct pool_bytes route, uint64_t session)
{
    if (pool_put_plain (&self->body, POOL_UNKNOWN, session) == 0)
        pool_answer (self->wire, route, &self->body);
    return 0;
}

static int
on_report (struct weft_sink *self, struct head *head, const struct pool_message *message)
{
    int rc = pool_peer_report (&head->peer, message->number);
    if (rc == WEFT_EAGAIN)
        return acknowledge (self, head);
    if (rc)
        return say_unknown (self, head->peer.route, head->peer.session);
    self->report = *message;
    self->reporter = head;
    return 0;
}

static int
on_head_message (struct weft_sink *self, struct head *head, const struct pool_message *message)
{
    switch (message->verb) {
    case POOL_REPORT:
        return on_report (self, head, message);
    case POOL_GOODBYE:
        if (message->session == head->peer.session)
            head_free (self, head);
        return 0;
    case POOL_HEARTBEAT:
        if (message->session > head->peer.session || message->number > head->peer.have)
            return say_unknown (self, head->peer.route, message->session);
        return 0;
    default:
        return error_set (WEFT_EPROTO, "a head sent verb %d, which is not for sinks", (int) message->verb);
    }
}

static int
on_message (struct weft_sink *self)
{
    struct pool_bytes route;
    struct pool_message message;
    int rc = pool_receive (&self->msg, &route, &message);
    struct head *head = (struct head *) pool_peer_find (&self->peers, route);
    if (head)
        head->peer.heard = now_of (self);
    if (rc == 0 && message.verb == POOL_HELLO)
        rc = on_hello (self, head, route, &message.hello);
    else if (rc == 0 && head)
        rc = on_head_message (self, head, &message);
    else if (rc == 0 && message.verb != POOL_GOODBYE)
        rc = say_unknown (self, route, message.session);
    if (rc == WEFT_EPROTO || rc == WEFT_ENOTSUP) {
        refuse (self, route, weft_error ());
        rc = 0;
    }
    return rc;
}

/* ----------------------------------------------------------------------- turns */

/*  Signs of life both ways. WEFT_ENOPEER for a head that was away too long. */
static int
beat (struct weft_sink *self, int64_t now)
{
    int64_t interval = self->config.heartbeat ? self->config.heartbeat : TIME_S;
    int rc = 0;
    if (now < self->beat_at)
        return 0;
    self->beat_at = now + interval;
    for (struct head *head = self->heads; rc == 0 && head; head = head->next) {
        if (self->config.head_timeout != TIME_FOREVER && pool_peer_silent (&head->peer, now)
            && now - head->peer.heard > self->config.head_timeout) {
            rc = error_set (WEFT_ENOPEER, "the head %s went away before it had finished", head->peer.name);
            head_free (self, head);
            return rc;
        }
        if (self->config.heartbeat && now - head->peer.sent >= self->config.heartbeat) {
            rc = pool_put_heartbeat (&self->body, head->peer.session, 0, head->peer.safe);
            rc = rc ? rc : say (self, head);
        }
    }
    return rc;
}

/*  While the caller did not run the sink nobody could be heard: that is no silence. */
static void
excuse_gap (struct weft_sink *self, int64_t now)
{
    int64_t gap = now - self->pumped;
    self->pumped = now;
    if (gap < 2 * (self->config.heartbeat ? self->config.heartbeat : TIME_S))
        return;
    for (struct head *head = self->heads; head; head = head->next)
        head->peer.heard += gap;
}

static int
pump (struct weft_sink *self)
{
    struct wire_event event;
    int64_t now = now_of (self);
    int rc;
    excuse_gap (self, now);
    while ((rc = wire_next_event (self->wire, &event)) == 1)
        watch_refusal (&self->watch, &event, &self->weft->log, "sink");
    while (rc == 0 && !self->reporter) {
        rc = wire_recv (self->wire, &self->msg, 0);
        rc = rc ? rc : on_message (self);
    }
    return rc == WEFT_EAGAIN ? beat (self, now) : rc;
}

/*  A text of a record with a NUL behind it; they lie in self->texts one after another. */
static const char *
keep_text (struct weft_sink *self, struct pool_bytes text)
{
    const char *kept = buffer_data (&self->texts) + buffer_size (&self->texts);
    buffer_add (&self->texts, text.data, text.size);
    buffer_add (&self->texts, "", 1);
    return kept;
}

static int
fill_event (struct weft_sink *self, const struct pool_record *record, weft_pool_event_t *event)
{
    buffer_clear (&self->texts);
    if (!buffer_reserve (&self->texts, record->name.size + record->host.size + record->command.size + 3))
        return WEFT_ENOMEM;
    bool commanded = record->kind == WEFT_POOL_STARTED || record->kind == WEFT_POOL_DONE;
    *event = (weft_pool_event_t) {
        .kind = record->kind, .job = record->job, .tag = record->tag, .head = self->reporter->peer.name,
        .command = commanded ? keep_text (self, record->command) : NULL,
        .worker = record->name.size ? keep_text (self, record->name) : NULL,
        .host = record->name.size ? keep_text (self, record->host) : NULL,
        .slots = (int) record->slots, .slot = (int) record->slot, .attempt = (int) record->attempt,
        .stream = (int) record->stream, .data = record->data.size ? record->data.data : NULL,
        .size = record->data.size, .reason = (int) record->reason, .status = (int) record->status,
        .signal = (int) record->signal, .started = record->started, .runtime = record->runtime,
        .received_bytes = record->received, .sent_bytes = record->sent
    };
    return 0;
}

/*  1 with an event; 0 when the report is read to its end, which acknowledges it. */
static int
take_event (struct weft_sink *self, weft_pool_event_t *event)
{
    struct pool_record record;
    struct head *head = self->reporter;
    if (!head)
        return 0;
    int rc = pool_next_record (&self->report, &record);
    if (rc == 1)
        rc = fill_event (self, &record, event);
    else {
        self->reporter = NULL;
        head->peer.safe = head->peer.have;
        if (rc == WEFT_EPROTO)
            refuse (self, head->peer.route, weft_error ());
        return acknowledge (self, head);
    }
    return rc ? rc : 1;
}

int
weft_sink_next (weft_sink_t *self, weft_pool_event_t *event, int timeout)
{
    int64_t end_at = clock_deadline (self->weft->clock, timeout < 0 ? TIME_FOREVER : timeout * TIME_MS);
    if (!self->wire)
        return error_set (WEFT_ESTATE, "bind the sink to an endpoint first");
    for (;;) {
        int rc = take_event (self, event);
        if (rc)
            return rc == 1 ? 0 : rc;
        rc = self->reporter ? 0 : pump (self);
        if (rc)
            return rc;
        if (self->reporter)
            continue;
        if (self->met && !self->heads)
            return error_set (WEFT_EEND, "all heads have finished");
        int64_t left = clock_left (self->weft->clock, end_at);
        if (left == 0)
            return error_plain (timeout ? WEFT_ETIMEOUT : WEFT_EAGAIN);
        int64_t until = clock_earlier (end_at, self->heads ? self->beat_at : TIME_FOREVER);
        rc = wire_wait (self->wire, WEFT_IN, clock_left (self->weft->clock, until));
        if (rc < 0)
            return rc;
    }
}

/* --------------------------------------------------------------------- polling */

static int
sink_fd (struct pollable *pollable)
{
    struct weft_sink *self = (struct weft_sink *) pollable;
    return self->wire ? wire_fd (self->wire) : error_set (WEFT_ESTATE, "bind the sink to an endpoint first");
}

static int
sink_events (struct pollable *pollable)
{
    struct weft_sink *self = (struct weft_sink *) pollable;
    int rc = 0;
    do {
        if (!self->reporter)
            rc = pump (self);
    } while (rc == 0 && !self->reporter && pool_wire_stirs (self->wire));
    if (rc)
        return rc;
    return self->reporter || (self->met && !self->heads) ? WEFT_IN : 0;
}

static int64_t
sink_deadline (struct pollable *pollable)
{
    struct weft_sink *self = (struct weft_sink *) pollable;
    return self->heads ? self->beat_at : TIME_FOREVER;
}

static const struct pollable_ops sink_ops = {
    .fd = sink_fd,
    .events = sink_events,
    .deadline = sink_deadline,
};
