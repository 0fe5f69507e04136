/*  test_framing.c - each framing there and back: all at once, a byte at a time, too big, broken, cut off */

#include "tests/testing.h"

#include "codec/framing.h"
#include "core/buffer.h"
#include "core/clock.h"

static struct framing
framing_of (const char *text, size_t max_size)
{
    struct framing framing;
    if (framing_parse (&framing, text, max_size))
        fail_msg ("%s: %s", text, weft_error ());
    return framing;
}

/*  Decodes `data`, of which `step` more bytes are there each time: the messages as text, each followed by "|"; at an
 *  error its code. */
static const char *
decoded (const struct framing *framing, const char *data, size_t size, size_t step)
{
    static char text[4096];
    size_t at = 0, have = 0, scanned = 0, length = 0;
    text[0] = '\0';
    while (have < size) {
        have = have + step < size ? have + step : size;
        /*  A block of its very size: reading past the end is seen by valgrind and asan. */
        unsigned char *bytes = malloc (have - at ? have - at : 1);
        memcpy (bytes, data + at, have - at);
        size_t base = at;
        for (;;) {
            const unsigned char *body = NULL;
            size_t body_size = 0;
            int64_t taken = framing_next (framing, &scanned, bytes + (at - base), have - at, &body, &body_size);
            if (taken == 0)
                break;
            if (taken < 0) {
                snprintf (text + length, sizeof text - length, "%d", (int) taken);
                free (bytes);
                return text;
            }
            length += (size_t) snprintf (text + length, sizeof text - length, "%.*s|", (int) body_size, body);
            at += (size_t) taken;
        }
        free (bytes);
    }
    return text;
}

static void
check (const char *name, const char *data, size_t size, const char *expected)
{
    struct framing framing = framing_of (name, 10);
    for (size_t step = 1; step <= size + 1; step++)
        assert_string_equal (decoded (&framing, data, size, step), expected);
}
#define CHECK(name, data, expected) check (name, data, sizeof data - 1, expected)

static void
finds_messages_however_they_come (void **state)
{
    (void) state;
    CHECK ("line", "one\n\ntwo\r\nthree", "one||two\r|");
    CHECK ("nul", "one\0two\nx\0y", "one|two\nx|");
    CHECK ("len16", "\0\3one\0\0\0\5three\0\7cut", "one||three|");
    CHECK ("len32", "\0\0\0\3one\0\0\0\0\0\0\0\1x\0\0\0", "one||x|");
    CHECK ("fixed:3", "onetwocu", "one|two|");
    CHECK ("netstring", "3:one,0:,5:three,10:0123456789,4:cut", "one||three|0123456789|");
}

static void
raw_takes_what_there_is (void **state)
{
    (void) state;
    struct framing framing = framing_of ("raw", 4);
    assert_string_equal (decoded (&framing, "abcdef", 6, 6), "abcd|ef|");
    assert_string_equal (decoded (&framing, "abc", 3, 1), "a|b|c|");
}

static void
refuses_what_is_too_big_before_it_is_there (void **state)
{
    (void) state;
    CHECK ("line", "0123456789\n", "0123456789|");
    CHECK ("line", "0123456789a", "-14");
    CHECK ("nul", "0123456789a\0", "-14");
    CHECK ("len16", "\0\013", "-14");
    CHECK ("len32", "\177\377\377\377", "-14");
    CHECK ("len32", "\377\377\377\377", "-14");
    CHECK ("netstring", "11", "-14");
    CHECK ("netstring", "99999999999999999999:", "-14");
}

static void
refuses_what_is_no_netstring (void **state)
{
    (void) state;
    CHECK ("netstring", "3:one,x", "one|-15");
    CHECK ("netstring", ":", "-15");
    CHECK ("netstring", "-1:", "-15");
    CHECK ("netstring", "01:x,", "-15");
    CHECK ("netstring", "3 one", "-15");
    CHECK ("netstring", "3:onex", "-15");
}

static void
knows_what_counts_at_the_end (void **state)
{
    (void) state;
    struct framing line = framing_of ("line", 10), len16 = framing_of ("len16", 10);
    assert_true (framing_last (&line, 3));
    assert_false (framing_last (&line, 0));
    assert_false (framing_last (&len16, 3));
}

static void
writes_what_it_reads (void **state)
{
    (void) state;
    static const char *const all[] = { "line", "nul", "len16", "len32", "fixed:5", "netstring" };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        struct framing framing = framing_of (all[i], 100);
        struct framing_frame frame;
        struct buffer out;
        buffer_init (&out, 0);
        for (int repeat = 0; repeat < 2; repeat++) {
            assert_int_equal (framing_wrap (&framing, 5, &frame), 0);
            buffer_add (&out, frame.head, frame.head_size);
            buffer_add (&out, "hello", 5);
            buffer_add (&out, frame.tail, frame.tail_size);
        }
        assert_string_equal (decoded (&framing, buffer_data (&out), buffer_size (&out), 1), "hello|hello|");
        buffer_free (&out);
    }
}

static void
says_what_cannot_be_written (void **state)
{
    (void) state;
    struct framing_frame frame;
    struct framing len16 = framing_of ("len16", 1 << 20), fixed = framing_of ("fixed:5", 100);
    assert_int_equal (framing_wrap (&len16, 65535, &frame), 0);
    assert_int_equal (framing_wrap (&len16, 65536, &frame), WEFT_EINVAL);
    assert_int_equal (framing_wrap (&fixed, 4, &frame), WEFT_EINVAL);
}

static void
names_are_checked (void **state)
{
    (void) state;
    struct framing framing;
    assert_int_equal (framing_of ("fixed:2k", 1 << 20).fixed, 2048);
    assert_int_equal (framing_parse (&framing, "lines", 10), WEFT_EINVAL);
    assert_says ("netstring");
    assert_int_equal (framing_parse (&framing, "fixed:", 10), WEFT_EINVAL);
    assert_int_equal (framing_parse (&framing, "fixed:0", 10), WEFT_EINVAL);
    assert_int_equal (framing_parse (&framing, "fixed:11", 10), WEFT_EINVAL);
    assert_says ("--max-size");
}

int
main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (finds_messages_however_they_come),
        cmocka_unit_test (raw_takes_what_there_is),
        cmocka_unit_test (refuses_what_is_too_big_before_it_is_there),
        cmocka_unit_test (refuses_what_is_no_netstring),
        cmocka_unit_test (knows_what_counts_at_the_end),
        cmocka_unit_test (writes_what_it_reads),
        cmocka_unit_test (says_what_cannot_be_written),
        cmocka_unit_test (names_are_checked),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
