/*  pool_wire_read.c - the pool's messages from msgpack, without I/O */

#include "codec/pool_wire_parts.h"

#include <limits.h>
#include <string.h>

#include "core/error.h"

/*  The get_ functions mark the reader bad where the member is not what it should
 *  be, and then give zero: the caller looks once, at the end. */
static uint64_t
get_uint (struct pool_reader *in, uint64_t most)
{
    struct token token = token_take (in);
    if (token.type == TOKEN_UINT && token.number <= most)
        return token.number;
    in->bad = true;
    return 0;
}

static int64_t
get_int (struct pool_reader *in, int64_t least, int64_t most)
{
    struct token token = token_take (in);
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
    struct token token = token_take (in);
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
    struct token token = token_take (in);
    if (token.type == TOKEN_ARRAY && token.number >= least)
        return (uint32_t) token.number - least;
    in->bad = true;
    return 0;
}

static void
skip_members (struct pool_reader *in, uint32_t count)
{
    while (count-- && !in->bad)
        if (token_skip (in))
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
    uint32_t more = get_array (in, POOL_RECORD_COMMON);
    record->kind = (int) get_int (in, WEFT_POOL_STARTED, POOL_RECORD_RETURNED);
    record->job = get_uint (in, UINT64_MAX);
    record->tag = get_uint (in, UINT64_MAX);
    record->attempt = get_int (in, 0, INT64_MAX);
    record->slot = get_int (in, 0, 2 * POOL_SLOTS_MAX);    /*  see first-slot */
    record->name = get_name (in);
    record->host = get_name (in);
    uint32_t known = (uint32_t) pool_record_members (record->kind) - POOL_RECORD_COMMON;
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
    struct token token = token_take (&in);
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
