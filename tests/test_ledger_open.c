/*  test_ledger_open.c - what is no ledger, or another head's, is refused in plain words and left as it is */

#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/clock.h"
#include "patterns/ledger.h"
#include "tests/ledger_history.h"
#include "tests/testing.h"

enum { LARGEST = 1 << 20, PAGE = 4096 };

static char bytes[LARGEST], after[LARGEST];

static size_t
read_file (char *data)
{
    FILE *file = fopen (history_path, "r");
    assert_non_null (file);
    size_t size = fread (data, 1, LARGEST, file);
    fclose (file);
    return size;
}

static void
write_file (const char *data, size_t size)
{
    FILE *file = fopen (history_path, "w");
    assert_non_null (file);
    assert_int_equal (fwrite (data, 1, size, file), size);
    assert_int_equal (fclose (file), 0);
}

/*  Nothing but the ledger is in the folder. */
static int
alone (void)
{
    char command[200];
    snprintf (command, sizeof command, "test \"$(ls %s)\" = jobs", history_folder);
    return system (command);
}

static int
try_open (void)
{
    struct ledger *ledger = NULL;
    struct ledger_found found;
    int rc = ledger_open (&ledger, history_path, &history_config, &found);
    if (!rc)
        assert_int_equal (ledger_close (&ledger), 0);
    assert_null (ledger);
    return rc;
}

/*  It is refused with these words, and is as it was. */
static void
refused (size_t size, const char *words)
{
    write_file (bytes, size);
    assert_int_equal (try_open (), WEFT_EPROTO);
    assert_says (words);
    assert_says (history_path);
    assert_int_equal (read_file (after), size);
    assert_memory_equal (after, bytes, size);
    assert_int_equal (alone (), 0);
}

/*  The bytes of a sound ledger. */
static size_t
make_ledger (void)
{
    unlink (history_path);
    history_session (1, HISTORY_OPERATIONS);
    return read_file (bytes);
}

static void
change (const char *sql)
{
    sqlite3 *db;
    assert_int_equal (sqlite3_open (history_path, &db), SQLITE_OK);
    if (sqlite3_exec (db, sql, NULL, NULL, NULL))
        fail_msg ("%s: %s", sql, sqlite3_errmsg (db));
    sqlite3_close (db);
}

/* ------------------------------------------------------------------ tests */

static void
test_foreign (void **state)
{
    (void) state;
    refused (0, "empty");
    refused ((size_t) sprintf (bytes, "a list of jobs\n"), "not a ledger");
    memset (bytes, 'x', 50000);
    refused (50000, "not a ledger");
    unlink (history_path);
    change ("CREATE TABLE jobs (id INTEGER PRIMARY KEY)");
    refused (read_file (bytes), "another program");
    unlink (history_path);
    change ("PRAGMA journal_mode = WAL; PRAGMA application_id = 7; CREATE TABLE jobs (id INTEGER PRIMARY KEY)");
    refused (read_file (bytes), "another program");
}

static void
test_other_formats (void **state)
{
    (void) state;
    make_ledger ();
    change ("PRAGMA user_version = 2");
    refused (read_file (bytes), "later weft");
    change ("PRAGMA user_version = 0");
    refused (read_file (bytes), "damaged");
}

/*  One that knows no retries learns of them from the next head, and keeps what it has. */
static void
test_retries (void **state)
{
    struct ledger *ledger;
    struct ledger_found found;
    (void) state;
    make_ledger ();
    change ("DROP VIEW summary; DROP VIEW overview; DROP TABLE retried; CREATE VIEW overview AS SELECT 1 AS one");
    assert_int_equal (ledger_open (&ledger, history_path, &history_config, &found), 0);
    assert_int_equal (ledger_close (&ledger), 0);
    change ("INSERT INTO retried (job, by) VALUES (1, 2); SELECT retries, retried FROM overview;"
            "SELECT * FROM summary");
    assert_int_equal (ledger_open (&ledger, history_path, &history_config, &found), 0);
    assert_int_equal (ledger_close (&ledger), 0);
}

/*  The plan by which SQLite counts those that failed. */
static const char *
plan (void)
{
    static char text[200];
    sqlite3 *db;
    sqlite3_stmt *row;
    assert_int_equal (sqlite3_open (history_path, &db), SQLITE_OK);
    assert_int_equal (sqlite3_prepare_v2 (db, "EXPLAIN QUERY PLAN SELECT count (*) FROM results"
                                          " WHERE (reason != 0 OR status != 0 OR signal != 0)", -1, &row, NULL),
                      SQLITE_OK);
    assert_int_equal (sqlite3_step (row), SQLITE_ROW);
    snprintf (text, sizeof text, "%s", (const char *) sqlite3_column_text (row, 3));
    sqlite3_finalize (row);
    sqlite3_close (db);
    return text;
}

/*  One that was made without its index gets it from the next head. */
static void
test_index (void **state)
{
    struct ledger *ledger;
    struct ledger_found found;
    (void) state;
    make_ledger ();
    assert_non_null (strstr (plan (), "failures"));
    change ("DROP INDEX failures");
    assert_null (strstr (plan (), "failures"));
    assert_int_equal (ledger_open (&ledger, history_path, &history_config, &found), 0);
    assert_int_equal (ledger_close (&ledger), 0);
    assert_non_null (strstr (plan (), "failures"));
}

static void
test_damaged (void **state)
{
    (void) state;
    size_t size = make_ledger ();
    assert_true (size > 8 * PAGE);
    for (size_t cut = 1; cut < size; cut += cut < PAGE ? 97 : PAGE / 2)
        refused (cut, cut < 100 ? "not a ledger" : "cut off");
    static const char *const harm[] = {
        "DELETE FROM jobs WHERE id = 3", "DELETE FROM jobs WHERE id = 1",
        "INSERT INTO results (job, attempt, reason) VALUES (1000, 1, 0)",
        "DELETE FROM meta", "UPDATE meta SET value = 'x' WHERE name = 'pool'",
        "DROP TABLE starts", "DROP TABLE jobs",
        "DROP VIEW summary; DROP VIEW overview; ALTER TABLE results DROP COLUMN output"
    };
    for (size_t i = 0; i < sizeof harm / sizeof *harm; i++) {
        make_ledger ();
        change (harm[i]);
        refused (read_file (bytes), "damaged");
    }
}

/*  Each page in turn is made random: it is found and left, or it is a page whose harm cannot be seen. */
static void
test_random_pages (void **state)
{
    enum { TIMES = 4 };
    (void) state;
    uint64_t seed = 1;
    int seen = 0, total = 0;
    size_t size = make_ledger ();
    char *sound = malloc (size);
    memcpy (sound, bytes, size);
    for (size_t page = 0; page < size / PAGE; page++)
        for (int time = 0; time < TIMES; time++, total++) {
            memcpy (bytes, sound, size);
            for (size_t i = page ? 0 : 100; i < PAGE; i++)
                bytes[page * PAGE + i] = (char) random_next (&seed);
            write_file (bytes, size);
            int rc = try_open ();
            assert_true (rc == 0 || rc == WEFT_EPROTO);
            if (!rc)
                continue;
            seen++;
            assert_int_equal (read_file (after), size);
            assert_memory_equal (after, bytes, size);
            assert_int_equal (alone (), 0);
        }
    free (sound);
    assert_true (seen > total / 3);
}

/*  What is in the log of a crash is left there too. */
static void
test_damaged_with_log (void **state)
{
    struct ledger *ledger;
    struct ledger_found found;
    static char log[LARGEST], name[128], pool[33];
    (void) state;
    assert_int_equal (ledger_open (&ledger, history_path, &history_config, &found), 0);
    assert_int_equal (history_add (ledger, 1), 0);
    assert_int_equal (ledger_flush (ledger, -1), 0);
    size_t size = read_file (bytes), log_size;
    snprintf (name, sizeof name, "%s-wal", history_path);
    FILE *file = fopen (name, "r");
    assert_non_null (file);
    log_size = fread (log, 1, sizeof log, file);
    fclose (file);
    assert_true (log_size > PAGE);
    assert_int_equal (ledger_close (&ledger), 0);

    for (size_t i = 0; i < sizeof found.pool; i++)
        sprintf (pool + 2 * i, "%02x", found.pool[i]);
    char *there = memmem (bytes, size, pool, 32);
    assert_non_null (there);
    *there = 'x';
    write_file (bytes, size);
    file = fopen (name, "w");
    assert_int_equal (fwrite (log, 1, log_size, file), log_size);
    fclose (file);
    assert_int_equal (try_open (), WEFT_EPROTO);
    assert_says ("damaged");
    assert_int_equal (read_file (after), size);
    assert_memory_equal (after, bytes, size);
    file = fopen (name, "r");
    assert_non_null (file);
    assert_int_equal (fread (after, 1, sizeof after, file), log_size);
    fclose (file);
    assert_memory_equal (after, log, log_size);
}

/*  A log without its file is nothing; the next ledger of that name does not take it for its own. */
static void
test_remains (void **state)
{
    struct ledger *ledger;
    struct ledger_found found;
    char name[128], copy[128];
    (void) state;
    assert_int_equal (ledger_open (&ledger, history_path, &history_config, &found), 0);
    assert_int_equal (history_add (ledger, 1), 0);
    assert_int_equal (ledger_flush (ledger, -1), 0);
    snprintf (name, sizeof name, "%s-wal", history_path);
    snprintf (copy, sizeof copy, "%s-copy", history_path);
    assert_int_equal (link (name, copy), 0);
    assert_int_equal (unlink (history_path), 0);
    ledger_close (&ledger);
    rename (copy, name);
    unlink (copy);
    assert_int_equal (access (name, F_OK), 0);
    assert_int_equal (try_open (), 0);
    assert_int_equal (ledger_open (&ledger, history_path, &history_config, &found), 0);
    assert_int_equal (found.jobs, 0);
    assert_int_equal (found.epoch, 2);
    assert_int_equal (ledger_close (&ledger), 0);
    assert_int_equal (alone (), 0);
}

static void
test_no_place (void **state)
{
    struct ledger *ledger;
    struct ledger_found found;
    (void) state;
    assert_int_equal (ledger_open (&ledger, "/nowhere/at/all", &history_config, &found), WEFT_EIO);
    assert_says ("/nowhere/at/all");
    assert_int_equal (ledger_open (&ledger, history_folder, &history_config, &found), WEFT_EPROTO);
    assert_says ("not a file");
    assert_int_equal (ledger_open (&ledger, "", &history_config, &found), WEFT_EINVAL);
    assert_int_equal (ledger_open (&ledger, "/tmp/", &history_config, &found), WEFT_EPROTO);
}

/*  Whoever takes the file away takes what is promised along: that is no disk to go on with. */
static void
test_taken_away (void **state)
{
    struct ledger *ledger;
    struct ledger_found found;
    char text[300];
    (void) state;
    assert_int_equal (ledger_open (&ledger, history_path, &history_config, &found), 0);
    assert_int_equal (history_add (ledger, 1), 0);
    assert_int_equal (ledger_flush (ledger, -1), 0);
    assert_int_equal (unlink (history_path), 0);
    assert_int_equal (history_add (ledger, 2), 0);
    assert_int_equal (ledger_flush (ledger, -1), WEFT_EIO);
    assert_int_equal (ledger_state (ledger), LEDGER_FAILED);
    assert_non_null (strstr (ledger_trouble (ledger, text, sizeof text), "moved or deleted"));
    assert_int_equal (ledger_durable (ledger), 1);
    assert_int_equal (ledger_close (&ledger), WEFT_EIO);
    assert_says ("1 operation");
}

/*  In this process, through another name, and from another process; and none when its owner has died. */
static void
test_one_head (void **state)
{
    struct ledger *ledger, *second;
    struct ledger_found found;
    char link[128], said[64];
    int pipes[2];
    (void) state;
    assert_int_equal (ledger_open (&ledger, history_path, &history_config, &found), 0);
    snprintf (link, sizeof link, "%s/link", history_folder);
    assert_int_equal (symlink (history_path, link), 0);
    snprintf (said, sizeof said, "process %d on", (int) getpid ());
    assert_int_equal (ledger_open (&second, link, &history_config, &found), WEFT_EADDRINUSE);
    assert_says (said);
    assert_null (second);
    assert_int_equal (ledger_is_held (link), 1);
    assert_int_equal (ledger_close (&ledger), 0);
    assert_int_equal (ledger_is_held (link), 0);

    assert_int_equal (pipe (pipes), 0);
    pid_t child = fork ();
    if (child == 0) {
        if (!ledger_open (&ledger, history_path, &history_config, &found) && write (pipes[1], "", 1) == 1)
            pause ();
        _exit (1);
    }
    close (pipes[1]);
    assert_int_equal (read (pipes[0], said, 1), 1);
    close (pipes[0]);
    assert_int_equal (try_open (), WEFT_EADDRINUSE);
    snprintf (said, sizeof said, "process %d on", (int) child);
    assert_says (said);
    assert_int_equal (ledger_is_held (history_path), 1);
    kill (child, SIGKILL);
    assert_int_equal (waitpid (child, NULL, 0), child);
    assert_int_equal (ledger_is_held (history_path), 0);
    assert_int_equal (try_open (), 0);
    assert_int_equal (unlink (link), 0);
    assert_int_equal (alone (), 0);
}

/*  Just before the lock is had, its owner ends, and takes the file of the lock along. */
static char going[128];

__attribute__ ((visibility ("default"), used)) int
fcntl (int fd, int command, ...)
{
    va_list arguments;
    va_start (arguments, command);
    void *argument = va_arg (arguments, void *);
    va_end (arguments);
    if (command == F_OFD_SETLK && *going) {
        unlink (going);
        *going = '\0';
    }
    return ((__typeof__ (&fcntl)) dlsym (RTLD_NEXT, "fcntl")) (fd, command, argument);
}

static void
test_owner_goes (void **state)
{
    struct ledger *ledger, *second;
    struct ledger_found found;
    (void) state;
    snprintf (going, sizeof going, "%s-lock", history_path);
    assert_int_equal (ledger_open (&ledger, history_path, &history_config, &found), 0);
    assert_int_equal (*going, '\0');
    assert_int_equal (ledger_open (&second, history_path, &history_config, &found), WEFT_EADDRINUSE);
    assert_int_equal (ledger_close (&ledger), 0);
}

int
main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown (test_foreign, history_make_folder, history_remove_folder),
        cmocka_unit_test_setup_teardown (test_other_formats, history_make_folder, history_remove_folder),
        cmocka_unit_test_setup_teardown (test_retries, history_make_folder, history_remove_folder),
        cmocka_unit_test_setup_teardown (test_index, history_make_folder, history_remove_folder),
        cmocka_unit_test_setup_teardown (test_damaged, history_make_folder, history_remove_folder),
        cmocka_unit_test_setup_teardown (test_random_pages, history_make_folder, history_remove_folder),
        cmocka_unit_test_setup_teardown (test_remains, history_make_folder, history_remove_folder),
        cmocka_unit_test_setup_teardown (test_no_place, history_make_folder, history_remove_folder),
        cmocka_unit_test_setup_teardown (test_taken_away, history_make_folder, history_remove_folder),
        cmocka_unit_test_setup_teardown (test_one_head, history_make_folder, history_remove_folder),
        cmocka_unit_test_setup_teardown (test_owner_goes, history_make_folder, history_remove_folder),
        cmocka_unit_test_setup_teardown (test_damaged_with_log, history_make_folder, history_remove_folder)
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
