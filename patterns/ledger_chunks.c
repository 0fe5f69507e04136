/*  ledger_chunks.c - operations that wait for the writer, in chunks of memory */

#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "patterns/ledger_parts.h"

enum { CHUNK = 256 << 10 };

static size_t
aligned (size_t size)
{
    return (size + _Alignof (max_align_t) - 1) & ~(_Alignof (max_align_t) - 1);
}

/*  Room for an operation with `extra` bytes behind it, counted already. */
static struct ledger_op *
room (struct ledger_chunks *self, struct ledger_chunk **spare, enum ledger_kind kind, size_t extra)
{
    size_t size = aligned (sizeof (struct ledger_op) + extra);
    struct ledger_chunk *chunk = self->last;
    if (!chunk || chunk->capacity - chunk->used < size) {
        if (*spare && size <= (*spare)->capacity) {
            chunk = *spare;
            *spare = NULL;
        } else {
            size_t capacity = size > CHUNK ? size : CHUNK;
            chunk = malloc (sizeof *chunk + capacity);
            if (!chunk)
                return NULL;
            chunk->capacity = capacity;
        }
        chunk->next = NULL;
        chunk->used = chunk->done = 0;
        if (self->last)
            self->last->next = chunk;
        else
            self->first = chunk;
        self->last = chunk;
    }
    struct ledger_op *op = (struct ledger_op *) (void *) (chunk->data + chunk->used);
    op->size = size;
    op->kind = kind;
    chunk->used += size;
    self->bytes += size;
    return op;
}

static const void *
put (char **at, const void *data, size_t size)
{
    if (!data)
        return NULL;
    char *to = *at;
    memcpy (to, data, size);
    *at += size;
    return to;
}

int
ledger_chunks_job (struct ledger_chunks *self, struct ledger_chunk **spare, const struct ledger_job *job)
{
    size_t command = job->command_size < LEDGER_COMMAND_MAX ? job->command_size : LEDGER_COMMAND_MAX;
    size_t extra = job->spec_size + (job->command ? command : 0) + (job->hash ? 16 : 0);
    struct ledger_op *op = room (self, spare, LEDGER_JOB, extra);
    if (!op)
        return error_plain (WEFT_ENOMEM);
    char *at = (char *) (op + 1);
    op->job = *job;
    op->job.spec = put (&at, job->spec ? job->spec : "", job->spec_size);
    op->job.command = put (&at, job->command, command);
    op->job.command_size = command;
    op->job.hash = put (&at, job->hash, 16);
    return 0;
}

static size_t
measure (const char *text)
{
    return text ? strnlen (text, LEDGER_TEXT_MAX) : 0;
}

static const char *
put_text (char **at, const char *text, size_t size)
{
    const char *copy = put (at, text, size);
    if (copy)
        *(*at)++ = '\0';
    return copy;
}

int
ledger_chunks_result (struct ledger_chunks *self, struct ledger_chunk **spare, enum ledger_kind kind,
                      const struct ledger_result *result)
{
    size_t why = measure (result->why), worker = measure (result->worker), host = measure (result->host);
    size_t output = measure (result->output);
    struct ledger_op *op = room (self, spare, kind, why + worker + host + output + 4);
    if (!op)
        return error_plain (WEFT_ENOMEM);
    char *at = (char *) (op + 1);
    op->result = *result;
    op->result.why = put_text (&at, result->why, why);
    op->result.worker = put_text (&at, result->worker, worker);
    op->result.host = put_text (&at, result->host, host);
    op->result.output = put_text (&at, result->output, output);
    return 0;
}

int
ledger_chunks_piece (struct ledger_chunks *self, struct ledger_chunk **spare, const struct ledger_piece *piece)
{
    size_t place = measure (piece->place);
    struct ledger_op *op = room (self, spare, LEDGER_PIECE, place + 1);
    if (!op)
        return error_plain (WEFT_ENOMEM);
    char *at = (char *) (op + 1);
    op->piece = *piece;
    op->piece.place = put_text (&at, piece->place, place);
    return 0;
}

int
ledger_chunks_dealt (struct ledger_chunks *self, struct ledger_chunk **spare, uint64_t id)
{
    struct ledger_op *op = room (self, spare, LEDGER_DEALT, 0);
    if (!op)
        return error_plain (WEFT_ENOMEM);
    op->dealt = id;
    return 0;
}

void
ledger_chunks_drop (struct ledger_chunks *self, struct ledger_chunk **spare)
{
    struct ledger_chunk *chunk = self->first;
    self->first = chunk->next;
    if (!self->first)
        self->last = NULL;
    self->bytes -= chunk->used;
    if (!*spare && chunk->capacity == CHUNK)
        *spare = chunk;
    else
        free (chunk);
}

void
ledger_chunks_free (struct ledger_chunks *self)
{
    while (self->first) {
        struct ledger_chunk *next = self->first->next;
        free (self->first);
        self->first = next;
    }
    *self = (struct ledger_chunks){ 0 };
}
