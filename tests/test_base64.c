/*  test_base64.c - RFC 4648's own examples, round trips, every complaint */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "codec/base64.h"
#include "core/clock.h"
#include "weft.h"

static void
test_vectors (void **state)
{
    (void) state;
    static const char *const pairs[][2] = {
        { "", "" },         { "f", "Zg==" },         { "fo", "Zm8=" },           { "foo", "Zm9v" },
        { "foob", "Zm9vYg==" }, { "fooba", "Zm9vYmE=" }, { "foobar", "Zm9vYmFy" }, { "\xfb\xef\xff", "++//" },
    };
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        char text[16];
        size_t size = strlen (pairs[i][0]), decoded;
        base64_encode (text, pairs[i][0], size);
        assert_int_equal (BASE64_SIZE (size), strlen (pairs[i][1]));
        assert_memory_equal (text, pairs[i][1], BASE64_SIZE (size));
        assert_int_equal (base64_decode (text, &decoded, text, BASE64_SIZE (size)), 0);
        assert_int_equal (decoded, size);
        assert_memory_equal (text, pairs[i][0], size);
    }
}

static void
test_round_trip (void **state)
{
    (void) state;
    uint64_t start = random_seed (), seed = start;
    print_message ("seed %llu\n", (unsigned long long) start);
    for (size_t size = 0; size < 200; size++) {
        unsigned char data[200], back[200];
        char text[BASE64_SIZE (200)];
        size_t decoded;
        for (size_t i = 0; i < size; i++)
            data[i] = (unsigned char) random_next (&seed);
        base64_encode (text, data, size);
        assert_int_equal (base64_decode (back, &decoded, text, BASE64_SIZE (size)), 0);
        assert_int_equal (decoded, size);
        assert_memory_equal (back, data, size);
    }
}

static void
check_bad (const char *text, const char *words)
{
    char data[32];
    size_t size;
    assert_int_equal (base64_decode (data, &size, text, strlen (text)), WEFT_EPROTO);
    assert_non_null (strstr (weft_error (), words));
}

static void
test_bad (void **state)
{
    (void) state;
    check_bad ("YQ", "multiple of 4");
    check_bad ("YQ=", "multiple of 4");
    check_bad ("Y===", "character 2 ");
    check_bad ("====", "character 1 ");
    check_bad ("YQ==YQ==", "character 3 ");
    check_bad ("YW J", "character 3 ");
    check_bad ("YW-_", "character 3 ");
    check_bad ("YR==", "bits that belong to no byte");
    check_bad ("YWF=", "bits that belong to no byte");
}

int
main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_vectors),
        cmocka_unit_test (test_round_trip),
        cmocka_unit_test (test_bad),
    };
    return cmocka_run_group_tests_name ("base64", tests, NULL, NULL);
}
