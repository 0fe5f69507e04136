/*  jobout.c - what jobs write, put in order for people and programs */

#include "cli/jobout.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/error.h"

#define PENDING_MIN 65536       /*  bytes that are gathered before they are written */

/*  The descriptor may be shared with others and is left as it is, so a write may wait:
 *  but not one of PIPE_BUF bytes to what poll calls writable. */
static void
end_init (struct outlet_end *self, int fd)
{
    struct stat status;
    *self = (struct outlet_end){ .fd = fd, .name = "the output", .most = PIPE_BUF, .terminal = isatty (fd) != 0 };
    if (fstat (fd, &status) == 0 && (S_ISREG (status.st_mode) || (S_ISCHR (status.st_mode) && !self->terminal)))
        self->most = SIZE_MAX;
}

void
outlet_init (struct outlet *self, int out, int err)
{
    *self = (struct outlet){ .bar = NULL };
    end_init (&self->ends[0], out);
    end_init (&self->ends[1], err);
    spool_init (&self->spool);
}

void
outlet_close (struct outlet *self)
{
    for (int i = 0; i < 2; i++)
        spool_drop (&self->spool, &self->ends[i].pending);
    spool_close (&self->spool);
}

static ssize_t
end_write (void *arg, const char *data, size_t size)
{
    const struct outlet_end *self = arg;
    size_t done = 0;
    while (done < size) {
        struct pollfd ready = { .fd = self->fd, .events = POLLOUT };
        if (poll (&ready, 1, 0) == 0)
            break;
        size_t left = size - done;
        ssize_t rc = write (self->fd, data + done, left < self->most ? left : self->most);
        if (rc < 0 && errno == EPIPE)
            return error_set (WEFT_EEND, "whoever reads the output has gone");
        if (rc < 0 && errno != EAGAIN && errno != EINTR)
            return error_errno ("cannot write %s", self->name);
        done += rc > 0 ? (size_t) rc : 0;
    }
    return (ssize_t) done;
}

static int
end_flush (struct outlet *self, struct outlet_end *end)
{
    if (spool_empty (&end->pending))
        return 0;
    if (self->bar && end->terminal)
        progress_clear (self->bar);
    int rc = spool_drain (&self->spool, &end->pending, end_write, end);
    return rc > 0 ? 0 : rc;
}

/*  That nobody reads standard error is no reason to end. */
int
outlet_flush (struct outlet *self)
{
    if (end_flush (self, &self->ends[1]) < 0)
        spool_drop (&self->spool, &self->ends[1].pending);
    return end_flush (self, &self->ends[0]);
}

int
outlet_fd (const struct outlet *self)
{
    for (int i = 0; i < 2; i++)
        if (!spool_empty (&self->ends[i].pending))
            return self->ends[i].fd;
    return -1;
}

bool
outlet_full (const struct outlet *self)
{
    return self->ends[0].pending.count || self->ends[1].pending.count;
}

int
outlet_write (struct outlet *self, int stream, const char *data, size_t size)
{
    struct spooled *pending = &self->ends[stream].pending;
    int rc = spool_empty (&self->ends[!stream].pending) ? 0 : outlet_flush (self);
    if (rc == 0)
        rc = spool_add (&self->spool, pending, data, size);
    if (rc == 0 && buffer_size (&pending->memory) >= PENDING_MIN)
        rc = outlet_flush (self);
    return rc;
}

int
jobout_init (struct jobout *self, struct outlet *outlet, enum jobout_mode mode, bool keep_order,
             void (*done) (void *arg, struct jobout_job *job), void *arg)
{
    *self = (struct jobout){ .outlet = outlet, .mode = mode, .done = done, .arg = arg, .turn = 1 };
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
    return !self->keep_order || number < self->turn || number - self->turn < JOBOUT_WINDOW;
}

void
jobout_begin (struct jobout *self, struct jobout_job *job, uint64_t number, const char *tag)
{
    *job = (struct jobout_job){ .number = number, .tag = self->mode == JOBOUT_RAW ? NULL : tag };
    job->passed = self->keep_order && number < self->turn;
    if (self->keep_order && !job->passed)
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
print_bytes (const struct printing *self, const char *data, size_t size)
{
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

static ssize_t
print_spooled (void *arg, const char *data, size_t size)
{
    int rc = print_bytes (arg, data, size);
    return rc < 0 ? rc : (ssize_t) size;
}

static int
print_stream (struct jobout *self, struct jobout_job *job, int stream)
{
    struct printing printing = { self, job, stream };
    return spool_drain (&self->outlet->spool, &job->streams[stream], print_spooled, &printing);
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
    int rc = self->print ? self->print (self->arg, job) : print_stream (self, job, 0);
    int rc2 = self->print ? 0 : print_stream (self, job, 1);
    jobout_void (self, job);        /*  what an error has left */
    return rc < 0 ? rc : rc2;
}

/*  Those whose turn has come. What a running one has written so far comes out, too, where
 *  lines do. */
static int
jobout_advance (struct jobout *self)
{
    int rc = 0;
    while (rc == 0) {
        struct jobout_job **first = &self->waiting[self->turn % JOBOUT_WINDOW], *job = *first;
        if (!job || job->number != self->turn)
            break;
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
jobout_end (struct jobout *self, struct jobout_job *job)
{
    job->ended = true;
    if (self->keep_order && !job->passed)
        return jobout_advance (self);
    int rc = print_job (self, job);
    self->done (self->arg, job);
    return rc;
}

int
jobout_pass (struct jobout *self)
{
    struct jobout_job **first = &self->waiting[self->turn % JOBOUT_WINDOW];
    if (*first && (*first)->number == self->turn) {
        (*first)->passed = true;
        *first = NULL;
    }
    self->turn++;
    return jobout_advance (self);
}

int
jobout_finish (struct jobout *self)
{
    int rc = 0;
    for (size_t i = 0; self->keep_order && i < JOBOUT_WINDOW && rc == 0; i++)
        rc = jobout_pass (self);
    return rc;
}

int
jobout_skip (struct jobout *self, struct jobout_job *job)
{
    jobout_void (self, job);
    return jobout_end (self, job);
}
