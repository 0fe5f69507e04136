/*  ledger_schema.c - what is in a ledger: making one, and telling one from what is none */

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/error.h"
#include "patterns/ledger_store.h"

enum {
    HEADER = 100,               /*  bytes of SQLite's header                                            */
    PAGE = 4096,
    CHECKED_BYTES = 1 << 30     /*  files up to here are looked through when they are opened            */
};

#define TEXT_OF_(x) #x
#define TEXT_OF(x) TEXT_OF_ (x)

/*  docs/spec/ledger.md says what each column is. A result that was never seen ends no job: hence NOT NULL where code
 *  depends on it. */
static const char schema[] =
    "PRAGMA page_size = 4096;"
    "PRAGMA application_id = " TEXT_OF (LEDGER_APPLICATION) ";"
    "PRAGMA user_version = " TEXT_OF (LEDGER_FORMAT) ";"
    "BEGIN;"
    "CREATE TABLE meta (name TEXT PRIMARY KEY, value NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE heads (epoch INTEGER PRIMARY KEY, host TEXT, pid INTEGER, version TEXT, opened INTEGER NOT NULL);"
    "CREATE TABLE jobs (id INTEGER PRIMARY KEY, tag INTEGER NOT NULL, priority INTEGER NOT NULL,"
    " submitted INTEGER NOT NULL, command TEXT, hash BLOB, spec BLOB NOT NULL);"
    "CREATE TABLE dealt (id INTEGER PRIMARY KEY);"
    "CREATE TABLE starts (job INTEGER NOT NULL, attempt INTEGER NOT NULL, worker TEXT, host TEXT, slot INTEGER,"
    " started INTEGER, PRIMARY KEY (job, attempt)) WITHOUT ROWID;"
    "CREATE TABLE retries (job INTEGER NOT NULL, attempt INTEGER NOT NULL, reason INTEGER NOT NULL, status INTEGER,"
    " signal INTEGER, why TEXT, worker TEXT, host TEXT, slot INTEGER, started INTEGER, runtime INTEGER,"
    " received INTEGER, sent INTEGER, output TEXT, PRIMARY KEY (job, attempt)) WITHOUT ROWID;"
    "CREATE TABLE results (job INTEGER PRIMARY KEY, attempt INTEGER NOT NULL, reason INTEGER NOT NULL, status INTEGER,"
    " signal INTEGER, why TEXT, worker TEXT, host TEXT, slot INTEGER, started INTEGER, runtime INTEGER,"
    " received INTEGER, sent INTEGER, output TEXT);";

/*  What an earlier weft has not, or otherwise. */
static const char additions[] =
    "CREATE TABLE retried (job INTEGER PRIMARY KEY, by INTEGER NOT NULL UNIQUE);"
    "DROP VIEW IF EXISTS overview; DROP VIEW IF EXISTS summary;"
    "CREATE VIEW overview AS SELECT j.id,"
    " CASE WHEN r.job IS NULL THEN CASE WHEN s.job IS NULL THEN 'waiting' WHEN t.job IS NULL THEN 'started'"
    "  ELSE 'again' END WHEN r.reason = 0 AND r.status = 0 AND r.signal = 0 THEN 'done'"
    "  WHEN a.job IS NOT NULL THEN 'retried' WHEN r.reason = 2 THEN 'dead' WHEN r.reason = 3 THEN 'cancelled'"
    "  ELSE 'failed' END AS state,"
    " j.command, r.status, r.signal,"
    " CASE r.reason WHEN 0 THEN 'exited' WHEN 1 THEN 'timeout' WHEN 2 THEN 'lost' WHEN 3 THEN 'cancelled'"
    "  WHEN 4 THEN 'not started' WHEN 5 THEN 'output lost' END AS reason,"
    " r.why, coalesce (r.attempt, s.attempt & 0x7fffffff) AS attempt, coalesce (r.host, s.host) AS host,"
    " coalesce (r.worker, s.worker) AS worker, coalesce (r.slot, s.slot) AS slot,"
    " strftime ('%Y-%m-%dT%H:%M:%fZ', j.submitted / 1e6, 'unixepoch') AS submitted,"
    " strftime ('%Y-%m-%dT%H:%M:%fZ', coalesce (r.started, s.started) / 1e6, 'unixepoch') AS started,"
    " r.runtime / 1e6 AS seconds, r.output, (SELECT job FROM retried WHERE by = j.id) AS retries, a.by AS retried"
    " FROM jobs j LEFT JOIN results r ON r.job = j.id LEFT JOIN retried a ON a.job = j.id"
    " LEFT JOIN starts s ON s.job = j.id AND s.attempt = (SELECT max (attempt) FROM starts WHERE job = j.id)"
    " LEFT JOIN retries t ON t.job = s.job AND t.attempt = s.attempt & 0x7fffffff;"
    "CREATE VIEW summary AS SELECT state, count (*) AS jobs FROM overview WHERE state != 'retried' GROUP BY state;";

int
ledger_sqlite_error (sqlite3 *db, const char *path, const char *what)
{
    int rc = sqlite3_extended_errcode (db), code = WEFT_EIO;
    int number = (rc & 0xff) == SQLITE_IOERR || (rc & 0xff) == SQLITE_CANTOPEN ? sqlite3_system_errno (db) : 0;
    char words[128];
    switch (rc & 0xff) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_ERROR: code = WEFT_EPROTO; break;
    case SQLITE_FULL: code = WEFT_ELIMIT; break;
    case SQLITE_NOMEM: code = WEFT_ENOMEM; break;
    case SQLITE_PERM:
    case SQLITE_READONLY: code = WEFT_EACCES; break;
    case SQLITE_BUSY: code = WEFT_EADDRINUSE; break;
    case SQLITE_IOERR: code = number == ENOSPC || number == EDQUOT ? WEFT_ELIMIT : WEFT_EIO; break;
    default: break;
    }
    return error_set (code, "%s: %s: %s%s%s (%d)", path, what, sqlite3_errmsg (db), number ? ": " : "",
                      number ? strerror_r (number, words, sizeof words) : "", rc);
}

/* ------------------------------------------------------------------ making */

static int
fill (sqlite3 *db, const char *path)
{
    unsigned char pool[16];
    char sql[256], hex[sizeof pool * 2 + 1];
    if (getrandom (pool, sizeof pool, 0) != sizeof pool)
        return error_errno ("random numbers");
    for (size_t i = 0; i < sizeof pool; i++)
        snprintf (hex + 2 * i, 3, "%02x", pool[i]);
    snprintf (sql, sizeof sql, "INSERT INTO meta VALUES ('pool', '%s'), ('made', %" PRId64 "), ('version', '%s');"
              "COMMIT;", hex, clock_wall (clock_system ()) / TIME_US, WEFT_VERSION);
    if (sqlite3_exec (db, "PRAGMA journal_mode = MEMORY; PRAGMA synchronous = FULL;", NULL, NULL, NULL) ||
        sqlite3_exec (db, schema, NULL, NULL, NULL) || sqlite3_exec (db, additions, NULL, NULL, NULL) ||
        sqlite3_exec (db, sql, NULL, NULL, NULL) ||
        sqlite3_exec (db, "PRAGMA journal_mode = WAL", NULL, NULL, NULL))
        return ledger_sqlite_error (db, path, "cannot be made");
    return 0;
}

int
ledger_sync_folder (const char *path)
{
    char folder[4096];
    snprintf (folder, sizeof folder, "%s", path);
    int fd = open (dirname (folder), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || fsync (fd)) {
        int rc = error_errno ("%s: its folder", path);
        if (fd >= 0)
            close (fd);
        return rc;
    }
    close (fd);
    return 0;
}

/*  Of a ledger that was deleted, something may be left: SQLite would take it for a part of the new one. */
static void
remove_remains (const char *path)
{
    static const char *const endings[] = { "-new", "-new-journal", "-new-wal", "-new-shm", "-wal", "-shm", "-journal" };
    char name[4096];
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++)
        if ((size_t) snprintf (name, sizeof name, "%s%s", path, endings[i]) < sizeof name)
            unlink (name);
}

int
ledger_create (const char *path)
{
    char name[4096];
    sqlite3 *db = NULL;
    if ((size_t) snprintf (name, sizeof name, "%s-new", path) >= sizeof name)
        return error_set (WEFT_EINVAL, "%s: the name is too long", path);
    remove_remains (path);
    int rc = 0;
    if (sqlite3_open_v2 (name, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL))
        rc = ledger_sqlite_error (db, path, "cannot be made");
    else
        rc = fill (db, path);
    sqlite3_close (db);
    if (!rc && rename (name, path))
        rc = error_errno ("%s", path);
    if (!rc)
        rc = ledger_sync_folder (path);
    if (rc)
        unlink (name);
    return rc;
}

int
ledger_upgrade (sqlite3 *db, const char *path)
{
    sqlite3_stmt *statement = NULL;
    int rc = 0;
    if (sqlite3_prepare_v2 (db, "SELECT 1 FROM sqlite_schema WHERE name = 'retried'", -1, &statement, NULL))
        rc = ledger_sqlite_error (db, path, "cannot be opened");
    bool there = !rc && sqlite3_step (statement) == SQLITE_ROW;
    sqlite3_finalize (statement);
    if (!rc && !there && sqlite3_exec (db, additions, NULL, NULL, NULL))
        rc = ledger_sqlite_error (db, path, "cannot be opened");
    return rc;
}

/* ---------------------------------------------------------------- checking */

static uint32_t
number_at (const unsigned char *bytes)
{
    return (uint32_t) bytes[0] << 24 | (uint32_t) bytes[1] << 16 | (uint32_t) bytes[2] << 8 | bytes[3];
}

static int
foreign (const char *path, const char *what)
{
    return error_set (WEFT_EPROTO, "%s: %s; it was left as it is: name another file, or none that exists", path, what);
}

static int
check_format (const char *path, uint32_t application, uint32_t format)
{
    if (application != LEDGER_APPLICATION)
        return foreign (path, "not a ledger, but a database of another program");
    if (format > LEDGER_FORMAT)
        return error_set (WEFT_EPROTO, "%s: a ledger of format %u, and this weft knows %d; use a later weft", path,
                          (unsigned) format, LEDGER_FORMAT);
    if (format < LEDGER_FORMAT)
        return foreign (path, "a damaged ledger: it has no format");
    return 0;
}

/*  A file with a log beside it may be cut off: a crash has interrupted bringing the log into it. */
static int
check_bytes (const char *path, int fd, bool log)
{
    unsigned char header[HEADER];
    struct stat stat;
    if (fstat (fd, &stat))
        return error_errno ("%s", path);
    if (!S_ISREG (stat.st_mode))
        return foreign (path, "not a file");
    if (stat.st_size == 0)
        return foreign (path, "not a ledger, but an empty file");
    ssize_t size = pread (fd, header, sizeof header, 0);
    if (size < 0)
        return error_errno ("%s", path);
    if (size < HEADER || memcmp (header, "SQLite format 3", 16))
        return foreign (path, "not a ledger");
    int rc = check_format (path, number_at (header + 68), number_at (header + 60));
    if (!rc && (header[16] != PAGE >> 8 || header[17]))
        rc = foreign (path, "a damaged ledger");
    if (!rc && !log && (stat.st_size % PAGE || stat.st_size / PAGE < number_at (header + 28)))
        rc = foreign (path, "a damaged ledger: it was cut off");
    return rc;
}

int
ledger_check_header (const char *path, bool log)
{
    int fd = open (path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return error_errno ("%s", path);
    int rc = check_bytes (path, fd, log);
    close (fd);
    return rc;
}

/*  The numbers in the one row that `sql` gives. */
static int
numbers (sqlite3 *db, const char *path, const char *sql, int64_t *values, int count)
{
    sqlite3_stmt *statement = NULL;
    int rc = 0;
    if (sqlite3_prepare_v2 (db, sql, -1, &statement, NULL) || sqlite3_step (statement) != SQLITE_ROW)
        rc = ledger_sqlite_error (db, path, "a damaged ledger");
    for (int i = 0; !rc && i < count; i++)
        values[i] = sqlite3_column_int64 (statement, i);
    sqlite3_finalize (statement);
    return rc;
}

static int
check_pool (sqlite3 *db, const char *path, unsigned char *pool)
{
    sqlite3_stmt *statement = NULL;
    int rc = 0;
    if (sqlite3_prepare_v2 (db, "SELECT value FROM meta WHERE name = 'pool'", -1, &statement, NULL)) {
        rc = ledger_sqlite_error (db, path, "a damaged ledger");
    } else {
        const char *hex = NULL;
        if (sqlite3_step (statement) == SQLITE_ROW)
            hex = (const char *) sqlite3_column_text (statement, 0);
        if (!hex || strlen (hex) != 32 || strspn (hex, "0123456789abcdef") != 32)
            rc = foreign (path, "a damaged ledger: it has no pool");
        for (size_t i = 0; !rc && i < 16; i++) {
            char byte[3] = { hex[2 * i], hex[2 * i + 1] };
            pool[i] = (unsigned char) strtoul (byte, NULL, 16);
        }
    }
    sqlite3_finalize (statement);
    return rc;
}

/*  Page by page. A large file is not looked through: it would take minutes, and the trees of the small rows, which are
 *  counted, are walked anyway. */
static int
check_pages (sqlite3 *db, const char *path)
{
    int64_t size;
    int rc = numbers (db, path, "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size", &size, 1);
    if (rc || size > CHECKED_BYTES)
        return rc;
    sqlite3_stmt *statement = NULL;
    if (sqlite3_prepare_v2 (db, "PRAGMA quick_check (1)", -1, &statement, NULL) ||
        sqlite3_step (statement) != SQLITE_ROW) {
        rc = ledger_sqlite_error (db, path, "a damaged ledger");
    } else {
        const char *words = (const char *) sqlite3_column_text (statement, 0);
        if (!words || strcmp (words, "ok"))
            rc = error_set (WEFT_EPROTO, "%s: a damaged ledger: %s; it was left as it is", path, words ? words : "?");
    }
    sqlite3_finalize (statement);
    return rc;
}

int
ledger_check (sqlite3 *db, const char *path, struct ledger_found *found)
{
    int64_t format[2], jobs[3], results[4], dealt;
    int rc = numbers (db, path, "SELECT application_id, user_version FROM pragma_application_id, pragma_user_version",
                      format, 2);
    if (!rc)
        rc = check_format (path, (uint32_t) format[0], (uint32_t) format[1]);
    if (!rc)
        rc = check_pages (db, path);
    if (!rc)
        rc = check_pool (db, path, found->pool);
    if (!rc)
        rc = numbers (db, path, "SELECT (SELECT count (*) FROM jobs), (SELECT min (id) FROM jobs),"
                      " (SELECT max (id) FROM jobs)", jobs, 3);
    if (!rc)
        rc = numbers (db, path, "SELECT count (*), total (reason != 0 OR status != 0 OR signal != 0), min (job),"
                      " max (job) FROM results", results, 4);
    if (!rc)
        rc = numbers (db, path, "SELECT ifnull (max (id), 0) FROM dealt", &dealt, 1);
    if (rc)
        return rc;
    if ((jobs[0] && jobs[1] != 1) || jobs[2] != jobs[0])
        return foreign (path, "a damaged ledger: jobs are missing from it");
    if ((results[0] && results[2] < 1) || results[3] > jobs[2])
        return foreign (path, "a damaged ledger: it has results without jobs");
    found->jobs = (uint64_t) jobs[0];
    found->last_id = (uint64_t) jobs[2];
    found->results = (uint64_t) results[0];
    found->failed = (uint64_t) results[1];
    found->dealt = (uint64_t) dealt;
    return 0;
}
