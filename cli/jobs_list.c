/*  jobs_list.c - weft jobs LEDGER list: a line for each job */

#include "cli/jobs.h"

int
jobs_list (struct jobs *self, char **words, int count)
{
    const struct jobs_options *options = &self->options;
    unsigned filter = (options->done ? LEDGERVIEW_DONE : 0u) | (options->failed ? LEDGERVIEW_FAILED : 0u)
                      | (options->started ? LEDGERVIEW_STARTED : 0u) | (options->waiting ? LEDGERVIEW_WAITING : 0u);
    struct buffer out;
    uint64_t after = 0;
    (void) words, (void) count;
    buffer_init (&out, 0);
    int rc = options->json ? 0 : buffer_add_str (&out, "ID\tSTATE\tATTEMPT\tSTATUS\tSIGNAL\tSECONDS\tHOST\tCOMMAND\n");
    while (rc >= 0 && !self->cli->stopped (self->cli)) {
        rc = ledgerview_page (self->view, filter ? filter : LEDGERVIEW_ALL, options->json, &after, &out);
        int rc2 = rc >= 0 || rc == WEFT_EEND ? jobs_write (self, &out) : 0;
        rc = rc2 < 0 ? rc2 : rc;
    }
    buffer_free (&out);
    return rc == WEFT_EEND ? 0 : rc;
}
