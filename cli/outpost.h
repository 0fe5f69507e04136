/*  outpost.h - a worker that weft run started elsewhere: what its ticket says, and the connection over ssh */
#ifndef WEFT_CLI_OUTPOST_H
#define WEFT_CLI_OUTPOST_H

#include <pthread.h>

#include "cli/command.h"
#include "cli/ticket.h"
#include "cli/workfilter.h"

/*  The line by which the head knows the beginning of what comes over standard output; then the version of weft. */
#define OUTPOST_READY "weft-worker 1 "

struct outpost {
    struct cli *cli;
    struct ticket ticket;
    int64_t nice;               /*  of the jobs                                         */
    struct workfilter_options filter;
    int key;                    /*  the pair, in memory                                 */
    int listener;               /*  over standard input and output: where the worker connects; else -1 */
    int ended;                  /*  eventfd: the worker has                             */
    int over;                   /*  eventfd: the head has gone; -1 when it connects by itself */
    pthread_t thread;
    bool relaying;
};

/*  Reads the ticket of that path, or "-": standard input. */
int outpost_open (struct outpost *self, struct cli *cli, const char *path);

/*  Sets on the worker what the ticket says, with `set` for its options, and connects it. */
int outpost_connect (struct outpost *self, weft_worker_t *worker, command_set_fn *set, void *target);

/*  Carries the connection, when it is to go over standard input and output; when that ends, `over` is readable. */
int outpost_start (struct outpost *self);

/*  When the worker and its context were destroyed: waits until its last words are written. Does nothing for one that
 *  is all zero. */
void outpost_close (struct outpost *self);

#endif
