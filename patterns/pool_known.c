/*  pool_known.c - jobs by their content, of which many may have the same */

#include "patterns/pool_known.h"

#include <stdlib.h>
#include <string.h>

#include "core/error.h"

struct known_slot {
    uint64_t hash[2];
    uint64_t first, last;       /*  of those that are left; `last` is 0 in a slot that was never used  */
};

int
known_init (struct known *self, uint64_t last)
{
    *self = (struct known) { .room = 16, .last = last };
    while (self->room < 2 * (last + 1))
        self->room *= 2;
    self->slots = calloc (self->room, sizeof *self->slots);
    self->same = calloc (last + 1, sizeof *self->same);
    if (self->slots && self->same)
        return 0;
    known_free (self);
    return error_set (WEFT_ENOMEM, "out of memory for the %llu jobs of a ledger", (unsigned long long) last);
}

void
known_free (struct known *self)
{
    free (self->slots);
    free (self->same);
    *self = (struct known) { .slots = NULL };
}

/*  The slot of that content, or the one where it would be. */
static struct known_slot *
slot_of (const struct known *self, const unsigned char *hash)
{
    uint64_t parts[2];
    memcpy (parts, hash, sizeof parts);
    for (size_t place = parts[0]; ; place++) {
        struct known_slot *slot = &self->slots[place & (self->room - 1)];
        if (!slot->last || (slot->hash[0] == parts[0] && slot->hash[1] == parts[1])) {
            memcpy (slot->hash, parts, sizeof parts);
            return slot;
        }
    }
}

int
known_add (struct known *self, uint64_t id, const unsigned char *hash)
{
    if (!id || id > self->last)
        return error_set (WEFT_EPROTO, "the ledger has more jobs than it counts");
    struct known_slot *slot = slot_of (self, hash);
    if (slot->last)
        self->same[slot->last] = id;
    if (!slot->first)
        slot->first = id;
    slot->last = id;
    return 0;
}

int
known_take (struct known *self, const unsigned char *hash, uint64_t *id)
{
    struct known_slot *slot = self->slots ? slot_of (self, hash) : NULL;
    if (!slot || !slot->first)
        return 0;
    *id = slot->first;
    slot->first = self->same[slot->first];
    return 1;
}
