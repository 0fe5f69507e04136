/*  jobhead.h - the head of a pool at work: jobs in, results out
 *
 *  What `weft run` and `weft ventilator` have in common. */
#ifndef WEFT_CLI_JOBHEAD_H
#define WEFT_CLI_JOBHEAD_H

#include "cli/after.h"
#include "cli/command.h"
#include "cli/halt.h"
#include "cli/jobasked.h"
#include "cli/jobfailed.h"
#include "cli/jobfeed.h"
#include "cli/jobkept.h"
#include "cli/jobview.h"
#include "cli/metrics.h"
#include "patterns/pool_metrics.h"

struct jobhead_options {
    char *timeout;
    int64_t delay, tries, priority, cores, memory;
    char *halt;
    bool dry_run, trace;
    char *ledger, *outputs, *durability;
    struct option_list after, after_any;
};

extern const struct option jobhead_options[];

/*  No job more once it is not HEAD_FEEDING. */
enum jobhead_state {
    HEAD_FEEDING,               /*  jobs are made and handed over                       */
    HEAD_ENDING,                /*  the input has ended: what was handed over is run    */
    HEAD_DRAINING,              /*  ended early: what runs goes on, the rest is dropped */
    HEAD_STOPPING               /*  ended early: what runs is stopped too               */
};

/*  What else is looked after while jobs run. */
struct jobhead_side {
    void *self;
    int fd;                     /*  readable when it has something to do                */
    int (*turn) (void *self);   /*  often; a negative result ends the run. NULL: there is none */
    void (*event) (void *self, const weft_pool_event_t *event);     /*  a worker has come or gone */
};

struct jobhead {
    struct cli *cli;
    weft_pool_t *pool;
    const struct jobhead_options *options;
    struct jobfeed feed;
    struct jobview view;
    struct jobout line;
    struct halt halt;
    enum jobhead_state state;
    struct jobkept kept;        /*  with a ledger: jobs by id                           */
    bool resumes;               /*  ... which is gone on with                           */
    struct viewjob *jobs;       /*  handed over, and not all out                        */
    bool made;                  /*  the feed's job is not handed over yet               */
    bool waiting;               /*  the input has nothing yet                           */
    bool full;                  /*  the ledger's disk is: no job is taken               */
    bool ended;                 /*  the pool has                                        */
    bool total_known;
    uint64_t total;
    uint64_t not_run;
    uint64_t cancelled;         /*  by their names, for good                            */
    struct jobasked asked;      /*  with a ledger                                       */
    struct jobfailed failed;    /*  ... what has failed in this run, ...                */
    struct jobfailed before;    /*  ... and before it                                   */
    uint64_t left;              /*  of those before, not done again yet                 */
    uint64_t retry;             /*  is to be done again, and the pool had no room; 0    */
    struct jobhead_side side, workers;  /*  elsewhere; those of this process            */
    struct meter meter;
    struct pool_counts counts;  /*  while somebody may ask                              */
    struct after after;         /*  while it has batches the pool is paused             */
    int (*begin) (void *);      /*  with begin_arg, when they have ended; or NULL       */
    void *begin_arg;
    int stops;                  /*  signals that were acted on                          */
    int status;                 /*  EXIT_RUN_ERROR or EXIT_OK when that overrides the jobs', else -1 */
};

struct jobhead_config {
    const struct joblist_options *list;
    const struct jobview_options *view;
    const struct jobhead_options *run;
    const struct jobfeed_options *feed;
    char **operands;
    int count;
    bool files;                 /*  the operands are files of commands                  */
};

/*  Says what is wrong. Returns 0 or negative. */
int jobhead_init (struct jobhead *self, struct cli *cli, const struct jobhead_config *config);
void jobhead_free (struct jobhead *self);

/*  In jobhead_options.c: sets what the pool has to know; before it is bound. */
int jobhead_prepare (struct jobhead *self, weft_pool_t *pool);

/*  Part of jobhead_init, there: options that do not go together. */
int jobhead_check (const struct jobhead_config *config);

/*  Ends early: no job more, and with `now` those that run are stopped. */
void jobhead_end (struct jobhead *self, bool now);

/*  The same with a status of its own: WEFT_EEND because nobody reads the output, or an error that was just kept. */
void jobhead_fail (struct jobhead *self, int error);

/*  The same, since self->halt has enough. */
void jobhead_halt (struct jobhead *self);

/*  Part of jobhead_run, in jobhead_feed.c: makes jobs and hands them over. True when there may be more to hand over at
 *  once. */
bool jobhead_feed (struct jobhead *self);

/*  Part of jobhead_run, in jobhead_end.c: what is said at the end, and the exit status. */
int jobhead_finish (struct jobhead *self);

/*  The same, in jobhead_retry.c. What failed before is done again: all of it, or the job that has just been found in
 *  the ledger under that number. 0, WEFT_EAGAIN, or an error. */
int jobhead_retry_begin (struct jobhead *self);
int jobhead_retry_all (struct jobhead *self);
int jobhead_retry (struct jobhead *self, uint64_t id);

/*  The same: how many there are, and how many are done, for the bar. */
void jobhead_counts (const struct jobhead *self, struct progress_counts *counts);

/*  In jobhead_metrics.c: when the pool is bound; before it is destroyed. */
int jobhead_begin_metrics (struct jobhead *self, const struct metrics_options *options, bool insecure);
void jobhead_end_metrics (struct jobhead *self);

/*  With -v: how long attempts ran, if there were any. */
void jobhead_say_times (struct jobhead *self);

/*  Runs all jobs; the exit status. */
int jobhead_run (struct jobhead *self);

#endif
