/*  wire_zmq_ipc.c - the paths of ipc listeners
 *
 *  libzmq unlinks whatever stands at the path that it binds to, be it a listener at
 *  work or a file of somebody's; whoever may enter the directory may connect, by the umask;
 *  and it leaves its socket behind when it closes. So the descriptor that listens is made
 *  by core/unix_socket.h and handed over (ZMQ_USE_FD). */

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/error.h"
#include "core/unix_socket.h"
#include "core/wire_zmq.h"

struct ipc_path {
    struct ipc_path *next;
    struct unix_place place;
    bool folder;                /*  its directory was made for it alone */
    char path[];
};

/* ------------------------------------------------------------ remembering paths */

static int
remember (struct zmq_wire *wire, const struct endpoint *endpoint, const struct unix_place *place, bool folder)
{
    size_t size = strlen (endpoint->path) + 1;
    struct ipc_path *path = malloc (sizeof *path + size);
    if (!path)
        return error_plain (WEFT_ENOMEM);
    path->place = *place;
    path->folder = folder;
    memcpy (path->path, endpoint->path, size);
    path->next = wire->paths;
    wire->paths = path;
    return 0;
}

static void
remove_path (struct ipc_path *path)
{
    char directory[ENDPOINT_MAX];
    unix_leave (&path->place);
    unix_directory (path->path, directory, sizeof directory);
    if (path->folder)
        rmdir (directory);
}

void
ipc_remove (struct zmq_wire *wire, const char *name)
{
    for (struct ipc_path **place = &wire->paths; *place;) {
        struct ipc_path *path = *place;
        if (name && strcmp (path->path, name) != 0) {
            place = &path->next;
            continue;
        }
        *place = path->next;
        remove_path (path);
        free (path);
    }
}

/* ---------------------------------------------------------------------- listening */

/*  "*": a path in a fresh directory, which is ours alone. */
static int
make_folder (struct endpoint *endpoint)
{
    const char *place = getenv ("TMPDIR");
    struct stat status;
    if (!place || !*place || stat (place, &status) || !S_ISDIR (status.st_mode))
        place = "/tmp";
    char folder[UNIX_PATH_MAX];
    if (snprintf (folder, sizeof folder, "%s/weft-XXXXXX/socket", place) >= (int) sizeof folder)
        return error_set (WEFT_EENDPOINT, "%s: the path of TMPDIR is too long", endpoint->text);
    *strrchr (folder, '/') = '\0';
    if (!mkdtemp (folder))
        return error_errno ("%s: cannot make a directory in %s", endpoint->text, place);
    snprintf (endpoint->path, sizeof endpoint->path, "%s/socket", folder);
    snprintf (endpoint->wire, sizeof endpoint->wire, "ipc://%s/socket", folder);
    return 0;
}

/*  Names of the abstract kind have no mode. The system says who connects: only we and root may, unless keys
 *  say who may. */
static int
filter_users (struct zmq_wire *wire, bool on)
{
    const uid_t users[] = { geteuid (), 0 };
    int rc = zmq_setsockopt (wire->socket, ZMQ_IPC_FILTER_UID, NULL, 0);
    for (size_t i = 0; on && rc == 0 && i < sizeof users / sizeof *users; i++)
        rc = zmq_setsockopt (wire->socket, ZMQ_IPC_FILTER_UID, &users[i], sizeof *users);
    return rc ? zmq_wire_error ("ipc") : 0;
}

int
ipc_listen (struct zmq_wire *wire, struct endpoint *endpoint)
{
    if (endpoint->path[0] == '@')
        return filter_users (wire, !*wire->wire.options.security.secret_key);
    bool folder = strcmp (endpoint->path, "*") == 0;
    int rc = folder ? make_folder (endpoint) : 0;
    if (rc)
        return rc;
    int64_t backlog = wire->wire.options.backlog;
    struct unix_place place;
    int fd = unix_listen (endpoint->text, endpoint->path, backlog > INT_MAX ? INT_MAX : (int) backlog, &place);
    rc = fd < 0 ? fd : remember (wire, endpoint, &place, folder);
    rc = rc ? rc : zmq_wire_set (wire, ZMQ_USE_FD, fd);
    if (rc && fd >= 0) {
        close (fd);
        unix_leave (&place);
        ipc_remove (wire, endpoint->path);
    }
    if (rc && folder) {
        char directory[ENDPOINT_MAX];
        unix_directory (endpoint->path, directory, sizeof directory);
        rmdir (directory);
    }
    return rc;
}

void
ipc_listened (struct zmq_wire *wire, const struct endpoint *endpoint, bool bound)
{
    int fd = -1;
    size_t size = sizeof fd;
    if (endpoint->path[0] == '@') {
        filter_users (wire, false);
        return;
    }
    if (!bound && zmq_getsockopt (wire->socket, ZMQ_USE_FD, &fd, &size) == 0 && fd >= 0)
        close (fd);
    zmq_wire_set (wire, ZMQ_USE_FD, -1);
    if (!bound)
        ipc_remove (wire, endpoint->path);
}
