/*  pool_run.h - one attempt of a job that is a command: its process, what it writes, its end
 *
 *  It holds its slot until the process has exited. What that left in its pipes is read and reported after, when the
 *  slot may have a run of the next job already: jobs may be so short that this would be what they wait for. */
#ifndef WEFT_PATTERNS_POOL_RUN_H
#define WEFT_PATTERNS_POOL_RUN_H

#include <stdbool.h>
#include <stdint.h>

#include "core/clock.h"
#include "patterns/pool_metrics.h"
#include "patterns/pool_outbox.h"
#include "patterns/pool_spawn.h"

enum run_state {
    RUN_NONE,
    RUN_RUNNING,
    RUN_STOPPING,       /*  was told to end, and will be killed at `deadline`   */
    RUN_KILLED,         /*  was killed; the end is near                         */
    RUN_ENDED           /*  has exited; what it wrote is still to be read       */
};

/*  What all runs of a worker share. */
struct run_host {
    struct clock *clock;
    struct outbox *outbox;
    int epoll;
    int64_t grace;              /*  ns between SIGTERM and SIGKILL              */
    struct pool_counts *counts; /*  of ends; NULL: nobody asks                  */
    struct spawn spawn;
    char *scratch;              /*  POOL_CHUNK bytes                            */
    bool paused;                /*  the outbox is full: no pipe is watched      */
    bool stopped;               /*  the worker starts no more                   */
};

struct run {
    enum run_state state;
    struct process process;
    uint64_t event;                 /*  its data in the epoll; what of it (0 to 2) is added         */
    uint64_t job;
    int64_t attempt;
    int slot;                       /*  number                                                      */
    int reason;                     /*  WEFT_JOB_... that it will end with                          */
    int status, signal;
    int64_t begun, ended;           /*  by the clock                                                */
    int64_t started;                /*  us since 1970                                               */
    int64_t deadline;               /*  of the state; TIME_FOREVER. RUN_ENDED: of the doubt         */
    bool stream;                    /*  a line is sent when it is whole                             */
    bool watched;                   /*  its pipes are in the epoll                                  */
    bool told;                      /*  that it was started                                         */
    bool silent;                    /*  nobody wants to know                                        */
    int cores;                      /*  that the job takes                                          */
    uint64_t memory;
    struct buffer out[2];           /*  read and not passed on                                      */
    bool counted;                   /*  RUN_ENDED: `pending` is known, and the process is buried    */
    size_t pending[2];              /*  RUN_ENDED: bytes to be read                                 */
    uint64_t received, sent;
};

/*  `event` is a multiple of 4. */
void run_init (struct run *self, uint64_t event);

/*  Kills what runs. */
void run_free (struct run *self);

struct tasks_job;

/*  Starts the job in the slot of that number; `group` as in struct process_spec. One that cannot be started is reported
 *  to have ended so, and the run stays RUN_NONE: negative then. */
int run_start (struct run *self, struct run_host *host, const struct tasks_job *job, int slot, pid_t *group);

/*  Of the epoll: `what` are the two low bits of its data. */
void run_on_event (struct run *self, struct run_host *host, int what);

/*  What is due. A run whose end is in the outbox is RUN_NONE. */
void run_turn (struct run *self, struct run_host *host, int64_t now);
int64_t run_deadline (const struct run *self, const struct run_host *host);

/*  Is its slot taken by it? Also when it has exited and it is not clear that this was its own end. */
bool run_holds (const struct run *self);

/*  SIGTERM, and SIGKILL after the grace. Nothing when it does not run. */
void run_stop (struct run *self, struct run_host *host, int reason);

/*  Its pipes are in the epoll, or no more. */
void run_watch (struct run *self, struct run_host *host, bool wanted);

#endif
