/*  jobmessages.c - messages for jobs, from files or standard input, in one of the message formats */

#include "cli/jobmessages.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "codec/pool_wire.h"
#include "core/error.h"

#define CHUNK 65536

void
jobmessages_init (struct jobmessages *self, enum format format, char *const *paths, size_t count, int in)
{
    *self = (struct jobmessages){ .paths = paths, .count = count, .in = in, .fd = -1, .name = "standard input" };
    decoder_init (&self->decoder, format, POOL_JOB_MAX, NULL);
    buffer_init (&self->bytes, 0);
    weft_msg_init (&self->msg);
    if (count == 0)
        self->fd = in;
}

static void
close_file (struct jobmessages *self)
{
    if (self->fd >= 0 && self->fd != self->in)
        close (self->fd);
    self->fd = -1;
}

void
jobmessages_free (struct jobmessages *self)
{
    if (!self->name)
        return;
    close_file (self);
    buffer_free (&self->bytes);
    weft_msg_clear (&self->msg);
}

/*  1, or WEFT_EEND after the last. */
static int
open_next (struct jobmessages *self)
{
    close_file (self);
    if (!self->count)
        return WEFT_EEND;
    self->name = *self->paths++;
    self->count--;
    self->end = false;
    decoder_init (&self->decoder, self->decoder.format, self->decoder.max_size, NULL);
    if (strcmp (self->name, "-") == 0)
        self->fd = self->in;
    else if ((self->fd = open (self->name, O_RDONLY | O_CLOEXEC)) < 0)
        return error_errno ("cannot read %s", self->name);
    return 1;
}

/*  1: bytes were added or the end was reached; 0: none yet. */
static int
read_more (struct jobmessages *self)
{
    struct pollfd ready = { .fd = self->fd, .events = POLLIN };
    if (poll (&ready, 1, 0) <= 0)
        return 0;
    char *space = buffer_reserve (&self->bytes, CHUNK);
    if (!space)
        return WEFT_ENOMEM;
    ssize_t got = read (self->fd, space, CHUNK);
    if (got < 0)
        return errno == EAGAIN || errno == EINTR ? 0 : error_errno ("cannot read %s", self->name);
    self->end = got == 0;
    buffer_wrote (&self->bytes, (size_t) got);
    return 1;
}

static int
take (struct jobmessages *self, struct buffer *message)
{
    size_t frames = weft_msg_frames (&self->msg);
    if (frames > 1)
        return error_set (WEFT_EPROTO, "message %llu of %s has %zu frames, and a job takes one",
                          (unsigned long long) self->decoder.messages, self->name, frames);
    buffer_clear (message);
    int rc = frames ? buffer_add (message, weft_msg_data (&self->msg, 0), weft_msg_size (&self->msg, 0)) : 0;
    return rc ? rc : 1;
}

int
jobmessages_next (struct jobmessages *self, struct buffer *message)
{
    int rc = 1;
    while (rc == 1) {
        rc = self->fd < 0 ? open_next (self) : 1;
        if (rc != 1)
            break;
        rc = decoder_next (&self->decoder, &self->bytes, self->end, &self->msg);
        if (rc == 1)
            return take (self, message);
        if (rc < 0)
            return error_set (rc, "%s: %s", self->name, weft_error ());
        rc = self->end ? open_next (self) : read_more (self);
    }
    return rc;
}
