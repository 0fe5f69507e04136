/*  wire_zmq_ipc.c - the paths of ipc listeners
 *
 *  libzmq unlinks whatever stands at the path that it binds to, be it a listener at
 *  work or a file of somebody's; whoever may enter the directory may connect, by the umask;
 *  and it leaves its socket behind when it closes. So the descriptor that listens is made
 *  here and handed over (ZMQ_USE_FD). Its mode is set before it has a name, which Linux then gives to the
 *  path; bind (2) takes no path that is there; and what nobody listens at any more is
 *  removed under a lock of the directory, so that of two who come at once one is told no. */

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "core/error.h"
#include "core/wire_zmq.h"

#define LOCK_TIME TIME_S        /*  others hold it for microseconds, unless they mean harm */
#define PRIVATE (S_IRUSR | S_IWUSR)

struct ipc_path {
    struct ipc_path *next;
    dev_t device;
    ino_t inode;
    bool folder;                /*  its directory was made for it alone */
    char path[];
};

/* ------------------------------------------------------------------- the lock */

static void
directory_of (const char *path, char directory[ENDPOINT_MAX])
{
    const char *slash = strrchr (path, '/');
    if (!slash)
        strcpy (directory, ".");
    else
        snprintf (directory, ENDPOINT_MAX, "%.*s", slash == path ? 1 : (int) (slash - path), path);
}

/*  A descriptor that holds it, or -1. *held: somebody else had it all the time; otherwise it
 *  cannot be locked at all (no right to read, a file system that has no locks), and we go on without. */
static int
lock_directory (const char *path, bool *held)
{
    static const struct timespec pause = { .tv_nsec = TIME_MS };
    char directory[ENDPOINT_MAX];
    directory_of (path, directory);
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
check_stale (const struct endpoint *endpoint, const struct sockaddr_un *address)
{
    struct stat status;
    if (lstat (address->sun_path, &status))
        return errno == ENOENT ? 0 : error_errno ("%s", endpoint->text);
    if (!S_ISSOCK (status.st_mode))
        return error_set (WEFT_EADDRINUSE, "%s: there is a file, and not a socket, at that path; choose another",
                          endpoint->text);
    int fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return error_errno ("%s", endpoint->text);
    int rc = connect (fd, (const struct sockaddr *) address, sizeof *address);
    bool stale = rc && (errno == ECONNREFUSED || errno == ENOENT);
    bool denied = rc && errno == EACCES;
    close (fd);
    if (denied)
        return error_set (WEFT_EACCES, "%s: the socket at that path is somebody else's", endpoint->text);
    return stale ? 0 : error_set (WEFT_EADDRINUSE, "%s: somebody listens there already", endpoint->text);
}

static int
bind_path (const struct endpoint *endpoint, const struct sockaddr_un *address, int fd, bool held)
{
    for (int tries = 0; tries < 2; tries++) {
        if (bind (fd, (const struct sockaddr *) address, sizeof *address) == 0)
            return 0;
        if (errno != EADDRINUSE)
            return error_errno ("%s", endpoint->text);
        int rc = check_stale (endpoint, address);
        if (rc)
            return rc;
        if (held)
            return error_set (WEFT_EADDRINUSE, "%s: nobody listens there any more, but the directory is locked by "
                              "somebody: try again", endpoint->text);
        if (unlink (address->sun_path) && errno != ENOENT)
            return error_errno ("%s: nobody listens there any more, but what was left cannot be removed",
                                endpoint->text);
    }
    return error_set (WEFT_EADDRINUSE, "%s: somebody listens there already", endpoint->text);
}

/*  The descriptor that listens, or an error. */
static int
listen_at (const struct endpoint *endpoint, int backlog)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    bool held;
    if (strlen (endpoint->path) >= sizeof address.sun_path)
        return error_set (WEFT_EENDPOINT, "%s: the path is too long: the system allows %zu bytes", endpoint->text,
                          sizeof address.sun_path - 1);
    strcpy (address.sun_path, endpoint->path);
    int fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || fchmod (fd, PRIVATE)) {
        int rc = error_errno ("%s", endpoint->text);
        if (fd >= 0)
            close (fd);
        return rc;
    }
    int lock = lock_directory (endpoint->path, &held);
    int rc = bind_path (endpoint, &address, fd, held);
    if (rc == 0 && listen (fd, backlog)) {
        rc = error_errno ("%s", endpoint->text);
        unlink (endpoint->path);
    }
    if (lock >= 0)
        close (lock);
    if (rc)
        close (fd);
    return rc ? rc : fd;
}

/* ------------------------------------------------------------ remembering paths */

/*  Of what stands at the path now. */
static int
remember (struct zmq_wire *wire, const struct endpoint *endpoint, bool folder)
{
    struct stat status;
    size_t size = strlen (endpoint->path) + 1;
    struct ipc_path *path = malloc (sizeof *path + size);
    if (!path)
        return error_plain (WEFT_ENOMEM);
    if (lstat (endpoint->path, &status)) {
        free (path);
        return error_errno ("%s", endpoint->text);
    }
    path->device = status.st_dev;
    path->inode = status.st_ino;
    path->folder = folder;
    memcpy (path->path, endpoint->path, size);
    path->next = wire->paths;
    wire->paths = path;
    return 0;
}

static void
remove_path (const struct ipc_path *path)
{
    char directory[ENDPOINT_MAX];
    struct stat status;
    if (lstat (path->path, &status) == 0 && status.st_dev == path->device && status.st_ino == path->inode)
        unlink (path->path);
    directory_of (path->path, directory);
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
    char folder[sizeof ((struct sockaddr_un *) 0)->sun_path];
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
    int fd = listen_at (endpoint, backlog > INT_MAX ? INT_MAX : (int) backlog);
    rc = fd < 0 ? fd : remember (wire, endpoint, folder);
    rc = rc ? rc : zmq_wire_set (wire, ZMQ_USE_FD, fd);
    if (rc && fd >= 0) {
        close (fd);
        ipc_remove (wire, endpoint->path);
    }
    if (rc && folder) {
        char directory[ENDPOINT_MAX];
        directory_of (endpoint->path, directory);
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
