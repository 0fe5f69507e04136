/*  proxy_deaf.c - the clients of a queue that do not read their replies */

#include "patterns/proxy_deaf.h"

uint64_t
deaf_name (const weft_msg_t *msg)
{
    const unsigned char *id = weft_msg_data (msg, 0);
    uint64_t hash = UINT64_C (14695981039346656037);        /*  FNV-1a */
    for (size_t i = 0; i < weft_msg_size (msg, 0); i++)
        hash = (hash ^ id[i]) * UINT64_C (1099511628211);
    return hash;
}

static unsigned
find (const struct deaf *self, uint64_t client)
{
    unsigned i = 0;
    while (i < self->count && self->clients[i] != client)
        i++;
    return i;
}

bool
deaf_knows (const struct deaf *self, uint64_t client)
{
    return find (self, client) < self->count;
}

void
deaf_add (struct deaf *self, uint64_t client)
{
    if (deaf_knows (self, client))
        return;
    if (self->count < DEAF_MAX)
        self->clients[self->count++] = client;
    else
        self->clients[self->turn++ % DEAF_MAX] = client;
}

void
deaf_remove (struct deaf *self, uint64_t client)
{
    unsigned i = find (self, client);
    if (i < self->count)
        self->clients[i] = self->clients[--self->count];
}
