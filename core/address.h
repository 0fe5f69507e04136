/*  address.h - where a byte stream listens or goes to: HOST:PORT, [IPv6]:PORT, *:PORT, unix:PATH, unix:@ABSTRACT
 *
 *  Prefixes tcp:// and unix:// are allowed, so that what is copied from elsewhere works. */
#ifndef WEFT_CORE_ADDRESS_H
#define WEFT_CORE_ADDRESS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>

#include "core/unix_socket.h"
#include "weft.h"

#define ADDRESS_TEXT 128                /*  bytes of a numeric address as text, with the NUL    */

struct address {
    char host[256];                     /*  name or number, without brackets; "*" for any       */
    int port;                           /*  0: any free one, to listen                          */
    char path[UNIX_PATH_MAX];           /*  of a Unix socket, which has no host; "": it is TCP  */
    bool local;                         /*  of this machine alone, by what it says              */
};

/*  WEFT_EENDPOINT says what is wrong and what would be right. `listens`: port 0 and the host * are allowed. */
int address_parse (struct address *self, const char *text, bool listens);

/*  The numeric address to listen at, or a path. May block in the resolver. WEFT_ERESOLVE. */
int address_resolve (const struct address *self, struct sockaddr_storage *found);

/*  errno after bind or listen at `text`, in words that say what to do: WEFT_EADDRINUSE, WEFT_EADDR, WEFT_EACCES, ... */
int address_bind_error (const char *text);

/*  The address as text: "127.0.0.1:4711", "[::1]:1", "unix:/run/weft.sock"; an IPv4 peer of an IPv6 socket as IPv4. */
void address_text (const struct sockaddr_storage *address, char text[ADDRESS_TEXT]);

/*  Of who connected to a Unix socket, which has no address: "PID/UID" as a path. */
void address_of_peer (int fd, struct sockaddr_storage *address);
socklen_t address_size (const struct sockaddr_storage *address);

#endif
