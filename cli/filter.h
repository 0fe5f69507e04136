/*  filter.h - one long-lived command that answers messages in turn */

#ifndef WEFT_CLI_FILTER_H
#define WEFT_CLI_FILTER_H

#include "cli/child.h"
#include "cli/session.h"
#include "codec/format.h"

/*  It reads requests (in any format but raw) from its input and writes a reply to each to its output, in the
 *  session's formats: a line each by default. When it ends it is started again, after a
 *  pause that grows, and gets the request that it left unanswered again. */
struct filter {
    struct session *session;
    const char *command;
    struct child child;
    struct encoder encoder;
    struct decoder decoder;
    struct buffer input, output;
    int failures;               /*  ends in a row without a reply between   */
    uint64_t restarts;
    uint64_t seed;
};

void filter_init (struct filter *self, struct session *session, const char *command);
void filter_free (struct filter *self);

/*  Asks and waits for the reply. WEFT_EPROTO when it has ended too often over this
 *  message, or the message cannot be told in its format; WEFT_ETERM when the time after a
 *  signal is over. */
int filter_ask (struct filter *self, const weft_msg_t *request, weft_msg_t *reply);

#endif
