/*  datagram_source.c - who has sent to a UDP socket: as many as there is room for, and what each may cause */

#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/datagram_parts.h"
#include "core/error.h"

#define CREDIT_MAX (1 << 20)        /*  bytes: what came long ago counts no more            */

static uint64_t
hash_of (const struct datagram *self, const struct sockaddr_storage *address)
{
    struct { uint64_t salt; unsigned char ip[16]; uint32_t scope, port; } key = { .salt = self->salt };
    if (address->ss_family == AF_INET6) {
        const struct sockaddr_in6 *six = (const void *) address;
        memcpy (key.ip, &six->sin6_addr, sizeof key.ip);
        key.scope = six->sin6_scope_id;
        key.port = six->sin6_port;
    } else {
        const struct sockaddr_in *four = (const void *) address;
        memcpy (key.ip, &four->sin_addr, sizeof four->sin_addr);
        key.port = four->sin_port;
    }
    return hash_bytes (&key, sizeof key);
}

static bool
is_same (const struct sockaddr_storage *a, const struct sockaddr_storage *b)
{
    if (a->ss_family == AF_INET6) {
        const struct sockaddr_in6 *x = (const void *) a, *y = (const void *) b;
        return b->ss_family == AF_INET6 && x->sin6_port == y->sin6_port && x->sin6_scope_id == y->sin6_scope_id
               && IN6_ARE_ADDR_EQUAL (&x->sin6_addr, &y->sin6_addr);
    }
    const struct sockaddr_in *x = (const void *) a, *y = (const void *) b;
    return b->ss_family == AF_INET && x->sin_port == y->sin_port && x->sin_addr.s_addr == y->sin_addr.s_addr;
}

static struct datagram_source *
find (const struct datagram *self, const struct sockaddr_storage *address, uint64_t hash)
{
    for (struct map_node *node = map_first (&self->sources, hash); node; node = map_next (node)) {
        struct datagram_source *source = map_entry (node, struct datagram_source, node);
        if (is_same (&source->address, address))
            return source;
    }
    return NULL;
}

/* -------------------------------------------------------------------- coming and going */

/*  It is found no more. */
static void
leave (struct datagram_source *source)
{
    struct datagram *self = source->socket;
    map_remove (&self->sources, &source->node);
    list_remove (&source->heard);
    list_remove (&source->refused);
    self->count--;
    if (self->only == source)
        self->only = NULL;
}

static struct datagram_source *
add (struct datagram *self, const struct sockaddr_storage *address, uint64_t hash)
{
    struct datagram_source *source = calloc (1, sizeof *source);
    if (!source)
        return NULL;
    source->socket = self;
    source->address = *address;
    source->last = source->filled = reactor_now (self->reactor);
    source->tokens = INT64_MAX;         /*  is cut to the burst */
    source->trusted = self->dialled || datagram_trusts (self, address);
    address_text (address, source->peer);
    map_add (&self->sources, &source->node, hash);
    list_append (&self->heard, &source->heard);
    self->count++;
    source->arg = self->handler->opened (self->arg, source);
    if (!source->arg) {
        leave (source);
        free (source);
        return NULL;
    }
    datagram_look_idle (self);
    return source;
}

struct datagram_source *
datagram_source_new (struct datagram *self, const struct sockaddr_storage *address)
{
    return add (self, address, hash_of (self, address));
}

static void
evict (struct datagram *self)
{
    struct datagram_source *oldest = map_entry (self->heard.next, struct datagram_source, heard);
    self->counters.evicted++;
    datagram_tell (self, TOLD_EVICTED, "more than %lld sources (max-peers): those that were silent longest go, as %s",
                   (long long) self->config->max_sources, oldest->peer);
    datagram_close (oldest, "others need its place");
}

struct datagram_source *
datagram_source_of (struct datagram *self, const struct sockaddr_storage *address)
{
    if (self->dialled) {
        if (self->only)
            self->only->last = reactor_now (self->reactor);
        return self->only;
    }
    uint64_t hash = hash_of (self, address);
    struct datagram_source *source = find (self, address, hash);
    if (source) {
        source->last = reactor_now (self->reactor);
        list_remove (&source->heard);
        list_append (&self->heard, &source->heard);
        return source;
    }
    if (self->config->max_sources && self->count >= (size_t) self->config->max_sources)
        evict (self);
    source = add (self, address, hash);
    self->counters.turned_away += !source;
    return source;
}

void
datagram_close (struct datagram_source *source, const char *why)
{
    struct datagram *self = source->socket;
    if (source->state == SOURCE_CLOSED)
        return;
    source->state = SOURCE_CLOSED;
    source->why = strdup (why);
    leave (source);
    list_append (&self->gone, &source->heard);
    reactor_defer (self->reactor, &self->task);
    datagram_resume (self);             /*  what is held may be of this one: nobody else would resume it */
}

void
datagram_finish (struct datagram_source *source)
{
    if (source->state == SOURCE_OPEN)
        source->state = SOURCE_FINISHING;
    reactor_defer (source->socket->reactor, &source->socket->task);
}

/*  Those that finish, when all is sent; and those that are closed hear of it. */
void
datagram_let_go (struct datagram *self)
{
    struct list *next;
    for (struct list *each = self->heard.next; self->stopped && each != &self->heard; each = next) {
        struct datagram_source *source = map_entry (each, struct datagram_source, heard);
        next = each->next;
        if (source->state == SOURCE_FINISHING && buffer_size (&self->out) == 0)
            datagram_close (source, "");
    }
    while (!list_empty (&self->gone)) {
        struct datagram_source *source = map_entry (self->gone.next, struct datagram_source, heard);
        list_remove (&source->heard);
        self->handler->closed (source->arg, source->why ? source->why : "");
        free (source->why);
        free (source);
    }
}

/* ------------------------------------------------------------------------- silence */

void
datagram_look_idle (struct datagram *self)
{
    if (self->dialled || !self->config->idle || list_empty (&self->heard) || timer_is_set (&self->timer.timer))
        return;
    const struct datagram_source *oldest = map_entry (self->heard.next, struct datagram_source, heard);
    int64_t since = self->held ? reactor_now (self->reactor) : oldest->last;    /*  who is not heard is not silent */
    reactor_timer_set (self->reactor, &self->timer, since + self->config->idle);
}

void
datagram_on_idle (void *arg)
{
    struct datagram *self = arg;
    int64_t now = reactor_now (self->reactor);
    while (!list_empty (&self->heard) && !self->held) {
        struct datagram_source *oldest = map_entry (self->heard.next, struct datagram_source, heard);
        if (oldest->last + self->config->idle > now)
            break;
        datagram_close (oldest, "it has been silent");
    }
    datagram_look_idle (self);
}

/* --------------------------------------------------------------- how much it may send */

/*  A datagram costs the ns in which the rate allows one; at most the burst of them is saved up. */
static bool
within_rate (struct datagram_source *source)
{
    const struct datagram_config *config = source->socket->config;
    if (config->rate == 0)
        return true;
    int64_t now = reactor_now (source->socket->reactor), cost = TIME_S / config->rate;
    int64_t most = cost * (config->burst ? config->burst : config->rate), passed = now - source->filled;
    source->tokens = source->tokens > most - passed ? most : source->tokens + passed;
    source->filled = now;
    if (source->tokens < cost)
        return false;
    source->tokens -= cost;
    return true;
}

bool
datagram_may_pass (struct datagram_source *source, size_t size)
{
    struct datagram *self = source->socket;
    int64_t credit = source->credit + self->config->amplify * (int64_t) (size + HEADERS);
    source->credit = credit > CREDIT_MAX ? CREDIT_MAX : credit;
    if (within_rate (source))
        return true;
    self->counters.limited++;
    datagram_tell (self, TOLD_LIMITED, "%s sends more than %lld datagrams a second (rate): what is over is dropped",
                   source->peer, (long long) self->config->rate);
    return false;
}

/* ---------------------------------------------------------------- what others may ask */

bool
datagram_is_trusted (const struct datagram_source *source)
{
    return source->trusted;
}

struct datagram *
datagram_of (struct datagram_source *source)
{
    return source->socket;
}

const char *
datagram_peer (const struct datagram_source *source)
{
    return source->peer;
}
