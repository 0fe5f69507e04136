/*  pool_slots.h - the slots of a worker: jobs that wait, and which of them runs when
 *
 *  Takes jobs, runs as many at once as there are slots, and puts what happens to
 *  them into an outbox. While that is full it reads no output and starts nothing,
 *  so that memory is bounded whatever the jobs write. */

#ifndef WEFT_PATTERNS_POOL_SLOTS_H
#define WEFT_PATTERNS_POOL_SLOTS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/clock.h"
#include "patterns/pool_run.h"
#include "patterns/pool_tasks.h"
#include "patterns/pool_warden.h"

struct slots_config {
    int count;                  /*  jobs at once                                        */
    int first;                  /*  number of the first slot                            */
    uint64_t memory;            /*  for all jobs that ask for some: bytes               */
    int64_t prefetch;           /*  jobs a slot may have waiting, if they are short     */
    int64_t grace;              /*  ns between SIGTERM and SIGKILL                      */
    const char *shell;          /*  for all commands; NULL: /bin/sh where one is needed */
    const char *dir;            /*  jobs run there; NULL: where the process is          */
    const char *exec;           /*  for messages; NULL: there is none                   */
    const struct warden *warden;    /*  to know of the processes of jobs; NULL: nobody is   */
    struct pool_counts *counts; /*  of ends; NULL: nobody asks                          */
    weft_work_fn *fn;           /*  ... instead of that; NULL: there is none            */
    void *arg;
};

struct slot;

struct slots {
    struct slots_config config;
    struct clock *clock;
    struct outbox *outbox;
    int epoll;                  /*  the caller's; see slots_on_event                    */
    struct run_host host;
    struct slot *slots;
    int runs;                   /*  jobs of which not all was reported                  */
    int busy;                   /*  slots with a job                                    */
    int cores;                  /*  ... that these jobs take                            */
    uint64_t memory;
    struct tasks_job *first, **last;        /*  waiting                                 */
    int waiting;
    struct tasks *tasks;        /*  messages that run; NULL: the worker has no function */
    int64_t average;            /*  runtime of a job, ns, weighted to the recent; -1 not known */
    int64_t average_size;       /*  of messages: bytes                                  */
    bool swift;                 /*  the last that ended were messages                   */
};

/*  Descriptors are watched in `epoll` with data from 0 to SLOTS_EVENTS - 1. */
#define SLOTS_EVENTS (UINT64_C (1) << 32)

int slots_init (struct slots *self, const struct slots_config *config, struct clock *clock, struct outbox *outbox,
                int epoll);

/*  Kills what runs. */
void slots_free (struct slots *self);

/*  A copy is kept. WEFT_ENOMEM. */
int slots_add (struct slots *self, uint64_t id, int64_t attempt, struct pool_bytes spec);

void slots_on_event (struct slots *self, uint64_t data);

/*  What is due: starts, ends, time-outs. After each round of events. */
void slots_turn (struct slots *self);
int64_t slots_deadline (const struct slots *self);

/*  How many jobs the worker should be given at once: more than there are slots when
 *  jobs are so short that a slot would wait for the next. */
int slots_window (const struct slots *self);

/*  Jobs that have not ended, or whose end is still to be put into the outbox; without those that wait for a process. */
int slots_busy (const struct slots *self);

/*  Records that are worth a report of their own, though no slot waits. */
uint32_t slots_batch (const struct slots *self);

/*  Has a slot nothing to do, and nothing waits for it? */
bool slots_hungry (const struct slots *self);

/*  Gives waiting jobs back; from now on starts nothing. */
void slots_stop (struct slots *self);

/*  Stops a job, or all of them (id 0): with `running` those that have begun, too. */
void slots_cancel (struct slots *self, uint64_t id, int64_t attempt, bool running);

/*  Adds the jobs that wait or run, as a HELLO lists them; how many in *count. What the others have come to is in the
 *  outbox. WEFT_ENOMEM. */
int slots_put_held (struct slots *self, struct buffer *out, uint32_t *count);

/*  Nobody waits for these jobs: stop them and say nothing. Returns how many. */
int slots_drop (struct slots *self);

#endif
