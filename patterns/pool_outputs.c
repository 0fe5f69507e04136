/*  pool_outputs.c - what jobs write, kept by their head in few files, and where in them it is */

#include "patterns/pool_outputs.h"

#include <stdlib.h>
#include <string.h>

#include "codec/output_record.h"
#include "codec/pool_wire.h"
#include "core/buffer.h"
#include "core/error.h"
#include "core/map.h"

#define STRAYS_MAX 65536        /*  attempts, ...                                                           */
#define STRAYS_OF_JOB 64        /*  ... and of one job, from which on those that may never count are left out   */

/*  What an attempt wrote, as far as it is not forgotten: until it has ended. */
struct attempt {
    struct map_node node;               /*  by job: there may be several of one                     */
    uint64_t job;
    int64_t number;
    uint64_t report;                    /*  the last that added something, ...                      */
    uint32_t left;                      /*  ... and how many of its records came after that         */
    uint64_t known;                     /*  up to this report, a head before us has what it wrote   */
    uint64_t bytes;                     /*  that are kept ...                                       */
    size_t piece_bytes;                 /*  ... of these, in the piece that is gathered             */
    int stream;
    struct buffer run;                  /*  bytes of one stream, that will be a record              */
    struct buffer records;              /*  before it, in the same piece                            */
    char place[LEDGER_PLACE_MAX];       /*  of the last piece that the ledger has; ""               */
    struct attempt *next;
    bool listed;                        /*  among those that have something gathered                */
};

struct outputs {
    struct outfiles files;
    struct ledger *ledger;
    uint64_t epoch;
    struct map attempts;
    struct attempt *listed;
    size_t gathered;                    /*  bytes of all that have no place                         */
    char place[LEDGER_PLACE_MAX];       /*  of the piece that was taken last                        */
};

/* ----------------------------------------------------------- coming and going */

int
outputs_new (struct outputs **handle, const char *path, int64_t file_max)
{
    struct outputs *self = calloc (1, sizeof *self);
    if (!self)
        return error_plain (WEFT_ENOMEM);
    int rc = outfiles_open (&self->files, path, file_max ? file_max : OUTPUTS_FILE_MAX);
    rc = rc ? rc : map_init (&self->attempts);
    *handle = self;
    if (rc)
        outputs_destroy (handle);
    return rc;
}

struct outfiles *
outputs_files (struct outputs *self)
{
    return &self->files;
}

static void
attempt_free (struct outputs *self, struct attempt *attempt)
{
    for (struct attempt **link = &self->listed; attempt->listed && *link; link = &(*link)->next)
        if (*link == attempt) {
            *link = attempt->next;
            break;
        }
    self->gathered -= attempt->piece_bytes;
    map_remove (&self->attempts, &attempt->node);
    buffer_free (&attempt->run);
    buffer_free (&attempt->records);
    free (attempt);
}

void
outputs_destroy (struct outputs **handle)
{
    struct outputs *self = *handle;
    if (!self)
        return;
    self->listed = NULL;
    for (size_t i = 0; self->attempts.buckets && i <= self->attempts.mask; i++)
        while (self->attempts.buckets[i])
            attempt_free (self, map_entry (self->attempts.buckets[i], struct attempt, node));
    map_free (&self->attempts);
    outfiles_close (&self->files);
    free (self);
    *handle = NULL;
}

void
outputs_begin (struct outputs *self, struct ledger *ledger, const struct ledger_found *found)
{
    self->ledger = ledger;
    self->epoch = found->epoch;
    outfiles_name (&self->files, found->pool, found->epoch);
}

/* ---------------------------------------------------------------- attempts */

static struct attempt *
find (const struct outputs *self, uint64_t job, int64_t number, bool any)
{
    for (struct map_node *node = map_first (&self->attempts, hash_number (job)); node; node = map_next (node)) {
        struct attempt *attempt = map_entry (node, struct attempt, node);
        if (attempt->job == job && (any || attempt->number == number))
            return attempt;
    }
    return NULL;
}

static bool
has_room_for_stray (const struct outputs *self, uint64_t job)
{
    int count = 0;
    for (struct map_node *node = map_first (&self->attempts, hash_number (job)); node; node = map_next (node))
        count += map_entry (node, struct attempt, node)->job == job;
    return count < STRAYS_OF_JOB && self->attempts.count < STRAYS_MAX;
}

/*  Was it dealt by a head before us? One without an epoch was never dealt. */
static bool
is_older (const struct outputs *self, int64_t number)
{
    return POOL_ATTEMPT_EPOCH (number) && POOL_ATTEMPT_EPOCH (number) != self->epoch;
}

/*  What heads before us have kept of it. */
static int
recall (struct outputs *self, uint64_t job, int64_t number, struct ledger_pieces *pieces)
{
    *pieces = (struct ledger_pieces) { .report = 0 };
    if (!is_older (self, number))
        return 0;
    return ledger_find_pieces (self->ledger, job, number, pieces);
}

static int
attempt_new (struct outputs *self, uint64_t job, int64_t number, struct attempt **found)
{
    struct ledger_pieces pieces;
    int rc = recall (self, job, number, &pieces);
    struct attempt *attempt = rc ? NULL : calloc (1, sizeof *attempt);
    if (!attempt)
        return rc ? rc : error_plain (WEFT_ENOMEM);
    attempt->job = job;
    attempt->number = number;
    attempt->known = pieces.report;
    attempt->bytes = pieces.bytes;
    memcpy (attempt->place, pieces.place, sizeof attempt->place);
    buffer_init (&attempt->run, 0);
    buffer_init (&attempt->records, 0);
    map_add (&self->attempts, &attempt->node, hash_number (job));
    *found = attempt;
    return 0;
}

/*  What was gathered of one stream becomes a record. */
static int
end_run (struct attempt *attempt)
{
    struct output_record record = { .job = attempt->job, .attempt = attempt->number, .stream = attempt->stream,
                                    .data = buffer_data (&attempt->run), .size = buffer_size (&attempt->run) };
    int rc = output_put (&attempt->records, &record);
    buffer_clear (&attempt->run);
    return rc;
}

/*  A worker that this head took for lost, and that is back, tells again what nobody has acknowledged. */
static bool
is_known (const struct attempt *attempt, const struct outputs_part *part)
{
    return part->report <= attempt->known || part->report < attempt->report
        || (part->report == attempt->report && part->left >= attempt->left);
}

static int
add_bytes (struct attempt *attempt, const struct outputs_part *part)
{
    int rc = part->stream != attempt->stream && buffer_size (&attempt->run) ? end_run (attempt) : 0;
    rc = rc ? rc : buffer_add (&attempt->run, part->data, part->size);
    if (rc)
        return rc;
    attempt->stream = part->stream;
    attempt->report = part->report;
    attempt->left = part->left;
    attempt->bytes += part->size;
    attempt->piece_bytes += part->size;
    return 0;
}

int
outputs_add (struct outputs *self, const struct outputs_part *part)
{
    struct attempt *attempt = find (self, part->job, part->attempt, false);
    if (!part->size || part->stream < 1 || part->stream > 2)
        return 0;
    if (!attempt && part->stray && !has_room_for_stray (self, part->job))
        return 0;
    int rc = attempt ? 0 : attempt_new (self, part->job, part->attempt, &attempt);
    if (rc || is_known (attempt, part))
        return rc;
    rc = add_bytes (attempt, part);
    if (rc)
        return rc;
    self->gathered += part->size;
    if (!attempt->listed) {
        attempt->listed = true;
        attempt->next = self->listed;
        self->listed = attempt;
    }
    return 0;
}

/*  What was gathered has its place: 1 when there was something. */
static int
place_piece (struct outputs *self, struct attempt *attempt, char place[LEDGER_PLACE_MAX])
{
    int rc = buffer_size (&attempt->run) ? end_run (attempt) : 0;
    size_t size = buffer_size (&attempt->records);
    if (rc || !size)
        return rc;
    rc = outfiles_put (&self->files, buffer_data (&attempt->records), size, place);
    if (rc)
        return rc;
    buffer_free (&attempt->records);
    buffer_free (&attempt->run);
    return 1;
}

static struct ledger_piece
piece_of (struct outputs *self, struct attempt *attempt, const char *place)
{
    struct ledger_piece piece = { .job = attempt->job, .attempt = attempt->number, .report = attempt->report,
                                  .bytes = attempt->piece_bytes, .place = place };
    self->gathered -= attempt->piece_bytes;
    attempt->piece_bytes = 0;
    return piece;
}

size_t
outputs_gathered (const struct outputs *self)
{
    return self->gathered;
}

int
outputs_take_piece (struct outputs *self, struct ledger_piece *piece)
{
    struct attempt *attempt;
    int rc = 0;
    while (rc == 0 && (attempt = self->listed)) {
        self->listed = attempt->next;
        attempt->listed = false;
        rc = place_piece (self, attempt, attempt->place);
        memcpy (self->place, attempt->place, sizeof self->place);
        if (rc == 1)
            *piece = piece_of (self, attempt, self->place);
    }
    return rc;
}

int
outputs_end (struct outputs *self, uint64_t job, int64_t number, struct outputs_ended *ended)
{
    struct attempt *attempt = find (self, job, number, false);
    *ended = (struct outputs_ended) { .bytes = 0 };
    int rc = !attempt && is_older (self, number) ? attempt_new (self, job, number, &attempt) : 0;
    if (rc || !attempt)
        return rc;
    bool pieces = *attempt->place;
    memcpy (ended->place, attempt->place, sizeof ended->place);
    rc = place_piece (self, attempt, ended->place);
    ended->bytes = attempt->bytes;
    ended->has_piece = rc == 1 && pieces;
    ended->piece = piece_of (self, attempt, ended->place);
    attempt_free (self, attempt);
    return rc < 0 ? rc : 0;
}

void
outputs_forget (struct outputs *self, uint64_t job, int64_t number)
{
    struct attempt *attempt;
    while ((attempt = find (self, job, number, !number)))
        attempt_free (self, attempt);
}
