/*  up.c - weft up: a fabric of many parts in one process, from one file */

#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/descriptors.h"
#include "cli/embedded.h"
#include "cli/metrics.h"
#include "cli/parts.h"
#include "cli/secure.h"
#include "core/error.h"

#define DEFAULT_NAME "the default fabric"
#define LOOPBACK "127.0.0.1:"

struct up_options {
    bool check, print, any_port;
    struct secure secure;           /*  memory-limit, and insecure for the metrics  */
    struct metrics_options metrics;
};

static const struct option up_table[] = {
    { .name = "check", .type = OPTION_FLAG, .offset = offsetof (struct up_options, check),
      .text = "say all that is wrong with FILE, and run nothing" },
    { .name = "print", .type = OPTION_FLAG, .offset = offsetof (struct up_options, print),
      .text = "write the fabric that runs when there is no FILE, as a beginning of one's own" },
    { .name = "any-port", .type = OPTION_FLAG, .offset = offsetof (struct up_options, any_port),
      .text = "without FILE: listen on ports that are free, and say which" },
    { .name = "insecure", .type = OPTION_FLAG, .offset = offsetof (struct up_options, secure.security.insecure),
      .text = "let --metrics listen beyond this machine in clear text; parts have a key of that name" },
    MEMORY_LIMIT_OPTION (offsetof (struct up_options, secure.memory)), OPTION_END
};

struct up {
    struct cli *cli;
    const struct up_options *options;
    const char *file;               /*  NULL: what is embedded  */
    struct parts *parts;
    int hangup_fd;                  /*  a signalfd: SIGHUP      */
};

/* ----------------------------------------------------------------- reading */

static void
on_wrong (void *arg, const char *text)
{
    struct up *self = arg;
    cli_error (self->cli, "%s", text);
}

/*  Every port of the embedded fabric becomes 0. */
static char *
any_ports (const char *text)
{
    char *copy = strdup (text), *to = copy;
    for (const char *from = text; copy && *from;) {
        size_t length = strncmp (from, LOOPBACK, strlen (LOOPBACK)) == 0 ? strlen (LOOPBACK) : 1;
        memcpy (to, from, length);
        from += length;
        to += length;
        if (length > 1) {
            *to++ = '0';
            from += strspn (from, "0123456789");
        }
    }
    if (copy)
        *to = '\0';
    return copy;
}

static int
read_default (struct up *self, struct fabric **fabric)
{
    char *text = self->options->any_port ? any_ports (embedded_default_zpl) : strdup (embedded_default_zpl);
    if (!text) {
        cli_error (self->cli, "not enough memory");
        return WEFT_ENOMEM;
    }
    int rc = fabric_parse (fabric, DEFAULT_NAME, text, strlen (text), on_wrong, self);
    free (text);
    return rc;
}

static int
read_fabric (struct up *self, struct fabric **fabric)
{
    *fabric = NULL;
    return self->file ? fabric_load (fabric, self->file, on_wrong, self) : read_default (self, fabric);
}

/* ----------------------------------------------------------------- running */

/*  SIGHUP: what has changed in the file is changed; with a mistake in it, nothing is. */
static void
on_hangup (void *arg)
{
    struct up *self = arg;
    struct signalfd_siginfo info;
    struct fabric *fabric;
    if (read (self->hangup_fd, &info, sizeof info) < 0)
        return;
    if (parts_stopping (self->parts))
        return;
    if (!self->file) {
        cli_note (self->cli, "SIGHUP: there is no file to read again");
        return;
    }
    int rc = read_fabric (self, &fabric);
    if (rc == 0 && (rc = parts_change (self->parts, fabric)))
        cli_error (self->cli, "%s", weft_error ());
    if (rc)
        cli_error (self->cli, "%s is not taken: all goes on as it was", self->file);
    fabric_destroy (&fabric);
}

/*  Blocked here, and so in every thread of a part: it is read from the descriptor. */
static int
open_hangup (struct up *self)
{
    sigset_t set;
    sigemptyset (&set);
    sigaddset (&set, SIGHUP);
    pthread_sigmask (SIG_BLOCK, &set, NULL);
    self->hangup_fd = signalfd (-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    return self->hangup_fd < 0 ? error_errno ("cannot wait for SIGHUP") : 0;
}

static int
run_fabric (struct up *self, struct fabric *fabric)
{
    struct cli *cli = self->cli;
    descriptors_raise ();
    weft_set_log (cli->weft, parts_log, cli);
    struct meter meter = { .metrics = NULL };
    int rc = secure_begin (cli, &self->options->secure, EXIT_ERROR);
    rc = rc ? rc : meter_begin (&meter, cli, &self->options->metrics, self->options->secure.security.insecure);
    rc = rc ? rc : meter_ready (&meter, cli);
    cli->metrics = meter.metrics;       /*  the parts', too */
    rc = rc ? rc : open_hangup (self);
    rc = rc ? rc : parts_new (&self->parts, cli);
    rc = rc ? rc : parts_change (self->parts, fabric);
    int status = rc ? cli_fail (cli, rc, NULL) : parts_run (self->parts, self->hangup_fd, on_hangup, self);
    parts_destroy (&self->parts);
    cli->metrics = NULL;
    meter_end (&meter);
    if (self->hangup_fd >= 0)
        close (self->hangup_fd);
    return status;
}

static int
up_work (struct up *self)
{
    struct fabric *fabric;
    int status = EXIT_USAGE;
    if (self->options->print)
        return cli_write (self->cli->out, embedded_default_zpl, strlen (embedded_default_zpl)) ? EXIT_ERROR : EXIT_OK;
    bool right = true;
    if (meter_check (&self->options->metrics, self->options->secure.security.insecure)) {
        cli_error (self->cli, "%s", weft_error ());
        right = false;
    }
    if (read_fabric (self, &fabric) == 0 && right) {
        if (self->options->check) {
            cli_note (self->cli, "%s: %zu part%s, nothing is wrong", self->file ? self->file : DEFAULT_NAME,
                      fabric->count, fabric->count == 1 ? "" : "s");
            status = EXIT_OK;
        } else
            status = run_fabric (self, fabric);
    }
    fabric_destroy (&fabric);
    return status;
}

static int
up_run (struct cli *cli, const struct command *command, int argc, char **argv)
{
    struct up_options options = { .check = false };
    struct up self = { .cli = cli, .options = &options, .hangup_fd = -1 };
    void *targets[] = { &options, &options.metrics };
    char *operands[argc + 1];
    int count = 0, status = EXIT_USAGE;
    int rc = command_parse (cli, command, targets, NULL, argc, argv, operands, &count);
    self.file = count ? operands[0] : NULL;
    if (rc == 0 && count > 1)
        cli_error (cli, "one fabric at a time: %s is one too many", operands[1]);
    else if (rc == 0 && count && options.any_port)
        cli_error (cli, "--any-port is for the default fabric; in a file a port of 0 is any that is free");
    else if (rc == 0 && count && options.print)
        cli_error (cli, "--print writes the default fabric, and reads no file");
    else if (rc == 0)
        status = up_work (&self);
    command_free_options (command, targets, NULL);
    return rc > 0 ? EXIT_OK : status;
}

const struct command command_up = {
    .name = "up",
    .group = COMMAND_GROUP_PATTERNS,
    .summary = "run a whole fabric from one file",
    .usage = "[OPTIONS] [FILE]",
    .description =
        "Runs any number of bridges, proxies, pattern programs and workers in one process, which a file describes: "
        "each of its sections is a part, with a command and the options of that as keys, as in weft.zpl(5). Parts meet "
        "over inproc://NAME, without a network between them, and over all that is foreign to this process.\n\n"
        "Without FILE it runs an example of what it can do, on this machine alone: an echo on port 65432, over TCP and "
        "UDP, HTTP on port 8000, and a chat over WebSockets on port 8765, with a page for browsers: open "
        "http://127.0.0.1:8765/ twice. --print writes it out, to be begun with.\n\n"
        "Each part that listens says its address; the line 'ready' follows when all are there, or which is not. What "
        "parts write to "
        "standard output comes out line by line, with the part's name in front, unless it goes to a file of its "
        "own.\n\n"
        "--check says all that is wrong with a file, each with its line: keys and values that the command does not "
        "take, names of inproc that nobody binds, addresses that two would listen on, patterns that do not fit.\n\n"
        "SIGHUP has the file read again. Parts that are the same go on, and keep their connections; others are stopped "
        "as by SIGTERM, and what is new is started. A file with a mistake changes nothing.\n\n"
        "With --metrics one address has the numbers of all parts, each with a label part, and what state each is in, "
        "since when, and how often it was started and failed; a part may also have an address of its own.\n\n"
        "A part that fails ends all of them, with its status, unless its key restart says otherwise.\n\n"
        "A first SIGTERM or SIGINT stops the parts, those first that give to others, and each delivers what it has "
        "within its linger; a second one ends all at once.",
    .status = "2 when the file has a mistake; else 0, or that of the first part that has failed.",
    .tables = (const struct command_table[]){ { .title = "Options", .table = up_table }, METRICS_TABLE,
                                              { .title = NULL } },
    .examples =
        (const struct command_example[]){
            { "weft up", "The example; nc 127.0.0.1 65432 gets back what it sends." },
            { "weft up --print > fabric.zpl", "The same as a file, to be changed." },
            { "weft up --check fabric.zpl && weft up fabric.zpl", "Runs it if nothing is wrong with it." },
            { "kill -HUP PID", "After a change: only the parts that have changed are started again." },
            { .line = NULL } },
    .run = up_run,
};
