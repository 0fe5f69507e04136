/*  sub.c - weft sub: what others publish */

#include "cli/receiver.h"

struct sub_options {
    struct receiver_config receiver;
};

static const struct option sub_table[] = { RECEIVER_OPTIONS (struct sub_options, receiver), OPTION_END };

static int
sub_session (struct session *session)
{
    struct sub_options *options = session->own;
    return receiver_run (session, &options->receiver, RECEIVER_TOPICS);
}

static int
sub_run (struct cli *cli, const struct command *self, int argc, char **argv)
{
    static const struct session_program program = { .pattern = &pattern_sub, .run = sub_session };
    struct sub_options options = { .receiver.count = 0 };
    return session_run (cli, self, &program, &options, argc, argv);
}

const struct command command_sub = {
    .name = "sub",
    .group = COMMAND_GROUP_PATTERNS,
    .summary = "receive what others publish on some topics",
    .usage = "[OPTIONS] ENDPOINT ...",
    .description =
        "Subscribes to topics and writes each message that comes to standard output, a line each unless a format is "
        "chosen, or runs a command for it (--exec). A topic is what a message begins with; without -t all messages "
        "come. In --json and --format the topic is the first of several frames; of a single frame, the longest of the "
        "given topics that it begins with.\n\n"
        "It ends after --count messages, with --until-gone when every publisher that came has left, when "
        "whoever reads its output has gone, or by a signal.\n\n"
        "An endpoint without a prefix is connected to; weft pub binds.",
    .guarantee = "At most once: what was published before the subscription arrived, or while this side was too slow, "
                 "did not come, and only the publisher can count it.",
    .status = "1 also when a command of --exec failed.",
    .tables = SESSION_TABLES (sub_table, formats_output_table, pattern_sub),
    .examples =
        (const struct command_example[]){
            { "weft sub -c tcp://127.0.0.1:5556 -t weather. --count 3 --json",
              "Three messages about the weather, as JSON objects." },
            { "weft sub tcp://127.0.0.1:5556 --format '%T %t: %b\\n'", "Time, topic and body of all there is." },
            { .line = NULL } },
    .part = true,
    .run = sub_run,
};
