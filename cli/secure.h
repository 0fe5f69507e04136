/*  secure.h - what every command that opens endpoints takes: keys, and a limit of memory */
#ifndef WEFT_CLI_SECURE_H
#define WEFT_CLI_SECURE_H

#include "cli/command.h"
#include "core/security.h"

struct secure {
    struct security_config security;
    int64_t memory;             /*  memory-limit; 0: none   */
};

/*  The last of a command's tables, under the title "Security" everywhere. */
extern const struct option secure_options[];
#define SECURE_TABLE { .title = "Security", .table = secure_options }

/*  Before the first endpoint: limits the memory of the process. When it is used up, and libzmq gives up,
 *  the process says so and ends with `status`. */
int secure_begin (struct cli *cli, const struct secure *self, int status);

/*  Sets what was given on a handle of the library. */
int secure_apply (const struct secure *self, command_set_fn *set, void *handle);

#endif
