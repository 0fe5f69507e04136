/*  bridge_topics.c - what the peers of a bridge want of --sub, when they choose */

#include <stdlib.h>
#include <string.h>

#include "adapters/bridge_parts.h"
#include "core/error.h"
#include "patterns/publish.h"

#define PEER_TOPICS 256                 /*  of one peer                                         */
#define ALL_TOPICS 16384                /*  of all                                              */

struct wanted_topic {
    struct map_node node;
    struct list idle;                   /*  of those that nobody has, the longest first         */
    size_t peers;
    int64_t since;                      /*  that nobody has it                                  */
    uint64_t from;                      /*  the number of the next message, when the fabric was asked for it */
    size_t size;
    char bytes[];
};

struct bridge_wanted {
    struct bridge *bridge;
    struct map map;
    struct list idle;
    struct reactor_timer timer;
};

struct bridge_topics {
    size_t count;
    struct wanted_topic *items[];
};
#define GROWS_BY 8

bool
bridge_choose_topics (const struct bridge *self)
{
    for (size_t i = 0; i < self->kind_count; i++)
        if (self->kinds[i].adapter->topics)
            return true;
    return false;
}

/* --------------------------------------------------------------------- subscriptions */

/*  Without --subscribe the fabric's socket follows the peers; with it, it has all of that. */
static bool
follows (const struct bridge *self)
{
    return self->setup->bridge.subscribe.count == 0;
}

static void
forget (struct bridge_wanted *self, struct wanted_topic *topic)
{
    struct fabric *fabric = fabric_of (self->bridge, MODE_SUB);
    if (follows (self->bridge) && fabric->socket)
        publish_remove (fabric->socket, topic->bytes, topic->size);
    map_remove (&self->map, &topic->node);
    list_remove (&topic->idle);
    free (topic);
}

static struct wanted_topic *
oldest_idle (const struct bridge_wanted *self)
{
    return list_empty (&self->idle) ? NULL : map_entry (self->idle.next, struct wanted_topic, idle);
}

static void
on_idle (void *arg)
{
    struct bridge_wanted *self = arg;
    struct wanted_topic *topic;
    int64_t now = reactor_now (self->bridge->reactor), stays = self->bridge->setup->bridge.topic_linger;
    while ((topic = oldest_idle (self)) && topic->since + stays <= now)
        forget (self, topic);
    if (topic)
        reactor_timer_set (self->bridge->reactor, &self->timer, topic->since + stays);
}

static struct wanted_topic *
find (const struct bridge_wanted *self, const void *bytes, size_t size)
{
    for (struct map_node *node = map_first (&self->map, hash_bytes (bytes, size)); node; node = map_next (node)) {
        struct wanted_topic *topic = map_entry (node, struct wanted_topic, node);
        if (topic->size == size && memcmp (topic->bytes, bytes, size) == 0)
            return topic;
    }
    return NULL;
}

/*  NULL, explained. */
static struct wanted_topic *
make (struct bridge_wanted *self, const void *bytes, size_t size)
{
    if (self->map.count >= ALL_TOPICS && oldest_idle (self))
        forget (self, oldest_idle (self));
    if (self->map.count >= ALL_TOPICS) {
        error_set (WEFT_ELIMIT, "%d topics are subscribed to here, and there is room for no more", ALL_TOPICS);
        return NULL;
    }
    struct wanted_topic *topic = calloc (1, sizeof *topic + size);
    if (!topic)
        return NULL;
    topic->size = size;
    topic->from = self->bridge->passed + 1;
    if (size)
        memcpy (topic->bytes, bytes, size);
    if (follows (self->bridge) && publish_add (fabric_of (self->bridge, MODE_SUB)->socket, bytes, size)) {
        free (topic);
        return NULL;
    }
    map_add (&self->map, &topic->node, hash_bytes (bytes, size));
    return topic;
}

static void
leave (struct bridge_wanted *self, struct wanted_topic *topic)
{
    if (--topic->peers)
        return;
    topic->since = reactor_now (self->bridge->reactor);
    list_append (&self->idle, &topic->idle);
    if (!timer_is_set (&self->timer.timer))
        reactor_timer_set (self->bridge->reactor, &self->timer,
                           topic->since + self->bridge->setup->bridge.topic_linger);
}

int
bridge_topics_open (struct bridge *self)
{
    if (!(self->modes & MODE_SUB) || !bridge_choose_topics (self))
        return 0;
    self->wanted = calloc (1, sizeof *self->wanted);
    if (!self->wanted)
        return error_plain (WEFT_ENOMEM);
    self->wanted->bridge = self;
    list_init (&self->wanted->idle);
    reactor_timer_init (&self->wanted->timer, on_idle, self->wanted);
    return map_init (&self->wanted->map);
}

void
bridge_topics_close (struct bridge *self)
{
    struct bridge_wanted *wanted = self->wanted;
    struct wanted_topic *topic;
    if (!wanted)
        return;
    while ((topic = oldest_idle (wanted)))      /*  all peers have gone: all are there */
        forget (wanted, topic);
    reactor_timer_set (self->reactor, &wanted->timer, TIME_FOREVER);
    if (wanted->map.buckets)
        map_free (&wanted->map);
    free (wanted);
    self->wanted = NULL;
}

/* ------------------------------------------------------------------------ of one peer */

static bool
begins_with (const void *data, size_t size, const void *prefix, size_t prefix_size)
{
    return size >= prefix_size && memcmp (data, prefix, prefix_size) == 0;
}

static bool
may (const struct bridge *self, const void *topic, size_t size)
{
    const struct option_list *list = &self->setup->bridge.subscribe;
    for (size_t i = 0; i < list->count; i++)
        if (begins_with (topic, size, list->items[i], strlen (list->items[i])))
            return true;
    return list->count == 0;
}

static size_t
index_of (const struct bridge_topics *topics, const struct wanted_topic *topic)
{
    size_t i = 0;
    while (i < topics->count && topics->items[i] != topic)
        i++;
    return i;
}

/*  For one more topic. */
static int
make_room (struct bridge_peer *peer)
{
    size_t count = peer->topics ? peer->topics->count : 0;
    if (count == PEER_TOPICS)
        return error_set (WEFT_ELIMIT, "more than %d topics of one connection", PEER_TOPICS);
    if (count % GROWS_BY)
        return 0;
    struct bridge_topics *more = realloc (peer->topics, sizeof *more + (count + GROWS_BY) * sizeof more->items[0]);
    if (!more)
        return error_plain (WEFT_ENOMEM);
    more->count = count;
    peer->topics = more;
    return 0;
}

int
bridge_subscribe (struct bridge_peer *peer, const void *bytes, size_t size)
{
    struct bridge_wanted *wanted = peer->bridge->wanted;
    if (!wanted)
        return error_set (WEFT_EINVAL, "there is nothing to subscribe to: no --sub");
    if (size > TOPIC_MAX)
        return error_set (WEFT_ETOOBIG, "a topic of %zu bytes, which may have %d", size, TOPIC_MAX);
    if (!may (peer->bridge, bytes, size))
        return error_set (WEFT_EACCES, "a topic that is not given away here (--subscribe)");
    struct wanted_topic *topic = find (wanted, bytes, size);
    if (topic && peer->topics && index_of (peer->topics, topic) < peer->topics->count)
        return 0;
    int rc = make_room (peer);
    if (rc)
        return rc;
    topic = topic ? topic : make (wanted, bytes, size);
    if (!topic)
        return WEFT_ELIMIT;
    topic->peers++;
    list_remove (&topic->idle);
    peer->topics->items[peer->topics->count++] = topic;
    return 0;
}

/*  A shorter topic has what a longer one that begins with it has. */
uint64_t
bridge_topic_from (const struct bridge_peer *peer, const void *bytes, size_t size)
{
    const struct bridge *self = peer->bridge;
    uint64_t from = self->passed + 1;
    if (!follows (self))
        return 0;
    for (size_t part = 0; self->wanted && part <= size && part <= TOPIC_MAX; part++) {
        const struct wanted_topic *topic = find (self->wanted, bytes, part);
        from = topic && topic->from < from ? topic->from : from;
    }
    return from;
}

int
bridge_subscribe_all (struct bridge_peer *peer)
{
    const struct option_list *list = &peer->bridge->setup->bridge.subscribe;
    int rc = list->count ? 0 : bridge_subscribe (peer, "", 0);
    for (size_t i = 0; i < list->count && rc == 0; i++)
        rc = bridge_subscribe (peer, list->items[i], strlen (list->items[i]));
    return rc;
}

bool
bridge_unsubscribe (struct bridge_peer *peer, const void *bytes, size_t size)
{
    struct bridge_wanted *wanted = peer->bridge->wanted;
    struct bridge_topics *topics = peer->topics;
    struct wanted_topic *topic = wanted && topics ? find (wanted, bytes, size) : NULL;
    size_t index = topic ? index_of (topics, topic) : 0;
    if (!topic || index == topics->count)
        return false;
    topics->items[index] = topics->items[--topics->count];
    leave (wanted, topic);
    return true;
}

bool
bridge_wants (const struct bridge_peer *peer, const void *data, size_t size)
{
    for (size_t i = 0; peer->topics && i < peer->topics->count; i++)
        if (begins_with (data, size, peer->topics->items[i]->bytes, peer->topics->items[i]->size))
            return true;
    return false;
}

void
bridge_unsubscribe_all (struct bridge_peer *peer)
{
    for (size_t i = 0; peer->topics && i < peer->topics->count; i++)
        leave (peer->bridge->wanted, peer->topics->items[i]);
    free (peer->topics);
    peer->topics = NULL;
}
