/*  receiver.c - weft pull and weft sub: from the socket to the output, or to commands */

#include "cli/receiver.h"

#include "cli/exec.h"
#include "cli/output.h"
#include "core/error.h"

struct receiver {
    struct session *session;
    const struct receiver_config *config;
    struct output output;
    struct exec exec;
    uint64_t received;
    bool drains;
};

static int
take (struct receiver *self, const weft_msg_t *msg)
{
    self->received++;
    return self->config->exec ? exec_run (&self->exec, msg, NULL) : output_add (&self->output, msg);
}

/*  Nothing is there: 0 when something may be, or how it ends. */
static int
await (struct receiver *self)
{
    int rc = output_flush (&self->output);
    if (rc)
        return rc;
    if (session_stopped (self->session))
        return error_set (WEFT_EEND, "stopped");
    int ready = session_wait (self->session, WEFT_IN, false, session_deadline (self->session));
    if (ready < 0)
        return ready;
    if (ready & SESSION_READER_GONE)
        return error_set (WEFT_EEND, "whoever reads the output has gone");
    return ready & SESSION_DEADLINE ? session_timed_out (self->session) : 0;
}

/*  After a signal a pull still takes what was queued for it, while there is time. */
static bool
over (struct receiver *self)
{
    struct session *session = self->session;
    if (self->config->count > 0 && self->received == (uint64_t) self->config->count)
        return true;
    if (!session_stopped (session))
        return false;
    return !self->drains || session->cli->stopped (session->cli) > 1
           || clock_left (clock_system (), session->drain) == 0;
}

static int
receive (struct receiver *self)
{
    weft_msg_t msg;
    int rc = 0;
    weft_msg_init (&msg);
    while (rc == 0 && !over (self)) {
        rc = weft_recv (self->session->socket, &msg, WEFT_DONTWAIT);
        if (rc == 0)
            rc = take (self, &msg);
        else if (rc == WEFT_EAGAIN)
            rc = await (self);
        else if (rc == WEFT_EINTR)
            rc = 0;
    }
    weft_msg_clear (&msg);
    return rc;
}

int
receiver_run (struct session *session, const struct receiver_config *config, int flags)
{
    struct receiver self = { .session = session, .config = config, .drains = flags & RECEIVER_DRAINS };
    output_init (&self.output, session->cli, &session->formats,
                 flags & RECEIVER_TOPICS ? &session->socket->config.topics : NULL);
    exec_init (&self.exec, session, config->exec);
    int rc = receive (&self);
    int status = rc == 0 || rc == WEFT_EEND || rc == WEFT_ETERM ? EXIT_OK : cli_fail (session->cli, rc, NULL);
    if (rc == WEFT_ETERM)
        counter_add (&session->lost, 1);
    rc = output_flush (&self.output);
    if (rc && rc != WEFT_EEND && status == EXIT_OK)
        status = cli_fail (session->cli, rc, NULL);
    if (self.exec.failed > 0 && status == EXIT_OK)
        status = EXIT_ERROR;
    exec_free (&self.exec);
    output_free (&self.output);
    return session_finish (session, status);
}
