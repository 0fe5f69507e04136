/*  source.c - messages to send: from the command line, or from the input through a decoder */

#include "cli/source.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/error.h"

enum {
    READ_SIZE = 256 * 1024,     /*  a pipe gives at most 64 KiB, a file all of it       */
    REPORTS_MAX = 10            /*  refused messages that are told one by one           */
};

void
source_init (struct source *self, struct cli *cli, const struct source_config *config, const struct formats *formats,
             int64_t max_size)
{
    size_t limit = max_size < 0 ? SIZE_MAX : (size_t) max_size;
    *self = (struct source){ .cli = cli, .config = config };
    decoder_init (&self->decoder, (enum format) formats->input, limit, formats->separator);
    /*  The decoder refuses what is too large, and takes its bytes away as they come. */
    buffer_init (&self->buffer, 0);
}

void
source_free (struct source *self)
{
    buffer_free (&self->buffer);
}

/* -------------------------------------------------------------------- data */

/*  Text on the command line: one frame, or those that the separator makes of it. */
static int
data_message (const struct source *self, const char *text, weft_msg_t *msg)
{
    const char *separator = self->decoder.separator;
    weft_msg_clear (msg);
    int rc = 0;
    while (separator && *separator && rc == 0) {
        const char *end = strstr (text, separator);
        if (!end)
            break;
        rc = weft_msg_add (msg, text, (size_t) (end - text));
        text = end + strlen (separator);
    }
    return rc ? rc : weft_msg_add_str (msg, text);
}

static int
next_data (struct source *self, weft_msg_t *msg)
{
    const struct option_list *data = &self->config->data;
    bool again = self->config->count > 0 || self->config->interval > 0;
    if (self->stopped || (self->next_data == data->count && !again))
        return WEFT_EEND;
    if (self->next_data == data->count)
        self->next_data = 0;
    int rc = data_message (self, data->items[self->next_data++], msg);
    return rc ? rc : 1;
}

/* ------------------------------------------------------------------- input */

static void
refuse (struct source *self, int error)
{
    if (error == WEFT_ETOOBIG)
        self->too_big++;
    else
        self->malformed++;
    uint64_t refused = self->too_big + self->malformed;
    if (refused <= REPORTS_MAX)
        cli_error (self->cli, "%s", weft_error ());
    if (refused == REPORTS_MAX)
        cli_error (self->cli, "more messages that cannot be taken are only counted");
}

static int
next_input (struct source *self, weft_msg_t *msg)
{
    for (;;) {
        int rc = decoder_next (&self->decoder, &self->buffer, self->at_end && !self->stopped, msg);
        if (rc == 1)
            return 1;
        if (rc == 0) {
            self->hungry = !self->at_end;
            return self->at_end ? WEFT_EEND : 0;
        }
        if (rc != WEFT_EPROTO && rc != WEFT_ETOOBIG)
            return rc;
        refuse (self, rc);
        if (!decoder_can_resume (&self->decoder)) {
            self->at_end = self->stopped = true;
            buffer_clear (&self->buffer);
            return WEFT_EEND;
        }
    }
}

int
source_fill (struct source *self)
{
    char *room = buffer_reserve (&self->buffer, READ_SIZE);
    if (!room)
        return WEFT_ENOMEM;
    ssize_t size = read (self->cli->in, room, READ_SIZE);
    if (size > 0)
        buffer_wrote (&self->buffer, (size_t) size);
    else if (size == 0)
        self->at_end = true;
    else if (errno != EAGAIN && errno != EINTR)
        return error_errno ("cannot read the input");
    return 0;
}

/* ------------------------------------------------------------------- both */

int
source_next (struct source *self, weft_msg_t *msg)
{
    const struct source_config *config = self->config;
    self->hungry = false;
    if (config->count > 0 && self->given == (uint64_t) config->count)
        return WEFT_EEND;
    if (config->interval > 0 && !self->stopped && source_due (self) > clock_now (clock_system ()))
        return 0;
    int rc = config->data.count > 0 ? next_data (self, msg) : next_input (self, msg);
    if (rc == 1) {
        self->given++;
        if (config->interval > 0)
            self->due = clock_now (clock_system ()) + config->interval;
    }
    return rc;
}

int64_t
source_due (const struct source *self)
{
    return self->config->interval > 0 && self->given > 0 ? self->due : TIME_FOREVER;
}

void
source_stop (struct source *self)
{
    self->at_end = self->stopped = true;
}

uint64_t
source_abandon (struct source *self)
{
    weft_msg_t msg;
    uint64_t left = 0;
    weft_msg_init (&msg);
    source_stop (self);
    while (self->config->data.count == 0 && next_input (self, &msg) == 1)
        left++;
    weft_msg_clear (&msg);
    return left;
}

int
source_status (const struct source *self)
{
    return self->malformed ? EXIT_ERROR : self->too_big ? EXIT_LOSS : EXIT_OK;
}
