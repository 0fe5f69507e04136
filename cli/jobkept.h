/*  jobkept.h - jobs by their ids, as a pool with a ledger tells of them
 *
 *  There a job may have been handed over by a program before this one, so that nothing here came with
 *  it: it is known from the first that is heard of it until it has ended. */
#ifndef WEFT_CLI_JOBKEPT_H
#define WEFT_CLI_JOBKEPT_H

#include "cli/jobfeed.h"
#include "cli/jobview.h"
#include "core/map.h"

struct jobkept {
    struct map jobs;
    bool ready;
    uint64_t *ended;            /*  a bit for each job that had ended when we began ...     */
    uint64_t *before;           /*  ... and how many there are in the words before each     */
    uint64_t words, ended_count;
    struct cli *cli;
    bool told;                  /*  that a turn was given up                                */
};

int jobkept_init (struct jobkept *self, struct cli *cli);
void jobkept_free (struct jobkept *self);

/*  Before the first event, where the order is kept: which jobs of the ledger will not come any more. */
int jobkept_order (struct jobkept *self, const char *ledger);

/*  The job of an event; a new one is begun on the line, and linked to `jobs`. NULL, and *rc, on failure. */
struct viewjob *jobkept_job (struct jobkept *self, const weft_pool_event_t *event, struct jobfeed *feed,
                             struct jobout *line, struct viewjob **jobs, int *rc);

/*  It has ended: forgotten here, before the view frees it. */
void jobkept_drop (struct jobkept *self, uint64_t id);

#endif
