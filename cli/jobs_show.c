/*  jobs_show.c - weft jobs LEDGER show ID ...: all that is known of some jobs */

#include "cli/jobs.h"
#include "core/error.h"

int
jobs_show (struct jobs *self, char **words, int count)
{
    struct buffer out;
    buffer_init (&out, 0);
    int rc = 0;
    for (int i = 0; i < count && rc == 0; i++) {
        uint64_t job;
        rc = jobs_id (words[i], &job);
        if (rc == 0 && i && !self->options.json)
            rc = buffer_add_str (&out, "\n");
        if (rc == 0)
            rc = ledgerview_show (self->view, job, self->options.json, &out);
    }
    if (rc == 0)
        rc = jobs_write (self, &out);
    buffer_free (&out);
    return rc;
}
