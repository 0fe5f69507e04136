/*  resultrow.h - --results FILE.csv, .tsv or .json: a row for each job, in GNU parallel's columns */
#ifndef WEFT_CLI_RESULTROW_H
#define WEFT_CLI_RESULTROW_H

#include "cli/joblog.h"
#include "cli/jobout.h"
#include "cli/results.h"

/*  Where rows go: opens the file. `out` is standard output, for names like -.csv. */
int resultrow_open (struct results *self, int out);

/*  Rows begin a file: WEFT_EINVAL when there are some from before, which somebody wants to keep. */
int resultrow_fresh (const struct results *self);

/*  The values of a job, as its row will have them. */
int resultrow_values (struct results *self, struct arglist *args, struct buffer *out);
bool resultrow_needs_quotes (const struct results *self, const char *data, size_t size);

/*  All but what the job wrote: free it. NULL when there is no memory. */
char *resultrow_head (const struct results *self, const struct joblog_entry *entry, const char *values);

/*  Writes out the row, with the job's streams, which are empty then. */
int resultrow_print (struct results *self, struct outlet *outlet, const char *head, const struct results_job *kept,
                     struct jobout_job *job);

#endif
