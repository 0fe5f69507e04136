/*  pool_blame.h - why a program could not be started, in words */

#ifndef WEFT_PATTERNS_POOL_BLAME_H
#define WEFT_PATTERNS_POOL_BLAME_H

#include "patterns/pool_launch.h"

/*  What launch () has returned for that says which of several things was meant: the folder to run in, the
 *  program, its interpreter, or a limit. Keeps the words and returns a code, as error_set. */
int blame_launch (const struct launch_spec *spec, int error);

#endif
