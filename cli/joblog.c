/*  joblog.c - a line for each job that has ended, in GNU parallel's columns */

#include "cli/joblog.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/error.h"

static int
joblog_write (struct joblog *self)
{
    size_t size = buffer_size (&self->line);
    ssize_t rc = write (self->fd, buffer_data (&self->line), size);
    buffer_clear (&self->line);
    if (rc < 0)
        return error_errno ("cannot write to the job log %s", self->path);
    if ((size_t) rc < size)
        return error_set (WEFT_EIO, "cannot write to the job log %s: the disk is full", self->path);
    return 0;
}

int
joblog_open (struct joblog *self, const char *path)
{
    *self = (struct joblog){ .fd = -1 };
    buffer_init (&self->line, 0);
    if (!path)
        return 0;
    bool append = path[0] == '+';
    self->path = path + append;
    self->fd = open (self->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | (append ? 0 : O_TRUNC), 0666);
    struct stat status;
    if (self->fd < 0 || fstat (self->fd, &status) < 0)
        return error_errno ("cannot write to the job log %s", self->path);
    if (append && status.st_size > 0)
        return 0;
    int rc = buffer_add_str (&self->line,
                             "Seq\tHost\tStarttime\tJobRuntime\tSend\tReceive\tExitval\tSignal\tCommand\n");
    return rc < 0 ? rc : joblog_write (self);
}

void
joblog_close (struct joblog *self)
{
    if (self->fd >= 0)
        close (self->fd);
    self->fd = -1;
    buffer_free (&self->line);
}

int
joblog_add (struct joblog *self, const struct joblog_entry *entry)
{
    if (self->fd < 0)
        return 0;
    int rc = buffer_addf (&self->line, "%llu\t%s\t%.3f\t%10.3f\t%llu\t%llu\t%d\t%d\t",
                          (unsigned long long) entry->number, entry->host, (double) entry->started / 1e6,
                          (double) entry->runtime / 1e6, (unsigned long long) entry->sent,
                          (unsigned long long) entry->received, entry->status, entry->signal);
    size_t head = buffer_size (&self->line);
    if (rc == 0)
        rc = buffer_add_str (&self->line, entry->command);
    if (rc < 0)
        return rc;
    /*  A newline would end the entry: GNU parallel, which may read this file, writes NUL. */
    char *data = buffer_data (&self->line);
    for (char *at = data + head; (at = memchr (at, '\n', (size_t) (data + buffer_size (&self->line) - at))); at++)
        *at = '\0';
    rc = buffer_add_str (&self->line, "\n");
    return rc < 0 ? rc : joblog_write (self);
}
