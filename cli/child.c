/*  child.c - a shell command with pipes to its input and output, in a process group of its own */

#include "cli/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/error.h"
#include "patterns/pool_launch.h"

enum { CHILD_READ_SIZE = 64 * 1024 };

extern char **environ;

static void
close_fd (int *fd)
{
    if (*fd >= 0)
        close (*fd);
    *fd = -1;
}

/*  A group of its own, so that the terminal's signals do not reach it and all of it can be ended. The
 *  descriptors must lie above those that they become. */
static int
child_spawn (struct child *self, const char *command, const char *dir, int in, int out)
{
    char *argv[] = { "/bin/sh", "-c", (char *) (uintptr_t) command, NULL };
    int given[3] = { in, out, STDERR_FILENO }, error = 0;
    struct launch_spec spec = { .argv = argv, .envp = environ, .dir = dir };
    for (int i = 0; i < 3; i++) {
        spec.fds[i] = fcntl (given[i], F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
        error = spec.fds[i] < 0 && !error ? errno : error;
    }
    error = error ? error : launch (&spec, &self->pid, &self->exited);
    for (int i = 0; i < 3; i++)
        close_fd (&spec.fds[i]);
    return error;
}

int
child_start (struct child *self, const char *command, const char *dir, int out)
{
    int in_pipe[2] = { -1, -1 }, out_pipe[2] = { -1, -1 }, rc = 0;
    *self = (struct child){ .exited = -1, .in = -1, .out = -1 };
    if (pipe2 (in_pipe, O_CLOEXEC) || (out < 0 && pipe2 (out_pipe, O_CLOEXEC))) {
        rc = error_errno ("cannot run '%s'", command);
        goto cleanup;
    }
    errno = child_spawn (self, command, dir, in_pipe[0], out < 0 ? out_pipe[1] : out);
    if (errno) {
        rc = error_errno ("cannot run '%s'", command);
        self->pid = 0;
        goto cleanup;
    }
    self->in = in_pipe[1];
    self->out = out_pipe[0];
    in_pipe[1] = out_pipe[0] = -1;
    fcntl (self->in, F_SETFL, O_NONBLOCK);
    if (self->out >= 0)
        fcntl (self->out, F_SETFL, O_NONBLOCK);

cleanup:
    for (int i = 0; i < 2; i++) {
        close_fd (&in_pipe[i]);
        close_fd (&out_pipe[i]);
    }
    return rc;
}

/*  A command need not read its input: a broken pipe is no error. */
static void
child_write (struct child *self, const char **data, size_t *size, bool last)
{
    while (*size > 0) {
        ssize_t written = write (self->in, *data, *size);
        if (written < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        if (written < 0)
            *size = 0;
        else {
            *data += written;
            *size -= (size_t) written;
        }
    }
    if (last)
        close_fd (&self->in);
}

/*  1 when there was something, 0 when not, or an error. */
static int
child_read (struct child *self, struct buffer *output)
{
    int got = 0;
    while (self->out >= 0) {
        char *room = buffer_reserve (output, CHILD_READ_SIZE);
        if (!room)
            return WEFT_ETOOBIG;
        ssize_t size = read (self->out, room, CHILD_READ_SIZE);
        if (size > 0) {
            buffer_wrote (output, (size_t) size);
            got = 1;
        } else if (size == 0)
            close_fd (&self->out);
        else if (errno != EINTR)
            break;
    }
    return got;
}

int
child_step (struct child *self, const char **data, size_t *size, bool last, struct buffer *output, int stop_fd,
            int64_t timeout)
{
    if (self->in >= 0 && *size == 0 && last)
        close_fd (&self->in);
    struct pollfd fds[] = {
        { .fd = *size > 0 ? self->in : -1, .events = POLLOUT },
        { .fd = self->out, .events = POLLIN },
        { .fd = self->exited, .events = POLLIN },
        { .fd = stop_fd, .events = POLLIN },
    };
    if (poll (fds, sizeof fds / sizeof fds[0], clock_poll_ms (timeout)) < 0)
        return errno == EINTR ? 0 : error_errno ("poll");
    if (fds[0].revents)
        child_write (self, data, size, last);
    int got = fds[1].revents || fds[2].revents ? child_read (self, output) : 0;
    if (got < 0)
        return got;
    return (got ? CHILD_READ : 0) | (fds[2].revents ? CHILD_ENDED : 0) | (fds[3].revents ? CHILD_STOP : 0);
}

void
child_close (struct child *self)
{
    close_fd (&self->in);
}

int
child_end (struct child *self)
{
    int status = 0;
    if (self->pid == 0)
        return 0;
    close_fd (&self->in);
    close_fd (&self->out);
    /*  The group may hold what the command left in the background. */
    siginfo_t info = { .si_pid = 0 };
    waitid (P_PID, (id_t) self->pid, &info, WEXITED | WNOHANG | WNOWAIT);
    kill (-self->pid, info.si_pid ? SIGTERM : SIGKILL);
    while (waitpid (self->pid, &status, 0) < 0 && errno == EINTR)
        continue;
    close_fd (&self->exited);
    self->pid = 0;
    return WIFSIGNALED (status) ? 128 + WTERMSIG (status) : WEXITSTATUS (status);
}
