/*  test_map.c - nodes come and go, also those of equal hash, while the table grows */

#include <stdbool.h>

#include "core/map.h"
#include "tests/testing.h"

enum { THINGS = 1000, HASHES = 100 };       /*  ten things share a hash */

struct thing {
    int number;
    struct map_node node;
};

static bool
is_in (const struct map *map, const struct thing *thing, uint64_t hash)
{
    for (struct map_node *node = map_first (map, hash); node; node = map_next (node))
        if (map_entry (node, struct thing, node) == thing)
            return true;
    return false;
}

static void
test_come_and_go (void **state)
{
    static struct thing things[THINGS];
    struct map map;
    (void) state;
    assert_int_equal (map_init (&map), 0);
    for (int i = 0; i < THINGS; i++) {
        things[i].number = i;
        map_add (&map, &things[i].node, hash_number ((uint64_t) (i % HASHES)));
    }
    assert_int_equal (map.count, THINGS);
    assert_true (map.mask > HASHES);
    for (int i = 0; i < THINGS; i += 2)
        map_remove (&map, &things[i].node);
    assert_int_equal (map.count, THINGS / 2);
    for (int i = 0; i < THINGS; i++)
        assert_int_equal (is_in (&map, &things[i], hash_number ((uint64_t) (i % HASHES))), i % 2);
    map_remove (&map, &things[0].node);
    assert_int_equal (map.count, THINGS / 2);
    assert_null (map_first (&map, hash_number (HASHES)));
    map_free (&map);
}

static void
test_hashes (void **state)
{
    (void) state;
    assert_true (hash_bytes ("a", 1) != hash_bytes ("b", 1));
    assert_true (hash_bytes ("a", 1) != hash_bytes ("a\0", 2));
    assert_true (hash_bytes ("ab", 2) == hash_bytes ("abc", 2));
    assert_true ((hash_number (1) & 15) != (hash_number (2) & 15) || (hash_number (1) & 15) != (hash_number (3) & 15));
}

int
main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_come_and_go),
        cmocka_unit_test (test_hashes),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
