/*  unix_socket.c - Unix sockets that listen: they take nobody's place, let nobody else in, and are gone in the end */

#include "core/unix_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/error.h"

#define LOCK_TIME TIME_S        /*  others hold it for microseconds, unless they mean harm */
#define PRIVATE (S_IRUSR | S_IWUSR)

/* ----------------------------------------------------------------------- addresses */

int
unix_address (struct sockaddr_un *address, const char *text, const char *path)
{
    size_t size = strlen (path);
    *address = (struct sockaddr_un) { .sun_family = AF_UNIX };
    if (size >= sizeof address->sun_path)
        return error_set (WEFT_EENDPOINT, "%s: the path is too long: the system allows %zu bytes", text,
                          sizeof address->sun_path - 1);
    memcpy (address->sun_path, path, size);
    if (*path == '@')
        address->sun_path[0] = '\0';
    return 0;
}

socklen_t
unix_address_size (const struct sockaddr_un *address)
{
    size_t bytes = address->sun_path[0] ? sizeof address->sun_path : 1 + strlen (address->sun_path + 1);
    return (socklen_t) (offsetof (struct sockaddr_un, sun_path) + bytes);
}

void
unix_directory (const char *path, char *directory, size_t size)
{
    const char *slash = strrchr (path, '/');
    if (!slash)
        snprintf (directory, size, ".");
    else
        snprintf (directory, size, "%.*s", slash == path ? 1 : (int) (slash - path), path);
}

/* ------------------------------------------------------------------------ the lock */

/*  A descriptor that holds it, or -1. *held: somebody else had it all the time; otherwise it
 *  cannot be locked at all (no right to read, a file system that has no locks), and we go on without. */
static int
lock_directory (const char *path, bool *held)
{
    static const struct timespec pause = { .tv_nsec = TIME_MS };
    char directory[PATH_MAX];
    unix_directory (path, directory, sizeof directory);
    *held = false;
    int fd = open (directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    int64_t deadline = clock_now (clock_system ()) + LOCK_TIME;
    while (flock (fd, LOCK_EX | LOCK_NB)) {
        *held = errno == EWOULDBLOCK;
        if (!*held || clock_left (clock_system (), deadline) == 0) {
            close (fd);
            return -1;
        }
        nanosleep (&pause, NULL);
    }
    *held = false;
    return fd;
}

/* ---------------------------------------------------------------- taking a path */

/*  0 when what stands there is a socket that nobody listens at. */
static int
check_stale (const char *text, const struct sockaddr_un *address)
{
    struct stat status;
    if (lstat (address->sun_path, &status))
        return errno == ENOENT ? 0 : error_errno ("%s", text);
    if (!S_ISSOCK (status.st_mode))
        return error_set (WEFT_EADDRINUSE, "%s: there is a file, and not a socket, at that path; choose another", text);
    int fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return error_errno ("%s", text);
    int rc = connect (fd, (const struct sockaddr *) address, unix_address_size (address));
    bool stale = rc && (errno == ECONNREFUSED || errno == ENOENT);
    bool denied = rc && errno == EACCES;
    close (fd);
    if (denied)
        return error_set (WEFT_EACCES, "%s: the socket at that path is somebody else's", text);
    return stale ? 0 : error_set (WEFT_EADDRINUSE, "%s: somebody listens there already", text);
}

static int
bind_path (const char *text, const struct sockaddr_un *address, int fd, bool held)
{
    for (int tries = 0; tries < 2; tries++) {
        if (bind (fd, (const struct sockaddr *) address, unix_address_size (address)) == 0)
            return 0;
        if (errno != EADDRINUSE)
            return error_errno ("%s", text);
        int rc = address->sun_path[0] ? check_stale (text, address)
                                      : error_set (WEFT_EADDRINUSE, "%s: somebody listens there already", text);
        if (rc)
            return rc;
        if (held)
            return error_set (WEFT_EADDRINUSE, "%s: nobody listens there any more, but the directory is locked by "
                              "somebody: try again", text);
        if (unlink (address->sun_path) && errno != ENOENT)
            return error_errno ("%s: nobody listens there any more, but what was left cannot be removed", text);
    }
    return error_set (WEFT_EADDRINUSE, "%s: somebody listens there already", text);
}

/*  A socket that is to be at that path. */
struct newcomer {
    const char *text, *path;            /*  as the user wrote it, and where                     */
    struct sockaddr_un address;
    int fd, backlog;
};

/*  Binds and listens, and knows what stands at the path then. Who is bound and does not listen yet looks like one that
 *  is dead: so the lock is held until it does. */
static int
take_place (const struct newcomer *self, struct unix_place *place)
{
    struct stat status;
    bool held = false, named = *self->path != '@';
    int lock = named ? lock_directory (self->path, &held) : -1;
    int rc = bind_path (self->text, &self->address, self->fd, held);
    if (rc == 0 && named) {
        rc = lstat (self->path, &status) ? error_errno ("%s", self->text) : 0;
        *place = (struct unix_place) { .device = status.st_dev, .inode = status.st_ino };
        strcpy (place->path, self->path);
    }
    if (rc == 0 && listen (self->fd, self->backlog)) {
        rc = error_errno ("%s", self->text);
        unix_leave (place);
    }
    if (lock >= 0)
        close (lock);
    return rc;
}

int
unix_listen (const char *text, const char *path, int backlog, struct unix_place *place)
{
    struct newcomer self = { .text = text, .path = path, .backlog = backlog };
    int rc = unix_address (&self.address, text, path);
    *place = (struct unix_place) { .path = "" };
    if (rc)
        return rc;
    self.fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (self.fd < 0)
        return error_errno ("%s", text);
    rc = fchmod (self.fd, PRIVATE) ? error_errno ("%s", text) : 0;
    rc = rc ? rc : take_place (&self, place);
    if (rc)
        close (self.fd);
    return rc ? rc : self.fd;
}

void
unix_leave (struct unix_place *place)
{
    struct stat status;
    if (place->path[0] && lstat (place->path, &status) == 0 && status.st_dev == place->device
        && status.st_ino == place->inode)
        unlink (place->path);
    place->path[0] = '\0';
}

/* ---------------------------------------------------------------------- the other end */

bool
unix_peer (int fd, struct ucred *peer)
{
    socklen_t size = sizeof *peer;
    return getsockopt (fd, SOL_SOCKET, SO_PEERCRED, peer, &size) == 0;
}

bool
unix_is_ours (const struct ucred *peer)
{
    return peer->uid == geteuid () || peer->uid == 0;
}
