/*  bridge.c - weft bridge: a foreign protocol in and out of the fabric */

#include <string.h>

#include "adapters/bridge_handle.h"
#include "cli/alone.h"
#include "cli/bridge_counts.h"
#include "cli/command.h"
#include "cli/descriptors.h"
#include "cli/help.h"
#include "cli/metrics.h"
#include "cli/protocols.h"
#include "cli/secure.h"
#include "cli/trial.h"
#include "core/error.h"

struct bridge_options {
    weft_bridge_t *bridge;              /*  takes all but the following, as they are given      */
    struct secure secure;
    struct metrics_options metrics;
};

/*  Those of the adapters are the first. */
#define STREAM_TABLES                                                                                              \
    { .title = "Connections", .table = stream_options, .apart = true },                                                \
        { .title = "TLS", .table = tls_options, .apart = true }
#define DATAGRAM_TABLES { .title = "Datagrams", .table = datagram_options, .apart = true }
#define COMMON_TABLES                                                                                              \
    { .title = "Bridge", .table = bridge_options }, { .title = "Sockets", .table = bridge_socket_options },            \
        SECURE_TABLE, METRICS_TABLE, { .title = NULL }
enum { COMMONS = 7 };                   /*  with the end                                        */
enum { OWN_TABLES = 2 };                /*  the last of them, which are not the bridge's        */

/* ------------------------------------------------------------------------- running */

static void
tell_listening (struct cli *cli, const weft_bridge_t *bridge)
{
    const char *what, *address;
    for (size_t i = 0; (address = weft_bridge_endpoint (bridge, i, &what)); i++)
        cli_note (cli, "%s listening on %s", what, address);
}

struct fabric_list {
    const struct option_list *list;
    const struct pattern *pattern;
};
enum { FABRIC_LISTS = 6 };

/*  The endpoints of the fabric, by what is opened there. */
static void
list_fabric (const struct bridge_config *config, struct fabric_list fabric[FABRIC_LISTS])
{
    const struct fabric_list all[FABRIC_LISTS] = { { &config->rep, &pattern_rep }, { &config->push, &pattern_push },
                                                   { &config->req, &pattern_req }, { &config->pub, &pattern_pub },
                                                   { &config->sub, &pattern_sub }, { &config->pull, &pattern_pull } };
    memcpy (fabric, all, sizeof all);
}

static void
tell_alone (struct cli *cli, const weft_bridge_t *bridge)
{
    struct fabric_list fabric[FABRIC_LISTS];
    struct alone alone = { .count = 0 };
    list_fabric (&bridge_handle_setup (bridge)->bridge, fabric);
    for (size_t i = 0; i < FABRIC_LISTS; i++)
        alone_see_lists (&alone, fabric[i].list, fabric[i].pattern->side);
    alone_tell (&alone, cli);
}

static int
try_bridge (struct cli *cli, const struct adapter *adapter, struct bridge_options *options)
{
    const struct bridge_config *config = &bridge_handle_setup (options->bridge)->bridge;
    struct fabric_list fabric[FABRIC_LISTS];
    list_fabric (config, fabric);
    int rc = bridge_handle_check (options->bridge);
    bool right = rc == 0;
    if (rc)
        cli_fail (cli, rc, NULL);
    for (size_t i = 0; i < FABRIC_LISTS; i++)
        right &= trial_lists (cli, fabric[i].pattern->name, &options->secure.security, fabric[i].list,
                              fabric[i].pattern->side);
    for (size_t i = 0; i < config->listen.count; i++)
        right &= trial_address (cli, adapter->name, adapter->datagram ? "udp" : "tcp", config->listen.items[i],
                                ENDPOINT_BIND);
    return right ? EXIT_OK : EXIT_USAGE;
}

/*  Those of several threads are told apart by a label. */
static int
add_metrics (struct meter *meter, const weft_bridge_t *bridge)
{
    struct metric_source source;
    char number[16];
    bool several = bridge_handle_source (bridge, 1, 0, &source);
    int rc = 0;
    for (size_t at = 0; rc == 0 && bridge_handle_source (bridge, at, 0, &source); at++) {
        snprintf (number, sizeof number, "%zu", at + 1);
        for (size_t i = 0; rc == 0 && bridge_handle_source (bridge, at, i, &source); i++) {
            if (several)
                source.labels[1] = (struct metric_label) { "thread", number };
            rc = meter_add (meter, &source);
        }
    }
    return rc;
}

static int
begin_meter (struct meter *meter, struct cli *cli, const struct bridge_options *options)
{
    int rc = meter_begin (meter, cli, &options->metrics, options->secure.security.insecure);
    if (rc == 0 && meter_is_on (meter)) {
        rc = bridge_handle_time (options->bridge);
        rc = rc ? rc : add_metrics (meter, options->bridge);
    }
    return rc ? rc : meter_ready (meter, cli);
}

static int
open_and_run (struct cli *cli, struct bridge_options *options)
{
    struct meter meter = { .metrics = NULL };
    int status;
    descriptors_raise ();
    bridge_handle_stop_by (options->bridge, cli->stop_fd);
    int rc = secure_begin (cli, &options->secure, EXIT_ERROR);
    rc = rc ? rc : weft_bridge_start (options->bridge);
    rc = rc ? rc : begin_meter (&meter, cli, options);
    if (rc) {
        status = cli_fail (cli, rc, NULL);
        status = rc == WEFT_EINVAL || rc == WEFT_EENDPOINT ? EXIT_USAGE : status;
    } else {
        tell_listening (cli, options->bridge);
        tell_alone (cli, options->bridge);
        cli_ready (cli);
        rc = weft_bridge_run (options->bridge, -1);
        status = bridge_counts_tell (cli, options->bridge, rc ? cli_fail (cli, rc, NULL) : EXIT_OK);
    }
    meter_end (&meter);
    return status;
}

static int
run_or_try (struct cli *cli, const struct adapter *adapter, struct bridge_options *options, const char *operand)
{
    if (!operand)
        return !cli->trial ? open_and_run (cli, options)
                           : meter_try (cli, &options->metrics, options->secure.security.insecure,
                                        try_bridge (cli, adapter, options));
    cli_error (cli, "%s: an endpoint of what kind? say --push, --pub, --req, --pull, --sub or --rep in front of it",
               operand);
    return EXIT_USAGE;
}

/* ------------------------------------------------------------------------- options */

static int
set_bridge (void *bridge, const struct option *option, const char *value)
{
    return weft_bridge_set (bridge, option->name, value);
}

_Static_assert (BRIDGE_KINDS + COMMONS <= COMMAND_TABLES_MAX + 1, "the tables of a bridge have room");

/*  The tables: those of the adapter and its companions, then what follows them. How many there are. */
static size_t
list_tables (const struct adapter *adapter, struct command_table tables[COMMAND_TABLES_MAX + 1])
{
    static const struct command_table streams[] = { STREAM_TABLES }, datagrams[] = { DATAGRAM_TABLES },
                                      common[] = { COMMON_TABLES };
    const struct command_table *carrier = adapter->datagram ? datagrams : streams;
    const size_t carriers = adapter->datagram ? 1 : sizeof streams / sizeof streams[0];
    const struct adapter *each;
    size_t count = 0;
    for (; (each = bridge_kind (adapter, count)); count++)
        tables[count] = (struct command_table) { .title = protocol_title (each->name), .table = each->options };
    memcpy (tables + count, carrier, carriers * sizeof *carrier);
    count += carriers;
    memcpy (tables + count, common, sizeof common);
    return count + sizeof common / sizeof common[0] - 1;
}

static bool
has_option (const struct adapter *adapter, const char *name)
{
    const struct option *option;
    for (size_t i = 0; (option = bridge_handle_option (adapter, i)); i++)
        if (strcmp (option->name, name) == 0)
            return true;
    return false;
}

/*  The other protocol that an option "--NAME" or "--NAME=VALUE" belongs to; NULL: none, or ours as well. */
static const char *
owner_of (const struct adapter *adapter, const char *argument)
{
    char name[64];
    const char *owner = NULL;
    snprintf (name, sizeof name, "%.*s", (int) strcspn (argument + 2, "="), argument + 2);
    for (size_t i = 0; bridge_adapters[i]; i++)
        if (has_option (bridge_adapters[i], name)) {
            if (bridge_adapters[i] == adapter)
                return NULL;
            owner = owner ? owner : bridge_adapters[i]->name;
        }
    return owner;
}

/*  After arguments that were refused: an option may be right beside another protocol. */
static void
tell_owner (struct cli *cli, const struct adapter *adapter, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        const char *owner = strncmp (argv[i], "--", 2) == 0 ? owner_of (adapter, argv[i]) : NULL;
        if (owner) {
            cli_error (cli, "%.*s is an option of weft bridge %s", (int) strcspn (argv[i], "="), argv[i], owner);
            return;
        }
    }
}

static bool
bridge_narrow (const struct command *self, const char *word, struct command *narrowed,
               struct command_table tables[COMMAND_TABLES_MAX + 1])
{
    const struct adapter *adapter = bridge_adapter_find (word);
    const struct protocol *words = protocol_find (word);
    if (!adapter || !words)
        return false;
    list_tables (adapter, tables);
    *narrowed = *self;
    narrowed->topic = words->topic;
    narrowed->usage = words->usage;
    narrowed->description = words->text;
    narrowed->examples = words->examples;
    narrowed->tables = tables;
    return true;
}

/*  A command with the options of this adapter, and those of its companions. */
static int
adapter_run (struct cli *cli, const struct command *self, const struct adapter *adapter, int argc, char **argv)
{
    struct command_table tables[COMMAND_TABLES_MAX + 1] = { { .title = NULL } };
    command_set_fn *setters[COMMAND_TABLES_MAX + 1] = { NULL };
    void *targets[COMMAND_TABLES_MAX + 1] = { NULL };
    struct bridge_options options = { .bridge = weft_bridge_new (cli->weft, adapter->name) };
    struct command command;
    char *operands[argc + 1];
    int count = 0, status = EXIT_USAGE;
    if (!options.bridge || !bridge_narrow (self, adapter->name, &command, tables))
        return cli_fail (cli, WEFT_ENOMEM, NULL);
    size_t last = 0;
    while (tables[last + OWN_TABLES].title)
        last++;
    for (size_t i = 0; i < last; i++) {
        targets[i] = options.bridge;
        setters[i] = set_bridge;
    }
    targets[last] = &options.secure;
    targets[last + 1] = &options.metrics;
    int rc = command_parse (cli, &command, targets, setters, argc, argv, operands, &count);
    if (rc == 0 && (rc = secure_apply (&options.secure, set_bridge, options.bridge)))
        cli_fail (cli, rc, NULL);
    if (rc == WEFT_EINVAL && !cli->trial)
        tell_owner (cli, adapter, argc, argv);
    if (rc == 1)
        status = EXIT_OK;
    else if (rc == 0)
        status = run_or_try (cli, adapter, &options, count ? operands[0] : NULL);
    weft_bridge_destroy (&options.bridge);
    command_free_options (&command, targets, setters);
    return status;
}

/*  Without the name of a protocol: what is common, and the options of all. */
static int
no_adapter (struct cli *cli, const struct command *self, int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        if (strcmp (argv[i], "--help") == 0 || strcmp (argv[i], "-h") == 0) {
            help_command (cli, self);
            return EXIT_OK;
        }
    cli_error (cli, "%s%swhich protocol? there are %s, as in '%s'", argc > 1 ? argv[1] : "", argc > 1 ? ": " : "",
               PROTOCOL_NAMES, self->examples[0].line);
    return EXIT_USAGE;
}

static int
bridge_command_run (struct cli *cli, const struct command *self, int argc, char **argv)
{
    const struct adapter *adapter = argc > 1 ? bridge_adapter_find (argv[1]) : NULL;
    if (!adapter)
        return no_adapter (cli, self, argc, argv);
    argv[1] = argv[0];
    return adapter_run (cli, self, adapter, argc - 1, argv + 1);
}

const struct command command_bridge = {
    .name = "bridge",
    .group = COMMAND_GROUP_PATTERNS,
    .summary = "join another protocol to the fabric: " PROTOCOL_NAMES,
    .usage = "PROTOCOL [OPTIONS] --listen|--dial ADDRESS ...",
    .words = PROTOCOL_WORDS,
    .description =
        "Takes messages from connections of another protocol into the fabric, and gives them what comes from there. "
        "Connections come to --listen, or are made by --dial, which connects again whenever one ends. What the "
        "fabric's side is, one or several of --push, --pub, --req, --pull, --sub, --rep and --relay say: a message "
        "from outside goes to all that take some.\n\n"
        "With --req each message is a request, and its reply goes back to the client that sent it, in the order of its "
        "requests; many are under way at once, of one client (--in-flight) and of many. With --rep it is the other way "
        "round: a request of the fabric goes to a connection with the foreign server, whose next message is the reply; "
        "it is empty when the server has gone, or does not answer within --timeout. Each connection has one request "
        "at a time, and --connections makes several; what more there is waits in the fabric.\n\n"
        "While the fabric is full, or nobody is there to take a message, the connection is not read, and its peer has "
        "to wait. A connection that does not read is waited for by --req and --pull; for --sub and --relay --when-full "
        "says what happens.\n\n"
        "An ADDRESS is HOST:PORT, unix:PATH (a Unix socket, which our own user and root may connect to; it is gone in "
        "the end), or unix:@NAME (an abstract one).\n\n"
        "With --tls foreign connections are encrypted (TLS 1.2 or 1.3). What listens shows --tls-cert; with "
        "--tls-verify all it takes in those alone whose certificate --tls-ca has signed. Servers that are dialled have "
        "to have a certificate for the name that is dialled, signed by somebody whom the system trusts, or --tls-ca. "
        "Files that are replaced are read again for new connections. Without --tls what listens beyond this machine "
        "does so in clear text, and only with --insecure. --key and --allow are for the fabric's side.\n\n"
        "weft help bridge PROTOCOL has the options and examples of one of them.\n\n" PROTOCOL_TEXTS,
    .guarantee = "At most once; what was dropped is counted and reported. A message is taken from its connection only "
                 "when the fabric has taken it. A request has its reply, or its client is told that it has none.",
    .status = "6 when messages were dropped or cut off, requests had no reply, or connections ended before they had "
              "taken what was for them.",
    .tables = (const struct command_table[]){ PROTOCOL_TABLES, STREAM_TABLES, DATAGRAM_TABLES, COMMON_TABLES },
    .examples =
        (const struct command_example[]){
            { "weft bridge tcp --listen 127.0.0.1:65432 --framing line --req tcp://127.0.0.1:5555",
              "Beside weft rep tcp://127.0.0.1:5555 --echo: each line that nc 127.0.0.1 65432 sends is answered." },
            { "weft bridge tcp --listen 127.0.0.1:8765 --relay --format '[%p]: %m'",
              "A chat: each line goes to all others, with its sender's address." },
            { "weft bridge tcp --listen 127.0.0.1:7000 --pub tcp://127.0.0.1:6000 --topic 'tcp/%p'",
              "Publishes what comes; weft sub tcp://127.0.0.1:6000 -t tcp/ sees all of it." },
            { "weft bridge tcp --listen '*:7443' --tls --tls-cert cert.pem --tls-key key.pem "
              "--push tcp://127.0.0.1:6001",
              "Takes in lines from a network, encrypted; weft pull @tcp://127.0.0.1:6001 prints them." },
            { "weft bridge tcp --dial 127.0.0.1:7 --rep tcp://127.0.0.1:5555",
              "weft req asks a foreign server that answers lines." },
            { "weft bridge http --listen 127.0.0.1:8080 --req tcp://127.0.0.1:5555 --mount /=req",
              "Beside weft rep tcp://127.0.0.1:5555 --exec 'jq .path': curl http://127.0.0.1:8080/items/1." },
            { .line = NULL } },
    .narrow = bridge_narrow,
    .part = true,
    .run = bridge_command_run,
};
