/*  pool_outfiles.c - the files in which a head keeps what jobs write */

#include "patterns/pool_outfiles.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/error.h"

/* ----------------------------------------------------------- coming and going */

static int
cannot (const char *what)
{
    return error_errno ("cannot keep output in %s", what);
}

static int
sync_folder (const char *path)
{
    int fd = open (path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int rc = fd < 0 || fsync (fd) < 0 ? cannot (path) : 0;
    if (fd >= 0)
        close (fd);
    return rc;
}

/*  Each folder that is made has its name in one above, which is synced. */
static int
make_folder (char *path)
{
    for (char *slash = path + 1; ; slash++) {
        slash = strchrnul (slash, '/');
        char after = *slash, above[PATH_MAX];
        *slash = '\0';
        int rc = mkdir (path, 0777) == 0 ? 1 : errno == EEXIST ? 0 : cannot (path);
        snprintf (above, sizeof above, "%s", path);
        if (rc == 1)
            rc = sync_folder (dirname (above));
        *slash = after;
        if (rc < 0 || !after)
            return rc;
    }
}

int
outfiles_open (struct outfiles *self, const char *path, int64_t file_max)
{
    char text[PATH_MAX];
    *self = (struct outfiles) { .fd = -1, .folder_fd = -1, .file_max = file_max };
    buffer_init (&self->pending, 0);
    pthread_mutex_init (&self->mutex, NULL);
    if (!*path || snprintf (text, sizeof text, "%s", path) >= (int) sizeof text)
        return error_set (WEFT_EINVAL, "outputs: give the name of a folder");
    int rc = make_folder (text);
    if (rc == 0 && !(self->folder = realpath (path, NULL)))
        rc = cannot (path);
    if (rc == 0 && (self->folder_fd = open (self->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
        rc = cannot (path);
    if (rc == 0 && faccessat (self->folder_fd, ".", W_OK | X_OK, AT_EACCESS) < 0)
        rc = cannot (path);
    return rc;
}

void
outfiles_close (struct outfiles *self)
{
    if (self->fd >= 0)
        close (self->fd);
    if (self->folder_fd >= 0)
        close (self->folder_fd);
    pthread_mutex_destroy (&self->mutex);
    buffer_free (&self->pending);
    free (self->folder);
}

void
outfiles_name (struct outfiles *self, const unsigned char *pool, uint64_t epoch)
{
    memcpy (self->head.pool, pool, sizeof self->head.pool);
    self->head.epoch = epoch;
}

/* ---------------------------------------------------------------------- places */

/*  The next file, when this one has enough and is written. */
static int
begin_file (struct outfiles *self, size_t size)
{
    if (*self->name && (self->at + (int64_t) size <= self->file_max || buffer_size (&self->pending)))
        return 0;
    int rc = *self->name ? outfiles_sync (self) : 0;
    if (rc)
        return rc;
    pthread_mutex_lock (&self->mutex);
    if (self->fd >= 0)
        close (self->fd);
    self->fd = -1;
    pthread_mutex_unlock (&self->mutex);
    self->head.number++;
    rc = output_put_file (&self->pending, &self->head);
    self->at = (int64_t) buffer_size (&self->pending);
    const unsigned char *pool = self->head.pool;
    snprintf (self->name, sizeof self->name, "%02x%02x%02x%02x-%" PRIu64 "-%" PRIu64 ".output", pool[0], pool[1],
              pool[2], pool[3], self->head.epoch, self->head.number);
    return rc;
}

int
outfiles_put (struct outfiles *self, const void *data, size_t size, char place[LEDGER_PLACE_MAX])
{
    int rc = begin_file (self, size);
    rc = rc ? rc : buffer_add (&self->pending, data, size);
    if (rc)
        return rc;
    snprintf (place, LEDGER_PLACE_MAX, "%s:%" PRId64 ":%zu", self->name, self->at, size);
    self->at += (int64_t) size;
    return 0;
}

/* --------------------------------------------------------------------- writing */

/*  A crash leaves what it leaves of a file: nobody goes on with it, and so a file that is there is somebody else's. */
static int
open_file (struct outfiles *self)
{
    int fd = openat (self->folder_fd, self->name, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0666);
    if (fd < 0)
        return -1;
    pthread_mutex_lock (&self->mutex);
    self->fd = fd;
    pthread_mutex_unlock (&self->mutex);
    atomic_store (&self->named, true);
    return 0;
}

static int
write_failed (struct outfiles *self)
{
    int number = errno;
    bool full = number == ENOSPC || number == EDQUOT;
    char path[PATH_MAX + 64];
    snprintf (path, sizeof path, "%s/%s", self->folder, self->name);
    int rc = number == EEXIST
        ? error_set (WEFT_EIO, "cannot keep output in %s: it is there already, of a copy of this ledger perhaps; give "
                     "another folder", path)
        : cannot (path);
    snprintf (self->trouble, sizeof self->trouble, "%s", weft_error ());
    self->stalled = full;
    return full ? error_set (WEFT_ELIMIT, "%s", self->trouble) : rc == WEFT_EACCES ? rc : WEFT_EIO;
}

int
outfiles_write (struct outfiles *self)
{
    if (!buffer_size (&self->pending))
        return 0;
    if (self->stalled)
        return error_set (WEFT_ELIMIT, "%s", self->trouble);
    if (self->fd < 0 && open_file (self) < 0)
        return write_failed (self);
    while (buffer_size (&self->pending)) {
        ssize_t size = write (self->fd, buffer_data (&self->pending), buffer_size (&self->pending));
        if (size < 0 && errno == EINTR)
            continue;
        if (size < 0)
            return write_failed (self);
        atomic_store (&self->dirty, true);
        buffer_consume (&self->pending, (size_t) size);
    }
    return 0;
}

void
outfiles_retry (struct outfiles *self)
{
    self->stalled = false;
}

int
outfiles_sync (void *arg)
{
    struct outfiles *self = arg;
    int rc = 0;
    if (!atomic_load (&self->dirty) && !atomic_load (&self->named))
        return 0;
    pthread_mutex_lock (&self->mutex);
    if (atomic_exchange (&self->dirty, false) && self->fd >= 0 && fdatasync (self->fd) < 0)
        rc = cannot (self->folder);
    if (rc == 0 && atomic_exchange (&self->named, false) && fsync (self->folder_fd) < 0)
        rc = cannot (self->folder);
    pthread_mutex_unlock (&self->mutex);
    return rc;
}
