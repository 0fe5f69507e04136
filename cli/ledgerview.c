/*  ledgerview.c - what a ledger says of its jobs, read beside the head that writes it */

#include "cli/ledgerview.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/ledgerread.h"
#include "cli/ledgerrow.h"
#include "core/error.h"

#define PAGE 1000               /*  lines                                           */
#define BLOCK 4096              /*  jobs that are counted at once                   */
#define MAPPED "1099511627776"  /*  bytes of a ledger that are read as memory      */
#define BUSY 5000               /*  ms that a ledger may be held by others          */

/*  A job whose last attempt has begun, and has not ended. Above the number of one that begins stands its head's
 *  epoch. */
#define STARTED "EXISTS (SELECT 1 FROM starts s WHERE s.job = j.id" \
                " AND s.attempt = (SELECT max (attempt) FROM starts WHERE job = j.id) AND NOT EXISTS" \
                " (SELECT 1 FROM retries t WHERE t.job = s.job AND t.attempt = s.attempt & 0x7fffffff))"
/*  As in the index of the ledger, which holds these alone. */
#define FAILED "(reason != 0 OR status != 0 OR signal != 0)"

enum {                          /*  statements                                      */
    ASK_LAST,
    ASK_ENDED,
    ASK_BLOCK,
    ASK_FAILED,
    ASK_CANCELLED,
    ASK_STARTED,
    ASK_PAGE,
    ASK_JOB,
    ASK_ATTEMPTS,
    ASK_ENDS,
    ASK_OPEN,
    ASK_BADLY,
    ASK_STATE,
    ASK_COUNT
};

/*  ASK_LAST: the last job, and the last of which anything is known: those after it wait. */
static const char *const questions[ASK_COUNT] = {
    [ASK_LAST] = "SELECT ifnull (max (id), 0), max (ifnull ((SELECT max (job) FROM starts), 0),"
                 " ifnull ((SELECT max (job) FROM results), 0)), (SELECT count (*) FROM retried) FROM jobs",
    [ASK_ENDED] = "SELECT count (*) FROM results",
    [ASK_BLOCK] = "SELECT count (*) FROM results WHERE job BETWEEN ?1 AND ?2",
    [ASK_FAILED] = "SELECT count (*) FROM results WHERE " FAILED,
    [ASK_CANCELLED] = "SELECT count (*) FROM results r WHERE " FAILED " AND reason = 3"
                      " AND NOT EXISTS (SELECT 1 FROM retried WHERE job = r.job)",
    [ASK_STARTED] = "SELECT count (*) FROM jobs j WHERE id BETWEEN ?1 AND ?2"
                    " AND NOT EXISTS (SELECT 1 FROM results WHERE job = j.id)"
                    " AND " STARTED,
    [ASK_PAGE] = "SELECT o.*, (SELECT priority FROM jobs WHERE id = o.id) AS priority FROM overview o WHERE o.id IN"
                 " (SELECT j.id FROM jobs j LEFT JOIN results r ON r.job = j.id WHERE j.id > ?1 AND j.id <= ?4 AND CASE"
                 " WHEN r.job IS NULL THEN CASE WHEN " STARTED " THEN ?2 & 4 ELSE ?2 & 8 END"
                 " WHEN j.id IN (SELECT job FROM retried) THEN ?2 & 16 WHEN " FAILED " THEN ?2 & 2 ELSE ?2 & 1 END"
                 " ORDER BY j.id LIMIT ?3) ORDER BY o.id",
    [ASK_ENDS] = "SELECT job FROM results ORDER BY job",
    [ASK_OPEN] = "SELECT id FROM jobs j WHERE NOT EXISTS (SELECT 1 FROM results WHERE job = j.id)"
                 " AND (?1 OR NOT " STARTED ") ORDER BY id",
    [ASK_BADLY] = "SELECT job FROM results WHERE " FAILED " ORDER BY job",
    [ASK_STATE] = "SELECT state, reason = 'cancelled' FROM overview WHERE id = ?1",
    [ASK_JOB] = "SELECT o.*, (SELECT priority FROM jobs WHERE id = o.id) AS priority FROM overview o WHERE o.id = ?1",
    [ASK_ATTEMPTS] = "SELECT attempt, CASE reason WHEN 0 THEN 'exited' WHEN 1 THEN 'timeout' WHEN 2 THEN 'lost'"
                     " WHEN 3 THEN 'cancelled' WHEN 4 THEN 'not started' WHEN 5 THEN 'output lost' END AS reason,"
                     " status, signal, why, host, worker, slot,"
                     " strftime ('%Y-%m-%dT%H:%M:%fZ', started / 1e6, 'unixepoch') AS started,"
                     " runtime / 1e6 AS seconds FROM retries WHERE job = ?1 ORDER BY attempt",
};

struct ledgerview {
    struct ledgerread ledger;
    sqlite3_stmt *asked[ASK_COUNT];
};

/*  A ledger that no head of this weft has opened yet knows no retries: for us there are none in it. */
static int
know_retried (struct ledgerview *self)
{
    sqlite3_stmt *statement = NULL;
    sqlite3 *db = self->ledger.db;
    if (sqlite3_prepare_v2 (db, "SELECT 1 FROM main.retried", -1, &statement, NULL) == SQLITE_OK) {
        sqlite3_finalize (statement);
        return 0;
    }
    static const char sql[] = "PRAGMA temp_store = MEMORY; CREATE TEMP TABLE retried (job INTEGER PRIMARY KEY, by)";
    bool none = sqlite3_errcode (db) == SQLITE_ERROR;
    return none && sqlite3_exec (db, sql, NULL, NULL, NULL) == SQLITE_OK ? 0 : ledgerread_error (&self->ledger);
}

int
ledgerview_open (struct ledgerview **self_p, const char *path)
{
    struct ledgerview *self = calloc (1, sizeof *self);
    *self_p = self;
    if (!self)
        return error_set (WEFT_ENOMEM, "out of memory for a ledger");
    int rc = ledgerread_open (&self->ledger, path, BUSY);
    rc = rc ? rc : know_retried (self);
    rc = rc ? rc : ledgerread_prepare (&self->ledger, questions, ASK_COUNT, self->asked);
    if (rc < 0)
        ledgerview_close (self_p);
    return rc;
}

void
ledgerview_map (struct ledgerview *self)
{
    /*  Where it cannot be: as before. */
    sqlite3_exec (self->ledger.db, "PRAGMA mmap_size = " MAPPED, NULL, NULL, NULL);
}

void
ledgerview_close (struct ledgerview **self_p)
{
    struct ledgerview *self = *self_p;
    *self_p = NULL;
    if (!self)
        return;
    ledgerread_close (&self->ledger);
    free (self);
}

/* ---------------------------------------------------------------- counting */

/*  The one row of a statement: `count` numbers. */
static int
ask_numbers (struct ledgerview *self, int question, uint64_t first, uint64_t last, uint64_t *numbers, int count)
{
    sqlite3_stmt *row = self->asked[question];
    sqlite3_bind_int64 (row, 1, (sqlite3_int64) first);
    sqlite3_bind_int64 (row, 2, (sqlite3_int64) last);
    int rc = ledgerread_step (&self->ledger, row);
    for (int i = 0; i < count && rc == 1; i++)
        numbers[i] = (uint64_t) sqlite3_column_int64 (row, i);
    sqlite3_reset (row);
    return rc < 0 ? rc : 0;
}

/*  Of the jobs up to `last`, `open` have not ended, most of them of late: looks for them from there on down. */
static int
count_started (struct ledgerview *self, uint64_t last, uint64_t open, uint64_t *started)
{
    int rc = 0;
    while (rc == 0 && open && last) {
        uint64_t first = last > BLOCK ? last - BLOCK + 1 : 1, ended, here = 0;
        rc = ask_numbers (self, ASK_BLOCK, first, last, &ended, 1);
        uint64_t missing = last - first + 1 - ended;
        if (rc == 0 && missing)
            rc = ask_numbers (self, ASK_STARTED, first, last, &here, 1);
        open -= missing < open ? missing : open;
        *started += here;
        last = first - 1;
    }
    return rc;
}

static int
count_all (struct ledgerview *self, struct ledgerview_counts *counts)
{
    uint64_t last[3], ended = 0, badly = 0;
    int rc = ask_numbers (self, ASK_LAST, 0, 0, last, 3);
    if (rc == 0)
        rc = ask_numbers (self, ASK_ENDED, 0, 0, &ended, 1);
    if (rc == 0)
        rc = count_started (self, last[1], last[1] - ended, &counts->started);
    if (rc == 0)
        rc = ask_numbers (self, ASK_FAILED, 0, 0, &badly, 1);
    if (rc == 0)
        rc = ask_numbers (self, ASK_CANCELLED, 0, 0, &counts->cancelled, 1);
    if (rc < 0)
        return rc;
    counts->jobs = last[0] - last[2];
    counts->done = ended - badly;
    counts->failed = badly - last[2];
    counts->waiting = last[0] - ended - counts->started;
    return 0;
}

int
ledgerview_count (struct ledgerview *self, struct ledgerview_counts *counts)
{
    *counts = (struct ledgerview_counts){ .jobs = 0 };
    /*  All of one moment. */
    bool begun = sqlite3_exec (self->ledger.db, "BEGIN", NULL, NULL, NULL) == SQLITE_OK;
    int rc = begun ? count_all (self, counts) : ledgerread_error (&self->ledger);
    sqlite3_exec (self->ledger.db, "COMMIT", NULL, NULL, NULL);
    return rc;
}

/*  The first column of each row. */
static int
walk (struct ledgerview *self, int question, ledgerview_take_fn *take, void *arg)
{
    sqlite3_stmt *row = self->asked[question];
    int rc;
    while ((rc = ledgerread_step (&self->ledger, row)) == 1)
        if ((rc = take (arg, (uint64_t) sqlite3_column_int64 (row, 0))) < 0)
            break;
    sqlite3_reset (row);
    return rc;
}

int
ledgerview_ended (struct ledgerview *self, ledgerview_take_fn *take, void *arg)
{
    return walk (self, ASK_ENDS, take, arg);
}

int
ledgerview_failed (struct ledgerview *self, ledgerview_take_fn *take, void *arg)
{
    return walk (self, ASK_BADLY, take, arg);
}

int
ledgerview_open_jobs (struct ledgerview *self, bool started, ledgerview_take_fn *take, void *arg)
{
    sqlite3_bind_int (self->asked[ASK_OPEN], 1, started);
    return walk (self, ASK_OPEN, take, arg);
}

static int
no_job (const struct ledgerview *self, uint64_t job)
{
    return error_set (WEFT_EINVAL, "%s has no job %llu", self->ledger.path, (unsigned long long) job);
}

int
ledgerview_state (struct ledgerview *self, uint64_t job, char *state, size_t size)
{
    static const char *const open[] = { "waiting", "started", "again" };
    sqlite3_stmt *row = self->asked[ASK_STATE];
    sqlite3_bind_int64 (row, 1, (sqlite3_int64) job);
    int rc = ledgerread_step (&self->ledger, row);
    if (rc == 1)
        snprintf (state, size, "%s", sqlite3_column_int (row, 1) ? "cancelled"
                                                                 : (const char *) sqlite3_column_text (row, 0));
    else if (rc == 0)
        rc = no_job (self, job);
    sqlite3_reset (row);
    for (size_t i = 0; i < sizeof open / sizeof *open && rc == 1; i++)
        if (strcmp (state, open[i]) == 0)
            rc = 0;
    return rc;
}

/* ------------------------------------------------------------------- lines */

static int
add_object (sqlite3_stmt *row, struct buffer *out)
{
    int rc = buffer_add_str (out, "{");
    rc = rc ? rc : ledgerrow_members (row, true, "", out);
    return rc ? rc : buffer_add_str (out, "}");
}

int
ledgerview_page (struct ledgerview *self, unsigned filter, bool json, uint64_t *after, struct buffer *out)
{
    sqlite3_stmt *row = self->asked[ASK_PAGE];
    uint64_t last[3] = { 0, INT64_MAX };
    /*  Jobs of which nothing is known yet wait, and may be many. */
    int lines = 0, rc = filter & LEDGERVIEW_WAITING ? 0 : ask_numbers (self, ASK_LAST, 0, 0, last, 3);
    sqlite3_bind_int64 (row, 4, (sqlite3_int64) last[1]);
    sqlite3_bind_int64 (row, 1, (sqlite3_int64) *after);
    sqlite3_bind_int (row, 2, (int) filter);
    sqlite3_bind_int (row, 3, PAGE);
    while (rc == 0 && (rc = ledgerread_step (&self->ledger, row)) == 1) {
        rc = json ? add_object (row, out) : ledgerrow_line (row, out);
        if (rc == 0)
            rc = buffer_add_str (out, "\n");
        *after = (uint64_t) sqlite3_column_int64 (row, 0);
        lines++;
    }
    sqlite3_reset (row);
    return rc < 0 ? rc : lines ? 1 : WEFT_EEND;
}

static int
show_attempts (struct ledgerview *self, uint64_t job, bool json, struct buffer *out)
{
    sqlite3_stmt *row = self->asked[ASK_ATTEMPTS];
    int rc;
    sqlite3_bind_int64 (row, 1, (sqlite3_int64) job);
    for (int count = 0; (rc = ledgerread_step (&self->ledger, row)) == 1; count++) {
        rc = buffer_add_str (out, json ? count ? "," : "" : "earlier:\n");
        if (rc == 0)
            rc = json ? add_object (row, out) : ledgerrow_members (row, false, "  ", out);
        if (rc < 0)
            break;
    }
    sqlite3_reset (row);
    return rc;
}

int
ledgerview_show (struct ledgerview *self, uint64_t job, bool json, struct buffer *out)
{
    sqlite3_stmt *row = self->asked[ASK_JOB];
    sqlite3_bind_int64 (row, 1, (sqlite3_int64) job);
    int rc = ledgerread_step (&self->ledger, row);
    rc = rc == 1 ? 0 : rc < 0 ? rc : no_job (self, job);
    if (rc == 0 && json)
        rc = buffer_add_str (out, "{");
    if (rc == 0)
        rc = ledgerrow_members (row, json, "", out);
    sqlite3_reset (row);
    if (rc == 0 && json)
        rc = buffer_add_str (out, ",\"earlier\":[");
    if (rc == 0)
        rc = show_attempts (self, job, json, out);
    return rc < 0 || !json ? rc : buffer_add_str (out, "]}\n");
}
