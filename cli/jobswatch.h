/*  jobswatch.h - weft jobs --watch: how the jobs of a ledger are, until all have ended */
#ifndef WEFT_CLI_JOBSWATCH_H
#define WEFT_CLI_JOBSWATCH_H

#include "cli/command.h"
#include "cli/ledgerview.h"

#define JOBSWATCH_SAMPLES 30    /*  seconds or so over which the rate is taken  */

/*  How fast jobs end, from counts now and then. */
struct jobsrate {
    struct {
        int64_t at;             /*  ns                      */
        uint64_t ended;
    } samples[JOBSWATCH_SAMPLES];
    unsigned count;
};

void jobsrate_add (struct jobsrate *self, int64_t at, uint64_t ended);

/*  Jobs a second, or a negative number when nothing is known yet. */
double jobsrate_of (const struct jobsrate *self);

/*  The two lines above all others, of at most `columns`, each with its newline. */
int jobswatch_head (const struct ledgerview_counts *counts, double rate, int columns, struct buffer *out);

/*  Draws on a terminal about once a second, and puts that back as it was; else writes a line when something has
 *  changed, with `json` an object. Ends when all jobs have, or with q or a signal: `counts` are the last. */
int jobswatch_run (struct cli *cli, struct ledgerview *view, const char *path, bool json,
                   struct ledgerview_counts *counts);

#endif
