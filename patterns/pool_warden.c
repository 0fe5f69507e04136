/*  pool_warden.c - who ends a worker's jobs when the worker itself cannot
 *
 *  A fork without exec: our library has no program of its own that could be executed everywhere. What the guardian
 *  does is system calls and nothing else, since other threads may have held any lock in that moment. It closes all
 *  descriptors, blocks all signals and has a session of its own: nobody is held up by it, and what is sent to the
 *  worker's terminal or group does not reach it. */

#include "patterns/pool_warden.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/error.h"

#define SIGNALS_SIZE ((size_t) _NSIG / 8)       /*  of the kernel's set of signals */
#define IN_GUARDIAN __attribute__ ((no_sanitize ("address", "thread", "undefined")))
#define LOOK (10 * TIME_MS)             /*  between two looks at who is left, within the grace */
#define FILES_MAX 1048576               /*  descriptors that are closed one by one, where they cannot be at once */

struct warden_table {
    size_t size;                /*  of the mapping              */
    int count;
    int64_t grace;
    pid_t groups[];             /*  of running jobs; 0: none    */
};

typedef unsigned char signals_t[SIGNALS_SIZE];

int
warden_open (struct warden *self, int count, int64_t grace)
{
    size_t size = sizeof (struct warden_table) + (size_t) count * sizeof (pid_t);
    *self = (struct warden) { .pidfd = -1 };
    void *memory = mmap (NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        return error_errno ("no memory to keep watch over jobs");
    self->table = memory;
    self->table->size = size;
    self->table->count = count;
    self->table->grace = grace;
    return 0;
}

pid_t *
warden_place (const struct warden *self, int slot)
{
    return self->table ? &self->table->groups[slot] : NULL;
}

/* ------------------------------------------------------------------ the guardian */

IN_GUARDIAN static int64_t
now (void)
{
    struct timespec time = { .tv_sec = 0 };
    syscall (SYS_clock_gettime, CLOCK_MONOTONIC, &time);
    return time.tv_sec * TIME_S + time.tv_nsec;
}

IN_GUARDIAN static void
signal_groups (const struct warden_table *table, int number)
{
    for (int i = 0; i < table->count; i++)
        if (table->groups[i] > 0)
            syscall (SYS_kill, -table->groups[i], number);
}

/*  Takes out those that have ended, whose numbers others may have soon; how many are left. */
IN_GUARDIAN static int
look_at_groups (struct warden_table *table)
{
    int left = 0;
    for (int i = 0; i < table->count; i++) {
        if (table->groups[i] > 0 && syscall (SYS_kill, -table->groups[i], 0) && errno == ESRCH)
            table->groups[i] = 0;
        left += table->groups[i] > 0;
    }
    return left;
}

IN_GUARDIAN static void
end_groups (struct warden_table *table)
{
    static const struct timespec pause = { .tv_nsec = LOOK };
    int64_t until = now () + table->grace;
    signal_groups (table, SIGTERM);
    signal_groups (table, SIGCONT);
    /*  At least once, for a job that was just being started. */
    do
        syscall (SYS_nanosleep, &pause, NULL);
    while (look_at_groups (table) && now () < until);
    signal_groups (table, SIGKILL);
}

IN_GUARDIAN static void
close_files (void)
{
    struct rlimit limit = { .rlim_cur = FILES_MAX };
    if (syscall (SYS_close_range, 0, ~0U, 0) == 0)
        return;
    syscall (SYS_prlimit64, 0, RLIMIT_NOFILE, NULL, &limit);
    for (rlim_t fd = 0; fd < limit.rlim_cur && fd < FILES_MAX; fd++)
        syscall (SYS_close, fd);
}

/*  Until the worker has ended, which may have been before we came here. Its number is no proof that it lives, as it may
 *  be somebody else's by then; that it is our parent is one. Where a pidfd cannot be had (a sandbox may forbid
 *  it) we look from time to time. */
IN_GUARDIAN static void
await_end (pid_t worker)
{
    static const struct timespec pause = { .tv_nsec = 10 * LOOK };
    struct pollfd item = { .fd = (int) syscall (SYS_pidfd_open, worker, 0), .events = POLLIN };
    while (syscall (SYS_getppid) == worker) {
        if (item.fd < 0)
            syscall (SYS_nanosleep, &pause, NULL);
        else if (syscall (SYS_ppoll, &item, 1, NULL, NULL, SIGNALS_SIZE) == 1)
            break;
    }
}

__attribute__ ((noreturn)) IN_GUARDIAN static void
guardian (struct warden_table *table, pid_t worker)
{
    syscall (SYS_setsid);
    syscall (SYS_prctl, PR_SET_NAME, "weft-guardian", 0, 0, 0);
    syscall (SYS_prctl, PR_SET_DUMPABLE, 0, 0, 0, 0);
    syscall (SYS_chdir, "/");
    close_files ();
    await_end (worker);
    end_groups (table);
    for (;;)
        syscall (SYS_exit_group, 0);
}

/* ------------------------------------------------------------------- its worker */

static void
reap (struct warden *self)
{
    while (self->pid > 0 && waitpid (self->pid, NULL, __WALL) < 0 && errno == EINTR)
        ;
    if (self->pidfd >= 0)
        close (self->pidfd);
    self->pid = 0;
    self->pidfd = -1;
}

int
warden_start (struct warden *self)
{
    signals_t all, before;
    pid_t worker = getpid ();
    int pidfd = -1;
    reap (self);
    memset (all, 0xff, sizeof all);
    syscall (SYS_rt_sigprocmask, SIG_SETMASK, all, before, SIGNALS_SIZE);
    /*  No signal at its end: the host's handlers, and its waits for children, do not see it. */
    long pid = syscall (SYS_clone, CLONE_PIDFD, NULL, &pidfd, NULL, NULL);
    if (pid == 0)
        guardian (self->table, worker);
    int error = errno;
    syscall (SYS_rt_sigprocmask, SIG_SETMASK, before, NULL, SIGNALS_SIZE);
    errno = error;
    if (pid < 0)
        return error_errno ("no process could be started that ends jobs when this one is killed");
    /*  It leaves our group by itself, but perhaps not before somebody kills all of that. */
    setpgid ((pid_t) pid, (pid_t) pid);
    self->pid = (pid_t) pid;
    self->pidfd = pidfd;
    return 0;
}

void
warden_close (struct warden *self)
{
    if (self->pid > 0)
        kill (self->pid, SIGKILL);
    reap (self);
    if (self->table)
        munmap (self->table, self->table->size);
    self->table = NULL;
}
