/*  http_service.c - a request as a message for a service, and its reply as a response: docs/spec/bridge.md */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "adapters/http_parts.h"
#include "codec/base64.h"
#include "codec/format.h"
#include "codec/json.h"
#include "core/error.h"

#define QUERY_MAX 64                    /*  parameters of a query, in JSON                      */

/* --------------------------------------------------------------------- the request */

/*  Percent-decoded, as a JSON string. */
static int
add_decoded (struct buffer *out, struct http_text text, bool plus)
{
    char plain[HTTP_TARGET_MAX];
    int64_t size = http_decode (text, plus, plain);
    if (size < 0)
        return WEFT_EPROTO;
    if (!json_is_text (plain, (size_t) size))
        return error_set (WEFT_EPROTO, "a path or query that is no UTF-8");
    return json_add_string (out, plain, (size_t) size);
}

static bool
is_same (struct http_text one, struct http_text other)
{
    return one.size == other.size && memcmp (one.data, other.data, one.size) == 0;
}

/*  The values of one name: a string, or an array of several. */
static int
add_values (struct buffer *out, const struct http_header *pairs, size_t count, size_t first)
{
    size_t more = 0;
    for (size_t i = first + 1; i < count; i++)
        more += is_same (pairs[i].name, pairs[first].name);
    int rc = more ? buffer_add (out, "[", 1) : 0;
    for (size_t i = first, given = 0; i < count && rc == 0; i++) {
        if (!is_same (pairs[i].name, pairs[first].name))
            continue;
        rc = given++ ? buffer_add (out, ",", 1) : 0;
        rc = rc ? rc : add_decoded (out, pairs[i].value, true);
    }
    return rc || !more ? rc : buffer_add (out, "]", 1);
}

static int
add_query (struct buffer *out, struct http_text query)
{
    struct http_header pairs[QUERY_MAX];
    size_t count = 0, given = 0;
    while (count < QUERY_MAX && http_query_next (&query, &pairs[count].name, &pairs[count].value))
        count++;
    if (query.size)
        return error_set (WEFT_EPROTO, "more than %d parameters in the query", QUERY_MAX);
    int rc = buffer_add (out, "{", 1);
    for (size_t i = 0; i < count && rc == 0; i++) {
        bool seen = false;
        for (size_t j = 0; j < i && !seen; j++)
            seen = is_same (pairs[j].name, pairs[i].name);
        if (seen)
            continue;
        rc = given++ ? buffer_add (out, ",", 1) : 0;
        rc = rc ? rc : add_decoded (out, pairs[i].name, true);
        rc = rc ? rc : buffer_add (out, ":", 1);
        rc = rc ? rc : add_values (out, pairs, count, i);
    }
    return rc ? rc : buffer_add (out, "}", 1);
}

/*  A header's name in small letters. */
static void
lower (struct http_text name, char *out)
{
    for (size_t i = 0; i < name.size; i++)
        out[i] = (char) (name.data[i] >= 'A' && name.data[i] <= 'Z' ? name.data[i] | 0x20 : name.data[i]);
}

static bool
is_same_name (struct http_text one, struct http_text other)
{
    return one.size == other.size && strncasecmp (one.data, other.data, one.size) == 0;
}

/*  The value, with those of later headers of the same name behind commas. */
static int
add_header (struct buffer *out, const struct http_request *request, size_t first)
{
    struct http_text name = request->headers[first].name;
    char small[256];
    char *joined = NULL;
    size_t size = 0;
    if (name.size > sizeof small)
        return error_set (WEFT_EPROTO, "a header whose name has more than %zu bytes", sizeof small);
    lower (name, small);
    int rc = json_add_string (out, small, name.size);
    rc = rc ? rc : buffer_add (out, ":", 1);
    for (size_t i = first; i < request->header_count; i++)
        size += is_same_name (request->headers[i].name, name) ? request->headers[i].value.size + 2 : 0;
    joined = malloc (size);
    if (rc || !joined) {
        free (joined);
        return rc ? rc : error_plain (WEFT_ENOMEM);
    }
    size = 0;
    for (size_t i = first; i < request->header_count; i++) {
        struct http_text value = request->headers[i].value;
        if (!is_same_name (request->headers[i].name, name))
            continue;
        memcpy (joined + size, ", ", size ? 2 : 0);
        size += size ? 2 : 0;
        memcpy (joined + size, value.data, value.size);
        size += value.size;
    }
    rc = json_is_text (joined, size) ? json_add_string (out, joined, size)
                                     : error_set (WEFT_EPROTO, "a header whose value is no UTF-8");
    free (joined);
    return rc;
}

static int
add_headers (struct buffer *out, const struct http_request *request)
{
    int rc = buffer_add (out, "{", 1);
    for (size_t i = 0, given = 0; i < request->header_count && rc == 0; i++) {
        bool seen = false;
        for (size_t j = 0; j < i && !seen; j++)
            seen = is_same_name (request->headers[j].name, request->headers[i].name);
        if (seen)
            continue;
        rc = given++ ? buffer_add (out, ",", 1) : 0;
        rc = rc ? rc : add_header (out, request, i);
    }
    return rc ? rc : buffer_add (out, "}", 1);
}

static int
write_json (struct buffer *out, const struct bridge_peer *peer, const struct http_request *request,
            struct http_text path)
{
    int rc = buffer_addf (out, "{\"method\":\"%.*s\",\"path\":", (int) request->method.size, request->method.data);
    rc = rc ? rc : add_decoded (out, path, false);
    rc = rc ? rc : buffer_add_str (out, ",\"query\":");
    rc = rc ? rc : add_query (out, request->query);
    rc = rc ? rc : buffer_add_str (out, ",\"headers\":");
    rc = rc ? rc : add_headers (out, request);
    rc = rc ? rc : buffer_add_str (out, ",\"peer\":\"");
    rc = rc ? rc : buffer_add_str (out, bridge_peer_name (peer));
    rc = rc ? rc : buffer_add_str (out, "\",\"body\":");
    rc = rc ? rc : format_json_bytes (out, request->body.size ? request->body.data : "", request->body.size);
    return rc ? rc : buffer_add (out, "}", 1);
}

/*  Method, path, query, "name: value" lines, body. */
static int
write_frames (struct buffer *out, const struct http_request *request, struct http_text path, weft_msg_t *msg)
{
    char plain[HTTP_TARGET_MAX];
    int64_t size = http_decode (path, false, plain);
    int rc = size < 0 ? WEFT_EPROTO : weft_msg_add (msg, request->method.data, request->method.size);
    rc = rc ? rc : weft_msg_add (msg, plain, (size_t) size);
    rc = rc ? rc : weft_msg_add (msg, request->query.size ? request->query.data : "", request->query.size);
    for (size_t i = 0; i < request->header_count && rc == 0; i++) {
        const struct http_header *each = &request->headers[i];
        rc = buffer_addf (out, "%.*s: %.*s\n", (int) each->name.size, each->name.data, (int) each->value.size,
                          each->value.data);
    }
    rc = rc ? rc : weft_msg_add (msg, buffer_data (out), buffer_size (out));
    return rc ? rc : weft_msg_add (msg, request->body.size ? request->body.data : "", request->body.size);
}

int
http_to_service (struct http_config *config, const struct bridge_peer *peer, const struct http_request *request,
                 struct http_text path, weft_msg_t *msg)
{
    struct buffer *out = &config->out;
    int rc;
    if (path.size == 0)
        path = (struct http_text) { "/", 1 };
    buffer_clear (out);
    buffer_add (out, "", 0);
    switch (config->as) {
    case AS_JSON:
        rc = write_json (out, peer, request, path);
        return rc ? rc : weft_msg_add (msg, buffer_data (out), buffer_size (out));
    case AS_FRAMES:
        return write_frames (out, request, path, msg);
    default:
        return weft_msg_add (msg, request->body.size ? request->body.data : "", request->body.size);
    }
}

/* ----------------------------------------------------------------------- the reply */

struct reply {
    int status;
    struct http_header headers[HTTP_HEADERS_MAX];
    size_t header_count;
    struct http_text body;
};

/*  What this connection's own headers are, is nothing that a service says. */
static bool
is_ours (struct http_text name)
{
    static const char *const ours[] = { "connection", "content-length", "transfer-encoding", "keep-alive", "upgrade",
                                        "date", "trailer", "te" };
    for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++)
        if (http_text_is (name, ours[i]))
            return true;
    return false;
}

static int
keep_header (struct reply *reply, struct http_text name, struct http_text value)
{
    if (is_ours (name))
        return 0;
    if (!http_is_token (name) || !http_is_value (value))
        return error_set (WEFT_EINVAL, "a header that cannot be written on a line");
    if (reply->header_count == HTTP_HEADERS_MAX - 8)
        return error_set (WEFT_EINVAL, "more than %d headers", HTTP_HEADERS_MAX - 8);
    reply->headers[reply->header_count++] = (struct http_header) { name, value };
    return 0;
}

/*  By its looks; never HTML, which a service that sends back what it got would be made to run. */
static const char *
type_of (struct http_text body)
{
    const char *first = body.data, *last = body.data + body.size;
    while (first < last && (*first == ' ' || *first == '\n' || *first == '\t' || *first == '\r'))
        first++;
    while (last > first && (last[-1] == ' ' || last[-1] == '\n' || last[-1] == '\t' || last[-1] == '\r'))
        last--;
    if (first < last && ((*first == '{' && last[-1] == '}') || (*first == '[' && last[-1] == ']')))
        return "application/json";
    return json_is_text (body.data, body.size) ? "text/plain; charset=utf-8" : "application/octet-stream";
}

static struct http_text
text_of (struct json_string string)
{
    return (struct http_text) { string.data, string.size };
}

static int
take_headers (struct json_reader *reader, struct reply *reply)
{
    struct json_string name, value;
    int rc = json_enter (reader, '{');
    while (rc == 0 && (rc = json_next_member (reader, &name)) == 1) {
        rc = json_take_string (reader, &value);
        rc = rc ? rc : keep_header (reply, text_of (name), text_of (value));
    }
    return rc;
}

/*  A string, or {"base64": "..."}. */
static int
take_body (struct json_reader *reader, struct reply *reply)
{
    struct json_string key, value;
    if (json_peek (reader) != '{') {
        int rc = json_take_string (reader, &value);
        reply->body = text_of (value);
        return rc;
    }
    int rc = json_enter (reader, '{');
    while (rc == 0 && (rc = json_next_member (reader, &key)) == 1) {
        size_t size = 0;
        rc = json_string_is (&key, "base64") ? json_take_string (reader, &value)
                                             : error_set (WEFT_EPROTO, "a body is a string or {\"base64\": ...}");
        rc = rc ? rc : base64_decode (value.data, &size, value.data, value.size);
        reply->body = (struct http_text) { value.data, size };
    }
    return rc;
}

/*  Where the next value lies in the text. */
static struct http_text
place_of (struct json_reader *reader, int *rc)
{
    json_peek (reader);
    const char *from = reader->at;
    *rc = json_skip (reader);
    return (struct http_text) { from, (size_t) (reader->at - from) };
}

static int
status_of (struct http_text text)
{
    bool three = text.size >= 3 && (text.size == 3 || text.data[3] == ' ');
    for (size_t i = 0; i < 3 && three; i++)
        three = text.data[i] >= '0' && text.data[i] <= '9';
    int status = three ? (text.data[0] - '0') * 100 + (text.data[1] - '0') * 10 + (text.data[2] - '0') : 0;
    return status >= 200 && status < 600 ? status : 0;
}

/*  Whether the object has a status that is a number, and no members but those of a reply. The text is a copy. */
static bool
is_structured (char *text, size_t size)
{
    static const char *const members[] = { "status", "headers", "body", "json", "type" };
    struct json_reader reader;
    struct json_string key;
    bool found = false;
    int rc;
    json_reader_init (&reader, text, size);
    if (json_peek (&reader) != '{' || json_enter (&reader, '{'))
        return false;
    while ((rc = json_next_member (&reader, &key)) == 1) {
        bool known = false, status = json_string_is (&key, "status");
        for (size_t i = 0; i < sizeof members / sizeof members[0]; i++)
            known = known || json_string_is (&key, members[i]);
        if (!known || (status && json_peek (&reader) != '0') || json_skip (&reader))
            return false;
        found = found || status;
    }
    return rc == 0 && found && json_end (&reader) == 0;
}

static int
take_member (struct json_reader *reader, struct json_string key, struct reply *reply)
{
    struct json_string type;
    int rc;
    if (json_string_is (&key, "headers"))
        return take_headers (reader, reply);
    if (json_string_is (&key, "body"))
        return take_body (reader, reply);
    if (json_string_is (&key, "type")) {
        rc = json_take_string (reader, &type);
        return rc ? rc : keep_header (reply, (struct http_text) { "Content-Type", 12 }, text_of (type));
    }
    struct http_text value = place_of (reader, &rc);
    if (rc)
        return rc;
    if (json_string_is (&key, "status"))
        reply->status = status_of (value);
    else
        reply->body = value;
    return reply->status ? 0 : error_set (WEFT_EINVAL, "a status that is not 200 to 599");
}

static int
take_structured (char *text, size_t size, struct reply *reply)
{
    struct json_reader reader;
    struct json_string key;
    json_reader_init (&reader, text, size);
    int rc = json_enter (&reader, '{');
    while (rc == 0 && (rc = json_next_member (&reader, &key)) == 1)
        rc = take_member (&reader, key, reply);
    return rc;
}

/*  Status, perhaps "name: value" lines, body. */
static int
take_frames (const weft_msg_t *msg, struct reply *reply)
{
    size_t frames = weft_msg_frames (msg);
    const char *lines = weft_msg_data (msg, 1), *end = lines + weft_msg_size (msg, 1);
    reply->status = status_of ((struct http_text) { weft_msg_data (msg, 0), weft_msg_size (msg, 0) });
    reply->body = (struct http_text) { weft_msg_data (msg, frames - 1), weft_msg_size (msg, frames - 1) };
    if (frames > 3 || !reply->status)
        return error_set (WEFT_EINVAL, "%zu frames, which are not status (200 to 599), headers, body", frames);
    while (frames == 3 && lines < end) {
        const char *line = lines, *stop = memchr (line, '\n', (size_t) (end - line));
        stop = stop ? stop : end;
        lines = stop < end ? stop + 1 : end;
        const char *colon = memchr (line, ':', (size_t) (stop - line));
        const char *value = colon ? colon + 1 : stop;
        stop -= stop > line && stop[-1] == '\r';
        while (value < stop && *value == ' ')
            value++;
        int rc = stop == line ? 0
                 : !colon ? error_set (WEFT_EINVAL, "a line that is no header: NAME: VALUE")
                          : keep_header (reply, (struct http_text) { line, (size_t) (colon - line) },
                                         (struct http_text) { value, (size_t) (stop - value) });
        if (rc)
            return rc;
    }
    return 0;
}

static int
write_reply (struct bridge_peer *peer, const struct http_config *config, const struct reply *reply)
{
    bool typed = http_find_header (reply->headers, reply->header_count, "content-type").data != NULL;
    const struct http_answer answer = {
        .status = reply->status, .headers = reply->headers, .header_count = reply->header_count,
        .type = typed || reply->body.size == 0 ? NULL : config->type ? config->type : type_of (reply->body),
        .body = reply->body.size ? reply->body.data : "", .size = reply->body.size
    };
    int rc = http_answer (peer, &answer);
    if (rc == 0)
        http_answered (peer);
    return rc;
}

int
http_from_service (struct bridge_peer *peer, const weft_msg_t *msg)
{
    const struct http_config *config = bridge_adapter_config (peer);
    const char *data = weft_msg_data (msg, 0);
    size_t size = weft_msg_size (msg, 0);
    struct reply reply;
    char *copy = NULL;
    reply.status = 200;
    reply.header_count = 0;
    reply.body = (struct http_text) { data, size };
    int rc = weft_msg_frames (msg) > 1 ? take_frames (msg, &reply) : 0;
    bool object = weft_msg_frames (msg) == 1 && config->as == AS_JSON && size && *data == '{'
                  && memmem (data, size, "\"status\"", 8);
    if (object && (copy = malloc (2 * size))) {
        memcpy (copy, data, size);
        memcpy (copy + size, data, size);       /*  reading changes it */
        if (is_structured (copy, size)) {
            reply.body = (struct http_text) { "", 0 };
            rc = take_structured (copy + size, size, &reply);
        }
    }
    if (rc == 0)
        rc = write_reply (peer, config, &reply);
    else
        rc = rc == WEFT_EPROTO ? WEFT_EINVAL : rc;
    free (copy);
    return rc;
}
