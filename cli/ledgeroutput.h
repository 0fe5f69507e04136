/*  ledgeroutput.h - where a ledger says that what its jobs wrote is: docs/spec/output.md
 *
 *  Each call is a transaction of its own that only reads, and is over when it returns. */
#ifndef WEFT_CLI_LEDGEROUTPUT_H
#define WEFT_CLI_LEDGEROUTPUT_H

#include <stdbool.h>
#include <stdint.h>

#include "patterns/ledger.h"

enum ledgeroutput_state {
    LEDGEROUTPUT_WAITING,       /*  in no attempt: to be started, or once more      */
    LEDGEROUTPUT_RUNNING,       /*  in an attempt                                   */
    LEDGEROUTPUT_ENDED
};

struct ledgeroutput_job {
    enum ledgeroutput_state state;
    int64_t attempt;            /*  the last, with the epoch above the low 32 bits, as far as it is known   */
    bool failed;                /*  ENDED: other than well                          */
    uint64_t received;          /*  ENDED: bytes that it wrote                      */
    char place[LEDGER_PLACE_MAX];       /*  ENDED: of what it wrote last; ""        */
    bool pieces;                /*  ... which is one of several, of `attempt`       */
};

struct ledgeroutput;

/*  Nulls *self on error. `path` must outlive it. */
int ledgeroutput_open (struct ledgeroutput **self, const char *path);
void ledgeroutput_close (struct ledgeroutput **self);

/*  WEFT_EINVAL: there is none. */
int ledgeroutput_job (struct ledgeroutput *self, uint64_t id, struct ledgeroutput_job *job);

/*  The first piece of an attempt after the report *after, which moves on: 1, or 0 when there is none (yet). */
int ledgeroutput_piece (struct ledgeroutput *self, uint64_t id, int64_t attempt, uint64_t *after,
                        char place[LEDGER_PLACE_MAX]);

/*  What a job is, and where heads kept what jobs wrote with --results: that of the head before *epoch, which moves
 *  there. 1, or 0 when there is none; the job has begun. Texts are good until the next call. */
struct ledgeroutput_spec {
    uint64_t job;
    int64_t attempt;
    int slot;
    const void *spec;
    size_t size;
    const char *results, *folder;       /*  as typed, and where that was            */
};
int ledgeroutput_spec (struct ledgeroutput *self, uint64_t id, int64_t *epoch, struct ledgeroutput_spec *spec);

/*  The folder of the head that kept it, as it was then; "" when the ledger does not say. */
int ledgeroutput_folder (struct ledgeroutput *self, const char *place, char *folder, size_t size);

#endif
