/*  thread.h - threads of our own, beside the caller's */
#ifndef WEFT_CORE_THREAD_H
#define WEFT_CORE_THREAD_H

#include <pthread.h>
#include <stddef.h>

/*  Starts a thread that takes no signals, which are for the threads that asked for them, and that logs for whom the
 *  calling one does (log_owner). stack: its size in bytes, 0 for the usual. WEFT_ELIMIT, WEFT_ENOMEM. */
int thread_start (pthread_t *thread, size_t stack, void *(*run) (void *arg), void *arg);

#endif
