/*  jobs_output.c - weft jobs LEDGER output | tail ID ...: what jobs wrote, kept by --outputs or --results */

#include <stdio.h>
#include <string.h>

#include "cli/jobresults.h"
#include "cli/jobs.h"
#include "cli/ledgeroutput.h"
#include "cli/outputfile.h"
#include "codec/format.h"
#include "codec/pool_wire.h"
#include "core/clock.h"
#include "core/error.h"

#define LOOK_MS 250             /*  between looks for more of a job that runs       */
#define TAIL_LINES 10
#define TAIL_BYTES (16 << 20)   /*  that the last lines may have                    */

struct showing {
    struct jobs *jobs;
    struct ledgeroutput *ledger;
    struct outputfile file;
    uint64_t id;
    int64_t attempt;            /*  of what was shown last; 0: nothing was          */
    uint64_t report;            /*  that was shown last                             */
    uint64_t shown;             /*  bytes, of that attempt                          */
    int64_t lines;              /*  of each stream's end, at first; 0: all          */
    struct buffer tails[2];     /*  these lines, while they are gathered            */
    struct buffer text;
};

/* ----------------------------------------------------------------- writing */

static int
write_json (struct showing *self, int stream, int64_t attempt, const char *data, size_t size)
{
    struct buffer *out = &self->text;
    buffer_clear (out);
    int rc = buffer_addf (out, "{\"job\":%llu,\"attempt\":%d,\"stream\":\"%s\",\"data\":",
                          (unsigned long long) self->id, POOL_ATTEMPT_NUMBER (attempt),
                          stream == 1 ? "stdout" : "stderr");
    rc = rc ? rc : format_json_bytes (out, data, size);
    rc = rc ? rc : buffer_add_str (out, "}\n");
    return rc ? rc : jobs_write (self->jobs, out);
}

static int
write_stream (struct showing *self, int stream, int64_t attempt, const char *data, size_t size)
{
    struct cli *cli = self->jobs->cli;
    if (self->jobs->options.json)
        return write_json (self, stream, attempt, data, size);
    if (stream == 1)
        return cli_write (cli->out, data, size);
    fwrite (data, 1, size, cli->err);
    fflush (cli->err);
    return 0;
}

/*  Leaves the last lines, and of these no more than there is room for. */
static void
cut_tail (struct buffer *tail, int64_t lines)
{
    const char *data = buffer_data (tail), *at = data + buffer_size (tail);
    if (at > data && at[-1] == '\n')
        at--;
    for (; at && lines > 0; lines--) {
        at = memrchr (data, '\n', (size_t) (at - data));
        if (!at)
            break;
    }
    size_t keep = buffer_size (tail) - (at ? (size_t) (at + 1 - data) : 0);
    keep = keep < TAIL_BYTES ? keep : TAIL_BYTES;
    buffer_consume (tail, buffer_size (tail) - keep);
}

static int
take_record (void *arg, const struct output_record *record)
{
    struct showing *self = arg;
    struct buffer *tail = &self->tails[record->stream == 2];
    self->shown += record->size;
    if (!self->lines)
        return write_stream (self, record->stream, record->attempt, record->data, record->size);
    size_t before = buffer_size (tail);
    int rc = buffer_add (tail, record->data, record->size);
    if (rc == 0 && (before + record->size) >> 20 != before >> 20)
        cut_tail (tail, self->lines);
    return rc;
}

/*  What was gathered of the end is shown, and all that comes after it. */
static int
end_tail (struct showing *self)
{
    int rc = 0;
    for (int i = 0; i < 2 && self->lines && rc == 0; i++) {
        cut_tail (&self->tails[i], self->lines);
        if (buffer_size (&self->tails[i]))
            rc = write_stream (self, i + 1, self->attempt, buffer_data (&self->tails[i]),
                               buffer_size (&self->tails[i]));
        buffer_clear (&self->tails[i]);
    }
    self->lines = 0;
    return rc;
}

/* ----------------------------------------------------------------- reading */

static int
show_place (struct showing *self, const char *place)
{
    char folder[4096];
    const char *given = self->jobs->options.outputs;
    int rc = ledgeroutput_folder (self->ledger, place, folder, sizeof folder);
    if (rc == 0 && !given && !*folder)
        rc = error_set (WEFT_EINVAL, "job %llu: what it wrote is in %s, and the ledger does not say where that is; "
                        "--outputs DIR does", (unsigned long long) self->id, place);
    return rc ? rc : outputfile_read (&self->file, given ? given : folder, place, self->id, take_record, self);
}

/*  What an attempt has written since. Another one than before begins anew. */
static int
show_pieces (struct showing *self, int64_t attempt)
{
    char place[LEDGER_PLACE_MAX];
    int rc;
    if (self->attempt && self->attempt != attempt && self->shown) {
        cli_note (self->jobs->cli, "job %llu is run again: attempt %d did not count",
                  (unsigned long long) self->id, POOL_ATTEMPT_NUMBER (self->attempt));
        self->shown = self->report = 0;
    }
    self->attempt = attempt;
    while ((rc = ledgeroutput_piece (self->ledger, self->id, attempt, &self->report, place)) == 1) {
        rc = show_place (self, place);
        if (rc < 0)
            return rc;
    }
    return rc;
}

/*  All is there; EXIT_LOSS when that is not all that it wrote. */
static int
show_ended (struct showing *self, const struct ledgeroutput_job *job)
{
    struct cli *cli = self->jobs->cli;
    unsigned long long id = self->id;
    bool found = false;
    int rc = 0;
    if (job->pieces)
        rc = show_pieces (self, job->attempt);
    else if (*job->place)
        rc = show_place (self, job->place);
    else if (job->received) {
        self->attempt = job->attempt;
        rc = jobresults_read (self->ledger, self->id, take_record, self);
        found = rc == 1;
        rc = rc < 0 ? rc : 0;
    }
    if (rc == 0)
        rc = end_tail (self);
    if (rc < 0 || self->shown >= job->received)
        return rc;
    if (found)
        cli_error (cli, "job %llu: it wrote %llu bytes, and its files of --results have %llu", id,
                   (unsigned long long) job->received, (unsigned long long) self->shown);
    else if (!*job->place)
        cli_error (cli, "job %llu: what it wrote (%llu bytes) was printed, or went to a sink: its head had no "
                   "--outputs", id, (unsigned long long) job->received);
    else
        cli_error (cli, "job %llu: of the %llu bytes that it wrote %llu went with a head that had no --outputs", id,
                   (unsigned long long) job->received, (unsigned long long) (job->received - self->shown));
    return found || *job->place ? EXIT_LOSS : EXIT_ERROR;
}

/*  1 when it is time to look again, 0 when the user has enough. */
static int
look_later (struct showing *self)
{
    struct cli *cli = self->jobs->cli;
    weft_pollitem_t item = { .fd = cli->stop_fd, .events = WEFT_IN };
    int rc = weft_poll (&item, 1, LOOK_MS);
    if (cli->stopped (cli))
        return 0;
    return rc < 0 && rc != WEFT_EINTR ? rc : 1;
}

/*  A job to its end, or what there is of it now. */
static int
show_job (struct showing *self, bool follow)
{
    struct ledgeroutput_job job;
    int rc;
    do {
        rc = ledgeroutput_job (self->ledger, self->id, &job);
        if (rc == 0 && job.state == LEDGEROUTPUT_ENDED) {
            rc = show_ended (self, &job);
            return rc == 0 && follow ? job.failed : rc;
        }
        if (rc == 0 && job.attempt)
            rc = show_pieces (self, job.attempt);
        rc = rc ? rc : end_tail (self);
        if (rc == 0 && !follow)
            cli_note (self->jobs->cli, "job %llu %s; --follow waits for what comes", (unsigned long long) self->id,
                      job.state == LEDGEROUTPUT_RUNNING ? "runs still" : "has not run yet");
        if (rc || !follow)
            return rc;
        rc = look_later (self);
    } while (rc == 1);
    return rc;
}

/*  The worst that was found of any of them; what cannot be read of one does not hide the others. */
static int
show_jobs (struct jobs *jobs, char **words, int count, int64_t lines)
{
    struct showing self = { .jobs = jobs };
    uint64_t id;
    int worst = 0;
    for (int i = 0; i < count; i++)
        if (jobs_id (words[i], &id) < 0)
            return WEFT_EINVAL;
    int rc = ledgeroutput_open (&self.ledger, jobs->path);
    for (int i = 0; i < 2; i++)
        buffer_init (&self.tails[i], 0);
    buffer_init (&self.text, 0);
    for (int i = 0; i < count && rc >= 0 && !jobs->cli->stopped (jobs->cli); i++) {
        jobs_id (words[i], &self.id);
        self.attempt = 0;
        self.report = self.shown = 0;
        self.lines = lines;
        rc = show_job (&self, jobs->options.follow);
        worst = rc > worst ? rc : worst;
        if (rc < 0 && rc != WEFT_EEND && i + 1 < count) {
            worst = cli_fail (jobs->cli, rc, NULL);
            rc = 0;
        }
    }
    for (int i = 0; i < 2; i++)
        buffer_free (&self.tails[i]);
    buffer_free (&self.text);
    outputfile_close (&self.file);
    ledgeroutput_close (&self.ledger);
    return rc < 0 ? rc : worst;
}

int
jobs_output (struct jobs *self, char **words, int count)
{
    return show_jobs (self, words, count, self->options.lines);
}

int
jobs_tail (struct jobs *self, char **words, int count)
{
    return show_jobs (self, words, count, self->options.lines ? self->options.lines : TAIL_LINES);
}
