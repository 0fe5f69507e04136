/*  test_viewjob.c - the texts of a job that is shown, and the slot in them */

#include "cli/joblist.h"
#include "cli/viewjob.h"
#include "tests/testing.h"

#define MARK JOBLIST_SLOT_MARK

/*  Each attempt may run in another slot. */
static void
slots (void **state)
{
    (void) state;
    struct viewjob *job = viewjob_new ("x " MARK " " MARK, MARK, "r" MARK "/");
    assert_int_equal (viewjob_slot (job, 3), 0);
    assert_string_equal (job->command, "x 3 3");
    assert_string_equal (job->tag, "3");
    assert_int_equal (viewjob_slot (job, 12), 0);
    assert_string_equal (job->command, "x 12 12");
    assert_string_equal (job->tag, "12");
    assert_string_equal (job->place, "r12/");
    assert_string_equal (job->text, "x " MARK " " MARK);
    viewjob_free (job);
    job = viewjob_new ("plain", NULL, NULL);
    assert_int_equal (viewjob_slot (job, 3), 0);
    assert_string_equal (job->command, "plain");
    assert_null (job->tag);
    viewjob_free (job);
    viewjob_free (NULL);
}

int
main (void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test (slots) };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
