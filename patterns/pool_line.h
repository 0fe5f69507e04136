/*  pool_line.h - a worker's side of its sessions with a head: pure, without wire, clock or processes
 *
 *  It knows in which session the worker is, what of a head's messages belongs to it, and what is still to
 *  be acknowledged. When the connection breaks, or a message is missing, the next session begins with a HELLO that says
 *  what the worker has; what it had to report is kept for the same pool, and void for another. */

#ifndef WEFT_PATTERNS_POOL_LINE_H
#define WEFT_PATTERNS_POOL_LINE_H

#include "patterns/pool_outbox.h"

enum line_state {
    LINE_SEEKING,       /*  no connection to a head                                         */
    LINE_GREETING,      /*  HELLO is under way                                              */
    LINE_MEMBER         /*  was welcomed                                                    */
};

struct line {
    enum line_state state;
    uint64_t instance, session;
    uint64_t seen;              /*  last JOBS or CANCEL of the session                      */
    unsigned char pool[POOL_ID];
    bool pooled;                /*  `pool` is whose jobs it has                             */
    struct outbox outbox;
};

void line_init (struct line *self, uint64_t instance, uint64_t session);
void line_free (struct line *self);

/*  What was said since the last WELCOME may be lost: the next HELLO begins a session. */
void line_break (struct line *self);

/*  Seals what is gathered, and fills in who we are and what is kept; now GREETING. */
int line_hello (struct line *self, struct pool_hello *hello, int64_t window);

enum line_welcome {
    LINE_NOT_OURS,      /*  of another session: ignore it                                   */
    LINE_FIRST,         /*  the worker has a head                                           */
    LINE_SAME,          /*  its pool again: what it has and reports goes on                 */
    LINE_OTHER          /*  another pool: its jobs are to be dropped; its reports were      */
};
enum line_welcome line_welcomed (struct line *self, const struct pool_welcome *welcome, uint64_t *dropped);

/*  A message other than WELCOME, REFUSED and END. Acknowledgements are taken in. WEFT_EPROTO. */
enum line_verdict {
    LINE_DONE,          /*  nothing (more) to do                                            */
    LINE_TAKE,          /*  JOBS or CANCEL, to be carried out                               */
    LINE_BROKEN         /*  something is missing: the session was broken off                */
};
int line_take (struct line *self, const struct pool_message *message);

#endif
