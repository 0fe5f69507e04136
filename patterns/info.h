/*  info.h - the option tables of sockets, proxies and pools, for those who describe them to others
 *
 *  weft_option_info itself is on the highest floor that has options: adapters/bridge_info.c. */
#ifndef WEFT_PATTERNS_INFO_H
#define WEFT_PATTERNS_INFO_H

#include "core/option.h"

/*  As weft_option_info, for all kinds but bridges. */
int info_option (const char *kind, size_t index, weft_option_info_t *info);

/*  How it says what it found, and that there is nothing more: WEFT_EEND. `range` is a constant. */
void info_fill (const struct option *option, const char *range, weft_option_info_t *info);
int info_end (const char *kind);

#endif
