/*  test_trial.c - commands that are asked what they would do */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "cli/trial.h"
#include "core/context.h"

struct asked {
    struct trial trial;         /*  first */
    char wrong[2048], opens[1024];
};

static void
wrong (struct trial *trial, const char *argument, const char *text)
{
    struct asked *self = (struct asked *) trial;
    size_t used = strlen (self->wrong);
    snprintf (self->wrong + used, sizeof self->wrong - used, "%s: %s\n", argument ? argument : "all", text);
}

static void
opens (struct trial *trial, const char *kind, const char *transport, const char *address, enum endpoint_side side)
{
    struct asked *self = (struct asked *) trial;
    size_t used = strlen (self->opens);
    snprintf (self->opens + used, sizeof self->opens - used, "%s%c%s %s ", kind, side == ENDPOINT_BIND ? '@' : '>',
              transport, address);
}

static int
stopped (struct cli *cli)
{
    (void) cli;
    return 0;
}

/*  Asks "weft WORDS", parted by spaces. Its answer is good until the next. */
static const struct asked *
ask_with (int in, const char *words, int status)
{
    static struct asked self;
    char *argv[32] = { "weft" }, *copy = strdup (words), *rest = copy;
    int argc = 1;
    self = (struct asked){ .trial = { .wrong = wrong, .opens = opens } };
    struct cli cli = { .weft = weft_new (), .in = in, .out = -1, .err = stderr, .stop_fd = -1, .stopped = stopped,
                       .shared = true, .trial = &self.trial };
    for (char *word; (word = strsep (&rest, " "));)
        argv[argc++] = word;
    assert_int_equal (command_run (&cli, argc, argv), status);
    assert_null (cli.weft->wires);          /*  nothing was opened */
    assert_int_equal (weft_destroy (&cli.weft), 0);
    free (copy);
    return &self;
}

static const struct asked *
ask (const char *words, int status)
{
    return ask_with (STDIN_FILENO, words, status);
}

static void
test_every_part_tells_its_endpoints (void **state)
{
    static const struct {
        const char *words, *opens;
    } cases[] = {
        { "rep --bind=inproc://a --echo=yes", "rep@inproc a " },
        { "req --connect=inproc://a,tcp://127.0.0.1:1 --data=x", "req>inproc a req>tcp 127.0.0.1:1 " },
        { "pub --bind=ipc:///tmp/x", "pub@ipc /tmp/x " },
        { "sub inproc://a", "sub>inproc a " },
        { "push @inproc://a", "push@inproc a " },
        { "pull inproc://a", "pull@inproc a " },
        { "proxy queue --front=inproc://a --back=>inproc://b", "rep@inproc a req>inproc b " },
        { "bridge tcp --listen=127.0.0.1:7 --req=inproc://a --pull=inproc://b",
          "req>inproc a pull@inproc b tcp@tcp 127.0.0.1:7 " },
        { "ventilator --bind=inproc://a --sink=inproc://b jobs", "head@inproc a head>inproc b " },
        { "worker --connect=inproc://a", "worker>inproc a " },
        { "sink --bind=inproc://a", "sink@inproc a " },
        { "run --listen=tcp://127.0.0.1:0 echo", "head@tcp 127.0.0.1:0 " },
    };
    (void) state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct asked *asked = ask (cases[i].words, EXIT_OK);
        assert_string_equal (asked->wrong, "");
        assert_string_equal (asked->opens, cases[i].opens);
    }
}

static void
test_every_bad_argument_is_told (void **state)
{
    (void) state;
    const struct asked *asked = ask ("rep --lingr=1s --echo=perhaps --linger=2s --timeout=x", EXIT_USAGE);
    assert_non_null (strstr (asked->wrong, "--lingr=1s: weft rep has no 'lingr'; did you mean 'linger'?\n"));
    assert_non_null (strstr (asked->wrong, "--echo=perhaps: echo: \"perhaps\" is not yes or no\n"));
    assert_non_null (strstr (asked->wrong, "--timeout=x: timeout: \"x\" is not a time"));
    assert_null (strstr (asked->wrong, "--linger=2s: "));
}

static void
test_one_value_is_given_once (void **state)
{
    (void) state;
    const struct asked *asked = ask ("rep --bind=inproc://a --bind=inproc://b --linger=1s --linger=1s", EXIT_USAGE);
    assert_string_equal (asked->wrong, "--linger=1s: 'linger' is given already, and has one value\n");
}

static void
test_what_options_come_to_is_told (void **state)
{
    (void) state;
    assert_non_null (strstr (ask ("rep --echo=yes", EXIT_USAGE)->wrong, "all: where? an endpoint is missing"));
    assert_non_null (strstr (ask ("rep --bind=nowhere", EXIT_USAGE)->wrong, "nowhere"));
    assert_non_null (strstr (ask ("rep --bind=tcp://0.0.0.0:7", EXIT_USAGE)->wrong, "--insecure"));
    assert_non_null (strstr (ask ("bridge tcp --listen=127.0.0.1:7", EXIT_USAGE)->wrong, "no side of the fabric"));
    assert_non_null (strstr (ask ("proxy queu --front=inproc://a --back=inproc://b", EXIT_USAGE)->wrong, "queu"));
    assert_non_null (strstr (ask ("worker --ticket=/tmp/x", EXIT_USAGE)->wrong, "ticket"));
}

static void
test_who_reads_needs_an_input (void **state)
{
    static const char *const readers[] = { "req inproc://a", "pub inproc://a", "push inproc://a", "rep inproc://a" };
    (void) state;
    for (size_t i = 0; i < sizeof readers / sizeof *readers; i++) {
        assert_non_null (strstr (ask_with (-1, readers[i], EXIT_USAGE)->wrong, "standard input"));
        assert_string_equal (ask (readers[i], EXIT_OK)->wrong, "");
    }
    ask_with (-1, "push inproc://a --data=x", EXIT_OK);
    ask_with (-1, "rep inproc://a --data=x", EXIT_OK);
    ask_with (-1, "sub inproc://a", EXIT_OK);
}

int
main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_every_part_tells_its_endpoints),
        cmocka_unit_test (test_every_bad_argument_is_told),
        cmocka_unit_test (test_one_value_is_given_once),
        cmocka_unit_test (test_what_options_come_to_is_told),
        cmocka_unit_test (test_who_reads_needs_an_input),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
