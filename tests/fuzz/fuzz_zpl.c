/*  fuzz_zpl.c - any bytes as a file of weft up: what the scanner lets through, zconfig reads as it was scanned */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "cli/zpl.h"
#include "weft.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static void
on_wrong (void *arg, int line, const char *text)
{
    size_t *told = arg;
    /*  Line 0 is for what the scanner should have found. */
    if (line < 1 || !*text)
        abort ();
    ++*told;
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
    struct zpl zpl;
    size_t told = 0;
    char *text = malloc (size ? size : 1);
    if (!text)
        abort ();
    if (size > 0)
        memcpy (text, data, size);
    int rc = zpl_parse (&zpl, text, size, on_wrong, &told);
    if ((rc == 0) != (told == 0))
        abort ();
    for (size_t i = 0; i < zpl.count; i++) {
        const struct zpl_item *item = &zpl.items[i];
        int before = i ? item[-1].level : -1;
        if (!*item->name || strlen (item->value) > ZPL_LINE_MAX || item->level < 0 || item->level > before + 1
            || (i && item->line <= item[-1].line) || (!item->assigned && *item->value))
            abort ();
        /*  The name is at its place in its line. */
        const char *at = text;
        for (int line = 1; line < item->line; line++)
            at = (const char *) memchr (at, '\n', size - (size_t) (at - text)) + 1;
        if (strncmp (at + 4 * item->level, item->name, strlen (item->name)) != 0)
            abort ();
    }
    zpl_free (&zpl);
    free (text);
    return 0;
}
