/*  cli_support.h - commands as calls, with what they read and write in memory */

#ifndef WEFT_TESTS_CLI_SUPPORT_H
#define WEFT_TESTS_CLI_SUPPORT_H

#include <pthread.h>
#include <stdatomic.h>

#include "cli/command.h"

/*  A command that runs, or has run, in a thread of its own. */
struct program {
    struct cli cli;             /*  first */
    char *argv[32], *words;
    int argc, status;
    char *talk, output[65536];
    size_t talk_size;
    atomic_int stops;
    pthread_t thread;
};

/*  Starts "weft WORDS" with `input` to read. Words are parted by spaces; a plus stands for a
 *  space within one. */
void program_start (struct program *self, weft_t *weft, const char *words, const char *input);

/*  As SIGTERM would. */
void program_stop (struct program *self);

/*  Waits until it has written something. */
void program_await_output (struct program *self);

/*  Waits for its end; then output, talk and status can be read. Returns the status. */
int program_wait (struct program *self);
void program_free (struct program *self);

/*  All of it at once. */
int program_run (struct program *self, weft_t *weft, const char *words, const char *input);

void assert_contains (const char *text, const char *part);

#endif
