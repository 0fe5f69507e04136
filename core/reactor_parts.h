/*  reactor_parts.h - what the files of the reactor share; nobody else includes it */
#ifndef WEFT_CORE_REACTOR_PARTS_H
#define WEFT_CORE_REACTOR_PARTS_H

#include <uv.h>

#include "core/reactor.h"

struct reactor {
    uv_loop_t loop;
    uv_async_t wake;                    /*  reactor_stop                                        */
    uv_timer_t alarm;                   /*  the next deadline                                   */
    struct timers timers;
    struct reactor_task tasks;          /*  the head of a ring of what is put off               */
    struct reactor_socket *sockets;
    void (*each_round) (void *arg);
    void *each_round_arg;
    int64_t now;                        /*  0: to be asked for                                  */
    bool again;                         /*  something was changed that the next look may tell   */
    int stop;                           /*  by __atomic: also from a signal handler             */
    unsigned char scratch[REACTOR_SCRATCH];
};

/*  Takes in what the system has for us, and waits for it until the deadline at most. */
void reactor_poll (struct reactor *self, int64_t deadline);

/*  Of struct reactor_socket: asks all, and calls for those that are ready. How many were, or negative; *deadline gets
 *  the earliest at which one wants to be asked again. */
int reactor_ask (struct reactor *self, int64_t *deadline);
void reactor_free_gone (struct reactor *self);

/*  The words for a failure of libuv's. */
int reactor_uv_error (int rc, const char *what);

#endif
