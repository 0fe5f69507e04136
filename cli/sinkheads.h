/*  sinkheads.h - the heads that a sink hears from, and the jobs that they have under way
 *
 *  Each head numbers its jobs from 1, and its output has an order of its own. */
#ifndef WEFT_CLI_SINKHEADS_H
#define WEFT_CLI_SINKHEADS_H

#include "cli/command.h"
#include "cli/jobview.h"
#include "cli/replace.h"

struct sinkheads {
    struct cli *cli;
    struct jobview *view;
    struct replace tag;             /*  with the command as its only value  */
    bool tagged, told_order;
    struct sink_head *first;
};

/*  `tag`: of jobview_tag, or NULL. */
int sinkheads_init (struct sinkheads *self, struct cli *cli, struct jobview *view, const char *tag);
void sinkheads_free (struct sinkheads *self);

/*  The job of an event, and the line of its head: what jobview_event wants. The first of a job makes it known; after a
 *  DONE it is known no more. WEFT_ENOMEM. */
int sinkheads_take (struct sinkheads *self, const weft_pool_event_t *event, struct jobout **line,
                    struct viewjob **view);

/*  Nothing more comes: what waits for the output of a job that was never seen comes out. */
int sinkheads_finish (struct sinkheads *self);

#endif
