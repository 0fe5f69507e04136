/*  alone.h - inproc in a program that has nobody to meet there: it would wait in silence */

#ifndef WEFT_CLI_ALONE_H
#define WEFT_CLI_ALONE_H

#include "cli/command.h"
#include "core/endpoint.h"
#include "core/option.h"

struct alone {
    int count;                          /*  of endpoints of inproc; begins at 0 */
    char text[ENDPOINT_MAX];            /*  the last of them                    */
};

/*  Each endpoint that the command opens; or all of a list, as far as it has no mistake. */
void alone_see (struct alone *self, const struct endpoint *endpoint);
void alone_see_lists (struct alone *self, const struct option_list *lists, enum endpoint_side side);

/*  When all are seen: says what reaches others, if there was one alone and the command is no part of weft up. */
void alone_tell (const struct alone *self, struct cli *cli);

#endif
