/*  test_child.c - commands with pipes, in process groups of their own */

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "cli/child.h"
#include "core/clock.h"

/*  Runs it with all of `input`; its output is in `output`, its status is returned. */
static int
run (const char *command, const char *input, struct buffer *output)
{
    struct child child;
    size_t size = strlen (input);
    int rc = child_start (&child, command, NULL, -1);
    assert_int_equal (rc, 0);
    do {
        rc = child_step (&child, &input, &size, true, output, -1, TIME_FOREVER);
        assert_true (rc >= 0);
    } while (!(rc & CHILD_ENDED));
    assert_int_equal (buffer_terminate (output), 0);
    return child_end (&child);
}

static int
begin (void **state)
{
    struct buffer *self = calloc (1, sizeof *self);
    assert_non_null (self);
    buffer_init (self, 1024 * 1024);
    *state = self;
    return 0;
}

static int
end (void **state)
{
    buffer_free (*state);
    free (*state);
    return 0;
}

static void
test_output_and_status (void **state)
{
    assert_int_equal (run ("tr a b; exit 3", "aha", *state), 3);
    assert_string_equal (buffer_data (*state), "bhb");
}

static void
test_more_than_a_pipe_holds (void **state)
{
    size_t size = 300000;
    char *input = malloc (size + 1);
    assert_non_null (input);
    memset (input, 'x', size);
    input[size] = '\0';
    assert_int_equal (run ("cat", input, *state), 0);
    assert_int_equal (buffer_size (*state), size);
    free (input);
}

static void
test_input_that_is_not_read (void **state)
{
    assert_int_equal (run ("exec true", "nobody wants this", *state), 0);
}

static void
test_ended_by_a_signal (void **state)
{
    assert_int_equal (run ("kill -9 $$", "", *state), 128 + SIGKILL);
}

static void
test_signals_are_as_usual (void **state)
{
    signal (SIGPIPE, SIG_IGN);
    assert_int_equal (run ("sed -n 's/^SigIgn://p' /proc/self/status", "", *state), 0);
    assert_int_equal (strtoull (buffer_data (*state), NULL, 16) & (1u << (SIGPIPE - 1)), 0);
}

static void
test_no_descriptor_is_inherited (void **state)
{
    struct child other;
    /*  What is open here without close-on-exec comes from whoever started this test. */
    for (int fd = 3; fd < 1024; fd++)
        if (fcntl (fd, F_GETFD) == 0)
            fcntl (fd, F_SETFD, FD_CLOEXEC);
    assert_int_equal (child_start (&other, "cat", NULL, -1), 0);
    assert_int_equal (run ("exec ls /proc/self/fd", "", *state), 0);
    assert_string_equal (buffer_data (*state), "0\n1\n2\n3\n");      /*  3 is the folder */
    child_end (&other);
}

/*  What the command left behind must not outlive it: it would hold this pipe open. */
static void
test_the_group_ends_with_it (void **state)
{
    (void) state;
    int ends[2];
    char byte;
    struct child child;
    assert_int_equal (pipe2 (ends, O_CLOEXEC), 0);
    assert_int_equal (child_start (&child, "sleep 1000 & wait", NULL, ends[1]), 0);
    close (ends[1]);
    assert_int_equal (child_end (&child), 128 + SIGKILL);
    assert_int_equal (read (ends[0], &byte, 1), 0);
    close (ends[0]);
}

static void
test_output_over_the_limit (void **state)
{
    struct child child;
    const char *input = "";
    size_t size = 0;
    int rc;
    (void) state;
    struct buffer small;
    buffer_init (&small, 100 * 1024);
    assert_int_equal (child_start (&child, "cat /dev/zero", NULL, -1), 0);
    do
        rc = child_step (&child, &input, &size, true, &small, -1, TIME_FOREVER);
    while (rc >= 0);
    assert_int_equal (rc, WEFT_ETOOBIG);
    child_end (&child);
    buffer_free (&small);
}

int
main (void)
{
    signal (SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown (test_output_and_status, begin, end),
        cmocka_unit_test_setup_teardown (test_more_than_a_pipe_holds, begin, end),
        cmocka_unit_test_setup_teardown (test_input_that_is_not_read, begin, end),
        cmocka_unit_test_setup_teardown (test_ended_by_a_signal, begin, end),
        cmocka_unit_test_setup_teardown (test_signals_are_as_usual, begin, end),
        cmocka_unit_test_setup_teardown (test_no_descriptor_is_inherited, begin, end),
        cmocka_unit_test (test_the_group_ends_with_it),
        cmocka_unit_test (test_output_over_the_limit),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
