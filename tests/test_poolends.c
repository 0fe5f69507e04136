/*  test_poolends.c - a pool is not offered to a network by mistake */

#include "cli/poolends.h"
#include "tests/testing.h"

static void
local_only (void **state)
{
    (void) state;
    static const char *const local[] = { "tcp://127.0.0.1:0", "tcp://[::1]:6000", "tcp://localhost:1", "ipc:///tmp/x",
                                         "inproc://x" };
    static const char *const open[] = { "tcp://*:6000", "tcp://0.0.0.0:6000", "tcp://[::]:6000", "tcp://10.0.0.1:1" };
    for (size_t i = 0; i < sizeof local / sizeof *local; i++)
        assert_int_equal (poolends_check (local[i], false), 0);
    for (size_t i = 0; i < sizeof open / sizeof *open; i++) {
        assert_int_equal (poolends_check (open[i], false), WEFT_EACCES);
        assert_says ("--insecure");
        assert_int_equal (poolends_check (open[i], true), 0);
    }
    assert_int_equal (poolends_check ("tcp://127.0.0.1", true), WEFT_EENDPOINT);
}

int
main (void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test (local_only) };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
