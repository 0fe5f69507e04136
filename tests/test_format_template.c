/*  test_format_template.c - what each escape and field gives, and what is no template */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "codec/format.h"

static void
check (const char *template, const weft_msg_t *msg, const char *expected, size_t size)
{
    struct message_info info = { .topic = "t.", .topic_size = 2, .time = INT64_C (1700000000000001999), .number = 42,
                                 .peer = "127.0.0.1:1", .adapter = "tcp" };
    struct encoder encoder;
    struct buffer out;
    assert_int_equal (format_template_check (template), 0);
    encoder_init (&encoder, FORMAT_TEMPLATE, "|", template);
    buffer_init (&out, 0);
    assert_int_equal (encoder_add (&encoder, msg, &info, &out), 0);
    assert_int_equal (buffer_size (&out), size);
    if (size > 0)
        assert_memory_equal (buffer_data (&out), expected, size);
    buffer_free (&out);
}

#define CHECK(template, msg, expected) check (template, msg, expected, sizeof (expected) - 1)

static void
test_fields (void **state)
{
    (void) state;
    weft_msg_t msg;
    weft_msg_init (&msg);
    assert_int_equal (weft_msg_add (&msg, "one", 3), 0);
    assert_int_equal (weft_msg_add (&msg, "", 0), 0);
    assert_int_equal (weft_msg_add (&msg, "\0%s", 3), 0);
    CHECK ("", &msg, "");
    CHECK ("plain\n", &msg, "plain\n");
    CHECK ("%s", &msg, "one||\0%s");
    CHECK ("<%t>", &msg, "<t.>");
    CHECK ("%b", &msg, "\0%s");
    CHECK ("%1,%2,%3,%4,%9", &msg, "one,,\0%s,,");
    CHECK ("%f frames, %z bytes, number %n", &msg, "3 frames, 6 bytes, number 42");
    CHECK ("%T %u", &msg, "2023-11-14T22:13:20.000001Z 1700000000.000001");
    CHECK ("%x", &msg, "6f6e65 - 002573");
    CHECK ("%j\\n", &msg,
           "{\"topic\":\"t.\",\"size\":6,\"time\":\"2023-11-14T22:13:20.000001Z\",\"frames\":[\"one\",\"\","
           "{\"base64\":\"ACVz\"}]}\n");
    CHECK ("[%p by %a] %m", &msg, "[127.0.0.1:1 by tcp] one||\0%s");
    CHECK ("100%%", &msg, "100%");
    weft_msg_clear (&msg);
    CHECK ("%s%b%1|%f", &msg, "|0");
}

static void
test_escapes (void **state)
{
    (void) state;
    weft_msg_t msg;
    weft_msg_init (&msg);
    CHECK ("a\\n\\t\\r\\0\\\\\\x1b\\xFf.", &msg, "a\n\t\r\0\\\x1b\xff.");
    CHECK ("\\\\n", &msg, "\\n");
}

/*  Without info there is no topic, and numbers are 0. */
static void
test_no_info (void **state)
{
    (void) state;
    struct encoder encoder;
    struct buffer out;
    weft_msg_t msg;
    weft_msg_init (&msg);
    buffer_init (&out, 0);
    encoder_init (&encoder, FORMAT_TEMPLATE, NULL, "[%t] %n %u");
    assert_int_equal (encoder_add (&encoder, &msg, NULL, &out), 0);
    assert_int_equal (buffer_terminate (&out), 0);
    assert_string_equal (buffer_data (&out), "[] 0 0.000000");
    buffer_free (&out);
}

static void
test_bad (void **state)
{
    (void) state;
    static const char *const pairs[][2] = {
        { "%", "template \"%\", column 1: ends in a lone %; %% stands for a percent sign" },
        { "a %b %", "template \"a %b %\", column 6: ends in a lone %; %% stands for a percent sign" },
        { "%%%q", "template \"%%%q\", column 3: %q is not known; "
          "known are %s %t %b %1..%9 %f %z %n %T %u %x %j %m %p %a %%" },
        { "%0", "template \"%0\", column 1: %0 is not known; "
          "known are %s %t %b %1..%9 %f %z %n %T %u %x %j %m %p %a %%" },
        { "ab\\", "template \"ab\\\", column 3: ends in a lone backslash; \\\\ stands for a backslash" },
        { "\\q", "template \"\\q\", column 1: \\q is not known; known are \\n \\t \\r \\0 \\\\ \\xHH" },
        { "\\x1", "template \"\\x1\", column 1: \\x needs two hex digits, as in \\x1b" },
        { "\\x", "template \"\\x\", column 1: \\x needs two hex digits, as in \\x1b" },
        { "\\xg0", "template \"\\xg0\", column 1: \\x needs two hex digits, as in \\x1b" },
    };
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        assert_int_equal (format_template_check (pairs[i][0]), WEFT_EINVAL);
        assert_string_equal (weft_error (), pairs[i][1]);
    }
}

int
main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_fields),
        cmocka_unit_test (test_escapes),
        cmocka_unit_test (test_no_info),
        cmocka_unit_test (test_bad),
    };
    return cmocka_run_group_tests_name ("format_template", tests, NULL, NULL);
}
