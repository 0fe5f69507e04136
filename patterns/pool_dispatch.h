/*  pool_dispatch.h - which job goes to which worker, and what becomes of it
 *
 *  A pure state machine: no I/O, no clock. The head feeds it what workers say
 *  and carries out what it decides; the tests feed it histories.
 *
 *  It keeps: a job ends exactly once; a job is with at most one worker; what a
 *  worker says of a job counts only when it has that job in that attempt; memory
 *  goes with the jobs that have not ended.
 *
 *  Attempts are POOL_ATTEMPT's: those of heads before this one, from the same ledger, have a lower
 *  epoch. A job that is restored from there may be claimed by a worker that has it still. */

#ifndef WEFT_PATTERNS_POOL_DISPATCH_H
#define WEFT_PATTERNS_POOL_DISPATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "codec/pool_wire.h"
#include "core/list.h"
#include "core/map.h"

enum job_state {
    JOB_WAITING,        /*  in the queue                                                    */
    JOB_AWAITED,        /*  restored, and a worker may come back that has it                */
    JOB_HELD,           /*  its last attempt ended badly, which is not on disk yet          */
    JOB_GIVEN,          /*  with a worker, which has not said that it began                 */
    JOB_RUNNING,        /*  the worker has begun                                            */
    JOB_ENDING          /*  cancelled and with no worker: its end is to be told             */
};

/*  What a job asks for. */
struct dispatch_wants {
    int priority;
    int cores;                          /*  slots of a worker; 0: 1                         */
    uint64_t memory;                    /*  bytes of a worker's; 0: none                    */
};

/*  Jobs of one level that ask for the same. It goes with the last of them. */
struct dispatch_lane {
    struct dispatch_lane *next;
    struct dispatch_level *level;
    struct list queue;                  /*  in the order of their coming, those that came back before others */
    uint64_t jobs;                      /*  that have not ended, in it or elsewhere         */
    int cores;
    uint64_t memory;
    uint64_t full_at;                   /*  `room` of the dispatch when no worker had any for it    */
    uint64_t passed;                    /*  jobs after the first that were dealt before it  */
    uint64_t members;                   /*  of the dispatch, when it was seen whether it is ...     */
    bool hopeless;                      /*  ... too much for each worker that there is      */
    bool told;                          /*  ... which was said                              */
};

/*  Jobs of one priority. */
struct dispatch_level {
    struct dispatch_level *next;        /*  of the next lower one that there is             */
    int priority;
    struct dispatch_lane *lanes;
    uint64_t waiting;                   /*  in their queues                                 */
    uint64_t given;                     /*  how often one of them was given to a worker     */
    uint64_t limit;                     /*  jobs above this id may not be given yet         */
};

struct dispatch_job {
    struct list link;                   /*  in the queue, among its worker's jobs, ...      */
    struct list order;                  /*  among those that have begun, and are not stopped */
    struct map_node node;               /*  of all jobs, by id                              */
    struct dispatch_lane *lane;
    struct dispatch_worker *worker;
    uint64_t id, tag;
    int64_t since;                      /*  `now` when it was heard that it had begun       */
    int64_t queued;                     /*  `now` when it came, or came back, into the queue    */
    int64_t attempt;                    /*  the last; one more each time it is given to a worker */
    int failures, losses;               /*  attempts that ended badly; workers lost under it */
    int owed;                           /*  the attempt, by its number, that must be let go before another; 0: none */
    uint32_t size;                      /*  of the spec, which follows                      */
    uint8_t state;                      /*  enum job_state                                  */
    uint8_t stopped;                    /*  WEFT_JOB_..., for which this attempt is; 0: it is not */
    bool cancelled;                     /*  no attempt follows                              */
    bool named;                         /*  ... by weft_pool_cancel_job: that is its result */
    bool doubted;                       /*  its worker came back and has not said that it has it */
    bool retracted;                     /*  its worker is asked to give it back             */
    char spec[];
};

enum worker_credit {
    WORKER_IDLE,        /*  has a slot without a job                                        */
    WORKER_AHEAD,       /*  all slots have jobs, but it takes more in advance               */
    WORKER_FULL         /*  no credit                                                       */
};

struct dispatch_worker {
    struct list link;                   /*  in the list of its credit                       */
    struct list jobs;
    enum worker_credit credit;
    int slots, window;                  /*  cores; of so many it holds jobs at most         */
    bool able;                          /*  it knows of cores and memory ...                */
    uint64_t memory;                    /*  ... and has so much                             */
    int used;                           /*  cores of the jobs that it has                   */
    uint64_t memory_used;
    int held;                           /*  jobs that it has                                */
    int began;                          /*  of these, how many have begun                   */
};

struct dispatch_limits {
    int64_t retries;                    /*  more attempts for a job that fails              */
    int64_t losses;                     /*  more attempts for a job whose worker is lost    */
    int64_t queue;                      /*  jobs of one priority waiting; 16 times as many of all */
    int64_t queue_bytes;                /*  bytes waiting                                   */
};

struct dispatch {
    struct dispatch_limits limits;
    struct dispatch_level *levels;      /*  highest priority first; a level that was made stays */
    struct list awaited, held, ending;
    struct list begun_jobs;             /*  the oldest first                                */
    int64_t now;                        /*  the caller's clock: it only goes forward        */
    struct list idle, ahead, full;     /*  workers */
    struct map jobs;
    struct dispatch_job *ended;         /*  the last that has; freed when another does      */
    uint64_t next_id;
    uint64_t epoch;                     /*  of the attempts that are made now               */
    uint64_t limit;                     /*  of a level that is made                         */
    uint64_t accepted;                  /*  jobs up to this id hold back those of lower priorities when they are
                                            above the limit of theirs                       */
    uint64_t retracting;                /*  jobs that are asked back                        */
    bool idle_only;                     /*  no job goes to a worker in advance              */
    uint64_t slots;                     /*  of all workers                                  */
    uint64_t room;                      /*  grows whenever there may be more room at a worker       */
    uint64_t members;                   /*  grows whenever a worker comes, goes or changes  */
    uint64_t looked_at;                 /*  `room` when hopeless lanes were looked for      */
    struct dispatch_lane *urgent;       /*  was passed too often, ...                       */
    struct dispatch_worker *kept_free;  /*  ... and gets this one; NULL                     */
    uint64_t queued;                    /*  jobs in the queues of all levels                */
    uint64_t queued_plain;              /*  ... that ask for no more than a slot            */
    uint64_t beyond;                    /*  jobs that will come, as the caller knows        */
    uint64_t waiting, waiting_bytes;    /*  without a worker, but not JOB_AWAITED           */
    uint64_t awaiting;                  /*  jobs that are JOB_AWAITED                       */
    uint64_t running, begun;            /*  with a worker; of these, how many have begun    */
    uint64_t done, failed, retries;
};

/*  How an attempt ended. */
struct dispatch_end {
    int reason;                         /*  WEFT_JOB_... */
    int status, signal;
};

enum dispatch_verdict {
    DISPATCH_STALE,     /*  not that worker's job, or not that attempt: ignore it           */
    DISPATCH_RETRY,     /*  the job waits for its next attempt                              */
    DISPATCH_AGAIN,     /*  the same, but it never began: there is nothing to tell          */
    DISPATCH_DONE       /*  terminal                                                        */
};

int dispatch_init (struct dispatch *self, const struct dispatch_limits *limits);
void dispatch_free (struct dispatch *self);

/*  WEFT_EAGAIN when the queue is full, WEFT_ENOMEM. */
int dispatch_submit (struct dispatch *self, uint64_t tag, const struct dispatch_wants *wants, const void *spec,
                     size_t size, uint64_t *id);

/*  A job as a ledger has it, into the queue, or with `awaited` aside until it is claimed or
 *  dispatch_await_no_more. `attempt` is the highest number that is known to have ended. Room is not asked for.
 *  WEFT_ENOMEM. */
struct dispatch_restored {
    uint64_t id, tag;
    struct dispatch_wants wants;
    const void *spec;
    size_t size;
    int64_t attempt;
    int failures, losses;
    bool awaited, cancelled;            /*  one of them at most; the second by name         */
};
int dispatch_restore (struct dispatch *self, const struct dispatch_restored *job);
void dispatch_await_no_more (struct dispatch *self);

/*  Would a job be taken now? */
bool dispatch_has_room (const struct dispatch *self, int priority);

/*  A worker comes, changes its window, goes. The struct is the caller's. A worker that
 *  goes must first have lost its jobs, see dispatch_lose. */
void dispatch_join (struct dispatch *self, struct dispatch_worker *worker, int slots, int window);
void dispatch_equip (struct dispatch *self, struct dispatch_worker *worker, uint64_t memory);   /*  it is `able` */
void dispatch_set_window (struct dispatch *self, struct dispatch_worker *worker, int window);
void dispatch_leave (struct dispatch *self, struct dispatch_worker *worker);

/*  The next of the jobs, one of all that ask for the same, that no worker which is here can ever hold; each is told
 *  once. NULL: there is none. */
struct dispatch_job *dispatch_hopeless (struct dispatch *self, struct dispatch_wants *wants);

/*  Gives the first waiting job of the highest priority to a worker, idle ones first and each in turn. NULL when
 *  there is no job or no credit. */
struct dispatch_job *dispatch_assign (struct dispatch *self);

/*  Is it only `limit` that keeps a job from a worker with credit? */
bool dispatch_is_held (const struct dispatch *self);

/*  The level, if there is one; the highest id among the `count` of its jobs that are dealt next, or of *covered, when
 *  there are fewer. */
struct dispatch_level *dispatch_level (const struct dispatch *self, int priority);
uint64_t dispatch_reach (const struct dispatch_level *level, uint64_t count, uint64_t *covered);

/*  The job, when the worker has it in that attempt; else NULL. */
struct dispatch_job *dispatch_find (struct dispatch *self, const struct dispatch_worker *worker, uint64_t id,
                                    int64_t attempt);

/*  Is there the job, and has it not ended? */
bool dispatch_has (const struct dispatch *self, uint64_t id);

/*  The jobs of a worker, one after the other; NULL begins, and is past the last. */
struct dispatch_job *dispatch_next_of (const struct dispatch_worker *worker, const struct dispatch_job *job);

/*  The worker said that it began, gives back unbegun, or has ended a job. `job` gets
 *  which; one that is done is good until another is. */
bool dispatch_began (struct dispatch *self, struct dispatch_worker *worker, uint64_t id, int64_t attempt);
enum dispatch_verdict dispatch_returned (struct dispatch *self, struct dispatch_worker *worker, uint64_t id,
                                         int64_t attempt);
enum dispatch_verdict dispatch_ended (struct dispatch *self, struct dispatch_worker *worker, uint64_t id,
                                      int64_t attempt, const struct dispatch_end *end, const struct dispatch_job **job);

/*  A worker is back after a break. First all its jobs are doubted; it claims those that it has (true: it has
 *  the job now; false: to be cancelled there); when all that it had to report was taken in, settle gives the
 *  others back to the queue, a call for each until DISPATCH_STALE. A claim may rob another worker (else NULL) of an
 *  older attempt, `robbed_attempt`, which is to be cancelled there. */
void dispatch_doubt (struct dispatch *self, struct dispatch_worker *worker);
bool dispatch_claim (struct dispatch *self, struct dispatch_worker *worker, uint64_t id, int64_t attempt, bool begun,
                     struct dispatch_worker **robbed, int64_t *robbed_attempt);
enum dispatch_verdict dispatch_settle (struct dispatch *self, struct dispatch_worker *worker,
                                       const struct dispatch_job **job);

/*  A job waits to be tried again, after an attempt that a head before us has dealt; it may have dealt the next one,
 *  too: the job is awaited as if it were restored. */
void dispatch_await_again (struct dispatch *self, uint64_t id);

/*  After DISPATCH_RETRY: the job is given to no worker until it is let go after its last attempt, by that one's number,
 *  or a later one. Else a head that died before the end of the attempt was on disk would have another after it which
 *  hears of that end when the next attempt is with a worker, and does not count it. */
void dispatch_hold (struct dispatch *self, uint64_t id);
void dispatch_let_go (struct dispatch *self, uint64_t id, int attempt);

/*  With idle slots and nothing in the queue for them: a job that waits at a worker and should be asked back; NULL when
 *  there is none (more). */
struct dispatch_job *dispatch_retract (struct dispatch *self);
bool dispatch_may_retract (const struct dispatch *self);        /*  quick: is it worth asking? */

/*  The worker will be heard no more: call until it returns DISPATCH_STALE, which says
 *  that it has no jobs left. A job counts the loss if it had begun, or if none of the
 *  worker's had (any of them may be the one that brought it down). */
enum dispatch_verdict dispatch_lose (struct dispatch *self, struct dispatch_worker *worker,
                                     const struct dispatch_job **job);

/*  The job that has ended last becomes the caller's, to be freed with free. */
struct dispatch_job *dispatch_keep_ended (struct dispatch *self);

/*  The attempt that was heard to have begun before all others, of those that are not to be stopped; NULL: there is
 *  none. */
struct dispatch_job *dispatch_oldest (const struct dispatch *self);

/*  The attempt at the job's worker is to be stopped there, and ends with this reason unless it ends by itself first:
 *  a failure as any other, unless it is WEFT_JOB_CANCELLED. True when the worker must be told (again). */
bool dispatch_stop (struct dispatch_job *job, int reason);

/*  No attempt more for this job, by its name; *job gets it. One that may run, at a worker that is there or awaited, is
 *  only cancelled with `running`, else WEFT_ESTATE; a job that has a worker afterwards is to be stopped, or asked back,
 *  there. WEFT_EEND: there is none, or it has ended. `every`: the same for all that there are. */
int dispatch_cancel_job (struct dispatch *self, uint64_t id, bool running, struct dispatch_job **job);
void dispatch_cancel_every (struct dispatch *self, bool running);

/*  No attempt more for any job. Each that was cancelled and has no worker ends with dispatch_cancel_next, false past
 *  the last. */
void dispatch_cancel (struct dispatch *self);
const struct dispatch_job *dispatch_cancelled (const struct dispatch *self);     /*  the next; or NULL */
bool dispatch_cancel_next (struct dispatch *self, const struct dispatch_job **job);

#endif
