/*  workfilter.h - one long-lived command a slot that answers the messages of a pool's jobs */

#ifndef WEFT_CLI_WORKFILTER_H
#define WEFT_CLI_WORKFILTER_H

#include <pthread.h>

#include "cli/command.h"
#include "weft.h"

struct workfilter_options {
    char *command;              /*  NULL: none                                          */
    int format;                 /*  of messages and replies alike, see workfilter.c     */
};

extern const struct option workfilter_options[];

/*  The bytes of a reply become the job's output, with what ends it there. A command that ends before it has answered
 *  fails that job, and another is started for the next; one that has not answered when its job is stopped is killed. */
struct workfilter {
    struct cli *cli;
    const struct workfilter_options *options;
    const char *dir;                    /*  commands run there; NULL: where we are      */
    struct workfilter_child **children; /*  by slot                                     */
    bool told;                          /*  that one spoke without being asked. Atomic  */
    bool hinted;                        /*  that one says nothing. Atomic               */
};

/*  The format by its name. */
const char *workfilter_format (const struct workfilter_options *options);

/*  WEFT_ENOMEM. `options` and `dir` must outlive it. */
int workfilter_init (struct workfilter *self, struct cli *cli, const struct workfilter_options *options,
                     const char *dir);

/*  When no worker runs any more: ends the commands, which first see the end of their input. Nothing for one that is all
 *  zero. */
void workfilter_free (struct workfilter *self);

/*  A weft_work_fn; `workfilter` is the argument. */
int workfilter_work (void *workfilter, weft_task_t *task);

#endif
