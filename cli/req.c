/*  req.c - weft req: a request for each message, and its reply */

#include "cli/output.h"
#include "cli/session.h"
#include "cli/source.h"
#include "core/error.h"

struct req_options {
    struct source_config source;
};

static const struct option req_table[] = { SOURCE_OPTIONS (struct req_options, source), OPTION_END };

struct req {
    struct session *session;
    struct source source;
    struct output output;
};

/*  The reply; the socket knows the timeout and the retries. */
static int
req_await (struct req *self, weft_msg_t *msg)
{
    struct session *session = self->session;
    for (;;) {
        int rc = weft_recv (session->socket, msg, WEFT_DONTWAIT);
        if (rc != WEFT_EAGAIN && rc != WEFT_EINTR)
            return rc;
        if (session_stopped (session) && (clock_left (clock_system (), session->drain) == 0 ||
                                          session->cli->stopped (session->cli) > 1))
            return error_set (WEFT_ETERM, "stopped before the reply came");
        int ready = session_wait (session, WEFT_IN, false, TIME_FOREVER);
        if (ready < 0)
            return ready;
        if (ready & SESSION_READER_GONE)
            return error_set (WEFT_EEND, "whoever reads the output has gone");
    }
}

static int
req_ask (struct req *self, weft_msg_t *msg)
{
    int64_t since = session_now (self->session);
    int rc = session_send (self->session, msg);
    if (rc == 0)
        rc = req_await (self, msg);
    if (rc == 0)
        session_took (self->session, since);
    if (rc == 0)
        rc = output_add (&self->output, msg);
    return rc ? rc : output_flush (&self->output);
}

static int
req_loop (struct req *self)
{
    weft_msg_t msg;
    int rc = 0;
    weft_msg_init (&msg);
    while (rc == 0) {
        if (session_stopped (self->session))
            source_stop (&self->source);
        rc = source_next (&self->source, &msg);
        if (rc == 1)
            rc = req_ask (self, &msg);
        else if (rc == 0) {
            rc = session_wait (self->session, 0, self->source.hungry, source_due (&self->source));
            if (rc > 0)
                rc = rc & SESSION_READER_GONE ? error_set (WEFT_EEND, "whoever reads the output has gone")
                     : rc & SESSION_INPUT     ? source_fill (&self->source)
                                              : 0;
        }
    }
    weft_msg_clear (&msg);
    return rc;
}

static bool
req_reads (const struct session *session)
{
    const struct req_options *options = session->own;
    return options->source.data.count == 0;
}

static int
req_session (struct session *session)
{
    const struct req_options *options = session->own;
    struct req self = { .session = session };
    source_init (&self.source, session->cli, &options->source, &session->formats, session->socket->config.max_size);
    output_init (&self.output, session->cli, &session->formats, NULL);
    int rc = req_loop (&self);
    int status = rc == WEFT_EEND ? source_status (&self.source) : cli_fail (session->cli, rc, NULL);
    if (rc != WEFT_EEND)
        counter_set (&session->lost, 1 + source_abandon (&self.source));
    if (rc == WEFT_ETERM)
        status = EXIT_LOSS;
    source_free (&self.source);
    output_free (&self.output);
    return session_finish (session, status);
}

static int
req_run (struct cli *cli, const struct command *self, int argc, char **argv)
{
    static const struct session_program program = { .pattern = &pattern_req, .reads = req_reads, .run = req_session };
    struct req_options options = { .source.count = 0 };
    return session_run (cli, self, &program, &options, argc, argv);
}

const struct command command_req = {
    .name = "req",
    .group = COMMAND_GROUP_PATTERNS,
    .summary = "send requests and write the replies",
    .usage = "[OPTIONS] ENDPOINT ...",
    .description =
        "Reads requests from standard input, a line each unless a format is chosen, sends one after the other, and "
        "writes each reply to standard output. With several endpoints the requests go to the servers in turn.\n\n"
        "--timeout says how long a reply may take, and --retries how often a request is then sent again, to the next "
        "server when there are several. The first request that fails ends the program.\n\n"
        "An endpoint without a prefix is connected to; weft rep binds.",
    .guarantee = "A reply, or a timeout with its own exit status; a retry is announced, since the service may run "
                 "twice.",
    .status = "3 when no reply came in time, 4 when there was no server.",
    .tables = SESSION_TABLES (req_table, formats_table, pattern_req),
    .examples =
        (const struct command_example[]){
            { "echo hello | weft req tcp://127.0.0.1:5555", "One request and its reply." },
            { "weft req -c tcp://127.0.0.1:5555 --data ping --count 3 --interval 1s",
              "Three requests, a second apart." },
            { "weft req tcp://10.0.0.1:5555,tcp://10.0.0.2:5555 --timeout 2s --retries 3 < questions",
              "Two servers; one that is silent for 2 seconds is passed over." },
            { .line = NULL } },
    .part = true,
    .run = req_run,
};
