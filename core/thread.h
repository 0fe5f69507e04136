/*  thread.h - threads of our own, beside the caller's */
#ifndef WEFT_CORE_THREAD_H
#define WEFT_CORE_THREAD_H

#include <pthread.h>
#include <stddef.h>

/*  Starts a thread that takes no signals, which are for the threads that asked for them, and that logs for whom the
 *  calling one does (log_owner). stack: its size in bytes, 0 for the usual. WEFT_ELIMIT, WEFT_ENOMEM. */
int thread_start (pthread_t *thread, size_t stack, void *(*run) (void *arg), void *arg);

/*  The calling thread is to run soon after what it waits for has come, on a machine that is busy with what it started:
 *  asks the system for short turns. Its priority and its class stay; what it starts has turns of the usual length.
 *  Nothing happens before Linux 6.12, which has only turns of one length, and with a nice value below 0. For threads of
 *  our own. */
void thread_be_prompt (void);

#endif
