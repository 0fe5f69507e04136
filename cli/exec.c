/*  exec.c - a command for each message */

#include "cli/exec.h"

#include "cli/child.h"
#include "core/error.h"

enum { REPORTS_MAX = 10 };      /*  failures that are told one by one */

void
exec_init (struct exec *self, struct session *session, const char *command)
{
    const struct formats *formats = &session->formats;
    *self = (struct exec){ .session = session, .command = command };
    encoder_init (&self->encoder, formats->output == FORMAT_LINES ? FORMAT_RAW : (enum format) formats->output,
                  formats->separator, formats->template);
    buffer_init (&self->input, 0);
    buffer_init (&self->output, (size_t) session->socket->config.max_size);
}

void
exec_free (struct exec *self)
{
    buffer_free (&self->input);
    buffer_free (&self->output);
}

/*  Feeds the child and gathers its output until it has ended. */
static int
exec_talk (struct exec *self, struct child *child)
{
    struct session *session = self->session;
    const char *data = buffer_data (&self->input);
    size_t size = buffer_size (&self->input);
    for (;;) {
        bool stopped = session_stopped (session);
        int64_t left = clock_left (clock_system (), session->drain);
        if (session->cli->stopped (session->cli) > 1 || left == 0)
            return error_set (WEFT_ETERM, "'%s' was ended", self->command);
        int rc = child_step (child, &data, &size, true, &self->output, stopped ? -1 : session->cli->stop_fd, left);
        if (rc < 0)
            return rc;
        if (rc & CHILD_ENDED)
            return 0;
    }
}

static void
exec_report (struct exec *self, int status)
{
    if (status == 0)
        return;
    self->failed++;
    if (self->failed <= REPORTS_MAX)
        cli_error (self->session->cli, "'%s' failed with status %d", self->command, status);
    if (self->failed == REPORTS_MAX)
        cli_error (self->session->cli, "more failures are only counted");
}

static int
exec_reply (struct exec *self, weft_msg_t *reply)
{
    const struct session *session = self->session;
    size_t size = buffer_size (&self->output);
    const char *data = buffer_data (&self->output);
    if (session->formats.input == FORMAT_LINES) {
        weft_msg_clear (reply);
        return weft_msg_add (reply, data, size > 0 && data[size - 1] == '\n' ? size - 1 : size);
    }
    struct decoder decoder;
    decoder_init (&decoder, (enum format) session->formats.input, (size_t) session->socket->config.max_size,
                  session->formats.separator);
    int rc = decoder_next (&decoder, &self->output, true, reply);
    if (rc == 0)
        return error_set (WEFT_EPROTO, "'%s' wrote no reply", self->command);
    return rc < 0 ? rc : 0;
}

int
exec_run (struct exec *self, const weft_msg_t *msg, weft_msg_t *reply)
{
    struct child child;
    struct message_info info = { .time = clock_wall (clock_system ()) };
    buffer_clear (&self->input);
    buffer_clear (&self->output);
    int rc = encoder_add (&self->encoder, msg, &info, &self->input);
    if (rc == 0)
        rc = child_start (&child, self->command, NULL, reply ? -1 : self->session->cli->out);
    if (rc)
        return rc;
    rc = exec_talk (self, &child);
    int status = child_end (&child);
    if (rc)
        return rc;
    exec_report (self, status);
    return reply ? exec_reply (self, reply) : 0;
}
