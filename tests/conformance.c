/*  conformance.c - which cases of the suite a protocol has to keep, and why it has not to keep the others */

#include "tests/certificates.h"
#include "tests/conformance_parts.h"
#include "tests/folder.h"

enum { CASES_MAX = 64 };

/*  `who` is an adapter, or all of a kind. */
static const struct exemption {
    const char *who, *name, *why;
} exemptions[] = {
    { "datagrams", "order_is_kept", "the system drops what it has no room for: datagrams_come_in_order" },
    { "datagrams", "nothing_is_lost_when_the_fabric_stalls",
      "nobody can be held up: the_socket_keeps_what_the_fabric_has_no_room_for" },
    { "datagrams", "a_slow_reader_gets_all", "a datagram goes out, or is lost: nobody tells who reads it" },
    { "datagrams", "a_peer_that_goes_within_a_message_leaves_the_others_alone", "a datagram comes whole" },
    { "datagrams", "after_a_half_close_the_replies_still_come", "an address has no end" },
    { "datagrams", "the_end_loses_nothing_that_was_taken", "more is sent than the system keeps" },
    { "without answers", "who_reads_no_answers_is_held_up_alone", "nothing comes back for what is pushed" },
    { "streams", "datagrams_come_in_order", "order_is_kept says more" },
    { "streams", "the_socket_keeps_what_the_fabric_has_no_room_for",
      "nothing_is_lost_when_the_fabric_stalls says more" },
    { "streams", "an_empty_datagram_is_a_message", "there are no datagrams" },
    { "streams", "replies_wait_for_no_other", "replies go back in the order of the requests" },
};
enum { EXEMPTIONS = sizeof exemptions / sizeof exemptions[0] };

static const char *
why_not (const char *name)
{
    for (size_t i = 0; i < EXEMPTIONS; i++)
        if (strcmp (exemptions[i].name, name) == 0
            && (strcmp (exemptions[i].who, how->adapter) == 0
                || strcmp (exemptions[i].who, how->datagram ? "datagrams" : "streams") == 0
                || (strcmp (exemptions[i].who, "without answers") == 0 && !how->acknowledges)))
            return exemptions[i].why;
    return NULL;
}

static bool
is_among (const struct CMUnitTest *cases, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp (cases[i].name, name) == 0)
            return true;
    return false;
}

static size_t
all_cases (struct CMUnitTest *cases)
{
    const struct CMUnitTest *const subjects[] = { conformance_order, conformance_ends, conformance_datagrams };
    size_t count = 0;
    for (size_t i = 0; i < sizeof subjects / sizeof subjects[0]; i++)
        for (const struct CMUnitTest *each = subjects[i]; each->name && count < CASES_MAX; each++)
            cases[count++] = *each;
    return count;
}

int
conformance_run (const char *name, const struct conformance *protocol)
{
    struct CMUnitTest cases[CASES_MAX];
    size_t count = all_cases (cases), kept = 0;
    how = protocol;
    for (size_t i = 0; i < EXEMPTIONS; i++)
        if (!is_among (cases, count, exemptions[i].name)) {
            print_error ("there is no case %s\n", exemptions[i].name);
            return 1;
        }
    for (size_t i = 0; i < count; i++) {
        const char *why = why_not (cases[i].name);
        if (why)
            print_message ("[ %s has not ] %s: %s\n", name, cases[i].name, why);
        else
            cases[kept++] = cases[i];
    }
    return _cmocka_run_group_tests (name, cases, kept, NULL, NULL);
}

int
conformance_run_tls (const char *name, const struct conformance *protocol)
{
    struct conformance secure = *protocol;
    char options[512], ca[128];
    certificates_begin ();
    certificates_issue ("server", "IP:127.0.0.1", -60, CERTIFICATE_DAY);
    snprintf (options, sizeof options, "%s tls=yes tls-cert=%s tls-key=%s", protocol->options,
              folder_path ("server.pem"), folder_path ("server.key"));
    snprintf (ca, sizeof ca, "%s", folder_path ("ca.pem"));
    secure.options = options;
    secure.ca = ca;
    int failed = conformance_run (name, &secure);
    certificates_end ();
    return failed;
}
