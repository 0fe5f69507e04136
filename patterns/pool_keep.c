/*  pool_keep.c - what a head keeps of what jobs write, and the reports that may be acknowledged when it has
 *
 *  A job that writes little by little would make a piece of each report. So reports that brought a part of a job's
 *  output wait a moment for others, and are acknowledged together; one that brought its end does not. */

#include <inttypes.h>

#include "codec/pool_wire.h"
#include "core/error.h"
#include "patterns/pool_head.h"

#define FULL_WAIT (250 * TIME_MS)       /*  until it is seen if there is room again                 */
#define PIECE_WAIT (250 * TIME_MS)      /*  that parts of output are gathered ...                   */
#define PIECE_BYTES (256 << 10)         /*  ... when they are less, all together                    */

int
head_keep_output (struct weft_pool *self, const struct pool_record *record, bool stray)
{
    struct outputs_part part = {
        .job = record->job, .attempt = record->attempt, .report = self->reporter->peer.have, .left = self->report.left,
        .stream = (int) record->stream, .data = record->data.data, .size = record->data.size, .stray = stray
    };
    if (!self->outputs || (stray && !self->passed_over && !dispatch_has (&self->dispatch, record->job)))
        return 0;
    return outputs_add (self->outputs, &part);
}

void
head_drop_output (struct weft_pool *self, const struct pool_record *record)
{
    if (self->outputs)
        outputs_forget (self->outputs, record->job, record->attempt);
}

int
head_keep_end (struct weft_pool *self, uint64_t job, int64_t attempt, bool last, weft_pool_event_t *event)
{
    struct outputs_ended *ended = &self->ended;
    if (!self->outputs)
        return 0;
    int rc = outputs_end (self->outputs, job, attempt, ended);
    if (last)
        outputs_forget (self->outputs, job, 0);
    if (rc == 0 && ended->has_piece)
        rc = book_piece (self->book, &ended->piece);
    event->output = *ended->place ? ended->place : NULL;
    if (rc == 0 && event->reason == WEFT_JOB_EXITED && ended->bytes < event->received_bytes)
        log_warning (&self->weft->log, "pool: job %" PRIu64 ": %" PRIu64 " bytes of what it wrote went with a head "
                     "that did not keep them", job, event->received_bytes - ended->bytes);
    return rc;
}

/* ------------------------------------------------------------------ reports */

/*  All that is gathered has its place, and the reports that brought it may be acknowledged after it. */
static int
keep_pieces (struct weft_pool *self)
{
    struct ledger_piece piece;
    struct worker *worker;
    int rc = 0;
    while (self->outputs && rc == 0 && (rc = outputs_take_piece (self->outputs, &piece)) == 1)
        rc = book_piece (self->book, &piece);
    while (rc == 0 && (worker = self->unkept)) {
        rc = book_acknowledge (self->book, &worker->peer, worker->peer.have);
        head_drop_unkept (self, worker);
    }
    self->pieces_at = TIME_FOREVER;
    return rc;
}

int
head_end_report (struct weft_pool *self, struct worker *worker)
{
    head_settle (self, worker);
    if (!self->book)
        return 0;
    if (!worker->unkept) {
        worker->unkept = true;
        worker->next_unkept = self->unkept;
        self->unkept = worker;
    }
    size_t gathered = self->outputs ? outputs_gathered (self->outputs) : 0;
    if (!gathered || gathered >= PIECE_BYTES)
        return keep_pieces (self);
    if (self->pieces_at == TIME_FOREVER)
        self->pieces_at = head_now (self) + PIECE_WAIT;
    return 0;
}

void
head_drop_unkept (struct weft_pool *self, struct worker *worker)
{
    for (struct worker **link = &self->unkept; worker->unkept && *link; link = &(*link)->next_unkept)
        if (*link == worker) {
            *link = worker->next_unkept;
            break;
        }
    worker->unkept = false;
}

/* -------------------------------------------------------------------- turns */

/*  What the disk has no room for is tried again, and said once each time. */
static void
retry_write (struct weft_pool *self, int64_t now)
{
    struct outfiles *files = outputs_files (self->outputs);
    bool stalled = files->stalled, waited = self->outputs_at != TIME_FOREVER;
    if (stalled && !waited)
        log_warning (&self->weft->log, "pool: nothing more is taken from workers until this is over: %s",
                     files->trouble);
    else if (!stalled && waited)
        log_warning (&self->weft->log, "pool: output can be kept again");
    if (stalled && waited && now >= self->outputs_at)
        outfiles_retry (files);
    if (!stalled)
        self->outputs_at = TIME_FOREVER;
    else if (!waited || now >= self->outputs_at)
        self->outputs_at = now + FULL_WAIT;
}

int
head_keep (struct weft_pool *self, int64_t now)
{
    if (!self->outputs)
        return 0;
    retry_write (self, now);
    return self->pieces_at != TIME_FOREVER && now >= self->pieces_at && !self->reporter ? keep_pieces (self) : 0;
}

int64_t
head_keep_deadline (const struct weft_pool *self)
{
    return self->reporter ? self->outputs_at : clock_earlier (self->outputs_at, self->pieces_at);
}
