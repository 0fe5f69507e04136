/*  joblog.c - a line for each job that has ended, in GNU parallel's columns */

#include "cli/joblog.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/error.h"

#define CHUNK 65536

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

/*  Where the last whole line ends, or -1 with the reason kept. */
static off_t
joblog_whole (const struct joblog *self, off_t size)
{
    char chunk[CHUNK];
    while (size > 0) {
        off_t from = size > CHUNK ? size - CHUNK : 0;
        ssize_t got = pread (self->fd, chunk, (size_t) (size - from), from);
        if (got != size - from) {
            error_errno ("cannot read the job log %s", self->path);
            return -1;
        }
        const char *newline = memrchr (chunk, '\n', (size_t) got);
        if (newline)
            return from + (newline - chunk) + 1;
        size = from;
    }
    return 0;
}

/*  The file may be added to: it is a job log, and ends with a whole line. */
static int
joblog_mend (struct joblog *self, off_t *size)
{
    char head[sizeof JOBLOG_HEADER - 1];
    ssize_t got = pread (self->fd, head, sizeof head, 0);
    if (got < 0)
        return error_errno ("cannot read the job log %s", self->path);
    if (memcmp (head, JOBLOG_HEADER, (size_t) got) != 0)
        return error_set (WEFT_EINVAL, "%s is no job log, which begins with Seq and Host: nothing is added to it",
                          self->path);
    off_t whole = joblog_whole (self, *size);
    if (whole < 0)
        return WEFT_EIO;
    if (whole < *size && ftruncate (self->fd, whole) < 0)
        return error_errno ("cannot write to the job log %s", self->path);
    self->mended = whole < *size;
    *size = whole;
    return 0;
}

int
joblog_open (struct joblog *self, const char *path, enum joblog_mode mode)
{
    *self = (struct joblog){ .fd = -1 };
    buffer_init (&self->line, 0);
    if (!path || mode == JOBLOG_OFF)
        return 0;
    bool add = path[0] == '+' || mode == JOBLOG_ADD;
    self->path = path + (path[0] == '+');
    self->fd = open (self->path, O_CREAT | O_APPEND | O_CLOEXEC | (add ? O_RDWR : O_WRONLY | O_TRUNC), 0666);
    struct stat status;
    if (self->fd < 0 || fstat (self->fd, &status) < 0)
        return error_errno ("cannot write to the job log %s", self->path);
    if (add && S_ISREG (status.st_mode) && status.st_size > 0) {
        int rc = joblog_mend (self, &status.st_size);
        if (rc < 0 || status.st_size > 0)
            return rc;
    }
    int rc = buffer_add_str (&self->line, JOBLOG_HEADER);
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

/*  A field that is a number, with blanks before it or not; moves *text past its TAB. */
static bool
line_number (const char **text, const char *end, char *field, size_t size)
{
    const char *tab = memchr (*text, '\t', (size_t) (end - *text));
    while (tab && *text < tab && **text == ' ')
        ++*text;
    if (!tab || tab == *text || (size_t) (tab - *text) >= size)
        return false;
    for (const char *at = *text; at < tab; at++)
        if (!strchr ("0123456789.-", *at) || !*at)
            return false;
    memcpy (field, *text, (size_t) (tab - *text));
    field[tab - *text] = '\0';
    *text = tab + 1;
    return true;
}

bool
joblog_parse (const char *text, size_t size, struct joblog_line *line)
{
    const char *end = text + size;
    char number[24], field[32];
    if (!line_number (&text, end, number, sizeof number) || strspn (number, "0123456789") != strlen (number))
        return false;
    const char *host = memchr (text, '\t', (size_t) (end - text));     /*  any text */
    if (!host)
        return false;
    text = host + 1;
    bool failed = false;
    for (int i = 0; i < 6; i++) {
        if (!line_number (&text, end, field, sizeof field))
            return false;
        failed |= i >= 4 && strcmp (field, "0") != 0;   /*  exit status and signal */
    }
    errno = 0;
    *line = (struct joblog_line){ .number = strtoull (number, NULL, 10), .failed = failed, .command = text,
                                  .size = (size_t) (end - text) };
    return errno == 0 && line->number > 0;
}
