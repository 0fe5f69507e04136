/*  test_piped.c - programs with three pipes: what they write, and that they end */

#include "cli/piped.h"

#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "core/clock.h"
#include "tests/testing.h"

static int
run (const char *script, struct buffer *out, struct buffer *err, int64_t limit, int stop)
{
    char *argv[] = { "sh", "-c", (char *) (uintptr_t) script, NULL };
    buffer_init (out, 100000);
    buffer_init (err, 100000);
    return piped_run (argv, out, err, limit, stop);
}

static void
whole (void **state)
{
    (void) state;
    struct buffer out, err;
    assert_int_equal (run ("cat; echo a; echo b >&2; exit 3", &out, &err, 60 * TIME_S, -1), 3);
    assert_string_equal (buffer_data (&out), "a\n");
    assert_string_equal (buffer_data (&err), "b\n");
    buffer_free (&out);
    buffer_free (&err);
    assert_int_equal (run ("kill -9 $$", &out, &err, 60 * TIME_S, -1), 128 + SIGKILL);
    buffer_free (&out);
    buffer_free (&err);
}

/*  It is ended, with all it started. */
static void
stopped (void **state)
{
    (void) state;
    struct buffer out, err;
    int stop = eventfd (1, EFD_CLOEXEC);
    assert_int_equal (run ("sleep 1000 & exec sleep 1000", &out, &err, TIME_FOREVER, stop), 128 + SIGTERM);
    buffer_free (&out);
    buffer_free (&err);
    assert_int_equal (run ("exec sleep 1000", &out, &err, 1, -1), 128 + SIGTERM);
    buffer_free (&out);
    buffer_free (&err);
    close (stop);
}

static void
not_there (void **state)
{
    (void) state;
    struct piped piped;
    char *argv[] = { "/nowhere/program", NULL };
    assert_true (piped_start (&piped, argv) < 0);
    assert_says ("/nowhere/program");
    assert_int_equal (piped_end (&piped, 0), 0);
}

int
main (void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test (whole), cmocka_unit_test (stopped),
                                        cmocka_unit_test (not_there) };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
