/*  http_parts.h - what the files of the HTTP adapter share; nobody else includes it */
#ifndef WEFT_ADAPTERS_HTTP_PARTS_H
#define WEFT_ADAPTERS_HTTP_PARTS_H

#include "adapters/adapter.h"
#include "codec/http.h"
#include "core/buffer.h"

enum http_route { ROUTE_NONE, ROUTE_REQ, ROUTE_PUSH, ROUTE_PUB, ROUTE_SUB, ROUTE_FILE };
enum http_as { AS_JSON, AS_FRAMES, AS_BODY };
enum { HTTP_MOUNTS = 32 };

/*  A path, and what is below it. */
struct http_mount {
    const char *path;               /*  "/api": no slash at its end; "" for all                     */
    size_t size;
    enum http_route route;
};

struct http_event;                  /*  http_events.c                                               */

struct http_config {
    int as;                         /*  enum http_as                                                */
    struct option_list mount;
    char *root, *cors, *type;
    int64_t wait, keep_alive, ping, events;
    bool event_names;
    struct http_mount mounts[HTTP_MOUNTS];
    size_t mount_count;
    size_t max_size;                /*  of a body                                                   */
    int root_fd;                    /*  of `root`; -1: none                                         */
    struct buffer out;              /*  for one response at a time                                  */
    time_t date;                    /*  as `date_text` has it                                       */
    char date_text[HTTP_DATE_SIZE];
    struct http_event *ring;        /*  the last `events` of them, and always the last one          */
    size_t ring_size, ring_bytes;
    uint64_t event_epoch, event_id; /*  of the last                                                 */
    uint64_t event_oldest;          /*  what came before it is not kept                             */
};

enum http_stage {
    HTTP_READS,                     /*  a request, or rests before one                              */
    HTTP_WAITS,                     /*  its request is for a fabric that has no room                */
    HTTP_ASKS,                      /*  a service has its request: held                             */
    HTTP_SENDS,                     /*  a file goes out: held                                       */
    HTTP_LISTENS                    /*  it gets events, till its end                                */
};

struct http_peer {
    struct http_reader reader;
    enum http_stage stage;
    bool head;                      /*  the request was a HEAD: no body goes back                   */
    bool keep_alive;
    bool old;                       /*  HTTP/1.0                                                    */
    bool full;                      /*  held, since its queue is full: an answer waits for room     */
    bool gave_up;                   /*  there was no room in time: the next answer is a 503         */
    int broken;                     /*  the error after which nothing can be told apart; 0: none    */
    bool cross;                     /*  the request came from a page that --cors lets read          */
    int64_t rests_since;
    int file;                       /*  HTTP_SENDS                                                  */
    int64_t at, end;                /*  bytes of it                                                 */
    uint64_t lost_from, lost_to;    /*  HTTP_LISTENS: events that were dropped, untold; 0: none     */
};

/*  http_answer.c. What goes back to the request that is being answered; 0, WEFT_EAGAIN: the connection is full, nothing
 *  was written; or a failure. `headers` beyond those of every answer; `type` NULL: no Content-Type. */
struct http_answer {
    int status;
    const char *type;
    const struct http_header *headers;
    size_t header_count;
    const void *body;
    size_t size;                    /*  of the body, also when that is NULL: then it comes later;
                                        SIZE_MAX: till the connection ends                          */
};
int http_answer (struct bridge_peer *peer, const struct http_answer *answer);

/*  In words; `extra` NULL, or a header. The words may be weft_error (). */
int http_say (struct bridge_peer *peer, int status, const struct http_header *extra, const char *format, ...)
    WEFT_PRINTF (4, 5);

/*  The answer is whole: the next request, or the end. */
void http_answered (struct bridge_peer *peer);

/*  http_service.c: a request to a service, its reply back. */
int http_to_service (struct http_config *config, const struct bridge_peer *peer, const struct http_request *request,
                     struct http_text path, weft_msg_t *msg);
int http_from_service (struct bridge_peer *peer, const weft_msg_t *msg);

/*  http_events.c: Server-Sent Events. */
int http_events_init (struct http_config *config);
void http_events_fini (struct http_config *config);
void http_events_passing (void *config, const weft_msg_t *msg);
int http_events_begin (struct bridge_peer *peer, const struct http_request *request);
int http_events_deliver (struct bridge_peer *peer, const weft_msg_t *msg);
void http_events_dropped (struct bridge_peer *peer, const void *data, size_t size);
int http_events_tell_lost (struct bridge_peer *peer);
int http_events_ping (struct bridge_peer *peer);

/*  http_static.c: files below --root. */
int http_static_init (struct http_config *config);
void http_static_fini (struct http_config *config);
int http_static_answer (struct bridge_peer *peer, const struct http_request *request, struct http_text path);
void http_static_more (struct bridge_peer *peer);
void http_static_end (struct http_peer *self);

#endif
