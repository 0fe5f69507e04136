/*  resume.c - what a job log says was run before */

#include "cli/resume.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/joblog.h"
#include "core/error.h"
#include "core/map.h"

#define CHUNK 65536
#define LINE_MAX_BYTES (4 << 20)
#define SHOWN 80                /*  bytes of a command in a message */

/*  The last line of a number; one that succeeded counts more than those after it. */
struct resume_entry {
    uint64_t hash;              /*  of the command                          */
    uint64_t offset : 62;       /*  of the line                             */
    uint64_t known : 1, done : 1;
};

static struct resume_entry *
resume_find (const struct resume *self, uint64_t number)
{
    return number <= self->last && number < self->capacity && self->entries[number].known ? &self->entries[number]
                                                                                           : NULL;
}

static int
resume_grow (struct resume *self, uint64_t number)
{
    if (number > RESUME_NUMBER_MAX)
        return error_set (WEFT_ETOOBIG, "the job log %s has a job %llu; numbers up to %d can be resumed", self->path,
                          (unsigned long long) number, RESUME_NUMBER_MAX);
    if (number < self->capacity)
        return 0;
    uint64_t capacity = self->capacity ? self->capacity : 1024;
    while (capacity <= number)
        capacity *= 2;
    struct resume_entry *entries = realloc (self->entries, capacity * sizeof *entries);
    if (!entries)
        return error_set (WEFT_ENOMEM, "out of memory for the job log %s", self->path);
    memset (entries + self->capacity, 0, (capacity - self->capacity) * sizeof *entries);
    self->entries = entries;
    self->capacity = capacity;
    return 0;
}

static int
resume_line (struct resume *self, const char *text, size_t size, uint64_t offset, uint64_t number)
{
    struct joblog_line line;
    if (number == 1) {
        if (size + 1 == strlen (JOBLOG_HEADER) && memcmp (text, JOBLOG_HEADER, size) == 0)
            return 0;
        return error_set (WEFT_EINVAL, "%s is no job log, which begins with Seq and Host", self->path);
    }
    if (!joblog_parse (text, size, &line))
        return error_set (WEFT_EINVAL, "line %llu of the job log %s is broken; remove it, and its job is run again",
                          (unsigned long long) number, self->path);
    int rc = resume_grow (self, line.number);
    if (rc < 0)
        return rc;
    struct resume_entry *entry = &self->entries[line.number];
    self->count += !entry->known;
    self->failed += !entry->known;
    self->failed -= !line.failed && !entry->done;
    entry->hash = hash_bytes (line.command, line.size);
    entry->offset = offset & ((1ull << 62) - 1);
    entry->known = 1;
    entry->done |= !line.failed;
    if (line.number > self->last)
        self->last = line.number;
    return 0;
}

static int
resume_read (struct resume *self, struct buffer *in)
{
    uint64_t offset = 0, number = 0;
    size_t scanned = 0;
    while (true) {
        char *space = buffer_reserve (in, CHUNK);
        if (!space)
            return error_set (WEFT_ETOOBIG, "line %llu of the job log %s is longer than 4 MiB",
                              (unsigned long long) number + 1, self->path);
        ssize_t got = read (self->fd, space, CHUNK);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return error_errno ("cannot read the job log %s", self->path);
        if (got == 0)
            return 0;           /*  what is left was cut off */
        buffer_wrote (in, (size_t) got);
        const char *newline;
        while ((newline = memchr (buffer_data (in) + scanned, '\n', buffer_size (in) - scanned))) {
            size_t size = (size_t) (newline - buffer_data (in));
            int rc = resume_line (self, buffer_data (in), size, offset, ++number);
            if (rc < 0)
                return rc;
            buffer_consume (in, size + 1);
            offset += size + 1;
            scanned = 0;
        }
        scanned = buffer_size (in);
    }
}

int
resume_open (struct resume *self, enum resume_mode mode, const char *path, bool trust)
{
    *self = (struct resume){ .mode = mode, .fd = -1, .trust = trust };
    if (mode == RESUME_NOT)
        return 0;
    self->path = path + (path[0] == '+');
    self->fd = open (self->path, O_RDONLY | O_CLOEXEC);
    if (self->fd < 0)
        return errno == ENOENT && mode != RESUME_RETRY ? 0 : error_errno ("cannot read the job log %s", self->path);
    struct buffer in;
    buffer_init (&in, LINE_MAX_BYTES);
    int rc = resume_read (self, &in);
    buffer_free (&in);
    return rc;
}

void
resume_close (struct resume *self)
{
    if (self->mode != RESUME_NOT && self->fd >= 0)
        close (self->fd);
    free (self->entries);
    *self = (struct resume){ .fd = -1 };
}

/*  The command of an entry, at most `limit` bytes of it, with its newlines. */
static int
resume_command (const struct resume *self, const struct resume_entry *entry, size_t limit, struct buffer *command)
{
    struct joblog_line line;
    struct buffer in;
    int rc = 0;
    const char *newline = NULL;
    buffer_init (&in, LINE_MAX_BYTES + CHUNK);
    while (rc == 0 && !newline) {
        char *space = buffer_reserve (&in, CHUNK);
        ssize_t got = space ? pread (self->fd, space, CHUNK, (off_t) (entry->offset + buffer_size (&in))) : 0;
        if (got <= 0)
            rc = error_set (WEFT_EIO, "cannot read the job log %s again", self->path);
        else {
            buffer_wrote (&in, (size_t) got);
            newline = memchr (buffer_data (&in), '\n', buffer_size (&in));
        }
    }
    if (rc == 0 && !joblog_parse (buffer_data (&in), (size_t) (newline - buffer_data (&in)), &line))
        rc = error_set (WEFT_EIO, "the job log %s was changed while it was read", self->path);
    if (rc == 0) {
        buffer_clear (command);
        rc = buffer_add (command, line.command, line.size < limit ? line.size : limit);
    }
    for (size_t i = 0; rc == 0 && i < buffer_size (command); i++)
        if (!buffer_data (command)[i])
            buffer_data (command)[i] = '\n';
    if (rc == 0)
        rc = buffer_terminate (command);
    buffer_free (&in);
    return rc;
}

/*  As a job log would have it. */
static uint64_t
command_hash (const char *command, struct buffer *scratch)
{
    size_t size = strlen (command);
    if (!strchr (command, '\n') || buffer_add (scratch, command, size) < 0)
        return hash_bytes (command, size);
    for (size_t i = 0; i < size; i++)
        if (buffer_data (scratch)[i] == '\n')
            buffer_data (scratch)[i] = '\0';
    return hash_bytes (buffer_data (scratch), size);
}

static int
resume_refuse (const struct resume *self, uint64_t number, const struct resume_entry *entry, const char *command)
{
    struct buffer was;
    buffer_init (&was, 0);
    int rc = resume_command (self, entry, SHOWN, &was);
    if (rc == 0)
        rc = error_set (WEFT_EINVAL, "the job log %s is from other input: job %llu was '%s' and is '%.*s' now; begin "
                        "again without it, or go by numbers alone with --trust-joblog", self->path,
                        (unsigned long long) number, buffer_data (&was), SHOWN, command);
    buffer_free (&was);
    return rc;
}

int
resume_passes (struct resume *self, uint64_t number, const char *command)
{
    const struct resume_entry *entry = resume_find (self, number);
    if (!entry)
        return 0;
    if (command && !self->trust) {
        struct buffer scratch;
        buffer_init (&scratch, 0);
        bool same = command_hash (command, &scratch) == entry->hash;
        buffer_free (&scratch);
        if (!same)
            return resume_refuse (self, number, entry, command);
    }
    return entry->done || self->mode == RESUME_ENDED;
}

int
resume_next (struct resume *self, uint64_t *number, struct buffer *command)
{
    while (self->retried < self->last) {
        const struct resume_entry *entry = resume_find (self, ++self->retried);
        if (!entry || entry->done)
            continue;
        *number = self->retried;
        int rc = resume_command (self, entry, SIZE_MAX, command);
        return rc < 0 ? rc : 1;
    }
    return WEFT_EEND;
}
