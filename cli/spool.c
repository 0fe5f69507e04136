/*  spool.c - output that waits for its turn: in memory, then in one unlinked file */

#include "cli/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/error.h"

#define CHUNK 65536

void
spool_init (struct spool *self)
{
    *self = (struct spool){ .stream_max = SPOOL_STREAM_MAX, .memory_max = SPOOL_MEMORY_MAX, .fd = -1 };
}

void
spool_close (struct spool *self)
{
    if (self->fd >= 0)
        close (self->fd);
    spool_init (self);
}

static const char *
spool_folder (void)
{
    const char *folder = getenv ("TMPDIR");
    return folder && *folder ? folder : "/tmp";
}

/*  Not every file system knows files without a name. */
static int
spool_open (struct spool *self)
{
    self->fd = open (spool_folder (), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (self->fd >= 0)
        return 0;
    char path[4096];
    snprintf (path, sizeof path, "%s/weft-XXXXXX", spool_folder ());
    self->fd = mkostemp (path, O_CLOEXEC);
    if (self->fd < 0)
        return error_errno ("cannot make a temporary file in %s (set TMPDIR to another folder)", spool_folder ());
    unlink (path);
    return 0;
}

/*  Moves what a stream has in memory to the file. */
static int
spool_spill (struct spool *self, struct spooled *stream)
{
    size_t size = buffer_size (&stream->memory), written = 0;
    if (self->fd < 0 && spool_open (self) < 0)
        return WEFT_EIO;
    struct spool_extent *extents = realloc (stream->extents, (stream->count + 1) * sizeof *extents);
    if (!extents)
        return error_set (WEFT_ENOMEM, "out of memory for output");
    stream->extents = extents;
    while (written < size) {
        ssize_t rc = pwrite (self->fd, buffer_data (&stream->memory) + written, size - written,
                             self->end + (off_t) written);
        if (rc < 0 && errno != EINTR)
            return error_errno ("cannot keep output in %s (set TMPDIR to another folder)", spool_folder ());
        written += rc > 0 ? (size_t) rc : 0;
    }
    extents[stream->count++] = (struct spool_extent){ self->end, size };
    self->end += (off_t) size;
    self->on_disk += size;
    self->memory -= size;
    buffer_free (&stream->memory);
    return 0;
}

int
spool_add (struct spool *self, struct spooled *stream, const void *data, size_t size)
{
    int rc = buffer_add (&stream->memory, data, size);
    if (rc < 0)
        return rc;
    self->memory += size;
    /*  The largest go first: a short output is not worth an extent. */
    size_t held = buffer_size (&stream->memory);
    if (held > self->stream_max || (self->memory > self->memory_max && held >= CHUNK)
        || self->memory > 2 * self->memory_max)
        return spool_spill (self, stream);
    return 0;
}

/*  Gives back the disk space of `size` bytes in front: all of it when nothing is left. */
static void
extent_consume (struct spool *self, struct spool_extent *extent, size_t size)
{
    self->on_disk -= size;
    if (self->on_disk == 0 && ftruncate (self->fd, 0) == 0)
        self->end = 0;
    else if (fallocate (self->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, extent->offset, (off_t) size) < 0) {
        /*  This file system cannot: the space comes back at the end. */
    }
    extent->offset += (off_t) size;
    extent->size -= size;
}

static int
extent_drain (struct spool *self, struct spool_extent *extent, spool_write_fn *write, void *arg)
{
    char chunk[CHUNK];
    size_t taken = 0;
    int rc = 0;
    while (taken < extent->size && rc == 0) {
        size_t left = extent->size - taken;
        ssize_t got = pread (self->fd, chunk, left < CHUNK ? left : CHUNK, extent->offset + (off_t) taken);
        if (got <= 0) {
            rc = error_errno ("cannot read output back from %s", spool_folder ());
            break;
        }
        ssize_t used = write (arg, chunk, (size_t) got);
        if (used < 0)
            rc = (int) used;
        else {
            taken += (size_t) used;
            rc = used < got;
        }
    }
    extent_consume (self, extent, taken);
    return rc;
}

static int
memory_drain (struct spool *self, struct spooled *stream, spool_write_fn *write, void *arg)
{
    size_t size = buffer_size (&stream->memory);
    ssize_t used = size ? write (arg, buffer_data (&stream->memory), size) : 0;
    if (used < 0)
        return (int) used;
    buffer_consume (&stream->memory, (size_t) used);
    self->memory -= (size_t) used;
    return (size_t) used < size;
}

int
spool_drain (struct spool *self, struct spooled *stream, spool_write_fn *write, void *arg)
{
    for (; stream->first < stream->count; stream->first++) {
        int rc = extent_drain (self, &stream->extents[stream->first], write, arg);
        if (rc)
            return rc;
    }
    stream->first = stream->count = 0;
    return memory_drain (self, stream, write, arg);
}

void
spool_drop (struct spool *self, struct spooled *stream)
{
    for (size_t i = stream->first; i < stream->count; i++)
        extent_consume (self, &stream->extents[i], stream->extents[i].size);
    self->memory -= buffer_size (&stream->memory);
    buffer_free (&stream->memory);
    free (stream->extents);
    *stream = (struct spooled){ .count = 0 };
}
