/*  pool_known.h - jobs by their content, of which many may have the same
 *
 *  Each is found once: of those that are the same, one after the other, in the order in which they came. */

#ifndef WEFT_PATTERNS_POOL_KNOWN_H
#define WEFT_PATTERNS_POOL_KNOWN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct known_slot;

struct known {
    struct known_slot *slots;   /*  an open hash table, half empty at least; NULL: nothing is known */
    size_t room;
    uint64_t *same;             /*  by id: the next that is the same; 0: none                       */
    uint64_t last;              /*  id that may be added                                            */
};

/*  For jobs 1 to `last`. WEFT_ENOMEM. */
int known_init (struct known *self, uint64_t last);
void known_free (struct known *self);

/*  Ids grow; `hash` has 16 bytes. WEFT_EPROTO: there is no such id. */
int known_add (struct known *self, uint64_t id, const unsigned char *hash);

/*  1 with the next of that content, 0 when there is none (more). */
int known_take (struct known *self, const unsigned char *hash, uint64_t *id);

#endif
