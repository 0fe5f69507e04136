/*  piped.h - a program with pipes to its input, output and errors, in a process group of its own
 *
 *  So the terminal's signals do not reach it: whoever started it ends it. */
#ifndef WEFT_CLI_PIPED_H
#define WEFT_CLI_PIPED_H

#include <stdbool.h>
#include <sys/types.h>

#include "core/buffer.h"

struct piped {
    pid_t pid;                  /*  0: none runs                                        */
    int exited;                 /*  pidfd: readable when it has ended                   */
    int in, out, err;           /*  our ends; -1: closed                                */
};

/*  Looked for in PATH. */
int piped_start (struct piped *self, char *const *argv);

/*  Adds what can be read at once; closes *fd at its end. False when that has come. */
bool piped_read (int *fd, struct buffer *to);

/*  Closes its pipes, and gives it `wait` ns to end by itself and as long again after SIGTERM. Its exit status, or 128
 *  and the signal. */
int piped_end (struct piped *self, int64_t wait);

/*  The whole run of a short program: what it wrote, by both ways; its status, or a negative error. Its input is
 *  empty. Both are C strings then. Killed after `limit` ns, or when the descriptor `stop` is readable (-1: none). */
int piped_run (char *const *argv, struct buffer *out, struct buffer *err, int64_t limit, int stop);

#endif
