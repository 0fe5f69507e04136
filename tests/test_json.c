/*  test_json.c - strict reading of every kind of value, writing of every kind of string */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "codec/json.h"

/*  Reads a whole text as one value; the words of the complaint, or NULL. */
static const char *
read_all (const char *text, size_t size)
{
    static char copy[512];
    assert_true (size <= sizeof copy);
    memcpy (copy, text, size);
    struct json_reader reader;
    json_reader_init (&reader, copy, size);
    int rc = json_skip (&reader);
    if (rc == 0)
        rc = json_end (&reader);
    assert_true (rc == 0 || rc == WEFT_EPROTO);
    return rc == 0 ? NULL : weft_error ();
}

static void
test_good (void **state)
{
    (void) state;
    static const char *const texts[] = {
        "{}", "[]", " \t\r\n{ \"a\" : 1 , \"b\" : [ ] } \n", "true", "false", "null", "0", "-0", "10.25", "1e9", "1E+9",
        "-1.5e-3", "\"\"", "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\ud83d\\ude00\\u0000\"", "\"\x7f\xc2\x80\xdf\xbf\"",
        "\"\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf\"", "\"\xf0\x90\x80\x80\xf4\x8f\xbf\xbf\"",
        "[1,[2,{\"x\":[3]}],4]",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        assert_null (read_all (texts[i], strlen (texts[i])));
}

static void
test_bad (void **state)
{
    (void) state;
    static const char *const pairs[][2] = {
        { "", "column 1: the text ends where a value is expected" },
        { "[", "column 2: the text ends where a value is expected" },
        { "[1", "column 3: a comma or ] is expected" },
        { "[1 2]", "column 4: a comma or ] is expected" },
        { "[1,]", "column 4: a value is expected" },
        { "[,1]", "column 2: a value is expected" },
        { "{", "column 2: a name in quotes is expected" },
        { "{a:1}", "column 2: a name in quotes is expected" },
        { "{\"a\"}", "column 5: a colon is expected" },
        { "{\"a\":}", "column 6: a value is expected" },
        { "{\"a\":1,}", "column 8: a name in quotes is expected" },
        { "{\"a\":1", "column 7: a comma or } is expected" },
        { "{\"a\":1]", "column 7: a comma or } is expected" },
        { "tru", "column 1: a value is expected" },
        { "nul1", "column 1: a value is expected" },
        { "falsy", "column 1: a value is expected" },
        { "nullx", "column 5: something follows the value" },
        { "1 2", "column 3: something follows the value" },
        { "01", "column 2: a number begins with 0" },
        { "-", "column 2: a digit is expected" },
        { "+1", "column 1: a value is expected" },
        { ".5", "column 1: a value is expected" },
        { "1.", "column 3: a digit is expected after the point" },
        { "1e", "column 3: a digit is expected in the exponent" },
        { "NaN", "column 1: a value is expected" },
        { "'a'", "column 1: a value is expected" },
        { "\"", "column 2: a string has no closing quote" },
        { "\"a\tb\"", "column 3: a control character in a string must be escaped" },
        { "\"\\x\"", "column 3: unknown escape in a string; known are \\\" \\\\ \\/ \\b \\f \\n \\r \\t \\uXXXX" },
        { "\"\\", "column 3: unknown escape in a string; known are \\\" \\\\ \\/ \\b \\f \\n \\r \\t \\uXXXX" },
        { "\"\\u12g4\"", "column 3: \\u needs four hex digits" },
        { "\"\\u123", "column 3: \\u needs four hex digits" },
        { "\"\\ud83d\"", "column 8: half of a surrogate pair in \\u: no character" },
        { "\"\\ud83d\\u0041\"", "column 8: half of a surrogate pair in \\u: no character" },
        { "\"\\ude00\\ud83d\"", "column 8: half of a surrogate pair in \\u: no character" },
        { "\"\xff\"", "column 2: not UTF-8" },
        { "\"\xc0\x80\"", "column 2: not UTF-8" },
        { "\"\xe0\x9f\xbf\"", "column 2: not UTF-8" },
        { "\"\xed\xa0\x80\"", "column 2: not UTF-8" },
        { "\"\xf0\x8f\xbf\xbf\"", "column 2: not UTF-8" },
        { "\"\xf4\x90\x80\x80\"", "column 2: not UTF-8" },
        { "\"\xe2\x82\"", "column 2: not UTF-8" },
        { "\"\xc3", "column 2: not UTF-8" },
        { "\"\x80\"", "column 2: not UTF-8" },
    };
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        const char *words = read_all (pairs[i][0], strlen (pairs[i][0]));
        assert_non_null (words);
        assert_string_equal (words, pairs[i][1]);
    }
    assert_string_equal (read_all ("\0", 1), "column 1: a value is expected");
    assert_string_equal (read_all ("1\0", 2), "column 2: something follows the value");
    assert_string_equal (read_all ("\"\\\0\"", 4),
                         "column 3: unknown escape in a string; known are \\\" \\\\ \\/ \\b \\f \\n \\r \\t \\uXXXX");
}

static void
test_depth (void **state)
{
    (void) state;
    char text[2 * JSON_DEPTH_MAX + 2];
    memset (text, '[', JSON_DEPTH_MAX);
    memset (text + JSON_DEPTH_MAX, ']', JSON_DEPTH_MAX);
    assert_null (read_all (text, 2 * JSON_DEPTH_MAX));
    memset (text, '[', JSON_DEPTH_MAX + 1);
    memset (text + JSON_DEPTH_MAX + 1, ']', JSON_DEPTH_MAX + 1);
    assert_string_equal (read_all (text, sizeof text), "column 33: nested too deeply");
}

/*  Members and items come one by one, strings unescaped, siblings after nested ones included. */
static void
test_pull (void **state)
{
    (void) state;
    char text[] = "{\"k\\u0065y\":[\"\\ud83d\\ude00\",{}],\"b\":\"a\\nb\\u0000\"}";
    struct json_reader reader;
    struct json_string string;
    json_reader_init (&reader, text, sizeof text - 1);
    assert_int_equal (json_peek (&reader), '{');
    assert_int_equal (json_enter (&reader, '{'), 0);
    assert_int_equal (json_next_member (&reader, &string), 1);
    assert_true (json_string_is (&string, "key"));
    assert_false (json_string_is (&string, "ke"));
    assert_int_equal (json_enter (&reader, '['), 0);
    assert_int_equal (json_next_item (&reader), 1);
    assert_int_equal (json_take_string (&reader, &string), 0);
    assert_true (json_string_is (&string, "\xf0\x9f\x98\x80"));
    assert_int_equal (json_next_item (&reader), 1);
    assert_int_equal (json_skip (&reader), 0);
    assert_int_equal (json_next_item (&reader), 0);
    assert_int_equal (json_next_member (&reader, &string), 1);
    assert_true (json_string_is (&string, "b"));
    assert_int_equal (json_take_string (&reader, &string), 0);
    assert_int_equal (string.size, 4);
    assert_memory_equal (string.data, "a\nb\0", 4);
    assert_int_equal (json_next_member (&reader, &string), 0);
    assert_int_equal (json_end (&reader), 0);
}

static void
test_is_text (void **state)
{
    (void) state;
    assert_true (json_is_text ("", 0));
    assert_true (json_is_text ("\x01 caf\xc3\xa9", 7));
    assert_false (json_is_text ("a\0b", 3));
    assert_false (json_is_text ("caf\xc3", 4));
}

static void
test_add_string (void **state)
{
    (void) state;
    struct buffer out;
    buffer_init (&out, 0);
    assert_int_equal (json_add_string (&out, "", 0), 0);
    assert_int_equal (json_add_string (&out, "a\"\\/\b\f\n\r\t\x01\x1f\x7f\xc3\xa9z", 15), 0);
    assert_int_equal (json_add_string (&out, "\0\n", 2), 0);
    assert_int_equal (buffer_terminate (&out), 0);
    assert_string_equal (buffer_data (&out),
                         "\"\"\"a\\\"\\\\/\\b\\f\\n\\r\\t\\u0001\\u001f\x7f\xc3\xa9z\"\"\\u0000\\n\"");
    buffer_free (&out);
    buffer_init (&out, 3);
    assert_int_equal (json_add_string (&out, "abc", 3), WEFT_ETOOBIG);
    buffer_free (&out);
}

int
main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_good),    cmocka_unit_test (test_bad),     cmocka_unit_test (test_depth),
        cmocka_unit_test (test_pull),    cmocka_unit_test (test_is_text), cmocka_unit_test (test_add_string),
    };
    return cmocka_run_group_tests_name ("json", tests, NULL, NULL);
}
