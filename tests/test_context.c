/*  test_context.c - contexts: cheap until used, refused while sockets are open */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <sys/resource.h>
#include <unistd.h>

#include "core/context.h"

static void
empty_context_has_no_engine (void **state)
{
    (void) state;
    weft_t *weft = weft_new ();
    assert_non_null (weft);
    assert_null (weft->wires);
    assert_int_equal (weft_destroy (&weft), 0);
    assert_null (weft);
    assert_int_equal (weft_destroy (&weft), 0);
}

static void
destroy_refuses_while_a_wire_is_open (void **state)
{
    (void) state;
    weft_t *weft = weft_new ();
    struct wire_options options;
    struct wire *wire;
    wire_options_init (&options);
    assert_int_equal (context_open (weft, WIRE_PUSH, &options, &wire), 0);
    assert_int_equal (weft_destroy (&weft), WEFT_ESTATE);
    assert_non_null (weft);
    assert_non_null (strstr (weft_error (), "1 socket"));
    context_close (weft, &wire);
    assert_null (wire);
    assert_int_equal (weft_destroy (&weft), 0);
}

/*  Whatever number of descriptors is left, from none to enough: an error, not an abort. */
static void
no_descriptors_is_an_error (void **state)
{
    (void) state;
    struct rlimit usual, few;
    struct wire_options options;
    struct wire *wire;
    wire_options_init (&options);
    int lowest = dup (0), rc = WEFT_ELIMIT;
    assert_true (lowest >= 0);
    close (lowest);
    assert_int_equal (getrlimit (RLIMIT_NOFILE, &usual), 0);
    for (int left = 0; left < 40 && rc == WEFT_ELIMIT; left++) {
        few = usual;
        few.rlim_cur = (rlim_t) (lowest + left);
        weft_t *weft = weft_new ();
        assert_int_equal (setrlimit (RLIMIT_NOFILE, &few), 0);
        rc = context_open (weft, WIRE_PUSH, &options, &wire);
        assert_int_equal (setrlimit (RLIMIT_NOFILE, &usual), 0);
        if (rc == 0)
            context_close (weft, &wire);
        assert_int_equal (weft_destroy (&weft), 0);
    }
    assert_int_equal (rc, 0);
}

static void
version_is_that_of_the_header (void **state)
{
    (void) state;
    int major, minor, patch;
    assert_string_equal (weft_version (&major, &minor, &patch), WEFT_VERSION);
    assert_int_equal (major, WEFT_VERSION_MAJOR);
    assert_int_equal (minor, WEFT_VERSION_MINOR);
    assert_int_equal (patch, WEFT_VERSION_PATCH);
    assert_string_equal (weft_version (NULL, NULL, NULL), WEFT_VERSION);
}

int
main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (empty_context_has_no_engine),
        cmocka_unit_test (destroy_refuses_while_a_wire_is_open),
        cmocka_unit_test (no_descriptors_is_an_error),
        cmocka_unit_test (version_is_that_of_the_header),
    };
    return cmocka_run_group_tests_name ("context", tests, NULL, NULL);
}
