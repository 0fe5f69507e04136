/*  outputfile.c - reads what jobs wrote, by its place in the files that --outputs keeps */

#include "cli/outputfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/error.h"

#define BLOCK (256 << 10)       /*  bytes that are read at once */

void
outputfile_close (struct outputfile *self)
{
    if (self->fd)
        close (self->fd - 1);
    buffer_free (&self->data);
    *self = (struct outputfile){ .fd = 0 };
}

/*  FILE:OFFSET:SIZE. */
static int
parse_place (const char *place, size_t *name, uint64_t *offset, uint64_t *size)
{
    char *end = NULL;
    *name = strcspn (place, ":/");
    errno = 0;
    if (*name && *place != '.' && place[*name] == ':' && place[*name + 1] >= '0' && place[*name + 1] <= '9') {
        *offset = strtoull (place + *name + 1, &end, 10);
        if (*end == ':' && end[1] >= '0' && end[1] <= '9') {
            *size = strtoull (end + 1, &end, 10);
            if (!*end && !errno && *offset <= INT64_MAX && *size <= INT64_MAX - *offset)
                return 0;
        }
    }
    return error_set (WEFT_EPROTO, "'%s' is no place of output in a file of --outputs", place);
}

static int
open_file (struct outputfile *self, const char *folder, const char *name, size_t size)
{
    char path[sizeof self->path];
    if (snprintf (path, sizeof path, "%s/%.*s", folder, (int) size, name) >= (int) sizeof path)
        return error_set (WEFT_ETOOBIG, "%s: the name is too long", folder);
    if (self->fd && strcmp (path, self->path) == 0)
        return 0;
    outputfile_close (self);
    int fd = open (path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0 && errno == ENOENT)
        return error_set (WEFT_EIO, "cannot read %s: it is not there; --outputs DIR says where it is now", path);
    if (fd < 0)
        return error_errno ("cannot read %s", path);
    self->fd = fd + 1;
    memcpy (self->path, path, sizeof path);
    return 0;
}

static int
damaged (const struct outputfile *self, uint64_t offset, const char *what)
{
    return error_set (WEFT_EPROTO, "%s is damaged at %llu: %s", self->path, (unsigned long long) offset, what);
}

/*  Adds what is next to self->data; none is left of a file that is cut off. */
static int
read_block (struct outputfile *self, uint64_t offset, uint64_t left)
{
    size_t size = left < BLOCK ? (size_t) left : BLOCK;
    char *room = buffer_reserve (&self->data, size);
    if (!room)
        return WEFT_ENOMEM;
    ssize_t rc = pread (self->fd - 1, room, size, (off_t) offset);
    if (rc < 0)
        return error_errno ("cannot read %s", self->path);
    buffer_wrote (&self->data, (size_t) rc);
    return rc ? 0 : damaged (self, offset, "it ends there");
}

int
outputfile_read (struct outputfile *self, const char *folder, const char *place, uint64_t job,
                 outputfile_take_fn *take, void *arg)
{
    uint64_t offset = 0, left = 0;
    size_t name = 0;
    int rc = parse_place (place, &name, &offset, &left);
    rc = rc ? rc : open_file (self, folder, place, name);
    buffer_clear (&self->data);
    while (rc == 0 && left) {
        struct output_record record;
        size_t there = buffer_size (&self->data);
        rc = output_get (&record, buffer_data (&self->data), there);
        if (rc == 0 && there >= left)
            return damaged (self, offset, "a record is longer than it was");
        if (rc == 0) {
            rc = read_block (self, offset + there, left - there);
            continue;
        }
        if (rc < 0 || record.job != job)
            return damaged (self, offset, rc < 0 ? weft_error () : "another job's output is there");
        left -= (uint64_t) rc;
        offset += (uint64_t) rc;
        size_t taken = (size_t) rc;
        rc = take (arg, &record);
        buffer_consume (&self->data, taken);
        rc = rc < 0 ? rc : 0;
    }
    return rc;
}
