/*  test_joblog.c - the job log has GNU parallel's columns */

#include <unistd.h>

#include "cli/joblog.h"
#include "tests/testing.h"

#define HEADER "Seq\tHost\tStarttime\tJobRuntime\tSend\tReceive\tExitval\tSignal\tCommand\n"

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
    char path[] = "+/tmp/weft-joblog-XXXXXX";
    int fd = mkstemp (path + 1);
    assert_true (fd >= 0);
    close (fd);
    struct joblog log;
    static const char once[] = HEADER LINE, twice[] = HEADER LINE LINE;
    const char *const paths[] = { path, path + 1 };
    for (int i = 0; i < 2; i++) {
        assert_int_equal (joblog_open (&log, paths[i]), 0);
        assert_int_equal (joblog_add (&log, &entry), 0);
        assert_file (path + 1, once, sizeof once - 1);
        joblog_close (&log);
    }
    assert_int_equal (joblog_open (&log, path), 0);
    assert_int_equal (joblog_add (&log, &entry), 0);
    assert_file (path + 1, twice, sizeof twice - 1);
    joblog_close (&log);
    unlink (path + 1);
}

static void
none (void **state)
{
    (void) state;
    struct joblog log;
    assert_int_equal (joblog_open (&log, NULL), 0);
    assert_int_equal (joblog_add (&log, &entry), 0);
    joblog_close (&log);
}

static void
refusals (void **state)
{
    (void) state;
    struct joblog log;
    assert_true (joblog_open (&log, "/nonexistent/log") < 0);
    assert_non_null (strstr (weft_error (), "/nonexistent/log"));
    joblog_close (&log);
    assert_true (joblog_open (&log, "/dev/full") < 0);
    joblog_close (&log);
}

int
main (void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test (lines), cmocka_unit_test (none),
                                        cmocka_unit_test (refusals) };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
