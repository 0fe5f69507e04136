/*  jobs.h - what the verbs of weft jobs share; each is a file, jobs_VERB.c
 *
 *  A verb is a function that is named in the table of jobs.c. It says what it finds on standard output. */
#ifndef WEFT_CLI_JOBS_H
#define WEFT_CLI_JOBS_H

#include "cli/command.h"
#include "cli/ledgerview.h"

struct jobs_options {
    bool done, failed, started, waiting, json, watch, all, follow;
    int64_t lines;
    char *outputs;
};

struct jobs {
    struct cli *cli;
    struct jobs_options options;
    const char *path;           /*  of the ledger                               */
    struct ledgerview *view;
};

/*  `words` are what follows the verb. 0; the exit status, 1 for "some job has failed"; or an error. */
typedef int (jobs_verb_fn) (struct jobs *self, char **words, int count);

jobs_verb_fn jobs_list, jobs_show, jobs_summary, jobs_wait, jobs_cancel, jobs_retry, jobs_output, jobs_tail;

/*  The same as jobs_wait, drawn on a terminal. */
jobs_verb_fn jobs_watch;

/*  What is in the buffer, which is emptied, to standard output. */
int jobs_write (struct jobs *self, struct buffer *out);

/*  The number of a job. WEFT_EINVAL. */
int jobs_id (const char *word, uint64_t *id);

#endif
