/*  jobfeed.c - job after job, as they are to be run: made of the input, or of a job log */

#include "cli/jobfeed.h"

#include <stddef.h>

#include "cli/jobnote.h"
#include "cli/resultrow.h"
#include "codec/pool_command.h"
#include "core/error.h"

#define FIELD(name) offsetof (struct jobfeed_options, name)

const struct option jobfeed_options[] = {
    { .name = "results", .type = OPTION_TEXT, .argument = "PATH", .offset = FIELD (results),
      .text = "keep what jobs write in files below PATH, print nothing: PATH/1/VALUE/stdout, stderr and seq; or by "
              "replacement strings in PATH; or as rows of a PATH that ends in .csv, .tsv or .json (-.csv: on standard "
              "output)" },
    { .name = "result", .type = OPTION_TEXT, .flags = OPTION_HIDDEN, .offset = FIELD (results) },
    { .name = "res", .type = OPTION_TEXT, .flags = OPTION_HIDDEN, .offset = FIELD (results) },
    { .name = "resume", .type = OPTION_FLAG, .offset = FIELD (resume),
      .text = "pass over jobs that are in the --joblog, and add to it; without one, those that have --results; with "
              "--ledger, go on with its jobs: those that are given again are known by their content, and without "
              "input there are no others" },
    { .name = "resume-failed", .type = OPTION_FLAG, .offset = FIELD (resume_failed),
      .text = "the same, but run those again that failed; with --ledger, those of them that are given again" },
    { .name = "retry-failed", .type = OPTION_FLAG, .offset = FIELD (retry_failed),
      .text = "run those again that failed, as the --joblog or the --ledger has them; command and values are not "
              "looked at, unless with --ledger and --resume" },
    { .name = "trust-joblog", .type = OPTION_FLAG, .offset = FIELD (trust),
      .text = "resume by the numbers of jobs alone, even if the --joblog has other commands" },
    OPTION_END
};

static int
jobfeed_mode (struct jobfeed *self, const struct jobfeed_config *config, enum resume_mode *mode)
{
    const struct jobfeed_options *options = config->feed;
    bool both = config->ledger && options->resume && options->retry_failed;
    if (options->resume + options->resume_failed + options->retry_failed > 1 + both)
        return error_set (WEFT_EINVAL, "give one of --resume, --resume-failed and --retry-failed");
    *mode = options->resume ? RESUME_ENDED : options->resume_failed ? RESUME_FAILED
            : options->retry_failed ? RESUME_RETRY : RESUME_NOT;
    if (*mode == RESUME_RETRY && config->list->messages && !config->ledger)
        return error_set (WEFT_EINVAL, "--retry-failed takes commands from the job log, which does not have messages: "
                          "give the same input with --resume-failed");
    self->retry_all = config->ledger && options->retry_failed;
    self->retry_known = config->ledger && options->resume_failed;
    self->resumes = config->ledger && *mode != RESUME_NOT;
    if (config->ledger)
        *mode = RESUME_NOT;
    if (config->list->shuffle && *mode != RESUME_NOT && *mode != RESUME_RETRY && config->joblog)
        return error_set (WEFT_EINVAL, "--shuf gives a job another number each time: a job log cannot be resumed");
    if (*mode == RESUME_NOT || config->joblog)
        return 0;
    self->by_results = *mode == RESUME_ENDED && self->results.kind != RESULTS_NONE
                       && !results_are_rows (&self->results);
    *mode = RESUME_NOT;
    if (!self->by_results)
        return error_set (WEFT_EINVAL, "which jobs were run before is read from --joblog FILE: give it, too");
    return 0;
}

/*  Files are those of --arg-file, or the operands where these are files. */
static int
jobfeed_formatted (struct jobfeed *self, const struct jobfeed_config *config)
{
    const struct joblist_options *list = config->list;
    char *const *paths = config->files ? config->operands : list->files.items;
    if (!list->messages)
        return error_set (WEFT_EINVAL, "--input is for messages: give --messages, too");
    if ((!config->files && config->count) || list->null || list->delimiter || list->colsep || list->per_job != 1
        || list->skip_blank || list->link || list->shuffle || list->header)
        return error_set (WEFT_EINVAL, "--input reads each message as it is: a command, ::: or other options of the "
                          "input have no part in that");
    self->formatted = true;
    jobmessages_init (&self->messages, (enum format) (list->input - 1), paths,
                      config->files ? (size_t) config->count : list->files.count, config->in);
    return joblist_init_given (&self->list, list, config->tag);
}

int
jobfeed_init (struct jobfeed *self, const struct jobfeed_config *config)
{
    enum resume_mode mode = RESUME_NOT;
    *self = (struct jobfeed){ .ledger = config->ledger, .resume.fd = -1 };
    buffer_init (&self->note, 0);
    buffer_init (&self->kept_tag, 0);
    buffer_init (&self->kept_place, 0);
    buffer_init (&self->text, 0);
    buffer_init (&self->command, 0);
    buffer_init (&self->tag, 0);
    buffer_init (&self->place, 0);
    buffer_init (&self->message, 0);
    int rc = results_open (&self->results, config->feed->results);
    if (rc == 0)
        rc = jobfeed_mode (self, config, &mode);
    if (rc == 0)
        rc = resume_open (&self->resume, mode, config->joblog, config->feed->trust);
    if (rc == 0 && self->resumes)
        rc = resultrow_fresh (&self->results);
    rc = rc ? rc : joblist_init_given (&self->kept, config->list, config->tag);
    if (rc < 0)
        return rc;
    self->empty = self->resumes && config->count == 0 && config->list->files.count == 0;
    self->empty |= self->retry_all && !config->feed->resume;
    if (mode == RESUME_RETRY || self->empty)
        return joblist_init_given (&self->list, config->list, config->tag);
    if (config->list->input)
        return jobfeed_formatted (self, config);
    if (config->files)
        return joblist_init_files (&self->list, config->list, config->operands, config->count, config->in, config->tag);
    return joblist_init (&self->list, config->list, config->operands, config->count, config->in, config->tag);
}

void
jobfeed_free (struct jobfeed *self)
{
    joblist_free (&self->list);
    joblist_free (&self->kept);
    buffer_free (&self->note);
    buffer_free (&self->kept_tag);
    buffer_free (&self->kept_place);
    resume_close (&self->resume);
    results_close (&self->results);
    buffer_free (&self->text);
    buffer_free (&self->command);
    buffer_free (&self->tag);
    buffer_free (&self->place);
    buffer_free (&self->message);
    jobmessages_free (&self->messages);
}

enum joblog_mode
jobfeed_log (const struct jobfeed *self, bool dry)
{
    return dry ? JOBLOG_OFF : self->resume.mode == RESUME_NOT && !self->resumes ? JOBLOG_NEW : JOBLOG_ADD;
}

bool
jobfeed_count (const struct jobfeed *self, uint64_t *count)
{
    if (self->resumes || self->formatted)
        return false;
    if (self->resume.mode != RESUME_RETRY)
        return jobsource_count (self->list.source, count);
    *count = self->resume.failed;
    return true;
}

uint64_t
jobfeed_seen (const struct jobfeed *self)
{
    return self->made + self->passed;
}

/*  1, or JOBFEED_PASSED. */
static int
jobfeed_pass (struct jobfeed *self)
{
    const struct replace *command = &self->list.command, *place = &self->results.template;
    int passes = 0;
    /*  Its slot, which the log has in place of the mark, is another one each time. */
    if (self->resume.mode != RESUME_NOT && self->resume.mode != RESUME_RETRY)
        passes = resume_passes (&self->resume, self->list.number,
                                command->uses_slot ? NULL : buffer_data (&self->command));
    if (self->by_results && !place->uses_slot)
        passes = results_exist (&self->results, buffer_data (&self->place));
    return passes < 0 ? passes : passes ? JOBFEED_PASSED : 1;
}

/*  The text that was made is the message. */
static int
jobfeed_message (struct jobfeed *self)
{
    struct buffer made = self->command;
    self->command = self->message;
    self->message = made;
    buffer_clear (&self->command);
    int rc = command_show (&self->command, buffer_data (&self->message), buffer_size (&self->message));
    return rc < 0 ? rc : buffer_terminate (&self->command);
}

/*  One that was read in a format: what is shown of it is its value. */
static int
jobfeed_read (struct jobfeed *self)
{
    int rc = jobmessages_next (&self->messages, &self->message);
    if (rc != 1)
        return rc;
    buffer_clear (&self->text);
    rc = command_show (&self->text, buffer_data (&self->message), buffer_size (&self->message));
    rc = rc ? rc : buffer_terminate (&self->text);
    return rc ? rc : joblist_given (&self->list, self->list.number + 1, buffer_data (&self->text), &self->command,
                                    &self->tag);
}

int
jobfeed_next (struct jobfeed *self)
{
    uint64_t number;
    int rc;
    if (self->empty)
        return WEFT_EEND;
    if (self->formatted)
        rc = jobfeed_read (self);
    else if (self->resume.mode != RESUME_RETRY)
        rc = joblist_next (&self->list, &self->command, &self->tag);
    else {
        rc = resume_next (&self->resume, &number, &self->text);
        if (rc == 1)
            rc = joblist_given (&self->list, number, buffer_data (&self->text), &self->command, &self->tag);
    }
    if (rc == 1 && self->list.messages && !self->formatted && (rc = jobfeed_message (self)) == 0)
        rc = 1;
    if (rc != 1)
        return rc;
    if (self->list.named && !self->results.names)
        rc = results_name (&self->results, &self->list.names);
    if (rc >= 0 && self->results.kind != RESULTS_NONE)
        rc = results_place (&self->results, &self->list.args, self->list.number, JOBLIST_SLOT_MARK, &self->place);
    if (rc >= 0 && self->ledger)
        rc = jobnote_write (&self->list.args, &self->list.names, buffer_data (&self->command), &self->note);
    rc = rc < 0 ? rc : jobfeed_pass (self);
    self->made += rc == 1;
    self->passed += rc == JOBFEED_PASSED;
    return rc;
}

int
jobfeed_fd (const struct jobfeed *self)
{
    return self->formatted ? self->messages.fd : joblist_fd (&self->list);
}

struct viewjob *
jobfeed_job (const struct jobfeed *self)
{
    return viewjob_new (buffer_data (&self->command), self->list.tag.text ? buffer_data (&self->tag) : NULL,
                        self->results.kind != RESULTS_NONE ? buffer_data (&self->place) : NULL);
}

struct viewjob *
jobfeed_kept (struct jobfeed *self, const weft_pool_event_t *event, int *rc)
{
    const char *command = event->command ? event->command : "";
    struct joblist *kept = &self->kept;
    *rc = jobnote_read (event->note, event->note_size, command, &kept->args, kept->names.count ? NULL : &kept->names);
    if (*rc == 0)
        *rc = joblist_tag (kept, event->number, &self->kept_tag);
    if (*rc == 0 && kept->names.count && !self->results.names)
        *rc = results_name (&self->results, &kept->names);
    if (*rc == 0 && self->results.kind != RESULTS_NONE)
        *rc = results_place (&self->results, &kept->args, event->number, JOBLIST_SLOT_MARK, &self->kept_place);
    if (*rc < 0)
        return NULL;
    struct viewjob *job = viewjob_new (command, kept->tag.text ? buffer_data (&self->kept_tag) : NULL,
                                       self->results.kind != RESULTS_NONE ? buffer_data (&self->kept_place) : NULL);
    if (!job)
        *rc = error_set (WEFT_ENOMEM, "out of memory for a job");
    return job;
}
