/*  part.h - one part of a fabric: a command on a thread of its own
 *
 *  For parts.c alone. Commands look at stop_fd where they wait; where they stand in a call that does not, a signal
 *  interrupts it, as it would in a process of their own. */
#ifndef WEFT_CLI_PART_H
#define WEFT_CLI_PART_H

#include <pthread.h>
#include <stdatomic.h>

#include "cli/fabric.h"
#include "cli/part_metrics.h"
#include "core/buffer.h"

enum part_state {
    PART_IDLE,                  /*  waits for its turn to be started                    */
    PART_STARTING,              /*  its thread runs; it has not opened all its endpoints yet */
    PART_RUNNING,
    PART_RESTING,               /*  has failed, and is started again when it is `due`   */
    PART_OVER                   /*  has ended, and is not started again                 */
};

struct part {
    struct cli cli;             /*  first: the command's                                */
    struct fabric_part *config;
    enum part_state state;
    bool old;                   /*  of a fabric that was changed: goes when it has ended    */
    unsigned rank;              /*  in which order it ends; see fabric_end_ranks        */
    char name[128];             /*  for the talk: "up: NAME"                            */
    char **argv;                /*  a copy of the pointers, which a command may change  */
    pthread_t thread;
    atomic_int stops;           /*  how often it was told to stop                       */
    int signal;                 /*  ... and by which signal                             */
    atomic_bool ready, ended;   /*  set by its thread                                   */
    int status;                 /*  once it has ended                                   */
    int done_fd;                /*  an eventfd: written when one of these was set       */
    int lines_fd;               /*  what it writes, to be put out line by line; or -1   */
    struct buffer lines;        /*  ... the line that is not whole yet                  */
    int64_t lines_due;          /*  ... and when it comes out all the same              */
    unsigned failures;          /*  one after the other                                 */
    uint64_t starts, failed;    /*  how often, at all                                   */
    struct part_values shown;   /*  to those who ask for metrics                        */
    struct metrics_entry *entry;
    int64_t began, due;
};

/*  Before any part: the signal that interrupts calls. */
void part_init_signal (void);

/*  WEFT_ENOMEM. Takes the configuration over. */
int part_new (struct part **self, struct fabric_part *config, int done_fd);
void part_destroy (struct part **self);

/*  A thread runs. */
static inline bool
part_is_alive (const struct part *self)
{
    return self->state == PART_STARTING || self->state == PART_RUNNING;
}

/*  That, or not all that it wrote has been put out: it can neither be started again, nor go. */
static inline bool
part_is_busy (const struct part *self)
{
    return part_is_alive (self) || self->lines_fd >= 0;
}

/*  Opens its files and starts its thread. On failure has said why; the state is PART_OVER, with its `status`. `up` is
 *  the cli of weft up. */
int part_start (struct part *self, const struct cli *up);

/*  Tells it to stop, once more, as by the signal `number`. */
void part_stop (struct part *self, int number);

/*  Interrupts it again: it may have been about to wait when it was told to stop. */
void part_nudge (struct part *self);

/*  Its thread has ended: frees what that had. */
void part_join (struct part *self);

#endif
