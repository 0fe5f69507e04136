/*  jobresults.h - what a job wrote, from the files of --results, found by what its ledger says */
#ifndef WEFT_CLI_JOBRESULTS_H
#define WEFT_CLI_JOBRESULTS_H

#include "cli/ledgeroutput.h"
#include "cli/outputfile.h"

/*  Calls `take` with parts of standard output, then of standard error: 1 when there were such files, else 0. What
 *  `take` returns that is negative ends it, and is returned. WEFT_ENOTSUP: it is a row in a file of all. */
int jobresults_read (struct ledgeroutput *ledger, uint64_t id, outputfile_take_fn *take, void *arg);

#endif
