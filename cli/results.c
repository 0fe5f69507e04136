/*  results.c - --results: what each job writes, kept in files of its own */

#include "cli/results.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/header.h"
#include "cli/resultrow.h"
#include "core/error.h"

#define NAME_BYTES 255          /*  GNU parallel cuts longer ones, too  */
#define COLUMNS_MAX 1000        /*  in a path, which is shorter than that */

enum results_file {
    FILE_OUT,
    FILE_ERR,
    FILE_SEQ
};

static bool
ends_with (const char *text, const char *end)
{
    size_t size = strlen (text), end_size = strlen (end);
    return size >= end_size && strcasecmp (text + size - end_size, end) == 0;
}

int
results_open (struct results *self, const char *path)
{
    *self = (struct results){ .path = path, .fd = -1 };
    if (!path)
        return 0;
    if (!*path)
        return error_set (WEFT_EINVAL, "--results needs the name of a folder");
    int rc = replace_compile (&self->template, path, 0);
    if (rc < 0)
        return rc;
    self->kind = ends_with (path, ".csv") ? RESULTS_CSV : ends_with (path, ".tsv") ? RESULTS_TSV
                 : ends_with (path, ".json") ? RESULTS_JSON
                 : self->template.replaces ? RESULTS_NAMED : RESULTS_TREE;
    clock_gettime (CLOCK_REALTIME_COARSE, &self->since);        /*  the clock of file systems */
    return 0;
}

int
results_name (struct results *self, struct arglist *names)
{
    struct replace old = self->template;
    struct buffer text;
    self->names = names;
    if (self->kind != RESULTS_NAMED && self->kind != RESULTS_TREE)
        return 0;
    buffer_init (&text, 0);
    int rc = header_number (names, old.text, &text);
    if (rc == 0)
        rc = replace_compile (&self->template, buffer_data (&text), old.flags);
    if (rc == 0 && self->template.replaces)
        self->kind = RESULTS_NAMED;
    if (rc < 0)
        self->template = (struct replace){ .count = 0 };
    replace_free (&old);
    buffer_free (&text);
    return rc;
}

void
results_close (struct results *self)
{
    replace_free (&self->template);
    if (self->kind != RESULTS_NONE && self->fd >= 0)
        close (self->fd);
    *self = (struct results){ .fd = -1 };
}

bool
results_are_rows (const struct results *self)
{
    return self->kind >= RESULTS_CSV;
}

/* ------------------------------------------------------------------- names */

/*  A value as a name, with GNU parallel's quoting. A dot and two of them, which are no
 *  names, are quoted, too, where it writes elsewhere. */
static int
add_name (const char *value, struct buffer *place)
{
    static const char plain[] = "\\\t/", codes[] = "\\t_";
    size_t start = buffer_size (place);
    int rc = strcmp (value, ".") == 0 || strcmp (value, "..") == 0 ? buffer_add_str (place, "\\") : 0;
    for (; *value && rc == 0; value++) {
        const char *found = strchr (plain, *value);
        if (found)
            rc = buffer_addf (place, "\\%c", codes[found - plain]);
        else
            rc = buffer_add (place, value, 1);
    }
    if (rc == 0 && buffer_size (place) - start > NAME_BYTES)
        place->tail -= buffer_size (place) - start - NAME_BYTES;
    return rc;
}

/*  The name of a column, or its number at `text`. */
static const char *
column_name (const struct results *self, unsigned column, char text[12])
{
    snprintf (text, 12, "%u", column);
    return self->names && column <= self->names->count ? arglist_values (self->names)[column - 1] : text;
}

/*  As GNU parallel sorts columns: by the number that a name begins with, then as text. */
static bool
column_before (const struct results *self, unsigned a, unsigned b)
{
    char text[2][12];
    const char *one = column_name (self, a, text[0]), *two = column_name (self, b, text[1]);
    double first = strtod (one, NULL), second = strtod (two, NULL);
    return first != second ? first < second : strcmp (one, two) < 0;
}

/*  The values of a row, of which there are few, sorted by their columns. */
static int
place_row (const struct results *self, struct arglist *args, size_t start, size_t end, struct buffer *place)
{
    size_t order[end - start];
    for (size_t i = start; i < end; i++) {
        size_t at = i - start;
        for (; at > 0 && self->names && column_before (self, args->columns[i], args->columns[order[at - 1]]); at--)
            order[at] = order[at - 1];
        order[at] = i;
    }
    int rc = 0;
    for (size_t i = 0; i < end - start && rc == 0; i++) {
        char text[12];
        rc = add_name (column_name (self, args->columns[order[i]], text), place);
        if (rc == 0)
            rc = buffer_add_str (place, "/");
        if (rc == 0)
            rc = add_name (arglist_values (args)[order[i]], place);
        if (rc == 0)
            rc = buffer_add_str (place, "/");
    }
    return rc;
}

static int
place_tree (const struct results *self, struct arglist *args, struct buffer *place)
{
    int rc = buffer_addf (place, "%s/", self->path);
    if (rc == 0 && args->count == 0)
        rc = buffer_add_str (place, "1/\\0noarg/");
    for (size_t start = 0, end; start < args->count && rc == 0; start = end) {
        for (end = start + 1; end < args->count && args->columns[end] != 1; end++)
            ;
        if (end - start > COLUMNS_MAX)
            return error_set (WEFT_ETOOBIG, "--results: %zu columns are too many for names of folders", end - start);
        rc = place_row (self, args, start, end, place);
    }
    return rc;
}

int
results_place (struct results *self, struct arglist *args, uint64_t number, const char *slot, struct buffer *place)
{
    buffer_clear (place);
    int rc = 0;
    if (results_are_rows (self))
        rc = resultrow_values (self, args, place);
    else if (self->kind == RESULTS_TREE)
        rc = place_tree (self, args, place);
    else if (self->kind == RESULTS_NAMED)
        rc = replace_render (&self->template, arglist_values (args), args->count, number, slot, place);
    return rc < 0 ? rc : buffer_terminate (place);
}

/*  `part` is the number of the job that is writing it, or 0. */
static int
file_path (const char *place, enum results_file file, uint64_t part, char *path)
{
    static const char *const inside[] = { "stdout", "stderr", "seq" }, *const beside[] = { "", ".err", ".seq" };
    size_t size = strlen (place);
    bool folder = size && place[size - 1] == '/';
    int length = snprintf (path, PATH_MAX, "%s%s", place, (folder ? inside : beside)[file]);
    if (part && length < PATH_MAX)
        length += snprintf (path + length, (size_t) (PATH_MAX - length), ".%llu.part", (unsigned long long) part);
    if (length < PATH_MAX)
        return 0;
    return error_set (WEFT_ETOOBIG, "cannot keep results in %.200s...: the path is longer than %d bytes", place,
                      PATH_MAX - 1);
}

/*  Opens a file to be written, and makes the folders above it. */
static int
file_open (char *path, int flags)
{
    int fd = open (path, O_RDWR | O_CREAT | O_CLOEXEC | flags, 0666);
    if (fd < 0 && errno == ENOENT) {
        for (char *at = strchr (path + 1, '/'); at; at = strchr (at + 1, '/')) {
            *at = '\0';
            int rc = mkdir (path, 0777);
            *at = '/';
            if (rc < 0 && errno != EEXIST)
                return error_errno ("cannot keep results in %s", path);
        }
        fd = open (path, O_RDWR | O_CREAT | O_CLOEXEC | flags, 0666);
    }
    return fd < 0 ? error_errno ("cannot keep results in %s", path) : fd;
}

int
results_path (const char *place, bool error, char *path)
{
    return file_path (place, error ? FILE_ERR : FILE_OUT, 0, path);
}

bool
results_exist (const struct results *self, const char *place)
{
    char path[PATH_MAX];
    return !results_are_rows (self) && file_path (place, FILE_OUT, 0, path) == 0 && access (path, F_OK) == 0;
}

/* -------------------------------------------------------------------- jobs */

/*  The number of the job, which is also the mark that this run has used the place: 1 when
 *  another job of it has. */
static int
write_number (const struct results *self, const char *place, uint64_t number)
{
    char path[PATH_MAX], text[24], old[24] = "";
    struct stat status;
    int rc = file_path (place, FILE_SEQ, 0, path);
    int fd = rc < 0 ? rc : file_open (path, 0);
    if (fd < 0)
        return fd;
    int size = snprintf (text, sizeof text, "%llu", (unsigned long long) number);
    if (fstat (fd, &status) == 0 && pread (fd, old, sizeof old - 1, 0) > 0)
        rc = strcmp (old, text) != 0 && (status.st_mtim.tv_sec > self->since.tv_sec
                                         || (status.st_mtim.tv_sec == self->since.tv_sec
                                             && status.st_mtim.tv_nsec >= self->since.tv_nsec));
    if (pwrite (fd, text, (size_t) size, 0) != size || ftruncate (fd, size) < 0)
        rc = error_errno ("cannot keep results in %s", path);
    if (close (fd) < 0 && rc >= 0)
        rc = error_errno ("cannot keep results in %s", path);
    return rc;
}

/*  Whatever an error says was said: the job counts as one that was not kept. */
static int
job_bad (struct results_job *job, int error)
{
    job->bad = true;
    return error;
}

static int
job_close (struct results_job *job, int stream)
{
    if (!job->fds[stream])
        return 0;
    int rc = close (job->fds[stream] - 1);
    job->fds[stream] = 0;
    job->results->opened--;
    return rc;
}

int
results_begin (struct results *self, struct results_job *job, const char *place, uint64_t number)
{
    char path[PATH_MAX];
    job->results = self;
    job->number = number;
    if (job->begun)
        results_void (job);
    if (job->begun || results_are_rows (self))
        return 0;
    int rc = write_number (self, place, number);
    for (int stream = 0; stream < 2 && rc >= 0; stream++) {
        int rc2 = file_path (place, (enum results_file) stream, 0, path);
        if (rc2 == 0 && unlink (path) < 0 && errno != ENOENT)
            rc2 = error_errno ("cannot keep results in %s", path);
        rc = rc2 < 0 ? rc2 : rc;
    }
    if (rc < 0)
        return job_bad (job, rc);
    job->begun = true;
    bool tell = rc == 1 && !self->told;
    self->told |= tell;
    return tell;
}

/*  The descriptor of a stream's .part, which is emptied when it is first opened. */
static int
job_part (struct results_job *job, const char *place, int stream)
{
    char path[PATH_MAX];
    if (job->fds[stream])
        return job->fds[stream] - 1;
    int rc = file_path (place, (enum results_file) stream, job->number, path);
    if (rc == 0 && !job->made[stream] && unlink (path) < 0 && errno != ENOENT)
        rc = error_errno ("cannot keep results in %s", path);
    int fd = rc < 0 ? rc : file_open (path, O_APPEND);
    if (fd < 0)
        return fd;
    job->made[stream] = true;
    job->fds[stream] = fd + 1;
    job->results->opened++;
    return fd;
}

int
results_write (struct results_job *job, const char *place, int stream, const void *data, size_t size)
{
    if (job->bad)
        return 0;
    if (results_are_rows (job->results)) {
        job->quoted[stream] |= resultrow_needs_quotes (job->results, data, size);
        return 0;
    }
    int fd = job_part (job, place, stream);
    if (fd < 0)
        return job_bad (job, fd);
    while (size) {
        ssize_t rc = write (fd, data, size);
        if (rc < 0 && errno == EINTR)
            continue;
        if (rc < 0)
            return job_bad (job, error_errno ("cannot keep results in %s", place));
        data = (const char *) data + rc;
        size -= (size_t) rc;
    }
    if (job->results->opened > RESULTS_OPEN_MAX && job_close (job, stream) < 0)
        return job_bad (job, error_errno ("cannot keep results in %s", place));
    return 0;
}

void
results_void (struct results_job *job)
{
    job->quoted[0] = job->quoted[1] = false;
    for (int stream = 0; stream < 2; stream++) {
        job_close (job, stream);
        job->made[stream] = false;
    }
}

static int
stream_end (struct results_job *job, const char *place, int stream)
{
    char part[PATH_MAX], path[PATH_MAX];
    int rc = file_path (place, (enum results_file) stream, job->number, part);
    if (rc == 0)
        rc = file_path (place, (enum results_file) stream, 0, path);
    if (rc < 0)
        return rc;
    if (job_close (job, stream) < 0)
        return error_errno ("cannot keep results in %s", part);
    if (!job->made[stream]) {
        unlink (part);          /*  of a run that was interrupted */
        int fd = file_open (path, O_TRUNC);
        return fd < 0 ? fd : close (fd) < 0 ? error_errno ("cannot keep results in %s", path) : 0;
    }
    return rename (part, path) < 0 ? error_errno ("cannot keep results in %s", path) : 0;
}

int
results_end (struct results_job *job, const char *place)
{
    if (job->bad)
        return 0;
    if (!job->results || results_are_rows (job->results) || !job->begun)
        return 0;
    /*  Standard output is the last: where it stands the job has ended. */
    int rc = stream_end (job, place, 1);
    if (rc == 0)
        rc = stream_end (job, place, 0);
    return rc < 0 ? job_bad (job, rc) : 0;
}

void
results_drop (struct results_job *job)
{
    for (int stream = 0; stream < 2; stream++)
        job_close (job, stream);
}
