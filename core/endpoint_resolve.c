/*  endpoint_resolve.c - names to numeric addresses, on the caller's thread
 *
 *  libzmq looks names up on its I/O thread, where a slow name server stops every
 *  socket and a name that does not exist is never reported. So it gets numbers.
 *  A name with both kinds of addresses gives IPv4, which every ZeroMQ program
 *  speaks; IPv6 is switched off by default in most. */

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "core/endpoint.h"
#include "core/error.h"

static int
write_wire (struct endpoint *self, const char *host, bool ipv6)
{
    char port[8] = "*";
    if (self->port)
        snprintf (port, sizeof port, "%d", self->port);
    self->ipv6 = ipv6;
    int size = snprintf (self->wire, sizeof self->wire, "tcp://%s%s%s%s%s:%s", self->source, *self->source ? ";" : "",
                         ipv6 ? "[" : "", host, ipv6 ? "]" : "", port);
    if (size < (int) sizeof self->wire)
        return 0;
    self->wire[0] = '\0';
    return error_set (WEFT_EENDPOINT, "%s: too long", self->text);
}

/*  The family of the source address decides that of the target's. */
static int
source_family (const struct endpoint *self)
{
    struct in_addr address;
    char host[sizeof self->source];
    if (*self->source == '[')
        return AF_INET6;
    snprintf (host, sizeof host, "%.*s", (int) strcspn (self->source, ":"), self->source);
    return inet_pton (AF_INET, host, &address) == 1 ? AF_INET : AF_UNSPEC;
}

/*  libzmq would look a source's name up where nobody sees it fail. */
static int
check_source (const struct endpoint *self)
{
    char host[sizeof self->source];
    snprintf (host, sizeof host, "%.*s", (int) strcspn (self->source, ":"), self->source);
    if (!*self->source || source_family (self) != AF_UNSPEC || strcmp (host, "*") == 0 || if_nametoindex (host))
        return 0;
    return error_set (WEFT_ERESOLVE, "%s: the source \"%s\" is neither a numeric address nor an interface of this "
                      "machine", self->text, host);
}

static int
check_scope (const struct endpoint *self)
{
    const char *scope = strchr (self->host, '%');
    if (!scope || if_nametoindex (scope + 1) || !scope[1 + strspn (scope + 1, "0123456789")])
        return 0;
    return error_set (WEFT_ERESOLVE, "%s: this machine has no interface \"%s\"", self->text, scope + 1);
}

static int
resolve_error (const struct endpoint *self, int code)
{
    if (code == EAI_AGAIN)
        return error_set (WEFT_ERESOLVE, "%s: the name server does not answer for \"%s\"; try again later, or write a "
                          "numeric address", self->text, self->host);
    if (code == EAI_SYSTEM)
        return error_errno ("%s: looking up \"%s\"", self->text, self->host);
    if (code == EAI_MEMORY)
        return error_set (WEFT_ENOMEM, "%s: no memory to look the name up", self->text);
    return error_set (WEFT_ERESOLVE, "%s: the name \"%s\" does not resolve (%s)%s", self->text, self->host,
                      gai_strerror (code), self->side == ENDPOINT_BIND ? ", and is no interface of this machine" : "");
}

/*  AI_ADDRCONFIG leaves out a family that the machine does not route; but it counts
 *  no loopback, so on a machine that is offline nothing would be left. */
static int
look_up (const struct endpoint *self, int family, struct addrinfo **found)
{
    struct addrinfo hints = { .ai_family = family, .ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG };
    int code = getaddrinfo (self->host, NULL, &hints, found);
    if (code && code != EAI_AGAIN) {
        hints.ai_flags = 0;
        code = getaddrinfo (self->host, NULL, &hints, found);
    }
    return code;
}

static int
resolve_name (struct endpoint *self)
{
    struct addrinfo *found = NULL;
    char host[INET6_ADDRSTRLEN + IF_NAMESIZE + 2];
    int family = source_family (self);

    /*  RFC 6761: the name is the loopback, whatever a name server says. */
    if (strcasecmp (self->host, "localhost") == 0)
        return write_wire (self, family == AF_INET6 ? "::1" : "127.0.0.1", family == AF_INET6);

    int code = look_up (self, family, &found);
    if (code)
        return resolve_error (self, code);
    const struct addrinfo *chosen = found;
    for (const struct addrinfo *each = found; each; each = each->ai_next)
        if (each->ai_family == AF_INET) {
            chosen = each;
            break;
        }
    code = getnameinfo (chosen->ai_addr, chosen->ai_addrlen, host, sizeof host, NULL, 0, NI_NUMERICHOST);
    bool ipv6 = chosen->ai_family == AF_INET6;
    freeaddrinfo (found);
    return code ? resolve_error (self, code) : write_wire (self, host, ipv6);
}

static int
resolve_tcp (struct endpoint *self)
{
    struct in_addr address;
    bool bracketed = strchr (self->host, ':') != NULL;
    int rc = check_source (self);
    if (!rc && bracketed)
        rc = check_scope (self);
    if (rc)
        return rc;
    bool ipv4 = inet_pton (AF_INET, self->host, &address) == 1;
    int family = source_family (self);
    if ((ipv4 && family == AF_INET6) || (bracketed && family == AF_INET))
        return error_set (WEFT_EENDPOINT, "%s: one address is IPv4 and the other IPv6; they must be of one kind",
                          self->text);
    bool passes = ipv4 || bracketed || strcmp (self->host, "*") == 0
                  || (self->side == ENDPOINT_BIND && if_nametoindex (self->host));
    return passes ? write_wire (self, self->host, bracketed) : resolve_name (self);
}

static int
resolve_ipc (struct endpoint *self)
{
    char directory[ENDPOINT_MAX];
    struct stat status;
    memcpy (self->wire, self->text, sizeof self->wire);
    const char *slash = strrchr (self->path, '/');
    if (*self->path == '@' || !slash || slash == self->path)
        return 0;
    snprintf (directory, sizeof directory, "%.*s", (int) (slash - self->path), self->path);
    if (!slash[1])
        return error_set (WEFT_EENDPOINT, "%s: the path ends in a slash; a name must follow", self->text);
    int rc = stat (directory, &status);
    if (rc < 0 && errno == ENOENT)
        return error_set (WEFT_EADDR, "%s: there is no directory %s; make it first", self->text, directory);
    if (rc < 0)
        return error_errno ("%s: the directory %s", self->text, directory);
    if (!S_ISDIR (status.st_mode))
        return error_set (WEFT_EADDR, "%s: %s is not a directory", self->text, directory);
    return 0;
}

int
endpoint_resolve (struct endpoint *self)
{
    switch (self->transport) {
    case ENDPOINT_TCP:
        return resolve_tcp (self);
    case ENDPOINT_IPC:
        return resolve_ipc (self);
    case ENDPOINT_INPROC:
        memcpy (self->wire, self->text, sizeof self->wire);
        return 0;
    }
    return error_set (WEFT_EENDPOINT, "%s: an unknown transport", self->text);
}

/*  The host of the numeric address when there is one, else of what was given. */
static void
host_of (const struct endpoint *self, char *host, size_t size)
{
    const char *start = strrchr (self->wire, ';');
    start = start ? start + 1 : self->wire + (*self->wire ? strlen ("tcp://") : 0);
    const char *end = strrchr (start, ':');
    if (!*self->wire || !end)
        snprintf (host, size, "%s", self->host);
    else if (*start == '[')
        snprintf (host, size, "%.*s", (int) (end - start - 2), start + 1);
    else
        snprintf (host, size, "%.*s", (int) (end - start), start);
    host[strcspn (host, "%")] = '\0';
}

bool
endpoint_is_local (const struct endpoint *self)
{
    struct in_addr ipv4;
    struct in6_addr ipv6;
    char host[sizeof self->host];
    if (self->transport != ENDPOINT_TCP)
        return true;
    host_of (self, host, sizeof host);
    if (inet_pton (AF_INET, host, &ipv4) == 1)
        return ntohl (ipv4.s_addr) >> 24 == 127;
    if (inet_pton (AF_INET6, host, &ipv6) == 1)
        return IN6_IS_ADDR_LOOPBACK (&ipv6) || (IN6_IS_ADDR_V4MAPPED (&ipv6) && ipv6.s6_addr[12] == 127);
    return strcasecmp (host, "localhost") == 0 || strcmp (host, "lo") == 0;
}
