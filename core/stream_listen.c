/*  stream_listen.c - taking in connections, as many as the caps allow */

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/error.h"
#include "core/map.h"
#include "core/stream_parts.h"

#define ACCEPTS_A_TURN 64
#define BACKLOG 1024

/*  An address with connections: for max-per-host. */
struct host {
    struct map_node node;
    unsigned char ip[16];
    int64_t count;
};

struct listener {
    struct reactor *reactor;
    const struct stream_config *config;
    void (*accepted) (void *arg, struct stream *stream);
    void *arg;
    int fd;
    int reserve;                    /*  given up for a moment to turn somebody away when there are no descriptors */
    struct reactor_fd *watch;
    int64_t peers;
    struct map hosts;
    struct listener_counters counters;
    char address[ADDRESS_TEXT];
};

/* ------------------------------------------------------------------ caps by address */

static void
ip_of (const struct sockaddr_storage *address, unsigned char ip[16])
{
    memset (ip, 0, 16);
    if (address->ss_family == AF_INET6)
        memcpy (ip, &((const struct sockaddr_in6 *) (const void *) address)->sin6_addr, 16);
    else
        memcpy (ip, &((const struct sockaddr_in *) (const void *) address)->sin_addr, 4);
}

static struct host *
find_host (const struct listener *self, const unsigned char ip[16])
{
    for (struct map_node *node = map_first (&self->hosts, hash_bytes (ip, 16)); node; node = map_next (node)) {
        struct host *host = map_entry (node, struct host, node);
        if (memcmp (host->ip, ip, 16) == 0)
            return host;
    }
    return NULL;
}

/*  Counts one more from there; false when that would be too many. */
static bool
host_comes (struct listener *self, const struct sockaddr_storage *address)
{
    unsigned char ip[16];
    if (self->config->max_per_host == 0)
        return true;
    ip_of (address, ip);
    struct host *host = find_host (self, ip);
    if (!host) {
        host = calloc (1, sizeof *host);
        if (!host)
            return false;
        memcpy (host->ip, ip, sizeof ip);
        map_add (&self->hosts, &host->node, hash_bytes (ip, sizeof ip));
    } else if (host->count >= self->config->max_per_host)
        return false;
    host->count++;
    return true;
}

static void
host_goes (struct listener *self, const struct sockaddr_storage *address)
{
    unsigned char ip[16];
    ip_of (address, ip);
    struct host *host = find_host (self, ip);
    if (!host || --host->count > 0)
        return;
    map_remove (&self->hosts, &host->node);
    free (host);
}

/* -------------------------------------------------------------------------- accepting */

static void
on_left (void *owner, const struct stream *stream)
{
    struct listener *self = owner;
    self->peers--;
    host_goes (self, stream_address (stream));
}

static void
take_in (struct listener *self, int fd, const struct sockaddr_storage *peer)
{
    struct stream *stream;
    bool full = self->config->max_peers && self->peers >= self->config->max_peers;
    if (full || !host_comes (self, peer)) {
        self->counters.turned_away++;
        close (fd);
        return;
    }
    if (stream_open (self->reactor, fd, peer, self->config, on_left, self, &stream)) {
        host_goes (self, peer);
        self->counters.turned_away++;
        return;
    }
    self->peers++;
    self->counters.accepted++;
    self->accepted (self->arg, stream);
    if (!stream_adopted (stream))
        stream_close (stream, 0);
}

/*  Without a descriptor to accept with, the queue would wait and the loop spin. */
static void
turn_away (struct listener *self)
{
    if (self->reserve < 0)
        return;
    close (self->reserve);
    int fd = accept4 (self->fd, NULL, NULL, SOCK_CLOEXEC);
    if (fd >= 0) {
        close (fd);
        self->counters.turned_away++;
    }
    self->reserve = open ("/dev/null", O_RDONLY | O_CLOEXEC);
}

static void
on_incoming (void *arg, int events)
{
    struct listener *self = arg;
    (void) events;
    for (int i = 0; i < ACCEPTS_A_TURN && self->watch; i++) {
        struct sockaddr_storage peer = { 0 };
        socklen_t size = sizeof peer;
        int fd = accept4 (self->fd, (struct sockaddr *) &peer, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0)
            take_in (self, fd, &peer);
        else if (errno == EMFILE || errno == ENFILE)
            turn_away (self);
        else if (errno != EINTR && errno != ECONNABORTED)
            return;
    }
}

/* ------------------------------------------------------------------- opening, closing */

/*  Fills self->fd and self->address. */
static int
open_socket (struct listener *self, const char *text, const struct sockaddr_storage *address)
{
    struct sockaddr_storage bound;
    socklen_t size = sizeof bound;
    int on = 1;
    self->fd = socket (address->ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (self->fd < 0)
        return error_errno ("%s", text);
    setsockopt (self->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind (self->fd, (const struct sockaddr *) address, address_size (address)) < 0
        || listen (self->fd, BACKLOG) < 0 || getsockname (self->fd, (struct sockaddr *) &bound, &size) < 0)
        return error_errno ("%s", text);
    address_text (&bound, self->address);
    return 0;
}

static int
find_address (const char *text, const struct stream_config *config, struct sockaddr_storage *found)
{
    struct address address;
    int rc = address_parse (&address, text, true);
    if (rc)
        return rc;
    if (!address.local && !config->insecure)
        return error_set (WEFT_EACCES, "%s: can be reached from a network, in clear text, by anybody; listen on "
                          "127.0.0.1, or say --insecure", text);
    return address_resolve (&address, found);
}

int
listener_new (struct reactor *reactor, const char *text, const struct stream_config *config,
              void (*accepted) (void *arg, struct stream *stream), void *arg, struct listener **handle)
{
    struct sockaddr_storage address;
    int rc = find_address (text, config, &address);
    if (rc)
        return rc;
    struct listener *self = calloc (1, sizeof *self);
    if (!self)
        return error_plain (WEFT_ENOMEM);
    *self = (struct listener) { .reactor = reactor, .config = config, .accepted = accepted, .arg = arg, .fd = -1 };
    self->reserve = open ("/dev/null", O_RDONLY | O_CLOEXEC);
    rc = map_init (&self->hosts);
    rc = rc ? rc : open_socket (self, text, &address);
    rc = rc ? rc : reactor_watch_fd (reactor, self->fd, on_incoming, self, &self->watch);
    rc = rc ? rc : reactor_want_fd (self->watch, WEFT_IN);
    if (rc) {
        listener_destroy (&self);
        return rc;
    }
    *handle = self;
    return 0;
}

void
listener_stop (struct listener *self)
{
    reactor_unwatch_fd (&self->watch);
    if (self->fd >= 0)
        close (self->fd);
    self->fd = -1;
}

void
listener_destroy (struct listener **handle)
{
    struct listener *self = *handle;
    if (!self)
        return;
    *handle = NULL;
    listener_stop (self);
    if (self->reserve >= 0)
        close (self->reserve);
    map_free (&self->hosts);
    free (self);
}

const char *
listener_address (const struct listener *self)
{
    return self->address;
}

void
listener_counters (const struct listener *self, struct listener_counters *counters)
{
    *counters = self->counters;
}
