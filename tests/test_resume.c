/*  test_resume.c - what a job log says was run before */

#include <unistd.h>

#include "cli/joblog.h"
#include "cli/resume.h"
#include "tests/folder.h"
#include "tests/testing.h"

#define LINE(number, status, command) number "\t:\t1.5\t     0.001\t0\t2\t" status "\t0\t" command "\n"

static char path[256];

static void
write_log (const char *text, size_t size)
{
    FILE *file = fopen (path, "w");
    assert_non_null (file);
    assert_int_equal (fwrite (text, 1, size, file), size);
    fclose (file);
}

#define WRITE(text) write_log (text, sizeof text - 1)

static const char log_text[] = JOBLOG_HEADER LINE ("1", "0", "a") LINE ("3", "2", "c\0d") LINE ("4", "1", "e")
                               LINE ("4", "0", "e") LINE ("6", "0", "g") LINE ("6", "1", "h") "7\t:\t1.5\t     0.0";

static void
passing (void **state)
{
    (void) state;
    struct resume resume;
    write_log (log_text, sizeof log_text - 1);
    for (enum resume_mode mode = RESUME_ENDED; mode <= RESUME_FAILED; mode++) {
        assert_int_equal (resume_open (&resume, mode, path, false), 0);
        assert_int_equal (resume.count, 4);
        assert_int_equal (resume.failed, 1);
        assert_int_equal (resume_passes (&resume, 1, "a"), 1);
        assert_int_equal (resume_passes (&resume, 2, "b"), 0);
        assert_int_equal (resume_passes (&resume, 3, "c\nd"), mode == RESUME_ENDED);
        assert_int_equal (resume_passes (&resume, 4, "e"), 1);
        assert_int_equal (resume_passes (&resume, 6, "h"), 1);
        assert_int_equal (resume_passes (&resume, 7, "anything"), 0);
        assert_int_equal (resume_passes (&resume, 1ull << 40, "x"), 0);
        resume_close (&resume);
    }
}

static void
other_input (void **state)
{
    (void) state;
    struct resume resume;
    write_log (log_text, sizeof log_text - 1);
    assert_int_equal (resume_open (&resume, RESUME_ENDED, path, false), 0);
    assert_int_equal (resume_passes (&resume, 3, "c"), WEFT_EINVAL);
    assert_non_null (strstr (weft_error (), "job 3 was 'c\nd' and is 'c' now"));
    assert_non_null (strstr (weft_error (), "--trust-joblog"));
    assert_int_equal (resume_passes (&resume, 3, NULL), 1);
    resume_close (&resume);
    assert_int_equal (resume_open (&resume, RESUME_ENDED, path, true), 0);
    assert_int_equal (resume_passes (&resume, 3, "c"), 1);
    resume_close (&resume);
}

static void
retrying (void **state)
{
    (void) state;
    static const char text[] = JOBLOG_HEADER LINE ("70000", "2", "z\0\0y") LINE ("2", "0", "b") LINE ("1", "255", "");
    struct resume resume;
    struct buffer command;
    uint64_t number;
    buffer_init (&command, 0);
    write_log (text, sizeof text - 1);
    assert_int_equal (resume_open (&resume, RESUME_RETRY, path, false), 0);
    assert_int_equal (resume.failed, 2);
    assert_int_equal (resume_next (&resume, &number, &command), 1);
    assert_true (number == 1 && buffer_size (&command) == 0);
    assert_int_equal (resume_next (&resume, &number, &command), 1);
    assert_int_equal (number, 70000);
    assert_string_equal (buffer_data (&command), "z\n\ny");
    assert_int_equal (resume_next (&resume, &number, &command), WEFT_EEND);
    resume_close (&resume);
    buffer_free (&command);
}

static void
refusals (void **state)
{
    (void) state;
    struct resume resume;
    static const char *const words[] = { "no job log", "line 2", "job 999999999", "line 3" };
    for (int i = 0; i < 4; i++) {
        if (i == 0)
            WRITE ("anything\n");
        else if (i == 1)
            WRITE (JOBLOG_HEADER "1\t:\n" LINE ("2", "0", "b"));
        else if (i == 2)
            WRITE (JOBLOG_HEADER LINE ("999999999", "0", "b"));
        else
            WRITE (JOBLOG_HEADER LINE ("1", "0", "b") "1\t:\t12\t:\t1.5\t     0.001\t0\t2\t0\t0\tx\n");
        assert_true (resume_open (&resume, RESUME_ENDED, path, true) < 0);
        assert_non_null (strstr (weft_error (), words[i]));
        resume_close (&resume);
    }
    assert_int_equal (resume_open (&resume, RESUME_ENDED, "+/nonexistent/log", true), 0);
    assert_int_equal (resume_passes (&resume, 1, "a"), 0);
    resume_close (&resume);
    assert_true (resume_open (&resume, RESUME_RETRY, "/nonexistent/log", true) < 0);
    resume_close (&resume);
    assert_int_equal (resume_open (&resume, RESUME_NOT, NULL, false), 0);
    assert_int_equal (resume_passes (&resume, 1, "a"), 0);
    resume_close (&resume);
}

static int
make_file (void **state)
{
    (void) state;
    int rc = folder_make (NULL);
    strcpy (path, folder_path ("log"));
    return rc;
}

int
main (void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test (passing), cmocka_unit_test (other_input),
                                        cmocka_unit_test (retrying), cmocka_unit_test (refusals) };
    return cmocka_run_group_tests (tests, make_file, folder_teardown);
}
