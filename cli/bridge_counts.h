/*  bridge_counts.h - what weft bridge says of its counters at the end */

#ifndef WEFT_CLI_BRIDGE_COUNTS_H
#define WEFT_CLI_BRIDGE_COUNTS_H

#include "cli/command.h"
#include "weft.h"

/*  Tells them when something was lost, or when they are wanted. `status`, or EXIT_LOSS in place of EXIT_OK. */
int bridge_counts_tell (struct cli *cli, const weft_bridge_t *bridge, int status);

#endif
