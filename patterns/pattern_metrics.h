/*  pattern_metrics.h - what sockets of the fabric can be asked while they work
 *
 *  Common ground of the sockets and the proxy. */
#ifndef WEFT_PATTERNS_PATTERN_METRICS_H
#define WEFT_PATTERNS_PATTERN_METRICS_H

#include "core/metrics.h"
#include "weft.h"

struct pattern_values {
    weft_counters_t counters;
    uint64_t full, gone;                /*  why what is dropped was; else as the counters       */
    uint64_t retrying;                  /*  connections that failed, and are tried again        */
};
extern const struct metric pattern_metrics[];

/*  A metric_source's `read`, of a weft_socket_t: any thread, once it is bound or connected and until it is closed. */
void pattern_read (void *socket, void *values);

/*  How long requests took. */
struct pattern_times {
    const struct histogram *requests;
};
extern const struct metric pattern_times_metrics[];

#endif
