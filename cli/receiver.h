/*  receiver.h - weft pull and weft sub: from the socket to the output, or to commands */

#ifndef WEFT_CLI_RECEIVER_H
#define WEFT_CLI_RECEIVER_H

#include "cli/session.h"

struct receiver_config {
    int64_t count;              /*  0: all                                      */
    char *exec;                 /*  a command for each message; NULL: none      */
};

/*  The rows for a command's own table, whose struct has a receiver_config at `place`. */
#define RECEIVER_OPTIONS(owner, place)                                                                                 \
    { .name = "count", .letter = 'n', .type = OPTION_INT, .argument = "N", .offset = offsetof (owner, place.count),    \
      .text = "end after N messages" },                                                                                \
    { .name = "exec", .letter = 'e', .type = OPTION_TEXT, .argument = "COMMAND",                                       \
      .offset = offsetof (owner, place.exec),                                                                          \
      .text = "run COMMAND for each message, with the message on its standard input, one at a time" }

/*  What the pattern means by the first of several frames, and by a signal. */
enum {
    RECEIVER_TOPICS = 1,        /*  messages have topics                        */
    RECEIVER_DRAINS = 2         /*  what was queued when a signal came is taken */
};

/*  Receives until the count, the end of the stream, the reader's going, or a signal. Returns the exit status. */
int receiver_run (struct session *session, const struct receiver_config *config, int flags);

#endif
