/*  test_zpl.c - files of sections and keys, and what is said of bad ones */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cli/zpl.h"
#include "weft.h"

struct told {
    char text[4096];
    size_t count;
};

static void
on_wrong (void *arg, int line, const char *text)
{
    struct told *self = arg;
    size_t used = strlen (self->text);
    self->count++;
    snprintf (self->text + used, sizeof self->text - used, "%d: %s\n", line, text);
}

static void
expect_items (const char *text, const char *items)
{
    char found[1024] = "";
    struct zpl zpl;
    struct told told = { .count = 0 };
    assert_int_equal (zpl_parse (&zpl, text, strlen (text), on_wrong, &told), 0);
    assert_int_equal (told.count, 0);
    for (size_t i = 0; i < zpl.count; i++) {
        const struct zpl_item *item = &zpl.items[i];
        size_t used = strlen (found);
        snprintf (found + used, sizeof found - used, "%d.%d %s%s%s|", item->line, item->level, item->name,
                  item->assigned ? "=" : "", item->value);
    }
    assert_string_equal (found, items);
    zpl_free (&zpl);
}

static void
expect_wrong_of (const char *text, size_t size, const char *words)
{
    struct zpl zpl;
    struct told told = { .count = 0 };
    assert_int_equal (zpl_parse (&zpl, text, size, on_wrong, &told), WEFT_EPROTO);
    assert_int_equal (zpl.count, 0);
    if (!strstr (told.text, words))
        fail_msg ("'%s' is not in '%s'", words, told.text);
}

static void
expect_wrong (const char *text, const char *words)
{
    expect_wrong_of (text, strlen (text), words);
}

static void
test_items_have_lines_and_levels (void **state)
{
    (void) state;
    expect_items ("", "");
    expect_items ("# nothing\n\n   \n", "");
    expect_items ("  # moved in as one likes\na\n\t# with a tab\n   # \n    b = 1\n", "2.0 a|5.1 b=1|");
    expect_items ("a = 1\nb\n    c = 2\n        d = 3\n    e\nf\n", "1.0 a=1|2.0 b|3.1 c=2|4.2 d=3|5.1 e|6.0 f|");
    expect_items ("a=1\r\nb =2 \t\r\n", "1.0 a=1|2.0 b=2|");
    expect_items ("a\n    b = 1\n    b = 2", "1.0 a|2.1 b=1|3.1 b=2|");
}

static void
test_values (void **state)
{
    (void) state;
    expect_items ("a = tcp://127.0.0.1:1    # where\n", "1.0 a=tcp://127.0.0.1:1|");
    expect_items ("a = \"tcp/#\" # all\nb = '\"q\"'\nc = ''\nd =\n", "1.0 a=tcp/#|2.0 b=\"q\"|3.0 c=|4.0 d=|");
    expect_items ("a = x = y, 'z'\n", "1.0 a=x = y, 'z'|");
    expect_items ("a # not a value\n", "1.0 a|");
    expect_items ("a = 100%s %n\n", "1.0 a=100%s %n|");
}

static void
test_what_is_wrong_is_told (void **state)
{
    (void) state;
    expect_wrong ("a\n\tb = 1\n", "2: a tab in front");
    expect_wrong ("a\n  b = 1\n", "2: 2 spaces in front");
    expect_wrong ("    a\n", "1: moved in too far");
    expect_wrong ("a\n        b = 1\n", "2: moved in too far");
    expect_wrong ("a = 'b\n", "1: the value begins with '");
    expect_wrong ("a = 'b' c\n", "1: something follows the value in quotes: c");
    expect_wrong ("a = b#c\n", "1: # begins a comment");
    expect_wrong ("a = #c\n", "1: no value between = and #");
    expect_wrong ("/a = 1\n", "1: a name neither begins nor ends with /");
    expect_wrong ("a: 1\n", "1: 'a: 1' is followed by something else than =: write key = value, and the name of a part "
                  "alone");
    expect_wrong ("= 1\n", "1: a name was expected here");
    expect_wrong ("[rest]\n", "1: [rest]: the name of a part stands alone, without brackets");
    expect_wrong ("\xc3\xa9 = 1\n", "1: a name was expected here");
    expect_wrong ("a = \033[31m\n", "1: a byte that is no text (0x1b)");
    expect_wrong_of ("a\0b", 3, "1: a byte that is no text (0x00)");
}

static void
test_every_mistake_is_told (void **state)
{
    struct zpl zpl;
    struct told told = { .count = 0 };
    static const char text[] = "a: 1\nb\n   c = 1\n    d = 'x\n";
    (void) state;
    assert_int_equal (zpl_parse (&zpl, text, sizeof text - 1, on_wrong, &told), WEFT_EPROTO);
    assert_int_equal (told.count, 3);
}

/*  What zconfig would cut, or take for ever to read. */
static void
test_limits (void **state)
{
    size_t size = 2 * ZPL_SIZE_MAX;
    char *text = malloc (size);
    (void) state;
    assert_non_null (text);
    memset (text, 'a', ZPL_LINE_MAX + 1);
    text[1] = '=';
    expect_wrong_of (text, ZPL_LINE_MAX + 1, "1: a line has at most 1024 bytes");
    struct zpl zpl;
    struct told told = { .count = 0 };
    assert_int_equal (zpl_parse (&zpl, text, ZPL_LINE_MAX, on_wrong, &told), 0);
    assert_int_equal (strlen (zpl.items[0].value), ZPL_LINE_MAX - 2);
    zpl_free (&zpl);
    for (size_t i = 0; i < size; i += 2)
        memcpy (text + i, "a\n", 2);
    expect_wrong_of (text, size, "more than 1048576 bytes");
    expect_wrong_of (text, ZPL_SIZE_MAX, "more than 10000 lines");
    memset (text, '\t', ZPL_SIZE_MAX);
    for (size_t i = 1; i < ZPL_SIZE_MAX; i += 3)
        memcpy (text + i, "a\n", 2);
    told = (struct told){ .count = 0 };
    assert_int_equal (zpl_parse (&zpl, text, ZPL_SIZE_MAX, on_wrong, &told), WEFT_EPROTO);
    assert_int_equal (told.count, 50);
    free (text);
}

int
main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_items_have_lines_and_levels),
        cmocka_unit_test (test_values),
        cmocka_unit_test (test_what_is_wrong_is_told),
        cmocka_unit_test (test_every_mistake_is_told),
        cmocka_unit_test (test_limits),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
