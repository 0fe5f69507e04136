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

#include "core/endpoint.h"
#include "weft.h"

/*  weft_error () tells this much; shows all of it when it does not. */
#define assert_says(words) do { \
    if (!strstr (weft_error (), (words))) \
        fail_msg ("\"%s\" does not say \"%s\"", weft_error (), (words)); \
} while (0)

struct wire;

/*  Binds or connects: the result of endpoint_parse or wire_attach. */
int attach_wire (struct wire *wire, const char *text, enum endpoint_side side);

/*  A message of the frames in "one|two|three"; and back: bytes that are not
 *  printable as \xNN, a frame of over 99 bytes as (its size). Static storage. */
void message_of_text (weft_msg_t *msg, const char *text);
const char *text_of_message (const weft_msg_t *msg);

/*  The same, sent and received. hear gives the error's words when nothing came. */
int say (struct wire *wire, const char *text, int64_t timeout);
const char *hear (struct wire *wire, int64_t timeout);

#endif
