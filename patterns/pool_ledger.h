/*  pool_ledger.h - what a head puts into its ledger, and what it tells only when the disk has it
 *
 *  A book is the head's side of a ledger: it knows which tickets it waits for. Pure but for the ledger that it is
 *  given: no clock, no sockets. Ends of jobs, and the acknowledgement of the reports that told of them, are kept in
 *  one line, in order, and leave it when all before them is durable. */

#ifndef WEFT_PATTERNS_POOL_LEDGER_H
#define WEFT_PATTERNS_POOL_LEDGER_H

#include "patterns/ledger.h"
#include "patterns/pool.h"
#include "patterns/pool_dispatch.h"
#include "patterns/pool_known.h"
#include "patterns/pool_outputs.h"

#define BOOK_WAITING 65536      /*  operations that may wait for the disk before jobs are put off  */

struct book_entry;
struct book_range;

/*  The jobs of one priority that the ledger has. */
struct book_level {
    struct book_level *next;            /*  of the next lower one that there is                 */
    int priority;
    uint64_t found;                     /*  jobs up to it may have been dealt before the ledger was opened */
    uint64_t mark, mark_ticket;         /*  asked for: jobs up to `mark` may be dealt           */
    uint64_t dealt;                     /*  the same, durable                                   */
    uint64_t reach;                     /*  what `given` will be before the mark is too low     */
    uint64_t loaded;                    /*  jobs up to it are, or were, in memory               */
    uint64_t unloaded;                  /*  jobs without a result beyond it                     */
};

struct book {
    struct ledger *ledger;
    struct outputs *outputs;            /*  the head's; or NULL                                 */
    struct ledger_found found;
    uint64_t durable;                   /*  as last asked                                       */
    uint64_t last;                      /*  ticket of the last operation                        */
    uint64_t refused_at;                /*  `durable` when a job was put off; UINT64_MAX: none was since */
    struct book_range *accepted, **last_accepted;   /*  jobs that are not durable yet           */
    uint64_t last_id;                   /*  of the last job                                     */
    uint64_t safe_id, told_id;          /*  jobs up to it are durable; and the caller knows     */
    struct book_level *levels;          /*  highest priority first                              */
    uint64_t unloaded;                  /*  jobs without a result that are not in memory        */
    struct book_entry *first, **last_entry, *unqueued;
    uint64_t entries;
    struct book_entry *told;            /*  whose event the caller reads                        */
    struct known known;                 /*  resume: jobs by content                             */
};

struct book_config {
    const char *path;
    enum ledger_durability durability;
    struct outputs *outputs;    /*  what jobs write, which must outlive the book; or NULL       */
    const char *results;        /*  where the caller keeps that, for who reads the ledger; or NULL  */
    bool resume;                /*  jobs that are in it are continued, and known again by their content */
};

/*  As ledger_open; WEFT_ESTATE when it has jobs and is not to be resumed. */
int book_open (struct book **self, const struct book_config *config);
void book_close (struct book **self);

/*  A job by its content: 1 when it is in the ledger from before, and `id` says which; each is found once. */
int book_find (struct book *self, const unsigned char *hash, uint64_t *id);
void book_stop_finding (struct book *self);

/*  Accepts a job, whose id is last_id + 1. WEFT_EAGAIN; else as ledger_add_job. */
int book_submit (struct book *self, const struct ledger_job *job);
bool book_has_room (const struct book *self);

/*  What it has of a priority; NULL for lack of memory. */
struct book_level *book_level (struct book *self, int priority);

/*  A job of the level came into memory, or stays in the ledger for now. */
void book_count (struct book *self, struct book_level *level, int unloaded);

/*  What is not in memory is not looked for there any more. */
void book_pass_over (struct book *self);

/*  Sets up to which id jobs of the level may be dealt; `ahead`: how many to mark. */
int book_limit (struct book *self, struct dispatch_level *jobs, uint64_t ahead);

/*  An attempt began, about now (us since 1970; a worker does not say when). This is for people: nobody
 *  waits for it, and on a full disk there is room for better. */
void book_start (struct book *self, const weft_pool_event_t *event, int64_t attempt, int64_t now);

/*  An attempt ended; with `job`, which becomes the book's, the job did, and the event is told when that is durable.
 *  `event` is copied with its texts. WEFT_ENOMEM. */
int book_end (struct book *self, const weft_pool_event_t *event, struct dispatch_job *job);

/*  A part of what an attempt wrote is where its place says, or will be (outfiles_write). WEFT_ENOMEM. */
int book_piece (struct book *self, const struct ledger_piece *piece);

/*  A report was read to its end: peer->safe becomes `number` when all that it told of is durable. WEFT_ENOMEM. */
int book_acknowledge (struct book *self, struct pool_peer *peer, uint64_t number);
void book_forget (struct book *self, const struct pool_peer *peer);

/*  Is there too much that waits? Then no more ends should be taken in. */
bool book_full (const struct book *self);

/*  Sees what has become durable. WEFT_EIO when the ledger has failed. */
int book_turn (struct book *self);

/*  The next of what is durable now and nobody is told of. False when there is none. */
struct book_safe {
    struct pool_peer *peer;             /*  whose `safe` has grown; or NULL:                    */
    uint64_t job;                       /*  an attempt of it ended badly, ...                   */
    int attempt;                        /*  ... by its number                                   */
};
bool book_take_safe (struct book *self, struct book_safe *safe);

/*  What can be told: a DONE, with its job, or ACCEPTED, with NULL. True with one; good until the next call, or
 *  book_release. */
bool book_has_event (const struct book *self);
bool book_take_event (struct book *self, weft_pool_event_t *event, const struct dispatch_job **job);
void book_release (struct book *self);

/*  Nothing waits to be durable or told. */
bool book_is_idle (const struct book *self);

#endif
