/*  ledger_store.c - the ledger's one connection to its SQLite file: opening it, and the reserve */

#include "patterns/ledger_store.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/error.h"

enum {
    BUSY = 5000,                        /*  ms for who only looks, and closes, to be gone               */
    LOG_BYTES = 16 << 20,
    RESERVE = 16 << 20
};

#define ENDED "attempt, reason, status, signal, why, worker, host, slot, started, runtime, received, sent, output"

/*  So that those that failed are counted without reading all. */
#define FAILURES_INDEX \
    "CREATE INDEX IF NOT EXISTS failures ON results (job) WHERE reason != 0 OR status != 0 OR signal != 0"

/*  Of what attempts wrote in more than one report; the last one's place stands in their result, too. */
#define PIECES_TABLE \
    "CREATE TABLE IF NOT EXISTS pieces (job INTEGER NOT NULL, attempt INTEGER NOT NULL, report INTEGER NOT NULL," \
    " bytes INTEGER NOT NULL, place TEXT NOT NULL, PRIMARY KEY (job, attempt, report)) WITHOUT ROWID"

static const char *const sql[STATEMENTS] = {
    [STATEMENT_BEGIN] = "BEGIN IMMEDIATE",
    [STATEMENT_COMMIT] = "COMMIT",
    [STATEMENT_ROLLBACK] = "ROLLBACK",
    [STATEMENT_JOB] = "INSERT INTO jobs (id, tag, priority, submitted, command, hash, spec)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
    [STATEMENT_START] = "INSERT OR IGNORE INTO starts (job, attempt, worker, host, slot, started)"
        " VALUES (?, ?, ?, ?, ?, ?)",
    [STATEMENT_RETRY] = "INSERT OR IGNORE INTO retries (job, " ENDED ")"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    [STATEMENT_RESULT] = "INSERT OR IGNORE INTO results (job, " ENDED ")"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    [STATEMENT_DEALT] = "INSERT OR IGNORE INTO dealt (id) VALUES (?)",
    [STATEMENT_PIECE] = "INSERT OR IGNORE INTO pieces (job, attempt, report, bytes, place) VALUES (?, ?, ?, ?, ?)",
    [STATEMENT_LOAD] = "SELECT id, tag, priority, submitted, command, hash, spec,"
        " ifnull ((SELECT max (attempt) FROM retries WHERE job = jobs.id), 0),"
        " (SELECT count (*) FROM retries WHERE job = jobs.id AND reason != ?3),"
        " (SELECT count (*) FROM retries WHERE job = jobs.id AND reason = ?3)"
        " FROM jobs WHERE id > ?1 AND (?4 IS NULL OR priority = ?4)"
        " AND NOT EXISTS (SELECT 1 FROM results WHERE job = jobs.id) ORDER BY id LIMIT ?2",
    [STATEMENT_OPEN] = "SELECT id, priority FROM jobs WHERE NOT EXISTS (SELECT 1 FROM results WHERE job = jobs.id)",
    [STATEMENT_MARKS] = "SELECT id, priority FROM dealt JOIN jobs USING (id)",
    [STATEMENT_HASHES] = "SELECT id, hash FROM jobs WHERE length (hash) = 16 ORDER BY id",
    [STATEMENT_PIECES] = "SELECT max (report), total (bytes), place FROM pieces WHERE job = ?1 AND attempt = ?2",
    [STATEMENT_RETRIED] = "INSERT OR IGNORE INTO retried (job, by) VALUES (?, ?)",
    [STATEMENT_FAILED] = "SELECT id, tag, priority, submitted, command, hash, spec, 0, 0, 0"
        " FROM results JOIN jobs ON jobs.id = results.job WHERE (reason != 0 OR status != 0 OR signal != 0)"
        " AND results.job > ?1 AND (reason != ?3 OR ?2 = 1)"
        " AND NOT EXISTS (SELECT 1 FROM retried WHERE job = results.job) ORDER BY results.job LIMIT ?2",
    [STATEMENT_FATE] = "WITH RECURSIVE chain (id) AS (SELECT ?1 UNION SELECT by FROM chain JOIN retried ON job = id)"
        " SELECT id, r.job IS NOT NULL, reason != 0 OR status != 0 OR signal != 0 FROM jobs"
        " LEFT JOIN results r ON r.job = id WHERE id = (SELECT max (id) FROM chain)"
};

/* ----------------------------------------------------------------- opening */

static int
count_log (void *arg, sqlite3 *db, const char *name, int pages)
{
    struct ledger_store *self = arg;
    (void) db, (void) name;
    if (pages < self->log_pages)
        self->tried_pages = self->brought_pages = 0;
    self->log_pages = pages;
    return SQLITE_OK;
}

static int
execute (struct ledger_store *self, const char *text)
{
    if (sqlite3_exec (self->db, text, NULL, NULL, NULL))
        return ledger_sqlite_error (self->db, self->path, "cannot be opened");
    return 0;
}

/*  What a file says must make us do nothing but read and write its tables: it may be anybody's. Nothing is written to
 *  it, not even at its close, until it is known to be sound. */
static int
connect_file (struct ledger_store *self)
{
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE;
    if (sqlite3_open_v2 (self->path, &self->db, flags, NULL))
        return ledger_sqlite_error (self->db, self->path, "cannot be opened");
    sqlite3_extended_result_codes (self->db, 1);
    sqlite3_busy_timeout (self->db, BUSY);
    sqlite3_db_config (self->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    sqlite3_db_config (self->db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
    sqlite3_db_config (self->db, SQLITE_DBCONFIG_ENABLE_VIEW, 0, NULL);
    sqlite3_db_config (self->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    if (sqlite3_db_readonly (self->db, "main") == 1)
        return error_set (WEFT_EACCES, "%s: may not be written", self->path);
    return execute (self, "PRAGMA cell_size_check = ON; PRAGMA cache_size = -16384; PRAGMA temp_store = MEMORY;"
                    "PRAGMA mmap_size = 0;");
}

static int
write_ahead (struct ledger_store *self)
{
    sqlite3_stmt *statement = NULL;
    int rc = 0;
    if (sqlite3_prepare_v2 (self->db, "PRAGMA journal_mode = WAL", -1, &statement, NULL) ||
        sqlite3_step (statement) != SQLITE_ROW)
        rc = ledger_sqlite_error (self->db, self->path, "cannot be opened");
    else if (strcmp ((const char *) sqlite3_column_text (statement, 0), "wal"))
        rc = error_set (WEFT_EIO, "%s: this file system cannot have a ledger; put it on a local disk", self->path);
    sqlite3_finalize (statement);
    if (!rc)
        rc = execute (self, "PRAGMA synchronous = FULL; PRAGMA journal_size_limit = 67108864;");
    sqlite3_wal_hook (self->db, count_log, self);
    return rc;
}

/*  The epoch is durable with every durability: workers know a head by it. Then what a head before us left in the log
 *  is brought into the file. SQLite does not ask whether the name of a log that it has made, or removed, is on disk:
 *  without it the log would be none, or the one before this.
 *  What earlier heads did not make, an index and a table, comes with it. */
static int
begin_epoch (struct ledger_store *self, const struct ledger_config *config, uint64_t *epoch)
{
    char host[256] = "?", folder[4096];
    gethostname (host, sizeof host - 1);
    char *text = sqlite3_mprintf ("INSERT INTO heads (host, pid, version, opened) VALUES (%Q, %lld, %Q, %lld);", host,
                                  (sqlite3_int64) getpid (), WEFT_VERSION,
                                  (sqlite3_int64) (clock_wall (clock_system ()) / TIME_US));
    if (text && config->outputs)
        text = sqlite3_mprintf ("%zINSERT INTO meta SELECT 'outputs-' || max (epoch), %Q FROM heads;", text,
                                config->outputs);
    if (text && config->results && getcwd (folder, sizeof folder))
        text = sqlite3_mprintf ("%zINSERT INTO meta SELECT 'results-' || max (epoch), %Q FROM heads UNION ALL"
                                " SELECT 'folder-' || max (epoch), %Q FROM heads;", text, config->results, folder);
    int rc = text ? execute (self, "BEGIN IMMEDIATE; " FAILURES_INDEX "; " PIECES_TABLE) : error_plain (WEFT_ENOMEM);
    rc = rc ? rc : ledger_upgrade (self->db, self->path);
    rc = rc ? rc : execute (self, text);
    *epoch = (uint64_t) sqlite3_last_insert_rowid (self->db);
    rc = rc ? rc : execute (self, "COMMIT");
    sqlite3_free (text);
    if (!rc)
        rc = ledger_sync_folder (self->path);
    if (rc)
        return rc;
    if (sqlite3_wal_checkpoint_v2 (self->db, NULL, SQLITE_CHECKPOINT_PASSIVE, &self->log_pages, &self->brought_pages))
        return ledger_sqlite_error (self->db, self->path, "cannot be opened");
    if (self->log_pages < 0)
        return error_set (WEFT_EIO, "%s: it cannot have a log", self->path);
    self->tried_pages = self->log_pages;
    return self->durability == LEDGER_NONE ? execute (self, "PRAGMA synchronous = NORMAL") : 0;
}

/*  Earlier heads made no table of pieces: what is asked of that comes when it is there. */
static int
prepare (struct ledger_store *self, bool later)
{
    for (int i = 0; i < STATEMENTS; i++)
        if ((i == STATEMENT_PIECE || i >= STATEMENT_PIECES) == later
            && sqlite3_prepare_v3 (self->db, sql[i], -1, SQLITE_PREPARE_PERSISTENT, &self->statements[i], NULL))
            return ledger_sqlite_error (self->db, self->path, "a damaged ledger");
    return 0;
}

static bool
reserve_name (const char *path, char *name, size_t size)
{
    return (size_t) snprintf (name, size, "%s-reserve", path) < size;
}

/*  Of a file that was refused: what SQLite put beside it. */
static void
tidy (const char *path, bool log)
{
    static const char *const endings[] = { "-wal", "-shm" };
    char name[4096];
    for (size_t i = 0; !log && i < 2; i++)
        if ((size_t) snprintf (name, sizeof name, "%s%s", path, endings[i]) < sizeof name)
            unlink (name);
}

/*  Bytes in its log; -1: there is none. */
static int64_t
log_size (const char *path)
{
    char name[4096];
    struct stat stat_buffer;
    if ((size_t) snprintf (name, sizeof name, "%s-wal", path) >= sizeof name || stat (name, &stat_buffer))
        return -1;
    return stat_buffer.st_size;
}

static int
try_open (struct ledger_store **self_p, const char *path, const struct ledger_config *config,
          struct ledger_found *found)
{
    int rc = 0;
    if (access (path, F_OK) && errno == ENOENT)
        rc = ledger_create (path);
    int64_t log = log_size (path);
    bool sound = false;
    if (!rc)
        rc = ledger_check_header (path, log > 0);
    if (rc)
        return rc;
    struct ledger_store *self = calloc (1, sizeof *self);
    if (!self || !(self->path = strdup (path))) {
        rc = error_plain (WEFT_ENOMEM);
        goto end;
    }
    self->durability = config->durability;
    self->log_limit = (config->log_bytes > 0 ? config->log_bytes : LOG_BYTES) / LEDGER_LOG_PAGE;
    rc = connect_file (self);
    if (!rc)
        rc = ledger_check (self->db, path, found);
    if (!rc)
        rc = prepare (self, false);
    sound = !rc;
    if (!rc)
        rc = write_ahead (self);
    if (!rc)
        rc = ledger_log_secure (self->db, path);
    if (!rc)
        rc = begin_epoch (self, config, &found->epoch);
    if (!rc)
        rc = prepare (self, true);
end:
    if (!rc) {
        sqlite3_db_config (self->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, NULL);
        *self_p = self;
    } else if (self) {
        ledger_store_close (&self, false);
        if (!sound)
            tidy (path, log >= 0);
    }
    return rc;
}

/*  On a full disk a head can begin with what one that was killed had kept for that. */
int
ledger_store_open (struct ledger_store **self_p, const char *path, const struct ledger_config *config,
                   struct ledger_found *found)
{
    char name[4096];
    int rc = try_open (self_p, path, config, found);
    if (rc == WEFT_ELIMIT && reserve_name (path, name, sizeof name) && unlink (name) == 0)
        rc = try_open (self_p, path, config, found);
    return rc;
}

void
ledger_store_close (struct ledger_store **self_p, bool whole)
{
    struct ledger_store *self = *self_p;
    if (!self)
        return;
    *self_p = NULL;
    for (int i = 0; i < STATEMENTS; i++)
        sqlite3_finalize (self->statements[i]);
    if (self->db && !whole)
        sqlite3_db_config (self->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    if (self->path)
        ledger_store_release (self);
    sqlite3_close (self->db);
    free (self->path);
    free (self);
}

/* ------------------------------------------------------------- the reserve */

/*  A file system that cannot set room aside does without, and so does one that is too small. */
bool
ledger_store_reserve (struct ledger_store *self)
{
    char name[4096];
    if (self->reserved || !reserve_name (self->path, name, sizeof name))
        return true;
    int fd = open (name, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return !self->reservable;
    self->reserved = fallocate (fd, 0, 0, RESERVE) == 0;
    self->reservable |= self->reserved;
    close (fd);
    if (!self->reserved)
        unlink (name);
    return !self->reservable || self->reserved;
}

void
ledger_store_release (struct ledger_store *self)
{
    char name[4096];
    if (self->reserved && reserve_name (self->path, name, sizeof name))
        unlink (name);
    self->reserved = false;
}

void
ledger_store_counters (const struct ledger_store *self, struct ledger_counters *counters)
{
    counters->repeats = self->repeats;
    counters->checkpoints = self->checkpoints;
    counters->log_bytes = (uint64_t) self->log_pages * LEDGER_LOG_PAGE;
}
