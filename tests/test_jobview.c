/*  test_jobview.c - what is shown of jobs: tags, results */

#include <signal.h>

#include "cli/jobview.h"
#include "tests/testing.h"

static void
tags (void **state)
{
    (void) state;
    static char text[] = "\\t{}\\n\\x";
    struct jobview_options none = { .tag = false }, plain = { .tag = true }, own = { .tag = true, .tagstring = text };
    char *tag = jobview_tag (&plain);
    assert_null (jobview_tag (&none));
    assert_string_equal (tag, "{}");
    free (tag);
    tag = jobview_tag (&own);
    assert_string_equal (tag, "\t{}\n\\x");
    free (tag);
}

static void
results (void **state)
{
    (void) state;
    static const struct {
        weft_pool_event_t event;
        int status, signal;
    } cases[] = {
        { { .reason = WEFT_JOB_EXITED, .status = 3 }, 3, 0 },
        { { .reason = WEFT_JOB_EXITED, .signal = 9 }, 0, 9 },
        { { .reason = WEFT_JOB_EXITED }, 0, 0 },
        { { .reason = WEFT_JOB_TIMEOUT, .signal = 9 }, -1, SIGTERM },
        { { .reason = WEFT_JOB_TIMEOUT }, -1, SIGTERM },
        { { .reason = WEFT_JOB_LOST }, -1, 0 },
        { { .reason = WEFT_JOB_NOT_STARTED, .status = 127 }, 127, 0 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int status, number;
        jobview_result (&cases[i].event, &status, &number);
        assert_int_equal (status, cases[i].status);
        assert_int_equal (number, cases[i].signal);
    }
}

int
main (void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test (tags), cmocka_unit_test (results) };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
