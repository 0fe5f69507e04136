/*  dryrun.h - prints the commands of jobs instead of running them */
#ifndef WEFT_CLI_DRYRUN_H
#define WEFT_CLI_DRYRUN_H

#include "cli/jobhead.h"

/*  As if that many slots ran them in turn; the exit status. */
int dryrun_jobs (struct jobhead *head, int slots);

#endif
