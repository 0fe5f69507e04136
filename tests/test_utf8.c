/*  test_utf8.c - every code point, and what is none: whole, and cut at every place */

#include "tests/testing.h"

#include "codec/utf8.h"

/*  As RFC 3629 writes it, also for what it forbids. */
static size_t
encode (unsigned char *text, unsigned long point)
{
    if (point < 0x80) {
        text[0] = (unsigned char) point;
        return 1;
    }
    size_t size = point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
    static const unsigned char first[] = { 0, 0, 0xc0, 0xe0, 0xf0 };
    for (size_t i = size - 1; i > 0; i--, point >>= 6)
        text[i] = (unsigned char) (0x80 | (point & 0x3f));
    text[0] = (unsigned char) (first[size] | point);
    return size;
}

/*  At which byte it is refused, a byte at a time; `size` when it never is. */
static size_t
refused_at (const void *data, size_t size)
{
    struct utf8 self = { 0 };
    for (size_t i = 0; i < size; i++)
        if (!utf8_add (&self, (const unsigned char *) data + i, 1))
            return i;
    return size;
}

/*  The same however it is cut, and right behind enough ASCII for the fast path. */
static void
check (const void *data, size_t size, bool valid)
{
    unsigned char text[128];
    assert_true (size <= 64);
    assert_int_equal (utf8_valid (data, size), valid);
    for (size_t cut = 0; cut <= size; cut++) {
        struct utf8 self = { 0 };
        bool ok = utf8_add (&self, data, cut) && utf8_add (&self, (const unsigned char *) data + cut, size - cut);
        assert_int_equal (ok && utf8_whole (&self), valid);
    }
    for (size_t before = 0; before < 40; before++) {
        memset (text, 'a', sizeof text);
        memcpy (text + before, data, size);
        assert_int_equal (utf8_valid (text, before + size), valid);
    }
}

static void
takes_every_code_point_and_no_other (void **state)
{
    (void) state;
    unsigned char text[4];
    for (unsigned long point = 0; point < 0x120000; point++) {
        bool valid = point <= 0x10ffff && (point < 0xd800 || point > 0xdfff);
        size_t size = encode (text, point);
        if (utf8_valid (text, size) != valid || (valid && refused_at (text, size) != size))
            fail_msg ("U+%04lX", point);
    }
}

static void
refuses_what_could_be_shorter (void **state)
{
    (void) state;
    check ("\xc0\x80", 2, false);
    check ("\xc1\xbf", 2, false);
    check ("\xe0\x80\x80", 3, false);
    check ("\xe0\x9f\xbf", 3, false);
    check ("\xf0\x8f\xbf\xbf", 4, false);
}

static void
refuses_what_is_no_text (void **state)
{
    (void) state;
    check ("\x80", 1, false);
    check ("\xbf", 1, false);
    check ("\xff", 1, false);
    check ("\xfe", 1, false);
    check ("\xf5\x80\x80\x80", 4, false);
    check ("\xf8\x88\x80\x80\x80", 5, false);
    check ("\xe2\x82" "a", 3, false);
    check ("\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xed\xa0\x80" "edited", 19, false);
}

static void
takes_text (void **state)
{
    (void) state;
    check ("", 0, true);
    check ("plain", 5, true);
    check ("\0", 1, true);
    check ("\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5", 11, true);
    check ("\xf0\x9f\x98\x80 \xe2\x82\xac", 8, true);
}

static void
knows_a_character_that_is_not_whole (void **state)
{
    (void) state;
    check ("\xe2\x82", 2, false);
    check ("\xf0\x9f\x98", 3, false);
    check ("abc\xc3", 4, false);
}

static void
tells_at_the_first_byte_that_cannot_be_mended (void **state)
{
    (void) state;
    assert_int_equal (refused_at ("\xf4\x90", 2), 1);
    assert_int_equal (refused_at ("\xed\xa0", 2), 1);
    assert_int_equal (refused_at ("a\xff", 2), 1);
    assert_int_equal (refused_at ("\xe2\x82\x20", 3), 2);
}

int
main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (takes_every_code_point_and_no_other),
        cmocka_unit_test (refuses_what_could_be_shorter),
        cmocka_unit_test (refuses_what_is_no_text),
        cmocka_unit_test (takes_text),
        cmocka_unit_test (knows_a_character_that_is_not_whole),
        cmocka_unit_test (tells_at_the_first_byte_that_cannot_be_mended),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
