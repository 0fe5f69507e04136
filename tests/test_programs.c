/*  test_programs.c - the pattern programs as calls, joined over inproc */

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/cli_support.h"
#include "tests/folder.h"

struct fixture {
    weft_t *weft;
    struct program a, b, c;
};

static int
begin (void **state)
{
    struct fixture *self = calloc (1, sizeof *self);
    assert_non_null (self);
    self->weft = weft_new ();
    assert_non_null (self->weft);
    *state = self;
    return 0;
}

static int
end (void **state)
{
    struct fixture *self = *state;
    weft_destroy (&self->weft);
    free (self);
    return 0;
}

/*  Runs both, the first as a server that ends by itself. */
static void
join (struct fixture *self, const char *server, const char *client, const char *input)
{
    program_start (&self->a, self->weft, server, "");
    program_run (&self->b, self->weft, client, input);
    program_wait (&self->a);
}

/*  Sockets are closed behind our back: until then their inproc addresses are taken. */
static void
fresh (struct fixture *self)
{
    weft_destroy (&self->weft);
    self->weft = weft_new ();
    assert_non_null (self->weft);
}

static void
leave (struct fixture *self)
{
    program_free (&self->a);
    program_free (&self->b);
    fresh (self);
}

static void
test_push_to_pull (void **state)
{
    struct fixture *self = *state;
    join (self, "pull -b inproc://x --count 3", "push -v inproc://x", "one\n\nlast");
    assert_string_equal (self->a.output, "one\n\nlast\n");
    assert_int_equal (self->a.status, EXIT_OK);
    assert_int_equal (self->b.status, EXIT_OK);
    assert_contains (self->a.talk, "weft pull: listening on inproc://x\n");
    assert_contains (self->b.talk, "weft push: sent 3 messages (7 bytes)\n");
    leave (self);
}

static void
test_pull_until_gone (void **state)
{
    struct fixture *self = *state;
    char server[128], client[128], path[FOLDER_SIZE];
    assert_int_equal (folder_make (path), 0);
    snprintf (server, sizeof server, "pull tcp://127.0.0.1:0,ipc://%s/x --until-gone", path);
    snprintf (client, sizeof client, "push -c ipc://%s/x --reconnect 1ms --data a+b --data c --count 3", path);
    join (self, server, client, "");
    assert_string_equal (self->a.output, "a b\nc\na b\n");
    leave (self);
    assert_int_equal (folder_remove_empty (), 0);
}

static void
test_every_direction_has_its_format (void **state)
{
    struct fixture *self = *state;
    join (self, "pull -b inproc://x --count 2 --hex", "push inproc://x --separator ,", "a,b\nc\n");
    assert_string_equal (self->a.output, "61 62\n63\n");
    leave (self);
    join (self, "pull -b inproc://x --count 1 --output json", "push inproc://x --input hex", "61 -\n");
    assert_contains (self->a.output, "\"frames\":[\"a\",\"\"]");
    leave (self);
    join (self, "pull -b inproc://x --count 1 --format %n:%s!", "push inproc://x --raw", "a\nb\n");
    assert_string_equal (self->a.output, "1:a\nb\n!");
    leave (self);
}

static void
test_bad_input_is_told_and_left_out (void **state)
{
    struct fixture *self = *state;
    join (self, "pull -b inproc://x --count 2", "push inproc://x --hex", "61\nzz\n62\n");
    assert_string_equal (self->a.output, "a\nb\n");
    assert_int_equal (self->b.status, EXIT_ERROR);
    assert_contains (self->b.talk, "line 2");
    leave (self);
    join (self, "pull -b inproc://x --count 1", "push inproc://x --max-size 4", "12345\n1234\n");
    assert_string_equal (self->a.output, "1234\n");
    assert_int_equal (self->b.status, EXIT_LOSS);
    leave (self);
}

static void
test_publish_topics (void **state)
{
    struct fixture *self = *state;
    program_start (&self->a, self->weft, "pub -b inproc://x --wait-subs 3 -t one -t two", "body\n");
    program_start (&self->c, self->weft, "sub -c inproc://x -t two --count 1 --format %t|%b", "");
    program_run (&self->b, self->weft, "sub inproc://x -t one -t two --count 2", "");
    assert_int_equal (program_wait (&self->c), EXIT_OK);
    assert_int_equal (program_wait (&self->a), EXIT_OK);
    assert_string_equal (self->c.output, "two|body");
    assert_string_equal (self->b.output, "one\tbody\ntwo\tbody\n");
    program_free (&self->c);
    leave (self);
}

static void
test_replies (void **state)
{
    static const struct {
        const char *server, *output;
    } cases[] = {
        { "rep -b inproc://x --count 2 --echo", "ab\nb c\n" },
        { "rep -b inproc://x --count 2 --data yes", "yes\nyes\n" },
        { "rep -b inproc://x --count 2 --exec tr+a-z+A-Z", "AB\nB C\n" },
        { "rep -b inproc://x --count 2 --exec wc+-c;echo", "2\n\n3\n\n" },
        { "rep -b inproc://x --count 2 --filter sed+-u+s/b/x/", "ax\nx c\n" },
        { "rep -b inproc://x --count 2 --filter head+-n1", "ab\nb c\n" },
    };
    struct fixture *self = *state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        join (self, cases[i].server, "req inproc://x", "ab\nb c\n");
        assert_string_equal (self->b.output, cases[i].output);
        assert_int_equal (self->a.status, EXIT_OK);
        assert_int_equal (self->b.status, EXIT_OK);
        leave (self);
    }
}

static void
test_replies_by_hand (void **state)
{
    struct fixture *self = *state;
    program_start (&self->a, self->weft, "rep -b inproc://x --count 2", "one\ntwo\n");
    program_run (&self->b, self->weft, "req inproc://x", "a\nb\n");
    assert_int_equal (program_wait (&self->a), EXIT_OK);
    assert_string_equal (self->a.output, "a\nb\n");
    assert_string_equal (self->b.output, "one\ntwo\n");
    leave (self);
}

/*  Nobody may wait for ever, and nothing is lost without a word. */
static void
test_replies_that_fail (void **state)
{
    struct fixture *self = *state;
    join (self, "rep -b inproc://x --count 1 --filter false", "req inproc://x", "a\n");
    assert_string_equal (self->b.output, "\n");
    assert_int_equal (self->a.status, EXIT_LOSS);
    assert_contains (self->a.talk, "'false' ended 3 times over one request");
    leave (self);
    join (self, "rep -b inproc://x --count 1 --exec echo+partly;exit+3", "req inproc://x", "a\n");
    assert_string_equal (self->b.output, "partly\n");
    assert_contains (self->a.talk, "failed with status 3");
    leave (self);
    /*  In lines a newline within a request would make two of it. */
    join (self, "rep -b inproc://x --count 1 --filter cat", "req inproc://x --raw", "a\nb");
    assert_string_equal (self->b.output, "");
    assert_int_equal (self->a.status, EXIT_LOSS);
    leave (self);
}

static void
test_exec_of_what_is_received (void **state)
{
    struct fixture *self = *state;
    join (self, "pull -b inproc://x --count 2 --exec sed+'s/^/got+/';echo", "push inproc://x", "1\n2\n");
    assert_string_equal (self->a.output, "got 1\ngot 2\n");
    assert_int_equal (self->a.status, EXIT_OK);
    leave (self);
    join (self, "pull -b inproc://x --count 1 --exec false", "push inproc://x", "1\n");
    assert_int_equal (self->a.status, EXIT_ERROR);
    leave (self);
}

static void
test_timeouts (void **state)
{
    static const struct {
        const char *words, *talk;
        int status;
    } cases[] = {
        { "push -b inproc://x --data a --timeout 10ms", "no peer came", EXIT_NO_PEER },
        { "req -b inproc://x --data a --timeout 10ms", "no peer came", EXIT_NO_PEER },
        { "pull -b inproc://x --timeout 10ms", "no peer came", EXIT_NO_PEER },
        { "sub -b inproc://x --timeout 10ms", "no peer came", EXIT_NO_PEER },
        { "rep -b inproc://x --timeout 10ms --echo", "no peer came", EXIT_NO_PEER },
        { "pub -b inproc://x --data a --timeout 10ms --wait-subs 1", "no peer came", EXIT_NO_PEER },
    };
    struct fixture *self = *state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal (program_run (&self->a, self->weft, cases[i].words, ""), cases[i].status);
        assert_contains (self->a.talk, cases[i].talk);
        program_free (&self->a);
        fresh (self);
    }
    program_start (&self->a, self->weft, "rep -b inproc://x", "");      /*  takes it, and never answers */
    program_run (&self->b, self->weft, "req inproc://x --data a --timeout 50ms", "");
    assert_int_equal (self->b.status, EXIT_TIMEOUT);
    assert_int_equal (program_wait (&self->a), EXIT_LOSS);
    leave (self);
}

static void
test_usage (void **state)
{
    static const struct {
        const char *words, *talk;
    } cases[] = {
        { "push", "an endpoint is missing" },
        { "push tcp:/x", "tcp:/x" },
        { "push tcp://127.0.0.1:99999", "65535" },
        { "push --hwmm 3 inproc://x", "did you mean --hwm?" },
        { "push --hwm many inproc://x", "--hwm" },
        { "sub --format %q inproc://x", "%q" },
        { "sub --output xml inproc://x", "lines|nul|raw|len32|hex|json" },
        { "rep --echo --data x inproc://x", "exclude each other" },
        { "rep --raw --filter cat inproc://x", "--filter needs a format" },
        { "proxy", "what kind?" },
        { "proxy ring inproc://x inproc://y", "queue, forwarder and streamer" },
        { "proxy queue inproc://x", "a kind, a front and a back" },
    };
    struct fixture *self = *state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        if (program_run (&self->a, self->weft, cases[i].words, "") != EXIT_USAGE)
            fail_msg ("'weft %s' returned %d", cases[i].words, self->a.status);
        assert_contains (self->a.talk, cases[i].talk);
        assert_null (strstr (self->a.talk, "listening"));
        program_free (&self->a);
    }
}

static void
test_long_topics (void **state)
{
    struct fixture *self = *state;
    char words[300] = "pub inproc://x -t ";
    memset (words + strlen (words), 'x', 246);
    assert_int_equal (program_run (&self->a, self->weft, words, ""), EXIT_USAGE);
    assert_contains (self->a.talk, "246");
    program_free (&self->a);
    memcpy (words, "sub", 3);
    assert_int_equal (program_run (&self->a, self->weft, words, ""), EXIT_USAGE);
    program_free (&self->a);
}

/*  A signal ends what waits: with nothing undone all is well, else it is a loss. */
static void
test_stop (void **state)
{
    struct fixture *self = *state;
    program_start (&self->a, self->weft, "pull -b inproc://x", "");
    program_stop (&self->a);
    assert_int_equal (program_wait (&self->a), EXIT_OK);
    program_free (&self->a);
    fresh (self);

    program_start (&self->a, self->weft, "rep -b inproc://x", "");
    program_start (&self->b, self->weft, "req -c inproc://x --linger 20ms --data a --data b", "");
    program_await_output (&self->a);
    program_stop (&self->b);
    assert_int_equal (program_wait (&self->b), EXIT_LOSS);
    assert_contains (self->b.talk, "not answered");
    program_stop (&self->a);
    program_wait (&self->a);
    leave (self);
}

static void
test_summary_as_json (void **state)
{
    struct fixture *self = *state;
    join (self, "pull -b inproc://x --count 1 --json -v", "push inproc://x", "a\n");
    assert_contains (self->a.talk, "{\"command\":\"pull\",\"sent\":0,\"sent_bytes\":0,\"received\":1,");
    leave (self);
}

static void
test_proxy (void **state)
{
    struct fixture *self = *state;
    program_start (&self->a, self->weft, "proxy -v queue inproc://front inproc://back", "");
    program_start (&self->c, self->weft, "rep -c inproc://back --count 1 --echo", "");
    program_run (&self->b, self->weft, "req inproc://front", "hello\n");
    program_wait (&self->c);
    program_stop (&self->a);
    assert_int_equal (program_wait (&self->a), EXIT_OK);
    assert_string_equal (self->b.output, "hello\n");
    assert_contains (self->a.talk, "front: received 1 messages, sent 1");
    program_free (&self->c);
    leave (self);
}

int
main (void)
{
    signal (SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown (test_push_to_pull, begin, end),
        cmocka_unit_test_setup_teardown (test_pull_until_gone, begin, end),
        cmocka_unit_test_setup_teardown (test_every_direction_has_its_format, begin, end),
        cmocka_unit_test_setup_teardown (test_bad_input_is_told_and_left_out, begin, end),
        cmocka_unit_test_setup_teardown (test_publish_topics, begin, end),
        cmocka_unit_test_setup_teardown (test_replies, begin, end),
        cmocka_unit_test_setup_teardown (test_replies_by_hand, begin, end),
        cmocka_unit_test_setup_teardown (test_replies_that_fail, begin, end),
        cmocka_unit_test_setup_teardown (test_exec_of_what_is_received, begin, end),
        cmocka_unit_test_setup_teardown (test_timeouts, begin, end),
        cmocka_unit_test_setup_teardown (test_usage, begin, end),
        cmocka_unit_test_setup_teardown (test_long_topics, begin, end),
        cmocka_unit_test_setup_teardown (test_stop, begin, end),
        cmocka_unit_test_setup_teardown (test_summary_as_json, begin, end),
        cmocka_unit_test_setup_teardown (test_proxy, begin, end),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
