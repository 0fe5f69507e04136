/*  pool_launch.c - a program in a process of its own, at the least cost
 *
 *  As posix_spawn does it: the child shares our memory, and its parent stands still until
 *  it execs. But that of glibc maps a stack for every child, whose end interrupts the
 *  processors that run other threads of ours, and asks for the limit of descriptors at every
 *  one it hands over. Here the child runs on the stack of the parent, and brings its pidfd along.
 *
 *  The child makes system calls and nothing else, and those by syscall (): a sanitizer
 *  would take what it sees of libc's functions for our own doing. */

#include "patterns/pool_launch.h"

#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/limits.h"

#define CHILD_STACK 32768
#define SIGNALS_SIZE ((size_t) _NSIG / 8)       /*  of the kernel's set of signals */
#define IN_CHILD __attribute__ ((no_sanitize ("address", "thread", "undefined")))

#ifdef __SANITIZE_THREAD__
/*  The thread sanitizer's own clone takes the child for a fork, and what it does there to our memory. */
int __clone (int (*fn) (void *), void *stack, int flags, void *arg, ...);
#define clone __clone
#endif

struct launch {
    const struct launch_spec *spec;
    const char *path;
    int error;
};

typedef unsigned char signals_t[SIGNALS_SIZE];

/*  For a thread that shares our memory handlers must be gone before a signal can come. */
IN_CHILD static void
reset_signals (void)
{
    static const unsigned char standard[64];    /*  the kernel's struct sigaction: SIG_DFL, no flags */
    for (long number = 1; number < _NSIG; number++)
        if (number != SIGKILL && number != SIGSTOP)
            syscall (SYS_rt_sigaction, number, standard, NULL, SIGNALS_SIZE);
}

/*  Limits that we changed for ourselves. */
IN_CHILD static int
restore_limits (void)
{
    for (size_t i = 0; i < limits_count; i++)
        if (syscall (SYS_prlimit64, 0, limits_given[i].resource, &limits_given[i].limit, NULL))
            return errno;
    return 0;
}

IN_CHILD static int
prepare (const struct launch_spec *spec)
{
    static const signals_t none;
    reset_signals ();
    if (syscall (SYS_setpgid, 0, 0))
        return errno;
    if (spec->group)
        *spec->group = (pid_t) syscall (SYS_getpid);
    for (int i = 0; i < 3; i++)
        if (syscall (SYS_dup3, spec->fds[i], i, 0) < 0)
            return errno;
    if (spec->dir && syscall (SYS_chdir, spec->dir))
        return errno;
    int error = restore_limits ();
    if (error)
        return error;
    return syscall (SYS_rt_sigprocmask, SIG_SETMASK, none, NULL, SIGNALS_SIZE) ? errno : 0;
}

IN_CHILD static int
exec_file (const struct launch_spec *spec, const char *file)
{
    syscall (SYS_execve, file, spec->argv, spec->envp);
    return errno;
}

/*  Like posix_spawnp: what may not be run is passed over, and told when nothing else is found. */
IN_CHILD static int
exec_in_path (const struct launch_spec *spec, const char *path)
{
    char file[PATH_MAX];
    const char *name = spec->argv[0], *end;
    size_t size = strlen (name) + 1;
    int result = size > NAME_MAX + 1 ? ENAMETOOLONG : ENOENT;
    for (const char *dir = path; ; dir = end + 1) {
        end = strchrnul (dir, ':');
        size_t length = (size_t) (end - dir);
        if (size <= NAME_MAX + 1 && length + 1 + size <= sizeof file) {
            memcpy (file, dir, length);
            file[length] = '/';
            memcpy (file + length + (length > 0), name, size);
            int error = exec_file (spec, file);
            if (error == EACCES)
                result = EACCES;
            else if (error != ENOENT && error != ENOTDIR && error != ESTALE && error != ENODEV && error != ETIMEDOUT)
                return error;
        }
        if (!*end)
            return result;
    }
}

IN_CHILD static int
child (void *arg)
{
    struct launch *self = arg;
    const struct launch_spec *spec = self->spec;
    self->error = prepare (spec);
    if (self->error == 0)
        self->error = self->path ? exec_in_path (spec, self->path) : exec_file (spec, spec->argv[0]);
    syscall (SYS_exit_group, 127);
    return 127;
}

/*  Where to look for a program, NULL when its name says where it is. */
static const char *
search_path (const char *name)
{
    const char *path = getenv ("PATH");
    if (strchr (name, '/') || !*name)
        return NULL;
    return path ? path : "/bin:/usr/bin";
}

int
launch (const struct launch_spec *spec, pid_t *pid, int *pidfd)
{
    struct launch self = { .spec = spec, .path = search_path (spec->argv[0]), .error = 0 };
    char stack[CHILD_STACK] __attribute__ ((aligned (16)));
    signals_t all, before;
    memset (all, 0xff, sizeof all);
    syscall (SYS_rt_sigprocmask, SIG_SETMASK, all, before, SIGNALS_SIZE);
    *pid = clone (child, stack + sizeof stack, CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD, &self, pidfd);
    int error = *pid < 0 ? errno : self.error;
    syscall (SYS_rt_sigprocmask, SIG_SETMASK, before, NULL, SIGNALS_SIZE);
    if (error && spec->group)
        *spec->group = 0;
    if (error && *pid > 0) {
        while (waitpid (*pid, NULL, 0) < 0 && errno == EINTR)
            ;
        close (*pidfd);
    }
    if (error) {
        *pid = 0;
        *pidfd = -1;
    }
    return error;
}
