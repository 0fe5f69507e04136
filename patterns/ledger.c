/*  ledger.c - a ledger for its caller: operations are queued here, and written by the ledger's own thread */

#include "patterns/ledger.h"

#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "core/error.h"
#include "core/histogram.h"
#include "core/thread.h"
#include "patterns/ledger_parts.h"

#define GROUP_TIME (2 * TIME_MS)

enum { GROUP_COUNT = 1024, QUEUE_BYTES = 64 << 20 };

/* ----------------------------------------------------------------- opening */

/*  The name without links, by which all that belongs to it is found: PATH-wal, PATH-lock, ... */
static int
resolve (const char *path, char **name)
{
    char folder[PATH_MAX], last[PATH_MAX], whole[PATH_MAX];
    *name = realpath (path, NULL);
    if (*name)
        return 0;
    if (errno != ENOENT || snprintf (folder, sizeof folder, "%s", path) >= (int) sizeof folder)
        return error_errno ("%s", path);
    memcpy (last, folder, sizeof last);
    if (!*path || path[strlen (path) - 1] == '/')
        return error_set (WEFT_EINVAL, "%s: not the name of a file", path);
    if (!realpath (dirname (folder), whole))
        return error_errno ("%s: its folder", path);
    size_t used = strlen (whole);
    if (snprintf (whole + used, sizeof whole - used, "/%s", basename (last)) >= (int) (sizeof whole - used))
        return error_set (WEFT_EINVAL, "%s: the name is too long", path);
    *name = strdup (whole);
    return *name ? 0 : error_plain (WEFT_ENOMEM);
}

static int
make_thread (struct ledger *self)
{
    int rc = thread_start (&self->thread, 0, ledger_writer_main, self);
    self->running = !rc;
    return rc;
}

static void
release (struct ledger *self, bool whole)
{
    ledger_chunks_free (&self->queue);
    ledger_chunks_free (&self->batch);
    free (self->spare);
    ledger_store_close (&self->store, whole);
    if (self->path)
        ledger_unlock (self->path, &self->lock);
    if (self->event >= 0)
        close (self->event);
    pthread_cond_destroy (&self->stir);
    pthread_cond_destroy (&self->answer);
    pthread_mutex_destroy (&self->mutex);
    free (self->path);
    free (self->times);
    free (self);
}

static void
init_locks (struct ledger *self)
{
    pthread_condattr_t attributes;
    pthread_condattr_init (&attributes);
    pthread_condattr_setclock (&attributes, CLOCK_MONOTONIC);
    pthread_cond_init (&self->stir, &attributes);
    pthread_cond_init (&self->answer, &attributes);
    pthread_condattr_destroy (&attributes);
    pthread_mutex_init (&self->mutex, NULL);
}

int
ledger_open (struct ledger **self_p, const char *path, const struct ledger_config *config, struct ledger_found *found)
{
    *self_p = NULL;
    memset (found, 0, sizeof *found);
    struct ledger *self = calloc (1, sizeof *self);
    if (!self)
        return error_plain (WEFT_ENOMEM);
    init_locks (self);
    self->lock = -1;
    self->durability = config->durability;
    self->before = config->before;
    self->before_arg = config->before_arg;
    self->group_time = config->group_time > 0 ? config->group_time : GROUP_TIME;
    self->group_count = (uint64_t) (config->group_count > 0 ? config->group_count : GROUP_COUNT);
    self->queue_bytes = (uint64_t) (config->queue_bytes > 0 ? config->queue_bytes : QUEUE_BYTES);
    self->event = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
    self->times = histogram_new ();
    int rc = self->event < 0 ? error_errno ("eventfd") : resolve (path, &self->path);
    if (!rc && !self->times)
        rc = error_plain (WEFT_ENOMEM);
    if (!rc)
        rc = ledger_lock (self->path, &self->lock);
    if (!rc)
        rc = ledger_store_open (&self->store, self->path, config, found);
    if (!rc) {
        self->last_id = found->last_id;
        ledger_store_reserve (self->store);
        rc = make_thread (self);
    }
    if (rc)
        release (self, false);
    else
        *self_p = self;
    return rc;
}

int
ledger_close (struct ledger **self_p)
{
    struct ledger *self = *self_p;
    if (!self)
        return 0;
    *self_p = NULL;
    pthread_mutex_lock (&self->mutex);
    self->stop = true;
    pthread_cond_signal (&self->stir);
    pthread_mutex_unlock (&self->mutex);
    pthread_join (self->thread, NULL);
    int rc = 0;
    if (self->durable != self->ticket)
        rc = error_set (WEFT_EIO, "%s: %llu operations were not written: %s", self->path,
                        (unsigned long long) (self->ticket - self->durable), self->trouble);
    release (self, atomic_load (&self->state) != LEDGER_FAILED);
    return rc;
}

/* ---------------------------------------------------------------- queueing */

/*  May an operation of that many bytes be queued? An empty queue takes any. */
static int
admit (struct ledger *self, enum ledger_kind kind, size_t size)
{
    int state = atomic_load_explicit (&self->state, memory_order_relaxed);
    uint64_t limit = kind == LEDGER_JOB || kind == LEDGER_START ? self->queue_bytes / 4 * 3 : self->queue_bytes;
    uint64_t queued = self->queue.bytes + self->taken_bytes;
    if (state == LEDGER_FAILED)
        return error_set (WEFT_EIO, "%s", self->trouble);
    if (state == LEDGER_FULL && kind == LEDGER_JOB)
        return error_set (WEFT_ELIMIT, "%s", self->trouble);
    if (queued && queued + size > limit)
        return error_plain (WEFT_EAGAIN);
    return 0;
}

/*  The operation is in the queue. */
static void
queued (struct ledger *self, uint64_t *ticket)
{
    self->ticket++;
    if (!self->queued++)
        self->oldest = clock_now (clock_system ());
    if (self->writer == WRITER_IDLE || (self->writer == WRITER_GATHERS && self->queued >= self->group_count))
        pthread_cond_signal (&self->stir);
    if (ticket)
        *ticket = self->ticket;
}

int
ledger_add_job (struct ledger *self, const struct ledger_job *job, uint64_t *ticket)
{
    if (job->id != self->last_id + 1)
        return error_set (WEFT_EINVAL, "job %llu: the last was %llu", (unsigned long long) job->id,
                          (unsigned long long) self->last_id);
    if (job->spec_size > LEDGER_SPEC_MAX)
        return error_set (WEFT_ETOOBIG, "job %llu: %zu bytes, and a ledger takes %d", (unsigned long long) job->id,
                          job->spec_size, LEDGER_SPEC_MAX);
    pthread_mutex_lock (&self->mutex);
    int rc = admit (self, LEDGER_JOB, job->spec_size);
    if (!rc)
        rc = ledger_chunks_job (&self->queue, &self->spare, job);
    if (!rc) {
        self->last_id = job->id;
        queued (self, ticket);
    }
    pthread_mutex_unlock (&self->mutex);
    return rc;
}

static int
add_result (struct ledger *self, enum ledger_kind kind, const struct ledger_result *result, uint64_t *ticket)
{
    if (!result->job || result->job > self->last_id)
        return error_set (WEFT_EINVAL, "job %llu: there is none", (unsigned long long) result->job);
    pthread_mutex_lock (&self->mutex);
    int rc = admit (self, kind, sizeof *result);
    if (!rc)
        rc = ledger_chunks_result (&self->queue, &self->spare, kind, result);
    if (!rc)
        queued (self, ticket);
    pthread_mutex_unlock (&self->mutex);
    return rc;
}

int
ledger_add_start (struct ledger *self, const struct ledger_result *start, uint64_t *ticket)
{
    return add_result (self, LEDGER_START, start, ticket);
}

int
ledger_add_retry (struct ledger *self, const struct ledger_result *attempt, uint64_t *ticket)
{
    return add_result (self, LEDGER_RETRY, attempt, ticket);
}

int
ledger_add_result (struct ledger *self, const struct ledger_result *result, uint64_t *ticket)
{
    return add_result (self, LEDGER_RESULT, result, ticket);
}

int
ledger_add_piece (struct ledger *self, const struct ledger_piece *piece, uint64_t *ticket)
{
    if (!piece->job || piece->job > self->last_id)
        return error_set (WEFT_EINVAL, "job %llu: there is none", (unsigned long long) piece->job);
    pthread_mutex_lock (&self->mutex);
    int rc = admit (self, LEDGER_PIECE, sizeof *piece);
    if (!rc)
        rc = ledger_chunks_piece (&self->queue, &self->spare, piece);
    if (!rc)
        queued (self, ticket);
    pthread_mutex_unlock (&self->mutex);
    return rc;
}

int
ledger_add_dealt (struct ledger *self, uint64_t id, uint64_t *ticket)
{
    pthread_mutex_lock (&self->mutex);
    int rc = admit (self, LEDGER_DEALT, sizeof id);
    if (!rc)
        rc = ledger_chunks_dealt (&self->queue, &self->spare, id);
    if (!rc)
        queued (self, ticket);
    pthread_mutex_unlock (&self->mutex);
    return rc;
}

/* ------------------------------------------------------------------ asking */

uint64_t
ledger_durable (const struct ledger *self)
{
    return atomic_load_explicit (&self->durable, memory_order_acquire);
}

enum ledger_state
ledger_state (const struct ledger *self)
{
    return (enum ledger_state) atomic_load (&self->state);
}

const char *
ledger_trouble (struct ledger *self, char *text, size_t size)
{
    pthread_mutex_lock (&self->mutex);
    snprintf (text, size, "%s", self->trouble);
    pthread_mutex_unlock (&self->mutex);
    return text;
}

int
ledger_fd (const struct ledger *self)
{
    return self->event;
}

void
ledger_counters (struct ledger *self, struct ledger_counters *counters)
{
    pthread_mutex_lock (&self->mutex);
    *counters = self->counters;
    counters->queued_bytes = self->queue.bytes + self->taken_bytes;
    pthread_mutex_unlock (&self->mutex);
}

const struct histogram *
ledger_times (const struct ledger *self)
{
    return self->times;
}

/* ----------------------------------------------------------------- waiting */

static int
failed (struct ledger *self)
{
    return error_set (WEFT_EIO, "%s", self->trouble);
}

/*  Until all up to `wanted` is durable. A writer that has tried and could not forgets what is to be flushed. */
static int
wait_durable (struct ledger *self, uint64_t wanted, int64_t deadline)
{
    while (ledger_durable (self) < wanted) {
        if (ledger_state (self) == LEDGER_FAILED)
            return failed (self);
        if (self->flush < wanted)
            return error_set (WEFT_ELIMIT, "%s", self->trouble);
        struct timespec until = { deadline / TIME_S, deadline % TIME_S };
        int rc = deadline < 0 ? pthread_cond_wait (&self->answer, &self->mutex)
                              : pthread_cond_timedwait (&self->answer, &self->mutex, &until);
        if (rc == ETIMEDOUT)
            return error_plain (WEFT_ETIMEOUT);
    }
    return 0;
}

int
ledger_flush (struct ledger *self, int64_t timeout)
{
    int64_t deadline = clock_deadline (clock_system (), timeout);
    pthread_mutex_lock (&self->mutex);
    self->flush = self->ticket;
    pthread_cond_signal (&self->stir);
    int rc = wait_durable (self, self->ticket, deadline);
    pthread_mutex_unlock (&self->mutex);
    return rc;
}

/*  Has what is queued committed, and the store to ourselves until give_back. */
static int
borrow (struct ledger *self)
{
    pthread_mutex_lock (&self->mutex);
    if (ledger_state (self) == LEDGER_FAILED) {
        int rc = failed (self);
        pthread_mutex_unlock (&self->mutex);
        return rc;
    }
    self->flush = self->ticket;
    self->borrow = true;
    pthread_cond_signal (&self->stir);
    while (!self->lent)
        pthread_cond_wait (&self->answer, &self->mutex);
    pthread_mutex_unlock (&self->mutex);
    return 0;
}

static void
give_back (struct ledger *self)
{
    pthread_mutex_lock (&self->mutex);
    self->lent = false;
    pthread_cond_signal (&self->stir);
    pthread_mutex_unlock (&self->mutex);
}

int
ledger_load (struct ledger *self, int priority, uint64_t after, uint64_t limit, ledger_take_fn *take, void *arg)
{
    int rc = borrow (self);
    if (rc)
        return rc;
    rc = ledger_store_load (self->store, priority, after, limit, take, arg);
    give_back (self);
    return rc;
}

int
ledger_levels (struct ledger *self, ledger_level_fn *take, void *arg)
{
    int rc = borrow (self);
    if (rc)
        return rc;
    rc = ledger_store_levels (self->store, take, arg);
    give_back (self);
    return rc;
}

int
ledger_hashes (struct ledger *self, ledger_hash_fn *take, void *arg)
{
    int rc = borrow (self);
    if (rc)
        return rc;
    rc = ledger_store_hashes (self->store, take, arg);
    give_back (self);
    return rc;
}

int
ledger_find_pieces (struct ledger *self, uint64_t job, int64_t attempt, struct ledger_pieces *pieces)
{
    int rc = borrow (self);
    if (rc)
        return rc;
    rc = ledger_store_find_pieces (self->store, job, attempt, pieces);
    give_back (self);
    return rc;
}

int
ledger_failed (struct ledger *self, uint64_t after, uint64_t limit, ledger_take_fn *take, void *arg)
{
    int rc = borrow (self);
    if (rc)
        return rc;
    rc = ledger_store_failed (self->store, after, limit, take, arg);
    give_back (self);
    return rc;
}

int
ledger_fate (struct ledger *self, uint64_t id, uint64_t *last, enum ledger_fate *fate)
{
    int rc = borrow (self);
    if (rc)
        return rc;
    rc = ledger_store_fate (self->store, id, last, fate);
    give_back (self);
    return rc;
}
