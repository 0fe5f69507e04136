/*  wire_zmq_guard.c - whose message it is, and whether it may (still) send it
 *
 *  Every message that came through a handshake with keys bears the key as its User-Id, which the actor of
 *  wire_zmq_zap.c gave. Messages over inproc have none, nor have those of a server that we connected to, which
 *  is known by its own key.
 *
 *  A sender that is no longer allowed has its connection ended, by shutdown (2): libzmq has no call for that.
 *  A connection's key is known from what came over it. Over some nothing ever comes: when anybody is
 *  revoked, those are all ended, and the others come back. */

#include <dirent.h>
#include <fcntl.h>
#include <linux/tcp.h>
#include <netdb.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/error.h"
#include "core/wire_zmq_zap.h"

#define USER "User-Id"

enum {
    SENDERS = 64,               /*  remembered by a wire: a power of 2              */
    KNOWN_MAX = 16384,          /*  connections of a wire whose key is known        */
    STRANGER_SAYS = 16384,      /*  bytes, at most: a handshake takes one thousand  */
    STRANGER_HEARS = 250        /*  bytes, and fewer: 64 and 170, and the SYN       */
};

/*  libzmq keeps the text of a connection's User-Id at one place as long as the connection lasts. */
struct sender {
    const char *text;           /*  where it was; what stands there may be another's now */
    char key[KEY_TEXT];
    uint64_t generation;        /*  of the list when it was asked                   */
    bool allowed;
    bool every_topic;           /*  SUB: what it publishes need not be looked at    */
};

struct guard {
    struct allow *allow;        /*  may be NULL: then nobody                        */
    const char *peers;          /*  NULL: anything                                  */
    bool topics;                /*  messages are for topics, and may be for some alone */
    struct sender senders[SENDERS];
};

struct known {
    struct map_node node;       /*  first                                           */
    uint64_t cookie;            /*  the kernel's number of the connection           */
    char key[KEY_TEXT];
};

int
guard_open (struct zmq_wire *wire)
{
    const struct wire_security *security = &wire->wire.options.security;
    if (wire->guard)
        return 0;
    struct guard *self = calloc (1, sizeof *self);
    if (!self)
        return error_plain (WEFT_ENOMEM);
    self->allow = security->allow;
    self->peers = security->peers;
    self->topics = wire->wire.type == WIRE_SUB && self->peers;
    wire->guard = self;
    if (wire->wire.type != WIRE_XPUB)       /*  see wire_zmq_subscribe.c */
        wire->wire.engine = &wire_zmq_guarded;
    return 0;
}

void
guard_close (struct zmq_wire *wire)
{
    free (wire->guard);
    wire->guard = NULL;
}

/* --------------------------------------------------------- known connections */

uint64_t
guard_cookie (int fd)
{
    uint64_t cookie = 0;
    socklen_t size = sizeof cookie;
    return getsockopt (fd, SOL_SOCKET, SO_COOKIE, &cookie, &size) ? 0 : cookie;
}

static struct known *
find_known (const struct zap_domain *domain, uint64_t cookie)
{
    struct map_node *node = map_first (&domain->known, hash_number (cookie));
    while (node && map_entry (node, struct known, node)->cookie != cookie)
        node = map_next (node);
    return node ? map_entry (node, struct known, node) : NULL;
}

static void
forget_all (struct zap_domain *domain)
{
    for (size_t i = 0; i <= domain->known.mask; i++)
        while (domain->known.buckets[i]) {
            struct known *known = map_entry (domain->known.buckets[i], struct known, node);
            map_remove (&domain->known, &known->node);
            free (known);
        }
}

/*  Who is not remembered loses its connection when anybody is revoked, and comes back. */
static void
remember (struct zmq_wire *wire, int fd, const char *key)
{
    uint64_t cookie = fd >= 0 ? guard_cookie (fd) : 0;
    struct zap_domain *domain = wire->domain;
    if (!cookie)
        return;
    pthread_mutex_lock (&wire->context->zap->lock);
    struct known *known = find_known (domain, cookie);
    if (!known && domain->known.count >= KNOWN_MAX)
        forget_all (domain);
    if (!known && (known = malloc (sizeof *known))) {
        known->cookie = cookie;
        map_add (&domain->known, &known->node, hash_number (cookie));
    }
    if (known)
        strcpy (known->key, key);
    pthread_mutex_unlock (&wire->context->zap->lock);
}

/* ----------------------------------------------------------------- messages */

static bool
ask (const struct guard *self, const char *key, const char *command, const void *topic, size_t size)
{
    if (!self->allow)
        return false;
    enum allow_verdict verdict = allow_ask (self->allow, key, command ? command : "", topic, size, NULL);
    return verdict == ALLOW_YES || (verdict == ALLOW_NOT_FOR && !command);
}

/*  By the place of its text; asked anew when the list has changed. NULL when there is no key in it. */
static struct sender *
sender_of (struct zmq_wire *wire, zmq_msg_t *msg, const char *text)
{
    struct guard *self = wire->guard;
    struct sender *sender = &self->senders[((uintptr_t) text >> 4) % SENDERS];
    uint64_t generation = self->allow ? allow_generation (self->allow) : 0;
    bool same = sender->text == text && strcmp (sender->key, text) == 0;
    if (same && sender->generation == generation)
        return sender;
    if (!key_is_text (text))
        return NULL;
    if (!same) {
        sender->text = text;
        strcpy (sender->key, text);
        remember (wire, zmq_msg_get (msg, ZMQ_SRCFD), text);
    }
    sender->generation = generation;
    sender->allowed = ask (self, text, self->peers, NULL, 0);
    sender->every_topic = !self->topics || ask (self, text, self->peers, "", 0);
    return sender;
}

bool
guard_admits (struct zmq_wire *wire, zmq_msg_t *msg)
{
    const char *text = zmq_msg_gets (msg, USER);
    if (!text)
        return true;
    const struct sender *sender = sender_of (wire, msg, text);
    if (!sender || !sender->allowed)
        return false;
    return sender->every_topic
           || ask (wire->guard, sender->key, wire->guard->peers, zmq_msg_data (msg), zmq_msg_size (msg));
}

int
guard_may_subscribe (struct zmq_wire *wire, zmq_msg_t *msg, const void *topic, size_t size)
{
    const char *text = wire->guard ? zmq_msg_gets (msg, USER) : NULL;
    if (!text)
        return 1;
    const struct sender *sender = sender_of (wire, msg, text);
    if (!sender || !sender->allowed)
        return 0;
    return !wire->guard->peers || ask (wire->guard, sender->key, wire->guard->peers, size ? topic : "", size);
}

/* --------------------------------------------------------- ending connections */

/*  "HOST:PORT" of "tcp://HOST:PORT", where HOST may be any. */
static bool
is_tcp_listener (const char *listener, const struct sockaddr *address, socklen_t size)
{
    char host[NI_MAXHOST], port[NI_MAXSERV], text[NI_MAXHOST + NI_MAXSERV + 16];
    const char *at = strrchr (listener, ':');
    if (getnameinfo (address, size, host, sizeof host, port, sizeof port, NI_NUMERICHOST | NI_NUMERICSERV) || !at)
        return false;
    if (strcmp (at + 1, port) != 0)
        return false;
    if (strncmp (listener, "tcp://0.0.0.0:", 14) == 0 || strncmp (listener, "tcp://[::]:", 11) == 0)
        return true;
    bool six = address->sa_family == AF_INET6;
    snprintf (text, sizeof text, "tcp://%s%s%s:%s", six ? "[" : "", host, six ? "]" : "", port);
    return strcmp (listener, text) == 0;
}

static bool
is_ipc_listener (const char *listener, const struct sockaddr_un *address, socklen_t size)
{
    size_t length = size > offsetof (struct sockaddr_un, sun_path) ? size - offsetof (struct sockaddr_un, sun_path) : 0;
    char path[sizeof address->sun_path + 1] = "";
    if (!length || strncmp (listener, "ipc://", 6) != 0)
        return false;
    memcpy (path, address->sun_path, length);
    if (!path[0])
        path[0] = '@';
    return strcmp (listener + 6, path) == 0;
}

/*  Did this connection come to the wire? A listener itself is none. */
static bool
came_to (const struct zap_domain *domain, int fd)
{
    union {
        struct sockaddr any;
        struct sockaddr_un local;
        struct sockaddr_storage storage;
    } address;
    socklen_t size = sizeof address, flag_size = sizeof (int);
    int listens = 1;
    if (getsockname (fd, &address.any, &size))
        return false;
    bool local = address.any.sa_family == AF_UNIX;
    if (!local && address.any.sa_family != AF_INET && address.any.sa_family != AF_INET6)
        return false;
    if (getsockopt (fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &flag_size) || listens)
        return false;
    for (const struct zap_listener *listener = domain->listeners; listener; listener = listener->next)
        if (local ? is_ipc_listener (listener->address, &address.local, size)
                  : is_tcp_listener (listener->address, &address.any, size))
            return true;
    return false;
}

static bool
is_not_known (const struct zap_domain *domain, int fd)
{
    const struct known *known = find_known (domain, guard_cookie (fd));
    return !(known && zap_is_admitted (domain, known->key));
}

/*  A command of the handshake may be as long as a message, and libzmq keeps it until it is whole: so strangers could
 *  have us hold max_size for each connection. What we say until we have let somebody in is a greeting and a WELCOME,
 *  and whoever has more of us, by what it has acknowledged, is no stranger. */
static bool
is_loud_stranger (const struct zap_domain *domain, int fd)
{
    (void) domain;
    struct tcp_info info = { .tcpi_state = 0 };
    socklen_t size = sizeof info;
    return getsockopt (fd, IPPROTO_TCP, TCP_INFO, &info, &size) == 0
           && size >= offsetof (struct tcp_info, tcpi_bytes_received) + sizeof info.tcpi_bytes_received
           && info.tcpi_bytes_received > STRANGER_SAYS && info.tcpi_bytes_acked < STRANGER_HEARS;
}

/*  A duplicate stays what it is while we look at it, whatever libzmq closes and opens meanwhile. */
static bool
end_if (const struct zap_domain *domain, int number, bool (*test) (const struct zap_domain *domain, int fd))
{
    if (!came_to (domain, number))
        return false;
    int fd = fcntl (number, F_DUPFD_CLOEXEC, 0);
    int it = fd >= 0 ? fd : number;
    bool ended = came_to (domain, it) && test (domain, it);
    if (ended)
        shutdown (it, SHUT_RDWR);
    if (fd >= 0)
        close (fd);
    return ended;
}

static bool
end_connection (const struct zap_domain *domain, int number)
{
    return end_if (domain, number, is_not_known);
}

static bool
end_loud_stranger (const struct zap_domain *domain, int number)
{
    return is_loud_stranger (domain, number) && end_if (domain, number, is_loud_stranger);
}

/*  Over all of our descriptors; how many were true. */
static unsigned
each_descriptor (const struct zap_domain *domain, bool (*fn) (const struct zap_domain *domain, int fd))
{
    unsigned count = 0;
    DIR *folder = opendir ("/proc/self/fd");
    if (folder) {
        const struct dirent *entry;
        while ((entry = readdir (folder)))
            if (entry->d_name[0] != '.')
                count += fn (domain, (int) strtol (entry->d_name, NULL, 10));
        closedir (folder);
        return count;
    }
    long limit = sysconf (_SC_OPEN_MAX);
    for (int fd = 0; fd < limit; fd++)
        count += fn (domain, fd);
    return count;
}

unsigned
zap_end_connections (struct zap_domain *domain)
{
    return each_descriptor (domain, end_connection);
}

unsigned
zap_count_connections (struct zap_domain *domain)
{
    return each_descriptor (domain, came_to);
}

unsigned
zap_end_loud_strangers (struct zap_domain *domain)
{
    unsigned ended = domain->keyed ? each_descriptor (domain, end_loud_stranger) : 0;
    if (ended)
        zap_note (domain, "peers were cut off that sent too much before they had shown a key");
    return ended;
}
