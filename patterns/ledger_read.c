/*  ledger_read.c - what a head reads of its ledger: pages of jobs, marks, contents, pieces of output, fates */

#include <stdio.h>

#include "core/error.h"
#include "patterns/ledger_store.h"

static int
take_row (sqlite3_stmt *row, ledger_take_fn *take, void *arg)
{
    struct ledger_open_job open = {
        .job.id = (uint64_t) sqlite3_column_int64 (row, 0),
        .job.tag = (uint64_t) sqlite3_column_int64 (row, 1),
        .job.priority = sqlite3_column_int (row, 2),
        .job.submitted = sqlite3_column_int64 (row, 3),
        .job.command = (const char *) sqlite3_column_text (row, 4),
        .job.command_size = (size_t) sqlite3_column_bytes (row, 4),
        .job.spec = sqlite3_column_blob (row, 6),
        .job.spec_size = (size_t) sqlite3_column_bytes (row, 6),
        .attempts = sqlite3_column_int64 (row, 7),
        .failures = sqlite3_column_int (row, 8),
        .losses = sqlite3_column_int (row, 9)
    };
    if (sqlite3_column_bytes (row, 5) == 16)
        open.job.hash = sqlite3_column_blob (row, 5);
    return take (arg, &open);
}

/*  Pages of jobs. */
static int
walk (struct ledger_store *self, enum ledger_statement which, int reason, int priority, uint64_t after,
      uint64_t limit, ledger_take_fn *take, void *arg)
{
    sqlite3_stmt *row = self->statements[which];
    int taken = 0, rc = 0, step_rc = SQLITE_DONE;
    sqlite3_bind_int64 (row, 1, ledger_clipped (after));
    sqlite3_bind_int64 (row, 2, limit > INT32_MAX ? INT32_MAX : (int64_t) limit);
    sqlite3_bind_int (row, 3, reason);
    if (priority == LEDGER_ANY)
        sqlite3_bind_null (row, 4);
    else
        sqlite3_bind_int (row, 4, priority);
    while (rc >= 0 && (step_rc = sqlite3_step (row)) == SQLITE_ROW) {
        rc = take_row (row, take, arg);
        taken++;
    }
    if (rc >= 0 && step_rc != SQLITE_DONE)
        rc = ledger_sqlite_error (self->db, self->path, "cannot be read");
    sqlite3_reset (row);
    return rc < 0 ? rc : taken;
}

static int
walk_levels (struct ledger_store *self, int statement, ledger_level_fn *take, void *arg)
{
    sqlite3_stmt *row = self->statements[statement];
    int rc = 0, step_rc = SQLITE_DONE;
    while (rc >= 0 && (step_rc = sqlite3_step (row)) == SQLITE_ROW)
        rc = take (arg, (uint64_t) sqlite3_column_int64 (row, 0), sqlite3_column_int (row, 1),
                   statement == STATEMENT_MARKS);
    if (rc >= 0 && step_rc != SQLITE_DONE)
        rc = ledger_sqlite_error (self->db, self->path, "cannot be read");
    sqlite3_reset (row);
    return rc;
}

int
ledger_store_levels (struct ledger_store *self, ledger_level_fn *take, void *arg)
{
    int rc = walk_levels (self, STATEMENT_MARKS, take, arg);
    return rc < 0 ? rc : walk_levels (self, STATEMENT_OPEN, take, arg);
}

int
ledger_store_load (struct ledger_store *self, int priority, uint64_t after, uint64_t limit, ledger_take_fn *take,
                   void *arg)
{
    return walk (self, STATEMENT_LOAD, WEFT_JOB_LOST, priority, after, limit, take, arg);
}

int
ledger_store_failed (struct ledger_store *self, uint64_t after, uint64_t limit, ledger_take_fn *take, void *arg)
{
    return walk (self, STATEMENT_FAILED, WEFT_JOB_CANCELLED, LEDGER_ANY, after, limit, take, arg);
}

int
ledger_store_fate (struct ledger_store *self, uint64_t id, uint64_t *last, enum ledger_fate *fate)
{
    sqlite3_stmt *row = self->statements[STATEMENT_FATE];
    sqlite3_bind_int64 (row, 1, ledger_clipped (id));
    int step_rc = sqlite3_step (row), rc = 0;
    *fate = LEDGER_NO_JOB;
    if (step_rc == SQLITE_ROW) {
        *last = (uint64_t) sqlite3_column_int64 (row, 0);
        *fate = !sqlite3_column_int (row, 1) ? LEDGER_NOT_ENDED
                : sqlite3_column_int (row, 2) ? LEDGER_ENDED_BADLY : LEDGER_ENDED_WELL;
    } else if (step_rc != SQLITE_DONE)
        rc = ledger_sqlite_error (self->db, self->path, "cannot be read");
    sqlite3_reset (row);
    return rc;
}

int
ledger_store_hashes (struct ledger_store *self, ledger_hash_fn *take, void *arg)
{
    sqlite3_stmt *row = self->statements[STATEMENT_HASHES];
    int taken = 0, rc = 0, step_rc = SQLITE_DONE;
    for (; rc >= 0 && (step_rc = sqlite3_step (row)) == SQLITE_ROW; taken++)
        rc = take (arg, (uint64_t) sqlite3_column_int64 (row, 0), sqlite3_column_blob (row, 1));
    if (rc >= 0 && step_rc != SQLITE_DONE)
        rc = ledger_sqlite_error (self->db, self->path, "cannot be read");
    sqlite3_reset (row);
    return rc < 0 ? rc : taken;
}

/*  The place is that of the row that has the maximum, as SQLite has it of a bare column. */
int
ledger_store_find_pieces (struct ledger_store *self, uint64_t job, int64_t attempt, struct ledger_pieces *pieces)
{
    sqlite3_stmt *row = self->statements[STATEMENT_PIECES];
    *pieces = (struct ledger_pieces) { .report = 0 };
    sqlite3_bind_int64 (row, 1, ledger_clipped (job));
    sqlite3_bind_int64 (row, 2, attempt);
    int rc = sqlite3_step (row) == SQLITE_ROW ? 0 : ledger_sqlite_error (self->db, self->path, "cannot be read");
    if (rc == 0 && sqlite3_column_type (row, 0) != SQLITE_NULL) {
        const char *place = (const char *) sqlite3_column_text (row, 2);
        pieces->report = (uint64_t) sqlite3_column_int64 (row, 0);
        pieces->bytes = (uint64_t) sqlite3_column_int64 (row, 1);
        snprintf (pieces->place, sizeof pieces->place, "%s", place ? place : "");
    }
    sqlite3_reset (row);
    return rc;
}
