/*  columns.c - --colsep: a value is a row, its columns are the arguments */

#include "cli/columns.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"

/*  POSIX expressions know no \t and no \n: put the characters. */
static void
columns_unescape (const char *text, char *pattern)
{
    while (*text) {
        if (text[0] == '\\' && (text[1] == 't' || text[1] == 'n')) {
            *pattern++ = text[1] == 't' ? '\t' : '\n';
            text += 2;
            continue;
        }
        if (text[0] == '\\' && text[1])
            *pattern++ = *text++;
        *pattern++ = *text++;
    }
    *pattern = '\0';
}

int
columns_init (struct columns *self, const char *separator)
{
    *self = (struct columns){ .active = false };
    if (!*separator)
        return error_set (WEFT_EINVAL, "the column separator is empty");
    char *pattern = malloc (strlen (separator) + 3);
    if (!pattern)
        return error_set (WEFT_ENOMEM, "out of memory for a column separator");
    if (separator[1] == '\0' && !isalnum ((unsigned char) separator[0])) {
        /*  Brackets quote any one character but ^ and the backslash. */
        bool backslash = strchr ("^\\", separator[0]) != NULL;
        memcpy (pattern, backslash ? "\\ " : "[ ]", backslash ? 3 : 4);
        pattern[1] = separator[0];
    } else
        columns_unescape (separator, pattern);
    int rc = regcomp (&self->regex, pattern, REG_EXTENDED);
    free (pattern);
    if (rc != 0) {
        char why[128];
        regerror (rc, &self->regex, why, sizeof why);
        return error_set (WEFT_EINVAL, "column separator '%s': %s", separator, why);
    }
    self->active = true;
    return 0;
}

void
columns_free (struct columns *self)
{
    if (self->active)
        regfree (&self->regex);
    self->active = false;
}

static int
columns_add (struct arglist *args, const char *text, size_t size)
{
    while (size && isspace ((unsigned char) *text))
        text++, size--;
    while (size && isspace ((unsigned char) text[size - 1]))
        size--;
    return arglist_add (args, text, size);
}

int
columns_split (const struct columns *self, const char *value, struct arglist *args)
{
    regmatch_t match;
    int flags = 0;
    while (regexec (&self->regex, value, 1, &match, flags) == 0 && match.rm_eo > 0) {
        int rc = columns_add (args, value, (size_t) match.rm_so);
        if (rc < 0)
            return rc;
        value += match.rm_eo;
        flags = REG_NOTBOL;
    }
    return columns_add (args, value, strlen (value));
}
