/*  test_crc32.c - the checksum of zlib: known values, any split, every byte counts */

#include <string.h>

#include "core/crc32.h"
#include "tests/testing.h"

static void
known_values (void **state)
{
    (void) state;
    static const char text[] = "The quick brown fox jumps over the lazy dog";
    assert_int_equal (crc32_add (0, "", 0), 0);
    assert_int_equal (crc32_add (0, "123456789", 9), 0xcbf43926);
    assert_int_equal (crc32_add (0, text, sizeof text - 1), 0x414fa339);
    for (size_t split = 0; split < sizeof text; split++)
        assert_int_equal (crc32_add (crc32_add (0, text, split), text + split, sizeof text - 1 - split), 0x414fa339);
}

static void
every_bit_counts (void **state)
{
    (void) state;
    unsigned char bytes[67];
    memset (bytes, 'x', sizeof bytes);
    uint32_t whole = crc32_add (0, bytes, sizeof bytes);
    for (size_t bit = 0; bit < 8 * sizeof bytes; bit++) {
        bytes[bit / 8] ^= (unsigned char) (1 << bit % 8);
        assert_int_not_equal (crc32_add (0, bytes, sizeof bytes), whole);
        bytes[bit / 8] ^= (unsigned char) (1 << bit % 8);
    }
}

int
main (void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test (known_values), cmocka_unit_test (every_bit_counts) };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
