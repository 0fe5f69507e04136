/*  bridge.c - a foreign protocol in and out of the fabric: opening, running, the end */

#include "adapters/bridge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>

#include "adapters/bridge_parts.h"
#include "adapters/bridge_threads.h"
#include "core/error.h"
#include "patterns/requests.h"

bool
bridge_first (struct bridge *self, enum bridge_told kind)
{
    bool first = !(self->told & kind);
    self->told |= kind;
    return first;
}

/* ------------------------------------------------------------------------ the setup */

static unsigned
modes_of (const struct bridge_config *config)
{
    return (config->rep.count ? MODE_REP : 0u) | (config->push.count ? MODE_PUSH : 0u)
           | (config->req.count ? MODE_REQ : 0u) | (config->pub.count ? MODE_PUB : 0u)
           | (config->relay ? MODE_RELAY : 0u) | (config->sub.count ? MODE_SUB : 0u)
           | (config->pull.count ? MODE_PULL : 0u);
}

static int
check_modes (const struct adapter *adapter, const struct bridge_config *config, unsigned modes)
{
    char has[MODES_TEXT];
    bridge_mode_names (adapter->modes, has);
    if (config->listen.count + config->dial.count == 0)
        return error_set (WEFT_EINVAL, "no foreign side: --listen HOST:PORT, or --dial HOST:PORT");
    if (!modes)
        return error_set (WEFT_EINVAL, "no side of the fabric: say one or several of %s", has);
    if (adapter->listens_only && config->dial.count)
        return error_set (WEFT_EINVAL, "%s dials nobody: say --listen", adapter->name);
    if (modes & ~adapter->modes)
        return error_set (WEFT_EINVAL, "%s does not go with --%s; it has %s", adapter->name,
                          bridge_mode_name (modes & ~adapter->modes), has);
    if (config->topic && !(modes & MODE_PUB))
        return error_set (WEFT_EINVAL, "--topic is for --pub alone");
    if (config->subscribe.count && !(modes & MODE_SUB))
        return error_set (WEFT_EINVAL, "--subscribe is for --sub alone");
    if (config->format && !(modes & (MODE_RELAY | MODE_SUB | MODE_PULL)))
        return error_set (WEFT_EINVAL, "--format is for --relay, --sub and --pull");
    if (config->origin && !(modes & (MODE_PUSH | MODE_PUB | MODE_REQ)))
        return error_set (WEFT_EINVAL, "--origin is for --push, --pub and --req");
    if (adapter->datagram && modes & MODE_REP && config->listen.count)
        return error_set (WEFT_EINVAL, "--rep over %s goes with --dial alone: whoever sends to --listen could answer",
                          adapter->name);
    if (config->connections > 1 && (!config->dial.count || modes & ~(unsigned) (MODE_REP | MODE_PULL)))
        return error_set (WEFT_EINVAL, "--connections is for --dial with --rep or --pull alone, whose messages are "
                          "shared out to them");
    int rc = bridge_hosts_check (adapter, config);
    if (rc)
        return rc;
    rc = config->topic ? format_template_check (config->topic) : 0;
    return rc || !config->format ? rc : format_template_check (config->format);
}

static int
check_setup (const struct adapter *adapter, const struct bridge_setup *setup, unsigned modes)
{
    const struct bridge_config *config = &setup->bridge;
    int rc = check_modes (adapter, config, modes);
    if (rc == 0 && adapter->datagram && config->threads > 1)
        rc = error_set (WEFT_EINVAL, "--threads does not go with %s: one socket hears all sources", adapter->name);
    if (rc || adapter->datagram)
        return rc ? rc : datagram_check (&setup->datagram);
    rc = bridge_threads_check (setup);
    return rc ? rc : tls_check (&setup->stream.tls, config->listen.count > 0, config->dial.count > 0);
}

static const struct transport *
transport_of (const struct adapter *adapter)
{
    return adapter->datagram ? &bridge_datagrams : &bridge_streams;
}

int
bridge_check (const struct adapter *adapter, struct bridge_setup *setup)
{
    int rc = check_setup (adapter, setup, modes_of (&setup->bridge));
    rc = rc ? rc : bridge_kinds_check (adapter, setup);
    return rc ? rc : transport_of (adapter)->check (adapter, setup);
}

/* -------------------------------------------------------------------------- opening */

int
bridge_add_listening (struct bridge *self, const char *what, const char *address)
{
    void *more = realloc (self->listens, (self->listen_count + 1) * sizeof *self->listens);
    if (!more)
        return error_plain (WEFT_ENOMEM);
    self->listens = more;
    self->listens[self->listen_count].what = what;
    snprintf (self->listens[self->listen_count++].address, sizeof self->listens->address, "%s", address);
    return 0;
}

const char *
bridge_listens (const struct bridge *self, size_t index, const char **what)
{
    if (index >= self->listen_count)
        return NULL;
    *what = self->listens[index].what;
    return self->listens[index].address;
}

int
bridge_new (weft_t *weft, const struct adapter *adapter, struct bridge_setup *setup, struct bridge **handle)
{
    unsigned modes = modes_of (&setup->bridge);
    int rc = check_setup (adapter, setup, modes);
    if (rc)
        return rc;
    struct bridge *self = calloc (1, sizeof *self);
    if (!self)
        return error_plain (WEFT_ENOMEM);
    *self = (struct bridge) { .weft = weft, .adapter = adapter, .setup = setup, .modes = modes,
                             .transport = transport_of (adapter) };
    list_init (&self->peers);
    list_init (&self->able);
    buffer_init (&self->text, 0);
    list_init (&self->free);
    list_init (&self->calls);
    reactor_timer_init (&self->serve_timer, bridge_serve_again, self);
    rc = bridge_kinds_open (self);
    rc = rc ? rc : reactor_new (&self->reactor);
    rc = rc ? rc : bridge_topics_open (self);
    rc = rc ? rc : bridge_open_fabrics (self);
    rc = rc ? rc : self->transport->open (self);
    if (rc) {
        bridge_destroy (&self);
        return rc;
    }
    *handle = self;
    return 0;
}

/*  All that ask have gone: nobody is told. */
static void
close_fabrics (struct bridge *self)
{
    struct fabric *fabric = fabric_of (self, MODE_REQ);
    if (fabric->socket)
        requests_abandon (fabric->socket, free);
    bridge_close_fabrics (self);
}

void
bridge_destroy (struct bridge **handle)
{
    struct bridge *self = *handle;
    if (!self)
        return;
    *handle = NULL;
    self->stopping = true;
    bridge_end_calls (self, true);
    self->transport->stop (self);
    for (struct list *each = self->peers.next; each != &self->peers; each = each->next) {
        bridge_close_peer (peer_of_all (each), 0);
        self->transport->close (peer_of_all (each)->link, 0);   /*  one that finishes waits for its peer's end */
    }
    while (self->peer_count)
        reactor_run (self->reactor, 0);
    self->transport->shut (self);
    if (self->reactor) {
        reactor_timer_set (self->reactor, &self->serve_timer, TIME_FOREVER);
        bridge_hide (self);
        reactor_unwatch_fd (&self->stop_watch);
        bridge_topics_close (self);
        close_fabrics (self);
    }
    reactor_destroy (&self->reactor);
    bridge_kinds_close (self);
    buffer_free (&self->text);
    free (self->listens);
    free (self);
}

/* -------------------------------------------------------------------------- running */

void
bridge_stop (struct bridge *self)
{
    reactor_stop (self->reactor);
}

static void
on_stop_fd (void *arg, int events)
{
    struct bridge *self = arg;
    eventfd_t count;
    (void) events;
    if (eventfd_read (self->stop_fd, &count) == 0)
        self->stops += count;
    bridge_stop (self);
}

/*  Takes nothing more; each peer closes when it has what it is owed. */
static void
begin_end (struct bridge *self)
{
    self->stopping = true;
    bridge_end_calls (self, false);
    self->transport->stop (self);
    struct list *next;
    for (struct list *each = self->peers.next; each != &self->peers; each = next) {
        struct bridge_peer *peer = peer_of_all (each);
        next = each->next;
        self->counters.waiting += list_has (&peer->wait) || peer->pauses & PAUSE_REQUESTS;
        if (!peer->call)
            bridge_pause (peer, PAUSE_STOP);
        bridge_end_if_done (peer);
    }
    bridge_want (self);
}

/*  What was under way has had its time: each peer is told, as far as one round takes its last words. */
static int
part_from_all (struct bridge *self)
{
    struct list *next;
    for (struct list *each = self->peers.next; each != &self->peers; each = next) {
        next = each->next;
        bridge_part_from (peer_of_all (each));
    }
    return reactor_run (self->reactor, 0);
}

static int
watch_stop (struct bridge *self, int stop_fd)
{
    self->stop_fd = stop_fd;
    if (stop_fd < 0 || self->stop_watch)
        return 0;
    int rc = reactor_watch_fd (self->reactor, stop_fd, on_stop_fd, self, &self->stop_watch);
    return rc ? rc : reactor_want_fd (self->stop_watch, WEFT_IN);
}

int
bridge_run (struct bridge *self, int stop_fd, int64_t timeout)
{
    int rc = watch_stop (self, stop_fd);
    rc = rc ? rc : reactor_run (self->reactor, timeout);
    if (rc == 0 && !self->error) {
        begin_end (self);
        if (self->peer_count && self->stops < 2)
            rc = reactor_run (self->reactor, self->setup->socket.linger);
        if (self->peer_count && (rc == 0 || rc == WEFT_ETIMEOUT))
            rc = part_from_all (self);
        rc = rc == WEFT_ETIMEOUT ? 0 : rc;
        bridge_end_calls (self, true);
        self->counters.unanswered += self->requests;
    }
    bridge_show_now (self);
    return self->error ? error_set (self->error, "%s", self->why) : rc;
}

void
bridge_counters (struct bridge *self, weft_bridge_counters_t *counters)
{
    *counters = self->counters;
    self->transport->count (self, counters);
    for (int i = 0; i < MODES; i++) {
        weft_counters_t each;
        if (!self->fabrics[i].socket)
            continue;
        weft_counters (self->fabrics[i].socket, &each);
        counters->late += each.late;
        counters->lost += each.dropped + each.refused;
    }
}
