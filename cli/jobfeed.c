/*  jobfeed.c - job after job, as they are to be run: made of the input, or of a job log */

#include "cli/jobfeed.h"

#include <stddef.h>

#include "core/error.h"

#define FIELD(name) offsetof (struct jobfeed_options, name)

const struct option jobfeed_options[] = {
    { .name = "resume", .type = OPTION_FLAG, .offset = FIELD (resume),
      .text = "pass over jobs that are in the --joblog, and add to it" },
    { .name = "resume-failed", .type = OPTION_FLAG, .offset = FIELD (resume_failed),
      .text = "the same, but run those again that failed" },
    { .name = "retry-failed", .type = OPTION_FLAG, .offset = FIELD (retry_failed),
      .text = "run those again that failed, as the --joblog has them; command and values are not looked at" },
    { .name = "trust-joblog", .type = OPTION_FLAG, .offset = FIELD (trust),
      .text = "resume by the numbers of jobs alone, even if the --joblog has other commands" },
    OPTION_END
};

static int
jobfeed_mode (const struct jobfeed_config *config, enum resume_mode *mode)
{
    const struct jobfeed_options *options = config->feed;
    if (options->resume + options->resume_failed + options->retry_failed > 1)
        return error_set (WEFT_EINVAL, "give one of --resume, --resume-failed and --retry-failed");
    *mode = options->resume ? RESUME_ENDED : options->resume_failed ? RESUME_FAILED
            : options->retry_failed ? RESUME_RETRY : RESUME_NOT;
    if (*mode != RESUME_NOT && !config->joblog)
        return error_set (WEFT_EINVAL, "which jobs were run before is read from --joblog FILE: give it, too");
    return 0;
}

int
jobfeed_init (struct jobfeed *self, const struct jobfeed_config *config)
{
    enum resume_mode mode = RESUME_NOT;
    *self = (struct jobfeed){ .resume.fd = -1 };
    buffer_init (&self->text, 0);
    buffer_init (&self->command, 0);
    buffer_init (&self->tag, 0);
    int rc = jobfeed_mode (config, &mode);
    if (rc == 0)
        rc = resume_open (&self->resume, mode, config->joblog, config->feed->trust);
    if (rc < 0)
        return rc;
    if (mode == RESUME_RETRY)
        return joblist_init_given (&self->list, config->list, config->tag);
    if (config->files)
        return joblist_init_files (&self->list, config->list, config->operands, config->count, config->in, config->tag);
    return joblist_init (&self->list, config->list, config->operands, config->count, config->in, config->tag);
}

void
jobfeed_free (struct jobfeed *self)
{
    joblist_free (&self->list);
    resume_close (&self->resume);
    buffer_free (&self->text);
    buffer_free (&self->command);
    buffer_free (&self->tag);
}

enum joblog_mode
jobfeed_log (const struct jobfeed *self, bool dry)
{
    return dry ? JOBLOG_OFF : self->resume.mode == RESUME_NOT ? JOBLOG_NEW : JOBLOG_ADD;
}

bool
jobfeed_count (const struct jobfeed *self, uint64_t *count)
{
    if (self->resume.mode != RESUME_RETRY)
        return jobsource_count (self->list.source, count);
    *count = self->resume.failed;
    return true;
}

uint64_t
jobfeed_seen (const struct jobfeed *self)
{
    return self->made + self->resume.passed;
}

int
jobfeed_next (struct jobfeed *self)
{
    uint64_t number;
    int rc;
    if (self->resume.mode == RESUME_RETRY) {
        rc = resume_next (&self->resume, &number, &self->text);
        if (rc == 1)
            rc = joblist_given (&self->list, number, buffer_data (&self->text), &self->command, &self->tag);
    } else {
        rc = joblist_next (&self->list, &self->command, &self->tag);
        if (rc == 1 && self->resume.mode != RESUME_NOT) {
            /*  Its slot, which the log has in place of the mark, is another one each time. */
            bool marked = self->list.command.uses_slot;
            int passes = resume_passes (&self->resume, self->list.number, marked ? NULL : buffer_data (&self->command));
            rc = passes == 1 ? JOBFEED_PASSED : passes < 0 ? passes : 1;
        }
    }
    self->made += rc == 1;
    return rc;
}

int
jobfeed_fd (const struct jobfeed *self)
{
    return joblist_fd (&self->list);
}

struct viewjob *
jobfeed_job (const struct jobfeed *self)
{
    return viewjob_new (buffer_data (&self->command), self->list.tag.text ? buffer_data (&self->tag) : NULL);
}
