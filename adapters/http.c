/*  http.c - HTTP/1.1: a service, a queue and topics of the fabric as paths; events; files
 *
 *  One request of a connection is under way at a time; those that were sent after it wait unread in its stream, and
 *  are answered in order. A request is taken from the stream only when it is answered or the fabric has it: so a 2xx
 *  means that the fabric has taken the message. docs/spec/bridge.md has the mapping. */

#include <string.h>

#include "adapters/http_parts.h"
#include "core/clock.h"
#include "core/error.h"

#define AT(field) offsetof (struct http_config, field)

static const struct option http_options[] = {
    { .name = "as", .type = OPTION_CHOICE, .argument = "FORM", .standard = "json", .choices = "json|frames|body",
      .offset = AT (as), .text = "what a service gets of a request: one JSON object, frames (method, path, query, "
      "headers, body), or its body alone" },
    { .name = "mount", .letter = 'm', .type = OPTION_LIST, .argument = "PATH=WHAT", .offset = AT (mount),
      .text = "what is below PATH, beside /req, /push, /pub and /sub: req, push, pub, sub, or file" },
    { .name = "root", .type = OPTION_TEXT, .argument = "DIR", .offset = AT (root),
      .text = "give away the files below DIR, for paths that are nothing else; neither links nor hidden ones" },
    { .name = "cors", .type = OPTION_TEXT, .argument = "ORIGIN", .offset = AT (cors),
      .text = "pages of ORIGIN may ask, say https://example.org; * for all. Without it only pages from here" },
    { .name = "type", .type = OPTION_TEXT, .argument = "TYPE", .offset = AT (type),
      .text = "Content-Type of what services reply as plain bodies; else JSON, text or bytes, by their looks" },
    { .name = "wait", .type = OPTION_TIME, .argument = "TIME", .standard = "1s", .min = 0, .max = 3600 * TIME_S,
      .offset = AT (wait),
      .text = "how long a request waits for room in the fabric, or for a service to be there; then 503" },
    { .name = "keep-alive", .type = OPTION_TIME, .argument = "TIME", .standard = "60s", .min = TIME_MS,
      .max = 24 * 3600 * TIME_S, .offset = AT (keep_alive),
      .text = "how long a connection stays open without a request" },
    { .name = "events", .type = OPTION_INT, .argument = "N", .standard = "1000", .min = 0, .max = 1000000,
      .offset = AT (events), .text = "events of /sub that are kept for those who come back (64M at most)" },
    { .name = "event-names", .type = OPTION_FLAG, .offset = AT (event_names),
      .text = "name each event after its topic; a page then has to listen for each name" },
    { .name = "ping", .type = OPTION_TIME, .argument = "TIME", .standard = "15s", .min = TIME_MS,
      .max = 3600 * TIME_S, .offset = AT (ping), .text = "how often those who listen get a sign of life" },
    OPTION_END
};

/* ---------------------------------------------------------------------------- paths */

static enum http_route
route_of (const char *word)
{
    static const char *const words[] = { "none", "req", "push", "pub", "sub", "file" };
    for (int i = ROUTE_REQ; i <= ROUTE_FILE; i++)
        if (strcmp (word + (*word == '/'), words[i]) == 0)
            return (enum http_route) i;
    return ROUTE_NONE;
}

static int
add_mount (struct http_config *self, const char *path, size_t size, enum http_route route)
{
    while (size && path[size - 1] == '/')
        size--;
    if (self->mount_count == HTTP_MOUNTS)
        return error_set (WEFT_EINVAL, "more than %d mounts", HTTP_MOUNTS - 4);
    self->mounts[self->mount_count++] = (struct http_mount) { path, size, route };
    return 0;
}

static int
parse_mount (struct http_config *self, const char *text)
{
    const char *equals = strrchr (text, '=');
    if (!equals || *text != '/')
        return error_set (WEFT_EINVAL, "mount %s: it has to be PATH=WHAT, as /=req or /jobs=push", text);
    enum http_route route = route_of (equals + 1);
    if (route == ROUTE_NONE)
        return error_set (WEFT_EINVAL, "mount %s: there are req, push, pub, sub and file, no %s", text, equals + 1);
    if (route == ROUTE_FILE && !self->root)
        return error_set (WEFT_EINVAL, "mount %s: files need --root", text);
    return add_mount (self, text, (size_t) (equals - text), route);
}

/*  The longest mount that the path is at or below; *rest what follows it. */
static enum http_route
find_route (const struct http_config *self, struct http_text path, struct http_text *rest)
{
    const struct http_mount *best = NULL;
    for (size_t i = 0; i < self->mount_count; i++) {
        const struct http_mount *each = &self->mounts[i];
        bool below = path.size >= each->size && memcmp (path.data, each->path, each->size) == 0
                     && (path.size == each->size || path.data[each->size] == '/');
        if (below && (!best || each->size >= best->size))
            best = each;
    }
    size_t used = best ? best->size : 0;
    *rest = (struct http_text) { path.data + used, path.size - used };
    return best ? best->route : self->root_fd >= 0 ? ROUTE_FILE : ROUTE_NONE;
}

static int
http_init (void *config, size_t max_size)
{
    struct http_config *self = config;
    int rc = 0;
    self->max_size = max_size;
    buffer_init (&self->out, 0);
    self->root_fd = -1;
    self->mount_count = 0;
    for (int i = ROUTE_REQ; i < ROUTE_FILE; i++) {
        static const char *const paths[] = { "", "/req", "/push", "/pub", "/sub" };
        add_mount (self, paths[i], strlen (paths[i]), (enum http_route) i);
    }
    for (size_t i = 0; i < self->mount.count && rc == 0; i++)
        rc = parse_mount (self, self->mount.items[i]);
    if (rc == 0 && self->cors && strcmp (self->cors, "*") != 0
        && !http_is_origin ((struct http_text) { self->cors, strlen (self->cors) }))
        rc = error_set (WEFT_EINVAL, "--cors %s: an origin is as https://example.org, without a path; * is for all",
                        self->cors);
    if (rc == 0 && self->type && !http_is_value ((struct http_text) { self->type, strlen (self->type) }))
        rc = error_set (WEFT_EINVAL, "type: it has no line breaks");
    rc = rc ? rc : http_static_init (self);
    rc = rc ? rc : http_events_init (self);
    if (rc)
        http_static_fini (self);
    return rc;
}

static void
http_fini (void *config)
{
    struct http_config *self = config;
    http_static_fini (self);
    http_events_fini (self);
    buffer_free (&self->out);
}

/* ----------------------------------------------------------------------- who may ask */

/*  "http://host:port" against Host. */
static bool
is_same_origin (struct http_text origin, struct http_text host)
{
    const char *at = origin.size > 3 ? memmem (origin.data, origin.size, "://", 3) : NULL;
    if (!at)
        return false;
    size_t used = (size_t) (at + 3 - origin.data);
    return origin.size - used == host.size && strncasecmp (at + 3, host.data, host.size) == 0;
}

/*  A browser lets any page send simple requests, wherever they go, and says by Origin whose page it is. So those that
 *  do something are refused when the page is a stranger's. */
static bool
is_allowed (const struct http_config *config, struct http_peer *self, const struct http_request *request)
{
    struct http_text origin = http_find_header (request->headers, request->header_count, "origin");
    struct http_text host = http_find_header (request->headers, request->header_count, "host");
    self->cross = origin.data && config->cors
                  && (strcmp (config->cors, "*") == 0 || http_text_is (origin, config->cors));
    bool harmless = http_text_is (request->method, "GET") || http_text_is (request->method, "HEAD")
                    || http_text_is (request->method, "OPTIONS");
    return harmless || !origin.data || self->cross || is_same_origin (origin, host);
}

static int
answer_options (struct bridge_peer *peer, const struct http_request *request, enum http_route route)
{
    static const char *const methods[] = { "OPTIONS", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS",
                                           "POST, PUT, OPTIONS", "POST, PUT, OPTIONS", "GET, OPTIONS",
                                           "GET, HEAD, OPTIONS" };
    struct http_peer *self = bridge_peer_state (peer);
    struct http_header headers[4];
    size_t count = 0;
    struct http_text wanted = http_find_header (request->headers, request->header_count,
                                                "access-control-request-headers");
    http_add_header (headers, &count, "Allow", methods[route]);
    if (self->cross) {
        http_add_header (headers, &count, "Access-Control-Allow-Methods", methods[route]);
        http_add_header (headers, &count, "Access-Control-Max-Age", "600");
        if (wanted.data)
            headers[count++] = (struct http_header) { { "Access-Control-Allow-Headers", 28 }, wanted };
    }
    const struct http_answer answer = { .status = 204, .headers = headers, .header_count = count };
    int rc = http_answer (peer, &answer);
    if (rc == 0)
        http_answered (peer);
    return rc;
}

/* -------------------------------------------------------------------- into the fabric */

static int
not_allowed (struct bridge_peer *peer, const char *methods)
{
    const struct http_header allow = { { "Allow", 5 }, { methods, strlen (methods) } };
    return http_say (peer, 405, &allow, "here are %s", methods);
}

static int
no_such (struct bridge_peer *peer, const char *option)
{
    return http_say (peer, 404, NULL, "there is nothing here: this bridge has no --%s", option);
}

static const struct http_header try_again = { { "Retry-After", 11 }, { "1", 1 } };

/*  The fabric has no room: until on_timer. */
static int
wait_for_room (struct bridge_peer *peer)
{
    const struct http_config *config = bridge_adapter_config (peer);
    struct http_peer *self = bridge_peer_state (peer);
    if (self->stage != HTTP_WAITS) {
        self->stage = HTTP_WAITS;
        bridge_set_timer (peer, bridge_now (peer) + config->wait);
    }
    return WEFT_EAGAIN;
}

/*  What became of a message that was to be emitted. */
static int
emitted (struct bridge_peer *peer, int rc, const char *nobody)
{
    struct http_peer *self = bridge_peer_state (peer);
    if (rc == WEFT_EAGAIN && self->gave_up) {
        bridge_give_up (peer);
        return http_say (peer, 503, &try_again, "%s", nobody);
    }
    if (rc == WEFT_EAGAIN)
        return wait_for_room (peer);
    if (rc == WEFT_ETOOBIG)
        return http_say (peer, 413, NULL, "%s", weft_error ());
    return rc ? rc : 0;
}

static int
take_req (struct bridge_peer *peer, const struct http_request *request, struct http_text path)
{
    struct http_config *config = bridge_adapter_config (peer);
    struct http_peer *self = bridge_peer_state (peer);
    weft_msg_t msg;
    if (!bridge_route (peer, MODE_REQ))
        return no_such (peer, "req");
    weft_msg_init (&msg);
    int rc = http_to_service (config, peer, request, path, &msg);
    if (rc == WEFT_EPROTO)
        rc = http_say (peer, 400, NULL, "%s", weft_error ());
    else if (rc == 0) {
        rc = bridge_emit (peer, &msg);
        if (rc == 0) {
            self->stage = HTTP_ASKS;
            bridge_hold (peer);
        } else
            rc = emitted (peer, rc, "no service is here, or all are full");
    }
    weft_msg_clear (&msg);
    return rc;
}

static int
taken (struct bridge_peer *peer)
{
    const struct http_answer answer = { .status = 202, .body = "", .size = 0 };
    int rc = http_answer (peer, &answer);
    if (rc == 0)
        http_answered (peer);
    return rc;
}

/*  Room for the answer comes first: what the fabric has taken, and nobody can be told of, would be sent twice. */
static int
emit_body (struct bridge_peer *peer, const struct http_request *request, const void *topic, size_t size)
{
    weft_msg_t msg;
    if (!bridge_has_room (peer))
        return error_plain (WEFT_EAGAIN);
    weft_msg_init (&msg);
    int rc = weft_msg_add (&msg, request->body.size ? request->body.data : "", request->body.size);
    if (rc == 0)
        rc = topic ? bridge_publish (peer, topic, size, &msg) : bridge_emit (peer, &msg);
    weft_msg_clear (&msg);
    if (rc)
        return emitted (peer, rc, "the fabric has no room for this: try again");
    return taken (peer);
}

static int
take_push (struct bridge_peer *peer, const struct http_request *request)
{
    if (!bridge_route (peer, MODE_PUSH))
        return no_such (peer, "push");
    if (!http_text_is (request->method, "POST") && !http_text_is (request->method, "PUT"))
        return not_allowed (peer, "POST, PUT, OPTIONS");
    return emit_body (peer, request, NULL, 0);
}

static int
take_pub (struct bridge_peer *peer, const struct http_request *request, struct http_text path)
{
    char topic[HTTP_TARGET_MAX];
    if (!bridge_route (peer, MODE_PUB))
        return no_such (peer, "pub");
    if (!http_text_is (request->method, "POST") && !http_text_is (request->method, "PUT"))
        return not_allowed (peer, "POST, PUT, OPTIONS");
    if (path.size <= 1)
        return emit_body (peer, request, NULL, 0);
    int64_t size = http_decode ((struct http_text) { path.data + 1, path.size - 1 }, false, topic);
    if (size < 0)
        return http_say (peer, 400, NULL, "the topic: %s", weft_error ());
    return emit_body (peer, request, topic, (size_t) size);
}

/*  What is published is for it once it has the head of its answer, and not before. */
static int
take_sub (struct bridge_peer *peer, const struct http_request *request)
{
    if (!bridge_route (peer, MODE_SUB))
        return no_such (peer, "sub");
    bool get = http_text_is (request->method, "GET");
    int rc = get ? http_events_begin (peer, request) : not_allowed (peer, "GET, OPTIONS");
    if (rc || !get)
        bridge_route (peer, 0);
    return rc;
}

/* ---------------------------------------------------------------------- one request */

static int
take_upgrade (struct bridge_peer *peer, const struct http_request *request)
{
    struct http_peer *self = bridge_peer_state (peer);
    int rc = bridge_hand_over (peer, "ws", request);
    if (rc == 0 || rc == WEFT_EAGAIN)
        return rc;
    self->keep_alive = false;
    return http_say (peer, rc == WEFT_EACCES ? 403 : 400, NULL, "%s", weft_error ());
}

/*  0: it is answered, or under way. WEFT_EAGAIN: it is to be offered again. */
static int
take (struct bridge_peer *peer, const struct http_request *request)
{
    struct http_config *config = bridge_adapter_config (peer);
    struct http_peer *self = bridge_peer_state (peer);
    static const unsigned modes[] = { 0, MODE_REQ, MODE_PUSH, MODE_PUB, MODE_SUB };
    struct http_text rest, host = http_find_header (request->headers, request->header_count, "host");
    enum http_route route = find_route (config, request->path, &rest);
    self->head = http_text_is (request->method, "HEAD");
    self->keep_alive = request->keep_alive;
    self->old = request->minor == 0;
    if (bridge_host_check (peer, host.data, host.size))
        return http_say (peer, 421, NULL, "%s", weft_error ());
    if (!is_allowed (config, self, request))
        return http_say (peer, 403, NULL, "pages of another origin may not do this; --cors would let them");
    if (http_text_is (request->method, "OPTIONS"))
        return answer_options (peer, request, route);
    if (request->upgrade && http_header_has (request->headers, request->header_count, "upgrade", "websocket"))
        return take_upgrade (peer, request);
    if (route != ROUTE_FILE && config->root_fd >= 0 && !bridge_route (peer, modes[route])) {
        route = ROUTE_FILE;
        rest = request->path;
    }
    switch (route) {
    case ROUTE_REQ:
        return take_req (peer, request, rest);
    case ROUTE_PUSH:
        return take_push (peer, request);
    case ROUTE_PUB:
        return take_pub (peer, request, rest);
    case ROUTE_SUB:
        return take_sub (peer, request);
    case ROUTE_FILE:
        if (!self->head && !http_text_is (request->method, "GET"))
            return not_allowed (peer, "GET, HEAD, OPTIONS");
        return http_static_answer (peer, request, rest);
    default:
        return http_say (peer, 404, NULL, "there is nothing here; there are /req, /push, /pub/TOPIC and /sub");
    }
}

/*  What follows cannot be told apart any more. */
static int64_t
refuse_bytes (struct bridge_peer *peer, int error, int status, size_t size)
{
    struct http_peer *self = bridge_peer_state (peer);
    self->keep_alive = self->head = false;
    self->broken = error;
    int rc = http_say (peer, status, NULL, "%s", weft_error ());
    return rc ? rc : (int64_t) size;
}

/*  The head is there, and its client waits before it sends the body. */
static int
go_on (struct bridge_peer *peer)
{
    static const char text[] = "HTTP/1.1 100 Continue\r\n\r\n";
    const struct stream_part part = { text, sizeof text - 1 };
    int rc = bridge_write (peer, &part, 1);
    return rc == WEFT_EAGAIN ? 0 : rc;
}

/* --------------------------------------------------------------------- the contract */

static int
http_open (struct bridge_peer *peer)
{
    const struct http_config *config = bridge_adapter_config (peer);
    struct http_peer *self = bridge_peer_state (peer);
    self->file = -1;
    http_reader_init (&self->reader, config->max_size);
    self->rests_since = bridge_now (peer);
    bridge_route (peer, 0);
    bridge_set_timer (peer, self->rests_since + config->keep_alive);
    return 0;
}

static int64_t
http_on_data (struct bridge_peer *peer, const unsigned char *data, size_t size)
{
    struct http_peer *self = bridge_peer_state (peer);
    struct http_request request;
    size_t used = 0;
    if (self->stage == HTTP_LISTENS)
        return (int64_t) size;
    while (used < size) {
        bool fresh = self->reader.head == 0;
        int64_t taken = http_read_request (&self->reader, data + used, size - used, &request);
        if (taken < 0)
            return refuse_bytes (peer, (int) taken, self->reader.status, size);
        if (taken == 0) {
            int rc = fresh && self->reader.head && request.expects ? go_on (peer) : 0;
            return rc ? rc : (int64_t) used;
        }
        int rc = take (peer, &request);
        if (rc == WEFT_EAGAIN && self->stage != HTTP_WAITS) {
            self->full = true;
            bridge_hold (peer);
        }
        if (rc)
            return rc == WEFT_EAGAIN ? (int64_t) used : rc;
        used += (size_t) taken;
        if (bridge_peer_state (peer) != self)               /*  it was handed over */
            return (int64_t) used;
        if (self->stage == HTTP_LISTENS)
            return (int64_t) size;
        if (self->stage != HTTP_READS || !self->keep_alive)
            return (int64_t) used;
    }
    return (int64_t) used;
}

static int
http_on_end (struct bridge_peer *peer, const unsigned char *data, size_t size)
{
    struct http_peer *self = bridge_peer_state (peer);
    (void) data;
    if (size && self->stage != HTTP_LISTENS)
        bridge_cut_off (peer);
    return 0;
}

static int
http_deliver (struct bridge_peer *peer, const weft_msg_t *msg)
{
    enum adapter_mode mode = bridge_delivers (peer);
    if (mode == MODE_SUB)
        return http_events_deliver (peer, msg);
    return mode == MODE_REQ ? http_from_service (peer, msg) : error_set (WEFT_EINVAL, "HTTP has no place for it");
}

/*  The request has no reply, or one that cannot be written. */
static int
http_refuse (struct bridge_peer *peer, int error)
{
    if (error == WEFT_ETIMEOUT)
        return http_say (peer, 504, NULL, "the service has not answered in time");
    return http_say (peer, 502, NULL, "the service's reply is no good: %s", weft_error ());
}

static void
http_on_room (struct bridge_peer *peer)
{
    struct http_peer *self = bridge_peer_state (peer);
    if (self->full) {
        self->full = false;
        bridge_release (peer);
    } else if (self->stage == HTTP_SENDS)
        http_static_more (peer);
    else if (self->stage == HTTP_LISTENS)
        http_events_tell_lost (peer);
}

static void
http_on_timer (struct bridge_peer *peer)
{
    const struct http_config *config = bridge_adapter_config (peer);
    struct http_peer *self = bridge_peer_state (peer);
    int64_t now = bridge_now (peer), due = self->rests_since + config->keep_alive;
    switch (self->stage) {
    case HTTP_WAITS:
        self->gave_up = true;
        self->stage = HTTP_READS;
        bridge_give_up (peer);
        bridge_set_timer (peer, now + config->keep_alive);
        return;
    case HTTP_LISTENS:
        http_events_ping (peer);
        bridge_set_timer (peer, now + config->ping);
        return;
    case HTTP_SENDS:
        http_static_more (peer);
        return;
    case HTTP_READS:
        if (now >= due && self->reader.scanned == 0 && !self->gave_up) {
            bridge_finish (peer);
            return;
        }
        break;
    case HTTP_ASKS:
        break;
    }
    bridge_set_timer (peer, due > now ? due : now + config->keep_alive);
}

/*  Of a request that is under way, or has begun: nobody waits for an answer that does not come. */
static void
http_ending (struct bridge_peer *peer)
{
    struct http_peer *self = bridge_peer_state (peer);
    if (!bridge_is_ending (peer))
        return;
    if (self->stage == HTTP_ASKS)
        http_say (peer, 504, NULL, "the bridge ends, and the service has not answered yet");
    else if (self->stage == HTTP_WAITS || (self->stage == HTTP_READS && self->reader.scanned)) {
        self->head = self->head && self->stage == HTTP_WAITS;
        http_say (peer, 503, &try_again, "the bridge ends: try again");
    }
}

static void
http_close (struct bridge_peer *peer)
{
    struct http_peer *self = bridge_peer_state (peer);
    http_reader_free (&self->reader);
    http_static_end (self);
}

static size_t
http_wire_max (size_t max_size)
{
    return HTTP_WIRE_MAX (max_size);
}

const struct adapter adapter_http = {
    .name = "http",
    .text = "HTTP/1.1: services, queues and topics as paths, events, files",
    .options = http_options,
    .config_size = sizeof (struct http_config),
    .state_size = sizeof (struct http_peer),
    .alpn = "http/1.1",
    .companions = "ws",
    .modes = MODE_REQ | MODE_PUB | MODE_PUSH | MODE_SUB,
    .in_order = true,
    .listens_only = true,
    .topics = true,
    .hosts = true,
    .wire_max = http_wire_max,
    .init = http_init,
    .fini = http_fini,
    .open = http_open,
    .on_data = http_on_data,
    .on_end = http_on_end,
    .passing = http_events_passing,
    .deliver = http_deliver,
    .dropped = http_events_dropped,
    .refuse = http_refuse,
    .on_room = http_on_room,
    .on_timer = http_on_timer,
    .ending = http_ending,
    .close = http_close
};
