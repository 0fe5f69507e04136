/*  ws_page.c - a page to talk with, for a browser that opens the address of a WebSocket
 *
 *  The assembler takes it in as it is. What it may load and connect to is itself alone. */

#include <string.h>

#include "adapters/ws_parts.h"

__asm__ (".pushsection .rodata\n"
         ".local ws_chat_page\n"
         "ws_chat_page:\n"
         ".incbin \"adapters/ws_chat.html\"\n"
         ".byte 0\n"
         ".popsection\n");
extern const char ws_chat_page[];

bool
ws_wants_page (const struct ws_config *config, const struct http_request *request)
{
    bool root = http_text_is (request->target, "/");
    return config->page && !request->upgrade && root && http_text_is (request->method, "GET");
}

void
ws_page (struct http_response *response)
{
    *response = (struct http_response){ .status = 200, .body = { ws_chat_page, strlen (ws_chat_page) } };
    http_add_header (response->headers, &response->header_count, "Content-Type", "text/html; charset=utf-8");
    http_add_header (response->headers, &response->header_count, "Content-Security-Policy",
                     "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; "
                     "connect-src 'self' ws: wss:; frame-ancestors 'none'");
    http_add_header (response->headers, &response->header_count, "X-Content-Type-Options", "nosniff");
    http_add_header (response->headers, &response->header_count, "Connection", "close");
}
