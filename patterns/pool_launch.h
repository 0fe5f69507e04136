/*  pool_launch.h - a program in a process of its own, at the least cost */

#ifndef WEFT_PATTERNS_POOL_LAUNCH_H
#define WEFT_PATTERNS_POOL_LAUNCH_H

#include <sys/types.h>

struct launch_spec {
    char *const *argv;          /*  argv[0] is looked for in our PATH           */
    char *const *envp;
    const char *dir;            /*  to run in; NULL: the caller's               */
    int fds[3];                 /*  become 0 to 2, and lie above them           */
    pid_t *group;               /*  where it writes its number before it is executed; NULL: nowhere */
};

/*  Starts it as the leader of a new process group, with no signal blocked and none ignored.
 *  0, or the errno of what failed, and then nothing is left. `pidfd` becomes readable when it
 *  exits, and is closed on exec. */
int launch (const struct launch_spec *spec, pid_t *pid, int *pidfd);

#endif
