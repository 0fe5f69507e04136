/*  command.h - the contract between the program and its commands
 *
 *  A command is a function of its options and a struct cli: no globals, no exit
 *  inside, so that a test can run one as a call and many can share a process.
 *  A file a command: includes, one sentence, the entry, the code. */
#ifndef WEFT_CLI_COMMAND_H
#define WEFT_CLI_COMMAND_H

#include <stdio.h>

#include "core/option.h"
#include "weft.h"

/*  Exit statuses. `weft run` keeps GNU parallel's. */
enum {
    EXIT_OK = 0,
    EXIT_ERROR = 1,
    EXIT_USAGE = 2,
    EXIT_TIMEOUT = 3,
    EXIT_NO_PEER = 4,
    EXIT_NOT_AUTHORISED = 5,
    EXIT_LOSS = 6
};

/*  What a command works with. */
struct cli {
    weft_t *weft;
    int in, out;                /*  data: descriptors                                           */
    FILE *err;                  /*  talk                                                        */
    int stop_fd;                /*  readable once SIGINT or SIGTERM came: for weft_poll         */
    int (*stopped) (struct cli *self);      /*  how many such signals came                      */
    int (*signal) (struct cli *self);       /*  the last of them: SIGINT, SIGTERM, or 0         */
    bool quiet;                 /*  -q: errors only                                             */
    int verbose;                /*  -v: how often                                               */
    const char *name;           /*  of the command that runs, for messages                      */
    struct metrics *metrics;    /*  where a part of something larger tells about itself; NULL: nowhere   */
    const char *part;           /*  its name there                                              */
    uint64_t at_stake;          /*  messages that may be under way still when the command has ended, at most */
    char logged[256];           /*  the last line of the log, so that an error does not repeat it */
    bool shared;                /*  the context is that of other commands, too, which are reached over inproc  */
    void (*ready) (struct cli *self);       /*  NULL, or is told by cli_ready                   */
    struct trial *trial;        /*  NULL, or the command is only to say what it would do: cli/trial.h  */
};

/*  The command has opened all its endpoints, and begins its work. */
void cli_ready (struct cli *self);

/*  For weft_set_log, with the struct cli: errors and warnings are notes, the rest needs -v, -vv. */
void cli_log (void *cli, int level, const char *text);

/*  One line to the talk, "weft NAME: ...". note is silenced by -q; detail needs -v. */
void cli_error (struct cli *self, const char *format, ...) WEFT_PRINTF (2, 3);
void cli_note (struct cli *self, const char *format, ...) WEFT_PRINTF (2, 3);
void cli_detail (struct cli *self, const char *format, ...) WEFT_PRINTF (2, 3);

/*  The exit status that suits a WEFT_E... */
int cli_status (int error);

/*  Says weft_error () (after `what`, when not NULL) and returns cli_status (error). */
int cli_fail (struct cli *self, int error, const char *what);

struct command_example {
    const char *line;           /*  as typed */
    const char *text;           /*  what it does */
};

enum { COMMAND_TABLES_MAX = 12 };

struct command_table {
    const char *title;                          /*  heading in help: "Options", "Socket", "Formats" */
    const struct option *table;
    const struct option *const *indirect;       /*  where the table is when it is no constant, as
                                                    &pattern_req.options; which may hold NULL   */
    bool apart;                                 /*  for one use of several: others that are apart may
                                                    have the same options for theirs            */
};
const struct option *command_table_options (const struct command_table *self);     /*  never NULL */

struct command {
    const char *name;
    const char *group;                              /*  heading in the list of commands         */
    const char *topic;                              /*  what weft help explains it by; NULL: the name */
    const char *summary;                            /*  one line, for the list of commands      */
    const char *usage;                              /*  what follows "weft NAME"                */
    const char *words;                              /*  what the first operand is one of, for completion:
                                                        "new|show"; or NULL                     */
    const char *description;                        /*  paragraphs, parted by an empty line; no
                                                        hard line breaks: help and man fold them */
    const char *guarantee;                          /*  what is promised, in the design's words; or NULL */
    const char *status;                             /*  what its exit statuses mean beyond the common ones; or NULL */
    bool status_alone;                              /*  the common ones do not hold: `status` is all there is */
    bool (*narrow) (const struct command *self, const char *word, struct command *narrowed,
                    struct command_table tables[COMMAND_TABLES_MAX + 1]);   /*  what it is when `word` of `words` is
                                                        its first operand: a copy, whose tables are in `tables`.
                                                        False: no such word. NULL: always the same       */
    const struct command_table *tables;             /*  ends with a NULL title; or NULL         */
    const struct command_example *examples;         /*  ends with a NULL line; or NULL          */
    bool posix;                                     /*  the first operand ends the options (weft run) */
    bool part;                                      /*  may be a part of a fabric (weft up)     */
    int (*run) (struct cli *cli, const struct command *self, int argc, char **argv);
};

/*  All commands, in the order of the help; ends with NULL. cli/commands.c. */
extern const struct command *const commands[];
const struct command *command_find (const char *name);

/*  The headings in the list of commands. */
#define COMMAND_GROUP_PATTERNS "Patterns"
#define COMMAND_GROUP_POOL "Worker pool"
#define COMMAND_GROUP_KEYS "Keys"
#define COMMAND_GROUP_ABOUT "About weft"

/*  Runs argv as typed after "weft": finds the command (--help and --version are ones), suggests the nearest. */
int command_run (struct cli *cli, int argc, char **argv);

/*  The options that every command takes: -q, -v, --help. */
extern const struct option common_options[];

/*  Parses argv by the command's tables and the common ones; targets[i] gets the values
 *  of tables[i] (defaults are set first); where setters[i] is not NULL it gets them instead (setters may
 *  be NULL). Operands as option_parse. Returns 0; 1 when --help was given and has been
 *  answered (the command returns EXIT_OK); negative after having said what is wrong
 *  (the command returns EXIT_USAGE). Free with command_free_options, which leaves alone
 *  the targets that have a setter. */
typedef int (command_set_fn) (void *target, const struct option *option, const char *value);
int command_parse (struct cli *cli, const struct command *self, void *const *targets, command_set_fn *const *setters,
                   int argc, char **argv, char **operands, int *count);
void command_free_options (const struct command *self, void *const *targets, command_set_fn *const *setters);

/*  Writes all of `data`; an EPIPE (the reader has gone) is WEFT_EEND: end quietly. */
int cli_write (int fd, const void *data, size_t size);

#endif
