/*  jobhead_feed.c - jobs are made of the input, and handed over to the pool as it has room */

#include "cli/jobhead.h"

#include "core/error.h"

#define TURN_JOBS 1000          /*  handed over before anything else is looked at */

/*  What the pool is to be given, but for the tag. */
static weft_job_t
make_job (const struct jobhead *self, const char *command)
{
    const struct jobfeed *feed = &self->feed;
    weft_job_t job = { .command = command, .number = feed->list.number,
                       .priority = (int) self->options->priority, .cores = (int) self->options->cores,
                       .memory = (uint64_t) self->options->memory,
                       .slot_mark = feed->list.command.uses_slot ? JOBLIST_SLOT_MARK : NULL };
    if (feed->list.messages) {
        job.command = NULL;
        job.input = buffer_data (&feed->message);
        job.input_size = buffer_size (&feed->message);
    }
    return job;
}

/*  Hands over the job that was made: 0, or WEFT_EAGAIN when the pool has enough. */
static int
hand_over (struct jobhead *self)
{
    if (self->kept.ready) {
        weft_job_t kept = make_job (self, buffer_data (&self->feed.command));
        kept.note = buffer_data (&self->feed.note);
        kept.note_size = buffer_size (&self->feed.note);
        uint64_t id;
        int rc = weft_pool_submit (self->pool, &kept, &id);
        self->made = rc < 0;
        return rc ? rc : jobhead_retry (self, id);
    }
    struct viewjob *job = jobfeed_job (&self->feed);
    if (!job)
        return error_set (WEFT_ENOMEM, "out of memory");
    weft_job_t spec = make_job (self, job->text);
    spec.tag = (uintptr_t) job;
    if (spec.number == self->feed.made)
        spec.number = 0;            /*  the pool counts those that it gets */
    int rc = weft_pool_submit (self->pool, &spec, NULL);
    if (rc < 0) {
        viewjob_free (job);
        return rc;
    }
    viewjob_link (job, &self->jobs);
    jobview_begin (&self->line, job, self->feed.list.number, self->feed.made);
    self->made = false;
    return 0;
}

static void
input_ended (struct jobhead *self)
{
    const struct resume *resume = &self->feed.resume;
    if (self->status < 0 && resume->mode != RESUME_RETRY && resume->last > self->feed.list.number)
        cli_note (self->cli, "the job log %s has jobs up to %llu, the input only %llu", resume->path,
                  (unsigned long long) resume->last, (unsigned long long) self->feed.list.number);
    self->state = HEAD_ENDING;
    self->total = jobfeed_seen (&self->feed);
    if (self->kept.ready) {
        weft_pool_stats_t stats;
        weft_pool_stats (self->pool, &stats);
        self->total = stats.done + stats.waiting + stats.running;
    }
    self->total_known = true;
    if (self->feed.retry_known && self->left)
        cli_note (self->cli, "%llu job%s that failed before %s not in this input, and left: --retry-failed does them "
                  "again", (unsigned long long) self->left, self->left == 1 ? "" : "s", self->left == 1 ? "is" : "are");
    weft_pool_finish (self->pool);
    if (halt_total (&self->halt, self->total))
        jobhead_halt (self);
}

/*  Makes the next job. True when one was made or passed over, and there may be more. */
static bool
make_next (struct jobhead *self)
{
    if (!self->resumes && !jobout_has_room (&self->line, self->feed.made + 1))
        return false;
    int rc = jobfeed_next (&self->feed);
    self->waiting = rc == 0;
    self->made = rc == 1;
    if (rc == WEFT_EEND)
        input_ended (self);
    else if (rc < 0) {
        /*  What was read before the error is good and is run to its end. */
        progress_clear (&self->view.progress);
        cli_error (self->cli, "%s", weft_error ());
        self->status = EXIT_RUN_ERROR;
        input_ended (self);
    }
    return rc > 0;
}

bool
jobhead_feed (struct jobhead *self)
{
    if (self->retry || self->feed.retry_all) {
        int rc = self->retry ? jobhead_retry (self, self->retry) : jobhead_retry_all (self);
        if (rc < 0 && rc != WEFT_EAGAIN)
            jobhead_fail (self, rc);
        if (rc < 0)
            return false;
    }
    for (int i = 0; i < TURN_JOBS && self->state == HEAD_FEEDING; i++) {
        if (outlet_full (&self->view.outlet) || (!self->made && !make_next (self)))
            return false;
        int rc = self->made ? hand_over (self) : 0;
        if (rc == WEFT_EAGAIN)
            return false;
        if (rc == WEFT_ELIMIT && self->kept.ready) {
            self->full = true;          /*  the pool says so */
            return false;
        }
        if (rc < 0)
            jobhead_fail (self, rc);
        else
            self->full = false;
    }
    return self->state == HEAD_FEEDING;
}
