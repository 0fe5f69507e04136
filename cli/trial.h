/*  trial.h - a command that is asked what it would do
 *
 *  A command whose cli has a trial parses and checks its options, tells which endpoints it would open, and ends before
 *  it opens any: with EXIT_OK, or with EXIT_USAGE when it could not run. What is wrong goes to the trial instead of the
 *  talk: every bad argument, not only the first. */
#ifndef WEFT_CLI_TRIAL_H
#define WEFT_CLI_TRIAL_H

#include "cli/command.h"
#include "core/endpoint.h"
#include "core/security.h"

struct trial {
    /*  What is wrong, and with which argument: one of argv, or NULL. Texts live as long as the call. */
    void (*wrong) (struct trial *self, const char *argument, const char *text);

    /*  An endpoint that would be opened. kind: what is there: "req" and the other patterns, "head", "worker" and
     *  "sink" of a pool, or the name of a foreign protocol. transport: tcp, udp, unix, ipc, inproc; address: what
     *  follows it, as it was given. */
    void (*opens) (struct trial *self, const char *kind, const char *transport, const char *address,
                   enum endpoint_side side);
};

/*  Checks a comma-separated list of endpoints, as weft_attach takes it, and tells each. Whether it was all right; if
 *  not, has said so. */
bool trial_endpoints (struct cli *cli, const char *kind, const struct security_config *security, const char *list,
                      enum endpoint_side side);
bool trial_lists (struct cli *cli, const char *kind, const struct security_config *security,
                  const struct option_list *lists, enum endpoint_side side);

/*  The same for an address of a foreign protocol, of this transport unless it says itself that it is another. */
bool trial_address (struct cli *cli, const char *kind, const char *transport, const char *address,
                    enum endpoint_side side);

/*  The options of argv did not parse: says of each that is wrong by itself, or else weft_error (). */
void trial_arguments (struct trial *self, const struct option_group *groups, const char *command, int argc,
                      char **argv);

/*  Options of argv that are given more than once and take one value: whether there are none. */
bool trial_repeated (struct trial *self, const struct option_group *groups, int argc, char **argv);

#endif
