/*  parts_inside.h - what the files of the parts share; nobody else includes it */
#ifndef WEFT_CLI_PARTS_INSIDE_H
#define WEFT_CLI_PARTS_INSIDE_H

#include "cli/part.h"
#include "cli/parts.h"
#include "cli/parts_output.h"

struct parts {
    struct cli *cli;
    struct part **list;         /*  in the order of their start                 */
    size_t count;
    int done_fd;                /*  an eventfd: a part has something to tell    */
    struct parts_output output;
    int stops;                  /*  signals that came                           */
    bool ending;                /*  all are to end                              */
    bool told_ready;
    int status;                 /*  of the first that failed, or EXIT_OK        */
};

/*  parts_change.c: those that are to go, and are there still; and lets go of the others. */
bool parts_have_old (const struct parts *self);
void parts_drop_old (struct parts *self);

/*  parts_end.c: tells those of the lowest rank among the ones that are to end; all are to end from now on; a part has
 *  ended, or could not be started. */
bool parts_is_to_end (const struct parts *self, const struct part *part);
void parts_stop_next (struct parts *self);
void parts_end_all (struct parts *self);
void parts_has_ended (struct parts *self, struct part *part);

#endif
