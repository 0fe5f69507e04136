/*  pool_memory.h - how much memory jobs on this machine can have */

#ifndef WEFT_PATTERNS_POOL_MEMORY_H
#define WEFT_PATTERNS_POOL_MEMORY_H

#include <stdint.h>

/*  What the machine has, or less where a control group (of Slurm, a container, systemd) allows less: bytes.
 *  `root` stands before all paths: "" but in tests. */
uint64_t memory_available (const char *root);

#endif
