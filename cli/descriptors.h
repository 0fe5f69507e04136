/*  descriptors.h - running out of file descriptors without dying of it */

#ifndef WEFT_CLI_DESCRIPTORS_H
#define WEFT_CLI_DESCRIPTORS_H

#include <stdbool.h>

/*  As many descriptors as the system allows. */
void descriptors_raise (void);

/*  Has a connection been turned away for want of a descriptor since the last call? */
bool descriptors_exhausted (void);

#endif
