/*  ledger_commit.c - writing operations to the ledger's file, and bringing the log into it */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "patterns/ledger_store.h"

enum { TRANSACTION_BYTES = 4 << 20 };   /*  of operations; more go into the next                    */

#define NONE_CHECKPOINT TIME_S          /*  how old what is not synced may get with LEDGER_NONE     */

/* ----------------------------------------------------------------- writing */

const char *
ledger_store_trouble (const struct ledger_store *self)
{
    return self->trouble;
}

/*  What the system said of the last call that failed: commits write to the log, checkpoints to the file. */
static int
system_error (struct ledger_store *self, bool log)
{
    int number = 0;
    sqlite3_file *file = NULL;
    sqlite3_file_control (self->db, "main", log ? SQLITE_FCNTL_JOURNAL_POINTER : SQLITE_FCNTL_FILE_POINTER, &file);
    if (file && file->pMethods)
        file->pMethods->xFileControl (file, SQLITE_FCNTL_LAST_ERRNO, &number);
    return number;
}

/*  After a write that failed nothing has changed; after a sync that failed nobody knows. A file system with quotas says
 *  EDQUOT, which SQLite does not know. */
static enum ledger_outcome
judge (struct ledger_store *self, const char *what, bool log)
{
    int rc = sqlite3_extended_errcode (self->db), number = (rc & 0xff) == SQLITE_IOERR ? system_error (self, log) : 0;
    bool full = number == ENOSPC || number == EDQUOT;
    char words[128];
    snprintf (self->trouble, sizeof self->trouble, "%s: %s: %s%s%s (%d)", self->path, what, sqlite3_errmsg (self->db),
              number ? ": " : "", number ? strerror_r (number, words, sizeof words) : "", rc);
    switch (rc) {
    case SQLITE_FULL:
    case SQLITE_NOMEM:
    case SQLITE_IOERR_NOMEM:
    case SQLITE_IOERR_SHMSIZE:
        return LEDGER_AGAIN;
    case SQLITE_IOERR_WRITE:
        return full ? LEDGER_AGAIN : LEDGER_LOST;
    default:
        return (rc & 0xff) == SQLITE_BUSY || (rc & 0xff) == SQLITE_LOCKED ? LEDGER_AGAIN : LEDGER_LOST;
    }
}

static int
step (sqlite3_stmt *statement)
{
    int rc = sqlite3_step (statement);
    sqlite3_reset (statement);
    return rc;
}

static void
bind_text (sqlite3_stmt *statement, int at, const char *text)
{
    sqlite3_bind_text (statement, at, text, -1, SQLITE_STATIC);
}

static int
write_job (sqlite3_stmt *statement, const struct ledger_job *job)
{
    sqlite3_bind_int64 (statement, 1, (int64_t) job->id);
    sqlite3_bind_int64 (statement, 2, (int64_t) job->tag);
    sqlite3_bind_int (statement, 3, job->priority);
    sqlite3_bind_int64 (statement, 4, job->submitted);
    sqlite3_bind_text (statement, 5, job->command, (int) job->command_size, SQLITE_STATIC);
    sqlite3_bind_blob (statement, 6, job->hash, 16, SQLITE_STATIC);
    sqlite3_bind_blob (statement, 7, job->spec, (int) job->spec_size, SQLITE_STATIC);
    return step (statement);
}

static int
write_start (sqlite3_stmt *statement, const struct ledger_result *start)
{
    sqlite3_bind_int64 (statement, 1, (int64_t) start->job);
    sqlite3_bind_int64 (statement, 2, start->attempt);
    bind_text (statement, 3, start->worker);
    bind_text (statement, 4, start->host);
    sqlite3_bind_int (statement, 5, start->slot);
    sqlite3_bind_int64 (statement, 6, start->started);
    return step (statement);
}

static int
write_result (sqlite3_stmt *statement, const struct ledger_result *result)
{
    sqlite3_bind_int64 (statement, 1, (int64_t) result->job);
    sqlite3_bind_int64 (statement, 2, result->attempt);
    sqlite3_bind_int (statement, 3, result->reason);
    sqlite3_bind_int (statement, 4, result->status);
    sqlite3_bind_int (statement, 5, result->signal);
    bind_text (statement, 6, result->why);
    bind_text (statement, 7, result->worker);
    bind_text (statement, 8, result->host);
    sqlite3_bind_int (statement, 9, result->slot);
    sqlite3_bind_int64 (statement, 10, result->started);
    sqlite3_bind_int64 (statement, 11, result->runtime);
    sqlite3_bind_int64 (statement, 12, ledger_clipped (result->received));
    sqlite3_bind_int64 (statement, 13, ledger_clipped (result->sent));
    bind_text (statement, 14, result->output);
    return step (statement);
}

static int
write_piece (sqlite3_stmt *statement, const struct ledger_piece *piece)
{
    sqlite3_bind_int64 (statement, 1, (int64_t) piece->job);
    sqlite3_bind_int64 (statement, 2, piece->attempt);
    sqlite3_bind_int64 (statement, 3, ledger_clipped (piece->report));
    sqlite3_bind_int64 (statement, 4, ledger_clipped (piece->bytes));
    bind_text (statement, 5, piece->place);
    return step (statement);
}

static int
write_retry (sqlite3_stmt *statement, const struct ledger_job *job)
{
    sqlite3_bind_int64 (statement, 1, (int64_t) job->retries);
    sqlite3_bind_int64 (statement, 2, (int64_t) job->id);
    return step (statement);
}

static int
write_op (struct ledger_store *self, const struct ledger_op *op)
{
    int rc;
    switch (op->kind) {
    case LEDGER_JOB:
        rc = write_job (self->statements[STATEMENT_JOB], &op->job);
        return rc != SQLITE_DONE || !op->job.retries ? rc
               : write_retry (self->statements[STATEMENT_RETRIED], &op->job);
    case LEDGER_START: return write_start (self->statements[STATEMENT_START], &op->result);
    case LEDGER_RETRY: return write_result (self->statements[STATEMENT_RETRY], &op->result);
    case LEDGER_RESULT: return write_result (self->statements[STATEMENT_RESULT], &op->result);
    case LEDGER_PIECE: return write_piece (self->statements[STATEMENT_PIECE], &op->piece);
    case LEDGER_DEALT:
    default:
        sqlite3_bind_int64 (self->statements[STATEMENT_DEALT], 1, (int64_t) op->dealt);
        return step (self->statements[STATEMENT_DEALT]);
    }
}

/*  SQLite would go on to write to a file that has no name any more. */
static bool
was_taken (struct ledger_store *self)
{
    int moved = 0;
    if (sqlite3_file_control (self->db, "main", SQLITE_FCNTL_HAS_MOVED, &moved) == SQLITE_OK && moved)
        snprintf (self->trouble, sizeof self->trouble, "%s: the ledger was moved or deleted", self->path);
    return moved;
}

enum ledger_outcome
ledger_store_commit (struct ledger_store *self, struct ledger_chunks *ops, size_t most, size_t *count, size_t *bytes)
{
    enum ledger_outcome outcome;
    uint64_t repeats = 0;
    size_t taken = 0, size = 0, done = ops->first->done;
    struct ledger_chunk *chunk = ops->first;

    if (was_taken (self))
        return LEDGER_LOST;
    if (step (self->statements[STATEMENT_BEGIN]) != SQLITE_DONE)
        return judge (self, "cannot be written", true);
    while (taken < most && size < TRANSACTION_BYTES) {
        if (done == chunk->used) {
            if (!chunk->next)
                break;
            chunk = chunk->next;
            done = chunk->done;
        }
        const struct ledger_op *op = (const struct ledger_op *) (const void *) (chunk->data + done);
        if (write_op (self, op) != SQLITE_DONE)
            goto failed;
        if (op->kind != LEDGER_JOB && op->kind != LEDGER_DEALT)
            repeats += !sqlite3_changes (self->db);
        done += op->size;
        size += op->size;
        taken++;
    }
    if (step (self->statements[STATEMENT_COMMIT]) != SQLITE_DONE)
        goto failed;

    for (struct ledger_chunk *before = ops->first; before != chunk; before = before->next)
        before->done = before->used;
    chunk->done = done;
    self->repeats += repeats;
    *count = taken;
    *bytes = size;
    return LEDGER_DONE;

failed:
    outcome = judge (self, "cannot be written", true);
    if (!sqlite3_get_autocommit (self->db) && step (self->statements[STATEMENT_ROLLBACK]) != SQLITE_DONE)
        outcome = LEDGER_LOST;
    return outcome;
}

/* ----------------------------------------------------------------- the log */

bool
ledger_store_behind (const struct ledger_store *self)
{
    return self->log_pages > self->tried_pages;
}

/*  PASSIVE waits for nobody: who reads for long leaves it half done, and the log grows until they are gone. */
enum ledger_outcome
ledger_store_checkpoint (struct ledger_store *self, bool idle)
{
    int64_t now = clock_now (clock_system ());
    bool due = self->log_pages - self->tried_pages >= self->log_limit;
    if (self->durability == LEDGER_NONE && now - self->checkpointed >= NONE_CHECKPOINT)
        due = true;
    if (!ledger_store_behind (self) || (!due && !idle))
        return LEDGER_DONE;
    int log = 0, brought = 0;
    int rc = sqlite3_wal_checkpoint_v2 (self->db, NULL, SQLITE_CHECKPOINT_PASSIVE, &log, &brought);
    self->checkpointed = now;
    self->tried_pages = self->log_pages;
    if (rc)
        return judge (self, "its log cannot be brought into it", false);
    self->brought_pages = brought;
    self->checkpoints++;
    return LEDGER_DONE;
}
