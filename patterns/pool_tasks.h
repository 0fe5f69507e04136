/*  pool_tasks.h - messages as jobs of a worker's function, which runs on threads of its own
 *
 *  The worker's own thread adds jobs, tells them to stop, and gathers what was written and how they ended; all that is
 *  said of them goes into its outbox. Each thread takes a job, calls the function and hands in its records, all under
 *  one lock, so that jobs of a microsecond cost little more than that. The worker's thread is woken when there is
 *  enough to be sent, or a slot has nothing to do.
 *
 *  That a job began is not told before it has run for a while: of a short one only the end is. Except of one that was
 *  tried before, which may be what brought a worker down: it begins only when the head has acknowledged that it does.
 *
 *  Slots are numbers. A thread takes one for each call; processes beside them take theirs from here, too. */

#ifndef WEFT_PATTERNS_POOL_TASKS_H
#define WEFT_PATTERNS_POOL_TASKS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/clock.h"
#include "patterns/pool_metrics.h"
#include "patterns/pool_outbox.h"

/*  A job that a worker has. */
struct tasks_job {
    struct tasks_job *next;
    uint64_t id;
    int64_t attempt;
    int64_t since;              /*  when it came                                        */
    bool message, stream;       /*  from its spec                                       */
    struct pool_bytes input;
    uint64_t number;
    int cores;                  /*  slots that it takes                                 */
    uint64_t memory;
    int64_t timeout;            /*  ns; 0: none                                         */
    int slot;                   /*  that it has before it runs; -1: none                */
    uint64_t report;            /*  that is to be acknowledged before it runs           */
    size_t size;
    char spec[];
};

struct tasks_config {
    weft_work_fn *fn;
    void *arg;
    int count;                  /*  threads, and slots                                  */
    int first;                  /*  number of the first slot                            */
    struct clock *clock;
    struct outbox *outbox;
    struct pool_counts *counts; /*  of ends; NULL: nobody asks                          */
};

struct tasks;

/*  Starts the threads. WEFT_ENOMEM, WEFT_ELIMIT. */
int tasks_open (struct tasks **self, const struct tasks_config *config);

/*  Waits until no call of the function is under way; they are told to stop. */
void tasks_close (struct tasks **self);

/*  An eventfd, to be watched for edges: there is something for tasks_turn. */
int tasks_fd (const struct tasks *self);

/*  A list of `count` jobs becomes theirs. */
void tasks_add (struct tasks *self, struct tasks_job *first, int count);

/*  What has happened, and what is due. When the outbox is full nothing is taken from the threads, which then wait. */
void tasks_turn (struct tasks *self);
int64_t tasks_deadline (const struct tasks *self);

/*  As of the last turn: jobs that have not ended and been told of; of these, those that wait; is a slot without any? */
int tasks_held (const struct tasks *self);
int tasks_waiting (const struct tasks *self);
bool tasks_hungry (const struct tasks *self);

/*  Enough has ended for a report of its own, when so many have. */
void tasks_set_batch (struct tasks *self, int batch);

/*  Jobs that ended before the last turn, after the one before. */
struct tasks_learned {
    int jobs;
    int64_t runtime, size;      /*  ns and bytes, of all together                       */
};
struct tasks_learned tasks_learn (const struct tasks *self);

/*  A slot (0 and up) for a process: is it free? It then is until it is released. */
bool tasks_claim (struct tasks *self, int slot);
void tasks_release (struct tasks *self, int slot);

/*  As slots_stop, slots_cancel, slots_put_held and slots_drop. */
void tasks_stop (struct tasks *self);
void tasks_cancel (struct tasks *self, uint64_t id, int64_t attempt, bool running);
int tasks_put_held (struct tasks *self, struct buffer *out, uint32_t *count);
int tasks_drop (struct tasks *self);

#endif
