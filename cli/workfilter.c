/*  workfilter.c - one long-lived command a slot that answers the messages of a pool's jobs */

#include "cli/workfilter.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "cli/child.h"
#include "codec/format.h"
#include "core/clock.h"
#include "core/error.h"
#include "patterns/pool.h"

#define SLOTS (2 * POOL_SLOTS_MAX + 1)      /*  numbers of slots, see first-slot                        */
#define REPLY_MAX (64 << 20)                /*  bytes                                                   */
#define SILENCE (5 * TIME_S)                /*  of one that never said anything: we say so              */
#define LAST_WORDS (1 * TIME_S)             /*  for commands whose input has ended                      */

/*  In the order of the choices. */
static const enum format formats[] = { FORMAT_LINES, FORMAT_NUL, FORMAT_LEN32, FORMAT_HEX, FORMAT_JSON };

const struct option workfilter_options[] = {
    { .name = "filter", .type = OPTION_TEXT, .argument = "COMMAND",
      .offset = offsetof (struct workfilter_options, command),
      .text = "keep one COMMAND running in each slot that is given a message a line, and answers each with a line" },
    { .name = "filter-format", .type = OPTION_CHOICE, .argument = "FORMAT", .standard = "lines",
      .choices = "lines|nul|len32|hex|json", .offset = offsetof (struct workfilter_options, format),
      .text = "what it reads and writes in place of lines" },
    OPTION_END
};

const char *
workfilter_format (const struct workfilter_options *options)
{
    static const char *const names[] = { "lines", "nul", "len32", "hex", "json" };
    return names[options->format];
}

struct workfilter_child {
    struct child child;
    struct encoder encoder;
    struct buffer input, output;
    bool answered;                          /*  once at least                                           */
};

int
workfilter_init (struct workfilter *self, struct cli *cli, const struct workfilter_options *options,
                 const char *dir)
{
    *self = (struct workfilter){ .cli = cli, .options = options, .dir = dir };
    self->children = calloc (SLOTS, sizeof *self->children);
    return self->children ? 0 : error_set (WEFT_ENOMEM, "out of memory");
}

/*  Those that end by themselves, now that their input has ended, may say what they have to say. */
static void
end_children (struct workfilter *self)
{
    int64_t deadline = clock_deadline (clock_system (), LAST_WORDS);
    for (size_t i = 0; i < SLOTS; i++)
        if (self->children[i] && self->children[i]->child.pid)
            child_close (&self->children[i]->child);
    for (size_t i = 0; i < SLOTS; i++) {
        struct workfilter_child *child = self->children[i];
        if (!child)
            continue;
        struct pollfd fd = { .fd = child->child.exited, .events = POLLIN };
        if (child->child.pid)
            poll (&fd, 1, clock_poll_ms (clock_left (clock_system (), deadline)));
        child_end (&child->child);
    }
}

void
workfilter_free (struct workfilter *self)
{
    if (!self->children)
        return;
    end_children (self);
    for (size_t i = 0; i < SLOTS; i++) {
        if (!self->children[i])
            continue;
        buffer_free (&self->children[i]->input);
        buffer_free (&self->children[i]->output);
        free (self->children[i]);
    }
    free (self->children);
    self->children = NULL;
}

static struct workfilter_child *
child_of (struct workfilter *self, int slot)
{
    struct workfilter_child *child = self->children[slot];
    if (child)
        return child;
    child = calloc (1, sizeof *child);
    if (!child) {
        error_plain (WEFT_ENOMEM);
        return NULL;
    }
    encoder_init (&child->encoder, formats[self->options->format], NULL, NULL);
    buffer_init (&child->input, 0);
    buffer_init (&child->output, REPLY_MAX);
    return self->children[slot] = child;
}

/*  Ends it; the status. */
static int
end_child (struct workfilter_child *self)
{
    int status = child_end (&self->child);
    self->child = (struct child){ .exited = -1, .in = -1, .out = -1 };
    buffer_clear (&self->output);
    return status;
}

/*  Bytes of the first reply, with what ends it; 0 when it is not whole. */
static size_t
reply_size (const struct workfilter_child *self)
{
    const unsigned char *at = (const unsigned char *) buffer_data (&self->output);
    size_t size = buffer_size (&self->output), used = 0;
    bool more = true;
    if (self->encoder.format != FORMAT_LEN32) {
        const unsigned char *end = size ? memchr (at, self->encoder.format == FORMAT_NUL ? '\0' : '\n', size) : NULL;
        return end ? (size_t) (end - at) + 1 : 0;
    }
    while (more && size - used >= 4) {
        const unsigned char *head = at + used;
        size_t length = (size_t) (head[0] & 0x7f) << 24 | (size_t) head[1] << 16 | (size_t) head[2] << 8 | head[3];
        more = head[0] & 0x80;
        if (length > size - used - 4)
            return 0;
        used += 4 + length;
    }
    return more ? 0 : used;
}

/*  What it said before it was asked would be taken for the next reply. 1: it runs, 0: it has ended; or an error. */
static int
discard (struct workfilter *self, struct workfilter_child *child)
{
    const char *data = NULL;
    size_t size = 0;
    int rc = child_step (&child->child, &data, &size, false, &child->output, -1, 0);
    if (rc >= 0 && buffer_size (&child->output) && !__atomic_exchange_n (&self->told, true, __ATOMIC_RELAXED))
        cli_note (self->cli, "'%s' wrote without being asked; that is discarded", self->options->command);
    buffer_clear (&child->output);
    return rc < 0 ? rc : !(rc & CHILD_ENDED);
}

/*  One that ended between two messages is no failure of the next. */
static int
start_child (struct workfilter *self, struct workfilter_child *child)
{
    int rc = child->child.pid ? discard (self, child) : 0;
    if (rc)
        return rc < 0 ? rc : 0;
    end_child (child);
    child->answered = false;
    return child_start (&child->child, self->options->command, self->dir, -1);
}

static int
encode (struct workfilter *self, struct workfilter_child *child, weft_task_t *task)
{
    struct message_info info = { .time = clock_wall (clock_system ()) };
    uint64_t ambiguous = child->encoder.ambiguous;
    weft_msg_t msg;
    weft_msg_init (&msg);
    buffer_clear (&child->input);
    int rc = weft_msg_add (&msg, weft_task_data (task), weft_task_size (task));
    rc = rc ? rc : encoder_add (&child->encoder, &msg, &info, &child->input);
    weft_msg_clear (&msg);
    if (rc == 0 && child->encoder.ambiguous != ambiguous)
        rc = error_set (WEFT_EPROTO, "the message holds what ends one in this format, so that '%s' would take it for "
                        "two: use --filter-format nul, len32, hex or json", self->options->command);
    return rc;
}

/*  It ended, or did not answer: the words go with the job. */
static int
fail (struct workfilter *self, weft_task_t *task, const char *how, int status)
{
    char text[512];
    int size = snprintf (text, sizeof text, "weft: '%.300s' %s (status %d)\n", self->options->command, how, status);
    weft_task_write (task, 2, text, (size_t) size);
    return status ? status : 1;
}

/*  One wait. The commonest reason for silence is that the answer is still in the command. */
static int
step (struct workfilter *self, struct workfilter_child *child, const char **data, size_t *size, int stop_fd)
{
    int64_t since = child->answered ? 0 : clock_now (clock_system ());
    int rc = child_step (&child->child, data, size, false, &child->output, stop_fd,
                         child->answered ? TIME_FOREVER : SILENCE);
    if (rc == 0 && !child->answered && clock_now (clock_system ()) - since >= SILENCE
        && !__atomic_exchange_n (&self->hinted, true, __ATOMIC_RELAXED))
        cli_note (self->cli, "'%s' has not answered its first message for a while: if it holds back what it writes, "
                  "have it flush each line (sed -u, grep --line-buffered, stdbuf -oL, python -u)",
                  self->options->command);
    return rc;
}

int
workfilter_work (void *workfilter, weft_task_t *task)
{
    struct workfilter *self = workfilter;
    struct workfilter_child *child = child_of (self, weft_task_slot (task));
    int stop_fd = weft_task_fd (task);
    int rc = child ? stop_fd < 0 ? stop_fd : encode (self, child, task) : WEFT_ENOMEM;
    rc = rc ? rc : start_child (self, child);
    if (rc)
        return rc;
    const char *data = buffer_data (&child->input);
    size_t size = buffer_size (&child->input), reply;
    do {
        rc = step (self, child, &data, &size, stop_fd);
        reply = rc > 0 && (rc & CHILD_READ) ? reply_size (child) : 0;
        if (reply) {
            rc = weft_task_write (task, 1, buffer_data (&child->output), reply);
            buffer_consume (&child->output, reply);
            child->answered = true;
            return rc < 0 && rc != WEFT_ETERM ? rc : 0;
        }
    } while (rc >= 0 && !(rc & (CHILD_STOP | CHILD_ENDED)) && child->child.out >= 0);
    if (rc == WEFT_ETOOBIG)
        return fail (self, task, "wrote a reply that is too big", end_child (child));
    if (rc < 0)
        end_child (child);
    return rc < 0 ? rc : fail (self, task, "ended without a reply", end_child (child));
}
