/*  bridge_metrics.h - what a bridge can be asked while it works */
#ifndef WEFT_ADAPTERS_BRIDGE_METRICS_H
#define WEFT_ADAPTERS_BRIDGE_METRICS_H

#include "adapters/bridge.h"
#include "core/metrics.h"

struct bridge_values {                  /*  nothing but uint64_t                                        */
    weft_bridge_counters_t counters;
    uint64_t peers, full, held, requests;
};
extern const struct metric bridge_metrics[];

/*  Before bridge_run: its numbers are shown from now on, a little late, and exactly when that has returned; with
 *  `times`, how long requests take, too. May come again with that. WEFT_ENOMEM. */
int bridge_show (struct bridge *self, bool times);

/*  Any thread: what it shows; nothing but zeros before bridge_show. */
void bridge_shown (const struct bridge *self, weft_bridge_counters_t *counters);

/*  Sources, one by one: itself, each socket of the fabric, the times of requests of either side, if they are shown.
 *  They are good until bridge_destroy. False past the last. */
bool bridge_source (struct bridge *self, size_t index, struct metric_source *source);

#endif
