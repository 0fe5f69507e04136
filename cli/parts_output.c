/*  parts_output.c - what the parts of a fabric write: whole lines, each with its part's name in front */

#include "cli/parts_output.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/error.h"

#define READ_SIZE 16384
#define LINE_PATIENCE TIME_S
#define LINE_MAX_SIZE 65536     /*  what is longer comes in pieces of this      */

void
parts_output_init (struct parts_output *self, int fd)
{
    *self = (struct parts_output){ .fd = fd };
    buffer_init (&self->pending, 0);
}

void
parts_output_free (struct parts_output *self)
{
    buffer_free (&self->pending);
}

/*  Out of memory the line is lost, which nothing here could tell anybody. */
static void
put_line (struct parts_output *self, const struct part *part, const char *text, size_t size)
{
    if (self->gone)
        return;
    buffer_addf (&self->pending, "%s: ", part->config->name);
    if (buffer_add (&self->pending, text, size) == 0)
        buffer_add (&self->pending, "\n", 1);
}

static void
put_lines (struct parts_output *self, struct part *part, bool last)
{
    const char *data, *end;
    size_t size;
    while ((data = buffer_data (&part->lines)), (size = buffer_size (&part->lines)) > 0) {
        end = memchr (data, '\n', size);
        if (!end && size < LINE_MAX_SIZE && !last)
            return;
        size_t length = end ? (size_t) (end - data) : size;
        put_line (self, part, data, length);
        buffer_consume (&part->lines, end ? length + 1 : length);
    }
}

int64_t
parts_output_deadline (const struct part *part)
{
    return buffer_size (&part->lines) > 0 ? part->lines_due : TIME_FOREVER;
}

void
parts_output_due (struct parts_output *self, struct part *part)
{
    if (clock_left (clock_system (), parts_output_deadline (part)) == 0)
        put_lines (self, part, true);
}

/*  It has nothing for us, whether or not there is room. */
static bool
is_empty (const struct part *part)
{
    int size = 0;
    return buffer_size (&part->lines) == 0 && ioctl (part->lines_fd, FIONREAD, &size) == 0 && size == 0;
}

void
parts_output_take (struct parts_output *self, struct part *part, bool last)
{
    ssize_t size = 0;
    if (buffer_size (&part->lines) == 0)
        part->lines_due = clock_deadline (clock_system (), LINE_PATIENCE);
    while (part->lines_fd >= 0 && (!parts_output_full (self) || (last && is_empty (part)))) {
        char *room = buffer_reserve (&part->lines, READ_SIZE);
        size = room ? read (part->lines_fd, room, READ_SIZE) : -1;
        if (size <= 0 && last) {
            close (part->lines_fd);
            part->lines_fd = -1;
            put_lines (self, part, true);
        }
        if (size <= 0)
            return;
        buffer_wrote (&part->lines, (size_t) size);
        put_lines (self, part, false);
    }
}

int
parts_output_flush (struct parts_output *self)
{
    struct pollfd item = { .fd = self->fd, .events = POLLOUT };
    while (buffer_size (&self->pending) > 0 && poll (&item, 1, 0) > 0) {
        size_t size = buffer_size (&self->pending);
        ssize_t written = write (self->fd, buffer_data (&self->pending), size < PIPE_BUF ? size : PIPE_BUF);
        if (written >= 0)
            buffer_consume (&self->pending, (size_t) written);
        else if (errno == EPIPE) {
            self->gone = true;
            buffer_clear (&self->pending);
        } else if (errno == EAGAIN)
            return 0;
        else if (errno != EINTR) {
            self->gone = true;
            buffer_clear (&self->pending);
            return error_errno ("cannot write the output");
        }
    }
    return 0;
}
