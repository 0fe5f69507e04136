/*  pool_live.h - a head, and workers on threads of their own: what tests of the whole pool begin with */
#ifndef WEFT_TESTS_POOL_LIVE_H
#define WEFT_TESTS_POOL_LIVE_H

#include <pthread.h>
#include <stdint.h>

#include "tests/folder.h"
#include "weft.h"

#define LIVE_WORKERS 4
#define LIVE_PATIENCE 30000     /*  ms; only a failing test waits so long */

struct agent {
    weft_worker_t *worker;
    pthread_t thread;
    int result;                 /*  once it was joined                  */
};

struct live {
    weft_t *weft;
    weft_pool_t *pool;
    struct agent agents[LIVE_WORKERS];
    int count;
    char dir[FOLDER_SIZE];
};

/*  Fixtures of cmocka's: the pool is not bound yet. In the end it is destroyed, and its workers are waited for. */
int live_setup (void **state);
int live_teardown (void **state);

void live_bind (struct live *self, const char *endpoint);

/*  An endpoint in the test's folder. */
const char *live_ipc (const struct live *self);

/*  Starts a worker, perhaps with an option (or NULL); which of the agents it is. */
int live_worker (struct live *self, const char *slots, const char *option, const char *value);

/*  Waits for its end. */
void live_join (struct live *self, int index);

void live_submit (struct live *self, const char *command);

/*  The next event of that kind; others are passed over. */
weft_pool_event_t live_await (weft_pool_t *pool, int kind);

/*  Finishes, and takes what is left: each job is done once, by its number in `seen` (or NULL). How many were. */
int live_finish (struct live *self, unsigned char *seen, uint64_t jobs);

#endif
