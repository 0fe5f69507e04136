/*  ledgerread.h - a ledger that is read beside the head that writes it, by questions that are prepared once
 *
 *  A connection that only reads, and for moments: each call is a transaction of its own, since a reader that stays
 *  keeps the ledger's log from being brought in. A question is a statement of SQLite's, and is reset after use.
 *  docs/spec/ledger.md says what a ledger has. */
#ifndef WEFT_CLI_LEDGERREAD_H
#define WEFT_CLI_LEDGERREAD_H

struct sqlite3;
struct sqlite3_stmt;

struct ledgerread {
    struct sqlite3 *db;
    const char *path;               /*  the caller's                                */
};

/*  `path` must outlive it. `busy`: ms that others may hold the ledger. To be closed also after an error. That it is no
 *  ledger shows only when it is asked something: WEFT_EPROTO. */
int ledgerread_open (struct ledgerread *self, const char *path, int busy);

/*  Prepares questions, in their order, up to its end. */
int ledgerread_prepare (struct ledgerread *self, const char *const *questions, int count, struct sqlite3_stmt **asked);

/*  Its questions end with it. */
void ledgerread_close (struct ledgerread *self);

/*  1 with a row, 0 when there is none (left), or an error. */
int ledgerread_step (const struct ledgerread *self, struct sqlite3_stmt *question);

/*  What SQLite said last, as an error in words. */
int ledgerread_error (const struct ledgerread *self);

#endif
