/*  scrape.c - metrics over HTTP, on a thread of its own */

#include "cli/scrape.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "codec/http.h"
#include "codec/prometheus.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/stream.h"
#include "core/thread.h"

#define CLIENTS_MAX 32                  /*  connections at once: for one more, who was silent longest has to go     */
#define ANSWERS_MAX 100                 /*  in a second, of all clients: then they wait     */
#define TIME_TO_ASK (10 * TIME_S)       /*  for a request that was begun, for taking what was answered      */
#define TIME_TO_REST (5 * 60 * TIME_S)  /*  between two requests: longer than between two scrapes           */
#define OUT_MAX (1 << 20)               /*  answers that are not taken: then no more is read                */
#define TEXT_MAX (16 << 20)             /*  one answer                                      */

struct client {
    struct scrape *scrape;
    struct client *next, **link;
    struct stream *stream;
    struct http_reader reader;
    int64_t asked;                      /*  when it came, or asked last                     */
    bool finishing;                     /*  nothing more is read of it                      */
};

struct scrape {
    struct metrics *metrics;
    struct stream_config config;
    struct reactor *reactor;
    struct listener *listener;
    struct client *clients;
    int count;                          /*  of them that are not finishing                  */
    struct reactor_timer timer;         /*  the next second                                 */
    int answers;                        /*  in this one                                     */
    struct buffer body, out;
    pthread_t thread;
    bool running;
};

/* ------------------------------------------------------------------------ answers */

/*  Nothing more is read of it. What was answered goes out, unless there is an error. */
static void
finish (struct client *self, int error)
{
    if (!self->finishing)
        self->scrape->count--;
    self->finishing = true;
    if (error)
        stream_close (self->stream, error);
    else
        stream_finish (self->stream, reactor_now (self->scrape->reactor) + TIME_TO_ASK);
}

static void
answer (struct client *self, const struct http_request *request, int status, const char *type, const char *allow)
{
    struct scrape *scrape = self->scrape;
    bool stays = request && request->keep_alive;
    struct http_response response = {
        .status = status, .body = { buffer_data (&scrape->body), buffer_size (&scrape->body) }
    };
    http_add_header (response.headers, &response.header_count, "Content-Type", type);
    http_add_header (response.headers, &response.header_count, "Cache-Control", "no-store");
    if (allow)
        http_add_header (response.headers, &response.header_count, "Allow", allow);
    if (!stays)
        http_add_header (response.headers, &response.header_count, "Connection", "close");
    buffer_clear (&scrape->out);
    bool head = request && http_text_is (request->method, "HEAD");
    int rc = http_write_response (&scrape->out, &response, head ? HTTP_BODY_UNSENT : HTTP_BODY_SIZED);
    if (rc == 0)
        rc = stream_write (self->stream, buffer_data (&scrape->out), buffer_size (&scrape->out));
    if (rc || !stays)
        finish (self, rc);
}

static void
answer_text (struct client *self, const struct http_request *request, int status, const char *text)
{
    buffer_clear (&self->scrape->body);
    int rc = buffer_add_str (&self->scrape->body, text);
    if (rc == 0)
        answer (self, request, status, "text/plain; charset=utf-8", status == 405 ? "GET, HEAD" : NULL);
    else
        finish (self, rc);
}

static void
answer_metrics (struct client *self, const struct http_request *request)
{
    buffer_clear (&self->scrape->body);
    if (prometheus_write (self->scrape->metrics, &self->scrape->body))
        answer_text (self, request, 500, "no memory for the metrics\n");
    else
        answer (self, request, 200, PROMETHEUS_TYPE, NULL);
}

static bool
is_path (const struct http_request *request, const char *path)
{
    return request->path.size == strlen (path) && memcmp (request->path.data, path, request->path.size) == 0;
}

static void
answer_request (struct client *self, const struct http_request *request)
{
    bool asks = http_text_is (request->method, "GET") || http_text_is (request->method, "HEAD");
    if (!asks)
        answer_text (self, request, 405, "there is only GET and HEAD\n");
    else if (is_path (request, "/metrics"))
        answer_metrics (self, request);
    else if (is_path (request, "/healthz"))
        answer_text (self, request, 200, "ok\n");
    else if (is_path (request, "/"))
        answer_text (self, request, 200, "weft: /metrics has numbers for Prometheus, /healthz says ok\n");
    else
        answer_text (self, request, 404, "there is /metrics and /healthz\n");
}

/* ------------------------------------------------------------------------ clients */

/*  Who asks when this second has no answers left waits for the next one. */
static bool
may_answer (const struct client *self)
{
    return !stream_is_full (self->stream) && self->scrape->answers < ANSWERS_MAX;
}

static void
count_answer (struct client *self)
{
    struct scrape *scrape = self->scrape;
    self->asked = reactor_now (scrape->reactor);
    if (scrape->answers++ == 0)
        reactor_timer_set (scrape->reactor, &scrape->timer, self->asked + TIME_S);
}

static void
on_next_second (void *arg)
{
    struct scrape *self = arg;
    self->answers = 0;
    for (struct client *each = self->clients; each; each = each->next)
        if (!each->finishing && may_answer (each))
            stream_resume (each->stream);
}

/*  All that is asked, but for what has to wait: then the rest is offered again. */
static int64_t
on_data (void *arg, struct stream *stream, const unsigned char *data, size_t size)
{
    struct client *self = arg;
    size_t taken = 0;
    while (taken < size && !self->finishing) {
        struct http_request request;
        if (!may_answer (self)) {
            stream_pause (stream);
            break;
        }
        int64_t got = http_read_request (&self->reader, data + taken, size - taken, &request);
        if (got == 0)
            break;
        count_answer (self);
        if (got < 0)
            answer_text (self, NULL, self->reader.status, "this is no request that is understood here\n");
        else
            answer_request (self, &request);
        taken += got < 0 ? 0 : (size_t) got;
    }
    return (int64_t) (self->finishing ? size : taken);
}

static int
on_ended (void *arg, struct stream *stream, const unsigned char *data, size_t size)
{
    (void) stream;
    (void) data;
    (void) size;
    finish (arg, 0);
    return 0;
}

static void
on_drained (void *arg, struct stream *stream)
{
    const struct client *self = arg;
    if (!self->finishing && may_answer (self))
        stream_resume (stream);
}

static void
on_closed (void *arg, struct stream *stream, int error, const char *why, size_t unsent)
{
    struct client *self = arg;
    (void) stream;
    (void) error;
    (void) why;
    (void) unsent;
    if (!self->finishing)
        self->scrape->count--;
    *self->link = self->next;
    if (self->next)
        self->next->link = self->link;
    http_reader_free (&self->reader);
    free (self);
}

/*  So that nobody is kept out by those who only sit there. */
static void
close_silent (struct scrape *self)
{
    struct client *silent = NULL;
    for (struct client *each = self->clients; each; each = each->next)
        if (!each->finishing && (!silent || each->asked <= silent->asked))
            silent = each;
    if (silent)
        finish (silent, error_plain (WEFT_ELIMIT));
}

static void
on_accepted (void *arg, struct stream *stream)
{
    static const struct stream_handler handler = {
        .data = on_data, .ended = on_ended, .drained = on_drained, .closed = on_closed
    };
    struct scrape *self = arg;
    struct client *client = calloc (1, sizeof *client);
    if (!client)
        return;                         /*  refused */
    if (self->count == CLIENTS_MAX)
        close_silent (self);
    *client = (struct client) { .scrape = self, .stream = stream, .next = self->clients, .link = &self->clients,
                                .asked = reactor_now (self->reactor) };
    if (self->clients)
        self->clients->link = &client->next;
    self->clients = client;
    self->count++;
    http_reader_init (&client->reader, 0);
    stream_adopt (stream, &handler, client);
}

/* --------------------------------------------------------------- beginning, the end */

static void *
run (void *arg)
{
    struct scrape *self = arg;
    reactor_run (self->reactor, TIME_FOREVER);
    return NULL;
}

int
scrape_start (struct scrape *self)
{
    int rc = thread_start (&self->thread, 0, run, self);
    self->running = rc == 0;
    return rc;
}

int
scrape_open (struct scrape **handle, struct metrics *metrics, const char *address, bool insecure)
{
    struct scrape *self = calloc (1, sizeof *self);
    if (!self)
        return error_plain (WEFT_ENOMEM);
    self->metrics = metrics;
    self->config = (struct stream_config) {
        .in_max = HTTP_WIRE_MAX (0), .out_max = OUT_MAX, .idle = TIME_TO_REST, .progress = TIME_TO_ASK,
        .keepalive = TIME_TO_ASK, .max_peers = 4 * CLIENTS_MAX, .insecure = insecure
    };
    buffer_init (&self->body, TEXT_MAX);
    buffer_init (&self->out, 0);
    reactor_timer_init (&self->timer, on_next_second, self);
    int rc = reactor_new (&self->reactor);
    rc = rc ? rc : listener_new (self->reactor, address, &self->config, on_accepted, self, &self->listener);
    *handle = self;
    if (rc)
        scrape_stop (handle);
    return rc;
}

void
scrape_stop (struct scrape **handle)
{
    struct scrape *self = *handle;
    if (!self)
        return;
    *handle = NULL;
    if (self->running) {
        reactor_stop (self->reactor);
        pthread_join (self->thread, NULL);
    }
    if (self->listener)
        listener_stop (self->listener);
    for (struct client *each = self->clients; each; each = each->next)
        stream_close (each->stream, 0);
    while (self->clients)
        reactor_run (self->reactor, 0);
    if (self->listener)
        listener_destroy (&self->listener);
    if (self->reactor)
        reactor_timer_set (self->reactor, &self->timer, TIME_FOREVER);
    reactor_destroy (&self->reactor);
    buffer_free (&self->body);
    buffer_free (&self->out);
    free (self);
}

const char *
scrape_address (const struct scrape *self)
{
    return listener_address (self->listener);
}
