/*  jobinput.c - one source of values: words, or what is read of files */

#include "cli/jobinput.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"

static bool
is_blank (const char *text)
{
    while (isspace ((unsigned char) *text))
        text++;
    return *text == '\0';
}

/*  Takes over the pointer; the text itself is the input's when it is a file. */
static int
keep_value (struct jobinput *self, char *text)
{
    if (self->count == self->capacity) {
        size_t capacity = self->capacity ? self->capacity * 2 : 16;
        char **kept = realloc (self->kept, capacity * sizeof *kept);
        if (!kept)
            return error_set (WEFT_ENOMEM, "out of memory for %zu values", capacity);
        self->kept = kept;
        self->capacity = capacity;
    }
    self->kept[self->count++] = text;
    return 0;
}

int
jobinput_words (struct jobinput *self, char *const *words, size_t count)
{
    self->keep = self->ended = true;
    for (size_t i = 0; i < count; i++)
        if (!(self->rules->skip_blank && is_blank (words[i])) && keep_value (self, words[i]) < 0)
            return WEFT_ENOMEM;
    return 0;
}

int
jobinput_file (struct jobinput *self, const char *path, int in)
{
    self->file = true;
    return records_open (&self->records, path, in, self->rules->delimiter, self->rules->delimiter_size);
}

void
jobinput_free (struct jobinput *self)
{
    for (size_t i = 0; self->file && self->keep && i < self->count; i++)
        free (self->kept[i]);
    free (self->kept);
    if (self->file)
        records_close (&self->records);
}

/*  The next value of a file, or of those that follow on it. */
static int
next_value (struct jobinput *self, char **value, size_t *size)
{
    while (true) {
        int rc = records_next (&self->records, value, size);
        if (rc == 1 && self->rules->skip_blank && is_blank (*value))
            continue;
        if (rc != WEFT_EEND || self->chain_count == 0)
            return rc;
        records_close (&self->records);
        self->chain_count--;
        rc = jobinput_file (self, *self->chain++, self->in);
        if (rc < 0)
            return rc;
    }
}

/*  Reads one value more of a file: 1 with *value set, 0, WEFT_EEND or an error. */
static int
read_value (struct jobinput *self, char **value)
{
    size_t size;
    int rc = next_value (self, value, &size);
    if (rc == 0)
        self->rules->waiting_fd = self->records.fd;
    if (rc == WEFT_EEND)
        self->ended = true;
    if (rc != 1)
        return rc;
    if (!self->keep) {
        self->count++;
        return 1;
    }
    self->rules->kept_bytes += size + 1 + sizeof *value;
    if (self->rules->kept_bytes > JOBINPUT_KEPT_MAX)
        return error_set (WEFT_ETOOBIG, "%s: too long to be combined with other sources (over %d MiB); "
                          "give it first", self->records.name, JOBINPUT_KEPT_MAX >> 20);
    *value = strdup (*value);
    if (!*value || keep_value (self, *value) < 0) {
        free (*value);
        return error_set (WEFT_ENOMEM, "out of memory for values");
    }
    return 1;
}

int
jobinput_at (struct jobinput *self, uint64_t index, char **value)
{
    if (self->keep && index < self->count) {
        *value = self->kept[index];
        return 1;
    }
    return self->ended ? WEFT_EEND : read_value (self, value);
}

int
jobinput_name (struct jobinput *self, char **value)
{
    size_t size = 0;
    if (!self->file) {
        if (self->count == 0)
            return WEFT_EEND;
        *value = self->kept[0];
        memmove (self->kept, self->kept + 1, --self->count * sizeof *self->kept);
        return 1;
    }
    int rc = next_value (self, value, &size);
    if (rc == 0)
        self->rules->waiting_fd = self->records.fd;
    if (rc == WEFT_EEND)
        self->ended = true;
    size = rc == 1 ? strlen (*value) : 0;
    if (size && (*value)[size - 1] == '\r')
        (*value)[size - 1] = '\0';
    return rc;
}
