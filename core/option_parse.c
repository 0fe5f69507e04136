/*  option_parse.c - command lines: argv against groups of options */

#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/option.h"

#define NAME_MAX_LENGTH 64

struct parser {
    const struct option_group *groups;
    int argc, index;                    /*  the argument that is parsed now  */
    char **argv;
};

struct match {
    const struct option_group *group;
    const struct option *option;        /*  NULL: none */
};

static struct match
match_name (const struct option_group *groups, const char *name)
{
    for (; groups->table; groups++) {
        const struct option *option = option_find (groups->table, name);
        if (option)
            return (struct match) { groups, option };
    }
    return (struct match) { NULL, NULL };
}

static struct match
match_letter (const struct option_group *groups, char letter)
{
    for (; groups->table; groups++)
        for (const struct option *option = groups->table; option->name; option++)
            if (option->letter == letter)
                return (struct match) { groups, option };
    return (struct match) { NULL, NULL };
}

static int
assign (struct match match, const char *value)
{
    const struct option_group *group = match.group;
    int rc = group->set ? group->set (group->target, match.option, value)
             : option_set (match.option, group->target, value);
    /*  "timeout: ..." is what the option is called in C; here it is --timeout. */
    size_t length = strlen (match.option->name);
    const char *words = weft_error ();
    if (rc < 0 && strncmp (words, match.option->name, length) == 0 && words[length] == ':')
        rc = error_set (rc, "--%s", words);
    return rc;
}

/*  The argument that follows is the option's value. */
static int
assign_next (struct parser *self, struct match match)
{
    if (self->index + 1 >= self->argc) {
        const char *argument = match.option->argument ? match.option->argument : "VALUE";
        return error_set (WEFT_EINVAL, "--%s needs a value: --%s %s", match.option->name, match.option->name, argument);
    }
    return assign (match, self->argv[++self->index]);
}

static int
unknown_name (struct parser *self, const char *name)
{
    const char *no = "", *near = option_nearest (self->groups, name);
    if (!near && strncmp (name, "no-", 3) == 0) {
        no = "no-";
        near = option_nearest (self->groups, name + 3);
    }
    if (near)
        return error_set (WEFT_EINVAL, "unknown option --%s; did you mean --%s%s?", name, no, near);
    return error_set (WEFT_EINVAL, "unknown option --%s", name);
}

static int
parse_long (struct parser *self)
{
    const char *text = self->argv[self->index] + 2, *equals = strchr (text, '=');
    const char *value = equals ? equals + 1 : NULL;
    char name[NAME_MAX_LENGTH];
    size_t length = strcspn (text, "=");
    if (!length || length >= sizeof name)
        return error_set (WEFT_EINVAL, "unknown option %.64s", text - 2);
    memcpy (name, text, length);
    name[length] = '\0';

    struct match match = match_name (self->groups, name);
    if (match.option)
        return match.option->type == OPTION_FLAG || value ? assign (match, value) : assign_next (self, match);

    if (strncmp (name, "no-", 3) == 0 || strncmp (name, "no_", 3) == 0)
        match = match_name (self->groups, name + 3);
    if (!match.option)
        return unknown_name (self, name);
    if (match.option->type != OPTION_FLAG)
        return error_set (WEFT_EINVAL, "--%s takes a value, so there is no --%s", match.option->name, name);
    if (value)
        return error_set (WEFT_EINVAL, "--%s takes no value; write --%s or --%s=%s", name, name, match.option->name,
                          value);
    return assign (match, "no");
}

static int
unknown_letter (struct parser *self, const char *letter)
{
    const char *argument = self->argv[self->index];
    if (strlen (argument) > 2 && match_name (self->groups, argument + 1).option)
        return error_set (WEFT_EINVAL, "unknown option %s; did you mean -%s?", argument, argument);
    if (*letter == '=' && letter > argument + 1)
        return error_set (WEFT_EINVAL, "-%c takes no value: %.64s", letter[-1], argument);
    if (letter == argument + 1)
        return error_set (WEFT_EINVAL, "unknown option %.64s; write -- before an argument that begins with a dash",
                          argument);
    return error_set (WEFT_EINVAL, "unknown option -%c in %.64s", *letter, argument);
}

/*  -abc, -xVALUE, -x VALUE, -abxVALUE. */
static int
parse_letters (struct parser *self)
{
    for (const char *letter = self->argv[self->index] + 1; *letter; letter++) {
        struct match match = match_letter (self->groups, *letter);
        if (!match.option)
            return unknown_letter (self, letter);
        if (match.option->type != OPTION_FLAG)
            return letter[1] ? assign (match, letter + 1) : assign_next (self, match);
        int rc = assign (match, NULL);
        if (rc < 0)
            return rc;
    }
    return 0;
}

int
option_parse (const struct option_group *groups, int argc, char **argv, bool posix, char **operands, int *count)
{
    struct parser parser = { .groups = groups, .argc = argc, .argv = argv, .index = 1 };
    bool options = true;
    *count = 0;
    for (; parser.index < argc; parser.index++) {
        char *argument = argv[parser.index];
        int rc = 0;
        if (!options || argument[0] != '-' || !argument[1]) {
            operands[(*count)++] = argument;
            options = options && !posix;
        } else if (strcmp (argument, "--") == 0)
            options = false;
        else
            rc = argument[1] == '-' ? parse_long (&parser) : parse_letters (&parser);
        if (rc < 0)
            return rc;
    }
    return 0;
}
