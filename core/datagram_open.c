/*  datagram_open.c - UDP sockets as they are wanted: addresses, groups, and the networks that are trusted */

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/datagram_parts.h"
#include "core/error.h"
#include "weft.h"

#define NOBODY "none"               /*  of trust: this machine is a network as any other */

/* ------------------------------------------------------------------------ networks */

static void
ip_of (const struct sockaddr_storage *address, unsigned char ip[16])
{
    static const unsigned char mapped[12] = { [10] = 0xff, [11] = 0xff };
    if (address->ss_family == AF_INET6) {
        memcpy (ip, &((const struct sockaddr_in6 *) (const void *) address)->sin6_addr, 16);
        return;
    }
    memcpy (ip, mapped, sizeof mapped);
    memcpy (ip + sizeof mapped, &((const struct sockaddr_in *) (const void *) address)->sin_addr, 4);
}

/*  "10.0.0.0/8", "fd00::/8", or one address. */
static int
network_parse (struct network *self, const char *text)
{
    struct sockaddr_storage address = { .ss_family = AF_INET };
    char host[INET6_ADDRSTRLEN], *end = NULL;
    const char *slash = strchr (text, '/');
    size_t length = slash ? (size_t) (slash - text) : strlen (text);
    if (length >= sizeof host)
        return error_set (WEFT_EINVAL, "--trust %.40s...: not a network; write 10.0.0.0/8, or one address", text);
    memcpy (host, text, length);
    host[length] = '\0';
    int width = 32;
    if (inet_pton (AF_INET, host, &((struct sockaddr_in *) (void *) &address)->sin_addr) != 1) {
        address.ss_family = AF_INET6;
        width = 128;
        if (inet_pton (AF_INET6, host, &((struct sockaddr_in6 *) (void *) &address)->sin6_addr) != 1)
            return error_set (WEFT_EINVAL, "--trust %s: not a network; write 10.0.0.0/8, or one address", text);
    }
    long bits = slash ? strtol (slash + 1, &end, 10) : width;
    if (slash && (!slash[1] || slash[1] < '0' || slash[1] > '9' || *end || bits > width))
        return error_set (WEFT_EINVAL, "--trust %s: after / come the bits of the network, at most %d", text, width);
    ip_of (&address, self->ip);
    self->bits = (int) bits + 128 - width;
    return 0;
}

static bool
network_has (const struct network *self, const unsigned char ip[16])
{
    size_t whole = (size_t) self->bits / 8;
    unsigned rest = (unsigned) self->bits % 8;
    return memcmp (self->ip, ip, whole) == 0 && (!rest || (self->ip[whole] ^ ip[whole]) >> (8 - rest) == 0);
}

int
datagram_read_networks (struct datagram *self)
{
    const struct option_list *trust = &self->config->trust;
    if (trust->count > NETWORKS_MAX)
        return error_set (WEFT_EINVAL, "%zu networks to trust, of which %d can be given", trust->count, NETWORKS_MAX);
    for (size_t i = 0; i < trust->count; i++) {
        if (strcmp (trust->items[i], NOBODY) == 0) {
            self->strangers = true;
            continue;
        }
        int rc = network_parse (&self->networks[self->network_count++], trust->items[i]);
        if (rc)
            return rc;
    }
    return 0;
}

/*  The system takes in nothing from a network that says to come from this machine. */
bool
datagram_trusts (const struct datagram *self, const struct sockaddr_storage *address)
{
    static const struct network local[] = { { { [10] = 0xff, [11] = 0xff, [12] = 127 }, 104 }, { { [15] = 1 }, 128 } };
    unsigned char ip[16];
    ip_of (address, ip);
    if (!self->strangers && (network_has (&local[0], ip) || network_has (&local[1], ip)))
        return true;
    for (size_t i = 0; i < self->network_count; i++)
        if (network_has (&self->networks[i], ip))
            return true;
    return false;
}

/* -------------------------------------------------------------------------- groups */

static bool
is_group (const struct sockaddr_storage *address)
{
    if (address->ss_family == AF_INET6)
        return IN6_IS_ADDR_MULTICAST (&((const struct sockaddr_in6 *) (const void *) address)->sin6_addr);
    return IN_MULTICAST (ntohl (((const struct sockaddr_in *) (const void *) address)->sin_addr.s_addr));
}

/*  The number of an interface; 0 for NULL: the system chooses. */
static int
interface_of (const char *name, unsigned *number)
{
    *number = name ? if_nametoindex (name) : 0;
    if (name && !*number)
        return error_set (WEFT_EINVAL, "%s: there is no such network interface; 'ip link' shows them", name);
    return 0;
}

static int
join (int fd, const struct sockaddr_storage *group, unsigned interface, const char *text)
{
    struct group_req request = { .gr_interface = interface };
    int level = group->ss_family == AF_INET6 ? IPPROTO_IPV6 : IPPROTO_IP;
    memcpy (&request.gr_group, group, sizeof *group);
    if (setsockopt (fd, level, MCAST_JOIN_GROUP, &request, sizeof request) < 0)
        return errno == ENODEV ? error_set (WEFT_EINVAL, "%s: the system knows no way to this group; say --interface",
                                            text)
                               : error_errno ("%s: joining the group", text);
    return 0;
}

/*  A group with the interface that it is joined on: 239.1.2.3%eth0. */
static int
group_parse (const char *text, struct sockaddr_storage *group, char interface[IF_NAMESIZE])
{
    char host[INET6_ADDRSTRLEN];
    const char *percent = strchr (text, '%');
    size_t length = percent ? (size_t) (percent - text) : strlen (text);
    struct sockaddr_in *four = (void *) group;
    struct sockaddr_in6 *six = (void *) group;
    memset (group, 0, sizeof *group);
    bool fits = length < sizeof host && (!percent || strlen (percent + 1) < IF_NAMESIZE);
    snprintf (host, sizeof host, "%.*s", fits ? (int) length : 0, text);
    snprintf (interface, IF_NAMESIZE, "%s", percent && fits ? percent + 1 : "");
    if (fits && inet_pton (AF_INET, host, &four->sin_addr) == 1)
        group->ss_family = AF_INET;
    else if (fits && inet_pton (AF_INET6, host, &six->sin6_addr) == 1)
        group->ss_family = AF_INET6;
    if (!group->ss_family || !is_group (group))
        return error_set (WEFT_EINVAL, "--group %.60s: not a multicast group; write 239.1.2.3, or 239.1.2.3%%eth0",
                          text);
    return 0;
}

static int
join_all (struct datagram *self)
{
    const struct datagram_config *config = self->config;
    unsigned number;
    int rc = 0;
    if (is_group (&self->address)) {
        rc = interface_of (config->interface, &number);
        rc = rc ? rc : join (self->fd, &self->address, number, self->text);
    }
    for (size_t i = 0; i < config->group.count && rc == 0; i++) {
        struct sockaddr_storage group;
        char name[IF_NAMESIZE];
        rc = group_parse (config->group.items[i], &group, name);
        rc = rc ? rc : interface_of (*name ? name : config->interface, &number);
        if (rc == 0 && group.ss_family == self->address.ss_family)
            rc = join (self->fd, &group, number, config->group.items[i]);
    }
    return rc;
}

/* -------------------------------------------------------------------------- options */

static void
set (int fd, int level, int name, int value)
{
    setsockopt (fd, level, name, &value, sizeof value);
}

static void
set_buffer (int fd, int64_t bytes)
{
    int size = bytes > INT32_MAX / 2 ? INT32_MAX / 2 : (int) bytes;
    if (setsockopt (fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size) < 0)
        set (fd, SOL_SOCKET, SO_RCVBUF, size);
}

/*  Out of which interface groups are sent to, how far, and whether this machine hears it. Only groups that are joined
 *  here are heard, not those of other programs. */
static int
set_multicast (const struct datagram *self)
{
    const struct datagram_config *config = self->config;
    bool six = self->address.ss_family == AF_INET6;
    unsigned number;
    int rc = interface_of (config->interface, &number), ttl = (int) config->ttl;
    if (rc)
        return rc;
    set (self->fd, six ? IPPROTO_IPV6 : IPPROTO_IP, six ? IPV6_MULTICAST_HOPS : IP_MULTICAST_TTL, ttl);
    set (self->fd, six ? IPPROTO_IPV6 : IPPROTO_IP, six ? IPV6_MULTICAST_LOOP : IP_MULTICAST_LOOP, config->loop);
    set (self->fd, six ? IPPROTO_IPV6 : IPPROTO_IP, six ? IPV6_MULTICAST_ALL : IP_MULTICAST_ALL, 0);
    if (!config->interface)
        return 0;
    struct ip_mreqn four = { .imr_ifindex = (int) number };
    int failed = six ? setsockopt (self->fd, IPPROTO_IPV6, IPV6_MULTICAST_IF, &number, sizeof number)
                     : setsockopt (self->fd, IPPROTO_IP, IP_MULTICAST_IF, &four, sizeof four);
    return failed < 0 ? error_errno ("%s: sending by it", config->interface) : 0;
}

/* -------------------------------------------------------------------------- opening */

static int
bind_it (struct datagram *self)
{
    struct sockaddr_storage bound;
    socklen_t size = sizeof bound;
    if (is_group (&self->address))          /*  many may listen to a group */
        set (self->fd, SOL_SOCKET, SO_REUSEADDR, 1);
    if (bind (self->fd, (const struct sockaddr *) &self->address, address_size (&self->address)) < 0
        || getsockname (self->fd, (struct sockaddr *) &bound, &size) < 0)
        return address_bind_error (self->text);
    self->address = bound;
    address_text (&self->address, self->text);
    return join_all (self);
}

int
datagram_open_fd (struct datagram *self)
{
    self->to_group = self->dialled && is_group (&self->address);
    self->fd = socket (self->address.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (self->fd < 0)
        return error_errno ("%s", self->text);
    set_buffer (self->fd, self->config->receive_buffer);
    int rc = set_multicast (self);
    if (rc || !self->dialled)
        return rc ? rc : bind_it (self);
    if (!self->to_group
        && connect (self->fd, (const struct sockaddr *) &self->address, address_size (&self->address)) < 0)
        return error_errno ("%s", self->text);
    return 0;
}

int
datagram_check (const struct datagram_config *config)
{
    struct sockaddr_storage group;
    struct network network;
    char interface[IF_NAMESIZE];
    int rc = 0;
    for (size_t i = 0; i < config->trust.count && rc == 0; i++)
        rc = strcmp (config->trust.items[i], NOBODY) ? network_parse (&network, config->trust.items[i]) : 0;
    for (size_t i = 0; i < config->group.count && rc == 0; i++)
        rc = group_parse (config->group.items[i], &group, interface);
    return rc;
}
