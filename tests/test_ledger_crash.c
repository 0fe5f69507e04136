/*  test_ledger_crash.c - what was promised is there, wherever a crash comes
 *
 *  A history is written once and recorded, call by call. Then for each call a crash in it is built, in three ways,
 *  the ledger is opened on what is left, and its file is judged by SQL and a model of its own, which shares no code
 *  with the ledger. */

#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

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
    history_sweep (0, 1, 2);
    assert_int_equal (history_judge ("in the end", history_promise ()), HISTORY_OPERATIONS);
}

/*  The disk is not waited for: the death of the process takes nothing, that of the system a part at the end. */
static void
test_crash_without_sync (void **state)
{
    (void) state;
    history_config.durability = LEDGER_NONE;
    disk_record (history_folder, history_promise);
    history_session (1, HISTORY_OPERATIONS / 2);
    history_sweep (0, 1, 2);
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
        history_sweep (step, 1, 2);
        disk_forget (step);
    }
}

/*  A head that says what it promised, a byte for each commit, until it is killed. */
static void
work (int said, volatile uint64_t *promised)
{
    struct ledger *ledger = history_begin (&history_config);
    uint64_t there = history_promise () & UINT32_MAX;
    for (uint64_t number = there + 1; ledger && number <= HISTORY_OPERATIONS; number++) {
        if (history_add (ledger, number) || (number % 2 && ledger_flush (ledger, -1)))
            break;
        *promised = history_promise ();
        if (write (said, "", 1) != 1)
            break;
    }
    _exit (0);
}

static void
test_kill (void **state)
{
    enum { TIMES = 60 };
    uint64_t *promised = mmap (NULL, sizeof *promised, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true (promised != MAP_FAILED);
    uint64_t there = 0;
    (void) state;
    for (int time = 0; time < TIMES; time++) {
        char byte, where[64];
        int pipes[2];
        assert_int_equal (pipe (pipes), 0);
        *promised = 0;
        pid_t child = fork ();
        assert_true (child >= 0);
        if (child == 0) {
            close (pipes[0]);
            work (pipes[1], promised);
        }
        close (pipes[1]);
        for (int heard = 0; heard < time % 7 && read (pipes[0], &byte, 1) == 1; heard++)
            ;
        kill (child, SIGKILL);
        assert_int_equal (waitpid (child, NULL, 0), child);
        close (pipes[0]);
        snprintf (where, sizeof where, "killed for the %d. time", time + 1);
        uint64_t now = history_judge (where, *promised);
        assert_true (now >= there);
        there = now;
    }
    assert_true (there > TIMES / 2);
    munmap (promised, sizeof *promised);
}

int
main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown (test_crash_anywhere, history_make_folder, history_remove_folder),
        cmocka_unit_test_setup_teardown (test_crash_without_sync, history_make_folder, history_remove_folder),
        cmocka_unit_test_setup_teardown (test_crash_after_kill, history_make_folder, history_remove_folder),
        cmocka_unit_test_setup_teardown (test_kill, history_make_folder, history_remove_folder)
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
