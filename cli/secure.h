/*  secure.h - what every command that opens endpoints takes: keys, and a limit of memory */
#ifndef WEFT_CLI_SECURE_H
#define WEFT_CLI_SECURE_H

#include "cli/command.h"
#include "core/security.h"

struct secure {
    struct security_config security;
    int64_t memory;             /*  memory-limit; 0: none   */
};

/*  A row of an option table; `at` is the offset of struct secure's `memory` there. */
#define MEMORY_LIMIT_OPTION(at)                                                                                        \
    { "memory-limit", 0, OPTION_SIZE, "BYTES", NULL, MEMORY_LIMIT_MIN, INT64_C (1) << 50, NULL, 0, at,                 \
      "end, and say so, rather than use more memory than this; what it starts is not limited" }
#define MEMORY_LIMIT_MIN (INT64_C (64) << 20)       /*  threads alone take half of it   */

/*  The last of a command's tables, under the title "Security" everywhere. */
extern const struct option secure_options[];
#define SECURE_TABLE { .title = "Security", .table = secure_options }

/*  Before the first endpoint: limits the memory of the process. When it is used up, and libzmq gives up,
 *  the process says so and ends with `status`. */
int secure_begin (struct cli *cli, const struct secure *self, int status);

/*  Sets what was given on a handle of the library. */
int secure_apply (const struct secure *self, command_set_fn *set, void *handle);

#endif
