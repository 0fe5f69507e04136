/*  pattern_watch.h - what happens to the connections of a wire: counted, logged once, remembered
 *
 *  Common ground of the sockets and the proxy. */
#ifndef WEFT_PATTERNS_PATTERN_WATCH_H
#define WEFT_PATTERNS_PATTERN_WATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "core/log.h"
#include "core/wire.h"

#define WATCH_SAID 64           /*  different things that are logged; what comes after them is only counted */
#define WATCH_REFUSALS 40       /*  of which refused peers: strangers must not use up what there is */

struct watch {
    const char *speaks_with;    /*  who fits, in the pattern's words; NULL: the event's own will do     */
    uint64_t connects, disconnects, rejected, retrying;     /*  events; by core/counter.h: any thread may read */
    bool misfit;                /*  a peer was rejected because its socket type does not fit    */
    bool denied;                /*  the last that was tried was refused, for want of keys       */
    char trouble[768];          /*  the last failure of a connection in words, "" for none      */
    unsigned refusals;          /*  different ones that were logged                             */
    uint32_t said[WATCH_SAID];  /*  hashes of what was logged                                   */
    unsigned said_count;
};

/*  Takes in the connection events that wait. `who` begins the log lines. */
void watch_pump (struct watch *self, struct wire *wire, const struct log *log, const char *who);

/*  For those who take the events themselves: counts and logs one that tells of a peer that was refused, or of
 *  our own keys; nothing of others. */
void watch_refusal (struct watch *self, const struct wire_event *event, const struct log *log, const char *who);

/*  True the first time that it is asked about `what` at `where`: for logging each thing once. */
bool watch_first (struct watch *self, const char *what, const char *where);

#endif
