/*  fabric_sections.c - from sections and keys to parts: a command and its arguments each */

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/fabric_parts.h"
#include "core/error.h"

#define RESTART_CHOICES "end|never|on-failure"
#define COMMANDS_WORDS 32

struct section {
    struct fabric_reader *reader;
    struct fabric_part *part;
    const struct zpl_item *keys;        /*  those below its name    */
    size_t count;
    const struct zpl_item *command;     /*  the key                 */
};

/* --------------------------------------------------------------- arguments */

static bool
add_argument (struct fabric_part *part, int line, const char *format, ...)
{
    va_list args;
    char **argv = realloc (part->argv, ((size_t) part->argc + 2) * sizeof *argv);
    if (argv)
        part->argv = argv;
    int *lines = realloc (part->lines, ((size_t) part->argc + 2) * sizeof *lines);
    if (lines)
        part->lines = lines;
    if (!argv || !lines)
        return false;
    va_start (args, format);
    int rc = vasprintf (&part->argv[part->argc], format, args);
    va_end (args);
    if (rc < 0)
        return false;
    part->lines[part->argc] = line;
    part->argv[++part->argc] = NULL;
    return true;
}

/*  The next word of a text in which quotes hold spaces together; in `word`, which has room for all of the text. 1,
 *  0 at the end, or -1: a quote is open. */
static int
next_word (const char **text, char *word)
{
    const char *from = *text + strspn (*text, " \t");
    char quote = '\0';
    *text = from;
    if (!*from)
        return 0;
    for (; *from && (quote || !strchr (" \t", *from)); from++)
        if (quote ? *from == quote : *from == '\'' || *from == '"')
            quote = quote ? '\0' : *from;
        else
            *word++ = *from;
    *word = '\0';
    *text = from;
    return quote ? -1 : 1;
}

static void
out_of_memory (struct section *self)
{
    fabric_mistake (self->reader, self->part->line, self->part, "not enough memory");
}

/* ---------------------------------------------------------------- commands */

/*  Names of the commands that can be parts. */
static size_t
part_names (const char *names[COMMANDS_WORDS])
{
    size_t count = 0;
    for (const struct command *const *each = commands; *each && count < COMMANDS_WORDS; each++)
        if ((*each)->part)
            names[count++] = (*each)->name;
    return count;
}

static void
refuse_command (struct section *self, const char *name)
{
    const char *names[COMMANDS_WORDS], *near;
    char all[512] = "";
    size_t count = part_names (names);
    for (size_t i = 0; i < count; i++)
        snprintf (all + strlen (all), sizeof all - strlen (all), "%s%s", i ? " " : "", names[i]);
    near = option_nearest_word (name, names, count);
    if (command_find (name))
        fabric_mistake (self->reader, self->command->line, self->part, "weft %s is no part of a fabric; these are: %s",
                        name, all);
    else if (near)
        fabric_mistake (self->reader, self->command->line, self->part, "there is no command '%s'; did you mean '%s'?",
                        name, near);
    else
        fabric_mistake (self->reader, self->command->line, self->part, "there is no command '%s'; there are: %s", name,
                        all);
}

/*  A command may be written with "weft" in front, as it is typed. */
static const struct command *
take_command (struct section *self, const char **rest, char *word)
{
    int rc = next_word (rest, word);
    if (rc == 1 && strcmp (word, "weft") == 0)
        rc = next_word (rest, word);
    if (rc <= 0) {
        fabric_mistake (self->reader, self->command->line, self->part, rc ? "a quote in the command is not closed"
                        : "which command? as in command = rep");
        return NULL;
    }
    const struct command *command = command_find (word);
    if (command && command->part)
        return command;
    refuse_command (self, word);
    return NULL;
}

/* -------------------------------------------------------------------- keys */

static bool
set_text (struct section *self, char **field, const struct zpl_item *key)
{
    if (*field)
        fabric_mistake (self->reader, key->line, self->part, "'%s' is given already, and has one value", key->name);
    else if (!*key->value)
        fabric_mistake (self->reader, key->line, self->part, "%s: a file, or - for that of weft up", key->name);
    else if (!(*field = strdup (key->value)))
        out_of_memory (self);
    return true;
}

static bool
set_restart (struct fabric_reader *reader, const struct fabric_part *part, enum fabric_restart *restart,
             const struct zpl_item *key)
{
    static const struct option option = { .name = "restart", .type = OPTION_CHOICE, .choices = RESTART_CHOICES };
    int value;
    if (option_set (&option, &value, key->value))
        fabric_mistake (reader, key->line, part, "%s", weft_error ());
    else
        *restart = (enum fabric_restart) value;
    return true;
}

/*  Keys that are no options of the command. */
static bool
take_own (struct section *self, const struct zpl_item *key)
{
    struct fabric_part *part = self->part;
    if (strcmp (key->name, "command") == 0)
        return true;
    if (strcmp (key->name, "stdin") == 0)
        return set_text (self, &part->in, key);
    if (strcmp (key->name, "stdout") == 0)
        return set_text (self, &part->out, key);
    if (strcmp (key->name, "restart") == 0)
        return set_restart (self->reader, part, &part->restart, key);
    return false;
}

static void
take_key (struct section *self, const struct zpl_item *key)
{
    struct fabric_reader *reader = self->reader;
    if (key->level > 1)
        fabric_mistake (reader, key->line, self->part, "moved in too far: a key has no keys of its own; for several "
                        "values give it several times");
    else if (!key->assigned)
        fabric_mistake (reader, key->line, self->part, "'%s' has no value, as in %s = yes", key->name, key->name);
    else if (take_own (self, key))
        return;
    else if (strcmp (key->name, "memory-limit") == 0)
        fabric_mistake (reader, key->line, self->part, "memory is limited for all parts together: weft up "
                        "--memory-limit %s", key->value);
    else if (strcmp (key->name, "help") == 0)
        fabric_mistake (reader, key->line, self->part, "'help' is no key: weft help %s has them",
                        self->part->command->name);
    else if (!add_argument (self->part, key->line, "--%s=%s", key->name, key->value))
        out_of_memory (self);
}

/*  The command's name, what it has to be followed by, keys, and then the rest: a first operand may end the options. */
static void
take_arguments (struct section *self)
{
    struct fabric_part *part = self->part;
    const char *rest = self->command->value;
    int line = self->command->line, rc = 1;
    char word[ZPL_LINE_MAX + 1];
    part->command_line = line;
    part->command = take_command (self, &rest, word);
    if (!part->command)
        return;
    bool right = add_argument (part, line, "%s", part->command->name);
    if (part->command->words && (rc = next_word (&rest, word)) == 1)
        right = right && add_argument (part, line, "%s", word);
    for (size_t i = 0; i < self->count; i++)
        take_key (self, &self->keys[i]);
    while (rc == 1 && right && (rc = next_word (&rest, word)) == 1)
        right = add_argument (part, line, "%s", word);
    if (rc < 0)
        fabric_mistake (self->reader, line, part, "a quote in the command is not closed");
    if (!right)
        out_of_memory (self);
    if (rc < 0 || !right)
        part->command = NULL;
}

/* ---------------------------------------------------------------- sections */

static const struct zpl_item *
find_command (struct section *self)
{
    const struct zpl_item *found = NULL;
    for (size_t i = 0; i < self->count; i++)
        if (self->keys[i].level == 1 && strcmp (self->keys[i].name, "command") == 0) {
            if (found)
                fabric_mistake (self->reader, self->keys[i].line, self->part, "a part has one command");
            else
                found = &self->keys[i];
        }
    return found;
}

static void
add_part (struct fabric_reader *reader, const struct zpl_item *name, size_t keys, enum fabric_restart restart)
{
    struct fabric *fabric = reader->fabric;
    const struct fabric_part *before = fabric_find (fabric, name->name);
    struct fabric_part *part = calloc (1, sizeof *part);
    struct section section = { .reader = reader, .part = part, .keys = name + 1, .count = keys };
    if (!part || !(part->name = strdup (name->name))) {
        fabric_mistake (reader, name->line, NULL, "not enough memory");
        free (part);
        return;
    }
    part->line = name->line;
    part->restart = restart;
    if (before)
        fabric_mistake (reader, name->line, NULL, "'%s' is in line %d already: parts have names of their own",
                        name->name, before->line);
    section.command = find_command (&section);
    if (section.command)
        take_arguments (&section);
    else
        fabric_mistake (reader, name->line, part, "no command: below it is to be said what it is, as in\n"
                        "    command = rep inproc://%s --echo", name->name);
    fabric->parts[fabric->count++] = part;
}

static void
take_setting (struct fabric_reader *self, const struct zpl_item *item, enum fabric_restart *restart)
{
    if (strcmp (item->name, "restart") == 0)
        set_restart (self, NULL, restart, item);
    else
        fabric_mistake (self, item->line, NULL, "'%s' is no setting of a whole fabric, which has 'restart' alone; keys "
                        "of a part stand below its name, moved in by 4 spaces", item->name);
}

void
fabric_read_sections (struct fabric_reader *self, const struct zpl *zpl)
{
    enum fabric_restart restart = FABRIC_END;
    size_t parts = 0, keys;
    for (size_t i = 0; i < zpl->count; i++)
        if (zpl->items[i].level == 0 && zpl->items[i].assigned)
            take_setting (self, &zpl->items[i], &restart);
        else
            parts += zpl->items[i].level == 0;
    self->fabric->parts = calloc (parts + 1, sizeof *self->fabric->parts);
    if (parts == 0)
        fabric_mistake (self, 0, NULL, "no parts: a part is a name, and below it, moved in by 4 spaces, what it is, "
                        "as in\n    echo\n        command = rep inproc://echo --echo");
    else if (parts > FABRIC_PARTS_MAX)
        fabric_mistake (self, 0, NULL, "more than %d parts", FABRIC_PARTS_MAX);
    else if (!self->fabric->parts)
        fabric_mistake (self, 0, NULL, "not enough memory");
    if (self->failed && self->fabric->count == 0 && (parts == 0 || parts > FABRIC_PARTS_MAX || !self->fabric->parts))
        return;
    for (size_t i = 0; i < zpl->count; i += keys + 1) {
        for (keys = 0; i + keys + 1 < zpl->count && zpl->items[i + keys + 1].level > 0; keys++)
            ;
        if (!zpl->items[i].assigned)
            add_part (self, &zpl->items[i], keys, restart);
        else if (keys)
            fabric_mistake (self, zpl->items[i + 1].line, NULL, "'%s' is no part, since it has a value: nothing "
                            "belongs below it", zpl->items[i].name);
    }
}
