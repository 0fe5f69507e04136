/*  test_info.c - weft_option_info: what describes the options is whole and true */

#include "tests/sockets.h"

static const char *const patterns[] = { "req", "rep", "pub", "sub", "push", "pull" };

static void
every_option_can_be_set_to_its_default (void **state)
{
    (void) state;
    for (int p = 0; p < 6; p++) {
        weft_socket_t *socket = open_with (patterns[p], NULL);
        weft_option_info_t info;
        size_t count = 0;
        for (; weft_option_info (patterns[p], count, &info) == 0; count++) {
            char value[64];
            assert_non_null (info.name);
            assert_non_null (info.range);
            assert_true (strlen (info.text) > 10);
            if (info.repeatable)
                continue;
            assert_int_equal (weft_get (socket, info.name, value, sizeof value), 0);
            assert_string_equal (value, info.standard ? info.standard : "");
            assert_int_equal (weft_set (socket, info.name, value), 0);
        }
        assert_in_range (count, 8, 20);
        assert_int_equal (weft_option_info (patterns[p], count, &info), WEFT_EEND);
        assert_int_equal (weft_option_info (patterns[p], 1000000, &info), WEFT_EEND);
        weft_close (&socket);
    }
}

static void
topics_are_live_and_repeatable (void **state)
{
    (void) state;
    weft_option_info_t info;
    for (size_t i = 0; weft_option_info ("sub", i, &info) == 0; i++)
        if (strcmp (info.name, "topic") == 0) {
            assert_true (info.live && info.repeatable);
            return;
        }
    fail ();
}

static void
handles_that_are_no_pattern (void **state)
{
    (void) state;
    weft_option_info_t info;
    assert_int_equal (weft_option_info ("proxy", 0, &info), 0);
    assert_string_equal (info.name, "hwm");
    assert_string_equal (info.standard, "1000");
    assert_false (info.live || info.repeatable);
    assert_int_equal (weft_option_info ("teapot", 0, &info), WEFT_EINVAL);
}

int
main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown (every_option_can_be_set_to_its_default, mem_setup, mem_teardown),
        cmocka_unit_test (topics_are_live_and_repeatable),
        cmocka_unit_test (handles_that_are_no_pattern),
    };
    return cmocka_run_group_tests_name ("info", tests, NULL, NULL);
}
