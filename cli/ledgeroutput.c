/*  ledgeroutput.c - where a ledger says that what its jobs wrote is */

#include "cli/ledgeroutput.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/ledgerread.h"
#include "core/error.h"

#define BUSY 5000               /*  ms that a ledger may be held by others          */

enum {
    ASK_JOB,
    ASK_FOLDER,
    ASK_SPEC,
    ASK_ATTEMPT,                /*  from here on: of pieces, which an older ledger may not have */
    ASK_PIECE,
    ASK_OF_PLACE,
    ASK_COUNT
};

static const char *const questions[ASK_COUNT] = {
    [ASK_JOB] = "SELECT r.job, (r.reason != 0 OR r.status != 0 OR r.signal != 0), r.received, r.output, s.attempt,"
                " EXISTS (SELECT 1 FROM retries t WHERE t.job = j.id AND t.attempt = s.attempt & 0x7fffffff)"
                " FROM jobs j LEFT JOIN results r ON r.job = j.id LEFT JOIN starts s ON s.job = j.id"
                " AND s.attempt = (SELECT max (attempt) FROM starts WHERE job = j.id) WHERE j.id = ?1",
    [ASK_FOLDER] = "SELECT value FROM meta WHERE name = 'outputs-' || ?1",
    [ASK_SPEC] = "SELECT r.attempt, r.slot, j.spec, m.value, f.value, CAST (substr (m.name, 9) AS INTEGER) AS epoch"
                 " FROM jobs j JOIN results r ON r.job = j.id JOIN meta m ON m.name GLOB 'results-*' JOIN meta f"
                 " ON f.name = 'folder-' || substr (m.name, 9) WHERE j.id = ?1 AND epoch < ?2"
                 " ORDER BY epoch DESC LIMIT 1",
    [ASK_ATTEMPT] = "SELECT max (attempt) FROM pieces WHERE job = ?1",
    [ASK_PIECE] = ("SELECT report, place FROM pieces WHERE job = ?1 AND attempt = ?2 AND report > ?3"
                   " ORDER BY report LIMIT 1"),
    [ASK_OF_PLACE] = "SELECT attempt FROM pieces WHERE job = ?1 AND place = ?2",
};

struct ledgeroutput {
    struct ledgerread ledger;
    sqlite3_stmt *asked[ASK_COUNT];
};

int
ledgeroutput_open (struct ledgeroutput **self_p, const char *path)
{
    struct ledgeroutput *self = calloc (1, sizeof *self);
    *self_p = self;
    if (!self)
        return error_set (WEFT_ENOMEM, "out of memory for a ledger");
    int rc = ledgerread_open (&self->ledger, path, BUSY);
    rc = rc ? rc : ledgerread_prepare (&self->ledger, questions, ASK_ATTEMPT, self->asked);
    if (rc == 0)
        ledgerread_prepare (&self->ledger, questions + ASK_ATTEMPT, ASK_COUNT - ASK_ATTEMPT,
                            self->asked + ASK_ATTEMPT);
    if (rc < 0)
        ledgeroutput_close (self_p);
    return rc;
}

void
ledgeroutput_close (struct ledgeroutput **self_p)
{
    struct ledgeroutput *self = *self_p;
    *self_p = NULL;
    if (!self)
        return;
    ledgerread_close (&self->ledger);
    free (self);
}

/*  1 with a row, which is to be reset; 0. */
static int
step (struct ledgeroutput *self, int question)
{
    sqlite3_stmt *row = self->asked[question];
    return row ? ledgerread_step (&self->ledger, row) : 0;
}

static void
take_text (sqlite3_stmt *row, int column, char *text, size_t size)
{
    const char *found = (const char *) sqlite3_column_text (row, column);
    snprintf (text, size, "%s", found ? found : "");
}

/*  Of the last attempt that is known; the place tells which that was that ended. */
static int
find_attempt (struct ledgeroutput *self, uint64_t id, struct ledgeroutput_job *job)
{
    int question = *job->place ? ASK_OF_PLACE : ASK_ATTEMPT;
    sqlite3_stmt *row = self->asked[question];
    if (row) {
        sqlite3_bind_int64 (row, 1, (sqlite3_int64) id);
        if (*job->place)
            sqlite3_bind_text (row, 2, job->place, -1, SQLITE_STATIC);
    }
    int rc = step (self, question);
    job->pieces = rc == 1 && *job->place;
    if (rc == 1 && (job->pieces || sqlite3_column_int64 (row, 0) > job->attempt))
        job->attempt = sqlite3_column_int64 (row, 0);
    if (row)
        sqlite3_reset (row);
    return rc < 0 ? rc : 0;
}

int
ledgeroutput_job (struct ledgeroutput *self, uint64_t id, struct ledgeroutput_job *job)
{
    sqlite3_stmt *row = self->asked[ASK_JOB];
    *job = (struct ledgeroutput_job) { .state = LEDGEROUTPUT_WAITING };
    sqlite3_bind_int64 (row, 1, (sqlite3_int64) id);
    int rc = step (self, ASK_JOB);
    if (rc == 1) {
        bool begun = sqlite3_column_type (row, 4) != SQLITE_NULL && !sqlite3_column_int (row, 5);
        job->state = sqlite3_column_type (row, 0) != SQLITE_NULL ? LEDGEROUTPUT_ENDED
                     : begun ? LEDGEROUTPUT_RUNNING : LEDGEROUTPUT_WAITING;
        job->failed = sqlite3_column_int (row, 1);
        job->received = (uint64_t) sqlite3_column_int64 (row, 2);
        job->attempt = sqlite3_column_int64 (row, 4);
        take_text (row, 3, job->place, sizeof job->place);
    }
    sqlite3_reset (row);
    if (rc == 0)
        return error_set (WEFT_EINVAL, "%s has no job %llu", self->ledger.path, (unsigned long long) id);
    return rc < 0 ? rc : find_attempt (self, id, job);
}

int
ledgeroutput_piece (struct ledgeroutput *self, uint64_t id, int64_t attempt, uint64_t *after,
                    char place[LEDGER_PLACE_MAX])
{
    sqlite3_stmt *row = self->asked[ASK_PIECE];
    if (!row)
        return 0;
    sqlite3_bind_int64 (row, 1, (sqlite3_int64) id);
    sqlite3_bind_int64 (row, 2, attempt);
    sqlite3_bind_int64 (row, 3, (sqlite3_int64) *after);
    int rc = step (self, ASK_PIECE);
    if (rc == 1) {
        *after = (uint64_t) sqlite3_column_int64 (row, 0);
        take_text (row, 1, place, LEDGER_PLACE_MAX);
    }
    sqlite3_reset (row);
    return rc;
}

int
ledgeroutput_spec (struct ledgeroutput *self, uint64_t id, int64_t *epoch, struct ledgeroutput_spec *spec)
{
    sqlite3_stmt *row = self->asked[ASK_SPEC];
    sqlite3_reset (row);
    sqlite3_bind_int64 (row, 1, (sqlite3_int64) id);
    sqlite3_bind_int64 (row, 2, *epoch);
    int rc = step (self, ASK_SPEC);
    if (rc != 1)
        return rc;
    *spec = (struct ledgeroutput_spec) {
        .job = id, .attempt = sqlite3_column_int64 (row, 0), .slot = sqlite3_column_int (row, 1),
        .spec = sqlite3_column_blob (row, 2), .size = (size_t) sqlite3_column_bytes (row, 2),
        .results = (const char *) sqlite3_column_text (row, 3), .folder = (const char *) sqlite3_column_text (row, 4)
    };
    *epoch = sqlite3_column_int64 (row, 5);
    return spec->spec && spec->results && spec->folder ? 1 : 0;
}

/*  The head's epoch is the second part of the file's name. */
int
ledgeroutput_folder (struct ledgeroutput *self, const char *place, char *folder, size_t size)
{
    const char *dash = strchr (place, '-');
    size_t digits = dash ? strspn (dash + 1, "0123456789") : 0;
    sqlite3_stmt *row = self->asked[ASK_FOLDER];
    *folder = '\0';
    if (!digits)
        return 0;
    sqlite3_bind_text (row, 1, dash + 1, (int) digits, SQLITE_STATIC);
    int rc = step (self, ASK_FOLDER);
    if (rc == 1)
        take_text (row, 0, folder, size);
    sqlite3_reset (row);
    return rc < 0 ? rc : 0;
}
