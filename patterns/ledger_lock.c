/*  ledger_lock.c - one head at a time: a lock beside the ledger that ends with its process
 *
 *  Beside it, since SQLite keeps locks of its own on the ledger, and closing any descriptor of a file drops them. */

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/error.h"
#include "patterns/ledger_parts.h"

static int
lock_name (char *name, size_t size, const char *path)
{
    if ((size_t) snprintf (name, size, "%s-lock", path) >= size)
        return error_set (WEFT_EINVAL, "%s: the name is too long", path);
    return 0;
}

/*  Who wrote their name into the lock: HOST PID. */
static int
owned (const char *path, int fd)
{
    char text[300];
    ssize_t size = pread (fd, text, sizeof text - 1, 0);
    text[size > 0 ? size : 0] = '\0';
    text[strcspn (text, "\n")] = '\0';
    char *pid = strchr (text, ' ');
    if (!pid)
        return error_set (WEFT_EADDRINUSE, "%s: another head has this ledger", path);
    *pid++ = '\0';
    return error_set (WEFT_EADDRINUSE, "%s: another head has this ledger: process %s on %s; end that one, or use "
                      "another ledger", path, pid, text);
}

/*  The one who unlinks it has it: what was locked must still be what the name stands for. */
static bool
still_there (const char *name, int fd)
{
    struct stat here, there;
    return !fstat (fd, &here) && !stat (name, &there) && here.st_dev == there.st_dev && here.st_ino == there.st_ino;
}

static int
try_lock (const char *path, const char *name, int *fd)
{
    int got = open (name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
    if (got < 0)
        return error_errno ("cannot make %s, which a ledger needs beside it", name);
    struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
    int rc = 0;
    if (fcntl (got, F_OFD_SETLK, &lock)) {
        if (errno == EAGAIN || errno == EACCES)
            rc = owned (path, got);
        else
            rc = error_errno ("%s: cannot be locked; put the ledger on a file system that knows locks", name);
    } else if (!still_there (name, got)) {
        rc = error_plain (WEFT_EAGAIN);
    }
    if (rc)
        close (got);
    else
        *fd = got;
    return rc;
}

int
ledger_lock (const char *path, int *fd)
{
    char name[4096], text[300], host[256] = "?";
    int rc = lock_name (name, sizeof name, path);
    if (rc)
        return rc;
    do
        rc = try_lock (path, name, fd);
    while (rc == WEFT_EAGAIN);
    if (rc)
        return rc;
    gethostname (host, sizeof host - 1);
    int size = snprintf (text, sizeof text, "%s %" PRId64 "\n", host, (int64_t) getpid ());
    /*  The name is for people: on a full disk the lock holds without it. */
    if (ftruncate (*fd, 0) == 0 && pwrite (*fd, text, (size_t) size, 0) < 0)
        errno = 0;
    return 0;
}

int
ledger_is_held (const char *path)
{
    char name[4096], *whole = realpath (path, NULL);
    struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
    int rc = whole ? lock_name (name, sizeof name, whole) : error_errno ("%s", path);
    free (whole);
    int fd = rc ? -1 : open (name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0)
        return rc ? rc : errno == ENOENT ? 0 : error_errno ("%s", name);
    rc = fcntl (fd, F_OFD_GETLK, &lock) ? error_errno ("%s", name) : lock.l_type != F_UNLCK;
    close (fd);
    return rc;
}

void
ledger_unlock (const char *path, int *fd)
{
    char name[4096];
    if (*fd < 0)
        return;
    if (!lock_name (name, sizeof name, path) && still_there (name, *fd))
        unlink (name);
    close (*fd);
    *fd = -1;
}
