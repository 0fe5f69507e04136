/*  pool_wire.c - the pool's messages to msgpack, without I/O */

#include "codec/pool_wire_parts.h"

#include <limits.h>
#include <msgpack.h>
#include <string.h>

#include "core/error.h"

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

size_t
pool_record_members (int kind)
{
    switch (kind) {
    case WEFT_POOL_STARTED:
        return POOL_RECORD_COMMON + 1;
    case WEFT_POOL_OUTPUT:
        return POOL_RECORD_COMMON + 2;
    case WEFT_POOL_RETRY:
    case WEFT_POOL_DONE:
        return POOL_RECORD_COMMON + 9;
    case WEFT_POOL_JOINED:
        return POOL_RECORD_COMMON + 1;
    default:
        return POOL_RECORD_COMMON;
    }
}

int
pool_put_record (struct buffer *out, const struct pool_record *record)
{
    struct pool_packer pk;
    packer_begin (&pk, out);
    put_array (&pk, pool_record_members (record->kind));
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
