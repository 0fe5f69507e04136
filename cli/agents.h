/*  agents.h - workers of a pool, each on a thread of its own */
#ifndef WEFT_CLI_AGENTS_H
#define WEFT_CLI_AGENTS_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "weft.h"

struct agent {
    weft_worker_t *worker;
    pthread_t thread;
    bool running;
    int64_t nice;
    int result;                 /*  of weft_worker_run                              */
    char words[256];            /*  for it                                          */
    atomic_bool done;           /*  these are there                                 */
    int done_fd;                /*  the agents', to be told                         */
};

struct agents {
    struct agent *list;
    int count;
    int done_fd;                /*  an eventfd: readable when one has ended         */
};

struct agents_config {
    const char *endpoint;
    int count, slots;           /*  workers; jobs at once, of all together              */
    const char *shell;          /*  or NULL                                             */
    const char *dir;            /*  where jobs run; NULL: where this process is         */
    const char *exec;           /*  for messages; or NULL                               */
    weft_work_fn *fn;           /*  ... or this, of all                                 */
    void *arg;
    int64_t nice;               /*  of the jobs, where it is more than this process's       */
    bool strict;                /*  a worker takes no job before it can begin it        */
};

int agents_start (struct agents *self, weft_t *weft, const struct agents_config *config);

/*  One, whose worker is connected already. On success takes the worker over. */
int agents_start_one (struct agents *self, weft_worker_t *worker, int64_t nice);

/*  To be called when done_fd is readable: why one has ended that nobody has stopped, in its words; else 0. */
int agents_failed (void *self);

/*  No new jobs; with `now` those that run are stopped. */
void agents_stop (struct agents *self, bool now);

/*  Waits for all and frees them. The first result that is not 0, with its words kept. */
int agents_join (struct agents *self);

#endif
