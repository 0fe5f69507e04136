/*  child.h - a shell command with pipes to its input and output, in a process group of its own */

#ifndef WEFT_CLI_CHILD_H
#define WEFT_CLI_CHILD_H

#include <stdbool.h>
#include <sys/types.h>

#include "core/buffer.h"

struct child {
    pid_t pid;                  /*  0: none runs                            */
    int exited;                 /*  pidfd: readable when it has ended       */
    int in, out;                /*  our ends of its pipes; -1: closed, none */
};

/*  Starts `command` by /bin/sh, in the directory `dir` or, when that is NULL, ours. Its output goes to the descriptor
 *  `out`, or when that is negative to a pipe. It inherits no other descriptor but standard error, and default
 *  signals. */
int child_start (struct child *self, const char *command, const char *dir, int out);

/*  One wait, and what can then be done: writes from *data to its input (and with `close` closes
 *  it after the last byte), reads its output. Returns bits, or a negative error. */
enum {
    CHILD_READ = 1,             /*  `output` has more                       */
    CHILD_ENDED = 2,            /*  it has ended, and its output was read   */
    CHILD_STOP = 4              /*  stop_fd is readable                     */
};
int child_step (struct child *self, const char **data, size_t *size, bool close, struct buffer *output, int stop_fd,
                int64_t timeout);

/*  Its input ends here. */
void child_close (struct child *self);

/*  Ends what is left of its process group, and takes its exit status: 0 to 255, or 128 and
 *  the signal. */
int child_end (struct child *self);

#endif
