/*  pool_ledger.c - what a head puts into its ledger, and what it tells only when the disk has it */

#include "patterns/pool_ledger_jobs.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/error.h"

#define ENTRIES_MAX 32768       /*  ends that wait: no more are taken in                */

enum entry_kind {
    ENTRY_RESULT,       /*  a job ended: told when it is durable                        */
    ENTRY_RETRY,        /*  an attempt did                                              */
    ENTRY_PIECE,        /*  one that goes on wrote something                            */
    ENTRY_ACK           /*  a report may be acknowledged when all before it is durable  */
};

struct book_entry {
    struct book_entry *next;
    enum entry_kind kind;
    uint64_t ticket;                    /*  0: the ledger has not taken it yet          */
    struct pool_peer *peer;             /*  ACK: whose, NULL when it has gone ...       */
    uint64_t number;                    /*  ... and which report                        */
    struct dispatch_job *job;           /*  RESULT                                      */
    weft_pool_event_t event;
    struct ledger_piece piece;          /*  PIECE                                       */
    char text[];                        /*  of the event: worker, host, why, output     */
};

/* ------------------------------------------------------------- coming and going */

int
book_open (struct book **handle, const struct book_config *config)
{
    struct ledger_config how = { .durability = config->durability, .results = config->results };
    if (config->outputs) {
        how.outputs = outputs_files (config->outputs)->folder;
        how.before = outfiles_sync;
        how.before_arg = outputs_files (config->outputs);
    }
    struct book *self = calloc (1, sizeof *self);
    if (!self)
        return error_plain (WEFT_ENOMEM);
    self->last_accepted = &self->accepted;
    self->last_entry = &self->first;
    self->refused_at = UINT64_MAX;
    self->outputs = config->outputs;
    int rc = ledger_open (&self->ledger, config->path, &how, &self->found);
    if (rc == 0 && self->outputs)
        outputs_begin (self->outputs, self->ledger, &self->found);
    if (rc == 0 && self->found.jobs && !config->resume)
        rc = error_set (WEFT_ESTATE, "%s has %" PRIu64 " jobs already, %" PRIu64 " of them without a result: "
                        "give --resume to go on with them, or another file", config->path, self->found.jobs,
                        self->found.jobs - self->found.results);
    if (rc == 0 && self->found.jobs)
        rc = book_learn_jobs (self);
    if (rc) {
        book_close (&self);
        return rc;
    }
    self->last_id = self->safe_id = self->told_id = self->found.last_id;
    *handle = self;
    return 0;
}

static void
entry_free (struct book_entry *entry)
{
    if (entry)
        free (entry->job);
    free (entry);
}

void
book_release (struct book *self)
{
    entry_free (self->told);
    self->told = NULL;
}

static struct book_entry *
pop (struct book *self)
{
    struct book_entry *entry = self->first;
    self->first = entry->next;
    if (!self->first)
        self->last_entry = &self->first;
    self->entries--;
    return entry;
}

void
book_close (struct book **handle)
{
    struct book *self = *handle;
    if (!self)
        return;
    if (self->ledger)
        ledger_close (&self->ledger);
    book_release (self);
    while (self->first)
        entry_free (pop (self));
    book_free_jobs (self);
    free (self);
    *handle = NULL;
}

/* ------------------------------------------------------------------------- ends */

static struct book_entry *
entry_new (struct book *self, enum entry_kind kind, size_t texts)
{
    struct book_entry *entry = malloc (sizeof *entry + texts);
    if (!entry) {
        error_plain (WEFT_ENOMEM);
        return NULL;
    }
    memset (entry, 0, sizeof *entry);
    entry->kind = kind;
    *self->last_entry = entry;
    self->last_entry = &entry->next;
    self->entries++;
    return entry;
}

/*  Puts a copy of the text at *place, and moves that behind it. */
static const char *
keep (char **place, const char *text, size_t size)
{
    char *kept = *place;
    if (!text)
        return NULL;
    memcpy (kept, text, size);
    kept[size] = 0;
    *place += size + 1;
    return kept;
}

static int
queue_entry (struct book *self, struct book_entry *entry)
{
    const weft_pool_event_t *event = &entry->event;
    struct ledger_result result = {
        .job = event->job, .attempt = event->attempt, .reason = event->reason, .status = event->status,
        .signal = event->signal, .why = event->data, .worker = event->worker, .host = event->host, .slot = event->slot,
        .started = event->started, .runtime = event->runtime, .received = event->received_bytes,
        .sent = event->sent_bytes, .output = event->output
    };
    if (entry->kind == ENTRY_ACK) {
        entry->ticket = self->last;
        return 0;
    }
    int rc = self->outputs ? outfiles_write (outputs_files (self->outputs)) : 0;
    if (rc)
        return rc;
    if (entry->kind == ENTRY_PIECE)
        rc = ledger_add_piece (self->ledger, &entry->piece, &entry->ticket);
    else
        rc = entry->kind == ENTRY_RESULT ? ledger_add_result (self->ledger, &result, &entry->ticket)
                                         : ledger_add_retry (self->ledger, &result, &entry->ticket);
    if (rc == 0)
        self->last = entry->ticket;
    return rc;
}

/*  Gives the ledger what it has not taken yet. */
static int
queue_entries (struct book *self)
{
    while (self->unqueued) {
        int rc = queue_entry (self, self->unqueued);
        if (rc)
            return rc == WEFT_EAGAIN || rc == WEFT_ELIMIT ? 0 : rc;
        self->unqueued = self->unqueued->next;
    }
    return 0;
}

static int
add_entry (struct book *self, struct book_entry *entry)
{
    if (!self->unqueued)
        self->unqueued = entry;
    return queue_entries (self);
}

void
book_start (struct book *self, const weft_pool_event_t *event, int64_t attempt, int64_t now)
{
    struct ledger_result start = { .job = event->job, .attempt = attempt, .worker = event->worker, .host = event->host,
                                   .slot = event->slot, .started = now };
    uint64_t ticket;
    if (ledger_state (self->ledger) == LEDGER_OPEN && ledger_add_start (self->ledger, &start, &ticket) == 0)
        self->last = ticket;
}

int
book_end (struct book *self, const weft_pool_event_t *event, struct dispatch_job *job)
{
    size_t worker = event->worker ? strlen (event->worker) : 0, host = event->host ? strlen (event->host) : 0;
    size_t output = event->output ? strlen (event->output) : 0;
    struct book_entry *entry = entry_new (self, job ? ENTRY_RESULT : ENTRY_RETRY,
                                          worker + host + event->size + output + 4);
    if (!entry) {
        free (job);
        return WEFT_ENOMEM;
    }
    char *place = entry->text;
    entry->job = job;
    entry->event = *event;
    entry->event.worker = keep (&place, event->worker, worker);
    entry->event.host = keep (&place, event->host, host);
    entry->event.data = keep (&place, event->data, event->size);
    entry->event.output = keep (&place, event->output, output);
    return add_entry (self, entry);
}

int
book_piece (struct book *self, const struct ledger_piece *piece)
{
    size_t size = strlen (piece->place);
    struct book_entry *entry = entry_new (self, ENTRY_PIECE, size + 1);
    if (!entry)
        return WEFT_ENOMEM;
    char *place = entry->text;
    entry->piece = *piece;
    entry->piece.place = keep (&place, piece->place, size);
    return add_entry (self, entry);
}

int
book_acknowledge (struct book *self, struct pool_peer *peer, uint64_t number)
{
    struct book_entry *entry = entry_new (self, ENTRY_ACK, 0);
    if (!entry)
        return WEFT_ENOMEM;
    entry->peer = peer;
    entry->number = number;
    return add_entry (self, entry);
}

void
book_forget (struct book *self, const struct pool_peer *peer)
{
    for (struct book_entry *entry = self->first; entry; entry = entry->next)
        if (entry->peer == peer)
            entry->peer = NULL;
}

bool
book_full (const struct book *self)
{
    return self->unqueued || self->entries >= ENTRIES_MAX;
}

/* ------------------------------------------------------------------------ turns */

int
book_turn (struct book *self)
{
    char text[512];
    uint64_t count, durable = ledger_durable (self->ledger);
    int fd = ledger_fd (self->ledger);
    if (fd >= 0 && read (fd, &count, sizeof count) < 0) {
        /*  What counts is what is durable. */
    }
    if (ledger_state (self->ledger) == LEDGER_FAILED)
        return error_set (WEFT_EIO, "the ledger has failed, and what it has not kept is lost: %s",
                          ledger_trouble (self->ledger, text, sizeof text));
    if (durable != self->durable) {
        self->durable = durable;
        self->refused_at = UINT64_MAX;
        book_settle_jobs (self);
    }
    return queue_entries (self);
}

/*  Is the first in line durable? */
static bool
first_is_safe (const struct book *self)
{
    return self->first && self->first != self->unqueued && self->first->ticket <= self->durable;
}

bool
book_take_safe (struct book *self, struct book_safe *safe)
{
    bool told = false;
    while (!told && first_is_safe (self) && self->first->kind != ENTRY_RESULT) {
        struct book_entry *entry = pop (self);
        bool grown = entry->peer && entry->number > entry->peer->safe;
        *safe = (struct book_safe) { .peer = grown ? entry->peer : NULL, .job = entry->event.job,
                                     .attempt = entry->event.attempt };
        if (grown)
            entry->peer->safe = entry->number;
        told = grown || entry->kind == ENTRY_RETRY;
        entry_free (entry);
    }
    return told;
}

bool
book_has_event (const struct book *self)
{
    return self->told_id < self->safe_id || (first_is_safe (self) && self->first->kind == ENTRY_RESULT);
}

bool
book_take_event (struct book *self, weft_pool_event_t *event, const struct dispatch_job **job)
{
    book_release (self);
    *job = NULL;
    if (self->told_id < self->safe_id) {
        self->told_id = self->safe_id;
        *event = (weft_pool_event_t) { .kind = WEFT_POOL_ACCEPTED, .job = self->safe_id };
        return true;
    }
    if (!book_has_event (self))
        return false;
    self->told = pop (self);
    *event = self->told->event;
    *job = self->told->job;
    return true;
}

bool
book_is_idle (const struct book *self)
{
    return !self->first && self->told_id == self->last_id;
}
