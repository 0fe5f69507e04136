/*  test_replace.c - command templates give what GNU parallel gives */

#include "cli/replace.h"
#include "tests/testing.h"

#define COMMAND (REPLACE_QUOTE | REPLACE_APPEND)

/*  What is expected here was printed by GNU parallel 20221122. */
static const struct template_case {
    const char *template;
    unsigned flags;
    const char *values[4];
    const char *expected;
} cases[] = {
    { "echo", COMMAND, { "a b" }, "echo 'a b'" },
    { "echo", COMMAND, { "a", "c e" }, "echo a 'c e'" },
    { "echo", COMMAND, { NULL }, "echo " },
    { "echo {}", COMMAND, { "it's" }, "echo 'it'\"'\"'s'" },
    { "echo {}", COMMAND, { "'" }, "echo \"'\"" },
    { "echo {}", COMMAND, { "''" }, "echo \"'\"''\"'\"" },
    { "echo {}", COMMAND, { "a'b'" }, "echo 'a'\"'\"'b'\"'\"" },
    { "echo {}", COMMAND, { "" }, "echo ''" },
    { "echo {}", COMMAND, { "x=y" }, "echo 'x=y'" },
    { "echo {}", COMMAND, { "-_.+/aZ09" }, "echo -_.+/aZ09" },
    { "echo {}", COMMAND, { "\xc3\xa9" }, "echo '\xc3\xa9'" },
    { "echo {}", COMMAND, { "a\nb" }, "echo 'a\nb'" },
    { "echo {.} {/} {//} {/.} {#} {%}", COMMAND, { "a/x.c" }, "echo a/x x.c a x 7 3" },
    { "echo {.} {/} {//} {/.}", COMMAND, { "/y.c" }, "echo /y y.c / y" },
    { "echo {.} {/} {//} {/.}", COMMAND, { ".hid" }, "echo '' .hid . ''" },
    { "echo {.} {/} {//} {/.}", COMMAND, { "dir/" }, "echo dir/ '' . ''" },
    { "echo {.} {/} {//} {/.}", COMMAND, { "a.b/c" }, "echo a.b/c c a.b c" },
    { "echo {.} {/} {//} {/.}", COMMAND, { "/" }, "echo / '' / ''" },
    { "echo {.} {/} {//} {/.}", COMMAND, { "//" }, "echo // '' / ''" },
    { "echo {.} {/} {//} {/.}", COMMAND, { "a//b" }, "echo a//b b a b" },
    { "echo {.} {/} {//} {/.}", COMMAND, { "a/b/" }, "echo a/b/ '' a ''" },
    { "echo {.} {/} {//} {/.}", COMMAND, { "a." }, "echo a a. . a" },
    { "echo {.} {/} {//} {/.}", COMMAND, { ".." }, "echo . .. . ." },
    { "echo {-1} {1/.} {2//} {2.} {2/}", COMMAND, { "x/a.b.c", "q/r/c.d" }, "echo q/r/c.d a.b q/r q/r/c c.d" },
    { "echo {3} {-9}", COMMAND, { "a" }, "echo  " },
    { "echo {nope}", COMMAND, { "a" }, "echo {nope} a" },
    { "echo {nope} {}", COMMAND, { "a" }, "echo {nope} a" },
    { "echo {#}", COMMAND, { "a" }, "echo 7" },
    { "echo {=1 x", COMMAND, { "a" }, "echo {=1 x a" },
    { "{}", COMMAND, { "a b" }, "a b" },
    { "{1} {2} {}", COMMAND, { "a b", "c d" }, "a b c d a b c d" },
    { "{#} x {}", COMMAND, { "a b.c" }, "7 x a b.c" },
    { "x{} y {}", COMMAND, { "a b" }, "xa b y a b" },
    { " {}", COMMAND, { "a b" }, " 'a b'" },
    { "A={} y", COMMAND, { "a b" }, "A='a b' y" },
    { "", COMMAND, { "echo a b" }, "echo a b" },
    { "echo 'x{}y{1}'", COMMAND, { "a", "c" }, "echo 'xa cya'" },
    { "echo x{}y", COMMAND | REPLACE_REPEAT, { "a", "b" }, "echo xay xby" },
    { "echo x{.}y {1}z{}w", COMMAND | REPLACE_REPEAT, { "a.q", "b.r" }, "echo xay xby a.qza.qw a.qzb.rw" },
    { "a={}; echo {1}-{} \"{} x\"", COMMAND | REPLACE_REPEAT, { "a", "b" }, "a=a; a=b; echo a-a a-b \"a \"b x\"" },
    { "echo \"a {}b\" c{2}", COMMAND | REPLACE_REPEAT, { "a", "b", "c" }, "echo \"a ab\" bb\" cb\" cb" },
    { "{1}:{#}", 0, { "a b" }, "a b:7" },
    { "plain", 0, { "a" }, "plain" },
    { "{}", 0, { "0", "x y" }, "0 x y" },
};

static void
templates (void **state)
{
    (void) state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct template_case *c = &cases[i];
        struct replace replace;
        struct buffer out;
        char *values[4];
        size_t count = 0;
        for (; count < 4 && c->values[count]; count++)
            values[count] = (char *) (uintptr_t) c->values[count];
        buffer_init (&out, 0);
        assert_int_equal (replace_compile (&replace, c->template, c->flags), 0);
        assert_int_equal (replace_render (&replace, values, count, 7, "3", &out), 0);
        assert_int_equal (buffer_terminate (&out), 0);
        assert_string_equal (buffer_data (&out), c->expected);
        buffer_free (&out);
        replace_free (&replace);
    }
}

/*  Whatever a shell could take for its own is within quotes. */
static void
every_byte_is_quoted (void **state)
{
    (void) state;
    for (int byte = 1; byte < 256; byte++) {
        char text[] = { (char) byte, '\0' }, expected[4];
        bool safe = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9')
                    || strchr ("-_.+/", byte);
        struct buffer out;
        buffer_init (&out, 0);
        assert_int_equal (replace_quote (&out, text, 1), 0);
        assert_int_equal (buffer_terminate (&out), 0);
        snprintf (expected, sizeof expected, safe ? "%s" : byte == '\'' ? "\"%s\"" : "'%s'", text);
        assert_string_equal (buffer_data (&out), expected);
        buffer_free (&out);
    }
}

static void
uses (void **state)
{
    (void) state;
    struct replace replace;
    assert_int_equal (replace_compile (&replace, "echo {%}", COMMAND), 0);
    assert_true (replace.uses_slot);
    assert_false (replace.uses_values);
    replace_free (&replace);
    assert_int_equal (replace_compile (&replace, "echo {2/.}", COMMAND), 0);
    assert_false (replace.uses_slot);
    assert_true (replace.uses_values);
    replace_free (&replace);
    assert_int_equal (replace_compile (&replace, "echo {= s/a/b/ =}", COMMAND), WEFT_ENOTSUP);
}

int
main (void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test (templates), cmocka_unit_test (every_byte_is_quoted),
                                        cmocka_unit_test (uses) };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
