/*  source.h - messages to send: from the command line, or from the input through a decoder */

#ifndef WEFT_CLI_SOURCE_H
#define WEFT_CLI_SOURCE_H

#include "cli/command.h"
#include "cli/formats.h"
#include "codec/format.h"

/*  What its options say. */
struct source_config {
    struct option_list data;    /*  messages, instead of the input                      */
    int64_t count;              /*  0: all; data are begun again until there are so many */
    int64_t interval;           /*  ns between two messages                             */
};

/*  The rows for a command's own table, whose struct has a source_config at `place`. */
#define SOURCE_OPTIONS(owner, place)                                                                                  \
    { .name = "data", .letter = 'd', .type = OPTION_LIST, .argument = "TEXT",                                          \
      .offset = offsetof (owner, place.data), .text = "a message, in place of those on standard input" },              \
    { .name = "count", .letter = 'n', .type = OPTION_INT, .argument = "N", .offset = offsetof (owner, place.count),    \
      .text = "send N messages, beginning --data again when they are fewer" },                                         \
    { .name = "interval", .letter = 'i', .type = OPTION_TIME, .argument = "TIME",                                      \
      .offset = offsetof (owner, place.interval),                                                                      \
      .text = "wait so long between messages; --data then go on for ever without --count" }

struct source {
    struct cli *cli;
    const struct source_config *config;
    struct decoder decoder;
    struct buffer buffer;
    bool hungry;                /*  no message without more input                       */
    bool at_end;                /*  no more will be read                                */
    bool stopped;               /*  only what was read in full is still given           */
    size_t next_data;
    uint64_t given;             /*  messages                                            */
    int64_t due;                /*  when the next may be given                          */
    uint64_t malformed, too_big;    /*  messages that were refused                      */
};

void source_init (struct source *self, struct cli *cli, const struct source_config *config,
                  const struct formats *formats, int64_t max_size);
void source_free (struct source *self);

/*  The next message: 1; 0 when more input (hungry: wait for cli->in and call source_fill) or time
 *  (source_due) is needed first; WEFT_EEND after the last; or another error. A message that is
 *  malformed or too large is reported, counted and left out. */
int source_next (struct source *self, weft_msg_t *msg);

/*  Reads once; does not wait when the input is ready. */
int source_fill (struct source *self);

/*  When time alone brings the next message; else TIME_FOREVER. */
int64_t source_due (const struct source *self);

/*  Reads no more. What was read in full is still given. */
void source_stop (struct source *self);

/*  Counts, and gives up, the messages that are left. */
uint64_t source_abandon (struct source *self);

/*  EXIT_OK, or what refused messages make of it. */
int source_status (const struct source *self);

#endif
