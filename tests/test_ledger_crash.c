/*  test_ledger_crash.c - what was promised is there, wherever a crash comes
 *
 *  A history is written once and recorded, call by call. Then for each call a crash in it is built, in three ways, the
 *  ledger is opened on what is left, and its file is judged by SQL and a model of its own, which shares no code with the
 *  ledger. */

#include "tests/disk_calls.h"
#include "tests/ledger_history.h"
#include "tests/testing.h"

static void
test_crash_anywhere (void **state)
{
    (void) state;
    disk_record (history_folder, history_promise);
    history_session (1, HISTORY_OPERATIONS / 2);
    history_session (HISTORY_OPERATIONS / 2 + 1, HISTORY_OPERATIONS);
    history_sweep (0, 3);
    assert_int_equal (history_judge ("in the end", history_promise ()), HISTORY_OPERATIONS);
}

/*  The process dies, the next head works on what may be in the system's memory alone, and then the power fails. */
static void
test_crash_after_kill (void **state)
{
    enum { END = 20, EACH = 13 };
    (void) state;
    disk_record (history_folder, history_promise);
    history_session (1, END);
    for (size_t step = disk_steps (); step-- > 0;) {
        uint64_t promised = disk_promised (step), count;
        disk_forget (step);
        if (step % EACH)
            continue;
        disk_crash (history_folder, step, CRASH_KILL, step);
        history_restart (promised);
        disk_record (history_folder, history_promise);
        struct ledger *ledger = history_begin (&history_config);
        assert_non_null (ledger);
        history_found_rows (&count);
        if (count < END) {
            assert_int_equal (history_add (ledger, count + 1), 0);
            assert_int_equal (ledger_flush (ledger, -1), 0);
        }
        assert_int_equal (history_end (ledger), 0);
        history_sweep (step, 2);
        disk_forget (step);
    }
}

int
main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown (test_crash_anywhere, history_make_folder, history_remove_folder),
        cmocka_unit_test_setup_teardown (test_crash_after_kill, history_make_folder, history_remove_folder)
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
