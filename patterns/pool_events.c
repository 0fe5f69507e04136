/*  pool_events.c - what a head tells its caller: from reports, of workers that come and go, of cancelled jobs */

#include <string.h>

#include "codec/pool_command.h"
#include "codec/pool_wire.h"
#include "core/error.h"
#include "patterns/pool_head.h"

static void
fill_event (weft_pool_event_t *event, int kind, const struct worker *worker)
{
    memset (event, 0, sizeof *event);
    event->kind = kind;
    if (worker) {
        event->worker = worker->peer.name;
        event->host = worker->peer.host;
        event->slots = worker->slots;
    }
}

/*  What was submitted: a head before this one may have been told of it. */
static void
fill_spec (struct weft_pool *self, weft_pool_event_t *event, const struct dispatch_job *job)
{
    struct pool_spec spec;
    struct pool_reader arguments;
    event->number = job->id;
    buffer_clear (&self->text);
    if (command_render (&self->text, job->spec, job->size)
        || pool_get_spec (&spec, (struct pool_bytes) { job->spec, job->size }, &arguments))
        return;
    size_t size = buffer_size (&self->text);
    if (buffer_add (&self->text, spec.note.data, spec.note.size))
        return;
    event->command = buffer_data (&self->text);
    event->number = spec.number ? spec.number : job->id;
    event->note = spec.note.size ? event->command + size : NULL;
    event->note_size = spec.note.size;
}

static void
fill_job (struct weft_pool *self, weft_pool_event_t *event, const struct dispatch_job *job)
{
    self->job = job;
    event->job = job->id;
    event->tag = job->tag;
    event->attempt = POOL_ATTEMPT_NUMBER (job->attempt);
    if (self->book)
        fill_spec (self, event, job);
}

static void
fill_record (weft_pool_event_t *event, const struct pool_record *record)
{
    event->job = record->job;
    event->attempt = POOL_ATTEMPT_NUMBER (record->attempt);
    event->slot = (int) record->slot;
    event->stream = (int) record->stream;
    event->data = record->data.size ? record->data.data : NULL;
    event->size = record->data.size;
    event->reason = (int) record->reason;
    event->status = (int) record->status;
    event->signal = (int) record->signal;
    event->started = record->started;
    event->runtime = record->runtime;
    event->received_bytes = record->received;
    event->sent_bytes = record->sent;
}

/*  The end of a job that was cancelled by its name. */
static void
name_reason (weft_pool_event_t *event)
{
    event->reason = WEFT_JOB_CANCELLED;
    event->data = "cancelled by name";
    event->size = strlen (event->data);
}

/*  An attempt has ended, as `event` says: 1 when that can be told. With a ledger the end of a job is told when it is
 *  durable; and what was cancelled is no end there, but goes on with the next head: nor is the failure of an attempt
 *  that would have been followed by another, so that is told as cancelled, too. Who cancels a job by its name has
 *  decided: that is its end. */
static int
tell_end (struct weft_pool *self, enum dispatch_verdict verdict, const struct dispatch_job *job, int64_t attempt,
          weft_pool_event_t *event)
{
    int64_t most = event->reason == WEFT_JOB_LOST ? self->config.crash_limit : self->config.retries;
    bool again = job->cancelled && (event->status || event->signal || event->reason != WEFT_JOB_EXITED)
        && (event->reason == WEFT_JOB_LOST ? job->losses : job->failures) <= most;
    if (job->named && (again || event->reason == WEFT_JOB_CANCELLED)) {
        name_reason (event);
        again = false;
    }
    bool goes_on = event->reason == WEFT_JOB_CANCELLED && !job->named;
    if (!self->book || goes_on)
        return 1;
    int rc = head_keep_end (self, job->id, attempt, verdict == DISPATCH_DONE && !again, event);
    if (rc == 0)
        rc = book_end (self->book, event, verdict == DISPATCH_DONE && !again ? dispatch_keep_ended (&self->dispatch)
                                                                             : NULL);
    if (rc)
        self->broken = rc;
    if (verdict == DISPATCH_RETRY)
        dispatch_hold (&self->dispatch, job->id);
    if (verdict == DISPATCH_DONE && again)
        event->reason = WEFT_JOB_CANCELLED;
    return verdict != DISPATCH_DONE || again;
}

/*  A record that says that a job has ended: 1 when there is an event. */
static int
take_end (struct weft_pool *self, const struct pool_record *record, weft_pool_event_t *event)
{
    struct worker *worker = self->reporter;
    const struct dispatch_job *job;
    struct dispatch_end how = {
        .reason = (int) record->reason, .status = (int) record->status, .signal = (int) record->signal
    };
    const struct dispatch_job *found =
        self->show ? dispatch_find (&self->dispatch, &worker->credit, record->job, record->attempt) : NULL;
    int64_t queued = found ? found->queued : 0;
    enum dispatch_verdict verdict =
        dispatch_ended (&self->dispatch, &worker->credit, record->job, record->attempt, &how, &job);
    if (verdict == DISPATCH_STALE) {
        head_drop_output (self, record);
        return 0;
    }
    fill_event (event, verdict == DISPATCH_DONE ? WEFT_POOL_DONE : WEFT_POOL_RETRY, worker);
    fill_record (event, record);
    fill_job (self, event, job);
    pool_waited (self, queued, event->runtime);
    if (event->reason == WEFT_JOB_CANCELLED && job->stopped)
        event->reason = job->stopped;
    if (event->reason == WEFT_JOB_EXITED && !event->status && !event->signal)
        head_learn_runtime (self, event->runtime);
    if (verdict == DISPATCH_RETRY && self->awaiting && POOL_ATTEMPT_EPOCH (record->attempt) != self->dispatch.epoch)
        dispatch_await_again (&self->dispatch, job->id);
    int told = tell_end (self, verdict, job, record->attempt, event);
    head_drop_output (self, record);
    return told;
}

/*  1 when the record makes an event, 0 when it does not (any more), or WEFT_EPROTO. */
static int
take_record (struct weft_pool *self, const struct pool_record *record, weft_pool_event_t *event)
{
    struct dispatch_worker *credit = &self->reporter->credit, *robbed;
    int64_t robbed_attempt;
    int rc;
    struct dispatch_job *job = dispatch_find (&self->dispatch, credit, record->job, record->attempt);
    bool begun = record->kind == WEFT_POOL_OUTPUT || record->kind == WEFT_POOL_DONE;
    if (!job && record->kind != POOL_RECORD_RETURNED
        && dispatch_claim (&self->dispatch, credit, record->job, record->attempt, begun, &robbed, &robbed_attempt)) {
        /*  Dealt by the head before us, and ended since: it is in no HELLO. Who gave it back does not claim it: another
         *  may have got it after that. */
        job = dispatch_find (&self->dispatch, credit, record->job, record->attempt);
        if (robbed)
            head_cancel_job (self, map_entry (robbed, struct worker, credit), record->job, robbed_attempt, true);
        if (job && job->stopped)
            head_cancel_job (self, self->reporter, record->job, record->attempt, true);
    }
    switch (record->kind) {
    case WEFT_POOL_DONE:
        if (job && job->state == JOB_GIVEN)
            head_delay (self);
        return take_end (self, record, event);
    case WEFT_POOL_STARTED:
        if (!dispatch_began (&self->dispatch, credit, record->job, record->attempt))
            return 0;
        head_delay (self);
        break;
    case WEFT_POOL_OUTPUT:
        if ((rc = head_keep_output (self, record, !job)))
            self->broken = rc;
        if (!job)
            return 0;
        if (job->state == JOB_GIVEN) {
            self->untold = dispatch_began (&self->dispatch, credit, record->job, record->attempt);
            head_delay (self);
        }
        break;
    case POOL_RECORD_RETURNED:
        dispatch_returned (&self->dispatch, credit, record->job, record->attempt);
        head_drop_output (self, record);
        return 0;
    default:
        return error_set (WEFT_EPROTO, "a worker sent a record of kind %d, which is the head's", record->kind);
    }
    fill_event (event, record->kind, self->reporter);
    fill_record (event, record);
    fill_job (self, event, job);
    if (self->book && record->kind == WEFT_POOL_STARTED)
        book_start (self->book, event, job->attempt, clock_wall (self->weft->clock) / TIME_US);
    return 1;
}

static int
take_from_report (struct weft_pool *self, weft_pool_event_t *event)
{
    struct pool_record record;
    int rc;
    while ((rc = pool_next_record (&self->report, &record)) == 1) {
        rc = take_record (self, &record, event);
        if (rc)
            break;
    }
    if (rc == WEFT_EPROTO) {
        head_count_refused (self);
        head_lose (self, self->reporter, weft_error ());
    }
    if (rc != 1) {
        struct worker *worker = self->reporter;
        self->reporter = NULL;
        if (rc == 0 && (rc = head_end_report (self, worker)))
            self->broken = rc;
    }
    return rc == 1;
}

void
head_release (struct weft_pool *self)
{
    if (self->book)
        book_release (self->book);
    if (self->left)
        head_free_worker (self, self->left);
    self->left = NULL;
}

/*  The next job that a worker lost: 1 when it lost one, 0 past the last; `told`: is that an event now? */
static int
take_loss (struct weft_pool *self, struct worker *worker, weft_pool_event_t *event, bool *told)
{
    const struct dispatch_job *job;
    enum dispatch_verdict verdict;
    do
        verdict = worker->state == WORKER_LEAVING ? dispatch_lose (&self->dispatch, &worker->credit, &job)
                                                  : dispatch_settle (&self->dispatch, &worker->credit, &job);
    while (verdict == DISPATCH_AGAIN);
    if (verdict == DISPATCH_STALE)
        return 0;
    fill_event (event, verdict == DISPATCH_DONE ? WEFT_POOL_DONE : WEFT_POOL_RETRY, worker);
    fill_job (self, event, job);
    event->reason = WEFT_JOB_LOST;
    *told = tell_end (self, verdict, job, job->attempt, event);
    return 1;
}

/*  A worker that came, came back, went, or lost a job by that. 1 with an event. */
static int
take_news (struct weft_pool *self, weft_pool_event_t *event)
{
    struct worker *worker = self->news;
    bool told;
    if (worker->state == WORKER_NEW) {
        worker->state = WORKER_MEMBER;
        worker->joined = true;
        if (!worker->settling)
            head_drop_news (self);
        fill_event (event, WEFT_POOL_JOINED, worker);
        return 1;
    }
    bool settled = !worker->settling || (worker->peer.have >= worker->settle_at && self->reporter != worker);
    if (worker->state == WORKER_MEMBER && !settled) {
        head_drop_news (self);          /*  head_settle adds them again */
        return 0;
    }
    while (take_loss (self, worker, event, &told))
        if (told)
            return 1;
    head_drop_news (self);
    worker->settling = false;
    if (worker->state == WORKER_MEMBER)
        return 0;
    worker->state = WORKER_LEFT;
    head_release (self);
    self->left = worker;
    if (!worker->joined)
        return 0;
    fill_event (event, WEFT_POOL_LEFT, worker);
    return 1;
}

bool
head_has_cancelled (const struct weft_pool *self)
{
    const struct dispatch_job *job = dispatch_cancelled (&self->dispatch);
    return job && !(job->named && self->book && book_full (self->book));
}

static int
take_cancelled (struct weft_pool *self, weft_pool_event_t *event)
{
    const struct dispatch_job *job;
    int told = 0;
    while (!told && head_has_cancelled (self) && dispatch_cancel_next (&self->dispatch, &job)) {
        fill_event (event, WEFT_POOL_DONE, NULL);
        fill_job (self, event, job);
        event->reason = WEFT_JOB_CANCELLED;
        told = tell_end (self, DISPATCH_DONE, job, job->attempt, event);
    }
    return told;
}

/*  What the ledger has on disk now. */
static int
take_durable (struct weft_pool *self, weft_pool_event_t *event)
{
    const struct dispatch_job *job;
    if (!self->book || !book_take_event (self->book, event, &job))
        return 0;
    if (job)
        fill_job (self, event, job);
    return 1;
}

int
head_take_event (struct weft_pool *self, weft_pool_event_t *event)
{
    bool full = self->book && book_full (self->book);
    int rc = self->reporter && !full ? take_from_report (self, event) : 0;
    if (rc == 0 && self->news && !full)
        rc = take_news (self, event);
    rc = rc ? rc : take_durable (self, event);
    return rc ? rc : take_cancelled (self, event);
}
