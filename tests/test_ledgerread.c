/*  test_ledgerread.c - a ledger that is only read: what cannot be is said in words */

#include <sqlite3.h>
#include <unistd.h>

#include "cli/ledgerread.h"
#include "tests/folder.h"
#include "tests/testing.h"

static const char *const questions[] = { "SELECT id FROM jobs ORDER BY id", "SELECT 1 FROM jobs WHERE id = ?1" };

static void
make (const char *path)
{
    sqlite3 *db;
    assert_int_equal (sqlite3_open (path, &db), SQLITE_OK);
    assert_int_equal (sqlite3_exec (db, "CREATE TABLE jobs (id); INSERT INTO jobs VALUES (2), (1)", NULL, NULL, NULL),
                      SQLITE_OK);
    sqlite3_close (db);
}

static void
rows (void **state)
{
    (void) state;
    struct ledgerread ledger;
    sqlite3_stmt *asked[2];
    make (folder_path ("jobs"));
    assert_int_equal (ledgerread_open (&ledger, folder_path ("jobs"), 0), 0);
    assert_int_equal (ledgerread_prepare (&ledger, questions, 2, asked), 0);
    assert_int_equal (ledgerread_step (&ledger, asked[0]), 1);
    assert_int_equal (sqlite3_column_int (asked[0], 0), 1);
    assert_int_equal (ledgerread_step (&ledger, asked[0]), 1);
    assert_int_equal (ledgerread_step (&ledger, asked[0]), 0);
    assert_int_equal (ledgerread_step (&ledger, asked[1]), 0);
    sqlite3_reset (asked[0]);
    assert_int_equal (ledgerread_step (&ledger, asked[0]), 1);
    ledgerread_close (&ledger);             /*  also in the middle of an answer */
    ledgerread_close (&ledger);
}

static void
nothing_is_written (void **state)
{
    (void) state;
    static const char *const insertion = "INSERT INTO jobs VALUES (3)";
    struct ledgerread ledger;
    sqlite3_stmt *asked;
    make (folder_path ("kept"));
    assert_int_equal (ledgerread_open (&ledger, folder_path ("kept"), 0), 0);
    assert_int_equal (ledgerread_prepare (&ledger, &insertion, 1, &asked), 0);
    assert_int_equal (ledgerread_step (&ledger, asked), WEFT_EIO);
    assert_says ("readonly");
    ledgerread_close (&ledger);
    assert_int_equal (ledgerread_open (&ledger, folder_path ("missing"), 0), WEFT_EIO);
    assert_says ("cannot read ");
    ledgerread_close (&ledger);
    assert_int_equal (access (folder_path ("missing"), F_OK), -1);
}

static void
no_ledger (void **state)
{
    (void) state;
    static const char *const other = "SELECT id FROM results";
    struct ledgerread ledger;
    sqlite3_stmt *asked[2];
    folder_write ("text", "this is no ledger, but a text of some length", 0600);
    assert_int_equal (ledgerread_open (&ledger, folder_path ("text"), 0), 0);
    assert_int_equal (ledgerread_prepare (&ledger, questions, 2, asked), WEFT_EPROTO);
    assert_says ("is no ledger, or of another version");
    ledgerread_close (&ledger);
    make (folder_path ("older"));
    assert_int_equal (ledgerread_open (&ledger, folder_path ("older"), 0), 0);
    assert_int_equal (ledgerread_prepare (&ledger, &other, 1, asked), WEFT_EPROTO);
    ledgerread_close (&ledger);
}

static void
waits_for_others (void **state)
{
    (void) state;
    struct ledgerread ledger;
    sqlite3_stmt *asked[2];
    sqlite3 *db;
    make (folder_path ("held"));
    assert_int_equal (ledgerread_open (&ledger, folder_path ("held"), 1), 0);
    assert_int_equal (ledgerread_prepare (&ledger, questions, 2, asked), 0);
    assert_int_equal (sqlite3_open (folder_path ("held"), &db), SQLITE_OK);
    assert_int_equal (sqlite3_exec (db, "BEGIN EXCLUSIVE", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal (ledgerread_step (&ledger, asked[0]), WEFT_EIO);
    assert_says ("locked");
    sqlite3_reset (asked[0]);
    assert_int_equal (sqlite3_exec (db, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal (ledgerread_step (&ledger, asked[0]), 1);
    sqlite3_close (db);
    ledgerread_close (&ledger);
}

int
main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (rows), cmocka_unit_test (nothing_is_written), cmocka_unit_test (no_ledger),
        cmocka_unit_test (waits_for_others),
    };
    return cmocka_run_group_tests (tests, folder_setup, folder_teardown);
}
