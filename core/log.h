/*  log.h - talk, not data: one line an event, through the context's function */

#ifndef WEFT_CORE_LOG_H
#define WEFT_CORE_LOG_H

#include "weft.h"

struct log {
    weft_log_fn *fn;        /*  NULL: silent */
    void *arg;
};

/*  For whom this thread works, where several share a context's log: NULL, or whatever whoever set it knows; threads of
 *  thread_start have that of who started them. */
void *log_owner (void);
void log_set_owner (void *owner);

void log_write (const struct log *self, int level, const char *format, ...) WEFT_PRINTF (3, 4);

#define log_error(log, ...) log_write (log, WEFT_LOG_ERROR, __VA_ARGS__)
#define log_warning(log, ...) log_write (log, WEFT_LOG_WARNING, __VA_ARGS__)
#define log_info(log, ...) log_write (log, WEFT_LOG_INFO, __VA_ARGS__)
#define log_debug(log, ...) log_write (log, WEFT_LOG_DEBUG, __VA_ARGS__)

#endif
