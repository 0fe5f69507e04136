/*  ledger_store.h - what the files about the SQLite file share */
#ifndef WEFT_PATTERNS_LEDGER_STORE_H
#define WEFT_PATTERNS_LEDGER_STORE_H

#include <sqlite3.h>

#include "patterns/ledger_parts.h"

#define LEDGER_LOG_PAGE (4096 + 24)     /*  bytes of a page and its header, in the log              */

enum ledger_statement {
    STATEMENT_BEGIN, STATEMENT_COMMIT, STATEMENT_ROLLBACK,
    STATEMENT_JOB, STATEMENT_START, STATEMENT_RETRY, STATEMENT_RESULT, STATEMENT_DEALT, STATEMENT_PIECE,
    STATEMENT_LOAD,
    STATEMENT_OPEN,
    STATEMENT_MARKS,
    STATEMENT_HASHES,
    STATEMENT_PIECES,
    STATEMENT_RETRIED, STATEMENT_FAILED, STATEMENT_FATE,    /*  of a table that an earlier weft did not make */
    STATEMENTS
};

struct ledger_store {
    char *path;
    sqlite3 *db;
    sqlite3_stmt *statements[STATEMENTS];
    enum ledger_durability durability;
    int64_t log_limit;                  /*  pages in the log, until they are brought into the file  */
    int log_pages;                      /*  in the log                                              */
    int tried_pages;                    /*  of these there were at the last checkpoint              */
    int brought_pages;                  /*  of these are in the file                                */
    int64_t checkpointed;               /*  when                                                    */
    bool reserved;                      /*  PATH-reserve is there                                   */
    bool reservable;                    /*  it was at some time                                     */
    uint64_t repeats, checkpoints;
    char trouble[400];
};

/*  SQLite's integers are signed. */
static inline int64_t
ledger_clipped (uint64_t number)
{
    return number > INT64_MAX ? INT64_MAX : (int64_t) number;
}

/*  Makes the file, whole, under its name: a crash leaves it or nothing. */
int ledger_create (const char *path);

/*  Before SQLite sees it: is it a ledger of this format, by its first bytes? WEFT_EPROTO; writes nothing. `log`: there
 *  is one beside it. */
int ledger_check_header (const char *path, bool log);

/*  Is what SQLite makes of it sound? Fills `found`, except the epoch; writes nothing. */
int ledger_check (sqlite3 *db, const char *path, struct ledger_found *found);

/*  What an earlier weft did not make, and leaves alone: the table `retried`, and the views that know it. */
int ledger_upgrade (sqlite3 *db, const char *path);

/*  That the names in its folder are durable. */
int ledger_sync_folder (const char *path);

/*  Writes and syncs again what is in the log, and in the file for each page of it, so that what was read is on disk.
 *  WEFT_ELIMIT: the disk is full. To be called when the log has been read, before any write. */
int ledger_log_secure (sqlite3 *db, const char *path);

/*  An error of SQLite's as one of ours, with its words. */
int ledger_sqlite_error (sqlite3 *db, const char *path, const char *what);

#endif
