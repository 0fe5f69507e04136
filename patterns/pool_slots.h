/*  pool_slots.h - the slots of a worker: jobs that wait, jobs that run, what they write
 *
 *  Takes jobs, runs as many at once as there are slots, and puts what happens to
 *  them into an outbox. While that is full it reads no output and starts nothing,
 *  so that memory is bounded whatever the jobs write. */

#ifndef WEFT_PATTERNS_POOL_SLOTS_H
#define WEFT_PATTERNS_POOL_SLOTS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/clock.h"
#include "patterns/pool_outbox.h"

struct slots_config {
    int count;                  /*  jobs at once                                        */
    int first;                  /*  number of the first slot                            */
    int64_t prefetch;           /*  jobs a slot may have waiting, if they are short     */
    int64_t grace;              /*  ns between SIGTERM and SIGKILL                      */
    const char *shell;          /*  for all commands; NULL: /bin/sh where one is needed */
    const char *dir;            /*  jobs run there; NULL: where the process is          */
};

struct slot;
struct slots_job;

struct slots {
    struct slots_config config;
    struct clock *clock;
    struct outbox *outbox;
    int epoll;                  /*  the caller's; see slots_on_event                    */
    int null;                   /*  /dev/null                                           */
    struct slot *slots;
    int busy;                   /*  slots with a job                                    */
    struct slots_job *first, **last;        /*  waiting                                 */
    int waiting;
    int64_t average;            /*  runtime of a job, ns, weighted to the recent; -1 not known */
    bool paused;                /*  the outbox is full: pipes are not watched           */
    bool stopped;               /*  start no more                                       */
    struct buffer text;         /*  arguments of the job that is being started          */
    char **argv;
    size_t argv_room;
    char **envp;
    struct slots_variables *variables;      /*  of the job, in envp                     */
    char *scratch;
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

/*  Has a slot nothing to do, and nothing waits for it? */
bool slots_hungry (const struct slots *self);

/*  Gives waiting jobs back; from now on starts nothing. */
void slots_stop (struct slots *self);

/*  Stops a job, or all of them (id 0): with `running` those that have begun, too. */
void slots_cancel (struct slots *self, uint64_t id, int64_t attempt, bool running);

/*  Adds the jobs that wait or run, as a HELLO lists them; how many in *count. WEFT_ENOMEM. */
int slots_put_held (const struct slots *self, struct buffer *out, uint32_t *count);

/*  Nobody waits for these jobs: stop them and say nothing. Returns how many. */
int slots_drop (struct slots *self);

#endif
