/*  commands.c - the table of commands, in the order of the help */

#include "cli/command.h"

extern const struct command command_req, command_rep, command_pub, command_sub, command_push, command_pull,
    command_proxy, command_bridge, command_up, command_run_jobs, command_ventilator, command_worker, command_sink,
    command_jobs, command_key, command_help, command_version;

const struct command *const commands[] = {
    &command_req,
    &command_rep,
    &command_pub,
    &command_sub,
    &command_push,
    &command_pull,
    &command_proxy,
    &command_bridge,
    &command_up,
    &command_run_jobs,
    &command_ventilator,
    &command_worker,
    &command_sink,
    &command_jobs,
    &command_key,
    &command_help,
    &command_version,
    NULL
};
