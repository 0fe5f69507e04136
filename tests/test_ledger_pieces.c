/*  test_ledger_pieces.c - where a ledger says that output is: pieces, folders, and what is durable before it */

#include <sqlite3.h>
#include <stdatomic.h>

#include "core/error.h"
#include "patterns/ledger.h"
#include "tests/ledger_history.h"
#include "tests/testing.h"

enum { FOREVER = -1 };

static atomic_int calls;
static bool fails;

static int
count_call (void *arg)
{
    assert_string_equal (arg, "before");
    calls++;
    return fails ? error_set (WEFT_EIO, "the other disk has failed") : 0;
}

static struct ledger *
begin (enum ledger_durability durability, const char *outputs)
{
    struct ledger_config config = { .durability = durability, .outputs = outputs, .before = count_call,
                                    .before_arg = (void *) (uintptr_t) "before" };
    struct ledger_found found;
    struct ledger *ledger;
    fails = false;
    calls = 0;
    if (ledger_open (&ledger, history_path, &config, &found))
        fail_msg ("%s", weft_error ());
    if (!found.jobs)
        assert_int_equal (ledger_add_job (ledger, &(struct ledger_job) { .id = 1, .spec = "", .hash = NULL }, NULL), 0);
    return ledger;
}

static void
add (struct ledger *ledger, uint64_t report, uint64_t bytes, const char *place)
{
    struct ledger_piece piece = { .job = 1, .attempt = INT64_C (1) << 32 | 1, .report = report, .bytes = bytes,
                                  .place = place };
    assert_int_equal (ledger_add_piece (ledger, &piece, NULL), 0);
}

static const char *
asked (const char *sql)
{
    static char text[1000];
    sqlite3 *db;
    sqlite3_stmt *row;
    assert_int_equal (sqlite3_open_v2 (history_path, &db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
    if (sqlite3_prepare_v2 (db, sql, -1, &row, NULL))
        fail_msg ("%s: %s", sql, sqlite3_errmsg (db));
    bool there = sqlite3_step (row) == SQLITE_ROW;
    snprintf (text, sizeof text, "%s", there ? (const char *) sqlite3_column_text (row, 0) : "none");
    sqlite3_finalize (row);
    sqlite3_close (db);
    return text;
}

static void
pieces_are_found (void **state)
{
    (void) state;
    struct ledger_pieces found;
    struct ledger *ledger = begin (LEDGER_GROUP, "/one");
    assert_int_equal (ledger_find_pieces (ledger, 1, INT64_C (1) << 32 | 1, &found), 0);
    assert_int_equal (found.report + found.bytes, 0);
    add (ledger, 3, 10, "file:1:10");
    add (ledger, 11, 5, "file:11:5");
    add (ledger, 11, 7, "nowhere");
    assert_int_equal (ledger_find_pieces (ledger, 1, INT64_C (1) << 32 | 1, &found), 0);
    assert_int_equal (found.report, 11);
    assert_int_equal (found.bytes, 15);
    assert_string_equal (found.place, "file:11:5");
    assert_int_equal (ledger_find_pieces (ledger, 1, 1, &found), 0);
    assert_int_equal (found.report, 0);
    struct ledger_piece none = { .job = 2, .place = "" };
    assert_int_equal (ledger_add_piece (ledger, &none, NULL), WEFT_EINVAL);
    struct ledger_counters counters;
    ledger_counters (ledger, &counters);
    assert_int_equal (counters.repeats, 1);
    assert_int_equal (ledger_close (&ledger), 0);
}

/*  Each head's folder stands in it; one of an earlier weft gets the table when it is opened. */
static void
folders (void **state)
{
    (void) state;
    struct ledger *ledger = begin (LEDGER_GROUP, "/it's one");
    assert_int_equal (ledger_close (&ledger), 0);
    assert_string_equal (asked ("DROP TABLE pieces"), "none");
    ledger = begin (LEDGER_GROUP, NULL);
    add (ledger, 1, 1, "x");
    assert_int_equal (ledger_close (&ledger), 0);
    ledger = begin (LEDGER_GROUP, "/three");
    assert_int_equal (ledger_close (&ledger), 0);
    assert_string_equal (asked ("SELECT group_concat (name || ' ' || value) FROM meta WHERE name LIKE 'outputs-%'"),
                         "outputs-1 /it's one,outputs-3 /three");
    assert_string_equal (asked ("SELECT count (*) FROM pieces"), "1");
    assert_string_equal (asked ("SELECT count (*) FROM heads"), "3");
}

static void
before_each_commit (void **state)
{
    (void) state;
    struct ledger *ledger = begin (LEDGER_SYNC, NULL);
    for (uint64_t report = 1; report <= 5; report++) {
        int had = calls;
        add (ledger, report, 1, "x");
        assert_int_equal (ledger_flush (ledger, FOREVER), 0);
        assert_true (calls > had);
    }
    fails = true;
    add (ledger, 6, 1, "x");
    assert_int_equal (ledger_flush (ledger, FOREVER), WEFT_EIO);
    assert_says ("the other disk has failed");
    assert_int_equal (ledger_state (ledger), LEDGER_FAILED);
    assert_int_equal (ledger_close (&ledger), WEFT_EIO);
    assert_string_equal (asked ("SELECT count (*) FROM pieces"), "5");
}

/*  Without syncs there is nothing to be before, but when the log is brought into the file. */
static void
before_no_commit (void **state)
{
    (void) state;
    struct ledger *ledger = begin (LEDGER_NONE, NULL);
    add (ledger, 1, 1, "x");
    assert_int_equal (ledger_flush (ledger, FOREVER), 0);
    assert_true (calls <= 1);
    assert_int_equal (ledger_close (&ledger), 0);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown (test, history_make_folder, history_remove_folder)

int
main (void)
{
    const struct CMUnitTest tests[] = { IN_FOLDER (pieces_are_found), IN_FOLDER (folders),
                                        IN_FOLDER (before_each_commit), IN_FOLDER (before_no_commit) };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
