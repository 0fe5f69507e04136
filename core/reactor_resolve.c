/*  reactor_resolve.c - names looked up on threads of their own, so that the loop goes on
 *
 *  The system's call cannot be stopped, and takes half a minute where nobody answers. So what is cancelled is left to
 *  its thread, for which nothing waits: neither a reactor's end nor the program's, as those of libuv's pool do. */

#include <netdb.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/error.h"
#include "core/reactor_parts.h"
#include "core/thread.h"

enum { RESOLVERS = 4 };                 /*  threads, of all reactors                            */

/*  A name, which outlives who asks. */
struct name {
    struct name *next;
    struct reactor_lookup *asker;       /*  NULL: nobody waits for it any more                  */
    bool found;                         /*  it is the asker's, who has been told                */
    char host[256], service[16];
    struct addrinfo *list;
    int status;
};

struct reactor_lookup {
    uv_async_t told;                    /*  first                                               */
    struct name *name;
    void (*done) (void *arg, const struct sockaddr_storage *addresses, int count);
    void *arg;
};

/*  Of the process: all that is above of names, and these. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct name *first, **last = &first;
static int resolvers;

static void
free_name (struct name *name)
{
    if (name->list)
        freeaddrinfo (name->list);
    free (name);
}

/*  RFC 6761: it is the loopback, whatever a name server says: 127.0.0.1, which is looked up, and ::1. */
static bool
is_localhost (const struct name *name)
{
    return strcasecmp (name->host, "localhost") == 0;
}

static void
look_up (struct name *name)
{
    const char *host = is_localhost (name) ? "127.0.0.1" : name->host;
    const struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM };
    struct addrinfo *list = NULL;
    pthread_mutex_unlock (&lock);
    int status = getaddrinfo (host, name->service, &hints, &list);
    pthread_mutex_lock (&lock);
    name->list = status ? NULL : list;
    name->status = status;
}

/*  A thread, as long as there are names. */
static void *
resolve (void *arg)
{
    pthread_mutex_lock (&lock);
    while (first) {
        struct name *name = first;
        first = name->next;
        last = first ? last : &first;
        if (name->asker)
            look_up (name);
        name->found = true;
        if (name->asker)
            uv_async_send (&name->asker->told);
        else
            free_name (name);
    }
    resolvers--;
    pthread_mutex_unlock (&lock);
    return arg;
}

/*  Another one, unless there are enough. */
static int
add_resolver (void)
{
    pthread_t thread;
    int rc = resolvers == RESOLVERS ? 0 : thread_start (&thread, 0, resolve, NULL);
    if (rc)
        return resolvers ? 0 : rc;
    if (resolvers == RESOLVERS)
        return 0;
    pthread_detach (thread);
    resolvers++;
    return 0;
}

static int
queue (struct name *name)
{
    pthread_mutex_lock (&lock);
    int rc = add_resolver ();
    if (rc == 0) {
        *last = name;
        last = &name->next;
    }
    pthread_mutex_unlock (&lock);
    return rc;
}

static void
free_lookup (uv_handle_t *handle)
{
    free (handle);
}

static int
take_addresses (const struct name *name, struct sockaddr_storage *addresses)
{
    struct sockaddr_in6 other = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
    int count = 0;
    for (const struct addrinfo *each = name->list; each && count < REACTOR_ADDRESSES; each = each->ai_next)
        if (each->ai_addrlen <= sizeof *addresses)
            memcpy (&addresses[count++], each->ai_addr, each->ai_addrlen);
    if (count == 1 && is_localhost (name)) {
        other.sin6_port = ((const struct sockaddr_in *) (const void *) addresses)->sin_port;
        memcpy (&addresses[count++], &other, sizeof other);
    }
    return count;
}

static void
on_told (uv_async_t *handle)
{
    struct reactor_lookup *self = (struct reactor_lookup *) handle;
    struct sockaddr_storage addresses[REACTOR_ADDRESSES] = { 0 };
    pthread_mutex_lock (&lock);
    struct name *name = self->name->found ? self->name : NULL;
    pthread_mutex_unlock (&lock);
    if (!name)
        return;
    int count = take_addresses (name, addresses);
    if (count == 0)
        error_set (WEFT_ERESOLVE, "%s: %s", name->host, name->status ? gai_strerror (name->status) : "no address");
    free_name (name);
    uv_close ((uv_handle_t *) &self->told, free_lookup);
    self->done (self->arg, addresses, count);
}

int
reactor_resolve (struct reactor *self, const char *host, int port,
                 void (*done) (void *arg, const struct sockaddr_storage *addresses, int count), void *arg,
                 struct reactor_lookup **lookup)
{
    struct reactor_lookup *made = calloc (1, sizeof *made);
    struct name *name = calloc (1, sizeof *name);
    int rc = made && name ? uv_async_init (&self->loop, &made->told, on_told) : UV_ENOMEM;
    if (rc) {
        free (made);
        free (name);
        return rc == UV_ENOMEM ? error_plain (WEFT_ENOMEM) : reactor_uv_error (rc, host);
    }
    snprintf (name->service, sizeof name->service, "%d", port);
    snprintf (name->host, sizeof name->host, "%s", host);
    name->asker = made;
    made->name = name;
    made->done = done;
    made->arg = arg;
    rc = queue (name);
    if (rc) {
        free (name);
        uv_close ((uv_handle_t *) &made->told, free_lookup);
        return rc;
    }
    *lookup = made;
    return 0;
}

void
reactor_unresolve (struct reactor_lookup **lookup)
{
    struct reactor_lookup *self = *lookup;
    if (!self)
        return;
    *lookup = NULL;
    pthread_mutex_lock (&lock);
    if (self->name->found)
        free_name (self->name);
    else
        self->name->asker = NULL;
    pthread_mutex_unlock (&lock);
    uv_close ((uv_handle_t *) &self->told, free_lookup);
}
