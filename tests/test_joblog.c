/*  test_joblog.c - the job log has GNU parallel's columns */

#include <unistd.h>

#include "cli/joblog.h"
#include "tests/folder.h"
#include "tests/testing.h"

#define HEADER JOBLOG_HEADER

static const struct joblog_entry entry = { .number = 2, .host = ":", .started = 1795378555129000, .runtime = 1927000,
                                           .received = 7, .status = -1, .signal = 15, .command = "sleep 2\necho" };
#define LINE "2\t:\t1795378555.129\t     1.927\t0\t7\t-1\t15\tsleep 2\0echo\n"

static void
assert_file (const char *path, const char *expected, size_t size)
{
    char text[1024];
    FILE *file = fopen (path, "r");
    assert_non_null (file);
    assert_int_equal (fread (text, 1, sizeof text, file), size);
    assert_memory_equal (text, expected, size);
    fclose (file);
}

static void
lines (void **state)
{
    (void) state;
    char path[257] = "+";
    strcpy (path + 1, folder_path ("lines"));
    folder_write ("lines", "", 0600);
    struct joblog log;
    static const char once[] = HEADER LINE, twice[] = HEADER LINE LINE;
    const char *const paths[] = { path, path + 1 };
    for (int i = 0; i < 2; i++) {
        assert_int_equal (joblog_open (&log, paths[i], JOBLOG_NEW), 0);
        assert_int_equal (joblog_add (&log, &entry), 0);
        assert_file (path + 1, once, sizeof once - 1);
        joblog_close (&log);
    }
    assert_int_equal (joblog_open (&log, path, JOBLOG_NEW), 0);
    assert_int_equal (joblog_add (&log, &entry), 0);
    assert_file (path + 1, twice, sizeof twice - 1);
    joblog_close (&log);
}

/*  Only to what is a job log, after its last whole line. */
static void
additions (void **state)
{
    (void) state;
    static const char whole[] = HEADER LINE;
    char path[256], text[sizeof whole + 8];
    strcpy (path, folder_path ("additions"));
    struct joblog log;
    memcpy (text, whole, sizeof whole - 1);
    for (size_t size = 0; size < sizeof whole - 1; size++) {
        bool has_line = size >= sizeof HEADER - 1;
        FILE *file = fopen (path, "w");
        fwrite (text, 1, size, file);
        fclose (file);
        assert_int_equal (joblog_open (&log, path, JOBLOG_ADD), 0);
        assert_int_equal (log.mended, size > 0 && size != sizeof HEADER - 1);
        assert_int_equal (joblog_add (&log, &entry), 0);
        assert_file (path, whole, sizeof whole - 1);
        assert_true (has_line || size < sizeof HEADER - 1);
        joblog_close (&log);
    }
    FILE *file = fopen (path, "w");
    fputs ("Sequel", file);
    fclose (file);
    assert_int_equal (joblog_open (&log, path, JOBLOG_ADD), WEFT_EINVAL);
    joblog_close (&log);
    assert_file (path, "Sequel", 6);
    assert_int_equal (joblog_open (&log, path, JOBLOG_OFF), 0);
    assert_int_equal (joblog_add (&log, &entry), 0);
    joblog_close (&log);
    assert_file (path, "Sequel", 6);
}

static void
parsing (void **state)
{
    (void) state;
    static const char good[] = "2\t:\t1795378555.129\t     1.927\t0\t7\t-1\t15\tsleep 2\0echo\t3";
    static const char remote[] = "13\tssh me@there\t1795378555\t0.0\t0\t-1\t0\t0\t";
    static const char *const bad[] = { "", "x", "1\t:", "0\t:\t1\t1\t1\t1\t1\t1\tx", "1\t:\t1\t1\t1\t1\t1\tx",
                                       "-1\t:\t1\t1\t1\t1\t1\t1\tx", "1\t:\t1\t1\t1\t1\t1\ty\tx",
                                       "99999999999999999999\t:\t1\t1\t1\t1\t1\t1\tx", "1\t:\t1\t1\t1\t\t1\t1\tx" };
    struct joblog_line line;
    assert_true (joblog_parse (good, sizeof good - 1, &line));
    assert_int_equal (line.number, 2);
    assert_true (line.failed);
    assert_int_equal (line.size, 14);
    assert_memory_equal (line.command, "sleep 2\0echo\t3", 14);
    assert_true (joblog_parse (remote, sizeof remote - 1, &line));
    assert_true (line.number == 13 && !line.failed && line.size == 0);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false (joblog_parse (bad[i], strlen (bad[i]), &line));
}

static void
none (void **state)
{
    (void) state;
    struct joblog log;
    assert_int_equal (joblog_open (&log, NULL, JOBLOG_NEW), 0);
    assert_int_equal (joblog_add (&log, &entry), 0);
    joblog_close (&log);
}

static void
refusals (void **state)
{
    (void) state;
    struct joblog log;
    assert_true (joblog_open (&log, "/nonexistent/log", JOBLOG_NEW) < 0);
    assert_non_null (strstr (weft_error (), "/nonexistent/log"));
    joblog_close (&log);
    assert_true (joblog_open (&log, "/dev/full", JOBLOG_NEW) < 0);
    joblog_close (&log);
}

int
main (void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test (lines), cmocka_unit_test (additions),
                                        cmocka_unit_test (parsing), cmocka_unit_test (none),
                                        cmocka_unit_test (refusals) };
    return cmocka_run_group_tests (tests, folder_setup, folder_teardown);
}
