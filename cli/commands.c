/*  commands.c - the table of commands, in the order of the help */

#include "cli/command.h"

extern const struct command command_help, command_version;

const struct command *const commands[] = {
    &command_help,
    &command_version,
    NULL
};
