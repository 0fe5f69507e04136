/*  ledgernow.c - what goes on in a ledger at this moment, as lines for a terminal */

#include "cli/ledgernow.h"

#include <sqlite3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/fit.h"
#include "cli/ledgerread.h"
#include "core/error.h"

#define BUSY 1000               /*  ms that a ledger may be held by others              */
#define OF_LATE "4096"          /*  jobs among which workers are looked for             */
#define BLOCK 4096              /*  jobs among which those that run are, at once        */

/*  Columns: number (of a job, or NULL), us, and two texts. ?1 to ?2 are jobs, ?3 rows, ?4 the time. That a job was
 *  started need not be known when it has ended. */
static const char *const questions[LEDGERNOW_PARTS] = {
    [LEDGERNOW_RUNNING] =
        "SELECT j.id, max (?4 - s.started, 0), s.worker || ifnull ('/' || s.slot, ''), j.command"
        " FROM jobs j JOIN starts s ON s.job = j.id AND s.attempt = (SELECT max (attempt) FROM starts WHERE job = j.id)"
        " WHERE j.id BETWEEN ?1 AND ?2 AND NOT EXISTS (SELECT 1 FROM results WHERE job = j.id) AND NOT EXISTS"
        " (SELECT 1 FROM retries WHERE job = j.id AND attempt = s.attempt & 0x7fffffff) ORDER BY j.id DESC LIMIT ?3",
    [LEDGERNOW_WORKERS] =
        "WITH late (job) AS (SELECT max (ifnull ((SELECT max (job) FROM starts), 0),"
        " ifnull ((SELECT max (job) FROM results), 0)) - " OF_LATE ")"
        " SELECT NULL, NULL, worker, printf ('%d running, %d ended of late', sum (runs), sum (NOT runs)) FROM"
        " (SELECT s.worker AS worker, 1 AS runs FROM starts s LEFT JOIN retries t ON t.job = s.job"
        " AND t.attempt = s.attempt & 0x7fffffff WHERE s.job >= (SELECT job FROM late) AND t.job IS NULL"
        " AND NOT EXISTS (SELECT 1 FROM results WHERE job = s.job)"
        " UNION ALL SELECT worker, 0 FROM results WHERE job >= (SELECT job FROM late) AND worker != '')"
        " GROUP BY worker ORDER BY worker LIMIT ?3",
    [LEDGERNOW_SLOWEST] =
        "SELECT r.job, r.runtime, r.worker, j.command FROM results r JOIN jobs j ON j.id = r.job WHERE r.job IN"
        " (SELECT job FROM results WHERE runtime > 0 ORDER BY runtime DESC LIMIT ?3) ORDER BY r.runtime DESC",
    [LEDGERNOW_FAILED] =
        "SELECT r.job, r.runtime, CASE r.reason WHEN 0 THEN CASE WHEN r.signal THEN 'signal ' || r.signal"
        " ELSE 'exit ' || r.status END WHEN 1 THEN 'timeout' WHEN 2 THEN 'lost' WHEN 4 THEN 'not started'"
        " WHEN 5 THEN 'output lost' ELSE '?' END, j.command FROM results r JOIN jobs j ON j.id = r.job"
        " WHERE (reason != 0 OR status != 0 OR signal != 0) ORDER BY r.job DESC LIMIT ?3",
};

static const char *const last_question = "SELECT ifnull (max (job), 0) FROM starts";

struct ledgernow {
    struct ledgerread ledger;
    sqlite3_stmt *asked[LEDGERNOW_PARTS], *last;
};

int
ledgernow_open (struct ledgernow **self_p, const char *path)
{
    struct ledgernow *self = calloc (1, sizeof *self);
    *self_p = self;
    if (!self)
        return error_set (WEFT_ENOMEM, "out of memory for a ledger");
    int rc = ledgerread_open (&self->ledger, path, BUSY);
    rc = rc ? rc : ledgerread_prepare (&self->ledger, &last_question, 1, &self->last);
    rc = rc ? rc : ledgerread_prepare (&self->ledger, questions, LEDGERNOW_PARTS, self->asked);
    if (rc < 0)
        ledgernow_close (self_p);
    return rc;
}

void
ledgernow_close (struct ledgernow **self_p)
{
    struct ledgernow *self = *self_p;
    *self_p = NULL;
    if (!self)
        return;
    ledgerread_close (&self->ledger);
    free (self);
}

static int
add_cell (sqlite3_stmt *row, int column, int width, int *columns, struct buffer *out)
{
    const char *text = (const char *) sqlite3_column_text (row, column);
    int room = width && width < *columns ? width : *columns;
    int used = fit_add (out, text ? text : "-", text ? (size_t) sqlite3_column_bytes (row, column) : 1, room);
    int rc = used < 0 ? used : 0;
    for (; width && used < room && rc == 0; used++)
        rc = buffer_add_str (out, " ");
    *columns -= used;
    return rc;
}

static int
add_line (sqlite3_stmt *row, int columns, struct buffer *out)
{
    char text[64] = "  ";
    int rc = 0;
    if (sqlite3_column_type (row, 0) != SQLITE_NULL)
        snprintf (text, sizeof text, "  %8lld %9.1fs  ", (long long) sqlite3_column_int64 (row, 0),
                  (double) sqlite3_column_int64 (row, 1) / 1e6);
    int used = fit_add (out, text, strlen (text), columns);
    columns -= used;
    rc = used < 0 ? used : add_cell (row, 2, 20, &columns, out);
    if (rc == 0 && columns > 0) {
        rc = buffer_add_str (out, " ");
        columns--;
    }
    if (rc == 0)
        rc = add_cell (row, 3, 0, &columns, out);
    return rc < 0 ? rc : buffer_add_str (out, "\n");
}

/*  Of jobs `first` to `last`; how many lines. */
static int
add_lines (struct ledgernow *self, enum ledgernow_part part, const int64_t bounds[2], int64_t now, int rows,
           int columns, struct buffer *out)
{
    sqlite3_stmt *row = self->asked[part];
    int rc = 0, count = 0;
    sqlite3_bind_int64 (row, 1, bounds[0]);
    sqlite3_bind_int64 (row, 2, bounds[1]);
    sqlite3_bind_int (row, 3, rows);
    sqlite3_bind_int64 (row, 4, now);
    for (; rc == 0 && count < rows && (rc = ledgerread_step (&self->ledger, row)) == 1; count++)
        rc = add_line (row, columns, out);
    sqlite3_reset (row);
    return rc < 0 ? rc : count;
}

int
ledgernow_add (struct ledgernow *self, enum ledgernow_part part, int64_t now, int rows, int columns,
               struct buffer *out)
{
    int64_t bounds[2] = { 0, INT64_MAX };
    if (rows <= 0 || columns <= 0)
        return 0;
    if (part != LEDGERNOW_RUNNING)
        return add_lines (self, part, bounds, now, rows, columns, out);
    /*  What runs is among the last; the rest is looked through as far as that does not take long. */
    int count = 0, rc = ledgerread_step (&self->ledger, self->last);
    bounds[1] = rc == 1 ? sqlite3_column_int64 (self->last, 0) : 0;
    sqlite3_reset (self->last);
    rc = rc < 0 ? rc : 0;
    for (int block = 0; block < 16 && bounds[1] > 0 && count < rows && rc == 0; block++) {
        bounds[0] = bounds[1] > BLOCK ? bounds[1] - BLOCK + 1 : 1;
        int more = add_lines (self, part, bounds, now, rows - count, columns, out);
        rc = more < 0 ? more : 0;
        count += more;
        bounds[1] = bounds[0] - 1;
    }
    return rc < 0 ? rc : count;
}
