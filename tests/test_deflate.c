/*  test_deflate.c - permessage-deflate: what is agreed on, and messages, also those that are made to harm */

#include "tests/testing.h"

#include "codec/deflate.h"

#define EXTENSION "permessage-deflate"

/* ------------------------------------------------------------------- what is agreed on */

static const char *
answer_to (const char *offers, unsigned bits, bool forget)
{
    static char text[DEFLATE_TEXT];
    struct deflate_terms terms;
    int rc = deflate_accept (offers, strlen (offers), bits, forget, &terms);
    if (rc)
        snprintf (text, sizeof text, "%d", rc);
    else
        deflate_answer (&terms, text);
    return text;
}

static void
takes_the_first_offer_that_it_can_meet (void **state)
{
    (void) state;
    assert_string_equal (answer_to ("", 15, false), "");
    assert_string_equal (answer_to (EXTENSION, 15, false), EXTENSION);
    assert_string_equal (answer_to ("x-other; a=1; b=\"c\", " EXTENSION, 15, false), EXTENSION);
    assert_string_equal (answer_to ("x-other", 15, false), "");
    assert_string_equal (answer_to (EXTENSION "; server_max_window_bits=7, " EXTENSION "; server_max_window_bits=10",
                                    15, false), EXTENSION "; server_max_window_bits=10");
    assert_string_equal (answer_to (EXTENSION "; server_max_window_bits=\"9\" , " EXTENSION, 15, false),
                         EXTENSION "; server_max_window_bits=9");
    assert_string_equal (answer_to (",, " EXTENSION " ,", 15, false), EXTENSION);
    assert_string_equal (answer_to ("Permessage-Deflate;Server_No_Context_Takeover", 15, false),
                         EXTENSION "; server_no_context_takeover");
}

static void
forgets_and_narrows_as_both_sides_wish (void **state)
{
    (void) state;
    assert_string_equal (answer_to (EXTENSION, 15, true),
                         EXTENSION "; server_no_context_takeover; client_no_context_takeover");
    assert_string_equal (answer_to (EXTENSION "; client_no_context_takeover", 15, false),
                         EXTENSION "; client_no_context_takeover");
    assert_string_equal (answer_to (EXTENSION "; client_max_window_bits", 15, false), EXTENSION);
    assert_string_equal (answer_to (EXTENSION "; client_max_window_bits", 10, false),
                         EXTENSION "; server_max_window_bits=10; client_max_window_bits=10");
    assert_string_equal (answer_to (EXTENSION "; client_max_window_bits=9", 10, false),
                         EXTENSION "; server_max_window_bits=10; client_max_window_bits=9");
    /*  What it asks for has to be in the answer, also when nothing follows from it. */
    assert_string_equal (answer_to (EXTENSION "; server_max_window_bits=15", 15, false),
                         EXTENSION "; server_max_window_bits=15");
    /*  A client that does not say so cannot be asked for a smaller window. */
    assert_string_equal (answer_to (EXTENSION, 10, false), EXTENSION "; server_max_window_bits=10");
}

static void
passes_over_offers_that_the_rfc_does_not_know (void **state)
{
    (void) state;
    static const char *const bad[] = {
        "server_max_window_bits", "server_max_window_bits=", "server_max_window_bits=16", "server_max_window_bits=08",
        "server_max_window_bits=7", "server_max_window_bits=+9", "client_max_window_bits=99", "unknown",
        "server_no_context_takeover=1", "client_no_context_takeover; client_no_context_takeover",
        "client_max_window_bits; client_max_window_bits=9", "server_max_window_bits=9; server_max_window_bits=9",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char offer[200];
        snprintf (offer, sizeof offer, EXTENSION "; %s", bad[i]);
        const char *found = answer_to (offer, 15, false);
        bool no_list = bad[i][strlen (bad[i]) - 1] == '=';
        if (strcmp (found, no_list ? "-15" : ""))
            fail_msg ("%s: %s", offer, found);
    }
}

static void
refuses_what_is_no_list (void **state)
{
    (void) state;
    static const char *const bad[] = { ";", "a b", "a;", "a; b=\"c", "a; b=\"c d\"", "a; =c", "\"a\"", "a; b c",
                                       "a=b" };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (strcmp (answer_to (bad[i], 15, false), "-15"))
            fail_msg ("%s", bad[i]);
    assert_says ("not a list of extensions");
}

static int
confirm (const char *answer, unsigned bits, bool forget, struct deflate_terms *terms)
{
    return deflate_confirm (answer, strlen (answer), bits, forget, terms);
}

static void
a_client_checks_the_answer (void **state)
{
    (void) state;
    struct deflate_terms terms;
    assert_int_equal (confirm ("", 15, false, &terms), 0);
    assert_false (terms.agreed);
    assert_int_equal (confirm (EXTENSION "; client_max_window_bits=11; server_no_context_takeover", 15, false, &terms),
                      0);
    assert_true (terms.agreed && terms.server.forgets && !terms.client.forgets);
    assert_int_equal (terms.client.bits, 11);
    assert_int_equal (terms.server.bits, 15);
    static const char *const bad[] = { "x-other", EXTENSION ", " EXTENSION, EXTENSION "; what", "a b",
                                       EXTENSION "; client_max_window_bits" };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal (confirm (bad[i], 15, false, &terms), WEFT_EPROTO);
    assert_int_equal (confirm (EXTENSION, 15, true, &terms), WEFT_EPROTO);
    assert_int_equal (confirm (EXTENSION, 10, false, &terms), WEFT_EPROTO);
    assert_int_equal (confirm (EXTENSION "; server_max_window_bits=10", 10, false, &terms), 0);
}

static void
what_a_client_offers_a_server_takes (void **state)
{
    (void) state;
    for (unsigned bits = 9; bits <= 15; bits++)
        for (int forget = 0; forget < 2; forget++) {
            char offer[DEFLATE_TEXT], answer[DEFLATE_TEXT];
            struct deflate_terms server, client;
            deflate_offer (bits, forget, offer);
            assert_int_equal (deflate_accept (offer, strlen (offer), 15, false, &server), 0);
            deflate_answer (&server, answer);
            assert_int_equal (confirm (answer, bits, forget, &client), 0);
            assert_memory_equal (&server, &client, sizeof client);
            assert_int_equal (client.server.bits, bits);
        }
}

/* ------------------------------------------------------------------------- messages */

static struct deflate_side side = { 15, false };
static struct deflater *deflater;
static struct inflater *inflater;
static struct buffer packed, plain;

static void
begin (unsigned char bits, bool forgets)
{
    side = (struct deflate_side) { bits, forgets };
    assert_int_equal (deflater_new (&side, &deflater), 0);
    assert_int_equal (inflater_new (&side, &inflater), 0);
}

static int
end (void **state)
{
    (void) state;
    deflater_destroy (&deflater);
    inflater_destroy (&inflater);
    buffer_free (&packed);
    buffer_free (&plain);
    return 0;
}

static int
read_packed (const void *data, size_t size, size_t max)
{
    buffer_clear (&plain);
    return inflater_run (inflater, data, size, max, &plain);
}

/*  There and back; how many bytes it took. */
static size_t
there_and_back (const void *data, size_t size)
{
    buffer_clear (&packed);
    assert_int_equal (deflater_run (deflater, data, size, &packed), 0);
    if (read_packed (buffer_data (&packed), buffer_size (&packed), size))
        fail_msg ("%zu bytes: %s", size, weft_error ());
    assert_int_equal (buffer_size (&plain), size);
    if (size)
        assert_memory_equal (buffer_data (&plain), data, size);
    return buffer_size (&packed);
}

static void
gives_back_what_it_took (void **state)
{
    (void) state;
    static char data[300000];
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (char) (i * i >> 7);
    for (unsigned char bits = 9; bits <= 15; bits++)
        for (int forgets = 0; forgets < 2; forgets++) {
            begin (bits, forgets);
            for (size_t size = 0; size < sizeof data; size = size * 3 + 1) {
                there_and_back (data, size);
                there_and_back ("", 0);
            }
            there_and_back (data, sizeof data);
            end (state);
        }
}

static void
keeps_the_context_or_forgets_it (void **state)
{
    (void) state;
    static const char text[] = "what was said once need not be said again: 0123456789";
    begin (15, false);
    size_t first = there_and_back (text, sizeof text);
    assert_true (there_and_back (text, sizeof text) < first / 2);
    end (state);
    begin (15, true);
    first = there_and_back (text, sizeof text);
    assert_int_equal (there_and_back (text, sizeof text), first);
}

#define READS(bytes, text) do { \
    assert_int_equal (read_packed (bytes, sizeof bytes - 1, 100), 0); \
    assert_int_equal (buffer_size (&plain), sizeof text - 1); \
    assert_memory_equal (buffer_data (&plain), text, sizeof text - 1); \
} while (0)

/*  RFC 7692, 7.2.3. */
static void
reads_the_examples_of_the_rfc (void **state)
{
    (void) state;
    begin (15, false);
    READS ("\xf2\x48\xcd\xc9\xc9\x07\x00", "Hello");
    READS ("\xf2\x00\x11\x00\x00", "Hello");
    READS ("\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00", "Hello");
    READS ("\xf3\x48\xcd\xc9\xc9\x07\x00\x00", "Hello");
    READS ("\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00", "Hello");
    READS ("\x00", "");
    READS ("\xf3\x48\xcd\xc9\xc9\x07\x00", "Hello");    /*  nothing after a last block: others do it */
    READS ("\xf2\x48\xcd\xc9\xc9\x07\x00", "Hello");
}

static void
makes_no_more_of_it_than_is_allowed (void **state)
{
    (void) state;
    static char zeros[10 << 20];
    begin (15, true);
    assert_int_equal (deflater_run (deflater, zeros, sizeof zeros, &packed), 0);
    assert_true (buffer_size (&packed) < 20000);
    assert_int_equal (read_packed (buffer_data (&packed), buffer_size (&packed), 5000), WEFT_ETOOBIG);
    assert_true (plain.capacity < 65536);
    assert_int_equal (read_packed (buffer_data (&packed), buffer_size (&packed), sizeof zeros - 1), WEFT_ETOOBIG);
    assert_int_equal (read_packed (buffer_data (&packed), buffer_size (&packed), sizeof zeros), 0);
    assert_int_equal (read_packed ("\xf2\x48\xcd\xc9\xc9\x07\x00", 7, 4), WEFT_ETOOBIG);
    assert_int_equal (read_packed ("\xf2\x48\xcd\xc9\xc9\x07\x00", 7, 5), 0);
}

static void
refuses_what_is_damaged (void **state)
{
    (void) state;
    begin (15, true);
    assert_int_equal (read_packed ("\xff\xff\xff", 3, 100), WEFT_EPROTO);
    assert_int_equal (read_packed ("\xf2\x48\xcd\xc9", 4, 100), WEFT_EPROTO);
    assert_int_equal (read_packed ("\x00\x09\x00\xf6\xff\x48", 6, 100), WEFT_EPROTO);
    assert_int_equal (read_packed ("\x00\x05\x00\xfa\xfe\x48\x65\x6c\x6c\x6f\x00", 11, 100), WEFT_EPROTO);
    /*  What was read before is not there any more. */
    assert_int_equal (read_packed ("\xf2\x48\xcd\xc9\xc9\x07\x00", 7, 100), 0);
    assert_int_equal (read_packed ("\xf2\x00\x11\x00\x00", 5, 100), WEFT_EPROTO);
}

static void
there_is_no_writing_in_the_smallest_window (void **state)
{
    (void) state;
    begin (8, false);
    assert_null (deflater);
    READS ("\xf2\x48\xcd\xc9\xc9\x07\x00", "Hello");
}

int
main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (takes_the_first_offer_that_it_can_meet),
        cmocka_unit_test (forgets_and_narrows_as_both_sides_wish),
        cmocka_unit_test (passes_over_offers_that_the_rfc_does_not_know),
        cmocka_unit_test (refuses_what_is_no_list),
        cmocka_unit_test (a_client_checks_the_answer),
        cmocka_unit_test (what_a_client_offers_a_server_takes),
        cmocka_unit_test_teardown (gives_back_what_it_took, end),
        cmocka_unit_test_teardown (keeps_the_context_or_forgets_it, end),
        cmocka_unit_test_teardown (reads_the_examples_of_the_rfc, end),
        cmocka_unit_test_teardown (makes_no_more_of_it_than_is_allowed, end),
        cmocka_unit_test_teardown (refuses_what_is_damaged, end),
        cmocka_unit_test_teardown (there_is_no_writing_in_the_smallest_window, end),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
