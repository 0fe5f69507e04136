/*  test_formats.c - the options that choose formats */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cli/formats.h"
#include "codec/format.h"

static int
set (struct formats *self, const char *name, const char *value)
{
    const struct option *option = option_find (formats_table, name);
    assert_non_null (option);
    return formats_set (self, option, value);
}

static void
test_flags_hold_both_ways (void **state)
{
    static const char *const names[] = { "lines", "nul", "raw", "len32", "hex", "json" };
    struct formats formats = { .input = -1 };
    (void) state;
    for (int i = 0; i < 6; i++) {
        assert_int_equal (set (&formats, names[i], NULL), 0);
        assert_int_equal (formats.input, i);
        assert_int_equal (formats.output, i);
    }
    assert_int_equal (set (&formats, "json", "no"), WEFT_EINVAL);
    assert_int_equal (formats.input, FORMAT_JSON);
}

static void
test_each_way_alone (void **state)
{
    struct formats formats = { .input = FORMAT_LINES };
    (void) state;
    assert_int_equal (set (&formats, "json", NULL), 0);
    assert_int_equal (set (&formats, "input", "hex"), 0);
    assert_int_equal (formats.input, FORMAT_HEX);
    assert_int_equal (formats.output, FORMAT_JSON);
    assert_int_equal (set (&formats, "output", "xml"), WEFT_EINVAL);
    assert_int_equal (formats.output, FORMAT_JSON);
}

static void
test_template (void **state)
{
    struct formats formats = { .input = FORMAT_LINES };
    (void) state;
    assert_int_equal (set (&formats, "format", "%q"), WEFT_EINVAL);
    assert_int_equal (formats.output, FORMAT_LINES);
    assert_int_equal (set (&formats, "format", "%s\\n"), 0);
    assert_int_equal (formats.output, FORMAT_TEMPLATE);
    assert_int_equal (formats.input, FORMAT_LINES);
    formats_free (&formats);
}

static void
test_separator (void **state)
{
    struct formats formats = { .input = FORMAT_LINES };
    (void) state;
    assert_int_equal (set (&formats, "separator", "a\\t\\\\b\\r\\n"), 0);
    assert_string_equal (formats.separator, "a\t\\b\r\n");
    assert_int_equal (set (&formats, "separator", "\\q"), WEFT_EINVAL);
    assert_int_equal (set (&formats, "separator", "\\"), WEFT_EINVAL);
    formats_free (&formats);
}

int
main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_flags_hold_both_ways),
        cmocka_unit_test (test_each_way_alone),
        cmocka_unit_test (test_template),
        cmocka_unit_test (test_separator),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
