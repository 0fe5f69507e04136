/*  after.h - batches that a run waits for: ledgers whose jobs must have ended before any of its own begins
 *
 *  A batch has ended when no head has its ledger and no job in it is without a result. So a batch whose head was
 *  killed is waited for until somebody has gone on with it. */
#ifndef WEFT_CLI_AFTER_H
#define WEFT_CLI_AFTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/command.h"

#define EXIT_AFTER 102          /*  a batch that was waited for has failed          */

struct after_batch;

struct after {
    struct cli *cli;
    struct after_batch *batches;
    size_t count;
    int64_t look_at;            /*  ns                                              */
};

/*  Those of `ended` must have ended with no job failed, those of `any` in any way. `own` is the ledger of the run
 *  itself, or NULL. Each must be there and be a ledger: else WEFT_EINVAL, WEFT_EPROTO or as for files. */
int after_init (struct after *self, struct cli *cli, const struct option_list *ended, const struct option_list *any,
                const char *own);
void after_free (struct after *self);

/*  1 when all have ended as they should, 0 when there is more to wait for; WEFT_ESTATE: one has failed jobs; or
 *  another error: one cannot be read any more. Looks only every now and then. */
int after_look (struct after *self);

/*  Until the next look: ns. */
int64_t after_wait (const struct after *self);

#endif
