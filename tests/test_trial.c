/*  test_trial.c - commands that are asked what they would do */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cli/trial.h"
#include "core/context.h"

struct asked {
    struct trial trial;         /*  first */
    char wrong[2048], opens[1024];
};

static void
wrong (struct trial *trial, int argument, const char *text)
{
    struct asked *self = (struct asked *) trial;
    size_t used = strlen (self->wrong);
    snprintf (self->wrong + used, sizeof self->wrong - used, "%d: %s\n", argument, text);
}

static void
opens (struct trial *trial, const char *transport, const char *address, enum endpoint_side side)
{
    struct asked *self = (struct asked *) trial;
    size_t used = strlen (self->opens);
    snprintf (self->opens + used, sizeof self->opens - used, "%c%s %s ", side == ENDPOINT_BIND ? '@' : '>', transport,
              address);
}

static int
stopped (struct cli *cli)
{
    (void) cli;
    return 0;
}

/*  Asks "weft WORDS", parted by spaces. Its answer is good until the next. */
static const struct asked *
ask (const char *words, int status)
{
    static struct asked self;
    char *argv[32] = { "weft" }, *copy = strdup (words), *rest = copy;
    int argc = 1;
    self = (struct asked){ .trial = { .wrong = wrong, .opens = opens } };
    struct cli cli = { .weft = weft_new (), .in = -1, .out = -1, .err = stderr, .stop_fd = -1, .stopped = stopped,
                       .shared = true, .trial = &self.trial };
    for (char *word; (word = strsep (&rest, " "));)
        argv[argc++] = word;
    assert_int_equal (command_run (&cli, argc, argv), status);
    assert_null (cli.weft->wires);          /*  nothing was opened */
    assert_int_equal (weft_destroy (&cli.weft), 0);
    free (copy);
    return &self;
}

static void
test_every_part_tells_its_endpoints (void **state)
{
    static const struct {
        const char *words, *opens;
    } cases[] = {
        { "rep --bind=inproc://a --echo=yes", "@inproc a " },
        { "req --connect=inproc://a,tcp://127.0.0.1:1 --data=x", ">inproc a >tcp 127.0.0.1:1 " },
        { "pub --bind=ipc:///tmp/x", "@ipc /tmp/x " },
        { "sub inproc://a", ">inproc a " },
        { "push @inproc://a", "@inproc a " },
        { "pull inproc://a", "@inproc a " },
        { "proxy queue --front=inproc://a --back=>inproc://b", "@inproc a >inproc b " },
        { "bridge tcp --listen=127.0.0.1:7 --req=inproc://a --pull=inproc://b",
          ">inproc a @inproc b @tcp 127.0.0.1:7 " },
        { "ventilator --bind=inproc://a --sink=inproc://b jobs", "@inproc a >inproc b " },
        { "worker --connect=inproc://a", ">inproc a " },
        { "sink --bind=inproc://a", "@inproc a " },
        { "run --listen=tcp://127.0.0.1:0 echo", "@tcp 127.0.0.1:0 " },
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
    assert_non_null (strstr (asked->wrong, "1: weft rep has no 'lingr'; did you mean 'linger'?\n"));
    assert_non_null (strstr (asked->wrong, "2: echo: \"perhaps\" is not yes or no\n"));
    assert_non_null (strstr (asked->wrong, "4: timeout: \"x\" is not a time"));
    assert_null (strstr (asked->wrong, "3: "));
}

static void
test_one_value_is_given_once (void **state)
{
    (void) state;
    const struct asked *asked = ask ("rep --bind=inproc://a --bind=inproc://b --linger=1s --linger=1s", EXIT_USAGE);
    assert_string_equal (asked->wrong, "4: 'linger' is given already, and has one value\n");
}

static void
test_what_options_come_to_is_told (void **state)
{
    (void) state;
    assert_non_null (strstr (ask ("rep --echo=yes", EXIT_USAGE)->wrong, "0: where? an endpoint is missing"));
    assert_non_null (strstr (ask ("rep --bind=nowhere", EXIT_USAGE)->wrong, "nowhere"));
    assert_non_null (strstr (ask ("rep --bind=tcp://0.0.0.0:7", EXIT_USAGE)->wrong, "--insecure"));
    assert_non_null (strstr (ask ("bridge tcp --listen=127.0.0.1:7", EXIT_USAGE)->wrong, "no side of the fabric"));
    assert_non_null (strstr (ask ("proxy queu --front=inproc://a --back=inproc://b", EXIT_USAGE)->wrong, "queu"));
    assert_non_null (strstr (ask ("worker --ticket=/tmp/x", EXIT_USAGE)->wrong, "ticket"));
}

int
main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_every_part_tells_its_endpoints),
        cmocka_unit_test (test_every_bad_argument_is_told),
        cmocka_unit_test (test_one_value_is_given_once),
        cmocka_unit_test (test_what_options_come_to_is_told),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
