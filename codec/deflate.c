/*  deflate.c - compressed WebSocket messages: what is agreed on, and the bytes */

#include "codec/deflate.h"

#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <zlib.h>

#include "core/error.h"

#define NAME "permessage-deflate"
#define BITS_MIN 8
#define MEMORY 8                        /*  zlib's: 128 KiB for a window of 2^15                        */
#define ROOM 4096                       /*  that the output grows by                                    */

/* ------------------------------------------------------------- a list of extensions */

struct words {
    const char *at, *end;
};

/*  A token, or what a quoted string says. */
struct word {
    const char *data;
    size_t size;
};

static void
skip_blanks (struct words *self)
{
    while (self->at < self->end && (*self->at == ' ' || *self->at == '\t'))
        self->at++;
}

/*  Takes this sign, if it comes next. */
static bool
take (struct words *self, char sign)
{
    skip_blanks (self);
    if (self->at == self->end || *self->at != sign)
        return false;
    self->at++;
    skip_blanks (self);
    return true;
}

/*  RFC 9110, 5.6.2. */
static bool
is_token (char c)
{
    return c > 0 && (isalnum ((unsigned char) c) || strchr ("!#$%&'*+-.^_`|~", c));
}

static bool
take_token (struct words *self, struct word *word)
{
    word->data = self->at;
    while (self->at < self->end && is_token (*self->at))
        self->at++;
    word->size = (size_t) (self->at - word->data);
    return word->size > 0;
}

/*  A value may be quoted, and is a token all the same: RFC 6455, 9.1. */
static bool
take_value (struct words *self, struct word *word)
{
    bool quoted = take (self, '"');
    return take_token (self, word) && (!quoted || take (self, '"'));
}

static bool
is (const struct word *word, const char *text)
{
    return word->size == strlen (text) && strncasecmp (word->data, text, word->size) == 0;
}

/*  What one element of the list says. */
struct element {
    bool deflate;                       /*  it is ours ...                                              */
    bool fits;                          /*  ... and its parameters are those of the RFC                 */
    bool server_forgets, client_forgets;
    bool client_window;                 /*  client_max_window_bits is there, perhaps without a number   */
    unsigned server_bits, client_bits;  /*  0: not said                                                 */
};

/*  8 to 15 without a leading zero, or 0. */
static unsigned
bits_of (const struct word *value)
{
    unsigned bits = 0;
    if (value->size == 0 || value->size > 2 || value->data[0] == '0')
        return 0;
    for (size_t i = 0; i < value->size; i++) {
        if (!isdigit ((unsigned char) value->data[i]))
            return 0;
        bits = bits * 10 + (unsigned) (value->data[i] - '0');
    }
    return bits >= BITS_MIN && bits <= DEFLATE_BITS_MAX ? bits : 0;
}

static void
read_parameter (struct element *self, const struct word *name, const struct word *value)
{
    bool fits = true;
    if (is (name, "server_no_context_takeover")) {
        fits = !self->server_forgets && !value->data;
        self->server_forgets = true;
    } else if (is (name, "client_no_context_takeover")) {
        fits = !self->client_forgets && !value->data;
        self->client_forgets = true;
    } else if (is (name, "server_max_window_bits")) {
        fits = !self->server_bits && (self->server_bits = bits_of (value));
    } else if (is (name, "client_max_window_bits")) {
        fits = !self->client_window && (!value->data || bits_of (value));
        self->client_window = true;
        self->client_bits = bits_of (value);
    } else
        fits = false;
    self->fits = self->fits && fits;
}

/*  The next element of the list. 1; 0: there is none; -1: it cannot be read. */
static int
next_element (struct words *words, struct element *self)
{
    struct word name;
    *self = (struct element) { .fits = true };
    skip_blanks (words);
    while (take (words, ','))
        continue;                       /*  empty ones are allowed                                      */
    if (words->at == words->end)
        return 0;
    if (!take_token (words, &name))
        return -1;
    self->deflate = is (&name, NAME);
    while (take (words, ';')) {
        struct word value = { 0 };
        if (!take_token (words, &name) || (take (words, '=') && !take_value (words, &value)))
            return -1;
        read_parameter (self, &name, &value);
    }
    skip_blanks (words);
    return words->at == words->end || *words->at == ',' ? 1 : -1;
}

static int
no_list (const char *text, size_t size)
{
    return error_set (WEFT_EPROTO, "Sec-WebSocket-Extensions: %.*s: not a list of extensions",
                      size < 80 ? (int) size : 80, text);
}

/* --------------------------------------------------------------- what is agreed on */

static unsigned
least (unsigned a, unsigned b)
{
    return b && b < a ? b : a;
}

static void
agree (const struct element *offer, unsigned bits, bool forget, struct deflate_terms *terms)
{
    terms->agreed = true;
    terms->server = (struct deflate_side) { (unsigned char) least (bits, offer->server_bits),
                                            forget || offer->server_forgets };
    terms->client = (struct deflate_side) { DEFLATE_BITS_MAX, forget || offer->client_forgets };
    terms->names_window = offer->server_bits || bits < DEFLATE_BITS_MAX;
    if (offer->client_window)           /*  only who says so can be asked for a smaller one             */
        terms->client.bits = (unsigned char) least (bits, offer->client_bits);
}

int
deflate_accept (const char *offers, size_t size, unsigned bits, bool forget, struct deflate_terms *terms)
{
    struct words words = { offers, offers + size };
    struct element offer;
    int found;
    *terms = (struct deflate_terms) { 0 };
    while ((found = next_element (&words, &offer)) > 0)
        if (offer.deflate && offer.fits && !terms->agreed)
            agree (&offer, bits, forget, terms);
    return found < 0 ? no_list (offers, size) : 0;
}

void
deflate_answer (const struct deflate_terms *terms, char text[DEFLATE_TEXT])
{
    text[0] = '\0';
    if (!terms->agreed)
        return;
    int at = snprintf (text, DEFLATE_TEXT, NAME "%s%s", terms->server.forgets ? "; server_no_context_takeover" : "",
                       terms->client.forgets ? "; client_no_context_takeover" : "");
    if (terms->names_window)
        at += snprintf (text + at, (size_t) (DEFLATE_TEXT - at), "; server_max_window_bits=%d", terms->server.bits);
    if (terms->client.bits < DEFLATE_BITS_MAX)
        snprintf (text + at, (size_t) (DEFLATE_TEXT - at), "; client_max_window_bits=%d", terms->client.bits);
}

void
deflate_offer (unsigned bits, bool forget, char text[DEFLATE_TEXT])
{
    int at = snprintf (text, DEFLATE_TEXT, NAME "%s; client_max_window_bits", forget
                       ? "; server_no_context_takeover; client_no_context_takeover" : "");
    if (bits < DEFLATE_BITS_MAX)
        snprintf (text + at, (size_t) (DEFLATE_TEXT - at), "=%u; server_max_window_bits=%u", bits, bits);
}

int
deflate_confirm (const char *answer, size_t size, unsigned bits, bool forget, struct deflate_terms *terms)
{
    struct words words = { answer, answer + size };
    struct element found, other;
    *terms = (struct deflate_terms) { 0 };
    int rc = next_element (&words, &found), more = rc > 0 ? next_element (&words, &other) : 0;
    if (rc == 0)
        return 0;
    if (rc < 0 || more < 0)
        return no_list (answer, size);
    if (more || !found.deflate)
        return error_set (WEFT_EPROTO, "the server chose an extension that was not offered: %.*s",
                          size < 80 ? (int) size : 80, answer);
    bool wide = bits < DEFLATE_BITS_MAX && (!found.server_bits || found.server_bits > bits);
    if (!found.fits || (found.client_window && !found.client_bits) || wide || (forget && !found.server_forgets))
        return error_set (WEFT_EPROTO, "the server answered " NAME " with terms that were not offered: %.*s",
                          size < 80 ? (int) size : 80, answer);
    terms->agreed = true;
    terms->names_window = found.server_bits > 0;
    terms->server = (struct deflate_side) { (unsigned char) least (DEFLATE_BITS_MAX, found.server_bits),
                                            found.server_forgets };
    terms->client = (struct deflate_side) { (unsigned char) least (bits, found.client_bits),
                                            forget || found.client_forgets };
    return 0;
}

/* ------------------------------------------------------------------------ messages */

struct deflater {
    z_stream zlib;
    bool forgets;
};

struct inflater {
    z_stream zlib;
    bool forgets;
    bool at_end;                        /*  a last block has just ended                                 */
};

int
deflater_new (const struct deflate_side *side, struct deflater **handle)
{
    *handle = NULL;
    if (side->bits == BITS_MIN)
        return 0;
    struct deflater *self = calloc (1, sizeof *self);
    if (!self || deflateInit2 (&self->zlib, Z_DEFAULT_COMPRESSION, Z_DEFLATED, -side->bits, MEMORY,
                               Z_DEFAULT_STRATEGY) != Z_OK) {
        free (self);
        return error_plain (WEFT_ENOMEM);
    }
    self->forgets = side->forgets;
    *handle = self;
    return 0;
}

int
inflater_new (const struct deflate_side *side, struct inflater **handle)
{
    struct inflater *self = calloc (1, sizeof *self);
    if (!self || inflateInit2 (&self->zlib, -side->bits) != Z_OK) {
        free (self);
        return error_plain (WEFT_ENOMEM);
    }
    self->forgets = side->forgets;
    *handle = self;
    return 0;
}

void
deflater_destroy (struct deflater **handle)
{
    if (*handle)
        deflateEnd (&(*handle)->zlib);
    free (*handle);
    *handle = NULL;
}

void
inflater_destroy (struct inflater **handle)
{
    if (*handle)
        inflateEnd (&(*handle)->zlib);
    free (*handle);
    *handle = NULL;
}

/*  zlib counts in unsigned: what is larger is given to it in parts. */
static unsigned
at_once (size_t size)
{
    return size < (1u << 30) ? (unsigned) size : 1u << 30;
}

/*  A flush ends with an empty stored block, 00 00 ff ff, which is left out (7.2.1). */
int
deflater_run (struct deflater *self, const void *data, size_t size, struct buffer *out)
{
    z_stream *zlib = &self->zlib;
    size_t before = buffer_size (out), left = size;
    zlib->next_in = (unsigned char *) (uintptr_t) data;
    zlib->avail_in = 0;
    do {
        unsigned char *room = (unsigned char *) buffer_reserve (out, ROOM);
        if (!room)
            return WEFT_ENOMEM;
        if (zlib->avail_in == 0) {
            zlib->avail_in = at_once (left);
            left -= zlib->avail_in;
        }
        zlib->next_out = room;
        zlib->avail_out = ROOM;
        deflate (zlib, left ? Z_NO_FLUSH : Z_SYNC_FLUSH);
        buffer_wrote (out, ROOM - zlib->avail_out);
    } while (zlib->avail_in || left || zlib->avail_out == 0);
    if (self->forgets)
        deflateReset (zlib);
    size_t made = buffer_size (out) - before;
    if (made < 4)                       /*  an empty message on top of an empty one: nothing to flush   */
        return buffer_add (out, "", 1);
    buffer_cut (out, before + made - 4);
    return 0;
}

void
deflater_forget (struct deflater *self)
{
    deflateReset (&self->zlib);
}

/*  Reads on until `size` bytes are used up. */
static int
inflate_part (struct inflater *self, const void *data, size_t size, size_t max, struct buffer *out)
{
    z_stream *zlib = &self->zlib;
    zlib->next_in = (unsigned char *) (uintptr_t) data;
    zlib->avail_in = 0;
    do {
        size_t room = max - buffer_size (out) + 1;      /*  one more, to see that it is too much        */
        room = room < ROOM ? room : ROOM;
        zlib->next_out = (unsigned char *) buffer_reserve (out, room);
        if (!zlib->next_out)
            return WEFT_ENOMEM;
        if (zlib->avail_in == 0) {
            zlib->avail_in = at_once (size);
            size -= zlib->avail_in;
        }
        zlib->avail_out = (unsigned) room;
        int rc = inflate (zlib, Z_SYNC_FLUSH);
        buffer_wrote (out, room - zlib->avail_out);
        if (rc == Z_MEM_ERROR)
            return error_plain (WEFT_ENOMEM);
        if (buffer_size (out) > max)
            return error_set (WEFT_ETOOBIG, "a message of more than %zu bytes, when it is no more compressed", max);
        self->at_end = rc == Z_STREAM_END;
        if (self->at_end)               /*  another block may follow it: 7.2.3.4                        */
            inflateResetKeep (zlib);
        else if (rc != Z_OK && rc != Z_BUF_ERROR)
            return error_set (WEFT_EPROTO, "a compressed message that is damaged");
    } while (zlib->avail_in || size || zlib->avail_out == 0);
    return 0;
}

int
inflater_run (struct inflater *self, const void *data, size_t size, size_t max, struct buffer *out)
{
    self->at_end = false;
    int rc = inflate_part (self, data, size, max, out);
    if (rc == 0 && !self->at_end)
        rc = inflate_part (self, "\0\0\xff\xff", 4, max, out);
    /*  128: at the end of a block, and in its low bits what is left of a byte. */
    if (rc == 0 && !self->at_end && self->zlib.data_type != 128)
        rc = error_set (WEFT_EPROTO, "a compressed message that is not whole");
    if (self->forgets || rc)
        inflateReset (&self->zlib);
    return rc;
}
