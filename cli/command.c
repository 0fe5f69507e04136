/*  command.c - finding and parsing commands, talk and exit statuses */

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/help.h"
#include "cli/trial.h"
#include "core/error.h"

/* -------------------------------------------------------------------- talk */

/*  Errors are what a trial wants to know. */
static void
talk_to (struct trial *trial, const char *format, va_list args)
{
    char text[1024];
    vsnprintf (text, sizeof text, format, args);
    trial->wrong (trial, NULL, text);
}

static void
talk (struct cli *self, const char *format, va_list args)
{
    flockfile (self->err);
    fprintf (self->err, self->name ? "weft %s: " : "weft: ", self->name);
    vfprintf (self->err, format, args);
    fputc ('\n', self->err);
    fflush (self->err);
    funlockfile (self->err);
}

void
cli_error (struct cli *self, const char *format, ...)
{
    va_list args;
    va_start (args, format);
    if (self->trial)
        talk_to (self->trial, format, args);
    else
        talk (self, format, args);
    va_end (args);
}

void
cli_note (struct cli *self, const char *format, ...)
{
    if (self->quiet || self->trial)
        return;
    va_list args;
    va_start (args, format);
    talk (self, format, args);
    va_end (args);
}

void
cli_detail (struct cli *self, const char *format, ...)
{
    if (!self->verbose || self->trial)
        return;
    va_list args;
    va_start (args, format);
    talk (self, format, args);
    va_end (args);
}

void
cli_log (void *cli, int level, const char *text)
{
    struct cli *self = cli;
    /*  "req tcp://...": the command's name stands in front already. */
    size_t name = self->name ? strlen (self->name) : 0;
    if (name > 0 && strncmp (text, self->name, name) == 0 && strchr (" :", text[name]))
        text += name + strspn (text + name, " :");
    if (level <= WEFT_LOG_WARNING && !self->quiet) {
        static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;        /*  a command may have threads that log */
        pthread_mutex_lock (&lock);
        snprintf (self->logged, sizeof self->logged, "%s", text);
        pthread_mutex_unlock (&lock);
    }
    if (level <= WEFT_LOG_WARNING)
        cli_note (self, "%s", text);
    else if (self->verbose >= level - WEFT_LOG_WARNING)
        cli_detail (self, "%s", text);
}

void
cli_ready (struct cli *self)
{
    if (self->ready)
        self->ready (self);
}

int
cli_status (int error)
{
    switch (error) {
    case 0:
    case WEFT_EEND:
        return EXIT_OK;
    case WEFT_EINVAL:
    case WEFT_EENDPOINT:
        return EXIT_USAGE;
    case WEFT_ETIMEOUT:
        return EXIT_TIMEOUT;
    case WEFT_ENOPEER:
        return EXIT_NO_PEER;
    case WEFT_EACCES:
        return EXIT_NOT_AUTHORISED;
    default:
        return error > 0 ? EXIT_OK : EXIT_ERROR;
    }
}

int
cli_fail (struct cli *self, int error, const char *what)
{
    if (what)
        cli_error (self, "%s: %s", what, weft_error ());
    else if (strcmp (self->logged, weft_error ()) != 0)
        cli_error (self, "%s", weft_error ());
    return cli_status (error);
}

int
cli_write (int fd, const void *data, size_t size)
{
    const char *next = data;
    while (size > 0) {
        ssize_t written = write (fd, next, size);
        if (written >= 0) {
            next += written;
            size -= (size_t) written;
        } else if (errno == EAGAIN) {
            struct pollfd item = { .fd = fd, .events = POLLOUT };
            poll (&item, 1, -1);
        } else if (errno == EPIPE)
            return error_set (WEFT_EEND, "whoever reads the output has gone");
        else if (errno != EINTR)
            return error_errno ("cannot write the output");
    }
    return 0;
}

/* ----------------------------------------------------------------- parsing */

const struct option common_options[] = {
    { .name = "quiet", .letter = 'q', .type = OPTION_FLAG,
      .text = "say nothing on standard error but errors and losses" },
    { .name = "verbose", .letter = 'v', .type = OPTION_FLAG,
      .text = "tell connections and a summary; twice: every detail" },
    { .name = "help", .letter = 'h', .type = OPTION_FLAG, .text = "show this help" },
    OPTION_END
};

struct common {
    struct cli *cli;
    bool help;
};

static int
common_set (void *target, const struct option *option, const char *value)
{
    struct common *self = target;
    bool on;
    struct option flag = *option;
    flag.offset = 0;
    int rc = option_set (&flag, &on, value);
    if (rc)
        return rc;
    if (option->letter == 'q')
        self->cli->quiet = on;
    else if (option->letter == 'v')
        self->cli->verbose = on ? self->cli->verbose + 1 : 0;
    else
        self->help = on;
    return 0;
}

const struct option *
command_table_options (const struct command_table *self)
{
    static const struct option none[] = { OPTION_END };
    const struct option *table = self->indirect ? *self->indirect : self->table;
    return table ? table : none;
}

int
command_groups (const struct command *self, struct option_group *groups)
{
    int count = 0;
    for (const struct command_table *each = self->tables; each && each->title; each++) {
        assert (count < COMMAND_TABLES_MAX);
        groups[count++] = (struct option_group){ .table = command_table_options (each), .title = each->title };
    }
    groups[count] = (struct option_group){ .table = common_options, .title = "Common options" };
    groups[count + 1] = (struct option_group){ .table = NULL };
    return count;
}

int
command_parse (struct cli *cli, const struct command *self, void *const *targets, command_set_fn *const *setters,
               int argc, char **argv, char **operands, int *count)
{
    struct common common = { .cli = cli };
    struct option_group groups[COMMAND_TABLES_MAX + 2];
    int tables = command_groups (self, groups);
    groups[tables].target = &common;
    groups[tables].set = common_set;
    int rc = 0;
    for (int i = 0; i < tables; i++) {
        groups[i].target = targets[i];
        groups[i].set = setters ? setters[i] : NULL;
        if (!groups[i].set && (rc = option_init (groups[i].table, targets[i])) < 0)
            goto failed;
    }
    rc = option_parse (groups, argc, argv, self->posix, operands, count);
    if (rc < 0)
        goto failed;
    if (cli->trial && !trial_repeated (cli->trial, groups, argc, argv))
        return WEFT_EINVAL;
    if (common.help)
        return help_command (cli, self) < 0 ? -1 : 1;
    return 0;

failed:
    if (cli->trial) {
        trial_arguments (cli->trial, groups, self->topic ? self->topic : self->name, argc, argv);
        return rc;
    }
    cli_error (cli, "%s (see 'weft help %s')", weft_error (), self->topic ? self->topic : self->name);
    return rc;
}

void
command_free_options (const struct command *self, void *const *targets, command_set_fn *const *setters)
{
    int i = 0;
    for (const struct command_table *each = self->tables; each && each->title; each++, i++)
        if (!setters || !setters[i])
            option_free (command_table_options (each), targets[i]);
}

/* ----------------------------------------------------------------- running */

const struct command *
command_find (const char *name)
{
    for (const struct command *const *each = commands; *each; each++)
        if (strcmp ((*each)->name, name) == 0)
            return *each;
    return NULL;
}

const char *
command_nearest (const char *name)
{
    const char *names[COMMANDS_MAX];
    size_t count = 0;
    for (const struct command *const *each = commands; *each; each++) {
        assert (count < COMMANDS_MAX);
        names[count++] = (*each)->name;
    }
    return option_nearest_word (name, names, count);
}

/*  "--help", "-h" and "--version" are typed where a command belongs. */
static const char *
command_alias (const char *word)
{
    if (strcmp (word, "--help") == 0 || strcmp (word, "-h") == 0)
        return "help";
    if (strcmp (word, "--version") == 0 || strcmp (word, "-V") == 0)
        return "version";
    return word;
}

int
command_unknown (struct cli *cli, const char *name)
{
    const char *nearest = command_nearest (name);
    if (name[0] == '-')
        cli_error (cli, "%s: options follow the command, as in 'weft push %s'", name, name);
    else if (nearest)
        cli_error (cli, "there is no command '%s': did you mean '%s'?", name, nearest);
    else
        cli_error (cli, "there is no command '%s' ('weft help' lists them)", name);
    return EXIT_USAGE;
}

int
command_run (struct cli *cli, int argc, char **argv)
{
    if (argc < 2) {
        cli_error (cli, "what to do? 'weft help' lists the commands, 'weft help push' explains one");
        return EXIT_USAGE;
    }
    const struct command *command = command_find (command_alias (argv[1]));
    if (!command)
        return command_unknown (cli, argv[1]);
    cli->name = command->name;
    return command->run (cli, command, argc - 1, argv + 1);
}
