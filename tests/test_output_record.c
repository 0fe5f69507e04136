/*  test_output_record.c - records of what jobs wrote: there and back, cut off and harmed at every byte */

#include <string.h>

#include "codec/output_record.h"
#include "tests/testing.h"

static const struct output_file file = { .pool = "\x01\x23\x45\x67\x89\xab\xcd\xef 12345", .epoch = 3, .number = 12 };
static const char body[] = "one\n\0@1 1.1 out 3 00000000\ntwo";

static struct output_record
make (int stream, const void *data, size_t size)
{
    return (struct output_record) { .job = 17, .attempt = (int64_t) 3 << 32 | 2, .stream = stream, .data = data,
                                    .size = size };
}

static void
words (void **state)
{
    struct buffer out;
    struct output_record record = make (2, "oops\n", 5);
    (void) state;
    buffer_init (&out, 0);
    assert_int_equal (output_put_file (&out, &file), 0);
    assert_int_equal (output_put (&out, &record), 0);
    assert_int_equal (buffer_terminate (&out), 0);
    /*  The checksum by Python: zlib.crc32 (b"@17 3.2 err 5 oops\n") */
    assert_string_equal (buffer_data (&out), "weft-output 1 0123456789abcdef2031323334350000 3 12\n"
                         "@17 3.2 err 5 60237bf8\noops\n\n");
    buffer_free (&out);
}

static void
there_and_back (void **state)
{
    struct buffer out;
    struct output_file found;
    struct output_record record = make (1, body, sizeof body - 1), again;
    (void) state;
    buffer_init (&out, 0);
    assert_int_equal (output_put_file (&out, &file), 0);
    int head = (int) buffer_size (&out);
    assert_int_equal (output_put (&out, &record), 0);
    int size = (int) buffer_size (&out);
    for (int there = 1; there < head; there++)
        assert_int_equal (output_get_file (&found, buffer_data (&out), (size_t) there), 0);
    assert_int_equal (output_get_file (&found, buffer_data (&out), (size_t) size), head);
    assert_memory_equal (found.pool, file.pool, sizeof file.pool);
    assert_int_equal (found.epoch, 3);
    assert_int_equal (found.number, 12);
    for (int there = 0; there < size - head; there++)
        assert_int_equal (output_get (&again, buffer_data (&out) + head, (size_t) there), 0);
    assert_int_equal (output_get (&again, buffer_data (&out) + head, (size_t) (size - head)), size - head);
    assert_int_equal (again.job, 17);
    assert_int_equal (again.attempt, record.attempt);
    assert_int_equal (again.stream, 1);
    assert_int_equal (again.size, record.size);
    assert_memory_equal (again.data, body, again.size);
    buffer_free (&out);
}

/*  None of it can pass for another record: not a byte that is changed, not zeros as a crash leaves them. */
static void
harm (void **state)
{
    struct buffer out;
    struct output_record record = make (1, body, sizeof body - 1), again;
    (void) state;
    buffer_init (&out, 0);
    assert_int_equal (output_put (&out, &record), 0);
    size_t size = buffer_size (&out);
    char *bytes = buffer_data (&out);
    for (size_t at = 0; at < size; at++)
        for (int byte = 0; byte < 256; byte++) {
            char before = bytes[at];
            if ((char) byte == before)
                continue;
            bytes[at] = (char) byte;
            if (output_get (&again, bytes, size) > 0)
                fail_msg ("byte %zu may be %d", at, byte);
            bytes[at] = before;
        }
    for (size_t at = 0; at < size; at++) {
        char copy[256] = "";
        memcpy (copy, bytes, at);
        assert_true (output_get (&again, copy, size) <= 0);
    }
    buffer_free (&out);
}

static void
large (void **state)
{
    enum { SIZE = 2 * OUTPUT_DATA_MAX + 7 };
    struct buffer out;
    char *data = malloc (SIZE);
    struct output_record again;
    size_t total = 0;
    (void) state;
    memset (data, 'y', SIZE);
    struct output_record record = make (1, data, SIZE);
    buffer_init (&out, 0);
    assert_int_equal (output_put (&out, &record), 0);
    for (int count = 3; count > 0; count--) {
        int rc = output_get (&again, buffer_data (&out), buffer_size (&out));
        assert_true (rc > 0);
        total += again.size;
        buffer_consume (&out, (size_t) rc);
    }
    assert_int_equal (total, SIZE);
    assert_int_equal (buffer_size (&out), 0);
    buffer_free (&out);
    free (data);
}

static void
refusals (void **state)
{
    static const char *const lines[] = {
        "x", "@x", "@ 1.1 out 1 00000000\n", "@01 1.1 out 1 00000000\na\n", "@1 1.1 oot 1 00000000\na\n",
        "@1 1.1 out 0 00000000\n\n", "@1 1.1 out 1048577 00000000\n", "@1 11 out 1 00000000\na\n",
        "@1 1.1 out 1 0000000G\na\n", "@1 1.1 out 1 00000000 \na\n", "@99999999999999999999 1.1 out 1 00000000\na\n",
        "@1 1.4294967296 out 1 00000000\na\n", "@1 1.1 out 1 000000000\na\n"
    };
    struct output_record record;
    struct output_file found;
    char text[OUTPUT_LINE_MAX + 1];
    (void) state;
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        if (output_get (&record, lines[i], strlen (lines[i])) != (i == 1 ? 0 : WEFT_EPROTO))
            fail_msg ("%s", lines[i]);
    memset (text, '@', sizeof text);
    assert_int_equal (output_get (&record, text, OUTPUT_LINE_MAX), WEFT_EPROTO);
    assert_int_equal (output_get_file (&found, "weft-output 2 ", 14), WEFT_EPROTO);
    assert_says ("later version");
    assert_int_equal (output_get_file (&found, "weft-output 1 zz\n", 17), WEFT_EPROTO);
}

int
main (void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test (words), cmocka_unit_test (there_and_back),
                                        cmocka_unit_test (harm), cmocka_unit_test (large),
                                        cmocka_unit_test (refusals) };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
