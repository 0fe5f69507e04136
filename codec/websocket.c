/*  websocket.c - WebSocket: bytes <-> frames <-> messages */

#include "codec/websocket.h"

#include <stdlib.h>
#include <string.h>

#include "core/error.h"

#define LAST 0x80                       /*  bits of the first byte ...                                  */
#define COMPRESSED 0x40
#define RESERVED 0x30
#define OPCODE 0x0f
#define CONTROL 0x08
#define MASKED 0x80                     /*  ... and of the second                                       */
#define LENGTH 0x7f
#define SHARE 4096                      /*  a longer message is not copied any more when it is whole    */
#define PACKED_OVER(size) ((size) / 1000 + 64)  /*  by how much compression may make it larger          */

void
websocket_init (struct websocket_decoder *self, bool client, size_t max_size, struct inflater *inflater)
{
    memset (self, 0, sizeof *self);
    self->client = client;
    self->max_size = max_size;
    self->inflater = inflater;
    buffer_init (&self->body, 0);
    weft_msg_init (&self->msg);
}

void
websocket_free (struct websocket_decoder *self)
{
    buffer_free (&self->body);
    weft_msg_clear (&self->msg);
}

/* ----------------------------------------------------------------------- masking */

void
websocket_mask (void *to, const void *from, size_t size, const unsigned char key[4], uint64_t at)
{
    unsigned char *out = to, turned[8];
    const unsigned char *in = from;
    uint64_t word, keys;
    for (size_t i = 0; i < sizeof turned; i++)
        turned[i] = key[(at + i) & 3];
    memcpy (&keys, turned, sizeof keys);
    for (; size >= sizeof word; size -= sizeof word, in += sizeof word, out += sizeof word) {
        memcpy (&word, in, sizeof word);
        word ^= keys;
        memcpy (out, &word, sizeof word);
    }
    for (size_t i = 0; i < size; i++)
        out[i] = in[i] ^ turned[i & 3];
}

static void
turn_key (unsigned char key[4], size_t by)
{
    unsigned char was[4];
    memcpy (was, key, sizeof was);
    for (size_t i = 0; i < sizeof was; i++)
        key[i] = was[(by + i) & 3];
}

/* ------------------------------------------------------------------ heads of frames */

struct head {
    bool last, compressed;
    unsigned char opcode;
    unsigned char key[4];
    uint64_t length;
    size_t size;                        /*  its own                                                     */
};

static int fail (struct websocket_decoder *self, unsigned code, const char *why) COLD;

static int
fail (struct websocket_decoder *self, unsigned code, const char *why)
{
    self->failed = code;
    return error_set (code == CLOSE_TOO_BIG ? WEFT_ETOOBIG : WEFT_EPROTO, "%s", why);
}

/*  What the first two bytes allow to say: more are not waited for. */
static int
check_start (struct websocket_decoder *self, const struct head *head, const unsigned char *data)
{
    bool control = head->opcode & CONTROL;
    if (data[0] & RESERVED || (head->compressed && !self->inflater))
        return fail (self, CLOSE_PROTOCOL, "a frame with a bit that nobody has agreed on");
    if ((head->opcode > WEBSOCKET_BINARY && !control) || head->opcode > WEBSOCKET_PONG)
        return fail (self, CLOSE_PROTOCOL, "a frame of a kind that there is not");
    if (!!(data[1] & MASKED) == self->client)
        return fail (self, CLOSE_PROTOCOL, self->client ? "a masked frame from a server"
                     : "a frame from a client that is not masked");
    if (control && (!head->last || (data[1] & LENGTH) > WEBSOCKET_CONTROL_MAX || head->compressed))
        return fail (self, CLOSE_PROTOCOL, "a control frame that is too long, in parts, or compressed");
    if (control)
        return 0;
    if (head->opcode == WEBSOCKET_MORE && (!self->opcode || head->compressed))
        return fail (self, CLOSE_PROTOCOL, "a frame that goes on with a message, and there is none");
    if (head->opcode != WEBSOCKET_MORE && self->opcode)
        return fail (self, CLOSE_PROTOCOL, "a new message within another");
    return 0;
}

/*  1; 0: more is needed. */
static int
read_head (struct websocket_decoder *self, const unsigned char *data, size_t size, struct head *head)
{
    if (size < 2)
        return 0;
    head->last = data[0] & LAST;
    head->compressed = data[0] & COMPRESSED;
    head->opcode = data[0] & OPCODE;
    int rc = check_start (self, head, data);
    if (rc)
        return rc;
    size_t length = data[1] & LENGTH, bytes = length == 127 ? 8 : length == 126 ? 2 : 0;
    head->size = 2 + bytes + (self->client ? 0 : sizeof head->key);
    if (size < head->size)
        return 0;
    head->length = bytes ? 0 : length;
    for (size_t i = 0; i < bytes; i++)
        head->length = head->length << 8 | data[2 + i];
    if (bytes && (head->length < (bytes == 2 ? 126 : 65536) || head->length >> 63))
        return fail (self, CLOSE_PROTOCOL, "a frame whose length is not written as it has to be");
    memset (head->key, 0, sizeof head->key);
    if (!self->client)
        memcpy (head->key, data + 2 + bytes, sizeof head->key);
    return 1;
}

/* ------------------------------------------------------------------------- messages */

static int64_t
tell (struct websocket_decoder *self, enum websocket_opcode what, size_t used)
{
    self->told.what = what;
    self->told.msg = &self->msg;
    self->ahead = used;
    return (int64_t) used;
}

static int
not_text (struct websocket_decoder *self)
{
    return fail (self, CLOSE_NOT_TEXT, "a message of text that is not UTF-8");
}

static int
too_big (struct websocket_decoder *self)
{
    return fail (self, CLOSE_TOO_BIG, "a message of more bytes than --max-size");
}

/*  The usual: a message in one frame, all of which is there. */
static int64_t
read_at_once (struct websocket_decoder *self, const struct head *head, const unsigned char *data)
{
    size_t size = (size_t) head->length;
    void *body = weft_msg_reserve (&self->msg, size);
    if (!body)
        return WEFT_ENOMEM;
    if (self->client)
        memcpy (body, data + head->size, size);
    else
        websocket_mask (body, data + head->size, size, head->key, 0);
    if (head->opcode == WEBSOCKET_TEXT && !utf8_valid (body, size))
        return not_text (self);
    return tell (self, head->opcode, head->size + size);
}

static void
release (void *data, void *hint)
{
    (void) hint;
    free (data);
}

/*  The bytes of a buffer become the message. */
static int
to_message (struct websocket_decoder *self, struct buffer *from)
{
    int rc;
    if (buffer_size (from) < SHARE)
        rc = weft_msg_add (&self->msg, buffer_data (from), buffer_size (from));
    else {
        rc = weft_msg_add_owned (&self->msg, from->base, buffer_size (from), release, NULL);
        if (rc == 0)
            buffer_init (from, 0);      /*  it is the message's now                                     */
    }
    buffer_free (from);
    return rc;
}

static int
unpack (struct websocket_decoder *self)
{
    struct buffer plain;
    buffer_init (&plain, 0);
    int rc = inflater_run (self->inflater, buffer_data (&self->body), buffer_size (&self->body), self->max_size,
                           &plain);
    buffer_free (&self->body);
    self->body = plain;
    if (rc)
        self->failed = rc == WEFT_ETOOBIG ? CLOSE_TOO_BIG : rc == WEFT_EPROTO ? CLOSE_NOT_TEXT : CLOSE_INTERNAL;
    return rc;
}

static int64_t
end_message (struct websocket_decoder *self, size_t used)
{
    enum websocket_opcode what = self->opcode;
    int rc = self->compressed ? unpack (self) : 0;
    if (rc)
        return rc;
    if (what == WEBSOCKET_TEXT && self->compressed
        && !utf8_add (&self->utf8, buffer_data (&self->body), buffer_size (&self->body)))
        return not_text (self);
    if (what == WEBSOCKET_TEXT && !utf8_whole (&self->utf8))
        return not_text (self);
    rc = to_message (self, &self->body);
    self->opcode = 0;
    return rc ? rc : tell (self, what, used);
}

/*  The payload of a frame in whatever pieces; `used` bytes before it are read. */
static int64_t
read_payload (struct websocket_decoder *self, const unsigned char *data, size_t size, size_t used)
{
    size_t count = size - used < self->left ? size - used : (size_t) self->left;
    char *room = buffer_reserve (&self->body, count);
    if (!room)
        return WEFT_ENOMEM;
    websocket_mask (room, data + used, count, self->key, 0);
    turn_key (self->key, count);
    if (self->opcode == WEBSOCKET_TEXT && !self->compressed && !utf8_add (&self->utf8, room, count))
        return not_text (self);
    buffer_wrote (&self->body, count);
    used += count;
    self->left -= count;
    if (self->left) {                   /*  one byte stays                                              */
        self->ahead = 1;
        return (int64_t) used - 1;
    }
    self->in_frame = false;
    self->ahead = 0;
    return self->last ? end_message (self, used) : (int64_t) used;
}

static int64_t
begin_frame (struct websocket_decoder *self, const struct head *head, const unsigned char *data, size_t size)
{
    bool first = head->opcode != WEBSOCKET_MORE;
    bool compressed = first ? head->compressed : self->compressed;
    size_t limit = self->max_size + (compressed ? PACKED_OVER (self->max_size) : 0);
    if (head->length > limit - buffer_size (&self->body))
        return too_big (self);
    if (first && head->last && !compressed && size - head->size >= head->length)
        return read_at_once (self, head, data);
    if (first) {
        self->opcode = head->opcode;
        self->compressed = compressed;
        self->utf8 = (struct utf8) { 0 };
    }
    self->in_frame = true;
    self->last = head->last;
    self->left = head->length;
    memcpy (self->key, head->key, sizeof self->key);
    return read_payload (self, data, size, head->size);
}

/* --------------------------------------------------------------------- control frames */

/*  RFC 6455, 7.4, and what is registered since. */
static bool
may_close_with (unsigned code)
{
    return (code >= 1000 && code <= 1014 && code != 1004 && code != CLOSE_NO_CODE && code != 1006)
           || (code >= 3000 && code <= 4999);
}

static int
read_close (struct websocket_decoder *self, size_t size)
{
    self->closed = true;
    self->told.code = CLOSE_NO_CODE;
    if (size == 0)
        return 0;
    self->told.code = size == 1 ? 0 : (unsigned) self->control[0] << 8 | self->control[1];
    if (!may_close_with (self->told.code))
        return fail (self, CLOSE_PROTOCOL, "a Close with a code that there is not");
    self->told.data += 2;
    self->told.size -= 2;
    if (!utf8_valid (self->told.data, self->told.size))
        return fail (self, CLOSE_NOT_TEXT, "a Close whose reason is not UTF-8");
    return 0;
}

static int64_t
read_control (struct websocket_decoder *self, const struct head *head, const unsigned char *data, size_t size)
{
    size_t length = (size_t) head->length;
    if (size - head->size < length)
        return 0;
    websocket_mask (self->control, data + head->size, length, head->key, 0);
    self->told.data = self->control;
    self->told.size = length;
    int rc = head->opcode == WEBSOCKET_CLOSE ? read_close (self, length) : 0;
    return rc ? rc : tell (self, head->opcode, head->size + length);
}

/* ------------------------------------------------------------------------ the reader */

int64_t
websocket_next (struct websocket_decoder *self, const unsigned char *data, size_t size, struct websocket_event *event)
{
    struct head head = { 0 };
    int64_t used;
    if (self->told.what != WEBSOCKET_MORE) {
        *event = self->told;
        return (int64_t) self->ahead;
    }
    event->what = WEBSOCKET_MORE;
    if (self->closed)
        return (int64_t) size;
    if (self->in_frame)
        used = size > self->ahead ? read_payload (self, data, size, self->ahead) : 0;
    else {
        int rc = read_head (self, data, size, &head);
        if (rc <= 0)
            used = rc;
        else if (head.opcode & CONTROL)
            used = read_control (self, &head, data, size);
        else
            used = begin_frame (self, &head, data, size);
    }
    if (used < 0 && !self->failed)
        self->failed = CLOSE_INTERNAL;
    *event = self->told;
    return used;
}

void
websocket_taken (struct websocket_decoder *self)
{
    self->told = (struct websocket_event) { 0 };
    self->ahead = 0;
    weft_msg_clear (&self->msg);
}

/* --------------------------------------------------------------------- encoding */

size_t
websocket_head (unsigned char head[WEBSOCKET_HEAD], enum websocket_opcode opcode, bool compressed, uint64_t size,
                const unsigned char key[4])
{
    size_t bytes = size > 65535 ? 8 : size > 125 ? 2 : 0;
    head[0] = (unsigned char) (LAST | (compressed ? COMPRESSED : 0) | opcode);
    head[1] = (unsigned char) ((key ? MASKED : 0) | (bytes == 8 ? 127 : bytes == 2 ? 126 : (int) size));
    for (size_t i = 0; i < bytes; i++)
        head[2 + i] = (unsigned char) (size >> (8 * (bytes - 1 - i)));
    if (!key)
        return 2 + bytes;
    memcpy (head + 2 + bytes, key, 4);
    return 2 + bytes + 4;
}

size_t
websocket_reason (unsigned char data[WEBSOCKET_CONTROL_MAX], unsigned code, const char *reason)
{
    if (code == CLOSE_NO_CODE)
        return 0;
    data[0] = (unsigned char) (code >> 8);
    data[1] = (unsigned char) code;
    size_t size = strnlen (reason, WEBSOCKET_CONTROL_MAX - 2);
    memcpy (data + 2, reason, size);
    while (size && !utf8_valid (data + 2, size))    /*  no character is cut                             */
        size--;
    return 2 + size;
}
