/*  test_ledger_faults.c - what was promised is there, whatever the disk says: full, or failing */

#include <errno.h>
#include <sqlite3.h>

#include "tests/disk_calls.h"
#include "tests/ledger_history.h"
#include "tests/testing.h"

enum { END = 36, FOREVER = -1, ALL = 1 << 30, EACH = 5 };

/*  As much of the history as can be had from a disk that may fail; then the head ends. The state that it came to. */
static enum ledger_state
try_session (uint64_t from, uint64_t to)
{
    struct ledger *ledger = history_begin (&history_config);
    if (!ledger)
        return LEDGER_FAILED;
    int rc = 0;
    for (uint64_t number = from; !rc && number <= to; number++) {
        rc = history_add (ledger, number);
        if (!rc && number % 3 == 0)
            rc = ledger_flush (ledger, FOREVER);
    }
    enum ledger_state state = ledger_state (ledger);
    if (rc)
        assert_true (rc == WEFT_EIO || rc == WEFT_ELIMIT);
    if (state == LEDGER_FAILED) {
        char text[300];
        assert_int_equal (history_add (ledger, 1), WEFT_EINVAL);    /*  job 1 is not the next */
        assert_int_equal (ledger_add_dealt (ledger, 1, NULL), WEFT_EIO);
        assert_int_equal (ledger_load (ledger, LEDGER_ANY, 0, 1, NULL, NULL), WEFT_EIO);
        assert_true (strlen (ledger_trouble (ledger, text, sizeof text)) > 10);
    }
    history_end (ledger);
    return state;
}

static void
judge_all (const char *what, uint64_t number)
{
    char where[100];
    for (int how = 0; how < CRASHES; how++) {
        snprintf (where, sizeof where, "%s %d, then crash %d", what, (int) number, how);
        disk_crash (history_folder, disk_steps (), (enum disk_crash) how, number);
        history_judge (where, history_promise ());
    }
}

static void
start_over (void)
{
    disk_stop ();
    disk_forget (0);
    disk_crash (history_folder, 0, CRASH_KILL, 0);
    history_restart (0);
    disk_record (history_folder, history_promise);
}

/*  How many calls there are when nothing fails. */
static uint64_t
calls (bool sync)
{
    start_over ();
    disk_fault (sync, 0, 0, 0);
    assert_int_equal (try_session (1, END), LEDGER_OPEN);
    uint64_t count = disk_calls (sync);
    assert_true (count > 30);
    return count;
}

/*  The next head goes on with what is in the system's memory, and then the power fails: at a few steps, others in each
 *  round. */
static void
go_on (uint64_t round)
{
    size_t steps = disk_steps ();
    uint64_t there;
    disk_record (history_folder, history_promise);
    struct ledger *ledger = history_begin (&history_config);
    if (!ledger)
        fail_msg ("%s", weft_error ());
    history_found_rows (&there);
    if (there < END)
        assert_int_equal (history_add (ledger, there + 1), 0);
    assert_int_equal (ledger_flush (ledger, FOREVER), 0);
    assert_int_equal (history_end (ledger), 0);
    history_sweep (steps + round % EACH, EACH, 1);
}

/*  Once, and the next sync says that all is well: what was written before the first may be gone all the same. */
static void
test_sync_fails (void **state)
{
    (void) state;
    uint64_t count = calls (true), failed = 0;
    for (uint64_t sync = 0; sync < count; sync++) {
        start_over ();
        disk_fault (true, sync, 1, EIO);
        failed += try_session (1, END) == LEDGER_FAILED;
        disk_fault (true, 0, 0, 0);
        uint64_t promised = history_promise ();
        history_sweep (disk_faulted () + sync % EACH, EACH, 1);
        disk_crash (history_folder, disk_steps (), CRASH_KILL, 0);
        history_restart (promised);
        go_on (sync);
    }
    assert_true (failed > count / 2);
}

/*  While somebody reads, SQLite keeps in mind what of the log is in the file, and a head that follows believes it. */
static uint64_t
sync_fails_beside_reader (uint64_t sync)
{
    static const char *const look = "BEGIN; SELECT count (*) FROM jobs";
    sqlite3 *reader;
    start_over ();
    history_session (1, 1);
    assert_int_equal (sqlite3_open_v2 (history_path, &reader, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    struct ledger *ledger = history_begin (&history_config);
    assert_non_null (ledger);
    disk_fault (true, sync, sync == UINT64_MAX ? 0 : 1, EIO);
    int rc = 0;
    for (uint64_t number = 2; !rc && number <= END; number++) {
        rc = history_add (ledger, number);
        rc = rc ? rc : ledger_flush (ledger, FOREVER);
        /*  Checkpoints are half done by turns, and whole. */
        if (number % 6 == 2)
            assert_int_equal (sqlite3_exec (reader, look, NULL, NULL, NULL), SQLITE_OK);
        if (number % 6 == 5)
            sqlite3_exec (reader, "COMMIT", NULL, NULL, NULL);
    }
    history_end (ledger);
    uint64_t seen = disk_calls (true);
    disk_fault (true, 0, 0, 0);
    sqlite3_exec (reader, "COMMIT", NULL, NULL, NULL);
    history_restart (history_promise ());
    go_on (sync);
    sqlite3_close (reader);
    return seen;
}

static void
test_sync_fails_beside_reader (void **state)
{
    (void) state;
    uint64_t count = sync_fails_beside_reader (UINT64_MAX);
    assert_true (count > END);
    for (uint64_t sync = 0; sync < count; sync++)
        sync_fails_beside_reader (sync);
}

static void
test_write_fails (void **state)
{
    (void) state;
    uint64_t count = calls (false), failed = 0;
    for (uint64_t call = 0; call < count; call += 2) {
        start_over ();
        disk_fault (false, call, 1, EIO);
        failed += try_session (1, END) == LEDGER_FAILED;
        disk_fault (false, 0, 0, 0);
        disk_stop ();
        judge_all ("write", call);
    }
    assert_true (failed > count / 4);
}

/*  A ledger that somebody has set to have no log gets one again; a head that cannot have one does not take it. */
static void
test_no_log (void **state)
{
    (void) state;
    for (uint64_t call = 0; call < 12; call++) {
        sqlite3 *db;
        start_over ();
        history_session (1, HISTORY_GROUP);
        assert_int_equal (sqlite3_open (history_path, &db), SQLITE_OK);
        assert_int_equal (sqlite3_exec (db, "PRAGMA journal_mode = DELETE", NULL, NULL, NULL), SQLITE_OK);
        sqlite3_close (db);
        disk_fault (false, call, 1, EIO);
        try_session (HISTORY_GROUP + 1, END);
        disk_fault (false, 0, 0, 0);
        disk_stop ();
        judge_all ("no log, write", call);
    }
}

/*  A quota that is reached, and raised. */
static void
test_quota (void **state)
{
    (void) state;
    uint64_t count = calls (false), full = 0;
    for (uint64_t call = 0; call < count; call += 3) {
        start_over ();
        disk_fault (false, call, ALL, EDQUOT);
        struct ledger *ledger = history_begin (&history_config);
        uint64_t number = 1;
        int rc = 0;
        for (; ledger && !rc && number <= END; number += !rc)
            if (!(rc = history_add (ledger, number)) && number % 2 == 0)
                ledger_flush (ledger, FOREVER);
        if (ledger && ledger_state (ledger) == LEDGER_FULL) {
            full++;
            disk_fault (false, 0, 0, 0);
            assert_int_equal (ledger_flush (ledger, FOREVER), 0);
            for (; number <= END; number++)
                assert_int_equal (history_add (ledger, number), 0);
        }
        disk_fault (false, 0, 0, 0);
        if (ledger)
            assert_int_equal (history_end (ledger), 0);
        disk_stop ();
        judge_all ("quota at write", call);
    }
    assert_true (full > 10);
}

/*  The disk fills up, wherever; results go on while there is the reserve; jobs when there is room again. */
static void
test_full (void **state)
{
    enum { RESERVE = 16 << 20 };
    (void) state;
    uint64_t full = 0;
    for (int64_t room = RESERVE; room < RESERVE + (300 << 10); room += 6000) {
        start_over ();
        disk_room (room);
        struct ledger *ledger = history_begin (&history_config);
        uint64_t number = 1, job = 0;
        int rc = 0;
        while (ledger && !rc && number <= END) {
            rc = history_add (ledger, number);
            if (!rc && number++ % 2 == 0)
                rc = ledger_flush (ledger, FOREVER) == WEFT_ELIMIT ? WEFT_ELIMIT : 0;
        }
        if (rc) {
            assert_int_equal (rc, WEFT_ELIMIT);
            full++;
            assert_int_equal (ledger_state (ledger), LEDGER_FULL);
            /*  What was accepted goes on to be written, with the room that was kept for it. */
            assert_int_equal (ledger_flush (ledger, FOREVER), 0);
            assert_int_equal (ledger_state (ledger), LEDGER_FULL);
            while (number <= END && (number - 1) % HISTORY_GROUP >= 2)
                assert_int_equal (history_add (ledger, number++), 0);
            job = number <= END ? number : 0;
            if (job)
                assert_int_equal (history_add (ledger, job), WEFT_ELIMIT);
            assert_says ("full");
            assert_int_equal (ledger_flush (ledger, FOREVER), 0);
            disk_room (INT64_MAX);
            uint64_t event;
            while (ledger_state (ledger) == LEDGER_FULL)
                assert_true (read (ledger_fd (ledger), &event, sizeof event) > 0 || errno == EAGAIN);
            for (; number <= END; number++)
                assert_int_equal (history_add (ledger, number), 0);
        }
        disk_room (INT64_MAX);
        if (ledger)
            assert_int_equal (history_end (ledger), 0);
        disk_stop ();
        if (ledger)
            assert_int_equal (history_judge ("full", history_promise ()), END);
        judge_all ("full with", (uint64_t) room);
    }
    assert_true (full > 10);
}

/*  A head is killed on a full disk: the next begins with the room that was kept. */
static void
test_open_on_full (void **state)
{
    char name[128];
    (void) state;
    start_over ();
    history_session (1, HISTORY_GROUP);
    disk_room (0);
    assert_null (history_begin (&history_config));
    assert_says ("No space left");
    snprintf (name, sizeof name, "%s-reserve", history_path);
    FILE *file = fopen (name, "w");
    assert_non_null (file);
    static char kept[1 << 20];
    assert_int_equal (fwrite (kept, sizeof kept, 1, file), 1);
    assert_int_equal (fclose (file), 0);
    struct ledger *ledger = history_begin (&history_config);
    assert_non_null (ledger);
    assert_int_equal (history_add (ledger, HISTORY_GROUP + 1), 0);
    assert_int_equal (ledger_flush (ledger, FOREVER), 0);
    disk_room (INT64_MAX);
    assert_int_equal (history_end (ledger), 0);
    assert_int_equal (history_judge ("a full disk", history_promise ()), HISTORY_GROUP + 1);
}

int
main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown (test_sync_fails, history_make_folder, history_remove_folder),
        cmocka_unit_test_setup_teardown (test_sync_fails_beside_reader, history_make_folder, history_remove_folder),
        cmocka_unit_test_setup_teardown (test_write_fails, history_make_folder, history_remove_folder),
        cmocka_unit_test_setup_teardown (test_no_log, history_make_folder, history_remove_folder),
        cmocka_unit_test_setup_teardown (test_quota, history_make_folder, history_remove_folder),
        cmocka_unit_test_setup_teardown (test_full, history_make_folder, history_remove_folder),
        cmocka_unit_test_setup_teardown (test_open_on_full, history_make_folder, history_remove_folder)
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
