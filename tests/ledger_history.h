/*  ledger_history.h - a history of a ledger, and a judge of what is left of it
 *
 *  Operation 1, 2, ...: of each six, two jobs, one of them often with a spec of several pages; that they may be
 *  dealt; a start; a retry; a result. Each is a row, so the rows of a sound file are those of the first so many. */
#ifndef WEFT_TESTS_LEDGER_HISTORY_H
#define WEFT_TESTS_LEDGER_HISTORY_H

#include <stddef.h>
#include <stdint.h>

#include "patterns/ledger.h"

enum { HISTORY_GROUP = 6, HISTORY_OPERATIONS = 60 };

extern char history_folder[64], history_path[96];
extern struct ledger_config history_config;     /*  commits when it is flushed, and checkpoints often; a test may set
                                                    its durability, which is LEDGER_GROUP when it begins */

/*  For cmocka: a folder in memory, and its end with that of recording and faults. */
int history_make_folder (void **state);
int history_remove_folder (void **state);

/*  What anybody was promised up to now: operations in the lower half, the epoch in the upper. */
uint64_t history_promise (void);
void history_restart (uint64_t promised);

/*  Opens (NULL: it could not) and closes, with what that promises. */
struct ledger *history_begin (const struct ledger_config *config);
int history_end (struct ledger *ledger);

int history_add (struct ledger *ledger, uint64_t number);

/*  From opening to closing: operations `from` .. `to`, in commits of 1, 2, 3, ... */
void history_session (uint64_t from, uint64_t to);

/*  The rows in the file, and how many. */
const char *history_found_rows (uint64_t *count);

/*  The ledger opens on what is there, gives what is to be done, and its file, read by SQL alone, has the first so many
 *  operations of the history, no others, and at least those that were promised. Gives their number. */
uint64_t history_judge (const char *where, uint64_t promised);

/*  Judges what each crash leaves, of each kind, at `each` step of the record from this one on (1: all). With
 *  LEDGER_NONE a loss of power may take any number of operations, but not the epoch. */
void history_sweep (size_t from, size_t each, uint64_t seeds);

#endif
