/*  test_fit.c - text for so many columns of a terminal */

#include "cli/fit.h"
#include "tests/testing.h"

static void
cut (void **state)
{
    static const struct {
        const char *text;
        int columns, used;
        const char *fits;
    } cases[] = {
        { "abc", 3, 3, "abc" },
        { "abc", 2, 2, "ab" },
        { "abc", 0, 0, "" },
        { "\xc3\xa4\xc3\xb6\xc3\xbc", 2, 2, "\xc3\xa4\xc3\xb6" },
        { "\xe6\xbc\xa2\xe5\xad\x97", 3, 2, "\xe6\xbc\xa2" },                   /*  each is two wide */
        { "\xe6\xbc\xa2\xe5\xad\x97", 4, 4, "\xe6\xbc\xa2\xe5\xad\x97" },
        { "e\xcc\x81x", 1, 1, "e\xcc\x81" },                                    /*  its accent comes along */
        { "\xf0\x9f\x98\x80!", 2, 2, "\xf0\x9f\x98\x80" },
        { "a\nb\tc\033[2J\x7f", 99, 10, "a b c?[2J?" },
        { "\xff\xc3(\xc0\x80\xed\xa0\x80", 99, 8, "?\?(?????" },                 /*  no UTF-8 */
        { "\xc2\x9b" "2J\xe2\x80\xae", 99, 7, "??2J???" },                      /*  steers terminals all the same */
        { "\xe6\xbc", 99, 2, "??" },
    };
    struct buffer out;
    (void) state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        buffer_init (&out, 0);
        int used = fit_add (&out, cases[i].text, strlen (cases[i].text), cases[i].columns);
        assert_int_equal (buffer_terminate (&out), 0);
        assert_string_equal (buffer_data (&out), cases[i].fits);
        assert_int_equal (used, cases[i].used);
        buffer_free (&out);
    }
}

int
main (void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test (cut) };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
