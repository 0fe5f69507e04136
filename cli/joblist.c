/*  joblist.c - what was typed, as a list of jobs: a command, its sources, its tag */

#include "cli/joblist.h"

#include <stddef.h>
#include <string.h>

#include "cli/header.h"
#include "codec/format.h"
#include "core/error.h"

#define FIELD(name) offsetof (struct joblist_options, name)
#define HIDDEN(word, of, kind) { .name = word, .type = kind, .flags = OPTION_HIDDEN, .offset = FIELD (of) }

const struct option joblist_options[] = {
    { .name = "arg-file", .letter = 'a', .type = OPTION_LIST, .argument = "FILE", .offset = FIELD (files),
      .text = "take values from FILE (- is standard input); several give all combinations" },
    { .name = "null", .letter = '0', .type = OPTION_FLAG, .offset = FIELD (null),
      .text = "values end with a NUL, as from find -print0" },
    { .name = "delimiter", .letter = 'd', .type = OPTION_TEXT, .argument = "TEXT", .offset = FIELD (delimiter),
      .text = "values end with TEXT, which may hold \\t \\n \\0 \\xHH; default: a newline" },
    { .name = "colsep", .letter = 'C', .type = OPTION_TEXT, .argument = "REGEX", .offset = FIELD (colsep),
      .text = "cut values into columns {1} {2} ... where REGEX matches, or at that character" },
    { .name = "max-args", .letter = 'n', .type = OPTION_INT, .argument = "N", .standard = "1", .max = 65536,
      .offset = FIELD (per_job), .text = "give a job up to N values; 0 takes one and gives none" },
    { .name = "max-replace-args", .letter = 'N', .type = OPTION_INT, .argument = "N", .standard = "1", .max = 65536,
      .offset = FIELD (per_job), .text = "the same" },
    { .name = "no-run-if-empty", .letter = 'r', .type = OPTION_FLAG, .offset = FIELD (skip_blank),
      .text = "pass over values that are blank" },
    { .name = "link", .type = OPTION_FLAG, .offset = FIELD (link),
      .text = "go through several sources in step, the shorter ones over again" },
    HIDDEN ("xapply", link, OPTION_FLAG),
    { .name = "header", .type = OPTION_TEXT, .argument = ":", .offset = FIELD (header),
      .text = "with : the first value of each source names it, for {NAME} {NAME.} and so on; and its columns, which "
              "TABs part, or --colsep" },
    { .name = "shuf", .type = OPTION_FLAG, .offset = FIELD (shuffle),
      .text = "run the jobs in random order, once all values were read" },
    { .name = "messages", .type = OPTION_FLAG, .offset = FIELD (messages),
      .text = "values are no commands but messages, for workers with --filter or --exec" },
    { .name = "input", .type = OPTION_CHOICE, .argument = "FORMAT", .standard = "values",
      .choices = "values|" FORMAT_CHOICES, .offset = FIELD (input),
      .text = "read messages in FORMAT, with any bytes in them, from files or standard input" },
    OPTION_END
};

/*  The words before the first source, joined by spaces. */
static int
joblist_template (struct joblist *self, char *const *words, int count, unsigned flags)
{
    struct buffer text;
    buffer_init (&text, 0);
    int rc = 0;
    for (int i = 0; i < count && rc == 0; i++) {
        rc = i ? buffer_add_str (&text, " ") : 0;
        if (rc == 0)
            rc = buffer_add_str (&text, words[i]);
    }
    if (rc == 0)
        rc = buffer_terminate (&text);
    if (rc == 0)
        rc = replace_compile (&self->command, buffer_data (&text), flags);
    buffer_free (&text);
    return rc;
}

static bool
is_source (const char *word)
{
    return strcmp (word, ":::") == 0 || strcmp (word, ":::+") == 0 || strcmp (word, "::::") == 0
           || strcmp (word, "::::+") == 0;
}

bool
joblist_has_sources (char *const *operands, int count)
{
    for (int i = 0; i < count; i++)
        if (is_source (operands[i]))
            return true;
    return false;
}

/*  operands[0] is ::: or the like. Returns how many operands it takes. */
static int
joblist_source (struct joblist *self, char **operands, int count, int in)
{
    bool files = strncmp (operands[0], "::::", 4) == 0;
    bool linked = strchr (operands[0], '+') != NULL;
    int end = 1;
    while (end < count && !is_source (operands[end]))
        end++;
    if (!files) {
        int rc = jobsource_add_words (self->source, operands + 1, (size_t) (end - 1), linked);
        return rc < 0 ? rc : end;
    }
    if (end == 1)
        return error_set (WEFT_EINVAL, "%s: name at least one file after it (- is standard input)", operands[0]);
    for (int i = 1; i < end; i++) {
        int rc = jobsource_add_file (self->source, operands[i], in, linked);
        if (rc < 0)
            return rc;
    }
    return end;
}

static int
joblist_sources (struct joblist *self, const struct joblist_options *options, char **operands, int count, int in)
{
    for (size_t i = 0; i < options->files.count; i++) {
        int rc = jobsource_add_file (self->source, options->files.items[i], in, false);
        if (rc < 0)
            return rc;
    }
    self->from_in = count == 0 && options->files.count == 0;
    if (self->from_in)
        return jobsource_add_file (self->source, "-", in, false);
    while (count > 0) {
        int used = joblist_source (self, operands, count, in);
        if (used < 0)
            return used;
        operands += used;
        count -= used;
    }
    return 0;
}

/*  All but the sources. */
static int
joblist_prepare (struct joblist *self, const struct joblist_options *options, char *const *words, int count,
                 const char *tag)
{
    const char *tab = options->header ? "\t" : NULL;
    struct jobsource_config config = { .delimiter = options->null ? "" : options->delimiter,
                                       .colsep = options->colsep ? options->colsep : tab,
                                       .header = tab != NULL, .shuffle = options->shuffle,
                                       .skip_blank = options->skip_blank, .link = options->link,
                                       .per_job = options->per_job };
    unsigned flags = (options->messages ? 0 : REPLACE_QUOTE) | REPLACE_APPEND
                     | (options->per_job > 1 ? REPLACE_REPEAT : 0);
    *self = (struct joblist){ .header = options->header, .messages = options->messages };
    arglist_init (&self->args);
    arglist_init (&self->names);
    if (options->header && strcmp (options->header, ":") != 0)
        return error_set (WEFT_EINVAL, "--header takes a colon: the first value of each source names it");
    int rc = joblist_template (self, words, count, flags);
    if (rc == 0 && options->messages && self->command.uses_slot)
        rc = error_set (WEFT_EINVAL, "{%%} has no place in a message: in which slot it will be is not known when it is "
                        "made");
    if (rc == 0 && tag)
        rc = replace_compile (&self->tag, tag, 0);
    if (rc < 0)
        return rc;
    self->source = jobsource_new (&config);
    return self->source ? 0 : WEFT_EINVAL;
}

int
joblist_init (struct joblist *self, const struct joblist_options *options, char **operands, int count, int in,
              const char *tag)
{
    int words = 0;
    while (words < count && !is_source (operands[words]))
        words++;
    int rc = joblist_prepare (self, options, operands, words, tag);
    if (rc == 0)
        rc = joblist_sources (self, options, operands + words, count - words, in);
    if (rc < 0)
        joblist_free (self);
    return rc;
}

int
joblist_init_files (struct joblist *self, const struct joblist_options *options, char **operands, int count, int in,
                    const char *tag)
{
    int rc = joblist_prepare (self, options, NULL, 0, tag);
    self->from_in = count == 0;
    if (rc == 0 && count == 0)
        rc = jobsource_add_file (self->source, "-", in, false);
    else if (rc == 0)
        rc = jobsource_add_chain (self->source, operands, (size_t) count, in);
    if (rc < 0)
        joblist_free (self);
    return rc;
}

int
joblist_init_given (struct joblist *self, const struct joblist_options *options, const char *tag)
{
    int rc = joblist_prepare (self, options, NULL, 0, tag);
    if (rc < 0)
        joblist_free (self);
    return rc;
}

void
joblist_free (struct joblist *self)
{
    jobsource_destroy (&self->source);
    arglist_free (&self->args);
    arglist_free (&self->names);
    replace_free (&self->command);
    replace_free (&self->tag);
}

/*  The command and the tag of the values that were got. */
static int
joblist_render (struct joblist *self, struct buffer *command, struct buffer *tag)
{
    char *const *values = arglist_values (&self->args);
    buffer_clear (command);
    buffer_clear (tag);
    int rc = replace_render (&self->command, values, self->args.count, self->number, JOBLIST_SLOT_MARK, command);
    if (rc == 0 && self->tag.text)
        rc = replace_render (&self->tag, values, self->args.count, self->number, JOBLIST_SLOT_MARK, tag);
    if (rc == 0 && !self->messages && buffer_size (command) > JOBLIST_COMMAND_MAX)
        rc = error_set (WEFT_ETOOBIG, "the command of job %llu is %zu bytes long; the system takes %d",
                        (unsigned long long) self->number, buffer_size (command), JOBLIST_COMMAND_MAX);
    if (rc == 0)
        rc = buffer_terminate (command);
    if (rc == 0)
        rc = buffer_terminate (tag);
    return rc < 0 ? rc : 1;
}

/*  A template again, now that its names are known. */
static int
joblist_rename (struct joblist *self, struct replace *template)
{
    if (!template->text)
        return 0;
    struct replace old = *template;
    struct buffer text;
    buffer_init (&text, 0);
    int rc = header_number (&self->names, old.text, &text);
    if (rc == 0)
        rc = replace_compile (template, buffer_data (&text), old.flags);
    else
        *template = (struct replace){ .count = 0 };
    replace_free (&old);
    buffer_free (&text);
    return rc;
}

/*  1, 0 or an error. */
static int
joblist_name (struct joblist *self)
{
    int rc = jobsource_header (self->source, &self->names);
    if (rc != 1)
        return rc;
    self->named = true;
    rc = joblist_rename (self, &self->command);
    if (rc == 0)
        rc = joblist_rename (self, &self->tag);
    return rc < 0 ? rc : 1;
}

int
joblist_next (struct joblist *self, struct buffer *command, struct buffer *tag)
{
    int rc = self->header && !self->named ? joblist_name (self) : 1;
    if (rc == 1)
        rc = jobsource_next (self->source, &self->args);
    if (rc != 1)
        return rc;
    self->number++;
    return joblist_render (self, command, tag);
}

int
joblist_given (struct joblist *self, uint64_t number, const char *text, struct buffer *command, struct buffer *tag)
{
    arglist_clear (&self->args);
    int rc = arglist_add (&self->args, text, strlen (text));
    if (rc < 0)
        return rc;
    self->number = number;
    return joblist_render (self, command, tag);
}

int
joblist_tag (struct joblist *self, uint64_t number, struct buffer *tag)
{
    int rc = 0;
    if (self->names.count && !self->named) {
        self->named = true;
        rc = joblist_rename (self, &self->tag);
    }
    buffer_clear (tag);
    if (rc == 0 && self->tag.text)
        rc = replace_render (&self->tag, arglist_values (&self->args), self->args.count, number, JOBLIST_SLOT_MARK,
                             tag);
    return rc < 0 ? rc : buffer_terminate (tag);
}

int
joblist_fd (const struct joblist *self)
{
    return jobsource_fd (self->source);
}
