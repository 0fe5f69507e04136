/*  file.c - small files that must be whole, and in the right hands */

#include "core/file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/error.h"

enum { READ_STEP = 4096 };

static int
read_all (int fd, const char *path, size_t limit, struct buffer *data)
{
    for (;;) {
        char *room = buffer_reserve (data, READ_STEP);
        if (!room)
            return WEFT_ENOMEM;
        ssize_t size = read (fd, room, READ_STEP);
        if (size == 0)
            return 0;
        if (size < 0 && errno != EINTR)
            return error_errno ("%s", path);
        buffer_wrote (data, size > 0 ? (size_t) size : 0);
        if (buffer_size (data) > limit)
            return error_set (WEFT_ETOOBIG, "%s: larger than %zu bytes", path, limit);
    }
}

int
file_read (const char *path, size_t limit, struct buffer *data, struct stat *status)
{
    /*  Not blocking: a FIFO must not hold us up before it is seen to be one. */
    int fd = open (path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return error_errno ("%s", path);
    int rc = fstat (fd, status) ? error_errno ("%s", path) : 0;
    if (rc == 0 && !S_ISREG (status->st_mode))
        rc = error_set (WEFT_EINVAL, "%s: it is not a file", path);
    if (rc == 0 && (uintmax_t) status->st_size > limit)
        rc = error_set (WEFT_ETOOBIG, "%s: larger than %zu bytes", path, limit);
    /*  At once, so that a secret is not left behind where the buffer grew. */
    if (rc == 0 && !buffer_reserve (data, (size_t) status->st_size + READ_STEP))
        rc = WEFT_ENOMEM;
    rc = rc ? rc : read_all (fd, path, limit, data);
    int saved = errno;
    close (fd);
    errno = saved;
    return rc;
}

int
file_trust (const char *path, const struct stat *status, mode_t forbidden)
{
    mode_t mode = status->st_mode & 07777, wrong = mode & forbidden;
    if (status->st_uid != geteuid () && status->st_uid != 0)
        return error_set (WEFT_EACCES,
                          "%s: it belongs to another user (uid %u); only what is ours or root's is trusted", path,
                          (unsigned) status->st_uid);
    if (wrong)
        return error_set (WEFT_EACCES, "%s: its mode %04o lets others %s; chmod %03o it", path, (unsigned) mode,
                          wrong & 044 ? wrong & 022 ? "read and write it" : "read it" : "write to it",
                          (unsigned) (mode & ~forbidden & 0777));
    return 0;
}

static int
write_all (int fd, const char *path, const struct buffer *data)
{
    const char *at = buffer_data (data), *end = at + buffer_size (data);
    while (at < end) {
        ssize_t size = write (fd, at, (size_t) (end - at));
        if (size < 0 && errno != EINTR)
            return error_errno ("cannot write %s", path);
        at += size > 0 ? size : 0;
    }
    return 0;
}

static int
fill (int fd, const char *path, const struct buffer *data, mode_t mode, gid_t group)
{
    int rc = write_all (fd, path, data);
    /*  What is another group's may only be read by that one. */
    if (rc == 0 && group != (gid_t) -1 && fchown (fd, (uid_t) -1, group))
        mode &= ~(mode_t) 070;
    if (rc == 0 && (fchmod (fd, mode) || fsync (fd)))
        rc = error_errno ("cannot write %s", path);
    return rc;
}

/*  Gives the file its name; without `replace`, only when the name is free. */
static int
name_it (const char *temporary, const char *path, bool replace)
{
    if (replace)
        return rename (temporary, path);
    if (renameat2 (AT_FDCWD, temporary, AT_FDCWD, path, RENAME_NOREPLACE) == 0)
        return 0;
    if (errno != EINVAL && errno != ENOSYS)
        return -1;
    /*  File systems that do not know that, such as NFS. */
    return link (temporary, path) || unlink (temporary) ? -1 : 0;
}

static int
sync_directory (const char *path, const char *directory)
{
    int fd = open (directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    /*  EINVAL: a file system without it. */
    int rc = fd < 0 || (fsync (fd) && errno != EINVAL) ? error_errno ("cannot write %s", path) : 0;
    if (fd >= 0)
        close (fd);
    return rc;
}

/*  Where the file is or is to be, through symbolic links. */
static int
resolve (const char *path, char place[PATH_MAX], char directory[PATH_MAX])
{
    if (!realpath (path, place)) {
        if (errno != ENOENT)
            return error_errno ("%s", path);
        if (strlen (path) >= PATH_MAX)
            return error_set (WEFT_ETOOBIG, "%s: too long for a path", path);
        strcpy (place, path);
    }
    char copy[PATH_MAX];
    strcpy (copy, place);
    strcpy (directory, dirname (copy));
    return 0;
}

int
file_save (const char *path, const struct buffer *data, mode_t mode, gid_t group, bool replace)
{
    char place[PATH_MAX], directory[PATH_MAX], copy[PATH_MAX], temporary[PATH_MAX];
    struct stat status;
    if (!replace && lstat (path, &status) == 0)
        return error_set (WEFT_ESTATE, "%s: it is there already, and is not replaced", path);
    int rc = resolve (path, place, directory);
    if (rc)
        return rc;
    strcpy (copy, place);
    int size = snprintf (temporary, sizeof temporary, "%s/.%s.XXXXXX", directory, basename (copy));
    if (size >= (int) sizeof temporary)
        return error_set (WEFT_ETOOBIG, "%s: too long for a path", path);
    int fd = mkostemp (temporary, O_CLOEXEC);
    if (fd < 0)
        return error_errno ("cannot write %s", path);
    rc = fill (fd, path, data, mode, group);
    /*  Where quotas are, close is what tells. */
    if (close (fd) && rc == 0)
        rc = error_errno ("cannot write %s", path);
    if (rc == 0 && name_it (temporary, place, replace))
        rc = errno == EEXIST ? error_set (WEFT_ESTATE, "%s: it is there already, and is not replaced", path)
                             : error_errno ("cannot write %s", path);
    if (rc)
        unlink (temporary);
    return rc ? rc : sync_directory (path, directory);
}

void
file_forget (struct buffer *data)
{
    if (data->base)
        explicit_bzero (data->base, data->capacity);
    buffer_free (data);
}
