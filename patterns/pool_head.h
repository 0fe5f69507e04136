/*  pool_head.h - what weft_pool_t is inside, and the parts of it that are files of their own
 *
 *  pool.c holds the public calls, pool_turn.c the turns that they take, pool_jobs.c how jobs come in, pool_listen.c
 *  what workers say, pool_members.c how they come, break off, come back and go, pool_deal.c what is sent to them,
 *  pool_cancel.c and pool_retry.c what the caller takes back or wants done again, pool_events.c what is told to it. */

#ifndef WEFT_PATTERNS_POOL_HEAD_H
#define WEFT_PATTERNS_POOL_HEAD_H

#include "core/security.h"
#include "patterns/pool.h"
#include "patterns/pool_dispatch.h"
#include "patterns/pool_forward.h"
#include "patterns/pool_ledger.h"
#include "patterns/pool_median.h"
#include "patterns/pool_metrics.h"

enum pool_state {
    POOL_OPEN,          /*  takes jobs                                                  */
    POOL_FINISHING,     /*  takes no more; those it has are still run                   */
    POOL_ENDING,        /*  all have ended; workers were told to go                     */
    POOL_ENDED          /*  they have gone, or took too long                            */
};

struct pool_config {
    int64_t retries, crash_limit;
    int64_t reattach;
    char *ledger, *outputs, *results;
    int durability;
    bool resume;
    int64_t timeout, timeout_percent, delay;
    int64_t queue, queue_size;
    int64_t heartbeat, linger;
    bool stream;
    char *sink;
    int64_t sink_timeout;
    int64_t max_peers;
    struct security_config security;
};

enum worker_state {
    WORKER_NEW,         /*  its JOINED is still to be told                              */
    WORKER_MEMBER,
    WORKER_LEAVING,     /*  heard no more: its jobs and its LEFT are still to be told   */
    WORKER_LEFT         /*  told: to be freed at the next call                          */
};

struct worker {
    struct pool_peer peer;              /*  first */
    struct dispatch_worker credit;
    enum worker_state state;
    struct worker *prev, *next;         /*  all workers                                 */
    struct worker *next_news;           /*  those with something to tell                */
    struct worker *next_due;            /*  those with something to be sent             */
    struct worker *next_unkept;         /*  those with reports that are not acknowledged yet    */
    bool due, news, unkept;
    bool joined;                        /*  its JOINED was told, so its LEFT will be    */
    bool away;                          /*  its connection is gone or it is silent; its jobs wait ...   */
    int64_t away_until;                 /*  ... until then                              */
    int64_t look_at, look_again;        /*  AWAY: when to see if its process lives; the wait after that */
    bool settling;                      /*  it came back, and what it does not have any more ...        */
    uint64_t settle_at;                 /*  ... is known when this report was taken in  */
    uint64_t number;                    /*  last JOBS or CANCEL of the session          */
    struct buffer batch;                /*  jobs to be sent                             */
    uint32_t batched;
    struct buffer cancels[2];           /*  jobs to be stopped: that have not begun; any */
    uint32_t cancelled[2];
    bool cancel_all[2];
    int slots, window;                  /*  as it told                                  */
    int64_t pid;
};

/*  What is shown of it while somebody may ask; values by core/counter.h. */
struct pool_show {
    struct pool_values values;
    struct histogram *waits;
};

struct weft_pool {
    struct pollable pollable;           /*  first */
    weft_t *weft;
    struct pool_config config;
    struct wire *wire;
    struct watch watch;                 /*  what was said of refusals                   */
    struct forward *forward;            /*  to the sink; NULL: none                     */
    int poll_fd;                        /*  wires and ledger, when there are several; else -1 */
    enum pool_state state;
    bool ready;                         /*  dispatch and maps are there; options are fixed */
    struct dispatch dispatch;
    struct pool_peers peers;            /*  struct worker                               */
    struct worker *workers;             /*  list                                        */
    struct worker *news, **last_news;
    struct worker *due;
    const struct dispatch_job *job;     /*  of the last event that was about one        */
    bool untold;                        /*  it wrote, and its STARTED was left out      */
    struct worker *left;                /*  of whom the last event was                  */
    weft_msg_t msg;                     /*  the report that is being read ...           */
    struct pool_message report;
    struct worker *reporter;            /*  ... and who sent it; NULL: none             */
    struct buffer body, spec;
    struct buffer text;                 /*  a command, for people                       */
    uint64_t instance;
    unsigned char id[POOL_ID];          /*  the pool's identity                         */
    int64_t beat_at, ping_at, end_at;   /*  TIME_FOREVER: not                           */
    struct book *book;                  /*  what the ledger is to keep; NULL: no ledger */
    struct outputs *outputs;            /*  what jobs write is kept there; or NULL      */
    struct outputs_ended ended;         /*  of the last event that told of an end       */
    int64_t outputs_at;                 /*  when to see if its disk has room again; TIME_FOREVER */
    int64_t pieces_at;                  /*  when what is gathered gets its place; TIME_FOREVER  */
    struct worker *unkept;
    bool awaiting;                      /*  for workers of the head before us, ...      */
    uint64_t ahead;                     /*  how far the ledger is marked ahead of dealing */
    int64_t ahead_at;                   /*  when that was changed                       */
    uint64_t cancelled_to;              /*  jobs up to it that are in the ledger alone are cancelled        */
    struct early_job *early;            /*  jobs that were taken from there before their turn: by id    */
    size_t early_count, early_room;
    int64_t awaited_until;              /*  ... until then; TIME_FOREVER before it runs */
    int64_t retract_at;
    struct median median;               /*  runtimes of jobs that ended well                */
    int64_t overdue_at;                 /*  when one may be running for too long by it      */
    int64_t start_at;                   /*  with a delay: nothing may start before; TIME_FOREVER: now    */
    int away;                           /*  workers ...                                 */
    int64_t away_at;                    /*  ... and when the first of them is to be looked at */
    int pings;                          /*  rounds still to come                        */
    int64_t pinged;                     /*  when the last one was                       */
    int64_t pumped;                     /*  when the pool last ran                      */
    weft_pool_stats_t stats;
    struct pool_show *show;             /*  NULL: nobody asks                           */
    bool told_refused, told_full;
    int priority;                       /*  of the job that was handed over, or refused, last       */
    bool paused;                        /*  no job is given                              */
    bool hurried;                       /*  all was cancelled: a full disk is not waited for */
    bool passed_over;                   /*  there may be jobs in the ledger alone that were dealt           */
    bool met;                           /*  a worker came, or none is expected          */
    int broken;                         /*  why what is to be durable cannot be        */
    bool silent_end;                    /*  ENDING: there will be no more events         */
};

static inline int64_t
head_now (const struct weft_pool *self)
{
    return clock_now (self->weft->clock);
}

/*  Is there something to tell the caller? */
static inline bool
head_has_event (const struct weft_pool *self)
{
    return ((self->reporter || self->news) && !(self->book && book_full (self->book)))
        || (self->book && book_has_event (self->book));
}

/*  What depends on options, once they are fixed. */
int head_make_ready (struct weft_pool *self);

/* ---------------------------------------------------------------- pool_turn.c */

#define HEAD_TURN 1000                  /*  messages that are received before timers have their turn */

/*  One round, until there is an event or nothing more to do now. */
int head_turn (struct weft_pool *self);

/*  When the next round is due without a message. */
int64_t head_deadline (const struct weft_pool *self);

/* ---------------------------------------------------------------- pool_jobs.c */

/*  Opens the ledger, if there is to be one, and takes in what it has. */
int head_open_book (struct weft_pool *self);

/*  Keeps waiting jobs in memory, of which the ledger may have more; says from which on they may be dealt. */
int head_page (struct weft_pool *self, int64_t now);

/*  Sees what has become durable; the reports that told of it are acknowledged. WEFT_EIO. */
int head_turn_book (struct weft_pool *self);

/*  Waits for the workers of the head before us, for a time from when the pool runs. */
void head_await (struct weft_pool *self, int64_t now);

/*  Is there room for a job of the last one's priority? */
bool head_has_room (const struct weft_pool *self);

/*  Is there a job that is to end, or whose end is to be told? */
bool head_has_jobs (const struct weft_pool *self);

/*  For ledger_load: a job of the ledger's goes into memory. */
struct ledger_open_job;
int head_restore (struct weft_pool *self, const struct ledger_open_job *open, bool awaited, bool cancelled);

/*  A job for the ledger, which has it first; memory only as long as there is room, and in order. Fills in its id. */
struct ledger_job;
int head_add_to_book (struct weft_pool *self, struct ledger_job *record);

/* -------------------------------------------------------------- pool_cancel.c */

/*  Was the job, beyond those that are loaded, taken before its turn? */
bool head_was_early (const struct weft_pool *self, uint64_t id);

/* ---------------------------------------------------------------- pool_deal.c */

/*  Something is to be sent to the worker; no more. */
void head_add_due (struct weft_pool *self, struct worker *worker);
void head_drop_due (struct weft_pool *self, struct worker *worker);

/*  Gives waiting jobs to workers with credit, takes back those that others could begin, cancels, acknowledges. */
int head_deal (struct weft_pool *self, int64_t now);

/*  A job has begun: with the option `delay` none is given until that is over. */
void head_delay (struct weft_pool *self);

/*  The worker is to stop that job; or, by weft_pool_cancel, all of them. */
int head_cancel_job (struct weft_pool *self, struct worker *worker, uint64_t id, int64_t attempt, bool running);

/*  Stops the attempt that the job is in, if it is with a worker, for that reason: see dispatch_stop. The worker is told
 *  when it comes back, too. */
int head_stop_attempt (struct weft_pool *self, struct dispatch_job *job, int reason);
void head_cancel_all (struct weft_pool *self, bool running);

/* ------------------------------------------------------------ pool_overdue.c */

/*  A job has ended well: us. */
void head_learn_runtime (struct weft_pool *self, int64_t runtime);

/*  Has attempts stopped that run for too long, by the option `timeout-percent`. */
int head_stop_overdue (struct weft_pool *self, int64_t now);

/* --------------------------------------------------------------- pool_keep.c */

/*  What the record brought is kept, if there is anything to keep it. A stray one is of an attempt that the job is not
 *  in: a head before this one has dealt it, or its worker was away for too long. When this head is killed, that may be
 *  the one that counts, and its worker has forgotten by then what this head has acknowledged. */
int head_keep_output (struct weft_pool *self, const struct pool_record *record, bool stray);

/*  The record says that the attempt has ended, which is settled: no more comes of it. */
void head_drop_output (struct weft_pool *self, const struct pool_record *record);

/*  An attempt has ended: what it wrote gets its place, and the event says it, before the ledger hears of either.
 *  `last`: so has the job. */
int head_keep_end (struct weft_pool *self, uint64_t job, int64_t attempt, bool last, weft_pool_event_t *event);

/*  A report was read to its end: it is acknowledged, with a ledger when what it told is durable. */
int head_end_report (struct weft_pool *self, struct worker *worker);

/*  The worker's reports are not to be acknowledged any more. */
void head_drop_unkept (struct weft_pool *self, struct worker *worker);

/*  What is due: parts of output that were gathered, a disk that was full. */
int head_keep (struct weft_pool *self, int64_t now);
int64_t head_keep_deadline (const struct weft_pool *self);

/* ------------------------------------------------------------- pool_listen.c */

/*  Sends what is in self->body; a worker that cannot be reached is missed, a full wire is no error. */
int head_say (struct weft_pool *self, struct worker *worker);

int head_beat (struct weft_pool *self, struct worker *worker);

/*  HEARTBEAT, or END and whether we shall wait for the answers. */
int head_say_to_all (struct weft_pool *self, enum pool_verb verb, bool answer);

/*  self->msg has come. */
int head_take_message (struct weft_pool *self);

/*  A message broke the rules, as weft_error () says. */
void head_count_refused (struct weft_pool *self);

/* ------------------------------------------------------------ pool_members.c */

/*  Somebody has said HELLO for the first time: its JOINED is to be told. NULL with the reason kept. */
struct worker *head_new_worker (struct weft_pool *self, struct pool_bytes route, const struct pool_hello *hello);
void head_free_worker (struct weft_pool *self, struct worker *worker);

/*  The worker cannot be heard: its jobs wait for it for the option `reattach`, if it may come back. */
void head_miss (struct weft_pool *self, struct worker *worker, const char *why);

/*  It is heard, perhaps again. */
void head_regain (struct weft_pool *self, struct worker *worker);

/*  All that a worker had to report when it came back was taken in: what it lost is told. */
void head_settle (struct weft_pool *self, struct worker *worker);

/*  Gives up those that were away for too long, when one may be. */
void head_watch_away (struct weft_pool *self, int64_t now);

/*  The worker will be heard no more: `why` for the log, or NULL when that is as it should be. */
void head_lose (struct weft_pool *self, struct worker *worker, const char *why);

/*  The first with news has told them. */
void head_drop_news (struct weft_pool *self);

/* ------------------------------------------------------------- pool_events.c */

/*  1 with the next event, else 0. */
int head_take_event (struct weft_pool *self, weft_pool_event_t *event);

/*  Is there a job to be told of that was cancelled, and had no worker? */
bool head_has_cancelled (const struct weft_pool *self);

/*  The last event has been used. */
void head_release (struct weft_pool *self);

/* ------------------------------------------------------------ pool_metrics.c */

/*  An attempt has ended that was to be dealt from `since` on, and ran for so many us. */
void pool_waited (struct weft_pool *self, int64_t since, int64_t runtime);
void pool_end_show (struct weft_pool *self);

#endif
