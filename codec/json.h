/*  json.h - JSON text <-> values (RFC 8259), strict and small
 *
 *  The reader pulls one value after another out of a text in memory; it builds no
 *  tree and allocates nothing: strings are unescaped where they stand, so it
 *  changes the text, and what it hands out points into it. Every failure is WEFT_EPROTO with the
 *  column in the words. It knows nothing of messages: codec/format stands on it. */

#ifndef WEFT_CODEC_JSON_H
#define WEFT_CODEC_JSON_H

#include <stdbool.h>
#include <stddef.h>

#include "core/buffer.h"

#define JSON_DEPTH_MAX 32           /*  objects and arrays within each other */

struct json_reader {
    char *base, *at, *end;
    unsigned depth;                 /*  that have been entered                                  */
    bool fresh;                     /*  nothing was taken yet from the one last entered         */
};

struct json_string {
    char *data;                     /*  valid UTF-8, may hold NUL, not terminated               */
    size_t size;
};

void json_reader_init (struct json_reader *self, char *text, size_t size);

/*  What the next value begins with: one of { [ " 0 (any number) t f n, or WEFT_EPROTO. */
int json_peek (struct json_reader *self);

/*  Take a value of that kind. After json_enter, take the members (of an object: each
 *  is its key, then its value) until json_next_... returns 0, which leaves it. */
int json_enter (struct json_reader *self, char bracket);
int json_next_member (struct json_reader *self, struct json_string *key);   /*  1, or 0 after the last */
int json_next_item (struct json_reader *self);                              /*  1, or 0 after the last */
int json_take_string (struct json_reader *self, struct json_string *value);

/*  Any value, checked and dropped. */
int json_skip (struct json_reader *self);

/*  Nothing but white space is left, or WEFT_EPROTO. */
int json_end (struct json_reader *self);

/*  "column N: ..." in front of what error_set would say, for the place the reader is at. */
int json_error (const struct json_reader *self, const char *what);

bool json_string_is (const struct json_string *self, const char *text);

/*  Is it valid UTF-8 (RFC 3629) without a NUL, so that a JSON string can hold it for every reader? */
bool json_is_text (const void *data, size_t size);

/*  Adds it in quotes, escaped; it must be valid UTF-8. WEFT_ENOMEM, WEFT_ETOOBIG. */
int json_add_string (struct buffer *out, const void *data, size_t size);

#endif
