/*  reactor_resolve.c - names looked up on another thread, so that the loop goes on */

#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/reactor_parts.h"

struct reactor_lookup {
    uv_getaddrinfo_t request;           /*  first                                               */
    void (*done) (void *arg, const struct sockaddr_storage *addresses, int count);
    void *arg;
    bool cancelled;
    char host[256];
};

static int
take_addresses (const struct addrinfo *list, struct sockaddr_storage *addresses)
{
    int count = 0;
    for (; list && count < REACTOR_ADDRESSES; list = list->ai_next)
        if (list->ai_addrlen <= sizeof *addresses)
            memcpy (&addresses[count++], list->ai_addr, list->ai_addrlen);
    return count;
}

static void
on_resolved (uv_getaddrinfo_t *request, int status, struct addrinfo *list)
{
    struct reactor_lookup *self = (struct reactor_lookup *) request;
    struct sockaddr_storage addresses[REACTOR_ADDRESSES] = { 0 };
    int count = status ? 0 : take_addresses (list, addresses);
    uv_freeaddrinfo (list);
    if (!self->cancelled) {
        if (count == 0)
            error_set (WEFT_ERESOLVE, "%s: %s", self->host, status ? uv_strerror (status) : "no address");
        self->done (self->arg, addresses, count);
    }
    free (self);
}

int
reactor_resolve (struct reactor *self, const char *host, int port,
                 void (*done) (void *arg, const struct sockaddr_storage *addresses, int count), void *arg,
                 struct reactor_lookup **lookup)
{
    struct reactor_lookup *made = calloc (1, sizeof *made);
    if (!made)
        return error_plain (WEFT_ENOMEM);
    struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM };
    char service[16];
    snprintf (service, sizeof service, "%d", port);
    snprintf (made->host, sizeof made->host, "%s", host);
    made->done = done;
    made->arg = arg;
    int rc = uv_getaddrinfo (&self->loop, &made->request, on_resolved, made->host, service, &hints);
    if (rc) {
        free (made);
        return reactor_uv_error (rc, host);
    }
    *lookup = made;
    return 0;
}

/*  What runs already cannot be stopped: its result is passed over. */
void
reactor_unresolve (struct reactor_lookup **lookup)
{
    if (!*lookup)
        return;
    (*lookup)->cancelled = true;
    uv_cancel ((uv_req_t *) &(*lookup)->request);
    *lookup = NULL;
}
