/*  ledger.h - what a pool remembers beyond the life of its head: jobs, attempts, results
 *
 *  One SQLite file in WAL mode, readable with plain sqlite3; its schema is docs/spec/ledger.md. One connection,
 *  on one writer thread of the ledger's own: calls queue an operation and get its ticket, a number that grows
 *  by one; operations are committed together, in their order, and `durable` says up to which ticket the disk has
 *  them. Who was promised something is answered only then.
 *
 *  Nothing in it is ever changed: a job that was accepted is a row, its one result is another (the table's primary
 *  key allows no second). So what a crash leaves is a prefix of what was written.
 *
 *  The caller's side belongs to one thread. */
#ifndef WEFT_PATTERNS_LEDGER_H
#define WEFT_PATTERNS_LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "weft.h"

#define LEDGER_FORMAT 1
#define LEDGER_SPEC_MAX (40 << 20)      /*  bytes of a job's spec                   */
#define LEDGER_COMMAND_MAX 4096         /*  bytes of its command that are kept      */
#define LEDGER_TEXT_MAX 65536           /*  bytes of any other text that are kept   */
#define LEDGER_PLACE_MAX 128            /*  bytes of where a piece of output is     */

/*  What a crash may lose of what was said to be durable. */
enum ledger_durability {
    LEDGER_SYNC,        /*  nothing; each commit is at once, so that latency is least and throughput too    */
    LEDGER_GROUP,       /*  nothing; operations wait up to group_time for company                           */
    LEDGER_NONE         /*  nothing at the death of the process; the last seconds at that of the system     */
};

struct ledger_config {
    enum ledger_durability durability;
    int64_t group_time;         /*  ns; 0: default, 2 ms                                                    */
    int64_t group_count;        /*  operations; 0: default, 1024                                            */
    int64_t queue_bytes;        /*  operations that wait for the disk; 0: default, 64 MiB; then WEFT_EAGAIN.
                                    Jobs take no more than three quarters of it                             */
    int64_t log_bytes;          /*  of the -wal file, until it is brought into the other; 0: default, 16 MiB */
    const char *outputs;        /*  the folder where what jobs write is kept, absolute; or NULL: it is not  */
    const char *results;        /*  the caller's own words for where it keeps that; or NULL                 */
    /*  Makes durable what operations tell of that stands elsewhere, before they are: on the writer's thread, until
     *  ledger_close. What weft_error () says when it fails is the ledger's trouble, and its end. May be NULL. */
    int (*before) (void *arg);
    void *before_arg;
};

enum ledger_state {
    LEDGER_OPEN,        /*  all is well                                                                     */
    LEDGER_FULL,        /*  the disk is, or the file is held by others: no new jobs (WEFT_ELIMIT); what is
                            queued is kept and tried again                                                  */
    LEDGER_FAILED       /*  a write or fsync failed: what is not durable never will be; end the process     */
};

/*  A job as it was accepted. */
struct ledger_job {
    uint64_t id;                /*  1 and up, in order                                                      */
    uint64_t tag;
    const void *spec;           /*  as on the wire (codec/pool_wire.h); kept as it is                       */
    size_t spec_size;
    const char *command;        /*  for people: as submitted, arguments joined by spaces; or NULL           */
    size_t command_size;
    const unsigned char *hash;  /*  16 bytes of content hash, by which resume finds the same job; or NULL   */
    int64_t submitted;          /*  us since 1970                                                           */
    int priority;
    uint64_t retries;           /*  the job, which ended badly, that this one does again; 0: none. It has one such
                                    at most: a second changes nothing                                        */
};

/*  How an attempt, or with it the job, ended; times in us. Texts may be NULL. */
struct ledger_result {
    uint64_t job;
    int64_t attempt;            /*  of a start: with the head's epoch above the low 32 bits                 */
    int reason;                 /*  WEFT_JOB_...                                                            */
    int status, signal;
    const char *why;            /*  NOT_STARTED                                                             */
    const char *worker, *host;
    int slot;
    int64_t started, runtime;
    uint64_t received, sent;    /*  bytes of output and input                                               */
    const char *output;         /*  where its output is; or NULL                                            */
};

/*  A part of what an attempt wrote, that was in a report before the one that told of its end, or in that, too. */
struct ledger_piece {
    uint64_t job;
    int64_t attempt;            /*  with the epoch of the head that dealt it above the low 32 bits          */
    uint64_t report;            /*  number of the report, by which pieces have their order                  */
    uint64_t bytes;             /*  of output                                                               */
    const char *place;          /*  as `output` of a result                                                 */
};

/*  What open found. */
struct ledger_found {
    unsigned char pool[16];     /*  random; made with the file: workers know by it that this is their pool  */
    uint64_t epoch;             /*  how often it was opened by a head, this time included: durable          */
    uint64_t jobs, results, failed;     /*  accepted; ended; ended badly                                    */
    uint64_t last_id;
    uint64_t dealt;             /*  no job above this was ever given to a worker; see ledger_levels         */
};

struct ledger;

/*  Opens or makes the file, alone: WEFT_EADDRINUSE names the head that has it (host, pid). A file that is
 *  not a ledger, of a later format, or corrupt: WEFT_EPROTO, and the file is left as it is. */
int ledger_open (struct ledger **self, const char *path, const struct ledger_config *config,
                 struct ledger_found *found);

/*  Has a head, anywhere that shares its locks, this ledger open? 1 or 0, or why that is not known. Takes no lock. */
int ledger_is_held (const char *path);

/*  Commits what is queued, if it can. WEFT_EIO when something was not committed. Nulls the pointer. */
int ledger_close (struct ledger **self);

/*  Each queues one operation, and `ticket` (may be NULL) gets its number; what is given is copied. Never waits.
 *  WEFT_EAGAIN: too much waits for the disk. WEFT_ELIMIT: a job, and the disk is full. WEFT_EIO: the ledger has failed.
 *  WEFT_EINVAL: a job's id is not the last one's + 1, or the job of another operation was never added. A second result
 *  of a job, a second start or retry of the same attempt, or a second piece of it from the same report, gets its ticket
 *  and changes nothing; it is counted. */
int ledger_add_job (struct ledger *self, const struct ledger_job *job, uint64_t *ticket);
int ledger_add_start (struct ledger *self, const struct ledger_result *start, uint64_t *ticket);
int ledger_add_retry (struct ledger *self, const struct ledger_result *attempt, uint64_t *ticket);
int ledger_add_result (struct ledger *self, const struct ledger_result *result, uint64_t *ticket);

int ledger_add_piece (struct ledger *self, const struct ledger_piece *piece, uint64_t *ticket);

/*  From when this is durable on, jobs up to `id` that have the priority of that one may be given to workers. Said once
 *  for many jobs, well ahead: after a crash those up to it may be with a worker that comes back, and those above it are
 *  surely not. */
int ledger_add_dealt (struct ledger *self, uint64_t id, uint64_t *ticket);

/*  All up to this ticket are on disk. An atomic load. */
uint64_t ledger_durable (const struct ledger *self);
enum ledger_state ledger_state (const struct ledger *self);
const char *ledger_trouble (struct ledger *self, char *text, size_t size);     /*  of FULL and FAILED, in words */

struct ledger_counters {
    uint64_t operations, bytes, commits;    /*  since it was opened: committed                              */
    uint64_t repeats;                       /*  results, starts and retries that were there already         */
    uint64_t retried;                       /*  commits that failed, and were tried again                   */
    uint64_t checkpoints;
    uint64_t log_bytes;                     /*  of the -wal file; a reader that stays long makes it grow    */
    uint64_t queued_bytes;                  /*  now waiting for the disk                                    */
};
void ledger_counters (struct ledger *self, struct ledger_counters *counters);

/*  How long its transactions took: as long as it is open, any thread may read. */
struct histogram;
const struct histogram *ledger_times (const struct ledger *self);

/*  An eventfd that is readable when durable or the state has changed; to be read by the caller. */
int ledger_fd (const struct ledger *self);

/*  Commit now what is queued, and wait for it: 0, WEFT_ETIMEOUT, WEFT_ELIMIT when it was tried and the disk is full,
 *  or WEFT_EIO. */
int ledger_flush (struct ledger *self, int64_t timeout);

#define LEDGER_ANY INT32_MIN            /*  of all priorities                       */

/*  Jobs of that priority without a result, by id, above `after`: calls `take` for each of at most `limit`, in the
 *  caller's thread, and returns how many. What was queued is committed before, except on a full disk. The writer waits
 *  meanwhile, so keep the pages small (thousands). What `take` is given is good until it returns; a negative result of
 *  it ends the walk and is returned; it must not call the ledger. */
struct ledger_open_job {
    struct ledger_job job;
    int64_t attempts;           /*  highest that ended badly; 0: none. Of starts nothing is said: they may be lost */
    int failures, losses;       /*  attempts that ended badly by themselves; by the loss of their worker    */
};
typedef int (ledger_take_fn) (void *arg, const struct ledger_open_job *job);
int ledger_load (struct ledger *self, int priority, uint64_t after, uint64_t limit, ledger_take_fn *take, void *arg);

/*  Priorities: each job without a result, and with `dealt` each up to which those of its priority may have been given
 *  to a worker; else as ledger_load. */
typedef int (ledger_level_fn) (void *arg, uint64_t id, int priority, bool dealt);
int ledger_levels (struct ledger *self, ledger_level_fn *take, void *arg);

/*  The content hashes of all jobs that have one, with or without a result, by id; else as ledger_load. */
typedef int (ledger_hash_fn) (void *arg, uint64_t id, const unsigned char *hash);
int ledger_hashes (struct ledger *self, ledger_hash_fn *take, void *arg);

/*  What is kept of an attempt in pieces; else as ledger_load. 0, also when there are none. */
struct ledger_pieces {
    uint64_t report;            /*  of the last; 0: there are none                                          */
    uint64_t bytes;             /*  of all                                                                  */
    char place[LEDGER_PLACE_MAX];       /*  of the last                                                     */
};
int ledger_find_pieces (struct ledger *self, uint64_t job, int64_t attempt, struct ledger_pieces *pieces);
/*  Jobs that ended badly and are done again by none, by id, above `after`; those that were cancelled are left out
 *  unless `limit` is 1. Else as ledger_load; `attempts` and what follows it are 0. */
int ledger_failed (struct ledger *self, uint64_t after, uint64_t limit, ledger_take_fn *take, void *arg);

/*  What became of a job: of the last one that does it again, when there is one. */
enum ledger_fate {
    LEDGER_NO_JOB,
    LEDGER_NOT_ENDED,
    LEDGER_ENDED_WELL,
    LEDGER_ENDED_BADLY
};
int ledger_fate (struct ledger *self, uint64_t id, uint64_t *last, enum ledger_fate *fate);

#endif
