/*  test_tls.c - sessions of TLS between two ends of a socket pair: certificates good and bad, ends, files, words */

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/testing.h"

#include "core/error.h"
#include "core/tls.h"
#include "tests/certificates.h"
#include "tests/folder.h"

enum { SERVER, CLIENT, SIDES };

static struct tls_config config[SIDES];
static char files[SIDES][3][256];
static const char *host = "server.test", *alpn[SIDES];
static struct tls_context *contexts[SIDES];
static struct tls *sessions[SIDES];
static int fds[SIDES];
static int results[SIDES];
static char words[SIDES][256];

static char *
file (int side, int which, const char *name)
{
    snprintf (files[side][which], sizeof files[side][which], "%s", folder_path (name));
    return files[side][which];
}

/*  NAME.pem and NAME.key. */
static void
be (int side, const char *name)
{
    char text[64];
    snprintf (text, sizeof text, "%s.pem", name);
    config[side].cert = file (side, 0, text);
    snprintf (text, sizeof text, "%s.key", name);
    config[side].key = file (side, 1, text);
}

static void
trust (int side)
{
    config[side].ca = file (side, 2, "ca.pem");
}

static int
setup (void **state)
{
    (void) state;
    host = "server.test";
    for (int side = 0; side < SIDES; side++) {
        config[side] = (struct tls_config) { .on = true };
        alpn[side] = NULL;
        results[side] = 1;
    }
    be (SERVER, "server");
    trust (CLIENT);
    return socketpair (AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds);
}

static int
teardown (void **state)
{
    (void) state;
    for (int side = 0; side < SIDES; side++) {
        tls_destroy (&sessions[side]);
        tls_context_destroy (&contexts[side]);
        close (fds[side]);
    }
    return 0;
}

static int
group_setup (void **state)
{
    (void) state;
    certificates_begin ();
    certificates_issue ("server", "DNS:server.test,IP:127.0.0.1", -60, CERTIFICATE_DAY);
    certificates_issue ("client", NULL, -60, CERTIFICATE_DAY);
    certificates_issue ("expired", "DNS:server.test", -2 * CERTIFICATE_DAY, -CERTIFICATE_DAY);
    certificates_issue ("early", "DNS:server.test", CERTIFICATE_DAY / 2, CERTIFICATE_DAY);
    return 0;
}

static int
group_teardown (void **state)
{
    (void) state;
    certificates_end ();
    return 0;
}

/* ----------------------------------------------------------------------- the two ends */

static void
open_side (int side)
{
    if (tls_context_new (&config[side], side == SERVER, side == SERVER ? NULL : host, alpn[side], &contexts[side]))
        fail_msg ("%s", weft_error ());
    assert_int_equal (tls_new (contexts[side], fds[side], &sessions[side]), 0);
}

static void
send_wire (int side)
{
    struct buffer *wire = tls_wire (sessions[side]);
    ssize_t count = send (fds[side], buffer_data (wire), buffer_size (wire), MSG_NOSIGNAL);
    if (count > 0)
        buffer_consume (wire, (size_t) count);
}

static void
shake (int side)
{
    if (results[side] <= 0 && results[side] != WEFT_EAGAIN)
        return;
    results[side] = tls_handshake (sessions[side]);
    if (results[side])
        snprintf (words[side], sizeof words[side], "%s", weft_error ());
    send_wire (side);
}

/*  Both until nothing changes; a client in TLS 1.3 is done before it hears that it is not wanted. */
static void
shake_hands (void)
{
    open_side (SERVER);
    open_side (CLIENT);
    for (int i = 0; i < 6; i++) {
        shake (CLIENT);
        shake (SERVER);
    }
}

static void
expect_refusal (int side, int code, const char *text)
{
    if (!sessions[SERVER])
        shake_hands ();
    if (results[side] != code || !strstr (words[side], text))
        fail_msg ("%d \"%s\" instead of %d \"%s\"", results[side], words[side], code, text);
}

static void
carry (int from, const char *text)
{
    char got[64] = "";
    assert_int_equal (tls_write (sessions[from], text, strlen (text)), 0);
    send_wire (from);
    assert_int_equal (tls_read (sessions[!from], got, sizeof got), strlen (text));
    assert_string_equal (got, text);
}

/* ------------------------------------------------------------------------- sessions */

static void
carries_bytes_both_ways_and_ends (void **state)
{
    (void) state;
    char got[16];
    shake_hands ();
    assert_int_equal (results[SERVER], 0);
    assert_int_equal (results[CLIENT], 0);
    carry (CLIENT, "question");
    carry (SERVER, "answer");
    assert_int_equal (tls_read (sessions[SERVER], got, sizeof got), WEFT_EAGAIN);
    tls_finish (sessions[CLIENT]);
    send_wire (CLIENT);
    assert_int_equal (tls_read (sessions[SERVER], got, sizeof got), 0);
    carry (SERVER, "the other half is open");
}

static void
an_end_of_the_connection_alone_is_no_end (void **state)
{
    (void) state;
    char got[16];
    shake_hands ();
    carry (CLIENT, "all");
    shutdown (fds[CLIENT], SHUT_WR);
    assert_int_equal (tls_read (sessions[SERVER], got, sizeof got), WEFT_ENOPEER);
    assert_says ("without TLS's own end");
    error_set (WEFT_EIO, "something else");
    assert_int_equal (tls_read (sessions[SERVER], got, sizeof got), WEFT_ENOPEER);
    assert_says ("without TLS's own end");
}

static void
what_was_changed_on_the_way_is_not_taken (void **state)
{
    (void) state;
    char got[16];
    shake_hands ();
    assert_int_equal (tls_write (sessions[CLIENT], "money", 5), 0);
    struct buffer *wire = tls_wire (sessions[CLIENT]);
    buffer_data (wire)[buffer_size (wire) - 1] ^= 1;
    send_wire (CLIENT);
    assert_int_equal (tls_read (sessions[SERVER], got, sizeof got), WEFT_EPROTO);
    assert_says ("changed on the way");
}

static void
a_part_of_a_record_is_seen (void **state)
{
    (void) state;
    char got[16], byte;
    shake_hands ();
    assert_false (tls_has_begun (sessions[SERVER]));
    assert_int_equal (tls_write (sessions[CLIENT], "slow", 4), 0);
    struct buffer *wire = tls_wire (sessions[CLIENT]);
    byte = *buffer_data (wire);
    assert_int_equal (send (fds[CLIENT], &byte, 1, 0), 1);
    buffer_consume (wire, 1);
    assert_int_equal (tls_read (sessions[SERVER], got, sizeof got), WEFT_EAGAIN);
    assert_true (tls_has_begun (sessions[SERVER]));
    send_wire (CLIENT);
    assert_int_equal (tls_read (sessions[SERVER], got, sizeof got), 4);
    assert_int_equal (tls_read (sessions[SERVER], got, sizeof got), WEFT_EAGAIN);
    assert_false (tls_has_begun (sessions[SERVER]));
}

/* ---------------------------------------------------------------------- certificates */

static void
a_name_or_an_address_of_the_certificate_is_good (void **state)
{
    (void) state;
    host = "127.0.0.1";
    shake_hands ();
    assert_int_equal (results[CLIENT], 0);
}

static void
another_name_is_not (void **state)
{
    (void) state;
    host = "other.test";
    expect_refusal (CLIENT, WEFT_EACCES, "not for other.test, but for server.test");
    expect_refusal (SERVER, WEFT_EACCES, "does not accept our certificate");
}

static void
the_name_can_be_said (void **state)
{
    (void) state;
    host = "10.0.0.1";
    config[CLIENT].name = (char *) (uintptr_t) "server.test";
    shake_hands ();
    assert_int_equal (results[CLIENT], 0);
}

static void
another_address_is_not_good (void **state)
{
    (void) state;
    host = "127.0.0.2";
    expect_refusal (CLIENT, WEFT_EACCES, "not for 127.0.0.2");
}

static void
nor_is_one_that_has_expired (void **state)
{
    (void) state;
    be (SERVER, "expired");
    expect_refusal (CLIENT, WEFT_EACCES, "its certificate has expired, on 20");
    expect_refusal (SERVER, WEFT_EACCES, "our certificate has expired");
}

static void
nor_one_of_tomorrow (void **state)
{
    (void) state;
    be (SERVER, "early");
    expect_refusal (CLIENT, WEFT_EACCES, "is our clock right?");
}

static void
nor_one_that_nobody_has_signed_whom_we_trust (void **state)
{
    (void) state;
    config[CLIENT].ca = NULL;
    expect_refusal (CLIENT, WEFT_EACCES, "signed by nobody who is trusted here: --tls-ca");
}

static void
nor_one_that_has_signed_itself (void **state)
{
    (void) state;
    be (SERVER, "ca");
    host = "ca";
    config[CLIENT].ca = NULL;
    expect_refusal (CLIENT, WEFT_EACCES, "self-signed");
}

static void
it_is_asked_of_clients_if_that_is_wanted (void **state)
{
    (void) state;
    config[SERVER].verify = TLS_ALL;
    trust (SERVER);
    expect_refusal (SERVER, WEFT_EACCES, "no certificate, which --tls-verify all asks for");
    char got[16];                       /*  the client hears of it with its first read */
    assert_int_equal (tls_read (sessions[CLIENT], got, sizeof got), WEFT_EACCES);
    assert_says ("asks for a certificate of ours: --tls-cert");
}

static void
a_client_that_has_one_comes_in (void **state)
{
    (void) state;
    config[SERVER].verify = TLS_ALL;
    trust (SERVER);
    be (CLIENT, "client");
    shake_hands ();
    assert_int_equal (results[SERVER], 0);
    carry (CLIENT, "it is me");
}

static void
a_client_with_one_of_somebody_else_does_not (void **state)
{
    (void) state;
    config[SERVER].verify = TLS_ALL;
    trust (SERVER);
    be (CLIENT, "expired");
    expect_refusal (SERVER, WEFT_EACCES, "has expired");
}

static void
without_a_look_any_is_good (void **state)
{
    (void) state;
    be (SERVER, "expired");
    config[CLIENT].verify = TLS_NONE;
    host = "whoever";
    shake_hands ();
    assert_int_equal (results[CLIENT], 0);
}

static void
who_comes_for_another_protocol_is_refused (void **state)
{
    (void) state;
    alpn[SERVER] = "http/1.1";
    alpn[CLIENT] = "h2";
    expect_refusal (CLIENT, WEFT_EPROTO, "does not speak our protocol inside");
}

static void
who_comes_for_ours_is_not (void **state)
{
    (void) state;
    alpn[SERVER] = alpn[CLIENT] = "http/1.1";
    shake_hands ();
    assert_int_equal (results[CLIENT], 0);
    assert_int_equal (results[SERVER], 0);
}

/* ------------------------------------------------------------------ what is no TLS */

static void
expect_words_for (const char *bytes, int code, const char *text)
{
    open_side (SERVER);
    assert_int_equal (send (fds[CLIENT], bytes, strlen (bytes), 0), strlen (bytes));
    shake (SERVER);
    if (results[SERVER] != code || !strstr (words[SERVER], text))
        fail_msg ("%d \"%s\" instead of %d \"%s\"", results[SERVER], words[SERVER], code, text);
}

static void
clear_text_is_told_from_tls (void **state)
{
    (void) state;
    expect_words_for ("hello, is anybody there?\n", WEFT_EPROTO, "does not speak TLS");
}

static void
so_is_http (void **state)
{
    (void) state;
    expect_words_for ("GET / HTTP/1.1\r\nHost: x\r\n\r\n", WEFT_EPROTO, "HTTP in clear text");
}

static void
a_server_in_clear_text_is_told_too (void **state)
{
    (void) state;
    open_side (CLIENT);
    shake (CLIENT);
    assert_int_equal (send (fds[SERVER], "220 mail.test\r\n", 15, 0), 15);
    shake (CLIENT);
    assert_int_equal (results[CLIENT], WEFT_EPROTO);
    assert_non_null (strstr (words[CLIENT], "does not speak TLS"));
}

static void
who_leaves_in_the_middle_is_told_so (void **state)
{
    (void) state;
    open_side (SERVER);
    shutdown (fds[CLIENT], SHUT_WR);
    shake (SERVER);
    assert_int_equal (results[SERVER], WEFT_ENOPEER);
    assert_non_null (strstr (words[SERVER], "in the middle of TLS's handshake"));
}

/* ----------------------------------------------------------------- options, files */

static void
expect_no_context (int side, int code, const char *text)
{
    int rc = tls_context_new (&config[side], side == SERVER, host, NULL, &contexts[side]);
    if (rc != code || !strstr (weft_error (), text))
        fail_msg ("%d \"%s\" instead of %d \"%s\"", rc, weft_error (), code, text);
}

static void
files_that_do_not_do_are_told (void **state)
{
    (void) state;
    config[SERVER].key = file (SERVER, 1, "client.key");
    expect_no_context (SERVER, WEFT_EINVAL, "client.key: the key does not belong to the certificate");
    config[SERVER].key = file (SERVER, 1, "server.pem");
    chmod (config[SERVER].key, 0600);
    expect_no_context (SERVER, WEFT_EPROTO, "server.pem: there is no private key in it");
    chmod (config[SERVER].key, 0644);
    config[SERVER].key = NULL;          /*  it is looked for in the same file then */
    expect_no_context (SERVER, WEFT_EACCES, "server.pem: its mode 0644 lets others read it; chmod");
    config[SERVER].cert = file (SERVER, 0, "server.key");
    expect_no_context (SERVER, WEFT_EPROTO, "server.key: there is no certificate in it");
    config[SERVER].cert = file (SERVER, 0, "none.pem");
    expect_no_context (SERVER, WEFT_EIO, "none.pem: No such file");
    host = NULL;
    expect_no_context (CLIENT, WEFT_EINVAL, "--tls-name: a path is no name");
    host = "server.test";
    config[CLIENT].ca = file (CLIENT, 2, "server.key");
    expect_no_context (CLIENT, WEFT_EPROTO, "server.key: there is no certificate in it");
}

static void
a_key_that_others_can_read_is_refused (void **state)
{
    (void) state;
    assert_int_equal (chmod (config[SERVER].key, 0604), 0);
    expect_no_context (SERVER, WEFT_EACCES, "its mode 0604 lets others read it; chmod 600 it");
    chmod (config[SERVER].key, 0600);
}

static void
options_that_do_not_fit_are_told (void **state)
{
    (void) state;
    config[SERVER].on = false;
    assert_int_equal (tls_check (&config[SERVER], true, false), WEFT_EINVAL);
    assert_says ("--tls-cert is of no use without --tls");
    config[SERVER] = (struct tls_config) { .on = true };
    assert_int_equal (tls_check (&config[SERVER], true, false), WEFT_EINVAL);
    assert_says ("takes a certificate");
    assert_int_equal (tls_check (&config[SERVER], false, true), 0);
    be (SERVER, "server");
    config[SERVER].verify = TLS_ALL;
    assert_int_equal (tls_check (&config[SERVER], true, false), WEFT_EINVAL);
    assert_says ("say by --tls-ca");
    config[SERVER].verify = TLS_SERVERS;
    trust (SERVER);
    assert_int_equal (tls_check (&config[SERVER], true, false), WEFT_EINVAL);
    assert_says ("--tls-verify all");
    assert_int_equal (tls_check (&config[SERVER], true, true), 0);
}

/*  As certbot and others do: a new file under the old name. */
static void
replace (const char *from, const char *to)
{
    assert_int_equal (rename (folder_path (from), folder_path (to)), 0);
}

static void
files_that_were_replaced_are_read_again (void **state)
{
    (void) state;
    certificates_issue ("live", "DNS:server.test", -2 * CERTIFICATE_DAY, -CERTIFICATE_DAY);
    be (SERVER, "live");
    open_side (SERVER);
    assert_int_equal (tls_context_refresh (contexts[SERVER]), 0);
    certificates_issue ("next", "DNS:server.test", -60, CERTIFICATE_DAY);
    replace ("next.pem", "live.pem");
    assert_true (tls_context_refresh (contexts[SERVER]) < 0);       /*  the key is the old one */
    assert_says ("does not belong to the certificate");
    assert_int_equal (tls_context_refresh (contexts[SERVER]), 0);   /*  told once */
    replace ("next.key", "live.key");
    assert_int_equal (tls_context_refresh (contexts[SERVER]), 1);
    tls_destroy (&sessions[SERVER]);
    assert_int_equal (tls_new (contexts[SERVER], fds[SERVER], &sessions[SERVER]), 0);
    open_side (CLIENT);
    for (int i = 0; i < 4; i++) {
        shake (CLIENT);
        shake (SERVER);
    }
    assert_int_equal (results[CLIENT], 0);
}

#define test(name) cmocka_unit_test_setup_teardown (name, setup, teardown)

int
main (void)
{
    const struct CMUnitTest tests[] = {
        test (carries_bytes_both_ways_and_ends),
        test (an_end_of_the_connection_alone_is_no_end),
        test (what_was_changed_on_the_way_is_not_taken),
        test (a_part_of_a_record_is_seen),
        test (a_name_or_an_address_of_the_certificate_is_good),
        test (another_name_is_not),
        test (the_name_can_be_said),
        test (another_address_is_not_good),
        test (nor_is_one_that_has_expired),
        test (nor_one_of_tomorrow),
        test (nor_one_that_nobody_has_signed_whom_we_trust),
        test (nor_one_that_has_signed_itself),
        test (it_is_asked_of_clients_if_that_is_wanted),
        test (a_client_that_has_one_comes_in),
        test (a_client_with_one_of_somebody_else_does_not),
        test (without_a_look_any_is_good),
        test (who_comes_for_another_protocol_is_refused),
        test (who_comes_for_ours_is_not),
        test (clear_text_is_told_from_tls),
        test (so_is_http),
        test (a_server_in_clear_text_is_told_too),
        test (who_leaves_in_the_middle_is_told_so),
        test (files_that_do_not_do_are_told),
        test (a_key_that_others_can_read_is_refused),
        test (options_that_do_not_fit_are_told),
        test (files_that_were_replaced_are_read_again),
    };
    return cmocka_run_group_tests (tests, group_setup, group_teardown);
}
