/*  agents.h - workers of a pool, each on a thread of its own */
#ifndef WEFT_CLI_AGENTS_H
#define WEFT_CLI_AGENTS_H

#include <stdbool.h>
#include <pthread.h>

#include "weft.h"

struct agent {
    weft_worker_t *worker;
    pthread_t thread;
    bool running;
    int64_t nice;
    int result;                 /*  of weft_worker_run                              */
    char words[256];            /*  for it                                          */
    int done_fd;                /*  -1, or an eventfd to be signalled at the end    */
};

struct agents {
    struct agent *list;
    int count;
};

struct agents_config {
    const char *endpoint;
    int count, slots;           /*  workers; jobs at once, of all together              */
    const char *shell;          /*  or NULL                                             */
    int64_t nice;               /*  of the jobs, where it is more than this process's       */
    bool strict;                /*  a worker takes no job before it can begin it        */
};

int agents_start (struct agents *self, weft_t *weft, const struct agents_config *config);

/*  One, whose worker is connected already. On success takes the worker over; done_fd can be
 *  read when it has ended. */
int agents_start_one (struct agents *self, weft_worker_t *worker, int64_t nice);
int agents_done_fd (const struct agents *self);

/*  No new jobs; with `now` those that run are stopped. */
void agents_stop (struct agents *self, bool now);

/*  Waits for all and frees them. The first result that is not 0, with its words kept. */
int agents_join (struct agents *self);

#endif
