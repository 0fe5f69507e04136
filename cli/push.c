/*  push.c - weft push: each message to one of those who pull */

#include "cli/sender.h"

struct push_options {
    struct source_config source;
};

static const struct option push_table[] = { SOURCE_OPTIONS (struct push_options, source), OPTION_END };

static bool
push_reads (const struct session *session)
{
    const struct push_options *options = session->own;
    return options->source.data.count == 0;
}

static int
push_session (struct session *session)
{
    struct push_options *options = session->own;
    return sender_run (session, &options->source, NULL);
}

static int
push_run (struct cli *cli, const struct command *self, int argc, char **argv)
{
    static const struct session_program program = { .pattern = &pattern_push, .reads = push_reads,
                                                    .run = push_session };
    struct push_options options = { .source.count = 0 };
    return session_run (cli, self, &program, &options, argc, argv);
}

const struct command command_push = {
    .name = "push",
    .group = COMMAND_GROUP_PATTERNS,
    .summary = "send each message to one of those who pull",
    .usage = "[OPTIONS] ENDPOINT ...",
    .description =
        "Reads messages from standard input, a line each unless a format is chosen, and sends each to one of the peers "
        "that pull, in turn. It waits for a peer, and while all peers are full it reads no further, so that a slow "
        "receiver slows down the input and memory stays bounded.\n\n"
        "An endpoint without a prefix is connected to; weft pull binds.",
    .guarantee = "At most once. Nothing is dropped here, and what could not be sent is counted and reported; but what "
                 "is under way to a peer, or waits there, is lost when that peer dies.",
    .tables = SESSION_TABLES (push_table, formats_input_table, pattern_push),
    .examples =
        (const struct command_example[]){
            { "seq 1000000 | weft push tcp://127.0.0.1:5557", "A million lines, to whoever pulls on that port." },
            { "find . -name '*.c' -print0 | weft push -0 -c ipc:///tmp/files --wait-peers 3",
              "File names that end with a NUL, when three receivers are there, so that each gets its share." },
            { "weft push -b 'tcp://*:5557' --insecure --data tick --interval 1s",
              "A message every second, and any number of receivers connect, from anywhere on the network." },
            { .line = NULL } },
    .part = true,
    .run = push_run,
};
