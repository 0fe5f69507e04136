/*  jobout.c - what jobs write, put in order for people and programs */

#include "cli/jobout.h"

#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "core/error.h"

#define PENDING_MAX 65536

void
outlet_init (struct outlet *self, int out, int err)
{
    *self = (struct outlet) { .fds = { out, err } };
    buffer_init (&self->pending, 0);
    spool_init (&self->spool);
}

void
outlet_close (struct outlet *self)
{
    buffer_free (&self->pending);
    spool_close (&self->spool);
}

int
outlet_flush (struct outlet *self)
{
    if (buffer_size (&self->pending) == 0)
        return 0;
    int rc = cli_write (self->fds[0], buffer_data (&self->pending), buffer_size (&self->pending));
    buffer_clear (&self->pending);
    return rc;
}

/*  Standard error after what was written to standard output before. That nobody
 *  reads it is no reason to end. */
static int
outlet_write (struct outlet *self, int stream, const char *data, size_t size)
{
    int rc = 0;
    if (stream == 1 || buffer_size (&self->pending) + size > PENDING_MAX)
        rc = outlet_flush (self);
    if (rc < 0)
        return rc;
    if (stream == 0 && size <= PENDING_MAX)
        return buffer_add (&self->pending, data, size);
    rc = cli_write (self->fds[stream], data, size);
    return stream == 1 && rc == WEFT_EEND ? 0 : rc;
}

int
jobout_init (struct jobout *self, struct outlet *outlet, enum jobout_mode mode, bool keep_order,
             void (*done) (void *arg, struct jobout_job *job), void *arg)
{
    *self = (struct jobout) { .outlet = outlet, .mode = mode, .done = done, .arg = arg, .turn = 1 };
    self->keep_order = keep_order && mode != JOBOUT_RAW;
    if (self->keep_order)
        self->waiting = calloc (JOBOUT_WINDOW, sizeof *self->waiting);
    return self->keep_order && !self->waiting ? error_set (WEFT_ENOMEM, "out of memory") : 0;
}

/*  Jobs that have not come out are given back. */
void
jobout_free (struct jobout *self)
{
    for (size_t i = 0; self->waiting && i < JOBOUT_WINDOW; i++)
        if (self->waiting[i] && self->waiting[i]->ended)
            self->done (self->arg, self->waiting[i]);
    free (self->waiting);
    self->waiting = NULL;
}

bool
jobout_has_room (const struct jobout *self, uint64_t number)
{
    return !self->keep_order || number - self->turn < JOBOUT_WINDOW;
}

void
jobout_begin (struct jobout *self, struct jobout_job *job, uint64_t number, const char *tag)
{
    *job = (struct jobout_job) { .number = number, .tag = self->mode == JOBOUT_RAW ? NULL : tag };
    if (self->keep_order)
        self->waiting[number % JOBOUT_WINDOW] = job;
}

/*  A stream on its way out, line by line where lines are tagged. */
struct printing {
    struct jobout *jobout;
    struct jobout_job *job;
    int stream;
};

static int
print_line (const struct printing *self, const char *data, size_t size)
{
    struct jobout_job *job = self->job;
    struct outlet *outlet = self->jobout->outlet;
    int rc = 0;
    if (!job->begun[self->stream]) {
        rc = outlet_write (outlet, self->stream, job->tag, strlen (job->tag));
        if (rc == 0)
            rc = outlet_write (outlet, self->stream, "\t", 1);
    }
    job->begun[self->stream] = data[size - 1] != '\n';
    return rc < 0 ? rc : outlet_write (outlet, self->stream, data, size);
}

static int
print_bytes (void *arg, const char *data, size_t size)
{
    const struct printing *self = arg;
    if (!self->job->tag)
        return outlet_write (self->jobout->outlet, self->stream, data, size);
    int rc = 0;
    while (size && rc == 0) {
        const char *newline = memchr (data, '\n', size);
        size_t length = newline ? (size_t) (newline - data) + 1 : size;
        rc = print_line (self, data, length);
        data += length;
        size -= length;
    }
    return rc;
}

static int
print_stream (struct jobout *self, struct jobout_job *job, int stream)
{
    struct printing printing = { self, job, stream };
    return spool_drain (&self->outlet->spool, &job->streams[stream], print_bytes, &printing);
}

static bool
has_turn (const struct jobout *self, const struct jobout_job *job)
{
    return !self->keep_order || job->number == self->turn;
}

/*  Whole lines go out, the rest waits for its end. When only one job at a time comes
 *  out there is nothing to wait for. */
static int
write_lines (struct jobout *self, struct jobout_job *job, int stream, const char *data, size_t size)
{
    const char *newline = self->keep_order ? data + size - 1 : memrchr (data, '\n', size);
    struct printing printing = { self, job, stream };
    if (newline) {
        size_t whole = (size_t) (newline - data) + 1;
        int rc = print_stream (self, job, stream);
        if (rc == 0)
            rc = print_bytes (&printing, data, whole);
        if (rc < 0)
            return rc;
        data += whole;
        size -= whole;
    }
    return size ? spool_add (&self->outlet->spool, &job->streams[stream], data, size) : 0;
}

int
jobout_write (struct jobout *self, struct jobout_job *job, int stream, const void *data, size_t size)
{
    int index = stream == 2 ? 1 : 0;
    if (size == 0)
        return 0;
    if (self->mode == JOBOUT_RAW)
        return outlet_write (self->outlet, index, data, size);
    if (self->mode == JOBOUT_LINES && has_turn (self, job))
        return write_lines (self, job, index, data, size);
    return spool_add (&self->outlet->spool, &job->streams[index], data, size);
}

int
jobout_void (struct jobout *self, struct jobout_job *job)
{
    for (int stream = 0; stream < 2; stream++)
        spool_drop (&self->outlet->spool, &job->streams[stream]);
    return 0;
}

static int
print_job (struct jobout *self, struct jobout_job *job)
{
    int rc = print_stream (self, job, 0), rc2 = print_stream (self, job, 1);
    return rc < 0 ? rc : rc2;
}

int
jobout_end (struct jobout *self, struct jobout_job *job)
{
    job->ended = true;
    if (!self->keep_order) {
        int rc = print_job (self, job);
        self->done (self->arg, job);
        return rc;
    }
    int rc = 0;
    while (rc == 0) {
        struct jobout_job **first = &self->waiting[self->turn % JOBOUT_WINDOW];
        job = *first;
        if (!job || job->number != self->turn)
            break;
        /*  What a running job has written so far comes out when its turn comes. */
        if (job->ended || self->mode == JOBOUT_LINES)
            rc = print_job (self, job);
        if (!job->ended)
            break;
        *first = NULL;
        self->turn++;
        self->done (self->arg, job);
    }
    return rc;
}

int
jobout_skip (struct jobout *self, struct jobout_job *job)
{
    jobout_void (self, job);
    return jobout_end (self, job);
}
