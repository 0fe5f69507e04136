/*  bridge_metrics.c - what a bridge can be asked while it works
 *
 *  Its own thread changes its numbers in many places: they are copied for the others, now and then, when it is about to
 *  wait. */

#include "adapters/bridge_metrics.h"

#include <stdlib.h>

#include "adapters/bridge_parts.h"
#include "core/counter.h"
#include "core/error.h"
#include "core/histogram.h"
#include "patterns/pattern_metrics.h"

#define SHOW_PAUSE (50 * TIME_MS)       /*  between two copies                              */

enum { VALUES = sizeof (struct bridge_values) / sizeof (uint64_t) };
_Static_assert (VALUES <= (int) BRIDGE_VALUES_MAX, "struct bridge_show has no room for so many");

#define AT(field) .offset = offsetof (struct bridge_values, field)
#define COUNTER(field) .kind = METRIC_COUNTER, AT (counters.field)
#define GAUGE(field) .kind = METRIC_GAUGE, AT (field)
#define LABELLED(name, is, field) .label = (name), .value = (is), COUNTER (field)

const struct metric bridge_metrics[] = {
    { .name = "weft_bridge_messages_total", LABELLED ("direction", "in", in),
      .text = "messages of connections that the fabric has taken (in), and messages and replies that connections were "
              "given (out)" },
    { .name = "weft_bridge_messages_total", LABELLED ("direction", "out", out) },
    { .name = "weft_bridge_message_bytes_total", LABELLED ("direction", "in", in_bytes),
      .text = "bytes in these messages" },
    { .name = "weft_bridge_message_bytes_total", LABELLED ("direction", "out", out_bytes) },
    { .name = "weft_bridge_dropped_total", LABELLED ("reason", "full", dropped),
      .text = "messages that were dropped: for connections that were full or could not be given them, replies for "
              "those that had gone, messages that were begun and not ended (cut_off); and datagrams: for which the "
              "system had no room (overrun), over a source's rate, too long, withheld from those who are not trusted, "
              "or not sent" },
    { .name = "weft_bridge_dropped_total", LABELLED ("reason", "gone", orphaned) },
    { .name = "weft_bridge_dropped_total", LABELLED ("reason", "cut_off", cut_off) },
    { .name = "weft_bridge_dropped_total", LABELLED ("reason", "overrun", overrun) },
    { .name = "weft_bridge_dropped_total", LABELLED ("reason", "rate", limited) },
    { .name = "weft_bridge_dropped_total", LABELLED ("reason", "too_long", oversize) },
    { .name = "weft_bridge_dropped_total", LABELLED ("reason", "withheld", withheld) },
    { .name = "weft_bridge_dropped_total", LABELLED ("reason", "unsent", unsent) },
    { .name = "weft_bridge_unanswered_total", COUNTER (unanswered),
      .text = "requests without a reply in time, of connections and of the fabric" },
    { .name = "weft_bridge_connections_total", COUNTER (connects),
      .text = "connections that were taken in or made; those that are made again after an end are among them" },
    { .name = "weft_bridge_disconnections_total", COUNTER (disconnects), .text = "connections that ended" },
    { .name = "weft_bridge_refused_connections_total", COUNTER (refused),
      .text = "connections that were closed since they broke the protocol or a limit" },
    { .name = "weft_bridge_undelivered_connections_total", COUNTER (undelivered),
      .text = "connections that ended before they had taken all that was for them" },
    { .name = "weft_bridge_turned_away_total", COUNTER (turned_away),
      .text = "connections that were not taken in: too many, or out of descriptors" },
    { .name = "weft_bridge_forgotten_sources_total", COUNTER (evicted),
      .text = "sources of datagrams that were forgotten since others needed their place" },
    { .name = "weft_bridge_datagrams_lost_total", LABELLED ("reason", "overrun", overrun),
      .text = "datagrams (udp) that came and were not taken: the system had no room for them (overrun), their source "
              "was over its rate (limited), they were too long (oversize) or not looked at before the end (unread); "
              "and such that were not sent: to sources that had not sent as much (withheld), or since the system "
              "refused (unsent)" },
    { .name = "weft_bridge_datagrams_lost_total", LABELLED ("reason", "limited", limited) },
    { .name = "weft_bridge_datagrams_lost_total", LABELLED ("reason", "oversize", oversize) },
    { .name = "weft_bridge_datagrams_lost_total", LABELLED ("reason", "unread", unread) },
    { .name = "weft_bridge_datagrams_lost_total", LABELLED ("reason", "withheld", withheld) },
    { .name = "weft_bridge_datagrams_lost_total", LABELLED ("reason", "unsent", unsent) },
    { .name = "weft_bridge_evicted_sources_total", COUNTER (evicted),
      .text = "sources of datagrams that were forgotten for others" },
    { .name = "weft_bridge_peers", GAUGE (peers), .text = "connections now" },
    { .name = "weft_bridge_full_peers", GAUGE (full), .text = "connections whose output queue is full now" },
    { .name = "weft_bridge_held_peers", GAUGE (held),
      .text = "connections that are not read now, since the fabric has no room for their message" },
    { .name = "weft_bridge_requests", GAUGE (requests), .text = "requests of connections that have no reply yet" },
    METRIC_END
};

/* ------------------------------------------------------------------------ showing */

static uint64_t
count_held (const struct bridge *self)
{
    uint64_t held = 0;
    for (int i = 0; i < MODES; i++) {
        const struct list *waiting = &self->fabrics[i].waiting;
        for (const struct list *each = waiting->next; each && each != waiting; each = each->next)
            held++;
    }
    return held;
}

void
bridge_show_now (struct bridge *self)
{
    if (!self->show)
        return;
    struct bridge_values now;
    bridge_counters (self, &now.counters);
    now.peers = self->peer_count;
    now.full = self->full;
    now.held = count_held (self);
    now.requests = self->requests;
    counters_show (self->show->values, (const uint64_t *) &now, VALUES);
    self->show->next = reactor_now (self->reactor) + SHOW_PAUSE;
}

void
bridge_shown (const struct bridge *self, weft_bridge_counters_t *counters)
{
    *counters = (weft_bridge_counters_t) { 0 };
    if (self->show)
        counters_read ((uint64_t *) counters, self->show->values, sizeof *counters / sizeof (uint64_t));
}

/*  Seldom, but always for the last time before nothing happens any more. */
static void
on_round (void *arg)
{
    struct bridge *self = arg;
    if (reactor_now (self->reactor) >= self->show->next) {
        bridge_show_now (self);
        reactor_timer_set (self->reactor, &self->show->timer, TIME_FOREVER);
        self->show->due = false;
    }
    else if (!self->show->due) {
        reactor_timer_set (self->reactor, &self->show->timer, self->show->next);
        self->show->due = true;
    }
}

static void
on_due (void *arg)
{
    (void) arg;                         /*  it woke us: the round does the rest             */
}

static int
show_times (struct bridge_show *show)
{
    show->req = show->req ? show->req : histogram_new ();
    show->rep = show->rep ? show->rep : histogram_new ();
    return show->req && show->rep ? 0 : error_plain (WEFT_ENOMEM);
}

int
bridge_show (struct bridge *self, bool times)
{
    if (!self->show) {
        self->show = calloc (1, sizeof *self->show);
        if (!self->show)
            return error_plain (WEFT_ENOMEM);
        reactor_timer_init (&self->show->timer, on_due, self);
        reactor_each_round (self->reactor, on_round, self);
    }
    return times ? show_times (self->show) : 0;
}

void
bridge_hide (struct bridge *self)
{
    if (!self->show)
        return;
    reactor_each_round (self->reactor, NULL, NULL);
    reactor_timer_set (self->reactor, &self->show->timer, TIME_FOREVER);
    free (self->show->req);
    free (self->show->rep);
    free (self->show);
    self->show = NULL;
}

void
bridge_took (struct bridge *self, enum adapter_mode mode, int64_t since)
{
    struct histogram *times = !self->show ? NULL : mode == MODE_REQ ? self->show->req : self->show->rep;
    if (times)
        histogram_record (times, reactor_now (self->reactor) - since);
}

/* ------------------------------------------------------------------------ sources */

static void
read_bridge (void *arg, void *values)
{
    const struct bridge *self = arg;
    counters_read (values, self->show->values, VALUES);
}

static void
read_times (void *arg, void *values)
{
    ((struct pattern_times *) values)->requests = arg;
}

bool
bridge_source (struct bridge *self, size_t index, struct metric_source *source)
{
    if (index == 0) {
        *source = (struct metric_source) { .table = bridge_metrics, .size = sizeof (struct bridge_values),
                                           .labels = { { "bridge", self->adapter->name } }, .read = read_bridge,
                                           .arg = self };
        return true;
    }
    for (int i = 0; i < MODES; i++) {
        struct fabric *fabric = &self->fabrics[i];
        if (!fabric->socket)
            continue;
        bool asks = fabric->mode == MODE_REQ, timed = self->show->req && (asks || fabric->mode == MODE_REP);
        *source = (struct metric_source) { .table = pattern_metrics, .size = sizeof (struct pattern_values),
                                           .labels = { { "socket", fabric->socket->pattern->name } },
                                           .read = pattern_read, .arg = fabric->socket };
        if (--index == 0)
            return true;
        source->table = pattern_times_metrics;
        source->size = sizeof (struct pattern_times);
        source->read = read_times;
        source->arg = asks ? self->show->req : self->show->rep;
        if (timed && --index == 0)
            return true;
    }
    return false;
}
