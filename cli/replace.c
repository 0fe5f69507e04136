/*  replace.c - command templates: {} {.} {/} {//} {/.} {#} {%} {n} {n.} {n/} {n//} {n/.} */

#include "cli/replace.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"

enum part_kind {
    PART_TEXT,
    PART_VALUE,                 /*  {} or {n}       */
    PART_BARE,                  /*  {.}  or {n.}    */
    PART_BASE,                  /*  {/}  or {n/}    */
    PART_DIRECTORY,             /*  {//} or {n//}   */
    PART_BASE_BARE,             /*  {/.} or {n/.}   */
    PART_NUMBER,                /*  {#}             */
    PART_SLOT                   /*  {%}             */
};

struct replace_part {
    enum part_kind kind;
    long position;              /*  n; 0: all values                            */
    const char *text;           /*  PART_TEXT                                   */
    size_t size;
    bool space;                 /*  PART_TEXT: white space, which parts words   */
    bool repeats;               /*  its word holds a replacement of all values  */
};

/*  Is there a replacement string at `text`? Its length, or 0. */
static size_t
part_parse (const char *text, struct replace_part *part)
{
    static const struct {
        const char *text;
        enum part_kind kind;
    } forms[] = {
        { "}", PART_VALUE }, { ".}", PART_BARE }, { "/}", PART_BASE }, { "//}", PART_DIRECTORY },
        { "/.}", PART_BASE_BARE }, { "#}", PART_NUMBER }, { "%}", PART_SLOT }
    };
    if (*text != '{')
        return 0;
    const char *at = text + 1;
    long position = 0;
    if (isdigit ((unsigned char) at[0]) || (at[0] == '-' && isdigit ((unsigned char) at[1]))) {
        char *end;
        position = strtol (at, &end, 10);
        at = end;
    }
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        size_t size = strlen (forms[i].text);
        if (strncmp (at, forms[i].text, size) != 0 || (position && forms[i].kind >= PART_NUMBER))
            continue;
        *part = (struct replace_part){ .kind = forms[i].kind, .position = position };
        return (size_t) (at - text) + size;
    }
    return 0;
}

/*  Length of the literal text at `text`: up to a replacement string, or to where
 *  white space begins or ends. */
static size_t
text_length (const char *text)
{
    struct replace_part part;
    bool space = isspace ((unsigned char) *text) != 0;
    size_t size = 1;
    while (text[size] && (isspace ((unsigned char) text[size]) != 0) == space && !part_parse (text + size, &part))
        size++;
    return size;
}

static int
replace_add (struct replace *self, const struct replace_part *part)
{
    /*  Grows at each power of two. */
    if ((self->count & (self->count - 1)) == 0) {
        size_t capacity = self->count ? self->count * 2 : 1;
        struct replace_part *parts = realloc (self->parts, capacity * sizeof *parts);
        if (!parts)
            return error_set (WEFT_ENOMEM, "out of memory for a command");
        self->parts = parts;
    }
    self->parts[self->count++] = *part;
    if (part->kind == PART_SLOT)
        self->uses_slot = true;
    else if (part->kind != PART_TEXT && part->kind != PART_NUMBER)
        self->uses_values = true;
    return 0;
}

static int
replace_parse (struct replace *self)
{
    for (const char *at = self->text; *at;) {
        struct replace_part part;
        size_t size = part_parse (at, &part);
        self->replaces |= size > 0;
        if (!size) {
            size = text_length (at);
            part = (struct replace_part){ .kind = PART_TEXT, .text = at, .size = size,
                                           .space = isspace ((unsigned char) *at) != 0 };
        }
        if (replace_add (self, &part) < 0)
            return WEFT_ENOMEM;
        at += size;
    }
    if (self->replaces || !(self->flags & REPLACE_APPEND))
        return 0;
    struct replace_part space = { .kind = PART_TEXT, .text = " ", .size = 1, .space = true };
    struct replace_part value = { .kind = PART_VALUE };
    int rc = self->count ? replace_add (self, &space) : 0;
    return rc < 0 ? rc : replace_add (self, &value);
}

/*  Length of the word that begins at part `first`, in parts; notes whether it repeats. */
static size_t
word_length (struct replace *self, size_t first)
{
    bool repeats = false;
    size_t end = first;
    for (; end < self->count && !self->parts[end].space; end++) {
        const struct replace_part *part = &self->parts[end];
        repeats |= part->kind != PART_TEXT && part->kind < PART_NUMBER && part->position == 0;
    }
    for (size_t i = first; i < end; i++)
        self->parts[i].repeats = repeats;
    return end - first;
}

/*  What is run is itself a value: then it is a command line, and quoting would make it
 *  a single word. Not so after a variable's definition, as in X={}. */
static bool
is_command (const struct replace *self)
{
    for (size_t i = 0; i < self->count; i++) {
        const struct replace_part *part = &self->parts[i];
        if (part->kind != PART_TEXT)
            return true;
        if (part->space || memchr (part->text, '=', part->size))
            return false;
    }
    return false;
}

int
replace_compile (struct replace *self, const char *template, unsigned flags)
{
    *self = (struct replace){ .flags = flags };
    const char *perl = strstr (template, "{=");
    if (perl && strstr (perl, "=}"))
        return error_set (WEFT_ENOTSUP, "{= perl expressions =} are not supported; use the shell, as in $(...)");
    self->text = strdup (template);
    if (!self->text)
        return error_set (WEFT_ENOMEM, "out of memory for a command");
    if (replace_parse (self) < 0) {
        replace_free (self);
        return WEFT_ENOMEM;
    }
    for (size_t i = 0; i < self->count; i++)
        i += word_length (self, i);
    if (is_command (self))
        self->flags &= ~(unsigned) REPLACE_QUOTE;
    return 0;
}

void
replace_free (struct replace *self)
{
    free (self->text);
    free (self->parts);
    *self = (struct replace){ .count = 0 };
}

int
replace_quote (struct buffer *out, const char *text, size_t size)
{
    static const char safe[] = "-_.+/0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    size_t plain = 0;
    while (plain < size && memchr (safe, text[plain], sizeof safe - 1))
        plain++;
    if (plain == size && size)
        return buffer_add (out, text, size);
    if (!size)
        return buffer_add_str (out, "''");
    /*  'text' with each ' as '"'"', less the '' that this makes at either end. */
    int rc = text[0] == '\'' ? 0 : buffer_add_str (out, "'");
    for (size_t i = 0; i < size && rc == 0; i++) {
        if (text[i] != '\'')
            rc = buffer_add (out, text + i, 1);
        else {
            rc = buffer_add_str (out, i == 0 ? "\"'\"" : "'\"'\"");
            if (rc == 0 && i + 1 < size)
                rc = buffer_add_str (out, "'");
        }
    }
    return rc || text[size - 1] == '\'' ? rc : buffer_add_str (out, "'");
}

/*  The part of a value that a replacement string asks for, as GNU parallel cuts it:
 *  an extension is what follows the last dot of the last name; a directory is
 *  dirname (1)'s. */
static void
value_cut (enum part_kind kind, const char **text, size_t *size)
{
    const char *value = *text, *slash = strrchr (value, '/'), *end = value + *size;
    if (kind == PART_DIRECTORY) {
        while (end > value + 1 && end[-1] == '/')
            end--;
        while (end > value && end[-1] != '/')
            end--;
        while (end > value + 1 && end[-1] == '/')
            end--;
        *text = end > value ? value : ".";
        *size = end > value ? (size_t) (end - value) : 1;
        return;
    }
    const char *name = slash ? slash + 1 : value;
    const char *dot = strrchr (name, '.');
    if ((kind == PART_BARE || kind == PART_BASE_BARE) && dot)
        end = dot;
    *text = kind == PART_BASE || kind == PART_BASE_BARE ? name : value;
    *size = (size_t) (end - *text);
}

static int
add_value (const struct replace *self, enum part_kind kind, const char *text, struct buffer *out)
{
    size_t size = strlen (text);
    if (kind != PART_VALUE)
        value_cut (kind, &text, &size);
    return self->flags & REPLACE_QUOTE ? replace_quote (out, text, size) : buffer_add (out, text, size);
}

struct job_values {
    char *const *values;
    size_t count;
    uint64_t number;
    const char *slot;
};

/*  One part; `only` is the index of the one value that {} means, or count for all. */
static int
add_part (const struct replace *self, const struct replace_part *part, const struct job_values *job, size_t only,
          struct buffer *out)
{
    if (part->kind == PART_TEXT)
        return buffer_add (out, part->text, part->size);
    if (part->kind == PART_NUMBER)
        return buffer_addf (out, "%llu", (unsigned long long) job->number);
    if (part->kind == PART_SLOT)
        return buffer_add_str (out, job->slot);
    long count = (long) job->count, position = part->position;
    if (position) {
        position = position < 0 ? count + position : position - 1;
        return position < 0 || position >= count ? 0 : add_value (self, part->kind, job->values[position], out);
    }
    if (only < job->count)
        return add_value (self, part->kind, job->values[only], out);
    int rc = 0;
    for (size_t i = 0; i < job->count && rc == 0; i++) {
        rc = i ? buffer_add (out, " ", 1) : 0;
        if (rc == 0)
            rc = add_value (self, part->kind, job->values[i], out);
    }
    return rc;
}

/*  A word with {} once for each value. */
static int
add_repeated (const struct replace *self, size_t first, size_t end, const struct job_values *job, struct buffer *out)
{
    int rc = 0;
    for (size_t value = 0; value < job->count && rc == 0; value++) {
        if (value)
            rc = buffer_add (out, " ", 1);
        for (size_t i = first; i < end && rc == 0; i++)
            rc = add_part (self, &self->parts[i], job, value, out);
    }
    return rc;
}

int
replace_render (const struct replace *self, char *const *values, size_t count, uint64_t number, const char *slot,
                struct buffer *out)
{
    struct job_values job = { values, count, number, slot };
    int rc = 0;
    for (size_t i = 0; i < self->count && rc == 0;) {
        size_t end = i + 1;
        if ((self->flags & REPLACE_REPEAT) && self->parts[i].repeats) {
            while (end < self->count && !self->parts[end].space)
                end++;
            rc = add_repeated (self, i, end, &job, out);
        } else
            rc = add_part (self, &self->parts[i], &job, count, out);
        i = end;
    }
    return rc;
}
