/*  address.c - where a byte stream listens or goes to */

#include "core/address.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/endpoint.h"
#include "core/error.h"

#define PREFIX "tcp://"

int
address_parse (struct address *self, const char *text, bool listens)
{
    struct endpoint endpoint;
    char full[ENDPOINT_MAX];
    const char *bare = strncmp (text, PREFIX, strlen (PREFIX)) == 0 ? text + strlen (PREFIX) : text;
    if (strstr (bare, "://") || *bare == '/' || strncmp (bare, "unix:", 5) == 0)
        return error_set (WEFT_EENDPOINT, "%s: write HOST:PORT, as in 127.0.0.1:7000", text);
    if (*bare && strspn (bare, "0123456789") == strlen (bare))
        return error_set (WEFT_EENDPOINT, "%s: a port alone; write HOST:PORT, as in 127.0.0.1:%s", text, bare);
    if ((size_t) snprintf (full, sizeof full, "%s%s%s", PREFIX, *bare == ':' ? "*" : "", bare) >= sizeof full)
        return error_set (WEFT_EENDPOINT, "%.40s...: too long for an address", text);
    int rc = endpoint_parse (&endpoint, full, listens ? ENDPOINT_BIND : ENDPOINT_CONNECT);
    if (rc)
        return rc;
    if (endpoint.source[0])
        return error_set (WEFT_EENDPOINT, "%s: an address to come from cannot be chosen; write HOST:PORT", text);
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
    bool any = strcmp (self->host, "*") == 0;
    snprintf (service, sizeof service, "%d", self->port);
    if (any)
        hints.ai_family = AF_INET;
    int rc = getaddrinfo (any ? NULL : self->host, service, &hints, &list);
    if (rc)
        return error_set (WEFT_ERESOLVE, "%s: %s", self->host, gai_strerror (rc));
    memset (found, 0, sizeof *found);
    memcpy (found, list->ai_addr, list->ai_addrlen);
    freeaddrinfo (list);
    return 0;
}

socklen_t
address_size (const struct sockaddr_storage *address)
{
    return address->ss_family == AF_INET6 ? sizeof (struct sockaddr_in6) : sizeof (struct sockaddr_in);
}

void
address_text (const struct sockaddr_storage *address, char text[ADDRESS_TEXT])
{
    char host[INET6_ADDRSTRLEN] = "?";
    if (address->ss_family == AF_INET6) {
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
