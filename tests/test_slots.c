/*  test_slots.c - -j as GNU parallel reads it */

#include "cli/slots.h"
#include "tests/testing.h"

static void
forms (void **state)
{
    (void) state;
    static const struct {
        const char *text;
        int expected;
    } cases[] = { { NULL, 4 }, { "1", 1 }, { "8", 8 }, { "100%", 4 }, { "50%", 2 }, { "10%", 1 },
                  { "250%", 10 }, { "+2", 6 }, { "-1", 3 }, { "-9", 1 }, { "+0", 4 }, { "0%", 1 }, { "4096", 4096 } };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int slots = 0;
        assert_int_equal (slots_parse (cases[i].text, 4, &slots), 0);
        assert_int_equal (slots, cases[i].expected);
    }
    int many;
    assert_int_equal (slots_parse ("0", 4, &many), 0);
    assert_true (many >= 1 && many <= 1000);
    assert_true (slots_processors () >= 1);
}

static void
refusals (void **state)
{
    (void) state;
    static const char *const bad[] = { "", "x", "4x", "4%%", "+2%", "--1", "+", "%", " 4", "1e3", "99999", "1000001",
                                       "99999999999999999999", "9223372036854775807%", "+9223372036854775807" };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        int slots = -7;
        assert_int_equal (slots_parse (bad[i], 4, &slots), WEFT_EINVAL);
        assert_int_equal (slots, -7);
    }
}

int
main (void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test (forms), cmocka_unit_test (refusals) };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
