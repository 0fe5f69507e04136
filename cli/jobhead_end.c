/*  jobhead_end.c - what the head of a pool says at its end, and its exit status */

#include "cli/jobhead.h"
#include "core/error.h"

int
jobhead_finish (struct jobhead *self)
{
    struct progress_counts counts;
    jobhead_counts (self, &counts);
    jobview_end (&self->view, &counts);
    if (self->not_run && self->status != EXIT_OK && (self->stops || self->cli->verbose))
        cli_error (self->cli, "%llu job%s not run to the end%s", (unsigned long long) self->not_run,
                   self->not_run == 1 ? " was" : "s were",
                   self->total_known ? "" : ", and the input was not read to its end");
    if (self->cancelled)
        cli_note (self->cli, "%llu job%s cancelled by name", (unsigned long long) self->cancelled,
                  self->cancelled == 1 ? " was" : "s were");
    if (self->kept.ready && self->not_run)
        cli_note (self->cli, "what has no result yet is kept in %s: the same with --resume goes on with it",
                  self->options->ledger);
    jobhead_say_times (self);
    if (self->status >= 0)
        return self->status;
    if (self->stops && (self->not_run || !self->total_known))
        return EXIT_RUN_ERROR;
    /*  Those that were done again count by what came of that. */
    uint64_t failed;
    if (self->asked.retried && jobfailed_count (&self->failed, self->options->ledger, &failed) == 0)
        self->halt.failed = failed;
    return halt_status (&self->halt);
}
