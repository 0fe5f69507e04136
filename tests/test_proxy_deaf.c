/*  test_proxy_deaf.c - who is remembered as not reading, and for how long */

#include "patterns/proxy_deaf.h"
#include "tests/testing.h"

static uint64_t
name_of (const char *id, const char *body)
{
    weft_msg_t msg;
    weft_msg_init (&msg);
    weft_msg_add_str (&msg, id);
    weft_msg_add_str (&msg, body);
    uint64_t name = deaf_name (&msg);
    weft_msg_clear (&msg);
    return name;
}

static void
a_client_is_known_by_its_routing_id (void **state)
{
    (void) state;
    assert_true (name_of ("one", "x") == name_of ("one", "y"));
    assert_false (name_of ("one", "x") == name_of ("two", "x"));
}

static void
who_reads_again_is_forgotten (void **state)
{
    (void) state;
    struct deaf deaf = { .count = 0 };
    for (uint64_t client = 1; client <= 3; client++)
        deaf_add (&deaf, client);
    deaf_add (&deaf, 3);
    assert_int_equal (deaf.count, 3);
    deaf_remove (&deaf, 1);
    deaf_remove (&deaf, 1);
    assert_false (deaf_knows (&deaf, 1));
    assert_true (deaf_knows (&deaf, 2) && deaf_knows (&deaf, 3));
    assert_int_equal (deaf.count, 2);
}

static void
the_list_is_bounded (void **state)
{
    (void) state;
    struct deaf deaf = { .count = 0 };
    for (uint64_t client = 1; client <= 3 * DEAF_MAX; client++) {
        deaf_add (&deaf, client);
        assert_true (deaf_knows (&deaf, client));
    }
    assert_int_equal (deaf.count, DEAF_MAX);
    assert_false (deaf_knows (&deaf, 1));
}

int
main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (a_client_is_known_by_its_routing_id),
        cmocka_unit_test (who_reads_again_is_forgotten),
        cmocka_unit_test (the_list_is_bounded),
    };
    return cmocka_run_group_tests_name ("proxy_deaf", tests, NULL, NULL);
}
