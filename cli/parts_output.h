/*  parts_output.h - what the parts of a fabric write: whole lines, each with its part's name in front
 *
 *  Whoever reads may be slow: then no more is taken from the parts, and they wait. A line that does not end within a
 *  second comes out as it is. */
#ifndef WEFT_CLI_PARTS_OUTPUT_H
#define WEFT_CLI_PARTS_OUTPUT_H

#include "cli/part.h"

struct parts_output {
    int fd;
    struct buffer pending;      /*  lines that were not taken yet           */
    bool gone;                  /*  whoever read has gone                   */
};

void parts_output_init (struct parts_output *self, int fd);
void parts_output_free (struct parts_output *self);

/*  Reads what a part has written, as far as there is room. `last`: it writes no more; when all of that was read,
 *  part->lines_fd is -1, and until then this is to be called again. */
void parts_output_take (struct parts_output *self, struct part *part, bool last);

/*  When a part's line that has not ended is to come out all the same, by parts_output_due; or TIME_FOREVER. */
int64_t parts_output_deadline (const struct part *part);
void parts_output_due (struct parts_output *self, struct part *part);

/*  There is something to write, and no room for more. */
static inline bool
parts_output_full (const struct parts_output *self)
{
    return buffer_size (&self->pending) > 0;
}

/*  Writes without waiting; when the descriptor is writable. WEFT_EIO. */
int parts_output_flush (struct parts_output *self);

#endif
