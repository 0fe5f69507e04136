/*  pool_wire.c - the pool's messages to and from msgpack, without I/O */

#include <limits.h>
#include <msgpack.h>
#include <string.h>

#include "codec/pool_wire.h"
#include "core/error.h"

/* ---------------------------------------------------------------- encoding */

/*  A packer that remembers whether any of its writes failed. */
struct pool_packer {
    msgpack_packer pk;
    struct buffer *out;
    int failed;
};

static int
packer_write (void *data, const char *bytes, size_t size)
{
    struct pool_packer *self = data;
    if (!self->failed && buffer_add (self->out, bytes, size))
        self->failed = WEFT_ENOMEM;
    return self->failed;
}

static void
packer_begin (struct pool_packer *self, struct buffer *out)
{
    self->out = out;
    self->failed = 0;
    msgpack_packer_init (&self->pk, self, packer_write);
}

static void
put_array (struct pool_packer *self, size_t count)
{
    msgpack_pack_array (&self->pk, count);
}

static void
put_uint (struct pool_packer *self, uint64_t number)
{
    msgpack_pack_uint64 (&self->pk, number);
}

static void
put_int (struct pool_packer *self, int64_t number)
{
    msgpack_pack_int64 (&self->pk, number);
}

static void
put_text (struct pool_packer *self, const char *text)
{
    msgpack_pack_str (&self->pk, strlen (text));
    msgpack_pack_str_body (&self->pk, text, strlen (text));
}

static void
put_bytes (struct pool_packer *self, struct pool_bytes bytes)
{
    msgpack_pack_bin (&self->pk, bytes.size);
    if (bytes.size)
        msgpack_pack_bin_body (&self->pk, bytes.data, bytes.size);
}

int
pool_put_hello (struct buffer *out, const struct pool_hello *hello)
{
    struct pool_packer pk;
    packer_begin (&pk, out);
    put_array (&pk, hello->memory ? 17 : 16);
    put_uint (&pk, POOL_HELLO);
    put_text (&pk, POOL_PROTOCOL);
    put_int (&pk, hello->version);
    put_int (&pk, hello->role);
    put_uint (&pk, hello->instance);
    put_uint (&pk, hello->session);
    put_uint (&pk, hello->next);
    put_uint (&pk, hello->last);
    put_bytes (&pk, hello->name);
    put_bytes (&pk, hello->host);
    put_int (&pk, hello->pid);
    put_int (&pk, hello->slots);
    put_int (&pk, hello->window);
    put_int (&pk, hello->heartbeat);
    put_bytes (&pk, hello->pool);
    put_array (&pk, hello->held);
    return pk.failed;
}

int
pool_put_hello_end (struct buffer *out, const struct pool_hello *hello)
{
    struct pool_packer pk;
    packer_begin (&pk, out);
    if (hello->memory)
        put_uint (&pk, hello->memory);
    return pk.failed;
}

int
pool_put_held (struct buffer *out, uint64_t id, int64_t attempt, bool begun)
{
    struct pool_packer pk;
    packer_begin (&pk, out);
    put_array (&pk, 3);
    put_uint (&pk, id);
    put_int (&pk, attempt);
    put_uint (&pk, begun);
    return pk.failed;
}

int
pool_put_welcome (struct buffer *out, const struct pool_welcome *welcome)
{
    struct pool_packer pk;
    packer_begin (&pk, out);
    put_array (&pk, 8);
    put_uint (&pk, POOL_WELCOME);
    put_text (&pk, POOL_PROTOCOL);
    put_int (&pk, welcome->version);
    put_uint (&pk, welcome->instance);
    put_uint (&pk, welcome->session);
    put_uint (&pk, welcome->have);
    put_int (&pk, welcome->heartbeat);
    put_bytes (&pk, welcome->pool);
    return pk.failed;
}

int
pool_put_refused (struct buffer *out, const char *text)
{
    struct pool_packer pk;
    packer_begin (&pk, out);
    put_array (&pk, 4);
    put_uint (&pk, POOL_REFUSED);
    put_text (&pk, POOL_PROTOCOL);
    put_int (&pk, POOL_VERSION);
    put_text (&pk, text);
    return pk.failed;
}

int
pool_put_ack (struct buffer *out, uint64_t session, uint64_t have)
{
    struct pool_packer pk;
    packer_begin (&pk, out);
    put_array (&pk, 3);
    put_uint (&pk, POOL_ACK);
    put_uint (&pk, session);
    put_uint (&pk, have);
    return pk.failed;
}

int
pool_put_heartbeat (struct buffer *out, uint64_t session, uint64_t number, uint64_t have)
{
    struct pool_packer pk;
    packer_begin (&pk, out);
    put_array (&pk, 4);
    put_uint (&pk, POOL_HEARTBEAT);
    put_uint (&pk, session);
    put_uint (&pk, number);
    put_uint (&pk, have);
    return pk.failed;
}

int
pool_put_plain (struct buffer *out, enum pool_verb verb, uint64_t session)
{
    struct pool_packer pk;
    packer_begin (&pk, out);
    put_array (&pk, 2);
    put_uint (&pk, verb);
    put_uint (&pk, session);
    return pk.failed;
}

int
pool_put_end (struct buffer *out, bool answer)
{
    struct pool_packer pk;
    packer_begin (&pk, out);
    put_array (&pk, 2);
    put_uint (&pk, POOL_END);
    put_uint (&pk, answer);
    return pk.failed;
}

int
pool_put_jobs (struct buffer *out, uint64_t session, uint64_t number, uint64_t have, uint32_t count)
{
    struct pool_packer pk;
    packer_begin (&pk, out);
    put_array (&pk, 5);
    put_uint (&pk, POOL_JOBS);
    put_uint (&pk, session);
    put_uint (&pk, number);
    put_uint (&pk, have);
    put_array (&pk, count);
    return pk.failed;
}

int
pool_put_job (struct buffer *out, uint64_t id, int64_t attempt, const void *spec, size_t size)
{
    struct pool_packer pk;
    packer_begin (&pk, out);
    put_array (&pk, 3);
    put_uint (&pk, id);
    put_int (&pk, attempt);
    packer_write (&pk, spec, size);
    return pk.failed;
}

int
pool_put_spec (struct buffer *out, const weft_job_t *job, int64_t timeout, bool stream)
{
    struct pool_packer pk;
    packer_begin (&pk, out);
    uint32_t more = job->memory ? 4 : job->cores > 1 ? 3 : job->note_size ? 2 : job->number ? 1 : 0;
    put_array (&pk, 5 + more);
    put_uint (&pk, stream);
    put_int (&pk, timeout);
    if (job->argc) {
        put_array (&pk, job->argc);
        for (size_t i = 0; i < job->argc; i++)
            put_bytes (&pk, (struct pool_bytes) { job->argv[i], strlen (job->argv[i]) });
    }
    else if (job->command)
        put_bytes (&pk, (struct pool_bytes) { job->command, strlen (job->command) });
    else
        msgpack_pack_nil (&pk.pk);
    put_bytes (&pk, (struct pool_bytes) { job->input, job->input_size });
    put_bytes (&pk, (struct pool_bytes) { job->slot_mark, job->slot_mark ? strlen (job->slot_mark) : 0 });
    if (more)
        put_uint (&pk, job->number);
    if (more > 1)
        put_bytes (&pk, (struct pool_bytes) { job->note, job->note_size });
    if (more > 2)
        put_int (&pk, job->cores);
    if (more > 3)
        put_uint (&pk, job->memory);
    return pk.failed;
}

int
pool_put_report (struct buffer *out, uint64_t number, int64_t window, uint32_t count)
{
    struct pool_packer pk;
    packer_begin (&pk, out);
    put_array (&pk, 4);
    put_uint (&pk, POOL_REPORT);
    put_uint (&pk, number);
    put_int (&pk, window);
    put_array (&pk, count);
    return pk.failed;
}

/*  Members of a record: those that all have, and those of its kind. */
#define COMMON 7

static size_t
record_members (int kind)
{
    switch (kind) {
    case WEFT_POOL_STARTED:
        return COMMON + 1;
    case WEFT_POOL_OUTPUT:
        return COMMON + 2;
    case WEFT_POOL_RETRY:
    case WEFT_POOL_DONE:
        return COMMON + 9;
    case WEFT_POOL_JOINED:
        return COMMON + 1;
    default:
        return COMMON;
    }
}

int
pool_put_record (struct buffer *out, const struct pool_record *record)
{
    struct pool_packer pk;
    packer_begin (&pk, out);
    put_array (&pk, record_members (record->kind));
    put_int (&pk, record->kind);
    put_uint (&pk, record->job);
    put_uint (&pk, record->tag);
    put_int (&pk, record->attempt);
    put_int (&pk, record->slot);
    put_bytes (&pk, record->name);
    put_bytes (&pk, record->host);
    switch (record->kind) {
    case WEFT_POOL_STARTED:
        put_bytes (&pk, record->command);
        break;
    case WEFT_POOL_OUTPUT:
        put_int (&pk, record->stream);
        put_bytes (&pk, record->data);
        break;
    case WEFT_POOL_RETRY:
    case WEFT_POOL_DONE:
        put_int (&pk, record->reason);
        put_int (&pk, record->status);
        put_int (&pk, record->signal);
        put_int (&pk, record->started);
        put_int (&pk, record->runtime);
        put_uint (&pk, record->received);
        put_uint (&pk, record->sent);
        put_bytes (&pk, record->data);
        put_bytes (&pk, record->command);
        break;
    case WEFT_POOL_JOINED:
        put_int (&pk, record->slots);
        break;
    default:
        break;
    }
    return pk.failed;
}

int
pool_put_cancel (struct buffer *out, uint64_t session, uint64_t number, bool running, uint32_t count)
{
    struct pool_packer pk;
    packer_begin (&pk, out);
    put_array (&pk, 5);
    put_uint (&pk, POOL_CANCEL);
    put_uint (&pk, session);
    put_uint (&pk, number);
    put_uint (&pk, running);
    put_array (&pk, count);
    return pk.failed;
}

int
pool_put_cancelled (struct buffer *out, uint64_t id, int64_t attempt)
{
    struct pool_packer pk;
    packer_begin (&pk, out);
    put_array (&pk, 2);
    put_uint (&pk, id);
    put_int (&pk, attempt);
    return pk.failed;
}

/* ------------------------------------------------------------------ tokens */

/*  One msgpack token: a number, the size of a string, or the count of a list. */
enum token_type {
    TOKEN_BAD,          /*  cut off, or the byte that msgpack never uses    */
    TOKEN_UINT,         /*  number, 0 and up                                */
    TOKEN_NEGATIVE,     /*  number as int64_t                               */
    TOKEN_BYTES,        /*  str or bin: data, number bytes                  */
    TOKEN_ARRAY,        /*  number members follow                           */
    TOKEN_MAP,          /*  number pairs follow                             */
    TOKEN_NIL,
    TOKEN_OTHER         /*  bool, float, ext: carries nothing we use        */
};

struct token {
    enum token_type type;
    uint64_t number;
    const char *data;
};

/*  A big-endian number of `size` bytes; false when they are not there. */
static bool
take_number (struct pool_reader *in, size_t size, uint64_t *number)
{
    if ((size_t) (in->end - in->at) < size)
        return false;
    *number = 0;
    while (size--)
        *number = *number << 8 | *in->at++;
    return true;
}

static struct token
take_bytes (struct pool_reader *in, enum token_type type, uint64_t size)
{
    struct token token = { TOKEN_BAD, size, (const char *) in->at };
    if (size <= (uint64_t) (in->end - in->at)) {
        token.type = type;
        in->at += size;
    }
    return token;
}

static struct token
take_signed (struct pool_reader *in, size_t size)
{
    struct token token = { TOKEN_BAD, 0, NULL };
    if (!take_number (in, size, &token.number))
        return token;
    unsigned unused = (unsigned) (64 - 8 * size);
    int64_t number = (int64_t) (token.number << unused) >> unused;
    token.type = number < 0 ? TOKEN_NEGATIVE : TOKEN_UINT;
    token.number = (uint64_t) number;
    return token;
}

/*  A length of `size` bytes, then that and `extra` bytes. */
static struct token
take_sized (struct pool_reader *in, enum token_type type, size_t size, size_t extra)
{
    uint64_t length;
    if (!take_number (in, size, &length))
        return (struct token) { TOKEN_BAD, 0, NULL };
    return take_bytes (in, type, length + extra);
}

static struct token
take_counted (struct pool_reader *in, enum token_type type, size_t size)
{
    struct token token = { type, 0, NULL };
    if (!take_number (in, size, &token.number))
        token.type = TOKEN_BAD;
    return token;
}

/*  Forms of 0xc0 to 0xdf, by the msgpack specification. */
static struct token
take_long (struct pool_reader *in, unsigned char first)
{
    switch (first) {
    case 0xc0:                                  /*  nil                     */
        return (struct token) { TOKEN_NIL, 0, NULL };
    case 0xc2: case 0xc3:                       /*  false, true             */
        return (struct token) { TOKEN_OTHER, 0, NULL };
    case 0xc4: case 0xc5: case 0xc6:            /*  bin 8, 16, 32           */
        return take_sized (in, TOKEN_BYTES, (size_t) 1 << (first - 0xc4), 0);
    case 0xc7: case 0xc8: case 0xc9:            /*  ext 8, 16, 32           */
        return take_sized (in, TOKEN_OTHER, (size_t) 1 << (first - 0xc7), 1);
    case 0xca:                                  /*  float                   */
        return take_bytes (in, TOKEN_OTHER, 4);
    case 0xcb:                                  /*  double                  */
        return take_bytes (in, TOKEN_OTHER, 8);
    case 0xcc: case 0xcd: case 0xce: case 0xcf: /*  uint 8, 16, 32, 64      */
        return take_counted (in, TOKEN_UINT, (size_t) 1 << (first - 0xcc));
    case 0xd0: case 0xd1: case 0xd2: case 0xd3: /*  int 8, 16, 32, 64       */
        return take_signed (in, (size_t) 1 << (first - 0xd0));
    case 0xd4: case 0xd5: case 0xd6: case 0xd7: case 0xd8:      /*  fixext  */
        return take_bytes (in, TOKEN_OTHER, ((uint64_t) 1 << (first - 0xd4)) + 1);
    case 0xd9: case 0xda: case 0xdb:            /*  str 8, 16, 32           */
        return take_sized (in, TOKEN_BYTES, (size_t) 1 << (first - 0xd9), 0);
    case 0xdc: case 0xdd:                       /*  array 16, 32            */
        return take_counted (in, TOKEN_ARRAY, (size_t) 2 << (first - 0xdc));
    case 0xde: case 0xdf:                       /*  map 16, 32              */
        return take_counted (in, TOKEN_MAP, (size_t) 2 << (first - 0xde));
    default:                                    /*  0xc1: never used        */
        return (struct token) { TOKEN_BAD, 0, NULL };
    }
}

static struct token
take_token (struct pool_reader *in)
{
    if (in->at == in->end)
        return (struct token) { TOKEN_BAD, 0, NULL };
    unsigned char first = *in->at++;
    if (first < 0x80)
        return (struct token) { TOKEN_UINT, first, NULL };
    if (first < 0x90)
        return (struct token) { TOKEN_MAP, first & 0x0f, NULL };
    if (first < 0xa0)
        return (struct token) { TOKEN_ARRAY, first & 0x0f, NULL };
    if (first < 0xc0)
        return take_bytes (in, TOKEN_BYTES, first & 0x1f);
    if (first < 0xe0)
        return take_long (in, first);
    return (struct token) { TOKEN_NEGATIVE, (uint64_t) (int64_t) (first - 256), NULL };
}

/*  Walks over one object. Returns NULL, or what is wrong with it. */
static const char *
skip_object (struct pool_reader *in)
{
    uint64_t open[POOL_DEPTH + 1] = { 1 };     /*  members still to come, a level */
    int depth = 0;
    while (depth >= 0) {
        if (!open[depth]) {
            depth--;
            continue;
        }
        open[depth]--;
        struct token token = take_token (in);
        if (token.type == TOKEN_BAD)
            return "it is cut off or not msgpack";
        if (token.type != TOKEN_ARRAY && token.type != TOKEN_MAP)
            continue;
        uint64_t members = token.type == TOKEN_MAP ? 2 * token.number : token.number;
        if (members > (uint64_t) (in->end - in->at))
            return "it promises more members than it has bytes";
        if (++depth > POOL_DEPTH)
            return "it is nested too deep";
        open[depth] = members;
    }
    return NULL;
}

int
pool_scan (const void *data, size_t size)
{
    struct pool_reader in = { data, (const unsigned char *) data + size, false };
    const char *wrong = skip_object (&in);
    if (!wrong && in.at != in.end)
        wrong = "bytes follow its end";
    return wrong ? error_set (WEFT_EPROTO, "not a pool message: %s", wrong) : 0;
}

/* ---------------------------------------------------------------- decoding */

/*  The get_ functions mark the reader bad where the member is not what it should
 *  be, and then give zero: the caller looks once, at the end. */
static uint64_t
get_uint (struct pool_reader *in, uint64_t most)
{
    struct token token = take_token (in);
    if (token.type == TOKEN_UINT && token.number <= most)
        return token.number;
    in->bad = true;
    return 0;
}

static int64_t
get_int (struct pool_reader *in, int64_t least, int64_t most)
{
    struct token token = take_token (in);
    int64_t number = (int64_t) token.number;
    bool fits = token.type == TOKEN_NEGATIVE || (token.type == TOKEN_UINT && token.number <= INT64_MAX);
    if (fits && number >= least && number <= most)
        return number;
    in->bad = true;
    return 0;
}

static struct pool_bytes
get_bytes (struct pool_reader *in, size_t most)
{
    struct token token = take_token (in);
    if (token.type == TOKEN_BYTES && token.number <= most)
        return (struct pool_bytes) { token.data, (size_t) token.number };
    in->bad = true;
    return (struct pool_bytes) { "", 0 };
}

/*  A name: it goes to terminals and logs, so no control characters. */
static struct pool_bytes
get_name (struct pool_reader *in)
{
    struct pool_bytes name = get_bytes (in, POOL_NAME_MAX);
    for (size_t i = 0; i < name.size; i++)
        if ((unsigned char) name.data[i] < 0x20 || name.data[i] == 0x7f)
            in->bad = true;
    return name;
}

/*  An array of at least `least` members; gives how many more it has. */
static uint32_t
get_array (struct pool_reader *in, uint32_t least)
{
    struct token token = take_token (in);
    if (token.type == TOKEN_ARRAY && token.number >= least)
        return (uint32_t) token.number - least;
    in->bad = true;
    return 0;
}

static void
skip_members (struct pool_reader *in, uint32_t count)
{
    while (count-- && !in->bad)
        if (skip_object (in))
            in->bad = true;
}

static int
bad_message (const char *what)
{
    return error_set (WEFT_EPROTO, "not a pool message: its %s is malformed", what);
}

/*  The name of the protocol and its version, which no version may move. */
static int
decode_version (struct pool_reader *in, int *version)
{
    struct pool_bytes protocol = get_bytes (in, POOL_NAME_MAX);
    *version = (int) get_int (in, 0, INT_MAX);
    if (in->bad || protocol.size != strlen (POOL_PROTOCOL) || memcmp (protocol.data, POOL_PROTOCOL, protocol.size))
        return error_set (WEFT_EPROTO, "the peer does not speak the pool's protocol");
    if (*version != POOL_VERSION)
        return error_set (WEFT_ENOTSUP, "the peer speaks version %d of the pool's protocol, and this is version %d",
            *version, POOL_VERSION);
    return 0;
}

/*  The identity of a pool, or nothing. */
static struct pool_bytes
get_pool (struct pool_reader *in)
{
    struct pool_bytes pool = get_bytes (in, POOL_ID);
    if (pool.size && pool.size != POOL_ID)
        in->bad = true;
    return pool;
}

static int
decode_hello (struct pool_reader *in, struct pool_hello *hello)
{
    int rc = decode_version (in, &hello->version);
    if (rc)
        return rc;
    hello->role = (enum pool_role) get_int (in, POOL_ROLE_WORKER, POOL_ROLE_HEAD);
    hello->instance = get_uint (in, UINT64_MAX);
    hello->session = get_uint (in, UINT64_MAX);
    hello->next = get_uint (in, UINT64_MAX);
    hello->last = get_uint (in, UINT64_MAX);
    hello->name = get_name (in);
    hello->host = get_name (in);
    hello->pid = get_int (in, 0, INT64_MAX);
    hello->slots = get_int (in, 0, POOL_SLOTS_MAX);
    hello->window = get_int (in, 0, POOL_WINDOW_MAX);
    hello->heartbeat = get_int (in, 0, INT_MAX);
    hello->pool = get_pool (in);
    hello->held = get_array (in, 0);
    if (hello->next < 1 || hello->last < hello->next - 1 || hello->held > POOL_HELD_MAX)
        in->bad = true;
    return in->bad ? bad_message ("HELLO") : 0;
}

static int
decode_welcome (struct pool_reader *in, struct pool_welcome *welcome)
{
    int rc = decode_version (in, &welcome->version);
    if (rc)
        return rc;
    welcome->instance = get_uint (in, UINT64_MAX);
    welcome->session = get_uint (in, UINT64_MAX);
    welcome->have = get_uint (in, UINT64_MAX);
    welcome->heartbeat = get_int (in, 0, INT_MAX);
    welcome->pool = get_pool (in);
    return in->bad ? bad_message ("WELCOME") : 0;
}

/*  Not the version: a refusal because of it must be understood. */
static int
decode_refused (struct pool_reader *in, struct pool_bytes *text)
{
    get_bytes (in, POOL_NAME_MAX);
    get_int (in, 0, INT_MAX);
    *text = get_bytes (in, POOL_CHUNK);
    return in->bad ? bad_message ("REFUSED") : 0;
}

static int
decode_members (struct pool_message *self)
{
    struct pool_reader *in = &self->reader;
    if (self->verb != POOL_REPORT)
        self->session = get_uint (in, UINT64_MAX);
    self->number = get_uint (in, UINT64_MAX);
    if (self->verb == POOL_REPORT)
        self->window = get_int (in, 0, POOL_WINDOW_MAX);
    else if (self->verb == POOL_CANCEL)
        self->running = get_uint (in, 1);
    else
        self->have = get_uint (in, UINT64_MAX);
    if (self->verb != POOL_HEARTBEAT)
        self->left = get_array (in, 0);
    return in->bad ? bad_message ("batch") : 0;
}

static int
decode_plain (struct pool_message *self)
{
    self->session = get_uint (&self->reader, UINT64_MAX);
    if (self->verb == POOL_ACK)
        self->have = get_uint (&self->reader, UINT64_MAX);
    return self->reader.bad ? bad_message ("session") : 0;
}

/*  It stands behind the jobs that are held. */
static int
decode_memory (struct pool_reader in, struct pool_hello *hello)
{
    skip_members (&in, hello->held);
    hello->memory = get_uint (&in, UINT64_MAX);
    return in.bad ? bad_message ("HELLO") : 0;
}

int
pool_decode (struct pool_message *self, const void *data, size_t size)
{
    memset (self, 0, sizeof *self);
    int rc = pool_scan (data, size);
    if (rc)
        return rc;
    self->reader = (struct pool_reader) { data, (const unsigned char *) data + size, false };
    uint32_t more = get_array (&self->reader, 1);
    self->verb = (enum pool_verb) get_uint (&self->reader, INT_MAX);
    if (self->reader.bad)
        return bad_message ("head");
    switch (self->verb) {
    case POOL_HELLO:
        rc = decode_hello (&self->reader, &self->hello);
        self->left = self->hello.held;
        return rc || more < 16 ? rc : decode_memory (self->reader, &self->hello);
    case POOL_WELCOME:
        return decode_welcome (&self->reader, &self->welcome);
    case POOL_REFUSED:
        return decode_refused (&self->reader, &self->text);
    case POOL_JOBS:
    case POOL_REPORT:
    case POOL_CANCEL:
    case POOL_HEARTBEAT:
        return decode_members (self);
    case POOL_END:
        self->answer = get_uint (&self->reader, 1);
        return self->reader.bad ? bad_message ("END") : 0;
    case POOL_ACK:
    case POOL_GOODBYE:
    case POOL_UNKNOWN:
        return decode_plain (self);
    }
    return error_set (WEFT_EPROTO, "not a pool message: verb %d is not known", (int) self->verb);
}

int
pool_next_held (struct pool_message *self, uint64_t *id, int64_t *attempt, bool *begun)
{
    struct pool_reader *in = &self->reader;
    if (!self->left)
        return 0;
    self->left--;
    uint32_t more = get_array (in, 3);
    *id = get_uint (in, UINT64_MAX);
    *attempt = get_int (in, 0, INT64_MAX);
    *begun = get_uint (in, 1);
    skip_members (in, more);
    return in->bad ? bad_message ("HELLO") : 1;
}

int
pool_next_job (struct pool_message *self, uint64_t *id, int64_t *attempt, struct pool_bytes *spec)
{
    struct pool_reader *in = &self->reader;
    if (!self->left)
        return 0;
    self->left--;
    uint32_t more = get_array (in, 3);
    *id = get_uint (in, UINT64_MAX);
    *attempt = get_int (in, 0, INT64_MAX);
    spec->data = (const char *) in->at;
    skip_members (in, 1);
    spec->size = (size_t) ((const char *) in->at - spec->data);
    skip_members (in, more);
    return in->bad ? bad_message ("job") : 1;
}

static void
get_ended (struct pool_reader *in, struct pool_record *record)
{
    record->reason = get_int (in, WEFT_JOB_EXITED, WEFT_JOB_OUTPUT_LOST);
    record->status = get_int (in, 0, 255);
    record->signal = get_int (in, 0, 255);
    record->started = get_int (in, INT64_MIN, INT64_MAX);
    record->runtime = get_int (in, 0, INT64_MAX);
    record->received = get_uint (in, UINT64_MAX);
    record->sent = get_uint (in, UINT64_MAX);
    record->data = get_bytes (in, POOL_CHUNK);
    record->command = get_bytes (in, POOL_CHUNK);
}

int
pool_next_record (struct pool_message *self, struct pool_record *record)
{
    struct pool_reader *in = &self->reader;
    if (!self->left)
        return 0;
    self->left--;
    memset (record, 0, sizeof *record);
    uint32_t more = get_array (in, COMMON);
    record->kind = (int) get_int (in, WEFT_POOL_STARTED, POOL_RECORD_RETURNED);
    record->job = get_uint (in, UINT64_MAX);
    record->tag = get_uint (in, UINT64_MAX);
    record->attempt = get_int (in, 0, INT64_MAX);
    record->slot = get_int (in, 0, 2 * POOL_SLOTS_MAX);    /*  see first-slot */
    record->name = get_name (in);
    record->host = get_name (in);
    uint32_t known = (uint32_t) record_members (record->kind) - COMMON;
    if (in->bad || more < known)
        return bad_message ("record");
    if (record->kind == WEFT_POOL_STARTED)
        record->command = get_bytes (in, POOL_CHUNK);
    else if (record->kind == WEFT_POOL_OUTPUT) {
        record->stream = get_int (in, 1, 2);
        record->data = get_bytes (in, POOL_CHUNK);
    }
    else if (record->kind == WEFT_POOL_RETRY || record->kind == WEFT_POOL_DONE)
        get_ended (in, record);
    else if (record->kind == WEFT_POOL_JOINED)
        record->slots = get_int (in, 0, POOL_SLOTS_MAX);
    skip_members (in, more - known);
    return in->bad ? bad_message ("record") : 1;
}

int
pool_next_cancelled (struct pool_message *self, uint64_t *id, int64_t *attempt)
{
    struct pool_reader *in = &self->reader;
    if (!self->left)
        return 0;
    self->left--;
    uint32_t more = get_array (in, 2);
    *id = get_uint (in, UINT64_MAX);
    *attempt = get_int (in, 0, INT64_MAX);
    skip_members (in, more);
    return in->bad ? bad_message ("CANCEL") : 1;
}

int
pool_next_argument (struct pool_reader *arguments, struct pool_bytes *argument)
{
    *argument = get_bytes (arguments, POOL_JOB_MAX);
    if (argument->size && memchr (argument->data, 0, argument->size))
        arguments->bad = true;
    return arguments->bad ? bad_message ("argument") : 1;
}

int
pool_get_spec (struct pool_spec *self, struct pool_bytes bytes, struct pool_reader *arguments)
{
    struct pool_reader in = { (const unsigned char *) bytes.data, (const unsigned char *) bytes.data + bytes.size,
                              false };
    memset (self, 0, sizeof *self);
    uint32_t more = get_array (&in, 5);
    self->stream = get_uint (&in, UINT64_MAX) & 1;
    self->timeout = get_int (&in, 0, INT_MAX);
    *arguments = in;
    struct token token = take_token (&in);
    if (token.type == TOKEN_ARRAY && token.number && token.number <= POOL_ARGS_MAX) {
        self->argc = (size_t) token.number;
        *arguments = in;
        skip_members (&in, (uint32_t) self->argc);
    }
    else if (token.type == TOKEN_BYTES && !memchr (token.data, 0, token.number))
        self->command = (struct pool_bytes) { token.data, (size_t) token.number };
    else if (token.type == TOKEN_NIL)
        self->message = true;
    else
        in.bad = true;
    self->input = get_bytes (&in, POOL_JOB_MAX);
    self->mark = get_bytes (&in, POOL_NAME_MAX);
    if (more)
        self->number = get_uint (&in, UINT64_MAX);
    if (more > 1)
        self->note = get_bytes (&in, POOL_JOB_MAX);
    if (more > 2)
        self->cores = get_int (&in, 0, POOL_SLOTS_MAX);
    if (more > 3)
        self->memory = get_uint (&in, UINT64_MAX);
    return in.bad ? bad_message ("job") : 0;
}
