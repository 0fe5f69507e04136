/*  test_buffer.c - growth, limits, and order under any mix of adding and consuming */

#include "tests/testing.h"

#include "core/buffer.h"
#include "core/clock.h"

static void
adds_and_consumes (void **state)
{
    (void) state;
    struct buffer buffer;
    buffer_init (&buffer, 0);
    assert_int_equal (buffer_size (&buffer), 0);
    assert_int_equal (buffer_add (&buffer, NULL, 0), 0);
    assert_int_equal (buffer_add_str (&buffer, "hello "), 0);
    assert_int_equal (buffer_addf (&buffer, "%d-%s", 42, "world"), 0);
    assert_int_equal (buffer_size (&buffer), 14);
    assert_int_equal (buffer_terminate (&buffer), 0);
    assert_string_equal (buffer_data (&buffer), "hello 42-world");
    assert_int_equal (buffer_size (&buffer), 14);
    buffer_consume (&buffer, 6);
    assert_string_equal (buffer_data (&buffer), "42-world");
    buffer_consume (&buffer, 8);
    assert_int_equal (buffer_size (&buffer), 0);
    assert_int_equal (buffer.head, 0);
    buffer_add_str (&buffer, "x");
    buffer_clear (&buffer);
    assert_int_equal (buffer_size (&buffer), 0);
    buffer_free (&buffer);
    assert_null (buffer.base);
}

static void
reserve_gives_room_that_wrote_counts (void **state)
{
    (void) state;
    struct buffer buffer;
    buffer_init (&buffer, 100);
    char *room = buffer_reserve (&buffer, 100);
    assert_non_null (room);
    memset (room, 'a', 100);
    assert_int_equal (buffer_size (&buffer), 0);
    buffer_wrote (&buffer, 40);
    assert_int_equal (buffer_size (&buffer), 40);
    assert_non_null (buffer_reserve (&buffer, 60));
    assert_non_null (buffer_reserve (&buffer, 0));
    assert_null (buffer_reserve (&buffer, 61));
    assert_says ("limit of 100");
    buffer_free (&buffer);
    assert_non_null (buffer_reserve (&buffer, 0));
    buffer_free (&buffer);
}

static void
the_limit_holds_and_changes_nothing (void **state)
{
    (void) state;
    struct buffer buffer;
    buffer_init (&buffer, 8);
    assert_int_equal (buffer_add_str (&buffer, "12345678"), 0);
    assert_int_equal (buffer_add_str (&buffer, "9"), WEFT_ETOOBIG);
    assert_int_equal (buffer_addf (&buffer, "%d", 9), WEFT_ETOOBIG);
    assert_int_equal (buffer_add (&buffer, "x", SIZE_MAX), WEFT_ETOOBIG);
    assert_int_equal (buffer_terminate (&buffer), 0);       /*  the NUL is not counted */
    assert_string_equal (buffer_data (&buffer), "12345678");
    buffer_consume (&buffer, 1);
    assert_int_equal (buffer_add_str (&buffer, "9"), 0);
    assert_int_equal (buffer_addf (&buffer, "%s", ""), 0);
    assert_int_equal (buffer_terminate (&buffer), 0);
    assert_string_equal (buffer_data (&buffer), "23456789");
    buffer_free (&buffer);
}

/*  A queue of numbered bytes must come out in order, and the memory stay bounded. */
static void
keeps_order_in_bounded_memory (void **state)
{
    (void) state;
    struct buffer buffer;
    uint64_t seed = 1;
    unsigned char in = 0, out = 0;
    buffer_init (&buffer, 1000);
    for (int i = 0; i < 20000; i++) {
        size_t add = random_next (&seed) % 300, take = random_next (&seed) % 300;
        char *room = buffer_reserve (&buffer, add);
        for (size_t j = 0; room && j < add; j++)
            room[j] = (char) in++;
        buffer_wrote (&buffer, room ? add : 0);
        for (; take && buffer_size (&buffer); take--) {
            assert_int_equal ((unsigned char) *buffer_data (&buffer), out++);
            buffer_consume (&buffer, 1);
        }
        assert_true (buffer_size (&buffer) <= 1000);
        assert_true (buffer.capacity <= 2001);
    }
    assert_int_equal ((unsigned char) (in - out), buffer_size (&buffer) % 256);
    buffer_free (&buffer);
}

int
main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (adds_and_consumes),
        cmocka_unit_test (reserve_gives_room_that_wrote_counts),
        cmocka_unit_test (the_limit_holds_and_changes_nothing),
        cmocka_unit_test (keeps_order_in_bounded_memory),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
