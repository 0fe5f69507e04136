/*  jobhead_options.c - what the command line says of running jobs, and what the pool is told of it */

#include "cli/jobhead.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "cli/ledgerask.h"
#include "core/error.h"

#define FIELD(name) offsetof (struct jobhead_options, name)

const struct option jobhead_options[] = {
    { .name = "timeout", .type = OPTION_TEXT, .argument = "TIME|N%", .offset = FIELD (timeout),
      .text = "stop a job that runs longer: than a time, or than N percent of the median of the last 1000 jobs that "
              "ended well, once three have (and 0.1 s at least)" },
    { .name = "delay", .type = OPTION_TIME, .argument = "TIME", .standard = "0", .max = 24 * 24 * 3600 * TIME_S,
      .offset = FIELD (delay), .text = "let so much time pass between one job's start and the next one's" },
    { .name = "retries", .type = OPTION_INT, .argument = "N", .standard = "1", .max = 1000000, .offset = FIELD (tries),
      .text = "try a job that fails up to N times in all" },
    { .name = "priority", .type = OPTION_INT, .argument = "N", .standard = "0", .min = -WEFT_PRIORITY_MAX,
      .max = WEFT_PRIORITY_MAX, .offset = FIELD (priority),
      .text = "of these jobs, where a --ledger has others: those with a higher one are run first" },
    { .name = "cores", .type = OPTION_INT, .argument = "N", .standard = "1", .min = 1, .max = 4096,
      .offset = FIELD (cores), .text = "cores that each job takes: so many slots of one worker; it finds the number "
              "in $WEFT_CORES, and in $OMP_NUM_THREADS unless that is set" },
    { .name = "memory", .type = OPTION_SIZE, .argument = "SIZE", .standard = "0", .max = INT64_MAX,
      .offset = FIELD (memory), .text = "memory that each job takes: no more run at a worker than fit into what it "
              "has; nothing is enforced" },
    { .name = "halt", .type = OPTION_TEXT, .argument = "WHEN,WHY=N", .offset = FIELD (halt),
      .text = "end early: WHEN is now or soon (what runs may end), WHY fail, success or done, N a number of jobs or a "
              "percentage" },
    { .name = "halt-on-error", .type = OPTION_TEXT, .flags = OPTION_HIDDEN, .offset = FIELD (halt) },
    { .name = "dry-run", .type = OPTION_FLAG, .offset = FIELD (dry_run),
      .text = "print the commands, run nothing" },
    { .name = "dryrun", .type = OPTION_FLAG, .flags = OPTION_HIDDEN, .offset = FIELD (dry_run) },
    { .name = "trace", .letter = 't', .type = OPTION_FLAG, .offset = FIELD (trace),
      .text = "print each command on standard error when it is started" },
    { .name = "ledger", .type = OPTION_TEXT, .argument = "FILE", .offset = FIELD (ledger),
      .text = "keep jobs and results in FILE, so that nothing is lost or run twice if this program ends early; with "
              "--resume, go on with it" },
    { .name = "outputs", .type = OPTION_TEXT, .argument = "DIR", .offset = FIELD (outputs),
      .text = "with --ledger: print nothing, keep what jobs write in few files in DIR; weft jobs LEDGER output ID "
              "shows it" },
    { .name = "durability", .type = OPTION_TEXT, .argument = "HOW", .choices = "sync|group|none",
      .offset = FIELD (durability),
      .text = "when FILE is brought to disk: sync (at once), group (within 2 ms, the default), none (when the system "
              "likes)" },
    { .name = "after", .type = OPTION_LIST, .argument = "LEDGER", .offset = FIELD (after),
      .text = "start no job before the batch in that --ledger has ended, and none at all when a job in it has failed" },
    { .name = "after-any", .type = OPTION_LIST, .argument = "LEDGER", .offset = FIELD (after_any),
      .text = "the same, but it may have ended in whatever way" },
    OPTION_END
};

int
jobhead_check (const struct jobhead_config *config)
{
    if (!config->run->outputs)
        return 0;
    if (!config->run->ledger)
        return error_set (WEFT_EINVAL, "--outputs needs --ledger FILE, which says where in DIR each job's output is");
    if (config->feed->results)
        return error_set (WEFT_EINVAL, "--outputs and --results are two ways to keep what jobs write: give one");
    return 0;
}

/*  A time, or N% of what others take. */
static int
jobhead_timeout (const struct jobhead *self, weft_pool_t *pool)
{
    const char *text = self->options->timeout;
    size_t size = text ? strlen (text) : 0;
    char percent[32];
    if (!size || text[size - 1] != '%')
        return size ? weft_pool_set (pool, "timeout", text) : 0;
    snprintf (percent, sizeof percent, "%.*s", (int) size - 1, text);
    return weft_pool_set (pool, "timeout-percent", percent);
}

int
jobhead_prepare (struct jobhead *self, weft_pool_t *pool)
{
    char retries[32], delay[32];
    int64_t tries = self->options->tries;
    self->pool = pool;
    snprintf (retries, sizeof retries, "%lld", (long long) (tries ? tries - 1 : 1000000));
    snprintf (delay, sizeof delay, "%lldns", (long long) self->options->delay);
    int rc = weft_pool_set (pool, "retries", retries);
    rc = rc ? rc : weft_pool_set (pool, "delay", delay);
    rc = rc ? rc : jobhead_timeout (self, pool);
    /*  What is kept may be followed as it comes. */
    if (rc == 0 && (self->line.mode != JOBOUT_GROUP || self->options->outputs))
        rc = weft_pool_set (pool, "stream", "yes");
    if (rc == 0 && self->kept.ready)
        rc = weft_pool_set (pool, "ledger", self->options->ledger);
    if (rc == 0 && self->kept.ready && self->options->durability)
        rc = weft_pool_set (pool, "durability", self->options->durability);
    if (rc == 0 && self->options->outputs)
        rc = weft_pool_set (pool, "outputs", self->options->outputs);
    if (rc == 0 && self->kept.ready && self->feed.results.kind != RESULTS_NONE)
        rc = weft_pool_set (pool, "results", self->feed.results.path);
    if (rc == 0 && self->resumes)
        rc = weft_pool_set (pool, "resume", "yes");
    if (rc == 0 && self->after.count)
        rc = weft_pool_pause (pool, true);
    return rc || !self->kept.ready ? rc : ledgerask_wait (self->cli, self->options->ledger);
}
