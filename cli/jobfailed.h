/*  jobfailed.h - which jobs of a ledger have failed: a bit for each number */
#ifndef WEFT_CLI_JOBFAILED_H
#define WEFT_CLI_JOBFAILED_H

#include <stdbool.h>
#include <stdint.h>

struct jobfailed {
    uint64_t *bits;
    uint64_t words;
};

void jobfailed_free (struct jobfailed *self);

/*  WEFT_ENOMEM. */
int jobfailed_add (struct jobfailed *self, uint64_t id);
bool jobfailed_has (const struct jobfailed *self, uint64_t id);

/*  Adds those of which the ledger says that, also when they were done again since; *left gets how many were not, and
 *  were not cancelled. */
int jobfailed_read (struct jobfailed *self, const char *ledger, uint64_t *left);

/*  How many of them are done again by no other job, as the ledger says. */
int jobfailed_count (const struct jobfailed *self, const char *ledger, uint64_t *count);

#endif
