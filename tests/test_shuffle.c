/*  test_shuffle.c - rows of texts in random order */

#include "cli/shuffle.h"
#include "tests/testing.h"

#define ROWS 1000

/*  Each row comes once and whole, and not where it was: the chance of that is 1 in 1000!. */
static void
permutation (void **state)
{
    (void) state;
    static char texts[ROWS][2][8];
    bool seen[ROWS] = { false };
    struct shuffle shuffle = { .width = 2, .bytes_max = 1 << 20 };
    size_t same = 0, row = 0;
    for (size_t i = 0; i < ROWS; i++) {
        char *texts_of[] = { texts[i][0], texts[i][1] };
        assert_int_equal (shuffle_add (&shuffle, texts_of), 0);
    }
    assert_int_equal (shuffle_mix (&shuffle), 0);
    for (char *const *next; (next = shuffle_next (&shuffle)); row++) {
        size_t index = (size_t) (next[0] - texts[0][0]) / sizeof *texts;
        assert_true (index < ROWS && !seen[index] && next[1] == texts[index][1]);
        seen[index] = true;
        same += index == row;
    }
    assert_int_equal (row, ROWS);
    assert_true (same < ROWS);
    shuffle_free (&shuffle);
}

static void
limits (void **state)
{
    (void) state;
    char text[] = "x", *row[] = { text, text, text };
    struct shuffle shuffle = { .width = 3, .bytes_max = 7 * 3 * sizeof *row + 1 };
    for (int i = 0; i < 7; i++)
        assert_int_equal (shuffle_add (&shuffle, row), 0);
    assert_int_equal (shuffle_add (&shuffle, row), WEFT_ETOOBIG);
    shuffle_free (&shuffle);
    shuffle.width = 1;
    assert_int_equal (shuffle_mix (&shuffle), 0);
    assert_null (shuffle_next (&shuffle));
    shuffle_free (&shuffle);
}

int
main (void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test (permutation), cmocka_unit_test (limits) };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
