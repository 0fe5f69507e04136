/*  viewjob.c - a job as far as it is shown: its texts, with the slot that it got, and what is kept of it */

#include "cli/viewjob.h"

#include <stdlib.h>
#include <string.h>

#include "cli/joblist.h"
#include "core/error.h"

/*  A copy at *to, which moves on; `plain` is set when it holds the mark. */
static char *
viewjob_text (char **to, const char *text, const char **plain)
{
    size_t size = strlen (text) + 1;
    char *copy = memcpy (*to, text, size);
    *to += size;
    *plain = strstr (copy, JOBLIST_SLOT_MARK) ? copy : NULL;
    return copy;
}

struct viewjob *
viewjob_new (const char *command, const char *tag, const char *place)
{
    size_t size = strlen (command) + 1 + (tag ? strlen (tag) + 1 : 0) + (place ? strlen (place) + 1 : 0);
    struct viewjob *self = malloc (sizeof *self + size);
    if (!self)
        return NULL;
    *self = (struct viewjob){ .received = 0 };
    char *to = self->text;
    self->command = viewjob_text (&to, command, &self->plain);
    if (tag)
        self->tag = viewjob_text (&to, tag, &self->plain_tag);
    if (place)
        self->place = viewjob_text (&to, place, &self->plain_place);
    return self;
}

void
viewjob_link (struct viewjob *self, struct viewjob **list)
{
    self->next = *list;
    self->link = list;
    if (self->next)
        self->next->link = &self->next;
    *list = self;
}

static void
viewjob_unlink (struct viewjob *self)
{
    *self->link = self->next;
    if (self->next)
        self->next->link = self->link;
}

void
viewjob_free (struct viewjob *self)
{
    if (!self)
        return;
    if (self->link)
        viewjob_unlink (self);
    results_drop (&self->kept);
    if (self->plain && self->command != self->plain)
        free (self->command);
    if (self->plain_tag && self->tag != self->plain_tag)
        free (self->tag);
    if (self->plain_place && self->place != self->plain_place)
        free (self->place);
    free (self->row);
    free (self);
}

static int
fill_slot (const char *plain, int slot, char **text)
{
    struct buffer out;
    buffer_init (&out, 0);
    const char *mark;
    int rc = 0;
    while (rc == 0 && (mark = strstr (plain, JOBLIST_SLOT_MARK))) {
        rc = buffer_add (&out, plain, (size_t) (mark - plain));
        if (rc == 0)
            rc = buffer_addf (&out, "%d", slot);
        plain = mark + strlen (JOBLIST_SLOT_MARK);
    }
    if (rc == 0)
        rc = buffer_add_str (&out, plain);
    if (rc == 0)
        rc = buffer_terminate (&out);
    char *filled = rc == 0 ? strdup (buffer_data (&out)) : NULL;
    buffer_free (&out);
    if (!filled)
        return error_set (WEFT_ENOMEM, "out of memory for a command");
    *text = filled;
    return 0;
}

/*  *text is `plain`, or what took its place for another slot. */
static int
replace_slot (const char *plain, int slot, char **text)
{
    char *old = *text;
    if (!plain)
        return 0;
    int rc = fill_slot (plain, slot, text);
    if (rc == 0 && old != plain)
        free (old);
    return rc;
}

int
viewjob_slot (struct viewjob *self, int slot)
{
    int rc = replace_slot (self->plain, slot, &self->command);
    self->slot = slot;
    if (rc == 0)
        rc = replace_slot (self->plain_tag, slot, &self->tag);
    if (rc == 0)
        rc = replace_slot (self->plain_place, slot, &self->place);
    self->out.tag = self->out.tag ? self->tag : NULL;
    return rc;
}
