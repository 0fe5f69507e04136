/*  test_format.c - every format: whole input, a byte at a time, round trips, limits, every complaint */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "codec/format.h"
#include "core/clock.h"

static const enum format readable[] = { FORMAT_LINES, FORMAT_NUL, FORMAT_RAW, FORMAT_LEN32, FORMAT_HEX, FORMAT_JSON };

/*  A decoder, its input and what it gave. */
struct rig {
    struct decoder decoder;
    struct buffer in;
    weft_msg_t msg;
};

static void
rig_init (struct rig *self, enum format format, size_t max_size, const char *separator)
{
    decoder_init (&self->decoder, format, max_size, separator);
    buffer_init (&self->in, 0);
    weft_msg_init (&self->msg);
}

static void
rig_free (struct rig *self)
{
    weft_msg_clear (&self->msg);
    buffer_free (&self->in);
}

static void
feed (struct rig *self, const void *data, size_t size)
{
    assert_int_equal (buffer_add (&self->in, data, size), 0);
}

static int
next (struct rig *self, bool end)
{
    return decoder_next (&self->decoder, &self->in, end, &self->msg);
}

/*  Adds a message to a transcript: its frames in hex, by an encoder that has its own test below. */
static void
write_down (struct buffer *transcript, const weft_msg_t *msg)
{
    struct encoder encoder;
    encoder_init (&encoder, FORMAT_HEX, NULL, NULL);
    assert_int_equal (encoder_add (&encoder, msg, NULL, transcript), 0);
}

/*  Decodes `data`, given in steps, to a transcript: a line a message in hex, or "! words". */
static void
decode (enum format format, size_t max_size, const char *separator, const void *data, size_t size, size_t step,
        struct buffer *transcript)
{
    struct rig rig;
    rig_init (&rig, format, max_size, separator);
    size_t given = 0;
    for (;;) {
        int rc = next (&rig, given == size);
        if (rc == 1)
            write_down (transcript, &rig.msg);
        else if (rc < 0) {
            assert_int_equal (weft_msg_frames (&rig.msg), 0);
            assert_int_equal (buffer_addf (transcript, "! %s\n", weft_error ()), 0);
            if (!decoder_can_resume (&rig.decoder))
                break;
        } else if (given == size)
            break;
        else {
            size_t more = size - given < step ? size - given : step;
            feed (&rig, (const char *) data + given, more);
            given += more;
        }
    }
    rig_free (&rig);
}

/*  The same, whole and a byte at a time, must both give `expected`. */
static void
check_decode (enum format format, size_t max_size, const char *separator, const void *data, size_t size,
              const char *expected)
{
    struct buffer transcript;
    buffer_init (&transcript, 0);
    for (size_t step = 1; step <= size + 1; step += size ? size : 1) {
        buffer_clear (&transcript);
        decode (format, max_size, separator, data, size, step, &transcript);
        assert_int_equal (buffer_terminate (&transcript), 0);
        assert_string_equal (buffer_data (&transcript), expected);
    }
    buffer_free (&transcript);
}

#define CHECK(format, max_size, separator, text, expected)                                                             \
    check_decode (format, max_size, separator, text, sizeof (text) - 1, expected)

static void
test_lines (void **state)
{
    (void) state;
    CHECK (FORMAT_LINES, 100, NULL, "", "");
    CHECK (FORMAT_LINES, 100, NULL, "a\nbc\n", "61\n6263\n");
    CHECK (FORMAT_LINES, 100, NULL, "a\nlast", "61\n6c617374\n");
    CHECK (FORMAT_LINES, 100, NULL, "\n\n", "-\n-\n");
    CHECK (FORMAT_LINES, 100, NULL, "a\0b\r\n", "6100620d\n");
    CHECK (FORMAT_LINES, 100, "", "a,b\n", "612c62\n");
    CHECK (FORMAT_LINES, 100, ",", "a,b\n,\nc\n", "61 62\n- -\n63\n");
    CHECK (FORMAT_LINES, 100, "::", "a::b:c:::d\n::\n", "61 623a63 3a64\n- -\n");
}

static void
test_nul (void **state)
{
    (void) state;
    CHECK (FORMAT_NUL, 100, NULL, "a\nb\0\0c", "610a62\n-\n63\n");
    CHECK (FORMAT_NUL, 100, "/", "a/b\0", "61 62\n");
    CHECK (FORMAT_NUL, 2, NULL, "abc\0ab\0", "! message 1: larger than the limit of 2 bytes\n6162\n");
}

static void
test_raw (void **state)
{
    (void) state;
    CHECK (FORMAT_RAW, 100, NULL, "", "-\n");
    CHECK (FORMAT_RAW, 100, ",", "a,\n\0", "612c0a00\n");
    CHECK (FORMAT_RAW, 3, NULL, "abc", "616263\n");
    CHECK (FORMAT_RAW, 3, NULL, "abcd", "! the input is larger than the limit of 3 bytes for a message\n");
}

static void
test_len32 (void **state)
{
    (void) state;
    CHECK (FORMAT_LEN32, 100, NULL, "", "");
    CHECK (FORMAT_LEN32, 100, NULL, "\0\0\0\1a\0\0\0\0", "61\n-\n");
    CHECK (FORMAT_LEN32, 100, NULL, "\x80\0\0\1a\x80\0\0\0\0\0\0\2bc\0\0\0\1d", "61 - 6263\n64\n");
    CHECK (FORMAT_LEN32, 100, NULL, "\0\0\0\1a\0\0\0\5abc",
           "61\n! message 2: the input ends within it, after 7 of its bytes\n");
    CHECK (FORMAT_LEN32, 100, NULL, "\0\0", "! message 1: the input ends within it, after 2 of its bytes\n");
    CHECK (FORMAT_LEN32, 100, NULL, "\x80\0\0\1a", "! message 1: the input ends within it, after 5 of its bytes\n");
    CHECK (FORMAT_LEN32, 3, NULL, "\0\0\0\3abc\0\0\0\4abcd", "616263\n! message 2: larger than the limit of 3 bytes\n");
    CHECK (FORMAT_LEN32, 3, NULL, "\x80\0\0\2ab\0\0\0\2ab", "! message 1: larger than the limit of 3 bytes\n");
    CHECK (FORMAT_LEN32, 3, NULL, "\x7f\xff\xff\xff", "! message 1: larger than the limit of 3 bytes\n");
}

/*  Many empty frames must not grow without an end. */
static void
test_len32_frames (void **state)
{
    (void) state;
    struct rig rig;
    rig_init (&rig, FORMAT_LEN32, 100, NULL);
    for (int i = 0; i < WEFT_MSG_FRAMES_MAX; i++)
        feed (&rig, "\x80\0\0\0", 4);
    assert_int_equal (next (&rig, false), 0);
    feed (&rig, "\x80\0\0\0", 4);
    assert_int_equal (next (&rig, false), WEFT_ETOOBIG);
    assert_string_equal (weft_error (), "message 1: more than 65536 frames");
    assert_int_equal (next (&rig, false), WEFT_ETOOBIG);
    rig_free (&rig);
}

static void
test_hex (void **state)
{
    (void) state;
    CHECK (FORMAT_HEX, 100, NULL, "00fF\n- 61 -\n0a", "00ff\n- 61 -\n0a\n");
    CHECK (FORMAT_HEX, 100, NULL, "\n00\n",
           "! line 1: column 1: nothing where a frame is expected; an empty frame is a dash\n00\n");
    CHECK (FORMAT_HEX, 100, NULL, "00  00\n",
           "! line 1: column 4: nothing where a frame is expected; an empty frame is a dash\n");
    CHECK (FORMAT_HEX, 100, NULL, "00 0g\n", "! line 1: column 5: not a hex digit\n");
    CHECK (FORMAT_HEX, 100, NULL, "00\r\n", "! line 1: column 3: not a hex digit\n");
    CHECK (FORMAT_HEX, 100, NULL, "00\n00 --\n61\n", "00\n! line 2: column 4: not a hex digit\n61\n");
    CHECK (FORMAT_HEX, 100, NULL, "00 012\n", "! line 1: column 4: an odd number of hex digits; a byte has two\n");
    CHECK (FORMAT_HEX, 3, NULL, "010203\n01 0203\n", "010203\n01 0203\n");
    CHECK (FORMAT_HEX, 3, NULL, "01 020304\n", "! line 1: larger than the limit for a message\n");
}

static void
test_limit_of_lines (void **state)
{
    (void) state;
    CHECK (FORMAT_LINES, 3, NULL, "abc\nabcd\nabc\n", "616263\n! line 2: larger than the limit of 3 bytes\n616263\n");
    CHECK (FORMAT_LINES, 3, NULL, "a\nabcdefghijklm", "61\n! line 2: larger than the limit of 3 bytes\n");
    CHECK (FORMAT_LINES, 0, NULL, "\na\n\n", "-\n! line 2: larger than the limit of 0 bytes\n-\n");
}

/*  A line without an end is given up at the limit, told once, and not kept. */
static void
test_endless_line (void **state)
{
    (void) state;
    static const enum format lines[] = { FORMAT_LINES, FORMAT_NUL, FORMAT_HEX, FORMAT_JSON };
    char block[4096];
    memset (block, 'a', sizeof block);
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        struct rig rig;
        int errors = 0;
        rig_init (&rig, lines[i], 1000, NULL);
        for (int n = 0; n < 1000; n++) {
            feed (&rig, block, sizeof block);
            int rc = next (&rig, false);
            assert_true (rc == 0 || rc == WEFT_ETOOBIG);
            errors += rc < 0;
            assert_true (buffer_size (&rig.in) < 1100000);
        }
        assert_int_equal (errors, 1);
        assert_int_equal (next (&rig, true), 0);
        assert_int_equal (buffer_size (&rig.in), 0);
        rig_free (&rig);
    }
}

static void
test_too_many_frames (void **state)
{
    (void) state;
    struct rig rig;
    rig_init (&rig, FORMAT_LINES, 1 << 20, ",");
    for (int i = 0; i < WEFT_MSG_FRAMES_MAX; i++)
        feed (&rig, ",", 1);
    feed (&rig, "\na\n", 3);
    assert_int_equal (next (&rig, false), WEFT_ETOOBIG);
    assert_memory_equal (weft_error (), "line 1: ", 8);
    assert_int_equal (next (&rig, false), 1);
    assert_int_equal (rig.decoder.messages, 2);
    rig_free (&rig);
}

static void
test_json (void **state)
{
    (void) state;
    CHECK (FORMAT_JSON, 100, NULL, "{\"frames\":[\"a\",{\"base64\":\"AP8=\"},\"\"]}\n{\"data\":\"b\"}",
           "61 00ff -\n62\n");
    CHECK (FORMAT_JSON, 100, NULL, "{\"data\":\"b\",\"topic\":\"t\"}\r\n{\"topic\":null,\"data\":{\"base64\":\"\"}}\n",
           "74 62\n-\n");
    CHECK (FORMAT_JSON, 100, NULL,
           "{\"topic\":\"t\",\"size\":-1.5e3,\"x\":[{},[true,null]],\"frames\":[\"\\u0000\"]}\n",
           "00\n");
    CHECK (FORMAT_JSON, 100, NULL, "{}\n", "! line 1: has neither \"frames\" nor \"data\"; one of them is needed\n");
    CHECK (FORMAT_JSON, 100, NULL, "{\"data\":\"\",\"frames\":[\"\"]}\n",
           "! line 1: has both \"frames\" and \"data\"; one of them is needed\n");
    CHECK (FORMAT_JSON, 100, NULL, "{\"data\":\"\",\"data\":\"\"}\n",
           "! line 1: column 19: \"frames\", \"data\" or \"topic\" comes twice\n");
    CHECK (FORMAT_JSON, 100, NULL, "\n{\"data\":\"x\"}\n", "! line 1: column 1: an object is expected\n78\n");
    CHECK (FORMAT_JSON, 100, NULL, "hello\n", "! line 1: column 1: an object is expected\n");
    CHECK (FORMAT_JSON, 100, NULL, "{\"data\":1}\n",
           "! line 1: column 9: a string or {\"base64\": \"...\"} is expected\n");
    CHECK (FORMAT_JSON, 100, NULL, "{\"data\":{}}\n",
           "! line 1: column 11: \"base64\" is expected as the only member\n");
    CHECK (FORMAT_JSON, 100, NULL, "{\"data\":{\"hex\":\"00\"}}\n",
           "! line 1: column 16: \"base64\" is expected as the only member\n");
    CHECK (FORMAT_JSON, 100, NULL, "{\"data\":{\"base64\":\"\",\"base64\":\"\"}}\n",
           "! line 1: column 31: \"base64\" is expected as the only member\n");
    CHECK (FORMAT_JSON, 100, NULL, "{\"data\":{\"base64\":\"YQ\"}}\n",
           "! line 1: base64 of 2 characters: it must be a multiple of 4, padded with =\n");
    CHECK (FORMAT_JSON, 100, NULL, "{\"data\":{\"base64\":\"\\u0059Q==\"}}\n", "61\n");
    CHECK (FORMAT_JSON, 100, NULL, "{\"frames\":[]}\n",
           "! line 1: column 13: \"frames\" is empty; an empty frame is \"\"\n");
    CHECK (FORMAT_JSON, 100, NULL, "{\"frames\":\"a\"}\n", "! line 1: column 11: an array is expected\n");
    CHECK (FORMAT_JSON, 100, NULL, "{\"data\":\"a\"} x\n", "! line 1: column 14: something follows the value\n");
    CHECK (FORMAT_JSON, 3, NULL, "{\"frames\":[\"ab\",\"c\"]}\n{\"topic\":\"ab\",\"data\":\"c\"}\n",
           "6162 63\n6162 63\n");
    CHECK (FORMAT_JSON, 3, NULL, "{\"frames\":[\"ab\",\"cd\"]}\n", "! line 1: larger than the limit for a message\n");
    CHECK (FORMAT_JSON, 3, NULL, "{\"topic\":\"ab\",\"data\":\"cd\"}\n",
           "! line 1: larger than the limit for a message\n");
}

static void
test_template_is_not_read (void **state)
{
    (void) state;
    CHECK (FORMAT_TEMPLATE, 100, NULL, "a", "! a template can only be written, not read\n");
}

/* ---------------------------------------------------------------- encoding */

static void
make (weft_msg_t *msg, const char *first, size_t first_size, const char *second)
{
    weft_msg_init (msg);
    if (first)
        assert_int_equal (weft_msg_add (msg, first, first_size), 0);
    if (second)
        assert_int_equal (weft_msg_add_str (msg, second), 0);
}

static void
check_encode (struct encoder *encoder, const weft_msg_t *msg, const struct message_info *info, const void *expected,
              size_t size)
{
    struct buffer out;
    buffer_init (&out, 0);
    assert_int_equal (encoder_add (encoder, msg, info, &out), 0);
    assert_int_equal (buffer_size (&out), size);
    assert_memory_equal (buffer_data (&out), expected, size);
    buffer_free (&out);
}

#define ENCODE(encoder, msg, expected) check_encode (encoder, msg, NULL, expected, sizeof (expected) - 1)

static void
test_encode (void **state)
{
    (void) state;
    static const char *const expected[][3] = {      /*  "a" and "bc"; "x"; no frame at all */
        [FORMAT_LINES] = { "a\tbc\n", "x\n", "\n" },
        [FORMAT_HEX] = { "61 6263\n", "78\n", "-\n" },
        [FORMAT_RAW] = { "abc", "x", "" },
        [FORMAT_JSON] = { "{\"size\":3,\"frames\":[\"a\",\"bc\"]}\n", "{\"size\":1,\"frames\":[\"x\"]}\n",
                          "{\"size\":0,\"frames\":[\"\"]}\n" },
    };
    weft_msg_t msgs[3];
    make (&msgs[0], "a", 1, "bc");
    make (&msgs[1], "x", 1, NULL);
    make (&msgs[2], NULL, 0, NULL);
    struct encoder encoder;
    for (size_t format = 0; format < sizeof expected / sizeof *expected; format++)
        for (int i = 0; expected[format][0] && i < 3; i++) {
            encoder_init (&encoder, (enum format) format, NULL, NULL);
            check_encode (&encoder, &msgs[i], NULL, expected[format][i], strlen (expected[format][i]));
            assert_int_equal (encoder.ambiguous, 0);
        }
    encoder_init (&encoder, FORMAT_NUL, "--", NULL);
    ENCODE (&encoder, &msgs[0], "a--bc\0");
    ENCODE (&encoder, &msgs[2], "\0");
    encoder_init (&encoder, FORMAT_LEN32, NULL, NULL);
    ENCODE (&encoder, &msgs[0], "\x80\0\0\1a\0\0\0\2bc");
    ENCODE (&encoder, &msgs[1], "\0\0\0\1x");
    ENCODE (&encoder, &msgs[2], "\0\0\0\0");
    for (int i = 0; i < 3; i++)
        weft_msg_clear (&msgs[i]);
}

static void
test_ambiguous (void **state)
{
    (void) state;
    struct encoder lines, nul;
    encoder_init (&lines, FORMAT_LINES, NULL, NULL);
    encoder_init (&nul, FORMAT_NUL, NULL, NULL);
    weft_msg_t msg;
    make (&msg, "a\nb", 3, NULL);
    ENCODE (&lines, &msg, "a\nb\n");
    ENCODE (&nul, &msg, "a\nb\0");
    assert_int_equal (weft_msg_add_str (&msg, "c\nd"), 0);
    ENCODE (&lines, &msg, "a\nb\tc\nd\n");
    weft_msg_clear (&msg);
    make (&msg, "a\0b", 3, NULL);
    ENCODE (&lines, &msg, "a\0b\n");
    ENCODE (&nul, &msg, "a\0b\0");
    weft_msg_clear (&msg);
    assert_int_equal (lines.ambiguous, 2);
    assert_int_equal (nul.ambiguous, 1);
}

static void
test_encode_json (void **state)
{
    (void) state;
    struct encoder encoder;
    encoder_init (&encoder, FORMAT_JSON, NULL, NULL);
    struct message_info info = { .topic = "t\xff", .topic_size = 2, .time = INT64_C (951782400123456789), .number = 1 };
    weft_msg_t msg;
    make (&msg, "\0", 1, "\"\\\n\x01\x7f\xc3\xa9");
    static const char expected[] = "{\"topic\":{\"base64\":\"dP8=\"},\"size\":8,"
                                   "\"time\":\"2000-02-29T00:00:00.123456Z\","
                                   "\"frames\":[{\"base64\":\"AA==\"},\"\\\"\\\\\\n\\u0001\x7f\xc3\xa9\"]}\n";
    check_encode (&encoder, &msg, &info, expected, sizeof expected - 1);
    info.topic = "up";
    weft_msg_clear (&msg);
    make (&msg, "\xed\xa0\x80", 3, NULL);
    static const char surrogate[] = "{\"topic\":\"up\",\"size\":3,\"time\":\"2000-02-29T00:00:00.123456Z\","
                                    "\"frames\":[{\"base64\":\"7aCA\"}]}\n";
    check_encode (&encoder, &msg, &info, surrogate, sizeof surrogate - 1);
    weft_msg_clear (&msg);
}

/*  A failing encoder leaves what was there before, and nothing of the message. */
static void
test_encode_failure (void **state)
{
    (void) state;
    weft_msg_t msg;
    make (&msg, "0123456789", 10, "0123456789");
    for (int format = FORMAT_LINES; format <= FORMAT_TEMPLATE; format++) {
        struct encoder encoder;
        struct buffer out;
        encoder_init (&encoder, (enum format) format, NULL, "%s%j");
        buffer_init (&out, 19);
        assert_int_equal (buffer_add (&out, "keep", 4), 0);
        assert_true (encoder_add (&encoder, &msg, NULL, &out) < 0);
        assert_int_equal (buffer_size (&out), 4);
        assert_memory_equal (buffer_data (&out), "keep", 4);
        buffer_free (&out);
    }
    weft_msg_clear (&msg);
}

/* -------------------------------------------------------------- round trips */

/*  A random message that the format can tell apart from others: short frames, mostly
 *  binary; without delimiter and separator where those would be read as such. */
static void
random_message (uint64_t *seed, enum format format, weft_msg_t *msg)
{
    bool delimited = format == FORMAT_LINES || format == FORMAT_NUL;
    weft_msg_init (msg);
    size_t frames = format == FORMAT_RAW ? 1 : 1 + random_next (seed) % 6;
    for (size_t i = 0; i < frames; i++) {
        char body[300];
        size_t size = random_next (seed) % (random_next (seed) % 4 ? 20 : sizeof body);
        bool text = random_next (seed) % 3 == 0;
        for (size_t k = 0; k < size; k++) {
            body[k] = (char) (text ? ' ' + random_next (seed) % 95 : random_next (seed) & 255);
            if (delimited && (body[k] == '\n' || body[k] == 0 || body[k] == '\t'))
                body[k] = 'x';
        }
        assert_int_equal (weft_msg_add (msg, body, size), 0);
    }
}

static void
round_trip (uint64_t seed, enum format format)
{
    struct encoder encoder;
    struct buffer wire, sent, received;
    buffer_init (&wire, 0);
    buffer_init (&sent, 0);
    buffer_init (&received, 0);
    encoder_init (&encoder, format, "\t", NULL);
    size_t count = format == FORMAT_RAW ? 1 : 20;
    for (size_t i = 0; i < count; i++) {
        weft_msg_t msg;
        random_message (&seed, format, &msg);
        assert_int_equal (encoder_add (&encoder, &msg, NULL, &wire), 0);
        write_down (&sent, &msg);
        weft_msg_clear (&msg);
    }
    size_t step = 1 + random_next (&seed) % 200;
    const char *separator = format == FORMAT_RAW ? NULL : "\t";
    decode (format, 10000, separator, buffer_data (&wire), buffer_size (&wire), step, &received);
    assert_int_equal (buffer_size (&received), buffer_size (&sent));
    assert_memory_equal (buffer_data (&received), buffer_data (&sent), buffer_size (&sent));
    assert_int_equal (encoder.ambiguous, 0);
    buffer_free (&wire);
    buffer_free (&sent);
    buffer_free (&received);
}

static void
test_round_trips (void **state)
{
    (void) state;
    uint64_t start = random_seed ();
    print_message ("seed %llu\n", (unsigned long long) start);
    for (uint64_t i = 0; i < 200; i++)
        for (size_t format = 0; format < sizeof readable / sizeof *readable; format++)
            round_trip (start + i ? start + i : 1, readable[format]);
}

int
main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_lines),
        cmocka_unit_test (test_nul),
        cmocka_unit_test (test_raw),
        cmocka_unit_test (test_len32),
        cmocka_unit_test (test_len32_frames),
        cmocka_unit_test (test_hex),
        cmocka_unit_test (test_limit_of_lines),
        cmocka_unit_test (test_endless_line),
        cmocka_unit_test (test_too_many_frames),
        cmocka_unit_test (test_json),
        cmocka_unit_test (test_template_is_not_read),
        cmocka_unit_test (test_encode),
        cmocka_unit_test (test_ambiguous),
        cmocka_unit_test (test_encode_json),
        cmocka_unit_test (test_encode_failure),
        cmocka_unit_test (test_round_trips),
    };
    return cmocka_run_group_tests_name ("format", tests, NULL, NULL);
}
