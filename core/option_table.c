/*  option_table.c - tables of options: their defaults, their end, and an option by its name */

#include "core/option.h"

#include <stdlib.h>

#include "core/error.h"

int
option_init (const struct option *table, void *target)
{
    for (const struct option *option = table; option->name; option++) {
        int rc = option->standard ? option_set (option, target, option->standard) : 0;
        if (rc) {
            option_free (table, target);
            return rc;
        }
    }
    return 0;
}

void
option_free (const struct option *table, void *target)
{
    for (; table->name; table++) {
        void *field = option_field (table, target);
        if (table->type == OPTION_TEXT) {
            free (*(char **) field);
            *(char **) field = NULL;
        } else if (table->type == OPTION_LIST) {
            struct option_list *list = field;
            for (size_t i = 0; i < list->count; i++)
                free (list->items[i]);
            free (list->items);
            *list = (struct option_list) { NULL, 0 };
        }
    }
}

static bool
same_name (const char *a, const char *b)
{
    for (; *a && *b; a++, b++)
        if ((*a == '_' ? '-' : *a) != (*b == '_' ? '-' : *b))
            return false;
    return *a == *b;
}

const struct option *
option_find (const struct option *table, const char *name)
{
    for (; table->name; table++)
        if (same_name (table->name, name))
            return table;
    return NULL;
}

const struct option *
option_find_group (const struct option_group *groups, const char *name, void **target)
{
    const struct option *option = NULL;
    for (; groups->table && !option; groups++)
        if ((option = option_find (groups->table, name)))
            *target = groups->target;
    return option;
}

int
option_unknown (const struct option_group *groups, const char *name, const char *whose)
{
    const char *nearest = option_nearest (groups, name);
    return error_set (WEFT_EINVAL, "%s: no such option of %s%s%s%s", name, whose, nearest ? "; perhaps " : "",
                      nearest ? nearest : "", nearest ? "?" : "");
}

int
option_set_in (const struct option_group *groups, const char *name, const char *value, const char *whose,
               const char *closed)
{
    void *target;
    const struct option *option = option_find_group (groups, name, &target);
    if (!option)
        return option_unknown (groups, name, whose);
    if (closed)
        return error_set (WEFT_ESTATE, "%s: has to be set before %s", option->name, closed);
    return option_set (option, target, value);
}
