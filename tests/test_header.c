/*  test_header.c - names of columns in place of their numbers */

#include "cli/header.h"
#include "tests/testing.h"

static void
numbers (void **state)
{
    (void) state;
    static const char *const cases[][2] = {
        { "", "" },
        { "{a} {a.} {a/} {a//} {a/.}", "{1} {1.} {1/} {1//} {1/.}" },
        { "{a b}{2}{ab}{}{a", "{2}{3}{ab}{}{a" },
        { "{a%} {{a}} a", "{a%} {{1}} a" },
        { "{3}{x.y.}", "{3}{5.}" },
    };
    static const char *const names[] = { "a", "a b", "2", "a", "x.y", "" };
    struct arglist list;
    struct buffer out;
    arglist_init (&list);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        assert_int_equal (arglist_add (&list, names[i], strlen (names[i])), 0);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        buffer_init (&out, 0);
        assert_int_equal (header_number (&list, cases[i][0], &out), 0);
        assert_string_equal (buffer_data (&out), cases[i][1]);
        buffer_free (&out);
    }
    arglist_free (&list);
}

int
main (void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test (numbers) };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
