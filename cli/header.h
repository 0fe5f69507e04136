/*  header.h - --header : names of columns in place of their numbers */
#ifndef WEFT_CLI_HEADER_H
#define WEFT_CLI_HEADER_H

#include "cli/arglist.h"

/*  `template` with {NAME}, {NAME.}, {NAME/}, {NAME//} and {NAME/.} as {1} and so on, at the end
 *  of `out`, which is terminated. The first column of a name counts. */
int header_number (struct arglist *names, const char *template, struct buffer *out);

#endif
