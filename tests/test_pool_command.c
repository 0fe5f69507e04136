/*  test_pool_command.c - which commands need a shell, and what the others are made of */

#include "codec/pool_command.h"
#include "tests/testing.h"

static void
test_needs_a_shell (void **state)
{
    static const char *const commands[] = { "a|b",     "a; b",        "a && b", "a > b", "a < b",   "(a)",     "echo",
                                            "cd /tmp", "a $b",        "a `b`",  "a 'b'", "a \"b\"", "a *.c",   "a [b]",
                                            "a b?",    "A=1 b",       "a ~",    "a # b", "a\\ b",   "a {b,c}", "a\nb",
                                            "if",      "exit 3",      ". a",    "!a",    ": a",     "%1",      "",
                                            "   ",     "ulimit -c 0", NULL };
    (void) state;
    for (int i = 0; commands[i]; i++)
        if (command_words (commands[i]))
            fail_msg ("'%s' needs a shell", commands[i]);
}

static void
test_splits (void **state)
{
    char command[] = "  tar\t-C /tmp   a=b 50% ./x ";
    static const char *const expected[] = { "tar", "-C", "/tmp", "a=b", "50%", "./x" };
    char *words[7];
    (void) state;
    assert_int_equal (command_words (command), 6);
    command_split (command, words);
    for (int i = 0; i < 6; i++)
        assert_string_equal (words[i], expected[i]);
    assert_null (words[6]);
    assert_int_equal (command_words ("true"), 1);
    assert_int_equal (command_words ("./echo"), 1);
}

static void
check_fill (const char *text, const char *mark, const char *expected)
{
    struct buffer out;
    buffer_init (&out, 0);
    assert_int_equal (command_fill (&out, text, strlen (text), mark, strlen (mark), 12), 0);
    assert_string_equal (buffer_data (&out), expected);
    assert_int_equal (buffer_size (&out), strlen (expected) + 1);
    buffer_free (&out);
}

static void
test_fills (void **state)
{
    (void) state;
    check_fill ("a {%} b{%}{%}", "{%}", "a 12 b1212");
    check_fill ("{%", "{%}", "{%");
    check_fill ("", "{%}", "");
    check_fill ("a {%}", "", "a {%}");
}

static void
check_show (const void *message, size_t size, const char *expected)
{
    struct buffer out;
    buffer_init (&out, 0);
    assert_int_equal (command_show (&out, message, size), 0);
    assert_int_equal (buffer_terminate (&out), 0);
    assert_string_equal (buffer_data (&out), expected);
    buffer_free (&out);
}

static void
test_shows (void **state)
{
    char much[1000];
    struct buffer out;
    (void) state;
    check_show ("", 0, "");
    check_show ("a b\n\0\\", 6, "a b\\n\\x00\\\\");
    check_show ("\303\274\342\202\254\360\237\230\200", 9, "\303\274\342\202\254\360\237\230\200");
    /*  Cut off, overlong, a surrogate, a control character. */
    check_show ("\303", 1, "\\xc3");
    check_show ("\300\200\355\240\200", 5, "\\xc0\\x80\\xed\\xa0\\x80");
    check_show ("\302\233\177", 3, "\\xc2\\x9b\\x7f");
    for (int byte = 0; byte < 256; byte++) {
        buffer_init (&out, 0);
        memset (much, byte, sizeof much);
        assert_int_equal (command_show (&out, much, sizeof much), 0);
        assert_true (buffer_size (&out) > 200 && buffer_size (&out) <= COMMAND_SHOWN);
        assert_memory_equal (buffer_data (&out) + buffer_size (&out) - 3, "...", 3);
        buffer_free (&out);
    }
}

int
main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_needs_a_shell),
        cmocka_unit_test (test_splits),
        cmocka_unit_test (test_fills),
        cmocka_unit_test (test_shows),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
