/*  ws.c - WebSocket (RFC 6455): a message of it is a message of the fabric, either way
 *
 *  A connection that was taken in begins with an HTTP request for it: its own, or one that the HTTP adapter hands over.
 *  Frames of a message are joined. That a request has no reply cannot be told in order: the connection is closed, or
 *  `error-reply` is sent. */

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "adapters/ws_parts.h"
#include "core/clock.h"
#include "core/error.h"

#define KEPT_MAX (1024 * 1024)      /*  bytes of a message that stay in memory, so that it is packed once */

#define AT(field) offsetof (struct ws_config, field)

static const struct option ws_options[] = {
    { .name = "subprotocol", .type = OPTION_LIST, .argument = "NAME", .offset = AT (subprotocols),
      .text = "what is spoken over it, the dearest first; the first that the other side has, too, is chosen" },
    { .name = "allow-origin", .type = OPTION_LIST, .argument = "ORIGIN", .offset = AT (origins),
      .text = "pages that may connect: https://example.org, or * for all; by itself only those that come from here, "
              "by an address or as localhost" },
    { .name = "binary", .type = OPTION_FLAG, .offset = AT (binary),
      .text = "send all as binary; by itself what is UTF-8 goes as text" },
    { .name = "ws-ping", .type = OPTION_TIME, .argument = "TIME", .standard = "30s", .max = 24 * 3600 * TIME_S,
      .offset = AT (ping), .text = "ask who has been silent so long for a sign of life, and close when none comes in "
                                   "as long again; 0: never" },
    { .name = "compress", .type = OPTION_CHOICE, .argument = "HOW", .standard = "no", .choices = "no|yes|context",
      .offset = AT (compress), .text = "compress messages for who can read it, each on its own; with context what came "
                                       "before helps, for some 300 KB a connection" },
    { .name = "compress-min", .type = OPTION_SIZE, .argument = "BYTES", .standard = "256",
      .offset = AT (compress_min), .text = "messages that are shorter are not compressed" },
    { .name = "compress-window", .type = OPTION_INT, .argument = "BITS", .standard = "15", .min = 9, .max = 15,
      .offset = AT (compress_window), .text = "compress by what was in the last 2^BITS bytes" },
    { .name = "page", .type = OPTION_FLAG, .offset = AT (page),
      .text = "give a page to talk with to a browser that opens http://ADDRESS/, as for a chat by --relay" },
    { .name = "error-reply", .type = OPTION_TEXT, .argument = "TEXT", .offset = AT (error_reply),
      .text = "what a client gets whose request has no reply; without it its connection is closed" },
    OPTION_END
};

static void
ws_fini (void *config)
{
    struct ws_config *self = config;
    deflater_destroy (&self->deflater);
    inflater_destroy (&self->inflater);
    buffer_free (&self->plain);
    buffer_free (&self->packed);
    buffer_free (&self->joined);
}

static int
ws_init (void *config, size_t max_size)
{
    struct ws_config *self = config;
    const struct deflate_side side = { (unsigned char) self->compress_window, true };
    self->max_size = max_size;
    self->random_left = 0;
    buffer_init (&self->plain, 0);
    buffer_init (&self->packed, 0);
    buffer_init (&self->joined, 0);
    for (size_t i = 0; i < self->subprotocols.count; i++) {
        const char *name = self->subprotocols.items[i];
        if (!http_is_token ((struct http_text) { name, strlen (name) }))
            return error_set (WEFT_EINVAL, "--subprotocol %s: it has to be a word without blanks and commas", name);
    }
    int rc = ws_origins_check (&self->origins);
    rc = rc ? rc : deflater_new (&side, &self->deflater);
    rc = rc ? rc : inflater_new (&(struct deflate_side) { DEFLATE_BITS_MAX, true }, &self->inflater);
    if (rc)
        ws_fini (self);
    return rc;
}

/*  What builds on a message that was dropped could not be read. */
bool
ws_forgets (const struct bridge_peer *peer)
{
    const struct ws_config *config = bridge_adapter_config (peer);
    return config->compress != WS_COMPRESS_CONTEXT || bridge_drops (peer);
}

/* ----------------------------------------------------------------------- a peer's life */

/*  Each side's compressor is shared where it forgets. */
static int
take_terms (struct bridge_peer *peer, const struct deflate_terms *terms, struct inflater **inflater)
{
    struct ws_config *config = bridge_adapter_config (peer);
    struct ws_peer *self = bridge_peer_state (peer);
    const struct deflate_side *ours = self->client ? &terms->client : &terms->server;
    const struct deflate_side *theirs = self->client ? &terms->server : &terms->client;
    self->terms = *terms;
    *inflater = NULL;
    if (!terms->agreed)
        return 0;
    bool share = ours->forgets && ours->bits == config->compress_window;
    int rc = share ? 0 : deflater_new (ours, &self->deflater);
    if (share)
        self->deflater = config->deflater;
    if (rc == 0 && !theirs->forgets)
        rc = inflater_new (theirs, &self->inflater);
    *inflater = self->inflater ? self->inflater : config->inflater;
    return rc;
}

int
ws_begin (struct bridge_peer *peer, const struct deflate_terms *terms)
{
    const struct ws_config *config = bridge_adapter_config (peer);
    struct ws_peer *self = bridge_peer_state (peer);
    struct inflater *inflater;
    int rc = take_terms (peer, terms, &inflater);
    websocket_init (&self->decoder, self->client, config->max_size, inflater);
    self->state = WS_OPEN;
    ws_set_timer (peer);
    return rc;
}

/*  Who has dialled greets; who was dialled waits for that. */
static int
ws_open (struct bridge_peer *peer)
{
    bridge_route (peer, 0);             /*  nothing is for it before both agree                         */
    bridge_set_timer (peer, bridge_now (peer) + WS_HANDSHAKE);
    struct ws_peer *self = bridge_peer_state (peer);
    self->greeting = calloc (1, sizeof *self->greeting);
    if (!self->greeting)
        return error_plain (WEFT_ENOMEM);
    http_reader_init (&self->greeting->reader, bridge_dialled (peer) ? WS_ANSWER_BODY : 0);
    return bridge_dialled (peer) ? ws_greet (peer) : 0;
}

static int
ws_dial (const char *text, char *address, size_t room, bool *tls)
{
    struct http_text found;
    const char *target;
    bool other = strncasecmp (text, "http://", 7) == 0 || strncasecmp (text, "https://", 8) == 0;
    bool path = isalnum ((unsigned char) *text) && strncmp (text, "unix:", 5) != 0 && !strstr (text, "://")
                && strchr (text, '/');
    if (other || path)
        return error_set (WEFT_EENDPOINT, "%s: a WebSocket is dialled as ws://HOST:PORT/PATH, or as wss:// with --tls",
                          text);
    ws_dialled_parts (text, &found, &target, tls);
    bool port = found.size && (found.data[found.size - 1] != ']' && memchr (found.data, ':', found.size));
    if (snprintf (address, room, "%.*s%s", (int) found.size, found.data, port ? "" : *tls ? ":443" : ":80")
        >= (int) room)
        return error_set (WEFT_EENDPOINT, "%s: too long", text);
    return 0;
}

static size_t
ws_wire_max (size_t max_size)
{
    (void) max_size;                    /*  messages are taken in pieces                                */
    return HTTP_WIRE_MAX (WS_ANSWER_BODY);
}

static int
ws_upgraded (struct bridge_peer *peer, const void *request)
{
    return ws_accept (peer, request);
}

static void
ws_close (struct bridge_peer *peer)
{
    const struct ws_config *config = bridge_adapter_config (peer);
    struct ws_peer *self = bridge_peer_state (peer);
    ws_end_greeting (self);
    websocket_free (&self->decoder);
    if (self->deflater != config->deflater)
        deflater_destroy (&self->deflater);
    inflater_destroy (&self->inflater);
    free ((void *) (uintptr_t) self->topic.data);
}

/* ----------------------------------------------------------------------------- inwards */

static int
take_message (struct bridge_peer *peer, weft_msg_t *msg)
{
    const struct ws_peer *self = bridge_peer_state (peer);
    if (self->topic.data)
        return bridge_publish (peer, self->topic.data, self->topic.size, msg);
    return bridge_emit (peer, msg);
}

/*  0; WEFT_EAGAIN: it is to be told again. */
static int
take_event (struct bridge_peer *peer, const struct websocket_event *event)
{
    struct ws_peer *self = bridge_peer_state (peer);
    switch (event->what) {
    case WEBSOCKET_PING:
        ws_write_control (peer, WEBSOCKET_PONG, event->data, event->size);
        return 0;                       /*  to one who does not read, a Pong more is none               */
    case WEBSOCKET_PONG:
    case WEBSOCKET_MORE:
        return 0;
    case WEBSOCKET_CLOSE:
        ws_write_close (peer, event->code, "");
        bridge_finish (peer);
        return 0;
    default:
        if (!self->gives)
            return take_message (peer, event->msg);
        ws_break_off (peer, CLOSE_POLICY,
                      error_set (WEFT_EPROTO, "nothing can be sent on this path, which only gives"));
        return 0;
    }
}

static int64_t
ws_on_data (struct bridge_peer *peer, const unsigned char *data, size_t size)
{
    struct ws_peer *self = bridge_peer_state (peer);
    struct websocket_event event;
    size_t used = 0;
    self->heard = true;
    if (self->state == WS_REQUEST) {
        int64_t request = ws_read_request (peer, data, size);
        if (request <= 0)
            return request;
        used = (size_t) request;
    }
    if (self->state == WS_ANSWER) {
        int64_t answer = ws_read_answer (peer, data, size);
        if (answer <= 0)
            return answer;
        used = (size_t) answer;
    }
    while (self->state == WS_OPEN) {
        int64_t taken = websocket_next (&self->decoder, data + used, size - used, &event);
        if (taken < 0) {
            ws_break_off (peer, self->decoder.failed, (int) taken);
            break;
        }
        int rc = take_event (peer, &event);
        if (rc == WEFT_ETOOBIG || rc == WEFT_EINVAL) {
            ws_break_off (peer, CLOSE_POLICY, rc);
            break;
        }
        if (rc)
            return rc == WEFT_EAGAIN ? (int64_t) used : rc;
        if (event.what != WEBSOCKET_MORE)
            websocket_taken (&self->decoder);
        else if (taken == 0)
            return (int64_t) used;
        used += (size_t) taken;
    }
    return (int64_t) size;
}

static int
ws_on_end (struct bridge_peer *peer, const unsigned char *data, size_t size)
{
    struct ws_peer *self = bridge_peer_state (peer);
    (void) data;
    if (self->state == WS_ANSWER)
        return error_set (WEFT_EPROTO, "the server has ended the connection instead of answering the handshake");
    if (self->state == WS_OPEN && (size || websocket_begun (&self->decoder)))
        bridge_cut_off (peer);
    return 0;
}

/* ---------------------------------------------------------------------------- outwards */

/*  The frames from `first` on as one part. */
static int
join (struct ws_config *config, const weft_msg_t *msg, size_t first, struct stream_part *part)
{
    size_t frames = weft_msg_frames (msg);
    *part = (struct stream_part) { weft_msg_data (msg, first), weft_msg_size (msg, first) };
    if (frames < first + 2)
        return 0;
    buffer_clear (&config->joined);
    int rc = 0;
    for (size_t i = first; i < frames && rc == 0; i++)
        rc = buffer_add (&config->joined, weft_msg_data (msg, i), weft_msg_size (msg, i));
    *part = (struct stream_part) { buffer_data (&config->joined), buffer_size (&config->joined) };
    return rc;
}

/*  By the compressor of all a message is packed once, whoever gets it next. */
static int
pack (struct ws_config *config, struct ws_peer *self, struct stream_part *part)
{
    bool shared = self->deflater == config->deflater, kept = shared && part->size <= KEPT_MAX;
    if (kept && part->size && part->size == buffer_size (&config->plain)
        && memcmp (part->data, buffer_data (&config->plain), part->size) == 0) {
        *part = (struct stream_part) { buffer_data (&config->packed), buffer_size (&config->packed) };
        return 0;
    }
    buffer_clear (&config->plain);
    buffer_clear (&config->packed);
    int rc = deflater_run (self->deflater, part->data, part->size, &config->packed);
    rc = rc || !kept ? rc : buffer_add (&config->plain, part->data, part->size);
    *part = (struct stream_part) { buffer_data (&config->packed), buffer_size (&config->packed) };
    return rc;
}

static int
ws_deliver (struct bridge_peer *peer, const weft_msg_t *msg)
{
    struct ws_config *config = bridge_adapter_config (peer);
    struct ws_peer *self = bridge_peer_state (peer);
    unsigned char head[WEBSOCKET_HEAD], key[4];
    struct stream_part parts[2] = { { .data = head } };
    if (self->state != WS_OPEN)
        return error_plain (WEFT_ESTATE);
    bool topic = bridge_delivers (peer) == MODE_SUB && weft_msg_frames (msg) > 1;
    int rc = join (config, msg, topic, &parts[1]);
    if (rc)
        return rc;
    bool text = !config->binary && utf8_valid (parts[1].data, parts[1].size);
    bool packed = self->deflater && parts[1].size >= (size_t) config->compress_min;
    rc = packed ? pack (config, self, &parts[1]) : 0;
    rc = rc || !self->client ? rc : ws_mask (peer, key, &parts[1]);
    if (rc)
        return rc;
    parts[0].size = websocket_head (head, text ? WEBSOCKET_TEXT : WEBSOCKET_BINARY, packed, parts[1].size,
                                    self->client ? key : NULL);
    rc = bridge_write (peer, parts, 2);
    if (rc && packed && self->deflater != config->deflater)
        deflater_forget (self->deflater);       /*  what the next one would build on is not there       */
    return rc;
}

static int
ws_refuse (struct bridge_peer *peer, int error)
{
    const struct ws_config *config = bridge_adapter_config (peer);
    if (!config->error_reply) {
        ws_write_close (peer, CLOSE_INTERNAL, "a request has no reply");
        bridge_finish (peer);
        return 0;
    }
    weft_msg_t msg;
    weft_msg_init (&msg);
    (void) error;
    int rc = weft_msg_add_str (&msg, config->error_reply);
    rc = rc ? rc : ws_deliver (peer, &msg);
    weft_msg_clear (&msg);
    return rc;
}

const struct adapter adapter_ws = {
    .name = "ws",
    .text = "WebSockets, of browsers and others, and of servers that are dialled as ws://HOST:PORT/PATH",
    .options = ws_options,
    .alpn = "http/1.1",
    .config_size = sizeof (struct ws_config),
    .state_size = sizeof (struct ws_peer),
    .modes = MODE_REQ | MODE_PUB | MODE_PUSH | MODE_SUB | MODE_PULL | MODE_REP | MODE_RELAY,
    .in_order = true,
    .topics = true,
    .hosts = true,
    .dial = ws_dial,
    .wire_max = ws_wire_max,
    .init = ws_init,
    .fini = ws_fini,
    .open = ws_open,
    .upgraded = ws_upgraded,
    .on_data = ws_on_data,
    .on_end = ws_on_end,
    .deliver = ws_deliver,
    .refuse = ws_refuse,
    .on_timer = ws_on_timer,
    .ending = ws_ending,
    .close = ws_close
};
