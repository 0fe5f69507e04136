/*  descriptors.h - running out of file descriptors without dying of it */

#ifndef WEFT_CLI_DESCRIPTORS_H
#define WEFT_CLI_DESCRIPTORS_H

#include <stdbool.h>

/*  As many descriptors as the system allows: for a program that listens. */
void descriptors_raise (void);

/*  True once, when a connection had to wait for want of a descriptor: for saying so. */
bool descriptors_exhausted (void);

#endif
