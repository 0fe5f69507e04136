/*  wire_zmq_ipc.c - the paths of ipc listeners
 *
 *  libzmq unlinks whatever stands at the path that it binds to, be it a listener at
 *  work or a file of somebody's, and leaves its own socket behind when it closes. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/error.h"
#include "core/wire_zmq.h"

struct ipc_path {
    struct ipc_path *next;
    dev_t device;
    ino_t inode;
    char path[];
};

static bool
has_path (const struct endpoint *endpoint)
{
    return endpoint->path[0] != '@' && endpoint->path[0] != '*';
}

int
ipc_check (const struct endpoint *endpoint)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    struct stat status;
    if (!has_path (endpoint) || strlen (endpoint->path) >= sizeof address.sun_path || lstat (endpoint->path, &status))
        return 0;
    if (!S_ISSOCK (status.st_mode))
        return error_set (WEFT_EADDRINUSE, "%s: there is a file, and not a socket, at that path; choose another",
                          endpoint->text);
    strcpy (address.sun_path, endpoint->path);
    int fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return error_errno ("%s", endpoint->text);
    int rc = connect (fd, (struct sockaddr *) &address, sizeof address);
    bool stale = rc && errno == ECONNREFUSED;
    bool denied = rc && errno == EACCES;
    close (fd);
    if (denied)
        return error_set (WEFT_EACCES, "%s: the socket at that path is somebody else's", endpoint->text);
    return stale ? 0 : error_set (WEFT_EADDRINUSE, "%s: somebody listens there already", endpoint->text);
}

int
ipc_add (struct zmq_wire *wire, const struct endpoint *endpoint)
{
    struct stat status;
    if (!has_path (endpoint) || lstat (endpoint->path, &status))
        return 0;
    size_t size = strlen (endpoint->path) + 1;
    struct ipc_path *path = malloc (sizeof *path + size);
    if (!path)
        return error_plain (WEFT_ENOMEM);
    path->device = status.st_dev;
    path->inode = status.st_ino;
    memcpy (path->path, endpoint->path, size);
    path->next = wire->paths;
    wire->paths = path;
    return 0;
}

void
ipc_remove (struct zmq_wire *wire, const char *name)
{
    for (struct ipc_path **place = &wire->paths; *place;) {
        struct ipc_path *path = *place;
        struct stat status;
        if (name && strcmp (path->path, name) != 0) {
            place = &path->next;
            continue;
        }
        *place = path->next;
        if (lstat (path->path, &status) == 0 && status.st_dev == path->device && status.st_ino == path->inode)
            unlink (path->path);
        free (path);
    }
}
