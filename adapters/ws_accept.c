/*  ws_accept.c - the handshake of who listens: from an HTTP request to a WebSocket, or to a refusal in words */

#include <stdio.h>
#include <string.h>

#include "adapters/ws_parts.h"
#include "core/error.h"

static struct http_text
header (const struct http_request *request, const char *name)
{
    return http_find_header (request->headers, request->header_count, name);
}

static size_t
headers_of (const struct http_request *request, const char *name)
{
    size_t count = 0;
    for (size_t i = 0; i < request->header_count; i++)
        count += http_text_is (request->headers[i].name, name);
    return count;
}

/*  `last`: nothing comes after it. */
static int
write_response (struct bridge_peer *peer, const struct http_response *response, enum http_body body, bool last)
{
    struct buffer out;
    buffer_init (&out, 0);
    int rc = http_write_response (&out, response, body);
    struct stream_part part = { buffer_data (&out), buffer_size (&out) };
    rc = rc ? rc : last ? bridge_write_last (peer, &part, 1) : bridge_write (peer, &part, 1);
    buffer_free (&out);
    return rc;
}

/* ------------------------------------------------------------------------- refusals */

static int
status_of (int error)
{
    switch (error) {
    case WEFT_EENDPOINT:
        return 404;
    case WEFT_EACCES:
        return 403;
    case WEFT_ENOTSUP:
        return 426;
    case WEFT_ELIMIT:
    case WEFT_ENOMEM:
        return 503;
    default:
        return 400;
    }
}

/*  With the words of the error. */
static int
refuse_by (struct bridge_peer *peer, int status)
{
    char text[512];
    int size = snprintf (text, sizeof text, "%s\n", weft_error ());
    struct http_response response = { .status = status };
    response.body = (struct http_text) { text, (size_t) size < sizeof text ? (size_t) size : sizeof text - 1 };
    http_add_header (response.headers, &response.header_count, "Content-Type", "text/plain; charset=utf-8");
    http_add_header (response.headers, &response.header_count, "Connection", "close");
    if (response.status == 426) {
        http_add_header (response.headers, &response.header_count, "Upgrade", "websocket");
        http_add_header (response.headers, &response.header_count, "Sec-WebSocket-Version", WEBSOCKET_VERSION);
    }
    struct ws_peer *self = bridge_peer_state (peer);
    self->state = WS_CLOSING;
    write_response (peer, &response, HTTP_BODY_SIZED, true);
    bridge_break (peer, WEFT_EPROTO);
    return 0;
}

static int
refuse (struct bridge_peer *peer, int error)
{
    return refuse_by (peer, status_of (error));
}

/* ------------------------------------------------------------------------- agreeing */

/*  RFC 6455, 4.2.1. */
static int
check_request (const struct http_request *request)
{
    struct http_text key = header (request, "Sec-WebSocket-Key"), version = header (request, "Sec-WebSocket-Version");
    if (!http_text_is (request->method, "GET") || request->minor < 1)
        return error_set (WEFT_EPROTO, "a WebSocket begins with a GET of HTTP/1.1");
    if (!request->upgrade)
        return error_set (WEFT_ENOTSUP, "this is a WebSocket: connect to it with ws:// and a client for that");
    if (!http_header_has (request->headers, request->header_count, "Upgrade", "websocket")
        || !http_header_has (request->headers, request->header_count, "Connection", "upgrade"))
        return error_set (WEFT_EPROTO, "a WebSocket begins with Upgrade: websocket and Connection: upgrade");
    if (!http_text_is (version, WEBSOCKET_VERSION))
        return error_set (WEFT_ENOTSUP, "Sec-WebSocket-Version: " WEBSOCKET_VERSION " is what is spoken here");
    if (headers_of (request, "Sec-WebSocket-Key") != 1 || !websocket_key_valid (key.data, key.size))
        return error_set (WEFT_EPROTO, "Sec-WebSocket-Key has to be 16 bytes in base64");
    return 0;
}

/*  The first of ours that the client speaks, too; NULL: none. */
static const char *
choose_protocol (const struct ws_config *config, const struct http_request *request)
{
    for (size_t i = 0; i < config->subprotocols.count; i++)
        if (http_header_has (request->headers, request->header_count, "Sec-WebSocket-Protocol",
                             config->subprotocols.items[i]))
            return config->subprotocols.items[i];
    return NULL;
}

/*  Offers may come in several headers: the first that can be met is taken. */
static int
agree (const struct bridge_peer *peer, const struct http_request *request, struct deflate_terms *terms)
{
    const struct ws_config *config = bridge_adapter_config (peer);
    int rc = 0;
    *terms = (struct deflate_terms) { 0 };
    for (size_t i = 0; i < request->header_count && rc == 0 && !terms->agreed; i++) {
        struct http_text value = request->headers[i].value;
        if (http_text_is (request->headers[i].name, "Sec-WebSocket-Extensions"))
            rc = deflate_accept (value.data, value.size, (unsigned) config->compress_window,
                                 ws_forgets (peer), terms);
    }
    if (config->compress == WS_COMPRESS_NO)
        terms->agreed = false;
    return rc;
}

static int
write_acceptance (struct bridge_peer *peer, const struct http_request *request, const struct deflate_terms *terms)
{
    struct http_text key = header (request, "Sec-WebSocket-Key");
    struct http_response response = { .status = 101 };
    char accept[WEBSOCKET_ACCEPT], extension[DEFLATE_TEXT];
    const char *protocol = choose_protocol (bridge_adapter_config (peer), request);
    int rc = websocket_accept (key.data, key.size, accept);
    if (rc)
        return rc;
    http_add_header (response.headers, &response.header_count, "Upgrade", "websocket");
    http_add_header (response.headers, &response.header_count, "Connection", "Upgrade");
    http_add_header (response.headers, &response.header_count, "Sec-WebSocket-Accept", accept);
    if (protocol)
        http_add_header (response.headers, &response.header_count, "Sec-WebSocket-Protocol", protocol);
    deflate_answer (terms, extension);
    if (*extension)
        http_add_header (response.headers, &response.header_count, "Sec-WebSocket-Extensions", extension);
    return write_response (peer, &response, HTTP_BODY_NONE, false);
}

static int
give_page (struct bridge_peer *peer)
{
    struct ws_peer *self = bridge_peer_state (peer);
    struct http_response response;
    ws_page (&response);
    self->state = WS_CLOSING;
    write_response (peer, &response, HTTP_BODY_SIZED, true);
    bridge_finish (peer);
    return 0;
}

int
ws_accept (struct bridge_peer *peer, const struct http_request *request)
{
    const struct ws_config *config = bridge_adapter_config (peer);
    struct http_text host = header (request, "Host");
    struct deflate_terms terms;
    if (bridge_host_check (peer, host.data, host.size))
        return refuse_by (peer, 421);
    if (ws_wants_page (config, request))
        return give_page (peer);
    int rc = check_request (request);
    rc = rc ? rc : ws_origin_check (&config->origins, header (request, "Origin"), host);
    rc = rc ? rc : agree (peer, request, &terms);
    rc = rc ? rc : ws_route (peer, request);
    rc = rc ? rc : ws_begin (peer, &terms);
    if (rc)
        return refuse (peer, rc);
    return write_acceptance (peer, request, &terms);
}

/*  Without the HTTP adapter in front: the one request that there may be. */
int64_t
ws_read_request (struct bridge_peer *peer, const unsigned char *data, size_t size)
{
    struct ws_peer *self = bridge_peer_state (peer);
    struct http_request request;
    int64_t taken = http_read_request (&self->greeting->reader, data, size, &request);
    if (taken == 0)
        return 0;
    int rc = taken > 0 ? ws_accept (peer, &request) : refuse (peer, (int) taken);
    ws_end_greeting (self);
    return rc ? rc : taken > 0 ? taken : (int64_t) size;
}
