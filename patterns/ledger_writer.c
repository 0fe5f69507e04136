/*  ledger_writer.c - the ledger's thread: gathers operations, commits them, and says up to where they are durable */

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "core/histogram.h"
#include "patterns/ledger_parts.h"

#define PAUSE (250 * TIME_MS)           /*  between attempts when the disk is full                  */
#define IDLE TIME_S                     /*  without work, until the log is brought into the file    */

enum { SMALL = 64 };                    /*  operations of an attempt when the disk is full          */

/*  Something has changed that the caller may want to see. */
static void
ring (struct ledger *self)
{
    uint64_t one = 1;
    while (write (self->event, &one, sizeof one) < 0 && errno == EINTR)
        ;
}

static void
set_state (struct ledger *self, enum ledger_state state, const char *trouble)
{
    snprintf (self->trouble, sizeof self->trouble, "%s", trouble);
    if (atomic_exchange (&self->state, state) != (int) state)
        ring (self);
}

static enum ledger_state
state_of (struct ledger *self)
{
    return (enum ledger_state) atomic_load_explicit (&self->state, memory_order_relaxed);
}

static bool
pending (const struct ledger *self)
{
    return self->batch.first || self->queue.first;
}

static bool
hurried (struct ledger *self)
{
    return self->stop || self->flush > atomic_load_explicit (&self->durable, memory_order_relaxed);
}

/*  Waits for a stir, but not beyond `deadline`; false when that has passed. */
static bool
wait_stir (struct ledger *self, enum ledger_writer as, int64_t deadline)
{
    int rc = 0;
    self->writer = as;
    if (deadline < 0) {
        pthread_cond_wait (&self->stir, &self->mutex);
    } else {
        struct timespec until = { deadline / TIME_S, deadline % TIME_S };
        rc = pthread_cond_timedwait (&self->stir, &self->mutex, &until);
    }
    self->writer = WRITER_BUSY;
    return rc != ETIMEDOUT;
}

static int64_t
in (int64_t time)
{
    return clock_deadline (clock_system (), time);
}

/* ----------------------------------------------------------------- working */

/*  What was queued will never be written. */
static void
give_up (struct ledger *self, const char *trouble)
{
    ledger_chunks_free (&self->batch);
    ledger_chunks_free (&self->queue);
    self->taken_bytes = 0;
    self->flush = 0;
    set_state (self, LEDGER_FAILED, trouble);
    pthread_cond_broadcast (&self->answer);
}

static void
judge (struct ledger *self, enum ledger_outcome outcome)
{
    if (outcome == LEDGER_LOST) {
        give_up (self, ledger_store_trouble (self->store));
    } else {
        self->counters.retried++;
        self->flush = 0;
        set_state (self, LEDGER_FULL, ledger_store_trouble (self->store));
        pthread_cond_broadcast (&self->answer);
    }
}

/*  All is well again when there is room once more for the reserve. */
static void
recover (struct ledger *self)
{
    if (!pending (self) && ledger_store_reserve (self->store))
        set_state (self, LEDGER_OPEN, "");
}

static void
committed (struct ledger *self, size_t count, size_t bytes)
{
    while (self->batch.first && self->batch.first->done == self->batch.first->used)
        ledger_chunks_drop (&self->batch, &self->spare);
    self->taken_bytes = self->batch.bytes;
    self->counters.operations += count;
    self->counters.bytes += bytes;
    self->counters.commits++;
    ledger_store_counters (self->store, &self->counters);
    atomic_fetch_add_explicit (&self->durable, count, memory_order_release);
    if (state_of (self) == LEDGER_FULL)
        recover (self);
    ring (self);
    pthread_cond_broadcast (&self->answer);
}

/*  What operations tell of that stands elsewhere is to be durable before they are. Without the mutex. */
static bool
prepare (struct ledger *self, char *trouble, size_t size)
{
    if (!self->before || self->before (self->before_arg) == 0)
        return true;
    snprintf (trouble, size, "%s", weft_error ());
    return false;
}

/*  One transaction, without the mutex. Was it written? */
static bool
commit (struct ledger *self)
{
    char trouble[sizeof self->trouble];
    size_t count = 0, bytes = 0;
    bool full = state_of (self) == LEDGER_FULL;
    if (!self->batch.first) {
        self->batch = self->queue;
        self->queue = (struct ledger_chunks){ 0 };
        self->queued = 0;
        self->taken_bytes = self->batch.bytes;
    }
    pthread_mutex_unlock (&self->mutex);
    if (full)
        ledger_store_release (self->store);
    int64_t begun = clock_now (clock_system ());
    bool sound = self->durability == LEDGER_NONE || prepare (self, trouble, sizeof trouble);
    enum ledger_outcome outcome = sound ? ledger_store_commit (self->store, &self->batch, full ? SMALL : SIZE_MAX,
                                                               &count, &bytes) : LEDGER_LOST;
    if (outcome == LEDGER_DONE)
        histogram_record (self->times, clock_now (clock_system ()) - begun);
    pthread_mutex_lock (&self->mutex);
    if (!sound)
        give_up (self, trouble);
    else if (outcome == LEDGER_DONE)
        committed (self, count, bytes);
    else
        judge (self, outcome);
    return outcome == LEDGER_DONE;
}

/*  A log that cannot be brought into the file for want of room is left: what is in it is safe. */
static void
checkpoint (struct ledger *self, bool idle)
{
    char trouble[sizeof self->trouble];
    pthread_mutex_unlock (&self->mutex);
    bool sound = self->durability != LEDGER_NONE || prepare (self, trouble, sizeof trouble);
    enum ledger_outcome outcome = sound ? ledger_store_checkpoint (self->store, idle) : LEDGER_DONE;
    pthread_mutex_lock (&self->mutex);
    if (!sound)
        give_up (self, trouble);
    else if (outcome == LEDGER_LOST)
        give_up (self, ledger_store_trouble (self->store));
}

/* ----------------------------------------------------------------- waiting */

static void
lend (struct ledger *self)
{
    self->borrow = false;
    self->lent = true;
    pthread_cond_broadcast (&self->answer);
    while (self->lent)
        wait_stir (self, WRITER_BUSY, TIME_FOREVER);
}

/*  Nothing is queued. */
static void
rest (struct ledger *self)
{
    bool full = state_of (self) == LEDGER_FULL, behind = ledger_store_behind (self->store);
    if (wait_stir (self, WRITER_IDLE, full ? in (PAUSE) : behind ? in (IDLE) : TIME_FOREVER))
        return;
    if (full)
        recover (self);
    else
        checkpoint (self, true);
}

/*  Waits until what is queued is many, old or asked for. */
static void
gather (struct ledger *self)
{
    int64_t deadline = self->durability == LEDGER_SYNC ? 0 : self->oldest + self->group_time;
    while (!hurried (self) && self->queued < self->group_count)
        if (deadline <= clock_now (clock_system ()) || !wait_stir (self, WRITER_GATHERS, deadline))
            break;
}

static void
turn (struct ledger *self)
{
    if (self->borrow && !hurried (self)) {
        lend (self);
    } else if (state_of (self) == LEDGER_FAILED) {
        wait_stir (self, WRITER_IDLE, TIME_FOREVER);
    } else if (!pending (self)) {
        rest (self);
    } else if (state_of (self) == LEDGER_FULL) {
        if (hurried (self) || !wait_stir (self, WRITER_PAUSES, in (PAUSE)))
            commit (self);
    } else {
        if (!self->batch.first)
            gather (self);
        commit (self);
        if (state_of (self) == LEDGER_OPEN)
            checkpoint (self, false);
    }
}

void *
ledger_writer_main (void *arg)
{
    struct ledger *self = arg;
    pthread_mutex_lock (&self->mutex);
    while (!self->stop || (pending (self) && state_of (self) == LEDGER_OPEN))
        turn (self);
    while (pending (self) && commit (self))
        ;
    self->writer = WRITER_ENDED;
    pthread_cond_broadcast (&self->answer);
    pthread_mutex_unlock (&self->mutex);
    return NULL;
}
