/*  pool_outputs.h - what jobs write, kept by their head in few files, and where in them it is
 *
 *  The files are pool_outfiles.h, what is in them codec/output_record.h and docs/spec/output.md.
 *
 *  What an attempt wrote until its end is gathered and stands together: most jobs have one piece, and a place of it in
 *  their result. Of those that write for longer the ledger has each piece, before the reports that brought it are
 *  acknowledged: so nothing is lost with a head, and the next one, to which reports may come again, knows by their
 *  number what it has.
 *
 *  The order: outputs_add as a report is read; outputs_end where an attempt ends, outputs_take_piece for those that go
 *  on, before the report is acknowledged; outfiles_write before the ledger is told of either; outfiles_sync before it
 *  commits that. */
#ifndef WEFT_PATTERNS_POOL_OUTPUTS_H
#define WEFT_PATTERNS_POOL_OUTPUTS_H

#include <stdbool.h>
#include <stdint.h>

#include "patterns/ledger.h"
#include "patterns/pool_outfiles.h"

#define OUTPUTS_FILE_MAX (INT64_C (1) << 30)    /*  bytes of a file, from which on the next one is begun    */

struct outputs;

/*  Makes the folder, and those above it. WEFT_EACCES, WEFT_EIO: it cannot be written to. Files come with what jobs
 *  write. `file_max`: 0 is the default. */
int outputs_new (struct outputs **self, const char *path, int64_t file_max);
void outputs_destroy (struct outputs **self);

/*  Where it is kept. */
struct outfiles *outputs_files (struct outputs *self);

/*  The ledger is open. `ledger` is asked for pieces of attempts that heads before this one have dealt. */
void outputs_begin (struct outputs *self, struct ledger *ledger, const struct ledger_found *found);

/*  An attempt wrote. What is in already adds nothing. A stray one is another than that which its head has now: it may
 *  count if that head is killed, and is kept unless there are very many. WEFT_ENOMEM; else as ledger_load. */
struct outputs_part {
    uint64_t job;
    int64_t attempt;
    uint64_t report;                    /*  which brought it ...                                            */
    uint32_t left;                      /*  ... with so many records after it                               */
    int stream;                         /*  1 or 2                                                          */
    const void *data;
    size_t size;
    bool stray;
};
int outputs_add (struct outputs *self, const struct outputs_part *part);

/*  An attempt has ended. */
struct outputs_ended {
    char place[LEDGER_PLACE_MAX];       /*  of what it wrote last; "": it wrote nothing                     */
    uint64_t bytes;                     /*  that are kept, of all                                           */
    bool has_piece;                     /*  there are others before: the ledger is to have this one, too    */
    struct ledger_piece piece;          /*  its place is the one above                                      */
};
int outputs_end (struct outputs *self, uint64_t job, int64_t attempt, struct outputs_ended *ended);

/*  It will be heard of no more; attempt 0: nor will any other of the job. */
void outputs_forget (struct outputs *self, uint64_t job, int64_t attempt);

/*  1 with the next piece of an attempt that goes on, good until the next call; 0 for none.
 *  WEFT_ENOMEM. */
int outputs_take_piece (struct outputs *self, struct ledger_piece *piece);

/*  Bytes that were added and have no place yet. */
size_t outputs_gathered (const struct outputs *self);

#endif
