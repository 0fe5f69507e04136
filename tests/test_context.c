/*  test_context.c - contexts: cheap until used, refused while sockets are open */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

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
        cmocka_unit_test (version_is_that_of_the_header),
    };
    return cmocka_run_group_tests_name ("context", tests, NULL, NULL);
}
