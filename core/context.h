/*  context.h - what weft_t is inside */

#ifndef WEFT_CORE_CONTEXT_H
#define WEFT_CORE_CONTEXT_H

#include <pthread.h>
#include <stdatomic.h>

#include "core/clock.h"
#include "core/log.h"
#include "core/wire.h"

struct weft {
    const struct wire_engine *engine;
    void *wires;                        /*  the engine's context; made at the first socket,
                                            under `lock`, so that a context costs nothing before */
    struct clock *clock;
    struct log log;
    pthread_mutex_t lock;
    atomic_uint open;                   /*  wires that are open                             */
};

/*  A context over another engine and clock: for tests. */
weft_t *context_new (const struct wire_engine *engine, struct clock *clock);

/*  Opens a wire in the context, which cannot be destroyed before context_close. */
int context_open (weft_t *self, enum wire_type type, const struct wire_options *options, struct wire **wire);
void context_close (weft_t *self, struct wire **wire);

#endif
