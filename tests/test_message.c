/*  test_message.c - frames in place and by reference */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/message.h"

static void
fill (unsigned char *data, size_t size, unsigned seed)
{
    for (size_t i = 0; i < size; i++)
        data[i] = (unsigned char) (seed + i * 7);
}

static void
assert_frame (const weft_msg_t *msg, size_t frame, size_t size, unsigned seed)
{
    unsigned char expected[4096];
    assert_in_range (size, 0, sizeof expected);
    fill (expected, size, seed);
    assert_int_equal (weft_msg_size (msg, frame), size);
    assert_non_null (weft_msg_data (msg, frame));
    assert_memory_equal (weft_msg_data (msg, frame), expected, size);
}

static void
add (weft_msg_t *msg, size_t size, unsigned seed)
{
    unsigned char data[4096];
    fill (data, size, seed);
    assert_int_equal (weft_msg_add (msg, data, size), 0);
}

/*  Sizes on both sides of what fits in place. */
static const size_t sizes[] = { 0, 1, 33, 34, 63, 64, 65, 100, 4096 };
enum { SIZES = sizeof sizes / sizeof sizes[0] };

static void
frames_of_all_sizes (void **state)
{
    (void) state;
    weft_msg_t msg;
    weft_msg_init (&msg);
    size_t bytes = 0;
    for (unsigned i = 0; i < SIZES; i++) {
        add (&msg, sizes[i], i);
        bytes += sizes[i];
    }
    assert_int_equal (weft_msg_frames (&msg), SIZES);
    assert_int_equal (weft_msg_bytes (&msg), bytes);
    for (unsigned i = 0; i < SIZES; i++)
        assert_frame (&msg, i, sizes[i], i);
    assert_null (weft_msg_data (&msg, SIZES));
    assert_int_equal (weft_msg_size (&msg, SIZES), 0);
    weft_msg_clear (&msg);
    assert_int_equal (weft_msg_frames (&msg), 0);
    add (&msg, 10, 1);
    assert_frame (&msg, 0, 10, 1);
    weft_msg_clear (&msg);
}

static void
push_and_pop (void **state)
{
    (void) state;
    weft_msg_t msg;
    weft_msg_init (&msg);
    unsigned char data[200];
    for (unsigned i = 0; i < 10; i++) {
        fill (data, sizeof data, i);
        assert_int_equal (weft_msg_push (&msg, data, i * 20), 0);
    }
    for (unsigned i = 0; i < 10; i++)
        assert_frame (&msg, 9 - i, i * 20, i);
    weft_msg_pop (&msg, 3);
    assert_int_equal (weft_msg_frames (&msg), 7);
    assert_frame (&msg, 0, 6 * 20, 6);
    weft_msg_pop (&msg, 100);
    assert_int_equal (weft_msg_frames (&msg), 0);
    weft_msg_clear (&msg);
}

static void
copy_shares_and_move_empties (void **state)
{
    (void) state;
    weft_msg_t a, b;
    weft_msg_init (&a);
    weft_msg_init (&b);
    for (unsigned i = 0; i < SIZES; i++)
        add (&a, sizes[i], i);
    add (&b, 77, 3);
    assert_int_equal (weft_msg_copy (&b, &a), 0);
    assert_ptr_equal (weft_msg_data (&a, SIZES - 1), weft_msg_data (&b, SIZES - 1));
    weft_msg_clear (&a);
    for (unsigned i = 0; i < SIZES; i++)
        assert_frame (&b, i, sizes[i], i);
    add (&a, 5, 5);
    weft_msg_move (&a, &b);
    assert_int_equal (weft_msg_frames (&b), 0);
    for (unsigned i = 0; i < SIZES; i++)
        assert_frame (&a, i, sizes[i], i);
    weft_msg_move (&a, &a);
    assert_int_equal (weft_msg_frames (&a), SIZES);
    weft_msg_clear (&a);
}

static void
move_of_frames_in_place (void **state)
{
    (void) state;
    weft_msg_t a, b;
    weft_msg_init (&a);
    weft_msg_init (&b);
    add (&a, 12, 1);
    weft_msg_move (&b, &a);
    memset (&a, 0xff, sizeof a);    /*  b must not look into a */
    assert_frame (&b, 0, 12, 1);
    weft_msg_clear (&b);
}

static void
count_release (void *data, void *hint)
{
    ++*(int *) hint;
    free (data);
}

static void
owned_bodies_are_released_once (void **state)
{
    (void) state;
    int released = 0;
    weft_msg_t a, b;
    weft_msg_init (&a);
    weft_msg_init (&b);
    unsigned char *data = malloc (1000);
    fill (data, 1000, 9);
    assert_int_equal (weft_msg_add_owned (&a, data, 1000, count_release, &released), 0);
    assert_ptr_equal (weft_msg_data (&a, 0), data);
    assert_int_equal (weft_msg_copy (&b, &a), 0);
    weft_msg_clear (&a);
    assert_int_equal (released, 0);
    assert_frame (&b, 0, 1000, 9);
    weft_msg_clear (&b);
    assert_int_equal (released, 1);
}

static void
reserve_gives_room_to_fill (void **state)
{
    (void) state;
    weft_msg_t msg;
    weft_msg_init (&msg);
    for (unsigned i = 0; i < SIZES; i++)
        fill (weft_msg_reserve (&msg, sizes[i]), sizes[i], i);
    for (unsigned i = 0; i < SIZES; i++)
        assert_frame (&msg, i, sizes[i], i);
    weft_msg_clear (&msg);
}

static void
frames_are_limited (void **state)
{
    (void) state;
    weft_msg_t msg;
    weft_msg_init (&msg);
    for (int i = 0; i < WEFT_MSG_FRAMES_MAX; i++)
        assert_int_equal (weft_msg_add (&msg, "x", 1), 0);
    assert_int_equal (weft_msg_add (&msg, "x", 1), WEFT_ETOOBIG);
    assert_int_equal (weft_msg_push (&msg, "x", 1), WEFT_ETOOBIG);
    assert_null (weft_msg_reserve (&msg, 1));
    assert_int_equal (weft_msg_frames (&msg), WEFT_MSG_FRAMES_MAX);
    weft_msg_clear (&msg);
}

static void
take_splits_a_message (void **state)
{
    (void) state;
    weft_msg_t a, b;
    weft_msg_init (&a);
    weft_msg_init (&b);
    for (unsigned i = 0; i < SIZES; i++)
        add (&a, sizes[i], i);
    assert_int_equal (message_take (&b, &a, 3), 0);
    assert_int_equal (weft_msg_frames (&a), 3);
    assert_int_equal (weft_msg_frames (&b), SIZES - 3);
    for (unsigned i = 3; i < SIZES; i++)
        assert_frame (&b, i - 3, sizes[i], i);
    assert_int_equal (message_take (&b, &a, 100), 0);
    assert_int_equal (weft_msg_frames (&a), 3);
    assert_int_equal (weft_msg_frames (&b), 0);
    weft_msg_clear (&a);
    weft_msg_clear (&b);
}

int
main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (frames_of_all_sizes),       cmocka_unit_test (push_and_pop),
        cmocka_unit_test (copy_shares_and_move_empties), cmocka_unit_test (move_of_frames_in_place),
        cmocka_unit_test (owned_bodies_are_released_once), cmocka_unit_test (reserve_gives_room_to_fill),
        cmocka_unit_test (frames_are_limited),        cmocka_unit_test (take_splits_a_message),
    };
    return cmocka_run_group_tests_name ("message", tests, NULL, NULL);
}
