/*  alone.c - inproc in a program that has nobody to meet there */

#include "cli/alone.h"

#include <stdio.h>

void
alone_see (struct alone *self, const struct endpoint *endpoint)
{
    if (endpoint->transport != ENDPOINT_INPROC)
        return;
    self->count++;
    snprintf (self->text, sizeof self->text, "%s", endpoint->text);
}

void
alone_see_lists (struct alone *self, const struct option_list *lists, enum endpoint_side side)
{
    struct endpoint endpoint;
    for (size_t i = 0; i < lists->count; i++) {
        const char *next = lists->items[i];
        while (endpoint_next (&next, side, &endpoint) == 1)
            alone_see (self, &endpoint);
    }
}

void
alone_tell (const struct alone *self, struct cli *cli)
{
    if (self->count == 1 && !cli->part)
        cli_note (cli, "%s: inproc stays within this process, where nobody else is; ipc://PATH reaches other programs, "
                  "weft up has many in one", self->text);
}
