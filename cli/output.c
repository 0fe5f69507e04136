/*  output.c - messages that were received: through an encoder to the output */

#include "cli/output.h"

#include <string.h>

#include "core/clock.h"

/*  As much as a pipe takes at once. */
enum { WRITE_SIZE = 64 * 1024 };

void
output_init (struct output *self, struct cli *cli, const struct formats *formats, const struct option_list *topics)
{
    *self = (struct output){ .cli = cli, .topics = topics };
    self->timed = formats->output == FORMAT_JSON || formats->output == FORMAT_TEMPLATE;
    encoder_init (&self->encoder, (enum format) formats->output, formats->separator, formats->template);
    buffer_init (&self->buffer, 0);
}

void
output_free (struct output *self)
{
    buffer_free (&self->buffer);
}

/*  The first of several frames; of one alone the longest subscription that it begins with. */
static void
find_topic (const struct option_list *topics, const weft_msg_t *msg, struct message_info *info)
{
    const char *body = weft_msg_data (msg, 0);
    size_t size = weft_msg_size (msg, 0);
    if (weft_msg_frames (msg) > 1) {
        info->topic = body;
        info->topic_size = size;
    }
    for (size_t i = 0; i < topics->count && weft_msg_frames (msg) == 1; i++) {
        size_t length = strlen (topics->items[i]);
        if (length <= size && length >= info->topic_size && memcmp (body, topics->items[i], length) == 0) {
            info->topic = topics->items[i];
            info->topic_size = length;
        }
    }
}

static void
output_info (const struct output *self, const weft_msg_t *msg, struct message_info *info)
{
    *info = (struct message_info){ .number = self->taken, .time = clock_wall (clock_system ()) };
    if (self->topics)
        find_topic (self->topics, msg, info);
}

int
output_add (struct output *self, const weft_msg_t *msg)
{
    struct message_info info;
    uint64_t ambiguous = self->encoder.ambiguous;
    self->taken++;
    if (self->timed)
        output_info (self, msg, &info);
    int rc = encoder_add (&self->encoder, msg, self->timed ? &info : NULL, &self->buffer);
    if (rc)
        return rc;
    if (ambiguous == 0 && self->encoder.ambiguous > 0)
        cli_note (self->cli, "a message holds what ends a message in this format, so that a reader is misled: "
                             "--len32, --hex or --json are safe");
    return buffer_size (&self->buffer) >= WRITE_SIZE ? output_flush (self) : 0;
}

int
output_flush (struct output *self)
{
    size_t size = buffer_size (&self->buffer);
    int rc = size > 0 ? cli_write (self->cli->out, buffer_data (&self->buffer), size) : 0;
    buffer_clear (&self->buffer);
    return rc;
}
