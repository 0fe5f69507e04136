/*  unix_socket.h - Unix sockets that listen: they take nobody's place, let nobody else in, and are gone in the end
 *
 *  A path of a Unix socket is a file: whoever may enter its directory may connect, by its mode; it stays behind when
 *  its listener dies; and nothing keeps two listeners from removing each other's. */
#ifndef WEFT_CORE_UNIX_SOCKET_H
#define WEFT_CORE_UNIX_SOCKET_H

#include <stdbool.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#define UNIX_PATH_MAX (sizeof ((struct sockaddr_un *) 0)->sun_path)

/*  What stands at a path, and is ours. */
struct unix_place {
    dev_t device;
    ino_t inode;
    char path[UNIX_PATH_MAX];           /*  "": nothing                                         */
};

/*  A path, or "@NAME" for an abstract name: WEFT_EENDPOINT when it is too long. `text` is for the words. */
int unix_address (struct sockaddr_un *address, const char *text, const char *path);
socklen_t unix_address_size (const struct sockaddr_un *address);

/*  A descriptor that listens, or an error. The mode is 0600 before it has a name. WEFT_EADDRINUSE where a file is, or
 *  where somebody listens; what a dead listener has left is removed, under a lock of the directory, so that of two who
 *  come at once one is told no. */
int unix_listen (const char *text, const char *path, int backlog, struct unix_place *place);

/*  Removes it, if what stands there is still ours. */
void unix_leave (struct unix_place *place);

/*  The directory of a path. */
void unix_directory (const char *path, char *directory, size_t size);

/*  Who is at the other end of a connection: false when the system does not say. An abstract name has no mode: there
 *  unix_is_ours tells who may come in, our own user and root. */
bool unix_peer (int fd, struct ucred *peer);
bool unix_is_ours (const struct ucred *peer);

#endif
