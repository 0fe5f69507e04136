/*  thread.c - threads of our own, beside the caller's */

#include "core/thread.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

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
