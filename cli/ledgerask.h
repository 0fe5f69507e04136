/*  ledgerask.h - where the head of a ledger is asked, and asking it
 *
 *  A ledger is written by its head alone. So whoever wants something changed asks that one, at a socket beside the
 *  file, in the words of docs/spec/ledger.md; or is the head for a moment, when there is none. */
#ifndef WEFT_CLI_LEDGERASK_H
#define WEFT_CLI_LEDGERASK_H

#include "cli/command.h"
#include "core/buffer.h"

#define LEDGERASK_MAX 65536         /*  bytes of a request                      */

/*  The endpoint of the head of this ledger, which exists. Paths of sockets are short: one that is too long
 *  goes by a descriptor of its folder, which *folder gets, to be closed when the endpoint is used no more; else -1. */
int ledgerask_place (const char *ledger, char *endpoint, size_t size, int *folder);

/*  Asks, and waits for the answer. WEFT_ENOPEER: nobody listens there. WEFT_ETIMEOUT: somebody does, and does not
 *  answer; what was asked may be done still. */
int ledgerask (struct cli *cli, const char *ledger, const struct buffer *request, struct buffer *reply);

/*  Who has a ledger changed where nobody is its head is that for a moment, and is not asked. Waits for its end, not for
 *  long; and not for a head that can be asked. A negative result: the program is to end. */
int ledgerask_wait (struct cli *cli, const char *ledger);

#endif
