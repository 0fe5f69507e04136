/*  version.c - weft version: what runs here, and what its libraries can do */

#include <czmq.h>
#include <http_parser.h>
#include <msgpack.h>
#include <openssl/crypto.h>
#include <sqlite3.h>
#include <uv.h>
#include <zlib.h>

#include "cli/command.h"
#include "core/wire.h"

struct version_options {
    bool json;
};

static const struct option version_table[] = {
    { .name = "json", .type = OPTION_FLAG, .offset = offsetof (struct version_options, json),
      .text = "the same as a JSON object" },
    OPTION_END
};

static int
version_write (struct cli *cli, bool json)
{
    char text[1024], czmq[32], http[32];
    unsigned long parser = http_parser_version ();
    int major, minor, patch;
    zsys_version (&major, &minor, &patch);
    snprintf (czmq, sizeof czmq, "%d.%d.%d", major, minor, patch);
    snprintf (http, sizeof http, "%lu.%lu.%lu", parser >> 16 & 255, parser >> 8 & 255, parser & 255);
    const char *format = json ? "{\"weft\":\"%s\",\"libzmq\":\"%s\",\"capabilities\":\"%s\",\"czmq\":\"%s\","
                                "\"msgpack\":\"%s\",\"libuv\":\"%s\",\"openssl\":\"%s\",\"http-parser\":\"%s\","
                                "\"zlib\":\"%s\",\"sqlite\":\"%s\"}\n"
                              : "weft %s\nlibzmq %s (%s)\nczmq %s\nmsgpack %s\nlibuv %s\nopenssl %s\n"
                                "http-parser %s\nzlib %s\nsqlite %s\n";
    int size = snprintf (text, sizeof text, format, weft_version (NULL, NULL, NULL), wire_zmq_version (),
                         wire_zmq_capabilities (), czmq, msgpack_version (), uv_version_string (),
                         OpenSSL_version (OPENSSL_VERSION_STRING), http, zlibVersion (), sqlite3_libversion ());
    int rc = cli_write (cli->out, text, (size_t) size);
    return rc ? cli_fail (cli, rc, NULL) : EXIT_OK;
}

static int
version_run (struct cli *cli, const struct command *self, int argc, char **argv)
{
    struct version_options options = { .json = false };
    void *targets[] = { &options };
    char *operands[argc + 1];
    int count, status = EXIT_USAGE;
    int rc = command_parse (cli, self, targets, NULL, argc, argv, operands, &count);
    if (rc == 1)
        status = EXIT_OK;
    else if (rc == 0 && count > 0)
        cli_error (cli, "'%s': it takes no operands", operands[0]);
    else if (rc == 0)
        status = version_write (cli, options.json);
    command_free_options (self, targets, NULL);
    return status;
}

const struct command command_version = {
    .name = "version",
    .group = COMMAND_GROUP_ABOUT,
    .summary = "say the versions of weft and its libraries",
    .usage = "[--json]",
    .description = "Says the version of weft and those of the libraries it runs on, and what this libzmq can do.",
    .tables = (const struct command_table[]){ { .title = "Options", .table = version_table }, { .title = NULL } },
    .examples = (const struct command_example[]){
        { "weft version", "weft " WEFT_VERSION ", and a line for each library, libzmq's with what it can do." },
        { .line = NULL } },
    .run = version_run,
};
