/*  stream_listen.c - taking in connections, as many as the caps allow */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/error.h"
#include "core/map.h"
#include "core/stream_parts.h"

#define ACCEPTS_A_TURN 64
#define BACKLOG 1024
#define LOOK_AGAIN TIME_S           /*  whether a certificate was replaced                              */

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
    struct unix_place place;        /*  of a Unix socket                                */
    bool ours_alone;                /*  an abstract name: only our user and root may    */
    int reserve;                    /*  given up for a moment to turn somebody away when there are no descriptors */
    struct reactor_fd *watch;
    int64_t peers;
    struct map hosts;
    struct tls_context *tls;        /*  NULL: clear text                                */
    int64_t looked;                 /*  when its files were looked at                   */
    struct stream *shaking;         /*  those that nobody has yet                       */
    void (*failed) (void *arg, const char *why);
    struct listener_counters counters;
    char address[ADDRESS_TEXT];
};

/* ------------------------------------------------------------------ caps by address */

static void
ip_of (const struct sockaddr_storage *address, unsigned char ip[16])
{
    memset (ip, 0, 16);
    if (address->ss_family == AF_UNIX) {        /*  a user counts as a host: address_of_peer */
        const char *user = strchr (((const struct sockaddr_un *) (const void *) address)->sun_path, '/');
        memcpy (ip, user ? user : "", user ? strnlen (user, 16) : 0);
    } else if (address->ss_family == AF_INET6)
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
leave_shaking (struct stream *stream)
{
    if (!stream->place)
        return;
    *stream->place = stream->next;
    if (stream->next)
        stream->next->place = stream->place;
    stream->place = NULL;
}

static void
tell_failed (struct listener *self, const char *why)
{
    if (self->failed)
        self->failed (self->arg, why);
}

static void
on_left (void *maker, const struct stream *stream)
{
    struct listener *self = maker;
    char why[ADDRESS_TEXT + 300];
    self->peers--;
    host_goes (self, stream_address (stream));
    if (!stream->place)
        return;
    leave_shaking ((struct stream *) (uintptr_t) stream);
    if (!stream->error)
        return;
    self->counters.refused++;
    snprintf (why, sizeof why, "%s: %s", stream_peer (stream), stream->why ? stream->why : "");
    tell_failed (self, why);
}

static void
hand_out (void *maker, struct stream *stream)
{
    struct listener *self = maker;
    leave_shaking (stream);
    self->counters.accepted++;
    self->accepted (self->arg, stream);
    if (!stream_adopted (stream))
        stream_close (stream, 0);
}

static const struct stream_maker maker_of = { hand_out, on_left };

/*  Files of certificates that were replaced are read again: at most once in a while. */
static void
refresh (struct listener *self)
{
    int64_t now = reactor_now (self->reactor);
    if (!self->tls || now - self->looked < LOOK_AGAIN)
        return;
    self->looked = now;
    if (tls_context_refresh (self->tls) < 0)
        tell_failed (self, weft_error ());
}

static void
take_in (struct listener *self, int fd, const struct sockaddr_storage *peer)
{
    struct stream *stream;
    struct ucred user;
    bool full = self->config->max_peers && self->peers >= self->config->max_peers;
    bool stranger = self->ours_alone && !(unix_peer (fd, &user) && unix_is_ours (&user));
    if (full || stranger || !host_comes (self, peer)) {
        self->counters.turned_away++;
        close (fd);
        return;
    }
    refresh (self);
    if (stream_open (self->reactor, fd, peer, self->config, self->tls, &maker_of, self, &stream)) {
        host_goes (self, peer);
        self->counters.turned_away++;
        return;
    }
    self->peers++;
    if (!self->tls) {
        hand_out (self, stream);
        return;
    }
    stream->next = self->shaking;
    stream->place = &self->shaking;
    if (stream->next)
        stream->next->place = &stream->next;
    self->shaking = stream;
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
        if (fd >= 0 && peer.ss_family == AF_UNIX)
            address_of_peer (fd, &peer);
        if (fd >= 0)
            take_in (self, fd, &peer);
        else if (errno == EMFILE || errno == ENFILE)
            turn_away (self);
        else if (errno != EINTR && errno != ECONNABORTED)
            return;
    }
}

/* ------------------------------------------------------------------- opening, closing */

/*  Each fills self->fd. */
static int
open_path (struct listener *self, const char *text, const struct address *address)
{
    self->fd = unix_listen (text, address->path, BACKLOG, &self->place);
    self->ours_alone = address->path[0] == '@' && !self->config->insecure;
    if (self->fd < 0)
        return self->fd;
    return fcntl (self->fd, F_SETFL, O_NONBLOCK) < 0 ? error_errno ("%s", text) : 0;
}

/*  A descriptor that is bound, or an error. */
static int
bind_port (const char *text, const struct sockaddr_storage *address, bool share)
{
    int on = 1, fd = socket (address->ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return error_errno ("%s", text);
    setsockopt (fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (share)
        setsockopt (fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
    if (bind (fd, (const struct sockaddr *) address, address_size (address)) == 0)
        return fd;
    int rc = address_bind_error (text);
    close (fd);
    return rc;
}

static int
open_port (struct listener *self, const char *text, const struct sockaddr_storage *address)
{
    self->fd = bind_port (text, address, self->config->share_port);
    if (self->fd < 0)
        return self->fd;
    return listen (self->fd, BACKLOG) < 0 ? address_bind_error (text) : 0;
}

int
listener_probe (const char *text)
{
    struct address address;
    struct sockaddr_storage found;
    int rc = address_parse (&address, text, true);
    rc = rc || address.path[0] ? rc : address_resolve (&address, &found);
    if (rc || address.path[0])
        return rc;
    int fd = bind_port (text, &found, false);
    if (fd < 0)
        return fd;
    close (fd);
    return 0;
}

static int
find_place (const char *text, const struct stream_config *config, struct address *address)
{
    int rc = address_parse (address, text, true);
    if (rc || address->local || config->insecure || config->tls.on)
        return rc;
    return error_set (WEFT_EACCES, "%s: can be reached from a network, in clear text, by anybody; listen on 127.0.0.1, "
                      "or with --tls, or say --insecure", text);
}

int
listener_check (const char *text, const struct stream_config *config)
{
    struct address address;
    struct tls_context *tls = NULL;
    int rc = find_place (text, config, &address);
    rc = rc || !config->tls.on ? rc : tls_context_new (&config->tls, true, NULL, config->alpn, &tls);
    tls_context_destroy (&tls);
    return rc;
}

static int
open_socket (struct listener *self, const char *text)
{
    struct address address;
    struct sockaddr_storage bound = { 0 };
    socklen_t size = sizeof bound;
    int rc = find_place (text, self->config, &address);
    rc = rc ? rc : address_resolve (&address, &bound);
    rc = rc ? rc : address.path[0] ? open_path (self, text, &address) : open_port (self, text, &bound);
    if (rc)
        return rc;
    if (!address.path[0] && getsockname (self->fd, (struct sockaddr *) &bound, &size) < 0)
        return error_errno ("%s", text);
    address_text (&bound, self->address);
    return 0;
}

int
listener_new (struct reactor *reactor, const char *text, const struct stream_config *config,
              void (*accepted) (void *arg, struct stream *stream), void *arg, struct listener **handle)
{
    struct listener *self = calloc (1, sizeof *self);
    if (!self)
        return error_plain (WEFT_ENOMEM);
    *self = (struct listener) { .reactor = reactor, .config = config, .accepted = accepted, .arg = arg, .fd = -1 };
    self->reserve = open ("/dev/null", O_RDONLY | O_CLOEXEC);
    int rc = map_init (&self->hosts);
    rc = rc ? rc : open_socket (self, text);
    if (rc == 0 && config->tls.on)
        rc = tls_context_new (&config->tls, true, NULL, config->alpn, &self->tls);
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
listener_on_failed (struct listener *self, void (*failed) (void *arg, const char *why))
{
    self->failed = failed;
}

void
listener_stop (struct listener *self)
{
    while (self->shaking)
        stream_abandon (self->shaking);
    reactor_unwatch_fd (&self->watch);
    unix_leave (&self->place);          /*  while we listen nobody takes it for one that was left behind */
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
    tls_context_destroy (&self->tls);
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
