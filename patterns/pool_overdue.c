/*  pool_overdue.c - attempts that take much longer than most: they are stopped, by the median of those that ended well
 *
 *  Time runs from when a head hears of the start, so a job is never stopped early by this. */

#include "patterns/pool_head.h"

#define LEAST (100 * TIME_MS)   /*  nothing is stopped sooner: less says more of reports than of jobs   */

void
head_learn_runtime (struct weft_pool *self, int64_t runtime)
{
    if (self->config.timeout_percent)
        median_add (&self->median, runtime * TIME_US);
}

int
head_stop_overdue (struct weft_pool *self, int64_t now)
{
    int64_t median = self->config.timeout_percent ? median_of (&self->median) : -1;
    struct dispatch_job *job;
    int rc = 0;
    self->overdue_at = TIME_FOREVER;
    if (median < 0)
        return 0;
    __int128 most = (__int128) median * self->config.timeout_percent / 100;
    int64_t limit = most > INT64_MAX / 2 ? INT64_MAX / 2 : most < LEAST ? LEAST : (int64_t) most;
    while (rc == 0 && (job = dispatch_oldest (&self->dispatch)) && now - job->since > limit)
        rc = head_stop_attempt (self, job, WEFT_JOB_TIMEOUT);
    if (rc == 0 && job)
        self->overdue_at = job->since + limit + 1;
    return rc;
}
