/*  exec.h - a command for each message */

#ifndef WEFT_CLI_EXEC_H
#define WEFT_CLI_EXEC_H

#include "cli/session.h"
#include "codec/format.h"

struct exec {
    struct session *session;
    const char *command;
    uint64_t failed;            /*  runs that did not end with 0 */
    struct encoder encoder;
    struct buffer input, output;
};

void exec_init (struct exec *self, struct session *session, const char *command);
void exec_free (struct exec *self);

/*  Runs the command with the message on its standard input. Its output is ours when `reply`
 *  is NULL, else becomes the reply. In lines, the default, it gets the bytes alone, and one newline at the
 *  end of its output is no part of the reply; raw changes nothing; other formats
 *  hold both ways. A run that fails is told and counted, and its output counts. 0, WEFT_ETERM
 *  when the time after a signal was over, or another error. */
int exec_run (struct exec *self, const weft_msg_t *msg, weft_msg_t *reply);

#endif
