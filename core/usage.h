/*  usage.h - what the system says of this process: memory, descriptors, time */
#ifndef WEFT_CORE_USAGE_H
#define WEFT_CORE_USAGE_H

#include "core/metrics.h"

struct usage_values {
    uint64_t cpu, started;              /*  ns: used; since 1970                        */
    uint64_t resident, virtual_bytes;
    uint64_t files, files_max, threads;
};
extern const struct metric usage_metrics[];

/*  When this process was started, ns since 1970; 0 when the system does not tell. To be asked for once: it depends on
 *  the clock, which may be set. */
uint64_t usage_started (void);

/*  A metric_source's `read`, whose argument is a uint64_t with what usage_started said; any thread. What the system
 *  does not tell is 0. */
void usage_read (void *started, void *values);

#endif
