/*  jobasked.h - what the head of a ledger is asked to do with its jobs while it runs
 *
 *  docs/spec/ledger.md says in which words. The head answers in its ordinary loop and never waits for who asks. */
#ifndef WEFT_CLI_JOBASKED_H
#define WEFT_CLI_JOBASKED_H

#include "cli/command.h"
#include "core/buffer.h"

struct jobasked {
    weft_pool_t *pool;          /*  NULL: was never opened                          */
    weft_socket_t *socket;      /*  NULL: nobody can ask                            */
    bool ending;                /*  the caller's: see jobasked_do                   */
    bool retried;               /*  a job was                                       */
    int folder;                 /*  of the path; or -1                              */
};

/*  Listens beside the ledger. Where that cannot be the head runs without, and says so. */
void jobasked_open (struct jobasked *self, struct cli *cli, weft_pool_t *pool, const char *ledger);
void jobasked_close (struct jobasked *self);

/*  Answers some of those who have asked. */
void jobasked_turn (struct jobasked *self);

/*  Does what a request says: its answer is added to `reply`. With `ending` nothing is begun any more. WEFT_ENOMEM. */
int jobasked_do (weft_pool_t *pool, bool ending, const char *request, size_t size, struct buffer *reply);

#endif
