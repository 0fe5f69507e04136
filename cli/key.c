/*  key.c - weft key: keys, and who may connect with theirs */

#include "cli/key.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "codec/json.h"
#include "core/certificate.h"
#include "core/error.h"

static const struct option key_table[] = {
    { .name = "for",
      .type = OPTION_LIST,
      .argument = "WHAT",
      .offset = offsetof (struct key_options, what),
      .text = "what the peer may do: req, rep, pub, sub, push, pull, worker, ventilator, bridge, or sub:PREFIX or "
              "pub:PREFIX for topics that begin so; all: everything" },
    { .name = "allow",
      .type = OPTION_TEXT,
      .argument = "FILE",
      .offset = offsetof (struct key_options, allow),
      .text = "the list of who may connect, when it is another than that in the directory of keys" },
    { .name = "file",
      .type = OPTION_TEXT,
      .argument = "FILE",
      .offset = offsetof (struct key_options, file),
      .text = "where a new key is written, when not to the directory of keys" },
    { .name = "public",
      .type = OPTION_FLAG,
      .offset = offsetof (struct key_options, public),
      .text = "show the public certificate, to be handed over as a file" },
    { .name = "replace",
      .type = OPTION_FLAG,
      .offset = offsetof (struct key_options, replace),
      .text = "put a key in the place of one that is there" },
    { .name = "json",
      .type = OPTION_FLAG,
      .offset = offsetof (struct key_options, json),
      .text = "a JSON object a line" },
    OPTION_END
};

enum { TAKES_FOR = 1, TAKES_ALLOW = 2, TAKES_FILE = 4, TAKES_PUBLIC = 8, TAKES_REPLACE = 16 };

static const struct verb {
    const char *name, *operands;
    int least, most;
    unsigned takes;
    key_verb_fn *run;
} verbs[] = {
    { "new", "NAME", 1, 1, TAKES_FILE | TAKES_REPLACE, key_new },
    { "show", "[NAME|FILE ...]", 0, INT16_MAX, TAKES_PUBLIC, key_show },
    { "allow", "NAME 'PUBLIC-KEY'|FILE|-", 2, 2, TAKES_FOR | TAKES_ALLOW | TAKES_REPLACE, key_allow },
    { "revoke", "NAME|'PUBLIC-KEY'", 1, 1, TAKES_ALLOW, key_revoke },
    { "list", "", 0, 0, TAKES_ALLOW, key_list },
};
enum { VERBS = sizeof verbs / sizeof *verbs };

int
key_add_member (struct buffer *out, const char *name, const char *text)
{
    int rc = buffer_addf (
        out, "%c\"%s\":", buffer_size (out) && buffer_data (out)[buffer_size (out) - 1] != '\n' ? ',' : '{', name);
    size_t size = strlen (text);
    if (rc || json_is_text (text, size))
        return rc ? rc : json_add_string (out, text, size);
    char *plain = strdup (text);
    if (!plain)
        return error_plain (WEFT_ENOMEM);
    for (char *at = plain; *at; at++)
        *at = isprint ((unsigned char) *at) ? *at : '?';
    rc = json_add_string (out, plain, size);
    free (plain);
    return rc;
}

int
key_write (struct cli *cli, int rc, struct buffer *out)
{
    if (rc == 0 && buffer_size (out))
        rc = cli_write (cli->out, buffer_data (out), buffer_size (out));
    return rc && rc != WEFT_EEND ? cli_fail (cli, rc, NULL) : EXIT_OK;
}

static const struct verb *
find_verb (struct cli *cli, const char *name)
{
    const char *names[VERBS];
    for (int i = 0; i < VERBS; i++) {
        if (strcmp (verbs[i].name, name) == 0)
            return &verbs[i];
        names[i] = verbs[i].name;
    }
    const char *nearest = option_nearest_word (name, names, VERBS);
    if (nearest)
        cli_error (cli, "it cannot '%s': did you mean 'weft key %s'?", name, nearest);
    else
        cli_error (cli, "it cannot '%s': it can new, show, allow, revoke and list (see 'weft help key')", name);
    return NULL;
}

/*  An option that the verb has no use for was meant for something that it does not do. */
static bool
check_options (struct cli *cli, const struct verb *verb, const struct key_options *options)
{
    const struct {
        bool given;
        unsigned takes;
        const char *name;
    } all[] = { { options->what.count > 0, TAKES_FOR, "for" },
                { options->allow != NULL, TAKES_ALLOW, "allow" },
                { options->file != NULL, TAKES_FILE, "file" },
                { options->public, TAKES_PUBLIC, "public" },
                { options->replace, TAKES_REPLACE, "replace" } };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (all[i].given && !(verb->takes & all[i].takes)) {
            cli_error (cli, "--%s is nothing for 'weft key %s' (see 'weft help key')", all[i].name, verb->name);
            return false;
        }
    return true;
}

static int
run_verb (struct cli *cli, const struct key_options *options, char **operands, int count)
{
    if (count == 0) {
        cli_error (cli, "what to do? 'weft key new NAME' makes a key; show, allow, revoke and list are the others "
                        "(see 'weft help key')");
        return EXIT_USAGE;
    }
    const struct verb *verb = find_verb (cli, operands[0]);
    if (!verb || !check_options (cli, verb, options))
        return EXIT_USAGE;
    if (count - 1 < verb->least || count - 1 > verb->most) {
        const char *hint = verb->run == key_allow && count > 3 ? "; a key has no blanks: put it in single quotes" : "";
        cli_error (cli, "write 'weft key %s%s%s'%s", verb->name, *verb->operands ? " " : "", verb->operands, hint);
        return EXIT_USAGE;
    }
    return verb->run (cli, options, operands + 1, count - 1);
}

/*  A key that begins with a dash, as one in 85 does that others make, is no option. */
static bool
is_key (const char *word)
{
    if (word[0] != '-' || !key_is_text (word))
        return false;
    char name[KEY_TEXT];
    strcpy (name, word + strspn (word, "-"));
    name[strcspn (name, "=")] = '\0';
    return strncmp (word, "--", 2) != 0 || (!option_find (key_table, name) && !option_find (common_options, name));
}

static int
key_run (struct cli *cli, const struct command *self, int argc, char **argv)
{
    static char stand_in[] = "PUBLIC-KEY";
    struct key_options options = { .file = NULL };
    void *targets[] = { &options };
    char *operands[argc + 1], *words[argc + 1], *key = NULL;
    int count, status = EXIT_USAGE;
    for (int i = 0; i < argc; i++) {
        bool taken = i > 0 && !key && is_key (argv[i]);
        words[i] = taken ? stand_in : argv[i];
        key = taken ? argv[i] : key;
    }
    words[argc] = NULL;
    int rc = command_parse (cli, self, targets, NULL, argc, words, operands, &count);
    for (int i = 0; i < count && rc == 0; i++)
        operands[i] = operands[i] == stand_in ? key : operands[i];
    if (rc == 1)
        status = EXIT_OK;
    else if (rc == 0)
        status = run_verb (cli, &options, operands, count);
    command_free_options (self, targets, NULL);
    return status;
}

const struct command command_key = {
    .name = "key",
    .group = COMMAND_GROUP_KEYS,
    .summary = "make keys, and say who may connect with theirs",
    .usage = "new|show|allow|revoke|list [OPTIONS] [OPERANDS]",
    .words = "new|show|allow|revoke|list",
    .description =
        "A key says who a peer is. Each side makes its own, and hands the public half over: to a server, which allows "
        "it, and to its clients, who check that they talk to that server.\n\n"
        "weft key new NAME makes a key, and writes the public half to standard output. weft key show [NAME|FILE ...] "
        "shows the keys that are there: name, public key, fingerprint, file; with --public it writes the public "
        "certificate of one, as a file for others. The secret half is never shown.\n\n"
        "weft key allow NAME KEY puts the peer with that public key on the list, under that name, for everything, or "
        "for what --for says; what a peer may do already stays, unless --for changes it. KEY is the 40 characters of "
        "a public key, a FILE that has it (or a certificate), the name of a key here, or - for standard input. A key "
        "has characters that shells treat as their own: put it in single quotes. weft key revoke NAME|KEY shuts the "
        "peer out; it stays on the list, so that it is named when it comes again. weft key list shows who is on the "
        "list, and for what.\n\n"
        "The fingerprint is for people to compare aloud, before they allow what came over a network.\n\n"
        "Keys live in $WEFT_KEYS, or else in $XDG_CONFIG_HOME/weft or ~/.config/weft: NAME.key a pair of one's own, "
        "NAME.pub the public certificate of somebody else, and allowed, the list. They are text. A key is a "
        "certificate as CZMQ's zcert writes and reads it; the list has a line a peer: NAME PUBLIC-KEY [WHAT ...], "
        "with a ! in front when it is revoked. A file with a secret that others may read, or a list that others may "
        "write to, is refused; a list that cannot be read lets nobody in.",
    .status = "5 also for a file that others may read or write to.",
    .tables = (const struct command_table[]){ { .title = "Options", .table = key_table }, { .title = NULL } },
    .examples =
        (const struct command_example[]){
            { "weft key new server", "A key called server; its public half is shown." },
            { "weft key show", "All keys here, with their fingerprints." },
            { "weft key show server --public > server.pub", "The public certificate, as a file for clients." },
            { "weft key allow alice 'rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7'", "Alice may do everything." },
            { "weft key allow bob bob.pub --for sub:weather. --for req",
              "Bob, whose certificate came as a file, may subscribe to weather. and what begins so, and ask." },
            { "ssh bob weft key show bob --public | weft key allow bob -", "The same over ssh, for everything." },
            { "weft key revoke bob", "Bob is shut out." },
            { "weft key list --json", "Who may connect, as JSON." },
            { .line = NULL } },
    .run = key_run,
};
