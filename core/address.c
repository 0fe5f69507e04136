/*  address.c - where a byte stream listens or goes to */

#include "core/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/endpoint.h"
#include "core/error.h"

#define PREFIX "tcp://"
#define UNIX "unix:"

static int
parse_unix (struct address *self, const char *text)
{
    const char *path = text + strlen (UNIX);
    struct sockaddr_un address;
    if (strncmp (path, "//", 2) == 0)
        path += 2;
    if (!*path || strcmp (path, "@") == 0)
        return error_set (WEFT_EENDPOINT, "%s: write unix:PATH, as in unix:/tmp/weft.sock, or unix:@NAME", text);
    int rc = unix_address (&address, text, path);
    if (rc)
        return rc;
    *self = (struct address) { .local = true };
    snprintf (self->path, sizeof self->path, "%s", path);
    return 0;
}

/*  What was wrong as an endpoint, in the words of who has not written tcp://. */
static int
say_bare (int code)
{
    char words[1024], *at;
    snprintf (words, sizeof words, "%s", weft_error ());
    while ((at = strstr (words, PREFIX)))
        memmove (at, at + strlen (PREFIX), strlen (at + strlen (PREFIX)) + 1);
    return error_set (code, "%s", words);
}

int
address_parse (struct address *self, const char *text, bool listens)
{
    struct endpoint endpoint;
    char full[ENDPOINT_MAX];
    const char *bare = strncmp (text, PREFIX, strlen (PREFIX)) == 0 ? text + strlen (PREFIX) : text;
    if (strncmp (text, UNIX, strlen (UNIX)) == 0)
        return parse_unix (self, text);
    if (strncmp (text, "ipc://", 6) == 0)
        return error_set (WEFT_EENDPOINT, "%s: ipc is for the fabric; write unix:%s, or HOST:PORT", text, text + 6);
    if (*bare == '/' || (*bare == '.' && strchr (bare, '/')))
        return error_set (WEFT_EENDPOINT, "%s: write unix:%s for a path, or HOST:PORT", text, bare);
    if (strstr (bare, "://"))
        return error_set (WEFT_EENDPOINT, "%s: write HOST:PORT, as in 127.0.0.1:7000, or unix:PATH", text);
    if (*bare && strspn (bare, "0123456789") == strlen (bare))
        return error_set (WEFT_EENDPOINT, "%s: a port alone; write HOST:PORT, as in 127.0.0.1:%s", text, bare);
    if ((size_t) snprintf (full, sizeof full, "%s%s%s", PREFIX, *bare == ':' ? "*" : "", bare) >= sizeof full)
        return error_set (WEFT_EENDPOINT, "%.40s...: too long for an address", text);
    int rc = endpoint_parse (&endpoint, full, listens ? ENDPOINT_BIND : ENDPOINT_CONNECT);
    if (rc)
        return bare == text ? say_bare (rc) : rc;
    if (endpoint.source[0])
        return error_set (WEFT_EENDPOINT, "%s: an address to come from cannot be chosen; write HOST:PORT", text);
    self->path[0] = '\0';
    snprintf (self->host, sizeof self->host, "%s", endpoint.host);
    self->port = endpoint.port;
    self->local = endpoint_is_local (&endpoint);
    return 0;
}

int
address_resolve (const struct address *self, struct sockaddr_storage *found)
{
    struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE }, *list;
    char service[16];
    bool any = strcmp (self->host, "*") == 0, local = strcasecmp (self->host, "localhost") == 0;
    memset (found, 0, sizeof *found);
    if (self->path[0])
        return unix_address ((struct sockaddr_un *) (void *) found, self->path, self->path);
    snprintf (service, sizeof service, "%d", self->port);
    if (any)
        hints.ai_family = AF_INET;
    /*  RFC 6761: the name is the loopback, whatever a name server says. */
    int rc = getaddrinfo (any ? NULL : local ? "127.0.0.1" : self->host, service, &hints, &list);
    if (rc)
        return error_set (WEFT_ERESOLVE, "%s: %s", self->host, gai_strerror (rc));
    memcpy (found, list->ai_addr, list->ai_addrlen);
    freeaddrinfo (list);
    return 0;
}

int
address_bind_error (const char *text)
{
    switch (errno) {
    case EADDRINUSE:
        return error_set (WEFT_EADDRINUSE, "%s: somebody listens there already; choose another port, or 0 for any that "
                          "is free", text);
    case EADDRNOTAVAIL:
        return error_set (WEFT_EADDR, "%s: this machine does not have that address", text);
    case EACCES:
        return error_set (WEFT_EACCES, "%s: the system keeps this port for root; choose one from 1024 on", text);
    default:
        return error_errno ("%s", text);
    }
}

socklen_t
address_size (const struct sockaddr_storage *address)
{
    if (address->ss_family == AF_UNIX)
        return unix_address_size ((const void *) address);
    return address->ss_family == AF_INET6 ? sizeof (struct sockaddr_in6) : sizeof (struct sockaddr_in);
}

void
address_text (const struct sockaddr_storage *address, char text[ADDRESS_TEXT])
{
    char host[INET6_ADDRSTRLEN] = "?";
    if (address->ss_family == AF_UNIX) {
        const struct sockaddr_un *path = (const void *) address;
        bool abstract = !path->sun_path[0];
        snprintf (text, ADDRESS_TEXT, UNIX "%s%.*s", abstract ? "@" : "", (int) sizeof path->sun_path - 1,
                  path->sun_path + abstract);
    } else if (address->ss_family == AF_INET6) {
        const struct sockaddr_in6 *six = (const void *) address;
        const struct in6_addr *ip = &six->sin6_addr;
        bool mapped = IN6_IS_ADDR_V4MAPPED (ip);
        inet_ntop (mapped ? AF_INET : AF_INET6, mapped ? &ip->s6_addr[12] : ip->s6_addr, host, sizeof host);
        snprintf (text, ADDRESS_TEXT, mapped ? "%s:%d" : "[%s]:%d", host, ntohs (six->sin6_port));
    } else {
        const struct sockaddr_in *four = (const void *) address;
        inet_ntop (AF_INET, &four->sin_addr, host, sizeof host);
        snprintf (text, ADDRESS_TEXT, "%s:%d", host, ntohs (four->sin_port));
    }
}

void
address_of_peer (int fd, struct sockaddr_storage *address)
{
    struct sockaddr_un *path = (void *) address;
    struct ucred peer;
    if (address->ss_family == AF_UNIX && unix_peer (fd, &peer))
        snprintf (path->sun_path, sizeof path->sun_path, "%d/%u", (int) peer.pid, (unsigned) peer.uid);
}
