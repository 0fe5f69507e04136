/*  test_pool_known.c - jobs are found by their content, each once, however many are the same */

#include "patterns/pool_known.h"
#include "tests/testing.h"

static const unsigned char *
hash_of (uint64_t number)
{
    static uint64_t hash[2];
    hash[0] = number % 3;           /*  they meet in the table */
    hash[1] = number;
    return (const unsigned char *) hash;
}

static void
test_each_once (void **state)
{
    struct known known;
    uint64_t id;
    (void) state;
    assert_int_equal (known_init (&known, 1000), 0);
    for (uint64_t i = 1; i <= 1000; i++)
        assert_int_equal (known_add (&known, i, hash_of (i % 500)), 0);
    assert_int_equal (known_add (&known, 1001, hash_of (1)), WEFT_EPROTO);
    assert_int_equal (known_take (&known, hash_of (500), &id), 0);
    for (uint64_t i = 1; i <= 1000; i++) {
        assert_int_equal (known_take (&known, hash_of (i % 500), &id), 1);
        assert_int_equal (id, i);
    }
    assert_int_equal (known_take (&known, hash_of (1), &id), 0);
    known_free (&known);
    assert_int_equal (known_take (&known, hash_of (1), &id), 0);
}

/*  A table that looked through all of them each time would not come to an end. */
static void
test_all_the_same (void **state)
{
    enum { MANY = 1000000 };
    struct known known;
    uint64_t id = 0;
    (void) state;
    assert_int_equal (known_init (&known, MANY), 0);
    for (uint64_t i = 1; i <= MANY; i++)
        assert_int_equal (known_add (&known, i, hash_of (7)), 0);
    for (uint64_t i = 1; i <= MANY; i++)
        assert_int_equal (known_take (&known, hash_of (7), &id), 1);
    assert_int_equal (id, MANY);
    known_free (&known);
}

int
main (void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test (test_each_once), cmocka_unit_test (test_all_the_same) };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
