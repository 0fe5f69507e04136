/*  test_progress.c - what --bar shows */

#include "cli/progress.h"
#include "tests/testing.h"

static void
texts (void **state)
{
    (void) state;
    char text[200];
    struct progress_counts counts = { .done = 250, .running = 4, .total = 1000, .complete = true };
    progress_text (&counts, 10 * TIME_S, 0, text, sizeof text);
    assert_string_equal (text, " 25%  250/1000  25/s  4 running  ETA 30s");
    counts.failed = 2;
    progress_text (&counts, 1000 * TIME_S, 0, text, sizeof text);
    assert_string_equal (text, " 25%  250/1000  0.2/s  4 running  ETA 50m00s  2 failed");
    counts.complete = false;
    progress_text (&counts, 7384 * TIME_S, 0, text, sizeof text);
    assert_string_equal (text, " 25%  250/1000+  0.0/s  4 running  time 2h03m  2 failed");
    counts = (struct progress_counts){ .running = 3, .elsewhere = true, .nodes = 2, .slots = 8 };
    progress_text (&counts, 0, 0, text, sizeof text);
    assert_string_equal (text, "  0%  0/0+  0.0/s  3 running of 8 on 2 nodes  time 0s");
    counts = (struct progress_counts){ .complete = true };
    progress_text (&counts, 0, 0, text, sizeof text);
    assert_string_equal (text, "  0%  0/0  0.0/s  0 running  time 0s");
}

static void
bars (void **state)
{
    (void) state;
    char text[200];
    struct progress_counts counts = { .done = 500, .total = 1000, .complete = true };
    progress_text (&counts, 10 * TIME_S, 66, text, sizeof text);
    assert_string_equal (text, " 50%  ###########...........  500/1000  50/s  0 running  ETA 10s");
    for (int width = 1; width < 190; width++) {
        progress_text (&counts, 10 * TIME_S, width, text, sizeof text);
        assert_true (strlen (text) < (size_t) width);
    }
}

/*  Without a terminal a line at 2, 4, 8 s, and one at the end. */
static void
lines (void **state)
{
    (void) state;
    char *text = NULL;
    size_t size;
    struct clock_fake clock;
    struct progress progress;
    struct progress_counts counts = { .done = 1, .total = 2, .complete = true };
    clock_fake_init (&clock, TIME_S);
    FILE *out = open_memstream (&text, &size);
    progress_init (&progress, out, false, &clock.clock);
    int64_t due[] = { 2, 4, 8, 16, 32, 64, 124, 184 };
    for (size_t i = 0; i < sizeof due / sizeof *due; i++) {
        int64_t left = TIME_S + due[i] * TIME_S - clock.time;
        assert_int_equal (progress_wait (&progress), left);
        progress_update (&progress, &counts);
        clock.time += left;
        progress_update (&progress, &counts);
    }
    progress_end (&progress, &counts);
    assert_int_equal (progress_wait (&progress), TIME_FOREVER);
    fflush (out);
    int count = 0;
    for (const char *at = text; *at; at++)
        count += *at == '\n';
    assert_int_equal (count, 9);
    fclose (out);
    free (text);
}

int
main (void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test (texts), cmocka_unit_test (bars), cmocka_unit_test (lines) };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
