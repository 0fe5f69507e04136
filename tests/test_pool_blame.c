/*  test_pool_blame.c - why a program could not be started, in words */

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "patterns/pool_blame.h"
#include "tests/testing.h"

static void
blames (const char *name, const char *dir, int error, int code, const char *words)
{
    char *argv[] = { (char *) (uintptr_t) name, NULL };
    struct launch_spec spec = { .argv = argv, .dir = dir };
    assert_int_equal (blame_launch (&spec, error), code);
    assert_non_null (strstr (weft_error (), words));
}

static void
blames_file (const char *content, mode_t mode, int error, int code, const char *words)
{
    char path[] = "/tmp/weft-blame-XXXXXX";
    int fd = mkstemp (path);
    assert_true (fd >= 0);
    assert_int_equal (write (fd, content, strlen (content)), (ssize_t) strlen (content));
    assert_int_equal (fchmod (fd, mode), 0);
    close (fd);
    blames (path, NULL, error, code, words);
    unlink (path);
}

static void
test_what_is_to_blame (void **state)
{
    (void) state;
    blames ("no-such-program", NULL, ENOENT, WEFT_EIO, "no-such-program: No such file");
    blames ("/no/such", NULL, ENOENT, WEFT_EIO, "/no/such: No such file");
    blames ("/tmp", NULL, EACCES, WEFT_EACCES, "/tmp: is a directory");
    blames ("true", "/no/such", ENOENT, WEFT_EIO, "cannot run in /no/such");
    blames ("true", NULL, EAGAIN, WEFT_ELIMIT, "no more processes");
    blames ("./it", "/", ENOENT, WEFT_EIO, "./it: No such file");       /*  it lies elsewhere than we do */
}

static void
test_files_that_are_to_blame (void **state)
{
    (void) state;
    blames_file ("true", 0600, EACCES, WEFT_EACCES, "is not executable");
    blames_file ("#! /no/such -x\n", 0700, ENOENT, WEFT_EINVAL, "its interpreter /no/such is not there");
    blames_file ("#!/bin/sh\r\n", 0700, ENOENT, WEFT_EINVAL, "its interpreter /bin/sh\\r is not there");
    blames_file ("#!\n", 0700, ENOENT, WEFT_EINVAL, "not the loader");
    blames_file ("\177ELF", 0700, ENOENT, WEFT_EINVAL, "not the loader");
    blames_file ("#!/bin/sh\n", 0700, E2BIG, WEFT_EIO, "Argument list too long");
}

int
main (void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test (test_what_is_to_blame),
                                        cmocka_unit_test (test_files_that_are_to_blame) };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
