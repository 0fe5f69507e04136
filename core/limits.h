/*  limits.h - limits of the process that it changed for itself, and that what it starts shall not inherit
 *
 *  The library changes none; the program does, before its threads start. */
#ifndef WEFT_CORE_LIMITS_H
#define WEFT_CORE_LIMITS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>

struct limit_given {
    int resource;
    struct rlimit limit;        /*  as it was given to us   */
};

/*  Those that were changed. */
#define LIMITS_MAX 2
extern struct limit_given limits_given[LIMITS_MAX];
extern size_t limits_count;

/*  Room for so many descriptors, as far as the system allows. */
void limits_want_files (rlim_t count);

/*  The process gets no more memory for its data than this; 0, or WEFT_EIO. */
int limits_memory (int64_t bytes);

#endif
