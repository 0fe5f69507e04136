/*  sender.h - weft push and weft pub: from the source to the socket */

#ifndef WEFT_CLI_SENDER_H
#define WEFT_CLI_SENDER_H

#include "cli/session.h"
#include "cli/source.h"

/*  Sends what the source gives, until its end or a signal; to each of `topics` (which
 *  becomes a frame in front) when there are any. Returns the exit status. */
int sender_run (struct session *session, const struct source_config *config, const struct option_list *topics);

#endif
