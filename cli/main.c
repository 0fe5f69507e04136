/*  main.c - the process: descriptors, signals, one context, one command */

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "cli/command.h"

/*  Signals this often end the process on the spot, whatever it waits for. */
enum { SIGNALS_MAX = 3 };

static volatile sig_atomic_t signals_seen, signal_last;
static int signals_fd = -1;

/*  A signal may come between a look at `signals_seen` and a wait that it was to
 *  interrupt: so from the first on there is one a second. */
static void
on_alarm (int number)
{
    (void) number;
    alarm (1);
}

static void
on_signal (int number)
{
    int saved = errno;
    signal_last = number;
    alarm (1);
    uint64_t one = 1;
    if (write (signals_fd, &one, sizeof one) < 0) {
        /*  The event is pending already: that is enough. */
    }
    if (++signals_seen >= SIGNALS_MAX - 1)
        signal (number, SIG_DFL);
    errno = saved;
}

static int
stopped (struct cli *self)
{
    (void) self;
    return signals_seen;
}

static int
last_signal (struct cli *self)
{
    (void) self;
    return signal_last;
}

/*  A shell starts background jobs with SIGINT ignored; that stays so. */
static void
catch_signal (int number, void (*handler) (int))
{
    struct sigaction action;
    if (sigaction (number, NULL, &action) == 0 && action.sa_handler == SIG_IGN)
        return;
    action = (struct sigaction){ .sa_handler = handler };
    sigemptyset (&action.sa_mask);
    sigaction (number, &action, NULL);
}

/*  A descriptor below 3 that is closed would be given to the next socket, and
 *  data would be written there. Input then is empty, output fails. */
static void
fill_standard_descriptors (void)
{
    for (int fd = 0; fd <= STDERR_FILENO; fd++)
        if (fcntl (fd, F_GETFD) < 0 && errno == EBADF)
            if (open ("/dev/null", fd == STDERR_FILENO ? O_WRONLY : O_RDONLY) != fd)
                _exit (EXIT_ERROR);
}

/*  Waits for what lingers. */
static int
destroy (struct cli *cli, int status)
{
    int rc = weft_destroy (&cli->weft);
    if (rc == WEFT_ETIMEOUT && cli->at_stake)
        cli_error (cli, "perhaps up to %" PRIu64 " of the last messages were left undelivered when the time to linger "
                   "was over (--linger)", cli->at_stake);
    else if (rc == WEFT_ETIMEOUT)
        cli_error (cli, "messages were left undelivered when the time to linger was over (--linger)");
    else if (rc && status == EXIT_OK)
        return cli_fail (cli, rc, NULL);
    return rc && status == EXIT_OK ? EXIT_LOSS : status;
}

int
main (int argc, char **argv)
{
    fill_standard_descriptors ();
    signal (SIGPIPE, SIG_IGN);
    struct cli cli = { .in = STDIN_FILENO, .out = STDOUT_FILENO, .err = stderr, .stopped = stopped,
                       .signal = last_signal };
    signals_fd = cli.stop_fd = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
    cli.weft = weft_new ();
    if (cli.stop_fd < 0 || !cli.weft) {
        cli_error (&cli, "cannot start: %s", cli.weft ? "out of file descriptors" : weft_error ());
        return EXIT_ERROR;
    }
    catch_signal (SIGINT, on_signal);
    catch_signal (SIGTERM, on_signal);
    catch_signal (SIGALRM, on_alarm);
    weft_set_log (cli.weft, cli_log, &cli);
    return destroy (&cli, command_run (&cli, argc, argv));
}
