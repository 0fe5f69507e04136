/*  results.h - --results: what each job writes, kept in files of its own
 *
 *  As GNU parallel lays them out: below a folder one for each source and value, with
 *  stdout, stderr and seq (the number of the job) in it; or names made of a template;
 *  or a row for each job in one .csv, .tsv or .json file, see resultrow.h.
 *
 *  Output that is being written is called stdout.SEQ.part; it gets its name when the job
 *  has ended, so that whoever finds the name finds all of it. */
#ifndef WEFT_CLI_RESULTS_H
#define WEFT_CLI_RESULTS_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "cli/arglist.h"
#include "cli/replace.h"

#define RESULTS_OPEN_MAX 64     /*  descriptors that are kept open; more jobs than that open theirs each time */

enum results_kind {
    RESULTS_NONE,
    RESULTS_TREE,               /*  path/1/VALUE/2/VALUE/stdout     */
    RESULTS_NAMED,              /*  path is a template              */
    RESULTS_CSV,                /*  rows in one file                */
    RESULTS_TSV,
    RESULTS_JSON
};

struct results {
    enum results_kind kind;
    const char *path;           /*  as typed; the caller's          */
    struct replace template;
    struct arglist *names;      /*  of columns, or NULL; the caller's */
    struct timespec since;      /*  files are ours that are younger */
    int opened;                 /*  descriptors that are kept open  */
    bool told;                  /*  that two jobs have one place    */
    int fd;                     /*  of rows, or -1                  */
    bool headed;                /*  the row of names was written    */
    size_t columns;             /*  values of the first job         */
};

/*  A job's part in it. All zero but for `results` is one that has not begun. */
struct results_job {
    struct results *results;
    uint64_t number;
    int fds[2];                 /*  plus 1; 0: not open             */
    bool begun, made[2];        /*  there is a .part                */
    bool bad;                   /*  it could not be kept            */
    bool quoted[2];             /*  rows: it holds what must be quoted */
};

/*  NULL keeps none. Makes nothing yet. */
int results_open (struct results *self, const char *path);
void results_close (struct results *self);

/*  Columns have names: they take the place of numbers. `names` must outlive it. */
int results_name (struct results *self, struct arglist *names);
bool results_are_rows (const struct results *self);

/*  Where the results of a job are to be: the text that the calls below want. For rows it
 *  is the values as they stand in the row. */
int results_place (struct results *self, struct arglist *args, uint64_t number, const char *slot,
                   struct buffer *place);

/*  The file of standard output, or of standard error, of a job that has ended. `path` has PATH_MAX bytes.
 *  WEFT_ETOOBIG. */
int results_path (const char *place, bool error, char *path);

/*  Has a job of that place ended in an earlier run? Not for rows. */
bool results_exist (const struct results *self, const char *place);

/*  A job, or another attempt, begins. 1: another job of this run has the same place, and
 *  this is the first time that this was seen. */
int results_begin (struct results *self, struct results_job *job, const char *place, uint64_t number);

/*  stream 0 is standard output, 1 standard error. */
int results_write (struct results_job *job, const char *place, int stream, const void *data, size_t size);

/*  What was written is void: the job begins again. */
void results_void (struct results_job *job);

/*  It has ended: its files get their names. */
int results_end (struct results_job *job, const char *place);

/*  It will not end: what it has written stays as it is. */
void results_drop (struct results_job *job);

#endif
