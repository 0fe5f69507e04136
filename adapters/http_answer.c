/*  http_answer.c - what the HTTP adapter writes back */

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "adapters/http_parts.h"
#include "core/error.h"

static const char *
date_now (struct http_config *config)
{
    time_t now = time (NULL);
    if (now != config->date) {
        config->date = now;
        http_date_write (now, config->date_text);
    }
    return config->date_text;
}

static enum http_body
body_of (const struct http_peer *self, const struct http_answer *answer)
{
    if (answer->status / 100 == 1 || answer->status == 204 || answer->status == 304)
        return HTTP_BODY_NONE;
    if (answer->size == SIZE_MAX)
        return HTTP_BODY_NONE;
    return self->head || !answer->body ? HTTP_BODY_UNSENT : HTTP_BODY_SIZED;
}

static void
fill_headers (struct http_config *config, const struct http_peer *self, const struct http_answer *answer,
              struct http_response *response)
{
    struct http_header *headers = response->headers;
    size_t *count = &response->header_count;
    *count = 0;
    http_add_header (headers, count, "Date", date_now (config));
    if (answer->type) {
        http_add_header (headers, count, "Content-Type", answer->type);
        http_add_header (headers, count, "X-Content-Type-Options", "nosniff");
    }
    if (config->cors && self->cross)
        http_add_header (headers, count, "Access-Control-Allow-Origin", config->cors);
    if (config->cors && strcmp (config->cors, "*") != 0)
        http_add_header (headers, count, "Vary", "Origin");
    if (!self->keep_alive)
        http_add_header (headers, count, "Connection", "close");
    else if (self->old)
        http_add_header (headers, count, "Connection", "keep-alive");
    for (size_t i = 0; i < answer->header_count && *count < HTTP_HEADERS_MAX; i++)
        headers[(*count)++] = answer->headers[i];
}

int
http_answer (struct bridge_peer *peer, const struct http_answer *answer)
{
    struct http_config *config = bridge_adapter_config (peer);
    struct http_peer *self = bridge_peer_state (peer);
    struct http_response response;
    self->keep_alive = self->keep_alive && !bridge_is_ending (peer);
    response.status = answer->status;
    response.reason = (struct http_text) { NULL, 0 };
    response.body = (struct http_text) { answer->body, answer->size };
    fill_headers (config, self, answer, &response);
    buffer_clear (&config->out);
    int rc = http_write_response (&config->out, &response, body_of (self, answer));
    const struct stream_part part = { buffer_data (&config->out), buffer_size (&config->out) };
    return rc ? rc : bridge_write (peer, &part, 1);
}

int
http_say (struct bridge_peer *peer, int status, const struct http_header *extra, const char *format, ...)
{
    char text[600];
    va_list arguments;
    va_start (arguments, format);
    vsnprintf (text, sizeof text - 1, format, arguments);
    va_end (arguments);
    strcat (text, "\n");
    const struct http_answer answer = { .status = status, .type = "text/plain; charset=utf-8", .headers = extra,
                                        .header_count = extra ? 1 : 0, .body = text, .size = strlen (text) };
    int rc = http_answer (peer, &answer);
    if (rc == 0)
        http_answered (peer);
    return rc;
}

void
http_answered (struct bridge_peer *peer)
{
    struct http_peer *self = bridge_peer_state (peer);
    const struct http_config *config = bridge_adapter_config (peer);
    bool held = self->stage == HTTP_ASKS || self->stage == HTTP_SENDS;
    self->gave_up = false;
    self->rests_since = bridge_now (peer);
    if (self->stage == HTTP_SENDS)              /*  which had the timer for its pieces */
        bridge_set_timer (peer, self->rests_since + config->keep_alive);
    self->stage = HTTP_READS;
    if (self->broken)
        bridge_break (peer, self->broken);
    else if (!self->keep_alive)
        bridge_finish (peer);
    else if (held)
        bridge_release (peer);
}
