/*  jobhead_retry.c - jobs of a ledger that failed before are done again: --retry-failed and --resume-failed */

#include "cli/jobhead.h"
#include "core/error.h"

int
jobhead_retry_begin (struct jobhead *self)
{
    if (!self->feed.retry_known)
        return 0;
    int rc = jobfailed_read (&self->before, self->options->ledger, &self->left);
    /*  Without input there is nothing to be found again: then it is all. */
    self->feed.retry_all |= rc == 0 && self->feed.empty;
    self->left = self->feed.empty ? 0 : self->left;
    return rc;
}

int
jobhead_retry_all (struct jobhead *self)
{
    uint64_t count;
    int rc = weft_pool_retry (self->pool, 0, &count);
    if (rc == 0)
        self->feed.retry_all = false;
    return rc;
}

int
jobhead_retry (struct jobhead *self, uint64_t id)
{
    uint64_t by;
    if (!self->feed.retry_known || !jobfailed_has (&self->before, id))
        return 0;
    int rc = weft_pool_retry (self->pool, id, &by);
    self->retry = rc == WEFT_EAGAIN ? id : 0;
    self->left -= rc == 0 && self->left;
    return rc == WEFT_ESTATE ? 0 : rc;          /*  its retry stands, or waits */
}
