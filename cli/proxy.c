/*  proxy.c - weft proxy: many on one side meet many on the other */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "cli/descriptors.h"
#include "cli/metrics.h"
#include "cli/secure.h"
#include "cli/trial.h"
#include "core/endpoint.h"
#include "core/error.h"
#include "patterns/pattern.h"
#include "patterns/pattern_metrics.h"

/*  A signal that arrives just before the wait is seen at the latest after so long. */
enum { LOOK_MS = 1000 };

struct proxy_ends {
    struct option_list front, back, capture;
};

static const struct option proxy_table[] = {
    { .name = "front", .letter = 'f', .type = OPTION_LIST, .argument = "ENDPOINT",
      .offset = offsetof (struct proxy_ends, front), .text = "where those who ask, publish or push come" },
    { .name = "back", .letter = 'b', .type = OPTION_LIST, .argument = "ENDPOINT",
      .offset = offsetof (struct proxy_ends, back), .text = "where those who answer, subscribe or pull come" },
    { .name = "capture", .type = OPTION_LIST, .argument = "ENDPOINT", .offset = offsetof (struct proxy_ends, capture),
      .text = "publish a copy of all that passes there, for weft sub" },
    OPTION_END
};

static const char *const sides[] = { "front", "back", "capture" };
enum { PROXY_SIDES = sizeof sides / sizeof sides[0] };

/* --------------------------------------------------------------- attaching */

static int
attach (struct cli *cli, weft_proxy_t *proxy, const char *side, const char *list)
{
    struct endpoint endpoint;
    char text[ENDPOINT_MAX + 1];
    int rc;
    while ((rc = endpoint_next (&list, ENDPOINT_BIND, &endpoint)) == 1) {
        snprintf (text, sizeof text, "%c%s", endpoint.side == ENDPOINT_BIND ? '@' : '>', endpoint.text);
        rc = weft_proxy_attach (proxy, side, text);
        if (rc)
            return rc;
        if (endpoint.side == ENDPOINT_BIND)
            cli_note (cli, "%s listening on %s", side, weft_proxy_endpoint (proxy, side));
    }
    return rc;
}

static int
proxy_set (void *proxy, const struct option *option, const char *value)
{
    return weft_proxy_set (proxy, option->name, value);
}

static int
configure (weft_proxy_t *proxy, const struct socket_config *config, const struct secure *secure)
{
    char value[64];
    for (const struct option *each = proxy_options; each->name; each++) {
        int rc = option_get (each, config, value, sizeof value);
        if (rc == 0)
            rc = weft_proxy_set (proxy, each->name, value);
        if (rc)
            return rc;
    }
    descriptors_raise ();
    return secure_apply (secure, proxy_set, proxy);
}

/*  Options come first; then the operands are a front and a back. */
static int
attach_all (struct cli *cli, weft_proxy_t *proxy, const struct proxy_ends *ends, char **operands, int count)
{
    const struct option_list *lists[PROXY_SIDES] = { &ends->front, &ends->back, &ends->capture };
    int rc = 0;
    for (int side = 0; side < PROXY_SIDES; side++)
        for (size_t i = 0; i < lists[side]->count && rc == 0; i++)
            rc = attach (cli, proxy, sides[side], lists[side]->items[i]);
    for (int i = 0; i < count && rc == 0; i++)
        rc = attach (cli, proxy, sides[i], operands[i]);
    return rc;
}

/* ----------------------------------------------------------------- running */

static int
finish (struct cli *cli, weft_proxy_t *proxy)
{
    uint64_t dropped = 0;
    for (int side = 0; side < PROXY_SIDES; side++) {
        weft_counters_t counters;
        if (weft_proxy_counters (proxy, sides[side], &counters))
            continue;
        uint64_t lost = counters.dropped + counters.refused;
        dropped += lost;
        void (*say) (struct cli *, const char *, ...) = lost ? cli_error : cli_detail;
        say (cli, "%s: received %" PRIu64 " messages, sent %" PRIu64 ", %" PRIu64 " dropped, %" PRIu64 " refused",
             sides[side], counters.received, counters.sent, counters.dropped, counters.refused);
    }
    return dropped > 0 ? EXIT_LOSS : EXIT_OK;
}

/*  Of the sides that are attached. */
static int
add_metrics (struct meter *meter, weft_proxy_t *proxy)
{
    int rc = 0;
    for (int side = 0; side < PROXY_SIDES && rc == 0; side++) {
        const struct metric_source source = { .table = pattern_metrics, .size = sizeof (struct pattern_values),
                                              .labels = { { "socket", sides[side] } }, .read = proxy_read,
                                              .arg = proxy_side (proxy, sides[side]) };
        rc = source.arg ? meter_add (meter, &source) : 0;
    }
    return rc;
}

static int
carry (struct cli *cli, weft_proxy_t *proxy)
{
    int rc = 0;
    cli_ready (cli);
    while (cli->stopped (cli) == 0) {
        rc = weft_proxy_run (proxy, LOOK_MS);
        if (rc < 0 && rc != WEFT_ETIMEOUT && rc != WEFT_EINTR)
            return cli_fail (cli, rc, NULL);
        if (descriptors_exhausted ())
            cli_note (cli, "out of file descriptors: new connections wait until one is free (ulimit -n)");
    }
    return finish (cli, proxy);
}

static int
try_ends (struct cli *cli, const struct proxy_ends *ends, const struct secure *secure, char **operands, int count)
{
    static const char *const kinds[][1 + PROXY_SIDES] = { { "queue", "rep", "req", "pub" },
                                                          { "forwarder", "sub", "pub", "pub" },
                                                          { "streamer", "pull", "push", "pub" } };
    const struct option_list *lists[PROXY_SIDES] = { &ends->front, &ends->back, &ends->capture };
    bool right = true;
    size_t row = 0;
    while (strcmp (kinds[row][0], operands[0]) != 0)
        row++;
    for (int side = 0; side < PROXY_SIDES; side++)
        right &= trial_lists (cli, kinds[row][1 + side], &secure->security, lists[side], ENDPOINT_BIND);
    for (int i = 1; i < count; i++)
        right &= trial_endpoints (cli, kinds[row][i], &secure->security, operands[i], ENDPOINT_BIND);
    return right ? EXIT_OK : EXIT_USAGE;
}

static bool
check (struct cli *cli, const struct proxy_ends *ends, int count)
{
    bool front = ends->front.count > 0, back = ends->back.count > 0;
    if (count == 0)
        cli_error (cli, "what kind? queue, forwarder or streamer, as in 'weft proxy queue tcp://127.0.0.1:5555 "
                        "tcp://127.0.0.1:5556'");
    else if (count == 1 ? !front || !back : count != 3 || front || back)
        cli_error (cli, "it takes a kind, a front and a back, as in 'weft proxy queue tcp://127.0.0.1:5555 "
                        "tcp://127.0.0.1:5556', or --front and --back");
    else
        return true;
    return false;
}

static int
proxy_make_and_run (struct cli *cli, const struct proxy_ends *ends, const struct socket_config *config,
                    const struct secure *secure, const struct metrics_options *metrics, char **operands, int count)
{
    struct meter meter = { .metrics = NULL };
    if (!check (cli, ends, count))
        return EXIT_USAGE;
    weft_proxy_t *proxy = weft_proxy_new (cli->weft, operands[0]);
    if (!proxy)
        return cli_fail (cli, WEFT_EINVAL, NULL);
    if (cli->trial) {
        weft_proxy_destroy (&proxy);
        return meter_try (cli, metrics, secure->security.insecure,
                          try_ends (cli, ends, secure, operands, count));
    }
    int rc = configure (proxy, config, secure);
    rc = rc ? rc : secure_begin (cli, secure, EXIT_ERROR);
    rc = rc ? rc : meter_begin (&meter, cli, metrics, secure->security.insecure);
    rc = rc ? rc : attach_all (cli, proxy, ends, operands + 1, count - 1);
    rc = rc ? rc : add_metrics (&meter, proxy);
    rc = rc ? rc : meter_ready (&meter, cli);
    int status = rc ? cli_fail (cli, rc, NULL) : carry (cli, proxy);
    meter_end (&meter);
    weft_proxy_destroy (&proxy);
    return status;
}

static int
proxy_run (struct cli *cli, const struct command *self, int argc, char **argv)
{
    struct proxy_ends ends = { .front.count = 0 };
    struct socket_config config = { .hwm = 0 };
    struct secure secure = { .security.key = NULL };
    struct metrics_options metrics = { .address = NULL };
    void *targets[] = { &ends, &config, &secure, &metrics };
    char *operands[argc + 1];
    int count, status = EXIT_USAGE;
    int rc = command_parse (cli, self, targets, NULL, argc, argv, operands, &count);
    if (rc == 1)
        status = EXIT_OK;
    else if (rc == 0)
        status = proxy_make_and_run (cli, &ends, &config, &secure, &metrics, operands, count);
    command_free_options (self, targets, NULL);
    return status;
}

const struct command command_proxy = {
    .name = "proxy",
    .group = COMMAND_GROUP_PATTERNS,
    .summary = "let many on one side meet many on the other",
    .usage = "[OPTIONS] queue|forwarder|streamer FRONT BACK",
    .words = "queue|forwarder|streamer",
    .description =
        "Carries messages between a front and a back, so that neither side need know the other's addresses. A queue "
        "takes requests at the front and gives them to servers at the back, and the replies return. A forwarder takes "
        "publications at the front and gives them to subscribers at the back. A streamer takes what is pushed at the "
        "front and gives it to who pulls at the back.\n\n"
        "Both sides bind, unless an endpoint begins with >. When one side is full the other is not read; but a queue "
        "waits for a client that takes no replies for --reply-timeout only, and from then on drops those that it has "
        "no room for.",
    .guarantee = "At most once; what was dropped is counted and reported. When one side is full the other waits, but "
                 "for a forwarder's subscribers, who lose messages as with weft pub, and for a queue's clients that do "
                 "not read.",
    .tables = (const struct command_table[]){ { .title = "Endpoints", .table = proxy_table },
                                              { .title = "Sockets", .table = proxy_options },
                                              SECURE_TABLE,
                                              METRICS_TABLE,
                                              { .title = NULL } },
    .examples =
        (const struct command_example[]){
            { "weft proxy queue tcp://127.0.0.1:5555 tcp://127.0.0.1:5556",
              "Clients connect to 5555 and servers, weft rep -c tcp://127.0.0.1:5556, to 5556." },
            { "weft proxy forwarder tcp://127.0.0.1:6000 tcp://127.0.0.1:6001 --capture tcp://127.0.0.1:6002",
              "Publishers connect to 6000, subscribers to 6001, and a copy of all can be watched at 6002." },
            { .line = NULL } },
    .part = true,
    .run = proxy_run,
};
