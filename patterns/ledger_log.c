/*  ledger_log.c - a log that another head has left: made sure of, before anything is built on it
 *
 *  What was read of a file whose sync has failed may be in the system's memory alone, for good: no later sync writes
 *  it. SQLite would bring such a log into the file; then the power fails, the log on disk is only the beginning of
 *  what it was, and that, replayed over newer pages, makes a file that never was. With a reader that stayed SQLite
 *  also takes for done what a checkpoint before has copied, though no sync of it need have succeeded. So every byte
 *  of the log, and every page of the file that may have come from it, is written again as it is, and synced. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "patterns/ledger_store.h"

enum { LOG_HEADER = 32, PAGE = 4096 };

struct rewriting {
    const char *path;
    sqlite3_file *log, *file;
    sqlite3_int64 log_size;
    size_t pages;                       /*  of the file                 */
    unsigned char *touched;             /*  a bit each: it is in the log */
    unsigned char block[LEDGER_LOG_PAGE];
};

static int
refused (const struct rewriting *self, sqlite3_file *file, int rc)
{
    int number = 0;
    char words[128];
    file->pMethods->xFileControl (file, SQLITE_FCNTL_LAST_ERRNO, &number);
    if (rc == SQLITE_FULL)
        number = ENOSPC;
    return error_set (number == ENOSPC || number == EDQUOT ? WEFT_ELIMIT : WEFT_EIO,
                      "%s: its log cannot be made sure of: %s (%d)", self->path,
                      strerror_r (number ? number : EIO, words, sizeof words), rc);
}

static int
write_again (struct rewriting *self, sqlite3_file *file, sqlite3_int64 at, int size)
{
    int rc = file->pMethods->xRead (file, self->block, size, at);
    if (!rc)
        rc = file->pMethods->xWrite (file, self->block, size, at);
    return rc ? refused (self, file, rc) : 0;
}

static int
sync_file (struct rewriting *self, sqlite3_file *file)
{
    int rc = file->pMethods->xSync (file, SQLITE_SYNC_NORMAL);
    return rc ? refused (self, file, rc) : 0;
}

/*  Also what follows the valid frames: which these are is SQLite's to say. */
static int
rewrite_log (struct rewriting *self)
{
    int rc = write_again (self, self->log, 0, self->log_size < LOG_HEADER ? (int) self->log_size : LOG_HEADER);
    for (sqlite3_int64 at = LOG_HEADER; !rc && at < self->log_size; at += LEDGER_LOG_PAGE) {
        sqlite3_int64 left = self->log_size - at;
        rc = write_again (self, self->log, at, left < LEDGER_LOG_PAGE ? (int) left : LEDGER_LOG_PAGE);
        const unsigned char *block = self->block;
        size_t page = (size_t) block[0] << 24 | (size_t) block[1] << 16 | (size_t) block[2] << 8 | block[3];
        if (!rc && left >= LEDGER_LOG_PAGE && page && page <= self->pages)
            self->touched[(page - 1) / 8] |= (unsigned char) (1 << (page - 1) % 8);
    }
    return rc ? rc : sync_file (self, self->log);
}

static int
rewrite_pages (struct rewriting *self)
{
    int rc = 0;
    for (size_t page = 0; !rc && page < self->pages; page++)
        if (self->touched[page / 8] & 1 << page % 8)
            rc = write_again (self, self->file, (sqlite3_int64) page * PAGE, PAGE);
    return rc ? rc : sync_file (self, self->file);
}

int
ledger_log_secure (sqlite3 *db, const char *path)
{
    struct rewriting self = { .path = path };
    sqlite3_int64 size = 0;
    /*  By SQLite's own descriptors: to close another of the file would drop its locks. */
    sqlite3_file_control (db, "main", SQLITE_FCNTL_JOURNAL_POINTER, &self.log);
    sqlite3_file_control (db, "main", SQLITE_FCNTL_FILE_POINTER, &self.file);
    if (!self.log || !self.log->pMethods || !self.file || !self.file->pMethods)
        return 0;
    int rc = self.log->pMethods->xFileSize (self.log, &self.log_size);
    if (rc)
        return refused (&self, self.log, rc);
    rc = self.file->pMethods->xFileSize (self.file, &size);
    if (rc)
        return refused (&self, self.file, rc);
    if (!self.log_size)
        return 0;
    self.pages = (size_t) (size / PAGE);
    self.touched = calloc (self.pages / 8 + 1, 1);
    if (!self.touched)
        return error_plain (WEFT_ENOMEM);
    rc = rewrite_log (&self);
    if (!rc)
        rc = rewrite_pages (&self);
    free (self.touched);
    return rc;
}
