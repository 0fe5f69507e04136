/*  parts_change.c - another fabric for the parts that run: what stays, what goes, what is new */

#include "cli/parts_inside.h"

#include <stdlib.h>
#include <string.h>

#include "core/error.h"

/*  The part of that name that is not to go; or NULL. */
static struct part *
find (const struct parts *self, const char *name)
{
    for (size_t i = 0; i < self->count; i++)
        if (!self->list[i]->old && strcmp (self->list[i]->config->name, name) == 0)
            return self->list[i];
    return NULL;
}

bool
parts_have_old (const struct parts *self)
{
    for (size_t i = 0; i < self->count; i++)
        if (self->list[i]->old && part_is_busy (self->list[i]))
            return true;
    return false;
}

void
parts_drop_old (struct parts *self)
{
    size_t kept = 0;
    for (size_t i = 0; i < self->count; i++)
        if (self->list[i]->old && !part_is_busy (self->list[i]))
            part_destroy (&self->list[i]);
        else
            self->list[kept++] = self->list[i];
    self->count = kept;
}

/*  New parts for all that is not there in the same way, at the end of the list. */
static int
add_new (struct parts *self, struct fabric *fabric, struct part **list, size_t *count)
{
    size_t order[fabric->count + 1];
    fabric_start_order (fabric->parts, fabric->count, order);
    for (size_t i = 0; i < fabric->count; i++) {
        struct fabric_part *config = fabric->parts[order[i]];
        struct part *now = find (self, config->name);
        if (now && fabric_part_same (now->config, config))
            continue;
        int rc = part_new (&list[*count], config, self->done_fd);
        if (rc)
            return rc;
        ++*count;
    }
    return 0;
}

/*  What is no part of it any more, or another one. */
static size_t
mark_old (struct parts *self, const struct fabric *fabric)
{
    size_t marked = 0;
    for (size_t i = 0; i < self->count; i++) {
        struct part *part = self->list[i];
        const struct fabric_part *config = fabric_find (fabric, part->config->name);
        if (part->old || (config && fabric_part_same (part->config, config)))
            continue;
        part->old = true;
        marked++;
    }
    return marked;
}

/*  Part by part they are the list's now. */
static void
take_configs (struct fabric *fabric, struct part **list, size_t from, size_t count)
{
    for (size_t i = from; i < count; i++)
        for (size_t j = 0; j < fabric->count; j++)
            if (fabric->parts[j] == list[i]->config)
                fabric->parts[j] = NULL;
}

int
parts_change (struct parts *self, struct fabric *fabric)
{
    size_t count = self->count, had = 0, kept;
    struct part **list = calloc (self->count + fabric->count + 1, sizeof *list);
    int rc = list ? 0 : error_set (WEFT_ENOMEM, "not enough memory");
    if (rc == 0 && self->count)
        memcpy (list, self->list, self->count * sizeof *list);
    rc = rc ? rc : add_new (self, fabric, list, &count);
    if (rc) {
        for (size_t i = self->count; list && i < count; i++) {
            list[i]->config = NULL;
            part_destroy (&list[i]);
        }
        free (list);
        return rc;
    }
    for (size_t i = 0; i < self->count; i++)
        had += !self->list[i]->old;
    kept = had - mark_old (self, fabric);
    take_configs (fabric, list, self->count, count);
    if (self->told_ready)
        cli_note (self->cli, "%zu part%s to stop, %zu to start, %zu untouched", had - kept, had - kept == 1 ? "" : "s",
                  count - self->count, kept);
    free (self->list);
    self->list = list;
    self->count = count;
    self->told_ready = false;
    parts_drop_old (self);
    return 0;
}
