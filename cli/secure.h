/*  secure.h - what every command that opens endpoints takes: keys */
#ifndef WEFT_CLI_SECURE_H
#define WEFT_CLI_SECURE_H

#include "cli/command.h"
#include "core/security.h"

struct secure {
    struct security_config security;
};

/*  The last of a command's tables, under the title "Security" everywhere. */
extern const struct option secure_options[];
#define SECURE_TABLE { .title = "Security", .table = secure_options }

/*  Sets what was given on a handle of the library. */
int secure_apply (const struct secure *self, command_set_fn *set, void *handle);

#endif
