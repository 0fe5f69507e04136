/*  help.h - what the entries of the commands say, for people, man and shells */

#ifndef WEFT_CLI_HELP_H
#define WEFT_CLI_HELP_H

#include "cli/command.h"

enum { COMMANDS_MAX = 64 };

/*  Fills groups (COMMAND_TABLES_MAX + 2) from the command's tables, the common options and
 *  an end; returns how many are the command's. */
int command_groups (const struct command *self, struct option_group *groups);

/*  The command that is nearest to a misspelt one, or NULL. */
const char *command_nearest (const char *name);

/*  Says that there is no such command; returns EXIT_USAGE. */
int command_unknown (struct cli *cli, const char *name);

/*  The help of a command to the output. 0, or negative when that fails. */
int help_command (struct cli *cli, const struct command *command);

/*  A man page in mdoc (manual.c): of a command, the overview weft(1), or weft-options(7). */
void manual_command (const struct command *command, FILE *out);
void manual_overview (FILE *out);
void manual_options (FILE *out);

/*  What commands tell by --metrics (metrics_help.c): as text, and as weft-metrics(7). */
void metrics_help (const struct command *unused, FILE *out);
void manual_metrics (const struct command *unused, FILE *out);

/*  Of which these are made: paragraphs folded to the width of a terminal; a page's head; paragraphs in mdoc. */
void help_fold (FILE *out, const char *label, const char *text, int indent);
void manual_head (FILE *out, int section, const char *name, const char *summary);
void manual_text (FILE *out, const char *text);

/*  Completion for bash (completion.c). */
void completion_bash (FILE *out);

#endif
