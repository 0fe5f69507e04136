/*  poolends.h - where the roles of a pool bind */
#ifndef WEFT_CLI_POOLENDS_H
#define WEFT_CLI_POOLENDS_H

#include <stdbool.h>

#include "cli/command.h"

/*  What runs commands, or shows their results, is not offered to a network by mistake:
 *  WEFT_EACCES for an endpoint that is not this machine's own, unless `insecure`. */
int poolends_check (const char *endpoint, bool insecure);

#define POOLENDS_INSECURE "listen on a network without authentication: whoever reaches it can take part"

#endif
