/*  pool_jobs.c - how jobs come into a head: from its caller, and from a ledger */

#include <stdlib.h>
#include <string.h>

#include "codec/pool_command.h"
#include "core/error.h"
#include "patterns/pool_head.h"

#define MARK_GROW TIME_MS        /*  how often the distance of the mark may double       */
#define MARK_SHRINK (200 * TIME_MS)     /*  without need for more it halves             */
#define PAGE 1000               /*  jobs that are read from the ledger at once          */

/* ---------------------------------------------------------------------- the ledger */

static struct dispatch_wants
wants_of (int priority, const void *data, size_t size)
{
    struct dispatch_wants wants = { .priority = priority };
    struct pool_spec spec;
    struct pool_reader arguments;
    if (pool_get_spec (&spec, (struct pool_bytes) { data, size }, &arguments) == 0) {
        wants.cores = (int) spec.cores;
        wants.memory = spec.memory;
    }
    return wants;
}

int
head_restore (struct weft_pool *self, const struct ledger_open_job *open, bool awaited, bool cancelled)
{
    const struct ledger_job *job = &open->job;
    struct book_level *level = book_level (self->book, job->priority);
    struct dispatch_restored restored = {
        .id = job->id, .tag = job->tag, .wants = wants_of (job->priority, job->spec, job->spec_size),
        .spec = job->spec, .size = job->spec_size,
        .attempt = open->attempts, .failures = open->failures, .losses = open->losses, .awaited = awaited,
        .cancelled = cancelled
    };
    int rc = level ? dispatch_restore (&self->dispatch, &restored) : WEFT_ENOMEM;
    if (rc == 0)
        book_count (self->book, level, -1);
    return rc;
}

/*  One that may have been dealt waits for a worker that has it. */
static int
take_job (void *arg, const struct ledger_open_job *open)
{
    struct weft_pool *self = arg;
    struct book_level *level = book_level (self->book, open->job.priority);
    uint64_t id = open->job.id;
    if (!level)
        return WEFT_ENOMEM;
    if (id > level->found && !dispatch_has_room (&self->dispatch, level->priority))
        return WEFT_EEND;
    int rc = head_was_early (self, id) ? 0 : head_restore (self, open, id <= level->found && self->awaiting,
                                                           id <= self->cancelled_to);
    if (rc == 0)
        level->loaded = id;
    return rc;
}

/*  1 when there may be more. */
static int
load_page (struct weft_pool *self, const struct book_level *level)
{
    uint64_t most = level->unloaded < PAGE ? level->unloaded : PAGE;
    int rc = ledger_load (self->book->ledger, level->priority, level->loaded, most, take_job, self);
    return rc == WEFT_EEND ? 0 : rc < 0 ? rc : (uint64_t) rc == most;
}

int
head_open_book (struct weft_pool *self)
{
    struct book_config config = {
        .path = self->config.ledger, .durability = (enum ledger_durability) self->config.durability,
        .resume = self->config.resume
    };
    if (!config.path)
        return !self->config.outputs ? 0
            : error_set (WEFT_EINVAL, "outputs without a ledger: nothing would say which part of them is whose; give "
                         "a ledger, too");
    int rc = self->config.outputs ? outputs_new (&self->outputs, self->config.outputs, 0) : 0;
    config.outputs = self->outputs;
    config.results = self->config.results;
    rc = rc ? rc : book_open (&self->book, &config);
    if (rc)
        return rc;
    memcpy (self->id, self->book->found.pool, POOL_ID);
    self->dispatch.epoch = self->book->found.epoch;
    self->dispatch.next_id = self->book->last_id + 1;
    self->dispatch.limit = 0;
    self->awaiting = self->config.reattach != 0;
    for (struct book_level *level = self->book->levels; level && rc >= 0; level = level->next)
        while (level->unloaded && (rc = load_page (self, level)) == 1)
            ;
    return rc < 0 ? rc : 0;
}

/*  While the disk takes one mark, all that workers may have is dealt, and dealt again. */
static uint64_t
most_ahead (const struct weft_pool *self)
{
    uint64_t most = 64 + 20 * self->stats.slots;
    for (const struct worker *worker = self->workers; worker; worker = worker->next)
        most += 4 * (uint64_t) worker->window;
    return most;
}

/*  How far ahead of dealing the ledger is marked: little when jobs are long, since what is marked and was not dealt
 *  must wait after a crash; more, up to what fills all windows, as soon as workers had to wait for the mark. */
static void
adapt_ahead (struct weft_pool *self, int64_t now)
{
    uint64_t least = self->stats.slots + 1;
    if (dispatch_is_held (&self->dispatch)) {
        if (now - self->ahead_at >= MARK_GROW)
            self->ahead *= 2;
        else
            return;
    }
    else if (now - self->ahead_at >= MARK_SHRINK)
        self->ahead /= 2;
    else
        return;
    self->ahead_at = now;
    uint64_t most = most_ahead (self);
    self->ahead = self->ahead < least ? least : self->ahead < most ? self->ahead : most;
}

/*  Of each priority so many may wait in memory: those of a low one are not in the way of others. */
static bool
is_low (const struct weft_pool *self, const struct book_level *level)
{
    const struct dispatch_level *jobs = dispatch_level (&self->dispatch, level->priority);
    return (!jobs || jobs->waiting < (uint64_t) self->config.queue / 2)
        && self->dispatch.waiting_bytes < (uint64_t) self->config.queue_size / 2;
}

int
head_page (struct weft_pool *self, int64_t now)
{
    struct book *book = self->book;
    int rc = 0;
    if (!book)
        return 0;
    for (struct book_level *level = book->unloaded ? book->levels : NULL; level && rc >= 0; level = level->next)
        if (level->unloaded && is_low (self, level))
            rc = load_page (self, level);
    adapt_ahead (self, now);
    self->dispatch.accepted = book->safe_id;
    self->dispatch.beyond = book->unloaded;
    for (struct dispatch_level *jobs = self->dispatch.levels; jobs && rc >= 0; jobs = jobs->next)
        if (jobs->waiting)
            rc = book_limit (book, jobs, self->ahead);
    return rc < 0 ? rc : 0;
}

/*  A full disk is said once, each time that it is full. */
static void
tell_trouble (struct weft_pool *self)
{
    char text[512];
    bool full = ledger_state (self->book->ledger) == LEDGER_FULL;
    if (full && !self->told_full)
        log_warning (&self->weft->log, "pool: no new jobs, and no results are acknowledged, until this is over: %s",
                     ledger_trouble (self->book->ledger, text, sizeof text));
    else if (!full && self->told_full)
        log_warning (&self->weft->log, "pool: the ledger can be written again");
    self->told_full = full;
}

int
head_turn_book (struct weft_pool *self)
{
    struct book_safe safe;
    if (!self->book)
        return 0;
    int rc = head_keep (self, head_now (self));
    rc = rc ? rc : book_turn (self->book);
    tell_trouble (self);
    if (rc == 0 && (self->told_full || self->outputs_at != TIME_FOREVER) && self->hurried)
        return error_set (WEFT_EIO, "the disk is full: ends that are not in it yet will come with another run "
                          "of their jobs");
    while (rc == 0 && book_take_safe (self->book, &safe))
        if (safe.peer)
            head_add_due (self, (struct worker *) safe.peer);
        else
            dispatch_let_go (&self->dispatch, safe.job, safe.attempt);
    return rc;
}

void
head_await (struct weft_pool *self, int64_t now)
{
    if (!self->awaiting)
        return;
    if (self->awaited_until == TIME_FOREVER)
        self->awaited_until = clock_deadline (self->weft->clock, self->config.reattach);
    else if (now >= self->awaited_until) {
        self->awaiting = false;
        self->awaited_until = TIME_FOREVER;
        dispatch_await_no_more (&self->dispatch);
    }
}

bool
head_has_room (const struct weft_pool *self)
{
    return self->book ? book_has_room (self->book) : dispatch_has_room (&self->dispatch, self->priority);
}

bool
head_has_jobs (const struct weft_pool *self)
{
    return self->dispatch.jobs.count || (self->book && (self->book->unloaded || !book_is_idle (self->book)));
}

/* -------------------------------------------------------------------- submitting */

/*  FNV-1a of 128 bits: what is to be run, not for how long or how it is told. */
static void
add_hash (unsigned __int128 *hash, const void *data, size_t size)
{
    const unsigned char *bytes = data;
    const unsigned __int128 prime = ((unsigned __int128) 1 << 88) + 0x13b;
    for (size_t i = 0; i < size; i++)
        *hash = (*hash ^ bytes[i]) * prime;
    for (size_t i = 0; i < sizeof size; i++)
        *hash = (*hash ^ ((size >> (8 * i)) & 0xff)) * prime;
}

static unsigned __int128
hash_job (const weft_job_t *job)
{
    unsigned __int128 hash = ((unsigned __int128) 0x6c62272e07bb0142 << 64) + 0x62b821756295c58d;
    for (size_t i = 0; i < job->argc; i++)
        add_hash (&hash, job->argv[i], strlen (job->argv[i]));
    if (!job->argc && job->command)
        add_hash (&hash, job->command, strlen (job->command));
    else if (!job->argc)
        add_hash (&hash, "\0message", 8);       /*  which is no command's text */
    add_hash (&hash, job->input, job->input_size);
    add_hash (&hash, job->slot_mark, job->slot_mark ? strlen (job->slot_mark) : 0);
    return hash;
}

static int
check_job (const weft_job_t *job)
{
    size_t size = job->input_size + job->note_size + (job->command ? strlen (job->command) : 0);
    if (job->input_size && !job->input)
        return error_set (WEFT_EINVAL, "a job has %zu bytes of input and no pointer to them", job->input_size);
    if (job->argc > POOL_ARGS_MAX)
        return error_set (WEFT_ETOOBIG, "a job of %zu arguments is over the limit of %d", job->argc, POOL_ARGS_MAX);
    for (size_t i = 0; i < job->argc; i++)
        size += strlen (job->argv[i]) + 5;
    if (size > POOL_JOB_MAX)
        return error_set (WEFT_ETOOBIG, "a job of %zu bytes is over the limit of %d", size, POOL_JOB_MAX);
    if (job->slot_mark && strlen (job->slot_mark) > POOL_NAME_MAX)
        return error_set (WEFT_ETOOBIG, "the mark for the slot is longer than %d bytes", POOL_NAME_MAX);
    if (job->timeout < 0)
        return error_set (WEFT_EINVAL, "the timeout of a job cannot be negative");
    if (job->cores < 0 || job->cores > POOL_SLOTS_MAX)
        return error_set (WEFT_EINVAL, "a job can have 1 to %d cores, and not %d", POOL_SLOTS_MAX, job->cores);
    if (job->priority < -WEFT_PRIORITY_MAX || job->priority > WEFT_PRIORITY_MAX)
        return error_set (WEFT_EINVAL, "the priority of a job is from %d to %d, and %d is not", -WEFT_PRIORITY_MAX,
                          WEFT_PRIORITY_MAX, job->priority);
    return 0;
}

int
head_add_to_book (struct weft_pool *self, struct ledger_job *record)
{
    struct book *book = self->book;
    struct book_level *level = book_level (book, record->priority);
    struct dispatch_wants wants = wants_of (record->priority, record->spec, record->spec_size);
    uint64_t id;
    record->id = self->dispatch.next_id;
    record->submitted = clock_wall (self->weft->clock) / TIME_US;
    int rc = level ? book_submit (book, record) : WEFT_ENOMEM;
    if (rc)
        return rc;
    self->stats.submitted++;
    if (!level->unloaded && dispatch_has_room (&self->dispatch, record->priority)
        && dispatch_submit (&self->dispatch, record->tag, &wants, record->spec, record->spec_size, &id) == 0)
        level->loaded = record->id;
    else {
        self->dispatch.next_id = record->id + 1;
        book_count (book, level, 1);
    }
    return 0;
}

static int
submit_to_book (struct weft_pool *self, const weft_job_t *job, uint64_t *id)
{
    unsigned __int128 hash = hash_job (job);
    if (book_find (self->book, (unsigned char *) &hash, id))
        return 0;
    buffer_clear (&self->text);
    int rc = command_render (&self->text, buffer_data (&self->spec), buffer_size (&self->spec));
    struct ledger_job record = {
        .tag = job->tag, .spec = buffer_data (&self->spec), .spec_size = buffer_size (&self->spec),
        .command = buffer_data (&self->text), .command_size = rc ? 0 : buffer_size (&self->text) - 1,
        .hash = (unsigned char *) &hash, .priority = job->priority
    };
    rc = rc ? rc : head_add_to_book (self, &record);
    *id = record.id;
    return rc;
}

int
weft_pool_submit (weft_pool_t *self, const weft_job_t *job, uint64_t *id)
{
    uint64_t number;
    if (self->state != POOL_OPEN)
        return error_set (WEFT_ESTATE, "the pool was finished and takes no more jobs");
    int rc = head_make_ready (self);
    rc = rc ? rc : check_job (job);
    self->priority = job->priority;
    if (rc == 0 && !head_has_room (self))
        rc = error_set (WEFT_EAGAIN, "the queue is full: take events first");
    if (rc)
        return rc;
    int64_t timeout = job->timeout ? job->timeout : clock_poll_ms (self->config.timeout);
    id = id ? id : &number;
    buffer_clear (&self->spec);
    rc = pool_put_spec (&self->spec, job, timeout, self->config.stream);
    if (rc == 0 && self->book)
        return submit_to_book (self, job, id);
    struct dispatch_wants wants = { job->priority, job->cores, job->memory };
    rc = rc ? rc : dispatch_submit (&self->dispatch, job->tag, &wants, buffer_data (&self->spec),
                                    buffer_size (&self->spec), id);
    self->stats.submitted += rc == 0;
    return rc;
}
