/*  filter.c - one long-lived command that answers messages in turn */

#include "cli/filter.h"

#include "core/error.h"

enum { ATTEMPTS_MAX = 3 };      /*  for one message */

static const int64_t pause_first = 100 * TIME_MS, pause_longest = 10 * TIME_S;

void
filter_init (struct filter *self, struct session *session, const char *command)
{
    const struct formats *formats = &session->formats;
    *self = (struct filter){ .session = session, .command = command, .seed = random_seed () };
    encoder_init (&self->encoder, (enum format) formats->output, formats->separator, formats->template);
    decoder_init (&self->decoder, (enum format) formats->input, (size_t) session->socket->config.max_size,
                  formats->separator);
    buffer_init (&self->input, 0);
    buffer_init (&self->output, 0);
}

void
filter_free (struct filter *self)
{
    child_end (&self->child);
    buffer_free (&self->input);
    buffer_free (&self->output);
}

/*  One wait; CHILD_... bits, or why to go on no longer. */
static int
filter_step (struct filter *self, const char **data, size_t *size, int64_t deadline)
{
    struct session *session = self->session;
    bool stopped = session_stopped (session);
    if (session->cli->stopped (session->cli) > 1 || clock_left (clock_system (), session->drain) == 0)
        return error_set (WEFT_ETERM, "'%s' was ended", self->command);
    int64_t left = clock_left (clock_system (), clock_earlier (deadline, session->drain));
    return child_step (&self->child, data, size, false, &self->output, stopped ? -1 : session->cli->stop_fd, left);
}

static int
filter_pause (struct filter *self)
{
    int64_t pause = clock_backoff (self->failures - 1, pause_first, pause_longest, &self->seed);
    int64_t deadline = clock_deadline (clock_system (), pause);
    const char *data = NULL;
    size_t size = 0;
    int rc = 0;
    while (rc >= 0 && clock_left (clock_system (), deadline) > 0)
        rc = filter_step (self, &data, &size, deadline);
    return rc < 0 ? rc : 0;
}

static int
filter_start (struct filter *self)
{
    int rc = self->failures > 0 ? filter_pause (self) : 0;
    if (rc)
        return rc;
    buffer_clear (&self->output);
    decoder_init (&self->decoder, self->decoder.format, self->decoder.max_size, self->decoder.separator);
    return child_start (&self->child, self->command, NULL, -1);
}

static void
filter_ended (struct filter *self)
{
    int status = child_end (&self->child);
    /*  Without a process the pause waits for time and signals alone. */
    self->child = (struct child){ .exited = -1, .in = -1, .out = -1 };
    self->failures++;
    self->restarts++;
    cli_note (self->session->cli, "'%s' ended with status %d; it is started again", self->command, status);
}

/*  What it said before it was asked would be taken for the next reply. */
static int
filter_discard (struct filter *self)
{
    const char *data = NULL;
    size_t size = 0;
    int rc = filter_step (self, &data, &size, 0);
    if (rc < 0)
        return rc;
    if (buffer_size (&self->output) > 0) {
        cli_note (self->session->cli, "'%s' wrote without being asked; that is discarded", self->command);
        buffer_clear (&self->output);
    }
    return rc & CHILD_ENDED;
}

/*  1: answered; 0: it ended instead. */
static int
filter_talk (struct filter *self, weft_msg_t *reply)
{
    const char *data = buffer_data (&self->input);
    size_t size = buffer_size (&self->input);
    int rc = filter_discard (self);
    if (rc)
        return rc < 0 ? rc : 0;
    for (;;) {
        rc = filter_step (self, &data, &size, TIME_FOREVER);
        if (rc < 0)
            return rc;
        int decoded = rc & CHILD_READ ? decoder_next (&self->decoder, &self->output, false, reply) : 0;
        if (decoded)
            return decoded;
        if (rc & CHILD_ENDED || self->child.out < 0)
            return 0;
    }
}

int
filter_ask (struct filter *self, const weft_msg_t *request, weft_msg_t *reply)
{
    struct message_info info = { .time = clock_wall (clock_system ()) };
    uint64_t ambiguous = self->encoder.ambiguous;
    buffer_clear (&self->input);
    int rc = encoder_add (&self->encoder, request, &info, &self->input);
    if (rc)
        return rc;
    if (self->encoder.ambiguous != ambiguous)
        return error_set (WEFT_EPROTO, "a request holds what ends a message in this format, so that '%s' would take it "
                                       "for two; use --nul, --len32, --hex or --json",
                          self->command);
    for (int attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
        rc = self->child.pid ? 0 : filter_start (self);
        rc = rc ? rc : filter_talk (self, reply);
        if (rc < 0)
            return rc;
        if (rc == 1) {
            self->failures = 0;
            return 0;
        }
        filter_ended (self);
    }
    return error_set (WEFT_EPROTO, "'%s' ended %d times over one request", self->command, ATTEMPTS_MAX);
}
