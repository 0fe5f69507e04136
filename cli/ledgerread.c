/*  ledgerread.c - a ledger that is read beside the head that writes it, by questions that are prepared once */

#include "cli/ledgerread.h"

#include <sqlite3.h>
#include <unistd.h>

#include "core/error.h"

int
ledgerread_error (const struct ledgerread *self)
{
    int rc = sqlite3_errcode (self->db);
    if (rc == SQLITE_NOTADB || rc == SQLITE_ERROR)
        return error_set (WEFT_EPROTO, "%s is no ledger, or of another version: %s", self->path,
                          sqlite3_errmsg (self->db));
    return error_set (WEFT_EIO, "cannot read the ledger %s: %s", self->path, sqlite3_errmsg (self->db));
}

int
ledgerread_open (struct ledgerread *self, const char *path, int busy)
{
    *self = (struct ledgerread){ .path = path };
    if (access (path, R_OK) < 0)
        return error_errno ("cannot read %s", path);
    if (sqlite3_open_v2 (path, &self->db, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL))
        return ledgerread_error (self);
    return sqlite3_busy_timeout (self->db, busy) ? ledgerread_error (self) : 0;
}

int
ledgerread_prepare (struct ledgerread *self, const char *const *questions, int count, struct sqlite3_stmt **asked)
{
    for (int i = 0; i < count; i++)
        if (sqlite3_prepare_v2 (self->db, questions[i], -1, &asked[i], NULL))
            return ledgerread_error (self);
    return 0;
}

void
ledgerread_close (struct ledgerread *self)
{
    sqlite3_stmt *question;
    while (self->db && (question = sqlite3_next_stmt (self->db, NULL)))
        sqlite3_finalize (question);
    sqlite3_close (self->db);
    self->db = NULL;
}

int
ledgerread_step (const struct ledgerread *self, struct sqlite3_stmt *question)
{
    int rc = sqlite3_step (question);
    return rc == SQLITE_ROW ? 1 : rc == SQLITE_DONE ? 0 : ledgerread_error (self);
}
