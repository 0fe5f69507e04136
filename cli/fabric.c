/*  fabric.c - a fabric in one file: reading it, and its parts */

#include "cli/fabric.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/fabric_parts.h"
#include "core/error.h"
#include "core/file.h"

#define MISTAKES_MAX 100
#define MISTAKE_SIZE 1200

/* ---------------------------------------------------------------- mistakes */

void
fabric_mistake (struct fabric_reader *self, int line, const struct fabric_part *part, const char *format, ...)
{
    char text[MISTAKE_SIZE];
    va_list args;
    self->failed = true;
    if (self->count == MISTAKES_MAX)
        return;
    int used = part ? snprintf (text, sizeof text, "%s: ", part->name) : 0;
    size_t at = (size_t) used < sizeof text ? (size_t) used : sizeof text - 1;
    va_start (args, format);
    vsnprintf (text + at, sizeof text - at, format, args);
    va_end (args);
    char *copy = strdup (text);
    if (copy)
        self->mistakes[self->count++] = (struct fabric_mistake){ .line = line, .text = copy };
}

static void
on_wrong_line (void *arg, int line, const char *text)
{
    fabric_mistake (arg, line, NULL, "%s", text);
}

/*  In the order of the lines; those of one line as they were found. */
static void
tell_mistakes (struct fabric_reader *self, const char *name, fabric_wrong_fn *wrong, void *arg)
{
    char text[MISTAKE_SIZE + 512];
    for (size_t i = 1; i < self->count; i++)
        for (size_t j = i; j > 0 && self->mistakes[j - 1].line > self->mistakes[j].line; j--) {
            struct fabric_mistake mistake = self->mistakes[j];
            self->mistakes[j] = self->mistakes[j - 1];
            self->mistakes[j - 1] = mistake;
        }
    for (size_t i = 0; i < self->count; i++) {
        const struct fabric_mistake *each = &self->mistakes[i];
        if (each->line)
            snprintf (text, sizeof text, "%s:%d: %s", name, each->line, each->text);
        else
            snprintf (text, sizeof text, "%s: %s", name, each->text);
        wrong (arg, text);
    }
}

/* ----------------------------------------------------------------- reading */

int
fabric_parse (struct fabric **handle, const char *name, const char *text, size_t size, fabric_wrong_fn *wrong,
              void *arg)
{
    struct fabric_reader reader = { .fabric = calloc (1, sizeof *reader.fabric),
                                    .mistakes = calloc (MISTAKES_MAX, sizeof *reader.mistakes) };
    struct zpl zpl = { .items = NULL };
    int rc = WEFT_ENOMEM;
    if (reader.fabric && reader.mistakes)
        rc = zpl_parse (&zpl, text, size, on_wrong_line, &reader);
    if (rc == 0) {
        fabric_read_sections (&reader, &zpl);
        fabric_check (&reader);
    }
    if (rc == WEFT_ENOMEM)
        wrong (arg, "not enough memory");
    if (reader.failed || rc)
        rc = rc == WEFT_ENOMEM ? rc : error_set (WEFT_EINVAL, "%s: see above", name);
    tell_mistakes (&reader, name, wrong, arg);
    while (reader.count)
        free (reader.mistakes[--reader.count].text);
    free (reader.mistakes);
    zpl_free (&zpl);
    if (rc)
        fabric_destroy (&reader.fabric);
    *handle = reader.fabric;
    return rc;
}

int
fabric_load (struct fabric **self, const char *file, fabric_wrong_fn *wrong, void *arg)
{
    struct buffer text;
    struct stat status;
    *self = NULL;
    buffer_init (&text, 0);
    int rc = access (file, R_OK) ? error_errno ("cannot read %s", file) : 0;
    rc = rc ? rc : file_read (file, ZPL_SIZE_MAX, &text, &status);
    if (rc) {
        wrong (arg, weft_error ());
        rc = WEFT_EINVAL;
    } else
        rc = fabric_parse (self, file, buffer_data (&text), buffer_size (&text), wrong, arg);
    buffer_free (&text);
    return rc;
}

/* ------------------------------------------------------------------- parts */

void
fabric_part_destroy (struct fabric_part **handle)
{
    struct fabric_part *self = *handle;
    if (!self)
        return;
    for (int i = 0; i < self->argc; i++)
        free (self->argv[i]);
    for (size_t i = 0; i < self->endpoint_count; i++)
        free (self->endpoints[i].address);
    free (self->argv);
    free (self->lines);
    free (self->endpoints);
    free (self->in);
    free (self->out);
    free (self->name);
    free (self);
    *handle = NULL;
}

void
fabric_destroy (struct fabric **handle)
{
    struct fabric *self = *handle;
    if (!self)
        return;
    for (size_t i = 0; i < self->count; i++)
        fabric_part_destroy (&self->parts[i]);
    free (self->parts);
    free (self);
    *handle = NULL;
}

struct fabric_part *
fabric_find (const struct fabric *self, const char *name)
{
    for (size_t i = 0; i < self->count; i++)
        if (self->parts[i] && strcmp (self->parts[i]->name, name) == 0)
            return self->parts[i];
    return NULL;
}

static bool
same_text (const char *one, const char *other)
{
    return one && other ? strcmp (one, other) == 0 : one == other;
}

bool
fabric_part_same (const struct fabric_part *self, const struct fabric_part *other)
{
    if (self->command != other->command || self->argc != other->argc || self->restart != other->restart
        || !same_text (self->in, other->in) || !same_text (self->out, other->out))
        return false;
    for (int i = 0; i < self->argc; i++)
        if (strcmp (self->argv[i], other->argv[i]) != 0)
            return false;
    return true;
}
