/*  bridge_handle.h - weft_bridge_t for the program: what the public calls do not show */
#ifndef WEFT_ADAPTERS_BRIDGE_HANDLE_H
#define WEFT_ADAPTERS_BRIDGE_HANDLE_H

#include "adapters/bridge.h"
#include "core/metrics.h"

/*  The options as they are set, for looking at; whether they fit together: 0 or WEFT_EINVAL. Opens nothing. */
const struct bridge_setup *bridge_handle_setup (const weft_bridge_t *self);
int bridge_handle_check (weft_bridge_t *self);

/*  An eventfd of the caller's, to which is written in place of weft_bridge_stop; before weft_bridge_run. */
void bridge_handle_stop_by (weft_bridge_t *self, int fd);

/*  After weft_bridge_start. How long requests take is to be measured, too: WEFT_ENOMEM. */
int bridge_handle_time (weft_bridge_t *self);

/*  What it can be asked while it runs, by source and thread: false past the last source of a thread, and past the last
 *  thread, which has no first. They are good until weft_bridge_destroy. */
bool bridge_handle_source (const weft_bridge_t *self, size_t thread, size_t index, struct metric_source *source);

/*  weft_option_info for bridges: the options of a protocol, one by one, and NULL past the last. */
const struct option *bridge_handle_option (const struct adapter *adapter, size_t index);

#endif
