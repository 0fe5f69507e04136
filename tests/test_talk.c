/*  test_talk.c - lines of other threads come in their order, and are bounded */

#include "cli/talk.h"

#include <poll.h>

#include "tests/testing.h"

static bool
stirs (struct talk *talk)
{
    struct pollfd fd = { .fd = talk->fd, .events = POLLIN };
    return poll (&fd, 1, 0) > 0;
}

static void
lines (void **state)
{
    (void) state;
    struct talk talk;
    bool error;
    char *line;
    assert_int_equal (talk_init (&talk), 0);
    assert_false (stirs (&talk));
    talk_say (&talk, false, "one %d\n\033[31m", 1);
    talk_say (&talk, true, "two");
    assert_true (stirs (&talk));
    assert_string_equal (line = talk_next (&talk, &error), "one 1  [31m");
    assert_false (error);
    free (line);
    assert_string_equal (line = talk_next (&talk, &error), "two");
    assert_true (error);
    free (line);
    assert_null (talk_next (&talk, &error));
    assert_false (stirs (&talk));
    talk_stir (&talk);
    assert_true (stirs (&talk));
    talk_say (&talk, true, "left");
    talk_free (&talk);
}

static void
too_many (void **state)
{
    (void) state;
    struct talk talk;
    bool error;
    char *line, last[64] = "";
    int count = 0;
    assert_int_equal (talk_init (&talk), 0);
    for (int i = 0; i < 1500; i++)
        talk_say (&talk, false, "%d", i);
    while ((line = talk_next (&talk, &error))) {
        snprintf (last, sizeof last, "%s", line);
        free (line);
        count++;
    }
    assert_int_equal (count, 1001);
    assert_string_equal (last, "... and 500 lines more");
    talk_free (&talk);
}

int
main (void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test (lines), cmocka_unit_test (too_many) };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
