/*  ledgerview.h - what a ledger says of its jobs, read beside the head that writes it
 *
 *  A connection that only reads, and for moments: a reader that stays keeps the ledger's log from
 *  being brought in. docs/spec/ledger.md and the views in the file say what its columns are. */
#ifndef WEFT_CLI_LEDGERVIEW_H
#define WEFT_CLI_LEDGERVIEW_H

#include <stdbool.h>
#include <stdint.h>

#include "core/buffer.h"

struct ledgerview_counts {
    uint64_t jobs, done, failed;    /*  of all but those that others do again; ended well, and badly */
    uint64_t cancelled;             /*  of those that failed: by name           */
    uint64_t started, waiting;      /*  of the others: in an attempt, or not    */
};

enum ledgerview_filter {            /*  may be added                            */
    LEDGERVIEW_DONE = 1,
    LEDGERVIEW_FAILED = 2,
    LEDGERVIEW_STARTED = 4,
    LEDGERVIEW_WAITING = 8,
    LEDGERVIEW_RETRIED = 16,
    LEDGERVIEW_ALL = 31
};

struct ledgerview;

/*  WEFT_EPROTO: it is no ledger. Nulls *self on error. */
int ledgerview_open (struct ledgerview **self, const char *path);
void ledgerview_close (struct ledgerview **self);

/*  Reads the file as memory from now on: a count takes a quarter of the time. Who cuts the file off meanwhile ends this
 *  program, so it is for those that only look. */
void ledgerview_map (struct ledgerview *self);

int ledgerview_count (struct ledgerview *self, struct ledgerview_counts *counts);

/*  Calls `take` with the number of each job that has ended, in order, until it returns a negative result, which is
 *  returned. */
typedef int (ledgerview_take_fn) (void *arg, uint64_t job);
int ledgerview_ended (struct ledgerview *self, ledgerview_take_fn *take, void *arg);

/*  The same for each that has ended badly, also when another does it again. */
int ledgerview_failed (struct ledgerview *self, ledgerview_take_fn *take, void *arg);

/*  The same for each that has not ended; without `started`, those that have begun are left out. */
int ledgerview_open_jobs (struct ledgerview *self, bool started, ledgerview_take_fn *take, void *arg);

/*  The state of a job, in a word, as docs/spec/ledger.md has them: 1 when it has ended, 0 when not. WEFT_EINVAL: there
 *  is no such job. */
int ledgerview_state (struct ledgerview *self, uint64_t job, char *state, size_t size);

/*  Adds lines for the jobs after `*after`, which moves on, to `out`: at most a page of them. 1, or
 *  WEFT_EEND when none are left. As text, or a JSON object each. */
int ledgerview_page (struct ledgerview *self, unsigned filter, bool json, uint64_t *after, struct buffer *out);

/*  Adds all that is known of a job, and of its attempts before the last. WEFT_EINVAL: there is none. */
int ledgerview_show (struct ledgerview *self, uint64_t job, bool json, struct buffer *out);

#endif
