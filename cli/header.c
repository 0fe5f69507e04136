/*  header.c - --header : names of columns in place of their numbers */

#include "cli/header.h"

#include <string.h>

/*  Does `text`, which follows a brace, name that column? The length of the name, or 0. */
static size_t
match (const char *text, const char *name)
{
    static const char *const ends[] = { "}", "/}", "//}", ".}", "/.}" };
    size_t size = strlen (name);
    if (!size || strncmp (text, name, size) != 0)
        return 0;
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        if (strncmp (text + size, ends[i], strlen (ends[i])) == 0)
            return size;
    return 0;
}

int
header_number (struct arglist *names, const char *template, struct buffer *out)
{
    char **values = arglist_values (names);
    int rc = 0;
    while (*template && rc == 0) {
        rc = buffer_add (out, template, 1);
        if (*template++ != '{')
            continue;
        for (size_t i = 0; i < names->count && rc == 0; i++) {
            size_t size = match (template, values[i]);
            if (size) {
                rc = buffer_addf (out, "%zu", i + 1);
                template += size;
                break;
            }
        }
    }
    return rc < 0 ? rc : buffer_terminate (out);
}
