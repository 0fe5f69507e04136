/*  pool_process.c - a job's processes: one group, two pipes, one end */

#include "patterns/pool_process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/error.h"
#include "patterns/pool_blame.h"
#include "patterns/pool_launch.h"

static void
close_fd (int *fd)
{
    if (*fd >= 0)
        close (*fd);
    *fd = -1;
}

/*  A descriptor of 0 to 2, which a caller without standard streams gets, would be
 *  overwritten in the child before it is used there. */
static int
raise_fd (int *fd)
{
    if (*fd < 0 || *fd > STDERR_FILENO)
        return 0;
    int high = fcntl (*fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    close_fd (fd);
    *fd = high;
    return high < 0 ? -1 : 0;
}

static int
open_pipe (int *fds)
{
    if (pipe2 (fds, O_CLOEXEC) || raise_fd (&fds[0]) || raise_fd (&fds[1]))
        return error_errno ("cannot make a pipe for a job");
    return 0;
}

/*  A file in memory that holds the input and stands at its start. */
static int
open_input (const void *data, size_t size, int *fd)
{
    *fd = memfd_create ("input", MFD_CLOEXEC);
    if (*fd < 0 || raise_fd (fd))
        return error_errno ("cannot keep a job's input");
    for (size_t done = 0; done < size; ) {
        ssize_t bytes = pwrite (*fd, (const char *) data + done, size - done, (off_t) done);
        if (bytes < 0 && errno != EINTR)
            return error_errno ("cannot keep a job's input");
        done += bytes > 0 ? (size_t) bytes : 0;
    }
    return 0;
}

/*  Starts it with these pipes; *failure is the errno of that. */
static int
start (struct process *self, const struct process_spec *spec, int in, int out, int err, int *failure)
{
    struct launch_spec what = { .argv = spec->argv, .envp = spec->envp, .dir = spec->dir, .fds = { in, out, err },
                                .group = spec->group };
    *failure = launch (&what, &self->pid, &self->pidfd);
    return *failure ? blame_launch (&what, *failure) : 0;
}

void
process_unprepare (struct process_pipes *pipes)
{
    for (int i = 0; i < 4; i++)
        close_fd (&pipes->ends[i / 2][i % 2]);
}

int
process_prepare (struct process_pipes *pipes)
{
    int rc = pipes->ends[0][0] < 0 ? open_pipe (pipes->ends[0]) : 0;
    if (rc == 0 && pipes->ends[1][0] < 0)
        rc = open_pipe (pipes->ends[1]);
    if (rc)
        process_unprepare (pipes);
    return rc;
}

int
process_spawn (struct process *self, const struct process_spec *spec, int *failure)
{
    struct process_pipes made = PROCESS_NO_PIPES, *pipes = spec->pipes ? spec->pipes : &made;
    int input = -1, ignored;
    failure = failure ? failure : &ignored;
    *failure = 0;
    *self = (struct process) { .pidfd = -1, .out = { -1, -1 }, .group = spec->group };

    int rc = process_prepare (pipes);
    if (rc == 0 && spec->input_size)
        rc = open_input (spec->input, spec->input_size, &input);
    rc = rc ? rc : start (self, spec, input < 0 ? spec->null : input, pipes->ends[0][1], pipes->ends[1][1], failure);
    close_fd (&input);
    for (int i = 0; rc == 0 && i < 2; i++) {
        self->out[i] = pipes->ends[i][0];
        pipes->ends[i][0] = -1;
    }
    process_unprepare (pipes);
    return rc;
}

void
process_signal (struct process *self, int number)
{
    if (self->pid > 0)
        kill (-self->pid, number);
}

int
process_ended (struct process *self, int *status, int *number)
{
    siginfo_t info = { .si_pid = 0 };
    if (waitid (P_PIDFD, (id_t) self->pidfd, &info, WEXITED | WNOHANG | WNOWAIT) || !info.si_pid)
        return error_plain (WEFT_EAGAIN);
    process_signal (self, SIGKILL);     /*  while the dead leader still keeps the group's number from others */
    if (self->group)
        *self->group = 0;
    self->group = NULL;
    bool exited = info.si_code == CLD_EXITED;
    *status = exited ? info.si_status & 255 : 0;
    *number = exited ? 0 : info.si_status;
    return 0;
}

void
process_bury (struct process *self)
{
    siginfo_t info;
    waitid (P_PIDFD, (id_t) self->pidfd, &info, WEXITED | WNOHANG);
    close_fd (&self->pidfd);
    self->pid = 0;
}

void
process_end (struct process *self)
{
    if (self->pid <= 0)
        return;
    process_signal (self, SIGKILL);
    if (self->group)
        *self->group = 0;
    while (waitpid (self->pid, NULL, 0) < 0 && errno == EINTR)
        ;
    close_fd (&self->pidfd);
    self->pid = 0;
}

size_t
process_pending (const struct process *self, int stream)
{
    int bytes = 0;
    if (self->out[stream] < 0 || ioctl (self->out[stream], FIONREAD, &bytes) || bytes < 0)
        return 0;
    return (size_t) bytes;
}

ssize_t
process_read (struct process *self, int stream, void *data, size_t size)
{
    ssize_t bytes = read (self->out[stream], data, size);
    if (bytes < 0 && errno == EINTR)
        return WEFT_EAGAIN;
    return bytes < 0 ? 0 : bytes;
}

void
process_close (struct process *self, int stream)
{
    close_fd (&self->out[stream]);
}
