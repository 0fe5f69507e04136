/*  ws_greet.c - the handshake of who dials: the request, and whether the answer is one to it */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "adapters/ws_parts.h"
#include "core/clock.h"
#include "core/error.h"

#define PROTOCOLS 1024              /*  of their names in a header                                      */

void
ws_dialled_parts (const char *text, struct http_text *address, const char **target, bool *tls)
{
    static const char *const schemes[] = { "ws://", "wss://" };
    size_t skip = 0;
    for (size_t i = 0; i < 2; i++)
        if (strncasecmp (text, schemes[i], strlen (schemes[i])) == 0) {
            skip = strlen (schemes[i]);
            *tls = i == 1;
        }
    text += skip;
    size_t size = skip ? strcspn (text, "/?#") : strlen (text);
    *address = (struct http_text) { text, size };
    *target = text[size] == '/' ? text + size : "/";
}

static int
write_request (struct bridge_peer *peer, const char *key)
{
    const struct ws_config *config = bridge_adapter_config (peer);
    struct http_request request = { .method = { "GET", 3 } };
    struct http_text address;
    const char *target;
    char host[ADDRESS_TEXT * 3], protocols[PROTOCOLS] = "", extension[DEFLATE_TEXT];
    bool tls;
    ws_dialled_parts (bridge_dialled (peer), &address, &target, &tls);
    snprintf (host, sizeof host, "%.*s", (int) address.size, address.data);
    request.target = (struct http_text) { target, strcspn (target, "#") };
    for (size_t i = 0; i < config->subprotocols.count; i++)
        snprintf (protocols + strlen (protocols), sizeof protocols - strlen (protocols), "%s%s", i ? ", " : "",
                  config->subprotocols.items[i]);
    http_add_header (request.headers, &request.header_count, "Host", host);
    http_add_header (request.headers, &request.header_count, "Upgrade", "websocket");
    http_add_header (request.headers, &request.header_count, "Connection", "Upgrade");
    http_add_header (request.headers, &request.header_count, "Sec-WebSocket-Key", key);
    http_add_header (request.headers, &request.header_count, "Sec-WebSocket-Version", WEBSOCKET_VERSION);
    if (*protocols)
        http_add_header (request.headers, &request.header_count, "Sec-WebSocket-Protocol", protocols);
    deflate_offer ((unsigned) config->compress_window, ws_forgets (peer), extension);
    if (config->compress != WS_COMPRESS_NO)
        http_add_header (request.headers, &request.header_count, "Sec-WebSocket-Extensions", extension);
    struct buffer out;
    buffer_init (&out, 0);
    int rc = http_write_request (&out, &request);
    struct stream_part part = { buffer_data (&out), buffer_size (&out) };
    rc = rc ? rc : bridge_write (peer, &part, 1);
    buffer_free (&out);
    return rc;
}

int
ws_greet (struct bridge_peer *peer)
{
    struct ws_peer *self = bridge_peer_state (peer);
    unsigned char nonce[WEBSOCKET_NONCE];
    int rc = ws_random (bridge_adapter_config (peer), nonce, sizeof nonce);
    if (rc)
        return rc;
    self->client = true;
    self->state = WS_ANSWER;
    websocket_key (nonce, self->greeting->key);
    return write_request (peer, self->greeting->key);
}

void
ws_end_greeting (struct ws_peer *self)
{
    if (self->greeting)
        http_reader_free (&self->greeting->reader);
    free (self->greeting);
    self->greeting = NULL;
}

/* ----------------------------------------------------------------------- the answer */

static struct http_text
header (const struct http_response *response, const char *name)
{
    return http_find_header (response->headers, response->header_count, name);
}

static bool
offered (const struct ws_config *config, struct http_text protocol)
{
    for (size_t i = 0; i < config->subprotocols.count; i++)
        if (http_text_is (protocol, config->subprotocols.items[i]))
            return true;
    return false;
}

static int
refused (const struct http_response *response)
{
    struct http_text words = response->body.size ? response->body : response->reason;
    while (words.size && strchr ("\r\n ", words.data[words.size - 1]))
        words.size--;
    return error_set (WEFT_EPROTO, "the server refuses a WebSocket: %d %.*s", response->status,
                      (int) (words.size < 200 ? words.size : 200), words.data);
}

/*  RFC 6455, 4.1. */
static int
check_answer (const struct bridge_peer *peer, const char *key, const struct http_response *response,
              struct deflate_terms *terms)
{
    const struct ws_config *config = bridge_adapter_config (peer);
    char expected[WEBSOCKET_ACCEPT];
    struct http_text accept = header (response, "Sec-WebSocket-Accept");
    struct http_text protocol = header (response, "Sec-WebSocket-Protocol");
    struct http_text extensions = header (response, "Sec-WebSocket-Extensions");
    if (response->status != 101)
        return refused (response);
    int rc = websocket_accept (key, strlen (key), expected);
    if (rc)
        return rc;
    if (!http_header_has (response->headers, response->header_count, "Upgrade", "websocket")
        || !http_header_has (response->headers, response->header_count, "Connection", "upgrade")
        || accept.size != strlen (expected) || memcmp (accept.data, expected, accept.size))
        return error_set (WEFT_EPROTO, "the server's answer is not one to a WebSocket handshake");
    if (protocol.data && !offered (config, protocol))
        return error_set (WEFT_EPROTO, "the server chose the subprotocol %.*s, which was not offered",
                          (int) (protocol.size < 80 ? protocol.size : 80), protocol.data);
    if (config->compress == WS_COMPRESS_NO && extensions.size)
        return error_set (WEFT_EPROTO, "the server chose an extension, and none was offered");
    return deflate_confirm (extensions.data, extensions.size, (unsigned) config->compress_window,
                            ws_forgets (peer), terms);
}

int64_t
ws_read_answer (struct bridge_peer *peer, const unsigned char *data, size_t size)
{
    struct ws_peer *self = bridge_peer_state (peer);
    struct http_response response;
    struct deflate_terms terms;
    int64_t taken = http_read_response (&self->greeting->reader, data, size, &response);
    if (taken <= 0)
        return taken;
    int rc = check_answer (peer, self->greeting->key, &response, &terms);
    ws_end_greeting (self);
    rc = rc ? rc : ws_begin (peer, &terms);
    if (rc)
        return rc;
    if (bridge_route (peer, ~0u) & MODE_SUB)
        rc = bridge_subscribe_all (peer);
    return rc ? rc : taken;
}
