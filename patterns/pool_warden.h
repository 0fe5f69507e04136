/*  pool_warden.h - who ends a worker's jobs when the worker itself cannot
 *
 *  A worker that is killed (kill -9, out of memory) can end no job. So it has a guardian: a process that does nothing
 *  but wait for the worker's end. When that comes without a goodbye, it sends SIGTERM to the groups of the jobs that
 *  run, and SIGKILL after the grace to those that are left.
 *
 *  Which these are stands in memory that both share: a job's number is written there by the job itself, before its
 *  exec, and taken out before the number is free for others. So nothing has to be told, a job costs two stores, and
 *  there is no moment in which a job runs that the guardian does not know of.
 *
 *  Why not less: PR_SET_PDEATHSIG reaches one process of a job, not those that it has started, and the end of a thread
 *  of ours is as good as ours to it; a cgroup is not for everybody to make. */

#ifndef WEFT_PATTERNS_POOL_WARDEN_H
#define WEFT_PATTERNS_POOL_WARDEN_H

#include <stdint.h>
#include <sys/types.h>

struct warden_table;

struct warden {
    struct warden_table *table;  /*  NULL: not open                                      */
    pid_t pid;                  /*  the guardian; 0: none                               */
    int pidfd;                  /*  readable when somebody has killed it; -1: none      */
};

/*  For so many jobs at once; `grace` in ns. WEFT_ENOMEM. The guardian is still to be started. */
int warden_open (struct warden *self, int count, int64_t grace);

/*  Says goodbye: the jobs that are left are let alone. */
void warden_close (struct warden *self);

/*  Where the job of a slot, from 0, writes its number; NULL when not open. */
pid_t *warden_place (const struct warden *self, int slot);

/*  Forks it. To be called again when pidfd is readable: the guardian itself was killed. A failure (WEFT_ELIMIT, ...)
 *  leaves the worker without. Takes none of the caller's signals, children or descriptors. */
int warden_start (struct warden *self);

#endif
