/*  jobview.h - what is shown of a run: output, job log, bar, summary
 *
 *  For the head of a pool and for a sink alike, which turn the pool's events into
 *  these calls. */
#ifndef WEFT_CLI_JOBVIEW_H
#define WEFT_CLI_JOBVIEW_H

#include "cli/command.h"
#include "cli/joblog.h"
#include "cli/progress.h"
#include "cli/results.h"
#include "cli/summary.h"
#include "cli/viewjob.h"

#define EXIT_RUN_ERROR 255      /*  GNU parallel's, for everything but jobs that fail   */

struct jobview_options {
    bool keep_order, group, line_buffer, ungroup;
    bool tag;
    char *tagstring;
    char *joblog;
    bool bar;
};

extern const struct option jobview_options[];

/*  The template of tags that was asked for, with \t and \n as characters; NULL for
 *  none. Free it. */
char *jobview_tag (const struct jobview_options *options);

struct jobview {
    struct cli *cli;
    const struct jobview_options *options;
    struct outlet outlet;
    struct joblog log;
    struct progress progress;
    struct summary summary;
    struct results *results;    /*  NULL: printed, not kept */
    bool mute;                  /*  what jobs write is for somebody else    */
    char host[256];             /*  this machine    */
};

/*  `results` are the caller's; NULL or RESULTS_NONE for none. */
int jobview_init (struct jobview *self, struct cli *cli, const struct jobview_options *options, enum joblog_mode log,
                  struct results *results);
void jobview_free (struct jobview *self);

/*  A line of jobs that are shown in order; their viewjobs are freed when they are out. */
int jobview_line (struct jobview *self, struct jobout *line);

/*  `order` is its place among those that come out: from 1 on, each once. */
void jobview_begin (struct jobout *line, struct viewjob *job, uint64_t number, uint64_t order);

/*  The pool's events; JOINED and LEFT have no job. WEFT_EEND when standard output is
 *  closed, or an error. DONE may free the job. */
int jobview_event (struct jobview *self, struct jobout *line, struct viewjob *job, const weft_pool_event_t *event);

/*  How an attempt ended, as a job log tells it: -1 and a signal for one that was
 *  stopped. Both 0: success. */
void jobview_result (const weft_pool_event_t *event, int *status, int *signal);

/*  Writes out what is ready, then draws the bar if it is due. */
int jobview_flush (struct jobview *self, const struct progress_counts *counts);

/*  The last of the bar, and the summary (-v). */
int jobview_end (struct jobview *self, const struct progress_counts *counts);

#endif
