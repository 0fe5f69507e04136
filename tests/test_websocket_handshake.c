/*  test_websocket_handshake.c - the keys of a handshake */

#include "tests/testing.h"

#include "codec/websocket_handshake.h"

/*  RFC 6455, 1.3. */
static void
answers_as_the_rfc_does (void **state)
{
    (void) state;
    char accept[WEBSOCKET_ACCEPT];
    assert_int_equal (websocket_accept ("dGhlIHNhbXBsZSBub25jZQ==", 24, accept), 0);
    assert_string_equal (accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

static void
makes_keys_that_are_valid (void **state)
{
    (void) state;
    unsigned char nonce[WEBSOCKET_NONCE] = "the sample nonc";
    char key[WEBSOCKET_KEY];
    nonce[15] = 'e';
    websocket_key (nonce, key);
    assert_true (websocket_key_valid (key, strlen (key)));
    websocket_key ((const unsigned char *) "the sample nonce", key);
    assert_string_equal (key, "dGhlIHNhbXBsZSBub25jZQ==");
}

static void
refuses_keys_that_are_none (void **state)
{
    (void) state;
    static const char *const bad[] = { "", "short", "dGhlIHNhbXBsZSBub25jZQ", "dGhlIHNhbXBsZSBub25jZQ==x",
                                       "dGhlIHNhbXBsZSBub25jZSE=", "dGhl!HNhbXBsZSBub25jZQ==",
                                       "dGhlIHNhbXBsZSBub25jZR==" };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (websocket_key_valid (bad[i], strlen (bad[i])))
            fail_msg ("%s", bad[i]);
}

int
main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (answers_as_the_rfc_does),
        cmocka_unit_test (makes_keys_that_are_valid),
        cmocka_unit_test (refuses_keys_that_are_none),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
