/*  http_parts.h - what the files of the HTTP codec share; nobody else includes it */
#ifndef WEFT_CODEC_HTTP_PARTS_H
#define WEFT_CODEC_HTTP_PARTS_H

#include "codec/http.h"

/*  What a request and a response have in common, while their head is read. */
struct http_head {
    bool is_request;
    struct http_text method, target, path, query, reason;
    int status, minor;
    struct http_header *headers;
    size_t header_count;
    bool keep_alive, upgrade, chunked, sized;
    uint64_t length;                    /*  of the body, when it is `sized`                     */
};

/*  http_head.c: the head at `data`, with the empty line that ends it, of which each line was seen to end with CR LF. 0,
 *  or an error with *status. */
int http_parse_head (struct http_head *head, const char *data, size_t size, int *status);

/*  http_chunks.c: goes on with the body of chunks from self->scanned. 1: it is whole; 0: more are needed. */
int http_read_chunks (struct http_reader *self, const char *data, size_t size);

/*  http_text.c: what a hex digit stands for; -1: it is none. */
int http_hex_of (char digit);

/*  Keeps the status to answer, and the words. */
#define HTTP_BAD(where, number, code, ...) (*(where) = (number), error_set ((code), __VA_ARGS__))

#endif
