/*  jobs_wait.c - weft jobs LEDGER summary and wait: how many jobs there are, now or when all have ended */

#include <unistd.h>

#include "cli/jobs.h"
#include "cli/jobswatch.h"
#include "core/error.h"

#define WAIT_MS 250

static int
summarise (struct jobs *self, const struct ledgerview_counts *counts)
{
    struct buffer out;
    buffer_init (&out, 0);
    unsigned long long failed = counts->failed - (self->options.json ? 0 : counts->cancelled);
    int rc = buffer_addf (&out, self->options.json ? "{\"jobs\":%llu,\"done\":%llu,\"failed\":%llu,\"started\":%llu,"
                                                     "\"waiting\":%llu"
                                                   : "%llu jobs: %llu done, %llu failed, %llu started, %llu waiting",
                          (unsigned long long) counts->jobs, (unsigned long long) counts->done, failed,
                          (unsigned long long) counts->started, (unsigned long long) counts->waiting);
    if (rc == 0 && self->options.json)
        rc = buffer_addf (&out, ",\"cancelled\":%llu}\n", (unsigned long long) counts->cancelled);
    else if (rc == 0 && counts->cancelled)
        rc = buffer_addf (&out, ", %llu cancelled\n", (unsigned long long) counts->cancelled);
    else if (rc == 0)
        rc = buffer_add_str (&out, "\n");
    if (rc == 0)
        rc = jobs_write (self, &out);
    buffer_free (&out);
    return rc;
}

int
jobs_summary (struct jobs *self, char **words, int count)
{
    struct ledgerview_counts counts;
    (void) words, (void) count;
    int rc = ledgerview_count (self->view, &counts);
    return rc < 0 ? rc : summarise (self, &counts);
}

/*  Until no job is open. 1 when any has failed. */
int
jobs_wait (struct jobs *self, char **words, int count)
{
    struct ledgerview_counts counts;
    (void) words, (void) count;
    while (true) {
        int rc = ledgerview_count (self->view, &counts);
        if (rc < 0)
            return rc;
        if (counts.started + counts.waiting == 0)
            break;
        weft_pollitem_t item = { .fd = self->cli->stop_fd, .events = WEFT_IN };
        rc = weft_poll (&item, 1, WAIT_MS);
        if (self->cli->stopped (self->cli))
            return error_set (WEFT_EINTR, "stopped: %llu were running, %llu waiting",
                              (unsigned long long) counts.started, (unsigned long long) counts.waiting);
        if (rc < 0 && rc != WEFT_EINTR)
            return rc;
    }
    int rc = summarise (self, &counts);
    return rc < 0 ? rc : counts.failed > 0;
}

/*  What was drawn is gone: the last of it stays as a line. 1 when any has failed. */
int
jobs_watch (struct jobs *self, char **words, int count)
{
    struct ledgerview_counts counts;
    (void) words, (void) count;
    int rc = jobswatch_run (self->cli, self->view, self->path, self->options.json, &counts);
    if (rc == 0 && !self->options.json && isatty (self->cli->out))
        rc = summarise (self, &counts);
    return rc < 0 ? rc : counts.failed > 0 && counts.started + counts.waiting == 0;
}
