/*  ledgernow.h - what goes on in a ledger at this moment, as lines for a terminal
 *
 *  Each call is a transaction of its own that only reads, and is over when it returns. */
#ifndef WEFT_CLI_LEDGERNOW_H
#define WEFT_CLI_LEDGERNOW_H

#include <stdint.h>

#include "core/buffer.h"

enum ledgernow_part {
    LEDGERNOW_RUNNING,          /*  jobs that were begun and have not ended, those given last first */
    LEDGERNOW_WORKERS,          /*  who had some of the last jobs                                   */
    LEDGERNOW_SLOWEST,
    LEDGERNOW_FAILED,           /*  the last ones                                                   */
    LEDGERNOW_PARTS
};

struct ledgernow;

/*  Nulls *self on error. `path` must outlive it. */
int ledgernow_open (struct ledgernow **self, const char *path);
void ledgernow_close (struct ledgernow **self);

/*  Adds at most `rows` lines, each ended by a newline, of at most `columns`; returns how many, or an error. `now` is in
 *  microseconds since 1970. */
int ledgernow_add (struct ledgernow *self, enum ledgernow_part part, int64_t now, int rows, int columns,
                   struct buffer *out);

#endif
