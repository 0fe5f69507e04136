/*  test_halt.c - when a run ends early, and with which status */

#include "cli/halt.h"
#include "tests/testing.h"

/*  Jobs one after the other with these exit statuses (a letter: a signal, a is 1). What is
 *  expected was measured with GNU parallel 20221122, -j1. */
static const struct halt_case {
    const char *halt, *jobs;
    size_t run;
    int status;
} cases[] = {
    { "never", "0123", 4, 3 },
    { "0", "11", 2, 2 },
    { "now,fail=1", "0323", 2, 3 },
    { "now,fail=1", "0i0", 2, 137 },
    { "soon,fail=1", "0323", 2, 3 },
    { "soon,fail=2", "03234", 3, 2 },
    { "now,success=1", "13034", 3, 0 },
    { "now,success=2", "13034", 5, 4 },
    { "now,done=2", "13034", 2, 2 },
    { "now,done=1", "70", 1, 7 },
    { "soon,done=2", "70034", 2, 1 },
    { "now,fail=50%", "1011", 3, 50 },
    { "now,fail=30%", "0005340", 6, 43 },
    { "now,success=50%", "100111", 6, 67 },
    { "now,done=50%", "100111", 3, 17 },
    { "1", "10011", 1, 1 },
    { "2", "40011", 1, 4 },
    { "-1", "40011", 2, 0 },
    { "20%", "400111", 4, 34 },
};

static void
run_case (const struct halt_case *c)
{
    struct halt halt;
    size_t run = 0;
    assert_int_equal (halt_parse (&halt, c->halt), 0);
    halt_total (&halt, strlen (c->jobs));
    for (bool reached = false; c->jobs[run] && !reached; run++) {
        bool signal = c->jobs[run] >= 'a';
        reached = halt_job (&halt, signal ? 0 : c->jobs[run] - '0', signal ? c->jobs[run] - 'a' + 1 : 0);
    }
    assert_int_equal (run, c->run);
    assert_int_equal (halt_status (&halt), c->status);
}

static void
as_parallel (void **state)
{
    (void) state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        run_case (&cases[i]);
}

static void
many_failures (void **state)
{
    (void) state;
    struct halt halt;
    assert_int_equal (halt_parse (&halt, NULL), 0);
    for (int i = 0; i < 100; i++)
        halt_job (&halt, 1, 0);
    assert_int_equal (halt_status (&halt), 100);
    for (int i = 0; i < 20; i++)
        halt_job (&halt, 0, 9);
    assert_int_equal (halt_status (&halt), 101);
}

/*  While input is still read, a percentage has to wait for the number of jobs. */
static void
late_total (void **state)
{
    (void) state;
    struct halt halt;
    assert_int_equal (halt_parse (&halt, "now,fail=50%"), 0);
    assert_false (halt_job (&halt, 1, 0));
    assert_false (halt_job (&halt, 1, 0));
    assert_true (halt_total (&halt, 4));
    assert_int_equal (halt_status (&halt), 50);
    assert_false (halt_job (&halt, 1, 0));
}

static void
refusals (void **state)
{
    (void) state;
    static const char *const bad[] = { "", "bogus", "now", "now,", "now,fail", "now,fail=", "now,fail=0", "now,fail=x",
                                       "now,fail=-1", "now,fail=101%", "later,fail=1", "soon,fail=1%%", "3", "%" };
    struct halt halt;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal (halt_parse (&halt, bad[i]), WEFT_EINVAL);
}

int
main (void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test (as_parallel), cmocka_unit_test (many_failures),
                                        cmocka_unit_test (late_total), cmocka_unit_test (refusals) };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
