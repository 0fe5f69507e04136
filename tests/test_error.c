/*  test_error.c - codes and words */

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/error.h"

static void
every_code_has_words (void **state)
{
    (void) state;
    for (int code = WEFT_EEND; code < 0; code++)
        assert_string_not_equal (weft_strerror (code), "unknown error");
    assert_string_equal (weft_strerror (WEFT_EEND - 1), "unknown error");
    assert_string_equal (weft_strerror (1), "unknown error");
}

static void
words_are_kept_and_nest (void **state)
{
    (void) state;
    assert_int_equal (error_set (WEFT_EINVAL, "%s: not a number", "x1"), WEFT_EINVAL);
    assert_string_equal (weft_error (), "x1: not a number");
    assert_int_equal (error_set (WEFT_EINVAL, "--count: %s", weft_error ()), WEFT_EINVAL);
    assert_string_equal (weft_error (), "--count: x1: not a number");
    assert_int_equal (error_plain (WEFT_EAGAIN), WEFT_EAGAIN);
    assert_string_equal (weft_error (), weft_strerror (WEFT_EAGAIN));
}

static void
long_words_are_cut (void **state)
{
    (void) state;
    char text[5000];
    memset (text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    error_set (WEFT_EIO, "%s", text);
    assert_in_range (strlen (weft_error ()), 100, sizeof text - 2);
}

static void
errno_chooses_the_code (void **state)
{
    (void) state;
    static const struct {
        int number, code;
    } cases[] = {
        { EACCES, WEFT_EACCES },  { EADDRINUSE, WEFT_EADDRINUSE }, { EMFILE, WEFT_ELIMIT }, { ENOMEM, WEFT_ENOMEM },
        { EINTR, WEFT_EINTR },    { EADDRNOTAVAIL, WEFT_EADDR },   { EPIPE, WEFT_EIO },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        errno = cases[i].number;
        assert_int_equal (error_errno ("file %d", 3), cases[i].code);
        assert_memory_equal (weft_error (), "file 3: ", 8);
    }
}

static void *
another_thread (void *arg)
{
    error_set (WEFT_EINVAL, "theirs");
    *(int *) arg = strcmp (weft_error (), "theirs");
    return NULL;
}

static void
a_thread_has_its_own_words (void **state)
{
    (void) state;
    int differs = 1;
    pthread_t thread;
    error_set (WEFT_EINVAL, "mine");
    assert_int_equal (pthread_create (&thread, NULL, another_thread, &differs), 0);
    pthread_join (thread, NULL);
    assert_int_equal (differs, 0);
    assert_string_equal (weft_error (), "mine");
}

int
main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (every_code_has_words),   cmocka_unit_test (words_are_kept_and_nest),
        cmocka_unit_test (long_words_are_cut),     cmocka_unit_test (errno_chooses_the_code),
        cmocka_unit_test (a_thread_has_its_own_words),
    };
    return cmocka_run_group_tests_name ("error", tests, NULL, NULL);
}
