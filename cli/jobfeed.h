/*  jobfeed.h - job after job, as they are to be run: made of the input, or of a job log */
#ifndef WEFT_CLI_JOBFEED_H
#define WEFT_CLI_JOBFEED_H

#include "cli/joblist.h"
#include "cli/jobmessages.h"
#include "cli/jobview.h"
#include "cli/results.h"
#include "cli/resume.h"

#define JOBFEED_PASSED 2        /*  a job was passed over: it had been run before   */

struct jobfeed_options {
    char *results;
    bool resume, resume_failed, retry_failed, trust;
};

extern const struct option jobfeed_options[];

struct jobfeed_config {
    const struct jobfeed_options *feed;
    const struct joblist_options *list;
    const char *joblog;         /*  or NULL                                         */
    bool ledger;                /*  it is a ledger that `resume` goes on with       */
    char **operands;
    int count;
    bool files;                 /*  the operands are files of commands              */
    int in;
    const char *tag;            /*  a template, or NULL                             */
};

struct jobfeed {
    struct joblist list;
    struct resume resume;
    struct results results;
    bool by_results;            /*  those are passed over that have results already */
    struct joblist kept;        /*  of jobs that a ledger has: their values, the tag    */
    struct buffer kept_tag, kept_place;
    struct buffer note;         /*  ... and what it keeps of the one that was made  */
    struct buffer text;         /*  of a job in the log                             */
    struct buffer command, tag, place;  /*  of the job that was made                */
    bool formatted;             /*  jobs are messages that are read in a format     */
    struct jobmessages messages;
    struct buffer message;      /*  ... which is this, when jobs are messages, and the command is what is shown of it */
    uint64_t made, passed;      /*  jobs, without those passed over; and those      */
    bool ledger;                /*  there is one                                    */
    bool resumes;               /*  ... that is gone on with                        */
    bool retry_all;             /*  ... with all that has failed there ...          */
    bool retry_known;           /*  ... with what is made again of that             */
    bool empty;                 /*  there is no input: only what the ledger has     */
};

/*  WEFT_EINVAL and others, with the reason kept. */
int jobfeed_init (struct jobfeed *self, const struct jobfeed_config *config);
void jobfeed_free (struct jobfeed *self);

/*  How the job log is to be opened for what follows. */
enum joblog_mode jobfeed_log (const struct jobfeed *self, bool dry);

/*  How many there will be, with those that are passed over, if that can be told; before the
 *  first is made. */
bool jobfeed_count (const struct jobfeed *self, uint64_t *count);

/*  Those seen so far, with those that were passed over. */
uint64_t jobfeed_seen (const struct jobfeed *self);

/*  Never waits. 1: a job is made; JOBFEED_PASSED; 0: nothing yet, wait until jobfeed_fd can
 *  be read; WEFT_EEND; or an error, which ends it. */
int jobfeed_next (struct jobfeed *self);
int jobfeed_fd (const struct jobfeed *self);

/*  The job that was made, for the view; NULL when there is no memory. */
struct viewjob *jobfeed_job (const struct jobfeed *self);

/*  A job that a ledger has, whoever made it, from what an event says of it. NULL, and *rc. */
struct viewjob *jobfeed_kept (struct jobfeed *self, const weft_pool_event_t *event, int *rc);

#endif
