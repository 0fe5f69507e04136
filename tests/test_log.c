/*  test_log.c - one event, one printable line */

#include "tests/testing.h"

#include <errno.h>

#include "core/log.h"

struct seen {
    int level, count;
    char text[4096];
};

static void
remember (void *arg, int level, const char *text)
{
    struct seen *seen = arg;
    seen->level = level;
    seen->count++;
    snprintf (seen->text, sizeof seen->text, "%s", text);
    errno = EBADF;
}

static void
formats_and_passes_the_level (void **state)
{
    (void) state;
    struct seen seen = { 0 };
    struct log log = { remember, &seen };
    log_warning (&log, "%d of %s", 3, "four");
    assert_int_equal (seen.level, WEFT_LOG_WARNING);
    assert_string_equal (seen.text, "3 of four");
    log_debug (&log, "more");
    assert_int_equal (seen.level, WEFT_LOG_DEBUG);
    assert_int_equal (seen.count, 2);
}

static void
a_foreign_text_cannot_forge_a_line (void **state)
{
    (void) state;
    struct seen seen = { 0 };
    struct log log = { remember, &seen };
    log_error (&log, "peer said %s", "a\nb\033[2J\177\tumlaut \xc3\xbc");
    assert_string_equal (seen.text, "peer said a?b?[2J??umlaut \xc3\xbc");
}

static void
a_long_line_is_cut_and_shows_it (void **state)
{
    (void) state;
    struct seen seen = { 0 };
    struct log log = { remember, &seen };
    char text[3000];
    memset (text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    log_info (&log, "%s", text);
    size_t length = strlen (seen.text);
    assert_true (length < sizeof text);
    assert_string_equal (seen.text + length - 4, "x...");
}

static void
leaves_errno_alone_and_may_be_silent (void **state)
{
    (void) state;
    struct seen seen = { 0 };
    struct log log = { remember, &seen }, silent = { NULL, NULL };
    errno = ENOENT;
    log_error (&log, "x");
    log_error (&silent, "x");
    assert_int_equal (errno, ENOENT);
    assert_int_equal (seen.count, 1);
}

int
main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (formats_and_passes_the_level),
        cmocka_unit_test (a_foreign_text_cannot_forge_a_line),
        cmocka_unit_test (a_long_line_is_cut_and_shows_it),
        cmocka_unit_test (leaves_errno_alone_and_may_be_silent),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
