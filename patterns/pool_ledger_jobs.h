/*  pool_ledger_jobs.h - what a book's opening, turns and end do about its jobs
 *
 *  What the head asks of them is in pool_ledger.h. */

#ifndef WEFT_PATTERNS_POOL_LEDGER_JOBS_H
#define WEFT_PATTERNS_POOL_LEDGER_JOBS_H

#include "patterns/pool_ledger.h"

/*  The ledger was opened and has jobs: by their content, and how many of each priority. */
int book_learn_jobs (struct book *self);

/*  `durable` has grown: so have the jobs that are accepted, and those that may be dealt. */
void book_settle_jobs (struct book *self);

void book_free_jobs (struct book *self);

#endif
