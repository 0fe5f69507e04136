/*  rep.c - weft rep: a reply to each request */

#include "cli/exec.h"
#include "cli/filter.h"
#include "cli/output.h"
#include "cli/session.h"
#include "cli/source.h"
#include "core/error.h"

struct rep_options {
    bool echo;
    char *data, *exec, *filter, *error_reply;
    int64_t count;
};

static const struct option rep_table[] = {
    { .name = "echo", .type = OPTION_FLAG, .offset = offsetof (struct rep_options, echo),
      .text = "reply with the request itself" },
    { .name = "data", .letter = 'd', .type = OPTION_TEXT, .argument = "TEXT",
      .offset = offsetof (struct rep_options, data), .text = "reply with TEXT" },
    { .name = "exec", .letter = 'e', .type = OPTION_TEXT, .argument = "COMMAND",
      .offset = offsetof (struct rep_options, exec),
      .text = "run COMMAND for each request, with the request on its standard input; the reply is its output" },
    { .name = "filter", .letter = 'f', .type = OPTION_TEXT, .argument = "COMMAND",
      .offset = offsetof (struct rep_options, filter),
      .text = "run COMMAND once, and let it answer a line for each line; it is started again when it ends" },
    { .name = "error-reply", .type = OPTION_TEXT, .argument = "TEXT",
      .offset = offsetof (struct rep_options, error_reply),
      .text = "what is replied when COMMAND fails; without it what it wrote, or nothing" },
    { .name = "count", .letter = 'n', .type = OPTION_INT, .argument = "N",
      .offset = offsetof (struct rep_options, count), .text = "end after N requests" },
    OPTION_END
};

struct rep {
    struct session *session;
    const struct rep_options *options;
    struct exec exec;
    struct filter filter;
    struct source_config replies_config;
    struct source replies;
    struct output requests;
};

/* ----------------------------------------------------------------- replies */

/*  The request to standard output, the reply from standard input. */
static int
rep_by_hand (struct rep *self, weft_msg_t *msg)
{
    struct session *session = self->session;
    int rc = output_add (&self->requests, msg);
    rc = rc ? rc : output_flush (&self->requests);
    while (rc == 0 && (rc = source_next (&self->replies, msg)) == 0) {
        rc = session_wait (session, 0, self->replies.hungry, TIME_FOREVER);
        if (rc < 0)
            break;
        if (rc & SESSION_READER_GONE || session->cli->stopped (session->cli) > 1 || rc & SESSION_DEADLINE)
            return error_set (WEFT_ETERM, "stopped before the reply was there");
        rc = rc & SESSION_INPUT ? source_fill (&self->replies) : 0;
    }
    if (rc == WEFT_EEND)
        return error_set (WEFT_ETERM, "the input has no reply for the last request");
    return rc < 0 ? rc : 0;
}

/*  In place of a reply that there is none of. */
static int
rep_excuse (const struct rep *self, weft_msg_t *msg)
{
    weft_msg_clear (msg);
    return weft_msg_add_str (msg, self->options->error_reply ? self->options->error_reply : "");
}

/*  Turns the request in `msg` into its reply. */
static int
rep_answer (struct rep *self, weft_msg_t *msg)
{
    const struct rep_options *options = self->options;
    if (options->echo)
        return 0;
    if (options->data) {
        weft_msg_clear (msg);
        return weft_msg_add_str (msg, options->data);
    }
    if (!options->exec && !options->filter)
        return rep_by_hand (self, msg);
    weft_msg_t request;
    weft_msg_init (&request);
    weft_msg_move (&request, msg);
    uint64_t failed = self->exec.failed;
    int rc = options->exec ? exec_run (&self->exec, &request, msg) : filter_ask (&self->filter, &request, msg);
    weft_msg_clear (&request);
    if (rc < 0 && rc != WEFT_ETERM && rc != WEFT_ENOMEM) {
        /*  Whoever asked must not wait for ever. */
        cli_error (self->session->cli, "%s: the reply is %s", weft_error (),
                   options->error_reply ? "that of --error-reply" : "empty");
        counter_add (&self->session->lost, 1);
        return rep_excuse (self, msg);
    }
    return rc == 0 && options->error_reply && self->exec.failed > failed ? rep_excuse (self, msg) : rc;
}

/* -------------------------------------------------------------------- loop */

/*  The next request, or how it ends. */
static int
rep_next (struct rep *self, weft_msg_t *msg)
{
    struct session *session = self->session;
    int64_t deadline = session_deadline (session);
    for (;;) {
        if (session_stopped (session))
            return error_set (WEFT_EEND, "stopped");
        int rc = weft_recv (session->socket, msg, WEFT_DONTWAIT);
        if (rc != WEFT_EAGAIN && rc != WEFT_EINTR)
            return rc;
        rc = session_wait (session, WEFT_IN, false, deadline);
        if (rc < 0)
            return rc;
        if (rc & SESSION_READER_GONE)
            return error_set (WEFT_EEND, "whoever reads the output has gone");
        if (rc & SESSION_DEADLINE)
            return session_timed_out (session);
    }
}

static int
rep_loop (struct rep *self)
{
    weft_msg_t msg;
    int64_t left = self->options->count > 0 ? self->options->count : INT64_MAX;
    int rc = 0;
    weft_msg_init (&msg);
    while (rc == 0 && left-- > 0) {
        rc = rep_next (self, &msg);
        if (rc)
            break;
        int64_t since = session_now (self->session);
        rc = rep_answer (self, &msg);
        if (rc == 0)
            rc = session_send (self->session, &msg);
        if (rc)
            counter_add (&self->session->lost, 1);
        else
            session_took (self->session, since);
    }
    weft_msg_clear (&msg);
    return rc;
}

static bool
rep_check (const struct session *session)
{
    const struct rep_options *options = session->own;
    const struct formats *formats = &session->formats;
    if (options->echo + !!options->data + !!options->exec + !!options->filter > 1)
        cli_error (session->cli, "--echo, --data, --exec and --filter exclude each other: choose one");
    else if (options->error_reply && !options->exec && !options->filter)
        cli_error (session->cli, "--error-reply is for --exec and --filter, which can fail");
    else if (options->filter && (formats->input == FORMAT_RAW || formats->output == FORMAT_RAW))
        cli_error (session->cli, "--filter needs a format that says where a message ends, and raw does not");
    else
        return true;
    return false;
}

static bool
rep_reads (const struct session *session)
{
    const struct rep_options *options = session->own;
    return !options->echo && !options->data && !options->exec && !options->filter;
}

static int
rep_session (struct session *session)
{
    const struct rep_options *options = session->own;
    struct rep self = { .session = session, .options = options };
    exec_init (&self.exec, session, options->exec);
    filter_init (&self.filter, session, options->filter);
    source_init (&self.replies, session->cli, &self.replies_config, &session->formats,
                 session->socket->config.max_size);
    output_init (&self.requests, session->cli, &session->formats, NULL);
    int rc = rep_loop (&self);
    if (rc == WEFT_ETERM)
        cli_error (session->cli, "%s", weft_error ());
    int status = rc == WEFT_ETERM || rc == 0 || rc == WEFT_EEND ? EXIT_OK : cli_fail (session->cli, rc, NULL);
    filter_free (&self.filter);
    exec_free (&self.exec);
    source_free (&self.replies);
    output_free (&self.requests);
    return session_finish (session, status);
}

static int
rep_run (struct cli *cli, const struct command *self, int argc, char **argv)
{
    static const struct session_program program = { .pattern = &pattern_rep, .reads = rep_reads,
                                                    .check = rep_check, .run = rep_session };
    struct rep_options options = { .echo = false };
    return session_run (cli, self, &program, &options, argc, argv);
}

const struct command command_rep = {
    .name = "rep",
    .group = COMMAND_GROUP_PATTERNS,
    .summary = "answer requests: by echo, a text, a command, a filter, or by hand",
    .usage = "[OPTIONS] ENDPOINT ...",
    .description =
        "Answers each request, one after the other: with the request itself (--echo), with a text (--data), with what "
        "a command writes (--exec, started for each request), or with what one long-lived command writes (--filter, a "
        "line for each line, or a message for each message in another format). With none of these the requests are "
        "written to standard output and the replies read from standard input.\n\n"
        "In lines, the default, a command of --exec gets the bytes of the request alone, and one newline at the end "
        "of its output is no part of the reply; with --raw all of the output is. When it fails, what it wrote is the "
        "reply all the same, unless --error-reply says another, and the failure is told. A filter that ends is "
        "started again and gets the unanswered request again, three times at most; the service may then have run "
        "more than once. A request that cannot be answered gets an empty reply, or that of --error-reply, is told, "
        "and counts as lost. Behind weft bridge http that may be '{\"status\":502}'.\n\n"
        "An endpoint without a prefix is bound; weft req connects.",
    .guarantee = "Each request that was taken gets one reply, unless its sender has gone, which is counted and "
                 "reported.",
    .tables = SESSION_TABLES (rep_table, formats_table, pattern_rep),
    .examples =
        (const struct command_example[]){
            { "weft rep tcp://127.0.0.1:5555 --echo", "Every request comes back." },
            { "weft rep -b ipc:///tmp/up.sock --exec 'tr a-z A-Z'", "A process for each request." },
            { "weft rep tcp://127.0.0.1:5555 --filter 'sed -u s/a/b/'",
              "One process for all of them; it must not hold back its output (hence -u)." },
            { .line = NULL } },
    .part = true,
    .run = rep_run,
};
