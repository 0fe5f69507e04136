/*  wire_zmq_domain.c - the domains of wires, by which the actor knows whose peer it is that asks
 *
 *  What the actor has to say to a wire is kept here until the wire takes it; and what the wire knows of its
 *  peers, for max_peers. */

#include "core/wire_zmq_zap.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>

#include "core/error.h"

#define DOMAIN "weft."
#define OUT ".out"                      /*  of connections that we make */
#define COUNT_EVERY (20 * TIME_MS)      /*  whoever finds no room tries again, and there may be many */

static struct zap_domain *
find_domain (struct zap *self, uint64_t id)
{
    struct zap_domain *domain = self->domains;
    while (domain && domain->id != id)
        domain = domain->next;
    return domain;
}

/*  Whose it is, by "weft.ID" or "weft.ID.out". */
struct zap_domain *
zap_domain_of (struct zap *self, const char *name, bool *out)
{
    char *end;
    if (strncmp (name, DOMAIN, strlen (DOMAIN)) != 0)
        return NULL;
    uint64_t id = strtoull (name + strlen (DOMAIN), &end, 10);
    *out = strcmp (end, OUT) == 0;
    return *end && !*out ? NULL : find_domain (self, id);
}

void
zap_deny (struct zap_domain *domain, const struct zap_denial *denial)
{
    if (domain->denial_count == ZAP_DENIALS) {
        domain->first_denial = (domain->first_denial + 1) % ZAP_DENIALS;
        domain->denial_count--;
    }
    domain->denials[(domain->first_denial + domain->denial_count++) % ZAP_DENIALS] = *denial;
}

static void WEFT_PRINTF (2, 0)
add_notice (struct zap_domain *domain, const char *format, va_list args)
{
    if (domain->notice_count == ZAP_NOTICES) {
        domain->first_notice = (domain->first_notice + 1) % ZAP_NOTICES;
        domain->notice_count--;
    }
    unsigned last = (domain->first_notice + domain->notice_count++) % ZAP_NOTICES;
    vsnprintf (domain->notices[last], ZAP_TEXT, format, args);
    atomic_store (&domain->noticed, true);
    eventfd_write (domain->wire->inproc_fd, 1);
}

void
zap_note (struct zap_domain *domain, const char *format, ...)
{
    va_list args;
    va_start (args, format);
    add_notice (domain, format, args);
    va_end (args);
}

void
zap_note_wire (struct zmq_wire *wire, const char *format, ...)
{
    va_list args;
    if (!wire->domain)
        return;
    va_start (args, format);
    pthread_mutex_lock (&wire->context->zap->lock);
    add_notice (wire->domain, format, args);
    pthread_mutex_unlock (&wire->context->zap->lock);
    va_end (args);
}

bool
zap_take_denial (struct zmq_wire *wire, struct zap_denial *denial)
{
    struct zap_domain *domain = wire->domain;
    if (!domain)
        return false;
    pthread_mutex_lock (&wire->context->zap->lock);
    bool taken = domain->denial_count > 0;
    if (taken) {
        *denial = domain->denials[domain->first_denial];
        domain->first_denial = (domain->first_denial + 1) % ZAP_DENIALS;
        domain->denial_count--;
    }
    pthread_mutex_unlock (&wire->context->zap->lock);
    return taken;
}

bool
zap_ready (const struct zmq_wire *wire)
{
    return wire->domain && atomic_load (&wire->domain->noticed);
}

int
zap_next (struct zmq_wire *wire, struct wire_event *event)
{
    struct zap_domain *domain = wire->domain;
    if (!zap_ready (wire))
        return 0;
    pthread_mutex_lock (&wire->context->zap->lock);
    int rc = domain->notice_count > 0;
    if (rc) {
        memcpy (wire->monitor.text, domain->notices[domain->first_notice], sizeof wire->monitor.text);
        domain->first_notice = (domain->first_notice + 1) % ZAP_NOTICES;
        domain->notice_count--;
        *event = (struct wire_event) { .kind = WIRE_NOTICE, .endpoint = wire->wire.bound, .text = wire->monitor.text };
    }
    atomic_store (&domain->noticed, domain->notice_count > 0);
    pthread_mutex_unlock (&wire->context->zap->lock);
    return rc;
}

/* ---------------------------------------------------------------------- room */

/*  Who leaves is not told to the actor: when there seems to be no room, the kernel is asked how many there are, the
 *  one that wants in among them. */
bool
zap_has_room (struct zap_domain *domain)
{
    if (domain->max_peers <= 0)
        return true;
    int64_t now = clock_now (clock_system ());
    if (domain->present >= domain->max_peers && now - domain->counted >= COUNT_EVERY) {
        int64_t there = zap_count_connections (domain);
        domain->present = there > 0 ? there - 1 : 0;
        domain->counted = now;
    }
    if (domain->present >= domain->max_peers)
        return false;
    domain->present++;
    return true;
}

/* ------------------------------------------------------------ entering, leaving */

static int
make_domain (struct zmq_wire *wire)
{
    const struct wire_security *security = &wire->wire.options.security;
    struct zap_domain *self = calloc (1, sizeof *self);
    if (!self || map_init (&self->admitted)) {
        free (self);
        return error_plain (WEFT_ENOMEM);
    }
    if (map_init (&self->known)) {
        map_free (&self->admitted);
        free (self);
        return error_plain (WEFT_ENOMEM);
    }
    self->wire = wire;
    self->keyed = security->secret_key[0];
    self->peers = security->peers;
    self->max_peers = wire->wire.options.max_peers;
    self->counted = -COUNT_EVERY;
    if (self->keyed && security->allow) {
        self->allow = security->allow;      /*  the wire's, which lives longer */
        self->generation = allow_generation (self->allow);
    }
    wire->domain = self;
    return 0;
}

int
zap_enter (struct zmq_wire *wire)
{
    struct zmq_context *context = wire->context;
    if (wire->domain)
        return 0;
    pthread_mutex_lock (&context->lock);
    int rc = context->zap ? 0 : zap_start (context);
    pthread_mutex_unlock (&context->lock);
    rc = rc ? rc : make_domain (wire);
    if (rc)
        return rc;
    struct zap *self = context->zap;
    struct zap_domain *domain = wire->domain;
    pthread_mutex_lock (&self->lock);
    domain->id = ++self->ids;
    domain->next = self->domains;
    self->domains = domain;
    if (domain->allow) {
        if (self->keyed++ == 0 && self->notify_fd < 0)
            self->notify_fd = inotify_init1 (IN_CLOEXEC | IN_NONBLOCK);
        zap_watch_folder (self, domain->allow);
    }
    pthread_mutex_unlock (&self->lock);
    if (domain->allow)
        eventfd_write (self->wake_fd, 1);
    return 0;
}

static void
free_nodes (struct map *map)
{
    struct map_node *next;
    for (size_t i = 0; map->buckets && i <= map->mask; i++)
        for (struct map_node *node = map->buckets[i]; node; node = next) {
            next = node->next;
            free (node);        /*  the first member of all that is kept here */
        }
    map_free (map);
}

void
zap_leave (struct zmq_wire *wire)
{
    struct zap_domain *domain = wire->domain;
    struct zap *self = wire->context->zap;
    if (!domain)
        return;
    pthread_mutex_lock (&self->lock);
    for (struct zap_domain **place = &self->domains; *place; place = &(*place)->next)
        if (*place == domain) {
            *place = domain->next;
            break;
        }
    self->keyed -= domain->allow != NULL;
    pthread_mutex_unlock (&self->lock);
    free_nodes (&domain->admitted);
    free_nodes (&domain->known);
    for (struct zap_listener *next, *listener = domain->listeners; listener; listener = next) {
        next = listener->next;
        free (listener);
    }
    free (domain);
    wire->domain = NULL;
}

void
zap_domain_name (const struct zmq_wire *wire, bool out, char name[ZAP_DOMAIN_MAX])
{
    snprintf (name, ZAP_DOMAIN_MAX, DOMAIN "%llu%s", (unsigned long long) wire->domain->id, out ? OUT : "");
}

int
zap_listens (struct zmq_wire *wire, const char *address)
{
    struct zap_domain *domain = wire->domain;
    struct zap_listener *listener = malloc (sizeof *listener);
    if (!listener)
        return error_plain (WEFT_ENOMEM);
    snprintf (listener->address, sizeof listener->address, "%s", address);
    pthread_mutex_lock (&wire->context->zap->lock);
    listener->next = domain->listeners;
    domain->listeners = listener;
    pthread_mutex_unlock (&wire->context->zap->lock);
    return 0;
}

void
zap_set_probe (struct zmq_wire *wire, const char *key)
{
    pthread_mutex_lock (&wire->context->zap->lock);
    strcpy (wire->domain->probe, key);
    pthread_mutex_unlock (&wire->context->zap->lock);
}
