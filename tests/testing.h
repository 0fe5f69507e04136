/*  testing.h - what every test program begins with */

#ifndef WEFT_TESTS_TESTING_H
#define WEFT_TESTS_TESTING_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "weft.h"

/*  weft_error () tells this much; shows all of it when it does not. */
#define assert_says(words) do { \
    if (!strstr (weft_error (), (words))) \
        fail_msg ("\"%s\" does not say \"%s\"", weft_error (), (words)); \
} while (0)

#endif
