/*  pull.c - weft pull: a share of what others push */

#include "cli/receiver.h"

struct pull_options {
    struct receiver_config receiver;
};

static const struct option pull_table[] = { RECEIVER_OPTIONS (struct pull_options, receiver), OPTION_END };

static int
pull_session (struct session *session)
{
    struct pull_options *options = session->own;
    return receiver_run (session, &options->receiver, RECEIVER_DRAINS);
}

static int
pull_run (struct cli *cli, const struct command *self, int argc, char **argv)
{
    static const struct session_program program = { .pattern = &pattern_pull, .run = pull_session };
    struct pull_options options = { .receiver.count = 0 };
    return session_run (cli, self, &program, &options, argc, argv);
}

const struct command command_pull = {
    .name = "pull",
    .group = COMMAND_GROUP_PATTERNS,
    .summary = "receive a share of what others push",
    .usage = "[OPTIONS] ENDPOINT ...",
    .description =
        "Writes each message that it receives to standard output, a line each unless a format is chosen, or runs a "
        "command for it (--exec). It ends after --count messages, with --until-gone when every peer that came has left "
        "and all was received, when whoever reads its output has gone, or by a signal; after a signal it still takes "
        "what was queued for it, for at most --linger.\n\n"
        "While its output is blocked it receives no more than --hwm messages a peer ahead, and then the peers wait.\n\n"
        "An endpoint without a prefix is bound; weft push connects.",
    .guarantee = "At most once: a message goes to one receiver, and what that one had not yet written when it died is "
                 "lost.",
    .status = "1 also when a command of --exec failed.",
    .tables = SESSION_TABLES (pull_table, formats_output_table, pattern_pull),
    .examples =
        (const struct command_example[]){
            { "weft pull tcp://127.0.0.1:5557 --until-gone | wc -l", "Counts lines until the pushers have left." },
            { "weft pull -b ipc:///tmp/files -e 'xargs gzip'", "Compresses each file whose name arrives." },
            { "weft pull -c tcp://127.0.0.1:5557 --count 1 --timeout 5s",
              "One message; status 4 when nobody was there for 5 seconds, 3 when nothing came." },
            { .line = NULL } },
    .part = true,
    .run = pull_run,
};
