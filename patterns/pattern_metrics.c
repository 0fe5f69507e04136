/*  pattern_metrics.c - what sockets of the fabric can be asked while they work */

#include "patterns/pattern_metrics.h"

#include "core/counter.h"
#include "patterns/pattern.h"

#define AT(field) .offset = offsetof (struct pattern_values, field)
#define COUNTER(field) .kind = METRIC_COUNTER, AT (field)
#define GAUGE(field) .kind = METRIC_GAUGE, AT (field)
#define LABELLED(name, is, field) .label = (name), .value = (is), COUNTER (field)

const struct metric pattern_metrics[] = {
    { .name = "weft_messages_total", LABELLED ("direction", "in", counters.received),
      .text = "messages that were received (in) and sent (out)" },
    { .name = "weft_messages_total", LABELLED ("direction", "out", counters.sent) },
    { .name = "weft_message_bytes_total", LABELLED ("direction", "in", counters.received_bytes),
      .text = "bytes in these messages" },
    { .name = "weft_message_bytes_total", LABELLED ("direction", "out", counters.sent_bytes) },
    { .name = "weft_dropped_total", LABELLED ("reason", "full", full),
      .text = "messages that were dropped: for a peer that was full (a lower bound for pub, see weft-pub(1)), for one "
              "that had gone or does not read, since it broke a limit, the protocol or its key's rights (refused), "
              "and replies that came after their request was given up (late)" },
    { .name = "weft_dropped_total", LABELLED ("reason", "gone", gone) },
    { .name = "weft_dropped_total", LABELLED ("reason", "refused", counters.refused) },
    { .name = "weft_dropped_total", LABELLED ("reason", "late", counters.late) },
    { .name = "weft_request_retries_total", COUNTER (counters.retries), .text = "requests that were sent again" },
    { .name = "weft_connections_total", COUNTER (counters.connects),
      .text = "connections that were made or taken in; those beyond the first of a peer are its reconnects" },
    { .name = "weft_disconnections_total", COUNTER (counters.disconnects), .text = "connections that ended" },
    { .name = "weft_connect_retries_total", COUNTER (retrying),
      .text = "attempts to connect that failed, after which it is tried again" },
    { .name = "weft_rejected_peers_total", COUNTER (counters.rejected_peers),
      .text = "peers that were turned away, or turned us away: no key, another kind of socket, too many" },
    { .name = "weft_peers", GAUGE (counters.peers), .text = "connections now" },
    { .name = "weft_subscriptions", GAUGE (counters.subscriptions), .text = "subscriptions of all peers now (pub)" },
    METRIC_END
};

const struct metric pattern_times_metrics[] = {
    { .name = "weft_request_seconds", .kind = METRIC_HISTOGRAM, .type = METRIC_TIMES, .bounds = metric_moments,
      .offset = offsetof (struct pattern_times, requests),
      .text = "how long requests took: from sending one to its reply (req), or from taking one to its reply (rep)" },
    METRIC_END
};

void
pattern_read (void *arg, void *into)
{
    const struct weft_socket *socket = arg;
    struct pattern_values *values = into;
    socket_counters (socket, &values->counters);
    *(socket->pattern == &pattern_pub ? &values->full : &values->gone) = values->counters.dropped;
    values->retrying = counter_read (&socket->watch.retrying);
}
