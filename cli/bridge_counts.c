/*  bridge_counts.c - what weft bridge says of its counters at the end */

#include "cli/bridge_counts.h"

#include <inttypes.h>

#include "core/buffer.h"

static void
add_count (struct buffer *text, uint64_t count, const char *one, const char *many)
{
    if (count)
        buffer_addf (text, ", %" PRIu64 " %s", count, count == 1 ? one : many);
}

static void
add_datagrams (struct buffer *text, const weft_bridge_counters_t *counters)
{
    add_count (text, counters->overrun, "datagram that the system had no room for",
               "datagrams that the system had no room for");
    add_count (text, counters->limited, "datagram over the rate", "datagrams over the rate");
    add_count (text, counters->oversize, "datagram too long", "datagrams too long");
    add_count (text, counters->withheld, "message withheld from one who is not trusted",
               "messages withheld from those who are not trusted");
    add_count (text, counters->unsent, "datagram not sent", "datagrams not sent");
    add_count (text, counters->unread, "datagram not looked at before the end",
               "datagrams not looked at before the end");
    add_count (text, counters->evicted, "source forgotten for others", "sources forgotten for others");
}

static bool
has_lost (const weft_bridge_counters_t *counters)
{
    return counters->dropped || counters->lost || counters->unanswered || counters->cut_off || counters->undelivered
           || counters->overrun || counters->limited || counters->oversize || counters->withheld || counters->unsent
           || counters->unread;
}

static void
summary (struct buffer *text, const weft_bridge_counters_t *counters)
{
    buffer_addf (text, "in %" PRIu64 " message%s (%" PRIu64 " bytes), out %" PRIu64 " (%" PRIu64 " bytes), %" PRIu64
                 " connection%s", counters->in, counters->in == 1 ? "" : "s", counters->in_bytes, counters->out,
                 counters->out_bytes, counters->connects, counters->connects == 1 ? "" : "s");
    add_count (text, counters->dropped, "message dropped", "messages dropped");
    add_count (text, counters->lost, "message dropped by the fabric", "messages dropped by the fabric");
    add_count (text, counters->unanswered, "request without a reply", "requests without a reply");
    add_count (text, counters->orphaned, "reply for one who had gone", "replies for those who had gone");
    add_count (text, counters->late, "reply too late", "replies too late");
    add_count (text, counters->refused, "connection refused for what it sent",
               "connections refused for what they sent");
    add_count (text, counters->cut_off, "message cut off", "messages cut off");
    add_count (text, counters->undelivered, "connection ended before it had taken all",
               "connections ended before they had taken all");
    add_count (text, counters->waiting, "connection had to wait with a message at the end",
               "connections had to wait with a message at the end");
    add_count (text, counters->turned_away, "connection turned away", "connections turned away");
    add_datagrams (text, counters);
}

int
bridge_counts_tell (struct cli *cli, const weft_bridge_t *bridge, int status)
{
    weft_bridge_counters_t counters;
    struct buffer text;
    weft_bridge_counters (bridge, &counters);
    buffer_init (&text, 0);
    summary (&text, &counters);
    bool loss = has_lost (&counters);
    if (buffer_terminate (&text) == 0)
        (loss ? cli_error : cli_detail) (cli, "%s", buffer_data (&text));
    buffer_free (&text);
    return status == EXIT_OK && loss ? EXIT_LOSS : status;
}
