/*  launch.c - runs a command again and again, and tells its time and its memory
 *
 *      launch TIMES COMMAND [ARGUMENT ...]
 *
 *  prints for each time "wall NANOSECONDS peak KIBIBYTES" on the standard error. The peak is the resident
 *  high-water mark of the command or the largest of its children. It is exact because
 *  this program is small: what a process inherits of its parent's mark at exec counts. */

#include <spawn.h>
#include <sys/resource.h>
#include <sys/types.h>
#include <sys/wait.h>

#include "bench/measure.h"

extern char **environ;

int
main (int argc, char **argv)
{
    if (argc < 3)
        die ("usage: TIMES COMMAND [ARGUMENT ...]");
    for (size_t left = number_of (argv[1], 1); left; left--) {
        struct rusage usage;
        int status;
        pid_t pid;
        int64_t start = now_ns ();

        errno = posix_spawnp (&pid, argv[2], NULL, NULL, argv + 2, environ);
        check (!errno, argv[2]);
        check (wait4 (pid, &status, 0, &usage) == pid, "wait4");
        if (status)
            die ("%s ended with %s %d", argv[2], WIFEXITED (status) ? "status" : "signal",
                 WIFEXITED (status) ? WEXITSTATUS (status) : WTERMSIG (status));
        fprintf (stderr, "wall %lld peak %ld\n", (long long) (now_ns () - start), usage.ru_maxrss);
    }
    return 0;
}
