/*  help.c - weft help: the commands, one command, man pages and completion from the entries */

#include "cli/help.h"

#include <stdlib.h>
#include <string.h>

#include "core/error.h"

enum { HELP_WIDTH = 79 };

/*  A label and paragraphs, folded to the width, each after an empty line when it is not the first. */
void
help_fold (FILE *out, const char *label, const char *text, int indent)
{
    int column = fprintf (out, "%s", label);
    while (*text) {
        if (strncmp (text, "\n\n", 2) == 0) {
            fputs ("\n\n", out);
            text += 2;
            column = 0;
            continue;
        }
        int word = (int) strcspn (text, " \n");
        if (column > 0 && column + 1 + word > HELP_WIDTH) {
            fputc ('\n', out);
            column = 0;
        }
        column += column > 0 ? fprintf (out, " %.*s", word, text) : fprintf (out, "%*s%.*s", indent, "", word, text);
        text += word;
        if (*text == ' ')
            text++;
    }
    fputc ('\n', out);
}

static void
help_page (const struct command *command, FILE *out)
{
    struct option_group groups[COMMAND_TABLES_MAX + 2];
    command_groups (command, groups);
    fprintf (out, "weft %s - %s\n\nusage: weft %s %s\n", command->name, command->summary, command->name,
             command->usage);
    for (const struct command_example *each = command->examples; each && each->line; each++) {
        fprintf (out, "\n    %s\n", each->line);
        help_fold (out, "", each->text, 8);
    }
    fputc ('\n', out);
    help_fold (out, "", command->description, 0);
    if (command->guarantee) {
        fputc ('\n', out);
        help_fold (out, "Guarantee:", command->guarantee, 0);
    }
    fputc ('\n', out);
    option_help (groups, out);
    fputc ('\n', out);
    if (!command->status_alone)
        help_fold (out, "Exit status:", "0 ok, 1 error, 2 usage, 3 timeout, 4 no peer, 5 not authorised, 6 loss.", 0);
    if (command->status)
        help_fold (out, command->status_alone ? "Exit status:" : "", command->status, 0);
}

static void
help_overview (const struct command *unused, FILE *out)
{
    (void) unused;
    fputs ("weft - messages between processes and machines, without a broker\n\n"
           "usage: weft COMMAND [OPTIONS] [ENDPOINT ...]\n\n"
           "    weft rep tcp://127.0.0.1:5555 --echo &\n"
           "    echo hello | weft req tcp://127.0.0.1:5555\n",
           out);
    const char *group = NULL;
    for (const struct command *const *each = commands; *each; each++) {
        if (!group || strcmp (group, (*each)->group) != 0)
            fprintf (out, "\n%s\n", (*each)->group);
        group = (*each)->group;
        fprintf (out, "  %-12s%s\n", (*each)->name, (*each)->summary);
    }
    fputs ("\nAn endpoint is tcp://HOST:PORT, ipc://PATH or inproc://NAME. @ in front binds, > connects;\n"
           "-b and -c say the same where a shell would take these for its own.\n"
           "'weft help COMMAND' explains one; 'man weft' has the whole.\n",
           out);
}

/*  Runs a writer of text and sends what it wrote to the output. */
static int
help_write (struct cli *cli, void (*writer) (const struct command *, FILE *), const struct command *command)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream (&text, &size);
    if (!out)
        return error_errno ("cannot write help");
    writer (command, out);
    int rc = fclose (out) ? error_set (WEFT_ENOMEM, "not enough memory") : cli_write (cli->out, text, size);
    free (text);
    if (rc && rc != WEFT_EEND)
        cli_error (cli, "%s", weft_error ());
    return rc == WEFT_EEND ? 0 : rc;
}

int
help_command (struct cli *cli, const struct command *command)
{
    return help_write (cli, help_page, command);
}

/* ------------------------------------------------------------- the command */

struct help_options {
    bool man;
    char *completion;
};

static const struct option help_table[] = {
    { .name = "man", .type = OPTION_FLAG, .offset = offsetof (struct help_options, man),
      .text = "the man page of COMMAND, or of weft, weft-options or weft-metrics, in mdoc" },
    { .name = "completion", .type = OPTION_TEXT, .argument = "SHELL",
      .offset = offsetof (struct help_options, completion), .text = "the completion script for a shell: bash" },
    OPTION_END
};

static void
help_manual_overview (const struct command *unused, FILE *out)
{
    (void) unused;
    manual_overview (out);
}

static void
help_manual_options (const struct command *unused, FILE *out)
{
    (void) unused;
    manual_options (out);
}

static void
help_completion (const struct command *unused, FILE *out)
{
    (void) unused;
    completion_bash (out);
}

/*  COMMAND WORD, where that is a command of its own, as of the protocols of a bridge. How many operands that used. */
static int
help_narrowed (struct cli *cli, char **operands, int count, int *status)
{
    struct command narrowed;
    struct command_table tables[COMMAND_TABLES_MAX + 1];
    const struct command *command = command_find (operands[0]);
    if (count < 2 || !command || !command->narrow || !command->narrow (command, operands[1], &narrowed, tables))
        return 0;
    *status = help_command (cli, &narrowed) ? EXIT_ERROR : EXIT_OK;
    return 2;
}

static int
help_topic (struct cli *cli, const char *topic, bool man)
{
    if (strncmp (topic, "weft-", 5) == 0)
        topic += 5;
    const struct command *command = command_find (topic);
    if (command)
        return help_write (cli, man ? manual_command : help_page, command) ? EXIT_ERROR : EXIT_OK;
    if (man && strcmp (topic, "weft") == 0)
        return help_write (cli, help_manual_overview, NULL) ? EXIT_ERROR : EXIT_OK;
    if (man && strcmp (topic, "options") == 0)
        return help_write (cli, help_manual_options, NULL) ? EXIT_ERROR : EXIT_OK;
    if (strcmp (topic, "metrics") == 0)
        return help_write (cli, man ? manual_metrics : metrics_help, NULL) ? EXIT_ERROR : EXIT_OK;
    return command_unknown (cli, topic);
}

static int
help_answer (struct cli *cli, const struct help_options *options, char **operands, int count)
{
    if (options->completion) {
        if (strcmp (options->completion, "bash") == 0)
            return help_write (cli, help_completion, NULL) ? EXIT_ERROR : EXIT_OK;
        cli_error (cli, "no completion for '%s': there is one for bash", options->completion);
        return EXIT_USAGE;
    }
    if (options->man && count == 0) {
        cli_error (cli, "--man of what? as in 'weft help --man push', or 'weft help --man weft'");
        return EXIT_USAGE;
    }
    if (count == 0)
        return help_write (cli, help_overview, NULL) ? EXIT_ERROR : EXIT_OK;
    int status = EXIT_OK;
    for (int i = 0; i < count && status == EXIT_OK;) {
        int used = options->man ? 0 : help_narrowed (cli, operands + i, count - i, &status);
        if (used == 0)
            status = help_topic (cli, operands[i], options->man);
        i += used ? used : 1;
    }
    return status;
}

static int
help_run (struct cli *cli, const struct command *self, int argc, char **argv)
{
    struct help_options options = { .man = false };
    void *targets[] = { &options };
    char *operands[argc + 1];
    int count, status = EXIT_USAGE;
    int rc = command_parse (cli, self, targets, NULL, argc, argv, operands, &count);
    if (rc == 1)
        status = EXIT_OK;
    else if (rc == 0)
        status = help_answer (cli, &options, operands, count);
    command_free_options (self, targets, NULL);
    return status;
}

const struct command command_help = {
    .name = "help",
    .group = COMMAND_GROUP_ABOUT,
    .summary = "explain a command, with examples",
    .usage = "[COMMAND ...] | bridge PROTOCOL | metrics | --man PAGE | --completion SHELL",
    .description = "Lists the commands, or explains those that are named. Every command also answers --help. With "
                   "metrics it lists all that commands tell by --metrics. Of weft bridge and a protocol it explains "
                   "that one alone.\n\n"
                   "The man pages and the shell's completion are made from the same tables.",
    .tables = (const struct command_table[]){ { .title = "Options", .table = help_table }, { .title = NULL } },
    .examples = (const struct command_example[]){
        { "weft help push", "What weft push does, with examples and all its options." },
        { "weft help --man push | man -l -", "The same as a man page." },
        { .line = NULL } },
    .run = help_run,
};
