/*  session.c - what the pattern programs share: a socket by its options, waiting, the end */

#include "cli/session.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli/alone.h"
#include "cli/descriptors.h"
#include "cli/trial.h"
#include "codec/format.h"
#include "core/error.h"

const struct option session_endpoint_table[] = {
    { .name = "bind", .letter = 'b', .type = OPTION_LIST, .argument = "ENDPOINT",
      .offset = offsetof (struct session_endpoints, bind),
      .text = "be where peers connect to; says the address it got" },
    { .name = "connect", .letter = 'c', .type = OPTION_LIST, .argument = "ENDPOINT",
      .offset = offsetof (struct session_endpoints, connect), .text = "connect, now or as soon as somebody is there" },
    OPTION_END
};

/* ------------------------------------------------------- options, endpoints */

static int
socket_set (void *socket, const struct option *option, const char *value)
{
    return weft_set (socket, option->name, value ? value : "yes");
}

static int
attach_one (struct session *self, const struct endpoint *endpoint)
{
    if (endpoint->side == ENDPOINT_CONNECT)
        return weft_connect (self->socket, endpoint->text);
    descriptors_raise ();
    int rc = weft_bind (self->socket, endpoint->text);
    if (rc == 0)
        cli_note (self->cli, "listening on %s", weft_endpoint (self->socket));
    return rc;
}

/*  A list with a mistake attaches nothing of it. */
static int
attach_list (struct session *self, const char *list, enum endpoint_side side, struct alone *alone)
{
    struct endpoint endpoint;
    int rc;
    const char *next = list;
    while ((rc = endpoint_next (&next, side, &endpoint)) == 1)
        continue;
    next = list;
    while (rc == 0 && (rc = endpoint_next (&next, side, &endpoint)) == 1) {
        rc = attach_one (self, &endpoint);
        alone_see (alone, &endpoint);
    }
    return rc;
}

static int
attach_all (struct session *self)
{
    const struct session_endpoints *endpoints = &self->endpoints;
    struct alone alone = { .count = 0 };
    int rc = 0;
    for (size_t i = 0; i < endpoints->bind.count && rc == 0; i++)
        rc = attach_list (self, endpoints->bind.items[i], ENDPOINT_BIND, &alone);
    for (size_t i = 0; i < endpoints->connect.count && rc == 0; i++)
        rc = attach_list (self, endpoints->connect.items[i], ENDPOINT_CONNECT, &alone);
    for (int i = 0; i < self->operand_count && rc == 0; i++)
        rc = attach_list (self, self->operands[i], self->socket->pattern->side, &alone);
    if (rc == 0)
        alone_tell (&alone, self->cli);
    return rc;
}

/*  Where it would listen and connect, and whether it could run without a person. */
static int
try_session (struct session *self, const struct session_program *program)
{
    const struct session_endpoints *endpoints = &self->endpoints;
    const struct security_config *security = &self->socket->config.security;
    const struct pattern *pattern = self->socket->pattern;
    if (secure_apply (&self->secure, socket_set, self->socket))
        return cli_fail (self->cli, WEFT_EINVAL, NULL);
    bool right = trial_lists (self->cli, pattern->name, security, &endpoints->bind, ENDPOINT_BIND);
    right &= trial_lists (self->cli, pattern->name, security, &endpoints->connect, ENDPOINT_CONNECT);
    for (int i = 0; i < self->operand_count; i++)
        right &= trial_endpoints (self->cli, pattern->name, security, self->operands[i], pattern->side);
    if (program->reads && program->reads (self) && self->cli->in < 0) {
        cli_error (self->cli, "it reads messages from standard input, and has none: say what it sends or answers, or "
                   "stdin = FILE");
        right = false;
    }
    return right ? EXIT_OK : EXIT_USAGE;
}

/*  False when it has ended, with *status. */
static bool
attach (struct session *self, const struct session_program *program, int *status)
{
    if (self->operand_count == 0 && self->endpoints.bind.count == 0 && self->endpoints.connect.count == 0) {
        cli_error (self->cli, "where? an endpoint is missing, as in '%s' (see 'weft help %s')",
                   self->command->examples[0].line, self->command->name);
        *status = EXIT_USAGE;
        return false;
    }
    if (self->cli->trial) {
        *status = meter_try (self->cli, &self->metrics, self->secure.security.insecure, try_session (self, program));
        return false;
    }
    int rc = secure_begin (self->cli, &self->secure, EXIT_ERROR);
    rc = rc ? rc : secure_apply (&self->secure, socket_set, self->socket);
    rc = rc ? rc : session_begin_metrics (self);
    rc = rc ? rc : attach_all (self);
    rc = rc ? rc : session_add_metrics (self);
    if (rc)
        *status = cli_fail (self->cli, rc, NULL);
    else
        cli_ready (self->cli);
    return rc == 0;
}

/* --------------------------------------------------------- opening, closing */

static void *const *
session_targets (struct session *self, void **targets)
{
    void *const all[SESSION_OWN_TABLES] = { self->own, &self->formats, &self->endpoints, self->socket, self->socket,
                                              &self->secure, &self->metrics };
    memcpy (targets, all, sizeof all);
    return targets;
}

static command_set_fn *const session_setters[SESSION_OWN_TABLES] = { NULL, formats_set, NULL, socket_set, socket_set,
                                                                     NULL, NULL };

static bool
open_session (struct session *self, struct cli *cli, const struct command *command, const struct pattern *pattern,
              void *own, int argc, char **argv, int *status)
{
    void *targets[SESSION_OWN_TABLES];
    *self = (struct session){ .cli = cli, .command = command, .own = own, .drain = TIME_FOREVER };
    self->socket = weft_open (cli->weft, pattern->name);
    self->operands = calloc ((size_t) argc + 1, sizeof *self->operands);
    if (!self->socket || !self->operands) {
        *status = cli_fail (cli, error_set (WEFT_ENOMEM, "not enough memory"), NULL);
        return false;
    }
    int rc = command_parse (cli, command, session_targets (self, targets), session_setters, argc, argv, self->operands,
                            &self->operand_count);
    *status = rc == 1 ? EXIT_OK : EXIT_USAGE;
    return rc == 0;
}

static void
close_session (struct session *self)
{
    void *targets[SESSION_OWN_TABLES];
    if (!self->socket)
        return;
    command_free_options (self->command, session_targets (self, targets), session_setters);
    formats_free (&self->formats);
    free (self->operands);
    session_end_metrics (self);
    weft_close (&self->socket);
}

int
session_run (struct cli *cli, const struct command *command, const struct session_program *program, void *own,
             int argc, char **argv)
{
    struct session self;
    int status;
    if (open_session (&self, cli, command, program->pattern, own, argc, argv, &status)) {
        if (program->check && !program->check (&self))
            status = EXIT_USAGE;
        else if (attach (&self, program, &status))
            status = program->run (&self);
    }
    close_session (&self);
    return status;
}

/* ----------------------------------------------------------------- waiting */

bool
session_stopped (struct session *self)
{
    if (self->cli->stopped (self->cli) == 0)
        return false;
    if (self->drain == TIME_FOREVER)
        self->drain = clock_now (clock_system ()) + (self->socket->config.linger < 0 ? 24 * 3600 * TIME_S
                                                                                      : self->socket->config.linger);
    return true;
}

static void
tell_exhaustion (struct session *self)
{
    if (descriptors_exhausted ())
        cli_note (self->cli, "out of file descriptors: new connections wait until one is free (ulimit -n)");
}

int
session_wait (struct session *self, int events, bool input, int64_t deadline)
{
    enum { SOCKET, STOP, OUTPUT, INPUT };
    bool stopped = session_stopped (self);
    weft_pollitem_t items[] = {
        [SOCKET] = { .self = self->socket, .events = (short) events },
        [STOP] = { .fd = stopped ? -1 : self->cli->stop_fd, .events = WEFT_IN },
        [OUTPUT] = { .fd = self->cli->out, .events = 0 },
        [INPUT] = { .fd = self->cli->in, .events = WEFT_IN },
    };
    int64_t left = clock_left (clock_system (), clock_earlier (deadline, self->drain));
    int rc = weft_poll (items, input ? 4 : 3, clock_poll_ms (left));
    tell_exhaustion (self);
    if (rc == WEFT_EINTR)
        return session_stopped (self) ? SESSION_STOP : 0;
    if (rc < 0)
        return rc;
    if (rc == 0)
        return SESSION_DEADLINE;
    return (items[SOCKET].revents ? SESSION_SOCKET : 0) | (items[STOP].revents ? SESSION_STOP : 0) |
           (items[OUTPUT].revents ? SESSION_READER_GONE : 0) | (input && items[INPUT].revents ? SESSION_INPUT : 0);
}

int64_t
session_deadline (const struct session *self)
{
    return clock_deadline (clock_system (), self->socket->config.timeout);
}

int
session_timed_out (struct session *self)
{
    char time[SOCKET_TIME];
    weft_counters_t counters;
    weft_counters (self->socket, &counters);
    int64_t timeout = self->socket->config.timeout;
    if (counters.connects == 0)
        return socket_no_peer (self->socket, timeout);
    return error_set (counters.peers ? WEFT_ETIMEOUT : WEFT_ENOPEER, "nothing came within %s%s",
                      socket_time (timeout, time), counters.peers ? "" : ", and all peers have left");
}

/* ----------------------------------------------------------------- sending */

/*  After a signal: what is left of the time to linger is how long a send may wait. */
static int
send_draining (struct session *self, weft_msg_t *msg)
{
    int rc = weft_send (self->socket, msg, WEFT_DONTWAIT);
    int64_t left = clock_left (clock_system (), self->drain);
    if (rc != WEFT_EAGAIN || left == 0 || self->cli->stopped (self->cli) > 1)
        return rc == WEFT_EAGAIN ? error_set (WEFT_ETERM, "stopped") : rc;
    char time[SOCKET_TIME];
    rc = weft_set (self->socket, "timeout", socket_time (left, time));
    if (rc == 0)
        rc = weft_send (self->socket, msg, 0);
    return rc == WEFT_ETIMEOUT || rc == WEFT_ENOPEER ? error_set (WEFT_ETERM, "stopped") : rc;
}

int
session_send (struct session *self, weft_msg_t *msg)
{
    int rc;
    do {
        rc = session_stopped (self) ? send_draining (self, msg) : weft_send (self->socket, msg, 0);
    } while (rc == WEFT_EINTR);
    return rc;
}

/* ----------------------------------------------------------------- the end */

static void
add_messages (struct buffer *text, const char *what, uint64_t count, uint64_t bytes)
{
    buffer_addf (text, "%s%s %" PRIu64 " message%s (%" PRIu64 " bytes)", buffer_size (text) ? ", " : "", what, count,
                 count == 1 ? "" : "s", bytes);
}

static void
add_count (struct buffer *text, uint64_t count, const char *what)
{
    if (count > 0)
        buffer_addf (text, ", %" PRIu64 " %s", count, what);
}

/*  "sent 3 messages (12 bytes), 1 dropped, ..." */
static void
summary_text (const struct session *self, const weft_counters_t *counters, struct buffer *text)
{
    const struct pattern *pattern = self->socket->pattern;
    if (pattern->send)
        add_messages (text, "sent", counters->sent, counters->sent_bytes);
    if (pattern->recv)
        add_messages (text, "received", counters->received, counters->received_bytes);
    add_count (text, counters->dropped, "dropped");
    add_count (text, counters->refused, "refused");
    add_count (text, self->lost, !pattern->recv ? "not sent" : pattern->send ? "not answered" : "not processed");
    add_count (text, counters->retries, "sent again");
    add_count (text, counters->late, counters->late == 1 ? "reply too late" : "replies too late");
    add_count (text, counters->rejected_peers, counters->rejected_peers == 1 ? "peer rejected" : "peers rejected");
    session_add_times (self, text);
}

static void
summary_json (const struct session *self, const weft_counters_t *counters, struct buffer *text)
{
    buffer_addf (text,
                 "{\"command\":\"%s\",\"sent\":%" PRIu64 ",\"sent_bytes\":%" PRIu64 ",\"received\":%" PRIu64
                 ",\"received_bytes\":%" PRIu64 ",\"dropped\":%" PRIu64 ",\"refused\":%" PRIu64
                 ",\"given_up\":%" PRIu64 ",\"retries\":%" PRIu64 ",\"late\":%" PRIu64 ",\"connects\":%" PRIu64
                 ",\"disconnects\":%" PRIu64 ",\"rejected_peers\":%" PRIu64 "}",
                 self->command->name, counters->sent, counters->sent_bytes, counters->received,
                 counters->received_bytes, counters->dropped, counters->refused, self->lost, counters->retries,
                 counters->late, counters->connects, counters->disconnects, counters->rejected_peers);
}

/*  What can still wait for the peers: in libzmq's queue for each (hwm), and in the system's. */
static uint64_t
at_stake (const struct session *self, const weft_counters_t *counters)
{
    enum { HELD_BY_SYSTEM = 256 * 1024, FRAMING = 2 };      /*  bytes, by Linux's defaults for ipc */
    if (!self->socket->pattern->send || counters->sent == 0)
        return 0;
    uint64_t peers = counters->peers ? counters->peers : 1, size = counters->sent_bytes / counters->sent + FRAMING;
    uint64_t most = peers * ((uint64_t) self->socket->config.hwm + HELD_BY_SYSTEM / size);
    return most < counters->sent ? most : counters->sent;
}

int
session_finish (struct session *self, int status)
{
    struct cli *cli = self->cli;
    weft_counters_t counters;
    weft_counters (self->socket, &counters);
    bool lost = counters.dropped + counters.refused + self->lost > 0;
    cli->at_stake = at_stake (self, &counters);
    struct buffer text;
    buffer_init (&text, 0);
    if (self->formats.output == FORMAT_JSON)
        summary_json (self, &counters, &text);
    else
        summary_text (self, &counters, &text);
    if ((lost || cli->verbose > 0) && buffer_terminate (&text) == 0) {
        if (self->formats.output == FORMAT_JSON)
            fprintf (cli->err, "%s\n", buffer_data (&text));
        else
            cli_error (cli, "%s", buffer_data (&text));
    }
    buffer_free (&text);
    return status == EXIT_OK && lost ? EXIT_LOSS : status;
}
