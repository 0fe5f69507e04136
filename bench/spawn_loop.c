/*  spawn_loop.c - the peer of weft run: nothing but posix_spawn and wait
 *
 *      spawn_loop SLOTS COMMAND < lines     runs COMMAND with each line as its argument,
 *                                           SLOTS at once */

#include <spawn.h>
#include <sys/types.h>
#include <sys/wait.h>

#include "bench/measure.h"

extern char **environ;

static void
reap (void)
{
    int status;

    check (wait (&status) > 0, "wait");
    if (status)
        die ("a job failed");
}

int
main (int argc, char **argv)
{
    char *line = NULL;
    size_t capacity = 0, running = 0, slots;
    ssize_t size;

    if (argc != 3)
        die ("usage: SLOTS COMMAND < lines");
    slots = number_of (argv[1], 1);
    while ((size = getline (&line, &capacity, stdin)) > 0) {
        pid_t pid;
        line[strcspn (line, "\n")] = 0;
        if (running == slots) {
            reap ();
            running--;
        }
        errno = posix_spawn (&pid, argv[2], NULL, NULL, (char *[]){argv[2], line, NULL}, environ);
        check (!errno, argv[2]);
        running++;
    }
    for (; running; running--)
        reap ();
    free (line);
    return 0;
}
