/*  piped.c - a program with pipes to its input, output and errors, in a process group of its own */

#include "cli/piped.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/error.h"
#include "patterns/pool_launch.h"

enum { PIPED_READ_SIZE = 4096 };

static void
close_fd (int *fd)
{
    if (*fd >= 0)
        close (*fd);
    *fd = -1;
}

int
piped_start (struct piped *self, char *const *argv)
{
    int pipes[3][2] = { { -1, -1 }, { -1, -1 }, { -1, -1 } }, rc = 0;
    *self = (struct piped){ .exited = -1, .in = -1, .out = -1, .err = -1 };
    for (int i = 0; i < 3 && rc == 0; i++)
        if (pipe2 (pipes[i], O_CLOEXEC))
            rc = error_errno ("cannot run %s", argv[0]);
    /*  The program has filled its standard descriptors: these lie above. */
    struct launch_spec spec = { .argv = argv, .envp = environ, .fds = { pipes[0][0], pipes[1][1], pipes[2][1] } };
    if (rc == 0 && (errno = launch (&spec, &self->pid, &self->exited))) {
        rc = error_errno ("cannot run %s", argv[0]);
        self->pid = 0;
        self->exited = -1;
    }
    for (int i = 0; i < 3; i++)
        close_fd (&pipes[i][i > 0]);
    self->in = pipes[0][1];
    self->out = pipes[1][0];
    self->err = pipes[2][0];
    if (rc < 0)
        piped_end (self, 0);
    if (self->out >= 0)
        fcntl (self->out, F_SETFL, O_NONBLOCK);
    if (self->err >= 0)
        fcntl (self->err, F_SETFL, O_NONBLOCK);
    return rc;
}

bool
piped_read (int *fd, struct buffer *to)
{
    while (*fd >= 0) {
        char *room = buffer_reserve (to, PIPED_READ_SIZE);
        ssize_t size = room ? read (*fd, room, PIPED_READ_SIZE) : 0;
        if (size > 0)
            buffer_wrote (to, (size_t) size);
        else if (size == 0 || (errno != EAGAIN && errno != EINTR))
            close_fd (fd);
        else
            break;
    }
    return *fd >= 0;
}

static bool
ended_within (const struct piped *self, int64_t wait)
{
    struct pollfd fd = { .fd = self->exited, .events = POLLIN };
    int64_t deadline = clock_deadline (clock_system (), wait);
    int ready;
    do
        ready = poll (&fd, 1, clock_poll_ms (clock_left (clock_system (), deadline)));
    while (ready < 0 && errno == EINTR);
    return ready > 0;
}

int
piped_end (struct piped *self, int64_t wait)
{
    int status = 0;
    close_fd (&self->in);
    close_fd (&self->out);
    close_fd (&self->err);
    if (self->pid == 0)
        return 0;
    if (!ended_within (self, wait)) {
        kill (-self->pid, SIGTERM);
        if (!ended_within (self, wait))
            kill (-self->pid, SIGKILL);
    }
    while (waitpid (self->pid, &status, 0) < 0 && errno == EINTR)
        continue;
    close_fd (&self->exited);
    self->pid = 0;
    return WIFSIGNALED (status) ? 128 + WTERMSIG (status) : WEXITSTATUS (status);
}

int
piped_run (char *const *argv, struct buffer *out, struct buffer *err, int64_t limit, int stop)
{
    struct piped piped;
    int rc = piped_start (&piped, argv);
    int64_t deadline = clock_deadline (clock_system (), limit);
    close_fd (&piped.in);
    bool stopped = false;
    while (rc == 0 && !stopped && (piped.out >= 0 || piped.err >= 0) && clock_left (clock_system (), deadline) != 0) {
        struct pollfd fds[] = { { .fd = piped.out, .events = POLLIN }, { .fd = piped.err, .events = POLLIN },
                                { .fd = stop, .events = POLLIN } };
        if (poll (fds, 3, clock_poll_ms (clock_left (clock_system (), deadline))) < 0 && errno != EINTR)
            break;
        stopped = fds[2].revents != 0;
        piped_read (&piped.out, out);
        piped_read (&piped.err, err);
    }
    if (rc == 0)
        rc = piped_end (&piped, stopped ? 0 : TIME_S);
    int rc2 = buffer_terminate (out);
    rc2 = rc2 ? rc2 : buffer_terminate (err);
    return rc2 ? rc2 : rc;
}
