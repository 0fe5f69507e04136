/*  test_address.c - HOST:PORT in its forms, what is of this machine alone, and what is refused in words */

#include "tests/testing.h"

#include "core/address.h"

static struct address
parsed (const char *text, bool listens)
{
    struct address address;
    if (address_parse (&address, text, listens))
        fail_msg ("%s: %s", text, weft_error ());
    return address;
}

static void
takes_the_forms (void **state)
{
    (void) state;
    struct address address = parsed ("127.0.0.1:7000", true);
    assert_string_equal (address.host, "127.0.0.1");
    assert_int_equal (address.port, 7000);
    assert_true (address.local);
    address = parsed ("tcp://[::1]:0", true);
    assert_string_equal (address.host, "::1");
    assert_int_equal (address.port, 0);
    assert_true (address.local);
    assert_true (parsed ("localhost:1", false).local);
    assert_false (parsed ("*:7000", true).local);
    assert_false (parsed (":7000", true).local);
    assert_false (parsed ("0.0.0.0:7000", true).local);
    assert_false (parsed ("192.0.2.1:7000", false).local);
}

static void
refuses (const char *text, bool listens, const char *words)
{
    struct address address;
    assert_int_equal (address_parse (&address, text, listens), WEFT_EENDPOINT);
    assert_says (words);
}

static void
says_what_is_wrong (void **state)
{
    (void) state;
    refuses ("7000", true, "127.0.0.1:7000");
    refuses ("ipc:///tmp/x", true, "unix:/tmp/x");
    refuses ("/tmp/x", true, "unix:/tmp/x");
    refuses ("./x", true, "unix:./x");
    refuses ("http://x:1", true, "HOST:PORT");
    refuses ("unix:", true, "unix:/tmp/weft.sock");
    refuses ("unix:@", true, "unix:@NAME");
    char text[200] = "unix:/";
    memset (text + 6, 'x', 150);
    refuses (text, true, "107 bytes");
    refuses ("localhost", false, "port");
    refuses ("127.0.0.1:70000", true, "65535");
    refuses ("127.0.0.1", true, "no port; write 127.0.0.1:5");
    refuses ("tcp://127.0.0.1", true, "no port; write tcp://127.0.0.1:5");
    refuses ("127.0.0.1:0", false, "port");
    refuses ("", true, "");
}

static void
is_written_as_a_number (void **state)
{
    (void) state;
    struct address address = parsed ("127.0.0.1:4711", true);
    struct sockaddr_storage found;
    char text[ADDRESS_TEXT];
    assert_int_equal (address_resolve (&address, &found), 0);
    address_text (&found, text);
    assert_string_equal (text, "127.0.0.1:4711");
    address = parsed ("[::1]:1", true);
    assert_int_equal (address_resolve (&address, &found), 0);
    address_text (&found, text);
    assert_string_equal (text, "[::1]:1");
    address = parsed ("*:80", true);
    assert_int_equal (address_resolve (&address, &found), 0);
    address_text (&found, text);
    assert_string_equal (text, "0.0.0.0:80");
    address = parsed ("LocalHost:80", true);            /*  without asking anybody */
    assert_int_equal (address_resolve (&address, &found), 0);
    address_text (&found, text);
    assert_string_equal (text, "127.0.0.1:80");
}

static void
is_a_path_too (void **state)
{
    (void) state;
    const char *texts[] = { "unix:/run/weft.sock", "unix:./weft.sock", "unix:@weft" };
    struct sockaddr_storage found;
    char text[ADDRESS_TEXT];
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct address address = parsed (texts[i], i == 1);
        assert_true (address.local);
        assert_string_equal (address.path, texts[i] + 5);
        assert_int_equal (address_resolve (&address, &found), 0);
        address_text (&found, text);
        assert_string_equal (text, texts[i]);
    }
    assert_string_equal (parsed ("unix:///run/x", true).path, "/run/x");
}

int
main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (takes_the_forms),
        cmocka_unit_test (says_what_is_wrong),
        cmocka_unit_test (is_written_as_a_number),
        cmocka_unit_test (is_a_path_too),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
