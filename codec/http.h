/*  http.h - HTTP/1.1 (RFC 9110, 9112): bytes <-> requests and responses
 *
 *  A reader finds one message at the front of the bytes that it is given, or says that it needs more, or what is bad
 *  and with which status to say so. Nothing is copied but the body of a chunked message: what is handed out lies in the
 *  bytes that were given. It is strict, since two that read the same bytes differently are how requests are smuggled:
 *  no bare CR or LF, no folded lines, no space before a colon, one length at most and never with a transfer coding, one
 *  Host, "chunked" alone as a coding. No I/O here, and no clock. */
#ifndef WEFT_CODEC_HTTP_H
#define WEFT_CODEC_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "core/buffer.h"

#define HTTP_HEADERS_MAX 64             /*  of a message: more are refused with 431             */
#define HTTP_TARGET_MAX 8192            /*  bytes: 414                                          */
#define HTTP_HEAD_MAX 32768             /*  of all lines before the body: 431                   */

/*  Bytes of a message on the wire whose body has at most `body`: what a connection has to keep. Chunks may double it
 *  and have a line each, as long as they are not too many. */
#define HTTP_WIRE_MAX(body) (HTTP_HEAD_MAX + 2 * (body) + 65536)

struct http_text {                      /*  not terminated                                      */
    const char *data;
    size_t size;
};

struct http_header {
    struct http_text name, value;       /*  the value without the space around it               */
};

struct http_request {
    struct http_text method;            /*  "GET"                                               */
    struct http_text target;            /*  as it came                                          */
    struct http_text path, query;       /*  of it, still percent-encoded; a query without its ? */
    struct http_header headers[HTTP_HEADERS_MAX];
    size_t header_count;
    int minor;                          /*  HTTP/1.minor: 0 or 1                                */
    bool keep_alive;                    /*  another request may follow                          */
    bool expects;                       /*  100-continue                                        */
    bool upgrade;                       /*  Connection: upgrade, and an Upgrade                 */
    struct http_text body;
};

struct http_response {
    int status;
    struct http_text reason;
    struct http_header headers[HTTP_HEADERS_MAX];
    size_t header_count;
    int minor;
    bool keep_alive, upgrade;
    struct http_text body;
};

/* ------------------------------------------------------------------------- reading */

enum http_reading {
    HTTP_READS_HEAD,
    HTTP_READS_LENGTH,                  /*  a body of known length                              */
    HTTP_READS_CHUNK_SIZE,
    HTTP_READS_CHUNK,
    HTTP_READS_TRAILER,                 /*  lines after the last chunk, which are thrown away   */
    HTTP_READS_TO_END                   /*  a response whose body the end of the stream ends    */
};

struct http_reader {
    enum http_reading state;
    size_t body_max;
    bool bodiless;                      /*  the response is to a HEAD: set before it is read    */
    size_t scanned;                     /*  of the message's bytes, those that were looked at   */
    size_t head;                        /*  bytes of it; 0: it is not whole yet                 */
    size_t lines, line;                 /*  in the head so far; where the last one begins       */
    uint64_t left;                      /*  bytes of the body, or of a chunk                    */
    struct buffer body;                 /*  of chunks                                           */
    int status;                         /*  after a failure: what to answer                     */
};

/*  `body_max`: of a message; more is refused with 413. */
void http_reader_init (struct http_reader *self, size_t body_max);
void http_reader_free (struct http_reader *self);

/*  The message that begins at `data`, of which `size` bytes are there. What was not taken has to be there again in the
 *  next call, at its front, wherever it lies then. Returns
 *  > 0: so many bytes are the message, which is in *request, whose pointers are good until the next call;
 *    0: more are needed. When self->head is not 0 the head is whole; in the call that has completed it, *request
 *       has all but the body, and by `expects` its client may wait for a 100 before it sends one;
 *  WEFT_EPROTO, WEFT_ETOOBIG, WEFT_ENOMEM: self->status is what to answer (400, 413, 414, 431, 501, 505), and what
 *       follows cannot be told apart any more. */
int64_t http_read_request (struct http_reader *self, const unsigned char *data, size_t size,
                           struct http_request *request);
int64_t http_read_response (struct http_reader *self, const unsigned char *data, size_t size,
                            struct http_response *response);

/*  The stream has ended after these bytes, which are all that is left: 1 with the response whose body goes to the end
 *  of the stream, 0 when nothing was begun, WEFT_EPROTO when a message was cut off. */
int http_read_last (struct http_reader *self, const unsigned char *data, size_t size, struct http_response *response);

/* ------------------------------------------------------------------------- writing */

enum http_body {
    HTTP_BODY_SIZED,                    /*  Content-Length, and the body                        */
    HTTP_BODY_UNSENT,                   /*  the same without the body: of a HEAD, or sent later */
    HTTP_BODY_CHUNKED,                  /*  the body follows by http_write_chunk                */
    HTTP_BODY_NONE                      /*  there is none, and no length: 1xx, 204, 304         */
};

/*  Adds it to `out`. Of the response only status, reason (empty: the usual one), headers and body are looked at; of the
 *  request the method, target, headers and body (none: no Content-Length). Host, Content-Length, Transfer-Encoding and
 *  Connection are nobody's special: the length is written here and must not be among the headers, Host and Connection
 *  have to be among them. WEFT_EINVAL: a name, value, reason, method or target that would break the line; then, and on
 *  WEFT_ENOMEM, `out` is as it was. */
int http_write_response (struct buffer *out, const struct http_response *response, enum http_body body);
int http_write_request (struct buffer *out, const struct http_request *request);

/*  A chunk; without bytes the last one. */
int http_write_chunk (struct buffer *out, const void *data, size_t size);

/*  For filling a message: false when there is no room. The texts are not copied. */
bool http_add_header (struct http_header *headers, size_t *count, const char *name, const char *value);

/* ------------------------------------------------------------------- texts, targets */

/*  Is it a token (RFC 9110, 5.6.2), as a method and a header's name have to be? Is it a value? */
bool http_is_token (struct http_text text);
bool http_is_value (struct http_text text);

/*  Is it what a browser may say in Origin: SCHEME://HOST[:PORT] and no path, or null? */
bool http_is_origin (struct http_text text);

/*  Whole, whatever its case. */
bool http_text_is (struct http_text text, const char *word);

/*  The value of the first header of that name; data NULL: none. */
struct http_text http_find_header (const struct http_header *headers, size_t count, const char *name);

/*  Has one of the headers of that name, which are lists with commas, this word among them? */
bool http_header_has (const struct http_header *headers, size_t count, const char *name, const char *word);

/*  The host of "HOST:PORT" or "[IPv6]:PORT", of a Host header or an origin: without port and brackets. data NULL: it is
 *  neither. */
struct http_text http_host_of (struct http_text authority);

/*  Is a host an address, or localhost? Nobody says what these mean but the machine itself; a name means what its owner
 *  says, and from one moment to the next something else ("DNS rebinding"). */
bool http_host_is_fixed (struct http_text host);

/*  Writes the bytes that a percent-encoded text means: at most text.size of them, to `out`, which may be where the text
 *  lies. `plus`: a + is a space, as in queries. Returns how many; WEFT_EPROTO: not two hex digits behind a %. */
int64_t http_decode (struct http_text text, bool plus, char *out);

/*  "Sun, 06 Nov 1994 08:49:37 GMT", with a NUL. Reading: -1 when it is none of this form. */
enum { HTTP_DATE_SIZE = 30 };
void http_date_write (time_t when, char *text);
time_t http_date_read (struct http_text text);

/*  Takes the next "name=value" off the front of a query, both still encoded; false when nothing is left. */
bool http_query_next (struct http_text *query, struct http_text *name, struct http_text *value);

#endif
