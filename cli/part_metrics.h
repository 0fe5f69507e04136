/*  part_metrics.h - what the metrics of weft up say of its parts */
#ifndef WEFT_CLI_PART_METRICS_H
#define WEFT_CLI_PART_METRICS_H

#include <stdbool.h>

#include "core/metrics.h"

struct part;

/*  What the metrics show of it, by core/counter.h; nothing but uint64_t. */
struct part_values {
    uint64_t waiting, starting, running, restarting, ended, failed;     /*  1: this is its state now    */
    uint64_t since;                     /*  when that began: ns since 1970                              */
    uint64_t starts, failures, status;
};
extern const struct metric part_metrics[];

/*  Shows what it is now, to those who ask this registry; NULL: nobody does. By the thread that runs the parts, whenever
 *  something may have changed. Without memory it is shown later. */
void part_show (struct part *self, struct metrics *metrics);
void part_hide (struct part *self);

#endif
