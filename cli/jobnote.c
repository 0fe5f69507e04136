/*  jobnote.c - the values that a job was made of, as a text that is kept beside it */

#include "cli/jobnote.h"

#include <string.h>

#include "core/error.h"

enum {
    NOTE_NONE = '0',            /*  the job has no values           */
    NOTE_ROW = '1',             /*  a value, the first of a row     */
    NOTE_NEXT = '+',            /*  a value, of the same row        */
    NOTE_NAME = 'n'             /*  the name of a column            */
};

static int
add_text (struct buffer *note, char kind, const char *text)
{
    int rc = buffer_add (note, &kind, 1);
    return rc < 0 ? rc : buffer_add (note, text, strlen (text) + 1);
}

int
jobnote_write (struct arglist *args, struct arglist *names, const char *command, struct buffer *note)
{
    char **values = arglist_values (args);
    buffer_clear (note);
    if (args->count == 1 && !names->count && strcmp (values[0], command) == 0)
        return 0;
    int rc = args->count ? 0 : add_text (note, NOTE_NONE, "");
    for (size_t i = 0; i < args->count && rc == 0; i++)
        rc = add_text (note, args->columns[i] == 1 ? NOTE_ROW : NOTE_NEXT, values[i]);
    values = arglist_values (names);
    for (size_t i = 0; i < names->count && rc == 0; i++)
        rc = add_text (note, NOTE_NAME, values[i]);
    return rc;
}

int
jobnote_read (const void *note, size_t size, const char *command, struct arglist *args, struct arglist *names)
{
    const char *at = note, *end = at + size;
    arglist_clear (args);
    if (names)
        arglist_clear (names);
    int rc = size ? 0 : arglist_add (args, command, strlen (command));
    while (size && at < end && rc == 0) {
        const char *nul = memchr (at, 0, (size_t) (end - at));
        if (!nul || nul == at)
            return error_set (WEFT_EPROTO, "the ledger has a job whose values were not kept by 'weft run' or "
                              "'weft ventilator'");
        size_t length = (size_t) (nul - at) - 1;
        if (*at == NOTE_ROW)
            arglist_row (args);
        if (*at == NOTE_ROW || *at == NOTE_NEXT)
            rc = arglist_add (args, at + 1, length);
        else if (*at == NOTE_NAME && names)
            rc = arglist_add (names, at + 1, length);
        at = nul + 1;
    }
    return rc;
}
