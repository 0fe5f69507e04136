/*  test_denied.c - sockets whose peer does not let them in, and those that refuse: errors, words and the log */

#include "core/clock.h"
#include "tests/sockets.h"
#include "tests/wire_mem.h"

#define PLACE "tcp://127.0.0.1:1"
#define OTHER "tcp://127.0.0.1:2"
#define WORDS "the peer does not let our key in"

/*  Its only endpoint refuses it: whatever is tried tells at once, and not after the timeout of for ever. */
static void
a_single_endpoint_that_refuses_is_told_at_once (void **state)
{
    (void) state;
    mem_deny (net, PLACE, WORDS);
    weft_socket_t *push = open_connected ("push", "", PLACE), *req = open_connected ("req", "", PLACE);
    weft_socket_t *pull = open_connected ("pull", "", PLACE), *sub = open_connected ("sub", "", PLACE);
    struct wire *rep = mem_open (net, WIRE_ROUTER, "@" PLACE);
    assert_int_equal (send_text (push, "x", 0), WEFT_EACCES);
    assert_says (WORDS);
    assert_int_equal (weft_wait_peers (req, 1, -1), WEFT_EACCES);
    assert_int_equal (send_text (req, "x", 0), WEFT_EACCES);
    assert_says (WORDS);
    expect_error (pull, WEFT_EACCES, 0);
    expect_error (sub, WEFT_EACCES, 0);
    assert_int_equal (counters_of (push).rejected_peers, 1);
    wire_close (&rep);
    weft_close (&push);
    weft_close (&req);
    weft_close (&pull);
    weft_close (&sub);
}

/*  It was let in once, and is not any more. */
static void
one_that_is_put_out_is_told (void **state)
{
    (void) state;
    struct wire *rep = mem_open (net, WIRE_ROUTER, "@" PLACE);
    weft_socket_t *req = open_connected ("req", "", PLACE);
    assert_int_equal (send_text (req, "x", 0), 0);
    assert_int_equal (weft_wait_peers (req, 1, -1), 0);
    mem_deny (net, PLACE, WORDS);
    expect_error (req, WEFT_EACCES, 0);
    assert_says (WORDS);
    wire_close (&rep);
    weft_close (&req);
}

static void
others_may_still_come (void **state)
{
    (void) state;
    mem_deny (net, PLACE, WORDS);
    struct wire *first = mem_open (net, WIRE_PULL, "@" PLACE);
    weft_socket_t *push = open_with ("push", "timeout=5s");
    assert_int_equal (weft_attach (push, PLACE "," OTHER), 0);
    int64_t begun = now ();
    assert_int_equal (send_text (push, "x", 0), WEFT_EACCES);
    assert_says ("no peer came within 5s; " PLACE ": " WORDS);
    assert_true (now () - begun >= 5 * TIME_S);
    struct wire *second = mem_open (net, WIRE_PULL, "@" OTHER);
    assert_int_equal (send_text (push, "x", 0), 0);
    wire_close (&first);
    wire_close (&second);
    weft_close (&push);
}

static void
who_comes_back_in_is_heard (void **state)
{
    (void) state;
    mem_deny (net, PLACE, WORDS);
    struct wire *pull = mem_open (net, WIRE_PULL, "@" PLACE);
    weft_socket_t *push = open_connected ("push", "", PLACE);
    assert_int_equal (send_text (push, "x", 0), WEFT_EACCES);
    mem_heal (net, NULL);
    assert_int_equal (send_text (push, "x", 0), 0);
    assert_string_equal (hear (pull, TIME_S), "x");
    wire_close (&pull);
    weft_close (&push);
}

/*  Each that is different is named, up to a limit; and a listener has no peer, rather than no right. */
static void
who_refuses_names_each (void **state)
{
    (void) state;
    char words[64];
    weft_socket_t *pull = open_bound ("pull", "timeout=1s", PLACE);
    for (int i = 0; i < 100; i++) {
        snprintf (words, sizeof words, "an unknown key (%d)", i / 2);
        mem_deny (net, PLACE, words);
        weft_socket_t *push = open_connected ("push", "", PLACE);
        expect_error (pull, WEFT_ENOPEER, 0);
        assert_says (words);
        if (i < 80)
            assert_non_null (strstr (listener.last, words));
        weft_close (&push);
        mem_heal (net, NULL);
    }
    assert_non_null (strstr (listener.last, "only counted"));
    assert_int_equal (counters_of (pull).rejected_peers, 100);
    weft_close (&pull);
}

static void
a_worker_that_is_refused_ends (void **state)
{
    (void) state;
    mem_deny (net, PLACE, WORDS);
    struct wire *head = mem_open (net, WIRE_ROUTER, "@" PLACE);
    weft_worker_t *worker = weft_worker_new (weft);
    assert_int_equal (weft_worker_connect (worker, PLACE), 0);
    assert_int_equal (weft_worker_run (worker), WEFT_EACCES);
    assert_says (WORDS);
    weft_worker_destroy (&worker);
    wire_close (&head);
}

int
main (void)
{
#define test(name) cmocka_unit_test_setup_teardown (name, mem_setup, mem_teardown)
    const struct CMUnitTest tests[] = {
        test (a_single_endpoint_that_refuses_is_told_at_once),
        test (one_that_is_put_out_is_told),
        test (others_may_still_come),
        test (who_comes_back_in_is_heard),
        test (who_refuses_names_each),
        test (a_worker_that_is_refused_ends),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
