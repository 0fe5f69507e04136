/*  summary.h - what a run did: jobs, rate, overhead, and each worker's share */
#ifndef WEFT_CLI_SUMMARY_H
#define WEFT_CLI_SUMMARY_H

#include <stdint.h>
#include <stdio.h>

#include "weft.h"

#define SUMMARY_WORKERS_MAX 1000    /*  more are told as one    */

struct summary_worker {
    char *name;
    uint64_t slots, jobs;
    int64_t busy;               /*  us */
};

struct summary {
    struct summary_worker *workers;
    size_t count;
    uint64_t jobs, failed, retries, lost;
    uint64_t slots, slots_most; /*  now, and at most    */
    int64_t busy;               /*  us, of all jobs     */
    int64_t first, last;        /*  ns: a job was started, a job ended; 0: none has */
};

void summary_free (struct summary *self);

/*  Takes in an event, which came at `now` (ns). `failed`: DONE without success. */
void summary_event (struct summary *self, const weft_pool_event_t *event, bool failed, int64_t now);

/*  Lines of text, each with `name` in front. */
void summary_write (const struct summary *self, const char *name, FILE *out);

#endif
