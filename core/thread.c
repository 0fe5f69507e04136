/*  thread.c - threads of our own, beside the caller's */

#include "core/thread.h"

#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/error.h"
#include "core/log.h"

struct beginning {
    void *(*run) (void *arg);
    void *arg, *owner;
};

static void *
begin (void *arg)
{
    struct beginning self = *(struct beginning *) arg;
    free (arg);
    log_set_owner (self.owner);
    return self.run (self.arg);
}

int
thread_start (pthread_t *thread, size_t stack, void *(*run) (void *arg), void *arg)
{
    struct beginning *beginning = malloc (sizeof *beginning);
    pthread_attr_t attributes;
    sigset_t all, before;
    if (!beginning)
        return error_plain (WEFT_ENOMEM);
    *beginning = (struct beginning) { run, arg, log_owner () };
    pthread_attr_init (&attributes);
    if (stack)
        pthread_attr_setstacksize (&attributes, stack);
    sigfillset (&all);
    pthread_sigmask (SIG_SETMASK, &all, &before);
    int error = pthread_create (thread, &attributes, begin, beginning);
    pthread_sigmask (SIG_SETMASK, &before, NULL);
    pthread_attr_destroy (&attributes);
    if (!error)
        return 0;
    free (beginning);
    return error_set (WEFT_ELIMIT, "cannot start a thread: %s", strerror (error));
}

/* -------------------------------------------------------------------- scheduling */

#define PROMPT_TURN (100 * TIME_US)     /*  the shortest that there is      */
#define RESET_ON_FORK 1                 /*  SCHED_FLAG_RESET_ON_FORK        */

/*  As sched_setattr(2) has it; the C library does not everywhere. */
struct attributes {
    uint32_t size, policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime, deadline, period;
};

void
thread_be_prompt (void)
{
    struct attributes it = { .size = sizeof it };
    if (syscall (SYS_sched_getattr, 0, &it, sizeof it, 0) || (it.policy != SCHED_OTHER && it.policy != SCHED_BATCH)
        || it.nice < 0)             /*  which what it starts would lose with the short turns */
        return;
    it.size = sizeof it;
    it.flags = RESET_ON_FORK;
    it.runtime = PROMPT_TURN;
    it.deadline = it.period = 0;
    syscall (SYS_sched_setattr, 0, &it, 0);
}
