/*  fuzz_allow_list.c - any bytes as a list of peers; whom it has is found, once, by name and by key */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/allow.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static void
check (const struct allow_list *list, size_t size)
{
    size_t line = 0;
    for (size_t i = 0; i < allow_list_count (list); i++) {
        const struct allow_entry *entry = allow_list_at (list, i);
        if (allow_list_find (list, entry->key) != entry || allow_list_find_name (list, entry->name) != entry)
            abort ();
        if (!key_is_text (entry->key) || !key_is_name (entry->name))
            abort ();
        for (const char *word = entry->may; *word; word += strlen (word) + 1)
            if (allow_check_may (word) != 0 || strlen (word) > size)
                abort ();
        if (allow_list_line (list, entry) <= line)
            abort ();
        line = allow_list_line (list, entry);
        allow_may_topic (entry, "sub", "topic", 5);
    }
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
    /*  A block of its very size: reading past the end is seen. */
    char *text = malloc (size ? size : 1);
    struct allow_list *list;
    if (!text)
        abort ();
    if (size > 0)
        memcpy (text, data, size);
    if (allow_list_parse (&list, text, size, "F") == 0)
        check (list, size);
    allow_list_free (&list);
    free (text);
    return 0;
}
