/*  proxy_deaf.h - the clients of a queue that do not read their replies
 *
 *  Each was waited for once; until it takes a reply again, nobody waits for it a second time. */
#ifndef WEFT_PATTERNS_PROXY_DEAF_H
#define WEFT_PATTERNS_PROXY_DEAF_H

#include <stdbool.h>
#include <stdint.h>

#include "core/message.h"

#define DEAF_MAX 64             /*  one more takes the place of another             */

struct deaf {
    uint64_t clients[DEAF_MAX];
    unsigned count, turn;       /*  whose place is taken next                       */
};

/*  The client that a message of a ROUTER is for, or from: a hash of its routing id. */
uint64_t deaf_name (const weft_msg_t *msg);

bool deaf_knows (const struct deaf *self, uint64_t client);
void deaf_add (struct deaf *self, uint64_t client);
void deaf_remove (struct deaf *self, uint64_t client);

#endif
