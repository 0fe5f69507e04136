/*  pool_process.h - a job's processes: one group, two pipes, one end
 *
 *  The process leads a group of its own; that group ends with it. Its output
 *  comes through pipes; its input is a file in memory, so that
 *  nobody has to feed it. Nothing here touches the signals of the caller. */

#ifndef WEFT_PATTERNS_POOL_PROCESS_H
#define WEFT_PATTERNS_POOL_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "weft.h"

/*  The pipes of the next process, made ahead so that its start need not wait for them. */
struct process_pipes {
    int ends[2][2];             /*  of its standard output and error: to read, to write; -1: not made  */
};
#define PROCESS_NO_PIPES { { { -1, -1 }, { -1, -1 } } }

struct process_spec {
    char *const *argv;          /*  argv[0] is looked for in PATH               */
    char *const *envp;
    const char *dir;            /*  to run in; NULL: the caller's               */
    const void *input;
    size_t input_size;
    int null;                   /*  /dev/null, open for reading: stands for no input */
    struct process_pipes *pipes;    /*  that were made ahead, and are taken; NULL: they are made now */
    pid_t *group;               /*  where its number stands while it runs (pool_warden.h); NULL: nowhere */
};

struct process {
    pid_t pid;                  /*  0: none                                     */
    int pidfd;                  /*  readable when it has exited                 */
    pid_t *group;               /*  as in its spec                              */
    int out[2];                 /*  its standard output and error; -1: closed   */
};

/*  Makes those that are not made yet. Negative, and none is made. */
int process_prepare (struct process_pipes *pipes);
void process_unprepare (struct process_pipes *pipes);

/*  On failure nothing is left, and *failure (when not NULL) is the errno of exec
 *  or 0 when the failure was ours. */
int process_spawn (struct process *self, const struct process_spec *spec, int *failure);

/*  To the whole group. */
void process_signal (struct process *self, int number);

/*  To be called when pidfd is readable: ends what is left of the group, and says how its leader ended. The pipes stay
 *  open, and the leader's number is nobody else's, until process_bury. WEFT_EAGAIN when it has not exited. */
int process_ended (struct process *self, int *status, int *number);
void process_bury (struct process *self);

/*  Kills the group, and waits until its leader has ended. */
void process_end (struct process *self);

/*  Bytes in a pipe now. After process_ended: all that will be read of it. */
size_t process_pending (const struct process *self, int stream);

/*  Reads what is there: bytes, 0 at the end, WEFT_EAGAIN when a signal came between. To be called
 *  when the pipe is readable, or process_pending says so: else it waits. */
ssize_t process_read (struct process *self, int stream, void *data, size_t size);

void process_close (struct process *self, int stream);

#endif
