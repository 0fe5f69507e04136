/*  pool_metrics.h - what a head, a worker and a sink can be asked while they work */
#ifndef WEFT_PATTERNS_POOL_METRICS_H
#define WEFT_PATTERNS_POOL_METRICS_H

#include "core/metrics.h"
#include "weft.h"

/* ------------------------------------------------------------- attempts that ended */

struct pool_ends {
    uint64_t done, failed, timeout, dead, cancelled, not_started, output_lost;
    uint64_t retries;                   /*  attempts that ended badly, after which another follows      */
    uint64_t received_bytes;            /*  of output                                                   */
    const struct histogram *runs;       /*  how long all these ran                                      */
};
extern const struct metric pool_ends_metrics[];

/*  Any thread counts, and reads; freed as it was made, by one. */
struct histogram;
struct pool_counts {
    struct pool_ends ends;
    struct histogram *runs;             /*  the same, for who records                                   */
};

/*  WEFT_ENOMEM. */
int pool_counts_init (struct pool_counts *self);
void pool_counts_free (struct pool_counts *self);

/*  An event was told: an end, or output. */
void pool_count_event (struct pool_counts *self, const weft_pool_event_t *event);

/*  An attempt has ended: `reason` as in weft.h, the runtime in us. With `again` another follows. `self` may be NULL:
 *  then nobody asks. */
void pool_count_end (struct pool_counts *self, int reason, bool failed, bool again, int64_t runtime);

/*  A metric_source's `read`. */
void pool_counts_read (void *self, void *values);

/* ------------------------------------------------------------------------- the head */

struct pool_values {                    /*  nothing but uint64_t                                        */
    uint64_t submitted, waiting, dealt, running;
    uint64_t workers, slots, lost_workers, refused;
    uint64_t commits, operations, written_bytes, log_bytes, unwritten_bytes;    /*  of the ledger       */
};
struct pool_times {
    const struct histogram *waits, *commits;        /*  NULL: there are none                            */
};
extern const struct metric pool_metrics[], pool_times_metrics[];

/*  Its numbers are shown from now on, as they are whenever pool_show is called, on the head's thread. Once bound, and
 *  until it is destroyed, any thread may read. WEFT_ENOMEM. */
int pool_begin_show (weft_pool_t *self);
void pool_show (weft_pool_t *self);
void pool_read (void *pool, void *values);
void pool_read_times (void *pool, void *values);

/* ----------------------------------------------------------------------- the worker */

struct worker_values {                  /*  nothing but uint64_t                                        */
    uint64_t slots, running, waiting, connected, breaks;
};
extern const struct metric worker_metrics[];

/*  Before weft_worker_run; it counts in `counts`, which has to live as long as it. worker_read: from then on, until it
 *  is destroyed, any thread. */
void worker_begin_show (weft_worker_t *self, struct pool_counts *counts);
void worker_read (void *worker, void *values);

#endif
