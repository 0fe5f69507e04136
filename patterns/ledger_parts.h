/*  ledger_parts.h - what the parts of the ledger share: operations that wait, the file, the lock */
#ifndef WEFT_PATTERNS_LEDGER_PARTS_H
#define WEFT_PATTERNS_LEDGER_PARTS_H

#include <pthread.h>
#include <stdatomic.h>

#include "core/clock.h"
#include "patterns/ledger.h"

#define LEDGER_APPLICATION 0x77656674   /*  "weft", in the file's header                            */

/* -------------------------------------------------------------- operations */

enum ledger_kind { LEDGER_JOB, LEDGER_START, LEDGER_RETRY, LEDGER_RESULT, LEDGER_DEALT, LEDGER_PIECE };

/*  One operation, in a chunk; its texts follow it, and its pointers point there. */
struct ledger_op {
    size_t size;                        /*  with what follows                                       */
    enum ledger_kind kind;
    union {
        struct ledger_job job;
        struct ledger_result result;    /*  START, RETRY, RESULT                                    */
        struct ledger_piece piece;
        uint64_t dealt;
    };
};

/*  Operations one after the other; never moved, so that pointers into it stay good. */
struct ledger_chunk {
    struct ledger_chunk *next;
    size_t used, capacity;
    size_t done;                        /*  bytes of operations that are committed                  */
    _Alignas (max_align_t) char data[];
};

struct ledger_chunks {
    struct ledger_chunk *first, *last;
    size_t bytes;                       /*  of operations                                           */
};

/*  Copies an operation to the end; WEFT_ENOMEM. The spare chunk, if any, is taken before one is allocated. */
int ledger_chunks_job (struct ledger_chunks *self, struct ledger_chunk **spare, const struct ledger_job *job);
int ledger_chunks_result (struct ledger_chunks *self, struct ledger_chunk **spare, enum ledger_kind kind,
                          const struct ledger_result *result);
int ledger_chunks_piece (struct ledger_chunks *self, struct ledger_chunk **spare, const struct ledger_piece *piece);
int ledger_chunks_dealt (struct ledger_chunks *self, struct ledger_chunk **spare, uint64_t id);

/*  Frees the first; one of ordinary size becomes the spare, if there is none. */
void ledger_chunks_drop (struct ledger_chunks *self, struct ledger_chunk **spare);
void ledger_chunks_free (struct ledger_chunks *self);

/* ---------------------------------------------------------------- the lock */

/*  That nobody else has the file `path`: a lock on PATH-lock, which ends with the process. WEFT_EADDRINUSE says who
 *  has it. `fd` gets what ledger_unlock wants; -1 is nothing. */
int ledger_lock (const char *path, int *fd);
void ledger_unlock (const char *path, int *fd);

/* ---------------------------------------------------------------- the file */

/*  What became of an attempt to write. */
enum ledger_outcome {
    LEDGER_DONE,        /*  it is written                                                           */
    LEDGER_AGAIN,       /*  it is not, and nothing is lost: the disk is full, another has the file  */
    LEDGER_LOST         /*  what is on disk is not known any more                                   */
};

struct ledger_store;

/*  Opens or makes the file, which must be locked; `found` is filled and the epoch begun, durably. */
int ledger_store_open (struct ledger_store **self, const char *path, const struct ledger_config *config,
                       struct ledger_found *found);

/*  With `whole` what is in the log is brought into the file, and the log removed. */
void ledger_store_close (struct ledger_store **self, bool whole);

/*  Commits as many operations as one transaction takes, up to `most`, from those not done; DONE counts in `count`. */
enum ledger_outcome ledger_store_commit (struct ledger_store *self, struct ledger_chunks *ops, size_t most,
                                         size_t *count, size_t *bytes);

/*  Brings the log into the file if it has grown by a good deal, or at all with `idle`. */
enum ledger_outcome ledger_store_checkpoint (struct ledger_store *self, bool idle);
bool ledger_store_behind (const struct ledger_store *self);         /*  would one with `idle` do anything? */

/*  What was wrong the last time, in words. */
const char *ledger_store_trouble (const struct ledger_store *self);

/*  Room on disk that is given back when the disk is full, so that what was done can still be written. */
bool ledger_store_reserve (struct ledger_store *self);     /*  false: there is no room for what there was once */
void ledger_store_release (struct ledger_store *self);

void ledger_store_counters (const struct ledger_store *self, struct ledger_counters *counters);

/*  As those of ledger.h, of which the caller has the store for itself. In ledger_read.c. */
int ledger_store_load (struct ledger_store *self, int priority, uint64_t after, uint64_t limit, ledger_take_fn *take,
                       void *arg);
int ledger_store_levels (struct ledger_store *self, ledger_level_fn *take, void *arg);
int ledger_store_hashes (struct ledger_store *self, ledger_hash_fn *take, void *arg);
int ledger_store_find_pieces (struct ledger_store *self, uint64_t job, int64_t attempt, struct ledger_pieces *pieces);
int ledger_store_failed (struct ledger_store *self, uint64_t after, uint64_t limit, ledger_take_fn *take, void *arg);
int ledger_store_fate (struct ledger_store *self, uint64_t id, uint64_t *last, enum ledger_fate *fate);

/* --------------------------------------------------------------- the whole */

enum ledger_writer {
    WRITER_IDLE,        /*  waits for anything                                                      */
    WRITER_GATHERS,     /*  has operations, and waits for more until they are many or old           */
    WRITER_BUSY,        /*  commits, without the mutex                                              */
    WRITER_PAUSES,      /*  waits until the disk may have room again                                */
    WRITER_ENDED
};

struct ledger {
    /*  The caller's alone. */
    uint64_t last_id;
    char *path;
    int lock;
    int64_t group_time;
    uint64_t group_count, queue_bytes;
    enum ledger_durability durability;
    int (*before) (void *arg);
    void *before_arg;
    pthread_t thread;
    bool running;                       /*  the thread was made                                     */

    atomic_uint_least64_t durable;
    atomic_int state;
    int event;

    /*  Under the mutex. */
    pthread_mutex_t mutex;
    pthread_cond_t stir;                /*  the writer has something to see                         */
    pthread_cond_t answer;              /*  who waits for the writer has                            */
    enum ledger_writer writer;
    struct ledger_chunks queue;
    struct ledger_chunk *spare;
    uint64_t ticket;                    /*  of the last operation                                   */
    uint64_t queued;                    /*  operations in the queue                                 */
    int64_t oldest;                     /*  since when the first of them waits                      */
    size_t taken_bytes;                 /*  with the writer, not committed                          */
    uint64_t flush;                     /*  commit up to here at once; 0 when it was tried in vain  */
    bool borrow;                        /*  the caller wants the store                              */
    bool lent;                          /*  and has it                                              */
    bool stop;
    char trouble[512];
    struct ledger_counters counters;

    struct histogram *times;            /*  of commits: the writer records, any thread reads        */

    /*  The writer's alone, while it is not lent. */
    struct ledger_store *store;
    struct ledger_chunks batch;
};

void *ledger_writer_main (void *arg);

#endif
