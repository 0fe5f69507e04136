/*  http_events.c - Server-Sent Events: what is published, to pages that listen (HTML standard, section 9.2)
 *
 *  An event's id is EPOCH-N: of this run of the bridge, and counted on. The last of them are kept, so that whoever
 *  comes back with the id of the last that it saw gets those between, or an event `gap` when they are not all there. */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/http_parts.h"
#include "codec/format.h"
#include "codec/json.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/map.h"

#define RING_BYTES (64 << 20)           /*  of all events that are kept                         */
#define TOPIC_MAX 245

struct http_event {
    uint64_t id;                        /*  0: none                                             */
    size_t topic_size;
    char topic[TOPIC_MAX];              /*  as much of the first frame as a topic can match     */
    struct buffer text;                 /*  as it goes out                                      */
};

static struct http_event *
slot_of (const struct http_config *config, uint64_t id)
{
    return &config->ring[id % config->ring_size];
}

int
http_events_init (struct http_config *config)
{
    config->ring_size = (size_t) config->events + 1;
    config->ring = calloc (config->ring_size, sizeof *config->ring);
    config->event_epoch = hash_number ((uint64_t) clock_wall (clock_system ()) ^ (uintptr_t) config->ring);
    config->event_id = config->ring_bytes = 0;
    config->event_oldest = 1;
    return config->ring ? 0 : error_set (WEFT_ENOMEM, "not enough memory for %zu events", config->ring_size);
}

static void
drop (struct http_config *config, struct http_event *event)
{
    config->ring_bytes -= buffer_size (&event->text);
    buffer_free (&event->text);
    event->id = 0;
}

void
http_events_fini (struct http_config *config)
{
    for (size_t i = 0; config->ring && i < config->ring_size; i++)
        buffer_free (&config->ring[i].text);
    free (config->ring);
    config->ring = NULL;
}

/*  Each line with "data: " in front; CR, LF and both end one. */
static int
add_lines (struct buffer *out, const char *text, size_t size)
{
    const char *end = text + size;
    int rc;
    do {
        const char *stop = text;
        while (stop < end && *stop != '\n' && *stop != '\r')
            stop++;
        rc = buffer_add (out, "data: ", 6);
        rc = rc || stop == text ? rc : buffer_add (out, text, (size_t) (stop - text));
        rc = rc ? rc : buffer_add (out, "\n", 1);
        bool more = stop < end;
        stop += stop + 1 < end && stop[0] == '\r' && stop[1] == '\n';
        text = stop + more;
        if (!more)
            break;
    } while (rc == 0 && text <= end);
    return rc;
}

/*  A frame: as it is when it is text, else {"base64": "..."}. */
static int
add_frame (struct buffer *out, const void *data, size_t size)
{
    if (json_is_text (data, size))
        return add_lines (out, data, size);
    int rc = buffer_add (out, "data: ", 6);
    rc = rc ? rc : format_json_bytes (out, data, size);
    return rc ? rc : buffer_add (out, "\n", 1);
}

static int
write_event (const struct http_config *config, const weft_msg_t *msg, struct buffer *out)
{
    size_t frames = weft_msg_frames (msg), size = weft_msg_size (msg, 0);
    const char *topic = weft_msg_data (msg, 0);
    bool name = config->event_names && frames > 1 && json_is_text (topic, size) && !memchr (topic, '\n', size)
                && !memchr (topic, '\r', size);
    int rc = buffer_addf (out, "id: %" PRIx64 "-%" PRIu64 "\n", config->event_epoch, config->event_id);
    if (rc == 0 && name)
        rc = buffer_addf (out, "event: %.*s\n", (int) size, topic);
    for (size_t i = frames > 1 ? 1 : 0; i < frames && rc == 0; i++)
        rc = add_frame (out, weft_msg_data (msg, i), weft_msg_size (msg, i));
    return rc ? rc : buffer_add (out, "\n", 1);
}

void
http_events_passing (void *arg, const weft_msg_t *msg)
{
    struct http_config *config = arg;
    struct http_event *event = slot_of (config, ++config->event_id);
    size_t size = weft_msg_size (msg, 0);
    drop (config, event);
    buffer_init (&event->text, 0);
    if (write_event (config, msg, &event->text)) {
        buffer_free (&event->text);
        return;
    }
    event->id = config->event_id;
    event->topic_size = size < TOPIC_MAX ? size : TOPIC_MAX;
    memcpy (event->topic, weft_msg_data (msg, 0), event->topic_size);
    config->ring_bytes += buffer_size (&event->text);
    if (config->event_id - config->event_oldest >= config->ring_size)
        config->event_oldest = config->event_id - config->ring_size + 1;
    while (config->ring_bytes > RING_BYTES && config->event_oldest < config->event_id)
        drop (config, slot_of (config, config->event_oldest++));
}

static int
send_text (struct bridge_peer *peer, const struct buffer *text)
{
    const struct stream_part part = { buffer_data (text), buffer_size (text) };
    return bridge_write (peer, &part, 1);
}

int
http_events_deliver (struct bridge_peer *peer, const weft_msg_t *msg)
{
    const struct http_config *config = bridge_adapter_config (peer);
    const struct http_event *event = slot_of (config, config->event_id);
    (void) msg;
    int rc = event->id == config->event_id ? http_events_tell_lost (peer) : error_plain (WEFT_ENOMEM);
    return rc ? rc : send_text (peer, &event->text);
}

int
http_events_ping (struct bridge_peer *peer)
{
    static const char ping[] = ": ping\n\n";
    const struct stream_part part = { ping, sizeof ping - 1 };
    return bridge_write (peer, &part, 1);
}

/* ----------------------------------------------------------------- those who are slow */

static void
lose (struct http_peer *self, uint64_t from, uint64_t to)
{
    self->lost_from = self->lost_from && self->lost_from < from ? self->lost_from : from;
    self->lost_to = self->lost_to > to ? self->lost_to : to;
}

/*  The first number behind a byte of that kind in a line; *at is then behind it. */
static uint64_t
number_behind (const char **at, const char *end, char mark)
{
    uint64_t number = 0;
    const char *digit = memchr (*at, mark, (size_t) (end - *at));
    for (digit = digit ? digit + 1 : end; digit < end && *digit >= '0' && *digit <= '9'; digit++)
        number = number * 10 + (uint64_t) (*digit - '0');
    *at = digit;
    return number;
}

/*  By the lines that were written here: the ids of events, and the numbers of a gap that was told. */
void
http_events_dropped (struct bridge_peer *peer, const void *data, size_t size)
{
    const struct http_config *config = bridge_adapter_config (peer);
    struct http_peer *self = bridge_peer_state (peer);
    const char *line = data, *end = line + size, *next;
    if (!data)
        lose (self, config->event_id, config->event_id);
    for (; line < end; line = next) {
        const char *stop = memchr (line, '\n', (size_t) (end - line));
        next = stop ? stop + 1 : end;
        bool gap = next - line > 5 && memcmp (line, ":gap ", 5) == 0;
        if (!gap && (next - line < 4 || memcmp (line, "id: ", 4) != 0))
            continue;
        uint64_t from = number_behind (&line, next, gap ? ' ' : '-');
        lose (self, from, gap ? number_behind (&line, next, ' ') : from);
    }
}

/*  Has no id: what stands before it in the queue came later. */
int
http_events_tell_lost (struct bridge_peer *peer)
{
    struct http_peer *self = bridge_peer_state (peer);
    char text[160];
    if (!self->lost_from)
        return 0;
    int size = snprintf (text, sizeof text, ":gap %" PRIu64 " %" PRIu64 "\nevent: gap\ndata: {\"from\":%" PRIu64
                         ",\"to\":%" PRIu64 "}\n\n", self->lost_from, self->lost_to, self->lost_from, self->lost_to);
    const struct stream_part part = { text, (size_t) size };
    int rc = bridge_write (peer, &part, 1);
    if (rc == 0)
        self->lost_from = self->lost_to = 0;
    return rc;
}

/* ------------------------------------------------------------------------ beginning */

/*  The topics of the query. *from: as bridge_topic_from, of all of them. Returns how many there were, or an error. */
static int
subscribe (struct bridge_peer *peer, const struct http_request *request, uint64_t *from)
{
    char topic[HTTP_TARGET_MAX];
    struct http_text query = request->query, name, value;
    int count = 0;
    *from = 0;
    while (http_query_next (&query, &name, &value)) {
        if (!http_text_is (name, "topic"))
            continue;
        int64_t size = http_decode (value, true, topic);
        if (size < 0)
            return WEFT_EPROTO;
        uint64_t since = bridge_topic_from (peer, topic, (size_t) size);
        int rc = bridge_subscribe (peer, topic, (size_t) size);
        if (rc)
            return rc;
        *from = since > *from ? since : *from;
        count++;
    }
    if (count)
        return count;
    *from = bridge_topic_from (peer, "", 0);
    return bridge_subscribe (peer, "", 0);
}

/*  What may be missing; `to` is before `from` when it has no numbers. */
static int
add_gap (struct buffer *out, const struct http_config *config, uint64_t from, uint64_t to)
{
    return buffer_addf (out, "id: %" PRIx64 "-%" PRIu64 "\nevent: gap\ndata: {\"from\":%" PRIu64 ",\"to\":%" PRIu64
                        "}\n\n", config->event_epoch, to, from, to);
}

/*  "EPOCH-N": N when it is of this run and not of the future. */
static bool
parse_id (const struct http_config *config, struct http_text text, uint64_t *id)
{
    char copy[64], *end;
    if (text.size == 0 || text.size >= sizeof copy)
        return false;
    memcpy (copy, text.data, text.size);
    copy[text.size] = '\0';
    uint64_t epoch = strtoull (copy, &end, 16);
    if (*end != '-' || epoch != config->event_epoch)
        return false;
    *id = strtoull (end + 1, &end, 10);
    return *end == '\0' && *id <= config->event_id;
}

/*  What came after the last event that it saw. Before `from` its topics were not asked for all the time: the gap that
 *  says so stands where that has ended, behind what there is of it. */
static int
replay (struct bridge_peer *peer, const struct http_config *config, struct http_text last, uint64_t from,
        struct buffer *out)
{
    uint64_t seen = 0, newest = config->event_id, first;
    if (!parse_id (config, last, &seen))
        return add_gap (out, config, 0, newest);
    for (first = newest + 1; first > seen + 1 && slot_of (config, first - 1)->id == first - 1; first--)
        ;
    bool missing = from > seen || first > seen + 1;
    uint64_t gap = from > first ? from - 1 : first - 1;
    int rc = missing && gap < first ? add_gap (out, config, seen + 1, gap) : 0;
    for (uint64_t id = first; id <= newest && rc == 0; id++) {
        const struct http_event *event = slot_of (config, id);
        if (bridge_wants (peer, event->topic, event->topic_size))
            rc = buffer_add (out, buffer_data (&event->text), buffer_size (&event->text));
        if (rc == 0 && missing && id == gap)
            rc = add_gap (out, config, seen + 1, gap);
    }
    return rc;
}

static int
refuse (struct bridge_peer *peer, int rc)
{
    bridge_route (peer, 0);
    bridge_unsubscribe_all (peer);
    return http_say (peer, rc == WEFT_EACCES ? 403 : rc == WEFT_ELIMIT ? 503 : 400, NULL, "%s", weft_error ());
}

int
http_events_begin (struct bridge_peer *peer, const struct http_request *request)
{
    const struct http_config *config = bridge_adapter_config (peer);
    struct http_peer *self = bridge_peer_state (peer);
    static const struct http_header fresh = { { "Cache-Control", 13 }, { "no-store", 8 } };
    struct http_text last = http_find_header (request->headers, request->header_count, "last-event-id");
    uint64_t from;
    int rc = subscribe (peer, request, &from);
    if (rc < 0)
        return refuse (peer, rc);
    self->keep_alive = false;
    const struct http_answer answer = { .status = 200, .type = "text/event-stream", .headers = &fresh,
                                        .header_count = 1, .body = NULL, .size = SIZE_MAX };
    rc = http_answer (peer, &answer);
    if (rc)
        return rc;
    struct buffer text;
    buffer_init (&text, 0);
    rc = buffer_add_str (&text, ": listening\n\n");
    rc = rc || !last.data ? rc : replay (peer, config, last, from, &text);
    rc = rc ? rc : send_text (peer, &text);
    buffer_free (&text);
    if (rc)
        return rc == WEFT_EAGAIN ? error_set (WEFT_ELIMIT, "it does not read its answers") : rc;
    bridge_keep (peer);
    self->stage = HTTP_LISTENS;
    bridge_set_timer (peer, bridge_now (peer) + config->ping);
    return 0;
}
