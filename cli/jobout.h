/*  jobout.h - what jobs write, put in order for people and programs
 *
 *  Grouped: a job's output comes out when it has ended, never mixed with another's.
 *  Lines: whole lines, as they come. Raw: as it comes. With keep_order, jobs come
 *  out by their number, whatever the order they end in. */
#ifndef WEFT_CLI_JOBOUT_H
#define WEFT_CLI_JOBOUT_H

#include <stdbool.h>
#include <stdint.h>

#include "cli/progress.h"
#include "cli/spool.h"

#define JOBOUT_WINDOW 65536     /*  numbers that may wait for their turn        */

enum jobout_mode {
    JOBOUT_GROUP,
    JOBOUT_LINES,
    JOBOUT_RAW
};

/*  Where it goes. Several jobouts may share one. Whoever reads may be slow: what he
 *  does not take yet is kept, so that the caller's loop never stands still. */
struct outlet_end {
    int fd;
    const char *name;           /*  for messages                                */
    size_t most;                /*  bytes in one write that does not wait       */
    bool terminal;
    struct spooled pending;
};

struct outlet {
    struct outlet_end ends[2];  /*  standard output and error                   */
    struct spool spool;
    struct progress *bar;       /*  to be taken off before a terminal is written to; or NULL */
};

/*  One job's output; a part of the caller's job. */
struct jobout_job {
    uint64_t number;
    const char *tag;            /*  put before each line, with a TAB; or NULL. The caller's */
    struct spooled streams[2];
    bool begun[2];              /*  the line that is being written has its tag  */
    bool ended;
    bool passed;                /*  keep_order: its turn was given up           */
};

struct jobout {
    struct outlet *outlet;
    enum jobout_mode mode;
    bool keep_order;
    uint64_t turn;              /*  keep_order: the number that comes out now   */
    struct jobout_job **waiting;    /*  by number, modulo JOBOUT_WINDOW         */
    int (*print) (void *arg, struct jobout_job *job);   /*  NULL, or writes out what it has of a job */
    void (*done) (void *arg, struct jobout_job *job);
    void *arg;
};

void outlet_init (struct outlet *self, int out, int err);

/*  Writes what can be written without waiting. WEFT_EEND when nobody reads any more. */
int outlet_flush (struct outlet *self);

/*  A descriptor to be flushed again when it can be written; -1: all is out. */
int outlet_fd (const struct outlet *self);

/*  So much is kept that no job more should be begun. */
bool outlet_full (const struct outlet *self);
void outlet_close (struct outlet *self);

/*  0 is standard output, 1 standard error: each in its order, one after the other as far as
 *  they are not held up. */
int outlet_write (struct outlet *self, int stream, const char *data, size_t size);

/*  `done` is called when a job's output is out and the job may be freed. */
int jobout_init (struct jobout *self, struct outlet *outlet, enum jobout_mode mode, bool keep_order,
                 void (*done) (void *arg, struct jobout_job *job), void *arg);
void jobout_free (struct jobout *self);

/*  With keep_order: may a job of that number begin? Else earlier ones must end first. */
bool jobout_has_room (const struct jobout *self, uint64_t number);

/*  For who cannot wait for that: the job whose turn it is loses it, and comes out when it
 *  ends. */
int jobout_pass (struct jobout *self);

/*  No job more will begin or end: those that wait for their turn come out. */
int jobout_finish (struct jobout *self);

/*  A job begins: numbers are 1 and up, each once. */
void jobout_begin (struct jobout *self, struct jobout_job *job, uint64_t number, const char *tag);

/*  All four: WEFT_EEND when standard output is closed, or an error. */
int jobout_write (struct jobout *self, struct jobout_job *job, int stream, const void *data, size_t size);

/*  What it wrote is void: the job begins again. What came out already stays. */
int jobout_void (struct jobout *self, struct jobout_job *job);

/*  It has ended: its output comes out now, or when its turn comes. */
int jobout_end (struct jobout *self, struct jobout_job *job);

/*  A number that will have no output: the order goes on without it. */
int jobout_skip (struct jobout *self, struct jobout_job *job);

#endif
