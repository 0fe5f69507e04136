/*  test_fabric.c - fabrics read, checked, compared and put in order */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cli/embedded.h"
#include "cli/fabric.h"

static char told[16384];

static void
on_wrong (void *arg, const char *text)
{
    size_t used = strlen (told);
    (void) arg;
    snprintf (told + used, sizeof told - used, "%s\n", text);
}

static struct fabric *
parse (const char *text)
{
    struct fabric *fabric;
    told[0] = '\0';
    int rc = fabric_parse (&fabric, "f", text, strlen (text), on_wrong, NULL);
    assert_int_equal (rc, told[0] ? WEFT_EINVAL : 0);
    assert_int_equal (!fabric, told[0] != '\0');
    return fabric;
}

static struct fabric *
parse_good (const char *text)
{
    struct fabric *fabric = parse (text);
    assert_string_equal (told, "");
    return fabric;
}

/*  Exactly these, a line each. */
static void
expect_wrong (const char *text, const char *lines)
{
    assert_null (parse (text));
    assert_string_equal (told, lines);
}

static void
expect_words (const char *text, const char *words)
{
    assert_null (parse (text));
    if (!strstr (told, words))
        fail_msg ("'%s' is not in '%s'", words, told);
}

/* ------------------------------------------------------------------ reading */

static void
expect_arguments (const struct fabric_part *part, const char *text)
{
    char all[512] = "";
    for (int i = 0; i < part->argc; i++)
        snprintf (all + strlen (all), sizeof all - strlen (all), "%s|", part->argv[i]);
    assert_string_equal (all, text);
    assert_null (part->argv[part->argc]);
}

static void
test_a_section_is_a_command (void **state)
{
    (void) state;
    struct fabric *fabric = parse_good ("restart = never\n"
                                        "echo\n"
                                        "    linger = 1s\n"
                                        "    command = weft rep --echo inproc://x\n"
                                        "tcp\n"
                                        "    command = bridge tcp\n"
                                        "    listen = 127.0.0.1:0\n"
                                        "    listen = 127.0.0.1:0\n"
                                        "    req = inproc://x\n"
                                        "    restart = on-failure\n"
                                        "jobs\n"
                                        "    command = \"run 'echo {} x' ::: a \"\n"
                                        "    keep-order = yes\n"
                                        "    stdout = /dev/null\n");
    assert_int_equal (fabric->count, 3);
    assert_string_equal (fabric->parts[0]->name, "echo");
    expect_arguments (fabric->parts[0], "rep|--linger=1s|--echo|inproc://x|");
    expect_arguments (fabric->parts[1], "bridge|tcp|--listen=127.0.0.1:0|--listen=127.0.0.1:0|--req=inproc://x|");
    expect_arguments (fabric->parts[2], "run|--keep-order=yes|echo {} x|:::|a|");
    assert_int_equal (fabric->parts[0]->restart, FABRIC_NEVER);
    assert_int_equal (fabric->parts[1]->restart, FABRIC_ON_FAILURE);
    assert_string_equal (fabric->parts[2]->out, "/dev/null");
    assert_null (fabric->parts[2]->in);
    assert_int_equal (fabric->parts[1]->endpoint_count, 3);
    assert_ptr_equal (fabric_find (fabric, "tcp"), fabric->parts[1]);
    assert_null (fabric_find (fabric, "udp"));
    fabric_destroy (&fabric);
    assert_null (fabric);
}

static void
test_the_default_is_right (void **state)
{
    (void) state;
    struct fabric *fabric = parse_good (embedded_default_zpl);
    assert_non_null (fabric_find (fabric, "echo"));
    fabric_destroy (&fabric);
}

/* ----------------------------------------------------------------- mistakes */

static void
test_mistakes_of_sections (void **state)
{
    (void) state;
    expect_words ("", "f: no parts");
    expect_words ("restart = never\n", "f: no parts");
    expect_words ("x = 1\na\n    command = rep inproc://a --echo\n", "f:1: 'x' is no setting of a whole fabric");
    expect_words ("restart = maybe\na\n    command = rep inproc://a --echo\n", "f:1: restart: \"maybe\" is not one of");
    expect_words ("a\n", "f:1: a: no command");
    expect_words ("a\n    command =\n", "f:2: a: which command?");
    expect_words ("a\n    command = reep\n", "f:2: a: there is no command 'reep'; did you mean 'rep'?");
    expect_words ("a\n    command = up\n", "f:2: a: weft up is no part of a fabric");
    expect_words ("a\n    command = rep 'x\n", "f:2: a: a quote in the command is not closed");
    expect_words ("a\n    command = rep inproc://a --echo\n    command = rep\n", "f:3: a: a part has one command");
    expect_words ("a\n    command = rep inproc://a --echo\na\n    command = rep inproc://b --echo\n",
                  "f:3: 'a' is in line 1 already");
    expect_words ("a = 1\n    b = 2\nc\n    command = rep --echo inproc://c\n", "f:2: 'a' is no part");
}

static void
test_mistakes_of_keys (void **state)
{
    (void) state;
    expect_words ("a\n    command = rep inproc://a\n    echo\n", "f:3: a: 'echo' has no value, as in echo = yes");
    expect_words ("a\n    command = rep inproc://a\n    echo = yes\n        x = 1\n", "f:4: a: moved in too far");
    expect_words ("a\n    command = rep inproc://a --echo\n    memory-limit = 1G\n",
                  "f:3: a: memory is limited for all parts together: weft up --memory-limit 1G");
    expect_words ("a\n    command = rep inproc://a --echo\n    help = yes\n", "f:3: a: 'help' is no key");
    expect_words ("a\n    command = rep inproc://a --echo\n    stdout = x\n    stdout = y\n",
                  "f:4: a: 'stdout' is given already");
    expect_words ("a\n    command = rep inproc://a --echo\n    bind = nowhere\n", "f:3: a: ");
    expect_words ("a\n    command = push inproc://a\nb\n    command = pull inproc://a\n", "f:2: a: it reads messages");
}

/*  All at once, in the order of their lines. */
static void
test_every_mistake_is_told_with_its_line (void **state)
{
    (void) state;
    expect_wrong ("rest\n"
                  "    command = bridge tcp\n"
                  "    listen = 127.0.0.1:7001\n"
                  "    req = inproc://echo\n"
                  "    lingr = 5s\n"
                  "    timeout = nope\n"
                  "echo\n"
                  "    command = rep --echo\n"
                  "    bind = inproc://echo\n"
                  "    bind = tcp://127.0.0.1:7001\n"
                  "    linger = 1s\n"
                  "    linger = 2s\n",
                  "f:5: rest: weft bridge tcp has no 'lingr'; did you mean 'linger'?\n"
                  "f:6: rest: timeout: \"nope\" is not a time; write 1ms..24h, for example 30s\n"
                  "f:12: echo: 'linger' is given already, and has one value\n");
}

static void
test_parts_have_to_fit_together (void **state)
{
    (void) state;
    expect_wrong ("rest\n"
                  "    command = bridge tcp\n"
                  "    listen = 127.0.0.1:7001\n"
                  "    req = inproc://ecko\n"
                  "echo\n"
                  "    command = rep --echo\n"
                  "    bind = inproc://echo\n"
                  "    bind = tcp://*:7001\n"
                  "    insecure = yes\n"
                  "sub\n"
                  "    command = sub\n"
                  "    connect = inproc://echo\n"
                  "other\n"
                  "    command = rep --echo @inproc://echo\n",
                  "f:4: rest: it connects to inproc://ecko, which no part binds; did you mean inproc://echo?\n"
                  "f:8: echo: tcp://*:7001 is taken: 'rest' listens there, in line 3\n"
                  "f:12: sub: inproc://echo: a sub here and a rep at the other end, which is 'echo' in line 7, do not "
                  "fit\n"
                  "f:14: other: inproc://echo is taken: 'echo' listens there, in line 7\n"
                  "f:14: other: inproc://echo: a rep here and a sub at the other end, which is 'sub' in line 12, do "
                  "not fit (this side binds)\n");
}

static void
test_what_does_not_clash (void **state)
{
    (void) state;
    struct fabric *fabric = parse_good ("a\n    command = rep --echo tcp://127.0.0.1:0,tcp://127.0.0.1:7001\n"
                                        "b\n    command = rep --echo tcp://127.0.0.1:0,tcp://127.0.0.2:7001\n"
                                        "c\n    command = rep --echo tcp://127.0.0.1:7002,ipc:///tmp/a\n"
                                        "d\n    command = rep --echo ipc:///tmp/b,ipc://*,ipc://*\n"
                                        "e\n    command = req --data x tcp://127.0.0.1:7002\n");
    fabric_destroy (&fabric);
    expect_words ("a\n    command = rep --echo tcp://localhost:7001\n"
                  "b\n    command = rep --echo tcp://127.0.0.1:7001\n",
                  "f:4: b: tcp://127.0.0.1:7001 is taken");
    expect_words ("a\n    command = bridge tcp\n    listen = unix:/tmp/s\n    relay = yes\n"
                  "b\n    command = bridge tcp\n    listen = unix:/tmp/s\n    relay = yes\n",
                  "f:7: b: unix:///tmp/s is taken");
    expect_words ("a\n    command = sub tcp://127.0.0.1:7001\n    stdin = -\nb\n    command = push inproc://c\n"
                  "    stdin = -\nc\n    command = pull inproc://c\n",
                  "f:4: b: 'a' reads the standard input of weft up already");
}

/*  Names in a file must not be taken by options: stdin and the like are keys of every part. */
static void
test_no_option_has_the_name_of_a_key (void **state)
{
    static const char *const keys[] = { "command", "stdin", "stdout", "restart" };
    (void) state;
    for (const struct command *const *each = commands; *each; each++)
        for (const struct command_table *table = (*each)->tables; (*each)->part && table->title; table++)
            for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
                assert_null (option_find (command_table_options (table), keys[i]));
}

/* ------------------------------------------------------------------- changes */

static void
test_what_is_the_same (void **state)
{
    static const char first[] = "a\n    command = rep --echo\n    bind = inproc://a\n";
    static const struct {
        const char *text;
        bool same;
    } cases[] = {
        { "# more\n\na    # words\n    bind = 'inproc://a'\n    command = \"rep --echo\"\n", true },
        { "b\n    command = rep --echo inproc://b\na\n    command = rep --echo\n    bind = inproc://a\n", true },
        { "a\n    command = rep --echo\n    bind = inproc://b\n", false },
        { "a\n    command = rep --echo\n    bind = inproc://a\n    linger = 1s\n", false },
        { "a\n    command = rep --echo\n    bind = inproc://a\n    stdout = x\n", false },
        { "a\n    command = rep --echo\n    bind = inproc://a\n    stdin = x\n", false },
        { "a\n    command = rep --echo\n    bind = inproc://a\n    restart = never\n", false },
        { "restart = never\na\n    command = rep --echo\n    bind = inproc://a\n", false },
        { "a\n    command = pull\n    bind = inproc://a\n", false },
    };
    (void) state;
    struct fabric *before = parse_good (first);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct fabric *after = parse_good (cases[i].text);
        assert_int_equal (fabric_part_same (fabric_find (before, "a"), fabric_find (after, "a")), cases[i].same);
        fabric_destroy (&after);
    }
    fabric_destroy (&before);
}

/* --------------------------------------------------------------------- order */

#define PIPELINE \
    "bridge\n    command = bridge tcp\n    listen = 127.0.0.1:0\n    req = inproc://front\n" \
    "queue\n    command = proxy queue\n    front = inproc://front\n    back = inproc://back\n" \
    "rep\n    command = rep --echo\n    connect = inproc://back\n" \
    "alone\n    command = rep --echo tcp://127.0.0.1:0\n"

static void
test_start_after_those_that_bind (void **state)
{
    (void) state;
    struct fabric *fabric = parse_good (PIPELINE);
    size_t order[4];
    fabric_start_order (fabric->parts, 4, order);
    static const size_t expected[] = { 1, 0, 2, 3 };
    assert_memory_equal (order, expected, sizeof order);
    fabric_destroy (&fabric);
}

static void
test_who_gives_ends_first (void **state)
{
    (void) state;
    struct fabric *fabric = parse_good (PIPELINE);
    unsigned ranks[4];
    fabric_end_ranks (fabric->parts, 4, ranks);
    static const unsigned expected[] = { 0, 1, 2, 0 };
    assert_memory_equal (ranks, expected, sizeof ranks);
    fabric_destroy (&fabric);
}

static void
test_a_circle_is_cut (void **state)
{
    (void) state;
    struct fabric *fabric = parse_good ("a\n    command = proxy streamer inproc://a >inproc://b\n"
                                        "b\n    command = proxy streamer inproc://b >inproc://a\n");
    size_t order[2];
    unsigned ranks[2];
    fabric_start_order (fabric->parts, 2, order);
    assert_int_equal (order[0] + order[1], 1);
    fabric_end_ranks (fabric->parts, 2, ranks);
    assert_int_equal (ranks[0] + ranks[1], 1);
    fabric_destroy (&fabric);
}

int
main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_a_section_is_a_command),
        cmocka_unit_test (test_the_default_is_right),
        cmocka_unit_test (test_mistakes_of_sections),
        cmocka_unit_test (test_mistakes_of_keys),
        cmocka_unit_test (test_every_mistake_is_told_with_its_line),
        cmocka_unit_test (test_parts_have_to_fit_together),
        cmocka_unit_test (test_what_does_not_clash),
        cmocka_unit_test (test_no_option_has_the_name_of_a_key),
        cmocka_unit_test (test_what_is_the_same),
        cmocka_unit_test (test_start_after_those_that_bind),
        cmocka_unit_test (test_who_gives_ends_first),
        cmocka_unit_test (test_a_circle_is_cut),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
