/*  log.h - talk, not data: one line an event, through the context's function */

#ifndef WEFT_CORE_LOG_H
#define WEFT_CORE_LOG_H

#include "weft.h"

struct log {
    weft_log_fn *fn;        /*  NULL: silent */
    void *arg;
};

void log_write (const struct log *self, int level, const char *format, ...) WEFT_PRINTF (3, 4);

#define log_error(log, ...) log_write (log, WEFT_LOG_ERROR, __VA_ARGS__)
#define log_warning(log, ...) log_write (log, WEFT_LOG_WARNING, __VA_ARGS__)
#define log_info(log, ...) log_write (log, WEFT_LOG_INFO, __VA_ARGS__)
#define log_debug(log, ...) log_write (log, WEFT_LOG_DEBUG, __VA_ARGS__)

#endif
