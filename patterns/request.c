/*  request.c - req: a question, and the wait for its answer
 *
 *  Guarantee: a reply, or a timeout with its own error. A request goes to one of the
 *  servers in turn, and only to one that is connected. With `retries` it is sent again, to the next
 *  server, when no reply came within `timeout` or a server went away; the service may
 *  then run twice, so a retry is counted and logged. A reply that comes after its
 *  request was given up is discarded and counted. Without retries and without a
 *  timeout, a request whose server dies waits for ever, as ZeroMQ's own REQ does.
 *
 *  `correlate no` leaves the number out of the envelope, for servers that do not send it back:
 *  then a late reply cannot be told from the one that is awaited. */

#include <stdio.h>
#include <stdlib.h>

#include "core/error.h"
#include "patterns/pattern.h"
#include "patterns/pattern_envelope.h"

#define AT(field) offsetof (struct socket_config, field)
#define STEPS_A_TURN 64         /*  late replies that are passed over in one look       */

enum req_phase {
    REQ_IDLE,                   /*  nothing is asked                                        */
    REQ_UNSENT,                 /*  asked, and no server is there to take it                */
    REQ_SENT,                   /*  on its way: the attempt ends at `deadline`              */
    REQ_PAUSED,                 /*  an attempt has failed: the next begins at `deadline`    */
    REQ_REPLIED,                /*  `message` is the reply, found while polling             */
    REQ_FAILED                  /*  `error` and `words` are the outcome, found while polling */
};

struct req {
    enum req_phase phase;
    weft_msg_t message;         /*  the request, while it may have to be sent (again)       */
    uint64_t id;
    int64_t attempt, retries;   /*  0: the first; how many may follow on it                 */
    int64_t deadline;
    bool transmitted;           /*  a server has taken it at least once                     */
    uint64_t connects;          /*  how many peers had come when it was asked ...           */
    uint64_t disconnects;       /*  ... and gone when it was sent                           */
    uint64_t seed;
    int error;
    char words[256];
};

static const struct option req_options[] = {
    { "retries", 0, OPTION_INT, "N", "0", 0, 1000000, NULL, OPTION_LIVE, AT (retries),
      "send a request up to N times more, each after the timeout or when its server has gone" },
    { "retry-delay", 0, OPTION_TIME, "TIME", "100ms", 0, 3600 * TIME_S, NULL, OPTION_LIVE, AT (retry_delay),
      "wait before the first retry; doubles, with jitter" },
    { "retry-delay-max", 0, OPTION_TIME, "TIME", "5s", 0, 3600 * TIME_S, NULL, OPTION_LIVE, AT (retry_delay_max),
      "longest wait before a retry" },
    { "correlate", 0, OPTION_FLAG, NULL, "yes", 0, 0, NULL, 0, AT (correlate),
      "number the requests, so that late replies are told apart; no: for servers that do not send the number back" },
    OPTION_END
};

static bool
req_pending (const struct req *self)
{
    return self->phase == REQ_UNSENT || self->phase == REQ_SENT || self->phase == REQ_PAUSED;
}

static void
req_end (struct req *self)
{
    weft_msg_clear (&self->message);
    self->phase = REQ_IDLE;
}

static void
req_prepare (struct weft_socket *socket, struct wire_options *options)
{
    struct req *self = socket->state;
    options->immediate = true;
    options->keep = socket->config.retries == 0;    /*  a reply that is lost is otherwise asked for again */
    self->seed = random_seed ();
    self->id = random_next (&self->seed);
}

static int64_t
attempt_deadline (const struct weft_socket *socket)
{
    int64_t timeout = socket->config.timeout;
    return timeout == TIME_FOREVER ? timeout : clock_deadline (socket->weft->clock, timeout);
}

static void
req_begin (struct weft_socket *socket)
{
    struct req *self = socket->state;
    req_end (self);
    self->id++;
    self->attempt = 0;
    self->retries = socket->config.retries;
    self->deadline = attempt_deadline (socket);
    if (self->retries)
        socket_pump (socket);   /*  a server that left before is no reason for a retry */
    self->connects = socket->watch.connects - socket->wire->peers;
    self->disconnects = socket->watch.disconnects;
}

static const uint64_t *
number_of (const struct weft_socket *socket)
{
    const struct req *self = socket->state;
    return socket->config.correlate ? &self->id : NULL;
}

/*  Waits for a server for one attempt. When the call was not to wait, or retries are
 *  left, receive goes on with it. */
static int
req_send (struct weft_socket *socket, weft_msg_t *msg, int64_t timeout)
{
    struct req *self = socket->state;
    req_begin (socket);
    int rc = envelope_put (msg, number_of (socket));
    if (rc)
        return rc;
    if (self->retries)
        rc = weft_msg_copy (&self->message, msg);
    rc = rc ? rc : socket_send (socket, msg, timeout);
    self->transmitted = rc == 0;
    if (rc == WEFT_EAGAIN || (self->retries && (rc == WEFT_ENOPEER || rc == WEFT_ETIMEOUT))) {
        weft_msg_move (&self->message, msg);
        self->phase = REQ_UNSENT;
        return 0;
    }
    if (rc) {
        envelope_pop (msg, number_of (socket) != NULL);
        req_end (self);
        return rc;
    }
    counter_add (&socket->sent_extra, envelope_size (socket->config.correlate));
    self->phase = REQ_SENT;
    return 0;
}

/*  Is this the reply? Then without its envelope; else it is counted and gone. */
static bool
req_match (struct weft_socket *socket, weft_msg_t *msg)
{
    const struct req *self = socket->state;
    bool numbered = socket->config.correlate, sound = envelope_is_sound (msg, numbered);
    if (sound && (!numbered || envelope_number (msg) == self->id)) {
        envelope_take (socket, msg, numbered);
        return true;
    }
    envelope_discard (socket, msg, sound, "; for a server that does not send it back set correlate to no");
    return false;
}

/*  True when a server has taken the request, which was waiting for one. */
static bool
req_transmit (struct weft_socket *socket)
{
    struct req *self = socket->state;
    weft_msg_t copy;
    weft_msg_init (&copy);
    if (weft_msg_copy (&copy, &self->message) || wire_send (socket->wire, &copy, 0)) {
        weft_msg_clear (&copy);
        return false;
    }
    size_t extra = self->transmitted ? weft_msg_bytes (&self->message) : envelope_size (socket->config.correlate);
    counter_add (&socket->sent_extra, extra);
    if (self->transmitted) {
        counter_add (&socket->counters.retries, 1);
        if (watch_first (&socket->watch, "retry", ""))
            log_warning (&socket->weft->log, "req: a request was sent again (attempt %lld of %lld): "
                         "the service may run twice", (long long) self->attempt + 1,
                         (long long) self->retries + 1);
    }
    self->transmitted = true;
    self->disconnects = socket->watch.disconnects;
    self->phase = REQ_SENT;
    return true;
}

static int
req_fail (struct weft_socket *socket)
{
    struct req *self = socket->state;
    char time[SOCKET_TIME];
    socket_time (socket->config.timeout, time);
    req_end (self);
    if (socket->watch.connects == 0)
        return socket_no_peer (socket, socket->config.timeout);
    if (socket->watch.connects == self->connects)
        return error_set (WEFT_ENOPEER, "no server was there within %s in %lld attempts", time,
                          (long long) self->attempt + 1);
    return error_set (WEFT_ETIMEOUT, "no reply from %s within %s after %lld attempt%s",
                      socket->connects == 1 && !socket->binds ? socket->target : "any server", time,
                      (long long) self->attempt + 1, self->attempt ? "s" : "");
}

/*  After an attempt that came to nothing: pause, or the end. */
static int
req_retry (struct weft_socket *socket)
{
    struct req *self = socket->state;
    const struct socket_config *config = &socket->config;
    if (self->attempt >= self->retries)
        return req_fail (socket);
    int64_t pause = clock_backoff ((int) self->attempt, config->retry_delay, config->retry_delay_max, &self->seed);
    self->attempt++;
    self->phase = REQ_PAUSED;
    self->deadline = clock_deadline (socket->weft->clock, pause);
    return 1;
}

/*  What is due without a message: 1 when something was, 0, or the failure that ends it. */
static int
req_due (struct weft_socket *socket)
{
    struct req *self = socket->state;
    if (self->phase == REQ_UNSENT && req_transmit (socket))
        return 1;
    bool gone = self->phase == REQ_SENT && socket->watch.disconnects != self->disconnects;
    if (gone && self->attempt < self->retries)
        return req_retry (socket);
    if (gone && self->retries == 0 && watch_first (&socket->watch, "orphan", ""))
        log_warning (&socket->weft->log, "req: a server has gone while a request waits for its reply; "
                     "with retries it would be sent again");
    int rc = self->phase == REQ_UNSENT || socket->watch.denied ? socket_misfit (socket) : 0;
    if (rc)
        req_end (self);
    if (rc || clock_left (socket->weft->clock, self->deadline) != 0)
        return rc;
    if (self->phase != REQ_PAUSED)
        return req_retry (socket);
    self->phase = REQ_UNSENT;
    self->deadline = attempt_deadline (socket);
    return 1;
}

/*  One step: 0 with the reply in msg, 1 to go on, WEFT_EAGAIN when that would be to
 *  wait, or the failure. A reply to any attempt will do. */
static int
req_step (struct weft_socket *socket, weft_msg_t *msg, bool wait)
{
    struct req *self = socket->state;
    struct clock *clock = socket->weft->clock;
    int64_t patience = 0;
    if (wait && self->phase == REQ_SENT)
        patience = clock_earlier (clock_left (clock, self->deadline), SOCKET_PATIENCE);
    int rc = wire_recv (socket->wire, msg, patience);
    if (rc == 0)
        return !req_match (socket, msg);
    if (rc != WEFT_EAGAIN && rc != WEFT_ETIMEOUT)
        return rc;
    socket_pump (socket);
    rc = req_due (socket);
    if (rc)
        return rc;
    if (!wait)
        return error_plain (WEFT_EAGAIN);
    int events = WEFT_IN | (self->phase == REQ_UNSENT ? WEFT_OUT : 0);
    rc = wire_wait (socket->wire, events, clock_left (clock, self->deadline));
    return rc < 0 ? rc : 1;
}

static int
req_outcome (struct req *self, weft_msg_t *msg)
{
    switch (self->phase) {
    case REQ_REPLIED:
        weft_msg_move (msg, &self->message);
        self->phase = REQ_IDLE;
        return 0;
    case REQ_FAILED:
        self->phase = REQ_IDLE;
        return error_set (self->error, "%s", self->words);
    default:
        return error_set (WEFT_ESTATE, "req: nothing is asked; send a request first");
    }
}

static int
req_recv (struct weft_socket *socket, weft_msg_t *msg, int64_t timeout)
{
    struct req *self = socket->state;
    if (!req_pending (self))
        return req_outcome (self, msg);
    int rc;
    do
        rc = req_step (socket, msg, timeout != 0);
    while (rc == 1);
    if (rc == 0)
        req_end (self);
    return rc;
}

/*  Goes as far as it can without waiting; what it finds is kept for receive. */
static int
req_events (struct weft_socket *socket)
{
    struct req *self = socket->state;
    weft_msg_t msg;
    weft_msg_init (&msg);
    int wire = wire_events (socket->wire);
    for (int i = 0; i < STEPS_A_TURN && wire >= 0 && req_pending (self); i++) {
        int rc = req_step (socket, &msg, false);
        if (rc == 0) {
            weft_msg_move (&self->message, &msg);
            self->phase = REQ_REPLIED;
        } else if (rc < 0 && rc != WEFT_EAGAIN) {
            snprintf (self->words, sizeof self->words, "%s", weft_error ());
            self->error = rc;
            self->phase = REQ_FAILED;
        }
        wire = wire_events (socket->wire);
        if (rc == WEFT_EAGAIN && !(wire & WEFT_IN) && !(wire & WEFT_OUT && self->phase == REQ_UNSENT))
            break;
    }
    weft_msg_clear (&msg);
    if (wire < 0)
        return wire;
    bool ready = self->phase == REQ_REPLIED || self->phase == REQ_FAILED || (req_pending (self) && wire & WEFT_IN);
    return WEFT_OUT | (ready ? WEFT_IN : 0) | (wire & WEFT_ERR);
}

static int64_t
req_deadline (struct weft_socket *socket)
{
    const struct req *self = socket->state;
    return req_pending (self) ? self->deadline : TIME_FOREVER;
}

static void
req_close (struct weft_socket *socket)
{
    struct req *self = socket->state;
    weft_msg_clear (&self->message);
}

const struct pattern pattern_req = {
    PATTERN_ASKS,
    .options = req_options,
    .state_size = sizeof (struct req),
    .prepare = req_prepare,
    .send = req_send,
    .recv = req_recv,
    .events = req_events,
    .deadline = req_deadline,
    .close = req_close
};
