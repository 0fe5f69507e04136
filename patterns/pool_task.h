/*  pool_task.h - what the threads of pool_tasks.h share with the worker's own thread */

#ifndef WEFT_PATTERNS_POOL_TASK_H
#define WEFT_PATTERNS_POOL_TASK_H

#include <pthread.h>

#include "patterns/pool_tasks.h"

/*  Jobs in their order. */
struct task_list {
    struct tasks_job *first, **last;
    int count;
};

/*  A thread, and the call that is under way on it. What is marked L is guarded by the lock; the rest is the thread's
 *  own. */
struct weft_task {
    struct tasks *tasks;
    int index;
    pthread_t thread;
    struct tasks_job *job;              /*  L: NULL: none                                       */
    int64_t begun, started;             /*  L: by the clock; ns since 1970                      */
    bool told;                          /*  L: that it began                                    */
    bool silent;                        /*  L: nobody wants to know                             */
    int slot;
    int reason;                         /*  WEFT_JOB_...: why it is to stop; EXITED: it is not. Atomic */
    int stop_fd;                        /*  readable when it is to stop; -1: nobody has asked. Atomic */
    struct buffer records;              /*  encoded, to be handed in                            */
    uint32_t count;
    uint64_t received;
    int lost;                           /*  why output could not be kept; 0: it was             */
};

/*  All of it is guarded by the lock but what is marked W, which is the worker's thread's own, and the configuration. */
struct tasks {
    struct tasks_config config;
    struct weft_task *threads;
    int started;                        /*  W: threads                                          */
    int wake_fd;                        /*  an eventfd for the worker's thread                  */
    pthread_mutex_t lock;
    pthread_cond_t more, room;          /*  a job may be begun; `done` was emptied              */
    bool *taken;                        /*  slots                                               */
    int free;                           /*  slots that are not taken                            */
    int reserved;                       /*  of these, for suspects                              */
    int idle;                           /*  threads that wait for a job                         */
    int running;
    bool closing;
    bool woken;                         /*  the worker's thread was, since its last turn        */
    struct task_list queue, ready;      /*  to be begun; and those that have their slots: first */
    struct buffer done;                 /*  records for the outbox                              */
    uint32_t done_count;
    int batch;
    struct tasks_learned ended;
    int64_t wall;                       /*  what the wall clock is ahead of the other           */
    struct task_list suspects;          /*  W: to be announced before they begin                */
    struct task_list announced;         /*  W                                                   */
    bool fresh;                         /*  W: one of them began a moment ago                   */
    struct buffer taken_in;             /*  W: as `done`, on its way into the outbox            */
    uint32_t taken_count;
    int64_t deadline;                   /*  W                                                   */
    struct tasks_learned learned;       /*  W                                                   */
    int held, waiting;                  /*  W: as of the last turn                              */
    bool hungry;                        /*  W                                                   */
};

/*  Of records that may wait for the outbox: then calls wait. */
#define TASKS_BYTES (1 << 20)

void task_list_init (struct task_list *self);
void task_list_add (struct task_list *self, struct tasks_job *job);
struct tasks_job *task_list_take (struct task_list *self);     /*  NULL when it is empty */

/*  With the lock: the lowest free slot, `wanted` if it can be had; it is taken. There must be one. */
int task_take_slot (struct tasks *self, int wanted);

void task_release_slot (struct tasks *self, int slot);

/*  With the lock: wakes the worker's thread, once a turn. */
void task_wake_owner (struct tasks *self);

/*  With the lock: the call is to end. */
void task_stop (struct weft_task *self, int reason);

/*  On the worker's thread: a record of a job goes into the outbox. A slot below 0: it has none. */
void task_put (struct tasks *self, const struct tasks_job *job, int kind, int slot, int reason);

/*  The same, with the lock: the first of the list is given back. */
void task_give_back (struct tasks *self, struct task_list *list);

/*  The same: takes what the threads have handed in, if all before it is passed on; and passes that on to the outbox.
 *  WEFT_ENOMEM: it is kept for the next time. */
void task_take_in (struct tasks *self);
int task_pass_on (struct tasks *self);

/*  What a thread runs. */
void *task_thread (void *task);

#endif
