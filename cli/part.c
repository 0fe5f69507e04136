/*  part.c - one part of a fabric: a command on a thread of its own */

#include "cli/part.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/parts.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/log.h"

#define NUDGE SIGUSR1

static void
on_nudge (int number)
{
    (void) number;
}

void
part_init_signal (void)
{
    struct sigaction action = { .sa_handler = on_nudge };
    sigemptyset (&action.sa_mask);
    sigaction (NUDGE, &action, NULL);
}

void
parts_log (void *cli, int level, const char *text)
{
    struct part *part = log_owner ();
    cli_log (part ? &part->cli : cli, level, text);
}

/* ---------------------------------------------------- what its command asks */

static int
part_stopped (struct cli *cli)
{
    return atomic_load (&((struct part *) cli)->stops);
}

static int
part_signal (struct cli *cli)
{
    return ((struct part *) cli)->signal;
}

static void
part_ready (struct cli *cli)
{
    struct part *self = (struct part *) cli;
    atomic_store (&self->ready, true);
    eventfd_write (self->done_fd, 1);
}

/* ------------------------------------------------------------------- files */

/*  A FIFO is opened for both, so that it neither waits for a writer nor ends with one. */
static int
open_input (const char *path, int own)
{
    struct stat status;
    if (!path)
        return open ("/dev/null", O_RDONLY | O_CLOEXEC);
    if (strcmp (path, "-") == 0)
        return fcntl (own, F_DUPFD_CLOEXEC, 0);
    bool fifo = stat (path, &status) == 0 && S_ISFIFO (status.st_mode);
    return open (path, (fifo ? O_RDWR : O_RDONLY) | O_CLOEXEC);
}

static int
open_output (struct part *self, const char *path, int own)
{
    int ends[2];
    if (path && strcmp (path, "-") == 0)
        return fcntl (own, F_DUPFD_CLOEXEC, 0);
    if (path)
        return open (path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (pipe2 (ends, O_CLOEXEC))
        return -1;
    fcntl (ends[0], F_SETFL, O_NONBLOCK);
    self->lines_fd = ends[0];
    return ends[1];
}

static void
close_fd (int *fd)
{
    if (*fd >= 0)
        close (*fd);
    *fd = -1;
}

static int
open_files (struct part *self, const struct cli *up)
{
    const char *in = self->config->in, *out = self->config->out;
    struct cli *cli = &self->cli;
    *cli = (struct cli){ .weft = up->weft, .in = -1, .out = -1, .err = up->err, .stop_fd = -1, .quiet = up->quiet,
                         .verbose = up->verbose, .name = self->name, .shared = true, .stopped = part_stopped,
                         .metrics = up->metrics, .part = self->config->name,
                         .signal = part_signal, .ready = part_ready };
    cli->in = open_input (in, up->in);
    if (cli->in < 0)
        return error_errno ("cannot read %s", in ? in : "/dev/null");
    cli->out = open_output (self, out, up->out);
    if (cli->out < 0)
        return error_errno ("cannot write %s", out ? out : "to a pipe");
    cli->stop_fd = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
    return cli->stop_fd < 0 ? error_errno ("cannot start") : 0;
}

/* ------------------------------------------------------------------ thread */

static void *
part_run (void *arg)
{
    struct part *self = arg;
    log_set_owner (self);
    self->status = self->config->command->run (&self->cli, self->config->command, self->config->argc, self->argv);
    atomic_store (&self->ended, true);
    eventfd_write (self->done_fd, 1);
    return NULL;
}

/*  Signals are for the thread that runs the parts; but for the nudge. */
static int
start_thread (struct part *self)
{
    sigset_t all, before;
    sigfillset (&all);
    sigdelset (&all, NUDGE);
    pthread_sigmask (SIG_SETMASK, &all, &before);
    int error = pthread_create (&self->thread, NULL, part_run, self);
    pthread_sigmask (SIG_SETMASK, &before, NULL);
    return error ? error_set (WEFT_ELIMIT, "cannot start a thread: %s", strerror (error)) : 0;
}

static void
close_files (struct part *self)
{
    close_fd (&self->cli.in);
    close_fd (&self->cli.out);
    close_fd (&self->cli.stop_fd);
}

int
part_start (struct part *self, const struct cli *up)
{
    atomic_store (&self->stops, 0);
    atomic_store (&self->ready, false);
    atomic_store (&self->ended, false);
    memcpy (self->argv, self->config->argv, ((size_t) self->config->argc + 1) * sizeof *self->argv);
    self->began = clock_now (clock_system ());
    self->starts++;
    int rc = open_files (self, up);
    rc = rc ? rc : start_thread (self);
    self->state = rc ? PART_OVER : PART_STARTING;
    if (rc == 0)
        return 0;
    self->status = cli_fail (&self->cli, rc, NULL);
    close_files (self);
    close_fd (&self->lines_fd);
    return rc;
}

void
part_stop (struct part *self, int number)
{
    self->signal = number;
    atomic_fetch_add (&self->stops, 1);
    eventfd_write (self->cli.stop_fd, 1);
    part_nudge (self);
}

/*  Two that came together are one to whoever reads the descriptor. */
void
part_nudge (struct part *self)
{
    if (atomic_load (&self->stops) > 1)
        eventfd_write (self->cli.stop_fd, 1);
    pthread_kill (self->thread, NUDGE);
}

void
part_join (struct part *self)
{
    pthread_join (self->thread, NULL);
    close_files (self);
    self->state = PART_OVER;
}

/* -------------------------------------------------------------- life of one */

int
part_new (struct part **handle, struct fabric_part *config, int done_fd)
{
    struct part *self = calloc (1, sizeof *self);
    char **argv = calloc ((size_t) config->argc + 1, sizeof *argv);
    if (!self || !argv) {
        free (self);
        free (argv);
        return error_set (WEFT_ENOMEM, "not enough memory");
    }
    *self = (struct part){ .config = config, .argv = argv, .done_fd = done_fd, .lines_fd = -1 };
    buffer_init (&self->lines, 0);
    snprintf (self->name, sizeof self->name, "up: %s", config->name);
    self->cli = (struct cli){ .in = -1, .out = -1, .stop_fd = -1, .name = self->name };
    *handle = self;
    return 0;
}

void
part_destroy (struct part **handle)
{
    struct part *self = *handle;
    if (!self)
        return;
    part_hide (self);
    close_fd (&self->lines_fd);
    buffer_free (&self->lines);
    fabric_part_destroy (&self->config);
    free (self->argv);
    free (self);
    *handle = NULL;
}
