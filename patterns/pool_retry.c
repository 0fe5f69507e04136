/*  pool_retry.c - jobs of a ledger that ended badly are done again, as jobs of their own */

#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "patterns/pool_head.h"

#define PAGE 1000               /*  jobs that are read at once, ...         */
#define PAGE_BYTES (4 << 20)    /*  ... and of what they have to run        */

/*  What was read of one job; its texts follow. */
struct failed {
    uint64_t id, tag;
    int priority;
    size_t spec, command;
};

struct page {
    struct buffer jobs;         /*  struct failed, with texts               */
    uint64_t last;
};

static int
take_failed (void *arg, const struct ledger_open_job *open)
{
    struct page *page = arg;
    const struct ledger_job *job = &open->job;
    struct failed failed = { .id = job->id, .tag = job->tag, .priority = job->priority, .spec = job->spec_size,
                             .command = job->command ? job->command_size : 0 };
    if (buffer_size (&page->jobs) > PAGE_BYTES)
        return WEFT_EEND;
    int rc = buffer_add (&page->jobs, &failed, sizeof failed);
    rc = rc ? rc : buffer_add (&page->jobs, job->spec, failed.spec);
    rc = rc ? rc : buffer_add (&page->jobs, job->command, failed.command);
    page->last = job->id;
    return rc;
}

/*  Each as a new job, which has no hash: what is submitted again is its first, not this one. */
static int
add_page (struct weft_pool *self, struct page *page, uint64_t *id, uint64_t *count)
{
    int rc = 0;
    while (rc == 0 && buffer_size (&page->jobs)) {
        struct failed failed;
        memcpy (&failed, buffer_data (&page->jobs), sizeof failed);
        const char *spec = buffer_data (&page->jobs) + sizeof failed;
        struct ledger_job record = {
            .tag = failed.tag, .priority = failed.priority, .spec = spec, .spec_size = failed.spec,
            .command = spec + failed.spec, .command_size = failed.command, .retries = failed.id
        };
        rc = head_add_to_book (self, &record);
        buffer_consume (&page->jobs, sizeof failed + failed.spec + failed.command);
        *id = record.id;
        *count += rc == 0;
    }
    return rc;
}

static int
retry_one (struct weft_pool *self, uint64_t id, uint64_t *retry)
{
    static const char *const states[] = {
        [LEDGER_NO_JOB] = "there is none", [LEDGER_NOT_ENDED] = "it has not ended", [LEDGER_ENDED_WELL] =
        "it has ended well", [LEDGER_ENDED_BADLY] = ""
    };
    enum ledger_fate fate;
    uint64_t last = id, count = 0;
    struct page page = { .last = 0 };
    int rc = ledger_fate (self->book->ledger, id, &last, &fate);
    if (rc)
        return rc;
    *retry = last;
    if (fate != LEDGER_ENDED_BADLY)
        return error_set (fate == LEDGER_NO_JOB ? WEFT_EINVAL : WEFT_ESTATE, "job %llu cannot be retried: %s",
                          (unsigned long long) last, states[fate]);
    buffer_init (&page.jobs, 0);
    rc = ledger_failed (self->book->ledger, last - 1, 1, take_failed, &page);
    rc = rc < 0 ? rc : add_page (self, &page, retry, &count);
    buffer_free (&page.jobs);
    return rc;
}

/*  What was cancelled is left. */
static int
retry_all (struct weft_pool *self, uint64_t *count)
{
    struct page page = { .last = 0 };
    uint64_t id, end = self->book->last_id;
    int rc = 1;
    *count = 0;
    buffer_init (&page.jobs, 0);
    while (rc > 0 && page.last < end) {
        rc = ledger_failed (self->book->ledger, page.last, PAGE, take_failed, &page);
        bool more = rc == PAGE || rc == WEFT_EEND;
        rc = rc < 0 && rc != WEFT_EEND ? rc : add_page (self, &page, &id, count);
        rc = rc ? rc : more;
    }
    buffer_free (&page.jobs);
    return rc < 0 ? rc : 0;
}

int
weft_pool_retry (weft_pool_t *self, uint64_t id, uint64_t *retry)
{
    uint64_t number;
    int rc = head_make_ready (self);
    if (rc == 0 && !self->book)
        rc = error_set (WEFT_ENOTSUP, "without a ledger nothing is kept of a job that has ended: submit it again");
    if (rc == 0 && self->state > POOL_FINISHING)
        rc = error_set (WEFT_ESTATE, "the pool has ended and takes no more jobs");
    if (rc == 0 && !head_has_room (self))
        rc = error_set (WEFT_EAGAIN, "the queue is full: take events first");
    if (rc)
        return rc;
    retry = retry ? retry : &number;
    return id ? retry_one (self, id, retry) : retry_all (self, retry);
}
