/*  pub.c - weft pub: each message to everybody who subscribed to it */

#include <string.h>

#include "cli/sender.h"

/*  The library's limit; a longer topic would match nobody's subscription. */
enum { TOPIC_MAX = 245 };

struct pub_options {
    struct source_config source;
    struct option_list topics;
};

static const struct option pub_table[] = {
    { .name = "topic", .letter = 't', .type = OPTION_LIST, .argument = "TOPIC",
      .offset = offsetof (struct pub_options, topics),
      .text = "send the topic as a frame of its own before each message; several: to each" },
    SOURCE_OPTIONS (struct pub_options, source), OPTION_END
};

static bool
pub_check (const struct session *session)
{
    const struct pub_options *options = session->own;
    for (size_t i = 0; i < options->topics.count; i++)
        if (strlen (options->topics.items[i]) > TOPIC_MAX) {
            cli_error (session->cli, "--topic: %zu bytes are too many; at most %d", strlen (options->topics.items[i]),
                       TOPIC_MAX);
            return false;
        }
    return true;
}

static bool
pub_reads (const struct session *session)
{
    const struct pub_options *options = session->own;
    return options->source.data.count == 0;
}

static int
pub_session (struct session *session)
{
    struct pub_options *options = session->own;
    return sender_run (session, &options->source, &options->topics);
}

static int
pub_run (struct cli *cli, const struct command *self, int argc, char **argv)
{
    static const struct session_program program = { .pattern = &pattern_pub, .reads = pub_reads,
                                                    .check = pub_check, .run = pub_session };
    struct pub_options options = { .source.count = 0 };
    return session_run (cli, self, &program, &options, argc, argv);
}

const struct command command_pub = {
    .name = "pub",
    .group = COMMAND_GROUP_PATTERNS,
    .summary = "send each message to all who subscribed",
    .usage = "[OPTIONS] ENDPOINT ...",
    .description =
        "Reads messages from standard input, a line each unless a format is chosen, and sends each to every subscriber "
        "one of whose topics it begins with. With -t the topic is a frame of its own in front of the message; without, "
        "the beginning of the message is what subscribers choose by.\n\n"
        "Who is not there gets nothing: --wait-subs N holds the first message back until N subscriptions have "
        "arrived. A subscriber that is slower than the publisher loses messages once --hwm of them are queued for it; "
        "--no-drop waits for it instead, and so the slowest sets the pace.\n\n"
        "An endpoint without a prefix is bound; weft sub connects.",
    .guarantee = "At most once; what was dropped is counted and reported. The count is a lower bound: libzmq tells of "
                 "the first message of a burst that it drops for a subscriber, not of those that follow.",
    .tables = SESSION_TABLES (pub_table, formats_input_table, pattern_pub),
    .examples =
        (const struct command_example[]){
            { "seq 10 | sed 's/^/weather./' | weft pub -b tcp://127.0.0.1:5556 --wait-subs 1",
              "Ten messages, once somebody has subscribed." },
            { "tail -F /var/log/syslog | weft pub -t syslog -b tcp://127.0.0.1:5556",
              "A log to all who want it; [syslog][line] are the frames." },
            { .line = NULL } },
    .part = true,
    .run = pub_run,
};
