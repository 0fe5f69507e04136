/*  resultrow.c - --results FILE.csv, .tsv or .json: a row for each job */

#include "cli/resultrow.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/error.h"

#define CHUNK 4096

static char
separator (const struct results *self)
{
    return self->kind == RESULTS_TSV ? '\t' : ',';
}

int
resultrow_open (struct results *self, int out)
{
    if (self->path[0] == '-' && self->path[1] == '.')
        return out;
    self->fd = open (self->path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    return self->fd < 0 ? error_errno ("cannot keep results in %s", self->path) : self->fd;
}

int
resultrow_fresh (const struct results *self)
{
    struct stat status;
    if (!results_are_rows (self) || (self->path[0] == '-' && self->path[1] == '.') || stat (self->path, &status) < 0
        || !S_ISREG (status.st_mode) || status.st_size == 0)
        return 0;
    return error_set (WEFT_EINVAL, "%s has rows already, which those of this run would take the place of: give "
                      "--results another file", self->path);
}

bool
resultrow_needs_quotes (const struct results *self, const char *data, size_t size)
{
    if (self->kind == RESULTS_JSON)
        return true;
    for (size_t i = 0; i < size; i++)
        if (!data[i] || strchr (" \t\n\v\f\r\"", data[i]) || data[i] == separator (self))
            return true;
    return false;
}

/*  What stands between quotes, for a piece of a field. */
static int
add_quoted (const struct results *self, const char *data, size_t size, struct buffer *out)
{
    int rc = 0;
    for (size_t i = 0; i < size && rc == 0; i++) {
        unsigned char c = (unsigned char) data[i];
        if (self->kind != RESULTS_JSON)
            rc = buffer_add (out, "\"\"", c == '"' ? 2 : 0);
        else if (c < ' ')
            rc = buffer_addf (out, "\\u%04x", c);
        else if (c == '"' || c == '\\')
            rc = buffer_add (out, "\\", 1);
        if (rc == 0 && (self->kind == RESULTS_JSON ? c >= ' ' : c != '"'))
            rc = buffer_add (out, data + i, 1);
    }
    return rc;
}

static int
add_field (const struct results *self, const char *text, struct buffer *out)
{
    size_t size = strlen (text);
    if (!resultrow_needs_quotes (self, text, size))
        return buffer_add (out, text, size);
    int rc = buffer_add_str (out, "\"");
    if (rc == 0)
        rc = add_quoted (self, text, size, out);
    return rc < 0 ? rc : buffer_add_str (out, "\"");
}

int
resultrow_values (struct results *self, struct arglist *args, struct buffer *out)
{
    char **values = arglist_values (args), part = separator (self);
    int rc = 0;
    if (!self->columns)
        self->columns = args->count;
    for (size_t i = 0; i < args->count && rc == 0; i++) {
        rc = i ? buffer_add (out, &part, 1) : 0;
        if (rc == 0)
            rc = add_field (self, values[i], out);
    }
    return rc;
}

static int
head_json (const struct results *self, const struct joblog_entry *entry, const char *values, struct buffer *out)
{
    int rc = buffer_addf (out, "{ \"Seq\": %llu, \"Host\": ", (unsigned long long) entry->number);
    if (rc == 0)
        rc = add_field (self, entry->host, out);
    if (rc == 0)
        rc = buffer_addf (out, ", \"Starttime\": %.3f, \"JobRuntime\": %.3f, \"Send\": %llu, \"Receive\": %llu, "
                          "\"Exitval\": %d, \"Signal\": %d, \"Command\": ", (double) entry->started / 1e6,
                          (double) entry->runtime / 1e6, (unsigned long long) entry->sent,
                          (unsigned long long) entry->received, entry->status, entry->signal);
    if (rc == 0)
        rc = add_field (self, entry->command, out);
    return rc < 0 ? rc : buffer_addf (out, ", \"V\": [ %s ], \"Stdout\": ", values);
}

static int
head_csv (const struct results *self, const struct joblog_entry *entry, const char *values, struct buffer *out)
{
    char c = separator (self);
    int rc = buffer_addf (out, "%llu%c", (unsigned long long) entry->number, c);
    if (rc == 0)
        rc = add_field (self, entry->host, out);
    if (rc == 0)
        rc = buffer_addf (out, "%c%.3f%c%.3f%c%llu%c%llu%c%d%c%d%c", c, (double) entry->started / 1e6, c,
                          (double) entry->runtime / 1e6, c, (unsigned long long) entry->sent, c,
                          (unsigned long long) entry->received, c, entry->status, c, entry->signal, c);
    if (rc == 0)
        rc = add_field (self, entry->command, out);
    if (rc == 0)
        rc = buffer_add (out, &c, 1);
    if (rc == 0 && *values)
        rc = buffer_add_str (out, values);
    return rc < 0 || !*values ? rc : buffer_add (out, &c, 1);
}

char *
resultrow_head (const struct results *self, const struct joblog_entry *entry, const char *values)
{
    struct buffer out;
    buffer_init (&out, 0);
    int rc = (self->kind == RESULTS_JSON ? head_json : head_csv) (self, entry, values, &out);
    if (rc == 0)
        rc = buffer_terminate (&out);
    char *text = rc == 0 ? strdup (buffer_data (&out)) : NULL;
    buffer_free (&out);
    return text;
}

/* ---------------------------------------------------------------- printing */

struct printing {
    const struct results *results;
    struct outlet *outlet;
    bool quoted;
    struct buffer piece;
};

static int
put (struct outlet *outlet, const char *text)
{
    return outlet_write (outlet, 0, text, strlen (text));
}

static ssize_t
print_piece (void *arg, const char *data, size_t size)
{
    struct printing *self = arg;
    if (!self->quoted) {
        int rc = outlet_write (self->outlet, 0, data, size);
        return rc < 0 ? rc : (ssize_t) size;
    }
    for (size_t done = 0; done < size; done += CHUNK) {
        size_t left = size - done;
        buffer_clear (&self->piece);
        int rc = add_quoted (self->results, data + done, left < CHUNK ? left : CHUNK, &self->piece);
        if (rc == 0)
            rc = outlet_write (self->outlet, 0, buffer_data (&self->piece), buffer_size (&self->piece));
        if (rc < 0)
            return rc;
    }
    return (ssize_t) size;
}

static int
print_field (struct results *self, struct outlet *outlet, bool quoted, struct spooled *stream)
{
    struct printing printing = { .results = self, .outlet = outlet, .quoted = quoted };
    buffer_init (&printing.piece, 0);
    int rc = quoted ? put (outlet, "\"") : 0;
    if (rc == 0)
        rc = spool_drain (&outlet->spool, stream, print_piece, &printing);
    buffer_free (&printing.piece);
    return rc < 0 || !quoted ? rc : put (outlet, "\"");
}

static int
print_names (struct results *self, struct outlet *outlet)
{
    static const char *const names[] = { "Seq", "Host", "Starttime", "JobRuntime", "Send", "Receive", "Exitval",
                                         "Signal", "Command" };
    struct buffer out;
    char c = separator (self);
    int rc = 0;
    buffer_init (&out, 0);
    for (size_t i = 0; i < sizeof names / sizeof *names && rc == 0; i++)
        rc = buffer_addf (&out, "%s%c", names[i], c);
    for (size_t i = 1; i <= self->columns && rc == 0; i++) {
        bool named = self->names && i <= self->names->count;
        rc = named ? add_field (self, arglist_values (self->names)[i - 1], &out) : buffer_addf (&out, "V%zu", i);
        if (rc == 0)
            rc = buffer_add (&out, &c, 1);
    }
    if (rc == 0)
        rc = buffer_addf (&out, "Stdout%cStderr\n", c);
    if (rc == 0)
        rc = outlet_write (outlet, 0, buffer_data (&out), buffer_size (&out));
    buffer_free (&out);
    self->headed = rc == 0;
    return rc;
}

int
resultrow_print (struct results *self, struct outlet *outlet, const char *head, const struct results_job *kept,
                 struct jobout_job *job)
{
    bool json = self->kind == RESULTS_JSON;
    char between[2] = { separator (self) };
    int rc = json || self->headed ? 0 : print_names (self, outlet);
    if (rc == 0)
        rc = put (outlet, head);
    if (rc == 0)
        rc = print_field (self, outlet, json || kept->quoted[0], &job->streams[0]);
    if (rc == 0)
        rc = put (outlet, json ? ", \"Stderr\": " : between);
    if (rc == 0)
        rc = print_field (self, outlet, json || kept->quoted[1], &job->streams[1]);
    return rc < 0 ? rc : put (outlet, json ? " }\n" : "\n");
}
