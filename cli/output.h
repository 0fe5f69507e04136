/*  output.h - messages that were received: through an encoder to the output */

#ifndef WEFT_CLI_OUTPUT_H
#define WEFT_CLI_OUTPUT_H

#include "cli/command.h"
#include "cli/formats.h"
#include "codec/format.h"

struct output {
    struct cli *cli;
    struct encoder encoder;
    struct buffer buffer;
    uint64_t taken;             /*  messages                                            */
    const struct option_list *topics;   /*  what is subscribed to; NULL: messages have no topics */
    bool timed;                 /*  the format tells the time                           */
};

void output_init (struct output *self, struct cli *cli, const struct formats *formats,
                  const struct option_list *topics);
void output_free (struct output *self);

/*  Takes a message, and writes when many have gathered. WEFT_EEND: the reader has gone. */
int output_add (struct output *self, const weft_msg_t *msg);

/*  Writes what has gathered: before any wait, so that nothing is held back. */
int output_flush (struct output *self);

#endif
