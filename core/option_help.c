/*  option_help.c - option tables as help text: two columns, 80 wide */

#include <string.h>

#include "core/buffer.h"
#include "core/option.h"

#define HELP_WIDTH 80
#define HELP_LEFT_MAX 30        /*  a longer left side has its sentence on the next line */
#define HELP_LEFT_SIZE 128

/*  "-t, --topic TEXT" */
static int
left_side (const struct option *option, char *text, size_t size)
{
    bool yes = option->type == OPTION_FLAG && option->standard && strcmp (option->standard, "yes") == 0;
    char letter[5] = "    ";
    if (option->letter)
        snprintf (letter, sizeof letter, "-%c, ", option->letter);
    return snprintf (text, size, "  %s--%s%s%s%s", letter, yes ? "[no-]" : "", option->name,
                     option->argument ? " " : "", option->argument ? option->argument : "");
}

/*  "the sentence (default 1s; 0s..1h; repeatable)" */
static int
right_side (const struct option *option, struct buffer *text)
{
    char range[256] = "";
    const char *between = " (";
    bool flag = option->type == OPTION_FLAG;
    int rc = buffer_add_str (text, option->text ? option->text : "");
    if (!rc && option->standard && *option->standard && !(flag && strcmp (option->standard, "no") == 0)) {
        rc = buffer_addf (text, "%sdefault %s", between, option->standard);
        between = "; ";
    }
    if (!flag)
        option_range (option, range, sizeof range);
    if (!rc && *range && strcmp (range, "0 and up") != 0) {
        rc = buffer_addf (text, "%s%s", between, range);
        between = "; ";
    }
    if (!rc && option->type == OPTION_LIST) {
        rc = buffer_addf (text, "%srepeatable", between);
        between = "; ";
    }
    if (!rc && *between == ';')
        rc = buffer_add_str (text, ")");
    return rc ? rc : buffer_terminate (text);
}

/*  Writes words between the columns `left` and HELP_WIDTH; the cursor is at `column`. */
static void
fold (const char *text, int column, int left, FILE *out)
{
    bool first = true;
    while (*(text += strspn (text, " "))) {
        int length = (int) strcspn (text, " ");
        if (!first && column + 1 + length > HELP_WIDTH) {
            fputc ('\n', out);
            column = 0;
            first = true;
        }
        if (first && column < left) {
            fprintf (out, "%*s", left - column, "");
            column = left;
        }
        column += fprintf (out, "%s%.*s", first ? "" : " ", length, text);
        text += length;
        first = false;
    }
    fputc ('\n', out);
}

static void
help_option (const struct option *option, int left, FILE *out)
{
    char name[HELP_LEFT_SIZE];
    struct buffer text;
    buffer_init (&text, 0);
    left_side (option, name, sizeof name);
    int column = fprintf (out, "%s", name);
    if (column + 2 > left) {
        fputc ('\n', out);
        column = 0;
    }
    if (right_side (option, &text) == 0)
        fold (buffer_data (&text), column, left, out);
    buffer_free (&text);
}

void
option_help (const struct option_group *groups, FILE *out)
{
    int left = 0;
    for (const struct option_group *group = groups; group->table; group++)
        for (const struct option *option = group->table; option->name; option++) {
            char name[HELP_LEFT_SIZE];
            int width = left_side (option, name, sizeof name) + 2;
            if (!(option->flags & OPTION_HIDDEN) && width <= HELP_LEFT_MAX && width > left)
                left = width;
        }
    if (!left)
        left = HELP_LEFT_MAX;
    for (const struct option_group *group = groups; group->table; group++) {
        if (group->title)
            fprintf (out, "%s%s:\n", group == groups ? "" : "\n", group->title);
        for (const struct option *option = group->table; option->name; option++)
            if (!(option->flags & OPTION_HIDDEN))
                help_option (option, left, out);
    }
}
